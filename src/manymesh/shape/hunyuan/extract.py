"""From a volume to triangles the official way: scikit-image's marching cubes, with the official coordinates.

``marching`` is the default extractor. This one is the yardstick: it keeps the official arithmetic, and that divides by
the number of points where the number of cells would be right, so its meshes are a touch small and off centre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import MissingPieceError
from manymesh.types import F32, I32

Mesh = tuple[F32, I32]


def reference_surface(volume: F32, *, bounds: float, level: float = 0.0, divisor: int | None = None) -> Mesh | None:
    """Vertices (n, 3) float32 and faces (m, 3) int32, both as scikit-image has them, faces wound inwards.

    Args:
        volume: (X, Y, Z) float32, may hold NaN.
        bounds: half the box's side.
        level: the value at the surface.
        divisor: what indices are divided by; the official program's is the number of points on an axis.

    Returns:
        None when no value lies on one side of the level.
    """
    try:
        from skimage.measure import marching_cubes
    except ImportError as error:
        raise MissingPieceError(
            "Reading the shape out the official way needs scikit-image", "pip install 'manymesh[hunyuan]'"
        ) from error
    if not np.nanmin(volume) <= level <= np.nanmax(volume):
        return None
    with np.errstate(invalid="ignore"):
        vertices, faces, _, _ = marching_cubes(volume, level, method="lewiner")
    parts = np.array(volume.shape if divisor is None else [divisor] * 3)
    placed = vertices.astype(np.float64) / parts * (2 * bounds) - bounds
    return placed.astype(np.float32), faces.astype(np.int32)


def tidied(mesh: Mesh) -> Mesh:
    """Winds faces outwards, drops vertices that are not finite with their faces, merges equal vertices.

    Volumes with unseen points need it: their edges leave vertices at NaN.
    """
    vertices, faces = mesh
    faces = faces[:, ::-1]
    finite = np.asarray(np.isfinite(vertices).all(axis=1))
    faces = faces[finite[faces].all(axis=1)]
    kept: NDArray[np.int64] = np.unique(faces)
    unique, where = np.unique(vertices[kept], axis=0, return_inverse=True)
    renumber = np.zeros(len(vertices), np.int32)
    renumber[kept] = where.reshape(-1)
    return unique, renumber[faces]
