"""Wheels, their axle along x."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.families.outlines import circle
from training.families.parts import Paint, lathe, loft, moved, rod, torus, turned
from training.shapes import Part


def wheel(tyre: Paint, metal: Paint, at: Any, radius: float, wide: float, style: int = 0) -> list[Part]:
    """A car's wheel, its outside towards +X: style 0 a cap, 1 spokes, 2 a dish."""
    w = wide / 2
    profile = [(0.6, -w), (0.92, -w), (1, -0.6 * w), (1, 0.6 * w), (0.92, w), (0.66, w)]
    parts = [lathe(tyre, np.array(profile) * (radius, 1), sides=20)]
    if style == 0:
        parts.append(
            lathe(
                metal,
                [(0.66 * radius, 0.5 * w), (0.66 * radius, 1.06 * w), (0.4 * radius, 1.25 * w), (0, 1.3 * w)],
                sides=18,
            )
        )
    elif style == 1:
        parts += [
            rod(metal, (0, 0.9 * w, 0), (0.64 * radius * c, 0.98 * w, 0.64 * radius * s), 0.1 * radius, sides=6)
            for c, s in circle(1, 5)
        ]
        parts += [
            torus(metal, 0.66 * radius, 0.05 * radius, (0, w, 0), sides=18),
            rod(metal, (0, 0, 0), (0, 1.15 * w, 0), 0.18 * radius),
        ]
    else:
        dish = [
            (0.7 * radius, 0.8 * w),
            (0.7 * radius, 1.1 * w),
            (0.62 * radius, 1.1 * w),
            (0.5 * radius, 0.6 * w),
            (0.2 * radius, 0.7 * w),
            (0.18 * radius, 1.1 * w),
            (0, 1.1 * w),
        ]
        parts.append(lathe(metal, dish, sides=18))
    return moved(turned(parts, -90, "z"), at)


def spoked(
    tyre: Paint, metal: Paint, at: Any, radius: float, thick: float, spokes: int, hub: float = 0.08
) -> list[Part]:
    """A bicycle's or waggon's wheel with a thin tyre."""
    parts = [torus(tyre, radius - thick / 2, thick / 2, (0, 0, 0), "x", 28)]
    width = max(0.3 * thick, 0.014 * radius)
    for c, s in circle(radius - thick / 2, spokes):
        parts.append(rod(metal, (0, 0, 0), (0, c, s), width, sides=5))
    parts.append(rod(metal, (-1.1 * thick, 0, 0), (1.1 * thick, 0, 0), hub * radius, sides=10))
    return moved(parts, at)


def track(paint: Paint, at: Any, length: float, high: float, wide: float) -> Part:
    """A caterpillar track as a rounded loop, filled, with cleats."""
    r = high / 2
    a = np.linspace(-np.pi / 2, np.pi / 2, 7)
    right = np.column_stack([length / 2 - r + r * np.cos(a), r * np.sin(a)])
    loop = np.concatenate([right, -right])
    rings = [np.column_stack([np.full(len(loop), x), loop[:, 1], loop[:, 0]]) for x in (-wide / 2, wide / 2)]
    return loft(paint, np.array(rings) + np.asarray(at, np.float64))
