"""Cars, trucks, two-wheelers, planes, ships, trains and machines; all drive towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng, bright, dark, glass, leather, muted, painted, pick, steel, white
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
    warped,
)
from training.families.vehicles_air import airship, biplane, boat, helicopter, plane, rocket, sailing_ship, ship
from training.families.vehicles_two import bicycle, motorbike, pram, scooter, sledge, tricycle
from training.families.vehicles_work import forklift, robot_walker, steam_engine, tank, tractor, wagon
from training.families.wheels import spoked, wheel
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random vehicle."""
    kinds = (car, car, car, car, car, beetle, pickup, van, bus, truck, truck, buggy, racer, race_car, plane, plane)
    kinds += (helicopter, boat, ship, sailing_ship, steam_engine, wagon, tank, robot_walker, forklift, tractor, tractor)
    kinds += (bicycle, bicycle, motorbike, motorbike, scooter, tricycle, pram, biplane, rocket, airship, sledge)
    return pick(rng, kinds)(rng)


def narrowed(parts: list[Part], waist: float, roof: float, tumble: float) -> list[Part]:
    """Sides that lean inwards above the ``waist``, by ``tumble`` of the width at ``roof``."""

    def lean(v: np.ndarray) -> np.ndarray:
        t = np.clip((v[:, 1] - waist) / max(roof - waist, 1e-6), 0, 1.2)
        return v * np.column_stack([1 - tumble * t, np.ones((len(v), 2))])

    return warped(parts, lean)


def axles(rng: Rng, x: float, spots: list[float], radius: float, wide: float) -> list[Part]:
    """Wheels at both sides at these places along z."""
    tyre, metal = dark(rng, "tyre"), steel(rng, "rim")
    style = int(rng.integers(3))
    return [p for z in spots for p in both(wheel(tyre, metal, (x, radius, z), radius, wide, style))]


def arches(paint: Paint, x: float, spots: list[float], radius: float, wide: float) -> list[Part]:
    """Rounded wheel arches (mudguards) over wheels."""
    a = np.linspace(-0.05, np.pi + 0.05, 9)
    parts = []
    for z in spots:
        ring = np.concatenate(
            [np.column_stack([np.cos(a), np.sin(a)]) * 1.22, np.column_stack([np.cos(a), np.sin(a)])[::-1] * 1.05]
        )
        parts += both(extrude(paint, ring * radius + (z, radius), wide, (x, 0, 0), "x"))
    return parts


def lights(rng: Rng, x: float, y: float, front: float, rear: float, size: float) -> list[Part]:
    """Head and tail lamps, bumpers' lamps and number plates."""
    lamp, red = Paint((245, 240, 210), "lamp"), Paint((190, 30, 30), "tail")
    if rng.random() < 0.6:
        head = ellipsoid(lamp, (size, size, 0.5 * size), (x, y, front), 12, rings=6)
    else:
        head = box(lamp, (2.2 * size, 1.2 * size, 0.8 * size), (x, y, front), bevel=0.2 * size)
    tail = box(red, (1.6 * size, 1.1 * size, 0.8 * size), (x, y * 1.04, rear), bevel=0.2 * size)
    return both([head, tail])


def side_body(
    paint: Paint, line: np.ndarray, floor: float, width: float, bevel: float, notches: list[float], radius: float
) -> Part:
    """A body extruded across from its upper line, with the wheels' openings cut out of its lower edge.

    Args:
        line: (k, 2) z and y of the upper edge from the rear to the front. notches: z of the axles.
    """
    lower = [(line[-1, 0], floor)]
    for z in sorted(notches, reverse=True):
        a = np.linspace(0.15, np.pi - 0.15, 6)
        lower += [
            (z + 1.15 * radius * c, max(floor, radius + 1.15 * radius * s))
            for c, s in zip(np.cos(a), np.sin(a), strict=True)
        ]
    lower.append((line[0, 0], floor))
    return extrude(paint, np.concatenate([line, lower]), width, axis="x", bevel=bevel)


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


def pickup(rng: Rng) -> list[Part]:
    """A cab with an open bed behind."""
    paint, pane, black = painted(rng, "body"), glass(rng), dark(rng)
    width, h, radius = rng.uniform(170, 195), rng.uniform(230, 265), rng.uniform(36, 44)
    floor, waist = radius * 0.9, radius * 1.2 + 52
    axle = [-0.58 * h, 0.62 * h]
    line = np.array(
        [
            (-h, waist - 2),
            (0.42 * h, waist),
            (0.5 * h, waist - 4),
            (0.94 * h, waist - 10),
            (h, waist - 22),
            (h, floor + 10),
        ]
    )
    body = side_body(paint, line, floor, width, 5, axle, radius)
    bed = -0.06 * h
    parts = [body, *greenhouse(paint, pane, width, h, waist, waist + 54, (bed / h, bed / h), (0.5, 0.28))]
    parts.append(box(black, (width - 22, 2.5, h + bed - 12), (0, waist - 0.5, (bed - h) / 2)))
    for s in (-1, 1):
        parts.append(box(paint, (9, 22, h + bed), (s * (width / 2 - 5), waist + 8, (bed - h) / 2), bevel=2))
    parts.append(box(paint, (width, 22, 8), (0, waist + 8, -h + 5), bevel=2))
    parts += axles(rng, width / 2 - 12, axle, radius, 26)
    if rng.random() < 0.4:
        parts += [box(painted(rng, "load"), (46, 34, 46), (x, waist + 16, -0.5 * h), bevel=2) for x in (-36.0, 34.0)]
    return parts + car_details(rng, paint, black, width, h, floor, waist, waist - 14)


def van(rng: Rng) -> list[Part]:
    """A camper or delivery van."""
    paint, pane, black = painted(rng, "body"), glass(rng), dark(rng)
    lower = painted(rng, "lower") if rng.random() < 0.4 else paint
    width, h, radius = rng.uniform(165, 190), rng.uniform(205, 250), rng.uniform(30, 34)
    floor, waist, roof = 24.0, rng.uniform(95, 112), rng.uniform(170, 215)
    axle = [-0.6 * h, 0.62 * h]
    parts = [
        side_body(
            lower,
            np.array([(-h, waist), (0.97 * h, waist), (h, waist - 20), (h, floor + 8)]),
            floor,
            width,
            6,
            axle,
            radius,
        )
    ]
    flat = rng.uniform(0.62, 0.92)
    top = [
        (-h, waist - 2),
        (0.97 * h, waist - 2),
        (flat * h, roof - 12),
        ((flat - 0.08) * h, roof),
        (-0.95 * h, roof),
        (-h, roof - 10),
    ]
    upper = [extrude(paint, top, width, axis="x", bevel=6)]
    for z in np.linspace(-0.75, 0.45, int(rng.integers(1, 5))) * h:
        upper.append(
            box(pane, (width + 1, (roof - waist) * 0.42, 0.26 * h), (0, waist + (roof - waist) * 0.5, z), bevel=1)
        )
    mid = (0.97 + flat) / 2 * h
    lean = float(np.degrees(np.arctan2((0.97 - flat) * h, roof - waist - 10)))
    upper.append(
        turned(
            box(pane, (width * 0.86, (roof - waist) * 0.62, 4), (0, (waist + roof) / 2 - 4, mid), bevel=1),
            -lean,
            "x",
            (0, (waist + roof) / 2 - 4, mid),
        )
    )
    upper.append(box(pane, (width * 0.6, (roof - waist) * 0.4, 2), (0, waist + (roof - waist) * 0.5, -h - 0.4)))
    parts += narrowed(upper, waist, roof, rng.uniform(0.02, 0.1)) + axles(rng, width / 2 - 10, axle, radius, 19)
    return parts + car_details(rng, paint, black, width, h, floor, waist, waist - 6)[: int(rng.integers(9, 14))]


def bus(rng: Rng) -> list[Part]:
    """A bus or tram with a row of windows; sometimes two decks."""
    paint, pane, black = painted(rng, "body"), glass(rng), dark(rng)
    width, h, radius = 230.0, rng.uniform(380, 560), 46.0
    decks = 2 if rng.random() < 0.25 else 1
    roof = 270.0 + 130 * (decks - 1)
    line = np.array([(-h, roof - 10), (-h + 14, roof), (h - 20, roof), (h, roof - 40), (h, 50)])
    axle = [-0.58 * h, 0.62 * h]
    parts = [side_body(paint, line, 36, width, 9, axle, radius), *axles(rng, width / 2 - 14, axle, radius, 26)]
    count = int(rng.integers(5, 9))
    for deck in range(decks):
        y = 185.0 + deck * 135
        for z in np.linspace(-0.86, 0.72, count) * h:
            parts.append(box(pane, (width + 1.5, 66, 1.3 * h / count), (0, y, z), bevel=2))
        parts += [box(pane, (width * 0.84, 80, 3), (0, y - 2, s * (h + 0.2)), bevel=1.5) for s in (-1, 1)]
    parts.append(box(black, (2, 150, 52), (width / 2 + 0.6, 125, 0.86 * h), bevel=0.5))
    parts += lights(rng, width * 0.38, 80, h, -h, 12) + both(
        box(black, (12, 34, 10), (width / 2 + 9, 200, h + 4), bevel=3)
    )
    parts += [box(black, (width, 16, 12), (0, 52, s * h), bevel=3) for s in (-1, 1)]
    if rng.random() < 0.4:
        parts.append(box(white(rng, "roof"), (width * 0.7, 18, h), (0, roof + 6, 0), bevel=5))
    return parts


def truck(rng: Rng) -> list[Part]:
    """A lorry: cab and box, tipper, tanker, fire ladder, planks, mixer or crane."""
    paint, pane, black = painted(rng, "body"), glass(rng), dark(rng)
    width, radius = rng.uniform(180, 215), rng.uniform(40, 50)
    load, cab = rng.uniform(280, 480), rng.uniform(100, 130)
    bonnet = rng.uniform(60, 100) if rng.random() < 0.4 else 0.0
    front, deck, high = load / 2 + cab + 14, radius + 34, rng.uniform(190, 240)
    parts = [box(black, (0.5 * width, 24, load + cab + bonnet), (0, radius + 8, 64 + bonnet / 2))]
    parts.append(box(paint, (width, high - radius, cab), (0, (high + radius) / 2, front - cab / 2), bevel=7))
    parts.append(box(pane, (width * 0.88, 0.3 * high, 4), (0, 0.76 * high, front + 0.4), bevel=2))
    parts.append(box(pane, (width + 1.5, 0.27 * high, cab * 0.5), (0, 0.76 * high, front - 0.4 * cab), bevel=2))
    nose = front + bonnet
    if bonnet:
        parts.append(box(paint, (0.84 * width, 0.36 * high, bonnet), (0, 0.43 * high, front + bonnet / 2), bevel=10))
    parts += [box(black, (width * 0.5, 5, 4), (0, 0.3 * high + i * 9, nose + 1), bevel=1) for i in range(4)]
    parts += [box(steel(rng), (width, 18, 12), (0, radius + 2, nose + 2), bevel=3)] + lights(
        rng, width * 0.36, radius + 26, nose, -load / 2, 10
    )
    parts += both(box(black, (10, 28, 8), (width / 2 + 10, 0.75 * high, front - 6), bevel=2))
    if rng.random() < 0.5:
        parts += both(
            rod(steel(rng), (width * 0.4, deck, front - cab - 6), (width * 0.4, high + 40, front - cab - 6), 5)
        )
    rear = [-load * 0.3, -load * 0.3 + 2.2 * radius][: 1 + int(load > 340)]
    parts += axles(rng, width / 2 - 14, [*rear, (front + nose) / 2 - cab * 0.45], radius, 30)
    return parts + truck_load(rng, width, load, deck)


def truck_load(rng: Rng, width: float, load: float, deck: float) -> list[Part]:
    """What the lorry carries, from -load/2 to load/2, standing on ``deck``."""
    paint, black = painted(rng, "load"), dark(rng)
    style = pick(rng, ("box", "box", "tipper", "tank", "ladder", "flat", "mixer", "crane"))
    high = rng.uniform(130, 200)
    floor = box(black, (width, 10, load), (0, deck, 0))
    if style == "box":
        ribs = [
            box(paint, (width + 3, high, 3), (0, deck + high / 2, z), bevel=1)
            for z in np.linspace(-0.49, 0.49, 7) * load
        ]
        return [
            floor,
            box(paint, (width, high, load), (0, deck + high / 2 + 4, 0), bevel=3),
            *(ribs if rng.random() < 0.5 else ()),
        ]
    if style == "tank":
        body = turned(
            lathe(
                paint,
                curve([(0.3, -0.5), (0.92, -0.47), (1, -0.42), (1, 0.42), (0.92, 0.47), (0.3, 0.5)], 2)
                * (width * 0.46, load),
            ),
            90,
            "x",
        )
        rings = [torus(black, width * 0.46, 4, (0, 0, z * load), "z", 20) for z in (-0.3, 0.0, 0.3)]
        return [floor, *moved([body, *rings], (0, deck + width * 0.46, 0))]
    if style == "mixer":
        drum = lathe(
            paint,
            curve([(0.3, 0), (0.75, 0.12), (0.95, 0.4), (0.6, 0.8), (0.35, 1), (0.45, 1.06)], 3)
            * (width * 0.52, load * 0.85),
        )
        return [
            floor,
            moved(turned(drum, -72, "x"), (0, deck + 70, load * 0.4)),
            box(black, (40, 110, 16), (0, deck + 55, -load * 0.3)),
        ]
    if style == "ladder":
        rails = both(box(steel(rng), (8, 12, load * 1.2), (24, deck + 116, 20)))
        rungs = [
            rod(steel(rng), (-24, deck + 116, z), (24, deck + 116, z), 3, sides=6)
            for z in np.linspace(-0.5, 0.65, 10) * load
        ]
        return [
            floor,
            box(paint, (width, 90, load), (0, deck + 45, 0), bevel=4),
            *rails,
            *rungs,
            *both(box(black, (3, 40, load * 0.7), (width / 2, deck + 45, 0))),
        ]
    if style == "crane":
        arm = [
            tube(
                paint,
                [(0, deck + 30, 0.3 * load), (0, deck + 200, 0.1 * load), (0, deck + 260, -0.6 * load)],
                [16, 13, 9],
                4,
                steps=1,
            )
        ]
        return [
            floor,
            *arm,
            rod(black, (0, deck + 258, -0.6 * load), (0, deck + 120, -0.6 * load), 3, sides=6),
            box(paint, (width * 0.5, 50, 80), (0, deck + 28, 0.3 * load), bevel=5),
        ]
    wall = 55.0 if style == "tipper" else 26.0
    parts = [floor, *both(box(paint, (7, wall, load), (width / 2 - 3, deck + wall / 2, 0), bevel=1.5))]
    parts += [box(paint, (width, wall, 7), (0, deck + wall / 2, s * load / 2), bevel=1.5) for s in (-1, 1)]
    if style == "tipper":
        parts += both(box(paint, (8, wall, 7), (width / 2 + 1, deck + wall / 2, 0.25 * load)))
        return turned(parts, -rng.uniform(0, 30) * (rng.random() < 0.4), "x", (0, deck, -load / 2))
    logs = pick(rng, (muted, bright))(rng, "cargo")
    return parts + [
        rod(logs, (x, deck + 22 + y, -load * 0.46), (x, deck + 22 + y, load * 0.46), 20, sides=12)
        for x, y in ((-44, 0), (0, 0), (44, 0), (-22, 36), (22, 36))
    ]


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


def spare(rng: Rng, h: float, radius: float) -> list[Part]:
    """A spare wheel on the back, or nothing."""
    if rng.random() < 0.5:
        return []
    return turned(wheel(dark(rng, "tyre"), steel(rng, "rim"), (h + 10, 82, 0), radius * 0.8, 20, 0), 90)


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
