"""What the network says of a picture, asked twice: of the picture and of its mirror image, averaged.

A network makes other mistakes on a mirror image, so the mean of both is better than either, and a symmetric picture
gets a symmetric answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from manymesh.shape.learned import contract
from manymesh.types import F32

NetworkCall = Callable[[Sequence[F32]], Sequence[Mapping[str, F32]]]
"""(4, IMAGE_PX, IMAGE_PX) float32 pictures to the network's outputs of each by name, without the batch's axis."""


@dataclass(frozen=True)
class Prediction:
    """The network's outputs for one picture, without the batch's axis (units and layout: ``frame``).

    Attributes:
        logits: (BINS, GRID, GRID) float32.
        surface: (8, GRID, GRID) float32.
        pose: (POSE_SIZE,) float32; the azimuth's part holds logarithms of probabilities.
    """

    logits: F32
    surface: F32
    pose: F32


def predict(ask: NetworkCall, picture: F32) -> Prediction:
    """The mean of two answers.

    Args:
        ask: the network.
        picture: (4, IMAGE_PX, IMAGE_PX), from ``crop.network_picture``.
    """
    straight, mirrored = ask([picture, picture[:, :, ::-1]])
    return mean_prediction(_normal(straight), mirror_prediction(_normal(mirrored)))


def _normal(outputs: Mapping[str, F32]) -> Prediction:
    pose = np.array(outputs["pose"], np.float32)
    bins = pose[contract.AZIMUTH] - pose[contract.AZIMUTH].max()
    pose[contract.AZIMUTH] = bins - np.log(np.exp(bins).sum())
    return Prediction(outputs["logits"], outputs["surface"], pose)


def mirror_prediction(answer: Prediction) -> Prediction:
    """The answer for the mirror image (left and right exchanged) of the picture that ``answer`` is for."""
    surface = np.ascontiguousarray(answer.surface[:, :, ::-1])
    surface[contract.FRONT_NORMAL.start] *= -1
    pose = answer.pose.copy()
    pose[contract.CENTRE.start] *= -1
    pose[contract.AZIMUTH] = answer.pose[contract.AZIMUTH][::-1]
    return Prediction(answer.logits[:, :, ::-1], surface, pose)


def mean_prediction(one: Prediction, other: Prediction) -> Prediction:
    """The mean of two answers for the same picture; the mean of probabilities for azimuth and variances."""
    pose = (one.pose + other.pose) / 2
    for spread in (
        contract.ELEVATION_LOG_VARIANCE,
        contract.LOG_TAN_HALF_FOV_LOG_VARIANCE,
        contract.AZIMUTH,
    ):
        pose[spread] = np.logaddexp(one.pose[spread], other.pose[spread]) - np.log(2)
    # Where the two disagree the mean is less sure than either says.
    for value, spread in (
        (contract.ELEVATION, contract.ELEVATION_LOG_VARIANCE),
        (contract.LOG_TAN_HALF_FOV, contract.LOG_TAN_HALF_FOV_LOG_VARIANCE),
    ):
        apart = (one.pose[value] - other.pose[value]) ** 2 / 4
        pose[spread] = np.log(np.exp(pose[spread]) + apart)
    logits = one.logits + other.logits
    logits *= np.float32(0.5)
    return Prediction(logits, (one.surface + other.surface) * np.float32(0.5), pose.astype(np.float32))
