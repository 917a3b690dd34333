"""A picture that needs no file: checks of networks look at it."""

from __future__ import annotations

import numpy as np

from manymesh.types import U8

# Side of the picture, and the ball's radius in it.
BALL_PX, BALL_RADIUS_PX = 256, 100


def ball() -> U8:
    """(256, 256, 4) uint8: a shaded ball on a transparent background."""
    y, x = (np.mgrid[:BALL_PX, :BALL_PX] - (BALL_PX - 1) / 2) / BALL_RADIUS_PX
    inside = x**2 + y**2 < 1
    height = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    light = np.clip(0.25 + 0.75 * (0.8 * height - 0.4 * x - 0.45 * y), 0, 1)
    colour = light[..., None] * (200, 120, 60)
    return np.dstack([np.clip(colour, 0, 255), 255 * inside]).astype(np.uint8)
