"""Trees and bushes: round crowns, layered firs, palms, cypresses, bonsais, bare and hedged ones, topiary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, egg
from training.families.colors import Color, pick, tinted
from training.families.parts import Paint
from training.families.slabs import curve, pebble, slab, tube, unit
from training.shapes import Part

Point = NDArray[np.float64]
GREENS: tuple[Color, ...] = (
    (60, 110, 45),
    (85, 130, 55),
    (45, 85, 50),
    (110, 140, 60),
    (190, 120, 50),
    (205, 90, 50),
    (225, 160, 180),
)
BARK: tuple[Color, ...] = ((100, 72, 50), (130, 100, 72), (80, 65, 55), (200, 195, 185))


def _around(angle: float, rise: float) -> Point:
    return np.array([np.sin(angle) * np.cos(rise), np.sin(rise), np.cos(angle) * np.cos(rise)])


def _trunk(rng: np.random.Generator, tall: float, r: float, bark: Color) -> tuple[list[Part], list[Point]]:
    """A bent trunk with some branches, and the branches' ends."""
    bend = rng.normal(0, 0.06, 3) * (1, 0, 1)
    top = np.array([0, tall, 0]) + bend
    line = curve([(0, 0, 0), np.array([0, tall * 0.5, 0]) - bend * 0.7, top], 8)
    parts = [tube(line, r * np.array([1.5, 1.1, 1.0, 0.95, 0.9, 0.85, 0.8, 0.65]), bark, "bark", 9)]
    ends = [top]
    for i in range(rng.integers(3, 6)):
        root = line[4 + i % 4]
        end = root + _around(2.4 * i + rng.normal(0, 0.3), rng.uniform(0.4, 1.1)) * tall * rng.uniform(0.3, 0.55)
        parts.append(
            tube(curve([root, (root + end) / 2 + (0, -0.04, 0), end], 5), r * np.linspace(0.6, 0.3, 5), bark, "bark", 7)
        )
        ends.append(end)
    return parts, ends


def broad(rng: np.random.Generator) -> list[Part]:
    """A deciduous tree with a crown of clumps, one lumpy ball, or facets."""
    green, tall = pick(rng, GREENS), rng.uniform(0.45, 0.9)
    parts, ends = _trunk(rng, tall, rng.uniform(0.045, 0.09), pick(rng, BARK))
    size = rng.uniform(0.26, 0.42)
    if rng.random() < 0.5:
        for end in ends:
            parts.append(
                blob(
                    [
                        egg(
                            end + (0, size * 0.3, 0),
                            size * rng.uniform(0.7, 1.0) * np.array([1, rng.uniform(0.7, 1), 1]),
                        )
                    ],
                    tinted(rng, green),
                    "leaves",
                    500,
                )
            )
        return parts
    lumps: list[Lump] = [egg(end + (0, size * 0.3, 0), size * rng.uniform(0.7, 1.0), blend=0.06) for end in ends]
    for _ in range(22):
        middle = ends[rng.integers(len(ends))] + (0, size * 0.3, 0)
        lumps.append(egg(middle + unit(rng.normal(size=3)) * size * 0.75, size * rng.uniform(0.25, 0.42), blend=0.04))
    return [*parts, blob(lumps, green, "leaves", 7000)]


def leafed(rng: np.random.Generator) -> list[Part]:
    """A small tree or ficus whose leaves are seen one by one; sometimes in a tub."""
    green, bark = pick(rng, GREENS), pick(rng, BARK)
    parts, ends = _trunk(rng, rng.uniform(0.5, 0.8), rng.uniform(0.03, 0.05), bark)
    size, leaf = rng.uniform(0.22, 0.32), rng.uniform(0.13, 0.19)
    for i in range(115):
        at = ends[i % len(ends)] + unit(rng.normal(size=3)) * size * rng.uniform(0.1, 0.85)
        way = unit(rng.normal(size=3) + (0, -0.2, 0))
        line = [at, at + way * leaf * 0.5, at + way * leaf - (0, 0.02, 0)]
        parts.append(
            slab(
                line,
                leaf * np.array([0.15, 0.55, 0.08]),
                0.034,
                tinted(rng, green),
                "leaves",
                face=unit(rng.normal(size=3) + (0, 1.5, 0)),
                coarse=True,
            )
        )
    if rng.random() < 0.6:
        tub = Paint(pick(rng, ((185, 100, 65), (225, 220, 210), (80, 80, 82), (120, 85, 55))), "pot")
        parts.append(solids.lathe(tub, [(0.16, -0.28), (0.22, 0.0), (0.24, 0.0), (0.24, 0.04), (0.1, 0.03)]))
    return parts


def fir(rng: np.random.Generator) -> list[Part]:
    """A conifer of stacked skirts, sometimes a Christmas tree."""
    green, layers, tall = pick(rng, GREENS[:3]), int(rng.integers(3, 8)), rng.uniform(1.0, 1.8)
    wide, foot = rng.uniform(0.3, 0.55), rng.uniform(0.08, 0.3)
    parts = [tube([(0, 0, 0), (0, foot + 0.1, 0)], [0.06, 0.055], pick(rng, BARK), "bark")]
    jag = rng.random() < 0.5
    for i in range(layers):
        share = i / layers
        low, high = foot + tall * share * 0.95, foot + tall * min(share + 1.7 / layers, 1.03)
        r = wide * (1 - 0.82 * share)
        if jag:
            angle = 2 * np.pi * np.arange(16) / 16
            star = np.where(np.arange(16) % 2 == 0, 1.0, 0.72)
            ring = np.stack([np.sin(angle) * star, np.zeros(16), np.cos(angle) * star], -1)
            rings = np.stack(
                [
                    ring * r * 0.3 + (0, low + 0.04, 0),
                    ring * r + (0, low, 0),
                    ring * r * 0.5 + (0, (low + high) / 2, 0),
                    ring * 0.02 + (0, high, 0),
                ]
            )
            parts.append(solids.loft(Paint(tinted(rng, green), "leaves"), rings))
        else:
            cone = [
                (r * 0.4, low + 0.03),
                (r, low),
                (r * 0.92, low + 0.04),
                (r * 0.45, (low + high) / 2),
                (0.015, high),
            ]
            parts.append(solids.lathe(Paint(tinted(rng, green), "leaves"), cone, sides=16))
    if rng.random() < 0.3:
        parts.append(pebble((0, foot + tall * 1.05, 0), 0.07, (240, 205, 70), "star"))
        for i in range(24):
            high = rng.uniform(0.05, 0.85)
            out = _around(2.4 * i, 0) * wide * (1 - 0.85 * high)
            parts.append(
                pebble(
                    out + (0, foot + tall * high, 0),
                    0.035,
                    ((210, 50, 50), (230, 190, 60), (60, 90, 190))[i % 3],
                    "baubles",
                )
            )
    return parts


def palm(rng: np.random.Generator) -> list[Part]:
    """A palm: a leaning trunk and a head of long fronds."""
    green, bark, tall = pick(rng, GREENS[:4]), pick(rng, BARK), rng.uniform(0.5, 1.3)
    lean = rng.normal(0, 0.2, 3) * (1, 0, 1)
    top = np.array([0, tall, 0]) + lean
    line = curve([(0, 0, 0), np.array([0, tall * 0.5, 0]) + lean * 0.25, top], 14)
    ripple = np.tile([1.0, 1.15], 7)
    parts = [tube(line, rng.uniform(0.04, 0.06) * ripple * np.linspace(1.3, 0.9, 14), bark, "bark", 9)]
    count, long = int(rng.integers(8, 13)), rng.uniform(0.5, 0.8)
    feather = rng.random() < 0.45
    for i in range(count):
        way = _around(2.4 * i + rng.normal(0, 0.15), rng.uniform(0.1, 0.9))
        flat = unit(way * (1, 0, 1))
        tip = top + way * long * 0.55 + flat * long * 0.4 - (0, long * rng.uniform(0.15, 0.5), 0)
        rib = curve([top, top + way * long * 0.5, tip], 8)
        if feather:
            parts.append(tube(rib, np.linspace(0.022, 0.014, 8), green, "leaves", 4))
            across = np.cross(flat, (0, 1, 0))
            for k in range(2, 8):
                reach = long * 0.3 * np.sin(np.pi * (k + 0.5) / 9)
                for side in (1, -1):
                    end = rib[k] + unit(across * side + 0.6 * flat - (0, 0.4, 0)) * reach
                    parts.append(
                        slab(
                            [rib[k], (rib[k] + end) / 2, end],
                            [0.04, 0.06, 0.02],
                            0.034,
                            green,
                            "leaves",
                            face=(0, 1, 0),
                            coarse=True,
                        )
                    )
        else:
            wide = long * 0.24 * np.array([0.2, 0.6, 0.9, 1, 0.95, 0.8, 0.55, 0.12])
            parts.append(slab(rib, wide, 0.035, tinted(rng, green), "leaves", face=(0, 1, 0.01), cup=-0.4))
    for i in range(rng.integers(0, 4)):
        parts.append(pebble(top + _around(2 * i, -0.4) * 0.09, 0.06, (110, 75, 45), "nuts"))
    return parts


def bush(rng: np.random.Generator) -> list[Part]:
    """A bush, a clipped ball or cone, or a hedge."""
    green, kind = pick(rng, GREENS[:4]), rng.integers(4)
    if kind == 0:
        lumps: list[Lump] = [
            egg(
                rng.uniform(-0.35, 0.35, 3) * (1, 0, 1) + (0, rng.uniform(0.15, 0.45), 0),
                rng.uniform(0.14, 0.3),
                blend=0.05,
            )
            for _ in range(18)
        ]
        return [blob(lumps, green, "leaves", 6500)]
    paint = Paint(pick(rng, BARK), "bark")
    if kind == 1:
        balls, y, parts = rng.integers(1, 4), 0.3, [solids.rod(paint, (0, 0, 0), (0, 0.4, 0), 0.04)]
        for i in range(balls):
            r = 0.34 * 0.8**i
            y += r
            rough: list[Lump] = [
                egg((0, y, 0), r),
                *(egg(unit(rng.normal(size=3)) * r * 0.9 + (0, y, 0), r * 0.22, blend=0.03) for _ in range(20)),
            ]
            parts.append(blob(rough, green, "leaves", 1300))
            parts.append(solids.rod(paint, (0, y, 0), (0, y + r + 0.2, 0), 0.03))
            y += r + 0.08
        return [
            *parts[:-1],
            solids.lathe(Paint((180, 100, 70), "pot"), [(0.18, -0.22), (0.24, 0), (0.26, 0.06), (0.1, 0.05)]),
        ]
    if kind == 2:
        tall = rng.uniform(0.9, 1.8)
        slim: list[Lump] = [egg((0, tall * 0.5, 0), (0.2, tall * 0.5, 0.2))]
        slim += [
            egg(
                (0, 0, 0) + _around(2.4 * i, 0) * 0.15 * np.sin(np.pi * (i + 1) / 26) + (0, tall * (i + 1) / 26, 0),
                (0.08, 0.14, 0.08),
                blend=0.03,
            )
            for i in range(24)
        ]
        return [blob(slim, green, "leaves", 4500), solids.rod(paint, (0, -0.12, 0), (0, 0.2, 0), 0.05)]
    wide, parts = rng.uniform(0.7, 1.2), []
    hedge: list[Lump] = [
        egg((x, y, z), rng.uniform(0.1, 0.14), blend=0.03)
        for x in np.linspace(-wide / 2, wide / 2, 7)
        for y in (0.12, 0.35, 0.52)
        for z in (-0.08, 0.1)
    ]
    hedge.append(bone((-wide / 2, 0.3, 0), (wide / 2, 0.3, 0), 0.18))
    return [*parts, blob(hedge, green, "leaves", 7000)]


def bonsai(rng: np.random.Generator) -> list[Part]:
    """A twisted small tree with flat pads, in a shallow bowl."""
    green, bark, way = pick(rng, GREENS[:4]), pick(rng, BARK), rng.choice([-1, 1])
    line = curve([(0, 0.1, 0), (way * 0.18, 0.28, 0.03), (-way * 0.1, 0.5, -0.03), (way * 0.12, 0.75, 0)], 12)
    parts = [tube(line, np.linspace(0.09, 0.04, 12), bark, "bark", 8)]
    bowl = Paint(pick(rng, ((120, 60, 45), (60, 75, 95), (80, 80, 78))), "pot")
    parts.append(solids.block(bowl, (-0.36, 0, -0.22), (0.36, 0.13, 0.22), 0.03))
    for k, side in ((5, 1), (7, -1), (9, 1), (11, 0)):
        end = line[k] + (side * way * rng.uniform(0.2, 0.35), 0.04, rng.normal(0, 0.1))
        if side:
            parts.append(
                tube([line[k], (line[k] + end) / 2 + (0, -0.02, 0), end], [0.04, 0.032, 0.025], bark, "bark", 6)
            )
        pad: list[Lump] = [
            egg(end + rng.normal(0, 0.09, 3) * (1, 0.2, 1), rng.uniform(0.09, 0.15) * np.array([1, 0.6, 1]), blend=0.04)
            for _ in range(7)
        ]
        parts.append(blob(pad, tinted(rng, green), "leaves", 800))
    return parts


def bare(rng: np.random.Generator) -> list[Part]:
    """A tree without leaves, a stump with roots, or a dead branch."""
    bark, parts = pick(rng, BARK), []
    line = curve(
        [(0, 0, 0), rng.normal(0, 0.05, 3) * (1, 0, 1) + (0, 0.45, 0), rng.normal(0, 0.1, 3) * (1, 0, 1) + (0, 0.9, 0)],
        9,
    )
    parts.append(tube(line, np.array([0.14, 0.1, 0.085, 0.08, 0.075, 0.07, 0.06, 0.05, 0.035]), bark, "bark", 9))
    for i in range(9):
        root = line[3 + i % 6]
        end = root + _around(2.4 * i, rng.uniform(0.4, 1.0)) * rng.uniform(0.3, 0.5)
        middle = (root + end) / 2 + rng.normal(0, 0.03, 3)
        parts.append(tube(curve([root, middle, end], 6), np.linspace(0.042, 0.016, 6), bark, "bark", 6))
        for _ in range(2):
            twig = middle + _around(rng.uniform(0, 7), rng.uniform(0.5, 1.2)) * rng.uniform(0.15, 0.28)
            parts.append(tube([middle, (middle + twig) / 2, twig], [0.032, 0.02, 0.014], bark, "bark", 5))
    for i in range(5):
        out = _around(2 * np.pi * i / 5 + 0.3, 0)
        parts.append(
            tube(
                curve([(0, 0.16, 0), out * 0.14 + (0, 0.05, 0), out * 0.3 - (0, 0.02, 0)], 5),
                np.linspace(0.07, 0.025, 5),
                bark,
                "bark",
                6,
            )
        )
    return parts


TREES = (broad, broad, leafed, fir, palm, bush, bonsai, bare)
