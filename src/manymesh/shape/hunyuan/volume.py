"""The official ways to evaluate the field on a grid: every point, or coarse to fine.

They exist to compare with, and for ``--decoding flash`` and ``reference``; ``sparse`` is the default (same surface, far
fewer points). The volume is the box [-bounds, bounds] on each axis, R cells and R + 1 points, indexed x, y, z. A field
is a function from points (N, 3) float32 to logits (N,) float32; positive is inside. NaN marks a point that was not
evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.shape.hunyuan.vae import GeoDecoder, KeysValues
from manymesh.stages import Tick

Field = Callable[[Tensor], Tensor]

# Half the side of the box that the networks were trained on.
BOUNDS = 1.01
# The official program's mark for points that were not evaluated.
_NOT_EVALUATED = -10000.0
# Logits of at most this size count as near the surface (the official program's number).
_NEAR = 0.95


class LevelField(Protocol):
    def __call__(self, index: Tensor, points: Tensor, level: int) -> Tensor:
        """Logits (N,) at grid indices (N, 3) int64 with points (N, 3) float32; level 0 is the coarsest."""


def point_bytes(decoder: GeoDecoder) -> int:
    """Working memory of the point decoder for one point: the widest layer of its MLP, and the tensors alive beside
    it."""
    width = decoder.query_proj.out_features
    wide = 2 * decoder.config.geo_decoder_mlp_expand_ratio + 6
    return width * (wide * decoder.query_proj.weight.element_size() + 4)


def network_field(decoder: GeoDecoder, keys_values: KeysValues, budget_bytes: int) -> Field:
    """The point decoder as a field, in chunks as large as ``budget_bytes`` of working memory allow."""
    chunk = max(budget_bytes // point_bytes(decoder), 256)

    @torch.inference_mode()
    def field(points: Tensor) -> Tensor:
        parts = [decoder(part[None], keys_values)[0, :, 0].float() for part in points.split(chunk)]
        return torch.cat(parts) if parts else points.new_zeros(0)

    return field


@torch.inference_mode()
def dense_grid(
    field: Field, resolution: int, *, bounds: float = BOUNDS, device: torch.device, tick: Tick = lambda done: None
) -> Tensor:
    """The field at every point of a grid, one x-slab at a time so that few coordinates are in memory.

    Returns:
        (R+1, R+1, R+1) float32 on the CPU.
    """
    size = resolution + 1
    axis = torch.linspace(-bounds, bounds, size, dtype=torch.float32, device=device)
    y, z = torch.meshgrid(axis, axis, indexing="ij")
    volume = torch.empty(size, size, size)
    for i in range(size):
        points = torch.stack([axis[i].expand_as(y), y, z], dim=-1).view(-1, 3)
        volume[i] = field(points).view(size, size).cpu()
        tick((i + 1) / size)
    return volume


def near_surface(grid: Tensor, level: float = 0.0) -> Tensor:
    """Points whose sign differs from the sign of one of their six neighbours.

    Args:
        grid: (X, Y, Z) float32; -10000 marks a point that was not evaluated. Such a point is never near the surface,
            and as a neighbour it is ignored. Points on the border have no neighbours outside.
        level: added to the values (the official program adds where one would subtract).

    Returns:
        (X, Y, Z) bool. Zero counts as a third sign.
    """
    evaluated = grid > _NOT_EVALUATED + 1
    value = grid + level
    sign = value.sign()
    near = torch.zeros_like(evaluated)
    padded_sign = F.pad(sign[None, None], (1,) * 6, mode="replicate")[0, 0]
    padded_evaluated = F.pad(evaluated.float()[None, None], (1,) * 6, mode="replicate")[0, 0] > 0
    inner = (slice(1, -1),) * 3
    for axis in range(3):
        for side in (slice(0, -2), slice(2, None)):
            at = (*inner[:axis], side, *inner[axis + 1 :])
            near |= padded_evaluated[at] & (padded_sign[at] != sign)
    return near & evaluated


def dilate(mask: Tensor, times: int = 1) -> Tensor:
    """A bool volume dilated by a 3x3x3 cube, ``times`` times."""
    for _ in range(times):
        mask = F.max_pool3d(mask[None, None].float(), 3, stride=1, padding=1)[0, 0] > 0
    return mask


def level_sizes(resolution: int, min_resolution: int = 63) -> list[int]:
    """Cells per axis of each level, coarse to fine: ``resolution`` halved while at least ``min_resolution``."""
    sizes = [resolution]
    while sizes[-1] // 2 >= min_resolution:
        sizes.append(sizes[-1] // 2)
    return sizes[::-1]


def flash_level_sizes(resolution: int, min_resolution: int = 63) -> list[int]:
    """FlashVDM's levels: the coarsest has a multiple of 4 points per axis, each finer level twice the cells.

    The finest level may differ from ``resolution``: 384 becomes 380.
    """
    plain = level_sizes(resolution, min_resolution)
    coarsest = round(plain[0] / 4) * 4 - 1
    return [coarsest * 2**i for i in range(len(plain))]


@torch.inference_mode()
def coarse_to_fine(
    field: LevelField,
    sizes: list[int],
    *,
    bounds: float = BOUNDS,
    level: float = 0.0,
    device: torch.device,
    tick: Tick = lambda done: None,
) -> Tensor:
    """The official refinement: every point of the coarsest level, then the points near the surface of the level before.

    Args:
        field: evaluates points of a level.
        sizes: cells per axis, coarse to fine, each about twice the one before.
        bounds: half the box's side.
        level: see ``near_surface``.
        device: where the volume is kept.
        tick: called after each level with the share done, 0..1.

    Returns:
        (r+1, r+1, r+1) float32 for the last size r, NaN where nothing was evaluated.
    """
    volume = torch.zeros(0)
    for number, size in enumerate(sizes):
        count = size + 1
        if number == 0:
            mask = torch.ones(count, count, count, dtype=torch.bool, device=device)
        else:
            last = number == len(sizes) - 1
            near = near_surface(volume, level) | ((volume > _NOT_EVALUATED + 1) & (volume.abs() < _NEAR))
            if not last:
                near = dilate(near)
            mask = torch.zeros(count, count, count, dtype=torch.bool, device=device)
            at = near.nonzero() * 2
            at = at[(at < count).all(dim=1)]
            mask[at[:, 0], at[:, 1], at[:, 2]] = True
            mask = dilate(mask, 2 if last else 1)
        index = mask.nonzero()
        points = index.float() * (2 * bounds / size) - bounds
        if number == 0:
            points = torch.linspace(-bounds, bounds, count, dtype=torch.float32, device=device)[index]
        volume = torch.full((count, count, count), _NOT_EVALUATED, device=device)
        volume[index[:, 0], index[:, 1], index[:, 2]] = field(index, points, number)
        tick((number + 1) / len(sizes))
    return torch.where(volume > _NOT_EVALUATED + 1, volume, torch.nan)
