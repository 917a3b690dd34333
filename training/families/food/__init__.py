"""Food: fruit and vegetables here; what is baked, filled and frosted in ``meals``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.families import parts as solids
from training.families.blobs import Color, Lump, blob, bone, chain, egg, tilted
from training.families.colors import pick, tinted
from training.families.food.meals import MEALS
from training.families.parts import Paint
from training.families.slabs import curve, finer, leaf_widths, pebble, slab, tube, unit
from training.shapes import Part

GREEN, STALK = (85, 130, 55), (100, 75, 45)


def make(rng: np.random.Generator) -> list[Part]:
    """One object to eat."""
    kinds = MEALS if rng.random() < 0.5 else FRUIT
    return finer(kinds[rng.integers(len(kinds))](rng))


def _stem(rng: np.random.Generator, top: float, long: float = 0.25, with_leaf: float = 0.5) -> list[Part]:
    lean = rng.normal(0, 0.06, 3) * (1, 0, 1)
    parts = [
        tube(
            curve([(0, top - 0.12, 0), (0, top + 0.4 * long, 0), lean + (0, top + long, 0)], 5),
            [0.025, 0.025, 0.026, 0.03, 0.035],
            STALK,
            "stem",
            6,
        )
    ]
    if rng.random() < with_leaf:
        way = np.array([rng.choice([-1, 1]) * 0.8, 0.3, rng.normal(0, 0.4)])
        line = curve([(0, top + 0.1, 0), way * 0.25 + (0, top + 0.12, 0), way * 0.5 + (0, top + 0.05, 0)], 6)
        parts.append(slab(line, leaf_widths(6, 0.22), 0.03, GREEN, "leaf", face=(0, 1, 0.01)))
    return parts


def apple(rng: np.random.Generator) -> list[Part]:
    """Apple, orange, peach, tomato or cherry: a ball with a dimple; apples may be bitten or cut."""
    color = pick(rng, ((190, 40, 35), (120, 170, 60), (230, 190, 70), (235, 140, 40), (240, 170, 130), (210, 50, 40)))
    flat = rng.uniform(0.8, 1.05)
    lumps: list[Lump] = [
        egg((0, 0.04, 0), (0.5, 0.5 * flat, 0.5)),
        egg((0, -0.2, 0), (0.36, 0.34 * flat, 0.36), blend=0.15),
    ]
    lumps.append(egg((0, 0.6 * flat, 0), (0.14, 0.22, 0.14), blend=0.18, carve=True))
    if rng.random() < 0.2:
        for step in (-0.12, 0.1):
            lumps.append(egg((0.55, step + 0.05, 0.12 + step), 0.2, blend=0.02, carve=True))
    return [blob(lumps, color, "skin", 1800), *_stem(rng, 0.42 * flat)]


def pear(rng: np.random.Generator) -> list[Part]:
    """Pear, avocado, fig, aubergine or a lemon."""
    color = pick(rng, ((190, 190, 70), (150, 170, 70), (200, 150, 60), (70, 90, 45), (80, 40, 90), (240, 215, 70)))
    tall, slim, lean = rng.uniform(0.35, 0.65), rng.uniform(0.45, 0.75), rng.normal(0, 0.08)
    lumps: list[Lump] = [
        egg((0, 0, 0), (0.42, 0.42, 0.42)),
        bone((0, 0.1, 0), (lean, tall, 0), 0.36, 0.42 * slim * 0.75, 0.15),
    ]
    return [blob(lumps, color, "skin", 1800), *_stem(rng, tall + 0.2)]


def banana(rng: np.random.Generator) -> list[Part]:
    """One banana or a hand of them."""
    color, count = pick(rng, ((235, 205, 70), (170, 190, 70), (225, 190, 90))), int(rng.choice([1, 1, 3, 4]))
    bend, parts = rng.uniform(0.5, 0.9), []
    for i in range(count):
        turn = (i - (count - 1) / 2) * 0.32
        t = np.linspace(-1, 1, 12) * bend
        arc = np.stack([np.sin(t), 1 - np.cos(t), np.zeros(12)], 1) * 0.8 / bend
        radii = np.array([0.03, 0.05, 0.09, 0.12, 0.13, 0.135, 0.135, 0.13, 0.12, 0.09, 0.05, 0.035])
        c, s = np.cos(turn), np.sin(turn)
        arc = arc @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]]) + (0, 0.12, 0)
        parts.append(
            tube(
                curve(arc, 20),
                np.interp(np.linspace(0, 11, 20), range(12), radii),
                tinted(rng, color, 0.05),
                "skin",
                8 if count > 1 else 12,
            )
        )
        parts.append(tube(arc[:2] + (arc[0] - arc[1]) * 0.4, [0.045, 0.04], STALK, "stem", 6))
    return parts


def berry(rng: np.random.Generator) -> list[Part]:
    """Strawberry, grapes, raspberry or a pair of cherries."""
    kind = rng.integers(3)
    if kind == 0:
        parts = [
            blob(
                chain([(0, 0.05, 0), (0, -0.2, 0), (0, -0.42, 0)], [0.36, 0.27, 0.11], 0.25),
                pick(rng, ((205, 40, 45),)),
                "skin",
                1300,
            )
        ]
        for i in range(7):
            way = np.array([np.sin(i * 0.9), 0, np.cos(i * 0.9)])
            line = [(0, 0.36, 0), way * 0.18 + (0, 0.42, 0), way * 0.36 + (0, 0.34, 0)]
            parts.append(slab(line, [0.1, 0.16, 0.03], 0.03, GREEN, "leaf", face=(0, 1, 0.01)))
        return parts + _stem(rng, 0.4, 0.2, 0)
    if kind == 1:
        color, parts = pick(rng, ((90, 40, 90), (150, 180, 80), (60, 60, 110))), []
        for i in range(30):
            share = i / 30
            r = (0.36 * (1 - share) ** 0.7 + 0.02) * rng.uniform(0.6, 1)
            parts.append(
                pebble(
                    (r * np.sin(2.4 * i), 0.5 - share * 1.1, r * np.cos(2.4 * i)),
                    rng.uniform(0.12, 0.145),
                    tinted(rng, color),
                    "skin",
                )
            )
        return parts + _stem(rng, 0.6, 0.2, 1.0)
    color = pick(rng, ((180, 25, 40), (120, 20, 40)))
    joint, parts = np.array([0, 0.95, 0]), []
    for side in (1, -1):
        at = np.array([side * 0.26, rng.uniform(-0.05, 0.1), rng.normal(0, 0.08)])
        parts.append(blob([egg(at, 0.22), egg(at + (0, 0.24, 0), 0.07, blend=0.08, carve=True)], color, "skin", 700))
        parts.append(tube(curve([at + (0, 0.12, 0), at * 0.8 + (0, 0.6, 0), joint], 7), 0.022, GREEN, "stem", 6))
    return [
        *parts,
        slab(
            curve([joint, joint + (0.2, 0.08, 0.05), joint + (0.45, 0.0, 0.1)], 6),
            leaf_widths(6, 0.22),
            0.03,
            GREEN,
            "leaf",
            face=(0, 1, 0.01),
        ),
    ]


def melon(rng: np.random.Generator) -> list[Part]:
    """Pumpkin or melon, ribbed; sometimes a slice of watermelon."""
    if rng.random() < 0.3:
        angle = np.linspace(0, np.pi, 14)
        outline = np.stack([np.cos(angle), -np.sin(angle)], 1)
        parts = [
            solids.extrude(Paint((60, 120, 50), "rind"), outline * 0.6, 0.18, (0, 0.6, 0)),
            solids.extrude(Paint((225, 60, 60), "flesh"), outline * 0.53 + (0, 0.012), 0.2, (0, 0.6, 0)),
        ]
        for _ in range(8):
            at = rng.uniform((-0.35, 0.25), (0.35, 0.52))
            parts += [pebble((at[0], at[1], z), (0.02, 0.035, 0.012), (30, 25, 22), "seed") for z in (0.1, -0.1)]
        return parts
    color, ribs, tall = (
        pick(rng, ((230, 125, 35), (70, 120, 50), (210, 190, 120), (150, 90, 40))),
        int(rng.integers(7, 13)),
        rng.uniform(0.6, 1.1),
    )
    angle = 2 * np.pi * np.arange(5 * ribs) / (5 * ribs)
    wave = 1 - rng.uniform(0.02, 0.14) * (1 - np.abs(np.sin(ribs * angle / 2)))
    lat = np.linspace(-1.45, 1.45, 11)
    rings = (
        np.stack(
            [
                np.stack(
                    [
                        np.cos(t) * wave * np.sin(angle),
                        np.full_like(angle, np.sin(t) * tall),
                        np.cos(t) * wave * np.cos(angle),
                    ],
                    -1,
                )
                for t in lat
            ]
        )
        * 0.5
    )
    parts = [solids.loft(Paint(color, "skin"), rings)]
    if rng.random() < 0.2:
        parts += [
            solids.extrude(
                Paint((40, 25, 15), "face"), np.array([(-0.08, 0), (0.08, 0), (0, 0.12)]) + (x, y), 0.1, (0, 0, 0.44)
            )
            for x, y in ((0.16, 0.06), (-0.16, 0.06), (0, -0.08))
        ]
        parts.append(solids.block(Paint((40, 25, 15), "face"), (-0.2, -0.2 * tall, 0.36), (0.2, -0.13 * tall, 0.47)))
    return parts + _stem(rng, 0.47 * tall, 0.2, 0.3)


def root(rng: np.random.Generator) -> list[Part]:
    """Carrot, radish, beet or onion with its green."""
    color, long = (
        pick(rng, ((235, 120, 40), (200, 50, 80), (110, 40, 60), (215, 165, 90), (240, 235, 225))),
        rng.uniform(0.15, 1.1),
    )
    fat = 0.16 + 0.22 * (long < 0.5)
    parts = [
        blob(
            [
                bone((0, 0, 0), (rng.normal(0, 0.04), -long, 0), fat, 0.035, 0.02),
                egg((0, 0.02, 0), (fat, fat * 0.8, fat)),
            ],
            color,
            "skin",
            1200,
        )
    ]
    for i in range(rng.integers(4, 9)):
        way = unit(rng.normal(size=3) * (0.5, 0, 0.5) + (0, 1.2, 0))
        line = curve(
            [
                (0, fat * 0.6, 0),
                way * 0.3 + (0, fat * 0.6, 0),
                way * rng.uniform(0.5, 0.8) + (0, fat * 0.6, 0) + rng.normal(0, 0.06, 3),
            ],
            6,
        )
        parts.append(
            slab(
                line,
                [0.04, 0.05, 0.08, 0.14, 0.12, 0.04],
                0.035,
                tinted(rng, GREEN),
                "leaf",
                face=(np.sin(i), 0.2, np.cos(i)),
            )
        )
    return parts


def mushroom(rng: np.random.Generator) -> list[Part]:
    """Toadstool or cep, alone or a small group."""
    cap, parts = pick(rng, ((195, 40, 35), (150, 100, 60), (225, 205, 180), (210, 150, 70))), []
    spots = rng.random() < 0.5
    for i in range(rng.choice([1, 1, 2, 3])):
        size, at = (
            rng.uniform(0.5, 1.0) if i else 1.0,
            np.array([rng.uniform(0.35, 0.5) * (-1) ** i, 0, rng.uniform(-0.3, 0.3)]) * (i > 0),
        )
        tall, wide, dome = rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.5), rng.uniform(0.18, 0.38)
        stem = np.array([(0.16, 0), (0.15, 0.1), (0.11, tall * 0.5), (0.1, tall + 0.05)])
        hat = np.array(
            [
                (0.08, tall),
                (wide * 0.8, tall - 0.02),
                (wide, tall + 0.03),
                (wide * 0.9, tall + dome * 0.55),
                (wide * 0.55, tall + dome * 0.9),
                (0.05, tall + dome),
            ]
        )
        parts += [
            solids.lathe(Paint((235, 225, 205), "stem"), stem * size, at, 18),
            solids.lathe(Paint(cap, "cap"), hat * size, at, 26),
        ]
        for k in range(9 if spots else 0):
            rise, turn = rng.uniform(0.35, 1.3), 2.4 * k
            way = np.array(
                [
                    np.cos(rise) * np.sin(turn) * wide * 0.97,
                    tall + dome * np.sin(rise) * 0.98,
                    np.cos(rise) * np.cos(turn) * wide * 0.97,
                ]
            )
            parts.append(pebble(at + way * size, rng.uniform(0.03, 0.06) * size, (245, 240, 230), "spots"))
    return parts


def pineapple(rng: np.random.Generator) -> list[Part]:
    """Pineapple, artichoke or a cob of maize: knobs in spirals and a crown."""
    kind, parts = rng.integers(2), []
    color, wide = ((205, 150, 50), 0.33) if kind == 0 else ((240, 200, 70), 0.18)
    tall, rows = rng.uniform(0.75, 1.0), 9
    parts.append(
        solids.ellipsoid(Paint(color, "skin"), (wide * 0.96, tall / 2, wide * 0.96), (0, tall / 2, 0), sides=18)
    )
    for k in range(rows):
        high = (k + 0.7) / (rows + 0.4)
        r = wide * np.sqrt(max(1 - (2 * high - 1) ** 2, 0.05))
        for j in range(8):
            turn = 2 * np.pi * (j + 0.5 * (k % 2)) / 8
            parts.append(
                solids.ellipsoid(
                    Paint(tinted(rng, color), "skin"),
                    np.full(3, 0.075 if kind == 0 else 0.055),
                    (r * np.sin(turn), high * tall, r * np.cos(turn)),
                    sides=5,
                    rings=3,
                )
            )
    if kind == 0:
        for i in range(18):
            way = np.array([np.sin(2.4 * i), 0, np.cos(2.4 * i)])
            out, high = 0.3 * (1 - i / 18), 0.2 + 0.35 * i / 18
            line = curve(
                [
                    (0, tall - 0.06, 0),
                    way * out * 0.6 + (0, tall + high * 0.6, 0),
                    way * out * 1.2 + (0, tall + high, 0),
                ],
                4,
            )
            parts.append(
                slab(
                    line, [0.1, 0.12, 0.09, 0.02], 0.03, tinted(rng, GREEN), "leaf", face=way + (0, 0.1, 0), coarse=True
                )
            )
    else:
        for i in range(5):
            way = np.array([np.sin(1.26 * i), 0, np.cos(1.26 * i)])
            line = curve(
                [
                    (0, -0.08, 0),
                    way * wide * 1.15 + (0, tall * 0.25, 0),
                    way * wide * rng.uniform(1.2, 2.0) + (0, tall * rng.uniform(0.55, 0.8), 0),
                ],
                6,
            )
            parts.append(
                slab(line, [0.12, 0.24, 0.28, 0.25, 0.16, 0.03], 0.03, (130, 165, 80), "leaf", face=-way, cup=0.3)
            )
    return parts


def pepper(rng: np.random.Generator) -> list[Part]:
    """Bell pepper, chilli, cucumber, courgette or a pod."""
    color, long = pick(rng, ((200, 40, 35), (235, 190, 50), (70, 130, 50), (60, 100, 45))), rng.uniform(0.6, 1.3)
    if rng.random() < 0.5:
        lumps: list[Lump] = [
            egg((0.2 * np.sin(a), 0, 0.2 * np.cos(a)), (0.24, 0.42, 0.24), tilted(0, a), 0.05)
            for a in 2 * np.pi * np.arange(4) / 4
        ]
        lumps.append(egg((0, 0.48, 0), (0.14, 0.12, 0.14), blend=0.1, carve=True))
        return [blob(lumps, color, "skin", 2600), *_stem(rng, 0.4, 0.25, 0)]
    way = curve([(0, 0.1, -long / 2), (rng.normal(0, 0.1), 0.12, 0), (rng.normal(0, 0.2), 0.1, long / 2)], 9)
    fat = rng.uniform(0.08, 0.16)
    parts = [blob(chain(way, fat * np.array([0.8, 1, 1, 1, 1, 0.95, 0.85, 0.65, 0.4]), 0.1), color, "skin", 1600)]
    return [
        *parts,
        tube(
            [way[0] + (0, 0, 0.02), way[0] - (0, -0.02, fat), way[0] - (0, -0.08, fat + 0.12)],
            [0.05, 0.035, 0.03],
            (70, 100, 45),
            "stem",
            7,
        ),
    ]


def fruit_bowl(rng: np.random.Generator) -> list[Part]:
    """A bowl or basket heaped with fruit."""
    colors: tuple[Color, ...] = ((190, 40, 35), (235, 140, 40), (130, 170, 60), (235, 205, 70), (110, 50, 100))
    profile = np.array([(0.28, 0), (0.3, 0.03), (0.38, 0.075), (0.5, 0.16), (0.62, 0.34)])
    parts = [solids.vessel(Paint(pick(rng, ((150, 100, 60), (235, 235, 230), (70, 110, 150))), "bowl"), profile, 0.04)]
    for i in range(rng.integers(5, 10)):
        r = rng.uniform(0.14, 0.19)
        at = np.array([np.sin(2.4 * i), 0, np.cos(2.4 * i)]) * min(0.36, 0.16 * np.sqrt(i)) + (
            0,
            0.34 if i > 2 else 0.48,
            0,
        )
        parts.append(
            solids.ellipsoid(
                Paint(pick(rng, colors), f"fruit{i % 3}"), r * rng.uniform(0.9, 1.15, 3), at, sides=14, rings=7
            )
        )
        parts.append(solids.rod(Paint(STALK, "stem"), at + (0, r * 0.8, 0), at + (0.02, r * 1.25, 0), 0.018, sides=5))
    return parts


FRUIT: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    apple,
    apple,
    pear,
    banana,
    berry,
    melon,
    root,
    mushroom,
    pineapple,
    pepper,
    fruit_bowl,
)
