"""What lamps share: metals, bulbs and shades."""

from __future__ import annotations

import numpy as np

from training.families.outlines import circle, curve
from training.families.paints import Rng, brass, cream, dark, glass, muted, painted, pick, steel
from training.families.parts import Paint, ellipsoid, loft, rod
from training.shapes import Part

BULB = Paint((250, 235, 180), "bulb")


def metal(rng: Rng, material: str = "metal") -> Paint:
    """What stands and arms are made of."""
    return pick(rng, (steel, dark, brass, painted))(rng, material)


def shade(rng: Rng, paint: Paint, radius: float, high: float, style: str) -> Part:
    """A lamp shade open below, from y = 0 (rim) upwards, with real walls."""
    tops = {
        "cone": [(1, 0), (0.55, 1)],
        "drum": [(1, 0), (0.95, 1)],
        "bell": [(1, 0), (0.8, 0.25), (0.62, 0.7), (0.45, 1)],
        "dome": [(1, 0), (0.96, 0.4), (0.7, 0.8), (0.2, 1)],
        "flare": [(1, 0), (0.72, 0.12), (0.4, 0.5), (0.22, 1)],
    }
    outer = curve(np.array(tops[style]) * (radius, high), 3)
    inner = np.column_stack(
        [
            np.maximum(outer[:, 0] - 0.045 * radius - 0.1, 0.05 * radius),
            outer[:, 1] - (0.04 * high if style in ("dome", "flare") else 0),
        ]
    )
    inner[:, 1] = np.maximum(inner[:, 1], 0)
    cap = [(0.05 * radius, outer[-1, 1])] if style in ("dome", "flare") else []
    loops = np.concatenate([inner, outer[::-1]])[::-1] if not cap else np.concatenate([outer[::-1], inner])[::-1]
    return open_lathe(paint, loops, pick(rng, (24, 24, 6, 8)))


def open_lathe(paint: Paint, loop: np.ndarray, sides: int) -> Part:
    """A closed profile (radius, height) turned about y: a ring-like body, open in its middle."""
    turn = circle(1.0, sides)
    rings = np.empty((sides, len(loop), 3))
    rings[..., 0], rings[..., 1], rings[..., 2] = turn[:, :1] * loop[:, 0], loop[:, 1], turn[:, 1:] * loop[:, 0]
    return loft(paint, rings, loop=True)


def any_shade(rng: Rng, radius: float, high: float) -> list[Part]:
    """A shade with its bulb, the rim at y = 0."""
    paint = pick(rng, (cream, muted, painted, glass))(rng, "shade")
    style = pick(rng, ("cone", "drum", "bell", "dome", "flare"))
    return [
        shade(rng, paint, radius, high, style),
        ellipsoid(BULB, (0.2 * radius, 0.26 * radius, 0.2 * radius), (0, 0.42 * high, 0), 12),
        rod(dark(rng), (0, 0.5 * high, 0), (0, high * 1.02, 0), 0.1 * radius),
    ]
