"""The photo at full size in delit colours, for ``paint.photo_detail``."""

from __future__ import annotations

import numpy as np

from manymesh.paint.photo_detail import SharpPhoto
from manymesh.types import U8


def sharp_photo(rgba: U8, plain: U8, delit: U8, margin: float) -> SharpPhoto:
    """
    Args:
        rgba: (h, w, 4) uint8 the cutout.
        plain, delit: (S, S, 3) uint8, the recentred cutout as it is and without its light, both on white.
        margin: what it was recentred with.
    """
    import cv2

    from manymesh.paint.hunyuan.delight_images import placement

    at = placement(rgba, margin)
    change = (delit.astype(np.float32) - plain.astype(np.float32)) / np.float32(255)
    # What is left of grain in the difference would cancel the photo's own.
    change = cv2.GaussianBlur(change, (0, 0), max(delit.shape[0] / 170, 0.8))
    change = cv2.resize(change, (at.side, at.side), interpolation=cv2.INTER_CUBIC)
    change = change[at.row : at.row + at.height, at.column : at.column + at.width]
    sharp = rgba[:, :, :3].copy()
    window = sharp[at.from_row : at.from_row + at.height, at.from_column : at.from_column + at.width]
    moved = window.astype(np.float32) + np.asarray(change) * np.float32(255)
    window[:] = np.clip(np.round(moved), 0, 255).astype(np.uint8)
    return SharpPhoto(sharp)
