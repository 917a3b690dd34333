"""What cars and trucks share: bodies, wheels, lights."""

from __future__ import annotations

import numpy as np

from training.families.paints import Rng, dark, steel
from training.families.parts import Paint, both, box, ellipsoid, extrude, turned, warped
from training.families.wheels import wheel
from training.shapes import Part


def narrowed(parts: list[Part], waist: float, roof: float, tumble: float) -> list[Part]:
    """Sides that lean inwards above the ``waist``, by ``tumble`` of the width at ``roof``."""

    def lean(v: np.ndarray) -> np.ndarray:
        t = np.clip((v[:, 1] - waist) / max(roof - waist, 1e-6), 0, 1.2)
        return v * np.column_stack([1 - tumble * t, np.ones((len(v), 2))])

    return warped(parts, lean)


def axles(rng: Rng, x: float, spots: list[float], radius: float, wide: float) -> list[Part]:
    """Wheels at both sides at these places along z."""
    tyre, metal = dark(rng, "tyre"), steel(rng, "rim")
    style = int(rng.integers(3))
    return [p for z in spots for p in both(wheel(tyre, metal, (x, radius, z), radius, wide, style))]


def arches(paint: Paint, x: float, spots: list[float], radius: float, wide: float) -> list[Part]:
    """Rounded wheel arches (mudguards) over wheels."""
    a = np.linspace(-0.05, np.pi + 0.05, 9)
    parts = []
    for z in spots:
        ring = np.concatenate(
            [np.column_stack([np.cos(a), np.sin(a)]) * 1.22, np.column_stack([np.cos(a), np.sin(a)])[::-1] * 1.05]
        )
        parts += both(extrude(paint, ring * radius + (z, radius), wide, (x, 0, 0), "x"))
    return parts


def lights(rng: Rng, x: float, y: float, front: float, rear: float, size: float) -> list[Part]:
    """Head and tail lamps, bumpers' lamps and number plates."""
    lamp, red = Paint((245, 240, 210), "lamp"), Paint((190, 30, 30), "tail")
    if rng.random() < 0.6:
        head = ellipsoid(lamp, (size, size, 0.5 * size), (x, y, front), 12, rings=6)
    else:
        head = box(lamp, (2.2 * size, 1.2 * size, 0.8 * size), (x, y, front), bevel=0.2 * size)
    tail = box(red, (1.6 * size, 1.1 * size, 0.8 * size), (x, y * 1.04, rear), bevel=0.2 * size)
    return both([head, tail])


def side_body(
    paint: Paint, line: np.ndarray, floor: float, width: float, bevel: float, notches: list[float], radius: float
) -> Part:
    """A body extruded across from its upper line, with the wheels' openings cut out of its lower edge.

    Args:
        line: (k, 2) z and y of the upper edge from the rear to the front. notches: z of the axles.
    """
    lower = [(line[-1, 0], floor)]
    for z in sorted(notches, reverse=True):
        a = np.linspace(0.15, np.pi - 0.15, 6)
        lower += [
            (z + 1.15 * radius * c, max(floor, radius + 1.15 * radius * s))
            for c, s in zip(np.cos(a), np.sin(a), strict=True)
        ]
    lower.append((line[0, 0], floor))
    return extrude(paint, np.concatenate([line, lower]), width, axis="x", bevel=bevel)


def spare(rng: Rng, h: float, radius: float) -> list[Part]:
    """A spare wheel on the back, or nothing."""
    if rng.random() < 0.5:
        return []
    return turned(wheel(dark(rng, "tyre"), steel(rng, "rim"), (h + 10, 82, 0), radius * 0.8, 20, 0), 90)
