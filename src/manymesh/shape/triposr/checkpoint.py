"""TripoSR's tensors: which there are, where they come from, and their copy in half the space.

The published ``model.ckpt`` is a pickle in a zip. It is read once by ``weights.torch_pickle``, which runs nothing, and
kept as safetensors: the matrices of encoder and transformer as float16, all else as float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import WeightsError
from manymesh.shape.triposr.config import EncoderConfig, TriposrConfig
from manymesh.stages import Tick
from manymesh.weights.arrays import map_arrays, write_arrays
from manymesh.weights.catalogue import model
from manymesh.weights.load import converted_dir, digest_of
from manymesh.weights.torch_pickle import map_torch_file
from manymesh.weights.verify import require_shapes

Arrays = Mapping[str, NDArray[Any]]

WHAT = "a TripoSR checkpoint"
# The largest number that float16 holds.
_MOST_HALF = 65_504.0
# Parts of the conversion, for the progress bar: checksum, and looking at all numbers; the rest is writing. Estimates.
_HASHED, _LOOKED = 0.3, 0.6


def load_arrays(path: Path, config: TriposrConfig, tick: Tick = lambda done: None) -> Arrays:
    """The checkpoint's tensors, ready for use: mapped files, of which nothing is read until it is used.

    Args:
        path: ``model.ckpt``, or the same tensors as ``.safetensors``.
        tick: told the share done of a conversion; the first use of a ``model.ckpt`` takes some ten seconds.

    Raises:
        WeightsError: the file is not what the configuration describes, is damaged, or holds anything but tensors.
        OutputError: the copy cannot be written.
    """
    if path.suffix == ".safetensors":
        return map_checkpoint(path, config)
    digest = digest_of(path, lambda done: tick(_HASHED * done))
    known = model("triposr").files[-1]
    if path.stat().st_size == known.bytes and digest != known.sha256:
        raise WeightsError(
            f"{path} is damaged: SHA-256 {digest} where {known.sha256} belongs",
            "Fetch it again: manymesh models pull triposr",
        )
    copy = converted_dir() / f"triposr-{digest[:16]}.safetensors"
    if not copy.is_file():
        arrays = read_checkpoint(path, config, lambda done: tick(_HASHED + (_LOOKED - _HASHED) * done))
        write_arrays(copy, arrays, _kinds(arrays), lambda done: tick(_LOOKED + (1 - _LOOKED) * done))
    return map_checkpoint(copy, config)


def map_checkpoint(path: Path, config: TriposrConfig) -> Arrays:
    """The tensors of a checkpoint as its file has them, held against the configuration. Nothing is read until it is
    used.

    Raises:
        WeightsError: the file is damaged, holds anything but tensors, or one is absent, of another shape, or too many.
    """
    arrays: Arrays = map_arrays(path) if path.suffix == ".safetensors" else map_torch_file(path)
    _require_fit(arrays, config, path)
    return arrays


def read_checkpoint(path: Path, config: TriposrConfig, tick: Tick = lambda done: None) -> Arrays:
    """The float32 tensors of a ``model.ckpt``, held against the configuration, without those that nothing uses.

    Raises:
        WeightsError: a tensor is absent, of another shape, one too many, or holds a number that is not finite.
    """
    arrays = map_checkpoint(path, config)
    used = {name: value for name, value in arrays.items() if not is_unused(name)}
    for number, (name, value) in enumerate(used.items()):
        tick(number / len(used))
        if not np.isfinite(value).all():
            raise WeightsError(f"{path} is damaged: '{name}' holds numbers that are not finite", "Fetch it again")
    return used


def is_unused(name: str) -> bool:
    """Whether a tensor changes no result: the encoder's pooler."""
    return ".pooler." in name


def expected_shapes(config: TriposrConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors of a checkpoint with this configuration."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in _encoder_shapes(config.encoder):
        shapes[f"image_tokenizer.model.{name}"] = shape
    shapes["tokenizer.embeddings"] = (3, config.channels, config.plane_tokens, config.plane_tokens)
    for name, shape in _transformer_shapes(config):
        shapes[f"backbone.{name}"] = shape
    shapes["post_processor.upsample.weight"] = (config.channels, config.plane_channels, 2, 2)
    shapes["post_processor.upsample.bias"] = (config.plane_channels,)
    widths = (3 * config.plane_channels, *[config.neurons] * config.hidden_layers, 4)
    for number in range(config.hidden_layers + 1):
        shapes[f"decoder.layers.{2 * number}.weight"] = (widths[number + 1], widths[number])
        shapes[f"decoder.layers.{2 * number}.bias"] = (widths[number + 1],)
    return shapes


Shapes = Iterator[tuple[str, tuple[int, ...]]]


def _dense(name: str, out: int, inside: int) -> Shapes:
    yield f"{name}.weight", (out, inside)
    yield f"{name}.bias", (out,)


def _norm(name: str, width: int) -> Shapes:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def _encoder_shapes(config: EncoderConfig) -> Shapes:
    width = config.width
    yield "embeddings.cls_token", (1, 1, width)
    yield "embeddings.position_embeddings", (1, 1 + (config.table_px // config.patch_px) ** 2, width)
    yield "embeddings.patch_embeddings.projection.weight", (width, 3, config.patch_px, config.patch_px)
    yield "embeddings.patch_embeddings.projection.bias", (width,)
    for number in range(config.layers):
        layer = f"encoder.layer.{number}"
        for name in ("query", "key", "value"):
            yield from _dense(f"{layer}.attention.attention.{name}", width, width)
        yield from _dense(f"{layer}.attention.output.dense", width, width)
        yield from _dense(f"{layer}.intermediate.dense", config.inner, width)
        yield from _dense(f"{layer}.output.dense", width, config.inner)
        yield from _norm(f"{layer}.layernorm_before", width)
        yield from _norm(f"{layer}.layernorm_after", width)
    yield from _norm("layernorm", width)
    yield from _dense("pooler.dense", width, width)


def _transformer_shapes(config: TriposrConfig) -> Shapes:
    channels, width = config.channels, config.heads * config.head_width
    yield from _norm("norm", channels)
    yield from _dense("proj_in", width, channels)
    for number in range(config.layers):
        block = f"transformer_blocks.{number}"
        for name in ("norm1", "norm2", "norm3"):
            yield from _norm(f"{block}.{name}", width)
        for name, source in (("attn1", width), ("attn2", config.encoder.width)):
            yield f"{block}.{name}.to_q.weight", (width, width)
            yield f"{block}.{name}.to_k.weight", (width, source)
            yield f"{block}.{name}.to_v.weight", (width, source)
            yield from _dense(f"{block}.{name}.to_out.0", width, width)
        yield from _dense(f"{block}.ff.net.0.proj", 8 * width, width)
        yield from _dense(f"{block}.ff.net.2", width, 4 * width)
    yield from _dense("proj_out", channels, width)


def _require_fit(arrays: Arrays, config: TriposrConfig, path: Path) -> None:
    """Raises ``WeightsError`` for a tensor that is absent, of another shape, or too many. The pooler may be absent."""
    expected = expected_shapes(config)
    if not any(is_unused(name) for name in arrays):
        expected = {name: shape for name, shape in expected.items() if not is_unused(name)}
    require_shapes({name: value.shape for name, value in arrays.items()}, expected, WHAT, path)


def _kinds(arrays: Arrays) -> dict[str, str]:
    """Each tensor's number format in the copy: F16 for the matrices of encoder and transformer that fit into it."""
    return {
        name: "F16"
        if value.ndim == 2
        and name.startswith(("image_tokenizer.", "backbone."))
        and float(np.abs(value).max()) <= _MOST_HALF
        else "F32"
        for name, value in arrays.items()
    }
