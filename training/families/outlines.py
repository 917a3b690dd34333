"""2D outlines and smooth curves that the pieces are made of."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np


@lru_cache(maxsize=64)
def _unit_circle(sides: int) -> Any:
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    loop = np.stack([np.cos(angle), np.sin(angle)], 1)
    loop.setflags(write=False)
    return loop


def circle(radius: float, sides: int) -> Any:
    """(sides, 2) counter-clockwise; the first corner half a side off the x axis."""
    return radius * _unit_circle(sides)


def oval(width: float, height: float, sides: int = 24, square: float = 1.0) -> Any:
    """(sides, 2) ellipse; ``square`` below 1 fills its box more."""
    loop = circle(1.0, sides)
    return np.sign(loop) * np.abs(loop) ** square * (width / 2, height / 2)


def rectangle(width: float, height: float) -> Any:
    """(4, 2) about the origin, counter-clockwise."""
    return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)


def rounded(width: float, height: float, radius: float, steps: int = 4) -> Any:
    """A rectangle about the origin with round corners."""
    radius = min(radius, 0.499 * width, 0.499 * height)
    quarter = np.linspace(0, np.pi / 2, steps + 1)
    loops = []
    for turn, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        angle = quarter + turn * np.pi / 2
        middle = (sx * (width / 2 - radius), sy * (height / 2 - radius))
        loops.append(np.stack([np.cos(angle), np.sin(angle)], 1) * radius + middle)
    return np.concatenate(loops)


def star(points: int, outer: float, inner: float) -> Any:
    """(2 * points, 2) star or coarse gear."""
    angle = np.pi * np.arange(2 * points) / points + np.pi / 2
    radius = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]


def mirror_outline(half: Any) -> Any:
    """A whole outline from its right half (x >= 0, bottom to top); points on the axis are not doubled."""
    half = np.asarray(half, np.float64)
    left = half[half[:, 0] > 1e-9][::-1] * (-1, 1)
    return np.concatenate([half, left])


def curve(points: Any, steps: int = 4, *, loop: bool = False) -> Any:
    """A Catmull-Rom spline through (k, d) points, ``steps`` pieces between two of them."""
    points = np.asarray(points, np.float64)
    if steps <= 1 or len(points) < 3:
        return points
    if loop:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, start, end, after = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    bend = 2 * before - 5 * start + 4 * end - after
    twist = 3 * start - before - 3 * end + after
    fine = start + 0.5 * t * ((end - before) + t * (bend + t * twist))
    fine = fine.reshape(-1, points.shape[1])
    return fine if loop else np.concatenate([fine, points[-1:]])


def triangulated(outline: Any) -> Any:
    """(k - 2, 3) triangles of a simple polygon, in its own sense of turning. Ears are cut off one by one."""
    x, y = np.asarray(outline, np.float64).T
    sense = 1.0 if (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() >= 0 else -1.0
    turn = (x - np.roll(x, 1)) * (np.roll(y, -1) - y) - (y - np.roll(y, 1)) * (np.roll(x, -1) - x)
    if (turn * sense > -1e-12).all():
        middle = np.arange(1, len(x) - 1)
        return np.stack([np.zeros_like(middle), middle, middle + 1], 1)
    return np.array(_ears(x.tolist(), (y * sense).tolist()), np.int64)


def _ears(x: list[float], y: list[float]) -> list[tuple[int, int, int]]:
    """Ears of a polygon that turns left once its y is taken as given (the caller flips it where needed)."""
    left = list(range(len(x)))
    ears = []
    while len(left) > 3:
        hollow = [b for a, b, c in _triples(left) if _turn(x, y, a, b, c) <= 0]
        best = next((i for i, corner in enumerate(_triples(left)) if _is_ear(x, y, corner, hollow)), None)
        if best is None:  # a nearly flat or touching outline: cut the most convex corner
            best = max(range(len(left)), key=lambda i: _turn(x, y, left[i - 1], left[i], left[(i + 1) % len(left)]))
        ears.append((left[best - 1], left[best], left[(best + 1) % len(left)]))
        del left[best]
    return [*ears, (left[0], left[1], left[2])]


def _triples(left: list[int]) -> zip[tuple[int, int, int]]:
    return zip([left[-1], *left[:-1]], left, [*left[1:], left[0]], strict=True)


def _turn(x: list[float], y: list[float], a: int, b: int, c: int) -> float:
    return (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])


def _is_ear(x: list[float], y: list[float], corner: tuple[int, int, int], hollow: list[int]) -> bool:
    a, b, c = corner
    if _turn(x, y, a, b, c) <= 0:
        return False
    for p in hollow:
        if p in corner:
            continue
        if _turn(x, y, a, b, p) >= 0 and _turn(x, y, b, c, p) >= 0 and _turn(x, y, c, a, p) >= 0:
            return False
    return True
