"""A cutout to the square image that the image encoder was trained on.

The object is moved to the centre of a square canvas as large as the image's longer side, scaled to fill 1 -
``border_ratio`` of it, composited on white, and resized. All rounding is the official program's: it truncates, and its
crop leaves out the last row and column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.errors import ObjectError
from manymesh.shape.hunyuan.config import ImageConfig
from manymesh.types import F32, U8, Box


@dataclass(frozen=True)
class CanvasPlacement:
    """Where the object is in the cutout, and where it goes on the canvas.

    Attributes:
        crop: the part of the cutout that is taken, pixels.
        canvas_px: side of the square canvas.
        target: the part of the canvas that the crop is resized to, canvas pixels.
    """

    crop: Box
    canvas_px: int
    target: Box


def canvas_placement(alpha: U8, border_ratio: float) -> CanvasPlacement:
    """Find the object's box and its place on the canvas.

    Args:
        alpha: (H, W) uint8; any value over 0 counts as object.
        border_ratio: share of the canvas left free, 0..1.

    Raises:
        ObjectError: every pixel is clear, or the box is one pixel wide or high, or is resized to nothing.
    """
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if len(rows) == 0:
        raise ObjectError("the cutout is empty", "Check the cutout picture; another matte may find the object")
    # The official crop is [min:max], so the object's last row and column are lost. The weights were trained so.
    crop = Box(int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1]))
    if crop.width == 0 or crop.height == 0:
        raise ObjectError("the cutout is only one pixel wide or high", "Use a larger picture of the object")
    side = max(alpha.shape)
    scale = int(side * (1 - border_ratio)) / max(crop.width, crop.height)
    width, height = int(crop.width * scale), int(crop.height * scale)
    if width == 0 or height == 0:
        raise ObjectError("the object is too thin to be seen", "Use a larger picture of the object")
    left, top = (side - width) // 2, (side - height) // 2
    return CanvasPlacement(crop, side, Box(left, top, left + width, top + height))


def centre_on_white(image: U8, border_ratio: float) -> tuple[U8, U8]:
    """The object at the centre of a white square.

    Args:
        image: (H, W, 3 or 4) uint8, straight alpha; without alpha the whole image is the object.
        border_ratio: share of the canvas left free, 0..1.

    Returns:
        (S, S, 3) uint8 image and (S, S) uint8 mask, S = max(H, W).

    Raises:
        ObjectError: see ``canvas_placement``.
    """
    import cv2

    if image.shape[2] == 3:
        image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    at = canvas_placement(image[..., 3], border_ratio)
    canvas = np.zeros((at.canvas_px, at.canvas_px, 4), np.uint8)
    crop = image[at.crop.y0 : at.crop.y1, at.crop.x0 : at.crop.x1]
    # Straight, not premultiplied, alpha, and INTER_AREA also when enlarging: the weights were trained so.
    canvas[at.target.y0 : at.target.y1, at.target.x0 : at.target.x1] = cv2.resize(
        crop, (at.target.width, at.target.height), interpolation=cv2.INTER_AREA
    )
    alpha = canvas[..., 3:].astype(np.float32) / 255
    white = canvas[..., :3] * alpha + 255 * (1 - alpha)
    return white.clip(0, 255).astype(np.uint8), (alpha[..., 0] * 255).astype(np.uint8)


def prepare_image(image: U8, config: ImageConfig) -> tuple[U8, U8]:
    """The encoder's image as uint8: (size, size, 3) colour, and (size, size) mask, which no network reads."""
    import cv2

    rgb, mask = centre_on_white(image, config.border_ratio)
    size = (config.size, config.size)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(small, np.uint8), np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def to_signed_pixels(rgb: U8) -> F32:
    """(H, W, 3) uint8 to (3, H, W) float32 in [-1, 1]."""
    return np.ascontiguousarray((rgb.astype(np.float32) / 255 * 2 - 1).transpose(2, 0, 1))
