"""Natural paints: colours that real objects have, a little different every time."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from training.families.parts import Paint
from training.shapes import Part

Rng = np.random.Generator
Kind = Callable[[Rng], list[Part]]
"""Makes one random object of its kind."""
Option = TypeVar("Option")
WOODS = ((176, 130, 84), (139, 90, 52), (98, 62, 38), (205, 168, 120), (222, 200, 160), (70, 46, 32), (150, 75, 45))
STONES = ((150, 146, 140), (120, 115, 110), (188, 180, 165), (165, 120, 95), (90, 90, 92))
LEATHERS = ((92, 58, 36), (60, 40, 30), (140, 90, 55), (35, 33, 32), (110, 40, 30))


def pick(rng: Rng, options: Sequence[Option]) -> Option:
    """One of several, all equally likely."""
    return options[int(rng.integers(len(options)))]


def near(rng: Rng, color: tuple[int, int, int], spread: float = 10.0) -> tuple[int, int, int]:
    """A colour not far from another."""
    r, g, b = np.clip(np.array(color) * rng.uniform(0.88, 1.1) + rng.normal(0, spread / 2, 3), 0, 255).astype(int)
    return int(r), int(g), int(b)


def hue(rng: Rng, saturation: tuple[float, float], value: tuple[float, float]) -> tuple[int, int, int]:
    """Any hue, saturation and value from ranges within 0..1."""
    r, g, b = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return int(r * 255), int(g * 255), int(b * 255)


def wood(rng: Rng, material: str = "wood") -> Paint:
    """Light, red or dark wood."""
    return Paint(near(rng, WOODS[rng.integers(len(WOODS))]), material)


def steel(rng: Rng, material: str = "steel") -> Paint:
    """Bare steel, chrome or aluminium."""
    return Paint(near(rng, (176, 180, 186), 6), material)


def dark(rng: Rng, material: str = "dark") -> Paint:
    """Black rubber, plastic or iron."""
    return Paint(near(rng, (42, 42, 45), 8), material)


def brass(rng: Rng, material: str = "brass") -> Paint:
    """Brass, gold or copper."""
    return Paint(near(rng, ((198, 160, 80), (184, 115, 70))[rng.integers(2)]), material)


def white(rng: Rng, material: str = "white") -> Paint:
    """White lacquer, enamel or paper."""
    return Paint(near(rng, (232, 230, 225), 6), material)


def cream(rng: Rng, material: str = "cream") -> Paint:
    """Linen, paper or wax."""
    return Paint(near(rng, (228, 212, 180)), material)


def bright(rng: Rng, material: str = "bright") -> Paint:
    """A strong colour: toys, cars, plastic."""
    return Paint(hue(rng, (0.5, 0.95), (0.45, 0.95)), material)


def muted(rng: Rng, material: str = "muted") -> Paint:
    """A quiet colour: cloth, walls, machines."""
    return Paint(hue(rng, (0.05, 0.5), (0.3, 0.85)), material)


def painted(rng: Rng, material: str = "paint") -> Paint:
    """Lacquer of any kind: white, dark, quiet or strong."""
    return (white, dark, muted, bright, bright)[rng.integers(5)](rng, material)


def cloth(rng: Rng, material: str = "cloth") -> Paint:
    """Cloth of any kind."""
    return (muted, muted, bright, cream, dark)[rng.integers(5)](rng, material)


def leather(rng: Rng, material: str = "leather") -> Paint:
    """Brown, black or red leather."""
    return Paint(near(rng, LEATHERS[rng.integers(len(LEATHERS))]), material)


def stone(rng: Rng, material: str = "stone") -> Paint:
    """Stone, brick or concrete."""
    return Paint(near(rng, STONES[rng.integers(len(STONES))]), material)


def screen(rng: Rng, material: str = "screen") -> Paint:
    """A dark display."""
    return Paint(near(rng, ((20, 24, 32), (60, 90, 130), (40, 60, 50))[rng.integers(3)], 8), material)


def glass(rng: Rng, material: str = "glass") -> Paint:
    """Window or bottle glass, as artists paint it: bluish or greenish grey."""
    return Paint(near(rng, ((150, 180, 195), (90, 120, 100), (60, 80, 95), (200, 215, 220))[rng.integers(4)]), material)


def ceramic(rng: Rng, material: str = "ceramic") -> Paint:
    """White, cream or glazed."""
    return (white, cream, muted, bright)[rng.integers(4)](rng, material)
