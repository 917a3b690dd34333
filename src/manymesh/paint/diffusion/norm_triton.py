"""Kernels for ``norm``. Importing this needs Triton.

Group normalisation takes three launches: each program of the first reads some pixels once and writes their per-channel
mean and sum of squared deviations; the second joins these into a scale and an offset per channel (Chan et al. 1979, so
nothing cancels); the third applies them. Layer normalisation and gates are one launch each.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

ROWS = 32
CHANNELS = 64
BLOCKS = 64
PARTIAL_WARPS = 1  # one: its sums down the columns then never leave a warp
LAYER_ROWS = 4
LONGEST_ROW = 4096
GATE_WIDTH = 1024


def fits(x: Tensor, groups: int) -> bool:
    """Whether the kernels handle this picture; every block of pixels must be full."""
    pixels = x.shape[2] * x.shape[3]
    return pixels % ROWS == 0 and pixels // ROWS <= 8192 and x.shape[1] // groups <= 128


def group_norm(x: Tensor, norm: nn.GroupNorm, silu: bool, shift: Tensor | None) -> Tensor | None:
    """As ``norm.group_norm``; ``x`` is on CUDA and "channels last". None for pictures that the kernels do not take."""
    if not fits(x, norm.num_groups):
        return None
    batch, channels, height, width = x.shape
    pixels, groups = height * width, norm.num_groups
    blocks, each = pixels // ROWS, channels // groups
    partial = torch.empty(2, batch, blocks, channels, device=x.device, dtype=torch.float32)
    table = torch.empty(2, batch, channels, device=x.device, dtype=torch.float32)
    out = torch.empty_like(x)
    across = triton.cdiv(channels, CHANNELS)
    added = x if shift is None else shift.contiguous()
    _partial[(batch * blocks, across)](
        x,
        added,
        partial,
        channels,
        blocks,
        batch * blocks * channels,
        shift is not None,
        ROWS,
        CHANNELS,
        num_warps=PARTIAL_WARPS,
    )
    _join[(batch, groups)](
        partial,
        added,
        norm.weight,
        norm.bias,
        table,
        channels,
        blocks,
        batch * blocks * channels,
        batch * channels,
        norm.eps,
        each,
        shift is not None,
        ROWS,
        BLOCKS,
        triton.next_power_of_2(each),
    )
    _apply[(batch * blocks, across)](x, table, out, channels, blocks, batch * channels, silu, ROWS, CHANNELS)
    return out


def layer_norm(x: Tensor, norm: nn.LayerNorm) -> Tensor | None:
    """As ``norm.layer_norm``; ``x`` is on CUDA and contiguous. None for rows that are too long."""
    channels = x.shape[-1]
    if channels > LONGEST_ROW:
        return None
    count, out = x.numel() // channels, torch.empty_like(x)
    _layer[(triton.cdiv(count, LAYER_ROWS),)](
        x, norm.weight, norm.bias, out, count, channels, norm.eps, LAYER_ROWS, triton.next_power_of_2(channels)
    )
    return out


def gated(x: Tensor) -> Tensor:
    """As ``norm.gated``; ``x`` is on CUDA and contiguous."""
    inner = x.shape[-1] // 2
    out = torch.empty(*x.shape[:-1], inner, device=x.device, dtype=x.dtype)
    _gated[(out.numel() // inner, triton.cdiv(inner, GATE_WIDTH))](x, out, inner, GATE_WIDTH)
    return out


@triton.jit
def _partial(  # type: ignore[no-untyped-def]
    x, added, partial, channels, blocks, stride, has_shift: tl.constexpr, rows: tl.constexpr, width: tl.constexpr
):
    block = tl.program_id(0)
    row = block.to(tl.int64) * rows + tl.arange(0, rows)
    column = tl.program_id(1) * width + tl.arange(0, width)
    inside = column < channels
    value = tl.load(x + row[:, None] * channels + column[None, :], mask=inside[None, :], other=0.0).to(tl.float32)
    if has_shift:
        value += tl.load(added + (block // blocks) * channels + column, mask=inside, other=0.0).to(tl.float32)[None, :]
    mean = tl.sum(value, axis=0) / rows
    apart = value - mean[None, :]
    place = block.to(tl.int64) * channels + column
    tl.store(partial + place, mean, mask=inside)
    tl.store(partial + stride + place, tl.sum(apart * apart, axis=0), mask=inside)


@triton.jit
def _join(  # type: ignore[no-untyped-def]
    partial,
    added,
    weight,
    bias,
    table,
    channels,
    blocks,
    stride,
    table_stride,
    eps,
    each,
    has_shift: tl.constexpr,
    rows: tl.constexpr,
    step: tl.constexpr,
    width: tl.constexpr,
):
    batch = tl.program_id(0)
    lane = tl.arange(0, width)
    inside = lane < each
    column = tl.program_id(1) * each + lane
    first = partial + batch.to(tl.int64) * blocks * channels
    total = tl.zeros([step, width], tl.float32)
    for start in range(0, blocks, step):
        block = start + tl.arange(0, step)
        full = (block < blocks)[:, None] & inside[None, :]
        total += tl.load(first + block[:, None] * channels + column[None, :], mask=full, other=0.0)
    middle = tl.sum(tl.sum(total, axis=0), axis=0) / (blocks * each)
    squares = tl.zeros([step, width], tl.float32)
    for start in range(0, blocks, step):
        block = start + tl.arange(0, step)
        full = (block < blocks)[:, None] & inside[None, :]
        place = first + block[:, None] * channels + column[None, :]
        apart = tl.where(full, tl.load(place, mask=full, other=0.0) - middle, 0.0)
        squares += tl.load(place + stride, mask=full, other=0.0) + rows * apart * apart
    scale = tl.rsqrt(tl.sum(tl.sum(squares, axis=0), axis=0) / (rows * blocks * each) + eps)
    scale = scale * tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    offset = tl.load(bias + column, mask=inside, other=0.0).to(tl.float32) - middle * scale
    if has_shift:
        offset += tl.load(added + batch * channels + column, mask=inside, other=0.0).to(tl.float32) * scale
    tl.store(table + batch * channels + column, scale, mask=inside)
    tl.store(table + table_stride + batch * channels + column, offset, mask=inside)


@triton.jit
def _apply(x, table, out, channels, blocks, table_stride, silu: tl.constexpr, rows: tl.constexpr, width: tl.constexpr):  # type: ignore[no-untyped-def]
    block = tl.program_id(0)
    row = block.to(tl.int64) * rows + tl.arange(0, rows)
    column = tl.program_id(1) * width + tl.arange(0, width)
    inside = column < channels
    place = row[:, None] * channels + column[None, :]
    value = tl.load(x + place, mask=inside[None, :], other=0.0).to(tl.float32)
    entry = (block // blocks) * channels + column
    scale = tl.load(table + entry, mask=inside, other=0.0)
    offset = tl.load(table + table_stride + entry, mask=inside, other=0.0)
    value = value * scale[None, :] + offset[None, :]
    if silu:
        value = value * tl.sigmoid(value)
    tl.store(out + place, value.to(out.dtype.element_ty), mask=inside[None, :])


@triton.jit
def _layer(x, weight, bias, out, count, channels, eps, rows: tl.constexpr, width: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64) * rows + tl.arange(0, rows)
    column = tl.arange(0, width)
    filled = column < channels
    inside = (row < count)[:, None] & filled[None, :]
    place = row[:, None] * channels + column[None, :]
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32)
    mean = tl.sum(value, axis=1) / channels
    apart = tl.where(inside, value - mean[:, None], 0.0)
    scale = tl.rsqrt(tl.sum(apart * apart, axis=1) / channels + eps)
    factor = tl.load(weight + column, mask=filled, other=0.0).to(tl.float32)
    offset = tl.load(bias + column, mask=filled, other=0.0).to(tl.float32)
    value = apart * scale[:, None] * factor[None, :] + offset[None, :]
    tl.store(out + place, value.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _gated(x, out, inner, width: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * width + tl.arange(0, width)
    inside = column < inner
    value = tl.load(x + row * 2 * inner + column, mask=inside, other=0.0).to(tl.float32)
    gate = tl.load(x + row * 2 * inner + inner + column, mask=inside, other=0.0).to(tl.float32)
    value = value * gate * 0.5 * (1.0 + tl.erf(gate * 0.7071067811865476))
    tl.store(out + row * inner + column, value.to(out.dtype.element_ty), mask=inside)
