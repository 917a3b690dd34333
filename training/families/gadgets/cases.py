"""What gadgets share: cases, knobs and parts turned to +Z."""

from __future__ import annotations

import numpy as np

from training.families.paints import Rng, bright, dark, muted, pick, screen, steel, white, wood
from training.families.parts import Paint, lathe, moved, turned
from training.shapes import Part


def case(rng: Rng, material: str = "case") -> Paint:
    """What gadgets are made of."""
    return pick(rng, (dark, dark, white, steel, muted, bright, wood))(rng, material)


def facing(
    paint: Paint, radius: float, profile: list[tuple[float, float]], at: tuple[float, float, float], sides: int = 20
) -> Part:
    """A turned piece that looks towards +Z: (radius share, height) from its back to its front."""
    shape = lathe(paint, np.array(profile) * (radius, radius), sides=sides)
    return moved(turned(shape, 90, "x"), at)


def knobs_on(
    rng: Rng, paint: Paint, count: int, width: float, at: tuple[float, float, float], radius: float
) -> list[Part]:
    """A row of knobs on a front."""
    x, y, z = at
    profile = pick(rng, ([(1, 0), (0.9, 1), (0, 1.05)], [(1, 0), (1, 0.3), (0.6, 0.4), (0.5, 1.1), (0, 1.15)]))
    return [facing(paint, radius, profile, (x + (i - (count - 1) / 2) * width / count, y, z), 12) for i in range(count)]


def high_paint(rng: Rng) -> Paint:
    """A dial's paper or a lit scale."""
    return pick(rng, (white, screen))(rng, "dial")


def body(rng: Rng) -> Paint:
    """Plastic of any colour, mostly dark."""
    return pick(rng, (dark, dark, white, steel, bright))(rng, "case")
