"""Animals of the sea: fish of many outlines, shark, whale, dolphin, octopus, seal."""

from __future__ import annotations

import numpy as np

from training.families.blobs import Color, Lump, blob, bone, chain, egg, tilted
from training.families.colors import any_color, pick, tinted
from training.families.slabs import curve, pebble, slab, tube
from training.shapes import Part

BLACK, WHITE = (20, 20, 22), (238, 238, 236)
SEA: tuple[Color, ...] = ((90, 105, 120), (60, 75, 95), (120, 130, 140), (70, 90, 130))


def fish(rng: np.random.Generator) -> list[Part]:
    """A fish swimming towards +Z."""
    skin, fin = any_color(rng), any_color(rng)
    tall, wide, bend = rng.uniform(0.16, 0.5), rng.uniform(0.08, 0.2), rng.normal(0, 0.06)
    lumps: list[Lump] = [
        egg((0, 0, 0.1), (wide, tall, 0.5), blend=0.1),
        bone((0, 0, 0.1), (bend, 0, -0.6), wide * 0.9, 0.07, 0.15),
        bone((0, -0.03, 0.2), (0, -0.04, 0.55), wide * 0.9, wide * 0.45, 0.1),
    ]
    parts = [blob(lumps, skin, "scales", 1800)]
    spread = rng.uniform(0.2, 0.42)
    for up in (1, -1):
        way = curve([(bend, 0, -0.52), (bend * 1.6, up * spread * 0.5, -0.72), (bend * 2.2, up * spread, -0.88)], 6)
        parts.append(slab(way, [0.12, 0.2, 0.24, 0.22, 0.16, 0.06], 0.045, fin, "fin", face=(1, 0, 0)))
    high = rng.uniform(0.1, 0.3)
    back = curve([(0, tall * 0.7, 0.3), (0, tall * 0.95 + high * 0.5, 0.0), (0, tall * 0.5 + high * 0.6, -0.4)], 7)
    parts.append(slab(back, high * np.array([0.6, 1.2, 1.6, 1.6, 1.3, 1, 0.6]), 0.04, fin, "fin", face=(1, 0, 0)))
    under = curve([(0, -tall * 0.8, 0.05), (0, -tall - high * 0.4, -0.15), (0, -tall * 0.6 - high * 0.5, -0.4)], 6)
    parts.append(slab(under, high * np.array([0.5, 0.8, 1, 1, 0.8, 0.4]), 0.04, fin, "fin", face=(1, 0, 0)))
    for side in (1, -1):
        way = curve(
            [
                (side * wide * 0.8, -0.05, 0.25),
                (side * (wide + 0.12), -0.12, 0.1),
                (side * (wide + 0.16), -0.18, -0.08),
            ],
            5,
        )
        parts.append(slab(way, [0.08, 0.15, 0.17, 0.14, 0.05], 0.035, fin, "fin", face=(side, 0.5, 0)))
        eye = np.array([side * wide * 0.75, tall * 0.25, 0.42])
        parts += [pebble(eye, 0.06, WHITE, "eyewhite"), pebble(eye + (side * 0.025, 0, 0.012), 0.042, BLACK, "eye")]
    if rng.random() < 0.5:
        for z in rng.uniform(-0.2, 0.3, 2):
            size = np.sqrt(1 - ((z - 0.1) / 0.52) ** 2)
            angle = np.linspace(0, 2 * np.pi, 13)
            hoop = np.stack([1.0 * wide * size * np.cos(angle), tall * size * np.sin(angle), np.full(13, z)], 1)
            parts.append(tube(hoop, 0.03, WHITE, "stripe", 6))
    return parts


def whale(rng: np.random.Generator) -> list[Part]:
    """Whale, dolphin or shark."""
    skin, shark = pick(rng, SEA), rng.random() < 0.4
    fat, snout, curl = rng.uniform(0.17, 0.34), rng.uniform(0.0, 0.25), rng.uniform(-0.1, 0.25)
    back = [(0, 0, 0.5), (0, 0.02, 0.0), (0, curl * 0.3, -0.5), (0, curl, -0.95)]
    lumps = chain(curve(back, 6), np.array([0.75, 1.0, 1.0, 0.75, 0.45, 0.2]) * fat, 0.1)
    lumps.append(
        bone((0, -0.05, 0.55), (0, -0.08, 0.62 + snout), fat * 0.65, fat * (0.5 if snout < 0.1 else 0.28), 0.1)
    )
    parts = [blob(lumps, skin, "skin", 2200)]
    parts.append(blob([egg((0, -0.35 * fat, 0.22), (fat * 0.85, fat * 0.72, 0.55))], tinted(rng, WHITE), "belly", 500))
    top = curve([(0, fat * 0.8, 0.05), (0, fat + 0.12, -0.08), (0, fat + 0.24, -0.2)], 5)
    parts.append(slab(top, [0.34, 0.28, 0.2, 0.12, 0.04], 0.04, skin, "skin", face=(1, 0, 0)))
    for side in (1, -1):
        way = curve(
            [(side * fat * 0.7, -0.1, 0.25), (side * (fat + 0.15), -0.18, 0.15), (side * (fat + 0.32), -0.26, -0.05)], 6
        )
        parts.append(slab(way, [0.18, 0.19, 0.17, 0.14, 0.1, 0.03], 0.045, skin, "skin", face=(0, 1, 0)))
        spread = np.array([0, side, 0]) if shark else np.array([side, 0, 0])
        tail = np.array([0, curl, -0.88])
        way = curve([tail, tail + spread * 0.16 - (0, 0, 0.1), tail + spread * 0.34 - (0, 0, 0.24)], 6)
        parts.append(
            slab(way, [0.14, 0.18, 0.17, 0.14, 0.1, 0.03], 0.045, skin, "skin", face=(1, 0, 0) if shark else (0, 1, 0))
        )
        parts.append(pebble((side * fat * 0.66, 0.02, 0.58), 0.03, BLACK, "eye"))
    return parts


def octopus(rng: np.random.Generator) -> list[Part]:
    """An octopus with eight curling arms."""
    skin = any_color(rng)
    high = rng.uniform(0.3, 0.55)
    lumps: list[Lump] = [
        egg((0, 0.35 + high, -0.08), (0.32, high, 0.34), tilted(-0.2)),
        egg((0, 0.3, 0), (0.28, 0.22, 0.28)),
    ]
    parts = [blob(lumps, skin, "skin", 1200)]
    for angle in (np.arange(8) + 0.5) * np.pi / 4:
        out, swing = np.array([np.sin(angle), 0, np.cos(angle)]), rng.uniform(-0.3, 0.3)
        across = np.array([out[2], 0, -out[0]])
        tip_up = rng.uniform(0, 0.3)
        way = curve(
            [
                (0, 0.28, 0) + out * 0.1,
                (0, 0.2, 0) + out * 0.4,
                (0, 0.05, 0) + out * 0.7 + across * swing * 0.4,
                (0, 0.06 + tip_up, 0) + out * 0.95 + across * swing,
            ],
            9,
        )
        parts.append(tube(way, np.linspace(0.11, 0.03, 9), skin, "skin", 7))
    for side in (1, -1):
        eye = np.array([side * 0.17, 0.5, 0.26])
        parts += [pebble(eye, 0.085, WHITE, "eyewhite"), pebble(eye + (side * 0.015, 0, 0.05), 0.05, BLACK, "eye")]
    return parts


def seal(rng: np.random.Generator) -> list[Part]:
    """A seal or sea lion on land."""
    skin, rear = pick(rng, (*SEA, (90, 75, 60))), rng.uniform(0.15, 0.6)
    back = [(0, 0.2, -0.9), (0, 0.25, -0.3), (0, 0.35, 0.2), (0, 0.45 + rear * 0.6, 0.4), (0, 0.55 + rear, 0.55)]
    lumps = chain(curve(back, 7), np.array([0.08, 0.19, 0.26, 0.28, 0.24, 0.18, 0.16]), 0.1)
    head = np.array([0, 0.6 + rear, 0.6])
    lumps += [egg(head, (0.17, 0.16, 0.19)), bone(head, head + (0, -0.04, 0.2), 0.12, 0.08, 0.05)]
    parts = [blob(lumps, skin, "skin", 2000)]
    for side in (1, -1):
        way = curve([(side * 0.2, 0.3, 0.25), (side * 0.4, 0.12, 0.25), (side * 0.55, 0.04, 0.1)], 5)
        parts.append(slab(way, [0.2, 0.22, 0.2, 0.16, 0.07], 0.06, skin, "skin", face=(0, 1, 0.3)))
        way = curve([(0, 0.2, -0.85), (side * 0.1, 0.12, -1.05), (side * 0.2, 0.06, -1.25)], 5)
        parts.append(slab(way, [0.1, 0.14, 0.17, 0.17, 0.1], 0.05, skin, "skin", face=(0, 1, 0)))
        parts.append(pebble(head + (side * 0.11, 0.06, 0.13), 0.03, BLACK, "eye"))
    return [*parts, pebble(head + (0, -0.02, 0.28), (0.05, 0.035, 0.03), BLACK, "nose")]


SWIMMERS = (fish, fish, fish, whale, whale, octopus, seal)
