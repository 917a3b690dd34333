"""Radios, cameras, clocks and electric machines of home and office; they face +Z."""

from __future__ import annotations

import numpy as np

from training.families.gadgets.cases import case, facing, high_paint, knobs_on
from training.families.outlines import circle, rounded
from training.families.paints import Rng, bright, dark, muted, pick, screen, steel, white, wood
from training.families.parts import (
    Paint,
    both,
    box,
    ellipsoid,
    extrude,
    frame,
    lathe,
    moved,
    ring,
    rod,
    torus,
    tube,
    turned,
)
from training.shapes import Part


def radio(rng: Rng) -> list[Part]:
    """A table radio, boom box or old wireless."""
    paint, metal, black = case(rng), steel(rng), dark(rng)
    width, high, depth = rng.uniform(22, 46), rng.uniform(13, 26), rng.uniform(9, 16)
    front = depth / 2
    if rng.random() < 0.3:
        a = np.linspace(0, np.pi, 13)
        arch = np.concatenate(
            [
                [(-high / 2, 0), (high / 2, 0)],
                np.column_stack([np.cos(a) * high / 2, 0.7 * high + np.sin(a) * high / 2]),
            ]
        )
        parts = [
            extrude(wood(rng), arch, depth, bevel=1),
            facing(muted(rng, "cloth"), 0.34 * high, [(1, 0), (1, 0.05), (0, 0.05)], (0, 0.78 * high, front), 24),
        ]
        parts += [box(paint, (1.4, 0.62 * high, 1), (x * high, 0.78 * high, front + 0.4)) for x in (-0.12, 0, 0.12)]
        return [
            *parts,
            *knobs_on(rng, black, 3, 0.8 * high, (0, 0.18 * high, front), 1.4),
            box(high_paint(rng), (0.5 * high, 0.12 * high, 0.8), (0, 0.34 * high, front)),
        ]
    parts = [box(paint, (width, high, depth), (0, high / 2, 0), bevel=rng.uniform(0.5, 2.5))]
    r = min(0.33 * high, 0.2 * width)
    spots = pick(rng, ((-0.3, 0.3), (-0.26,), (-0.3, 0.3)))
    for x in spots:
        parts += [
            facing(
                black,
                r,
                [(1, 0), (1, 0.08), (0.7, 0.08), (0.3, -0.1 + 0.14), (0, 0.18)],
                (x * width, 0.45 * high, front),
                20,
            )
        ]
        parts.append(torus(metal, r, 0.06 * r + 0.15, (x * width, 0.45 * high, front + 0.2), "z", 20))
    x = 0.0 if len(spots) == 2 else 0.2 * width
    parts += [
        box(high_paint(rng), (0.3 * width, 0.16 * high, 0.8), (x, 0.75 * high, front), bevel=0.2),
        *knobs_on(rng, metal, int(rng.integers(2, 5)), 0.3 * width, (x, 0.32 * high, front), 0.06 * high),
    ]
    if rng.random() < 0.6:
        parts.append(
            tube(
                black,
                [
                    (-0.42 * width, 0.9 * high, 0),
                    (-0.4 * width, 1.25 * high, 0),
                    (0.4 * width, 1.25 * high, 0),
                    (0.42 * width, 0.9 * high, 0),
                ],
                0.8,
                8,
            )
        )
    if rng.random() < 0.6:
        parts.append(
            rod(
                metal,
                (0.42 * width, high - 0.5, -0.3 * depth),
                (0.42 * width + rng.uniform(-12, 8), high + rng.uniform(12, 24), -0.3 * depth),
                0.45,
                sides=6,
            )
        )
    return parts


def camera(rng: Rng) -> list[Part]:
    """A photo camera with lens, viewfinder and knobs; or a film camera on a tripod."""
    paint, black, metal = pick(rng, (dark, dark, steel))(rng, "case"), dark(rng, "leather"), steel(rng)
    width, high, depth = rng.uniform(11, 15), rng.uniform(7, 10), rng.uniform(4, 6)
    parts = [
        extrude(paint, rounded(width, depth, 1.2), high, (0, high / 2, 0), "y", bevel=0.3),
        box(black, (0.98 * width, 0.6 * high, 1.02 * depth), (0, 0.45 * high, 0), bevel=0.3),
    ]
    r, long = rng.uniform(2.4, 3.6), rng.uniform(2, 9)
    lens = [
        (1, 0),
        (1, 0.3 * long / r),
        (0.9, 0.34 * long / r),
        (0.95, 0.7 * long / r),
        (1.02, long / r),
        (0.85, long / r),
        (0.7, 0.8 * long / r),
        (0, 0.85 * long / r),
    ]
    parts += [
        facing(black, r, lens, (0, 0.46 * high, depth / 2 - 0.2), 22),
        torus(metal, r, 0.18, (0, 0.46 * high, depth / 2 + 0.4 * long), "z", 22),
    ]
    parts += [
        facing(screen(rng), 0.7 * r, [(1, 0), (0.6, 0.2), (0, 0.26)], (0, 0.46 * high, depth / 2 + 0.76 * long), 16)
    ]
    if rng.random() < 0.6:
        hump = [
            (-0.2 * width, high - 0.2),
            (0.2 * width, high - 0.2),
            (0.12 * width, high + 2.2),
            (-0.12 * width, high + 2.2),
        ]
        parts += [extrude(paint, hump, depth * 0.9, bevel=0.3), box(metal, (2, 0.5, 2), (0, high + 2.4, 0))]
    parts += [
        rod(metal, (x * width, high - 0.2, 0), (x * width, high + y, 0), q, sides=14)
        for x, y, q in ((0.36, 0.9, 0.9), (-0.36, 1.2, 1.2), (0.24, 0.7, 0.5))
    ]
    parts += (
        [box(paint, (2.4, high * 0.9, 2.2), (-0.42 * width, 0.45 * high, depth / 2), bevel=0.8)]
        if rng.random() < 0.5
        else []
    )
    parts += [box(screen(rng), (0.55 * width, 0.55 * high, 0.3), (0, 0.45 * high, -depth / 2 - 0.1))]
    if rng.random() < 0.3:
        legs = ring(rod(dark(rng, "tripod"), (0, -1, 0.8), (0, -32, 15), 0.9, 0.7), 3, 60)
        parts += [*legs, rod(metal, (0, -8, 0), (0, 0.5, 0), 1), box(black, (4, 1.2, 4), (0, -0.5, 0))]
    return parts


def speaker(rng: Rng) -> list[Part]:
    """A loudspeaker box with cones, or a small round one."""
    paint, black, metal = case(rng), dark(rng, "cone"), steel(rng)
    width, high, depth = rng.uniform(14, 30), rng.uniform(24, 100), rng.uniform(14, 32)
    parts = [box(paint, (width, high, depth), (0, high / 2, 0), bevel=rng.uniform(0.3, 1.5))]
    count = int(np.clip(round(high / width), 1, 4))
    for i in range(count):
        r = width * (0.4 if i < count - 1 else rng.uniform(0.15, 0.4))
        y = (i + 0.5) * high / count
        parts += [
            facing(
                black,
                r,
                [(1, -0.1), (1, 0.06), (0.85, 0.08), (0.35, -0.04 + 0.06), (0.3, 0.1), (0, 0.16)],
                (0, y, depth / 2),
                22,
            ),
            torus(metal, r, 0.05 * r, (0, y, depth / 2 + 0.05 * r), "z", 22),
        ]
    if rng.random() < 0.4:
        parts += [
            p
            for z in (-0.35, 0.35)
            for p in both(rod(black, (0.36 * width, -2, z * depth), (0.36 * width, 0.4, z * depth), 1.3))
        ]
    return parts


def wall_clock(rng: Rng) -> list[Part]:
    """A round or square wall clock, or a tall case clock."""
    rim, face, black = case(rng), white(rng, "dial"), dark(rng, "hand")
    r = rng.uniform(12, 18)
    square = rng.random() < 0.25
    loop = rounded(2 * r, 2 * r, 2, 6) if square else circle(r, 32)
    parts = [extrude(face, loop * 0.95, 2.5), frame(rim, loop, loop * 0.88, 4.4, (0, 0, 0.4))]
    for i in range(12):
        mark = box(black, (0.05 * r, 0.12 * r if i % 3 else 0.18 * r, 0.6), (0, 0.76 * r, 1.5))
        parts.append(turned(mark, 30 * i, "z"))
    for long, wide in ((0.5, 0.09), (0.72, 0.06)):
        parts.append(turned(box(black, (wide * r, long * r, 0.7), (0, long * r * 0.45, 1.9)), rng.uniform(0, 360), "z"))
    parts.append(facing(rim, 0.07 * r, [(1, 0), (0.6, 1), (0, 1.1)], (0, 0, 1.6), 10))
    if rng.random() < 0.35:
        body = wood(rng)
        high = rng.uniform(120, 170)
        parts = [
            box(body, (2.6 * r, 3 * r, 14), (0, 0, -6), bevel=1),
            *parts,
            box(body, (1.8 * r, high, 12), (0, -1.5 * r - high / 2, -6), bevel=1),
            box(body, (2.6 * r, 24, 16), (0, -1.5 * r - high, -6), bevel=1.5),
        ]
        parts += [
            extrude(body, [(-1.4 * r, 1.5 * r), (1.4 * r, 1.5 * r), (0, 2.2 * r)], 15, (0, 0, -6)),
            facing(steel(rng), 0.4 * r, [(1, 0), (0.8, 0.2), (0, 0.25)], (0, -1.5 * r - 0.75 * high, 1), 18),
        ]
        parts.append(box(steel(rng), (1.2, 0.6 * high, 1.2), (0, -1.5 * r - 0.4 * high, 0.6)))
    return parts


def smoke_detector(rng: Rng) -> list[Part]:
    """A flat round detector, lying or facing the viewer; or a thermostat."""
    paint = white(rng, "case")
    r, high = rng.uniform(5, 7), rng.uniform(2.5, 5)
    parts = [
        lathe(
            paint,
            [
                (r, 0),
                (r, 0.4 * high),
                (0.92 * r, 0.45 * high),
                (0.92 * r, 0.55 * high),
                (0.85 * r, 0.85 * high),
                (0.5 * r, high),
                (0, high),
            ],
            sides=32,
        )
    ]
    parts += ring(box(dark(rng, "slot"), (0.2 * r, 0.18 * high, 0.1 * r), (0, 0.5 * high, 0.94 * r)), 14)
    parts += [
        rod(paint, (0, high - 0.2, 0), (0, high + 0.5, 0), 0.22 * r, sides=16),
        ellipsoid(Paint((200, 40, 40), "led"), (0.4, 0.3, 0.4), (0.5 * r, high * 0.95, 0), 8),
    ]
    return turned(parts, 90, "x") if rng.random() < 0.6 else parts


def fan(rng: Rng) -> list[Part]:
    """A table, floor or ceiling fan."""
    paint, metal = case(rng), steel(rng, "blade")
    count, r = int(rng.integers(3, 6)), rng.uniform(14, 20)
    if rng.random() < 0.25:
        blade = box(wood(rng, "blade"), (9, 1.2, 46), (0, -4, 32), bevel=0.3)
        return [
            *ring(turned(blade, 8, "z"), count),
            lathe(paint, [(4, -8), (9, -6), (10, -1), (5, 2), (1.5, 3), (1.5, 22), (6, 23), (6, 25)]),
            ellipsoid(white(rng, "lamp"), (8, 6, 8), (0, -10, 0), 14),
        ]
    high = rng.uniform(22, 34) if rng.random() < 0.6 else rng.uniform(70, 110)
    blades = []
    for i in range(count):
        shape = extrude(
            metal, [(-1.5, 1), (1.5, 1), (0.42 * r, 0.6 * r), (0.2 * r, 0.86 * r), (-0.3 * r, 0.8 * r)], 0.9
        )
        blades.append(turned(turned(shape, 18, "y"), 360 * i / count, "z"))
    head = [*blades, facing(paint, 0.2 * r, [(1, -1.8), (1, 0.4), (0.7, 0.8), (0, 0.9)], (0, 0, 0), 16)]
    head += [torus(paint, r, 0.55, (0, 0, z), "z", 28) for z in (-2, 2.4)] + [
        torus(paint, 0.6 * r, 0.35, (0, 0, 4), "z", 20)
    ]
    for i in range(12):
        wire = tube(
            paint, [(0, 0.15 * r, 4.6), (0, 0.6 * r, 4.2), (0, r, 2.4), (0, r, -2), (0, 0.3 * r, -5)], 0.32, 5, steps=1
        )
        head.append(turned(wire, 30 * i, "z"))
    head.append(facing(paint, 0.32 * r, [(0.6, -1.6), (1, -1.2), (1, -0.3), (0.8, 0)], (0, 0, -4), 16))
    tilt = turned(head, -rng.uniform(0, 15), "x")
    base = [
        lathe(paint, [(0.75 * r, 0), (0.75 * r, 1.5), (0.2 * r, 3.5), (1.6, 5), (1.4, high - 2)], sides=24),
        *knobs_on(rng, metal, 3, 7, (0, 2.4, 0.5 * r), 0.8),
    ]
    return [*moved(tilt, (0, high, 3)), *base, rod(paint, (0, high - 4, 0), (0, high + 1, -3), 2)]


def microwave(rng: Rng) -> list[Part]:
    """A microwave oven."""
    paint, black = pick(rng, (white, steel, dark, bright))(rng, "case"), dark(rng)
    width, high, depth = rng.uniform(44, 54), rng.uniform(25, 31), rng.uniform(30, 40)
    parts = [
        box(paint, (width, high, depth), (0, high / 2 + 1, 0), bevel=0.8),
        box(paint, (0.7 * width, 0.92 * high, 2.4), (-0.13 * width, high / 2 + 1, depth / 2), bevel=0.6),
    ]
    parts += [
        box(screen(rng), (0.52 * width, 0.62 * high, 1), (-0.14 * width, high / 2 + 1, depth / 2 + 1)),
        box(black, (1.6, 0.7 * high, 2.4), (0.2 * width, high / 2 + 1, depth / 2 + 2), bevel=0.5),
    ]
    parts += [
        box(screen(rng), (0.19 * width, 0.14 * high, 0.8), (0.36 * width, 0.86 * high, depth / 2 + 0.2)),
        *knobs_on(rng, black, 1, 1, (0.36 * width, 0.3 * high, depth / 2), 2.6),
    ]
    parts += [
        box(black, (2, 1.4, 0.8), (0.36 * width + x * 3, (0.5 + 0.08 * y) * high, depth / 2 + 0.2), bevel=0.3)
        for x in (-1, 0, 1)
        for y in range(3)
    ]
    return parts + [
        p
        for z in (-0.4, 0.4)
        for p in both(rod(black, (0.42 * width, 0, z * depth), (0.42 * width, 1.4, z * depth), 1.4))
    ]


def printer(rng: Rng) -> list[Part]:
    """A printer with paper trays."""
    paint, trim = pick(rng, (white, dark, steel))(rng, "case"), dark(rng)
    width, high, depth = rng.uniform(38, 50), rng.uniform(16, 30), rng.uniform(28, 38)
    side = [(-depth / 2, 0), (depth / 2, 0), (depth / 2, 0.55 * high), (0.3 * depth, high), (-depth / 2, high)]
    parts = [
        extrude(paint, side, width, axis="x", bevel=1.2),
        box(trim, (0.75 * width, 0.2 * high, 2), (0, 0.36 * high, depth / 2)),
        box(paint, (0.6 * width, 1.4, 16), (0, 0.22 * high, depth / 2 + 6), bevel=0.3),
    ]
    sheet_paint = Paint((245, 245, 242), "paper")
    parts += [
        turned(
            box(paint, (0.6 * width, 20, 1.4), (0, high + 8, -0.4 * depth), bevel=0.3),
            -18,
            "x",
            (0, high, -0.4 * depth),
        ),
        turned(
            box(sheet_paint, (0.52 * width, 26, 1), (0, high + 10, -0.36 * depth)), -18, "x", (0, high, -0.36 * depth)
        ),
    ]
    return [
        *parts,
        box(sheet_paint, (0.52 * width, 1, 14), (0, 0.28 * high, depth / 2 + 7)),
        *knobs_on(rng, trim, 3, 8, (0.36 * width, 0.45 * high, depth / 2), 1),
    ]


def air_conditioner(rng: Rng) -> list[Part]:
    """An air conditioner or heater with slats."""
    paint, black = white(rng, "case"), dark(rng, "slot")
    width, high, depth = rng.uniform(60, 95), rng.uniform(22, 60), rng.uniform(18, 30)
    parts = [box(paint, (width, high, depth), (0, high / 2, 0), bevel=2)]
    if high > 40:
        parts += [
            facing(black, 0.4 * high, [(1, 0), (1, 0.03), (0, 0.03)], (-0.15 * width, high / 2, depth / 2), 26),
            *(
                torus(paint, t * high, 0.7, (-0.15 * width, high / 2, depth / 2 + 0.8), "z", 24)
                for t in (0.12, 0.22, 0.31, 0.4)
            ),
        ]
        return [*parts, *both(box(black, (5, 3, depth), (0.4 * width, -1.2, 0)))]
    count = int(rng.integers(3, 7))
    parts += [box(black, (0.86 * width, 0.8, 1.2), (0, (0.12 + 0.07 * i) * high, depth / 2)) for i in range(count)]
    return [
        *parts,
        box(screen(rng), (0.1 * width, 0.12 * high, 0.8), (0.36 * width, 0.75 * high, depth / 2)),
        box(paint, (0.9 * width, 1.2, 6), (0, 0.1 * high, depth / 2 + 1), bevel=0.3),
    ]


def gramophone(rng: Rng) -> list[Part]:
    """A record player with a horn, or a flat turntable."""
    paint, metal, black = wood(rng), steel(rng), dark(rng, "record")
    parts = [
        box(paint, (36, 12, 34), (0, 6, 0), bevel=1),
        box(paint, (40, 2.5, 38), (0, 1.2, 0), bevel=0.6),
        lathe(black, [(14, 12.4), (14.5, 13.4), (14, 13.8), (4, 13.6), (0, 13.9)], (0, 0, 0), 28),
    ]
    if rng.random() < 0.6:
        horn = lathe(
            Paint((198, 160, 80), "horn"),
            [(1.2, 0), (2.6, 10), (6, 20), (14, 27), (21, 29), (20, 30), (13, 28), (5, 21), (0, 16)],
            sides=20,
        )
        return [
            *parts,
            *moved(turned([horn], 52, "x"), (0, 33, -4)),
            tube(metal, [(0, 12, -15), (0, 22, -19), (0, 32, -12), (0, 33, -4)], 1.2, 8),
            tube(metal, [(6, 14, 6), (8, 18, -4), (2, 24, -16)], 0.9, 8),
            tube(metal, [(18, 6, 0), (24, 6, 0), (24, 2, 6)], 0.8, 8, steps=1),
        ]
    arm = tube(metal, [(15, 16, -12), (15, 16, 4), (8, 15.4, 12)], 0.6, 8)
    return [*parts, arm, rod(metal, (15, 12, -12), (15, 17, -12), 1.8), *knobs_on(rng, metal, 2, 8, (10, 6, 17), 1.2)]
