"""Small electric machines and what is worn, flown or held; they face +Z."""

from __future__ import annotations

import numpy as np

from training.families.gadgets.cases import body
from training.families.outlines import circle, curve, oval
from training.families.paints import Rng, dark, painted, pick, screen, steel, wood
from training.families.parts import (
    Paint,
    aimed,
    both,
    box,
    cushion,
    ellipsoid,
    extrude,
    lathe,
    moved,
    ring,
    rod,
    torus,
    tube,
    turned,
)
from training.shapes import Part


def sewing_machine(rng: Rng) -> list[Part]:
    """A sewing machine: arm, head, hand wheel, base."""
    paint, metal, base = pick(rng, (dark, painted))(rng, "case"), steel(rng), pick(rng, (wood, painted))(rng, "base")
    parts = [
        box(base, (42, 5, 18), (0, 2.5, 0), bevel=0.8),
        tube(
            paint, [(14, 4, 0), (14, 14, 0), (12, 23, 0), (0, 26, 0), (-14, 25, 0)], [5, 4, 4.4, 3.4, 3.6], 12, flat=0.9
        ),
    ]
    parts += [
        box(paint, (7, 14, 8), (-15, 21, 0), bevel=1.5),
        rod(metal, (-15, 15, 0), (-15, 8, 0), 0.8),
        box(metal, (2.4, 0.8, 4), (-15, 6.5, 1), bevel=0.2),
        box(metal, (9, 0.8, 10), (-15, 5.3, 0)),
    ]
    parts += [
        torus(metal, 5, 1, (20, 23, 0), "x", 22),
        rod(metal, (15, 23, 0), (21, 23, 0), 1.6),
        *(rod(metal, (20, 23, 0), (20, 23 + 5 * c, 5 * s), 0.6, sides=6) for c, s in circle(1, 3)),
    ]
    parts += [
        rod(metal, (4, 27, 0), (4, 33, 0), 0.5),
        lathe(painted(rng, "thread"), [(1.8, 29), (1.6, 29.4), (1.6, 32), (1.8, 32.4)], (4, 0, 0), 12),
        rod(metal, (6, 23, 4.4), (6, 23, 5.6), 1.8, sides=14),
    ]
    if rng.random() < 0.3:
        iron, table = dark(rng, "iron"), wood(rng, "table")
        parts = [
            *moved(parts, (0, 66, 0)),
            box(table, (80, 3, 42), (0, 64, 0), bevel=0.5),
            box(iron, (34, 2, 24), (0, 10, 0)),
            torus(iron, 15, 1.2, (24, 30, -4), "x", 22),
        ]
        for s in (-1, 1):
            parts += [tube(iron, [(s * 30, 63, z), (s * 26, 32, 0.3 * z), (s * 30, 1, z)], 1.5, 8) for z in (-16, 16)]
    return parts


def headphones(rng: Rng) -> list[Part]:
    """Headphones standing upright."""
    paint, soft = body(rng), dark(rng, "pad")
    a = np.linspace(0.02, np.pi - 0.02, 11)
    bow = np.column_stack([8.4 * np.cos(a), 10.5 * np.sin(a), np.zeros(11)])
    parts = [tube(paint, bow, 1.5, 8, flat=0.36), tube(soft, bow[3:8] * 0.93, 1.3, 8, flat=0.5)]
    cup = [
        aimed(lathe(paint, [(3.0, 0), (3.9, 0.8), (3.4, 2.2), (1.2, 2.8)], sides=22), (1, 0, 0), (7.2, -2, 0)),
        torus(soft, 2.9, 1.1, (6.8, -2, 0), "x", 20),
        box(paint, (1.2, 5, 1.8), (8.6, 0, 0), bevel=0.4),
    ]
    parts += both(cup)
    if rng.random() < 0.4:
        parts += [
            tube(paint, [(-8, -4, 1), (-7.6, -6, 5), (-5, -7, 8)], 0.35, 6),
            ellipsoid(soft, (0.9, 0.8, 0.8), (-4.6, -7, 8.3), 10),
        ]
    return parts


def drone(rng: Rng) -> list[Part]:
    """A camera drone with four to six rotors."""
    paint, black = body(rng), dark(rng)
    count, reach = int(pick(rng, (4, 4, 6))), rng.uniform(15, 20)
    parts = [
        ellipsoid(paint, (6, 3, 8), (0, 8, 0), 16, 0.7),
        ellipsoid(black, (2, 2, 2), (0, 5, 6.5), 12),
        rod(screen(rng), (0, 5, 7.6), (0, 5, 8.8), 1.1),
    ]
    arm = [
        tube(paint, [(0, 8, 2), (0, 8.6, reach)], [1.4, 1], 8),
        rod(black, (0, 7.6, reach), (0, 10.6, reach), 1.5),
        box(black, (15, 0.7, 1.6), (0, 11, reach), bevel=0.15),
    ]
    if rng.random() < 0.4:
        arm.append(torus(paint, 8, 0.5, (0, 10.6, reach), sides=22))
    parts += ring(arm, count, 180 / count)
    return parts + both(
        [tube(black, [(4, 6, 0), (7, 1, 0)], 0.6, 6), rod(black, (7, 0.8, -7), (7, 0.8, 7), 0.6, sides=8)]
    )


def hair_dryer(rng: Rng) -> list[Part]:
    """A hair dryer blowing to one side, or a shaver."""
    paint, black = painted(rng, "case"), dark(rng)
    if rng.random() < 0.3:
        return [
            tube(paint, [(0, 0, 0), (0, 5, 0.4), (0, 11, 0)], [2.2, 2.5, 2.4], 12, flat=1.2),
            *both(rod(steel(rng), (1.5, 10.6, 0), (1.5, 12.6, 0.4), 1.7, 1.5)),
            box(black, (1.6, 2.6, 0.8), (0, 6, 2.4), bevel=0.3),
        ]
    barrel = lathe(paint, curve([(3, -5), (4.4, -4), (4.2, 2), (2.8, 10), (2.8, 12)], 3), sides=22)
    parts = [
        turned(barrel, -90, "z"),
        *turned([lathe(black, [(3, 11.4), (2.9, 14), (2.4, 14)], sides=18)], -90, "z"),
        tube(paint, [(-1, -2, 0), (-1.6, -9, 0), (-2.6, -15, 0)], [2, 1.7, 1.9], 10, flat=0.8),
    ]
    parts += [torus(black, 3, 0.4, (-4.9, 0, 0), "x", 20), box(black, (1, 2.4, 1), (0.4, -6, 0), bevel=0.2)]
    return [*parts, tube(black, [(-2.6, -15, 0), (-3, -19, 0), (0, -21, 2)], 0.5, 6)]


def iron(rng: Rng) -> list[Part]:
    """A flat iron, its tip towards +Z or to the side."""
    paint, metal, black = painted(rng, "case"), steel(rng), dark(rng)
    half = curve([(0, 14), (2.6, 9), (5, 1), (5.4, -8), (0, -8.6)], 4)
    sole = np.concatenate([half, half[-2:0:-1] * (-1, 1)])
    parts = [
        extrude(metal, sole, 1.4, (0, 0.7, 0), "y", bevel=0.3),
        extrude(paint, sole * 0.92, 4, (0, 3, 0), "y", bevel=1.4),
    ]
    parts += [
        tube(paint, [(0, 4, 8), (0, 9.6, 5), (0, 10.4, -3), (0, 10, -8), (0, 4, -7)], [1.7, 1.4, 1.4, 1.4, 1.8], 10),
        rod(black, (0, 4.6, 3), (0, 5.8, 3), 2, sides=16),
    ]
    parts.append(tube(black, [(0, 9.8, -8), (0, 11, -12), (3, 9, -16)], 0.5, 6))
    return turned(parts, pick(rng, (0, 0, 70, -70)))


def flashlight(rng: Rng) -> list[Part]:
    """A torch, microphone or binoculars."""
    paint, lens, metal = body(rng), Paint((240, 235, 200), "lens"), steel(rng)
    style = int(rng.integers(3))
    if style == 0:
        long = rng.uniform(10, 22)
        torch = [
            lathe(
                paint, [(1.7, 0), (1.8, 0.6), (1.7, long), (2.9, long + 3), (3, long + 5), (2.6, long + 5)], sides=20
            ),
            lathe(lens, [(2.6, long + 4.4), (2.4, long + 5.2), (0, long + 5.4)], sides=18),
        ]
        torch += [torus(metal, 1.75, 0.2, (0, y * long, 0), sides=18) for y in (0.2, 0.4, 0.8)] + [
            box(metal, (0.9, 2, 0.8), (0, 0.7 * long, 1.7), bevel=0.2)
        ]
        return turned(turned(torch, 90, "x"), rng.uniform(-60, 60)) if rng.random() < 0.6 else torch
    if style == 1:
        mic = [
            lathe(paint, [(0.9, 0), (1.4, 12), (1.8, 13)], sides=18),
            ellipsoid(metal, (2.6, 2.8, 2.6), (0, 15, 0), 18),
            torus(paint, 2.55, 0.3, (0, 14.6, 0), sides=20),
        ]
        if rng.random() < 0.5:
            return [
                *turned(mic, -30, "x"),
                lathe(dark(rng), [(6, -14), (6, -13), (0.8, -12.4), (0.7, 2)], (0, 0, -1.5), 20),
            ]
        return mic
    side = [
        moved(
            turned(
                lathe(
                    paint,
                    [(1.5, -7), (1.8, -6.6), (1.7, -4), (2.2, -2), (2.6, 3), (3.1, 6), (3, 7), (2.5, 7)],
                    sides=20,
                ),
                90,
                "x",
            ),
            (3.4, 0, 0),
        ),
        rod(screen(rng, "glass"), (3.4, 0, 6), (3.4, 0, 7.1), 2.5, sides=18),
    ]
    return [*both(side), box(paint, (3, 1.8, 6), (0, 0.6, -0.6), bevel=0.5), rod(metal, (0, 1.4, -3), (0, 1.4, 0), 0.8)]


def robot_vacuum(rng: Rng) -> list[Part]:
    """A disc-shaped or canister vacuum cleaner."""
    paint, black, metal = body(rng), dark(rng), steel(rng)
    if rng.random() < 0.5:
        return [
            lathe(paint, [(16, 1), (17, 2), (17, 7), (16, 8.4), (6, 9), (0, 9)], sides=36),
            lathe(black, [(4, 9), (4, 11), (3, 11.4), (0, 11.4)], (0, 0, -3), 20),
            box(black, (24, 3, 4), (0, 4, 15), bevel=1),
            rod(metal, (0, 8.6, 7), (0, 9.4, 7), 2, sides=16),
            *both(rod(black, (12, 2, -3), (14, 2, -3), 2.4, sides=14)),
        ]
    parts = [
        cushion(paint, (26, 20, 38), (0, 13, 0), 0.6),
        *both(rod(black, (12, 8, -10), (15, 8, -10), 8, sides=20)),
        tube(black, [(-8, 22, -8), (-7, 27, 0), (7, 27, 0), (8, 22, -8)], 1.3, 8),
    ]
    hose = [(0, 18, 18), (0, 34, 30), (6, 52, 26), (12, 64, 34), (14, 40, 52), (15, 5, 70)]
    return [
        *parts,
        tube(metal, hose, [2, 2, 2, 1.8, 1.6, 1.6], 8),
        extrude(black, oval(26, 9, 20, 0.5), 3.4, (15, 2, 73), "y", bevel=1),
    ]
