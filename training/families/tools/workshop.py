"""Tools of the workshop; their broad side faces +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import circle, curve, mirror_outline, oval, rounded
from training.families.paints import Rng, bright, dark, painted, pick, steel, wood
from training.families.parts import (
    Paint,
    aimed,
    both,
    box,
    ellipsoid,
    extrude,
    frame,
    lathe,
    moved,
    rod,
    torus,
    tube,
    turned,
)
from training.families.tools.grips import grip_paint, shaft
from training.shapes import Part


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
