"""What cups, glasses and pots share: their outsides and their handles."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng
from training.families.parts import Paint, tube
from training.shapes import Part


def outside(rng: Rng, radius: float, height: float, style: str) -> np.ndarray:
    """(k, 2) smooth outside of a vessel from foot to rim."""
    points = {
        "straight": [(0.92, 0), (1, 0.04), (1, 0.5), (1, 1)],
        "cone": [(0.62, 0), (0.68, 0.04), (0.85, 0.5), (1, 1)],
        "round": [(0.5, 0), (0.72, 0.12), (0.98, 0.45), (1, 0.72), (0.93, 1)],
        "tulip": [(0.45, 0), (0.8, 0.15), (0.92, 0.4), (0.86, 0.7), (1, 1)],
        "barrel": [(0.75, 0), (0.9, 0.2), (1, 0.5), (0.92, 0.8), (0.82, 1)],
        "bell": [(0.4, 0), (0.42, 0.06), (0.75, 0.3), (0.9, 0.7), (1, 1)],
    }[style]
    shape = np.array(points)
    shape[1:-1, 0] *= rng.uniform(0.94, 1.06, len(shape) - 2)
    return curve(shape * (radius, height), 3)


def ear(paint: Paint, radius: float, low: float, high: float, reach: float, thick: float, style: str) -> Part:
    """A handle on the -X side of a vessel whose wall is at ``radius`` there."""
    mid, r = (low + high) / 2, -radius
    if style == "square":
        line = [(r * 0.93, high, 0), (r - reach, high, 0), (r - reach, low, 0), (r * 0.9, low, 0)]
        return tube(paint, line, thick, 8, steps=1)
    if style == "ear":
        line = [(r * 0.93, high, 0), (r - reach, high + 0.05 * mid, 0), (r - 0.8 * reach, mid, 0), (r * 0.85, low, 0)]
    else:
        line = [
            (r * 0.93, high, 0),
            (r - 0.8 * reach, high - 0.02 * mid, 0),
            (r - reach, mid, 0),
            (r - 0.7 * reach, low, 0),
            (r * 0.9, low, 0),
        ]
    return tube(paint, line, thick, 8, flat=1.4)
