"""Objects that people ride: bicycles, motorbikes, scooters, prams, sledges."""

from __future__ import annotations

import numpy as np

from training.families.paints import Rng, bright, cloth, dark, leather, painted, pick, steel, wood
from training.families.parts import (
    Paint,
    bar,
    both,
    box,
    cushion,
    ellipsoid,
    extrude,
    moved,
    rod,
    torus,
    tube,
    turned,
    vessel,
)
from training.families.wheels import spoked, wheel
from training.shapes import Part


def bicycle(rng: Rng) -> list[Part]:
    """A bicycle: diamond or step-through frame, straight or dropped bars, basket, mudguards."""
    paint, black, metal = painted(rng, "frame"), dark(rng), steel(rng)
    r, tyre = rng.uniform(30, 36), rng.uniform(3, 6)
    z = rng.uniform(48, 56)
    t = rng.uniform(1.5, 2.2)
    seat, head, crank = (
        np.array((0, 2.3 * r, -0.32 * z)),
        np.array((0, 2.3 * r, 0.66 * z)),
        np.array((0, 0.95 * r, -0.08 * z)),
    )
    rear, front = np.array((0, r, -z)), np.array((0, r, z))
    parts = [*spoked(black, metal, rear, r, tyre, 12), *spoked(black, metal, front, r, tyre, 12)]
    low = rng.random() < 0.35
    tubes = [(crank, seat), (crank, head - (0, 12, 0)), (crank + (0, 0.5 * r, 0) if low else seat, head - (0, 4, 0))]
    parts += [rod(paint, a, b, t, sides=8) for a, b in tubes]
    for s in (-1, 1):
        parts += [rod(paint, a, rear + (s * 4, 0, 0), 0.75 * t, sides=6) for a in (crank, seat)]
        parts.append(rod(paint, head - (0, 12, 0), front + (s * 4, 0, 0), 0.8 * t, sides=6))
        parts.append(rod(metal, crank, crank + (s * 7, -s * 15, 0), 1.2, sides=6))
        parts.append(box(black, (8, 2.4, 6), crank + (s * 11, -s * 15, 0), bevel=0.5))
    parts += [torus(metal, 8, 1.3, crank + (3, 0, 0), "x", 16), rod(paint, seat, seat + (0, 14, -3), 1.4, sides=8)]
    parts += [rod(paint, head - (0, 14, -1), head + (0, 10, -3), 1.6, sides=8), saddle(black, seat + (0, 16, -3), 26)]
    parts += bike_bars(rng, metal, black, head + np.array((0, 10, -3)), pick(rng, ("flat", "drop", "swept")))
    if rng.random() < 0.4:
        a = np.linspace(0.3, 2.6, 7)
        for c in (rear, front):
            guard = np.column_stack([np.zeros(7), c[1] + (r + 2.5) * np.sin(a), c[2] - (r + 2.5) * np.cos(a)])
            parts.append(tube(paint, guard, 1.4, 6, flat=2.0))
    if rng.random() < 0.3:
        parts.append(box(wood(rng, "basket"), (28, 20, 20), head + np.array((0, 2, 18)), bevel=2))
    if rng.random() < 0.35:
        parts += [box(metal, (11, 1.6, 30), rear + np.array((0, r + 6, -2)))] + both(
            rod(metal, rear + np.array((4, 0, 0)), rear + np.array((5, r + 6, 0)), 0.9, sides=6)
        )
    return parts


def saddle(paint: Paint, at: np.ndarray, long: float) -> Part:
    """A bicycle saddle, its nose towards +Z."""
    half = [
        (0, 0.5 * long),
        (0.07 * long, 0.42 * long),
        (0.1 * long, 0),
        (0.32 * long, -0.34 * long),
        (0.26 * long, -0.5 * long),
        (0, -0.46 * long),
    ]
    outline = np.array(half + [(-x, z) for x, z in half[-2:0:-1]])
    return extrude(paint, outline, 5, at, "y", bevel=1.4)


def bike_bars(rng: Rng, metal: Paint, grip: Paint, at: np.ndarray, style: str) -> list[Part]:
    """Handlebars with grips, perhaps a lamp and a bell."""
    w = rng.uniform(24, 32)
    tips = {
        "flat": [(w, 3, -4)],
        "drop": [(0.8 * w, 0, 4), (0.85 * w, -4, 12), (0.85 * w, -13, 8), (0.85 * w, -14, -1)],
        "swept": [(0.7 * w, 8, 2), (w, 7, -8), (w, 5, -18)],
    }
    side = np.array([(0.0, 0, 0), *tips[style]]) + at
    parts = both(tube(metal, side, 1.3, 8))
    return (
        parts
        + both(rod(grip, side[-2] * 0.4 + side[-1] * 0.6, side[-1], 2.0))
        + [ellipsoid(metal, (3.4, 3.4, 4), at + np.array((0, -6, 8)), 10, rings=6)]
    )


def motorbike(rng: Rng) -> list[Part]:
    """A motorbike: chopper, sports bike or scooter-like cruiser."""
    paint, black, metal = painted(rng, "body"), dark(rng), steel(rng)
    r, wide, z = rng.uniform(30, 36), rng.uniform(11, 18), rng.uniform(66, 82)
    rear, front = (0, r, -z), (0, r, z)
    wired = rng.random() < 0.4
    parts = []
    for at in (rear, front):
        if wired:
            parts += spoked(black, metal, at, r, wide, 14)
        else:
            parts += [*wheel(black, metal, at, r, wide, 1), *wheel(black, metal, at, r, wide, 0)[1:]]
    head = (0, 2.5 * r, 0.6 * z)
    parts += both(rod(metal, (8, r, z), (7, 2.6 * r, 0.55 * z), 3))
    parts.append(ellipsoid(paint, (15, 15, 30), (0, 2.35 * r, 0.18 * z), 16, 0.8))
    parts.append(
        extrude(
            black,
            [
                (-0.75 * z, 2.1 * r),
                (-0.95 * z, 2.35 * r),
                (-0.5 * z, 2.3 * r),
                (-0.2 * z, 2.15 * r),
                (-0.2 * z, 1.9 * r),
            ],
            24,
            axis="x",
            bevel=5,
        )
    )
    parts += [
        box(metal, (26, 30, 34), (0, 1.15 * r, 0), bevel=5),
        *(box(metal, (34, 3, 26), (0, 1.2 * r + i * 6, 2), bevel=1) for i in range(-2, 4)),
    ]
    parts += both(tube(black, [(6, r, -z), (8, 1.3 * r, -0.4 * z), (6, 2.2 * r, 0.5 * z)], 2.8, 8)) + both(
        rod(metal, (9, r, -z), (9, 2.1 * r, -0.6 * z), 3)
    )
    parts += [
        tube(
            metal,
            [(15, 1.3 * r, 0.1 * z), (17, 0.6 * r, 0.1 * z), (17, 0.6 * r, -0.5 * z), (18, 0.75 * r, -1.2 * z)],
            [3, 3.5, 4.5, 5],
            10,
        )
    ]
    a = np.linspace(0.5, 2.4, 6)
    for c in (rear, front):
        guard = np.column_stack([np.zeros(6), r + (r + 4) * np.sin(a), c[2] - (r + 4) * np.cos(a)])
        parts.append(tube(paint, guard, 3, 8, flat=2.6))
    parts += [
        ellipsoid(metal, (10, 10, 12), (0, 2.4 * r, 0.82 * z), 14),
        ellipsoid(Paint((245, 240, 210), "lamp"), (8, 8, 6), (0, 2.4 * r, 0.93 * z), 12),
    ]
    parts += bike_bars(rng, metal, black, np.array((0, 2.85 * r, 0.48 * z)), pick(rng, ("flat", "swept")))
    if rng.random() < 0.4:
        parts.append(
            turned(
                extrude(paint, [(-16, 0), (16, 0), (12, 26), (-12, 26)], 3, (0, 2.6 * r, 0.82 * z), bevel=0.8),
                -35,
                "x",
                (0, 2.6 * r, 0.82 * z),
            )
        )
    if rng.random() < 0.35:
        parts += both(box(leather(rng), (12, 26, 36), (20, 1.6 * r, -0.85 * z), bevel=4))
    return [
        *parts,
        rod(metal, head, (0, 2.85 * r, 0.48 * z), 3),
        box(Paint((190, 30, 30), "tail"), (10, 6, 5), (0, 2.3 * r, -0.98 * z), bevel=1),
    ]


def scooter(rng: Rng) -> list[Part]:
    """A kick scooter or a motor scooter."""
    paint, black, metal = bright(rng, "body"), dark(rng), steel(rng)
    if rng.random() < 0.5:
        r, z, high = rng.uniform(7, 11), 36.0, rng.uniform(75, 100)
        parts = [*wheel(black, metal, (0, r, -z), r, 5, 2), *wheel(black, metal, (0, r, z), r, 5, 2)]
        parts += [box(paint, (12, 3.5, 1.5 * z), (0, r + 1, -4), bevel=1), box(black, (10, 1, 1.2 * z), (0, r + 3, -6))]
        parts += [
            tube(paint, [(0, r + 1, 0.6 * z), (0, r + 8, 0.8 * z), (0, 2.4 * r, 0.92 * z)], 2.4),
            rod(metal, (0, r, z), (0, high, 0.78 * z), 1.9),
        ]
        return [
            *parts,
            *bike_bars(rng, metal, black, np.array((0, high, 0.78 * z)), "flat"),
            tube(metal, [(0, 2.3 * r, -z - 3), (0, 2.2 * r, -z), (0, r + 3, -0.7 * z)], 1.5, 8, flat=2),
        ]
    r, z = 21.0, rng.uniform(56, 66)
    parts = [*wheel(black, metal, (0, r, -z), r, 11, 2), *wheel(black, metal, (0, r, z), r, 11, 2)]
    tail = [
        (-1.35 * z, 42),
        (-1.2 * z, 66),
        (-0.6 * z, 76),
        (-0.18 * z, 70),
        (-0.12 * z, 24),
        (-0.5 * z, 26),
        (-0.7 * z, 42),
        (-1.2 * z, 40),
    ]
    parts.append(extrude(paint, tail, 38, axis="x", bevel=9))
    parts.append(box(paint, (36, 5, 0.7 * z), (0, 22, 0.15 * z), bevel=1.5))
    shield = turned(box(paint, (40, 66, 5), (0, 54, 0.62 * z), bevel=2), -16, "x", (0, 54, 0.62 * z))
    parts += [
        shield,
        cushion(black, (28, 11, 62), (0, 81, -0.6 * z), 0.5),
        ellipsoid(paint, (11, 13, 26), (0, 36, z), 14),
    ]
    parts += [
        rod(metal, (0, r, z), (0, 98, 0.5 * z), 3),
        ellipsoid(paint, (15, 9, 12), (0, 98, 0.54 * z), 14),
        ellipsoid(Paint((245, 240, 210), "lamp"), (8, 8, 5), (0, 99, 0.72 * z), 12),
    ]
    return (
        parts
        + bike_bars(rng, metal, black, np.array((0, 99, 0.48 * z)), "flat")
        + both(rod(metal, (14, 100, 0.45 * z), (22, 116, 0.4 * z), 1.2, sides=6))
    )


def tricycle(rng: Rng) -> list[Part]:
    """A child's tricycle or a cart with a pull bar."""
    paint, black, metal = bright(rng, "body"), dark(rng), steel(rng)
    r, small, z, x = rng.uniform(15, 20), rng.uniform(10, 13), 28.0, rng.uniform(16, 22)
    parts = [*wheel(black, metal, (0, r, z), r, 5, 1)]
    for p in both(wheel(black, metal, (x, small, -z), small, 5, 1)):
        parts.append(p)
    parts += [
        rod(paint, (-x, small, -z), (x, small, -z), 1.6),
        tube(paint, [(0, small, -z), (0, small + 12, -0.4 * z), (0, r * 1.9, 0.7 * z)], 2.2),
    ]
    parts += both(rod(metal, (4, r, z), (3, 2.1 * r, 0.8 * z), 1.3)) + [
        rod(metal, (0, 2 * r, 0.8 * z), (0, 2.9 * r, 0.66 * z), 1.6)
    ]
    parts += bike_bars(rng, metal, black, np.array((0, 2.9 * r, 0.66 * z)), "swept")
    parts += both(box(black, (8, 2.5, 6), (9, r - 5, z + 2), bevel=0.6)) + [rod(metal, (-9, r, z), (9, r, z), 1.1)]
    parts += [
        saddle(black, np.array((0, small + 22, -0.4 * z)), 20),
        rod(paint, (0, small + 8, -0.4 * z), (0, small + 21, -0.4 * z), 1.7),
    ]
    if rng.random() < 0.5:
        parts.append(box(paint, (1.5 * x, 8, 14), (0, small + 6, -z - 2), bevel=1.5))
    return parts


def pram(rng: Rng) -> list[Part]:
    """A pram with a hood or a push chair; the child looks towards +Z."""
    soft, metal, black = cloth(rng), steel(rng, "frame"), dark(rng)
    r, high = rng.uniform(10, 22), rng.uniform(46, 60)
    x, z = 21.0, 34.0
    parts: list[Part] = []
    for s in (-1, 1):
        for t in (-1, 1):
            parts += (
                spoked(black, metal, (s * x, r, t * z), r, 4, 8)
                if r > 14
                else wheel(black, metal, (s * x, r, t * z), r, 5, 0)
            )
    parts += [rod(metal, (-x, r, t * z), (x, r, t * z), 1.3, sides=8) for t in (-1, 1)]
    parts += both(bar(metal, (x - 3, r, z), (x - 3, high, -z * 0.6), 2.2)) + both(
        bar(metal, (x - 3, r, -z), (x - 3, high, z * 0.5), 2.2)
    )
    tub = vessel(soft, [(0.7, 0), (0.92, 0.35), (1, 0.75), (1.02, 1)], 0.09, sides=24)
    tub.vertices[:] = tub.vertices * (20, 27, 40) + (0, high - 6, 0)
    a = np.linspace(0, 0.62 * np.pi, 7)
    parts.append(tub)
    for i, angle in enumerate(a):
        bow = [
            (
                20 * np.cos(b),
                high + 20 + 22 * np.sin(b) * np.sin(angle + 0.2),
                -8 - 30 * np.sin(b) * np.cos(angle + 0.2),
            )
            for b in np.linspace(0, np.pi, 7)
        ]
        parts.append(tube(soft, bow, 5.5 if i else 2, 6))
    push = [(x - 3, high + 4, -z), (x - 2, high + 34, -z - 26), (0, high + 38, -z - 30)]
    return [
        *parts,
        *both(tube(metal, push, 1.5, 8, steps=2)),
        cushion(cloth(rng, "blanket"), (34, 12, 40), (0, high + 18, 12), 0.4),
    ]


def sledge(rng: Rng) -> list[Part]:
    """A sledge, a skateboard or roller skate."""
    paint, metal, black = wood(rng), steel(rng), dark(rng)
    if rng.random() < 0.5:
        line = [(18, 3, -45), (18, 2, 20), (18, 8, 46), (18, 26, 58)]
        parts = both(tube(pick(rng, (paint, metal)), line, 2, 8))
        parts += [
            box(paint, (42, 2.4, 8), (0, 22, z), bevel=0.5) for z in np.linspace(-38, 34, int(rng.integers(4, 8)))
        ]
        for post in (-30, 0, 28):
            parts += both(bar(paint, (18, 3, post), (17, 22, post), 3))
        return [*parts, rod(paint, (-19, 24, 54), (19, 24, 54), 2), *both(bar(paint, (17, 20, -42), (17, 20, 44), 3))]
    deck_paint = bright(rng, "deck")
    long = rng.uniform(34, 46)
    tilt = [(-1, 7), (-0.75, 1), (0.75, 1), (1, 7)]
    outline = [(z * long, 12 + y) for z, y in tilt] + [(z * long, 14 + y) for z, y in tilt[::-1]]
    parts = [extrude(deck_paint, outline, 20, axis="x", bevel=0.5)]
    for z in (-0.55 * long, 0.55 * long):
        parts += moved(
            [box(metal, (12, 5, 6), (0, 9, 0), bevel=1), rod(metal, (-10, 5, 0), (10, 5, 0), 1.4, sides=8)], (0, 0, z)
        )
        parts += both(rod(painted(rng, "wheel"), (7, 5, z), (12, 5, z), 5, sides=14))
    return [*parts, box(black, (18, 0.6, 1.4 * long), (0, 15.2, 0))]
