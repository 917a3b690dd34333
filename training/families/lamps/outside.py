"""Lamps of streets and walls, and those that are carried."""

from __future__ import annotations

import numpy as np

from training.families.lamps.shades import BULB, any_shade, metal
from training.families.outlines import curve
from training.families.paints import Rng, brass, cream, dark, glass, painted, pick, steel
from training.families.parts import Paint, box, ellipsoid, lathe, moved, ring, rod, torus, tube, turned
from training.shapes import Part


def lantern_box(rng: Rng, paint: Paint, width: float, high: float, sides: int) -> list[Part]:
    """A glazed lantern with bars and a roof, from y = 0."""
    r = width / 2
    parts = [
        lathe(paint, [(1.05 * r, 0), (1.05 * r, 0.08 * high), (r * 0.8, 0.1 * high)], sides=sides),
        lathe(glass(rng), [(0.8 * r, 0.06 * high), (0.95 * r, 0.72 * high)], sides=sides),
    ]
    bar = rod(paint, (0, 0.05 * high, 0.9 * r), (0, 0.74 * high, 1.02 * r), 0.08 * r, sides=6)
    parts += ring(bar, sides, 0.0)
    parts += [
        lathe(
            paint,
            [
                (1.3 * r, 0.7 * high),
                (1.25 * r, 0.75 * high),
                (0.45 * r, 0.95 * high),
                (0.3 * r, high),
                (0, 1.02 * high),
            ],
            sides=sides,
        ),
        torus(paint, 0.32 * r, 0.07 * r, (0, 1.1 * high, 0), "z", 14),
    ]
    return [*parts, ellipsoid(BULB, (0.3 * r, 0.2 * high, 0.3 * r), (0, 0.35 * high, 0), 10)]


def street_lamp(rng: Rng) -> list[Part]:
    """An old lantern post or a modern mast with one or two arms; or traffic lights."""
    paint = dark(rng, "metal") if rng.random() < 0.7 else metal(rng)
    high = rng.uniform(170, 280)
    post = np.array(
        [
            (13, 0),
            (13, 4),
            (9, 7),
            (7, 26),
            (8, 28),
            (4, 34),
            (3.4, 0.7 * high),
            (4.6, 0.71 * high),
            (3, 0.73 * high),
            (2.6, high),
        ]
    )
    style = pick(rng, ("old", "old", "arms", "mast", "traffic"))
    if style == "old":
        head = moved(
            lantern_box(rng, paint, rng.uniform(22, 32), rng.uniform(34, 46), pick(rng, (4, 6, 8))), (0, high, 0)
        )
        return [
            lathe(paint, post, sides=16),
            *head,
            rod(paint, (-12, 0.86 * high, 0), (12, 0.86 * high, 0), 1.6, sides=8),
        ]
    if style == "arms":
        count = int(rng.integers(2, 5))
        arm = [
            tube(paint, [(0, 0.82 * high, 0), (0, 0.8 * high, 20), (0, 0.9 * high, 34), (0, 0.92 * high, 36)], 2, 8),
            ellipsoid(cream(rng, "globe"), (11, 11, 11), (0, 0.92 * high + 10, 36), 16),
        ]
        return [
            lathe(paint, post, sides=16),
            *ring(arm, count),
            ellipsoid(cream(rng, "globe"), (12, 12, 12), (0, high + 9, 0), 16),
        ]
    if style == "mast":
        arm = [
            tube(paint, [(0, high * 0.92, 0), (0, high * 1.06, 12), (0, high * 1.1, 60)], [2.6, 2.2, 2], 8),
            box(paint, (14, 6, 34), (0, high * 1.1, 70), bevel=2),
            box(BULB, (10, 3, 26), (0, high * 1.1 - 3, 70), bevel=1),
        ]
        return [
            rod(paint, (0, 0, 0), (0, high, 0), 5, 2.8),
            lathe(paint, [(9, 0), (9, 16), (5, 20)], sides=14),
            *(arm if rng.random() < 0.6 else ring(arm, 2, 90)),
        ]
    parts = [rod(paint, (0, 0, 0), (0, high, 0), 4), box(paint, (24, 66, 18), (0, high + 20, 8), bevel=3)]
    for y, color in ((20, (210, 40, 40)), (0, (230, 180, 40)), (-20, (50, 180, 70))):
        parts += [
            rod(Paint(color, "signal"), (0, high + 20 + y, 16), (0, high + 20 + y, 18.5), 8, sides=18),
            tube(paint, [(-9, high + 20 + y, 17), (0, high + 30 + y, 21), (9, high + 20 + y, 17)], 2, 6),
        ]
    return parts


def lantern(rng: Rng) -> list[Part]:
    """A hand lantern, storm lamp or paper lantern."""
    paint = metal(rng)
    style = pick(rng, ("box", "box", "storm", "paper"))
    if style == "box":
        return lantern_box(rng, paint, rng.uniform(12, 18), rng.uniform(18, 30), pick(rng, (4, 4, 6, 8)))
    if style == "paper":
        skin = painted(rng, "paper")
        r, high = rng.uniform(14, 20), rng.uniform(22, 34)
        body = ellipsoid(skin, (r, high / 2, r), (0, high / 2, 0), 24, 0.85, 15)
        body.vertices[:, [0, 2]] *= (1 + 0.03 * np.cos(body.vertices[:, 1] * 2 * np.pi * 8 / high))[:, None]
        return [
            body,
            *(rod(paint, (0, y, 0), (0, y + 2, 0), 0.45 * r, sides=18) for y in (-1.4, high - 0.6)),
            rod(paint, (0, high, 0), (0, high + 12, 0), 0.5, sides=6),
            tube(skin, [(0, -1, 0), (0, -12, 0)], [0.8, 1.6], 8),
        ]
    parts = [
        lathe(paint, [(6.5, 0), (7, 1), (7, 4), (4, 6), (3, 7.4)], sides=22),
        lathe(glass(rng), curve([(3, 7), (4.8, 11), (3.2, 16)], 3), sides=20),
        lathe(paint, [(3.6, 16), (3.8, 18), (2.4, 20), (2.6, 22), (0, 23)], sides=18),
    ]
    parts += [tube(paint, [(s * 6, 3, 0), (s * 7, 12, 0), (s * 5, 19, 0), (s * 2, 21, 0)], 0.6, 8) for s in (-1, 1)]
    return [
        *parts,
        tube(paint, [(-6.5, 15, 0), (-7, 24, 0), (0, 29, 0), (7, 24, 0), (6.5, 15, 0)], 0.4, 6),
        rod(paint, (7, 5, 0), (9, 5, 0), 0.7),
    ]


def wall_lamp(rng: Rng) -> list[Part]:
    """A sconce: a plate on the wall, an arm and one or two shades."""
    paint = metal(rng)
    parts = [turned(lathe(paint, [(5, 0), (5, 1), (3, 2.4), (0, 2.8)], sides=20), 90, "x")]
    lamps = (
        any_shade(rng, rng.uniform(5, 8), rng.uniform(7, 10))
        if rng.random() < 0.7
        else lantern_box(rng, paint, 10, 16, 6)
    )
    for x in pick(rng, ((0.0,), (-8.0, 8.0))):
        parts += [
            tube(paint, [(0, 0, 1), (x * 0.7, -4, 9), (x, -2, 14), (x, 3, 14)], 0.8, 8),
            *moved(lamps, (x, 2, 14)),
        ]
    return parts


def spotlight(rng: Rng) -> list[Part]:
    """A studio or stage lamp with barn doors on a tripod or a clamp."""
    paint, lens = dark(rng), Paint((240, 235, 210), "lens")
    head = [
        turned(lathe(paint, [(5, -10), (8, -8), (9, 6), (9.6, 8), (8.6, 8)], sides=20), 90, "x"),
        turned(lathe(lens, [(8.6, 6.6), (5, 8), (0, 8.6)], sides=18), 90, "x"),
    ]
    head += [turned(turned(box(paint, (15, 11, 0.9), (0, 14, 10)), -25, "x", (0, 9, 9)), 90 * i, "z") for i in range(4)]
    head = [
        *turned(head, rng.uniform(0, 35), "x"),
        tube(paint, [(-10.5, 0, 0), (-10, -11, 0), (10, -11, 0), (10.5, 0, 0)], 1, 6, steps=2),
    ]
    if rng.random() < 0.6:
        high = rng.uniform(60, 110)
        return [
            *moved(head, (0, high + 11, 0)),
            rod(paint, (0, 8, 0), (0, high, 0), 1.4),
            *ring(rod(paint, (0, 22, 0), (0, 0, 26), 1.1, sides=8), 3),
            rod(paint, (0, 20, 0), (0, 24, 0), 2.2),
        ]
    return [*head, rod(paint, (0, -11, 0), (0, -17, 0), 1.4), box(paint, (14, 2, 14), (0, -18, 0), bevel=0.5)]


def oil_lamp(rng: Rng) -> list[Part]:
    """A lava lamp, oil lamp or genie lamp."""
    paint = pick(rng, (brass, steel, painted))(rng, "metal")
    if rng.random() < 0.5:
        return [
            lathe(paint, [(7, 0), (6.5, 1), (3.4, 9), (4.6, 13), (5, 15)], sides=22),
            lathe(painted(rng, "fluid"), curve([(4.8, 14), (5.6, 20), (3.2, 36)], 3), sides=22),
            lathe(paint, [(3.4, 36), (2.4, 43), (0, 43.4)], sides=20),
        ]
    base = lathe(paint, curve([(5, 0), (4.6, 1), (1.6, 3), (4, 5), (8, 9), (6, 13), (2, 14.5)], 3), sides=24)
    spout = tube(paint, [(5, 8, 0), (12, 10, 0), (17, 14, 0)], [2.8, 1.8, 1.1], 10)
    grip = tube(paint, [(-6, 12, 0), (-12, 13, 0), (-12, 7, 0), (-6.6, 7, 0)], 0.8, 8)
    return [base, spout, grip, lathe(paint, [(2, 14), (2.4, 15), (0.6, 17), (1, 18.4), (0, 19)], sides=14)]
