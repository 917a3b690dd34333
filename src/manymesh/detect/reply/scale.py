"""From a reply's own numbers to pixel boxes in the photo."""

from __future__ import annotations

import math
from collections.abc import Sequence

from manymesh.detect.reply.find import Numbers
from manymesh.types import Box

GRID = 1000  # Qwen3-VL answers on a grid of 0..1000 over the width and over the height
SLACK = 50  # numbers up to this far outside the grid are clamped; farther out they are no coordinates
THINNEST_PX = 8

_EPSILON = 1e-9  # 0.29 * 1000 is slightly under 290; it must not become 289 when rounded down


def to_pixels(boxes: Sequence[Numbers], width: int, height: int) -> list[Box | None]:
    """A pixel box for each four numbers, or None for one outside the scale or thinner than ``THINNEST_PX``.

    The scale is decided for all together: fractions of the picture (all at most 1, one of them fractional), else
    pixels (one beyond 1050 and all inside the picture), else the 0..1000 grid. Corners in the wrong order are
    swapped, boxes are rounded outward and clamped to the picture.
    """
    values = [value for box in boxes for value in box]
    if not values or width <= 0 or height <= 0:
        return [None for _ in boxes]
    unit = 1.0
    pixels = False
    if max(values) <= 1 and any(value != int(value) for value in values):
        unit = float(GRID)
    elif max(values) > GRID + SLACK and min(values) >= 0:
        pixels = all(max(x1, x2) <= width and max(y1, y2) <= height for x1, y1, x2, y2 in boxes)
    return [_to_pixels(box, unit, pixels, width, height) for box in boxes]


def _to_pixels(box: Numbers, unit: float, pixels: bool, width: int, height: int) -> Box | None:
    x1, y1, x2, y2 = (value * unit for value in box)
    if not pixels:
        if min(x1, y1, x2, y2) < -SLACK or max(x1, y1, x2, y2) > GRID + SLACK:
            return None
        x1, x2 = (min(max(x, 0.0), GRID) * width / GRID for x in (x1, x2))
        y1, y2 = (min(max(y, 0.0), GRID) * height / GRID for y in (y1, y2))
    left, right = sorted((x1, x2))
    top, bottom = sorted((y1, y2))
    whole = Box(
        math.floor(left + _EPSILON),
        math.floor(top + _EPSILON),
        math.ceil(right - _EPSILON),
        math.ceil(bottom - _EPSILON),
    ).clipped(width, height)
    return whole if min(whole.width, whole.height) >= THINNEST_PX else None
