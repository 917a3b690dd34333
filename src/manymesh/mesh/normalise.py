"""A mesh moved and scaled into the canonical frame."""

from __future__ import annotations

import numpy as np

from manymesh.errors import DamagedMeshError
from manymesh.types import F64, Mesh


def normalise(mesh: Mesh) -> tuple[Mesh, F64]:
    """Centre the bounding box and scale its longest side to exactly [-1, 1].

    Returns:
        The mesh, and the (4, 4) float64 matrix that takes a column vector of the old frame to the new one.

    Raises:
        DamagedMeshError: no finite extent.
    """
    points = mesh.vertices.astype(np.float64)
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(3), np.zeros(3))
    half = float((high - low).max()) / 2
    if not np.isfinite(half) or half <= 0:
        raise DamagedMeshError("the mesh has no extent", "Clean it first.")
    middle = (low + high) / 2
    moved = np.clip(((points - middle) / half).astype(np.float32), -1, 1)
    axis = int((high - low).argmax())
    moved[points[:, axis] == low[axis], axis] = -1
    moved[points[:, axis] == high[axis], axis] = 1
    matrix = np.diag([1 / half, 1 / half, 1 / half, 1.0])
    matrix[:3, 3] = -middle / half
    return Mesh(moved, mesh.faces, mesh.colors), matrix
