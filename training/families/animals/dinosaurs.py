"""Two-legged dinosaurs and dragons: a level back, a long tail, small arms; dragons have wings and horns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from training.families.blobs import Color, Lump, blob, bone, chain, egg, mirrored
from training.families.colors import any_color, pick, tinted
from training.families.slabs import curve, pebble, slab, tube
from training.shapes import Part

HIDES: tuple[Color, ...] = ((90, 120, 60), (120, 100, 60), (80, 90, 100), (150, 80, 50), (60, 110, 90))
BLACK, IVORY = (25, 24, 24), (235, 228, 205)


def biped(rng: np.random.Generator) -> list[Part]:
    """Tyrannosaur, raptor, or a dragon that stands on its hind legs."""
    hide = pick(rng, HIDES) if rng.random() < 0.6 else any_color(rng)
    dragon, rear = rng.random() < 0.4, rng.uniform(0.1, 0.7)
    fat, head = rng.uniform(0.17, 0.27), rng.uniform(0.13, 0.2)
    sway, stride = rng.normal(0, 0.15), rng.uniform(0, 0.2)
    hip, chest = np.array([0, 0.75, 0.0]), np.array([0, 0.8 + 0.35 * rear, 0.38 - 0.12 * rear])
    skull = chest + (0, 0.25 + 0.25 * rear, 0.28 - 0.1 * rear)
    tail = curve([hip, (0, 0.7, -0.45), (sway * 0.5, 0.5, -0.9), (sway, rng.uniform(0.12, 0.6), -1.4)], 8)
    lumps: list[Lump] = [
        *chain(tail, fat * np.array([1.0, 0.85, 0.7, 0.55, 0.42, 0.32, 0.24, 0.16]), 0.06),
        *chain([hip, chest], [fat, fat * 0.95], 0.1),
        *chain([chest, (chest + skull) / 2 + (0, 0.02, 0), skull], [fat * 0.8, fat * 0.6, head * 0.85], 0.08),
        egg(skull, np.array([0.8, 0.85, 1.0]) * head, blend=0.05),
        bone(skull, skull + (0, -0.1 * head, 1.7 * head), head * 0.7, head * 0.45, 0.05),
        bone(skull - (0, 0.5 * head, 0), skull + (0, -0.75 * head, 1.4 * head), head * 0.45, head * 0.3, 0.02),
    ]
    for side in (1, -1):
        step, x = side * stride, side * fat * 0.85
        leg = [(x, 0.74, 0.0), (x * 1.15, 0.5, 0.2 + step), (x * 1.1, 0.24, -0.02 + step), (x * 1.1, 0.05, 0.06 + step)]
        lumps += chain(leg, np.array([0.85, 0.65, 0.36, 0.32]) * fat, 0.05)
        lumps.append(egg((x * 1.1, 0.04, 0.14 + step), np.array([0.5, 0.22, 0.8]) * fat))
    arm = chest + np.array([fat * 0.7, -0.05, 0.1])
    arms = [arm, arm + (0.06, -0.14, 0.05), arm + (0.02, -0.15, 0.18)]
    lumps += mirrored(chain(arms, np.array([0.3, 0.24, 0.2]) * fat, 0.03))
    parts = [blob(lumps, hide, "hide", 3000)]
    for side in (1, -1):
        parts.append(pebble(skull + head * np.array([side * 0.7, 0.45, 0.45]), 0.2 * head, (240, 200, 60), "eye"))
        parts.append(pebble(skull + head * np.array([side * 0.76, 0.47, 0.6]), 0.12 * head, BLACK, "pupil"))
        if dragon:
            parts += _wing(rng, chest, side, tinted(rng, hide, 0.3))
            horn = skull + head * np.array([side * 0.45, 0.6, -0.2])
            line = curve([horn, horn + (side * 0.03, 0.1, -0.1), horn + (side * 0.05, 0.14, -0.24)], 6)
            parts.append(tube(line, head * np.linspace(0.22, 0.06, 6), IVORY, "horn"))
    if dragon or rng.random() < 0.4:
        parts += _spikes(np.concatenate([[chest], tail[:7]]), fat, tinted(rng, hide, 0.4))
    return parts


def _spikes(spine: np.ndarray, fat: float, color: Color) -> list[Part]:
    """Upright plates along the back."""
    parts = []
    for i, at in enumerate(spine):
        size = fat * np.interp(i, [0, 2, len(spine)], [0.6, 0.9, 0.3])
        root = at + (0, fat * np.interp(i, [0, 1, len(spine)], [0.85, 0.9, 0.15]), 0)
        line = [root, root + (0, size * 0.5, -0.02), root + (0, size, -0.06)]
        parts.append(slab(line, size * np.array([0.9, 0.7, 0.1]), 0.04, color, "spikes", face=(1, 0, 0), coarse=True))
    return parts


def _wing(rng: np.random.Generator, chest: np.ndarray, side: int, color: Color) -> list[Part]:
    """A bat's wing: an arm, three fingers and the skin between them."""
    lift, reach = rng.uniform(0.2, 0.9), rng.uniform(0.6, 1.0)
    root = chest + (side * 0.1, 0.1, -0.12)
    wrist = root + (side * reach * 0.5, reach * 0.5 * lift + 0.15, -0.1)
    tips = [
        root + np.array([side * reach * out, reach * lift * up, -back])
        for out, up, back in ((1.15, 0.6, 0.25), (0.9, 0.25, 0.55), (0.5, 0.05, 0.7))
    ]
    parts = [tube([root, (root + wrist) / 2 + (0, 0.03, 0), wrist], [0.05, 0.04, 0.035], color, "wing", 7)]
    parts += [tube([wrist, (wrist + tip) / 2, tip], [0.032, 0.026, 0.018], color, "wing", 6) for tip in tips]
    ends = [*tips, root - (0, 0.1, 0.15)]
    for first, second in pairwise(ends):
        middle = (first + second) / 2
        line = [wrist, (wrist + middle) / 2, middle * 0.92 + wrist * 0.08]
        width = float(np.linalg.norm(first - second))
        look = np.cross(first - wrist, second - wrist)
        parts.append(slab(line, width * np.array([0.08, 0.6, 1.0]), 0.035, color, "wing", face=look))
    return parts
