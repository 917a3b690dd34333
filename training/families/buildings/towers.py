"""Towers, castles, mills and other tall buildings; doors face +Z."""

from __future__ import annotations

import numpy as np

from training.families.buildings.houses import roof_paint, wall_paint
from training.families.outlines import curve
from training.families.paints import Rng, bright, cream, dark, glass, muted, painted, pick, steel, stone, white, wood
from training.families.parts import Paint, bar, both, box, ellipsoid, extrude, lathe, moved, ring, rod, torus, turned
from training.shapes import Part


def merlons(paint: Paint, radius: float, y: float, size: float, count: int) -> list[Part]:
    """Battlements on a round wall."""
    return ring(box(paint, (size, 1.4 * size, 0.6 * size), (0, y + 0.7 * size, radius)), count)


def tower(rng: Rng) -> list[Part]:
    """A round or square tower with battlements or a pointed roof; or a skyscraper."""
    wall, roof = pick(rng, (stone, muted, cream))(rng, "wall"), roof_paint(rng)
    style, r, high = pick(rng, ("round", "square", "sky")), rng.uniform(22, 34), rng.uniform(110, 200)
    hole = dark(rng, "hole")
    if style == "sky":
        parts, y, w = [], 0.0, 2 * r
        for _ in range(int(rng.integers(2, 5))):
            step = rng.uniform(0.25, 0.6) * high
            parts += [box(wall, (w, step, w), (0, y + step / 2, 0)), box(roof, (w + 2, 3, w + 2), (0, y + step, 0))]
            parts += [
                box(glass(rng), (w * 0.1, step * 0.86, w + 1), (x * w, y + step / 2, 0))
                for x in (-0.36, -0.12, 0.12, 0.36)
            ]
            parts += [
                box(glass(rng), (w + 1, step * 0.86, w * 0.1), (0, y + step / 2, x * w)) for x in (-0.3, 0.0, 0.3)
            ]
            y, w = y + step, w * rng.uniform(0.6, 0.85)
        return [*parts, rod(steel(rng), (0, y, 0), (0, y + 40, 0), 2, 0.8)]
    sides = 24 if style == "round" else 4
    turn = 0.0
    parts = [
        lathe(wall, [(1.15 * r, 0), (r, 8), (0.92 * r, high), (1.12 * r, high + 6), (1.12 * r, high + 14)], sides=sides)
    ]
    parts += (
        merlons(wall, 1.02 * r * (1 if sides > 4 else 0.72), high + 13, 9, 12)
        if sides > 4
        else [
            box(wall, (8, 12, 8), (x * 0.7 * r, high + 18, z * 0.7 * r))
            for x in (-1, 0, 1)
            for z in (-1, 0, 1)
            if x or z
        ]
    )
    if rng.random() < 0.5:
        parts.append(
            lathe(
                roof,
                [(1.2 * r, high + 12), (0.4 * r, high + 12 + 1.2 * r), (0, high + 12 + rng.uniform(1.6, 2.8) * r)],
                sides=sides,
            )
        )
    flat = 0.96 * r * (1 if sides > 4 else 0.707)
    parts += [
        turned(box(hole, (5, 14, 3), (0, y * high, flat - 0.4)), turn + a)
        for y, a in ((0.4, 0), (0.75, 0), (0.6, 90), (0.8, 180), (0.5, 270))
    ]
    return [
        *parts,
        box(wood(rng, "door"), (14, 24, 4), (0, 12, 1.06 * flat)),
        rod(dark(rng), (0, high, 0), (0, high + 60, 0), 1),
    ]


def castle(rng: Rng) -> list[Part]:
    """Four towers, walls, a gate house and a keep."""
    wall, roof = stone(rng, "wall"), roof_paint(rng)
    half, r, high = rng.uniform(70, 100), rng.uniform(15, 21), rng.uniform(60, 90)
    cone = rng.random() < 0.6
    one = [
        lathe(wall, [(1.1 * r, 0), (r, 6), (r, high), (1.2 * r, high + 5), (1.2 * r, high + 12)], (half, 0, half), 14)
    ]
    one += (
        [lathe(roof, [(1.3 * r, high + 11), (0, high + 11 + 2.2 * r)], (half, 0, half), 14)]
        if cone
        else moved(merlons(wall, r, high + 11, 6, 8), (half, 0, half))
    )
    parts = ring(one, 4)
    parts += ring(
        [
            box(wall, (2 * half, 0.6 * high, 10), (0, 0.3 * high, half)),
            *(box(wall, (9, 8, 10), (x * half, 0.6 * high + 4, half)) for x in np.linspace(-0.66, 0.66, 5)),
        ],
        4,
    )
    parts += [
        box(wall, (44, 0.85 * high, 26), (0, 0.42 * high, half + 4)),
        box(wood(rng, "door"), (22, 0.45 * high, 4), (0, 0.22 * high, half + 17)),
        box(wall, (0.8 * half, 1.4 * high, 0.8 * half), (0, 0.7 * high, -0.3 * half)),
    ]
    return [
        *parts,
        rod(roof, (0, 1.4 * high, -0.3 * half), (0, 1.4 * high + 0.6 * half, -0.3 * half), 0.58 * half, 0, 4),
    ]


def windmill(rng: Rng) -> list[Part]:
    """A windmill with four sails towards +Z, or a modern turbine."""
    wall, roof, sail = wall_paint(rng), roof_paint(rng), wood(rng, "sail")
    if rng.random() < 0.3:
        paint = white(rng)
        blade = extrude(paint, [(-3, 0), (3, 0), (4.4, 14), (1.4, 84), (-1, 84)], 2.4)
        return [
            rod(paint, (0, 0, 0), (0, 180, 0), 6, 3.4),
            box(paint, (10, 10, 26), (0, 183, 0), bevel=3),
            ellipsoid(paint, (5, 5, 6), (0, 183, 15), 12),
            *(moved(turned(blade, 120 * i + 15, "z"), (0, 183, 15)) for i in range(3)),
        ]
    high = rng.uniform(90, 120)
    parts = [
        lathe(wall, [(34, 0), (22, high)], sides=pick(rng, (8, 20))),
        lathe(roof, curve([(24, high), (21, high + 12), (8, high + 24), (0, high + 26)], 2), sides=16),
    ]
    arm = [
        box(sail, (3, 84, 2.4), (0, 44, 0)),
        *(box(sail, (18, 1.8, 1.8), (8, y, 0)) for y in np.linspace(18, 84, 8)),
        box(sail, (1.8, 68, 1.8), (16, 51, 0)),
        box(cream(rng, "canvas"), (14, 66, 1.5), (9, 51, 0)),
    ]
    parts += [moved(p, (0, high + 8, 30)) for i in range(4) for p in turned(arm, 90 * i + 20, "z")]
    parts += [
        rod(dark(rng), (0, high + 8, 0), (0, high + 8, 33), 4),
        box(wood(rng, "door"), (16, 28, 4), (0, 14, 31)),
        *(box(glass(rng), (9, 12, 4), (0, y, 34 - y * 0.11 - 1)) for y in (48, 76)),
    ]
    return parts


def lighthouse(rng: Rng) -> list[Part]:
    """A lighthouse with bands, gallery and lamp."""
    base, band, dark_paint = white(rng, "wall"), bright(rng, "band"), dark(rng)
    r, high, count = rng.uniform(20, 28), rng.uniform(120, 180), int(rng.integers(3, 7))
    parts = [
        lathe(
            base if i % 2 else band,
            [(r * (1 - 0.4 * i / count), high * i / count), (r * (1 - 0.4 * (i + 1) / count), high * (i + 1) / count)],
            sides=24,
        )
        for i in range(count)
    ]
    parts += [
        lathe(dark_paint, [(0.85 * r, high), (0.9 * r, high + 4)], sides=24),
        lathe(Paint((245, 235, 170), "light"), [(0.45 * r, high + 3), (0.45 * r, high + 22)], sides=12),
        lathe(band, [(0.6 * r, high + 21), (0.3 * r, high + 32), (0, high + 37)], sides=20),
    ]
    parts += [
        torus(dark_paint, 0.86 * r, 1, (0, high + 13, 0), sides=24),
        *ring(rod(dark_paint, (0, high + 3, 0.86 * r), (0, high + 13, 0.86 * r), 0.9, sides=6), 10),
    ]
    return [
        *parts,
        box(dark_paint, (12, 22, 4), (0, 11, r - 1)),
        lathe(stone(rng), [(1.9 * r, -10), (1.4 * r, 0)], sides=12),
        *(box(dark_paint, (5, 8, 3), (0, y * high, r * (1 - 0.4 * y)), bevel=0.4) for y in (0.4, 0.7)),
    ]


def column(rng: Rng) -> list[Part]:
    """A classical column, obelisk or plinth with a ball or urn."""
    paint = pick(rng, (white, stone, cream))(rng, "stone")
    high, r = rng.uniform(90, 170), rng.uniform(11, 17)
    if rng.random() < 0.3:
        return [
            box(paint, (3.4 * r, 12, 3.4 * r), (0, 6, 0), bevel=1),
            box(paint, (2.4 * r, 22, 2.4 * r), (0, 22, 0), bevel=1),
            turned(lathe(paint, [(1.5 * r, 30), (0.9 * r, high), (0, high + 16)], sides=4), 0),
        ]
    shaft = lathe(paint, curve([(r, 14), (r, 0.4 * high), (0.84 * r, high)], 4), sides=32)
    v = shaft.vertices
    v[:, [0, 2]] *= (1 - 0.05 * (np.arange(len(v)) % 2))[:, None]
    parts = [
        shaft,
        box(paint, (3 * r, 7, 3 * r), (0, 3.5, 0)),
        torus(paint, 1.05 * r, 3, (0, 9, 0), sides=24),
        torus(paint, 0.95 * r, 2, (0, 13, 0), sides=24),
        lathe(paint, [(0.84 * r, high), (1.3 * r, high + 6)], sides=20),
        box(paint, (2.8 * r, 6, 2.8 * r), (0, high + 9, 0)),
    ]
    if rng.random() < 0.5:
        parts += both(rod(paint, (1.35 * r, high + 3, -1.3 * r), (1.35 * r, high + 3, 1.3 * r), 4.6))
    return parts


def water_tower(rng: Rng) -> list[Part]:
    """A tank on four legs."""
    paint, metal = painted(rng, "tank"), pick(rng, (dark, wood, steel))(rng, "frame")
    r, high, tall = rng.uniform(30, 40), rng.uniform(70, 110), rng.uniform(44, 64)
    legs = ring(
        [
            rod(metal, (0.95 * r, 0, 0), (0.7 * r, high, 0), 3),
            bar(metal, (0.9 * r, 0.2 * high, 0), (0, 0.8 * high, 0.75 * r), 2.4),
        ],
        4,
        45,
    )
    return [
        lathe(paint, [(r, high), (r, high + tall)], sides=24),
        lathe(metal, [(1.1 * r, high + tall), (0, high + tall + 0.6 * r)], sides=24),
        *(torus(metal, r, 1.3, (0, high + t * tall, 0), sides=24) for t in (0.1, 0.5, 0.9)),
        *legs,
        lathe(metal, [(1.15 * r, high - 3), (1.15 * r, high)], sides=24),
    ]
