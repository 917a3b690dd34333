"""Clean depth layers: the network's depths, bent until they agree with its normals.

The network's normals of the first surface are smooth and its depths are not, but only depths say where things lie. So
the relief is sought whose tangents fit the normals and which stays near the depths: a sparse least squares problem
whose weights are found by iteration, so that depths may jump where one part stands before another (Nehab et al. 2005,
"Efficiently combining positions and normals for precise 3D geometry"; Holland & Welsch 1977 for the weights).

For the last surface the network gives no normals. They are taken from the depths themselves, and filtered so that
those of one flat part become one while creases stay (bilateral filter, Tomasi & Manduchi 1998).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from manymesh.parallel import run_pair
from manymesh.shape.learned import contract
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, F64, Bool

BIN = (contract.FAR - contract.NEAR) / contract.BINS

FRONT_REACH, BACK_REACH = 5.0, 5.0
"""Pixels: over what lengths normals decide; over longer ones depths do."""
JUMP_BINS = 1.5
"""Distance across the surface from which two neighbouring pixels count as not joined."""
ROUNDS = 3
LEAST_FACING = 1.0
"""Cosine: of steeper surfaces a step of depth moves the surface by little, and their depths are held no less."""
SOLVER_STEPS, SOLVER_PRECISION = 200, 1e-4

FILTER_ROUNDS = 2
FILTER_RADIUS = 6
FILTER_SPREAD_PX = 4.0
FILTER_SPREAD_TURN = 0.35
"""Length of the difference of two unit normals."""


def refine_depths(answer: Prediction, inside: Bool, tan_half_fov: float) -> Prediction:
    """The answer with both depth layers made smooth within ``inside`` (GRID, GRID)."""
    first, last = answer.surface[contract.FRONT_DEPTH], answer.surface[contract.BACK_DEPTH]

    def front() -> F32:
        normals = _unit(answer.surface[contract.FRONT_NORMAL].transpose(1, 2, 0).astype(np.float64))
        return fit_to_normals(first, normals, inside, tan_half_fov, FRONT_REACH)

    def back() -> F32:
        normals = filter_normals(normals_from_depth(last, inside, tan_half_fov), last, inside)
        return fit_to_normals(last, normals, inside, tan_half_fov, BACK_REACH)

    surface = answer.surface.copy()
    surface[contract.FRONT_DEPTH], surface[contract.BACK_DEPTH] = run_pair(front, back)
    return replace(answer, surface=surface)


def fit_to_normals(depth: F32, normals: F64, inside: Bool, tan_half_fov: float, reach: float) -> F32:
    """Depths near ``depth`` whose surface has ``normals``.

    Args:
        depth: (GRID, GRID) d. normals: (GRID, GRID, 3) unit, (right, up, towards the eye).
        inside: which pixels count; the others stay.
        reach: pixels, see ``FRONT_REACH``.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import cg

    number = np.full(inside.shape, -1)
    count = int(inside.sum())
    if not count:
        return depth
    number[inside] = np.arange(count)
    ray, base = _rays(tan_half_fov)
    ends = [_joined(number, axis) for axis in (0, 1)]
    a, b = (np.concatenate([pair[side] for pair in ends]) for side in (0, 1))
    ray, base, normal = ray[inside], base[inside], normals[inside]
    between = _unit(normal[a] + normal[b])
    # The step from one point to the next, across the surface: before * d[a] + after * d[b] + shift.
    before, after = -np.einsum("nc,nc->n", between, ray[a]), np.einsum("nc,nc->n", between, ray[b])
    shift = np.einsum("nc,nc->n", between, base[b] - base[a])
    wanted = depth[inside].astype(np.float64)
    facing = np.maximum(np.einsum("nc,nc->n", normal, ray) ** 2, LEAST_FACING**2) / reach**2
    rows, columns = np.concatenate([a, b, a, b, np.arange(count)]), np.concatenate([a, b, b, a, np.arange(count)])
    found = wanted
    for _ in range(ROUNDS):
        off = (before * found[a] + after * found[b] + shift) / (JUMP_BINS * BIN)
        weight = 1 / (1 + off**2) ** 2
        entries = [weight * before**2, weight * after**2, *[weight * before * after] * 2, facing]
        matrix = coo_array((np.concatenate(entries), (rows, columns)), shape=(count, count)).tocsr()
        right = facing * wanted
        right -= np.bincount(a, weight * before * shift, count) + np.bincount(b, weight * after * shift, count)
        scale = coo_array((1 / matrix.diagonal(), (np.arange(count), np.arange(count))), shape=(count, count)).tocsr()
        found, _ = cg(matrix, right, x0=found, rtol=SOLVER_PRECISION, maxiter=SOLVER_STEPS, M=scale)
    result = depth.copy()
    result[inside] = found
    return result


def normals_from_depth(depth: F32, inside: Bool, tan_half_fov: float) -> F64:
    """(GRID, GRID, 3) unit normals of a depth layer, by differences with neighbours in ``inside``."""
    ray, base = _rays(tan_half_fov)
    points = base + ray * depth[..., None]
    across, down = (_slope(points, inside, axis) for axis in (1, 0))
    return _unit(np.cross(down, across))


def filter_normals(normals: F64, depth: F32, inside: Bool) -> F64:
    """Normals averaged with those around that are like them and not far off in depth; (GRID, GRID, 3) unit."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    counts, place = inside[box].astype(np.float32), depth[box] / np.float32(BIN)
    now = [np.ascontiguousarray(normals[box][..., axis], np.float32) for axis in range(3)]
    for _ in range(FILTER_ROUNDS):
        total = [plane * counts for plane in now]
        for y, x, distance in _half_disc():
            one, other = _apart(counts.shape, y, x)
            likeness = _likeness([plane[one] for plane in now], [plane[other] for plane in now], distance)
            likeness *= counts[one] * counts[other]
            likeness *= np.abs(place[one] - place[other]) < np.float32(3 * JUMP_BINS * distance)
            for plane, mean in zip(now, total, strict=True):  # each of a pair is the other's neighbour
                mean[one] += likeness * plane[other]
                mean[other] += likeness * plane[one]
        now = list(np.moveaxis(_unit(np.dstack(total)), 2, 0))
    result = normals.copy()
    result[box] = np.dstack(now)
    return result


def _half_disc() -> list[tuple[int, int, float]]:
    """Steps down and across to half of the pixels within ``FILTER_RADIUS``, and how long they are; the other half are
    their opposites."""
    reach = range(-FILTER_RADIUS, FILTER_RADIUS + 1)
    steps = ((y, x, float(np.hypot(x, y))) for y in reach for x in reach if (y, x) > (0, 0))
    return [step for step in steps if step[2] <= FILTER_RADIUS]


def _apart(shape: tuple[int, ...], y: int, x: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """All places of a picture that have another one y rows down and x columns across, and those others."""
    height, width = shape
    left, right = max(-x, 0), max(x, 0)
    return (slice(0, max(height - y, 0)), slice(left, max(width - right, left))), (
        slice(min(y, height), height),
        slice(right, max(width - left, right)),
    )


def _likeness(one: list[F32], other: list[F32], distance: float) -> F32:
    """Weights of pairs of normals by how they are turned to each other and how far apart they are."""
    likeness = one[0] * other[0]
    for a, b in zip(one[1:], other[1:], strict=True):
        likeness += a * b
    likeness -= np.float32(1)
    likeness *= np.float32(1 / FILTER_SPREAD_TURN**2)
    np.exp(likeness, out=likeness)
    likeness *= np.float32(np.exp(-((distance / FILTER_SPREAD_PX) ** 2) / 2))
    return likeness


def _rays(tan_half_fov: float) -> tuple[F64, F64]:
    """The point of pixel p at depth d is base[p] + d ray[p]; both (GRID, GRID, 3)."""
    u = (np.arange(contract.GRID) + 0.5) / contract.GRID - 0.5
    x, y = np.meshgrid(u, -u)
    flat = np.zeros_like(x)
    return np.dstack([2 * tan_half_fov * x, 2 * tan_half_fov * y, flat - 1]), np.dstack([x, y, flat])


def _joined(number: Any, axis: int) -> tuple[Any, Any]:
    """The numbers of pixels that are neighbours along an axis."""
    one, other = (number[:-1], number[1:]) if axis == 0 else (number[:, :-1], number[:, 1:])
    both = (one >= 0) & (other >= 0)
    return one[both], other[both]


def _slope(points: F64, inside: Bool, axis: int) -> F64:
    """Differences along an axis, both ways where both neighbours count."""
    step = np.diff(points, axis=axis)
    good = (inside[1:] & inside[:-1]) if axis == 0 else (inside[:, 1:] & inside[:, :-1])
    step = step * good[..., None]
    start = [(0, 0)] * 3
    end = [(0, 0)] * 3
    start[axis], end[axis] = (1, 0), (0, 1)
    return np.pad(step, start) + np.pad(step, end)


def _unit(vectors: F64) -> F64:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
