"""Small objects of the kitchen: cutlery, blocks, scales, toasters, mixers, candles."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, mirror_outline, rounded
from training.families.paints import Rng, brass, ceramic, cream, dark, glass, painted, pick, steel, white, wood
from training.families.parts import (
    Paint,
    both,
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
from training.shapes import Part


def spoon(paint: Paint, grip: Paint) -> list[Part]:
    """A spoon standing upright, its hollow towards +Z."""
    bowl = ellipsoid(paint, (2.2, 3.4, 0.7), (0, 16, 0.1), 14, rings=8)
    return [bowl, tube(grip, [(0, 13.4, 0), (0, 9, 0.4), (0, 4, 0.1), (0, 0, 0.3)], [0.5, 0.4, 0.55, 0.8], 8, flat=1.6)]


def fork(paint: Paint, grip: Paint) -> list[Part]:
    """A fork standing upright."""
    parts = [box(paint, (0.42, 5, 0.45), (x, 17.5, 0.2), bevel=0.1) for x in (-1.2, -0.4, 0.4, 1.2)]
    head = extrude(
        paint, mirror_outline([(0, 12.6), (0.5, 12.6), (1.4, 14), (1.42, 15.6), (0, 15.6)]), 0.45, (0, 0, 0.1)
    )
    return [
        *parts,
        head,
        tube(grip, [(0, 13, 0), (0, 9, 0.4), (0, 4, 0.1), (0, 0, 0.3)], [0.5, 0.4, 0.55, 0.8], 8, flat=1.6),
    ]


def knife(paint: Paint, grip: Paint) -> list[Part]:
    """A knife standing upright."""
    blade = extrude(paint, [(-0.9, 10), (0.9, 10), (1.1, 12), (0.9, 17), (-0.5, 21.5), (-0.9, 20)], 0.35, bevel=0.1)
    return [blade, tube(grip, [(0, 10.4, 0), (0, 5, 0), (0, 0, 0)], [0.75, 0.85, 0.95], 8, flat=0.7)]


def cutlery(rng: Rng) -> list[Part]:
    """Fork, spoon, knife or whole sets; upright as in a shop picture, or lying."""
    paint = pick(rng, (steel, steel, brass, wood))(rng, "metal")
    grip = paint if rng.random() < 0.6 else pick(rng, (wood, dark, painted))(rng, "grip")
    makers = [spoon, fork, knife, cleaver, whisk, spatula]
    order = rng.permutation(len(makers))[: int(rng.integers(1, 4))]
    parts: list[Part] = []
    for i, which in enumerate(order):
        parts += moved(makers[which](paint, grip), (i * 5.5, 0, 0))
    return turned(parts, -90, "x") if rng.random() < 0.3 else parts


def cleaver(paint: Paint, grip: Paint) -> list[Part]:
    """A broad kitchen knife."""
    blade = extrude(paint, [(-1, 10), (3.6, 10), (3.8, 20), (-0.4, 21), (-1, 20.6)], 0.4, bevel=0.1)
    return [
        blade,
        box(grip, (2, 10, 1.4), (0, 5.4, 0), bevel=0.5),
        *(rod(paint, (0, y, -0.8), (0, y, 0.8), 0.3) for y in (3, 8)),
    ]


def whisk(paint: Paint, grip: Paint) -> list[Part]:
    """Wire loops on a handle."""
    loop = tube(paint, [(0.3, 10, 0), (2.3, 16, 0), (0, 21, 0), (-2.3, 16, 0), (-0.3, 10, 0)], 0.22, 6)
    return [*ring(loop, 3)[:3], rod(grip, (0, 0, 0), (0, 11, 0), 0.9, 0.7)]


def spatula(paint: Paint, grip: Paint) -> list[Part]:
    """A slotted turner or ladle-like spatula."""
    blade = extrude(paint, rounded(5, 7, 1.2), 0.4, (0, 19, 0.4), bevel=0.1)
    slots = [box(Paint((60, 60, 60), "slot"), (0.6, 4, 0.55), (x, 19, 0.4)) for x in (-1.4, 0, 1.4)]
    return [blade, *slots, tube(grip, [(0, 16, 0.3), (0, 10, 0), (0, 0, 0)], [0.4, 0.5, 0.9], 8, flat=1.4)]


def place_setting(rng: Rng) -> list[Part]:
    """A plate between knife and fork."""
    paint, metal = ceramic(rng), steel(rng)
    r = rng.uniform(11, 14)
    parts = [
        lathe(paint, [(0.55 * r, 0), (0.7 * r, 0.5), (r, 1.4), (0.98 * r, 2), (0.68 * r, 1.1), (0, 0.9)], sides=32)
    ]
    for tool, x in ((fork, -r - 3.5), (knife, r + 3.5)):
        parts += moved(turned(tool(metal, metal), -90, "x"), (x, 0.6, 10))
    if rng.random() < 0.5:
        parts.append(lathe(paint, [(4, 1), (7, 5), (6.6, 5), (3.6, 1.6), (0, 1.6)], sides=24))
    return parts


def knife_block(rng: Rng) -> list[Part]:
    """A leaning wooden block with handles sticking out."""
    paint, grip, metal = wood(rng), pick(rng, (dark, wood, steel))(rng, "grip"), steel(rng)
    width, depth, high = rng.uniform(9, 14), rng.uniform(9, 13), rng.uniform(18, 24)
    parts = [box(paint, (width, high, depth), (0, high / 2, 0), bevel=0.6)]
    columns, rows = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    for i in range(columns):
        for j in range(rows):
            x, z = (i - (columns - 1) / 2) * width / columns, (j - (rows - 1) / 2) * depth / rows
            long = rng.uniform(7, 11)
            parts.append(box(grip, (1.5, long, 2.4), (x, high + long / 2 + 0.8, z), bevel=0.4))
            parts.append(box(metal, (1.5, 1.2, 2.2), (x, high + 0.5, z)))
    parts = turned(parts, rng.uniform(10, 30), "x", (0, 0, depth / 2))
    low = min(p.vertices[:, 1].min() for p in parts)
    parts.append(box(paint, (width, 2, depth * 1.5), (0, low + 1, depth * 0.1), bevel=0.4))
    return parts


def candle(rng: Rng) -> list[Part]:
    """A candle on a holder, or a branched candelabrum."""
    metal, wax = pick(rng, (brass, steel, dark, ceramic))(rng, "metal"), pick(rng, (cream, painted))(rng, "wax")
    arms = pick(rng, (0, 0, 2, 4))
    high = rng.uniform(8, 26) if arms == 0 else rng.uniform(20, 34)
    foot = rng.uniform(4.5, 7)
    column = np.array(
        [
            (1, 0),
            (1, 0.03),
            (0.5, 0.1),
            (0.14, 0.2),
            (0.26, 0.35),
            (0.12, 0.5),
            (0.2, 0.75),
            (0.12, 0.88),
            (0.42, 0.95),
            (0.4, 1),
        ]
    )
    parts = [lathe(metal, column * (foot, high))]
    spots = [(0.0, high, 0.0)]
    for i in range(arms):
        a = 2 * np.pi * i / arms
        c, s = np.cos(a), np.sin(a)
        reach = rng.uniform(8, 11) if i == 0 else float(np.hypot(spots[-1][0], spots[-1][2]))
        line = [
            (0, 0.6 * high, 0),
            (0.5 * reach * c, 0.5 * high, 0.5 * reach * s),
            (reach * c, 0.65 * high, reach * s),
            (reach * c, 0.85 * high, reach * s),
        ]
        parts.append(tube(metal, line, 0.6, 8))
        spots.append((reach * c, 0.85 * high, reach * s))
    tall = rng.uniform(6, 16)
    for x, y, z in spots:
        parts.append(lathe(metal, [(0.6, y - 0.6), (1.9, y + 0.2), (1.9, y + 0.6), (0.5, y + 0.5)], (x, 0, z), 14))
        parts.append(rod(wax, (x, y, z), (x, y + tall, z), 1.1, 1.0))
        parts.append(ellipsoid(Paint((255, 190, 80), "flame"), (0.5, 1.3, 0.5), (x, y + tall + 1.2, z), 8, rings=5))
    return parts


def kitchen_scale(rng: Rng) -> list[Part]:
    """A scale with a dial and a bowl or plate on top."""
    paint, metal = painted(rng, "body"), steel(rng)
    width, high, depth = rng.uniform(16, 22), rng.uniform(12, 20), rng.uniform(12, 18)
    half = [(0, 0), (width / 2, 0), (width * 0.45, 0.3 * high), (width * 0.3, high), (0, high)]
    parts = [extrude(paint, mirror_outline(half), depth, bevel=0.6)]
    r = 0.3 * high
    parts.append(
        rod(white(rng, "dial"), (0, 0.48 * high, depth / 2 - 0.3), (0, 0.48 * high, depth / 2 + 0.6), r, sides=24)
    )
    parts.append(torus(metal, r, 0.4, (0, 0.48 * high, depth / 2 + 0.4), "z", 24))
    needle = box(dark(rng), (0.4, r * 0.8, 0.3), (0, 0.48 * high + r * 0.3, depth / 2 + 0.8))
    parts += [
        turned(needle, rng.uniform(-90, 90), "z", (0, 0.48 * high, 0)),
        rod(metal, (0, high - 0.5, 0), (0, high + 2, 0), 1.6),
    ]
    if rng.random() < 0.6:
        wide = rng.uniform(10, 13)
        parts.append(
            vessel(metal, curve([(0.4 * wide, high + 2), (0.8 * wide, high + 4), (wide, high + 8)], 3), 0.5, sides=28)
        )
    else:
        parts.append(box(metal, (width, 1.2, depth * 1.1), (0, high + 2.4, 0), bevel=0.4))
    return parts


def toaster(rng: Rng) -> list[Part]:
    """A toaster with slots, a lever and slices."""
    paint, black = pick(rng, (steel, painted, white))(rng, "body"), dark(rng)
    width, high, depth = rng.uniform(24, 36), rng.uniform(16, 20), rng.uniform(14, 20)
    outline = rounded(depth, high, rng.uniform(2, 6))
    parts = [extrude(paint, outline, width - 3, (0, high / 2 + 1.5, 0), "x", bevel=1)]
    ends = extrude(black, outline * 1.02, 1.8, (width / 2 - 1.2, high / 2 + 1.5, 0), "x", bevel=0.5)
    parts += both(ends)
    parts += both(box(black, (3, 2, depth * 0.8), (width * 0.36, 0.8, 0), bevel=0.4))
    bread = Paint((205, 150, 90), "bread")
    for z in (-0.2 * depth, 0.2 * depth):
        parts.append(box(black, (0.7 * width, 0.5, 2.6), (0, high + 1.4, z)))
        if rng.random() < 0.6:
            parts.append(extrude(bread, rounded(0.45 * width, 8, 2), 1.8, (0, high + 1, z), bevel=0.4))
    parts.append(box(black, (2.4, 1.6, 3), (width / 2 + 1, high * 0.75, 0), bevel=0.4))
    parts.append(rod(steel(rng), (width / 2 - 0.4, high * 0.35, 0), (width / 2 + 1.2, high * 0.35, 0), 1.6))
    return turned(parts, 90) if rng.random() < 0.3 else parts


def mixer(rng: Rng) -> list[Part]:
    """A stand mixer seen from the side, or a blender."""
    paint, metal = painted(rng, "body"), steel(rng)
    if rng.random() < 0.4:
        r, high = rng.uniform(6, 8), rng.uniform(18, 26)
        parts = [lathe(paint, curve([(r * 1.15, 0), (r * 1.15, 3), (r * 0.8, 10), (r * 0.75, 12)], 2))]
        parts.append(
            lathe(glass(rng), [(r * 0.6, 12), (r * 0.65, 13), (r, 12 + high), (r * 0.95, 12 + high)], sides=12)
        )
        parts.append(
            lathe(
                dark(rng),
                [(r * 1.03, 12 + high), (r * 0.95, 14 + high), (r * 0.3, 14.5 + high), (r * 0.3, 16 + high)],
                sides=20,
            )
        )
        parts.append(
            tube(
                glass(rng), [(-r * 0.9, 9 + high, 0), (-r - 4, 8 + high, 0), (-r - 3, 16, 0), (-r * 0.7, 15, 0)], 0.8, 8
            )
        )
        parts += [rod(metal, (x, 4.5, r * 1.0), (x, 4.5, r * 1.25), 0.9) for x in (-2.6, 0, 2.6)]
        return parts
    parts = [extrude(paint, rounded(34, 20, 8), 3, (2, 1.5, 0), "y", bevel=1)]
    parts.append(tube(paint, [(-10, 2, 0), (-11, 14, 0), (-8, 24, 0)], [5.5, 4.2, 5], 12))
    parts.append(
        tube(paint, [(-15, 28, 0), (-8, 29, 0), (4, 28.5, 0), (15, 27, 0), (18, 26.6, 0)], [4, 6, 6, 5, 3], 14)
    )
    parts += [torus(metal, 4.8, 0.5, (15, 27, 0), "x", 20), rod(metal, (9, 24, 0), (9, 14, 0), 1)]
    r = rng.uniform(9, 11)
    parts.append(vessel(metal, curve([(0.55 * r, 3), (0.8 * r, 6), (r, 12), (1.02 * r, 18)], 3), 0.5, (9, 0, 0), 24))
    parts.append(tube(metal, [(9 + r, 15, 0), (14 + r, 14, 0), (13 + r, 8, 0), (9 + 0.8 * r, 8, 0)], 0.6, 8))
    parts.append(rod(dark(rng), (-6, 28, 5.4), (-6, 28, 7), 1.2))
    return turned(parts, pick(rng, (0, 0, -90, 180)))


def coffee_machine(rng: Rng) -> list[Part]:
    """A filter machine with a can, or an espresso machine."""
    paint, metal, black = pick(rng, (dark, steel, painted))(rng, "body"), steel(rng), dark(rng)
    width, high, depth = rng.uniform(18, 30), rng.uniform(28, 36), rng.uniform(20, 26)
    parts = [box(paint, (width, high, depth * 0.4), (0, high / 2, -depth * 0.3), bevel=1.2)]
    parts.append(box(paint, (width, 0.3 * high, depth), (0, 0.85 * high, 0), bevel=1.5))
    parts.append(box(paint, (width, 0.1 * high, depth), (0, 0.05 * high, 0), bevel=0.8))
    if rng.random() < 0.5:
        r = min(width, depth) * 0.33
        can = curve([(0.8 * r, 0), (r, 3), (0.95 * r, 8), (0.6 * r, 0.52 * high)], 2) + np.array((0, 0.1 * high))
        parts += [
            lathe(glass(rng), can, (0, 0, 0.15 * depth)),
            rod(black, (0, 0.62 * high, 0.15 * depth), (0, 0.66 * high, 0.15 * depth), 0.65 * r),
        ]
        parts.append(
            tube(
                black,
                [
                    (r * 0.6, 0.55 * high, 0.2 * depth),
                    (r + 4, 0.52 * high, 0.24 * depth),
                    (r * 0.9, 0.2 * high, 0.2 * depth),
                ],
                0.9,
                8,
            )
        )
    else:
        parts.append(rod(metal, (0, 0.62 * high, 0.15 * depth), (0, 0.72 * high, 0.15 * depth), 3))
        parts.append(
            tube(
                black,
                [(0, 0.64 * high, 0.15 * depth), (0, 0.62 * high, 0.5 * depth), (0, 0.6 * high, 0.75 * depth)],
                [1, 1.1, 1.3],
                8,
            )
        )
        parts.append(
            tube(
                metal,
                [
                    (0.36 * width, 0.7 * high, 0.4 * depth),
                    (0.4 * width, 0.5 * high, 0.5 * depth),
                    (0.36 * width, 0.3 * high, 0.5 * depth),
                ],
                0.6,
                8,
            )
        )
        parts.append(
            vessel(
                white(rng, "cup"),
                [(2, 0.1 * high), (3, 0.1 * high + 2), (3.2, 0.1 * high + 5)],
                0.4,
                (0, 0, 0.2 * depth),
                16,
            )
        )
    parts += [
        rod(metal, (x * width, 0.87 * high, depth / 2 - 0.4), (x * width, 0.87 * high, depth / 2 + 0.9), 1.4)
        for x in (-0.25, 0, 0.25)
    ]
    return parts


def grater(rng: Rng) -> list[Part]:
    """A box grater with a bow, or a sieve with a handle."""
    metal, grip = steel(rng), painted(rng, "grip")
    if rng.random() < 0.5:
        w, d, high = rng.uniform(9, 12), rng.uniform(6, 8), rng.uniform(18, 24)
        parts = [turned(rod(metal, (0, 0, 0), (0, high, 0), d, 0.7 * d, 4), 0)]
        parts[0].vertices[:, 0] *= w / d
        for i in range(4):
            parts += [
                ellipsoid(
                    metal,
                    (0.6, 0.5, 0.5),
                    (x * (1 - 0.05 * i), 4 + i * 3.6, d * 0.7 * (1 - 0.3 * (4 + i * 3.6) / high)),
                    6,
                    rings=3,
                )
                for x in (-3, -1, 1, 3)
            ]
        return [
            *parts,
            tube(
                grip,
                [(-w * 0.4, high, 0), (-w * 0.35, high + 5, 0), (w * 0.35, high + 5, 0), (w * 0.4, high, 0)],
                0.9,
                8,
            ),
        ]
    r = rng.uniform(8, 11)
    parts = [
        vessel(metal, curve([(0.2 * r, 0), (0.7 * r, 0.15 * r), (0.95 * r, 0.5 * r), (r, 0.75 * r)], 3), 0.4, sides=24)
    ]
    parts += [
        torus(metal, r, 0.5, (0, 0.75 * r, 0), sides=24),
        tube(grip, [(-r, 0.75 * r, 0), (-r - 14, 0.8 * r, 0)], [0.7, 1], 8),
    ]
    return parts


def rolling_pin(rng: Rng) -> list[Part]:
    """A rolling pin, a mortar, or a cutting board with a knife."""
    paint = wood(rng)
    kind = int(rng.integers(3))
    if kind == 0:
        pin = lathe(
            paint,
            [
                (0.4, -21),
                (1.3, -20),
                (1.5, -16),
                (0.9, -13),
                (0.9, -12),
                (3, -11.6),
                (3, 11.6),
                (0.9, 12),
                (0.9, 13),
                (1.5, 16),
                (1.3, 20),
                (0.4, 21),
            ],
        )
        return [turned(turned(pin, 90, "z"), rng.uniform(-40, 40))]
    if kind == 1:
        stone = ceramic(rng)
        r = rng.uniform(6, 8)
        bowl = vessel(stone, curve([(0.7 * r, 0), (0.6 * r, 1.5), (0.9 * r, 5), (r, 9)], 3), 1.1, sides=24)
        return [bowl, tube(paint, [(1, 4, 0), (4, 11, 1), (7, 17, 2)], [1.9, 1.1, 1.4], 10)]
    width, depth = rng.uniform(28, 40), rng.uniform(20, 26)
    parts = [extrude(paint, rounded(width, depth, 2.5), 2, (0, 1, 0), "y", bevel=0.4)]
    parts += turned(moved(turned(knife(steel(rng), dark(rng, "grip")), 90, "z"), (10, 2.6, 0)), 25)
    food = painted(rng, "food")
    return parts + [
        ellipsoid(food, (2.6, 2.4, 2.6), (x, 4, -5), 12, rings=7) for x in (-6.0, 0.0)[: int(rng.integers(1, 3))]
    ]
