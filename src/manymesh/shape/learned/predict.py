"""The network's prediction for a picture: the mean of those for the picture and for its mirror image.

The network makes other mistakes on a mirror image, so the mean is better than either, and a symmetric picture gets a
symmetric prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from manymesh.shape.learned import contract
from manymesh.types import F32

# A network: (4, IMAGE_PX, IMAGE_PX) float32 pictures to the outputs of each by name, without the batch axis.
NetworkCall = Callable[[Sequence[F32]], Sequence[Mapping[str, F32]]]


@dataclass(frozen=True)
class Prediction:
    """The network's outputs for one picture, without the batch axis (units and layout: ``contract``).

    Attributes:
        logits: (BINS, GRID, GRID) float32.
        surface: (8, GRID, GRID) float32.
        pose: (POSE_SIZE,) float32; the azimuth's part holds log probabilities.
    """

    logits: F32
    surface: F32
    pose: F32


def predict(network: NetworkCall, picture: F32) -> Prediction:
    """The mean of the predictions for a picture and for its mirror image.

    Args:
        picture: (4, IMAGE_PX, IMAGE_PX) float32, from ``preprocess.network_input``.
    """
    straight, mirrored = network([picture, picture[:, :, ::-1]])
    return mean_prediction(_with_log_probabilities(straight), mirror_prediction(_with_log_probabilities(mirrored)))


def _with_log_probabilities(outputs: Mapping[str, F32]) -> Prediction:
    """The outputs by name as a prediction; the azimuth's logits become log probabilities."""
    pose = np.array(outputs["pose"], np.float32)
    bins = pose[contract.AZIMUTH] - pose[contract.AZIMUTH].max()
    pose[contract.AZIMUTH] = bins - np.log(np.exp(bins).sum())
    return Prediction(outputs["logits"], outputs["surface"], pose)


def mirror_prediction(prediction: Prediction) -> Prediction:
    """The prediction for the mirror image (left and right exchanged) of the picture that ``prediction`` is for."""
    surface = np.ascontiguousarray(prediction.surface[:, :, ::-1])
    surface[contract.FRONT_NORMAL.start] *= -1
    pose = prediction.pose.copy()
    pose[contract.CENTRE.start] *= -1
    pose[contract.AZIMUTH] = prediction.pose[contract.AZIMUTH][::-1]
    return Prediction(prediction.logits[:, :, ::-1], surface, pose)


def mean_prediction(one: Prediction, other: Prediction) -> Prediction:
    """The mean of two predictions for the same picture.

    Azimuth probabilities and variances are averaged as such, not their logarithms. The variance of the two means about
    their mean is added: where they disagree, the result is less sure than either.
    """
    pose = (one.pose + other.pose) / 2
    for entry in (
        contract.ELEVATION_LOG_VARIANCE,
        contract.LOG_TAN_HALF_FOV_LOG_VARIANCE,
        contract.AZIMUTH,
    ):
        pose[entry] = np.logaddexp(one.pose[entry], other.pose[entry]) - np.log(2)
    for value, log_variance in (
        (contract.ELEVATION, contract.ELEVATION_LOG_VARIANCE),
        (contract.LOG_TAN_HALF_FOV, contract.LOG_TAN_HALF_FOV_LOG_VARIANCE),
    ):
        between = (one.pose[value] - other.pose[value]) ** 2 / 4
        pose[log_variance] = np.log(np.exp(pose[log_variance]) + between)
    logits = one.logits + other.logits
    logits *= np.float32(0.5)
    return Prediction(logits, (one.surface + other.surface) * np.float32(0.5), pose.astype(np.float32))
