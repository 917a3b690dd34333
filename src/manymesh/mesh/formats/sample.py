"""Reads a texture at texture coordinates."""

from __future__ import annotations

import numpy as np

from manymesh.types import F32, U8


def sample(image: U8, uv: F32) -> U8:
    """Bilinear colours (k, 3) uint8 of an (H, W, 3) picture at uv (k, 2), glTF origin; clamped at the edges."""
    height, width = image.shape[:2]
    x = np.clip(uv[:, 0].astype(np.float64) * width - 0.5, 0, width - 1)
    y = np.clip(uv[:, 1].astype(np.float64) * height - 0.5, 0, height - 1)
    x0, y0 = x.astype(np.int64), y.astype(np.int64)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    fx, fy = (x - x0)[:, None], (y - y0)[:, None]
    top = image[y0, x0] * (1 - fx) + image[y0, x1] * fx
    bottom = image[y1, x0] * (1 - fx) + image[y1, x1] * fx
    blended: U8 = np.round(top * (1 - fy) + bottom * fy).astype(np.uint8)
    return blended
