"""Food that somebody made: burgers, cakes, bread, ice cream, pizza, sushi, eggs, doughnuts, plates with a meal."""
# ruff: noqa: RUF005 (arrays plus tuples are sums here, not joined lists)

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg
from training.families.colors import Color, any_color, pick, tinted
from training.families.parts import Paint
from training.families.slabs import curve, pebble, slab, tube, unit
from training.shapes import Part

CRUST: tuple[Color, ...] = ((200, 140, 75), (175, 110, 55), (220, 170, 105))
CREAM: tuple[Color, ...] = ((245, 235, 220), (235, 170, 190), (90, 55, 38), (250, 225, 150), (180, 215, 190))
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


def cake(rng: np.random.Generator) -> list[Part]:
    """A round layer cake, whole or with a slice missing, a wedding cake, or one slice."""
    sponge, icing, y, parts = pick(rng, CRUST), pick(rng, CREAM), 0.0, []
    gap = rng.choice([0.0, 0.0, 0.9, 5.4])
    for i in range(rng.choice([1, 1, 2, 3])):
        r, tall = 0.55 * 0.72**i, rng.uniform(0.2, 0.4)
        for color, name, low, high, grow in (
            (sponge, "sponge", 0, 0.42, 0.98),
            (icing, "icing", 0.42, 0.52, 0.99),
            (sponge, "sponge", 0.52, 0.9, 0.98),
            (icing, "icing", 0.9, 1.06, 1.0),
        ):
            angle = np.linspace(gap / 2, 2 * np.pi - gap / 2, 30)
            arc = np.stack([np.sin(angle), np.cos(angle)], 1) * r * grow
            outline = arc[:-1] if gap == 0 else np.concatenate([arc, [[0, 0]]])
            parts.append(
                solids.extrude(
                    Paint(color, name), outline, (high - low) * tall, (0, y + tall * (low + high) / 2, 0), "y"
                )
            )
        y += tall * 1.06
        for angle in 2 * np.pi * np.arange(8) / 8:
            if gap == 0 or gap / 2 < angle < 2 * np.pi - gap / 2:
                at = np.array([np.sin(angle), 0, np.cos(angle)]) * r * 0.8 + (0, y + 0.02, 0)
                parts.append(pebble(at, (0.06, 0.07, 0.06), pick(rng, ((205, 40, 45), icing)), "topping"))
    if gap == 0 and rng.random() < 0.5:
        for i in range(rng.integers(1, 7)):
            at = np.array([np.sin(2.4 * i), 0, np.cos(2.4 * i)]) * 0.06 * np.sqrt(i) + (0, y, 0)
            parts += [
                solids.rod(Paint(any_color(rng), "candle"), at, at + (0, 0.22, 0), 0.02, sides=8),
                pebble(at + (0, 0.26, 0), (0.02, 0.045, 0.02), (250, 190, 60), "flame"),
            ]
    if rng.random() < 0.4:
        parts.append(
            solids.lathe(
                Paint((235, 235, 235), "plate"), [(0.4, -0.05), (0.7, -0.02), (0.72, 0.0), (0.5, 0.0)], sides=26
            )
        )
    return parts


def cupcake(rng: np.random.Generator) -> list[Part]:
    """A cupcake or muffin: pleated case, a swirl or a dome, a cherry."""
    angle = 2 * np.pi * np.arange(48) / 48
    pleat = (1 + 0.035 * np.cos(16 * angle))[:, None]
    ring = np.stack([np.sin(angle), np.zeros(48), np.cos(angle)], -1) * pleat
    parts = [solids.loft(Paint(any_color(rng), "case"), np.stack([ring * 0.27, ring * 0.4 + (0, 0.4, 0)]))]
    icing, turns = pick(rng, CREAM), rng.uniform(2, 3)
    if rng.random() < 0.65:
        t = np.linspace(0, 1, 46)
        r, turn = 0.28 * (1 - t) ** 0.8, turns * 2 * np.pi * t
        line = np.stack([r * np.sin(turn), 0.42 + 0.45 * t, r * np.cos(turn)], 1)
        parts += [
            tube(line, 0.15 * (1 - t) + 0.035, icing, "icing", 9),
            solids.ellipsoid(Paint(icing, "icing"), (0.33, 0.3, 0.33), (0, 0.45, 0)),
        ]
        top = 0.92
    else:
        lumps: list[Lump] = [egg((0, 0.42, 0), (0.46, 0.28, 0.46))]
        lumps += [
            egg((0.38 * np.sin(2.4 * i), 0.45, 0.38 * np.cos(2.4 * i)), rng.uniform(0.08, 0.14), blend=0.06)
            for i in range(9)
        ]
        parts.append(blob(lumps, pick(rng, (*CRUST, icing)), "icing", 1500))
        top = 0.72
    if rng.random() < 0.6:
        parts.append(pebble((0, top, 0), 0.09, (200, 35, 45), "cherry"))
    for i in range(rng.integers(0, 12)):
        at = np.array([np.sin(2.4 * i) * 0.3, rng.uniform(0.55, 0.65), np.cos(2.4 * i) * 0.3])
        parts.append(
            solids.ellipsoid(Paint(any_color(rng), "sprinkles"), np.array([0.025, 0.025, 0.04]), at, sides=5, rings=3)
        )
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


def icecream(rng: np.random.Generator) -> list[Part]:
    """Cone, cup or lolly."""
    kind, parts = rng.integers(3), []
    if kind == 2:
        lumps: list[Lump] = [bone((0, 0.35, 0), (0, 0.95, 0), 0.3)]
        bar = blob(lumps, pick(rng, (*CREAM, TOMATO, CHEESE)), "ice", 1400)
        flat = Part(bar.vertices * (1, 1, 0.45), bar.faces, bar.color, bar.material)
        return [flat, solids.block(Paint((215, 180, 130), "stick"), (-0.07, -0.35, -0.025), (0.07, 0.3, 0.025), 0.015)]
    tall = rng.uniform(0.7, 1.0) if kind == 0 else 0.3
    cone = (
        [(0.03, -tall), (0.3, 0), (0.32, 0.02), (0.3, 0.05)]
        if kind == 0
        else [(0.2, -tall), (0.22, -tall + 0.03), (0.36, 0), (0.34, 0.04)]
    )
    parts.append(solids.lathe(Paint(pick(rng, CRUST), "wafer"), cone, sides=20))
    y = 0.12
    if rng.random() < 0.3:
        t = np.linspace(0, 1, 44)
        r, turn = 0.2 * (1 - t) ** 0.8, 3 * 2 * np.pi * t
        parts.append(
            tube(
                np.stack([r * np.sin(turn), y + 0.6 * t, r * np.cos(turn)], 1),
                0.14 * (1 - t) + 0.03,
                pick(rng, CREAM),
                "ice0",
                9,
            )
        )
        parts.append(solids.ellipsoid(Paint(parts[-1].color, "ice0"), (0.26, 0.3, 0.26), (0, y + 0.05, 0)))
    else:
        for i in range(rng.integers(1, 4)):
            scoop: list[Lump] = [egg((0, y + 0.08, 0), 0.3)]
            scoop += [
                egg((0.27 * np.sin(2.4 * k), y - 0.06, 0.27 * np.cos(2.4 * k)), 0.07, blend=0.04) for k in range(9)
            ]
            parts.append(blob(scoop, pick(rng, CREAM), f"ice{i}", 1000))
            y += 0.33
        parts.append(pebble((0, y + 0.1, 0), 0.09, (200, 35, 45), "cherry"))
    if rng.random() < 0.4:
        parts.append(solids.rod(Paint(pick(rng, CRUST), "stick"), (0.1, y, 0), (0.28, y + 0.5, -0.05), 0.04))
    return parts


def doughnut(rng: np.random.Generator) -> list[Part]:
    """A ring with icing and sprinkles, alone or in a heap."""
    parts, count = [], int(rng.choice([1, 1, 2, 3]))
    for i in range(count):
        at, icing = (
            np.array([rng.normal(0, 0.06) * (i > 0), 0.2 + 0.34 * i, rng.normal(0, 0.06) * (i > 0)]),
            any_color(rng),
        )
        parts.append(solids.torus(Paint(pick(rng, CRUST), "dough"), 0.36, 0.19, at, sides=28))
        parts.append(
            solids.scaled(
                solids.torus(Paint(icing, "icing"), 0.36, 0.185, at + (0, 0.04, 0), sides=28), (1, 0.92, 1), at
            )
        )
        for k in range(14 if i == count - 1 else 0):
            turn, out = 2.4 * k, 0.36 + rng.uniform(-0.1, 0.1)
            spot = at + (out * np.sin(turn), 0.2 - 1.2 * (out - 0.36) ** 2, out * np.cos(turn))
            parts.append(
                solids.ellipsoid(
                    Paint(any_color(rng), "sprinkles"), np.array([0.016, 0.016, 0.035]), spot, sides=5, rings=3
                )
            )
    return parts


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


def treat(rng: np.random.Generator) -> list[Part]:
    """Lollipop, wrapped sweet, candy cane, gingerbread man, egg, cheese wedge."""
    kind, color = rng.integers(5), any_color(rng)
    if kind == 0:
        t = np.linspace(0, 3 * 2 * np.pi, 50)
        line = np.stack([0.025 * t * np.sin(t), 0.9 + 0.025 * t * np.cos(t), 0 * t], 1)
        return [
            tube(line, np.full(50, 0.075), color, "sweet", 8),
            solids.rod(Paint((240, 238, 230), "stick"), (0, -0.4, 0), (0, 0.8, 0), 0.03),
        ]
    if kind == 1:
        t = np.linspace(0, 1.15 * np.pi, 12)
        hook = np.stack([0.2 * (1 - np.cos(t)), 1.0 + 0.2 * np.sin(t), 0 * t], 1)
        line = curve(np.concatenate([[(0, 0, 0), (0, 0.5, 0)], hook]), 40)
        parts = [tube(line, np.full(40, 0.075), (240, 240, 238), "sweet", 10)]
        for i in range(2, 38, 4):
            parts.append(tube(line[i : i + 3], np.full(3, 0.08), color, "stripe", 10))
        return parts
    if kind == 2:
        lumps: list[Lump] = [egg((0, 1.0, 0), 0.27), *chain([(0, 0.85, 0), (0, 0.4, 0)], [0.2, 0.24])]
        for side in (1, -1):
            lumps += [
                bone((0, 0.68, 0), (side * 0.45, 0.72, 0), 0.13),
                bone((side * 0.1, 0.4, 0), (side * 0.25, 0.0, 0), 0.15),
            ]
        man = blob(lumps, (170, 105, 55), "biscuit", 1800)
        parts = [Part(man.vertices * (1, 1, 0.4), man.faces, man.color, man.material)]
        return parts + [
            pebble(p, 0.04, pick(rng, CREAM), "icing")
            for p in ((0.1, 1.05, 0.1), (-0.1, 1.05, 0.1), (0, 0.68, 0.09), (0, 0.5, 0.1))
        ]
    if kind == 3:
        cup = [(0.14, 0), (0.16, 0.02), (0.06, 0.08), (0.06, 0.16), (0.2, 0.26), (0.24, 0.42), (0.2, 0.42)]
        shell: list[Lump] = [egg((0, 0.5, 0), (0.22, 0.22, 0.22)), egg((0, 0.55, 0), (0.2, 0.32, 0.2), blend=0.1)]
        return [
            blob(shell, pick(rng, ((235, 215, 190), (205, 160, 120), color)), "shell", 1200),
            solids.lathe(Paint(color, "cup"), cup, sides=20),
        ]
    block = solids.extrude(
        Paint(CHEESE, "cheese"), np.array([(0, 0), (0.9, -0.3), (0.9, 0.3)]), 0.4, (0, 0.2, 0), "y", 0.015
    )
    holes = [
        pebble((x, y, 0.335 * x * s), (0.06, 0.06, 0.03), tinted(rng, (215, 155, 40)), "hole")
        for x, y, s in ((0.75, 0.25, 1), (0.5, 0.12, 1), (0.8, 0.1, -1), (0.55, 0.3, -1))
    ]
    return [
        block,
        *holes,
        *[pebble((0.89, y, z), (0.03, 0.06, 0.06), (215, 155, 40), "hole") for y, z in ((0.15, 0.1), (0.28, -0.12))],
        *[pebble((x, 0.4, z), (0.05, 0.02, 0.05), (215, 155, 40), "hole") for x, z in ((0.6, 0.05), (0.75, -0.1))],
    ]


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
