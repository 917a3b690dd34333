"""Pickups, vans, buses and trucks with their loads; all drive towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng, bright, dark, glass, muted, painted, pick, steel, white
from training.families.parts import both, box, extrude, lathe, moved, rod, torus, tube, turned
from training.families.vehicles.bodies import axles, lights, narrowed, side_body
from training.families.vehicles.cars import car_details, greenhouse
from training.shapes import Part


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
