"""Chairs, armchairs, sofas, stools and benches."""

from __future__ import annotations

import numpy as np

from training.families.furniture.joinery import LEG_STYLES, apron, padding, star_base, stretchers, table_legs
from training.families.outlines import rounded
from training.families.paints import Kind, Rng, cloth, dark, leather, painted, pick, steel, wood
from training.families.parts import Paint, bar, block, both, box, cushion, extrude, lathe, rod, torus, tube, turned
from training.families.seats.backs import back
from training.families.seats.soft import armchair, ottoman, pouf, sofa, wing_chair
from training.families.seats.special import (
    bean_bag,
    deck_chair,
    folding_chair,
    garden_swing,
    rocking_chair,
    shell_chair,
    throne,
)
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random seat that opens towards +Z."""
    kinds: tuple[Kind, ...] = (wooden_chair, wooden_chair, wooden_chair, office_chair, office_chair, armchair, armchair)
    kinds += (sofa, sofa, wing_chair, ottoman, pouf, stool, stool, bar_stool, bar_stool, bench, park_bench)
    kinds += (rocking_chair, folding_chair, shell_chair, shell_chair, cantilever_chair, deck_chair, bean_bag, throne)
    kinds += (garden_swing,)
    return pick(rng, kinds)(rng)


def wooden_chair(rng: Rng) -> list[Part]:
    """Four legs, a seat and any kind of back; sometimes arms or a cushion."""
    paint = wood(rng) if rng.random() < 0.75 else painted(rng, "wood")
    width, depth = rng.uniform(38, 54), rng.uniform(38, 52)
    height, rise = rng.uniform(40, 50), rng.uniform(34, 68)
    thick = rng.uniform(3, 5)
    style = pick(rng, LEG_STYLES)
    board = rng.uniform(2, 5)
    splay = rng.uniform(0, 6) if style in ("round", "turned", "metal", "taper") else 0.0
    parts = table_legs(rng, paint, style, width, depth, height, thick, splay)
    parts += chair_seat(rng, paint, width, depth, height, board)
    if rng.random() < 0.55:
        parts += apron(paint, width - thick, depth - thick, height, rng.uniform(3, 7), 1.8)
    if rng.random() < 0.5:
        low = rng.uniform(0.2, 0.5)
        reach = 2 * splay * (1 - low)
        span = width - thick + reach, depth - thick + reach
        parts += stretchers(paint, *span, low * height, rng.uniform(1.8, 3), pick(rng, ("sides", "box", "h")))
    parts += back(rng, paint, width, rise, thick, (0, height + board / 2, -depth / 2 + thick / 2))
    if rng.random() < 0.25:
        parts += wooden_arms(rng, paint, width, depth, height, thick)
    return parts


def chair_seat(rng: Rng, paint: Paint, width: float, depth: float, height: float, board: float) -> list[Part]:
    """A plate, slats, woven rush or an upholstered seat."""
    style = pick(rng, ("plate", "plate", "rounded", "slats", "pad", "pad", "loose"))
    top = height + board / 2
    if style == "slats":
        count = int(rng.integers(4, 8))
        step = depth / count
        return [box(paint, (width, board, 0.75 * step), (0, top, (i + 0.5) * step - depth / 2)) for i in range(count)]
    outline = rounded(width + 2, depth + 2, rng.uniform(1, 14) if style == "rounded" else 1.5)
    parts = [extrude(paint, outline, board, (0, top, 0), "y", bevel=0.25 * board)]
    soft = cloth(rng) if rng.random() < 0.6 else leather(rng)
    if style == "pad":
        parts += padding(soft, (width, rng.uniform(4, 9), depth), (0, top + board / 2, 0.5), rng.uniform(0.2, 0.4))
    if style == "loose":
        parts.append(cushion(soft, (0.86 * width, rng.uniform(3, 7), 0.86 * depth), (0, top + board, 1.5)))
    return parts


def wooden_arms(rng: Rng, paint: Paint, width: float, depth: float, height: float, thick: float) -> list[Part]:
    """An arm rest on a post at either side."""
    rise, x = rng.uniform(18, 26), width / 2 - thick / 3
    front = rng.uniform(0.1, 0.45) * depth
    post = bar(paint, (x, height, front), (x, height + rise, front), 0.7 * thick)
    if rng.random() < 0.5:
        return both([post, box(paint, (thick * 1.3, 2, depth), (x, height + rise, 0), bevel=0.6)])
    line = [(x, height + rise + 3, -depth / 2), (x + 2, height + rise, 0), (x, height + rise - 1, front + 5)]
    return both([post, tube(paint, line, 0.45 * thick)])


def office_chair(rng: Rng) -> list[Part]:
    """A swivel chair: star foot, gas column, padded seat and back, often arms and a head rest."""
    metal = pick(rng, (steel, dark))(rng, "frame")
    soft = pick(rng, (dark, cloth, leather))(rng, "cloth")
    plastic = dark(rng, "plastic")
    height, width, depth = rng.uniform(42, 52), rng.uniform(44, 56), rng.uniform(42, 54)
    parts = star_base(metal, plastic, int(rng.integers(4, 6)), rng.uniform(26, 33), height)
    parts.append(box(plastic, (0.5 * width, 3, 0.5 * depth), (0, height - 1, 0), bevel=1))
    thick = rng.uniform(6, 12)
    parts.append(cushion(soft, (width, thick, depth), (0, height + thick / 2, 0), rng.uniform(0.25, 0.45)))
    parts += office_back(rng, soft, metal, width, height, depth)
    if rng.random() < 0.75:
        parts += office_arms(rng, plastic, pick(rng, (plastic, soft)), width, height)
    return parts


def office_back(rng: Rng, soft: Paint, metal: Paint, width: float, height: float, depth: float) -> list[Part]:
    """The bent padded back on its spine."""
    rise = rng.uniform(36, 78)
    low = height + rng.uniform(8, 18)
    thick, bend = rng.uniform(5, 11), rng.uniform(0, 6)
    z = -depth / 2 - thick / 4
    wide = width * rng.uniform(0.75, 1.0)
    pad = cushion(soft, (wide, rise, thick), (0, low + rise / 2, z), rng.uniform(0.25, 0.5))
    parts = [pad]
    if rng.random() < 0.3:
        for y in np.linspace(low + 0.15 * rise, low + 0.85 * rise, int(rng.integers(3, 6))):
            parts.append(cushion(soft, (0.9 * wide, 0.2 * rise, thick * 0.7), (0, y, z + 0.35 * thick), 0.5))
    if rng.random() < 0.3:
        parts.append(cushion(soft, (0.55 * wide, 16, thick), (0, low + rise + 9, z + 1), 0.45))
        parts.append(rod(metal, (0, low + rise - 2, z), (0, low + rise + 4, z), 2))
    spine = [(0, height - 1, -depth / 4), (0, height, z - thick), (0, low + 0.5 * rise, z - 0.4 * thick)]
    parts.append(tube(metal, spine, [2, 2, 1.6], 8, flat=1.7))
    tilt = rng.uniform(2, 14)
    parts = [*turned(parts[:-1], -tilt, "x", (0, low, z)), parts[-1]]
    for i, part in enumerate(parts):
        v = part.vertices
        v[:, 2] += bend * (v[:, 0] / (0.5 * width)) ** 2 * (i < len(parts) - 1)
    return parts


def office_arms(rng: Rng, plastic: Paint, pad: Paint, width: float, height: float) -> list[Part]:
    """A loop or T-shaped arm at either side."""
    x, rise, reach = width / 2 + rng.uniform(1, 4), rng.uniform(18, 26), rng.uniform(10, 15)
    rest = box(pad, (rng.uniform(5, 9), 3.5, 2.1 * reach), (x, height + rise + 1, -1), bevel=1.2)
    if rng.random() < 0.5:
        line = [(x * 0.6, height, 6), (x, height + 3, 8), (x, height + rise, reach), (x, height + rise, -reach)]
        line += [(x, height + 6, -6), (x * 0.6, height, -5)]
        return both([tube(plastic, line, 1.8, 8), rest])
    post = tube(plastic, [(x * 0.5, height, 0), (x, height + 1, 0), (x, height + rise, -1)], [2, 2.2, 2.2], 8)
    return both([post, rest])


def stool(rng: Rng) -> list[Part]:
    """A low stool: round or square, three or four legs."""
    paint = wood(rng) if rng.random() < 0.7 else painted(rng, "wood")
    height, size, board = rng.uniform(26, 50), rng.uniform(28, 42), rng.uniform(2.5, 6)
    if rng.random() < 0.5:
        thick = rng.uniform(3, 5)
        style = pick(rng, LEG_STYLES)
        deep = size * rng.uniform(0.6, 1)
        parts = table_legs(rng, paint, style, size, deep, height, thick, rng.uniform(0, 4))
        parts.append(box(paint, (size + 2, board, deep + 2), (0, height + board / 2, 0), bevel=0.8))
        if rng.random() < 0.6:
            parts += stretchers(paint, size, deep, 0.4 * height, 2.2, pick(rng, ("box", "h", "x")))
    else:
        parts = round_legs(rng, paint, int(rng.integers(3, 5)), size, height, rng.uniform(0, 8))
        parts.append(lathe(paint, [(size / 2 - 1, height), (size / 2, height + 1), (size / 2 - 0.5, height + board)]))
    if rng.random() < 0.4:
        parts.append(cushion(cloth(rng), (size, 6, size * 0.98), (0, height + board + 1, 0), 0.5))
    return parts


def round_legs(rng: Rng, paint: Paint, count: int, size: float, height: float, splay: float) -> list[Part]:
    """Legs on a circle, with a ring or none."""
    thick, start = rng.uniform(1.4, 2.4), rng.uniform(0, 2)
    parts = []
    for i in range(count):
        a = start + 2 * np.pi * i / count
        inner, outer = size * 0.36, size * 0.4 + splay
        foot, top = (outer * np.cos(a), 0, outer * np.sin(a)), (inner * np.cos(a), height, inner * np.sin(a))
        parts.append(rod(paint, foot, top, thick * 0.85, thick))
    if rng.random() < 0.6:
        low = rng.uniform(0.2, 0.5)
        parts.append(torus(paint, (size * 0.4 + splay) * (1 - low) + size * 0.36 * low, 1.2, (0, low * height, 0)))
    return parts


def bar_stool(rng: Rng) -> list[Part]:
    """A high stool on four legs or on a column with a foot plate."""
    metal = pick(rng, (steel, dark, wood))(rng, "frame")
    soft = pick(rng, (leather, painted, wood))(rng, "seat")
    height, size = rng.uniform(62, 80), rng.uniform(32, 42)
    thick = rng.uniform(4, 9)
    if rng.random() < 0.5:
        foot = rng.uniform(18, 23)
        parts = [lathe(metal, [(foot, 0), (foot, 1.2), (0.3 * foot, 3.5), (3, 7), (2.6, height), (9, height + 1)])]
        parts.append(torus(metal, rng.uniform(12, 16), 1.1, (0, 0.35 * height, 0)))
        parts += [rod(metal, (0, 0.35 * height, 0), (s * 13, 0.35 * height, 0), 1.1, sides=8) for s in (-1, 1)]
    else:
        parts = round_legs(rng, metal, 4, size, height, rng.uniform(3, 9))
    square = pick(rng, (0.3, 0.6))
    if square < 0.5 and rng.random() < 0.5:
        parts.append(box(soft, (size, thick, size), (0, height + thick / 2, 0), bevel=1.5))
    else:
        r = size / 2
        profile = [(r - 1.5, height), (r, height + 1.5), (r, height + thick - 1.5), (r - 1.5, height + thick)]
        parts.append(lathe(soft, profile))
    if rng.random() < 0.45:
        rise = rng.uniform(14, 34)
        bow = [(s * 0.45 * size * np.cos(a), height + thick / 2 + rise * 0.75, -0.5 * size * np.sin(a))
               for s, a in ((-1, 0.3), (-1, 0.9), (0, np.pi / 2), (1, 0.9), (1, 0.3))]  # fmt: skip
        parts.append(tube(soft, bow, rise * 0.25, 8, flat=0.3))
        x, z = 0.28 * size, -0.42 * size
        parts += both(rod(metal, (x, height, z), (x, height + rise, z - 1), 1.2, sides=8))
    return parts


def bench(rng: Rng) -> list[Part]:
    """A long plain bench with legs, trestles or a chest beneath."""
    paint = wood(rng) if rng.random() < 0.8 else painted(rng, "wood")
    length, depth, height = rng.uniform(90, 180), rng.uniform(28, 45), rng.uniform(40, 50)
    board = rng.uniform(3, 7)
    parts = [box(paint, (length, board, depth), (0, height + board / 2, 0), bevel=0.8)]
    style = pick(rng, ("legs", "sides", "chest", "trestle"))
    if style == "legs":
        parts += table_legs(rng, paint, pick(rng, LEG_STYLES), 0.95 * length, depth, height, rng.uniform(4, 7))
        parts += apron(paint, 0.9 * length, depth - 5, height, 6, 2)
    elif style == "sides":
        parts += both(box(paint, (5, height, depth * 0.9), (0.42 * length, height / 2, 0)))
        parts.append(box(paint, (0.84 * length, 8, 3), (0, 0.6 * height, 0)))
    elif style == "chest":
        parts.append(box(paint, (0.95 * length, height - 4, 0.9 * depth), (0, height / 2 + 2, 0), bevel=1))
        wide = 0.95 * length / 3
        parts += [box(paint, (wide - 3, height - 14, 2), (i * wide, height / 2 + 2, 0.45 * depth)) for i in (-1, 0, 1)]
    else:
        for s in (-1, 1):
            x = s * 0.38 * length
            parts += [bar(paint, (x, 0, t * 0.5 * depth), (x, height, -t * 0.3 * depth), 5, 4) for t in (-1, 1)]
        parts.append(box(paint, (0.76 * length, 6, 3), (0, 0.45 * height, 0)))
    if rng.random() < 0.4:
        parts.append(cushion(cloth(rng), (length * 0.97, 7, depth * 0.97), (0, height + board + 2, 0), 0.25))
    return parts


def park_bench(rng: Rng) -> list[Part]:
    """Slats on two or three cast ends, with a leaning back."""
    slat, iron = wood(rng), pick(rng, (dark, steel, wood))(rng, "iron")
    length, height = rng.uniform(110, 190), rng.uniform(40, 46)
    depth, rise, lean = rng.uniform(38, 48), rng.uniform(34, 48), rng.uniform(6, 16)
    parts = []
    for i in range(int(rng.integers(3, 7))):
        parts.append(box(slat, (length, 2.6, 6), (0, height, depth / 2 - 4 - i * depth / 6), bevel=0.6))
    count = int(rng.integers(2, 6))
    for i in range(count):
        t = 0.2 + 0.8 * (i + 0.5) / count
        at = (0, height + t * rise, -depth / 2 - t * lean)
        parts.append(turned(box(slat, (length, 0.6 * rise / count, 2.4), at, bevel=0.6), -15, "x", at))
    arms = rng.random() < 0.7
    for x in (-0.44, 0.44) if rng.random() < 0.7 else (-0.44, 0.0, 0.44):
        x *= length
        spine = [(x, 0, -depth / 2 - 4), (x, height, -depth / 2), (x, height + rise, -depth / 2 - lean - 2)]
        parts.append(tube(iron, spine, 2.4, 8))
        parts.append(tube(iron, [(x, 0, depth / 2), (x, height - 2, depth / 2 - 5)], 2.4, 8))
        parts.append(bar(iron, (x, height - 3, -depth / 2), (x, height - 3, depth / 2 - 2), 4, 3))
        if arms:
            parts.append(
                tube(iron, [(x, height + 22, -depth / 2 - 4), (x, height + 22, 4), (x, height + 16, depth / 2)], 2)
            )
            parts.append(rod(iron, (x, height, depth / 2 - 4), (x, height + 19, depth / 2 - 4), 1.8, sides=8))
    return parts


def cantilever_chair(rng: Rng) -> list[Part]:
    """One bent steel tube that springs, with a seat and a back between its sides."""
    metal, soft = pick(rng, (steel, dark))(rng, "frame"), pick(rng, (leather, cloth, wood))(rng, "seat")
    x, depth = rng.uniform(21, 27), rng.uniform(44, 54)
    height, rise = rng.uniform(42, 47), rng.uniform(32, 46)
    r = rng.uniform(1.2, 1.8)
    z = depth / 2
    line = [
        (x, height + rise, -z - 6),
        (x, height + 8, -z),
        (x, height, -z + 7),
        (x, height, z - 6),
        (x, height - 6, z),
    ]
    line += [(x, 7, z), (x, r, z - 7), (x, r, -z + 2)]
    parts = both(tube(metal, line, r, 8))
    parts.append(rod(metal, (-x, r, -z + 2), (x, r, -z + 2), r))
    parts.append(box(soft, (2 * x, rng.uniform(2, 6), depth - 6), (0, height + 1, 0), bevel=0.9))
    at = (0, height + 0.75 * rise, -z - 4)
    high = rng.uniform(0.4, 0.7) * rise
    parts.append(turned(box(soft, (2 * x, high, rng.uniform(2, 5)), at, bevel=0.9), -8, "x", at))
    if rng.random() < 0.5:
        arm = [(x, height + 24, -z - 2), (x, height + 24, z - 8), (x, height + 18, z - 3), (x, height - 4, z - 1)]
        parts += both(tube(metal, arm, r, 8))
    else:
        parts.append(block(metal, (-x, height - 2, z - 5), (x, height, z - 3)))
    return parts
