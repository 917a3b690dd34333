"""Animals low on the ground: lizards, turtles, frogs, snails, snakes, beetles, bees, butterflies, spiders, crabs."""

from __future__ import annotations

import numpy as np

from training.families.blobs import Color, Lump, blob, bone, chain, egg, mirrored, tilted
from training.families.colors import pick, tinted
from training.families.slabs import curve, leaf_widths, pebble, slab, tube
from training.shapes import Part

BLACK, WHITE = (25, 24, 24), (238, 238, 234)
GREENS: tuple[Color, ...] = ((70, 120, 50), (110, 140, 60), (50, 90, 60), (120, 110, 60), (100, 160, 70))
BRIGHT: tuple[Color, ...] = (
    (200, 40, 30),
    (230, 150, 30),
    (60, 90, 190),
    (200, 80, 150),
    (240, 200, 40),
    (120, 60, 160),
)


def lizard(rng: np.random.Generator) -> list[Part]:
    """Lizard, gecko, crocodile or a small dragon without wings: sprawled legs, long tail."""
    skin, fat, snout = pick(rng, GREENS), rng.uniform(0.1, 0.17), rng.uniform(0.2, 0.45)
    sway = rng.normal(0, 0.12)
    low = fat * rng.uniform(1.0, 1.4)
    tail = [(sway, low, -0.5), (-sway, low * 0.8, -0.9), (sway * 1.5, 0.05, rng.uniform(-1.6, -1.2))]
    lumps: list[Lump] = [
        egg((0, low, 0), (fat * 1.2, fat, 0.42)),
        *chain(curve([(0, low, 0.3), *tail], 7), np.array([1, 1, 0.9, 0.72, 0.55, 0.42, 0.3]) * fat, 0.05),
        bone((0, low, 0.35), (0, low * 1.25, 0.6), fat * 0.8, fat * 0.85, 0.06),
        bone((0, low * 1.25, 0.62), (0, low * 1.1, 0.62 + snout), fat * 0.8, fat * 0.4, 0.05),
    ]
    for z in (0.28, -0.3):
        for side in (1, -1):
            step = rng.uniform(-0.1, 0.12)
            reach = side * (fat + 0.26)
            legs = [
                (side * fat * 0.8, low, z),
                (reach, low * 1.15, z - 0.05),
                (reach * 1.02, 0.05, z + step),
                (reach * 1.1, 0.03, z + step + 0.1),
            ]
            lumps += chain(legs, np.array([0.5, 0.38, 0.28, 0.34]) * fat, 0.03)
    parts = [blob(lumps, skin, "skin", 3200)]
    parts += [pebble((s * fat * 0.6, low * 1.25 + fat * 0.6, 0.68), fat * 0.26, BLACK, "eye") for s in (1, -1)]
    if rng.random() < 0.4:
        for z in np.linspace(0.3, -0.8, 9):
            parts.append(
                tube(
                    [(0, low * 0.8 + fat * (0.9 if z > -0.4 else 0.2), z), (0, low + fat * 1.25, z - 0.06)],
                    [0.05, 0.015],
                    tinted(rng, skin, 0.3),
                    "spike",
                    5,
                )
            )
    return parts


def turtle(rng: np.random.Generator) -> list[Part]:
    """Turtle or tortoise; some swim with flippers."""
    skin, shell = pick(rng, GREENS), pick(rng, ((100, 80, 45), (70, 90, 50), (130, 100, 50)))
    dome, lift = rng.uniform(0.25, 0.5), rng.uniform(0.12, 0.25)
    top: list[Lump] = [
        egg((0, lift, 0), (0.45, dome, 0.55)),
        egg((0, lift - dome, 0), (0.9, dome * 0.9, 0.9), blend=0.03, carve=True),
    ]
    neck = rng.uniform(0.05, 0.3)
    head: list[Lump] = [
        egg((0, lift, 0), (0.4, 0.1, 0.5)),
        bone((0, lift, 0.4), (0, lift + neck, 0.66), 0.09, 0.08, 0.05),
        egg((0, lift + neck, 0.74), (0.11, 0.1, 0.15)),
        bone((0, lift, -0.4), (0, lift - 0.06, -0.66), 0.06, 0.025),
    ]
    swim = rng.random() < 0.3
    parts = []
    for z in (0.33, -0.33):
        x = 0.34
        if swim:
            way = np.array(
                [(x, lift, z), (x + 0.25, lift, z + 0.05), (x + (0.55 if z > 0 else 0.3), lift - 0.05, z - 0.2)]
            )
            for side in (1, -1):
                parts.append(
                    slab(
                        curve(way * (side, 1, 1), 6),
                        [0.14, 0.2, 0.2, 0.17, 0.12, 0.04],
                        0.05,
                        skin,
                        "skin",
                        face=(0, 1, 0),
                    )
                )
        else:
            head += mirrored([bone((x, lift, z), (x + 0.1, 0.06, z * 1.15), 0.1, 0.09, 0.05)])
    parts += [blob(head, skin, "skin", 1500), blob(top, shell, "shell", 1300)]
    rim = tinted(rng, shell, 0.3)
    for _ in range(7):
        way = rng.normal(size=3) * (0.6, 0, 0.6) + (0, 0.9, 0)
        way = way / np.linalg.norm(way)
        parts.append(pebble(np.array([0, lift, 0]) + way * (0.43, dome * 0.97, 0.52), (0.1, 0.05, 0.1), rim, "plate"))
    return parts + [pebble((s * 0.07, lift + neck + 0.05, 0.8), 0.028, BLACK, "eye") for s in (1, -1)]


def frog(rng: np.random.Generator) -> list[Part]:
    """A squatting frog or toad."""
    skin, up = pick(rng, (*GREENS, (60, 170, 60), (140, 90, 50))), rng.uniform(0.2, 0.5)
    axes = tilted(up)
    lumps: list[Lump] = [
        egg((0, 0.32, 0), (0.32, 0.25, 0.45), axes),
        egg((0, 0.42 + up * 0.35, 0.36), (0.3, 0.19, 0.28), axes, 0.1),
        *mirrored([egg((0.16, 0.6 + up * 0.35, 0.38), 0.1, blend=0.05)]),
        *mirrored(
            chain(
                [(0.25, 0.22, -0.25), (0.46, 0.3, 0.12), (0.36, 0.08, -0.25), (0.5, 0.05, 0.15), (0.55, 0.04, 0.25)],
                [0.15, 0.11, 0.07, 0.06, 0.07],
                0.04,
            )
        ),
        *mirrored(
            chain(
                [(0.22, 0.4, 0.28), (0.36, 0.22, 0.3), (0.3, 0.05, 0.42), (0.33, 0.04, 0.52)],
                [0.09, 0.065, 0.05, 0.06],
                0.04,
            )
        ),
    ]
    parts = [blob(lumps, skin, "skin", 3000)]
    belly: list[Lump] = [egg((0, 0.26, 0.16), (0.24, 0.22, 0.28), axes)]
    parts.append(blob(belly, (225, 225, 180), "belly", 400))
    return parts + [pebble((s * 0.2, 0.64 + up * 0.35, 0.44), 0.06, BLACK, "eye") for s in (1, -1)]


def snail(rng: np.random.Generator) -> list[Part]:
    """A snail with a coiled shell."""
    skin, shell = (
        pick(rng, ((200, 170, 120), (150, 120, 90), (220, 190, 160))),
        pick(rng, ((150, 90, 50), (190, 140, 80), *BRIGHT)),
    )
    t = np.linspace(0, rng.uniform(2, 2.6) * 2 * np.pi, 40)
    radius = 0.36 * np.exp(-0.12 * t)
    coil = np.stack([0.03 * t * 0.6, 0.44 + radius * np.cos(t + np.pi), -0.1 + radius * np.sin(t + np.pi)], 1)
    lumps = chain([(0, 0.07, -0.8), (0, 0.1, 0), (0, 0.12, 0.5), (0, 0.3, 0.72)], [0.03, 0.15, 0.13, 0.13], 0.06)
    parts = [blob(lumps, skin, "skin", 1200), tube(coil, 0.55 * radius + 0.02, shell, "shell", 12)]
    parts.append(pebble((0.04, 0.44, -0.1), (0.14, 0.3, 0.3), shell, "shell"))
    for side in (1, -1):
        tip = np.array([side * 0.14, 0.62, 0.85])
        parts += [
            tube([(side * 0.06, 0.36, 0.76), tip], [0.03, 0.022], skin, "skin", 6),
            pebble(tip, 0.045, BLACK, "eye"),
        ]
    return parts


def snake(rng: np.random.Generator) -> list[Part]:
    """A coiled or winding snake."""
    skin = pick(rng, (*GREENS, *BRIGHT))
    if rng.random() < 0.5:
        t = np.linspace(0, rng.uniform(2, 3) * 2 * np.pi, 60)
        radius, rise = 0.45 - 0.09 * t / np.pi / 2, 0.07 + 0.11 * t / 2 / np.pi
        way = np.stack([radius * np.sin(t), rise, radius * np.cos(t)], 1)
        head = curve([way[-1], way[-1] + (0.05, 0.25, 0.05), (0, rise[-1] + 0.4, 0.15), (0, rise[-1] + 0.42, 0.42)], 12)
    else:
        t = np.linspace(0, 1, 60)
        way = np.stack([0.22 * np.sin(t * rng.uniform(8, 14)), np.full(60, 0.07), 1.6 * t], 1)
        head = curve([way[-1], way[-1] + (0, 0.02, 0.15), way[-1] + (0, 0.15, 0.3), way[-1] + (0, 0.18, 0.5)], 12)
    path = np.concatenate([way, head[1:]])
    radii = np.interp(np.linspace(0, 1, len(path)), [0, 0.3, 0.9, 0.96, 1], [0.02, 0.075, 0.06, 0.05, 0.05])
    parts = [tube(path, radii, skin, "skin", 10), pebble(path[-1] + (0, 0, 0.02), (0.08, 0.055, 0.12), skin, "skin")]
    return parts + [pebble(path[-1] + (s * 0.05, 0.04, 0.05), 0.02, BLACK, "eye") for s in (1, -1)]


def beetle(rng: np.random.Generator) -> list[Part]:
    """Ladybird or beetle."""
    shell, high = pick(rng, (*BRIGHT, (40, 60, 40), (60, 40, 30))), rng.uniform(0.28, 0.45)
    long = rng.uniform(0.5, 0.75)
    parts = [blob([egg((0, 0.15, -0.1), (0.42, high, long))], shell, "shell", 900)]
    parts.append(
        blob(
            [egg((0, 0.13, long * 0.85), (0.25, 0.2, 0.22)), egg((0, 0.08, -0.1), (0.36, 0.12, long * 0.9))],
            BLACK,
            "body",
            900,
        )
    )
    for _ in range(rng.integers(0, 5)):
        way = np.array([rng.uniform(0.3, 0.8), rng.uniform(0.5, 1), rng.uniform(-0.7, 0.6)])
        way /= np.linalg.norm(way)
        for side in (1, -1):
            parts.append(pebble((0, 0.15, -0.1) + way * (side * 0.42, high, long), 0.07, BLACK, "spot"))
    return (
        parts
        + _six_legs(rng, 0.32, 0.3, BLACK)
        + _feelers(rng, (0, 0.22, long + 0.05), BLACK)
        + _insect_eyes(0.16, 0.2, long + 0.08)
    )


def bee(rng: np.random.Generator) -> list[Part]:
    """Bee, wasp or fly, wings out."""
    color = pick(rng, ((235, 180, 40), (220, 150, 40), (60, 70, 60)))
    parts = [
        blob(
            [
                egg((0, 0.35, -0.35), (0.24, 0.24, 0.45)),
                egg((0, 0.4, 0.15), (0.2, 0.2, 0.24)),
                egg((0, 0.4, 0.48), 0.17),
            ],
            color,
            "fur",
            1500,
        )
    ]
    for z in (-0.2, -0.42, -0.62):
        radius = 0.25 * np.sqrt(max(1 - ((z + 0.35) / 0.45) ** 2, 0.1))
        parts.append(tube([(0, 0.35, z - 0.045), (0, 0.35, z + 0.045)], [radius * 1.05] * 2, BLACK, "stripe", 14))
    lift, back = rng.uniform(0.1, 0.45), rng.uniform(-0.4, 0.1)
    for side in (1, -1):
        for size, dz in ((0.8, 0.12), (0.55, -0.05)):
            way = curve(
                [
                    (side * 0.08, 0.55, dz),
                    (side * 0.4 * size, 0.6 + lift * 0.5, dz + back * 0.4),
                    (side * size, 0.58 + lift, dz + back),
                ],
                7,
            )
            parts.append(slab(way, leaf_widths(7, 0.34 * size, 0.65, 0.1), 0.025, WHITE, "wing", face=(0, 1, 0)))
    return (
        parts + _six_legs(rng, 0.2, 0.25, BLACK) + _feelers(rng, (0, 0.5, 0.6), BLACK) + _insect_eyes(0.1, 0.44, 0.58)
    )


def butterfly(rng: np.random.Generator) -> list[Part]:
    """A butterfly or dragonfly with open wings."""
    color, other, lift = pick(rng, BRIGHT), pick(rng, BRIGHT), rng.uniform(0.05, 0.8)
    parts = [
        tube([(0, 0.1, -0.5), (0, 0.12, -0.2), (0, 0.12, 0.1), (0, 0.12, 0.3)], [0.02, 0.05, 0.06, 0.05], BLACK, "body")
    ]
    slim = 0.35 if rng.random() < 0.25 else 1.0
    for side in (1, -1):
        for z, reach, width in ((0.35, 0.95, 0.62), (-0.35, 0.7, 0.6)):
            way = curve(
                [
                    (side * 0.02, 0.12, z * 0.15),
                    (side * reach * 0.55, 0.12 + lift * 0.5, z * 0.8),
                    (side * reach, 0.12 + lift, z * 1.3),
                ],
                8,
            )
            shape = width * slim * np.array([0.12, 0.4, 0.7, 0.95, 1.0, 0.92, 0.7, 0.25])
            parts.append(slab(way, shape, 0.03, color, "wing", face=(0, 1, 0)))
            parts.append(pebble(way[5], (0.1 * slim, 0.025, 0.1 * slim), other, "spot"))
    return parts + _feelers(rng, (0, 0.15, 0.33), BLACK)


def spider(rng: np.random.Generator) -> list[Part]:
    """Spider, crab or ant."""
    color = pick(rng, (BLACK, (90, 60, 40), (190, 60, 40), (60, 60, 70)))
    kind = rng.integers(3)
    if kind == 0:
        lumps: list[Lump] = [egg((0, 0.4, -0.4), (0.3, 0.28, 0.38)), egg((0, 0.35, 0.1), (0.2, 0.16, 0.24))]
    elif kind == 1:
        lumps = [egg((0, 0.3, 0), (0.5, 0.18, 0.34))]
    else:
        lumps = [
            egg((0, 0.35, -0.5), (0.2, 0.19, 0.32)),
            egg((0, 0.32, -0.02), (0.12, 0.12, 0.22)),
            egg((0, 0.36, 0.4), (0.19, 0.17, 0.2)),
        ]
    parts = [blob(lumps, color, "body", 1200)]
    rows = 3 if kind == 2 else 4
    for i in range(rows):
        ahead = np.linspace(0.75, -0.85, rows)[i]
        for side in (1, -1):
            root = np.array([side * (0.4 if kind == 1 else 0.1), 0.3, ahead * 0.2])
            knee, foot = root + (side * 0.4, 0.35, ahead * 0.35), root + (side * 0.75, -0.3, ahead * 0.7)
            parts.append(tube([root, knee, foot], [0.045, 0.04, 0.025], color, "leg", 6))
    if kind == 1:
        for side in (1, -1):
            parts.append(
                tube(
                    curve([(side * 0.4, 0.3, 0.2), (side * 0.7, 0.35, 0.4), (side * 0.5, 0.35, 0.7)], 6),
                    [0.05, 0.06, 0.06, 0.07, 0.1, 0.12],
                    color,
                    "leg",
                )
            )
            parts.append(pebble((side * 0.42, 0.36, 0.85), (0.09, 0.08, 0.2), color, "leg"))
    return parts + _insect_eyes(0.09, 0.45, 0.3 if kind < 2 else 0.55)


def _six_legs(rng: np.random.Generator, out: float, long: float, color: Color) -> list[Part]:
    parts = []
    for z in (0.35, 0.0, -0.35):
        for side in (1, -1):
            root = np.array([side * out * 0.6, 0.15, z * 0.8])
            knee = root + (side * long, 0.08, z * 0.3 + rng.normal(0, 0.03))
            parts.append(
                tube(
                    [root, knee, (knee[0] + side * 0.1, 0.0, knee[2] + z * 0.3)], [0.035, 0.03, 0.025], color, "leg", 6
                )
            )
    return parts


def _feelers(rng: np.random.Generator, root: tuple[float, float, float], color: Color) -> list[Part]:
    spread, long = rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.35)
    base = np.array(root)
    return [
        tube(
            curve([base, base + (s * spread * 0.4, long, long * 0.4), base + (s * spread, long * 1.1, long)], 5),
            0.02,
            color,
            "leg",
            5,
        )
        for s in (1, -1)
    ]


def _insect_eyes(x: float, y: float, z: float) -> list[Part]:
    return [pebble((s * x, y, z), 0.05, WHITE, "eye") for s in (1, -1)]


CRAWLERS = (lizard, lizard, turtle, frog, snail, snake, beetle, bee, butterfly, spider)
