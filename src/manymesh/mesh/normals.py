"""Smooth vertex normals."""

from __future__ import annotations

import numpy as np

from manymesh.mesh.topology import face_cross, scatter_sum, unit
from manymesh.types import F32, Atlas, Mesh


def vertex_normals(shape: Mesh | Atlas) -> F32:
    """(n, 3) float32 unit normals: the mean of the faces around a vertex, weighted by their angle there.

    (Thürmer & Wüthrich 1998.) For an atlas they are those of the mesh it was cut from, so a seam does not shade. A
    vertex without a face that has an area gets +Z. Normals that an atlas brings along are taken as they are.
    """
    if isinstance(shape, Atlas) and shape.normals is not None:
        return shape.normals
    count = len(shape.vertices)
    origin = shape.source if isinstance(shape, Atlas) else np.arange(count)
    corners = shape.vertices.astype(np.float64)[shape.faces]
    side = unit(np.roll(corners, -1, axis=1) - corners)
    cosine = -np.einsum("ijk,ijk->ij", side, np.roll(side, 1, axis=1))
    angle = np.arccos(np.clip(cosine, -1, 1))
    weighted = unit(face_cross(shape.vertices, shape.faces))[:, None, :] * angle[:, :, None]
    size = int(origin.max(initial=-1)) + 1
    total = scatter_sum(origin[shape.faces].reshape(-1), weighted.reshape(-1, 3), size)
    normals = unit(total)
    normals[np.linalg.norm(total, axis=1) < 1e-12] = (0, 0, 1)
    return normals[origin].astype(np.float32)
