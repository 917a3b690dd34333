"""Sweet objects: cakes, cupcakes, ice cream, doughnuts, lollipops, gingerbread; an egg and a wedge of cheese."""

from __future__ import annotations

import numpy as np

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg
from training.families.colors import Color, any_color, pick, tinted
from training.families.parts import Paint
from training.families.slabs import curve, pebble, tube
from training.shapes import Part

CRUST: tuple[Color, ...] = ((200, 140, 75), (175, 110, 55), (220, 170, 105))
CREAM: tuple[Color, ...] = ((245, 235, 220), (235, 170, 190), (90, 55, 38), (250, 225, 150), (180, 215, 190))
TOMATO, CHEESE = (205, 50, 40), (245, 190, 60)


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
