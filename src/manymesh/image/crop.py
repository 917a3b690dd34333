"""Crops: from a photo and its detections to one view per object."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.types import Box

MARGIN = 0.12
"""Of the box's longer side, on each side: background for the matte to learn from."""


def crop_window(box: Box, width: int, height: int) -> Box:
    """The part of a ``width`` x ``height`` photo to show for ``box``: as square as the photo allows, with a margin.

    The square helps networks, which resize to one; near the photo's edge the window is moved, then cut.
    """
    side = round(max(box.width, box.height) * (1 + 2 * MARGIN))
    x0, x1 = _span(box.x0, box.x1, side, width)
    y0, y1 = _span(box.y0, box.y1, side, height)
    return Box(x0, y0, x1, y1)


def _span(low: int, high: int, side: int, limit: int) -> tuple[int, int]:
    if side >= limit:
        return 0, limit
    start = (low + high - side) // 2
    start = min(max(start, 0), limit - side)
    return start, start + side


def relative(box: Box, window: Box) -> Box:
    """``box`` in the pixels of ``window``, cut to it (may come out empty)."""
    moved = Box(box.x0 - window.x0, box.y0 - window.y0, box.x1 - window.x0, box.y1 - window.y0)
    return moved.clipped(window.width, window.height)


def cut(pixels: NDArray[Any], window: Box) -> NDArray[Any]:
    """The part of a picture or mask inside ``window``, as an array of its own."""
    return np.ascontiguousarray(pixels[window.y0 : window.y1, window.x0 : window.x1])
