"""Small objects that lie about, as they do on desks: on the back, the face or a side."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from training.shapes import Shape, normalised

LOOSE = ("clothing", "food", "gadgets", "music", "tableware", "tools", "toys")
EVERY = 5
"""One of so many lies; the others are as their family stands them."""
EVERY_OTHER = ("hoops",)
"""Families of which one of two lies."""
TIPS = ("back", "back", "face", "side", "side")


def laid_down(shape: Shape, family: str, number: int) -> Shape:
    """The shape, or for one in ``EVERY`` of the ``LOOSE`` families (or one of two) the shape lying, turned any way.

    What lies has no front: its own one looks up, down or anywhere.
    """
    every = 2 if family in EVERY_OTHER else EVERY
    if family not in LOOSE + EVERY_OTHER or number % every != every - 1:
        return shape
    rng = np.random.default_rng([zlib.crc32(b"lying " + family.encode()), number])
    tip = str(rng.choice(TIPS))
    quarter = np.pi / 2 * (1 if tip == "face" or (tip == "side" and rng.random() < 0.5) else -1)
    turn = _about(2 if tip == "side" else 0, quarter)
    turn = _about(1, rng.uniform(-np.pi, np.pi)) @ turn
    vertices = (shape.vertices.astype(np.float64) @ turn.T).astype(np.float32)
    return normalised(replace(shape, vertices=vertices, front_known=False))


def _about(axis: int, angle: float) -> np.ndarray:
    """(3, 3) turn about x (0), y (1) or z (2); radians."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
    return turn
