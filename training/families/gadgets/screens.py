"""Screens, computers and their keys; they face +Z."""

from __future__ import annotations

import numpy as np

from training.families.gadgets.cases import case, facing, knobs_on
from training.families.outlines import circle, rectangle, rounded
from training.families.paints import Rng, bright, dark, muted, painted, pick, screen, steel, white, wood
from training.families.parts import (
    Paint,
    both,
    box,
    ellipsoid,
    extrude,
    frame,
    lathe,
    loft,
    moved,
    rod,
    torus,
    tube,
    turned,
)
from training.shapes import Part


def panel_screen(
    rim: Paint, pane: Paint, width: float, height: float, thick: float, edge: float, at: tuple[float, float, float]
) -> list[Part]:
    """A flat display with a rim, its middle at ``at``."""
    x, y, z = at
    parts = [box(rim, (width, height, thick), at, bevel=0.2 * thick)]
    parts.append(
        frame(
            rim,
            rectangle(width, height),
            rectangle(width - 2 * edge, height - 2 * edge),
            0.3 * thick,
            (x, y, z + 0.55 * thick),
        )
    )
    return [*parts, box(pane, (width - 2 * edge, height - 2 * edge, 0.2 * thick), (x, y, z + 0.48 * thick))]


def screen_foot(rng: Rng, paint: Paint, width: float, low: float, depth: float) -> list[Part]:
    """What holds a flat display up: a plate with a neck, two feet, or an arm."""
    style = pick(rng, ("plate", "oval", "feet", "bow"))
    if style == "feet":
        return both(turned(box(paint, (3, 2.4, depth), (0.36 * width, 1.2, 0), bevel=0.5), 0)) + both(
            box(paint, (3, low + 4, 3), (0.36 * width, low / 2 + 1, -1))
        )
    if style == "bow":
        return [
            tube(
                paint,
                [
                    (-0.3 * width, 1.2, 0.3 * depth),
                    (-0.1 * width, 1.2, -0.2 * depth),
                    (0.1 * width, 1.2, -0.2 * depth),
                    (0.3 * width, 1.2, 0.3 * depth),
                ],
                1.4,
                8,
            ),
            box(paint, (6, low + 8, 2), (0, low / 2 + 3, -0.2 * depth)),
        ]
    outline = rounded(0.4 * width, depth, 3) if style == "plate" else circle(0.5 * depth, 24) * (1.5, 1)
    return [
        extrude(paint, outline, 1.6, (0, 0.8, 0), "y", bevel=0.4),
        box(paint, (0.1 * width + 3, low + 10, 2.6), (0, low / 2 + 4, -2.6), bevel=0.6),
    ]


def television(rng: Rng) -> list[Part]:
    """A flat TV on its foot, perhaps on a low board."""
    rim, pane = pick(rng, (dark, dark, steel, white))(rng, "case"), screen(rng)
    width = rng.uniform(80, 140)
    high, low = width * rng.uniform(0.55, 0.64), rng.uniform(4, 12)
    parts = panel_screen(rim, pane, width, high, 5, rng.uniform(1.5, 4), (0, low + high / 2, 0))
    parts += [
        box(rim, (0.6 * width, 0.55 * high, 4), (0, low + 0.45 * high, -4), bevel=1.5),
        *screen_foot(rng, rim, width, low, 26),
    ]
    if rng.random() < 0.3:
        board = wood(rng)
        parts = [
            *moved(parts, (0, 42, 0)),
            box(board, (width * 1.15, 4, 40), (0, 40, 0), bevel=0.8),
            box(board, (width * 1.1, 3, 38), (0, 8, 0)),
        ]
        parts += both(box(board, (4, 40, 38), (width * 0.55, 20, 0))) + [box(rim, (40, 7, 26), (-10, 14, 2), bevel=1)]
    return parts


def old_television(rng: Rng) -> list[Part]:
    """A tube set: deep case, curved screen, knobs, aerial, legs."""
    paint, pane, metal = case(rng), screen(rng), steel(rng)
    width, high, depth = rng.uniform(44, 72), rng.uniform(36, 52), rng.uniform(32, 46)
    parts = [box(paint, (width, high, 0.5 * depth), (0, high / 2, 0.25 * depth), bevel=rng.uniform(1, 4))]
    back = [
        np.column_stack([r[:, 0], r[:, 1] + high / 2, np.full(4, z)])
        for r, z in (
            (rectangle(0.55 * width, 0.55 * high), -0.5 * depth),
            (rectangle(0.94 * width, 0.94 * high), 0.05 * depth),
        )
    ]
    parts.append(loft(paint, np.array(back)))
    side = rng.random() < 0.65
    wide = 0.7 * width if side else 0.88 * width
    x = -0.12 * width if side else 0.0
    parts.append(ellipsoid(pane, (wide / 2, 0.4 * high, 2.5), (x, 0.53 * high, depth / 2), 20, 0.4))
    parts.append(
        frame(
            dark(rng, "rim"),
            rounded(wide + 4, 0.86 * high, 5),
            rounded(wide - 2, 0.76 * high, 4),
            3,
            (x, 0.53 * high, depth / 2),
        )
    )
    if side:
        parts += [
            facing(metal, 0.05 * width, [(1, 0), (0.8, 1), (0, 1)], (0.38 * width, y * high, depth / 2), 14)
            for y in (0.8, 0.58)
        ]
        parts += [
            box(dark(rng), (0.16 * width, 1.2, 1.5), (0.38 * width, (0.16 + 0.07 * i) * high, depth / 2))
            for i in range(4)
        ]
    if rng.random() < 0.5:
        parts += both(rod(metal, (0, high - 1, 0), (rng.uniform(10, 26), high + 28, -4), 0.8, sides=6)) + [
            ellipsoid(dark(rng), (5, 2.5, 4), (0, high, 0), 12)
        ]
    if rng.random() < 0.4:
        tall = rng.uniform(12, 40)
        parts += [
            p
            for z in (0.1 * depth, 0.42 * depth)
            for p in both(rod(wood(rng, "leg"), (0.46 * width, -tall, z), (0.4 * width, 1, z), 1.2, 2))
        ]
    return parts


def monitor(rng: Rng) -> list[Part]:
    """A flat or tube computer monitor."""
    rim, pane = pick(rng, (dark, steel, white))(rng, "case"), screen(rng)
    if rng.random() < 0.3:
        parts = [
            box(rim, (42, 38, 12), (0, 27, 8), bevel=2),
            turned(lathe(rim, [(24, 0), (16, 26), (12, 28)], sides=4), 45),
        ]
        parts[1] = moved(turned(parts[1], -90, "x"), (0, 27, 4))
        return [
            *parts,
            ellipsoid(pane, (18, 15, 1.6), (0, 28, 14), 20, 0.35),
            lathe(rim, [(14, 0), (13, 2), (6, 5), (6, 9)]),
            *knobs_on(rng, rim, 3, 14, (8, 10, 14), 1),
        ]
    width = rng.uniform(46, 70)
    high, low = width * rng.uniform(0.55, 0.72), rng.uniform(8, 15)
    parts = panel_screen(rim, pane, width, high, 4, rng.uniform(1, 3), (0, low + high / 2, 0))
    return (
        parts
        + screen_foot(rng, rim, width, low + 4, 20)
        + [box(rim, (width * 0.5, high * 0.4, 4), (0, low + high / 2, -3), bevel=1)]
    )


def computer(rng: Rng) -> list[Part]:
    """A tower, or a set with monitor, keyboard and mouse."""
    paint, black, metal = pick(rng, (dark, steel, white))(rng, "case"), dark(rng), steel(rng)
    width, high, depth = rng.uniform(16, 22), rng.uniform(36, 50), rng.uniform(38, 50)
    tower = [box(paint, (width, high, depth), (0, high / 2 + 1, 0), bevel=0.8)]
    tower += [
        box(black, (0.86 * width, 4.2, 1.2), (0, high * (0.9 - 0.12 * i), depth / 2), bevel=0.4)
        for i in range(int(rng.integers(1, 4)))
    ]
    tower += [facing(metal, 1.4, [(1, 0), (1, 0.5), (0, 0.6)], (0, 0.5 * high, depth / 2), 14)]
    tower += [box(black, (0.7 * width, 0.8, 0.8), (0, (0.08 + 0.05 * i) * high, depth / 2)) for i in range(6)]
    tower += both(box(black, (3, 1.6, depth * 0.8), (0.35 * width, 0.6, 0)))
    tower.append(box(black, (0.7 * width, 0.6 * high, 0.8), (0, 0.5 * high, -depth / 2)))
    if rng.random() < 0.4:
        return tower
    parts = moved(tower, (46, 0, -4)) + moved(monitor(rng), (0, 0, -8))
    return parts + moved(keyboard(rng), (-2, 0, 26)) + [ellipsoid(paint, (3.2, 2, 5), (30, 1.6, 26), 14, 0.8)]


def key_rows(paint: Paint, width: float, depth: float, y: float, rows: int, columns: int) -> list[Part]:
    """Keys in a grid on a level board."""
    key = box(paint, (0.84 * width / columns, 1.0, 0.8 * depth / rows), (0, y, 0), bevel=0.25)
    parts = []
    for i in range(rows):
        z = (i - (rows - 1) / 2) * depth / rows
        if i == rows - 1:
            parts += [box(paint, (0.42 * width, 1.0, 0.8 * depth / rows), (0, y, z), bevel=0.25)]
            parts += [moved(key, (x * width, 0, z)) for x in (-0.44, -0.34, 0.34, 0.44)]
        else:
            parts += [moved(key, ((j - (columns - 1) / 2) * width / columns, 0, z)) for j in range(columns)]
    return parts


def keyboard(rng: Rng) -> list[Part]:
    """A keyboard or a typewriter-like board."""
    paint = pick(rng, (dark, white, steel))(rng, "case")
    keys = Paint((int(paint.color[0] * 0.8), int(paint.color[1] * 0.8), int(paint.color[2] * 0.82)), "key")
    width, depth = rng.uniform(30, 46), rng.uniform(13, 17)
    parts = [
        extrude(
            paint, [(-depth / 2, 0), (depth / 2, 0), (depth / 2, 1.2), (-depth / 2, 2.6)], width, axis="x", bevel=0.2
        )
    ]
    rows = key_rows(keys, width * 0.94, depth * 0.86, 0, int(rng.integers(4, 6)), int(rng.integers(9, 13)))
    return parts + moved(turned(rows, 4.6, "x"), (0, 2.2, 0))


def laptop(rng: Rng) -> list[Part]:
    """An open laptop."""
    paint, pane = pick(rng, (steel, dark, white, muted))(rng, "case"), screen(rng)
    width = rng.uniform(28, 40)
    depth, thick = width * rng.uniform(0.62, 0.75), rng.uniform(1, 2.6)
    parts = [extrude(paint, rounded(width, depth, 1.5), thick, (0, thick / 2, 0), "y", bevel=0.25)]
    parts += moved(key_rows(dark(rng, "key"), width * 0.86, depth * 0.45, 0, 4, 11), (0, thick, -0.16 * depth))
    parts.append(box(dark(rng, "pad"), (0.28 * width, 0.3, 0.22 * depth), (0, thick + 0.1, 0.3 * depth)))
    lid = [extrude(paint, rounded(width, depth, 1.5), 0.8 * thick + 0.3, (0, depth / 2, 0), bevel=0.2)]
    lid += [
        box(pane, (0.93 * width, 0.88 * depth, 0.4), (0, 0.51 * depth, 0.4 * thick + 0.2)),
        ellipsoid(pane, (1.4, 1.4, 0.4), (0, 0.6 * depth, -0.4 * thick - 0.2), 12),
    ]
    return [
        *parts,
        *moved(turned(lid, -rng.uniform(5, 35), "x"), (0, thick, -depth / 2)),
        rod(paint, (-0.4 * width, thick, -depth / 2), (0.4 * width, thick, -depth / 2), 0.7),
    ]


def arcade(rng: Rng) -> list[Part]:
    """An arcade cabinet, vending machine or cash dispenser."""
    paint, pane, trim = bright(rng, "case"), screen(rng), painted(rng, "trim")
    side = [(-38, 0), (30, 0), (30, 74), (46, 82), (46, 90), (24, 100), (14, 140), (34, 152), (34, 172), (-38, 172)]
    parts = both(extrude(paint, side, 4, (31, 0, 0), "x")) + [
        extrude(trim, np.array(side) * (0.94, 0.985) + (0, 1), 60, axis="x")
    ]
    parts += [
        turned(box(pane, (52, 38, 2), (0, 120, 20.5)), -14, "x", (0, 120, 20.5)),
        box(white(rng, "sign"), (58, 16, 3), (0, 162, 33)),
    ]
    parts += [
        rod(dark(rng), (-12, 92, 36), (-12, 102, 38), 1),
        ellipsoid(bright(rng, "ball"), (2.8, 2.8, 2.8), (-12, 103, 38), 10),
    ]
    return (
        parts
        + [ellipsoid(bright(rng, "button"), (2.2, 1.4, 2.2), (6 + 7 * i, 94, 36), 10) for i in range(3)]
        + [box(dark(rng), (24, 26, 2), (0, 36, 29), bevel=0.6)]
    )


def projector(rng: Rng) -> list[Part]:
    """A beamer, or an old film projector with two reels."""
    paint, black, metal = case(rng), dark(rng), steel(rng)
    parts = [
        box(paint, (30, 11, 24), (0, 7, 0), bevel=1.5),
        facing(black, 4, [(1, -0.5), (1, 0.8), (0.8, 0.9), (0.6, 0.5), (0, 0.6)], (-7, 7, 12)),
        *(box(black, (10, 0.8, 1), (8, 4 + 2 * i, 12)) for i in range(4)),
    ]
    parts += [p for z in (-9, 9) for p in both(rod(black, (12, 0, z), (12, 2.4, z), 1.2))]
    if rng.random() < 0.5:
        for y, z in ((30, 12), (30, -16)):
            parts += [
                torus(metal, 11, 0.9, (0, y, z), "x", 26),
                *(rod(metal, (0, y, z), (0, y + 11 * c, z + 11 * s), 0.9, sides=6) for c, s in circle(1, 5)),
                rod(black, (-2, y, z), (2, y, z), 4),
            ]
        parts.append(box(paint, (6, 26, 8), (0, 20, -2), bevel=1))
    return parts
