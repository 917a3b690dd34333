"""What people sit on, carry and wear on their backs."""

from __future__ import annotations

import numpy as np

from training.families import parts as solids
from training.families.blobs import blob, egg
from training.families.colors import any_color
from training.families.figures.skeleton import Frame, Joints
from training.families.parts import Paint
from training.families.slabs import curve, slab, tube
from training.shapes import Part


def extras(rng: np.random.Generator, body: Frame, joints: Joints, name: str) -> list[Part]:
    """What goes with the pose, or what some people wear: a stool, a box carried, a backpack, a cape, a belt."""
    if name == "sit":
        seat, depth = joints.pelvis[1] - 0.06 * body.girth, 0.24
        paint = Paint(any_color(rng), "seat")
        kind = rng.random()
        if kind < 0.4:
            return _chair(rng, paint, seat, body.girth)
        if kind < 0.7:
            return [solids.block(paint, (-0.14, 0, -depth / 2), (0.14, seat, depth / 2))]
        return [
            solids.lathe(
                paint,
                [(0.13, 0.0), (0.13, 0.02), (0.03, 0.04), (0.03, seat - 0.03), (0.13, seat - 0.025), (0.13, seat)],
                (0, 0, 0),
            )
        ]
    if name == "carry":
        middle = (joints.hands[0] + joints.hands[1]) / 2 + (0, 0, 0.02)
        return [solids.box(Paint((176, 130, 84), "box"), np.array([0.2, 0.14, 0.14]), middle + (0, 0.03, 0.04))]
    draw, back = rng.random(), (joints.pelvis + joints.neck) / 2 - (0, 0, 0.06 * body.girth)
    if draw < 0.1:
        return [
            blob(
                [egg(back - (0, 0, 0.05), (0.1, 0.15, 0.07)), egg(back - (0, 0.08, 0.1), (0.07, 0.06, 0.04))],
                any_color(rng),
                "bag",
                400,
            )
        ]
    if draw < 0.2:
        shoulder, floor = joints.neck - (0, 0.03, 0.06), joints.pelvis[1] * rng.uniform(0.1, 0.6)
        way = curve([shoulder, back - (0, 0.05, 0.06), (0, floor, back[2] - rng.uniform(0.08, 0.2))], 7)
        return [slab(way, np.linspace(0.2, 0.4, 7), 0.03, any_color(rng), "cape", face=(0, 0, -1), cup=-0.3)]
    if draw < 0.3:
        hand = joints.hands[1]
        return [tube([hand * (1, 0, 1), hand * (1, 1, 1) + (0, 0.35, 0)], [0.016, 0.016], (120, 80, 50), "staff")]
    return []


def _chair(rng: np.random.Generator, paint: Paint, seat: float, girth: float) -> list[Part]:
    """A chair or armchair around the one who sits; its back is behind them."""
    wide, deep, thick = 0.17 * girth, 0.15, rng.uniform(0.02, 0.05)
    rear = -deep - 0.04
    parts = [
        solids.block(paint, (-wide, seat - thick, rear), (wide, seat, deep), 0.008),
        solids.block(paint, (-wide, seat - thick, rear - thick), (wide, seat + rng.uniform(0.2, 0.5), rear), 0.008),
    ]
    if rng.random() < 0.4:
        parts.append(solids.block(paint, (-wide, 0, rear), (wide, seat - thick / 2, deep)))
        arms = [(-wide - 0.06, -wide), (wide, wide + 0.06)]
        return parts + [solids.block(paint, (low, 0, rear), (high, seat + 0.14, deep), 0.01) for low, high in arms]
    for x in (-1, 1):
        for z in (rear, deep - 0.02):
            parts.append(solids.block(paint, (x * wide - 0.012, 0, z), (x * wide + 0.012, seat, z + 0.024)))
    return parts
