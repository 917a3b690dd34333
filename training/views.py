"""The pictures that validation asks about: one object, a pinhole camera, a perfect matte."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np

from manymesh.render.camera import perspective, to_clip
from manymesh.types import Box, Camera, Cutout
from training.draw import draw
from training.shapes import Shape

SIDE_PX = 512
AZIMUTHS_DEG, ELEVATIONS_DEG, FOVS_DEG = (-60.0, 60.0), (5.0, 30.0), (15.0, 40.0)
FILL = 0.84
"""Share of the picture's side that the object's longer side covers."""


@dataclass(frozen=True)
class Question:
    """A cutout, and the camera that took it (object frame)."""

    cutout: Cutout
    camera: Camera
    azimuth_deg: float
    elevation_deg: float
    fov_deg: float


def question(shape: Shape, number: int, elevations_deg: tuple[float, float] = ELEVATIONS_DEG) -> Question:
    """The ``number``-th view of a shape: always the same for the same name."""
    rng = np.random.default_rng([zlib.crc32(shape.name.encode()), number])
    azimuth, elevation, fov = (float(rng.uniform(*span)) for span in (AZIMUTHS_DEG, elevations_deg, FOVS_DEG))
    camera = filling(shape, azimuth, elevation, fov)
    cutout = Cutout(draw(shape, camera, SIDE_PX), Box(0, 0, SIDE_PX, SIDE_PX))
    return Question(cutout, camera, azimuth, elevation, fov)


def filling(shape: Shape, azimuth_deg: float, elevation_deg: float, fov_deg: float) -> Camera:
    """The pinhole camera, aimed at the middle of the box, that stands where the object covers FILL of the picture."""
    used = shape.vertices[np.unique(shape.faces)].astype(np.float64)
    target = (used.max(0) + used.min(0)) / 2
    reach = float(np.linalg.norm(used - target, axis=1).max()) * 1.05
    distance = reach / math.sin(math.radians(fov_deg) / 2)
    for _ in range(12):
        camera = perspective(
            fov_deg,
            azimuth_deg=azimuth_deg,
            elevation_deg=elevation_deg,
            distance=distance,
            target=target.tolist(),
            reach=reach,
        )
        clip = to_clip(camera, used)
        covered = float(np.abs(clip[:, :2] / clip[:, 3:]).max())
        distance = max(distance * (1 + (covered / FILL - 1) * 0.8), reach * 1.1)
    return camera
