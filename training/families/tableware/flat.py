"""Plates, trays, pans, cooking pots and shakers."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, oval
from training.families.paints import Rng, brass, ceramic, dark, glass, painted, pick, steel, white, wood
from training.families.parts import Paint, both, ellipsoid, lathe, loft, tube, vessel
from training.families.tableware.walls import outside
from training.shapes import Part


def plate(rng: Rng) -> list[Part]:
    """A plate or a stack of them, perhaps with a slice of something."""
    paint = ceramic(rng)
    r = rng.uniform(9, 15)
    t, high = 0.045 * r, rng.uniform(0.08, 0.2) * r
    profile = [
        (0.5 * r, 0),
        (0.62 * r, 0.2 * t),
        (0.7 * r, 0.5 * high),
        (r, high),
        (r * 0.99, high + t),
        (0.7 * r, 0.5 * high + t),
        (0.6 * r, 1.3 * t),
        (0, 1.2 * t),
    ]
    parts = []
    for i in range(1 if rng.random() < 0.75 else int(rng.integers(2, 6))):
        parts.append(lathe(paint, np.array(profile) + np.array((0, i * 1.5 * t)), sides=36))
    if len(parts) == 1 and rng.random() < 0.5:
        food = painted(rng, "food")
        for x, z, s in rng.uniform(-0.3, 0.3, (int(rng.integers(1, 5)), 3)) * r:
            parts.append(
                ellipsoid(food, (0.25 * r + s * 0.3, 0.14 * r, 0.2 * r), (x, 1.2 * t + 0.06 * r, z), 12, 0.8, 7)
            )
    return parts


def pan(rng: Rng) -> list[Part]:
    """A frying pan or wok with a long handle."""
    paint, grip = pick(rng, (dark, steel, brass))(rng, "metal"), pick(rng, (dark, wood, steel))(rng, "grip")
    r, high = rng.uniform(10, 16), rng.uniform(3, 7)
    parts = [
        vessel(
            paint, curve([(0.72 * r, 0), (0.8 * r, 0.1 * high), (0.93 * r, 0.6 * high), (r, high)], 3), 0.5, sides=32
        )
    ]
    reach = rng.uniform(13, 20)
    line = [(-0.96 * r, 0.75 * high, 0), (-r - 0.4 * reach, high + 1, 0), (-r - reach, high + rng.uniform(0.5, 4), 0)]
    parts += [
        tube(grip, line, [0.7, 0.9, 1.0], 8, flat=1.5),
        ellipsoid(paint, (1, 0.8, 1.6), (-0.98 * r, 0.78 * high, 0), 10),
    ]
    if rng.random() < 0.3:
        parts += [
            ellipsoid(white(rng, "egg"), (4.5, 0.6, 4), (1, 0.9, 0), 16, rings=5),
            ellipsoid(Paint((245, 180, 40), "yolk"), (1.6, 1.1, 1.6), (1, 1.2, 0), 12),
        ]
    return parts


def pot(rng: Rng) -> list[Part]:
    """A cooking pot with two ears or a long handle, with a lid or open."""
    paint, black = pick(rng, (steel, painted, brass, dark))(rng, "metal"), dark(rng, "grip")
    r, high = rng.uniform(8, 14), rng.uniform(7, 18)
    parts = [
        vessel(
            paint,
            curve([(0.9 * r, 0), (r, 0.08 * high), (r, 0.5 * high), (r, 0.96 * high), (1.03 * r, high)], 2),
            0.5,
            sides=28,
        )
    ]
    if rng.random() < 0.7:
        loop = [
            (0.97 * r, 0.78 * high, -2.6),
            (r + 2.6, 0.82 * high, -2),
            (r + 2.6, 0.82 * high, 2),
            (0.97 * r, 0.78 * high, 2.6),
        ]
        parts += both(tube(pick(rng, (paint, black)), loop, 0.55, 8))
    else:
        parts.append(
            tube(
                black,
                [(-r * 0.97, 0.8 * high, 0), (-r - 9, 0.86 * high, 0), (-r - 18, 0.84 * high, 0)],
                [0.8, 1, 1.1],
                8,
            )
        )
    if rng.random() < 0.65:
        lid = curve(
            [(1.04 * r, high), (1.04 * r, high + 0.5), (0.7 * r, high + 0.13 * r), (0.1 * r, high + 0.22 * r)], 2
        )
        parts += [
            lathe(pick(rng, (paint, glass(rng))), lid, sides=28),
            lathe(
                black,
                np.array([(0.5, 0), (0.5, 1), (1.6, 1.8), (1.2, 2.5), (0, 2.7)]) + np.array((0, high + 0.2 * r)),
                sides=14,
            ),
        ]
    return parts


def tray(rng: Rng) -> list[Part]:
    """A tray with a rim and grips, sometimes with cups on it."""
    paint = pick(rng, (wood, steel, painted))(rng, "tray")
    width, depth = rng.uniform(30, 50), rng.uniform(22, 34)
    square = pick(rng, (0.15, 0.5, 1.0))
    rings = []
    for grow, y in ((0.92, 0.0), (1.0, 2.6), (0.96, 2.6), (0.89, 0.8)):
        loop = oval(width * grow, depth * grow, 28, square)
        rings.append(np.column_stack([loop[:, 0], np.full(28, y), loop[:, 1]]))
    parts = [loft(paint, np.array(rings))]
    parts += both(
        tube(
            paint,
            [(0.46 * width, 2.4, -5), (0.55 * width, 4, -4), (0.55 * width, 4, 4), (0.46 * width, 2.4, 5)],
            0.7,
            8,
        )
    )
    if rng.random() < 0.6:
        things = ceramic(rng, "cup")
        for _ in range(int(rng.integers(1, 4))):
            x, z = rng.uniform(-0.28, 0.28, 2) * (width, depth)
            parts.append(vessel(things, outside(rng, 3.6, rng.uniform(4, 12), "cone"), 0.4, (x, 0.8, z), 16))
    return parts


def shaker(rng: Rng) -> list[Part]:
    """A salt shaker or pepper mill."""
    paint = pick(rng, (wood, steel, ceramic))(rng, "body")
    high = rng.uniform(7, 26)
    shape = np.array(
        [
            (0.24, 0),
            (0.26, 0.08),
            (0.16, 0.3),
            (0.2, 0.5),
            (0.25, 0.62),
            (0.15, 0.72),
            (0.26, 0.8),
            (0.22, 0.92),
            (0, 0.97),
        ]
    )
    shape[:, 0] *= rng.uniform(0.7, 1.2) * min(1.0, 10 / high + 0.3)
    shape[1:-1, 0] *= rng.uniform(0.85, 1.1, 7)
    return [
        lathe(paint, curve(shape * high, 2)),
        ellipsoid(steel(rng), (0.05 * high,) * 3, (0, high * 0.99, 0), 10, rings=6),
    ]
