"""Tools of wood, garden and yard. Long ones stand, lean or lie."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, rounded
from training.families.paints import Rng, bright, dark, painted, pick, steel, wood
from training.families.parts import (
    aimed,
    bar,
    both,
    box,
    ellipsoid,
    extrude,
    lathe,
    loft,
    moved,
    rod,
    sheet,
    torus,
    tube,
    turned,
    vessel,
)
from training.families.tools.grips import shaft
from training.families.wheels import wheel
from training.shapes import Part


def axe(rng: Rng) -> list[Part]:
    """A hatchet, felling axe or battle axe."""
    metal, grip = steel(rng), wood(rng, "grip")
    long, w = rng.uniform(32, 75), rng.uniform(8, 13)
    blade = curve(
        [
            (1.2, 2.2),
            (0.6 * w, 2.4),
            (w, 0.42 * w + 1),
            (1.12 * w, 0),
            (w, -0.46 * w - 1),
            (0.6 * w, -2.4),
            (1.2, -2.2),
        ],
        3,
    )
    head = extrude(metal, np.concatenate([blade, [(-2, -2), (-2, 2)]]), 2.2, (0, long - 3, 0), bevel=0.5)
    head.vertices[:, 2] *= np.clip(1.25 - head.vertices[:, 0] / w, 0.25, 1.2)
    parts = [
        tube(
            grip,
            [(2, 0, 0), (0.6, 0.2 * long, 0), (0, 0.6 * long, 0), (0, long, 0)],
            [1.6, 1.3, 1.2, 1.2],
            10,
            flat=0.8,
        ),
        head,
    ]
    if rng.random() < 0.3:
        parts.append(Part(head.vertices * (-1, 1, 1), head.faces[:, ::-1], head.color, head.material))
    return parts


def pickaxe(rng: Rng) -> list[Part]:
    """A pickaxe."""
    metal, grip = steel(rng), wood(rng, "grip")
    long, w = rng.uniform(60, 85), rng.uniform(24, 32)
    return [
        shaft(grip, long, 1.8),
        tube(
            metal,
            [(-w, long - 9, 0), (-0.5 * w, long - 2, 0), (0, long - 0.5, 0), (0.5 * w, long - 2, 0), (w, long - 9, 0)],
            [0.8, 1.9, 2.6, 2, 1.2],
            8,
        ),
        box(metal, (5, 5, 4.6), (0, long - 1, 0), bevel=0.6),
    ]


def shovel(rng: Rng) -> list[Part]:
    """A shovel or spade with a T or D grip."""
    metal, grip = pick(rng, (steel, dark))(rng, "metal"), wood(rng, "grip")
    long, w, high = rng.uniform(60, 105), rng.uniform(18, 26), rng.uniform(24, 32)
    t, s = np.linspace(0, 1, 7)[:, None], np.linspace(-1, 1, 7)[None]
    point = rng.random() < 0.6
    half = w / 2 * (np.sqrt(np.clip(1 - (1 - np.minimum(t * 2, 1)) ** 2, 0.02, 1)) if point else 1 + 0 * t)
    grid = np.stack([half * s, high * t + 0 * s, 3.5 * (s * s) * half / (w / 2) + 3 * (1 - t) ** 2], -1)
    parts = [
        sheet(metal, grid, 1.3),
        rod(grip, (0, high - 6, -0.6), (0, high + long, -5), 1.5, 1.4),
        rod(metal, (0, high - 9, 0.2), (0, high + 10, -0.9), 2.1, 1.7),
    ]
    top = high + long
    if rng.random() < 0.6:
        parts.append(
            tube(
                grip,
                [
                    (0, top - 2, -5),
                    (-5, top + 3, -5.3),
                    (-6, top + 9, -5.6),
                    (6, top + 9, -5.6),
                    (5, top + 3, -5.3),
                    (0, top - 2, -5),
                ],
                1.3,
                8,
                steps=2,
            )
        )
    return parts


def rake(rng: Rng) -> list[Part]:
    """A rake, pitchfork or hoe, tines down."""
    metal, grip = pick(rng, (steel, dark))(rng, "metal"), wood(rng, "grip")
    long = rng.uniform(90, 130)
    parts = [rod(grip, (0, 14, 0), (0, 14 + long, -4), 1.6, 1.5)]
    count, w = int(rng.integers(4, 13)), rng.uniform(22, 42)
    if rng.random() < 0.5:
        parts += [
            box(metal, (w, 2.2, 2), (0, 13, 0), bevel=0.4),
            *(
                tube(metal, [(x, 13, 0), (x, 12, 4), (x, 4, 6)], [1, 0.9, 0.7], 6)
                for x in np.linspace(-0.48, 0.48, count) * w
            ),
        ]
        return [*parts, rod(metal, (0, 12, 0), (0, 24, -0.4), 2)]
    count = int(rng.integers(3, 6))
    tines = [
        tube(metal, [(0, 20, 0), (x * 0.9, 16, 0), (x, 10, 1), (x, -14, 4)], [1.2, 1.1, 1.1, 0.7], 6)
        for x in np.linspace(-10, 10, count)
    ]
    return [*parts, *tines, rod(metal, (0, 16, 0), (0, 28, -0.5), 2)]


def ladder(rng: Rng) -> list[Part]:
    """A straight ladder or a step ladder."""
    paint = pick(rng, (wood, steel, bright))(rng, "wood")
    high, wide, rungs = rng.uniform(90, 240), rng.uniform(34, 46), int(rng.integers(4, 10))
    lean = rng.uniform(8, 22)
    side = [*both(bar(paint, (wide / 2, 0, 0), (wide * 0.45, high, 0), 3, 5))]
    flat = rng.random() < 0.5
    for t in (np.arange(rungs) + 0.7) / (rungs + 0.4):
        x = wide / 2 * (1 - 0.1 * t)
        side.append(
            box(paint, (2 * x, 2.4, 9), (0, t * high, 1))
            if flat
            else rod(paint, (-x, t * high, 0), (x, t * high, 0), 1.7, sides=8)
        )
    if rng.random() < 0.6:
        rear = [
            *both(bar(paint, (wide / 2, 0, 0), (wide * 0.45, high, 0), 3, 4)),
            *(rod(paint, (-wide * 0.47, t * high, 0), (wide * 0.47, t * high, 0), 1.4, sides=8) for t in (0.2, 0.6)),
        ]
        top = box(paint, (wide, 3, 22), (0, high * np.cos(np.radians(lean)) + 1, 0), bevel=0.6)
        return [
            *moved(turned(side, -lean, "x", (0, high, 0)), (0, 0, 0)),
            *turned(rear, lean, "x", (0, high, 0)),
            moved(top, (0, high * (1 - np.cos(np.radians(lean))), 0)),
        ]
    return turned(side, -rng.uniform(0, 20), "x")


def wheelbarrow(rng: Rng) -> list[Part]:
    """A wheelbarrow, its wheel towards +Z."""
    paint, metal, black = bright(rng, "tub"), pick(rng, (steel, wood))(rng, "frame"), dark(rng)
    rings = []
    for w, d, y, z in ((26, 40, 28, 2), (58, 84, 56, 0), (54, 80, 56, 0), (24, 36, 31, 2)):
        loop = rounded(w, d, 7, 3)
        rings.append(np.column_stack([loop[:, 0], y + 0.06 * loop[:, 1] * (y > 40), loop[:, 1] + z]))
    tub = loft(paint, np.array(rings))
    arm = tube(metal, [(24, 44, -92), (22, 36, -50), (16, 26, 10), (5, 17, 56)], 2, 8)
    leg = tube(metal, [(20, 32, -24), (20, 2, -30), (20, 2, -20), (17, 27, 6)], 1.8, 8, steps=2)
    return [
        tub,
        *both([arm, leg, rod(black, (24, 44.5, -94), (23, 40, -74), 2.6)]),
        *wheel(black, metal, (0, 17, 56), 17, 8, 1),
        rod(metal, (-6, 17, 56), (6, 17, 56), 1.6),
    ]


def bucket(rng: Rng) -> list[Part]:
    """A bucket or paint tin with its bow."""
    paint, metal = pick(rng, (steel, painted, wood))(rng, "bucket"), steel(rng)
    r, high = rng.uniform(12, 16), rng.uniform(20, 30)
    parts = [
        vessel(
            paint, [(0.72 * r, 0), (0.76 * r, 0.08 * high), (0.98 * r, 0.97 * high), (1.04 * r, high)], 0.7, sides=28
        ),
        *(torus(metal, (0.74 + 0.25 * t) * r, 0.5, (0, t * high, 0), sides=26) for t in (0.12, 0.6)),
    ]
    a = np.linspace(0, np.pi, 11)
    bow = np.column_stack([1.03 * r * np.cos(a), 0.92 * high + 0 * a, 1.0 * r * np.sin(a)])
    parts.append(turned(tube(metal, bow, 0.5, 6), -pick(rng, (0.0, 60.0, 90.0)), "x", (0, 0.92 * high, 0)))
    if rng.random() < 0.4:
        parts.append(
            lathe(painted(rng, "fill"), [(0.8 * r, 0.6 * high), (0.86 * r, 0.8 * high), (0, 0.82 * high)], sides=24)
        )
    return [*parts, *both(ellipsoid(metal, (0.8, 1.8, 1.6), (1.0 * r, 0.92 * high, 0), 8))]


def watering_can(rng: Rng) -> list[Part]:
    """A watering can or petrol can."""
    paint = pick(rng, (steel, bright))(rng, "can")
    r, high = rng.uniform(9, 12), rng.uniform(16, 24)
    rose = aimed(
        lathe(paint, [(1, 0), (3.6, 3), (3.4, 3.8), (0, 4.2)], sides=16), (0.75, 0.66, 0), (2.3 * r, high * 1.02, 0)
    )
    return [
        vessel(paint, [(r, 0), (r, 0.6 * high), (0.9 * r, high)], 0.6),
        tube(
            paint, [(0.9 * r, 0.15 * high, 0), (1.6 * r, 0.5 * high, 0), (2.35 * r, 1.05 * high, 0)], [2.1, 1.4, 1.1], 8
        ),
        rose,
        tube(
            paint,
            [(-0.9 * r, 0.2 * high, 0), (-1.7 * r, 0.7 * high, 0), (-1.1 * r, 1.4 * high, 0), (0.7 * r, high, 0)],
            0.9,
            8,
        ),
    ]


def lawn_mower(rng: Rng) -> list[Part]:
    """A lawn mower with a push bar."""
    paint, black, metal = bright(rng, "deck"), dark(rng), steel(rng)
    parts = [
        extrude(paint, rounded(44, 62, 14), 12, (0, 14, 0), "y", bevel=3),
        lathe(black, [(13, 19), (14, 27), (11, 33), (5, 35), (0, 35)], (0, 0, 4), 20),
        box(paint, (16, 7, 14), (0, 24, 22), bevel=2),
    ]
    parts += [p for z, r in ((22, 9), (-22, 11)) for p in both(wheel(black, metal, (25, r, z), r, 6, 0))]
    parts += both(tube(metal, [(18, 18, -22), (18, 52, -62), (16, 84, -92), (0, 86, -94)], 1.6, 8, steps=2))
    return [*parts, box(black, (34, 24, 30), (0, 26, -40), bevel=5)] if rng.random() < 0.5 else parts
