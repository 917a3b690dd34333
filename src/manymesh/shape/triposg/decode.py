"""Latents to triangles in the network's box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.shape.common.grid_field import GridField
from manymesh.shape.common.sparse import DECODER, dense_volume, sparse_volume
from manymesh.shape.common.surface import counted, surface_of, typical_queries
from manymesh.shape.triposg.attention import KeysValues
from manymesh.shape.triposg.vae import ShapeDecoder
from manymesh.stages import Tick
from manymesh.types import Mesh

Method = Literal["sparse", "dense"]

# Half the side of the box that the network was trained on. Objects lie within [-1, 1].
BOUNDS = 1.005
# What the field is outside of an object: positive. Reported by people who ran the weights, not proven on them, so
# ``outside_sign`` looks at the faces of the box, which are outside of every object.
OUTSIDE = 1
# Cells per axis of the coarsest level, at least: a wall thinner than one of them, 0.021, may be missed. The field is
# flat further than about 0.02 from the surface, so the search for thin parts, which follows its slope, sees little. At
# 128 cells walls of 0.016 would be found, for twice the points. Chosen by this arithmetic; not measured.
_COARSEST = 96
# Cells per axis on whose border the sign is looked at: 3458 points. Chosen by hand; not measured.
_BORDER_CELLS = 24


@torch.inference_mode()
def decode(
    decoder: ShapeDecoder,
    latents: Tensor,
    method: Method,
    grid: int,
    budget_bytes: int,
    tick: Tick,
) -> tuple[Mesh, tuple[str, ...]]:
    """Extract the surface of one object.

    Args:
        decoder: the network.
        latents: (1, N, latent_channels), from the transformer.
        method: "sparse": near the surface only (``common.sparse``); "dense": every grid point, the same surface.
        grid: cells per axis.
        budget_bytes: working memory of the point decoder.
        tick: called with the share done, 0..1.

    Returns:
        A closed mesh in the network's box, wound counter-clockwise seen from outside, and remarks for people.

    Raises:
        ObjectError: no point is inside.
        NotFiniteError: a value is not finite.
    """
    keys_values = decoder.keys_values(require_finite(decoder(latents), DECODER))
    # Not every device has float64 and sorting: on MPS the volume is kept on the host.
    device = torch.device("cpu") if latents.device.type == "mps" else latents.device
    sign = outside_sign(field_on_grid(decoder, keys_values, budget_bytes))
    expected = (grid + 1) ** 3 if method == "dense" else typical_queries(grid)
    field = field_on_grid(decoder, keys_values, budget_bytes, outside=sign, before_chunk=counted(tick, expected))
    if method == "dense":
        found = dense_volume(field, grid, device=device)
    else:
        found = sparse_volume(field, grid, min_resolution=coarsest_cells(grid), device=device)
    mesh = outwards(surface_of(found.values, found.cells, BOUNDS))
    if sign == OUTSIDE:
        return mesh, ()
    return mesh, ("The shape's field has the opposite sign of the published weights'; it was turned round.",)


def coarsest_cells(grid: int) -> int:
    """What ``sparse_volume`` is told for ``min_resolution``: a small grid is evaluated whole."""
    return min(_COARSEST, grid)


def field_on_grid(
    decoder: ShapeDecoder,
    keys_values: KeysValues,
    budget_bytes: int,
    *,
    outside: int = OUTSIDE,
    bounds: float = BOUNDS,
    before_chunk: Callable[[int], None] = lambda points: None,
) -> GridField:
    """The decoder on the points of a grid, with the sign that marching cubes wants: positive inside.

    Args:
        outside: the sign of the network's own field outside of an object.
        budget_bytes, bounds, before_chunk: see ``GridField``; points are evaluated in chunks as large as the budget
            allows.
    """

    def logits(embedded: Tensor) -> Tensor:
        return decoder.embedded_field(embedded[None], keys_values)[0, :, 0] * -outside

    chunk = max(budget_bytes // decoder.point_bytes, 256)
    return GridField(decoder.point_embedding, logits, chunk=chunk, bounds=bounds, before_chunk=before_chunk)


def outside_sign(field: GridField) -> int:
    """1 where the decoder's field is positive on most of the box's faces, as it should be, else -1.

    Args:
        field: from ``field_on_grid`` with the default sign.
    """
    size = _BORDER_CELLS + 1
    grid = torch.cartesian_prod(*[torch.arange(size, device=field.embedding.first.weight.device)] * 3)
    border = grid[((grid == 0) | (grid == size - 1)).any(dim=1)]
    logits = require_finite(field(border, _BORDER_CELLS), DECODER)
    return OUTSIDE if float(logits.median()) <= 0 else -OUTSIDE


def outwards(mesh: Mesh) -> Mesh:
    """The mesh with its faces reversed where it encloses a negative volume."""
    if signed_volume(mesh) >= 0:
        return mesh
    return Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def signed_volume(mesh: Mesh) -> float:
    """What a closed mesh encloses: over 0 where its faces are wound counter-clockwise seen from outside.

    Each face's shadow along z times its height.
    """
    x, y, z = (mesh.vertices[:, axis].astype(np.float64)[mesh.faces] for axis in range(3))
    shadow = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    return float(shadow @ z.sum(axis=1)) / 6
