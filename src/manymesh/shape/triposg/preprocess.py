"""A cutout to the picture that the image encoder was trained on.

The object's box is cut out, composited on white, and padded to nearly a square in which it fills 1/1.2 of the longer
side. Then the picture is resized and its centre is taken. All rounding is the official program's.
"""

from __future__ import annotations

import numpy as np

from manymesh.errors import ObjectError
from manymesh.shape.triposg.config import ImageConfig
from manymesh.types import F32, U8

# A cutout whose longer side is longer than this is reduced first, in pixels. The official program's number.
_LONGEST_PX = 2000
# White beside the longer side of the object's box, as a share of it. The official program's number.
_PADDING = 0.1


def frame_object(image: U8) -> U8:
    """The object on white, nearly square.

    Args:
        image: (H, W, 3 or 4) uint8, straight alpha; without alpha the whole image is the object.

    Returns:
        (h, w, 3) uint8; h and w differ by one where the box's sides differ by an odd number.

    Raises:
        ObjectError: every pixel is clear.
    """
    image = _reduced(image)
    if image.shape[2] == 3:
        image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    alpha = image[..., 3]
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if len(rows) == 0:
        raise ObjectError("the cutout is empty", "Check the cutout picture; another matte may find the object")
    # Any alpha over 0 counts, and the last row and column belong to the box.
    box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / np.float32(255)
    height, width = box.shape[:2]
    colour = box[..., :3] * box[..., 3:] + (1 - box[..., 3:])
    if width > height:
        pad_x = int(width * _PADDING)
        pad_y = int(pad_x + (width - height) / 2)
    else:
        pad_y = int(height * _PADDING)
        pad_x = int(pad_y + (height - width) / 2)
    padded = np.ones((height + 2 * pad_y, width + 2 * pad_x, 3), np.float32)
    padded[pad_y : pad_y + height, pad_x : pad_x + width] = colour
    return (padded * 255).astype(np.uint8)


def _reduced(image: U8) -> U8:
    """All channels together, so that the longer side is at most ``_LONGEST_PX``."""
    import cv2

    height, width = image.shape[:2]
    if max(height, width) <= _LONGEST_PX:
        return image
    scale = _LONGEST_PX / max(height, width)
    size = (max(int(width * scale), 1), max(int(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def encoder_pixels(rgb: U8, config: ImageConfig) -> F32:
    """(h, w, 3) uint8 to the encoder's input (1, 3, H, W) float32.

    The resampling is Pillow's bicubic on 8-bit values, which blurs before it reduces.
    """
    from PIL import Image

    height, width = rgb.shape[:2]
    shorter = min(height, width)
    size = (config.shortest_px * width // shorter, config.shortest_px * height // shorter)
    resized = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))
    rows, columns = config.crop_px
    top, left = (resized.shape[0] - rows) // 2, (resized.shape[1] - columns) // 2
    seen = resized[top : top + rows, left : left + columns]
    scaled = (seen * config.rescale).astype(np.float32)
    normalised = (scaled - np.array(config.mean, np.float32)) / np.array(config.std, np.float32)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])
