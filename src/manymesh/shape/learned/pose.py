"""The network's pose output as the camera's elevation, azimuth and field of view.

A point p of the camera frame (right, up, towards the eye) lies at R^T p of the object frame, where R is the rotation of
an eye at azimuth a and elevation e (``render.camera.orbit``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from manymesh.render.camera import orbit
from manymesh.shape.learned import contract
from manymesh.types import F32, F64

# Elevation prior, degrees: most photos of objects are taken from somewhat above. A Gaussian of this mean and standard
# deviation. Chosen by hand; not measured.
PRIOR_MEAN_DEG, PRIOR_DEVIATION_DEG = 17.0, 9.0

# Weight of the uniform component in the elevation prior. It lets a steep view win when the network is sure of it (small
# objects on desks). Chosen by hand; not measured.
PRIOR_UNIFORM_WEIGHT = 0.25

# Range of the elevation, degrees, that the prior and the posterior are defined on.
ELEVATIONS_DEG = -60.0, 90.0

# The crop's field of view is clamped to this range, degrees. Training showed 12 to 44.
MIN_FOV_DEG, MAX_FOV_DEG = 8.0, 55.0

# The azimuth counts as known when the bins around the likeliest one hold at least this share of the probability ...
# Chosen by hand; not measured.
FRONT_PROBABILITY = 0.4
# ... and when no other group of bins holds more than this part of that share. Chosen by hand, for objects whose front
# and back look alike; not measured.
RIVAL_RATIO = 0.9
# Azimuth bins on either side of the likeliest one that belong to its group: +-25 degrees. Chosen by hand.
FRONT_BINS = 2


@dataclass(frozen=True)
class Pose:
    """The camera relative to the object.

    Attributes:
        elevation_deg: 0 level with the object, 90 straight above it.
        azimuth_deg: 0 in front of the object, 90 on its +X side; None where the network is not sure.
        tan_half_fov: tangent of half the crop's field of view.
    """

    elevation_deg: float
    azimuth_deg: float | None
    tan_half_fov: float

    @property
    def rotation(self) -> F64:
        """(3, 3) from the object frame to the camera frame. An unknown azimuth counts as 0."""
        return orbit(self.azimuth_deg or 0.0, self.elevation_deg, 0.0)[:3, :3]


def read_pose(values: F32) -> Pose:
    """The pose from a ``Prediction``'s (POSE_SIZE,) vector, whose azimuth part holds log probabilities."""
    deviation_deg = math.degrees(math.exp(0.5 * float(np.clip(values[contract.ELEVATION_LOG_VARIANCE], -20, 5))))
    low, high = (math.log(math.tan(math.radians(fov) / 2)) for fov in (MIN_FOV_DEG, MAX_FOV_DEG))
    azimuth, share, rival = likeliest_azimuth(values[contract.AZIMUTH])
    return Pose(
        elevation_deg=posterior_elevation(math.degrees(float(values[contract.ELEVATION])), deviation_deg),
        azimuth_deg=azimuth if share >= FRONT_PROBABILITY and rival <= RIVAL_RATIO * share else None,
        tan_half_fov=math.exp(float(np.clip(values[contract.LOG_TAN_HALF_FOV], low, high))),
    )


def posterior_elevation(predicted_deg: float, deviation_deg: float) -> float:
    """The posterior mean of the elevation in degrees.

    The likelihood is a Gaussian around the network's prediction. The prior is a Gaussian around ``PRIOR_MEAN_DEG``
    mixed with a uniform distribution.

    Args:
        predicted_deg: the network's elevation. deviation_deg: its standard deviation; at least 0.5 is taken.
    """
    low, high = ELEVATIONS_DEG
    angle = np.linspace(low, high, 601)
    gaussian = np.exp(-(((angle - PRIOR_MEAN_DEG) / PRIOR_DEVIATION_DEG) ** 2) / 2)
    gaussian = gaussian / (PRIOR_DEVIATION_DEG * math.sqrt(2 * math.pi))
    prior = (1 - PRIOR_UNIFORM_WEIGHT) * gaussian + PRIOR_UNIFORM_WEIGHT / (high - low)
    off = (angle - min(max(predicted_deg, low), high)) / max(deviation_deg, 0.5)
    weight = prior * np.exp(-(off**2) / 2)
    return float((weight * angle).sum() / weight.sum())


def likeliest_azimuth(log_probabilities: F32) -> tuple[float, float, float]:
    """The likeliest azimuth of (AZIMUTH_BINS,) log probabilities.

    Returns:
        The mean angle of the likeliest group of bins, degrees in [-180, 180); the probability of that group; and the
        largest probability of a group that has no bin in common with it. A group is a bin and ``FRONT_BINS`` on either
        side.
    """
    probabilities = np.exp(log_probabilities - log_probabilities.max()).astype(np.float64)
    probabilities /= probabilities.sum()
    # The likeliest group, not the likeliest bin: a broad maximum beats a single narrow one.
    groups = sum(np.roll(probabilities, shift) for shift in range(-FRONT_BINS, FRONT_BINS + 1))
    best = int(np.argmax(groups))
    near = np.arange(-FRONT_BINS, FRONT_BINS + 1)
    weights = probabilities[(best + near) % contract.AZIMUTH_BINS]
    bin_deg = 360 / contract.AZIMUTH_BINS
    azimuth = (best + 0.5 + float((weights * near).sum() / weights.sum())) * bin_deg - 180
    others = np.roll(groups, -best)[2 * FRONT_BINS + 1 : -2 * FRONT_BINS]
    return (azimuth + 180) % 360 - 180, float(groups[best]), float(others.max())
