"""From the camera's frame to the thing's own: upright by its elevation, its front to +Z where that is known.

A point p of the camera's frame (right, up, towards the eye) lies at R^T p of the thing's frame, where R is the turn of
an eye at azimuth a and elevation e (``render.camera.orbit``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from manymesh.render.camera import orbit
from manymesh.shape.learned import contract
from manymesh.types import F32, F64

PRIOR_DEG, PRIOR_SPREAD_DEG = 17.0, 9.0
"""How far from above most photos of things are taken."""
PRIOR_ELSE = 0.25
"""Share of the photos that are taken from anywhere: small things on desks. A network that is sure is believed."""
ELEVATIONS_DEG = -60.0, 90.0
MIN_FOV_DEG, MAX_FOV_DEG = 8.0, 55.0
"""Of the crop; training showed 12 to 44."""
SURE_OF_FRONT = 0.4
"""Share of the probability that must lie around the likeliest azimuth for the thing to be turned."""
RIVAL = 0.9
"""And the next likeliest azimuth, away from the first, must have no more than this part of its share."""
FRONT_BINS = 2
"""Azimuth bins on either side that count as around."""


@dataclass(frozen=True)
class Pose:
    """How the camera saw the thing.

    Attributes:
        elevation_deg: how far from above.
        azimuth_deg: from which side, 0 the thing's front; None where that is not sure.
        tan_half_fov: of the crop.
    """

    elevation_deg: float
    azimuth_deg: float | None
    tan_half_fov: float

    @property
    def rotation(self) -> F64:
        """(3, 3) the thing's frame to the camera's."""
        return orbit(self.azimuth_deg or 0.0, self.elevation_deg, 0.0)[:3, :3]


def read_pose(values: F32) -> Pose:
    """Read the network's pose output, after ``predict`` (so the azimuth's part is log probabilities)."""
    spread_deg = math.degrees(math.exp(0.5 * float(np.clip(values[contract.ELEVATION_LOG_VARIANCE], -20, 5))))
    low, high = (math.log(math.tan(math.radians(fov) / 2)) for fov in (MIN_FOV_DEG, MAX_FOV_DEG))
    azimuth, share, rival = likeliest_azimuth(values[contract.AZIMUTH])
    return Pose(
        elevation_deg=posterior_elevation(math.degrees(float(values[contract.ELEVATION])), spread_deg),
        azimuth_deg=azimuth if share >= SURE_OF_FRONT and rival <= RIVAL * share else None,
        tan_half_fov=math.exp(float(np.clip(values[contract.LOG_TAN_HALF_FOV], low, high))),
    )


def posterior_elevation(said_deg: float, spread_deg: float) -> float:
    """The mean of what the network says, a Gaussian, times what is known of photos: most are taken from near
    ``PRIOR_DEG``, some from anywhere."""
    low, high = ELEVATIONS_DEG
    angle = np.linspace(low, high, 601)
    usual = np.exp(-(((angle - PRIOR_DEG) / PRIOR_SPREAD_DEG) ** 2) / 2) / (PRIOR_SPREAD_DEG * math.sqrt(2 * math.pi))
    prior = (1 - PRIOR_ELSE) * usual + PRIOR_ELSE / (high - low)
    off = (angle - min(max(said_deg, low), high)) / max(spread_deg, 0.5)
    weight = prior * np.exp(-(off**2) / 2)
    return float((weight * angle).sum() / weight.sum())


def likeliest_azimuth(log_shares: F32) -> tuple[float, float, float]:
    """Degrees in [-180, 180), the share of probability within ``FRONT_BINS`` of the likeliest bin, and the largest such
    share of another bin, that has none of these bins in common with it."""
    shares = np.exp(log_shares - log_shares.max()).astype(np.float64)
    shares /= shares.sum()
    # The likeliest neighbourhood, not the likeliest bin: a broad hill beats a lone spike.
    around = sum(np.roll(shares, shift) for shift in range(-FRONT_BINS, FRONT_BINS + 1))
    best = int(np.argmax(around))
    near = np.arange(-FRONT_BINS, FRONT_BINS + 1)
    weights = shares[(best + near) % contract.AZIMUTH_BINS]
    bin_deg = 360 / contract.AZIMUTH_BINS
    azimuth = (best + 0.5 + float((weights * near).sum() / weights.sum())) * bin_deg - 180
    away = np.roll(around, -best)[2 * FRONT_BINS + 1 : -2 * FRONT_BINS]
    return (azimuth + 180) % 360 - 180, float(around[best]), float(away.max())
