"""Reading pictures between their pixels, and sRGB to linear light and back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from manymesh.types import F32

# OpenCV takes positions as a picture of limited width.
ACROSS = 4096


def sample(image: Any, pixels: Any, how: Literal["linear", "cubic"] = "linear") -> F32:
    """A picture's values at positions between its pixels.

    Args:
        image: (H, W, C) float32, or uint8 (values are then rounded). Beyond its edges the outermost pixels repeat.
        pixels: (n, 2) x, y; the centre of the first pixel is (0.5, 0.5).
        how: cubic is sharper and may leave the range of the picture's values a little.

    Returns:
        (n, C) float32.
    """
    image = np.asarray(image)
    # Far-away positions would overflow OpenCV's fixed-point numbers; the border is repeated anyway.
    limit = np.array([image.shape[1] + 1, image.shape[0] + 1], np.float32)
    positions = np.clip(np.asarray(pixels) - 0.5, -2, limit)
    return sample_index(image, positions[:, 0], positions[:, 1], how)


def sample_index(image: Any, column: Any, row: Any, how: Literal["linear", "cubic"] = "linear") -> F32:
    """The same at fractional indices: the centre of the first pixel is column 0, row 0.

    Args:
        image: (H, W) or (H, W, C), as in ``sample``.
        column, row: (n,) near the picture; OpenCV overflows some ten thousand pixels beyond it.

    Returns:
        (n,) or (n, C) float32.
    """
    import cv2

    image = np.asarray(image)
    count = len(column)
    if not count:
        return np.zeros((0, *image.shape[2:]), np.float32)
    x, y = (np.zeros(-(-count // ACROSS) * ACROSS, np.float32) for _ in range(2))
    x[:count], y[:count] = column, row
    mode = cv2.INTER_LINEAR if how == "linear" else cv2.INTER_CUBIC
    values = cv2.remap(image, x.reshape(-1, ACROSS), y.reshape(-1, ACROSS), mode, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).reshape(-1, *image.shape[2:])[:count]


def linear_from_srgb(srgb: Any) -> F32:
    """uint8 sRGB to linear light in [0, 1]."""
    level = np.arange(256, dtype=np.float64) / 255
    table = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return table.astype(np.float32)[np.asarray(srgb, np.uint8)]


def srgb_from_linear(linear: Any) -> F32:
    """Linear light to sRGB in [0, 1]; values outside [0, 1] are clipped."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(x <= 0.0031308, x * np.float32(12.92), np.float32(1.055) * x ** np.float32(1 / 2.4) - 0.055)
