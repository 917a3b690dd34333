"""Boats and ships; bows towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import mirror_outline
from training.families.paints import Rng, bright, cloth, cream, dark, glass, painted, pick, steel, white, wood
from training.families.parts import Paint, both, box, ellipsoid, extrude, loft, rod, sheet, tube, turned
from training.shapes import Part


def hull(paint: Paint, length: float, width: float, high: float, wall: float, stern: float, *, deck: bool) -> Part:
    """A boat's body along z, open at the top unless it has a deck. ``stern``: its width at the rear, 0..1."""
    t = np.linspace(-1, 1, 13)
    plan = np.where(t < 0, stern + (1 - stern) * np.sqrt(np.clip(1 - t * t, 0, 1)), np.clip(1 - np.abs(t) ** 2.6, 0, 1))
    sheer = high * (1 + 0.18 * t * t + 0.12 * t)

    def level(shrink: float, down: float, long: float) -> np.ndarray:
        half = np.column_stack(
            [np.maximum(plan * width / 2 * shrink, 0.004 * width), sheer * down, t * length / 2 * long]
        )
        left = half[::-1] * (-1, 1, 1)
        return np.concatenate([half, left])

    rings = [level(0.25, 0.0, 0.72), level(0.72, 0.25, 0.86), level(0.93, 0.65, 0.96), level(1, 1, 1)]
    inner = 1 - 2 * wall / width
    rings += [level(inner, 1, 0.97)]
    rings += [level(inner, 0.93, 0.97)] if deck else [level(0.9 * inner, 0.6, 0.93), level(0.6, 0.3, 0.82)]
    return loft(paint, np.array(rings))


def boat(rng: Rng) -> list[Part]:
    """A rowing boat, canoe, dinghy or motor boat."""
    paint, inside = pick(rng, (wood, painted))(rng, "hull"), wood(rng)
    length, width, high = rng.uniform(220, 320), rng.uniform(70, 110), rng.uniform(34, 50)
    motor = rng.random() < 0.4
    parts = [hull(paint, length, width, high, 5, pick(rng, (0.05, 0.7)), deck=motor)]
    if motor:
        white_paint, pane = white(rng, "cabin"), glass(rng)
        parts.append(box(white_paint, (width * 0.6, 30, length * 0.3), (0, high + 12, 0.02 * length), bevel=5))
        parts.append(
            turned(
                box(pane, (width * 0.62, 26, 4), (0, high + 32, 0.12 * length), bevel=1),
                -28,
                "x",
                (0, high + 32, 0.12 * length),
            )
        )
        parts.append(box(dark(rng), (22, 46, 22), (0, high, -0.5 * length), bevel=4))
        parts += both(
            tube(
                steel(rng),
                [
                    (width * 0.3, high, 0.1 * length),
                    (width * 0.3, high + 18, 0.25 * length),
                    (2, high + 18, 0.46 * length),
                ],
                2.2,
                8,
                steps=2,
            )
        )
        return parts
    parts += [box(inside, (width * 0.86, 4, 22), (0, high * 0.72, z * length), bevel=0.8) for z in (-0.25, 0.02, 0.24)]
    if rng.random() < 0.7:
        oar = [
            rod(inside, (10, high + 4, 0), (110, high + 2, -20), 2.4),
            turned(box(inside, (42, 2.6, 13), (124, high + 2, -22), bevel=0.8), 10, "y", (124, high, -22)),
        ]
        parts += both(oar)
    return parts


def ship(rng: Rng) -> list[Part]:
    """A steamer, tug or cargo ship with a bridge and funnels."""
    paint, upper, black = painted(rng, "hull"), white(rng, "cabin"), dark(rng)
    length, width, high = rng.uniform(260, 420), rng.uniform(75, 100), rng.uniform(42, 62)
    parts = [hull(paint, length, width, high, 4, 0.75, deck=True)]
    y, back = high, rng.uniform(-0.3, 0.05) * length
    for i in range(int(rng.integers(2, 5))):
        size = (width * (0.72 - 0.08 * i), 22, length * (0.36 - 0.06 * i))
        parts += [
            box(upper, size, (0, y + 11, back), bevel=1.5),
            box(glass(rng), (size[0] + 1, 7, size[2] * 0.9), (0, y + 13, back)),
            box(upper, (size[0] + 6, 2.5, size[2] + 8), (0, y + 22, back)),
        ]
        y += 22
    stack = bright(rng, "funnel")
    for k in range(int(rng.integers(1, 4))):
        z = back - 12 + k * 26
        parts += [
            rod(stack, (0, y - 8, z), (0, y + 34, z - 5), 11, 10),
            rod(black, (0, y + 30, z - 4), (0, y + 40, z - 6), 10.6),
        ]
    parts += [
        rod(black, (0, high, 0.3 * length), (0, y + 30, 0.3 * length), 3, 1.5),
        *both(ellipsoid(upper, (6, 6, 22), (width * 0.4, high + 16, back), 10)),
    ]
    if rng.random() < 0.5:
        parts += [
            box(painted(rng, "cargo"), (width * 0.3, 18, 36), (x * width * 0.32, high + 8, z * length), bevel=1)
            for x in (-0.5, 0.5)
            for z in (0.14, 0.26)
        ]
    return parts


def sailing_ship(rng: Rng) -> list[Part]:
    """A yacht or a square-rigged ship."""
    paint, sail, mast = (
        pick(rng, (wood, painted))(rng, "hull"),
        pick(rng, (cream, white, cloth))(rng, "sail"),
        wood(rng),
    )
    length, width, high = rng.uniform(230, 320), rng.uniform(60, 84), rng.uniform(36, 56)
    parts = [hull(paint, length, width, high, 4, 0.6, deck=True)]
    if rng.random() < 0.5:
        tall = rng.uniform(240, 320)
        parts += [
            rod(mast, (0, high - 6, 0.1 * length), (0, high + tall, 0.1 * length), 4, 2.5),
            rod(mast, (0, high + 22, 0.1 * length), (12, high + 20, -0.42 * length), 3, sides=8),
        ]
        for corner_z, top in ((-0.4 * length, tall - 6), (0.48 * length, tall * 0.82)):
            u = np.linspace(0, 1, 6)[:, None]
            w = np.linspace(0, 1, 4)[None]
            along = 0.1 * length + (corner_z - 0.1 * length) * w * (1 - 0.96 * u)
            grid = np.stack(
                [
                    10 * np.sin(np.pi * w) * np.sin(np.pi * np.clip(u * 0.8 + 0.1, 0, 1)) + 0 * u,
                    high + 26 + (top - 26) * u + 0 * w,
                    along,
                ],
                -1,
            )
            parts.append(sheet(sail, grid, 4))
        return [
            *parts,
            box(white(rng, "cabin"), (width * 0.5, 16, length * 0.25), (0, high + 6, -0.05 * length), bevel=3),
        ]
    parts += [
        box(paint, (width * 0.85, 30, length * 0.2), (0, high + 16, -0.4 * length), bevel=2),
        rod(mast, (0, high, 0.44 * length), (0, high + 34, 0.68 * length), 4, 2),
    ]
    for z, tall in ((-0.26, 170), (0.02, 220), (0.28, 180))[: int(rng.integers(1, 4))]:
        parts.append(rod(mast, (0, high - 6, z * length), (0, high + tall, z * length), 4, 2.6, 8))
        for t, wide in ((0.22, 1.5), (0.55, 1.15), (0.82, 0.8)):
            span, y = width * wide, high + t * tall
            grid = np.stack(
                np.broadcast_arrays(
                    np.linspace(-span / 2, span / 2, 5)[None],
                    y + np.linspace(0, 0.24 * tall, 5)[:, None],
                    z * length + 6 + 14 * np.sin(np.linspace(0, np.pi, 5))[:, None],
                ),
                -1,
            )
            parts += [
                sheet(sail, grid, 4),
                rod(
                    mast,
                    (-span / 2, y + 0.25 * tall, z * length + 4),
                    (span / 2, y + 0.25 * tall, z * length + 4),
                    2.4,
                    sides=6,
                ),
            ]
    return [
        *parts,
        extrude(
            bright(rng, "flag"), mirror_outline([(0, 0), (14, 0), (14, 9), (0, 9)]), 4, (0, high + 52, -0.5 * length)
        ),
    ]
