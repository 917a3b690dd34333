"""Upholstered seats: armchairs, sofas, ottomans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.families.furniture.joinery import LEG_STYLES, padding, table_legs
from training.families.outlines import curve
from training.families.paints import Rng, cloth, leather, painted, pick, steel, wood
from training.families.parts import (
    Paint,
    both,
    box,
    cushion,
    ellipsoid,
    extrude,
    rod,
    sheet,
    torus,
    turned,
)
from training.shapes import Part


def upholstery(rng: Rng) -> Paint:
    """Cloth or leather."""
    return cloth(rng) if rng.random() < 0.65 else leather(rng, "cloth")


def armchair(rng: Rng) -> list[Part]:
    """A sofa for one."""
    return couch(rng, 1, rng.uniform(52, 70))


def sofa(rng: Rng) -> list[Part]:
    """Two to four places, sometimes with a chaise, always with arms."""
    count = int(rng.integers(2, 4)) if rng.random() < 0.9 else 4
    parts = couch(rng, count, rng.uniform(52, 72))
    return parts


def couch(rng: Rng, count: int, place: float) -> list[Part]:
    """A frame with arms, seat cushions and back cushions."""
    soft = upholstery(rng)
    width = count * place
    depth, arm = rng.uniform(78, 100), rng.uniform(8, 24)
    foot, deck = rng.uniform(3, 18), rng.uniform(14, 26)
    seat, rise = rng.uniform(10, 20), rng.uniform(30, 55)
    back = rng.uniform(10, 24)
    square = rng.uniform(0.15, 0.4)
    top = foot + deck
    total = width + 2 * arm
    parts = [box(soft, (total if rng.random() < 0.5 else width, deck, depth - 2), (0, foot + deck / 2, 0), bevel=2)]
    parts += seat_cushions(rng, soft, count, place, seat, depth - back, (0, top, back / 2), square)
    parts += couch_back(rng, soft, count, place, (rise + seat, back), (0, top, -depth / 2 + back / 2), square)
    if rng.random() < 0.93:
        parts += couch_arms(rng, soft, arm, rng.uniform(0.35, 0.8) * rise + seat, depth, (width / 2, foot, top))
    parts += couch_feet(rng, total, depth, foot)
    if rng.random() < 0.35:
        parts += throw_pillows(rng, width, (0, top + seat, -depth / 2 + back + 10))
    return parts


def seat_cushions(
    rng: Rng, soft: Paint, count: int, place: float, high: float, deep: float, at: Sequence[float], square: float
) -> list[Part]:
    """One cushion a place, or one for all."""
    x, y, z = at
    tufts = int(rng.integers(2, 4)) if rng.random() < 0.15 else 0
    if rng.random() < 0.2:
        return [cushion(soft, (count * place, high, deep), (0, y + high * 0.45, z), 0.22)]
    parts = []
    for i in range(count):
        x = (i - (count - 1) / 2) * place
        parts += padding(soft, (place * 0.99, high, deep), (x, y + high * 0.45, z), square, tufts=tufts)
    return parts


def couch_back(
    rng: Rng, soft: Paint, count: int, place: float, size: Sequence[float], at: Sequence[float], square: float
) -> list[Part]:
    """The rear wall with loose cushions, a tight back or a curved top."""
    (_, y, z), (rise, thick) = at, size
    style = pick(rng, ("loose", "loose", "tight", "camel"))
    wide = count * place
    if style == "camel":
        t = np.linspace(-1, 1, 9)
        upper = np.column_stack([t * wide / 2, rise * (0.8 + 0.2 * np.cos(t * np.pi / 2 * pick(rng, (1, 2))))])
        outline = np.concatenate([[(-wide / 2, -4), (wide / 2, -4)], upper[::-1]])
        return [turned(extrude(soft, outline, thick, (0, y, z), bevel=0.3 * thick), -7, "x", (0, y, z))]
    parts = [
        box(soft, (wide, rise * (0.85 if style == "loose" else 1), 0.6 * thick), (0, y + rise * 0.42, z - 3), bevel=2)
    ]
    for i in range(count):
        at = ((i - (count - 1) / 2) * place, y + 0.55 * rise, z + 0.2 * thick)
        size = (place * 0.98, rise * 0.95, thick * (1 if style == "loose" else 0.8))
        parts.append(turned(cushion(soft, size, at, square), -rng.uniform(4, 9), "x", at))
    return parts


def couch_arms(rng: Rng, soft: Paint, wide: float, rise: float, depth: float, at: Sequence[float]) -> list[Part]:
    """Arms at both sides: blocks, rolls, slopes or wooden loops."""
    x, foot, top = at
    x += wide / 2
    style = pick(rng, ("block", "block", "roll", "roll", "pillow", "slope", "wood"))
    high = top + rise - foot
    if style == "block":
        return both(box(soft, (wide, high, depth), (x, foot + high / 2, 0), bevel=rng.uniform(1, 4)))
    if style == "roll":
        r = wide * rng.uniform(0.5, 0.65)
        wall = box(soft, (wide * 0.8, high - r, depth * 0.98), (x - 0.05 * wide, foot + (high - r) / 2, 0), bevel=1.5)
        y = foot + high - r
        roll = rod(soft, (x, y, -depth / 2), (x, y, depth / 2 + 1), r, sides=16)
        return both([wall, roll, rod(soft, (x, y, 0), (x, y, depth / 2 + 2), 0.6 * r)])
    if style == "pillow":
        return both(cushion(soft, (wide * 1.1, high, depth), (x, foot + high / 2, 0), 0.3))
    if style == "slope":
        outline = curve(
            [(-depth / 2, foot), (-depth / 2, foot + high * 1.15), (0, foot + high), (depth / 2, foot + high * 0.7)], 3
        )
        outline = np.concatenate([outline, [(depth / 2, foot)]])
        return both(extrude(soft, outline, wide, (x, 0, 0), "x", bevel=0.2 * wide))
    paint = wood(rng)
    rest = box(paint, (0.5 * wide + 3, 3, depth * 0.95), (x, foot + high, 0), bevel=0.8)
    posts = [box(paint, (4, high + foot, 4), (x, (foot + high) / 2, s * 0.42 * depth), bevel=0.6) for s in (-1, 1)]
    return both([rest, *posts])


def couch_feet(rng: Rng, width: float, depth: float, high: float) -> list[Part]:
    """Short legs, or a plinth."""
    if high < 6 and rng.random() < 0.4:
        return [box(wood(rng), (width - 8, high + 1, depth - 8), (0, high / 2, 0))]
    paint = wood(rng) if rng.random() < 0.7 else steel(rng, "wood")
    style = pick(rng, LEG_STYLES)
    return table_legs(rng, paint, style, width - 4, depth - 4, high + 1, rng.uniform(4, 8))


def throw_pillows(rng: Rng, width: float, at: Sequence[float]) -> list[Part]:
    """Small square pillows leaning against the back."""
    paint = cloth(rng, "pillow")
    parts = []
    for s in pick(rng, ((-1,), (1,), (-1, 1))):
        size = rng.uniform(32, 42)
        here = (s * (width / 2 - size * 0.6), at[1] + size * 0.45, at[2])
        pillow = turned(cushion(paint, (size, size, 13), here, 0.55), -18, "x", here)
        parts.append(turned(pillow, -s * rng.uniform(0, 30), "y", here))
    return parts


def wing_chair(rng: Rng) -> list[Part]:
    """A high-backed reading chair with ears."""
    soft, paint = upholstery(rng), wood(rng)
    width, depth, foot = rng.uniform(50, 60), rng.uniform(60, 70), rng.uniform(12, 20)
    high, seat = rng.uniform(95, 120), foot + rng.uniform(22, 28)
    parts = [box(soft, (width + 14, seat - foot - 4, depth - 4), (0, (seat + foot) / 2 - 2, 0), bevel=2)]
    parts.append(cushion(soft, (width, 13, depth - 10), (0, seat + 1, 6), 0.25))
    back = cushion(soft, (width + 6, high - seat + 8, 16), (0, (high + seat) / 2 - 2, -depth / 2 + 6), 0.3)
    parts.append(turned(back, -7, "x", (0, seat, -depth / 2)))
    wing = curve(
        [(-depth / 2 - 6, seat), (-depth / 2 - 12, high), (-depth / 2 + 10, high - 3), (-depth / 2 + 16, seat + 34)], 3
    )
    x = width / 2 + 4
    parts += both(extrude(soft, wing, 7, (x, 0, 0), "x", bevel=2.2))
    arm = rng.uniform(20, 26)
    parts += both(box(soft, (9, seat + arm - foot - 6, depth - 6), (x, (seat + arm + foot) / 2 - 3, 0), bevel=2))
    parts += both(rod(soft, (x, seat + arm - 5, -depth / 2), (x, seat + arm - 5, depth / 2 - 2), 6.5, sides=14))
    if rng.random() < 0.4:
        for i in range(int(rng.integers(2, 4))):
            y = seat + 24 + i * 15
            parts += [ellipsoid(soft, (2, 2, 2), (t, y, -depth / 2 + 12 - i * 2), 8, rings=4) for t in (-13, 0, 13)]
    return parts + table_legs(rng, paint, pick(rng, LEG_STYLES), width + 8, depth - 6, foot + 1, 5.5)


def ottoman(rng: Rng) -> list[Part]:
    """A foot stool: a padded block on legs."""
    soft, paint = upholstery(rng), wood(rng)
    width, depth, foot = rng.uniform(42, 90), rng.uniform(38, 60), rng.uniform(4, 24)
    high = rng.uniform(10, 30)
    parts = [box(soft, (width, high, depth), (0, foot + high / 2, 0), bevel=1.5)]
    parts += padding(
        soft, (width, 11, depth), (0, foot + high + 2, 0), rng.uniform(0.15, 0.4), tufts=int(rng.integers(0, 4))
    )
    if rng.random() < 0.4:
        parts.append(box(painted(rng, "band"), (width + 0.8, 2, depth + 0.8), (0, foot + high - 2, 0)))
    return parts + table_legs(rng, paint, pick(rng, LEG_STYLES), width - 4, depth - 4, foot, rng.uniform(3.5, 6))


def pouf(rng: Rng) -> list[Part]:
    """A round stuffed seat, with seams or a knitted look."""
    soft = upholstery(rng)
    r, high = rng.uniform(24, 36), rng.uniform(28, 44)
    lobes = int(rng.integers(6, 13))
    bulge = rng.uniform(0.02, 0.09)
    body = ellipsoid(soft, (r, high / 2, r), (0, high / 2, 0), 4 * lobes, rng.uniform(0.35, 0.75), 9)
    v = body.vertices
    angle = np.arctan2(v[:, 2], v[:, 0])
    v[:, [0, 2]] *= (1 - bulge + bulge * np.abs(np.cos(angle * lobes / 2)))[:, None]
    parts = [body, ellipsoid(soft, (3, 1.5, 3), (0, high, 0), 10, rings=4)]
    if rng.random() < 0.5:
        parts.append(torus(soft, r * 0.9, 1.6, (0, high * 0.78, 0), sides=28))
    return parts


def draped(soft: Paint, width: float, points: Sequence[Sequence[float]], thick: float, steps: int = 4) -> Part:
    """Cloth hung along a (z, y) line, ``width`` across x."""
    line = curve(points, steps)
    grid = np.zeros((5, len(line), 3))
    grid[..., 0] = np.linspace(-width / 2, width / 2, 5)[:, None]
    grid[..., 1], grid[..., 2] = line[:, 1], line[:, 0]
    return sheet(soft, grid, thick)
