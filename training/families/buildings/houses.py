"""Houses from cottage to greenhouse, and those of dogs and birds; doors face +Z."""

from __future__ import annotations

import numpy as np

from training.families.paints import Rng, bright, cream, dark, glass, muted, painted, pick, steel, stone, white, wood
from training.families.parts import Paint, both, box, extrude, loft, moved, rod, sheet, turned, vessel
from training.shapes import Part


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
