"""Reading pictures between their pixels."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from manymesh.types import F32

ACROSS = 4096  # OpenCV takes positions as a picture of limited width


def sample(image: Any, pixels: Any, how: Literal["linear", "cubic"] = "linear") -> F32:
    """A picture's values at places.

    Args:
        image: (H, W, C) float32, or uint8 (values are then rounded), C 1..4. Beyond its edges the outermost pixels
            go on.
        pixels: (n, 2) x, y; the middle of the first pixel is (0.5, 0.5).
        how: cubic is sharper and may leave the range of the picture's values a little.

    Returns:
        (n, C) float32.
    """
    import cv2

    image = np.asarray(image)
    channels = image.shape[2]
    count = len(pixels)
    if not count:
        return np.zeros((0, channels), np.float32)
    # Far-away places would overflow OpenCV's fixed-point positions; the border repeats anyway.
    limit = np.array([image.shape[1] + 1, image.shape[0] + 1], np.float32)
    places = np.zeros((-(-count // ACROSS) * ACROSS, 2), np.float32)
    places[:count] = np.clip(np.asarray(pixels) - 0.5, -2, limit)
    x, y = (np.ascontiguousarray(places[:, axis]).reshape(-1, ACROSS) for axis in (0, 1))
    mode = cv2.INTER_LINEAR if how == "linear" else cv2.INTER_CUBIC
    values = np.asarray(cv2.remap(image, x, y, mode, borderMode=cv2.BORDER_REPLICATE), np.float32)
    return values.reshape(-1, channels)[:count]


def linear_from_srgb(srgb: Any) -> F32:
    """uint8 sRGB to linear light in [0, 1]."""
    level = np.arange(256, dtype=np.float64) / 255
    table = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return table.astype(np.float32)[np.asarray(srgb, np.uint8)]


def srgb_from_linear(linear: Any) -> F32:
    """Linear light to sRGB in [0, 1]; values outside are cut."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(x <= 0.0031308, x * np.float32(12.92), np.float32(1.055) * x ** np.float32(1 / 2.4) - 0.055)
