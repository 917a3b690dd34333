"""Lamps that stand, hang and are carried."""

from __future__ import annotations

import numpy as np

from training.families.lamps.outside import lantern, oil_lamp, spotlight, street_lamp, wall_lamp
from training.families.lamps.shades import BULB, any_shade, metal
from training.families.outlines import curve
from training.families.paints import Kind, Rng, brass, cream, glass, painted, pick, steel, wood
from training.families.parts import aimed, box, ellipsoid, lathe, moved, ring, rod, torus, tube, turned
from training.families.tableware.kitchenware import candle
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random lamp; desk lamps reach towards +Z or to a side."""
    kinds: tuple[Kind, ...] = (desk_lamp, desk_lamp, desk_lamp, table_lamp, table_lamp, table_lamp, floor_lamp)
    kinds += (floor_lamp, pendant, pendant, chandelier, street_lamp, street_lamp, lantern, lantern, candle, wall_lamp)
    kinds += (spotlight, oil_lamp, bulb)
    return pick(rng, kinds)(rng)


def desk_lamp(rng: Rng) -> list[Part]:
    """A foot, one or two jointed arms or a goose neck, and a tilted shade."""
    paint = metal(rng)
    arm, lean = rng.uniform(16, 24), np.radians(rng.uniform(-30, 20))
    up, out = np.radians(rng.uniform(20, 75)), rng.uniform(14, 22)
    base = pick(rng, ([(9, 0), (9, 1.2), (3, 2.6), (1.2, 3)], [(8, 0), (8, 2), (7.4, 2.4), (1.5, 2.6)]))
    parts = [lathe(paint, np.array(base) * rng.uniform(0.8, 1.1), sides=24)]
    elbow = np.array((0, 3 + arm * np.cos(lean), -arm * np.sin(lean) * -1))
    head = elbow + (0, out * np.sin(up) * 0.5, out)
    if rng.random() < 0.3:
        line = [(0, 2, 0), (0, arm * 0.8, -2), (0, arm * 1.25, 5), (0, head[1], head[2])]
        parts.append(tube(paint, line, 0.8, 8, steps=6))
    else:
        twin = rng.random() < 0.5
        for x in (-1.1, 1.1) if twin else (0.0,):
            parts += [
                rod(paint, (x, 2.4, 0), elbow + (x, 0, 0), 0.65, sides=8),
                rod(paint, elbow + (x, 0, 0), head + (x, 0, 0), 0.65, sides=8),
            ]
        parts += [
            rod(paint, p - (1.8, 0, 0), p + (1.8, 0, 0), 1.1, sides=12) for p in (np.array((0, 3, 0)), elbow, head)
        ]
        if rng.random() < 0.4:
            parts.append(rod(paint, elbow, elbow + (0, -2, -6), 1.6))
    r, high = rng.uniform(5, 8), rng.uniform(7, 12)
    cover = any_shade(rng, r, high)
    down = (0, -1, rng.uniform(0.2, 1.2))
    parts += aimed(moved(cover, (0, -high, 0)), (0, -down[1], -down[2]), head + (0, -0.4, 0.6))
    return turned(parts, pick(rng, (0, 0, 40, -40, 90)))


def table_lamp(rng: Rng) -> list[Part]:
    """A turned or vase-like foot with a shade."""
    paint = pick(rng, (metal, wood, painted))(rng, "foot")
    high, foot = rng.uniform(16, 34), rng.uniform(5, 9)
    radii = np.concatenate([[1, 1], rng.uniform(0.2, 1.0, 5), [0.16, 0.16]])
    ys = np.array([0, 0.05, 0.12, 0.28, 0.46, 0.62, 0.76, 0.88, 1])
    parts = [lathe(paint, curve(np.column_stack([radii * foot, ys * high]), 2), sides=pick(rng, (20, 20, 6)))]
    r, tall = rng.uniform(9, 16), rng.uniform(10, 18)
    parts += moved(any_shade(rng, r, tall), (0, high - rng.uniform(0, 3), 0))
    parts.append(rod(brass(rng), (0, high - 1, 0), (0, high + tall + 1, 0), 0.5, sides=8))
    if rng.random() < 0.3:
        parts.append(rod(brass(rng), (3, high + 2, 0), (3, high - 5, 0), 0.3, sides=6))
    return [*parts, ellipsoid(paint, (1.1, 1.4, 1.1), (0, high + tall + 1.6, 0), 10)]


def floor_lamp(rng: Rng) -> list[Part]:
    """A tall lamp: straight, bowed or on three legs; or an uplighter."""
    paint = pick(rng, (metal, wood))(rng, "metal")
    high, r, tall = rng.uniform(120, 165), rng.uniform(14, 26), rng.uniform(18, 30)
    style = pick(rng, ("straight", "bow", "tripod", "up"))
    if style == "tripod":
        parts = ring(rod(paint, (0, high * 0.94, 2), (0, 0, rng.uniform(26, 36)), 1.6, 1.3), 3)
        return [
            *parts,
            *moved(any_shade(rng, r, tall), (0, high * 0.9, 0)),
            rod(paint, (0, high * 0.88, 0), (0, high * 0.96, 0), 4),
        ]
    parts = [lathe(paint, [(15, 0), (15, 1.4), (5, 3), (1.6, 6)], sides=24)]
    if style == "bow":
        parts.append(
            tube(paint, [(0, 3, -20), (0, high * 0.7, -22), (0, high, 8), (0, high * 0.88, 40)], 1.4, 8, steps=6)
        )
        parts[0] = moved(parts[0], (0, 0, -20))
        return [*parts, *moved(any_shade(rng, r * 0.9, tall * 0.8), (0, high * 0.88 - tall * 0.8, 40))]
    parts.append(rod(paint, (0, 2, 0), (0, high, 0), 1.5))
    if style == "up":
        bowl = lathe(
            pick(rng, (glass, metal))(rng, "shade"),
            curve([(2, 0), (0.7 * r, 5), (r, 12), (0.94 * r, 12), (0.6 * r, 6), (0, 3)], 2),
            sides=24,
        )
        extra = (
            [
                tube(paint, [(0, high * 0.7, 0), (0, high * 0.72, 12), (0, high * 0.66, 20)], 1, 8),
                *moved(any_shade(rng, 6, 9), (0, high * 0.58, 20)),
            ]
            if rng.random() < 0.5
            else []
        )
        return [*parts, moved(bowl, (0, high - 1, 0)), *extra]
    return [
        *parts,
        *moved(any_shade(rng, r, tall), (0, high - tall * 0.7, 0)),
        *(torus(paint, 2.2, 0.8, (0, t * high, 0), sides=14) for t in (0.1, 0.5)),
    ]


def pendant(rng: Rng) -> list[Part]:
    """A hanging shade, globe or a row of them on a bar."""
    paint = metal(rng)
    r, tall, drop = rng.uniform(12, 24), rng.uniform(10, 22), rng.uniform(12, 50)
    one = any_shade(rng, r, tall)
    if rng.random() < 0.3:
        one = [
            ellipsoid(
                pick(rng, (cream, glass))(rng, "shade"),
                (r, r * rng.uniform(0.7, 1), r),
                (0, tall * 0.5, 0),
                22,
                rings=12,
            )
        ]
    one = [
        *one,
        rod(paint, (0, tall - 1, 0), (0, tall + drop, 0), 0.7, sides=8),
        lathe(paint, [(2.4, tall - 1), (1.6, tall + 3), (0.7, tall + 4)], sides=14),
    ]
    if rng.random() < 0.3:
        count = int(rng.integers(2, 5))
        parts = [p for i in range(count) for p in moved(one, ((i - (count - 1) / 2) * r * 2.5, 0, 0))]
        return [*parts, box(paint, (count * r * 2.5, 3, 5), (0, tall + drop, 0), bevel=0.8)]
    return [*one, lathe(paint, [(5, tall + drop - 2), (5.4, tall + drop), (5.4, tall + drop + 1)], sides=18)]


def chandelier(rng: Rng) -> list[Part]:
    """Arms with candles or small shades around a turned body."""
    paint, count, reach = metal(rng), int(rng.integers(4, 8)), rng.uniform(20, 32)
    body = lathe(
        paint,
        curve(np.array([(0.5, -14), (2.5, -11), (1.2, -8), (5, -3), (2, 4), (1.2, 12), (2.6, 18), (0.9, 24)]), 2),
        sides=14,
    )
    tip = rng.uniform(2, 10)
    arm = [
        tube(paint, [(0, -3, 2), (0, -9, 0.45 * reach), (0, -5, 0.85 * reach), (0, tip - 2, reach)], 0.9, 8),
        lathe(paint, [(0.8, tip - 2), (2.8, tip - 1), (2.8, tip - 0.4), (0.8, tip - 0.2)], (0, 0, reach), 12),
    ]
    if rng.random() < 0.5:
        arm += [
            rod(cream(rng, "wax"), (0, tip - 1, reach), (0, tip + 7, reach), 1, sides=10),
            ellipsoid(BULB, (0.9, 1.8, 0.9), (0, tip + 8.6, reach), 10),
        ]
    else:
        arm += moved(any_shade(rng, 5, 6), (0, tip, reach)) + [
            rod(paint, (0, tip - 1, reach), (0, tip + 4, reach), 0.7, sides=8)
        ]
    return [
        body,
        *ring(arm, count),
        rod(paint, (0, 22, 0), (0, 44, 0), 0.8, sides=8),
        lathe(paint, [(1, 40), (5, 43), (5.4, 45)], sides=16),
    ]


def bulb(rng: Rng) -> list[Part]:
    """A light bulb with its screw."""
    metal_paint = steel(rng)
    parts = [
        lathe(
            pick(rng, (glass, cream))(rng, "bulb"),
            curve([(1.3, 3.6), (1.5, 5), (3.2, 9), (2.6, 12), (0, 13)], 4),
            sides=24,
        ),
        lathe(metal_paint, [(0.5, 0), (1.3, 0.8), (1.4, 3.8)], sides=18),
    ]
    return [*parts, *(torus(metal_paint, 1.4, 0.18, (0, y, 0), sides=18) for y in (1.2, 1.9, 2.6, 3.3))]
