"""Crop windows: the part of a photo that shows one object."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.types import Box

# Margin on each side as a share of the box's longer side: background that the matte stage needs. Chosen by hand; not
# measured.
MARGIN = 0.12
# Boxes with a shorter side than this are grown to it. Chosen by hand; not measured.
SMALLEST_SIDE_PX = 16


def object_window(box: Box, width: int, height: int) -> Box:
    """The part of a ``width`` x ``height`` photo that an object's crop shows; never too small for a network."""
    return crop_window(pad_box(box, width, height), width, height)


def pad_box(box: Box, width: int, height: int, min_side_px: int = SMALLEST_SIDE_PX) -> Box:
    """The box, grown evenly where a side is shorter than ``min_side_px``, inside a ``width`` x ``height`` photo."""
    x0, x1 = _grown(box.x0, box.x1, min_side_px, width)
    y0, y1 = _grown(box.y0, box.y1, min_side_px, height)
    return Box(x0, y0, x1, y1)


def _grown(start: int, stop: int, min_length: int, limit: int) -> tuple[int, int]:
    """A half-open range inside 0..limit, grown to ``min_length`` as far as the limit allows."""
    missing = min(min_length, limit) - (stop - start)
    if missing <= 0:
        return start, stop
    start = min(max(start - missing // 2, 0), limit - min(min_length, limit))
    return start, start + min(min_length, limit)


def crop_window(box: Box, width: int, height: int) -> Box:
    """The window to crop for a box: as square as the photo allows, with a margin on each side.

    It is square because networks resize it to a square. Near the edge of the photo the window is moved inside; it is
    shortened only where the photo is shorter than it.

    Args:
        box: the object, in pixels of the photo.
        width, height: size of the photo.
    """
    side = round(max(box.width, box.height) * (1 + 2 * MARGIN))
    x0, x1 = _span(box.x0, box.x1, side, width)
    y0, y1 = _span(box.y0, box.y1, side, height)
    return Box(x0, y0, x1, y1)


def _span(low: int, high: int, side: int, limit: int) -> tuple[int, int]:
    """A range of ``side`` pixels around low..high, moved inside 0..limit; the whole of it when it is shorter."""
    if side >= limit:
        return 0, limit
    start = (low + high - side) // 2
    start = min(max(start, 0), limit - side)
    return start, start + side


def box_in_window(box: Box, window: Box) -> Box:
    """A box of the photo in the pixels of a window, clipped to it; it may be empty."""
    moved = Box(box.x0 - window.x0, box.y0 - window.y0, box.x1 - window.x0, box.y1 - window.y0)
    return moved.clipped(window.width, window.height)


def crop_array(pixels: NDArray[Any], window: Box) -> NDArray[Any]:
    """The part of an image or mask, (H, W, ...), inside a window, as a contiguous array."""
    return np.ascontiguousarray(pixels[window.y0 : window.y1, window.x0 : window.x1])
