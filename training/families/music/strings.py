"""Instruments with strings; the strings face +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, mirror_outline
from training.families.paints import Rng, brass, bright, dark, pick, steel, white, wood
from training.families.parts import Paint, aimed, both, box, ellipsoid, extrude, lathe, moved, rod, torus, tube, turned
from training.shapes import Part


def posed(rng: Rng, parts: list[Part]) -> list[Part]:
    """Upright, leaning back or tilted to a side."""
    return turned(turned(parts, -pick(rng, (0.0, 0.0, 12.0)), "x"), pick(rng, (0.0, 0.0, rng.uniform(-40, 40))), "z")


def neck(rng: Rng, paint: Paint, low: float, long: float, wide: float, depth: float, strings: int) -> list[Part]:
    """A neck with frets, nut, head and pegs, from y = low upwards."""
    board, metal = dark(rng, "board"), steel(rng)
    parts = [
        box(paint, (wide, long, depth), (0, low + long / 2, 0), bevel=0.3 * depth),
        box(board, (wide * 0.96, long + 8, 0.8), (0, low + long / 2 - 4, depth / 2 + 0.3)),
    ]
    parts += [
        box(metal, (wide * 0.96, 0.35, 0.6), (0, low + long * (1 - 0.944**i), depth / 2 + 0.7)) for i in range(1, 13)
    ]
    top = low + long
    head = [(-wide / 2, 0), (wide / 2, 0), (0.9 * wide, 4), (0.8 * wide, 15), (-0.8 * wide, 15), (-0.9 * wide, 4)]
    parts.append(turned(extrude(paint, head, 1.8, (0, top, 0), bevel=0.3), -10, "x", (0, top, 0)))
    for i in range(strings // 2):
        y = top + 4.5 + i * 9 / max(strings // 2 - 1, 1)
        parts += both(
            [
                rod(metal, (0.8 * wide, y, -1), (1.25 * wide, y, -1), 0.5, sides=8),
                ellipsoid(white(rng, "peg"), (0.9, 1.2, 0.6), (1.35 * wide, y, -1), 8, rings=4),
            ]
        )
    return parts


def body_outline(high: float, wide: float, waist: float) -> np.ndarray:
    """A guitar's or violin's body, its foot at y = 0."""
    half = [
        (0, 0),
        (0.3, 0.02),
        (0.48, 0.14),
        (0.5, 0.28),
        (0.4 * waist + 0.08, 0.52),
        (0.36, 0.72),
        (0.34, 0.88),
        (0.2, 0.98),
        (0, 1),
    ]
    return mirror_outline(curve(np.array(half) * (wide, high), 3))


def guitar(rng: Rng) -> list[Part]:
    """An acoustic or electric guitar, bass or ukulele."""
    paint, dark_paint, metal = (wood(rng, "body") if rng.random() < 0.5 else bright(rng, "body")), dark(rng), steel(rng)
    high, wide = rng.uniform(38, 50), rng.uniform(29, 39)
    electric = rng.random() < 0.5
    depth = rng.uniform(3.6, 5) if electric else rng.uniform(8, 11)
    if electric and rng.random() < 0.6:
        style = pick(
            rng,
            (
                [
                    (-8, 0),
                    (8, 0),
                    (17, 6),
                    (16, 16),
                    (11, 22),
                    (15, 32),
                    (13, 40),
                    (8, 34),
                    (0, 30),
                    (-8, 34),
                    (-13, 45),
                    (-15, 36),
                    (-11, 22),
                    (-16, 16),
                    (-17, 6),
                ],
                [(0, 4), (20, -6), (8, 32), (0, 33), (-8, 32), (-20, -6)],
            ),
        )
        outline = curve(style, 2 if len(style) > 8 else 1, loop=len(style) > 8)
        top = 33.0
    else:
        outline, top = body_outline(high, wide, rng.uniform(0.6, 0.9)), high
    parts = [extrude(paint, outline, depth, bevel=0.7)]
    front = depth / 2
    if electric:
        parts += [box(dark_paint, (8, 3, 1.2), (0, y, front + 0.3), bevel=0.3) for y in (12, 22)] + [
            rod(metal, (x, y, front), (x, y, front + 1.4), 1.1) for x, y in ((9, 8), (11, 12))
        ]
        parts.append(
            extrude(
                white(rng, "plate"),
                curve([(3, 6), (11, 7), (9, 18), (4, 27), (1, 20)], 2, loop=True),
                0.9,
                (0, 0, front),
            )
        )
    else:
        parts += [
            rod(dark_paint, (0, 0.64 * high, front - 0.2), (0, 0.64 * high, front + 0.35), 0.15 * wide, sides=22),
            torus(dark_paint, 0.17 * wide, 0.5, (0, 0.64 * high, front + 0.2), "z", 22),
        ]
    parts += [
        box(dark_paint, (11, 2, 1.4), (0, 6, front + 0.5), bevel=0.3),
        *moved(
            neck(rng, wood(rng, "neck"), top - 2, rng.uniform(32, 48), 4.8, 2.4, pick(rng, (4, 6))), (0, 0, front - 1.0)
        ),
    ]
    return posed(
        rng,
        [
            *parts,
            *(rod(metal, (x, 6, front + 1.5), (x * 0.7, top + 36, front + 1.3), 0.3, sides=4) for x in (-1.6, 0, 1.6)),
        ],
    )


def violin(rng: Rng) -> list[Part]:
    """A violin, cello or double bass, perhaps with its bow."""
    paint, black = Paint(pick(rng, ((150, 80, 40), (120, 60, 30), (180, 110, 55))), "wood"), dark(rng)
    half = [(0, 0), (8, 0.4), (11.5, 5), (10, 11), (6.8, 15), (7, 20), (9, 22), (9.2, 28), (6, 33), (0, 35)]
    outline = mirror_outline(curve(half, 2))
    depth = rng.uniform(4.6, 8)
    front = depth / 2
    parts = [
        extrude(paint, outline, depth, bevel=1.1),
        extrude(paint, outline * 0.72 + (0, 4.8), depth + 1.2, bevel=0.5),
    ]
    parts += [
        extrude(black, [(-2.2, 3), (2.2, 3), (1.2, 12), (-1.2, 12)], 0.9, (0, 0, front + 1.2)),
        box(wood(rng, "bridge"), (5, 0.9, 3.2), (0, 16, front + 1.5)),
        box(paint, (3, 24, 2.6), (0, 45, front - 0.6), bevel=0.6),
        box(black, (3.1, 38, 1), (0, 37, front + 1.4)),
    ]
    parts += both(tube(black, [(4.4, 14, front + 0.7), (5, 17, front + 0.7), (4, 19, front + 0.7)], 0.4, 6)) + [
        torus(paint, 1.8, 0.9, (0, 60, front - 1.6), "x", 16)
    ]
    parts += [
        rod(black, (s * 1.2, 56 + i, front - 1), (s * 4.4, 56 + i, front - 1), 0.5, sides=8)
        for s, i in ((1, 0), (-1, 1), (1, 2.4), (-1, 3.2))
    ]
    if depth > 6:
        parts.append(rod(black, (0, 1, 0), (0, -9, 0), 0.7))
    if rng.random() < 0.4:
        parts += [
            tube(wood(rng, "bow"), [(14, -2, 2), (14.8, 26, 2), (14, 54, 2)], 0.6, 6),
            box(white(rng, "hair"), (0.6, 54, 0.9), (13, 26, 2)),
            box(black, (2, 4, 1.2), (13.4, 2, 2)),
        ]
    return posed(rng, parts)


def banjo(rng: Rng) -> list[Part]:
    """A banjo or lute with a round body."""
    metal, skin = pick(rng, (steel, wood))(rng, "rim"), white(rng, "skin")
    r = rng.uniform(13, 17)
    parts = [
        aimed(lathe(metal, [(0.9 * r, -4), (r, -3), (r, 3), (0.94 * r, 3.4)], sides=28), (0, 0, 1)),
        aimed(lathe(skin, [(0.93 * r, 2), (0.93 * r, 3.8)], sides=28), (0, 0, 1)),
    ]
    parts += [turned(rod(metal, (0, r + 0.8, -2.4), (0, r + 0.8, 3), 0.7, sides=6), 30 * i, "z") for i in range(12)]
    return posed(
        rng,
        [
            *parts,
            *moved(neck(rng, wood(rng, "neck"), r - 2, 44, 4.6, 2.4, 4), (0, 0, 2)),
            box(wood(rng), (7, 1.2, 2), (0, -0.4 * r, 4.6)),
        ],
    )


def harp(rng: Rng) -> list[Part]:
    """A harp or lyre."""
    paint, string = pick(rng, (wood, brass))(rng, "frame"), steel(rng, "string")
    high = rng.uniform(120, 160)
    foot, top = np.array((-26.0, 8, 0)), np.array((34.0, 0.86 * high, 0))
    parts = [
        tube(paint, [(-28, 4, 0), (30, 0.78 * high, 0), top], [10, 4.6, 3.4], 8, steps=2),
        rod(paint, (-38, 4, 0), (-38, high, 0), 3.6, 3),
        tube(paint, [(-38, high - 2, 0), (-24, high + 2, 0), (-4, 0.8 * high, 0), (16, 0.86 * high, 0), top], 3.4, 8),
        box(paint, (34, 8, 22), (-30, 4, 0), bevel=2),
        lathe(paint, [(4, high), (6, high + 4), (3, high + 8), (0, high + 10)], (-38, 0, 0), 14),
    ]
    for t in np.linspace(0.06, 0.94, 14):
        low = foot * (1 - t) + np.array((28, 0.74 * high, 0)) * t
        up = float(np.interp(low[0], [-38, -24, -4, 16, 34], np.array([0.98, 1.0, 0.8, 0.86, 0.86]) * high))
        parts.append(rod(string, low, (low[0], max(up, low[1] + 1), 0), 0.75, sides=4))
    return turned(parts, rng.uniform(-40, 40))
