"""Houses, towers and what stands in streets, gardens and playgrounds; doors face +Z."""

from __future__ import annotations

import numpy as np

from training.families.furniture_rest import fence, staircase
from training.families.outlines import circle, curve
from training.families.paints import Rng, bright, cream, dark, glass, muted, painted, pick, steel, stone, white, wood
from training.families.parts import (
    Paint,
    bar,
    both,
    box,
    ellipsoid,
    extrude,
    lathe,
    loft,
    moved,
    ring,
    rod,
    sheet,
    torus,
    tube,
    turned,
    vessel,
)
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random building or piece of street furniture."""
    kinds = (
        house,
        house,
        house,
        house,
        dog_house,
        tower,
        tower,
        mailbox,
        barrel,
        barrel,
        crate,
        crate,
        bin_,
        bin_,
        well,
        bridge,
    )
    kinds += (
        sign,
        sign,
        fountain,
        tent,
        tent,
        swing,
        goal,
        diving_board,
        railing,
        castle,
        windmill,
        lighthouse,
        greenhouse,
    )
    kinds += (slide, bird_house, gate, column, water_tower, market_stall, grave_stone, staircase)
    return pick(rng, kinds)(rng)


def wall_paint(rng: Rng) -> Paint:
    """Plaster, brick, stone or boards."""
    return pick(rng, (cream, muted, stone, white, wood))(rng, "wall")


def roof_paint(rng: Rng) -> Paint:
    """Tiles, slate or thatch."""
    return Paint(pick(rng, ((150, 70, 50), (80, 80, 88), (110, 60, 45), (165, 140, 85), (70, 100, 80))), "roof")


def gabled(wall: Paint, roof: Paint, width: float, depth: float, high: float, rise: float, over: float) -> list[Part]:
    """Walls with a gable roof; the ridge runs along x."""
    h = depth / 2
    walls = extrude(wall, [(-h, 0), (h, 0), (h, high), (0, high + rise), (-h, high)], width, axis="x")
    slope = rise / h
    thick = 0.06 * depth
    outer = [(-h - over, high - over * slope), (0, high + rise), (h + over, high - over * slope)]
    loop = np.array(outer + [(z, y + thick) for z, y in outer[::-1]])
    return [walls, extrude(roof, loop, width + 2 * over, axis="x")]


def opening(
    rim: Paint, pane: Paint, width: float, high: float, at: tuple[float, float, float], cross: int
) -> list[Part]:
    """A window on a wall that faces +Z: pane, frame, bars, sill."""
    x, y, z = at
    parts = [
        box(rim, (width * 1.2, high * 1.16, 2.4), at),
        box(pane, (width, high, 3), at),
        box(rim, (width * 1.4, 0.08 * high, 5), (x, y - 0.6 * high, z + 1)),
    ]
    if cross:
        parts += [box(rim, (0.07 * width, high, 3.6), at), box(rim, (width, 0.06 * high, 3.6), at)]
    return parts


def house(rng: Rng) -> list[Part]:
    """One or two floors, gable or hip roof, chimney, door, windows on all sides, porch or wing."""
    wall, roof, rim, pane = wall_paint(rng), roof_paint(rng), pick(rng, (white, wood, painted))(rng, "rim"), glass(rng)
    floors = int(rng.integers(1, 4))
    width, depth, floor = rng.uniform(90, 180), rng.uniform(80, 130), rng.uniform(34, 42)
    high = floors * floor
    front = depth / 2
    style = pick(rng, ("gable", "gable", "turned", "hip", "flat"))
    rise = rng.uniform(0.3, 0.6) * min(width, depth)
    if style in ("gable", "turned"):
        body = gabled(wall, roof, width, depth, high, rise, 7)
        if style == "turned":
            body = turned(gabled(wall, roof, depth, width, high, rise, 7), 90)
    elif style == "hip":
        eaves, ridge = (
            np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2 + 7, depth / 2 + 7),
            np.array([(-1, -0.05), (1, -0.05), (1, 0.05), (-1, 0.05)]) * (max(width - depth, 10) / 2, depth / 2),
        )
        rings = [
            np.column_stack([loop[:, 0], np.full(4, y), loop[:, 1]])
            for loop, y in ((eaves, high), (ridge, high + rise))
        ]
        body = [box(wall, (width, high, depth), (0, high / 2, 0)), loft(roof, np.array(rings))]
    else:
        body = [
            box(wall, (width, high, depth), (0, high / 2, 0)),
            box(roof, (width + 6, 5, depth + 6), (0, high + 2, 0)),
            box(wall, (width * 0.5, 12, depth * 0.4), (0, high + 8, -10)),
        ]
    parts = [*body, box(stone(rng), (width + 5, 6, depth + 5), (0, 3, 0))]
    parts += windows(rng, rim, pane, width, depth, floors, floor)
    parts += [
        box(rim, (18, 30, 2.4), (0, 18, front)),
        box(painted(rng, "door"), (14, 27, 3.4), (0, 17, front)),
        box(stone(rng, "step"), (22, 4, 14), (0, 2, front + 7)),
    ]
    if rng.random() < 0.7:
        brick = Paint((140, 80, 65), "brick")
        x = rng.uniform(-0.3, 0.3) * width
        top = high + rise * (1.1 if style != "flat" else 0.4)
        parts += [
            box(brick, (12, top - high + 16, 12), (x, (top + high) / 2, -0.15 * depth)),
            box(brick, (15, 4, 15), (x, top + 9, -0.15 * depth)),
        ]
    if rng.random() < 0.4:
        parts += [
            box(roof, (44, 3, 24), (0, 38, front + 11)),
            *both(rod(rim, (19, 0, front + 20), (19, 38, front + 20), 2, sides=8)),
        ]
    if rng.random() < 0.3:
        wing = gabled(wall, roof, 0.5 * width, 0.7 * depth, 0.8 * floor, 0.6 * rise, 5)
        parts += moved(wing, (pick(rng, (-1, 1)) * 0.7 * width, 0, -4))
    return parts


def windows(rng: Rng, rim: Paint, pane: Paint, width: float, depth: float, floors: int, floor: float) -> list[Part]:
    """Windows in rows on all four walls."""
    cross, w, tall = int(rng.integers(2)), rng.uniform(11, 16), rng.uniform(15, 21)
    count = int(rng.integers(2, 4)) if floors < 3 else 2
    parts: list[Part] = []
    for level in range(floors):
        y = (level + 0.55) * floor
        for side in range(4):
            span, out = (width, depth / 2) if side % 2 == 0 else (depth, width / 2)
            for i in range(count):
                x = ((i + 0.5) / count - 0.5) * span * 0.9
                if level == 0 and side == 0 and abs(x) < 20:
                    continue
                parts += turned(opening(rim, pane, w, tall, (x, y, out), cross), 90 * side)
    return parts


def dog_house(rng: Rng) -> list[Part]:
    """A kennel with a round opening."""
    wall, roof = wood(rng, "wall"), painted(rng, "roof")
    width, depth, high = rng.uniform(40, 52), rng.uniform(50, 64), rng.uniform(32, 40)
    parts = turned(gabled(wall, roof, depth, width, high, rng.uniform(14, 24), 5), 90)
    a = np.linspace(0, np.pi, 9)
    arch = np.concatenate(
        [
            [(-0.26 * width, 3), (0.26 * width, 3)],
            np.column_stack([np.cos(a) * 0.26 * width, 0.5 * high + np.sin(a) * 0.26 * width]),
        ]
    )
    parts += [
        extrude(dark(rng, "hole"), arch, 2, (0, 0, depth / 2)),
        extrude(roof, arch * 1.16 - (0, 0.4), 1.4, (0, 0, depth / 2)),
        box(wall, (width + 4, 3, depth + 4), (0, 1.5, 0)),
    ]
    parts += [
        p
        for i in range(5)
        for p in both(box(wall, (1.4, 0.7 * high / 5, depth), (width / 2, 4 + (i + 0.5) * high / 5.6, 0), bevel=0.3))
    ]
    if rng.random() < 0.6:
        bowl = vessel(bright(rng, "bowl"), [(8, 0), (9, 1), (6.6, 6)], 1.2, (width * 0.35, 0, depth / 2 + 14))
        parts += [bowl, box(white(rng, "sign"), (18, 6, 1.6), (0, high * 0.98, depth / 2 + 0.6))]
    return parts


def bird_house(rng: Rng) -> list[Part]:
    """A nesting box on a post."""
    wall, roof = wood(rng, "wall"), roof_paint(rng)
    parts = turned(gabled(wall, roof, 20, 20, 24, 9, 4), 90)
    parts += [
        rod(dark(rng, "hole"), (0, 18, 9), (0, 18, 10.6), 3.4, sides=18),
        rod(wall, (0, 11, 9), (0, 11, 16), 0.9, sides=8),
        box(wall, (26, 2, 26), (0, 0, 0)),
    ]
    return [*moved(parts, (0, 60, 0)), rod(wall, (0, 0, 0), (0, 61, 0), 2.4)] if rng.random() < 0.6 else parts


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
    blade = [
        box(sail, (3, 84, 2.4), (0, 44, 0)),
        *(box(sail, (18, 1.8, 1.8), (8, y, 0)) for y in np.linspace(18, 84, 8)),
        box(sail, (1.8, 68, 1.8), (16, 51, 0)),
        box(cream(rng, "canvas"), (14, 66, 1.5), (9, 51, 0)),
    ]
    parts += [moved(p, (0, high + 8, 30)) for i in range(4) for p in turned(blade, 90 * i + 20, "z")]
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


def mailbox(rng: Rng) -> list[Part]:
    """A letter box on a post or a pillar box."""
    paint, metal = bright(rng, "box"), steel(rng)
    if rng.random() < 0.35:
        return [
            lathe(paint, [(15, 0), (15, 5), (13, 7), (13, 70), (15, 73), (14, 77), (6, 81), (0, 82)], sides=24),
            box(dark(rng), (14, 2.4, 3), (0, 62, 12.5)),
            box(white(rng, "label"), (9, 11, 1.6), (0, 48, 12.8)),
        ]
    a = np.linspace(0, np.pi, 11)
    arch = np.concatenate([[(-9, 0), (9, 0)], np.column_stack([np.cos(a) * 9, 8 + np.sin(a) * 9])])
    parts = [
        extrude(paint, arch, 34),
        extrude(paint, arch * 1.06 - (0, 0.4), 2, (0, 0, 17)),
        box(metal, (4, 1.4, 1.6), (0, 13, 18.4)),
        box(bright(rng, "flag"), (1.2, 9, 2.2), (9.6, 14, 4)),
        box(bright(rng, "flag"), (1.2, 4, 6), (9.6, 18, 5)),
    ]
    return [*moved(parts, (0, 72, 0)), box(wood(rng), (8, 72, 8), (0, 36, 0)), box(wood(rng), (14, 3, 30), (0, 71, 0))]


def barrel(rng: Rng) -> list[Part]:
    """A wooden barrel with hoops, an oil drum, standing or lying on its rack."""
    r, high = rng.uniform(24, 30), rng.uniform(64, 88)
    if rng.random() < 0.35:
        paint = painted(rng, "drum")
        parts = [
            lathe(paint, [(r, 0), (r, high), (0.93 * r, high), (0.93 * r, high - 1.4), (0, high - 1.4)], sides=28),
            *(torus(paint, r, 1.3, (0, t * high, 0), sides=28) for t in (0.02, 0.34, 0.67, 0.99)),
            rod(paint, (0.6 * r, high - 2, 0), (0.6 * r, high + 0.8, 0), 3),
        ]
    else:
        paint, iron = wood(rng), dark(rng, "iron")
        side = curve([(0.8, 0), (0.97, 0.28), (1, 0.5), (0.97, 0.72), (0.8, 1)], 3) * (r, high)
        parts = [
            lathe(paint, np.concatenate([side, [(0.72 * r, high), (0.71 * r, high - 2.4), (0, high - 2.4)]]), sides=22)
        ]
        for t in (0.06, 0.26, 0.74, 0.94):
            rim = float(np.interp(t * high, side[:, 1], side[:, 0]))
            parts.append(
                lathe(
                    iron,
                    [
                        (0.9 * rim, t * high - 2.4),
                        (rim + 0.8, t * high - 2.4),
                        (rim + 0.8, t * high + 2.4),
                        (0.9 * rim, t * high + 2.4),
                    ],
                    sides=22,
                )
            )
        if rng.random() < 0.3:
            lying = moved(turned([*parts, rod(paint, (0, -3, 0), (0, 1, 0), 2)], 90, "x"), (0, r + 8, -high / 2))
            return [*lying, *(box(paint, (2 * r, 14, 8), (0, 7, z * high)) for z in (-0.3, 0.3))]
    return parts


def crate(rng: Rng) -> list[Part]:
    """A wooden crate, pallet, container or cardboard box; sometimes stacked."""
    paint = wood(rng)
    w, high, d = rng.uniform(40, 70), rng.uniform(30, 60), rng.uniform(36, 60)
    style = pick(rng, ("crate", "crate", "open", "pallet", "box", "container"))
    if style == "container":
        metal = bright(rng, "box")
        return [
            box(metal, (100, 44, 40), (0, 22, 0)),
            *(box(metal, (2, 38, 41.6), (x, 22, 0)) for x in np.linspace(-45, 45, 16)),
            *(box(metal, (4, 46, 4), (x * 49, 22, z * 19)) for x in (-1, 1) for z in (-1, 1)),
            *(rod(steel(rng), (51, 3, z), (51, 41, z), 1, sides=6) for z in (-8, -4, 4, 8)),
        ]
    if style == "pallet":
        parts = [box(paint, (110, 2.6, 9), (0, 14, z)) for z in np.linspace(-36, 36, 6)] + [
            box(paint, (9, 3, 82), (x, 11.4, 0)) for x in (-48, 0, 48)
        ]
        parts += [box(paint, (10, 8, 10), (x, 6, z)) for x in (-48, 0, 48) for z in (-34, 0, 34)] + [
            box(paint, (110, 2.4, 9), (0, 1.2, z)) for z in (-34, 0, 34)
        ]
        return parts
    if style == "box":
        card = Paint((190, 150, 105), "card")
        parts = [
            box(card, (w, high, d), (0, high / 2, 0)),
            box(cream(rng, "tape"), (5, high + 0.6, d + 0.8), (0, high / 2, 0)),
        ]
        if rng.random() < 0.5:
            parts += both(
                turned(box(card, (w / 2, 1.2, d), (w * 0.75, high, 0)), rng.uniform(10, 50), "z", (w / 2, high, 0))
            )
        return parts
    slats = int(rng.integers(3, 6))
    if style == "open":
        parts = [box(paint, (w, 2, d), (0, 1, 0))]
        for i in range(slats):
            y = (i + 0.6) * high / slats
            parts += [box(paint, (w, 0.7 * high / slats, 1.8), (0, y, s * d / 2)) for s in (-1, 1)] + both(
                box(paint, (1.8, 0.7 * high / slats, d), (w / 2, y, 0))
            )
        return parts + [
            box(paint, (4, high, 4), (x * (w / 2 - 2), high / 2, z * (d / 2 - 2))) for x in (-1, 1) for z in (-1, 1)
        ]
    parts = [box(paint, (w - 2, high - 2, d - 2), (0, high / 2, 0))]
    for s in (-1, 1):
        for y in (3, high - 3):
            parts += [box(paint, (w, 6, 3), (0, y, s * d / 2)), box(paint, (3, 6, d), (s * w / 2, y, 0))]
        parts += [box(paint, (6, high, 3.4), (x * (w / 2 - 3), high / 2, s * d / 2)) for x in (-1, 1)] + [
            box(paint, (3.4, high, 6), (s * w / 2, high / 2, z * (d / 2 - 3))) for z in (-1, 1)
        ]
        parts += [
            bar(paint, (-w / 2 + 4, 4, s * d / 2), (w / 2 - 4, high - 4, s * d / 2), 2.6, 6),
            bar(paint, (s * w / 2, 4, -d / 2 + 4), (s * w / 2, high - 4, d / 2 - 4), 2.6, 6),
        ]
    return parts


def bin_(rng: Rng) -> list[Part]:
    """A dustbin: round, on wheels, with a pedal or a park bin."""
    paint, black = pick(rng, (steel, bright, dark, muted))(rng, "bin"), dark(rng)
    style, r, high = int(rng.integers(3)), rng.uniform(14, 20), rng.uniform(42, 64)
    if style == 0:
        ribs = [box(paint, (1.4, 0.86 * high, 1), (0, 0.46 * high, r * 0.96)) for _ in range(1)]
        parts = [
            lathe(paint, [(0.86 * r, 0), (r, high)], sides=24),
            lathe(paint, [(1.06 * r, high), (1.06 * r, high + 3), (0.8 * r, high + 7), (0, high + 9)], sides=24),
            *ring(ribs, 14),
        ]
        return [
            *parts,
            *both(
                tube(
                    black,
                    [
                        (1.0 * r, 0.75 * high, -4),
                        (1.25 * r, 0.8 * high, -3),
                        (1.25 * r, 0.8 * high, 3),
                        (1.0 * r, 0.75 * high, 4),
                    ],
                    0.9,
                    6,
                )
            ),
            tube(black, [(-5, high + 7, 0), (-4, high + 12, 0), (4, high + 12, 0), (5, high + 7, 0)], 0.9, 6),
        ]
    if style == 1:
        side = [(-18, 6), (16, 3), (22, 78), (-22, 78)]
        parts = [
            extrude(paint, side, 42, axis="x", bevel=2),
            extrude(paint, [(-24, 78), (26, 78), (26, 82), (-10, 88), (-24, 86)], 46, axis="x", bevel=1.2),
            rod(black, (-18, 82, -26), (18, 82, -26), 1.8),
        ]
        return parts + both(rod(black, (21, 9, -17), (25, 9, -17), 9, sides=18))
    return [
        vessel(paint, [(0.8 * r, 0), (r, 0.6 * high), (r, high)], 1.2),
        torus(paint, r, 1.2, (0, high, 0), sides=24),
        *ring(box(paint, (3, 0.8 * high, 1.6), (0, 0.5 * high, 0.98 * r), bevel=0.3), 12),
    ]


def well(rng: Rng) -> list[Part]:
    """A well with a little roof, a windlass and a bucket."""
    wall, beam, roof = stone(rng, "wall"), wood(rng), roof_paint(rng)
    r = rng.uniform(30, 38)
    parts = [
        vessel(wall, [(r, 0), (r, 28), (1.1 * r, 30), (1.1 * r, 36)], 8),
        *both(box(beam, (5, 84, 5), (0.98 * r, 42, 0))),
        rod(beam, (-r, 64, 0), (r + 10, 64, 0), 4),
        *gabled(beam, roof, 2.3 * r, 1.6 * r, 0.5, 22, 6)[1:],
    ]
    parts[-1] = moved(parts[-1], (0, 80, 0))
    parts += ring(box(wall, (0.5 * r, 8, 3), (0, 8, r - 0.4), bevel=1), 8) + moved(
        ring(box(wall, (0.5 * r, 8, 3), (0, 0, r - 0.4), bevel=1), 8, 22), (0, 19, 0)
    )
    return [
        *parts,
        rod(beam, (0, 46, 0), (0, 62, 0), 0.9, sides=6),
        vessel(beam, [(5, 34), (6.4, 46)], 0.8),
        tube(dark(rng), [(r + 8, 64, 0), (r + 12, 64, 0), (r + 12, 54, 6), (r + 18, 54, 6)], 1.2, 6, steps=1),
    ]


def bridge(rng: Rng) -> list[Part]:
    """An arched stone bridge or a wooden foot bridge."""
    wall, long, width = pick(rng, (stone, wood))(rng, "wall"), rng.uniform(160, 240), rng.uniform(50, 76)
    x = np.linspace(-1, 1, 13)
    rise = rng.uniform(14, 34)
    top, low = (
        34 + rise * np.cos(x * np.pi / 2),
        22 * np.sqrt(np.clip(1 - (x / 0.8) ** 2, 0, 1)) + (rise - 6) * np.clip(1 - (x / 0.8) ** 2, 0, 1),
    )
    outline = np.concatenate([np.column_stack([x * long / 2, low]), np.column_stack([x * long / 2, top])[::-1]])
    parts = [extrude(wall, outline, width)]
    wood_rail = rng.random() < 0.5
    for z in (-width / 2 + 3, width / 2 - 3):
        if wood_rail:
            parts += [
                tube(wall, np.column_stack([x * long / 2, top + h, np.full(13, z)])[::2], 2.6, 6) for h in (15, 28)
            ] + [box(wall, (4, 32, 4), (a * long / 2, b + 15, z)) for a, b in zip(x[::3], top[::3], strict=True)]
        else:
            parts.append(
                extrude(
                    wall,
                    np.concatenate(
                        [np.column_stack([x * long / 2, top - 2]), np.column_stack([x * long / 2, top + 15])[::-1]]
                    ),
                    6,
                    (0, 0, z),
                )
            )
    return parts


def sign(rng: Rng) -> list[Part]:
    """A traffic sign, signpost, bill board or stand-up board."""
    face, rim, metal = painted(rng, "sign"), bright(rng, "rim"), steel(rng)
    style, high = pick(rng, ("round", "triangle", "octagon", "post", "board", "stand")), rng.uniform(90, 140)
    if style in ("round", "triangle", "octagon"):
        loop = {
            "round": circle(20, 28),
            "triangle": np.array([(-22, -15), (22, -15), (0, 23)]),
            "octagon": circle(21, 8),
        }[style]
        return [
            rod(metal, (0, 0, 0), (0, high + 8, 0), 2),
            extrude(rim, loop + (0, high), 1.8, (0, 0, 2.4)),
            extrude(face, loop * 0.8 + (0, high), 2.4, (0, 0, 2.6)),
            box(metal, (14, 3, 2.6), (0, high, 0.6)),
        ]
    if style == "post":
        paint = wood(rng)
        parts = [box(paint, (6, high + 14, 6), (0, high / 2 + 7, 0), bevel=0.8)]
        for i in range(int(rng.integers(1, 5))):
            arrow = extrude(paint, [(-16, -5), (26, -5), (33, 0), (26, 5), (-16, 5)], 2.6, (0, high - 13 * i, 4.4))
            parts.append(turned(arrow, 180 * int(rng.integers(2)) + rng.uniform(-25, 25)))
        return parts
    if style == "board":
        return [
            box(face, (110, 56, 4), (0, high, 0), bevel=0.8),
            box(rim, (102, 48, 5), (0, high, 0)),
            *both(rod(metal, (34, 0, -3), (34, high + 20, -3), 2.6)),
            *both(bar(metal, (34, 0, -30), (34, high, -4), 3)),
        ]
    leaf = [box(wood(rng), (50, 76, 3), (0, 40, 0), bevel=0.6), box(dark(rng, "slate"), (43, 66, 3.6), (0, 42, 0))]
    return [*turned(leaf, -14, "x", (0, 78, 0)), *turned(leaf, 14, "x", (0, 78, 0))]


def fountain(rng: Rng) -> list[Part]:
    """A fountain of one to three bowls, or a bird bath."""
    paint, water = stone(rng), Paint((110, 160, 190), "water")
    r = rng.uniform(44, 64)
    sides = pick(rng, (8, 28, 28))
    parts = [
        vessel(
            paint,
            [(r, 0), (1.02 * r, 3), (0.95 * r, 5), (0.95 * r, 15), (1.05 * r, 18), (1.05 * r, 21)],
            6,
            sides=sides,
        ),
        lathe(water, [(0.9 * r, 4), (0.9 * r, 14)], sides=24),
    ]
    y = 6.0
    for i in range(int(rng.integers(1, 4))):
        size, step = r * (0.62 - 0.17 * i), 34 - 6 * i
        parts.append(
            lathe(
                paint,
                curve(
                    [(0.4 * size, y), (0.2 * size, y + 6), (0.16 * size, y + 0.6 * step), (0.22 * size, y + step)], 2
                ),
                sides=16,
            )
        )
        parts.append(
            vessel(paint, curve([(0.2 * size, y + step - 2), (0.7 * size, y + step + 2), (size, y + step + 9)], 3), 2.6)
        )
        parts.append(lathe(water, [(0.7 * size, y + step + 4), (0.9 * size, y + step + 7)], sides=20))
        y += step
    return [*parts, lathe(paint, [(3, y), (4, y + 12), (1.4, y + 16), (3, y + 19), (0, y + 23)], sides=12)]


def tent(rng: Rng) -> list[Part]:
    """A ridge tent, tipi, dome or pavilion, its entrance towards +Z."""
    soft, pole = pick(rng, (bright, cream, muted))(rng, "cloth"), wood(rng)
    style = pick(rng, ("ridge", "tipi", "dome", "pavilion"))
    if style == "ridge":
        w, d, high = rng.uniform(70, 100), rng.uniform(90, 130), rng.uniform(60, 80)
        outline = [(-w / 2, 0), (w / 2, 0), (0.06 * w, high), (-0.06 * w, high)]
        parts = [
            extrude(soft, outline, d),
            extrude(dark(rng, "inside"), [(-0.24 * w, 0.5), (0.24 * w, 0.5), (0, 0.8 * high)], 1.6, (0, 0, d / 2)),
            *(rod(pole, (0, 0, z), (0, high + 6, z), 1.6) for z in (-d / 2, d / 2)),
        ]
        return parts + [
            rod(pole, (sx * 0.4 * w, 0.25 * high, z), (sx * (w / 2 + 22), 0, z), 0.9, sides=5)
            for sx in (-1, 1)
            for z in (-d / 2, 0, d / 2)
        ]
    if style == "tipi":
        r, high = rng.uniform(42, 56), rng.uniform(100, 130)
        poles = ring(rod(pole, (0, 0, r), (0, 1.18 * high, -0.16 * r), 1.5, sides=6), 8)
        return [
            lathe(soft, [(r, 0), (0.12 * r, 0.9 * high), (0.1 * r, 0.92 * high)], sides=16),
            *poles,
            flap(dark(rng, "inside"), r, high),
        ]
    if style == "dome":
        r, high = rng.uniform(60, 80), rng.uniform(55, 75)
        dome = ellipsoid(soft, (r, high, 0.8 * r), (0, 0, 0), 24, 0.9, 11)
        dome.vertices[:, 1] = np.maximum(dome.vertices[:, 1], 0.002 * dome.vertices[:, 1])
        a = np.linspace(0, np.pi, 13)
        return [
            dome,
            *(
                turned(tube(pole, np.column_stack([1.0 * r * np.cos(a), 1.01 * high * np.sin(a), 0 * a]), 1.4, 6), t)
                for t in (35, -35)
            ),
            ellipsoid(dark(rng, "inside"), (18, 34, 6), (0, 4, 0.76 * r), 14),
        ]
    w, high, rise = rng.uniform(100, 140), rng.uniform(66, 80), rng.uniform(24, 44)
    eaves = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * w / 2
    rings = [
        np.column_stack([loop[:, 0], np.full(4, y), loop[:, 1]])
        for loop, y in ((eaves, high - 10), (eaves, high), (eaves * 0.04, high + rise))
    ]
    return [
        loft(soft, np.array(rings)),
        *(
            rod(pole, (x * 0.46 * w, 0, z * 0.46 * w), (x * 0.46 * w, high, z * 0.46 * w), 2)
            for x in (-1, 1)
            for z in (-1, 1)
        ),
        ellipsoid(pole, (3, 4, 3), (0, high + rise, 0), 10),
    ]


def flap(paint: Paint, r: float, high: float) -> Part:
    """A door flap leaning on a cone."""
    lean = float(np.degrees(np.arctan2(0.9 * r, 0.9 * high)))
    return turned(extrude(paint, [(-13, 0), (13, 0), (0, 60)], 2.4, (0, 0, r - 0.6)), -lean, "x", (0, 0, r))


def swing(rng: Rng) -> list[Part]:
    """A swing frame with one to three seats, or a seesaw."""
    paint, seat, rope = pick(rng, (wood, bright))(rng, "frame"), bright(rng, "seat"), dark(rng, "rope")
    if rng.random() < 0.3:
        tilt = rng.uniform(-14, 14)
        plank = [
            box(paint, (200, 4, 18), (0, 34, 0), bevel=1),
            *both(tube(rope, [(78, 36, -6), (78, 50, -5), (78, 50, 5), (78, 36, 6)], 1.4, 6, steps=1)),
            *both(box(seat, (26, 3, 20), (88, 37, 0), bevel=0.8)),
        ]
        return [*turned(plank, tilt, "z", (0, 34, 0)), extrude(paint, [(-22, 0), (22, 0), (5, 34), (-5, 34)], 16)]
    count = int(rng.integers(1, 4))
    width, high = 60.0 * count + 40, rng.uniform(120, 150)
    parts = both(
        [
            *(rod(paint, (width / 2 + 6, 0, s * 46), (width / 2 - 4, high, 0), 3) for s in (-1, 1)),
            rod(paint, (width / 2, 0.4 * high, -28), (width / 2, 0.4 * high, 28), 2),
        ]
    )
    parts.append(rod(paint, (-width / 2, high, 0), (width / 2, high, 0), 3.4))
    for i in range(count):
        x = (i - (count - 1) / 2) * 60
        one = [
            box(seat, (30, 3, 15), (x, 36, 0), bevel=0.8),
            *(rod(rope, (x + s * 13, 36, 0), (x + s * 13, high, 0), 1.3, sides=6) for s in (-1, 1)),
        ]
        parts += turned(one, rng.uniform(-18, 18), "x", (0, high, 0))
    return parts


def slide(rng: Rng) -> list[Part]:
    """A playground slide with a ladder, running down towards +Z."""
    paint, metal = bright(rng, "slide"), pick(rng, (steel, bright))(rng, "frame")
    high = rng.uniform(90, 120)
    z = np.linspace(0, 1, 9)
    line = curve([(-20, high), (0, high - 2), (60, 0.45 * high), (110, 12), (140, 8)], 3)
    parts = []
    for x, width, rise in ((0.0, 34.0, 0.0), (-17.0, 3.0, 9.0), (17.0, 3.0, 9.0)):
        loop = np.concatenate([line, (line + (0, 3 + rise))[::-1]])
        parts.append(extrude(paint, loop, width, (x, 0, 0), "x"))
    parts += both(rod(metal, (17, 0, -64), (17, high + 22, -20), 2.2)) + [
        rod(
            metal,
            (-17, t * high, -64 + 44 * t * high / (high + 22)),
            (17, t * high, -64 + 44 * t * high / (high + 22)),
            1.8,
            sides=8,
        )
        for t in z[1:]
    ]
    return (
        parts
        + both(tube(metal, [(17, high + 22, -20), (17, high + 24, -6), (17, high, 4)], 2, 8))
        + both(rod(metal, (16, 0, 40), (16, 0.62 * high, 40), 2))
    )


def goal(rng: Rng) -> list[Part]:
    """A football goal with a net, or a basketball hoop."""
    paint, net = white(rng, "post"), cream(rng, "net")
    if rng.random() < 0.5:
        w, high, d = rng.uniform(150, 220), rng.uniform(70, 90), rng.uniform(45, 70)
        parts = both(
            [
                rod(paint, (w / 2, 0, 0), (w / 2, high, 0), 3),
                rod(paint, (w / 2, high, 0), (w / 2, high, -0.35 * d), 2),
                rod(paint, (w / 2, high, -0.35 * d), (w / 2, 0, -d), 2),
            ]
        )
        parts += [rod(paint, (-w / 2, high, 0), (w / 2, high, 0), 3), rod(paint, (-w / 2, 2, -d), (w / 2, 2, -d), 2)]
        parts += [
            tube(net, [(x, high, 0), (x, high, -0.35 * d), (x, 0, -d)], 1.1, 4, steps=1)
            for x in np.linspace(-0.44, 0.44, 12) * w
        ]
        return parts + [
            rod(
                net,
                (-w / 2, (1 - t) * high, -(0.35 + 0.65 * t) * d),
                (w / 2, (1 - t) * high, -(0.35 + 0.65 * t) * d),
                1.1,
                sides=4,
            )
            for t in np.linspace(0.1, 0.9, 6)
        ]
    rim, metal, y = Paint((220, 90, 40), "rim"), dark(rng, "post"), 250.0
    parts = [
        rod(metal, (0, 0, -60), (0, y, -60), 6),
        tube(metal, [(0, y - 30, -60), (0, y + 10, -20), (0, y + 16, 0)], 4.4, 8),
        box(paint, (120, 76, 4), (0, y + 26, 2), bevel=0.8),
        box(rim, (44, 32, 4.6), (0, y + 14, 2)),
        torus(rim, 16, 1.6, (0, y, 22), sides=24),
    ]
    return [
        *parts,
        *moved(ring(rod(net, (0, 0, 16), (3, -26, 9), 0.9, sides=4), 12), (0, y, 22)),
        box(metal, (60, 12, 70), (0, 6, -60), bevel=2),
    ]


def diving_board(rng: Rng) -> list[Part]:
    """A diving board with a ladder; the board reaches towards +Z."""
    paint, metal = painted(rng, "board"), steel(rng)
    high = rng.uniform(40, 150)
    parts = [box(paint, (34, 4, 160), (0, high, 40), bevel=1), box(stone(rng), (50, 6, 120), (0, 3, -10))]
    parts += both(
        [
            rod(metal, (16, 0, -44), (16, high + 30, -44), 2.2),
            rod(metal, (16, 0, 24), (16, high, 24), 2.6),
            tube(metal, [(18, high + 30, -44), (18, high + 30, 20), (18, high, 24)], 1.8, 8, steps=2),
            rod(metal, (16, high * 0.1, -40), (16, high * 0.9, 22), 1.6),
        ]
    )
    return parts + [rod(metal, (-16, y, -44), (16, y, -44), 1.8, sides=8) for y in np.arange(12, high, 16)]


def railing(rng: Rng) -> list[Part]:
    """A fence or railing."""
    return fence(rng)


def gate(rng: Rng) -> list[Part]:
    """A gateway: pillars with caps and two iron leaves; or an arch."""
    wall, iron = stone(rng, "wall"), dark(rng, "iron")
    w, high = rng.uniform(90, 130), rng.uniform(90, 130)
    parts = both(
        [
            box(wall, (22, high, 22), (w / 2 + 11, high / 2, 0), bevel=0.8),
            box(wall, (28, 5, 28), (w / 2 + 11, high + 2, 0), bevel=1),
            ellipsoid(wall, (10, 10, 10), (w / 2 + 11, high + 13, 0), 14),
        ]
    )
    for x in np.linspace(-0.47, 0.47, 13) * w:
        top = high * (0.78 + 0.18 * np.cos(x / w * np.pi))
        parts += [rod(iron, (x, 5, 0), (x, top, 0), 1.5, sides=6), rod(iron, (x, top, 0), (x, top + 7, 0), 2.4, 0, 6)]
    return parts + [box(iron, (w, 4, 3), (0, y * high, 0)) for y in (0.08, 0.4, 0.72)]


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


def market_stall(rng: Rng) -> list[Part]:
    """A stall with a striped awning and goods."""
    beam, stripe, pale = wood(rng), bright(rng, "stripe"), white(rng, "cloth")
    w, d, high = rng.uniform(110, 150), rng.uniform(60, 80), rng.uniform(100, 120)
    parts = [
        box(beam, (w, 4, d), (0, 42, 0)),
        box(beam, (w - 6, 40, 3), (0, 21, d / 2 - 4)),
        *(
            rod(beam, (x * w * 0.47, 0, z * d * 0.46), (x * w * 0.47, high + (8 if z < 0 else 0), z * d * 0.46), 2.2)
            for x in (-1, 1)
            for z in (-1, 1)
        ),
    ]
    for i in range(8):
        x = (i - 3.5) * w / 7.4
        parts.append(
            turned(box(stripe if i % 2 else pale, (w / 7.4, 2.4, d + 26), (x, high + 6, 6)), 9, "x", (0, high + 6, 0))
        )
        parts.append(box(stripe if i % 2 else pale, (w / 7.4, 10, 2), (x, high - 5, d / 2 + 18), bevel=0.4))
    goods = bright(rng, "goods")
    return parts + [
        ellipsoid(goods, (7, 7, 7), (x, 49, z), 10, rings=6) for x in np.linspace(-0.36, 0.36, 6) * w for z in (-12, 8)
    ]


def grave_stone(rng: Rng) -> list[Part]:
    """A headstone, cross or memorial."""
    paint = stone(rng)
    w, high = rng.uniform(34, 50), rng.uniform(50, 80)
    base = [box(paint, (w + 16, 8, 26), (0, 4, 0), bevel=1)]
    if rng.random() < 0.4:
        return [
            *base,
            box(paint, (12, high + 14, 9), (0, high / 2 + 12, 0), bevel=1),
            box(paint, (0.9 * w, 12, 9), (0, 0.8 * high, 0), bevel=1),
            torus(paint, 13, 2.6, (0, 0.8 * high, 0), "z", 20),
        ]
    a = np.linspace(0, np.pi, 11)
    arch = np.concatenate(
        [[(-w / 2, 6), (w / 2, 6)], np.column_stack([np.cos(a) * w / 2, high - w / 2 + np.sin(a) * w / 2])]
    )
    return [
        *base,
        extrude(paint, arch, 11, bevel=1.2),
        box(dark(rng, "plate"), (0.6 * w, 0.3 * high, 1), (0, 0.5 * high, 5.4)),
    ]


def greenhouse(rng: Rng) -> list[Part]:
    """A glass house or bus shelter."""
    metal, pane = pick(rng, (white, steel, dark))(rng, "frame"), glass(rng)
    w, d, high = rng.uniform(90, 150), rng.uniform(60, 90), rng.uniform(56, 76)
    parts = gabled(pane, pane, w, d, high, 26, 1)
    for x in np.linspace(-0.5, 0.5, 6) * w:
        parts += [rod(metal, (x, 0, s * d / 2), (x, high, s * d / 2), 1.8, sides=6) for s in (-1, 1)] + [
            rod(metal, (x, high + 4, s * d / 2), (x, high + 31, 0), 1.8, sides=6) for s in (-1, 1)
        ]
    parts += [
        rod(metal, (-w / 2, y, z), (w / 2, y, z), 2, sides=6)
        for y, z in ((high, d / 2), (high, -d / 2), (high + 31, 0), (2, d / 2), (2, -d / 2))
    ]
    return [
        *parts,
        sheet(
            metal,
            np.array([[(-12.0, 2, d / 2 + 1), (12, 2, d / 2 + 1)], [(-12, 52, d / 2 + 1), (12, 52, d / 2 + 1)]]),
            2,
        ),
    ]
