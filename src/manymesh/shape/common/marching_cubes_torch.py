"""Marching cubes with the asymptotic decider (Nielson & Hamann 1991), on the cells that the surface crosses.

All steps are array operations on the volume's own device. A vertex is identified by the grid edge it lies on, so
triangles of neighbouring cells share vertices exactly and the surface is closed. The table is
``mesh/marching_table.py``.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from manymesh.mesh import marching_table
from manymesh.types import F32, F64, I32

# Vertices keep this distance (in cells) from grid points: at a grid point several of them would coincide. Chosen by
# hand.
_CLEARANCE = 1e-4
# Bounds the memory of the triangles' tables. Chosen by hand; not measured.
_CELLS_AT_ONCE = 1 << 20
# Bounds the memory of ``crossing_cells``. Chosen by hand; not measured.
_SLAB_BYTES = 64 << 20


def corner_offsets(size: int, device: torch.device) -> Tensor:
    """(8,) int64: offsets of a cell's corners from its base point, in a flat volume of ``size`` points per axis."""
    corner = torch.arange(8, device=device)
    return (corner & 1) * size * size + (corner >> 1 & 1) * size + (corner >> 2 & 1)


def crossing(values: Tensor) -> Tensor:
    """(M, 8) corner values to (M,) bool: some corners are inside, some outside, and none is NaN."""
    inside = values > 0
    return inside.any(dim=1) & ~inside.all(dim=1) & ~values.isnan().any(dim=1)


def crossing_cells(volume: Tensor) -> Tensor:
    """The cells of a whole volume that the surface crosses.

    Args:
        volume: (S, S, S) float32; cells with a NaN corner are left out.

    Returns:
        (M,) int64 ascending flat indices of the cells' base points.
    """
    size = volume.shape[0]
    slab = max(_SLAB_BYTES // (size * size * 8), 1)
    found = []
    for start in range(0, size - 1, slab):
        part = volume[start : start + slab + 1]
        inside = _corner_counts(part > 0)
        whole = (inside > 0) & (inside < 8) & (_corner_counts(part.isnan()) == 0)
        at = whole.nonzero()
        found.append(((at[:, 0] + start) * size + at[:, 1]) * size + at[:, 2])
    return torch.cat(found)


def _corner_counts(marked: Tensor) -> Tensor:
    """(X, Y, Z) bool to (X-1, Y-1, Z-1) uint8: how many of each cell's corners are marked."""
    count = marked.to(torch.uint8)
    for axis in range(3):
        length = count.shape[axis] - 1
        count = count.narrow(axis, 0, length) + count.narrow(axis, 1, length)
    return count


def march_cells(volume: Tensor, cells: Tensor) -> tuple[F32, I32]:
    """The triangles of the surface in the given cells.

    Args:
        volume: (S, S, S) float32, contiguous; over 0 is inside. All corners of ``cells`` are finite.
        cells: (M,) int64 flat indices of base points.

    Returns:
        Vertices (n, 3) float32 in grid units (0 to S - 1) and faces (m, 3) int32, wound counter-clockwise seen from
        outside. Vertices are in the order of their grid edges, faces in the order of their cells.
    """
    size, flat = volume.shape[0], volume.view(-1)
    parts = [_triangles(flat, part, size) for part in cells.split(_CELLS_AT_ONCE)]
    if not parts:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    ids, faces = torch.unique(torch.cat(parts), return_inverse=True)
    on_edge = _vertices(flat, ids[ids < 3 * len(flat)], size).cpu().numpy()
    triangles = faces.to(torch.int32).cpu().numpy()
    return np.concatenate([on_edge, _loop_centres(on_edge, triangles, len(ids))]).astype(np.float32), triangles


def _loop_centres(on_edge: F64, triangles: I32, count: int) -> F64:
    """Vertices at the centre of long loops: the mean of the loop's vertices, which are first in its fan's triangles."""
    sums = np.zeros((count - len(on_edge), 3))
    fan = triangles[triangles[:, 2] >= len(on_edge)]
    owner = fan[:, 2] - len(on_edge)
    np.add.at(sums, owner, on_edge[fan[:, 0]])
    return sums / np.bincount(owner, minlength=len(sums))[:, None]


def _triangles(flat: Tensor, cells: Tensor, size: int) -> Tensor:
    """(triangles, 3) int64 vertex ids. A vertex on a grid edge has three times the flat index of the edge's start plus
    its axis; the centre of a cell has the flat index of the cell's base plus three times the number of points."""
    table, device = marching_table.table(), flat.device
    values = flat[cells[:, None] + corner_offsets(size, device)]
    bits = torch.arange(8, device=device)
    pattern = ((values > 0) << bits).sum(dim=1)
    row = torch.from_numpy(table.row).to(device)[pattern, _decisions(values, pattern)]
    count = torch.from_numpy(table.sizes).to(device)[row]
    owner = torch.repeat_interleave(torch.arange(len(cells), device=device), count)
    within = torch.arange(len(owner), device=device) - (count.cumsum(0) - count)[owner]
    local = torch.from_numpy(table.triangles).to(device)[row[owner], within]
    base = cells[owner][:, None]
    central = local == marching_table.CENTRE
    # A dummy edge for the centre keeps the look-up in range; its id is replaced below.
    start, axis = torch.tensor([*marching_table.EDGES, (0, 0)], device=device).unbind(dim=1)
    ids = (base + corner_offsets(size, device)[start][local]) * 3 + axis[local]
    return torch.where(central, 3 * len(flat) + base, ids)


def _decisions(values: Tensor, pattern: Tensor) -> Tensor:
    """(M,) int64: bit f is set when face f is ambiguous and its inside corners are connected (asymptotic decider)."""
    ambiguous = torch.from_numpy(marching_table.table().ambiguous).to(values.device)[pattern]
    decided = torch.zeros_like(pattern)
    some = ambiguous.any(dim=1).nonzero()[:, 0]
    v = values[some].double()
    for face, (a, b, c, d) in enumerate(marching_table.FACES):
        one, other = v[:, a] * v[:, c], v[:, b] * v[:, d]
        joined = torch.where(v[:, a] > 0, one > other, other > one)
        decided[some] += (joined & ambiguous[some, face]).long() << face
    return decided


def _vertices(flat: Tensor, edges: Tensor, size: int) -> Tensor:
    """(n, 3) float64 grid coordinates of the crossing on each edge."""
    start, axis = edges // 3, edges % 3
    stride = torch.tensor([size * size, size, 1], device=flat.device)[axis]
    a, b = flat[start].double(), flat[start + stride].double()
    along = (a / (a - b)).clamp(_CLEARANCE, 1 - _CLEARANCE)
    grid = torch.stack([start // (size * size), start // size % size, start % size], dim=1).double()
    return grid.scatter_add_(1, axis[:, None], along[:, None])
