"""Tools and fittings of house and hall: brushes, locks, extinguishers, swords."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, mirror_outline
from training.families.paints import Rng, bright, dark, painted, pick, steel, wood
from training.families.parts import (
    Paint,
    aimed,
    box,
    ellipsoid,
    extrude,
    lathe,
    moved,
    ring,
    rod,
    torus,
    tube,
    turned,
    vessel,
)
from training.families.tools.grips import RED
from training.shapes import Part


def extinguisher(rng: Rng) -> list[Part]:
    """A fire extinguisher or gas cylinder."""
    paint, black, metal = RED if rng.random() < 0.7 else painted(rng, "red"), dark(rng), steel(rng)
    r, high = rng.uniform(6, 9), rng.uniform(32, 48)
    parts = [
        lathe(
            paint,
            curve([(0.9 * r, 0), (r, 1.5), (r, 0.8 * high), (0.7 * r, 0.94 * high), (0.3 * r, high)], 2),
            sides=24,
        ),
        lathe(black, [(1.02 * r, 0), (1.02 * r, 3)], sides=24),
        rod(metal, (0, high - 1, 0), (0, high + 4, 0), 1.7),
    ]
    parts += [
        tube(black, [(0, high + 3, 0), (5, high + 4, 0), (9, high + 3, 0)], 1, 8),
        tube(black, [(0, high + 5, 0), (5, high + 8, 0), (10, high + 8, 0)], 1, 8),
        rod(metal, (0, high + 2, 0), (0, high + 2, 2.6), 1.5, sides=14),
    ]
    parts += [
        tube(
            black,
            [(-1, high + 2, 0), (-r - 3, high, 0), (-r - 2.4, 0.55 * high, 0), (-r - 1, 0.25 * high, 0)],
            [0.9, 0.9, 0.9, 1.6],
            8,
        ),
        lathe(Paint((240, 235, 220), "label"), [(1.015 * r, 0.35 * high), (1.015 * r, 0.62 * high)], sides=24),
    ]
    return parts


def hydrant(rng: Rng) -> list[Part]:
    """A fire hydrant."""
    paint = pick(rng, (RED, bright(rng, "red"), Paint((225, 185, 40), "red")))
    high, r = rng.uniform(44, 56), rng.uniform(8.5, 11)
    parts = [
        lathe(
            paint,
            [
                (1.5 * r, 0),
                (1.5 * r, 3),
                (1.05 * r, 4),
                (r, 0.68 * high),
                (1.3 * r, 0.7 * high),
                (1.3 * r, 0.75 * high),
                (1.05 * r, 0.84 * high),
                (0.6 * r, 0.94 * high),
                (0.25 * r, 0.97 * high),
                (0.25 * r, 1.05 * high),
            ],
            sides=20,
        )
    ]
    cap = lathe(paint, [(0.55, 0), (0.55, 0.5), (0.72, 0.55), (0.72, 0.85), (0.25, 0.95), (0.25, 1.2)], sides=12)
    for way, size in (((1, 0, 0), 0.62), ((-1, 0, 0), 0.62), ((0, 0, 1), 0.85)):
        part = Part(cap.vertices * r * size, cap.faces, cap.color, cap.material)
        parts.append(aimed(part, way, np.array(way) * 0.85 * r + (0, 0.52 * high, 0)))
    bolt = rod(steel(rng), (0, 2, 1.3 * r), (0, 4.2, 1.3 * r), 0.9, sides=6)
    return [*parts, *ring(bolt, 8)]


def brush(rng: Rng) -> list[Part]:
    """A paint brush, roller, hand brush or tooth brush."""
    grip, metal, hair = painted(rng, "grip"), steel(rng), pick(rng, (dark, wood))(rng, "hair")
    style, w = int(rng.integers(3)), rng.uniform(4, 8)
    if style == 0:
        return [
            tube(grip, [(0, 0, 0), (0, 8, 0), (0, 15, 0), (0, 18, 0)], [0.9, 1.1, 0.8, 1.2], 8, flat=1.4),
            extrude(grip, [(-1.5, 16), (1.5, 16), (w / 2, 21), (-w / 2, 21)], 1.6, bevel=0.3),
            box(metal, (w + 0.2, 4, 1.9), (0, 22, 0)),
            box(hair, (w, 7, 1.5), (0, 27, 0), bevel=0.5),
        ]
    if style == 1:
        return [
            rod(grip, (0, 0, 0), (0, 12, 0), 1.4, 1.1),
            tube(metal, [(0, 11, 0), (0, 19, 0), (10, 20, 0), (10, 26, 0)], 0.5, 6, steps=1),
            rod(hair, (-9, 26, 0), (10.4, 26, 0), 2.6, sides=18),
        ]
    bristle = box(hair, (0.9, 3, 0.9), (0, 0, 0))
    tufts = [moved(bristle, (x, 20 + 1.6 * i, 1.9)) for x in (-1, 0, 1) for i in range(7)]
    return [
        *tufts,
        tube(grip, [(0, 0, 0), (0, 8, 0), (0, 17, 0), (0, 25, 0), (0, 32, 0)], [1.2, 1.4, 0.8, 1.6, 1.4], 8, flat=1.4),
    ]


def broom(rng: Rng) -> list[Part]:
    """A broom, mop or witch's besom."""
    grip, hair = wood(rng, "grip"), pick(rng, (wood, bright, dark))(rng, "hair")
    long = rng.uniform(100, 130)
    style, w = int(rng.integers(3)), rng.uniform(26, 42)
    parts = [rod(grip, (0, 12, 0), (0, long, 0), 1.5)]
    if style == 0:
        return [
            *parts,
            box(grip, (w, 3.4, 6), (0, 12, 0), bevel=0.8),
            *(
                rod(hair, (x, 11, z), (x * 1.06, 0, z * 1.3), 1.5, 1.3, 5)
                for x in np.linspace(-0.46, 0.46, 13) * w
                for z in (-1.6, 1.6)
            ),
        ]
    if style == 1:
        return [
            *parts,
            lathe(hair, curve([(9, 0), (9.6, 6), (5, 18), (2.2, 26)], 3), sides=14),
            *(torus(grip, r, 0.6, (0, y, 0), sides=14) for r, y in ((5, 18), (3.2, 22))),
            *ring(rod(hair, (0, 18, 4), (0, -3, 9.6), 0.9, sides=5), 12),
        ]
    return [
        *parts,
        rod(grip, (-7, 12, 0), (7, 12, 0), 2),
        *(
            tube(hair, [(x * 0.6, 12, 0), (x, 8, z * 3), (x * 1.3, 0, z * 7)], 1.2, 6)
            for x in np.linspace(-9, 9, 7)
            for z in (-1, 1)
        ),
    ]


def sword(rng: Rng) -> list[Part]:
    """A sword or dagger, point up, sometimes a shield."""
    metal, grip, gold = steel(rng), dark(rng, "grip"), Paint((190, 155, 80), "brass")
    long, w = rng.uniform(40, 90), rng.uniform(2.4, 4)
    blade = extrude(
        metal, [(-w, 18), (w, 18), (0.8 * w, 0.9 * long), (0, long + 6), (-0.8 * w, 0.9 * long)], 1.5, bevel=0.5
    )
    guard = tube(
        gold, [(-9, 18.6 + rng.uniform(-2, 3), 0), (0, 18, 0), (9, 18.6 + rng.uniform(-2, 3), 0)], [1.2, 1.5, 1.2], 8
    )
    parts = [blade, guard, rod(grip, (0, 4, 0), (0, 18, 0), 1.3), ellipsoid(gold, (2.2, 2.2, 2.2), (0, 3, 0), 12)]
    if rng.random() < 0.4:
        paint = bright(rng, "shield")
        half = curve([(0, -30), (12, -16), (19, 4), (19, 22), (0, 25)], 3)
        board = extrude(paint, mirror_outline(half), 2.6, bevel=0.7)
        board.vertices[:, 2] -= board.vertices[:, 0] ** 2 * 0.012
        return [
            board,
            *(turned(box(gold, (5, 40, 2), (0, 0, 1.2), bevel=0.4), a, "z") for a in (0, 90)),
            ellipsoid(gold, (4.5, 4.5, 3), (0, 0, 1.6), 14),
        ]
    return parts


def padlock(rng: Rng) -> list[Part]:
    """A padlock, closed or open."""
    paint, metal = pick(rng, (Paint((190, 155, 80), "brass"), steel(rng), painted(rng))), steel(rng, "bow")
    w, high = rng.uniform(7, 9), rng.uniform(6, 9)
    lift = pick(rng, (0.0, 2.5))
    bow = [
        (-0.3 * w, high - 0.5 + lift, 0),
        (-0.3 * w, high + 3 + lift, 0),
        (0, high + 5 + lift, 0),
        (0.3 * w, high + 3 + lift, 0),
        (0.3 * w, high - 0.5, 0),
    ]
    return [
        box(paint, (w, high, 3.4), (0, high / 2, 0), bevel=0.6),
        tube(metal, bow, 0.7, 10),
        rod(dark(rng), (0, 0.5 * high, 1.4), (0, 0.5 * high, 1.9), 0.8),
        box(dark(rng), (0.6, 1.8, 0.5), (0, 0.36 * high, 1.6)),
    ]


def key(rng: Rng) -> list[Part]:
    """An old key."""
    metal = pick(rng, (steel, dark))(rng, "metal")
    bits = [box(metal, (rng.uniform(1.4, 3), 1, 0.7), (1.2, 0.8 + 1.5 * i, 0)) for i in range(int(rng.integers(2, 4)))]
    eye = (
        [torus(metal, 2.2, 0.55, (0, 16, 0), "z", 20)]
        if rng.random() < 0.5
        else [torus(metal, 1.5, 0.5, (x, y, 0), "z", 16) for x, y in ((-1.4, 15.4), (1.4, 15.4), (0, 17.6))]
    )
    return [rod(metal, (0, 0, 0), (0, 14, 0), 0.6), *bits, *eye, torus(metal, 0.75, 0.3, (0, 12.4, 0), sides=12)]


def plunger(rng: Rng) -> list[Part]:
    """A plunger."""
    return [vessel(bright(rng, "rubber"), curve([(7, 0), (7.2, 2), (5.4, 7), (2.2, 9), (1.6, 10)], 2), 0.8)] + [
        rod(wood(rng), (0, 3, 0), (0, rng.uniform(38, 54), 0), 1.3, 1.1)
    ]
