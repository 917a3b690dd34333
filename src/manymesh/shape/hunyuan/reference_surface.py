"""A volume to triangles with the official arithmetic: scikit-image's marching cubes (Lewiner et al. 2003).

The default extractor is ``marching_cubes_torch``; this one exists to compare with. The official program divides grid
indices by the number of points, where the number of cells is meant, so its meshes are slightly too small and off
centre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import MissingPieceError
from manymesh.types import F32, I32

# Vertices (n, 3) float32 and faces (m, 3) int32.
VerticesFaces = tuple[F32, I32]


def reference_surface(
    volume: F32, *, bounds: float, level: float = 0.0, divisor: int | None = None
) -> VerticesFaces | None:
    """Vertices and faces as scikit-image gives them; faces are wound inwards.

    Args:
        volume: (X, Y, Z) float32, may contain NaN.
        bounds: half the box's side.
        level: the value at the surface.
        divisor: divides the indices; by default the number of points on each axis, as in the official program.

    Returns:
        None when all values lie on one side of the level.

    Raises:
        MissingPieceError: scikit-image is not installed.
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


def clean_reference_surface(mesh: VerticesFaces) -> VerticesFaces:
    """Winds faces outwards, drops vertices that are not finite with their faces, and merges equal vertices.

    Where a volume has NaN points, marching cubes leaves vertices at NaN.
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
