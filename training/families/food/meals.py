"""Meals: burgers, sandwiches, bread, pizza, sushi, plates with a meal. Sweet objects are in ``sweets``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg
from training.families.colors import Color, pick
from training.families.food.sweets import CRUST, cake, cupcake, doughnut, icecream, treat
from training.families.parts import Paint
from training.families.slabs import curve, pebble, slab, tube
from training.shapes import Part

LETTUCE, TOMATO, CHEESE, MEAT = (110, 165, 60), (205, 50, 40), (245, 190, 60), (95, 58, 38)


def _frill(rng: np.random.Generator, radius: float, y: float, color: Color, height: float = 0.05) -> Part:
    """A wavy disc that hangs out between two layers: lettuce, ham."""
    angle = 2 * np.pi * np.arange(36) / 36
    wave = np.sin(angle * rng.integers(6, 11) + rng.uniform(0, 6))
    ring = np.stack([np.sin(angle), np.zeros(36), np.cos(angle)], -1)
    high = (height * 0.6 * wave)[:, None] * np.array([0, 1, 0])
    wide = radius * (1 + 0.06 * rng.normal(size=(36, 1)))
    rings = np.stack(
        [
            ring * radius * 0.5 + (0, y - 0.02, 0),
            ring * wide + high + (0, y - 0.025, 0),
            ring * wide + high + (0, y + 0.02, 0),
            ring * radius * 0.5 + (0, y + 0.03, 0),
        ]
    )
    return solids.loft(Paint(color, "leaf"), rings)


def burger(rng: np.random.Generator) -> list[Part]:
    """Bun, layers, bun; sometimes a stack of two patties."""
    bun, r = Paint(pick(rng, CRUST), "bun"), 0.5
    parts = [solids.lathe(bun, [(r * 0.9, 0), (r * 1.0, 0.05), (r * 1.0, 0.13), (r * 0.92, 0.16)], sides=26)]
    y = 0.16
    for layer in ["patty", "cheese"] * int(rng.integers(1, 3)) + list(rng.permutation(["lettuce", "tomato"])):
        if layer == "patty":
            parts.append(
                solids.lathe(
                    Paint(MEAT, "meat"),
                    [(r * 0.9, y), (r * 1.03, y + 0.03), (r * 1.02, y + 0.1), (r * 0.9, y + 0.12)],
                    sides=22,
                )
            )
            y += 0.11
        elif layer == "cheese":
            slice_ = solids.box(Paint(CHEESE, "cheese"), np.array([r * 1.6, 0.03, r * 1.6]))
            parts.append(solids.moved(solids.turned(slice_, rng.uniform(0, 90)), (0, y + 0.01, 0)))
            y += 0.025
        elif layer == "lettuce":
            parts.append(_frill(rng, r * 1.12, y + 0.02, LETTUCE))
            y += 0.045
        else:
            parts.append(
                solids.lathe(
                    Paint(TOMATO, "tomato"), [(r * 0.85, y), (r * 0.93, y + 0.02), (r * 0.85, y + 0.05)], sides=20
                )
            )
            y += 0.045
    dome = rng.uniform(0.22, 0.36)
    top = np.array([(0.95, 0), (1.02, 0.12), (1.0, 0.3), (0.85, 0.62), (0.55, 0.9), (0.2, 1.0)]) * (r, dome) + (
        0,
        y - 0.01,
    )
    parts.append(solids.lathe(bun, top, sides=26))
    for i in range(rng.integers(0, 20)):
        rise = rng.uniform(0.5, 1.4)
        at = np.array(
            [
                np.sin(2.4 * i) * np.cos(rise) * r * 0.97,
                y + np.sin(rise) * dome * 0.98,
                np.cos(2.4 * i) * np.cos(rise) * r * 0.97,
            ]
        )
        parts.append(
            solids.ellipsoid(Paint((245, 230, 190), "seeds"), np.array([0.02, 0.016, 0.03]), at, sides=5, rings=3)
        )
    return parts


def sandwich(rng: np.random.Generator) -> list[Part]:
    """Triangle or square sandwich, hot dog or filled roll."""
    kind, bread = rng.integers(3), pick(rng, CRUST)
    if kind == 2:
        lumps: list[Lump] = [
            bone((-0.5, 0.15, 0), (0.5, 0.15, 0), 0.2),
            bone((-0.6, 0.36, 0), (0.6, 0.36, 0), 0.12, blend=0.03, carve=True),
        ]
        sausage = chain([(-0.68, 0.33, 0), (0, 0.28, 0), (0.68, 0.33, 0)], 0.1, 0.05)
        t = np.linspace(-0.5, 0.5, 30)
        sauce = np.stack([t, 0.4 + 0.03 * t**2, 0.045 * np.sin(t * 30)], 1)
        parts = [
            blob(lumps, bread, "bun", 1800),
            blob(sausage, (170, 70, 45), "meat", 900),
            tube(sauce, np.full(30, 0.025), pick(rng, (TOMATO, CHEESE)), "sauce", 6),
        ]
        return solids.turned(parts, float(rng.choice([0, 90])))
    outline = np.array(
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5)] if kind == 0 else [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    )
    y, parts = 0.0, []
    for color, name, thick, grow in (
        (bread, "bread", 0.12, 1.0),
        (LETTUCE, "leaf", 0.04, 1.04),
        (CHEESE, "cheese", 0.03, 1.02),
        ((225, 150, 140), "meat", 0.04, 1.03),
        (TOMATO, "tomato", 0.04, 0.95),
        (bread, "bread", 0.12, 1.0),
    ):
        if name == "bread" or rng.random() < 0.75:
            parts.append(
                solids.extrude(
                    Paint(color, name),
                    outline * grow,
                    thick,
                    (0, y + thick / 2, 0),
                    "y",
                    0.02 if name == "bread" else 0.0,
                )
            )
            y += thick * 0.97
    if rng.random() < 0.4:
        at = outline.mean(0)
        parts += [
            solids.rod(Paint((200, 170, 120), "stick"), (at[0], 0.05, at[1]), (at[0], y + 0.3, at[1]), 0.018),
            pebble((at[0], y + 0.06, at[1]), 0.08, (90, 110, 50), "olive"),
        ]
    return parts


def bread(rng: np.random.Generator) -> list[Part]:
    """Loaf, baguette, round bread, croissant, pretzel, or toast."""
    crust, kind = pick(rng, CRUST), rng.integers(5)
    if kind == 0:
        long = rng.uniform(0.5, 1.2)
        lumps: list[Lump] = [
            bone((-long / 2, 0.2, 0), (long / 2, 0.2, 0), 0.22),
            egg((0, 0.26, 0), (long * 0.65, 0.22, 0.24)),
        ]
        for x in np.linspace(-long * 0.4, long * 0.4, 4):
            lumps.append(bone((x - 0.05, 0.5, -0.16), (x + 0.05, 0.5, 0.16), 0.055, blend=0.05, carve=True))
        return solids.turned([blob(lumps, crust, "crust", 2600)], float(rng.choice([0, 90])))
    if kind == 1:
        lumps = [egg((0, 0.2, 0), (0.5, 0.26, 0.5))]
        lumps += [bone((x, 0.5, -0.3), (x, 0.5, 0.3), 0.07, blend=0.05, carve=True) for x in (-0.2, 0, 0.2)]
        return [blob(lumps, crust, "crust", 2600)]
    if kind == 2:
        t = np.linspace(-1.25, 1.25, 11)
        line = np.stack([0.5 * np.sin(t), 0.14 + 0 * t, -0.5 * np.cos(t)], 1)
        return [
            blob(
                [
                    egg(
                        p,
                        np.array([0.085, 1, 1]) * (0.19 * np.cos(a * 1.1) ** 0.7 + 0.05) + (0.04, 0, 0),
                        np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]),
                        0.03,
                    )
                    for p, a in zip(line, t, strict=True)
                ],
                crust,
                "crust",
                3600,
            )
        ]
    if kind == 3:
        t = np.linspace(0.25, 2 * np.pi - 0.25, 40)
        line = np.stack(
            [
                0.5 * np.sin(t) * (1 + 0.1 * np.cos(2 * t)),
                0.5 + 0.45 * np.cos(t + np.pi) * np.where(np.cos(t) > 0, 1.0, 0.8),
                0.05 * np.sin(1.5 * t),
            ],
            1,
        )
        ends = [curve([line[0], (0.1, 0.3, 0.07), (s * 0.3, 0.72, 0.08)], 8) for s in (-1, 1)]
        parts = [tube(line, np.full(40, 0.075), crust, "crust", 9)]
        return parts + [tube(end, np.linspace(0.075, 0.06, 8), crust, "crust", 8) for end in ends]
    angle = np.linspace(-0.5, np.pi + 0.5, 14)
    top = np.stack([np.cos(angle) * 0.46, 0.6 + 0.2 * np.sin(angle)], 1)
    outline = np.concatenate([[(-0.4, 0), (0.4, 0)], top])
    long = rng.uniform(0.08, 0.9)
    parts = [
        solids.extrude(Paint(crust, "crust"), outline, long, bevel=0.025),
        solids.extrude(Paint((240, 215, 165), "crumb"), outline * 0.9 + (0, 0.035), long + 0.02),
    ]
    return solids.turned(parts, float(rng.choice([0, 90])))


def pizza(rng: np.random.Generator) -> list[Part]:
    """A whole pizza or one slice, or a pie."""
    spread = rng.choice([2 * np.pi, 0.8])
    angle = np.linspace(-spread / 2, spread / 2, 40 if spread > 1 else 12)
    arc = np.stack([np.sin(angle), np.cos(angle)], 1)
    outline = arc[:-1] if spread > 1 else np.concatenate([arc, [[0, 0]]])
    crust, high = Paint(pick(rng, CRUST), "crust"), rng.uniform(0.03, 0.06)
    parts = [
        solids.extrude(crust, outline, high, (0, high / 2, 0), "y"),
        solids.extrude(Paint(CHEESE, "cheese"), outline * 0.92, 0.03, (0, high + 0.012, 0), "y"),
    ]
    rim = np.insert(arc * 0.95, 1, high + 0.015, axis=1)
    parts.append(tube(rim, np.full(len(rim), 0.06), crust.color, "crust", 8))
    for i in range(26 if spread > 1 else 4):
        out, turn = (
            0.16 + 0.66 * np.sqrt((i + 0.5) / (26 if spread > 1 else 4)),
            2.4 * i if spread > 1 else rng.uniform(-0.25, 0.25),
        )
        at = np.array([np.sin(turn), 0, np.cos(turn)]) * min(out, 0.8) + (0, high + 0.03, 0)
        if i % 2:
            parts.append(solids.lathe(Paint((190, 60, 45), "salami"), [(0.09, 0), (0.09, 0.025)], at, 12))
        else:
            parts.append(
                solids.ellipsoid(
                    Paint(pick(rng, (LETTUCE, (60, 60, 50), (235, 225, 200))), "topping"),
                    np.array([0.05, 0.03, 0.04]),
                    at,
                    sides=6,
                    rings=3,
                )
            )
    return parts


def breakfast(rng: np.random.Generator) -> list[Part]:
    """A plate with a meal: fried egg, sausages, potatoes, peas; or sushi on a board."""
    if rng.random() < 0.35:
        parts = [solids.block(Paint((140, 95, 55), "board"), (-0.6, 0, -0.3), (0.6, 0.08, 0.3), 0.01)]
        count = int(rng.integers(2, 6))
        for i in range(count):
            x = 0.23 * (i - (count - 1) / 2)
            if rng.random() < 0.5:
                parts.append(solids.cushion(Paint((245, 243, 235), "rice"), (0.18, 0.16, 0.4), (x, 0.15, 0)))
                line = curve([(x, 0.16, -0.24), (x, 0.26, 0), (x, 0.16, 0.25)], 6)
                parts.append(
                    slab(
                        line,
                        [0.1, 0.17, 0.18, 0.18, 0.17, 0.1],
                        0.06,
                        pick(rng, ((240, 130, 90), (200, 60, 60))),
                        "fish",
                        face=(0, 1, 0),
                    )
                )
            else:
                for z in (-0.14, 0.12):
                    parts += [
                        solids.rod(Paint((30, 40, 30), "seaweed"), (x, 0.07, z), (x, 0.25, z), 0.1),
                        solids.rod(Paint((245, 243, 235), "rice"), (x, 0.1, z), (x, 0.26, z), 0.085),
                        solids.rod(
                            Paint(pick(rng, ((240, 130, 90), LETTUCE)), "fish"), (x, 0.1, z), (x, 0.27, z), 0.04
                        ),
                    ]
        return parts
    plate = np.array([(0.35, 0), (0.4, 0.015), (0.62, 0.07), (0.68, 0.09), (0.62, 0.1), (0.4, 0.045)])
    parts = [
        solids.lathe(Paint(pick(rng, ((240, 240, 238), (200, 215, 225), (90, 95, 100))), "plate"), plate, sides=30)
    ]
    white: list[Lump] = [
        egg(
            (rng.normal(-0.15, 0.08), 0.06, rng.normal(0.1, 0.08)),
            (rng.uniform(0.12, 0.18), 0.035, rng.uniform(0.12, 0.18)),
            blend=0.04,
        )
        for _ in range(4)
    ]
    parts += [
        blob(white, (250, 250, 245), "egg", 700),
        pebble((-0.15, 0.1, 0.1), (0.09, 0.055, 0.09), (250, 180, 40), "yolk"),
    ]
    for i in range(rng.integers(1, 4)):
        z = -0.05 - 0.14 * i
        parts.append(
            blob(chain([(-0.3, 0.12, z), (-0.1, 0.13, z - 0.04), (0.12, 0.12, z)], 0.06), (165, 85, 55), "meat", 500)
        )
    for _ in range(rng.integers(4, 12)):
        at = rng.uniform((0.15, 0.08, -0.1), (0.38, 0.16, 0.3))
        parts.append(pebble(at, rng.uniform(0.04, 0.08), pick(rng, (LETTUCE, (225, 185, 95), TOMATO)), "side"))
    return parts


MEALS: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    burger,
    burger,
    sandwich,
    cake,
    cake,
    cupcake,
    bread,
    bread,
    icecream,
    doughnut,
    pizza,
    breakfast,
    treat,
)
