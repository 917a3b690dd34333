"""Removes faces without area, and keeps a closed surface closed.

Just deleting them would open slits, so a needle (one side without length) has that side shrunk to a point, and a cap
(one corner on the opposite side) hands its corner over to the neighbour across that side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import connected_components, edges, length, used_vertices

THINNEST = 1e-6  # of the longest side of the box: about 8 float32 steps at coordinates near 1
ROUNDS = 8


def remove_slivers(vertices: NDArray[Any], faces: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Faces lower than ``THINNEST`` of the box's longest side, gone.

    Args:
        vertices: (n, 3); not changed, some are unused afterwards.
        faces: (m, 3) int32 without repeated vertices in a face.

    Returns:
        The faces, and how many were removed or redrawn. Winding agrees on every edge afterwards if it did before. Two
        faces can now lie on the same three vertices.
    """
    points = vertices.astype(np.float64)
    limit = THINNEST * float(np.ptp(points[used_vertices(faces)], axis=0).max())
    thin = _measure(points, faces)[2] <= limit
    if not thin.any():
        return faces, 0
    near = _around(_around(thin, faces), faces)
    local = faces[near]
    touched = 0
    for _ in range(ROUNDS):
        shortest, longest, height = _measure(points, local)
        thin = height <= limit
        if not thin.any():
            break
        before = local
        if (thin & (shortest <= limit)).any():
            local = _shrink(points, local, limit)
            touched += len(before) - len(local)
        else:
            local = _flip_caps(points, local, thin, longest)
            if np.array_equal(before, local):
                break  # only caps at the border of an open surface are left
            touched += int(thin.sum())
    faces = np.concatenate([faces[~near], local])
    flat = _measure(points, faces)[2] <= 0
    if flat.any() and (edges(faces).balance != 0).any():
        touched += int(flat.sum())
        faces = faces[~flat]
    return faces, touched


def _around(chosen: NDArray[np.bool_], faces: NDArray[Any]) -> NDArray[np.bool_]:
    """Faces that share a vertex with a chosen one."""
    marked = np.zeros(int(faces.max()) + 1, dtype=bool)
    marked[faces[chosen]] = True
    touched: NDArray[np.bool_] = marked[faces].any(axis=1)
    return touched


def _measure(
    points: NDArray[np.float64], faces: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Each face's shortest side, the number of its longest side, and the height over that one."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    sides = np.stack([length(b - a), length(c - b), length(a - c)])
    longest = sides.max(axis=0, initial=0)
    double_area = length(np.cross(b - a, c - a))
    return sides.min(axis=0, initial=np.inf), sides.argmax(axis=0), double_area / np.where(longest > 0, longest, 1)


def _shrink(points: NDArray[np.float64], faces: NDArray[Any], limit: float) -> NDArray[np.int32]:
    """Merges the ends of all sides without length."""
    table = edges(faces)
    ends = table.ends
    short = length(points[ends[:, 0]] - points[ends[:, 1]]) <= limit
    _, label = connected_components(len(points), ends[short])
    _, first = np.unique(label, return_index=True)
    merged = first[label][faces].astype(np.int32)
    a, b, c = merged.T
    kept: NDArray[np.int32] = merged[(a != b) & (b != c) & (c != a)]
    return kept


def _flip_caps(
    points: NDArray[np.float64], faces: NDArray[Any], thin: NDArray[np.bool_], longest: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Replaces a cap and the face across its longest side by two faces that meet at the cap's corner."""
    table = edges(faces)
    flipped = faces.copy()
    busy: set[int] = set()
    for face in np.flatnonzero(thin).tolist():
        edge = table.of[3 * face + longest[face]]
        if table.faces[edge] != 2 or face in busy:
            continue
        both = table.order[table.start[edge] : table.start[edge] + 2]
        other = int(both[0] if both[1] // 3 == face else both[1])
        neighbour, corner = divmod(other, 3)
        if neighbour in busy or neighbour == face:
            continue
        start, end, far = (int(faces[neighbour, (corner + k) % 3]) for k in range(3))
        apex = int(faces[face, (longest[face] + 2) % 3])
        if far == apex or int(faces[face, longest[face]]) != end:
            continue  # lies on its neighbour, or is wound the other way
        flipped[neighbour] = (start, apex, far)
        flipped[face] = (apex, end, far)
        busy.update((face, neighbour))
    return flipped
