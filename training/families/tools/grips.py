"""What hand tools share: poses, grips and handles."""

from __future__ import annotations

import numpy as np

from training.families.paints import Rng, dark, painted, pick, wood
from training.families.parts import Paint, tube, turned
from training.shapes import Part

RED = Paint((200, 35, 30), "red")


def posed(rng: Rng, parts: list[Part]) -> list[Part]:
    """Long upright tools sometimes lean to a side or lie on the floor."""
    low = np.min([p.vertices.min(0) for p in parts], 0)
    high = np.max([p.vertices.max(0) for p in parts], 0)
    size = high - low
    if size[1] < 2.5 * max(size[0], size[2]) or rng.random() < 0.45:
        return parts
    if rng.random() < 0.5:
        return turned(parts, rng.uniform(-60, 60), "z")
    return turned(turned(parts, -90, "x"), rng.uniform(-70, 70))


def grip_paint(rng: Rng) -> Paint:
    """Wood or plastic for handles."""
    return pick(rng, (wood, wood, painted, dark))(rng, "grip")


def shaft(paint: Paint, length: float, thick: float) -> Part:
    """A wooden handle, oval and a little swollen, from y = 0 upwards."""
    return tube(
        paint,
        [(0, 0, 0), (0, 0.12 * length, 0), (0, 0.5 * length, 0), (0, length, 0)],
        [thick, 1.05 * thick, 0.8 * thick, 0.75 * thick],
        10,
        flat=1.25,
    )
