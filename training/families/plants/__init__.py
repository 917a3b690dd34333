"""Plants: in pots, in vases and in the ground. Trees are in ``trees``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg
from training.families.colors import Color, pick, tinted
from training.families.parts import Paint
from training.families.plants.flowers import PETALS, bouquet, flower
from training.families.plants.foliage import GREENS, Point, around, leaf, pot
from training.families.plants.trees import TREES
from training.families.slabs import curve, finer, pebble, slab, tube, unit
from training.shapes import Part


def make(rng: np.random.Generator) -> list[Part]:
    """One plant."""
    if rng.random() < 0.3:
        return finer(TREES[rng.integers(len(TREES))](rng))
    return finer(PLANTS[rng.integers(len(PLANTS))](rng))


def rosette(rng: np.random.Generator) -> list[Part]:
    """Arching leaves from one heart: spider plant, dracaena, peace lily, agave, aloe."""
    parts, y = pot(rng) if rng.random() < 0.85 else ([], 0.0)
    green, count = pick(rng, GREENS), int(rng.integers(12, 34))
    long, width, droop = rng.uniform(0.4, 0.9), rng.uniform(0.06, 0.2), rng.uniform(0, 1.1)
    thick = rng.uniform(0.025, 0.05)
    for i in range(count):
        rise = np.interp(i / count, [0, 1], [0.25, 1.45]) + rng.normal(0, 0.1)
        way = around(2.4 * i + rng.normal(0, 0.2), rise)
        parts.append(
            leaf(
                way * 0.03 + (0, y, 0),
                way,
                long * rng.uniform(0.75, 1.1),
                width,
                droop * rng.uniform(0.7, 1.2),
                tinted(rng, green),
                thick,
            )
        )
    return parts


def broadleaf(rng: np.random.Generator) -> list[Part]:
    """Big leaves on stalks: monstera, rubber plant, philodendron, fiddle-leaf."""
    parts, y = pot(rng)
    green, count, size = pick(rng, GREENS), int(rng.integers(7, 22)), rng.uniform(0.22, 0.42)
    spread, tall = rng.uniform(0.2, 0.6), rng.uniform(0.3, 1.0)
    for i in range(count):
        way = around(2.4 * i, 0.3)
        share = (i + 1) / count
        tip = np.array([0, y + tall * share, 0]) + way * spread * rng.uniform(0.7, 1.1) * (1.2 - 0.7 * share)
        parts.append(
            tube(curve([(0, y - 0.02, 0), (tip * (0.4, 0.6, 0.4)) + (0, 0.4 * y, 0), tip], 5), 0.018, green, "stem", 5)
        )
        ahead = unit(way * (1, 0, 1) + (0, rng.uniform(-0.3, 0.6), 0))
        parts.append(
            leaf(
                tip,
                ahead,
                size * rng.uniform(0.8, 1.2),
                size * rng.uniform(0.5, 0.85),
                rng.uniform(0.2, 0.8),
                tinted(rng, green),
                0.034,
                0.1,
            )
        )
    return parts


def bladeplant(rng: np.random.Generator) -> list[Part]:
    """Upright blades: snake plant, iris, reeds, a clump of grass."""
    parts, y = pot(rng, rng.uniform(0.18, 0.28)) if rng.random() < 0.7 else ([], 0.0)
    green, tall, width = pick(rng, GREENS), rng.uniform(0.6, 1.3), rng.uniform(0.05, 0.13)
    for i in range(rng.integers(14, 30)):
        root = around(2.4 * i, 0) * 0.13 * np.sqrt(rng.random()) + (0, y - 0.03, 0)
        lean = around(2.4 * i, 0) * rng.uniform(0.02, 0.35)
        high = tall * rng.uniform(0.55, 1.0)
        line = curve([root, root + lean * 0.35 + (0, high * 0.55, 0), root + lean + (0, high, 0)], 6)
        look = around(rng.uniform(0, 7), 0)
        parts.append(
            slab(
                line,
                width * np.array([0.7, 1, 1, 0.9, 0.65, 0.15]),
                0.03,
                tinted(rng, green),
                "leaf",
                face=look,
                cup=0.2,
                coarse=True,
            )
        )
    return parts


def fern(rng: np.random.Generator) -> list[Part]:
    """Arching fronds with leaflets on both sides, or a parlour palm."""
    parts, y = pot(rng) if rng.random() < 0.7 else ([], 0.0)
    green, fronds = pick(rng, GREENS), int(rng.integers(6, 10))
    for i in range(fronds):
        parts += frond(rng, (0, y, 0), around(2.4 * i, rng.uniform(0.7, 1.3)), rng.uniform(0.55, 0.9), green, pairs=6)
    return parts


def frond(
    rng: np.random.Generator, root: ArrayLike, way: Point, long: float, green: Color, pairs: int = 7
) -> list[Part]:
    """One feathered leaf: a rib and ``pairs`` of leaflets."""
    start, flat = np.asarray(root, np.float64), unit(way * (1, 0, 1))
    rib = curve(
        [
            start,
            start + way * long * 0.5,
            start + way * long * 0.6 + flat * long * 0.4 - (0, long * rng.uniform(0.1, 0.45), 0),
        ],
        pairs + 2,
    )
    parts, across = [tube(rib, np.linspace(0.02, 0.013, len(rib)), green, "stem", 4)], np.cross(flat, (0, 1, 0))
    for i in range(1, pairs + 2):
        size = long * 0.36 * np.sin(np.pi * (i + 0.6) / (pairs + 2.6))
        ahead = unit(rib[i] - rib[i - 1])
        for side in (1, -1):
            out = unit(across * side + 0.7 * ahead - (0, 0.25, 0))
            line = np.stack([rib[i], rib[i] + out * size * 0.5, rib[i] + out * size])
            parts.append(
                slab(
                    line,
                    size * np.array([0.25, 0.42, 0.08]),
                    0.03,
                    green,
                    "leaf",
                    face=np.cross(across, ahead),
                    coarse=True,
                )
            )
    return parts


def succulent(rng: np.random.Generator) -> list[Part]:
    """A rosette of plump leaves: echeveria, house leek, jade."""
    parts, y = pot(rng, rng.uniform(0.22, 0.34)) if rng.random() < 0.8 else ([], 0.0)
    green, count, size = (
        pick(rng, (*GREENS, (150, 170, 150), (170, 130, 140))),
        int(rng.integers(22, 42)),
        rng.uniform(0.2, 0.34),
    )
    for i in range(count):
        share = i / count
        way = around(2.4 * i, 0.1 + 1.35 * share)
        line = curve(
            [
                (0, y + 0.02, 0),
                way * size * 0.6 + (0, y + 0.01, 0),
                way * size * (1.15 - 0.45 * share) + (0, y + 0.05, 0),
            ],
            4,
        )
        parts.append(
            slab(
                line,
                size * np.array([0.25, 0.45, 0.42, 0.08]),
                size * 0.2,
                tinted(rng, green, 0.06),
                "leaf",
                face=(0, 1, 0.01),
                cup=0.25,
                coarse=True,
            )
        )
    return parts


def cactus(rng: np.random.Generator) -> list[Part]:
    """Column with arms, ribbed ball, or paddles."""
    parts, y = pot(rng, rng.uniform(0.2, 0.3)) if rng.random() < 0.75 else ([], 0.0)
    green, kind = pick(rng, GREENS), rng.integers(3)
    if kind == 0:
        tall, r = rng.uniform(0.6, 1.2), rng.uniform(0.09, 0.15)
        lumps: list[Lump] = [bone((0, y, 0), (0, y + tall, 0), r, r * 0.95)]
        for i in range(rng.integers(0, 4)):
            out, high = around(rng.uniform(0, 7) if i else 1.57, 0), y + tall * rng.uniform(0.3, 0.6)
            elbow = out * r * rng.uniform(2.2, 3.2) + (0, high + 0.03, 0)
            lumps += chain(
                [(0, high, 0), elbow, elbow + (0, rng.uniform(0.15, 0.4), 0)], [r * 0.65, r * 0.65, r * 0.6], 0.05
            )
        parts.append(blob(lumps, green, "flesh", 2600))
        spine_at = [(around(2.4 * i, 0) * r + (0, y + tall * (i + 1) / 26, 0), around(2.4 * i, 0.2)) for i in range(24)]
    elif kind == 1:
        r, ribs = rng.uniform(0.22, 0.4), int(rng.integers(8, 15))
        angle = 2 * np.pi * np.arange(4 * ribs) / (4 * ribs)
        wave = 1 + 0.09 * np.cos(ribs * angle)
        lat = np.linspace(-1.2, 1.45, 9)
        rings = np.stack(
            [
                np.stack(
                    [
                        np.cos(t) * wave * np.sin(angle),
                        np.full_like(angle, np.sin(t)),
                        np.cos(t) * wave * np.cos(angle),
                    ],
                    -1,
                )
                for t in lat
            ]
        )
        parts.append(
            solids.loft(
                Paint(green, "flesh"), rings * (r, r * rng.uniform(0.8, 1.4), r) + np.array([0, y + r * 0.8, 0])
            )
        )
        spine_at = []
        if rng.random() < 0.5:
            parts.append(
                pebble((0, parts[-1].vertices[:, 1].max(), 0), (0.09, 0.06, 0.09), pick(rng, PETALS), "flower")
            )
    else:
        spine_at, pads = [], [(np.array([0, y, 0]), np.array([0.05, 1.0, 0]), rng.uniform(0.3, 0.42))]
        for _ in range(rng.integers(3, 8)):
            root, way, long = pads[rng.integers(len(pads))]
            side = rng.choice([-1, 1])
            pads.append(
                (
                    root + way * long * 0.85,
                    unit(way + (side * rng.uniform(0.2, 0.9), 0.2, rng.normal(0, 0.3))),
                    long * rng.uniform(0.65, 0.95),
                )
            )
        for root, way, long in pads:
            line = curve([root, root + way * long * 0.5, root + way * long], 7)
            parts.append(
                slab(
                    line,
                    long * np.array([0.25, 0.5, 0.66, 0.72, 0.66, 0.48, 0.15]),
                    0.09,
                    tinted(rng, green, 0.05),
                    "flesh",
                    face=(0.2, 0, 1),
                )
            )
    for at, way in spine_at:
        parts.append(solids.rod(Paint((225, 215, 180), "spines"), at, at + way * 0.045, 0.013, 0.004, 4))
    return parts


def bamboo(rng: np.random.Generator) -> list[Part]:
    """Jointed canes with a few leaves."""
    parts, y = pot(rng) if rng.random() < 0.6 else ([], 0.0)
    green = pick(rng, (*GREENS, (190, 180, 90)))
    for i in range(rng.integers(3, 8)):
        root, tall = around(2.4 * i, 0) * rng.uniform(0.03, 0.15) + (0, y - 0.02, 0), rng.uniform(0.6, 1.5)
        lean, r = around(rng.uniform(0, 7), 0) * 0.12 * tall, rng.uniform(0.018, 0.032)
        joints = int(tall / 0.16)
        heights = np.repeat(np.linspace(0, 1, joints + 1), 3)[1:-1]
        wide = np.tile([1.0, 1.35, 1.0], joints + 1)[1:-1]
        line = (
            root
            + np.outer(heights, np.array([0, tall, 0]) + lean)
            + np.outer(np.tile([-0.012, 0, 0.012], joints + 1)[1:-1], (0, 1, 0))
        )
        parts.append(tube(line, wide * r, green, "cane", 7))
        for _ in range(rng.integers(2, 6)):
            at = root + rng.uniform(0.45, 1.0) * (np.array([0, tall, 0]) + lean)
            parts.append(
                leaf(
                    at,
                    around(rng.uniform(0, 7), rng.uniform(-0.1, 0.6)),
                    rng.uniform(0.2, 0.32),
                    0.07,
                    0.5,
                    pick(rng, GREENS),
                    0.03,
                )
            )
    return parts


def leafy(rng: np.random.Generator) -> list[Part]:
    """A pot full of foliage: basil, geranium, ivy that hangs over the rim, sometimes with flowers."""
    parts, y = pot(rng)
    green, hang, size = pick(rng, GREENS), rng.random() < 0.35, rng.uniform(0.22, 0.4)
    middle = np.array([0, y + size * 0.7, 0])
    parts.append(blob([egg(middle, (size * 0.8, size * 0.75, size * 0.8))], tinted(rng, green, 0.2), "leaf", 300))
    petal = pick(rng, PETALS) if rng.random() < 0.4 else None
    for i in range(rng.integers(40, 58)):
        way = around(2.4 * i, np.arcsin(1 - 1.5 * (i + 0.5) / 62))
        parts.append(
            leaf(
                middle + way * size * 0.72,
                unit(way + (0, 0.15, 0)),
                size * rng.uniform(0.4, 0.6),
                size * 0.36,
                0.5,
                tinted(rng, green),
                0.034,
            )
        )
        if petal and i % 6 == 0:
            parts.append(pebble(middle + way * size * 1.1, 0.05, petal, "petals"))
    for i in range(rng.integers(3, 6) if hang else 0):
        out = around(2.4 * i, 0)
        line = curve(
            [middle, middle + out * 0.38, out * 0.42 + (0, y * 0.6, 0), out * 0.4 + (0, y * rng.uniform(0.1, 0.4), 0)],
            8,
        )
        parts.append(tube(line, 0.018, green, "stem", 5))
        parts += [leaf(line[k], out + (0, -0.3, 0), 0.14, 0.1, 0.6, tinted(rng, green), 0.03) for k in (3, 5, 7)]
    return parts


PLANTS: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    rosette,
    rosette,
    broadleaf,
    broadleaf,
    bladeplant,
    fern,
    succulent,
    cactus,
    cactus,
    bouquet,
    flower,
    bamboo,
    leafy,
)
