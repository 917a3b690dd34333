"""Marching cubes on arrays: from a volume to a closed surface, visiting only the cells that the surface crosses.

Vertices are named by the grid edge they lie on, so that triangles of neighbouring cells share them exactly. On faces
whose corners alternate the asymptotic decider (Nielson & Hamann 1991) makes both cells agree, so there are no cracks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh import marching_table
from manymesh.mesh.topology import distinct
from manymesh.types import F32, I32

# A vertex this close to a grid point, in cells, is moved away from it: at the point itself several would coincide.
# Chosen by hand.
CLEARANCE = 1e-3


def marching_cubes(volume: F32, level: float = 0.0) -> tuple[F32, I32]:
    """The surface on which a volume has the value ``level``.

    Args:
        volume: (A, B, C) float32, at least 2 along each axis; above ``level`` is inside. Where the inside reaches the
            volume's border the surface is open there.

    Returns:
        Vertices (n, 3) float32 in grid units (0 to A - 1 and so on), in the order of their grid edges, and faces
        (m, 3) int32, wound counter-clockwise seen from outside in a right-handed frame. Nothing when nothing crosses.
    """
    values = np.ascontiguousarray(volume, np.float32)
    inside = values > level
    cells, pattern = _crossing_cells(inside)
    if not len(cells):
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    _, rows, columns = values.shape
    stride = np.array([rows * columns, columns, 1])
    corner = np.array([(c & 1) * stride[0] + (c >> 1 & 1) * stride[1] + (c >> 2 & 1) for c in range(8)])
    table = marching_table.table()
    row = table.row[pattern, _decisions(values.ravel(), cells, corner, pattern, level)]
    count = table.sizes[row]
    owner = np.repeat(np.arange(len(cells)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    local = table.triangles[row[owner], within]
    # The centre of a cell has a place in the look-up, so that indices stay in range, and then a name of its own.
    start, axis = np.array([*marching_table.EDGES, (0, 0)]).T
    base = cells[owner][:, None]
    names = (base + corner[start][local]) * 3 + axis[local]
    names = np.where(local == marching_table.CENTRE, 3 * values.size + base, names)
    unique, place = distinct(names.reshape(-1))
    on_edge = _on_edges(values.ravel(), unique[unique < 3 * values.size], stride, level)
    triangles = place.reshape(names.shape).astype(np.int32)
    return np.concatenate([on_edge, _centres(on_edge, triangles, len(unique))]).astype(np.float32), triangles


def _crossing_cells(inside: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat indices of the base points of cells with corners on both sides, rising, and their corner patterns."""
    pattern: Any = inside.view(np.uint8)
    for axis in range(3):
        first = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        second = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        pattern = pattern[first] | pattern[second] << (1 << axis)
    at = np.flatnonzero((pattern != 0) & (pattern != 255))
    i, j, k = np.unravel_index(at, pattern.shape)
    flat = (i * inside.shape[1] + j) * inside.shape[2] + k
    return flat, pattern.ravel()[at].astype(np.int64)


def _decisions(flat: F32, cells: Any, corner: Any, pattern: Any, level: float) -> NDArray[np.int64]:
    """(M,) bit f says that face f is ambiguous and its inside corners are joined (asymptotic decider)."""
    ambiguous = marching_table.table().ambiguous[pattern]
    decided = np.zeros(len(cells), np.int64)
    some = np.flatnonzero(ambiguous.any(axis=1))
    v = flat[cells[some][:, None] + corner].astype(np.float64) - level
    for face, (a, b, c, d) in enumerate(marching_table.FACES):
        one, other = v[:, a] * v[:, c], v[:, b] * v[:, d]
        joined = np.where(v[:, a] > 0, one > other, other > one)
        decided[some] += (joined & ambiguous[some, face]).astype(np.int64) << face
    return decided


def _on_edges(flat: F32, edges: Any, stride: Any, level: float) -> NDArray[np.float64]:
    """(n, 3) grid coordinates of the crossing on each edge."""
    start, axis = edges // 3, edges % 3
    a, b = flat[start].astype(np.float64) - level, flat[start + stride[axis]].astype(np.float64) - level
    along = np.clip(a / (a - b), CLEARANCE, 1 - CLEARANCE)
    grid = np.stack([start // stride[0], start % stride[0] // stride[1], start % stride[1]], axis=1).astype(np.float64)
    grid[np.arange(len(edges)), axis] += along
    return grid


def _centres(on_edge: Any, triangles: I32, count: int) -> NDArray[np.float64]:
    """Vertices at the centres of long loops: the mean of each loop, whose vertices come first in its triangles."""
    sums = np.zeros((count - len(on_edge), 3))
    fan = triangles[triangles[:, 2] >= len(on_edge)]
    owner = fan[:, 2] - len(on_edge)
    np.add.at(sums, owner, on_edge[fan[:, 0]])
    return sums / np.bincount(owner, minlength=len(sums))[:, None]
