"""From where solids are carved."""

from __future__ import annotations

import math

import numpy as np

from manymesh.types import F32

# Elevation in degrees, eyes on the ring, part of a step by which the ring is turned. The level ring comes first: it
# and the top have every box's sides face on, and most empty voxels are thrown out by the first few eyes.
# Level eyes look under tables; those 22 degrees below the horizon see undersides, but never through the ground that
# the object stands on (cuda/carve.cuh), so that sofas and houses without a floor stay solid. Nothing looks from
# farther below: shells that are open towards the ground but do not touch it (lampshades, seats, car bodies) would be
# hollowed out, and no photo shows that side. Every ring is its own mirror image in x.
_RINGS = ((0, 16, 0.0), (90, 1, 0.0), (45, 14, 0.5), (22, 18, 0.5), (68, 8, 0.5), (-22, 14, 0.5), (10, 20, 0.5))

EYES = sum(count for _, count, _ in _RINGS)


def carving_eyes() -> F32:
    """(EYES, 3, 3) float32: rows right, up, towards the eye; right-handed, unit."""
    rows = []
    for elevation, count, turn in _RINGS:
        numbers = np.arange(count)
        if count == 16:  # the four sides, then the ways between them
            numbers = np.concatenate([numbers[::4], numbers[2::4], numbers[1::2]])
        for number in numbers:
            rows.append(axes(2 * math.pi * (number + turn) / count, math.radians(elevation)))
    return np.array(rows, np.float32)


def axes(azimuth: float, elevation: float, roll: float = 0.0) -> np.ndarray:
    """(3, 3) float64 rows right, up, towards the eye of a camera, in the object frame; radians.

    ``roll`` turns the camera to the left, so that the object leans to the right.
    """
    sin_a, cos_a, sin_e, cos_e = math.sin(azimuth), math.cos(azimuth), math.sin(elevation), math.cos(elevation)
    right = np.array([cos_a, 0.0, -sin_a])
    up = np.array([-sin_e * sin_a, cos_e, -sin_e * cos_a])
    towards = np.array([cos_e * sin_a, sin_e, cos_e * cos_a])
    sin_r, cos_r = math.sin(roll), math.cos(roll)
    return np.stack([cos_r * right + sin_r * up, cos_r * up - sin_r * right, towards])
