"""The triplane transformer of TripoSR (Tochilkin et al. 2024): learned tokens attend to the picture's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manymesh.shape.triposr.arithmetic import (
    Keep,
    Weights,
    attention,
    gelu_,
    ignore,
    in_threads,
    layer_norm,
    linear,
    steps_tick,
)
from manymesh.shape.triposr.config import GROUPS, TriposrConfig
from manymesh.stages import Tick
from manymesh.types import F32

GROUP_EPS, LAYER_EPS = 1e-6, 1e-5
# Tokens whose inner values, eight times as wide, are in memory at a time: 512 x 8192 float32 are 17 MB.
# Chosen by hand.
INNER_ROWS = 512


def transform(weights: Weights, config: TriposrConfig, context: F32, tick: Tick, keep: Keep = ignore) -> F32:
    """The planes' tokens for a picture.

    Args:
        weights: of the whole network.
        context: (m, encoder width), the picture's tokens.
        tick: told the share done, several times a block.

    Returns:
        (channels, 3 * P * P) float32; a token's number is plane * P * P + row * P + column.
    """
    start = weights["tokenizer.embeddings"].transpose(1, 0, 2, 3).reshape(config.channels, -1)
    keep("tokens_in", start)
    part = weights.part("backbone")
    normal = _group_norm(start, part["norm.weight"], part["norm.bias"])
    keep("group_norm", normal)
    x = linear(np.ascontiguousarray(normal.T), part, "proj_in")
    keep("proj_in", x)
    chunks = -(-len(x) // INNER_ROWS)
    for number in range(config.layers):
        step = steps_tick(tick, number / config.layers, (number + 1) / config.layers, 2 * config.heads + chunks)
        named = keep if number == 0 else ignore
        _block(part.part(f"transformer_blocks.{number}"), config, x, context, step, named)
        keep(f"block{number}", x)
    y = linear(x, part, "proj_out")
    keep("proj_out", y)
    out = np.ascontiguousarray(y.T)
    out += start
    keep("out", out)
    return out


def _block(weights: Weights, config: TriposrConfig, x: F32, context: F32, step: Callable[[], None], keep: Keep) -> None:
    """One block, added to ``x`` in place: attention among the tokens, attention to the picture, feed-forward."""
    y = layer_norm(x, weights, "norm1", LAYER_EPS)
    keep("b0_norm1", y)
    added = _attended(weights.part("attn1"), config, y, y, step)
    keep("b0_attn1", added)
    x += added
    added = _attended(weights.part("attn2"), config, layer_norm(x, weights, "norm2", LAYER_EPS), context, step)
    keep("b0_attn2", added)
    x += added
    _feed_forward(weights, x, step, keep)


def _attended(weights: Weights, config: TriposrConfig, x: F32, source: F32, step: Callable[[], None]) -> F32:
    q = linear(x, weights, "to_q", bias=False)
    k, v = (linear(source, weights, name, bias=False) for name in ("to_k", "to_v"))
    return linear(attention(q, k, v, config.heads, step), weights, "to_out.0")


def _feed_forward(weights: Weights, x: F32, step: Callable[[], None], keep: Keep) -> None:
    """GEGLU: the first half of the inner values times the GELU of the second."""
    y = layer_norm(x, weights, "norm3", LAYER_EPS)
    inner, inner_bias = weights["ff.net.0.proj.weight"], weights["ff.net.0.proj.bias"]
    outer, outer_bias = weights["ff.net.2.weight"], weights["ff.net.2.bias"]
    half = len(inner) // 2
    gated = np.empty((len(x), half), np.float32) if keep is not ignore else None
    added = np.empty_like(x)

    def some(start: int) -> None:
        rows = slice(start, start + INNER_ROWS)
        gate = y[rows] @ inner[half:].T
        gate += inner_bias[half:]
        gelu_(gate)
        value = y[rows] @ inner[:half].T
        value += inner_bias[:half]
        value *= gate
        if gated is not None:
            gated[rows] = value
        np.matmul(value, outer.T, out=added[rows])

    in_threads(some, range(0, len(x), INNER_ROWS), step)
    added += outer_bias
    if gated is not None:
        keep("b0_ff_inner", gated)
    keep("b0_ff", added)
    x += added


def _group_norm(x: F32, weight: F32, bias: F32) -> F32:
    """(channels, n) with mean 0 and variance 1 over each group of channels and all tokens together."""
    grouped = x.reshape(GROUPS, -1).astype(np.float64)
    grouped -= grouped.mean(axis=1, keepdims=True)
    grouped /= np.sqrt((grouped**2).mean(axis=1, keepdims=True) + GROUP_EPS)
    return (grouped.reshape(x.shape).astype(np.float32) * weight[:, None] + bias[:, None]).astype(np.float32)
