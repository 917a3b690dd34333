"""Picking and shifting natural colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Color = tuple[int, int, int]


def tinted(rng: np.random.Generator, color: Color, spread: float = 0.1) -> Color:
    """The colour a little lighter or darker (by e^spread) and a little off in hue."""
    shifted = np.asarray(color) * np.exp(rng.normal(0, spread)) + rng.normal(0, 5, 3)
    r, g, b = np.clip(shifted, 8, 250).astype(int)
    return int(r), int(g), int(b)


def pick(rng: np.random.Generator, colors: Sequence[Color]) -> Color:
    """One of the colours, shifted a little."""
    return tinted(rng, colors[int(rng.integers(len(colors)))])


def any_color(rng: np.random.Generator) -> Color:
    """A lively colour of any hue: paint, cloth, plastic."""
    hue, saturation, value = rng.random() * 6, rng.uniform(0.25, 0.9), rng.uniform(0.35, 0.95)
    wave = np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    r, g, b = (255 * value * (1 - saturation * (1 - wave))).astype(int)
    return int(r), int(g), int(b)
