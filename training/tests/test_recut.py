"""Cutouts laid on a plain background come back through the product's own detector and matte."""

from __future__ import annotations

import numpy as np

from manymesh.segment.network import SegmentationNetwork
from manymesh.types import Box, Cutout
from training.recut import recut


def test_a_ball_on_a_plain_background_is_recovered_from_it() -> None:
    y, x = np.mgrid[0:256, 0:256] - 128.0
    radius = np.hypot(x, y)
    facing = np.clip(1 - np.hypot(x + 24, y + 32) / 128, 0, 1)
    rgba = np.zeros((256, 256, 4), np.uint8)
    rgba[..., :3] = (np.array((200, 150, 60)) * (0.35 + 0.65 * facing[..., None])).astype(np.uint8)
    rgba[..., 3] = np.clip((80 - radius) * 255, 0, 255)
    back, count = recut(Cutout(rgba, Box(0, 0, 256, 256)), "blue", "ball", SegmentationNetwork())
    found, truth = back.rgba[..., 3] > 127, radius < 80
    assert count == 1
    assert (found & truth).sum() / (found | truth).sum() > 0.95
