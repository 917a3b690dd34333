"""Flowers: tulips, roses, daisies and sunflowers, in vases, in pots and in the ground."""

from __future__ import annotations

import numpy as np

from training.families import parts as solids
from training.families.blobs import Lump, blob, egg
from training.families.colors import Color, any_color, pick, tinted
from training.families.parts import Paint
from training.families.plants.foliage import GREENS, Point, around, leaf, pot
from training.families.slabs import curve, slab, tube, unit
from training.shapes import Part

PETALS: tuple[Color, ...] = (
    (215, 50, 60),
    (240, 200, 60),
    (235, 150, 180),
    (240, 240, 235),
    (150, 80, 170),
    (235, 120, 50),
)


def bouquet(rng: np.random.Generator) -> list[Part]:
    """Tulips, roses, daisies or sunflowers in a vase or a pot."""
    kind, petal = rng.integers(4), pick(rng, PETALS)
    radius, tall = rng.uniform(0.1, 0.17), rng.uniform(0.3, 0.55)
    profile = np.array(
        [
            [(0.7, 0), (1.0, 0.3), (0.9, 0.6), (0.55, 0.85), (0.7, 1.0)],
            [(0.6, 0), (0.65, 0.5), (0.95, 1.0), (0.96, 1.0), (1.0, 1.02)],
            [(0.9, 0), (0.9, 0.3), (0.9, 0.6), (0.9, 0.8), (0.9, 1.0)],
        ][rng.integers(3)]
    )
    parts = [solids.vessel(Paint(any_color(rng), "vase"), profile * (radius, tall), 0.025, sides=20)]
    stalk, count = rng.uniform(0.25, 0.55), int(rng.integers(1, 9))
    for i in range(count):
        way = around(2.4 * i + rng.random(), 1.57 - rng.uniform(0, 0.55) * min(count - 1, 1))
        head = np.array([0, tall * 0.8, 0]) + way * (stalk * rng.uniform(0.8, 1.15) + 0.1)
        parts.append(
            tube(curve([(0, tall * 0.4, 0), (0, tall * 0.95, 0), head], 6), 0.016, pick(rng, GREENS), "stem", 5)
        )
        parts += bloom(rng, int(kind), head, unit(way + (0, 0, 0.5 * (kind > 1))), tinted(rng, petal))
        if rng.random() < 0.7:
            parts.append(
                leaf(
                    (0, tall * 0.95, 0),
                    around(rng.uniform(0, 7), 0.9),
                    rng.uniform(0.25, 0.4),
                    0.09,
                    0.6,
                    pick(rng, GREENS),
                )
            )
    return parts


def bloom(rng: np.random.Generator, kind: int, head: Point, way: Point, color: Color, size: float = 0.1) -> list[Part]:
    """Tulip cup (0), rose ball (1), daisy (2) or sunflower (3), looking along ``way``."""
    if kind == 0:
        cup = np.array([(0.2, 0), (0.75, 0.35), (0.85, 0.9), (0.6, 1.6), (0.35, 1.75)]) * size * 0.85
        return [solids.aimed(solids.lathe(Paint(color, "petals"), cup, sides=24), way, head)]
    if kind == 1:
        lumps: list[Lump] = [
            egg(head + way * size * 0.7 + rng.normal(0, 0.25 * size, 3), rng.uniform(0.5, 0.75, 3) * size)
            for _ in range(7)
        ]
        return [blob(lumps, color, "petals", 300)]
    size *= 1.0 if kind == 2 else 1.5
    side = unit(np.cross(way, (0.1, 1, 0.2)))
    up, parts, count = np.cross(side, way), [], 9 if kind == 2 else 13
    for angle in 2 * np.pi * np.arange(count) / count:
        out = np.cos(angle) * side + np.sin(angle) * up
        line = [head, head + out * size * 0.8 + way * 0.1 * size, head + out * size * 1.5]
        parts.append(slab(line, size * np.array([0.3, 0.65, 0.2]), 0.03, color, "petals", face=way, coarse=True))
    heart = (120, 75, 40) if kind == 3 else (240, 200, 60)
    return [
        *parts,
        solids.aimed(
            solids.ellipsoid(Paint(heart, "heart"), np.array([0.55, 0.25, 0.55]) * size, sides=10, rings=5),
            way,
            head + way * 0.03,
        ),
    ]


def flower(rng: np.random.Generator) -> list[Part]:
    """A single big flower on its stalk, growing in the ground or a pot."""
    parts, y = pot(rng, 0.18) if rng.random() < 0.6 else ([], 0.0)
    tall, kind = rng.uniform(0.5, 1.0), int(rng.integers(4))
    head = np.array([rng.normal(0, 0.05), y + tall, rng.normal(0, 0.05)])
    green = pick(rng, GREENS)
    parts.append(tube(curve([(0, y - 0.03, 0), (0, y + tall * 0.5, 0), head], 7), 0.024, green, "stem", 6))
    way = unit(np.array([0, 0.5, 1.0])) if kind > 1 else np.array([0, 1.0, 0.1])
    parts += bloom(rng, kind, head, way, pick(rng, PETALS), rng.uniform(0.14, 0.24))
    for i in range(rng.integers(2, 6)):
        parts.append(
            leaf(
                (0, y + tall * rng.uniform(0, 0.5), 0),
                around(2.4 * i, rng.uniform(0.4, 1.2)),
                rng.uniform(0.25, 0.45),
                0.11,
                rng.uniform(0, 0.7),
                green,
                coarse=False,
            )
        )
    return parts
