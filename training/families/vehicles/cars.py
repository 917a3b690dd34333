"""Cars; all drive towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng, bright, dark, glass, leather, painted, pick, steel, white
from training.families.parts import (
    Paint,
    both,
    box,
    cushion,
    ellipsoid,
    extrude,
    lathe,
    moved,
    rod,
    torus,
    tube,
    turned,
)
from training.families.vehicles.bodies import arches, axles, lights, narrowed, side_body, spare
from training.families.wheels import spoked, wheel
from training.shapes import Part


def car(rng: Rng) -> list[Part]:
    """A saloon, estate, hatchback, coupé, convertible or off-roader."""
    paint, pane, black = painted(rng, "body"), glass(rng), dark(rng)
    style = pick(rng, ("saloon", "estate", "hatch", "coupe", "cabrio", "suv"))
    length, width = rng.uniform(360, 490), rng.uniform(160, 195)
    radius = rng.uniform(29, 35) * (1.2 if style == "suv" else 1)
    floor, waist = radius * rng.uniform(0.6, 0.8), radius * 1.2 + rng.uniform(42, 54)
    roof = waist + (rng.uniform(42, 58) if style != "coupe" else rng.uniform(32, 42))
    h = length / 2
    bonnet, boot = waist - rng.uniform(2, 16), waist - rng.uniform(-2, 8)
    nose = bonnet - rng.uniform(8, 22)
    line = curve(
        [
            (-h, floor + 14),
            (-h, boot - 5),
            (-0.94 * h, boot),
            (-0.5 * h, waist),
            (0.3 * h, waist),
            (0.45 * h, bonnet + 3),
            (0.9 * h, nose),
            (h, nose - 14),
            (h, floor + 12),
        ],
        2,
    )
    axle = [-rng.uniform(0.55, 0.63) * h, rng.uniform(0.58, 0.66) * h]
    parts = [side_body(paint, line, floor, width, 6, axle, radius)]
    rear = {
        "saloon": (-0.62, -0.38),
        "estate": (-0.95, -0.88),
        "hatch": (-0.9, -0.6),
        "coupe": (-0.8, -0.2),
        "suv": (-0.95, -0.85),
        "cabrio": (0, 0),
    }[style]
    front = rng.uniform(0.3, 0.45), rng.uniform(0.02, 0.2)
    if style == "cabrio":
        parts += open_top(rng, black, pane, width, waist, h, front[0])
    else:
        parts += greenhouse(paint, pane, width, h, waist, roof, rear, front)
    parts += axles(rng, width / 2 - 11, axle, radius, 20)
    parts += car_details(rng, paint, black, width, h, floor, waist, nose)
    return parts


def greenhouse(
    paint: Paint,
    pane: Paint,
    width: float,
    h: float,
    waist: float,
    roof: float,
    rear: tuple[float, float],
    front: tuple[float, float],
) -> list[Part]:
    """The cabin: a glass block with a roof and pillars."""
    low, high = (rear[0] * h, front[0] * h), (rear[1] * h, front[1] * h)
    shape = [(low[0], waist - 3), (low[1], waist - 3), (high[1], roof - 4), (high[0], roof - 4)]
    cabin = [extrude(pane, shape, width - 14, axis="x", bevel=2)]
    top = curve(
        [
            (high[0] - 4, roof - 6),
            (high[0], roof - 1),
            ((high[0] + high[1]) / 2, roof + 2),
            (high[1], roof - 1),
            (high[1] + 5, roof - 6),
        ],
        2,
    )
    cabin.append(extrude(paint, top, width - 10, axis="x", bevel=1.5))
    spots = [(low[0], high[0]), (low[1], high[1])]
    if low[1] - low[0] > h * 0.6:
        spots.insert(1, ((low[0] + low[1]) / 2 - 4, (high[0] + high[1]) / 2))
    if low[1] - low[0] > h * 1.1:
        spots.insert(1, (low[0] * 0.55, high[0] * 0.55))
    for z0, z1 in spots:
        post = extrude(
            paint,
            [(z0 - 5, waist - 4), (z0 + 5, waist - 4), (z1 + 4, roof - 3), (z1 - 4, roof - 3)],
            6,
            (width / 2 - 8, 0, 0),
            "x",
        )
        cabin += both(post)
    return narrowed(cabin, waist, roof, 0.16)


def open_top(rng: Rng, black: Paint, pane: Paint, width: float, waist: float, h: float, screen: float) -> list[Part]:
    """Seats, a steering wheel and a windscreen."""
    soft = leather(rng, "seat")
    shape = [
        (screen * h, waist - 2),
        (screen * h - 4, waist - 2),
        (screen * h - 34, waist + 34),
        (screen * h - 30, waist + 34),
    ]
    parts = [extrude(pane, shape, width - 26, axis="x"), box(black, (width - 34, 4, 0.75 * h), (0, waist, -0.05 * h))]
    parts += both(cushion(soft, (48, 18, 50), (38, waist + 1, -0.1 * h), 0.4))
    parts += both(
        turned(cushion(soft, (48, 52, 16), (38, waist + 18, -0.25 * h), 0.4), -12, "x", (0, waist, -0.25 * h))
    )
    return [*parts, turned(torus(black, 17, 2.4, (-38, waist + 16, 0.13 * h), "z"), 25, "x", (0, waist + 16, 0.13 * h))]


def car_details(
    rng: Rng, paint: Paint, black: Paint, width: float, h: float, floor: float, waist: float, nose: float
) -> list[Part]:
    """Bumpers, lamps, grille, mirrors, door handles and seams."""
    trim = pick(rng, (black, steel(rng), paint))
    parts = [box(trim, (width * 0.98, 12, 12), (0, floor + 9, s * (h + 1)), bevel=3) for s in (-1, 1)]
    parts += lights(rng, width * 0.36, nose - 16, h - 1, -h + 1, 8)
    parts.append(box(black, (width * 0.42, 10, 5), (0, nose - 20, h), bevel=1))
    parts += [box(white(rng, "sign"), (40, 9, 3), (0, floor + 12, s * (h + 7))) for s in (-1, 1)]
    parts += both(box(paint, (13, 10, 9), (width / 2 + 5, waist + 4, 0.3 * h), bevel=2.5))
    for z in (-0.2 * h, 0.2 * h)[: int(rng.integers(1, 3))]:
        parts += both(box(trim, (3, 3, 14), (width / 2 + 0.5, waist - 12, z), bevel=0.8))
        parts += both(box(black, (1.4, waist - floor - 18, 1.6), (width / 2, (waist + floor) / 2, z + 16)))
    if rng.random() < 0.2:
        parts += [box(black, (width * 0.7, 4, 5), (0, waist + 60, z), bevel=1) for z in (-0.3 * h, 0.02 * h)]
    if rng.random() < 0.15:
        parts.append(box(Paint((60, 90, 230), "beacon"), (width * 0.5, 9, 14), (0, waist + 58, -0.1 * h), bevel=2))
    return parts


def beetle(rng: Rng) -> list[Part]:
    """A round car with separate mudguards, or an old-timer."""
    paint, pane = bright(rng, "body"), glass(rng)
    width, h, radius = rng.uniform(110, 130), 200.0, 32.0
    line = curve(
        [
            (-h, 40),
            (-0.85 * h, 76),
            (-0.5 * h, 118),
            (-0.1 * h, 148),
            (0.2 * h, 142),
            (0.38 * h, 104),
            (0.75 * h, 90),
            (0.97 * h, 60),
            (h, 34),
        ],
        3,
    )
    parts = narrowed(
        [extrude(paint, np.concatenate([line, [(h, 26), (-h, 26)]]), width, axis="x", bevel=10)], 90, 150, 0.22
    )
    cut = curve([(-0.62 * h, 98), (-0.4 * h, 122), (-0.1 * h, 138), (0.17 * h, 134), (0.3 * h, 104)], 2)
    side = np.concatenate([cut, [(0.3 * h, 98), (-0.62 * h, 96)]])
    parts += narrowed([extrude(pane, side, width + 2, axis="x", bevel=1)], 90, 150, 0.22)
    parts.append(
        narrowed(
            [turned(box(pane, (width * 0.8, 34, 4), (0, 121, 0.3 * h), bevel=2), -35, "x", (0, 121, 0.3 * h))],
            90,
            150,
            0.2,
        )[0]
    )
    axle = [-0.62 * h, 0.62 * h]
    for z in axle:
        guard = ellipsoid(paint, (24, 32, 54), (width / 2 + 12, 34, z), 16, 0.8)
        guard.vertices[:, 1] = np.maximum(guard.vertices[:, 1], 28)
        parts += both(guard)
    parts += axles(rng, width / 2 + 16, axle, radius, 18)
    parts += both(box(paint, (22, 6, 0.9 * h), (width / 2 + 8, 28, 0), bevel=2))
    lamp = Paint((245, 240, 210), "lamp")
    parts += both(ellipsoid(lamp, (11, 12, 7), (width / 2 + 8, 62, 0.85 * h), 14))
    metal = steel(rng)
    parts += [
        tube(metal, [(-width * 0.7, 36, s * 0.9 * h), (0, 36, s * 1.1 * h), (width * 0.7, 36, s * 0.9 * h)], 5, 8)
        for s in (-1, 1)
    ]
    if rng.random() < 0.3:
        parts.append(box(metal, (width * 0.6, 5, 0.5 * h), (0, 156, 0), bevel=2))
    return parts


def buggy(rng: Rng) -> list[Part]:
    """A beach buggy, jeep or quad with a roll cage."""
    paint, black, metal = bright(rng, "body"), dark(rng), steel(rng, "cage")
    width, h, radius = rng.uniform(120, 150), rng.uniform(130, 165), rng.uniform(34, 44)
    line = np.array([(-h, 74), (-0.5 * h, 80), (-0.4 * h, 62), (0.2 * h, 60), (0.3 * h, 84), (0.95 * h, 74), (h, 50)])
    parts = [extrude(paint, np.concatenate([line, [(h, 34), (-h, 34)]]), width * 0.62, axis="x", bevel=6)]
    axle = [-0.68 * h, 0.72 * h]
    parts += axles(rng, width / 2, axle, radius, 30) + arches(paint, width / 2, axle, radius * 1.02, 30)
    x, roof = width * 0.3, rng.uniform(130, 150)
    cage = [(x, 80, 0.4 * h), (x * 0.85, roof, 0.1 * h), (x * 0.85, roof + 2, -0.4 * h), (x, 78, -0.9 * h)]
    parts += both(tube(metal, cage, 4, 8, steps=2)) + both(
        rod(metal, (x * 0.85, roof, -0.35 * h), (x, 62, -0.35 * h), 4, sides=8)
    )
    parts += [rod(metal, (-x * 0.85, roof, z * h), (x * 0.85, roof, z * h), 4, sides=8) for z in (0.1, -0.4)]
    parts += both(cushion(black, (36, 14, 40), (20, 66, -0.15 * h), 0.4)) + both(
        cushion(black, (36, 44, 12), (20, 86, -0.36 * h), 0.4)
    )
    parts.append(turned(torus(black, 14, 2.4, (-20, 90, 0.14 * h), "z", 16), 25, "x", (0, 90, 0.14 * h)))
    parts += [rod(metal, (-width / 2, radius, z), (width / 2, radius, z), 5, sides=8) for z in axle]
    return (
        parts
        + both(ellipsoid(Paint((245, 240, 210), "lamp"), (10, 10, 7), (width * 0.22, 84, 0.94 * h), 12))
        + spare(rng, h, radius)
    )


def racer(rng: Rng) -> list[Part]:
    """An old racing car or soap box: a cigar with free wheels."""
    paint, black = bright(rng, "body"), dark(rng)
    h, r = rng.uniform(150, 190), rng.uniform(28, 36)
    profile = curve([(0.25, -1), (0.7, -0.7), (1, -0.2), (0.95, 0.3), (0.75, 0.8), (0.55, 1)], 3) * (r, h)
    body = moved(turned(lathe(paint, profile, sides=20), 90, "x"), (0, 42, 0))
    radius, axle = rng.uniform(30, 40), [-0.6 * h, 0.65 * h]
    parts = [
        body,
        ellipsoid(black, (0.62 * r, 14, 30), (0, 42 + 0.8 * r, -0.12 * h), 14),
        cushion(paint, (r, 34, 34), (0, 48 + r * 0.8, -0.38 * h), 0.8),
    ]
    for z in axle:
        parts += both(
            spoked(black, steel(rng), (r + 30, radius, z), radius, 5, 12)
            if rng.random() < 0.5
            else wheel(black, steel(rng, "rim"), (r + 30, radius, z), radius, 20, 1)
        )
        parts += [rod(steel(rng), (-r - 30, radius, z), (r + 30, radius, z), 4, sides=8)]
    number = rod(white(rng, "sign"), (-r - 0.6, 46, -0.05 * h), (r + 0.6, 46, -0.05 * h), 15, sides=18)
    parts += [number, turned(torus(black, 13, 2.4, (0, 48 + r, 0.1 * h), "z", 16), 30, "x", (0, 48 + r, 0.1 * h))]
    return [*parts, rod(steel(rng), (r + 4, 36, -0.9 * h), (r + 2, 40, 0.3 * h), 4.5, sides=8)]


def race_car(rng: Rng) -> list[Part]:
    """A formula car with wings."""
    paint, black, trim = bright(rng, "body"), dark(rng), bright(rng, "trim")
    h = 230.0
    top = [(16, h), (14, 0.6 * h), (34, 0.2 * h), (62, 0), (60, -0.5 * h), (24, -0.8 * h), (16, -0.95 * h)]
    outline = np.array(top + [(-x, z) for x, z in top[::-1]])
    parts = [
        extrude(paint, outline, 26, (0, 34, 0), "y", bevel=6),
        ellipsoid(paint, (22, 30, 80), (0, 56, -0.35 * h), 16),
        ellipsoid(black, (18, 10, 30), (0, 50, 0.12 * h), 14),
    ]
    parts += [box(trim, (170, 5, 34), (0, 20, 0.97 * h), bevel=1.5), *both(box(trim, (4, 26, 40), (85, 28, 0.97 * h)))]
    parts += [
        turned(box(trim, (110, 5, 36), (0, y, -0.95 * h), bevel=1.5), -8, "x", (0, y, -0.95 * h)) for y in (88.0, 104.0)
    ]
    parts += both(box(trim, (4, 66, 44), (55, 80, -0.95 * h), bevel=1)) + [box(black, (12, 50, 20), (0, 60, -0.9 * h))]
    parts += axles(rng, 78, [0.66 * h], 31, 30) + axles(rng, 76, [-0.7 * h], 34, 40)
    for z in (0.66 * h, -0.7 * h):
        parts += [rod(black, (-76, y, z), (76, y, z), 3, sides=6) for y in (26, 38)]
    return [*parts, ellipsoid(white(rng, "helmet"), (13, 14, 15), (0, 64, -0.02 * h), 14)]
