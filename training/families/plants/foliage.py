"""What plants are made of: pots with soil, leaves, directions around a stalk."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.families import parts as solids
from training.families.colors import Color, pick
from training.families.parts import Paint
from training.families.slabs import curve, leaf_widths, slab, unit
from training.shapes import Part

Point = NDArray[np.float64]
GREENS: tuple[Color, ...] = ((60, 120, 50), (90, 140, 60), (45, 90, 50), (120, 150, 80), (70, 110, 85))
CLAY: tuple[Color, ...] = ((185, 100, 65), (225, 220, 210), (70, 70, 72), (150, 140, 125), (90, 120, 140), (60, 80, 65))
SOIL = (70, 50, 38)


def pot(rng: np.random.Generator, radius: float = 0.25) -> tuple[list[Part], float]:
    """A pot with soil, and the height of the soil."""
    tall, paint = radius * rng.uniform(1.2, 2.2), Paint(pick(rng, CLAY), "pot")
    kind = rng.integers(5)
    if kind == 0:
        side = radius * 0.95
        low, high = np.array([-side, 0, -side]), np.array([side, tall, side])
        return [
            solids.block(paint, low, high, 0.02),
            solids.block(Paint(SOIL, "soil"), low * 0.88 + (0, tall * 0.9, 0), high * (0.88, 1.01, 0.88)),
        ], tall
    profiles = {
        1: [(0.65, 0), (0.72, 0.2), (0.83, 0.5), (0.95, 0.8), (1.05, 0.8), (1.08, 1.0)],
        2: [(0.55, 0), (0.68, 0.08), (0.85, 0.24), (1.05, 0.55), (0.95, 0.85), (0.85, 1.0)],
        3: [(0.9, 0), (0.92, 0.1), (0.95, 0.5), (1.0, 1.0)],
        4: [(0.6, 0), (0.62, 0.06), (0.45, 0.12), (0.75, 0.35), (1.0, 0.7), (1.1, 1.0)],
    }
    profile = np.array(profiles[int(kind)]) * (radius, tall)
    parts = [solids.vessel(paint, profile, radius * 0.09, sides=20)]
    soil = profile[-1, 0] * 0.92
    parts.append(
        solids.lathe(
            Paint(SOIL, "soil"), [(soil * 0.95, tall * 0.8), (soil, tall * 0.88), (soil * 0.5, tall * 0.93)], sides=16
        )
    )
    if rng.random() < 0.25:
        dish = np.array([(0.8, -0.06), (1.15, 0.0), (1.15, 0.06), (0.6, 0.02)]) * radius
        parts.append(solids.lathe(paint, dish, sides=20))
    return parts, tall * 0.9


def leaf(
    root: ArrayLike,
    way: ArrayLike,
    long: float,
    width: float,
    droop: float,
    color: Color,
    thick: float = 0.036,
    cup: float = 0.15,
    coarse: bool = True,
) -> Part:
    """A leaf that leaves ``root`` along ``way`` and bends down by ``droop`` of its length."""
    start, ahead = np.asarray(root, np.float64), unit(np.asarray(way, np.float64))
    flat = unit(ahead * (1, 0, 1) + (1e-6, 0, 0))
    line = curve(
        [
            start,
            start + ahead * long * 0.5,
            start + ahead * long * 0.75 + flat * 0.2 * long * droop - (0, droop * long * 0.55, 0),
        ],
        6,
    )
    return slab(line, leaf_widths(6, width), thick, color, "leaf", face=(0, 1, 0) + 0.01 * flat, cup=cup, coarse=coarse)


def around(angle: float, rise: float) -> Point:
    """A unit direction: ``angle`` about +Y from +Z, ``rise`` above the ground, radians."""
    return np.array([np.sin(angle) * np.cos(rise), np.sin(rise), np.cos(angle) * np.cos(rise)])
