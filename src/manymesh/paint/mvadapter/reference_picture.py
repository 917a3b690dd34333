"""The photo as the painter is shown it: cut out, in the middle of a grey square."""

from __future__ import annotations

import numpy as np

from manymesh.errors import ObjectError
from manymesh.types import U8

# The object's longer side takes this share of the square, as in training.
SHARE = 0.9
# The background's grey, of 1, as in training. Rounded down it is 127.
GREY = np.float32(0.5)


def reference_picture(rgba: U8, side_px: int) -> U8:
    """A cutout to the reference picture.

    Args:
        rgba: (h, w, 4) uint8, straight alpha.
        side_px: S, side of a view.

    Returns:
        (S, S, 3) uint8.

    Raises:
        ObjectError: every pixel is clear.
    """
    from PIL import Image

    rows, columns = np.flatnonzero(rgba[:, :, 3].any(axis=1)), np.flatnonzero(rgba[:, :, 3].any(axis=0))
    if not len(rows):
        raise ObjectError("the cutout is empty", "Check the cutout picture; another matte may find the object")
    # One spare pixel above and on the left, none below and on the right: the training's own rule.
    box = rgba[max(rows[0] - 1, 0) : rows[-1] + 1, max(columns[0] - 1, 0) : columns[-1] + 1]
    height, width = box.shape[:2]
    longest = side_px * SHARE
    if height > width:
        size = int(width * longest / height), int(longest)
    else:
        size = int(longest), int(height * longest / width)
    size = max(size[0], 1), max(size[1], 1)
    small = np.asarray(Image.fromarray(np.ascontiguousarray(box), "RGBA").resize(size))
    canvas = np.zeros((side_px, side_px, 4), np.uint8)
    top, left = (side_px - size[1]) // 2, (side_px - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = small
    unit = canvas.astype(np.float32) / np.float32(255)
    alpha = unit[:, :, 3:]
    mixed: U8 = ((unit[:, :, :3] * alpha + (1 - alpha) * GREY) * np.float32(255)).astype(np.uint8)
    return mixed
