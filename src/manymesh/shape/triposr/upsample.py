"""Tokens to planes: a transposed convolution of kernel 2 and stride 2, whose patches do not overlap."""

from __future__ import annotations

import numpy as np

from manymesh.shape.triposr.arithmetic import Weights
from manymesh.types import F32


def upsample(weights: Weights, tokens: F32) -> F32:
    """The three planes.

    Args:
        weights: of the whole network.
        tokens: (channels, 3 * P * P), see ``transformer.transform``.

    Returns:
        (3, plane channels, 2 P, 2 P) float32.
    """
    kernel = weights["post_processor.upsample.weight"]
    channels, out = kernel.shape[:2]
    side = round((tokens.shape[1] / 3) ** 0.5)
    made = kernel.reshape(channels, -1).T @ tokens
    planes = made.reshape(out, 2, 2, 3, side, side).transpose(3, 0, 4, 1, 5, 2).reshape(3, out, 2 * side, 2 * side)
    return np.asarray(planes + weights["post_processor.upsample.bias"][:, None, None], np.float32)
