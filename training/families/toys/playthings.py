"""Toys for the hands: balls, dice, yo-yos, tops, ring pyramids, rattles, pinwheels, skittles, drums, abacuses."""

from __future__ import annotations

import numpy as np

from training.families import parts as solids
from training.families.colors import any_color, pick
from training.families.parts import Paint
from training.families.slabs import curve, pebble, slab, tube, unit
from training.families.toys.vehicles import BLACK, WHITE, WOOD, toy_paint
from training.shapes import Part


def ball(rng: np.random.Generator) -> list[Part]:
    """Football, beach ball, basketball, rugby ball, dice or a yo-yo."""
    kind, color = rng.integers(5), any_color(rng)
    if kind == 0:
        other, parts = any_color(rng), [solids.ellipsoid(Paint(color, "ball"), np.full(3, 0.5), sides=24, rings=15)]
        for i in range(3):
            parts.append(solids.turned(solids.torus(Paint(other, "seam"), 0.49, 0.025, axis="x", sides=32), 60 * i))
        return parts
    if kind == 1:
        golden = (1 + 5**0.5) / 2
        corners = [(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
        ways = [unit(np.roll(np.array(corner, float), k)) for corner in corners for k in range(3)]
        patches = [
            solids.aimed(
                solids.lathe(Paint(BLACK, "patch"), [(0.17, 0.44), (0.17, 0.475), (0.09, 0.505)], sides=5), way
            )
            for way in ways
        ]
        return [solids.ellipsoid(Paint(WHITE, "ball"), np.full(3, 0.5), sides=24, rings=15), *patches]
    if kind == 2:
        parts = [
            solids.ellipsoid(
                Paint(pick(rng, ((150, 80, 45), color)), "ball"),
                np.array([0.36, 0.36, 0.6]),
                (0, 0.36, 0),
                24,
                rings=13,
            )
        ]
        return parts + [
            solids.box(Paint(WHITE, "lace"), np.array([0.12, 0.03, 0.025]), (0, 0.72, z))
            for z in np.linspace(-0.15, 0.15, 5)
        ]
    if kind == 3:
        parts = [solids.box(Paint(color, "die"), np.ones(3), bevel=rng.uniform(0.05, 0.14))]
        dots: dict[str, list[tuple[float, float, float]]] = {
            "front": [(0, 0, 0.5)],
            "top": [(0.22, 0.5, 0.22), (-0.22, 0.5, -0.22)],
            "right": [(0.5, 0.22, 0.22), (0.5, 0, 0), (0.5, -0.22, -0.22)],
            "back": [(x, y, -0.5) for x in (-0.22, 0.22) for y in (-0.25, 0, 0.25)],
            "left": [(-0.5, y, z) for y in (-0.22, 0.22) for z in (-0.22, 0.22)],
        }
        return parts + [
            pebble(at, np.where(np.abs(at) > 0.4, 0.02, 0.09), WHITE, "dots") for face in dots.values() for at in face
        ]
    profile = [
        (0.45, -0.2),
        (0.5, -0.12),
        (0.3, -0.05),
        (0.08, -0.03),
        (0.08, 0.03),
        (0.3, 0.05),
        (0.5, 0.12),
        (0.45, 0.2),
    ]
    yoyo = solids.turned(solids.lathe(Paint(color, "yoyo"), profile, sides=28), 90, "z")
    return [
        solids.moved(yoyo, (0, 0, 0)),
        tube(curve([(0, 0.1, 0), (0, 0.6, 0.02), (0.03, 1.0, 0)], 8), np.full(8, 0.02), WHITE, "cord", 6),
        solids.torus(Paint(WHITE, "cord"), 0.08, 0.02, (0.03, 1.08, 0), "z", 12),
    ]


def spinner(rng: np.random.Generator) -> list[Part]:
    """Spinning top, ring pyramid, rattle, pinwheel or skittle."""
    kind = rng.integers(5)
    if kind == 0:
        wide, tall = rng.uniform(0.4, 0.55), rng.uniform(0.15, 0.35)
        profile = [
            (0.02, 0),
            (0.06, 0.06),
            (wide * 0.6, 0.25),
            (wide, 0.4),
            (wide * 0.95, 0.46),
            (wide * 0.4, 0.45 + tall * 0.5),
            (0.06, 0.5 + tall),
            (0.05, 0.95),
            (0.08, 1.0),
        ]
        parts = [
            solids.lathe(toy_paint(rng, "top"), profile, sides=28),
            solids.torus(toy_paint(rng, "band"), wide * 0.96, 0.035, (0, 0.41, 0), sides=28),
        ]
        return solids.turned(parts, float(rng.choice([0, 15, -20])), "z")
    if kind == 1:
        parts, y, count = (
            [
                solids.lathe(
                    toy_paint(rng, "base"), [(0.5, 0), (0.52, 0.05), (0.48, 0.1), (0.06, 0.12), (0.05, 1.15)], sides=24
                )
            ],
            0.1,
            int(rng.integers(4, 7)),
        )
        for i in range(count):
            thick = 0.48 / count
            parts.append(
                solids.torus(
                    toy_paint(rng, f"ring{i}"), 0.36 - 0.2 * i / count, thick + 0.02, (0, y + thick, 0), sides=24
                )
            )
            y += 1.9 * thick
        return [*parts, pebble((0, y + 0.12, 0), 0.16, any_color(rng), "knob")]
    if kind == 2:
        head = solids.ellipsoid(toy_paint(rng, "head"), np.full(3, 0.26), (0, 0.85, 0))
        stick = solids.lathe(toy_paint(rng, "stick"), [(0.09, 0), (0.1, 0.05), (0.05, 0.12), (0.05, 0.65)], sides=14)
        rings = [solids.torus(toy_paint(rng, "ring"), 0.24, 0.05, (0, 0.85, 0), axis) for axis in ("y", "x")]
        return [head, stick, *rings, solids.torus(toy_paint(rng, "ring"), 0.12, 0.035, (0, -0.1, 0), "z")]
    if kind == 3:
        parts, count = (
            [solids.rod(toy_paint(rng, "stick"), (0, -1.0, -0.06), (0, 0.1, -0.06), 0.028)],
            int(rng.choice([4, 5, 6, 8])),
        )
        for i in range(count):
            a = 2 * np.pi * i / count
            out, side = np.array([np.sin(a), np.cos(a), 0]), np.array([np.cos(a), -np.sin(a), 0])
            line = curve([(0, 0, 0), out * 0.25 + side * 0.12 + (0, 0, 0.1), out * 0.5 + side * 0.05], 6)
            parts.append(
                slab(
                    line,
                    [0.08, 0.22, 0.3, 0.32, 0.26, 0.08],
                    0.035,
                    any_color(rng),
                    f"sail{i % 2}",
                    face=(side * 0.7 + (0, 0, 1)),
                    cup=0.2,
                )
            )
        return [*parts, pebble((0, 0, 0.05), 0.06, any_color(rng), "hub")]
    profile = [
        (0.16, 0),
        (0.2, 0.1),
        (0.22, 0.3),
        (0.17, 0.55),
        (0.09, 0.72),
        (0.08, 0.8),
        (0.12, 0.9),
        (0.12, 0.98),
        (0.06, 1.06),
    ]
    pin = [
        solids.lathe(Paint(WHITE, "pin"), profile, sides=22),
        solids.torus(toy_paint(rng, "stripe"), 0.085, 0.03, (0, 0.76, 0), sides=20),
    ]
    return solids.row(pin, int(rng.choice([1, 3])), (0.5, 0, 0)) if rng.random() < 0.6 else pin


def noisy(rng: np.random.Generator) -> list[Part]:
    """Drum, xylophone or abacus."""
    if rng.random() < 0.5:
        tall, paint = rng.uniform(0.4, 0.8), toy_paint(rng, "drum")
        parts = [
            solids.lathe(paint, [(0.48, 0), (0.48, tall)], sides=26),
            solids.ellipsoid(Paint(WHITE, "skin"), (0.46, 0.05, 0.46), (0, tall, 0)),
        ]
        parts += [solids.torus(toy_paint(rng, "hoop"), 0.5, 0.04, (0, y, 0), sides=26) for y in (0.02, tall - 0.02)]
        for i in range(12):
            a, b = 2 * np.pi * i / 12, 2 * np.pi * (i + 0.5 * (-1) ** i) / 12
            parts.append(
                solids.rod(
                    Paint(WHITE, "cord"),
                    (0.5 * np.sin(a), 0.04, 0.5 * np.cos(a)),
                    (0.5 * np.sin(b), tall - 0.04, 0.5 * np.cos(b)),
                    0.018,
                    sides=5,
                )
            )
        for z in (0.05, 0.2):
            parts += [
                solids.rod(Paint(WOOD[0], "stick"), (-0.4, tall + 0.08, z), (0.5, tall + 0.1, z + 0.1), 0.025),
                pebble((-0.4, tall + 0.08, z), 0.05, WOOD[0], "stick"),
            ]
        return parts
    parts, wood = [], Paint(pick(rng, WOOD), "wood")
    if rng.random() < 0.5:
        for side in (1, -1):
            parts.append(solids.bar(wood, (-0.7, 0.06, side * 0.3), (0.7, 0.06, side * 0.18), 0.08, 0.08))
        for i, x in enumerate(np.linspace(-0.62, 0.62, 8)):
            parts.append(
                solids.box(
                    Paint(any_color(rng), f"bar{i}"), np.array([0.14, 0.05, 0.95 - 0.05 * i]), (x, 0.13, 0), 0.012
                )
            )
        return parts
    for x in (-0.6, 0.6):
        parts.append(solids.block(wood, (x - 0.06, 0, -0.15), (x + 0.06, 1.1, 0.15), 0.02))
    parts.append(solids.block(wood, (-0.6, 0.0, -0.1), (0.6, 0.08, 0.1)))
    for y in np.linspace(0.22, 1.0, 5):
        parts.append(solids.rod(Paint((190, 190, 190), "wire"), (-0.58, y, 0), (0.58, y, 0), 0.02, sides=6))
        split, color = rng.integers(0, 8), any_color(rng)
        for i in range(7):
            parts.append(pebble((-0.48 + 0.1 * i + 0.3 * (i >= split), y, 0), (0.048, 0.075, 0.075), color, "beads"))
    return parts
