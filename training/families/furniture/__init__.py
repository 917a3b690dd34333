"""Tables, storage, beds, kitchen and bathroom fittings, doors, windows and screens."""

from __future__ import annotations

import numpy as np

from training.families.furniture.bath import bathtub, shower, toilet, washbasin
from training.families.furniture.home import fireplace, mirror, radiator, room_divider
from training.families.furniture.joinery import (
    HANDLE_STYLES,
    LEG_STYLES,
    apron,
    front_panel,
    handle,
    stretchers,
    table_legs,
)
from training.families.furniture.kitchen import kitchen_sink, oven, refrigerator, washing_machine
from training.families.furniture.rest import (
    bed,
    bunk_bed,
    coat_stand,
    cradle,
    door,
    fence,
    staircase,
    window,
)
from training.families.furniture.storage import bookcase, cabinet, chest, kitchen_unit, nightstand, shelf, wardrobe
from training.families.outlines import curve, oval, rounded
from training.families.paints import Kind, Rng, dark, glass, painted, pick, steel, wood
from training.families.parts import Paint, bar, box, cushion, extrude, lathe, ring, rod, tube
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random piece of furniture, its doors and drawers towards +Z."""
    kinds: tuple[Kind, ...] = (table, table, table, round_table, round_table, trestle_table, desk, desk, coffee_table)
    kinds += (dressing_table, cabinet, cabinet, cabinet, wardrobe, bookcase, bookcase, shelf, chest, nightstand)
    kinds += (kitchen_unit, bed, bed, bed, bunk_bed, cradle, washbasin, toilet, bathtub, shower, oven, washing_machine)
    kinds += (refrigerator, fireplace, radiator, mirror, room_divider, kitchen_sink, door, door, window, window, fence)
    kinds += (staircase, coat_stand, billiard_table)
    return pick(rng, kinds)(rng)


def surface(rng: Rng) -> Paint:
    """What tables are made of."""
    return wood(rng) if rng.random() < 0.7 else painted(rng, "wood")


def table_top(rng: Rng, paint: Paint, width: float, depth: float, height: float, board: float) -> list[Part]:
    """A plate, plain, rounded, bevelled or of planks."""
    style = pick(rng, ("plain", "bevel", "round", "oval", "planks"))
    y = height - board / 2
    if style == "planks":
        count = int(rng.integers(3, 7))
        return [
            box(paint, (width, board, depth / count * 0.97), (0, y, (i + 0.5) * depth / count - depth / 2), 0.1 * board)
            for i in range(count)
        ]
    if style in ("plain", "bevel"):
        return [box(paint, (width, board, depth), (0, y, 0), bevel=0.3 * board if style == "bevel" else 0)]
    outline = rounded(width, depth, rng.uniform(4, 30)) if style == "round" else oval(width, depth, 32, 0.75)
    return [extrude(paint, outline, board, (0, y, 0), "y", bevel=0.25 * board)]


def table(rng: Rng) -> list[Part]:
    """Four legs and a plate."""
    paint = surface(rng)
    frame = paint if rng.random() < 0.7 else pick(rng, (steel, dark, wood))(rng, "frame")
    width, depth, height = rng.uniform(70, 220), rng.uniform(60, 100), rng.uniform(68, 78)
    board, thick = rng.uniform(2, 6), rng.uniform(4, 10)
    inset = rng.uniform(0, 10)
    w, d = width - 2 * inset, depth - 2 * inset
    parts = table_top(rng, paint, width, depth, height, board)
    style = pick(rng, LEG_STYLES)
    parts += table_legs(rng, frame, style, w, d, height - board, thick, rng.uniform(0, 6) if style == "round" else 0)
    if rng.random() < 0.7:
        high = rng.uniform(6, 12)
        parts += apron(frame, w - thick, d - thick, height - board, high, 2.2)
        if rng.random() < 0.3:
            parts += handle(
                pick(rng, (steel, dark))(rng, "handle"),
                pick(rng, HANDLE_STYLES),
                (0, height - board - high / 2, d / 2 - thick / 2),
                8,
            )
    if rng.random() < 0.3:
        parts += stretchers(
            frame, w - thick, d - thick, rng.uniform(8, 20), rng.uniform(3, 5), pick(rng, ("h", "box", "x"))
        )
    return parts


def round_table(rng: Rng) -> list[Part]:
    """A round plate on a pedestal, a tripod or four legs."""
    paint = surface(rng)
    frame = paint if rng.random() < 0.6 else pick(rng, (steel, dark))(rng, "frame")
    r, height, board = rng.uniform(25, 70), rng.uniform(50, 105), rng.uniform(2, 5)
    profile = [(r - 0.4 * board, 0), (r, 0.3 * board), (r, 0.7 * board), (r - 0.4 * board, board)]
    parts = [lathe(paint, np.array(profile) + (0, height - board), sides=32)]
    style = pick(rng, ("pedestal", "tripod", "legs", "trumpet"))
    if style == "legs":
        side = 1.25 * r
        return parts + table_legs(
            rng, frame, pick(rng, LEG_STYLES), side, side, height - board, rng.uniform(4, 7), rng.uniform(0, 6)
        )
    if style == "trumpet":
        points = [
            (0.62 * r, 0),
            (0.6 * r, 1),
            (0.2 * r, 6),
            (3.5, 0.3 * height),
            (4, 0.8 * height),
            (0.35 * r, height - board),
        ]
        return [*parts, lathe(frame, curve(points, 3), sides=24)]
    column = np.array(
        [[1, 0.12], [1.3, 0.2], [0.8, 0.3], [1.6, 0.42], [1.1, 0.6], [0.8, 0.75], [1.4, 0.85], [2.5, 0.97]]
    )
    column[:, 0] *= rng.uniform(2.5, 5) * rng.uniform(0.8, 1.1, 8)
    column[:, 1] *= height
    parts.append(lathe(frame, column, sides=16))
    if style == "tripod":
        foot = [(0, 0.3 * height, 2), (0, 0.22 * height, 0.35 * r), (0, 3, 0.72 * r), (0, 2, 0.85 * r)]
        return parts + ring(tube(frame, foot, [3.2, 3, 2.4, 2.4], 8), int(rng.integers(3, 5)))
    return [*parts, lathe(frame, [(0.6 * r, 0), (0.62 * r, 2), (0.5 * r, 4), (5, 0.14 * height)], sides=24)]


def trestle_table(rng: Rng) -> list[Part]:
    """A plate on two trestles: crossed, A-shaped or solid; perhaps with benches."""
    paint = surface(rng)
    width, depth, height = rng.uniform(110, 220), rng.uniform(65, 95), rng.uniform(70, 78)
    board, thick = rng.uniform(3, 6), rng.uniform(5, 9)
    parts = table_top(rng, paint, width, depth, height, board)
    style = pick(rng, ("cross", "a", "solid", "pillar"))
    x, z, top = 0.36 * width, 0.42 * depth, height - board
    for s in (-x, x):
        if style == "cross":
            parts += [bar(paint, (s, 0, t * z), (s, top, -t * z), thick, 4) for t in (-1, 1)]
        elif style == "a":
            parts += [bar(paint, (s, 0, t * z), (s, top, t * 0.3 * z), thick, 4) for t in (-1, 1)]
            parts.append(box(paint, (3, 5, 1.4 * z), (s, 0.35 * height, 0)))
        elif style == "solid":
            parts.append(box(paint, (5, top, 1.6 * z), (s, top / 2, 0), bevel=1))
        else:
            parts.append(box(paint, (8, 7, 2 * z), (s, 3.5, 0), bevel=2))
            parts.append(box(paint, (8, top, 14), (s, top / 2, 0), bevel=1))
            parts.append(box(paint, (8, 6, 1.6 * z), (s, top - 3, 0), bevel=2))
    parts.append(box(paint, (2 * x, 8, 3.5), (0, rng.uniform(0.3, 0.6) * height, 0)))
    if rng.random() < 0.35:
        for t in (-1, 1):
            parts.append(box(paint, (width, 4, 26), (0, 43, t * (depth / 2 + 30)), bevel=0.8))
            parts += [box(paint, (5, 5, depth / 2 + 36), (s, 38, t * (depth / 4 + 18))) for s in (-x, x)]
            parts += [bar(paint, (s, 0, t * (depth / 2 + 34)), (s, 40, t * (depth / 2 + 26)), 5) for s in (-x, x)]
    return parts


def desk(rng: Rng) -> list[Part]:
    """A writing desk with drawers; its knee hole towards the sitter at +Z."""
    paint = surface(rng)
    metal = pick(rng, (steel, dark))(rng, "handle")
    width, depth, height = rng.uniform(100, 180), rng.uniform(50, 85), rng.uniform(70, 78)
    board = rng.uniform(2, 5)
    parts = [box(paint, (width, board, depth), (0, height - board / 2, 0), bevel=0.25 * board)]
    sides = pick(rng, ((-1,), (1,), (-1, 1)))
    wide = width * rng.uniform(0.22, 0.32)
    panel, grip = pick(rng, ("flat", "flat", "framed", "raised")), pick(rng, HANDLE_STYLES)
    low = rng.uniform(2, 14) if rng.random() < 0.6 else 0.35 * height
    for s in (-1, 1):
        x = s * (width / 2 - wide / 2 - 1)
        if s in sides:
            parts += drawer_block(rng, paint, metal, (wide, height - board - low, depth - 4), (x, low, 0), panel, grip)
            thick = 4.0
            feet = table_legs(rng, paint, "square", wide, depth - 4, low + 1, thick)
            parts += [Part(p.vertices + (x, 0, 0), p.faces, p.color, p.material) for p in feet]
        else:
            parts.append(box(paint, (4, height - board, depth - 6), (s * (width / 2 - 3), (height - board) / 2, 0)))
    parts.append(box(paint, (width - 8, 0.45 * height, 2), (0, 0.7 * height, -depth / 2 + 4)))
    if rng.random() < 0.35:
        hutch = rng.uniform(20, 60)
        parts.append(box(paint, (width, 2.5, 0.4 * depth), (0, height + hutch, -0.3 * depth)))
        parts.append(box(paint, (width, hutch, 2), (0, height + hutch / 2, -depth / 2 + 1)))
        parts += [
            box(paint, (2.5, hutch, 0.4 * depth), (x * width, height + hutch / 2, -0.3 * depth))
            for x in (-0.49, -0.2, 0.2, 0.49)
        ]
    return parts


def drawer_block(
    rng: Rng,
    paint: Paint,
    metal: Paint,
    size: tuple[float, float, float],
    at: tuple[float, float, float],
    panel: str,
    grip: str,
) -> list[Part]:
    """A chest of drawers standing on ``at``, its fronts towards +Z."""
    (width, height, depth), (x, y, z) = size, at
    parts = [box(paint, size, (x, y + height / 2, z), bevel=0.5)]
    count = int(rng.integers(1, 5))
    each = height / count
    for i in range(count):
        here = (x, y + (i + 0.5) * each, z + depth / 2)
        parts += front_panel(paint, width * 0.92, each * 0.88, here, 1.6, panel)
        parts += handle(metal, grip, (here[0], here[1], here[2] + 1.6), min(0.3 * width, 12))
    return parts


def coffee_table(rng: Rng) -> list[Part]:
    """A low table: glass, with a shelf, a block, or an organic plate."""
    paint = surface(rng)
    width, depth, height = rng.uniform(70, 130), rng.uniform(45, 75), rng.uniform(30, 46)
    style = pick(rng, ("shelf", "glass", "block", "pebble", "hairpin"))
    board = rng.uniform(2, 5)
    if style == "pebble":
        r = rng.uniform(0.75, 1.2, 7)
        a = np.arange(7) * 2 * np.pi / 7
        outline = curve(np.column_stack([r * np.cos(a) * width / 2, r * np.sin(a) * depth / 2]), 4, loop=True)
        parts = [extrude(paint, outline, board, (0, height, 0), "y", bevel=0.25 * board)]
        return parts + ring(
            rod(paint, (0, 0, 0.36 * depth), (0, height, 0.25 * depth), 1.8, 2.6), 3, rng.uniform(0, 90)
        )
    if style == "block":
        parts = [box(paint, (width, 0.35 * height, depth), (0, height * 0.8, 0), bevel=1)]
        parts += [box(paint, (0.8 * width, 0.7 * height, 0.8 * depth), (0, 0.35 * height, 0))]
        return parts
    top = glass(rng) if style == "glass" else paint
    parts = [box(top, (width, board, depth), (0, height - board / 2, 0), bevel=0.25 * board)]
    thick = rng.uniform(4, 7)
    if style == "hairpin":
        metal = dark(rng, "frame")
        for sx in (-1, 1):
            for sz in (-1, 1):
                x, z = sx * (width / 2 - 8), sz * (depth / 2 - 6)
                parts += [
                    rod(metal, (x + sx * 3, 0, z + sz * 2), (x + a, height, z + b), 0.9, sides=8)
                    for a, b in ((4, 0), (-4, 0))
                ]
        return parts
    parts += table_legs(rng, paint, pick(rng, LEG_STYLES), width, depth, height - board, thick)
    parts += apron(paint, width - thick, depth - thick, height - board, 5, 2)
    if style == "shelf" or rng.random() < 0.4:
        parts.append(box(paint, (width - thick, 2, depth - thick), (0, 0.3 * height, 0)))
    return parts


def dressing_table(rng: Rng) -> list[Part]:
    """A small table with drawers and a mirror."""
    paint, metal = surface(rng), steel(rng, "handle")
    width, depth, height = rng.uniform(80, 120), rng.uniform(38, 50), rng.uniform(70, 78)
    high = rng.uniform(14, 22)
    parts = [box(paint, (width + 4, 2.5, depth + 2), (0, height, 0), bevel=0.8)]
    parts.append(box(paint, (width, high, depth - 2), (0, height - high / 2, 0)))
    count, grip, panel = int(rng.integers(2, 4)), pick(rng, HANDLE_STYLES), pick(rng, ("flat", "raised", "framed"))
    for i in range(count):
        here = ((i - (count - 1) / 2) * width / count, height - high / 2, depth / 2 - 1)
        parts += front_panel(paint, width / count * 0.9, high * 0.75, here, 1.5, panel)
        parts += handle(metal, grip, (here[0], here[1], here[2] + 1.5), 8)
    parts += table_legs(rng, paint, pick(rng, LEG_STYLES), width, depth, height - high, rng.uniform(4, 6))
    size, z = rng.uniform(45, 70), -depth / 2 + 4
    loop = oval(0.8 * size, size, 24, pick(rng, (0.4, 1.0))) + (0, height + size / 2 + 3)
    parts.append(extrude(paint, loop, 3, (0, 0, z), bevel=0.8))
    inner = (loop - (0, height + size / 2 + 3)) * 0.86 + (0, height + size / 2 + 3)
    parts.append(extrude(glass(rng, "mirror"), inner, 3.8, (0, 0, z)))
    return [
        *parts,
        *(rod(paint, (s * 0.43 * size, height, z), (s * 0.43 * size, height + 0.7 * size, z), 1.8) for s in (-1, 1)),
    ]


def billiard_table(rng: Rng) -> list[Part]:
    """A table with a cloth, cushions and pockets; or a ping-pong table with a net."""
    paint, cloth = wood(rng), Paint((30, 110, 60), "cloth")
    width, depth, height = 180.0, rng.uniform(90, 105), 80.0
    if rng.random() < 0.4:
        top = Paint((30, 70, 120), "cloth") if rng.random() < 0.5 else cloth
        parts = [box(top, (width, 3, depth), (0, 76, 0)), box(steel(rng), (1.5, 14, depth + 12), (0, 84, 0))]
        return parts + table_legs(rng, dark(rng), "square", 0.8 * width, depth, 75, 5)
    rim = extrude(paint, rounded(width + 16, depth + 16, 8), 9, (0, height - 2, 0), "y", bevel=1.5)
    parts = [rim, box(cloth, (width, 3, depth), (0, height + 1.5, 0))]
    for x in (-1, 0, 1):
        parts += [
            rod(
                dark(rng, "pocket"),
                (x * width / 2, height - 10, z * depth / 2),
                (x * width / 2, height + 3.6, z * depth / 2),
                5,
            )
            for z in (-1, 1)
        ]
    parts.append(box(paint, (width - 6, 18, depth - 6), (0, height - 12, 0), bevel=1))
    parts += table_legs(rng, paint, pick(rng, ("turned", "taper", "square")), width, depth, height - 10, 14)
    for _ in range(int(rng.integers(0, 7))):
        at = rng.uniform(-0.4, 0.4, 2) * (width, depth)
        parts.append(cushion(painted(rng, "ball"), (6, 6, 6), (at[0], height + 5, at[1]), 1.0))
    return parts
