"""Furniture that holds objects: cabinets, wardrobes, shelves, chests, kitchen units."""

from __future__ import annotations

import numpy as np

from training.families.furniture.joinery import HANDLE_STYLES, LEG_STYLES, front_panel, handle, table_legs
from training.families.outlines import mirror_outline
from training.families.paints import Rng, brass, bright, dark, muted, painted, pick, steel, stone, wood
from training.families.parts import Paint, block, box, extrude, loft, moved, rod, torus, tube, turned
from training.shapes import Part

Box3 = tuple[float, float, float]


def body(rng: Rng) -> Paint:
    """What storage is made of."""
    return wood(rng) if rng.random() < 0.65 else painted(rng, "wood")


def grips(rng: Rng) -> Paint:
    """What handles are made of."""
    return pick(rng, (steel, dark, brass))(rng, "handle")


def open_case(
    paint: Paint, size: Box3, y: float, board: float, columns: int, rows: int, *, backed: bool = True
) -> list[Part]:
    """A case open to +Z with compartments."""
    width, height, depth = size
    parts = [
        block(
            paint,
            (s * width / 2 - board * (s > 0), y, -depth / 2),
            (s * width / 2 + board * (s < 0), y + height, depth / 2),
        )
        for s in (-1, 1)
    ]
    for i in range(rows + 1):
        at = y + board / 2 + i * (height - board) / rows
        parts.append(box(paint, (width, board, depth), (0, at, 0)))
    for i in range(1, columns):
        parts.append(box(paint, (board, height, depth - 0.5), (i * width / columns - width / 2, y + height / 2, -0.25)))
    if backed:
        parts.append(box(paint, (width, height, 0.8 * board), (0, y + height / 2, -depth / 2 + 0.4 * board)))
    return parts


def doors(rng: Rng, paint: Paint, metal: Paint, size: Box3, y: float, count: int, panel: str, grip: str) -> list[Part]:
    """Doors side by side on the front, hinged outwards."""
    width, height, depth = size
    parts, each = [], width / count
    for i in range(count):
        x = (i + 0.5) * each - width / 2
        parts += front_panel(paint, each * 0.96, height * 0.97, (x, y + height / 2, depth / 2), 2, panel)
        side = 1 if i % 2 == 0 else -1
        spot = (x + side * each * 0.38, y + height * rng.uniform(0.45, 0.55), depth / 2 + 2)
        parts += handle(metal, grip, spot, 10, upright=True)
    return parts


def drawers(
    paint: Paint, metal: Paint, size: Box3, y: float, rows: int, columns: int, panel: str, grip: str
) -> list[Part]:
    """Drawer fronts in rows, one or two handles each."""
    width, height, depth = size
    parts, wide, high = [], width / columns, height / rows
    for i in range(rows):
        for j in range(columns):
            x, at = (j + 0.5) * wide - width / 2, y + (i + 0.5) * high
            parts += front_panel(paint, wide * 0.95, high * 0.9, (x, at, depth / 2), 2, panel)
            for s in (-0.28, 0.28) if wide > 70 else (0,):
                parts += handle(metal, grip, (x + s * wide, at, depth / 2 + 2), min(10, 0.6 * high))
    return parts


def foot(rng: Rng, paint: Paint, width: float, depth: float) -> tuple[list[Part], float]:
    """What storage stands on, and how high: a plinth, short legs or long ones."""
    style = pick(rng, ("plinth", "short", "long", "none"))
    if style == "none":
        return [], 0.0
    if style == "plinth":
        high = rng.uniform(3, 8)
        return [box(paint, (width - 3, high + 0.5, depth - 4), (0, high / 2, 0))], high
    high = rng.uniform(5, 12) if style == "short" else rng.uniform(14, 34)
    return table_legs(rng, paint, pick(rng, LEG_STYLES), width, depth, high + 0.5, rng.uniform(3.5, 6)), high


def top_board(rng: Rng, paint: Paint, width: float, depth: float, y: float) -> list[Part]:
    """A plain or an overhanging top."""
    over, thick = rng.uniform(0, 5), rng.uniform(2, 4)
    return [box(paint, (width + over, thick, depth + over), (0, y + thick / 2, 0), bevel=0.3 * thick)]


def cabinet(rng: Rng) -> list[Part]:
    """A sideboard, chest of drawers or cupboard, with doors, drawers, open parts."""
    paint, metal = body(rng), grips(rng)
    front = paint if rng.random() < 0.7 else painted(rng, "front")
    width, height, depth = rng.uniform(45, 190), rng.uniform(40, 110), rng.uniform(32, 52)
    feet, y = foot(rng, paint, width, depth)
    panel, grip = pick(rng, ("flat", "framed", "raised")), pick(rng, HANDLE_STYLES)
    size = (width, height, depth)
    style = pick(rng, ("doors", "drawers", "both", "mixed"))
    columns = max(1, round(width / 45))
    parts = feet + top_board(rng, paint, width, depth, y + height)
    if style == "mixed" and columns > 1:
        third = width / columns
        parts += open_case(paint, size, y, 2.2, columns, int(rng.integers(2, 4)))
        for i in range(columns):
            if rng.random() < 0.65:
                x = (i + 0.5) * third - width / 2
                parts.append(box(paint, (third, height, depth - 1), (x, y + height / 2, 0)))
                piece = (third, height, depth)
                fronts = (
                    drawers(front, metal, piece, y, int(rng.integers(2, 5)), 1, panel, grip)
                    if rng.random() < 0.5
                    else doors(rng, front, metal, piece, y, 1, panel, grip)
                )
                parts += moved(fronts, (x, 0, 0))
        return parts
    parts.append(box(paint, size, (0, y + height / 2, 0), bevel=0.5))
    if style == "drawers":
        return parts + drawers(front, metal, size, y, max(2, round(height / 22)), max(1, columns // 2), panel, grip)
    if style == "both":
        high = 0.25 * height
        parts += drawers(front, metal, (width, high, depth), y + height - high, 1, columns, panel, grip)
        return parts + doors(rng, front, metal, (width, height - high, depth), y, columns, panel, grip)
    return parts + doors(rng, front, metal, size, y, columns, panel, grip)


def wardrobe(rng: Rng) -> list[Part]:
    """A tall closet with doors, drawers below, and a cornice."""
    paint, metal = body(rng), grips(rng)
    width, height, depth = rng.uniform(70, 200), rng.uniform(170, 215), rng.uniform(45, 62)
    _, y = foot(rng, paint, width, depth)
    y = min(y, 14)
    low = rng.uniform(18, 40) if rng.random() < 0.45 else 0.0
    count = max(1, round(width / 50))
    panel, grip = pick(rng, ("flat", "framed", "raised")), pick(rng, HANDLE_STYLES)
    parts = [box(paint, (width, height, depth), (0, y + height / 2, 0), bevel=0.6)]
    parts += table_legs(rng, paint, "square", width, depth, y + 1, 5)
    if low:
        parts += drawers(paint, metal, (width, low, depth), y, 1, max(1, count // 2), panel, grip)
    parts += doors(rng, paint, metal, (width, height - low, depth), y + low, count, panel, grip)
    if rng.random() < 0.5:
        for i, grow in enumerate((3, 7, 10)):
            parts.append(box(paint, (width + grow, 3, depth + grow), (0, y + height + 1 + i * 2.5, 0), bevel=0.8))
    elif rng.random() < 0.4:
        parts.append(moved(gable(paint, 0.9 * width, rng.uniform(10, 25), 5), (0, y + height, depth / 2 - 4)))
    return parts


def bookcase(rng: Rng) -> list[Part]:
    """Open shelves, often with books and other objects in them."""
    paint = body(rng)
    width, height, depth = rng.uniform(40, 160), rng.uniform(60, 210), rng.uniform(22, 38)
    board = rng.uniform(1.8, 4) * max(width, height) / 130
    columns, rows = max(1, round(width / rng.uniform(38, 80))), max(2, round(height / rng.uniform(28, 45)))
    feet, y = foot(rng, paint, width, depth)
    parts = feet + open_case(paint, (width, height, depth), y, board, columns, rows, backed=rng.random() < 0.75)
    if rng.random() < 0.55:
        parts += shelf_content(rng, (width, height, depth), y, board, columns, rows)
    return parts


def shelf_content(rng: Rng, size: Box3, y: float, board: float, columns: int, rows: int) -> list[Part]:
    """Rows of books and boxes in the compartments."""
    width, height, depth = size
    cell, tall = width / columns, (height - board) / rows
    parts: list[Part] = []
    for i in range(rows):
        for j in range(columns):
            floor, left = y + i * tall + board, j * cell - width / 2 + board
            if rng.random() < 0.3 or len(parts) > 60:
                continue
            if rng.random() < 0.3:
                paint = pick(rng, (muted, wood))(rng, "basket")
                parts.append(
                    box(
                        paint,
                        (cell * 0.8, tall * 0.6, depth * 0.8),
                        (left + cell / 2 - board, floor + tall * 0.3, 0.5),
                        bevel=1,
                    )
                )
                continue
            x = left
            while x < left + cell - 3 * board and len(parts) < 60:
                wide, high = rng.uniform(2.5, 7), tall * rng.uniform(0.55, 0.8)
                paint = bright(rng, "book") if rng.random() < 0.5 else muted(rng, "book")
                parts.append(
                    box(
                        paint, (wide * 0.95, high, depth * rng.uniform(0.6, 0.85)), (x + wide / 2, floor + high / 2, -1)
                    )
                )
                x += wide * (1 if rng.random() < 0.9 else 2.5)
    return parts


def shelf(rng: Rng) -> list[Part]:
    """A rack: metal posts with boards, a ladder shelf, or wall boards with brackets."""
    paint, metal = body(rng), pick(rng, (steel, dark, wood))(rng, "frame")
    width, height, depth = rng.uniform(60, 130), rng.uniform(80, 190), rng.uniform(28, 45)
    rows = int(rng.integers(3, 7))
    style = pick(rng, ("rack", "ladder", "wall"))
    if style == "wall":
        parts = []
        for i in range(int(rng.integers(1, 4))):
            parts.append(box(paint, (width, 3, depth * 0.6), (0, i * 32, 0), bevel=0.5))
            for x in (-0.35, 0.35):
                bracket = [(-0.3 * depth, -1), (-0.3 * depth, -14), (0.2 * depth, -1)]
                parts.append(extrude(metal, bracket, 2.5, (x * width, i * 32, 0), "x"))
        return parts
    parts = []
    for i in range(rows):
        t = i / (rows - 1)
        y, deep = 6 + t * (height - 8), depth * (1 - 0.55 * t) if style == "ladder" else depth
        parts.append(box(paint, (width, 2.8, deep), (0, y, -depth / 2 + deep / 2), bevel=0.4))
    for x in (-width / 2, width / 2):
        front = -depth / 2 + depth * 0.45 if style == "ladder" else depth / 2
        parts.append(rod(metal, (x, 0, depth / 2), (x, height + 3, front), 1.6, sides=8))
        parts.append(rod(metal, (x, 0, -depth / 2), (x, height + 3, -depth / 2), 1.6, sides=8))
    return parts


def nightstand(rng: Rng) -> list[Part]:
    """A small bedside cabinet with a drawer and an open part."""
    paint, metal = body(rng), grips(rng)
    width, height, depth = rng.uniform(38, 55), rng.uniform(30, 50), rng.uniform(34, 44)
    feet, y = foot(rng, paint, width, depth)
    size = (width, height, depth)
    parts = feet + open_case(paint, size, y, 2, 1, 2) + top_board(rng, paint, width, depth, y + height)
    panel, grip = pick(rng, ("flat", "framed", "raised")), pick(rng, HANDLE_STYLES)
    rows = int(rng.integers(1, 3))
    parts.append(box(paint, (width - 1, height / 2, depth - 3), (0, y + 0.73 * height, 0)))
    parts += drawers(paint, metal, (width - 3, height * 0.46, depth - 2), y + 0.5 * height, rows, 1, panel, grip)
    if rng.random() < 0.4:
        parts.append(box(paint, (width - 1, height / 2, depth - 3), (0, y + 0.27 * height, 0)))
        parts += drawers(paint, metal, (width - 3, height * 0.46, depth - 2), y + 0.02 * height, 1, 1, panel, grip)
    return parts


def chest(rng: Rng) -> list[Part]:
    """A treasure chest or trunk with a round or flat lid, straps and a lock."""
    paint, iron = wood(rng), pick(rng, (brass, dark, steel))(rng, "iron")
    width, depth, height = rng.uniform(60, 110), rng.uniform(38, 55), rng.uniform(26, 45)
    lid = rng.uniform(8, 0.5 * depth)
    parts = [box(paint, (width, height, depth), (0, height / 2 + 2, 0), bevel=1)]
    angle = np.linspace(0, np.pi, 9 if rng.random() < 0.7 else 4)
    arch = np.column_stack([-np.cos(angle) * depth / 2, height + 3 + np.sin(angle) * lid])

    def cover(size: float, wide: float, x: float, paint: Paint) -> Part:
        return extrude(paint, (arch - (0, height + 3)) * size + (0, height + 3), wide, (x, 0, 0), "x")

    lid_parts = [cover(1.0, width, 0, paint)]
    straps = pick(rng, ((-0.48, 0.48), (-0.48, 0, 0.48), (-0.3, 0.3)))
    for x in straps:
        lid_parts.append(cover(1.05, 5, x * width, iron))
        parts.append(box(iron, (5, height, depth + 2), (x * width, height / 2 + 2, 0)))
    if rng.random() < 0.25:
        lid_parts = turned(lid_parts, -rng.uniform(40, 100), "x", (0, height + 3, -depth / 2))
    parts += lid_parts
    parts.append(box(iron, (9, 11, 3), (0, height - 1, depth / 2 + 1), bevel=0.8))
    parts += [torus(iron, 5, 1.1, (s * (width / 2 + 1), height * 0.6, 0), "x", 12) for s in (-1, 1)]
    return parts + table_legs(rng, paint, "round", width, depth, 3, 6)


def kitchen_unit(rng: Rng) -> list[Part]:
    """Base cabinets under a worktop with a sink or hob, perhaps wall cabinets and a hood above."""
    paint, metal, top = painted(rng, "wood"), grips(rng), pick(rng, (stone, wood))(rng, "worktop")
    count = int(rng.integers(2, 5))
    width, height, depth = count * rng.uniform(45, 60), 84.0, 60.0
    panel, grip = pick(rng, ("flat", "framed", "raised")), pick(rng, HANDLE_STYLES)
    parts = [
        box(paint, (width, height - 8, depth - 2), (0, height / 2 + 4, 0)),
        box(dark(rng), (width - 2, 8, depth - 10), (0, 4, -2)),
    ]
    parts.append(box(top, (width + 3, 4, depth + 3), (0, height + 2, 1), bevel=0.6))
    each = width / count
    for i in range(count):
        x, size = (i + 0.5) * each - width / 2, (each, height - 9, depth - 2)
        fronts = (
            drawers(paint, metal, size, 9, int(rng.integers(2, 5)), 1, panel, grip)
            if rng.random() < 0.4
            else doors(rng, paint, metal, size, 9, 1, panel, grip)
        )
        parts += moved(fronts, (x, 0, 0))
    x = (int(rng.integers(count)) + 0.5) * each - width / 2
    if rng.random() < 0.6:
        parts.append(basin(steel(rng), (0.8 * each, 6, 36), (x, height + 5, 2)))
        parts.append(
            tube(
                steel(rng),
                [(x, height + 4, -20), (x, height + 26, -20), (x, height + 30, -8), (x, height + 24, 0)],
                1.5,
            )
        )
    else:
        spots = [(x + a * 12, b * 12) for a in (-1, 1) for b in (-1, 1)]
        parts += [rod(dark(rng), (u, height + 3, v), (u, height + 5.5, v), 8, sides=16) for u, v in spots]
    if rng.random() < 0.5:
        size = (width, 60.0, 34.0)
        wall = [box(paint, size, (0, 30, 0)), *doors(rng, paint, metal, size, 0, count, panel, grip)]
        parts += moved(wall, (0, height + 50, -depth / 2 + 17))
        parts.append(box(top, (width, 50, 2), (0, height + 27, -depth / 2 + 1)))
    return parts


def basin(paint: Paint, size: Box3, at: Box3) -> Part:
    """A rectangular bowl open at the top, its rim at ``at``."""
    width, deep, depth = size
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    rings = []
    for grow, y in ((1.0, -deep), (1.0, 0.0), (0.9, 0.0), (0.8, -0.85 * deep)):
        loop = corner * (width * grow, depth * grow)
        rings.append(np.column_stack([loop[:, 0], np.full(4, y), loop[:, 1]]))
    return loft(paint, np.array(rings) + np.asarray(at))


def gable(paint: Paint, width: float, height: float, depth: float) -> Part:
    """A curved top board."""
    half = [(0, 0), (width / 2, 0), (width / 2, 0.2 * height), (0.25 * width, 0.5 * height), (0, height)]
    return extrude(paint, mirror_outline(half), depth, bevel=0.1 * depth)
