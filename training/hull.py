"""What eyes outside can see of a mesh, and what they cannot see into: its outer surface and its solid.

Both are read from depth maps of many directions, so that they do not care whether a mesh is closed, wound the right way
round or full of hidden inner faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manymesh.render.camera import orbit, orthographic, to_clip
from manymesh.render.raster import rasterise

DIRECTIONS = 90
MAP_PX = 256
STEEPEST_BELOW_DEG = -30.0
"""No lower eye carves the solid: an open underside counts as shut."""

TOLERANCE_PX = 2.5
"""How far behind the depth map's surface a point is still taken to lie on it."""


@dataclass(frozen=True)
class Hull:
    """Depth maps of a mesh.

    Attributes:
        centre: (3,) and reach: of the ball around the mesh that the maps show.
        views: (v, 3, 4) turn and shift into each eye's frame: x right, y up, z the depth, all from the ball's middle.
        depth: (v, MAP_PX, MAP_PX) float32 depth of the nearest surface, +inf where there is none.
        carves: (v,) bool: may be used to carve.
    """

    centre: NDArray[np.float64]
    reach: float
    views: NDArray[np.float64]
    depth: NDArray[np.float32]
    carves: NDArray[np.bool_]

    @property
    def pixel(self) -> float:
        """The side of a pixel in the mesh's units."""
        return 2 * self.reach / MAP_PX


def directions(count: int = DIRECTIONS) -> list[tuple[float, float]]:
    """(azimuth, elevation) in degrees of directions spread evenly over the sphere (a Fibonacci lattice)."""
    golden = 180 * (3 - math.sqrt(5))
    heights = [1 - (2 * k + 1) / count for k in range(count)]
    return [(k * golden % 360, math.degrees(math.asin(height))) for k, height in enumerate(heights)]


def hull(vertices: NDArray[np.floating], faces: NDArray[np.integer], count: int = DIRECTIONS) -> Hull:
    """Depth maps of a mesh from ``count`` sides. About half a second for 6,000 faces on one core."""
    used = np.asarray(vertices, np.float64)[np.unique(faces)]
    centre = (used.max(0) + used.min(0)) / 2
    reach = max(float(np.linalg.norm(used - centre, axis=1).max()), 1e-9) * 1.02
    views, depths, carves = [], [], []
    for azimuth, elevation in directions(count):
        place = dict(azimuth_deg=azimuth, elevation_deg=elevation, distance=4 * reach, target=centre.tolist())
        camera = orthographic(reach, **place, reach=reach)  # type: ignore[arg-type]
        raster = rasterise(to_clip(camera, vertices), faces, MAP_PX, MAP_PX)
        depths.append(raster.image((raster.depth * 2 - 1) * np.float32(reach), np.float32(np.inf)))
        matrix = orbit(azimuth, elevation, 0.0, centre.tolist())[:3]
        matrix[2] *= -1
        views.append(matrix)
        carves.append(elevation > STEEPEST_BELOW_DEG)
    return Hull(centre, reach, np.array(views), np.array(depths), np.array(carves))


def visible(what: Hull, points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(n,): whether at least one of the eyes sees the surface point."""
    seen = np.zeros(len(points), bool)
    for number in range(len(what.views)):
        left = np.flatnonzero(~seen)
        depth, row, column, _ = _places(what, number, points[left])
        seen[left] = depth <= what.depth[number, row, column] + TOLERANCE_PX * what.pixel
    return seen


def inside(what: Hull, points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(n,): whether no eye sees into the place; sheets are about a pixel thick."""
    from scipy.ndimage import minimum_filter

    solid = np.ones(len(points), bool)
    for number in np.flatnonzero(what.carves).tolist():
        left = np.flatnonzero(solid)
        nearest = minimum_filter(what.depth[number], 3)
        depth, row, column, within = _places(what, number, points[left])
        solid[left] = within & (depth >= nearest[row, column] - what.pixel / 2)
    return solid


def _places(
    what: Hull, number: int, points: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Depth, row and column of points in one map, and whether they fall into it."""
    matrix = what.views[number]
    seen = np.asarray(points, np.float64) @ matrix[:, :3].T + matrix[:, 3]
    column = np.floor((seen[:, 0] / what.reach + 1) / 2 * MAP_PX).astype(np.int64)
    row = np.floor((1 - seen[:, 1] / what.reach) / 2 * MAP_PX).astype(np.int64)
    within = (row >= 0) & (row < MAP_PX) & (column >= 0) & (column < MAP_PX)
    return seen[:, 2], np.clip(row, 0, MAP_PX - 1), np.clip(column, 0, MAP_PX - 1), within
