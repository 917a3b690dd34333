"""The pictures of a mesh's normals and positions that steer Hunyuan3D-2's painter.

Vertices are those of the unwrapped mesh as ``reference_camera.normalised`` gives them; rasters follow the official
rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from manymesh.paint.hunyuan.render.reference_camera import SCALE_FACTOR
from manymesh.render.normals import equal_weighted_vertex_normals
from manymesh.render.raster import Raster, interpolate
from manymesh.types import F32, U8


def normal_values(raster: Raster, vertices: Any, faces: Any) -> F32:
    """(n, 3) float32 in [0, 1]: (normal + 1) / 2 at the covered pixels.

    The vertex normals are plain means of unit face normals. They are split at the seams, because vertices are, and not
    made unit again after interpolation: the network has seen them so.
    """
    return interpolate(_halved_normals(vertices, faces), faces, raster.face, raster.bary)


def position_values(raster: Raster, vertices: Any, faces: Any) -> F32:
    """(n, 3) float32 in [0, 1]: 0.5 - position / 1.15 at the covered pixels."""
    return interpolate(_places(vertices), faces, raster.face, raster.bary)


def control_maps(rasters: Iterable[Raster], vertices: Any, faces: Any) -> list[tuple[U8, U8]]:
    """Per raster an (H, W, 3) normal and position map, white where nothing is. Floats are cut to bytes, not rounded."""
    maps = []
    attributes = np.concatenate([_halved_normals(vertices, faces), _places(vertices)], axis=1)
    for raster in rasters:
        values = to_bytes(interpolate(attributes, faces, raster.face, raster.bary))
        maps.append((raster.image(values[:, :3], 255), raster.image(values[:, 3:], 255)))
    return maps


def _halved_normals(vertices: Any, faces: Any) -> F32:
    return (equal_weighted_vertex_normals(vertices, faces) + 1) * np.float32(0.5)


def _places(vertices: Any) -> F32:
    return np.float32(0.5) - np.asarray(vertices, np.float32) / np.float32(SCALE_FACTOR)


def to_bytes(values: F32) -> U8:
    """[0, 1] to 0..255, cut."""
    return (np.clip(values, 0, 1) * np.float32(255)).astype(np.uint8)
