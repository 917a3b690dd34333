"""Toy cars, trains, planes, rockets and boats of simple solids, and the wheels of other toys."""

from __future__ import annotations

import numpy as np

from training.families import parts as solids
from training.families.blobs import blob, chain
from training.families.colors import Color, any_color, pick
from training.families.figures import brickman
from training.families.parts import Paint
from training.families.slabs import pebble
from training.shapes import Part

WOOD: tuple[Color, ...] = ((200, 155, 100), (225, 190, 140), (160, 110, 65))
BLACK, WHITE = (30, 30, 32), (240, 240, 238)


def toy_paint(rng: np.random.Generator, name: str) -> Paint:
    return Paint(any_color(rng) if rng.random() < 0.7 else pick(rng, WOOD), name)


def wheel_pairs(paint: Paint, x: float, zs: tuple[float, ...], radius: float, width: float = 0.08) -> list[Part]:
    """Pairs of wheels with hubs, their axles at height ``radius``."""
    parts = []
    for z in zs:
        parts.append(solids.rod(Paint((190, 190, 190), "axle"), (-x, radius, z), (x, radius, z), 0.025, sides=6))
        for side in (1, -1):
            rim = np.array([side * x, radius, z])
            parts.append(solids.rod(paint, rim, rim + (side * width, 0, 0), radius, sides=18))
            parts.append(
                solids.rod(Paint(WHITE, "hub"), rim, rim + (side * (width + 0.015), 0, 0), radius * 0.4, sides=10)
            )
    return parts


def car(rng: np.random.Generator) -> list[Part]:
    """A chunky wooden car, bus, truck or tractor, with its front towards +Z."""
    body, top = toy_paint(rng, "body"), toy_paint(rng, "cab")
    long, half, tall, r = rng.uniform(0.5, 0.8), rng.uniform(0.22, 0.32), rng.uniform(0.2, 0.34), rng.uniform(0.13, 0.2)
    floor = r * 0.8
    kind = rng.integers(3)
    cabin = {
        0: [(-0.6, 0), (-0.4, 0.9), (0.25, 0.9), (0.5, 0)],
        1: [(-0.98, 0), (-0.95, 0.9), (0.9, 0.9), (0.98, 0)],
        2: [(0.1, 0), (0.15, 1.0), (0.7, 1.0), (0.85, 0)],
    }[int(kind)]
    outline = np.array(cabin) * (long, tall * rng.uniform(0.9, 1.3)) + (0, floor + tall * 0.97)
    parts = [solids.block(body, (-half, floor, -long), (half, floor + tall, long), 0.05)]
    parts.append(solids.extrude(top, outline, half * 1.8, axis="x", bevel=0.03))
    parts += wheel_pairs(
        Paint(pick(rng, (BLACK, any_color(rng))), "wheels"), half * 0.95, (long * 0.62, -long * 0.62), r
    )
    for side in (1, -1):
        parts.append(
            pebble((side * half * 0.65, floor + tall * 0.6, long), (0.06, 0.06, 0.04), (250, 235, 160), "lamp")
        )
        for z in (
            np.linspace(outline[:, 0].min() * 0.6, outline[:, 0].max() * 0.55, 2 + 2 * (kind == 1)) if kind < 2 else ()
        ):
            parts.append(
                solids.box(
                    Paint((150, 190, 215), "window"),
                    np.array([0.03, tall * 0.45, 0.2 * long]),
                    (side * half * 0.9, floor + tall * 1.45, z),
                    0.01,
                )
            )
    if kind == 2:
        for _ in range(rng.integers(2, 5)):
            at = rng.uniform(
                (-half * 0.5, floor + tall + 0.08, -long * 0.8), (half * 0.5, floor + tall + 0.12, -long * 0.1)
            )
            parts.append(
                solids.turned(solids.box(toy_paint(rng, "load"), np.full(3, 0.19), at), rng.uniform(0, 90), "y", at)
            )
    if rng.random() < 0.3:
        head = solids.moved(
            solids.scaled(brickman(rng), 0.45),
            (0, floor + tall + outline[:, 1].max() - floor - tall - 0.08, outline[:, 0].mean()),
        )
        parts += head
    return parts


def train(rng: np.random.Generator) -> list[Part]:
    """A locomotive of simple solids with up to three wagons behind."""
    paint, cab, r = toy_paint(rng, "boiler"), toy_paint(rng, "cab"), 0.15
    parts = [solids.block(toy_paint(rng, "frame"), (-0.24, 0.18, -0.5), (0.24, 0.27, 0.55), 0.015)]
    parts += [
        solids.rod(paint, (0, 0.45, -0.2), (0, 0.45, 0.52), 0.2, sides=18),
        solids.rod(Paint(BLACK, "front"), (0, 0.45, 0.5), (0, 0.45, 0.56), 0.17, sides=18),
    ]
    parts += [
        solids.block(cab, (-0.23, 0.26, -0.5), (0.23, 0.85, -0.12), 0.015),
        solids.block(toy_paint(rng, "roof"), (-0.28, 0.84, -0.55), (0.28, 0.91, -0.06), 0.03),
    ]
    parts.append(
        solids.lathe(
            Paint(BLACK, "chimney"), [(0.07, 0.6), (0.065, 0.75), (0.12, 0.88), (0.12, 0.92)], (0, 0, 0.36), 14
        )
    )
    parts.append(solids.ellipsoid(Paint((230, 190, 70), "dome"), (0.09, 0.12, 0.09), (0, 0.64, 0.1)))
    wheel = toy_paint(rng, "wheels")
    parts += wheel_pairs(wheel, 0.22, (0.38, 0.0, -0.36), r, 0.06)
    for i in range(rng.integers(0, 4)):
        z = -1.05 - 0.95 * i
        parts.append(solids.rod(Paint(BLACK, "link"), (0, 0.23, z + 0.3), (0, 0.23, z + 0.62), 0.035))
        parts.append(
            solids.block(
                toy_paint(rng, "wagon"), (-0.25, 0.18, z - 0.38), (0.25, rng.uniform(0.3, 0.6), z + 0.38), 0.02
            )
        )
        parts += wheel_pairs(wheel, 0.22, (z + 0.22, z - 0.22), 0.12, 0.06)
        if rng.random() < 0.6:
            parts += [
                solids.rod(toy_paint(rng, "load"), (-0.1 + 0.2 * k, 0.5, z - 0.3), (-0.1 + 0.2 * k, 0.5, z + 0.3), 0.1)
                for k in range(2)
            ]
    return parts


def flyer(rng: np.random.Generator) -> list[Part]:
    """A wooden plane, rocket or boat."""
    body, wing, kind = toy_paint(rng, "body"), toy_paint(rng, "wings"), rng.integers(3)
    if kind == 0:
        parts = [
            blob(
                chain([(0, 0.3, -0.75), (0, 0.28, 0.0), (0, 0.28, 0.5)], [0.06, 0.16, 0.15], 0.05),
                body.color,
                "body",
                1200,
            )
        ]
        parts += [
            solids.box(wing, np.array([1.6, 0.05, 0.36]), (0, y, 0.15), 0.02)
            for y in ((0.22,) if rng.random() < 0.5 else (0.14, 0.6))
        ]
        parts += (
            [solids.rod(wing, (x, 0.14, 0.15), (x, 0.6, 0.15), 0.025, sides=6) for x in (-0.55, 0.55)]
            if len(parts) > 2
            else []
        )
        parts += [
            solids.box(wing, np.array([0.6, 0.04, 0.2]), (0, 0.32, -0.7), 0.015),
            solids.box(wing, np.array([0.04, 0.28, 0.2]), (0, 0.46, -0.7), 0.015),
        ]
        parts += [
            solids.box(toy_paint(rng, "propeller"), np.array([0.62, 0.08, 0.04]), (0, 0.28, 0.68), 0.01),
            pebble((0, 0.28, 0.68), 0.06, any_color(rng), "hub"),
            pebble((0, 0.45, 0.05), (0.09, 0.1, 0.13), (150, 190, 215), "cockpit"),
        ]
        return [*parts, *wheel_pairs(Paint(BLACK, "wheels"), 0.2, (0.3,), 0.09, 0.05)]
    if kind == 1:
        parts = [
            solids.lathe(
                body, [(0.16, 0.15), (0.24, 0.3), (0.27, 0.6), (0.22, 0.95), (0.12, 1.2), (0.02, 1.35)], sides=22
            ),
            solids.lathe(wing, [(0.13, 0.02), (0.15, 0.16)], sides=16),
        ]
        fins = solids.extrude(wing, np.array([(0.15, 0.2), (0.15, 0.6), (0.45, 0.25), (0.48, 0.0)]), 0.06)
        return [
            *parts,
            *solids.ring(fins, int(rng.choice([3, 4]))),
            *[solids.rod(Paint((150, 190, 215), "window"), (0, y, 0.15), (0, y, 0.275), 0.08) for y in (0.85, 0.62)],
        ]
    t = np.linspace(0, 1, 9)
    width = 0.3 * np.sin(np.pi * (0.25 + 0.75 * t)) ** 0.8 + 0.02
    rings = np.stack([np.array([(-w, 0.3), (-0.6 * w, 0.02), (0.6 * w, 0.02), (w, 0.3)]) for w in width])
    hull = np.stack(
        [
            np.column_stack([ring[:, 0], ring[:, 1] + 0.1 * z**3, np.full(4, 1.6 * z - 0.8)])
            for ring, z in zip(rings, t, strict=True)
        ]
    )
    parts = [solids.loft(body, hull)]
    if rng.random() < 0.5:
        parts += [
            solids.rod(wing, (0, 0.25, 0.1), (0, 1.5, 0.1), 0.03),
            solids.extrude(
                Paint(WHITE, "sail"), np.array([(0.04, 0.5), (0.04, 1.45), (-0.65, 0.5)]), 0.03, (0, 0, 0.05), "x"
            ),
            solids.extrude(
                Paint(any_color(rng), "sail2"), np.array([(0.15, 0.5), (0.15, 1.3), (0.7, 0.45)]), 0.03, axis="x"
            ),
        ]
    else:
        parts += [
            solids.block(wing, (-0.16, 0.28, -0.4), (0.16, 0.6, 0.15), 0.02),
            solids.rod(toy_paint(rng, "funnel"), (0, 0.55, -0.2), (0, 0.9, -0.25), 0.09),
        ]
    return parts
