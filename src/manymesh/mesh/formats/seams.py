"""The mesh that an atlas was cut from: what formats want that name positions and texture coordinates apart."""

from __future__ import annotations

import numpy as np

from manymesh.types import F32, I32, Atlas, Mesh


def weld(shape: Mesh | Atlas) -> tuple[F32, I32, I32]:
    """Vertices that an atlas repeats on seams as one again; a mesh as it is.

    Returns:
        positions (n, 3) float32, faces (m, 3) int32 into them, and (n,) int32, a vertex of ``shape`` at each position.
    """
    if isinstance(shape, Mesh):
        return shape.vertices, shape.faces, np.arange(len(shape.vertices), dtype=np.int32)
    _, first, inverse = np.unique(shape.source, return_index=True, return_inverse=True)
    return shape.vertices[first], inverse.astype(np.int32)[shape.faces], first.astype(np.int32)
