"""Shoes, boots and socks as if worn by nobody; toes towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, oval
from training.families.paints import Rng, bright, cloth, dark, leather, painted, pick, steel, white
from training.families.parts import (
    Paint,
    both,
    box,
    ellipsoid,
    extrude,
    lathe,
    loft,
    moved,
    rod,
    stacked,
    tube,
    turned,
    warped,
)
from training.shapes import Part


def sole_outline(long: float, wide: float) -> np.ndarray:
    """(k, 2) x and z of a right shoe's sole; toe towards +Z."""
    points = [
        (0, -0.5),
        (0.36, -0.44),
        (0.4, -0.25),
        (0.34, 0),
        (0.48, 0.24),
        (0.42, 0.4),
        (0.1, 0.5),
        (-0.28, 0.46),
        (-0.46, 0.24),
        (-0.36, 0),
        (-0.4, -0.25),
        (-0.34, -0.44),
    ]
    return curve(np.array(points) * (wide, long), 2, loop=True)


def one_shoe(rng: Rng, paint: Paint, sole: Paint, lace: Paint, rise: float, thick: float, heel: float) -> list[Part]:
    """A right shoe with an open collar at height ``rise``."""
    base = sole_outline(28, 10.5)
    bottom = extrude(sole, base * 1.04, thick, (0, thick / 2, 0), "y", bevel=0.25 * thick)
    loops = []
    for grow, y, slant in ((1.0, 0.0, 0.0), (1.03, 1.6, 0.0), (0.94, 3.6, 0.35), (0.78, 5.6, 0.8)):
        loop = base * grow
        front = np.clip(loop[:, 1] / 14, 0, 1)
        loops.append(np.column_stack([loop[:, 0], thick + y - slant * 3.0 * front, loop[:, 1]]))
    collar = [
        (8.0, 12.0, min(rise, 7.5), -5.4),
        (6.8, 10.0, rise, -6.0),
        (5.6, 8.8, rise, -6.0),
        (5.6, 9.0, min(rise, 7) - 2.5, -5.6),
    ]
    angle = np.arctan2(base[:, 1], base[:, 0])
    for wide, deep, y, z in collar:
        loops.append(
            np.column_stack([np.cos(angle) * wide / 2, np.full(len(base), thick + y), np.sin(angle) * deep / 2 + z])
        )
    parts = [bottom, loft(paint, np.array(loops))]
    if heel:
        parts.append(extrude(sole, oval(7, 8, 16, 0.7), heel, (0, -heel / 2, -9.4), "y", bevel=0.3))
    for i in range(4):
        z, y = 0.4 + i * 1.9, thick + 6.5 - i * 0.75
        parts.append(tube(lace, [(-2.6, y - 0.8, z), (0, y + 0.3, z + 0.3), (2.6, y - 0.8, z)], 0.42, 6))
    parts += [ellipsoid(paint, (3, 3.0, 5.6), (0, thick + min(rise, 6) - 1.6, 2.2), 14, 0.9)]
    return [*parts, ellipsoid(sole, (4.2, 2, 2.6), (0.4, thick + 0.8, 11.4), 12, 0.8)] if rng.random() < 0.4 else parts


def pair(rng: Rng, right: list[Part], gap: float) -> list[Part]:
    """One shoe alone, or both."""
    return both(moved(right, (gap, 0, 0))) if rng.random() < 0.55 else turned(right, pick(rng, (0, 0, 60, -60)))


def shoe(rng: Rng) -> list[Part]:
    """A sneaker, leather shoe or slipper."""
    paint, sole, lace = (
        pick(rng, (bright, white, leather, dark))(rng, "shoe"),
        pick(rng, (white, dark))(rng, "sole"),
        painted(rng, "lace"),
    )
    right = one_shoe(rng, paint, sole, lace, rng.uniform(6.5, 11), rng.uniform(1.4, 3.4), 0)
    if rng.random() < 0.5:
        stripe = painted(rng, "stripe")
        right += both(
            [
                turned(
                    box(stripe, (0.7, 4.4, 1), (4.7, 4.4, -2 + 2.4 * i), bevel=0.2), 22, "x", (4.7, 4.4, -2 + 2.4 * i)
                )
                for i in range(int(rng.integers(1, 4)))
            ]
        )
    return pair(rng, right, 7)


def boot(rng: Rng) -> list[Part]:
    """A boot: rubber, walking or riding."""
    paint, sole = pick(rng, (leather, dark, bright))(rng, "boot"), dark(rng, "sole")
    high = rng.uniform(14, 36)
    right = moved(one_shoe(rng, paint, sole, painted(rng, "lace"), 9, 2.2, 2.0), (0, 2, 0))
    wide = rng.uniform(9, 12)
    right.append(
        stacked(
            paint,
            [
                (7.5, 10.5, 5, -5.4, 0),
                (8.2, 11, 10, -5.8, 0),
                (wide, wide * 1.15, high, -6.4, 0),
                (wide * 1.05, wide * 1.2, high + 1.4, -6.4, 0),
                (wide * 0.88, wide, high + 1.4, -6.4, 0),
                (6.5, 8.4, 9, -6, 0),
            ],
        )
    )
    if rng.random() < 0.5:
        right += [
            box(dark(rng, "strap"), (8.8, 1.4, 11.6), (0, 11, -5.8), bevel=0.4),
            box(steel(rng), (1, 2, 2.2), (4.7, 11, -5), bevel=0.2),
        ]
    return pair(rng, right, 7)


def high_heel(rng: Rng) -> list[Part]:
    """A pump, sandal or flip-flop."""
    paint, sole = pick(rng, (bright, dark, leather))(rng, "shoe"), dark(rng, "sole")
    base = sole_outline(24, 8.4)
    lift = rng.uniform(0.5, 9)

    def arch(v: np.ndarray) -> np.ndarray:
        t = np.clip((4 - v[:, 2]) / 14, 0, 1)
        return v + np.column_stack([0 * t, lift * t * t * (3 - 2 * t), 0 * t])

    right = [warped(extrude(paint, base, 1.3, (0, 0.7, 0), "y", bevel=0.2), arch)]
    if rng.random() < 0.6:
        loops = [
            np.column_stack(
                [base[:, 0] * g, 1.0 + y + 0 * base[:, 0] + 1.4 * (base[:, 1] < -6) * (y > 2), base[:, 1] * g]
            )
            for g, y in ((1, 0), (1.02, 1.6), (0.94, 3.4), (0.84, 3.4), (0.8, 1.2))
        ]
        right.append(warped(loft(paint, np.array(loops)), arch))
    else:
        right += [
            tube(paint, [(-3.8, 1.2, z), (-2, 3.8, z - 0.6), (2, 3.8, z - 0.6), (3.8, 1.2, z)], 1.0, 6) for z in (3, 7)
        ]
    if lift > 2:
        right.append(rod(sole, (0, 0, -10.2), (0, lift + 0.6, -9.4), 0.9, 2.4))
    return pair(rng, right, 6)


def sock(rng: Rng) -> list[Part]:
    """A sock or Christmas stocking, seen from the side."""
    paint, cuff = cloth(rng, "sock"), painted(rng, "cuff")
    sock_ = tube(
        paint,
        [(0, 26, 0), (0, 14, 0), (0.4, 6, 0.6), (0, 3.2, 4), (0, 3, 11), (0, 3.2, 16)],
        [4, 3.9, 4.4, 4, 3.6, 2.6],
        14,
    )
    return turned(
        [
            sock_,
            lathe(cuff, [(4.4, 22), (4.8, 23), (4.8, 27), (3.6, 27), (3.4, 23), (0, 22.6)], sides=20),
            ellipsoid(cuff, (3.2, 3.2, 3), (0, 3.2, 14.6), 12),
            ellipsoid(cuff, (3.7, 3.6, 3.6), (0.2, 4.6, -0.6), 12),
        ],
        pick(rng, (0, 60, -60)),
    )
