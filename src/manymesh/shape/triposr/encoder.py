"""The image encoder of TripoSR: DINO's vision transformer (Caron et al. 2021), picture to context tokens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manymesh.shape.triposr.arithmetic import Keep, Weights, attention, gelu_, ignore, layer_norm, linear, steps_tick
from manymesh.shape.triposr.config import EncoderConfig
from manymesh.stages import Tick
from manymesh.types import F32

# ImageNet's mean and deviation of red, green and blue, which the encoder was trained with.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The published weights were trained with a table of positions that is stretched by this much too little: the library
# of the time added it to the number of patches against rounding.
GRID_OFFSET = 0.1
# The cubic kernel's parameter.
CUBIC = -0.75


def encode(weights: Weights, config: EncoderConfig, pixels: F32, tick: Tick, keep: Keep = ignore) -> F32:
    """Context tokens of a picture.

    Args:
        weights: the part ``image_tokenizer.model``.
        pixels: (3, S, S) float32 in 0..1, not normalised.
        tick: told the share done.

    Returns:
        (1 + patches, width) float32, the class token first.
    """
    x = _embedded(weights.part("embeddings"), config, pixels, keep)
    for number in range(config.layers):
        step = steps_tick(tick, number / config.layers, (number + 1) / config.layers, config.heads)
        _layer(weights.part(f"encoder.layer.{number}"), config, x, step)
        keep(f"layer{number}", x)
    tokens = layer_norm(x, weights, "layernorm", config.norm_eps)
    keep("tokens", tokens)
    return tokens


def _layer(weights: Weights, config: EncoderConfig, x: F32, step: Callable[[], None]) -> None:
    """One layer, added to ``x`` in place."""
    y = layer_norm(x, weights, "layernorm_before", config.norm_eps)
    q, k, v = (linear(y, weights, f"attention.attention.{name}") for name in ("query", "key", "value"))
    x += linear(attention(q, k, v, config.heads, step), weights, "attention.output.dense")
    y = linear(layer_norm(x, weights, "layernorm_after", config.norm_eps), weights, "intermediate.dense")
    gelu_(y)
    x += linear(y, weights, "output.dense")


def _embedded(weights: Weights, config: EncoderConfig, pixels: F32, keep: Keep) -> F32:
    """(1 + patches, width): the patches' tokens behind the class token, with their positions."""
    mean, deviation = (np.array(values, np.float32)[:, None, None] for values in (MEAN, DEVIATION))
    normal = (pixels - mean) / deviation
    side, patch = pixels.shape[1] // config.patch_px, config.patch_px
    patches = normal.reshape(3, side, patch, side, patch).transpose(1, 3, 0, 2, 4).reshape(side * side, -1)
    kernel = weights["patch_embeddings.projection.weight"].reshape(config.width, -1)
    tokens = patches @ kernel.T + weights["patch_embeddings.projection.bias"]
    positions = resized_positions(weights["position_embeddings"][0], side)
    keep("positions", positions)
    x = np.concatenate([weights["cls_token"][0], tokens]) + positions
    keep("embeddings", x)
    return np.asarray(x, np.float32)


def resized_positions(table: F32, side: int) -> F32:
    """The table of positions for another number of patches.

    Args:
        table: (1 + n * n, width), the class token's row first.
        side: patches along each side of the picture.

    Returns:
        (1 + side * side, width) float32, bicubic between the table's rows.
    """
    count = round((len(table) - 1) ** 0.5)
    if count == side:
        return table
    grid = table[1:].reshape(count, count, -1)
    matrix = _cubic_matrix(count, side)
    rows = np.einsum("oi,ijc->ojc", matrix, grid)
    return np.concatenate([table[:1], np.einsum("oj,ijc->ioc", matrix, rows).reshape(side * side, -1)])


def _cubic_matrix(count: int, side: int) -> F32:
    """(side, count): the weights of the ``count`` old places for each of the ``side`` new ones."""
    place = (np.arange(side) + 0.5) * count / (side + GRID_OFFSET) - 0.5
    first = np.floor(place)
    matrix = np.zeros((side, count))
    for tap in range(-1, 3):
        apart = np.abs(place - first - tap)
        near = ((CUBIC + 2) * apart - (CUBIC + 3)) * apart**2 + 1
        far = ((CUBIC * apart - 5 * CUBIC) * apart + 8 * CUBIC) * apart - 4 * CUBIC
        source = np.clip(first + tap, 0, count - 1).astype(int)
        np.add.at(matrix, (np.arange(side), source), np.where(apart <= 1, near, far))
    return matrix.astype(np.float32)
