"""Tools of workshop, garden and house. Long ones stand, lean or lie; their broad side faces +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import circle, curve, mirror_outline, oval, rounded
from training.families.paints import Rng, bright, dark, painted, pick, steel, wood
from training.families.parts import (
    Paint,
    aimed,
    bar,
    both,
    box,
    ellipsoid,
    extrude,
    frame,
    lathe,
    loft,
    moved,
    ring,
    rod,
    sheet,
    torus,
    tube,
    turned,
    vessel,
)
from training.families.wheels import wheel
from training.shapes import Part

RED = Paint((200, 35, 30), "red")


def make(rng: Rng) -> list[Part]:
    """One random tool."""
    kinds = (
        hammer,
        hammer,
        saw,
        saw,
        drill,
        drill,
        spanner,
        spanner,
        screwdriver,
        pliers,
        axe,
        axe,
        shovel,
        rake,
        ladder,
    )
    kinds += (
        wheelbarrow,
        extinguisher,
        hydrant,
        bucket,
        bucket,
        brush,
        broom,
        scissors,
        ruler,
        vice,
        toolbox,
        watering_can,
    )
    kinds += (anvil, tape_measure, lawn_mower, sword, padlock, key, pickaxe, plunger, gear_wheel)
    return posed(rng, pick(rng, kinds)(rng))


def posed(rng: Rng, parts: list[Part]) -> list[Part]:
    """Long upright tools sometimes lean to a side or lie on the floor."""
    low = np.min([p.vertices.min(0) for p in parts], 0)
    high = np.max([p.vertices.max(0) for p in parts], 0)
    size = high - low
    if size[1] < 2.5 * max(size[0], size[2]) or rng.random() < 0.45:
        return parts
    if rng.random() < 0.5:
        return turned(parts, rng.uniform(-60, 60), "z")
    return turned(turned(parts, -90, "x"), rng.uniform(-70, 70))


def grip_paint(rng: Rng) -> Paint:
    """Wood or plastic for handles."""
    return pick(rng, (wood, wood, painted, dark))(rng, "grip")


def shaft(paint: Paint, length: float, thick: float) -> Part:
    """A wooden handle, oval and a little swollen, from y = 0 upwards."""
    return tube(
        paint,
        [(0, 0, 0), (0, 0.12 * length, 0), (0, 0.5 * length, 0), (0, length, 0)],
        [thick, 1.05 * thick, 0.8 * thick, 0.75 * thick],
        10,
        flat=1.25,
    )


def hammer(rng: Rng) -> list[Part]:
    """A claw hammer, mallet or sledge hammer."""
    metal, grip = steel(rng), grip_paint(rng)
    long = rng.uniform(24, 36)
    style = pick(rng, ("claw", "mallet", "sledge", "ball"))
    if style == "mallet":
        size = (rng.uniform(12, 17), rng.uniform(8, 10), rng.uniform(7, 9))
        return [shaft(grip, long, 1.5), box(pick(rng, (wood, dark))(rng, "head"), size, (0, long, 0), bevel=0.8)]
    parts = [shaft(grip, long, 1.3), box(metal, (4, 3.4, 3), (0, long - 0.6, 0), bevel=0.5)]
    face = lathe(metal, [(1.0, 0), (1.1, 3), (1.7, 4), (1.8, 5.6), (1.5, 6)], sides=16)
    parts.append(moved(turned(face, -90, "z"), (1.2, long - 0.4, 0)))
    if style == "claw":
        parts += [
            tube(
                metal,
                [(-1.4, long, z * 0.4), (-4, long + 0.4, z * 0.9), (-7.5, long - 1.8, z * 1.3)],
                [1.1, 0.9, 0.35],
                8,
                flat=0.8,
            )
            for z in (-1, 1)
        ]
    elif style == "ball":
        parts.append(ellipsoid(metal, (2, 2, 2), (-3.4, long - 0.4, 0), 14))
    else:
        parts = [shaft(grip, long * 2, 1.6), box(metal, (15, 6.5, 6.5), (0, long * 2, 0), bevel=1.2)]
    return parts


def saw(rng: Rng) -> list[Part]:
    """A hand saw, hack saw or disc."""
    metal, grip = steel(rng), grip_paint(rng)
    if rng.random() < 0.35:
        bow = [(-16, 0, 0), (-16, 10, 0), (14, 10, 0), (14, 0, 0)]
        return [
            tube(painted(rng, "frame"), bow, 0.8, 8, steps=1),
            box(metal, (31, 1.8, 0.6), (-1, 0, 0)),
            tube(grip, [(14, 1, 0), (17, 4, 0), (20, -2, 0), (19, -6, 0)], [1.2, 1.3, 1.4, 1.2], 8),
        ]
    long, teeth = rng.uniform(36, 52), int(rng.integers(14, 26))
    x = np.linspace(long, 2, 2 * teeth + 1)
    edge = np.column_stack([x, -rng.uniform(3.4, 4.4) + 0.7 * (np.arange(2 * teeth + 1) % 2)])
    blade = extrude(metal, np.concatenate([[(0, 5), (0, -3.6)], edge[::-1], [(long, 0.6)]]), 0.7)
    loop = curve([(-10, 5), (-4, 7), (2, 5), (3, -4), (-4, -7), (-9, -5)], 4, loop=True)
    hole = curve([(-7.4, 3), (-4, 4.6), (-1.8, 3), (-1.6, -2), (-4, -4.4), (-7, -3)], 4, loop=True)
    return [
        blade,
        frame(grip, loop, hole, 2.6),
        *(rod(metal, (1, y, -1.5), (1, y, 1.5), 0.6, sides=10) for y in (-2, 2)),
    ]


def drill(rng: Rng) -> list[Part]:
    """A power drill, cordless driver or grinder, its tip to a side."""
    paint, black, metal = bright(rng, "case"), dark(rng), steel(rng)
    body = turned(lathe(paint, curve([(2.6, -8), (3.6, -6), (3.6, 4), (2.6, 7)], 2), sides=16), -90, "z")
    chuck = turned(lathe(black, [(2, 7), (2.2, 8), (2, 11), (0.9, 13)], sides=14), -90, "z")
    parts = [
        body,
        chuck,
        rod(metal, (12, 0, 0), (rng.uniform(17, 24), 0, 0), 0.55, 0.45, 8),
        *(torus(black, 3.6, 0.25, (x, 0, 0), "x", 18) for x in (-5, -4, -3)),
    ]
    parts.append(
        tube(pick(rng, (paint, black)), [(-3, -2, 0), (-4, -8, 0), (-5.6, -13, 0)], [2.3, 1.9, 2.2], 10, flat=0.8)
    )
    parts.append(box(black, (1.4, 2.6, 1.2), (-1.4, -4.6, 0), bevel=0.3))
    if rng.random() < 0.6:
        parts.append(box(black, (9.5, 4, 6), (-5, -15, 0), bevel=1))
    else:
        parts.append(tube(black, [(-5.6, -13, 0), (-7, -18, 0), (-12, -20, 3)], 0.6, 6))
    if rng.random() < 0.3:
        parts.append(rod(black, (5, 0, 0), (5, 2, 11), 1.3))
    return parts


def spanner(rng: Rng) -> list[Part]:
    """An open or ring spanner, adjustable wrench or pipe wrench."""
    metal = pick(rng, (steel, steel, painted))(rng, "metal")
    long, w = rng.uniform(16, 28), rng.uniform(1.2, 2)
    jaw = (
        np.array(
            [
                (0.6, 0),
                (1.9, 1.6),
                (2.3, 3.6),
                (1.5, 5),
                (0.8, 4.4),
                (0.8, 2.4),
                (-0.8, 2.4),
                (-0.8, 4.4),
                (-1.5, 5),
                (-2.3, 3.6),
                (-1.9, 1.6),
                (-0.6, 0),
            ]
        )
        * w
    )
    parts = [box(metal, (1.5 * w, long, 0.9 * w), (0, 0, 0), bevel=0.25 * w)]
    parts.append(
        turned(
            extrude(metal, jaw + (0, long / 2 - 0.6 * w), 1.1 * w, bevel=0.12 * w),
            0 if rng.random() < 0.5 else 15,
            "z",
            (0, long / 2, 0),
        )
    )
    if rng.random() < 0.4:
        parts.append(turned(extrude(metal, jaw * 0.85 + (0, long / 2 - 0.6 * w), 1.1 * w, bevel=0.12 * w), 180, "z"))
    elif rng.random() < 0.6:
        parts.append(frame(metal, circle(2 * w, 24), circle(1.2 * w, 24), 1.2 * w, (0, -long / 2 - 1.2 * w, 0)))
    else:
        parts.append(box(painted(rng, "grip"), (2 * w, 0.45 * long, 1.4 * w), (0, -0.28 * long, 0), bevel=0.4 * w))
        parts.append(rod(metal, (-0.9 * w, long / 2 + 0.6 * w, 0), (0.9 * w, long / 2 + 0.6 * w, 0), 0.7 * w, sides=14))
    return parts


def screwdriver(rng: Rng) -> list[Part]:
    """A screwdriver, awl, chisel, file or paint roller handle."""
    metal, grip = steel(rng), painted(rng, "grip")
    long, hand = rng.uniform(9, 20), rng.uniform(8, 11)
    handle = lathe(
        grip,
        curve([(1, 0), (1.6, 1), (1.7, 0.6 * hand), (1.1, 0.85 * hand), (1.3, hand)], 2),
        sides=pick(rng, (6, 8, 16)),
    )
    parts = [handle, rod(metal, (0, hand - 1, 0), (0, hand + long, 0), 0.5, sides=10)]
    tip = extrude(
        metal, [(-0.5, 0), (0.5, 0), (0.8, 1.6), (0.6, 3), (-0.6, 3), (-0.8, 1.6)], 0.5, (0, hand + long - 0.6, 0)
    )
    if rng.random() < 0.35:
        tip = box(metal, (rng.uniform(1.6, 3), 9, 0.6), (0, hand + long, 0), bevel=0.1)
    return [*parts, tip]


def pliers(rng: Rng) -> list[Part]:
    """Pliers with two curved grips."""
    metal, grip = steel(rng), bright(rng, "grip")
    jaw = extrude(metal, [(0.1, 0), (1.8, 0.5), (1.7, 3), (0.7, 7), (0.15, 7)], 1.4, bevel=0.15)
    arm = tube(grip, [(0.9, 0, 0), (2.4, -4, 0), (2.8, -9, 0), (2, -14, 0)], [0.8, 0.95, 0.95, 0.8], 8)
    gap = rng.uniform(2, 14)
    side = [turned(jaw, -gap / 2, "z"), turned(arm, gap / 2, "z")]
    return [*both(side), rod(metal, (0, 0, -1), (0, 0, 1), 1.5, sides=18)]


def axe(rng: Rng) -> list[Part]:
    """A hatchet, felling axe or battle axe."""
    metal, grip = steel(rng), wood(rng, "grip")
    long, w = rng.uniform(32, 75), rng.uniform(8, 13)
    blade = curve(
        [
            (1.2, 2.2),
            (0.6 * w, 2.4),
            (w, 0.42 * w + 1),
            (1.12 * w, 0),
            (w, -0.46 * w - 1),
            (0.6 * w, -2.4),
            (1.2, -2.2),
        ],
        3,
    )
    head = extrude(metal, np.concatenate([blade, [(-2, -2), (-2, 2)]]), 2.2, (0, long - 3, 0), bevel=0.5)
    head.vertices[:, 2] *= np.clip(1.25 - head.vertices[:, 0] / w, 0.25, 1.2)
    parts = [
        tube(
            grip,
            [(2, 0, 0), (0.6, 0.2 * long, 0), (0, 0.6 * long, 0), (0, long, 0)],
            [1.6, 1.3, 1.2, 1.2],
            10,
            flat=0.8,
        ),
        head,
    ]
    if rng.random() < 0.3:
        parts.append(Part(head.vertices * (-1, 1, 1), head.faces[:, ::-1], head.color, head.material))
    return parts


def pickaxe(rng: Rng) -> list[Part]:
    """A pickaxe."""
    metal, grip = steel(rng), wood(rng, "grip")
    long, w = rng.uniform(60, 85), rng.uniform(24, 32)
    return [
        shaft(grip, long, 1.8),
        tube(
            metal,
            [(-w, long - 9, 0), (-0.5 * w, long - 2, 0), (0, long - 0.5, 0), (0.5 * w, long - 2, 0), (w, long - 9, 0)],
            [0.8, 1.9, 2.6, 2, 1.2],
            8,
        ),
        box(metal, (5, 5, 4.6), (0, long - 1, 0), bevel=0.6),
    ]


def shovel(rng: Rng) -> list[Part]:
    """A shovel or spade with a T or D grip."""
    metal, grip = pick(rng, (steel, dark))(rng, "metal"), wood(rng, "grip")
    long, w, high = rng.uniform(60, 105), rng.uniform(18, 26), rng.uniform(24, 32)
    t, s = np.linspace(0, 1, 7)[:, None], np.linspace(-1, 1, 7)[None]
    point = rng.random() < 0.6
    half = w / 2 * (np.sqrt(np.clip(1 - (1 - np.minimum(t * 2, 1)) ** 2, 0.02, 1)) if point else 1 + 0 * t)
    grid = np.stack([half * s, high * t + 0 * s, 3.5 * (s * s) * half / (w / 2) + 3 * (1 - t) ** 2], -1)
    parts = [
        sheet(metal, grid, 1.3),
        rod(grip, (0, high - 6, -0.6), (0, high + long, -5), 1.5, 1.4),
        rod(metal, (0, high - 9, 0.2), (0, high + 10, -0.9), 2.1, 1.7),
    ]
    top = high + long
    if rng.random() < 0.6:
        parts.append(
            tube(
                grip,
                [
                    (0, top - 2, -5),
                    (-5, top + 3, -5.3),
                    (-6, top + 9, -5.6),
                    (6, top + 9, -5.6),
                    (5, top + 3, -5.3),
                    (0, top - 2, -5),
                ],
                1.3,
                8,
                steps=2,
            )
        )
    return parts


def rake(rng: Rng) -> list[Part]:
    """A rake, pitchfork or hoe, tines down."""
    metal, grip = pick(rng, (steel, dark))(rng, "metal"), wood(rng, "grip")
    long = rng.uniform(90, 130)
    parts = [rod(grip, (0, 14, 0), (0, 14 + long, -4), 1.6, 1.5)]
    count, w = int(rng.integers(4, 13)), rng.uniform(22, 42)
    if rng.random() < 0.5:
        parts += [
            box(metal, (w, 2.2, 2), (0, 13, 0), bevel=0.4),
            *(
                tube(metal, [(x, 13, 0), (x, 12, 4), (x, 4, 6)], [1, 0.9, 0.7], 6)
                for x in np.linspace(-0.48, 0.48, count) * w
            ),
        ]
        return [*parts, rod(metal, (0, 12, 0), (0, 24, -0.4), 2)]
    count = int(rng.integers(3, 6))
    tines = [
        tube(metal, [(0, 20, 0), (x * 0.9, 16, 0), (x, 10, 1), (x, -14, 4)], [1.2, 1.1, 1.1, 0.7], 6)
        for x in np.linspace(-10, 10, count)
    ]
    return [*parts, *tines, rod(metal, (0, 16, 0), (0, 28, -0.5), 2)]


def ladder(rng: Rng) -> list[Part]:
    """A straight ladder or a step ladder."""
    paint = pick(rng, (wood, steel, bright))(rng, "wood")
    high, wide, rungs = rng.uniform(90, 240), rng.uniform(34, 46), int(rng.integers(4, 10))
    lean = rng.uniform(8, 22)
    side = [*both(bar(paint, (wide / 2, 0, 0), (wide * 0.45, high, 0), 3, 5))]
    flat = rng.random() < 0.5
    for t in (np.arange(rungs) + 0.7) / (rungs + 0.4):
        x = wide / 2 * (1 - 0.1 * t)
        side.append(
            box(paint, (2 * x, 2.4, 9), (0, t * high, 1))
            if flat
            else rod(paint, (-x, t * high, 0), (x, t * high, 0), 1.7, sides=8)
        )
    if rng.random() < 0.6:
        rear = [
            *both(bar(paint, (wide / 2, 0, 0), (wide * 0.45, high, 0), 3, 4)),
            *(rod(paint, (-wide * 0.47, t * high, 0), (wide * 0.47, t * high, 0), 1.4, sides=8) for t in (0.2, 0.6)),
        ]
        top = box(paint, (wide, 3, 22), (0, high * np.cos(np.radians(lean)) + 1, 0), bevel=0.6)
        return [
            *moved(turned(side, -lean, "x", (0, high, 0)), (0, 0, 0)),
            *turned(rear, lean, "x", (0, high, 0)),
            moved(top, (0, high * (1 - np.cos(np.radians(lean))), 0)),
        ]
    return turned(side, -rng.uniform(0, 20), "x")


def wheelbarrow(rng: Rng) -> list[Part]:
    """A wheelbarrow, its wheel towards +Z."""
    paint, metal, black = bright(rng, "tub"), pick(rng, (steel, wood))(rng, "frame"), dark(rng)
    rings = []
    for w, d, y, z in ((26, 40, 28, 2), (58, 84, 56, 0), (54, 80, 56, 0), (24, 36, 31, 2)):
        loop = rounded(w, d, 7, 3)
        rings.append(np.column_stack([loop[:, 0], y + 0.06 * loop[:, 1] * (y > 40), loop[:, 1] + z]))
    tub = loft(paint, np.array(rings))
    arm = tube(metal, [(24, 44, -92), (22, 36, -50), (16, 26, 10), (5, 17, 56)], 2, 8)
    leg = tube(metal, [(20, 32, -24), (20, 2, -30), (20, 2, -20), (17, 27, 6)], 1.8, 8, steps=2)
    return [
        tub,
        *both([arm, leg, rod(black, (24, 44.5, -94), (23, 40, -74), 2.6)]),
        *wheel(black, metal, (0, 17, 56), 17, 8, 1),
        rod(metal, (-6, 17, 56), (6, 17, 56), 1.6),
    ]


def extinguisher(rng: Rng) -> list[Part]:
    """A fire extinguisher or gas cylinder."""
    paint, black, metal = RED if rng.random() < 0.7 else painted(rng, "red"), dark(rng), steel(rng)
    r, high = rng.uniform(6, 9), rng.uniform(32, 48)
    parts = [
        lathe(
            paint,
            curve([(0.9 * r, 0), (r, 1.5), (r, 0.8 * high), (0.7 * r, 0.94 * high), (0.3 * r, high)], 2),
            sides=24,
        ),
        lathe(black, [(1.02 * r, 0), (1.02 * r, 3)], sides=24),
        rod(metal, (0, high - 1, 0), (0, high + 4, 0), 1.7),
    ]
    parts += [
        tube(black, [(0, high + 3, 0), (5, high + 4, 0), (9, high + 3, 0)], 1, 8),
        tube(black, [(0, high + 5, 0), (5, high + 8, 0), (10, high + 8, 0)], 1, 8),
        rod(metal, (0, high + 2, 0), (0, high + 2, 2.6), 1.5, sides=14),
    ]
    parts += [
        tube(
            black,
            [(-1, high + 2, 0), (-r - 3, high, 0), (-r - 2.4, 0.55 * high, 0), (-r - 1, 0.25 * high, 0)],
            [0.9, 0.9, 0.9, 1.6],
            8,
        ),
        lathe(Paint((240, 235, 220), "label"), [(1.015 * r, 0.35 * high), (1.015 * r, 0.62 * high)], sides=24),
    ]
    return parts


def hydrant(rng: Rng) -> list[Part]:
    """A fire hydrant."""
    paint = pick(rng, (RED, bright(rng, "red"), Paint((225, 185, 40), "red")))
    high, r = rng.uniform(44, 56), rng.uniform(8.5, 11)
    parts = [
        lathe(
            paint,
            [
                (1.5 * r, 0),
                (1.5 * r, 3),
                (1.05 * r, 4),
                (r, 0.68 * high),
                (1.3 * r, 0.7 * high),
                (1.3 * r, 0.75 * high),
                (1.05 * r, 0.84 * high),
                (0.6 * r, 0.94 * high),
                (0.25 * r, 0.97 * high),
                (0.25 * r, 1.05 * high),
            ],
            sides=20,
        )
    ]
    cap = lathe(paint, [(0.55, 0), (0.55, 0.5), (0.72, 0.55), (0.72, 0.85), (0.25, 0.95), (0.25, 1.2)], sides=12)
    for way, size in (((1, 0, 0), 0.62), ((-1, 0, 0), 0.62), ((0, 0, 1), 0.85)):
        part = Part(cap.vertices * r * size, cap.faces, cap.color, cap.material)
        parts.append(aimed(part, way, np.array(way) * 0.85 * r + (0, 0.52 * high, 0)))
    bolt = rod(steel(rng), (0, 2, 1.3 * r), (0, 4.2, 1.3 * r), 0.9, sides=6)
    return [*parts, *ring(bolt, 8)]


def bucket(rng: Rng) -> list[Part]:
    """A bucket or paint tin with its bow."""
    paint, metal = pick(rng, (steel, painted, wood))(rng, "bucket"), steel(rng)
    r, high = rng.uniform(12, 16), rng.uniform(20, 30)
    parts = [
        vessel(
            paint, [(0.72 * r, 0), (0.76 * r, 0.08 * high), (0.98 * r, 0.97 * high), (1.04 * r, high)], 0.7, sides=28
        ),
        *(torus(metal, (0.74 + 0.25 * t) * r, 0.5, (0, t * high, 0), sides=26) for t in (0.12, 0.6)),
    ]
    a = np.linspace(0, np.pi, 11)
    bow = np.column_stack([1.03 * r * np.cos(a), 0.92 * high + 0 * a, 1.0 * r * np.sin(a)])
    parts.append(turned(tube(metal, bow, 0.5, 6), -pick(rng, (0.0, 60.0, 90.0)), "x", (0, 0.92 * high, 0)))
    if rng.random() < 0.4:
        parts.append(
            lathe(painted(rng, "fill"), [(0.8 * r, 0.6 * high), (0.86 * r, 0.8 * high), (0, 0.82 * high)], sides=24)
        )
    return [*parts, *both(ellipsoid(metal, (0.8, 1.8, 1.6), (1.0 * r, 0.92 * high, 0), 8))]


def watering_can(rng: Rng) -> list[Part]:
    """A watering can or petrol can."""
    paint = pick(rng, (steel, bright))(rng, "can")
    r, high = rng.uniform(9, 12), rng.uniform(16, 24)
    rose = aimed(
        lathe(paint, [(1, 0), (3.6, 3), (3.4, 3.8), (0, 4.2)], sides=16), (0.75, 0.66, 0), (2.3 * r, high * 1.02, 0)
    )
    return [
        vessel(paint, [(r, 0), (r, 0.6 * high), (0.9 * r, high)], 0.6),
        tube(
            paint, [(0.9 * r, 0.15 * high, 0), (1.6 * r, 0.5 * high, 0), (2.35 * r, 1.05 * high, 0)], [2.1, 1.4, 1.1], 8
        ),
        rose,
        tube(
            paint,
            [(-0.9 * r, 0.2 * high, 0), (-1.7 * r, 0.7 * high, 0), (-1.1 * r, 1.4 * high, 0), (0.7 * r, high, 0)],
            0.9,
            8,
        ),
    ]


def brush(rng: Rng) -> list[Part]:
    """A paint brush, roller, hand brush or tooth brush."""
    grip, metal, hair = painted(rng, "grip"), steel(rng), pick(rng, (dark, wood))(rng, "hair")
    style, w = int(rng.integers(3)), rng.uniform(4, 8)
    if style == 0:
        return [
            tube(grip, [(0, 0, 0), (0, 8, 0), (0, 15, 0), (0, 18, 0)], [0.9, 1.1, 0.8, 1.2], 8, flat=1.4),
            extrude(grip, [(-1.5, 16), (1.5, 16), (w / 2, 21), (-w / 2, 21)], 1.6, bevel=0.3),
            box(metal, (w + 0.2, 4, 1.9), (0, 22, 0)),
            box(hair, (w, 7, 1.5), (0, 27, 0), bevel=0.5),
        ]
    if style == 1:
        return [
            rod(grip, (0, 0, 0), (0, 12, 0), 1.4, 1.1),
            tube(metal, [(0, 11, 0), (0, 19, 0), (10, 20, 0), (10, 26, 0)], 0.5, 6, steps=1),
            rod(hair, (-9, 26, 0), (10.4, 26, 0), 2.6, sides=18),
        ]
    bristle = box(hair, (0.9, 3, 0.9), (0, 0, 0))
    tufts = [moved(bristle, (x, 20 + 1.6 * i, 1.9)) for x in (-1, 0, 1) for i in range(7)]
    return [
        *tufts,
        tube(grip, [(0, 0, 0), (0, 8, 0), (0, 17, 0), (0, 25, 0), (0, 32, 0)], [1.2, 1.4, 0.8, 1.6, 1.4], 8, flat=1.4),
    ]


def broom(rng: Rng) -> list[Part]:
    """A broom, mop or witch's besom."""
    grip, hair = wood(rng, "grip"), pick(rng, (wood, bright, dark))(rng, "hair")
    long = rng.uniform(100, 130)
    style, w = int(rng.integers(3)), rng.uniform(26, 42)
    parts = [rod(grip, (0, 12, 0), (0, long, 0), 1.5)]
    if style == 0:
        return [
            *parts,
            box(grip, (w, 3.4, 6), (0, 12, 0), bevel=0.8),
            *(
                rod(hair, (x, 11, z), (x * 1.06, 0, z * 1.3), 1.5, 1.3, 5)
                for x in np.linspace(-0.46, 0.46, 13) * w
                for z in (-1.6, 1.6)
            ),
        ]
    if style == 1:
        return [
            *parts,
            lathe(hair, curve([(9, 0), (9.6, 6), (5, 18), (2.2, 26)], 3), sides=14),
            *(torus(grip, r, 0.6, (0, y, 0), sides=14) for r, y in ((5, 18), (3.2, 22))),
            *ring(rod(hair, (0, 18, 4), (0, -3, 9.6), 0.9, sides=5), 12),
        ]
    return [
        *parts,
        rod(grip, (-7, 12, 0), (7, 12, 0), 2),
        *(
            tube(hair, [(x * 0.6, 12, 0), (x, 8, z * 3), (x * 1.3, 0, z * 7)], 1.2, 6)
            for x in np.linspace(-9, 9, 7)
            for z in (-1, 1)
        ),
    ]


def scissors(rng: Rng) -> list[Part]:
    """Scissors, a little open."""
    metal, grip = steel(rng), pick(rng, (dark, bright, steel))(rng, "grip")
    half = rng.uniform(3, 22)
    blade = extrude(metal, [(-0.9, -1), (0.8, -1), (0.9, 2), (0.1, 13), (-0.3, 13)], 0.5, bevel=0.08)
    eye = frame(grip, oval(5, 7.4, 20), oval(3.3, 5.6, 20), 1.1, (2.6, -9, 0))
    side = [blade, tube(metal, [(0, -0.6, 0), (0.5, -3, 0), (2.0, -6, 0)], [0.8, 0.7, 0.6], 6), eye]
    return [
        *turned(side, half / 2, "z"),
        *turned(both(side)[3:], -half / 2, "z"),
        rod(metal, (0, 0, -0.6), (0, 0, 0.6), 0.7, sides=12),
    ]


def ruler(rng: Rng) -> list[Part]:
    """A ruler, set square, spirit level or pencil."""
    paint, black = pick(rng, (wood, bright, steel))(rng, "ruler"), dark(rng, "mark")
    style = int(rng.integers(4))
    if style == 0:
        long = rng.uniform(24, 34)
        return [
            box(paint, (long, 3.4, 0.6), bevel=0.1),
            *(
                box(black, (0.25, 1.4 if i % 5 == 0 else 0.8, 0.7), (x, 1.0, 0))
                for i, x in enumerate(np.linspace(-0.46, 0.46, 26) * long)
            ),
        ]
    if style == 1:
        outer, inner = np.array([(-10, -6), (12, -6), (-10, 12)]), np.array([(-7.6, -3.8), (5.6, -3.8), (-7.6, 6.6)])
        return [frame(paint, outer, inner, 0.7)]
    if style == 2:
        return [
            box(paint, (50, 5.4, 2.4), bevel=0.3),
            *(box(Paint((180, 220, 60), "vial"), (4.4, 1.8, 2.7), (x, 0.6, 0), bevel=0.4) for x in (-17, 0, 17)),
        ]
    tip = wood(rng, "tip")
    pencil = [
        rod(paint, (0, 0, 0), (0, 15, 0), 0.5, sides=6),
        rod(tip, (0, 15, 0), (0, 17, 0), 0.5, 0.12, 10),
        rod(black, (0, 16.8, 0), (0, 17.4, 0), 0.14, 0, 8),
        rod(steel(rng), (0, -1, 0), (0, 0.2, 0), 0.56),
        rod(Paint((220, 130, 130), "rubber"), (0, -2, 0), (0, -0.9, 0), 0.5),
    ]
    return pencil


def vice(rng: Rng) -> list[Part]:
    """A bench vice, opening to the side, or a clamp."""
    paint, metal = painted(rng, "vice"), steel(rng)
    gap = rng.uniform(1, 5)
    parts = [
        box(paint, (16, 3, 14), (0, 1.5, 0), bevel=0.6),
        box(paint, (9, 8, 9), (-1, 6, 0), bevel=1.2),
        box(paint, (4, 8, 14), (0, 12, 0), bevel=0.8),
        box(metal, (0.9, 4, 14), (2.2, 14, 0)),
    ]
    parts += [
        box(paint, (4, 10, 14), (5 + gap, 11, 0), bevel=0.8),
        box(metal, (0.9, 4, 14), (2.9 + gap, 14, 0)),
        box(paint, (12 + gap, 4.6, 5), (0, 8, 0), bevel=0.8),
        rod(metal, (6 + gap, 8, 0), (14 + gap, 8, 0), 1.3),
    ]
    return [
        *parts,
        rod(metal, (13 + gap, 2, 0), (13 + gap, 14, 0), 0.6, sides=8),
        *(ellipsoid(metal, (1, 1, 1), (13 + gap, y, 0), 10) for y in (2, 14)),
    ]


def toolbox(rng: Rng) -> list[Part]:
    """A tool box with handle and catches."""
    paint, metal = bright(rng, "box"), pick(rng, (steel, dark))(rng, "metal")
    w, d, high = rng.uniform(34, 50), rng.uniform(17, 24), rng.uniform(13, 20)
    lid = [
        (-d / 2 - 0.5, high),
        (d / 2 + 0.5, high),
        (d / 2 + 0.5, high + 2),
        (0.2 * d, high + 6),
        (-0.2 * d, high + 6),
        (-d / 2 - 0.5, high + 2),
    ]
    parts = [
        box(paint, (w, high, d), (0, high / 2, 0), bevel=0.8),
        extrude(paint, lid, w + 1, axis="x", bevel=0.6),
        tube(
            metal,
            [(-0.2 * w, high + 6, 0), (-0.18 * w, high + 10, 0), (0.18 * w, high + 10, 0), (0.2 * w, high + 6, 0)],
            1,
            8,
            steps=2,
        ),
    ]
    return (
        parts
        + both(box(metal, (3, 5, 1.2), (0.32 * w, high, d / 2 + 0.6), bevel=0.3))
        + [box(metal, (0.4 * w, 3, 0.8), (0, 0.5 * high, d / 2 + 0.2), bevel=0.2)]
    )


def anvil(rng: Rng) -> list[Part]:
    """An anvil on a block."""
    iron = dark(rng, "iron")
    half = curve([(0, 0), (10, 0), (9, 3), (5, 6), (5, 11), (9, 15)], 2)
    parts = [
        extrude(iron, mirror_outline(np.concatenate([half, [(12, 16), (12, 21), (0, 21)]])), 10, bevel=0.8),
        aimed(lathe(iron, [(4, 0), (3.4, 6), (1.6, 12), (0.4, 15)], sides=14), (1, 0.12, 0), (11.6, 17.4, 0)),
    ]
    return (
        [*moved(parts, (0, 30, 0)), lathe(wood(rng), [(14, 0), (13.4, 2), (13, 30)], sides=18)]
        if rng.random() < 0.5
        else parts
    )


def tape_measure(rng: Rng) -> list[Part]:
    """A tape measure or a cable drum."""
    paint, metal = bright(rng, "case"), Paint((235, 205, 60), "tape")
    if rng.random() < 0.5:
        return [
            extrude(paint, rounded(7, 6.6, 2), 3.4, bevel=0.5),
            box(metal, (rng.uniform(4, 14), 0.3, 2), (7, -2.9, 0)),
            rod(dark(rng), (0, 0.4, 1.4), (0, 0.4, 2), 2, sides=20),
            box(dark(rng), (1.4, 2.2, 0.8), (0, -2.4, 1.7), bevel=0.2),
        ]
    reel = wood(rng)
    return [rod(reel, (0, 0, z), (0, 0, z + 1.6), 14, sides=28) for z in (-9.0, 7.4)] + [
        rod(dark(rng, "cable"), (0, 0, -8), (0, 0, 8), 8.6, sides=22),
        *(torus(dark(rng, "cable"), 8.8, 0.8, (0, 0, z), "z", 24) for z in np.linspace(-6, 6, 6)),
    ]


def lawn_mower(rng: Rng) -> list[Part]:
    """A lawn mower with a push bar."""
    paint, black, metal = bright(rng, "deck"), dark(rng), steel(rng)
    parts = [
        extrude(paint, rounded(44, 62, 14), 12, (0, 14, 0), "y", bevel=3),
        lathe(black, [(13, 19), (14, 27), (11, 33), (5, 35), (0, 35)], (0, 0, 4), 20),
        box(paint, (16, 7, 14), (0, 24, 22), bevel=2),
    ]
    parts += [p for z, r in ((22, 9), (-22, 11)) for p in both(wheel(black, metal, (25, r, z), r, 6, 0))]
    parts += both(tube(metal, [(18, 18, -22), (18, 52, -62), (16, 84, -92), (0, 86, -94)], 1.6, 8, steps=2))
    return [*parts, box(black, (34, 24, 30), (0, 26, -40), bevel=5)] if rng.random() < 0.5 else parts


def sword(rng: Rng) -> list[Part]:
    """A sword or dagger, point up, sometimes a shield."""
    metal, grip, gold = steel(rng), dark(rng, "grip"), Paint((190, 155, 80), "brass")
    long, w = rng.uniform(40, 90), rng.uniform(2.4, 4)
    blade = extrude(
        metal, [(-w, 18), (w, 18), (0.8 * w, 0.9 * long), (0, long + 6), (-0.8 * w, 0.9 * long)], 1.5, bevel=0.5
    )
    guard = tube(
        gold, [(-9, 18.6 + rng.uniform(-2, 3), 0), (0, 18, 0), (9, 18.6 + rng.uniform(-2, 3), 0)], [1.2, 1.5, 1.2], 8
    )
    parts = [blade, guard, rod(grip, (0, 4, 0), (0, 18, 0), 1.3), ellipsoid(gold, (2.2, 2.2, 2.2), (0, 3, 0), 12)]
    if rng.random() < 0.4:
        paint = bright(rng, "shield")
        half = curve([(0, -30), (12, -16), (19, 4), (19, 22), (0, 25)], 3)
        board = extrude(paint, mirror_outline(half), 2.6, bevel=0.7)
        board.vertices[:, 2] -= board.vertices[:, 0] ** 2 * 0.012
        return [
            board,
            *(turned(box(gold, (5, 40, 2), (0, 0, 1.2), bevel=0.4), a, "z") for a in (0, 90)),
            ellipsoid(gold, (4.5, 4.5, 3), (0, 0, 1.6), 14),
        ]
    return parts


def padlock(rng: Rng) -> list[Part]:
    """A padlock, closed or open."""
    paint, metal = pick(rng, (Paint((190, 155, 80), "brass"), steel(rng), painted(rng))), steel(rng, "bow")
    w, high = rng.uniform(7, 9), rng.uniform(6, 9)
    lift = pick(rng, (0.0, 2.5))
    bow = [
        (-0.3 * w, high - 0.5 + lift, 0),
        (-0.3 * w, high + 3 + lift, 0),
        (0, high + 5 + lift, 0),
        (0.3 * w, high + 3 + lift, 0),
        (0.3 * w, high - 0.5, 0),
    ]
    return [
        box(paint, (w, high, 3.4), (0, high / 2, 0), bevel=0.6),
        tube(metal, bow, 0.7, 10),
        rod(dark(rng), (0, 0.5 * high, 1.4), (0, 0.5 * high, 1.9), 0.8),
        box(dark(rng), (0.6, 1.8, 0.5), (0, 0.36 * high, 1.6)),
    ]


def key(rng: Rng) -> list[Part]:
    """An old key."""
    metal = pick(rng, (steel, dark))(rng, "metal")
    bits = [box(metal, (rng.uniform(1.4, 3), 1, 0.7), (1.2, 0.8 + 1.5 * i, 0)) for i in range(int(rng.integers(2, 4)))]
    eye = (
        [torus(metal, 2.2, 0.55, (0, 16, 0), "z", 20)]
        if rng.random() < 0.5
        else [torus(metal, 1.5, 0.5, (x, y, 0), "z", 16) for x, y in ((-1.4, 15.4), (1.4, 15.4), (0, 17.6))]
    )
    return [rod(metal, (0, 0, 0), (0, 14, 0), 0.6), *bits, *eye, torus(metal, 0.75, 0.3, (0, 12.4, 0), sides=12)]


def plunger(rng: Rng) -> list[Part]:
    """A plunger."""
    return [vessel(bright(rng, "rubber"), curve([(7, 0), (7.2, 2), (5.4, 7), (2.2, 9), (1.6, 10)], 2), 0.8)] + [
        rod(wood(rng), (0, 3, 0), (0, rng.uniform(38, 54), 0), 1.3, 1.1)
    ]


def gear_wheel(rng: Rng) -> list[Part]:
    """A cog wheel, a hand wheel or a screw with its nut."""
    metal = pick(rng, (steel, dark, bright))(rng, "metal")
    teeth, r = int(rng.integers(9, 18)), 10.0
    if rng.random() < 0.4:
        screw = [
            lathe(metal, [(0.8, 0), (1, 0.6), (1, 12)], sides=14),
            rod(metal, (0, 12, 0), (0, 13.6, 0), 2.1, sides=6),
            rod(metal, (0, 5, 0), (0, 6.8, 0), 2.0, sides=6),
        ]
        return [*screw, *(torus(metal, 1.05, 0.18, (0, 0.8 + 0.6 * i, 0), sides=14) for i in range(13))]
    a = (np.arange(4 * teeth) + 0.5) * 2 * np.pi / (4 * teeth)
    rim = np.where(np.arange(4 * teeth) % 4 < 2, r, 0.84 * r)
    loop = np.column_stack([np.cos(a), np.sin(a)])
    parts = [frame(metal, loop * rim[:, None], loop * 0.62 * r, 3), frame(metal, loop * 0.3 * r, loop * 0.13 * r, 4)]
    return parts + [turned(box(metal, (1.8, 0.42 * r, 2), (0, 0.46 * r, 0)), 360 * i / 5, "z") for i in range(5)]
