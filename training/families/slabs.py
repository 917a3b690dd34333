"""Thin closed objects with a flat section: leaves, ears, fins, wings, petals; and round ones: tails, horns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.families import parts
from training.families.colors import Color
from training.shapes import Part

LENS = np.array([(-1, 0), (-0.55, 0.42), (0, 0.5), (0.55, 0.42), (1, 0), (0.55, -0.42), (0, -0.5), (-0.55, -0.42)])


def slab(
    spine: Any,
    widths: Any,
    thickness: Any,
    color: Color,
    material: str = "body",
    *,
    face: Any = (0, 0, 1),
    cup: float = 0.0,
    coarse: bool = False,
) -> Part:
    """A lens-shaped section swept along a spine.

    Args:
        spine: (n, 3). widths: (n,) full widths across. thickness: full, one number or (n,).
        face: the direction that the flat side looks to, (3,) or (n, 3).
        cup: how far the edges bend towards ``face``, as a share of the half width.
        coarse: half as many faces, for objects with many leaves.
    """
    points = np.asarray(spine, np.float64)
    along = unit(np.gradient(points, axis=0))
    look = np.broadcast_to(np.asarray(face, np.float64), points.shape)
    across = unit(np.cross(along, look))
    out = unit(np.cross(across, along))
    half = np.asarray(widths, np.float64)[:, None, None] / 2
    thick = np.broadcast_to(np.asarray(thickness, np.float64), len(points))[:, None, None]
    lens = LENS[::2] if coarse else LENS
    side = lens[None, :, :1] * half
    up = lens[None, :, 1:] * thick + cup * lens[None, :, :1] ** 2 * half
    rings = points[:, None] + side * across[:, None] + up * out[:, None]
    return parts.loft(parts.Paint(color, material), rings)


def tube(spine: Any, radii: Any, color: Color, material: str = "body", sides: int = 8) -> Part:
    """A round, tapering object along a spine (n, 3), its corners kept, with radii (n,)."""
    return parts.tube(parts.Paint(color, material), spine, radii, sides, steps=1)


def curve(points: Any, count: int = 8) -> NDArray[np.float64]:
    """(count, 3) even samples of a smooth (Catmull-Rom) curve through a few points."""
    knots = np.asarray(points, np.float64)
    knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    at = np.linspace(0, len(knots) - 3, count)
    i = np.minimum(at.astype(int), len(knots) - 4)
    t = (at - i)[:, None]
    a, b, c, d = knots[i], knots[i + 1], knots[i + 2], knots[i + 3]
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def leaf_widths(count: int, width: float, widest: float = 0.4, tip: float = 0.04) -> NDArray[np.float64]:
    """(count,) widths of a leaf: narrow at its stalk, widest at a share of its length, pointed at the end."""
    t = np.linspace(0, 1, count)
    power = np.log(0.5) / np.log(widest)
    return width * np.maximum(np.sin(np.pi * t**power) ** 0.8, tip + 0.1 * (1 - t))


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def pebble(centre: Any, radii: Any, color: Color, material: str = "body", axes: Any = None) -> Part:
    """A small ellipsoid of 96 faces: eyes, noses, buttons, berries. ``axes`` rows are its axes in the world."""
    size = np.broadcast_to(np.asarray(radii, np.float64), 3)
    turned = np.eye(3) if axes is None else np.asarray(axes, np.float64)
    ball = parts.ellipsoid(parts.Paint(color, material), size, sides=8, rings=6)
    return Part(np.asarray(centre) + ball.vertices @ turned, ball.faces, color, material)


def finer(pieces: list[Part], least: int = 500) -> list[Part]:
    """The same pieces, every triangle cut into four until there are ``least`` of them."""
    while sum(len(piece.faces) for piece in pieces) < least:
        pieces = [_quartered(piece) for piece in pieces]
    return pieces


def _quartered(piece: Part) -> Part:
    faces = np.asarray(piece.faces)
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, which = np.unique(pairs, axis=0, return_inverse=True)
    middle = which.reshape(3, -1) + len(piece.vertices)
    a, b, c = faces.T
    ab, bc, ca = middle
    small = np.concatenate([np.stack(corner, 1) for corner in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    vertices = np.concatenate([piece.vertices, piece.vertices[edges].mean(axis=1)])
    return Part(vertices, small, piece.color, piece.material)
