"""The frame, cameras and constants that Hunyuan3D-2's painter was trained with.

Its renderer mirrors the mesh, puts it into a sphere and looks at it with orthographic cameras whose up is +Z. Nothing
of this leaves the painter: exported meshes keep the canonical frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.errors import UsageError
from manymesh.types import F32

AZIMUTHS_DEG = (0, 90, 180, 270, 0, 180)
ELEVATIONS_DEG = (0, 0, 0, 0, 90, -90)
VIEW_WEIGHTS = (1.0, 0.1, 0.5, 0.1, 0.05, 0.05)
BAKE_EXPONENT = 4
MAX_ANGLE_DEG = 75.0
RENDER_PX = 2048
VIEW_PX = 512
SCALE_FACTOR = 1.15
CAMERA_DISTANCE = 1.45
HALF_EXTENT = 0.6
NEAR, FAR = 0.1, 100.0

# Elevation: (divisor, offset) of the view's number in the network's table of cameras.
_CAMERA_TABLE = {-20: (1, 0), 0: (1, 12), 20: (1, 24), -90: (3, 36), 90: (3, 40)}


@dataclass(frozen=True)
class ReferenceView:
    """One camera of the reference.

    Attributes:
        world_to_camera, projection: (4, 4) float32.
    """

    world_to_camera: F32
    projection: F32

    def camera_space(self, vertices: F32) -> F32:
        """(k, 3) normalised vertices to (k, 4) homogeneous camera coordinates."""
        ones = np.ones((len(vertices), 1), np.float32)
        return np.concatenate([vertices, ones], axis=1) @ self.world_to_camera.T

    def clip(self, vertices: F32) -> F32:
        """(k, 3) normalised vertices to (k, 4) clip coordinates, for ``reference_raster``."""
        return self.camera_space(vertices) @ self.projection.T


def normalised(vertices: Any, uv: Any) -> tuple[F32, F32]:
    """A mesh as the reference's renderer holds it.

    Args:
        vertices: (k, 3) in the canonical frame.
        uv: (k, 2) with the origin at the *lower* left, as the official program has it.

    Returns:
        (k, 3) vertices mirrored to (-x, z, -y) inside a sphere of radius 0.575, and (k, 2) UV with v turned to 1 - v.
        Both are new arrays.
    """
    points = np.asarray(vertices, np.float32)
    points = np.stack([-points[:, 0], points[:, 2], -points[:, 1]], axis=1)
    points = points - (points.max(axis=0) + points.min(axis=0)) / np.float32(2)
    diameter = np.float32(2) * np.linalg.norm(points, axis=1).max()
    flipped = np.array(uv, np.float32)
    flipped[:, 1] = np.float32(1) - flipped[:, 1]
    return points * (np.float32(SCALE_FACTOR) / diameter), flipped


def unmirrored(vertices: F32) -> F32:
    """Normalised vertices back to the canonical axes (not its scale)."""
    return np.stack([-vertices[:, 0], -vertices[:, 2], vertices[:, 1]], axis=1)


def reference_view(azimuth_deg: float, elevation_deg: float) -> ReferenceView:
    """The camera at an angle: azimuth 0 sees the mesh's +Z side, 90 its +X side; elevation 90 looks down."""
    # At the poles the side vector is only defined by cos(90 deg) being 6e-17 and not 0: keep the float64 arithmetic.
    elevation, azimuth = math.radians(-elevation_deg), math.radians(azimuth_deg + 90)
    position = CAMERA_DISTANCE * np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )
    forward = -position / np.linalg.norm(position)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    up /= np.linalg.norm(up)
    matrix = np.eye(4)
    matrix[:3, :3] = right, up, -forward
    matrix[:3, 3] = -matrix[:3, :3] @ position
    return ReferenceView(matrix.astype(np.float32), _projection())


def reference_views() -> tuple[ReferenceView, ...]:
    """The six standard views: front, right, back, left, top, bottom."""
    return tuple(reference_view(a, e) for a, e in zip(AZIMUTHS_DEG, ELEVATIONS_DEG, strict=True))


def camera_index(azimuth_deg: int, elevation_deg: int) -> int:
    """The view's number in the network's table of generated views (0..43). Azimuths come in steps of 30 degrees."""
    if elevation_deg not in _CAMERA_TABLE:
        known = ", ".join(str(e) for e in sorted(_CAMERA_TABLE))
        raise UsageError(f"the painter knows no view at elevation {elevation_deg}", f"It knows {known}.")
    divisor, offset = _CAMERA_TABLE[elevation_deg]
    return ((azimuth_deg // 30) + 9) % 12 // divisor + offset


def _projection() -> F32:
    projection = np.diag([1 / HALF_EXTENT, 1 / HALF_EXTENT, -2 / (FAR - NEAR), 1.0])
    projection[2, 3] = -(FAR + NEAR) / (FAR - NEAR)
    return projection.astype(np.float32)
