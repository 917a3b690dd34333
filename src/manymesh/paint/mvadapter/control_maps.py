"""The six cameras, and the maps that tell the painter where the surface is and how it is turned.

The painter knows its own axes: x to the right, y to the back, z up. The canonical frame's x, y, z are its x, z, -y.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from manymesh.render.camera import orthographic
from manymesh.render.normals import unit_rows
from manymesh.render.raster import Raster, interpolate, raster_view
from manymesh.types import F32, Camera

# Azimuth and elevation in degrees: front, right, back, left, top, bottom.
VIEW_ANGLES: tuple[tuple[float, float], ...] = ((0, 0), (90, 0), (180, 0), (270, 0), (180, 90), (180, -90))
# Half of what a view shows, where the longest side of the mesh is 2. In training 0.55 of a mesh with longest side 1.
HALF_WIDTH = 1.1
# What the maps say where there is nothing.
NOTHING = np.float32(0.5)


def six_cameras() -> tuple[Camera, ...]:
    """The cameras of the six views, around a mesh in the canonical frame."""
    return tuple(
        orthographic(HALF_WIDTH, azimuth_deg=azimuth, elevation_deg=elevation) for azimuth, elevation in VIEW_ANGLES
    )


def control_map(raster: Raster, vertices: Any, faces: Any, normals: Any) -> F32:
    """(6, S, S) float32 in [0, 1]: position, then normal, in the painter's axes.

    Args:
        raster: the mesh drawn by one of the cameras.
        vertices: (k, 3) in the canonical frame. faces: (m, 3).
        normals: (k, 3) unit.
    """
    place = interpolate(painter_axes(vertices), faces, raster.face, raster.bary)
    turned = unit_rows(interpolate(painter_axes(normals), faces, raster.face, raster.bary))
    half = np.float32(0.5)
    values = np.concatenate([np.clip(place * half + half, 0, 1), turned * half + half], axis=1).astype(np.float32)
    return np.ascontiguousarray(raster.image(values, NOTHING).transpose(2, 0, 1))


def control_maps(
    vertices: Any,
    faces: Any,
    normals: Any,
    side_px: int,
    each: Callable[[Callable[[int], tuple[Raster, F32]], int], Sequence[tuple[Raster, F32]]],
) -> tuple[list[Raster], F32]:
    """All six views of a mesh.

    Args:
        vertices, faces, normals: see ``control_map``.
        side_px: S.
        each: calls a function with the numbers up to a count and gives the answers in order, perhaps on threads.

    Returns:
        The drawings, and (6, 6, S, S) float32 maps.
    """
    cameras = six_cameras()

    def one(number: int) -> tuple[Raster, F32]:
        raster = raster_view(cameras[number], vertices, faces, side_px, side_px)
        return raster, control_map(raster, vertices, faces, normals)

    made = each(one, len(cameras))
    return [raster for raster, _ in made], np.stack([maps for _, maps in made])


def painter_axes(vectors: Any) -> F32:
    """(n, 3) vectors of the canonical frame in the painter's axes."""
    x, y, z = np.asarray(vectors, np.float32).T
    return np.stack([x, -z, y], axis=1)
