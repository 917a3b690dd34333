"""Seats out of the ordinary: rocking, folding, shells, thrones, swings."""

from __future__ import annotations

import numpy as np

from training.families.furniture.joinery import apron
from training.families.outlines import curve
from training.families.paints import Rng, brass, bright, cloth, dark, painted, pick, steel, white, wood
from training.families.parts import (
    Paint,
    bar,
    both,
    box,
    cushion,
    ellipsoid,
    extrude,
    lathe,
    loft,
    rod,
    sheet,
    tube,
    turned,
    warped,
)
from training.families.seats.backs import back
from training.families.seats.soft import draped
from training.shapes import Part


def rocking_chair(rng: Rng) -> list[Part]:
    """A wooden armchair on two bent runners."""
    paint = wood(rng)
    width, depth = rng.uniform(46, 58), rng.uniform(44, 54)
    height, thick, lift = rng.uniform(36, 42), rng.uniform(3.5, 5), 5.0
    x = width / 2 - thick / 2
    runner = [(x, 10, -depth * 0.95), (x, 3.5, -depth / 2), (x, 2, 0), (x, 4, depth / 2), (x, 10, depth * 0.75)]
    parts = both(tube(paint, runner, 2.2, 8))
    for z in (-depth / 2 + 3, depth / 2 - 3):
        parts += both(rod(paint, (x, 3, z), (x, height, z), 0.5 * thick))
    parts.append(box(paint, (width, 3.5, depth), (0, height + 1.5, 0), bevel=1))
    parts += apron(paint, width - thick, depth - thick, height, 5, 2)
    parts += back(rng, paint, width, rng.uniform(55, 75), thick, (0, height + 3, -depth / 2 + 2))
    top = height + rng.uniform(20, 26)
    parts += both([box(paint, (7, 2.5, depth + 6), (x + 1, top, 1), bevel=0.8)])
    parts += both(rod(paint, (x, height, depth / 2 - 5), (x, top, depth / 2 - 5), 2))
    if rng.random() < 0.5:
        parts.append(cushion(cloth(rng), (width - 6, 6, depth - 5), (0, height + lift, 1), 0.3))
    return parts


def folding_chair(rng: Rng) -> list[Part]:
    """Crossing legs seen from the side, a thin seat and a thin back."""
    metal, soft = pick(rng, (steel, dark, wood))(rng, "frame"), pick(rng, (cloth, painted, wood))(rng, "seat")
    x, depth = rng.uniform(19, 25), rng.uniform(36, 44)
    height, high = rng.uniform(42, 48), rng.uniform(76, 90)
    r = rng.uniform(1, 1.7)
    front, rear = (x, r, depth / 2), (x - 3, r, -depth / 2 - 4)
    parts = both([rod(metal, front, (x, high, -depth / 2 - 4), r), rod(metal, rear, (x - 3, height, depth / 2), r)])
    parts.append(rod(metal, (-x, 4, depth / 2 - 2), (x, 4, depth / 2 - 2), r, sides=8))
    parts.append(rod(metal, (3 - x, 4, -depth / 2 - 2), (x - 3, 4, -depth / 2 - 2), r, sides=8))
    count = int(rng.integers(1, 6))
    for i in range(count):
        at = (0, height, (i + 0.5) * depth / count - depth / 2)
        parts.append(box(soft, (2 * x - 2, 1.8, depth / count * (0.8 if count > 1 else 1)), at, bevel=0.5))
    for y in (0.88, 0.72) if rng.random() < 0.5 else (0.88,):
        z = depth / 2 - depth * y - 4 * y
        size = (2 * x, 0.13 * high if y > 0.8 else 0.08 * high, 1.8)
        parts.append(turned(box(soft, size, (0, y * high + 4, z), bevel=0.5), -20, "x", (0, y * high + 4, z)))
    return parts


def shell_chair(rng: Rng) -> list[Part]:
    """A moulded shell on wire, wooden or pedestal legs (Eames, tulip)."""
    paint, foot = painted(rng, "shell"), pick(rng, (wood, steel, white))(rng, "frame")
    width, depth, height = rng.uniform(44, 54), rng.uniform(42, 48), rng.uniform(40, 46)
    rise, wrap = rng.uniform(32, 44), rng.uniform(2, 14)
    line = curve(
        [(depth / 2, -2), (depth / 2 - 4, 1), (0, 0), (-depth / 2 + 8, 2), (-depth / 2, 12), (-depth / 2 - 8, rise)], 3
    )
    across = np.linspace(-1, 1, 9)
    grid = np.empty((len(line), 9, 3))
    along = np.linspace(0, 1, len(line))[:, None]
    narrow = 1 - 0.25 * np.clip(along * 3 - 2, 0, 1) ** 2 - 0.12 * (1 - along) ** 4
    grid[..., 0] = across * width / 2 * narrow
    side = wrap * np.abs(across) ** 2.5
    grid[..., 1] = line[:, 1:] + height + side * np.sin(np.pi * np.clip(along * 1.1, 0, 1))
    grid[..., 2] = line[:, :1] + 1.3 * side * along
    parts = [sheet(paint, grid, 1.6)]
    return parts + shell_foot(rng, foot, width, depth, height)


def shell_foot(rng: Rng, paint: Paint, width: float, depth: float, height: float) -> list[Part]:
    """Dowels with wires, a trumpet, sledge runners or a star."""
    style = pick(rng, ("dowel", "dowel", "trumpet", "sledge"))
    if style == "trumpet":
        profile = [(22, 0), (21, 1.5), (8, 4), (3.5, 12), (3, 25), (5, height - 4), (12, height)]
        return [lathe(paint, curve(profile, 3), sides=24)]
    x, z = 0.42 * width, 0.42 * depth
    if style == "sledge":
        line = [(0.6 * x, height - 1, 0.5 * z), (x, 1.4, z), (x, 1.4, -z), (0.6 * x, height - 1, -0.6 * z)]
        return [*both(tube(paint, line, 1.1, 8, steps=1)), rod(paint, (-x, 1.4, 0), (x, 1.4, 0), 1, sides=8)]
    parts = []
    for sx in (-1, 1):
        for sz in (-1, 1):
            parts.append(rod(paint, (sx * x, 0, sz * z), (sx * 0.45 * x, height, sz * 0.45 * z), 1.2, 1.9))
        wire = Paint((40, 40, 42), "wire")
        parts.append(rod(wire, (sx * 0.7 * x, 0.5 * height, -0.7 * z), (0, height, 0.4 * z), 0.8, sides=6))
        parts.append(rod(wire, (sx * 0.7 * x, 0.5 * height, 0.7 * z), (0, height, -0.4 * z), 0.8, sides=6))
    return parts


def deck_chair(rng: Rng) -> list[Part]:
    """Cloth hung between two crossing wooden frames."""
    paint, soft = wood(rng), pick(rng, (bright, cloth))(rng, "cloth")
    width, length = rng.uniform(48, 60), rng.uniform(90, 110)
    high, seat = rng.uniform(72, 88), rng.uniform(30, 36)
    z = length / 2
    x = width / 2
    parts = both(bar(paint, (x, 2, z - 8), (x, high, -z), 3, 4))
    parts += both(bar(paint, (x - 3.5, 2, -z + 12), (x - 3.5, seat + 6, z - 10), 3, 4))
    for y, at in ((high, -z), (seat + 6, z - 10), (4, z - 9), (4, -z + 14)):
        parts.append(rod(paint, (-x, y, at), (x, y, at), 1.8, sides=8))
    line = [(-z, high), (-0.55 * z, 0.62 * high), (0, seat - 8), (0.4 * z, seat - 6), (z - 10, seat + 6)]
    return [*parts, draped(soft, width - 8, line, 1.5)]


def bean_bag(rng: Rng) -> list[Part]:
    """A slumped sack."""
    soft = cloth(rng)
    r = rng.uniform(38, 48)
    body = ellipsoid(soft, (r, rng.uniform(26, 36), r), (0, 26, 0), 24, 0.8, 12)
    dent, tip = rng.uniform(8, 18), rng.uniform(10, 34)

    def slump(v: np.ndarray) -> np.ndarray:
        v = v.copy()
        seat = np.exp(-((v[:, 0] / 24) ** 2) - ((v[:, 2] - 10) / 22) ** 2)
        hill = np.exp(-((v[:, 0] / 22) ** 2) - ((v[:, 2] + 24) / 14) ** 2)
        upper = np.clip((v[:, 1] - 20) / 20, 0, 1)
        v[:, 1] += upper * (tip * hill - dent * seat)
        v[:, 1] = np.maximum(v[:, 1], 0.02 * v[:, 1])
        folds = 1 + 0.025 * np.sin(np.arctan2(v[:, 2], v[:, 0]) * 6 + v[:, 1] * 0.1)
        return v * np.column_stack([folds, np.ones(len(v)), folds])

    parts = [warped(body, slump)]
    if rng.random() < 0.5:
        parts.append(
            tube(soft, [(-5, 22 + 26 + tip * 0.4, -30), (0, 30 + 26 + tip * 0.4, -34), (5, 48 + tip * 0.4, -30)], 1.3)
        )
    return parts


def throne(rng: Rng) -> list[Part]:
    """A high carved chair on steps."""
    paint, gold = pick(rng, (wood, painted))(rng, "wood"), brass(rng)
    soft = cloth(rng)
    width, depth, high = rng.uniform(60, 75), rng.uniform(50, 62), rng.uniform(115, 165)
    parts = [
        box(paint, (width + 30, 8, depth + 30), (0, 4, 6), bevel=1),
        box(paint, (width + 14, 8, depth + 14), (0, 12, 2), bevel=1),
    ]
    parts.append(box(paint, (width, 30, depth), (0, 30, 0), bevel=1.5))
    parts.append(cushion(soft, (width - 12, 10, depth - 8), (0, 48, 4), 0.3))
    half = width / 2
    arch = pick(
        rng, ([(half, high), (0, high + 24)], [(half, high), (half * 0.5, high + 14), (0, high + 16)], [(half, high)])
    )
    outline = np.array([(half, 16), *arch, *[(-x, y) for x, y in arch[::-1] if x > 0], (-half, 16)], np.float64)
    parts.append(extrude(paint, outline, 7, (0, 0, -depth / 2), bevel=1))
    inner = np.column_stack([outline[:, 0] * 0.72, 60 + (outline[:, 1] - 16) * 0.62])
    parts.append(extrude(soft, inner, 5, (0, 0, -depth / 2 + 4), bevel=1.8))
    for x in (-half, half):
        parts.append(
            lathe(gold, np.array([(3, 0), (3, 3), (6, 6), (6, 9), (2, 12), (0, 16)]), (x, high, -depth / 2), 10)
        )
    parts += both(
        [
            box(paint, (8, 26, depth), (half - 3, 58, 0), bevel=1),
            box(paint, (12, 5, depth + 4), (half - 3, 72, 1), bevel=1),
        ]
    )
    parts += both(ellipsoid(gold, (5, 5, 5), (half - 3, 77, depth / 2 - 2), 12, rings=7))
    return parts


def garden_swing(rng: Rng) -> list[Part]:
    """A hanging egg chair on a bow, or a swing seat below a frame."""
    metal, soft = pick(rng, (dark, white, wood))(rng, "frame"), cloth(rng)
    if rng.random() < 0.5:
        r, y = rng.uniform(46, 56), 92
        bow = [(0, 3, -20), (0, 60, -70), (0, 150, -62), (0, 192, -20), (0, 186, 6)]
        parts = [
            tube(metal, bow, 3, 10),
            lathe(metal, [(50, 0), (50, 3), (4, 5)]),
            rod(metal, (0, 150, 0), (0, 188, 6), 1.5),
        ]
        rings = []
        for t in np.linspace(0.02, 0.62, 9):
            a = np.linspace(0, 2 * np.pi, 20, endpoint=False)
            ring = r * np.sin(np.pi * t) * np.stack([np.cos(a), np.sin(a) * 1.25], 1)
            rings.append(np.column_stack([ring, np.full(20, -0.9 * r * np.cos(np.pi * t))]))
        outer = np.array(rings)
        inner = outer[::-1] * 0.93
        inner[..., 2] += 0.01 * r
        shell = loft(metal, np.concatenate([outer, inner]) + (0, y, 0))
        return [*parts, shell, cushion(soft, (1.3 * r, 14, 1.1 * r), (0, y - 0.85 * r, 6), 0.5)]
    width, high = rng.uniform(130, 170), rng.uniform(150, 180)
    parts = []
    for s in (-1, 1):
        x = s * (width / 2 + 10)
        parts += [rod(metal, (x, 0, t * 55), (x * 0.94, high, 0), 3, sides=10) for t in (-1, 1)]
        parts += [
            rod(metal, (s * width * 0.44, high, 0), (s * width * 0.44, 46, t * 22), 1.6, sides=6) for t in (-1, 1)
        ]
    parts.append(rod(metal, (-width / 2 - 10, high, 0), (width / 2 + 10, high, 0), 3))
    parts.append(box(metal, (width * 0.92, 4, 46), (0, 46, 0), bevel=1))
    parts.append(cushion(soft, (width * 0.9, 10, 46), (0, 52, 0), 0.2))
    parts.append(turned(cushion(soft, (width * 0.9, 42, 9), (0, 72, -24), 0.2), -12, "x", (0, 50, -24)))
    if rng.random() < 0.6:
        parts += [turned(box(soft, (width + 24, 2.5, 80), (0, high + 8, 0)), 4, "x")]
    return parts
