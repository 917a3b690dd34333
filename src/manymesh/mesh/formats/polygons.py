"""Polygons with any number of corners as triangles: ear clipping, so that concave ones keep their shape."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import unit
from manymesh.types import F64

Ints = NDArray[np.int64]

# Corners of a polygon of which the roundest ear is sought at each step, which takes the square of their number: 2,000
# corners take about a second. Chosen by hand.
MOST_CORNERS = 2000
# The same for all polygons of a mesh: the sum of the squares of their corners, some ten seconds.
MOST_WORK = 10 * MOST_CORNERS**2
# Of a larger polygon (a flat cap of a CAD export) any ear is taken, which is quicker and makes longer triangles. A
# polygon of more corners, and what is beyond the sum of the squares, becomes a fan. Chosen by hand: 10,000 corners take
# some three seconds.
MOST_LARGE_CORNERS = 10_000
MOST_LARGE_WORK = 3 * MOST_LARGE_CORNERS**2
# How often each corner of a large polygon is looked at, on average, before the rest is clipped anyhow. Chosen by hand:
# a gear, a comb, a star and a spiral of 600 corners take 1.0 to 2.1.
_MOST_LOOKS = 4
# How often a polygon may have no ear before it counts as crossing itself, and the rest becomes a fan. More than once,
# as rounded numbers can hide an ear. Chosen by hand.
_MOST_MISSES = 3


def triangulated(positions: F64, corners: Ints, sizes: Ints, notes: list[str]) -> tuple[Ints, Ints]:
    """Triangles of polygons, in the polygons' order.

    Args:
        positions: (n, 3).
        corners: (c,) the vertices of all polygons, one polygon after the other.
        sizes: (p,) corners of each polygon; those with fewer than three are left out.
        notes: gets a sentence where a polygon's shape was not kept.

    Returns:
        (m, 3) places in ``corners``, and (m,) the polygon of each triangle.
    """
    starts = np.cumsum(sizes) - sizes
    count = np.maximum(sizes - 2, 0)
    polygon = np.repeat(np.arange(len(sizes)), count)
    within = np.arange(len(polygon)) - np.repeat(np.cumsum(count) - count, count)
    first = starts[polygon]
    triangles = np.stack([first, first + within + 1, first + within + 2], axis=1)  # a fan: right for convex ones
    if not (sizes > 3).any():
        return triangles, polygon
    start_of = np.cumsum(count) - count
    concave = _concave(positions, corners, sizes, starts)
    work = sizes[concave].astype(np.float64) ** 2
    exact = (sizes[concave] <= MOST_CORNERS) & (_running(work, sizes[concave] <= MOST_CORNERS) <= MOST_WORK)
    large = ~exact & (sizes[concave] <= MOST_LARGE_CORNERS)
    large &= _running(work, large) <= MOST_LARGE_WORK
    crossed = 0
    for number, small in zip(concave[exact | large].tolist(), exact[exact | large].tolist(), strict=True):
        ring = positions[corners[starts[number] : starts[number] + sizes[number]]]
        clipped, kept = _clipped(ring) if small else _clipped_large(ring)
        triangles[start_of[number] : start_of[number] + count[number]] = clipped + starts[number]
        crossed += not kept
    if crossed:
        notes.append(
            f"{crossed:,} polygons with many corners cross themselves or are too intricate: their shape was not kept "
            "exactly. Export the mesh as triangles."
        )
    left = int((~exact & ~large).sum())
    if left:
        notes.append(
            f"{left:,} hollow polygons have too many corners to be cut into triangles exactly, and became fans. Export "
            "the mesh as triangles."
        )
    return triangles, polygon


def _running(work: F64, chosen: NDArray[np.bool_]) -> F64:
    """The sum of the work of those that are chosen, up to each."""
    return np.asarray(np.cumsum(np.where(chosen, work, 0.0)))


def _concave(positions: F64, corners: Ints, sizes: Ints, starts: Ints) -> Ints:
    """The polygons with a corner that turns the other way than the whole does, or that lies on a line."""
    large = np.flatnonzero(sizes > 3)
    chosen = np.repeat(large, sizes[large])
    step = np.arange(len(chosen)) - np.repeat(np.cumsum(sizes[large]) - sizes[large], sizes[large])
    here = corners[starts[chosen] + step]
    following = corners[starts[chosen] + (step + 1) % sizes[chosen]]
    before = corners[starts[chosen] + (step - 1) % sizes[chosen]]
    turn = np.cross(positions[here] - positions[before], positions[following] - positions[here])
    owner = np.repeat(np.arange(len(large)), sizes[large])
    normal = _newell(positions, here, following, owner, len(large))
    sign = np.einsum("ij,ij->i", turn, normal[owner])
    return large[np.bincount(owner, weights=sign <= 0, minlength=len(large)) > 0]


def _newell(positions: F64, here: Ints, following: Ints, owner: Ints, count: int) -> F64:
    """(count, 3) unit normals of polygons: the sum of the cross products along their sides."""
    origin = np.zeros((count, 3))
    origin[owner[::-1]] = positions[here[::-1]]  # the first corner of each, for exactness far from the origin
    cross = np.cross(positions[here] - origin[owner], positions[following] - origin[owner])
    return unit(np.stack([np.bincount(owner, weights=cross[:, k], minlength=count) for k in range(3)], axis=1))


def _clipped(ring: F64) -> tuple[Ints, bool]:
    """(n - 2, 3) triangles of one polygon (n, 3), in its plane; and False where it crosses itself too often to keep its
    shape."""
    flat = _flattened(ring)
    x, y = flat[:, 0].tolist(), flat[:, 1].tolist()
    left = list(range(len(ring)))
    triangles: list[tuple[int, int, int]] = []
    misses = 0
    while len(left) > 3 and misses <= _MOST_MISSES:
        ear, found = _ear(left, x, y)
        misses += not found
        size = len(left)
        triangles.append((left[ear - 1], left[ear], left[(ear + 1) % size]))
        del left[ear]
    triangles.extend((left[0], b, c) for b, c in pairwise(left[1:]))
    return np.array(triangles, np.int64), misses <= _MOST_MISSES


def _flattened(ring: F64) -> F64:
    """(n, 2) a polygon (n, 3) in its plane, counter-clockwise."""
    ring = ring - ring[0]
    normal = unit(np.cross(ring, np.roll(ring, -1, axis=0)).sum(axis=0)[None])[0]
    drop = int(np.abs(normal).argmax())
    flat = np.delete(ring, drop, axis=1)
    return flat[:, ::-1] if (normal[drop] < 0) != (drop == 1) else flat


def _clipped_large(ring: F64) -> tuple[Ints, bool]:
    """As ``_clipped``, with ears in the order in which they are found; and whether all of them are ears.

    A polygon that crosses itself has too few: what is left of it then is clipped anyhow.
    """
    flat = np.ascontiguousarray(_flattened(ring))
    x, y = flat[:, 0].tolist(), flat[:, 1].tolist()
    n = left = len(ring)
    before, after = [*range(-1, n - 1)], [*range(1, n), 0]
    before[0] = n - 1
    reflex = np.array([_turn([before[i], i, after[i]], x, y, 1) < 0 for i in range(n)])
    alive = np.flatnonzero(reflex)  # some of them may have become convex
    triangles: list[tuple[int, int, int]] = []
    waiting = deque(np.flatnonzero(~reflex).tolist())
    gone = [False] * n
    looks, misses, clipped_before = 0, 0, -1
    while left > 3:
        if not waiting:
            # Corners that others reached into before. A round without an ear means that the polygon crosses itself:
            # then any corner is clipped, so that it ends.
            forced, clipped_before = len(triangles) == clipped_before, len(triangles)
            misses += forced
            waiting.extend(corner for corner in range(n) if not gone[corner])
        else:
            forced = False
        given_up = misses > _MOST_MISSES or looks > _MOST_LOOKS * n
        b = waiting.popleft()
        if gone[b]:
            continue
        a, c = before[b], after[b]
        looks += 1
        if not forced and not given_up and (_turn([a, b, c], x, y, 1) < 0 or _reached(flat, alive, (a, b, c))):
            continue
        triangles.append((a, b, c))
        after[a], before[c], left, gone[b] = c, a, left - 1, True
        reflex[b] = False
        for corner in (a, c):
            reflex[corner] &= _turn([before[corner], corner, after[corner]], x, y, 1) < 0
        waiting.extend((a, c))
        if len(triangles) % 64 == 0:
            alive = alive[reflex[alive]]
    here = gone.index(False)
    triangles.append((before[here], here, after[here]))
    return np.array(triangles, np.int64), misses <= _MOST_MISSES and looks <= _MOST_LOOKS * n


def _reached(flat: F64, reflex: Ints, corners: tuple[int, int, int]) -> bool:
    """Whether one of the reflex corners lies in a counter-clockwise triangle or on its sides, but not on a corner."""
    triangle = flat[list(corners)]
    points = flat[reflex]
    near = points[((points >= triangle.min(axis=0)) & (points <= triangle.max(axis=0))).all(axis=1)]
    if not len(near):
        return False
    inside = ~(near[:, None] == triangle[None]).all(axis=2).any(axis=1)
    for start, stop in ((0, 1), (1, 2), (2, 0)):
        side, away = triangle[stop] - triangle[start], near - triangle[start]
        inside &= side[0] * away[:, 1] - side[1] * away[:, 0] >= 0
    return bool(inside.any())


def _ear(left: list[int], x: list[float], y: list[float]) -> tuple[int, bool]:
    """The place in ``left`` of the roundest ear: a corner whose triangle no other corner reaches into. Without an ear,
    the corner that turns most, and False."""
    size = len(left)
    reflex = [place for place in range(size) if _turn(left, x, y, place) < 0]
    best, best_score = -1, -1.0
    for place in range(size):
        turn = _turn(left, x, y, place)
        if turn < 0:
            continue
        a, b, c = left[place - 1], left[place], left[(place + 1) % size]
        longest = max(_far2(x, y, a, b), _far2(x, y, b, c), _far2(x, y, c, a))
        score = turn / longest if longest > 0 else 0.0
        if score <= best_score:
            continue
        if not any(_inside(x, y, a, b, c, left[other]) for other in reflex if left[other] not in (a, b, c)):
            best, best_score = place, score
    if best >= 0:
        return best, True
    return max(range(size), key=lambda place: _turn(left, x, y, place)), False


def _turn(left: list[int], x: list[float], y: list[float], place: int) -> float:
    a, b, c = left[place - 1], left[place], left[(place + 1) % len(left)]
    return (x[b] - x[a]) * (y[c] - y[b]) - (y[b] - y[a]) * (x[c] - x[b])


def _far2(x: list[float], y: list[float], a: int, b: int) -> float:
    return (x[a] - x[b]) ** 2 + (y[a] - y[b]) ** 2


def _inside(x: list[float], y: list[float], a: int, b: int, c: int, p: int) -> bool:
    """Whether p lies in the counter-clockwise triangle a, b, c or on its sides, but not on a corner of it."""
    if (x[p], y[p]) in ((x[a], y[a]), (x[b], y[b]), (x[c], y[c])):
        return False
    for start, stop in ((a, b), (b, c), (c, a)):
        if (x[stop] - x[start]) * (y[p] - y[start]) - (y[stop] - y[start]) * (x[p] - x[start]) < 0:
            return False
    return True
