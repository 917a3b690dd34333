"""Bathroom fittings."""

from __future__ import annotations

import numpy as np

from training.families.furniture.joinery import front_panel, handle, table_legs
from training.families.furniture.storage import basin
from training.families.outlines import curve, oval
from training.families.paints import Rng, brass, dark, glass, painted, pick, steel, stone, white, wood
from training.families.parts import Paint, box, extrude, frame, lathe, loft, moved, rod, stacked, tube, turned
from training.shapes import Part


def tap(metal: Paint, at: tuple[float, float, float], size: float) -> list[Part]:
    """A bent tap that reaches towards +Z, with two grips."""
    x, y, z = at
    line = [(x, y, z), (x, y + 0.8 * size, z), (x, y + size, z + 0.5 * size), (x, y + 0.7 * size, z + 0.9 * size)]
    grips = [
        rod(metal, (x + s * 0.5 * size, y, z), (x + s * 0.5 * size, y + 0.35 * size, z), 0.13 * size) for s in (-1, 1)
    ]
    return [tube(metal, line, 0.11 * size, 8), *grips]


def washbasin(rng: Rng) -> list[Part]:
    """A basin on a pedestal or on a cabinet, with a tap."""
    paint, metal = white(rng, "ceramic"), pick(rng, (steel, brass))(rng)
    width, depth, deep = rng.uniform(45, 75), rng.uniform(36, 50), rng.uniform(12, 18)
    rim, square = 84.0, pick(rng, (1.0, 0.7, 0.35))
    rings = [
        (0.4, rim - deep),
        (0.75, rim - 0.6 * deep),
        (1, rim - 3),
        (1, rim),
        (0.88, rim),
        (0.8, rim - 2),
        (0.5, rim - 0.75 * deep),
    ]
    bowl = stacked(paint, [(width * s, depth * s, y, 0, 0) for s, y in rings], square, 28)
    parts = [bowl, *tap(metal, (0, rim, -depth * 0.44), rng.uniform(9, 15))]
    style = pick(rng, ("pedestal", "cabinet", "legs"))
    if style == "pedestal":
        parts.append(lathe(paint, curve([(12, 0), (11, 4), (8, 20), (8, 50), (12, rim - deep + 3)], 3), (0, 0, -4)))
        parts.append(box(paint, (0.7 * width, 10, 7), (0, rim - 4, -depth * 0.48), bevel=1.5))
    elif style == "cabinet":
        body = painted(rng, "wood")
        parts.append(box(body, (width + 6, rim - deep + 2, depth), (0, (rim - deep) / 2 + 2, -2), bevel=0.8))
        for s in (-1, 1):
            at = (s * width * 0.26, (rim - deep) / 2, depth / 2 - 2)
            parts += front_panel(body, width / 2, rim - deep - 10, at, 2, pick(rng, ("flat", "framed")))
            parts += handle(metal, "knob", (s * 5, at[1], at[2] + 2), 5)
        parts.append(box(stone(rng), (width + 10, 3, depth + 6), (0, rim - 5, -2), bevel=0.6))
    else:
        parts += table_legs(rng, metal, "metal", width * 0.8, depth * 0.8, rim - 4, 5)
        parts.append(box(paint, (0.8 * width, 8, 6), (0, rim - 4, -depth * 0.48), bevel=1.5))
    return parts


def toilet(rng: Rng) -> list[Part]:
    """A bowl with seat, lid and cistern."""
    paint, lid = white(rng, "ceramic"), pick(rng, (white, white, wood, dark))(rng, "lid")
    width, depth, rim = rng.uniform(34, 39), rng.uniform(44, 52), rng.uniform(38, 42)
    foot = rng.uniform(0.5, 0.7)
    rings = [
        (width * foot, depth * 0.75, 0, -6),
        (width * foot * 0.85, depth * 0.65, 10, -6),
        (width * 0.8, depth * 0.85, rim * 0.6, -2),
    ]
    rings += [
        (width, depth, rim - 4, 0),
        (width, depth, rim, 0),
        (width * 0.72, depth * 0.74, rim, 1),
        (width * 0.4, depth * 0.4, rim - 16, 0),
    ]
    parts = [stacked(paint, [(*ring, 0) for ring in rings], 0.9, 28)]
    seat = frame(lid, oval(width, depth, 28, 0.9), oval(width * 0.66, depth * 0.7, 28, 0.9), 2.2, (0, rim + 1, 0), "y")
    cover = extrude(lid, oval(width, depth, 28, 0.9), 2, (0, rim + 3.2, 0), "y", bevel=0.6)
    closed = rng.random() < 0.5
    parts += [seat, cover if closed else turned(cover, -100, "x", (0, rim + 3, -depth / 2))]
    high, wide = rng.uniform(28, 40), rng.uniform(36, 44)
    z = -depth / 2 - 6
    parts.append(box(paint, (width * 0.8, 8, 22), (0, rim - 4, z + 4), bevel=2))
    parts.append(box(paint, (wide, high, 16), (0, rim + high / 2 - 2, z - 3), bevel=rng.uniform(1, 4)))
    parts.append(box(paint, (wide + 2, 3, 18), (0, rim + high - 1, z - 3), bevel=1))
    metal = steel(rng)
    parts.append(rod(metal, (0, rim + high, z - 3), (0, rim + high + 2, z - 3), 3))
    return parts


def bathtub(rng: Rng) -> list[Part]:
    """A tub: boxed in, free standing or on claw feet."""
    paint, metal = white(rng, "ceramic"), pick(rng, (steel, brass))(rng)
    skin = paint if rng.random() < 0.6 else painted(rng, "skin")
    length, depth, high = rng.uniform(140, 180), rng.uniform(68, 82), rng.uniform(48, 62)
    style = pick(rng, ("box", "free", "claw"))
    if style == "box":
        parts = [tub_in_box(skin, length, depth, high)]
    else:
        lift = 14.0 if style == "claw" else 0.0
        square = rng.uniform(0.6, 0.9)
        rings = [
            (0.7, lift),
            (0.82, lift + 5),
            (0.92, 0.6 * high + lift),
            (1, high + lift),
            (1.02, high + lift + 1.5),
            (0.95, high + lift + 1.5),
        ]
        rings += [(0.86, 0.6 * high + lift), (0.72, lift + 10)]
        parts = [stacked(skin, [(length * s, depth * s, y, 0, 0) for s, y in rings], square, 28)]
        if rng.random() < 0.5:
            rise = rng.uniform(4, 12)
            for part in parts:
                v = part.vertices
                v[:, 1] += rise * np.clip(v[:, 1] / high, 0, 1) * (v[:, 0] / length * 2) ** 2
        if lift:
            for s in (-1, 1):
                for t in (-1, 1):
                    line = [
                        (s * 0.28 * length, lift + 8, t * 0.3 * depth),
                        (s * 0.33 * length, 8, t * 0.4 * depth),
                        (s * 0.32 * length, 2, t * 0.42 * depth),
                    ]
                    parts.append(tube(metal, line, [3, 2.2, 4], 8))
    return parts + moved(turned(tap(metal, (0, 0, 0), 16), -90), (0.46 * length, high + 2, 0))


def tub_in_box(paint: Paint, length: float, depth: float, high: float) -> Part:
    """A rectangular block with an oval hollow."""
    rings = []
    for grow, square, y in ((1, 0.12, 0.0), (1, 0.12, high), (0.88, 0.5, high), (0.83, 0.5, high - 6), (0.68, 0.5, 10)):
        loop = oval(length * grow, depth * grow, 28, square)
        rings.append(np.column_stack([loop[:, 0], np.full(28, y), loop[:, 1]]))
    return loft(paint, np.array(rings))


def shower(rng: Rng) -> list[Part]:
    """A cabin of panes on a tray with a shower head."""
    paint, metal, pane = white(rng, "ceramic"), steel(rng), glass(rng)
    side, high = rng.uniform(75, 100), rng.uniform(185, 205)
    h = side / 2
    parts = [basin(paint, (side, 10, side), (0, 10, 0))]
    parts.append(box(pane, (side, high, 2.2), (0, high / 2 + 8, -h + 1)))
    parts.append(box(pane, (2.2, high, side), (h - 1, high / 2 + 8, 0)))
    parts.append(box(pane, (2.2, high, side), (1 - h, high / 2 + 8, 0)))
    for sx in (-1, 1):
        parts += [box(metal, (3.2, high + 10, 3.2), (sx * (h - 1), high / 2 + 5, sz * (h - 1))) for sz in (-1, 1)]
    parts += [box(metal, (side, 3, 3), (0, high + 9, sz * (h - 1))) for sz in (-1, 1)]
    parts.append(tube(metal, [(0, 90, -h + 4), (0, high - 8, -h + 4), (0, high, -h + 14), (0, high - 4, -h + 24)], 1.5))
    parts.append(rod(metal, (0, high - 8, -h + 24), (0, high - 4, -h + 24), 9, 4))
    return parts
