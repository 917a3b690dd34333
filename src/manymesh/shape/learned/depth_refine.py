"""Smooth depth layers: the network's depths, fitted to its normals.

The network's normals of the first surface are smooth and its depths are not, but only depths say where the surface is.
So the surface is sought whose tangents agree with the normals and which stays near the depths. That is a sparse linear
least squares problem (Nehab et al. 2005, "Efficiently combining positions and normals for precise 3D geometry"). It is
solved a few times with new weights, so that depths may jump where one part stands in front of another (iteratively
reweighted least squares, Holland & Welsch 1977).

For the last surface the network predicts no normals. They are taken from its depths and smoothed by a bilateral filter
(Tomasi & Manduchi 1998): within one flat part they become equal, across creases they stay apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from manymesh.shape.learned import contract
from manymesh.shape.learned.contract import BIN_LENGTH
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, F64, Bool

# Length scale in pixels below which the normals decide and above which the depths do, for the first and the last
# surface. Set by hand on the validation models.
FRONT_REACH, BACK_REACH = 5.0, 5.0

# Distance from the tangent plane, in bins, at which two neighbouring pixels begin to count as unconnected.
# Set by hand on the validation models.
JUMP_BINS = 1.5

# Reweighted solutions. The weights change little after the third. Chosen by hand.
ROUNDS = 3

# Lower limit of the cosine between ray and normal in the weight of a depth. At 1 all depths weigh the same, however
# steep the surface. Set by hand on the validation models.
MIN_FACING = 1.0

# Limits of the conjugate gradient solver: steps, and relative residual. Chosen by hand: well below what shows in a
# mesh of the grid's resolution.
SOLVER_STEPS, SOLVER_PRECISION = 200, 1e-4

# The bilateral filter of the last surface's normals: how often it is applied, its radius in pixels, its standard
# deviation in pixels, and the length of the difference of two unit normals at which their weight has fallen to
# exp(-1/2). Set by hand on the validation models.
FILTER_ROUNDS = 2
FILTER_RADIUS = 6
FILTER_SIGMA_PX = 4.0
FILTER_SIGMA_NORMAL = 0.35


def refine_depths(prediction: Prediction, inside: Bool, tan_half_fov: float) -> Prediction:
    """The prediction with both depth layers smoothed.

    Args:
        inside: (GRID, GRID) bool, the silhouette's pixels. Depths elsewhere stay as they are.
        tan_half_fov: of the crop.
    """
    first, last = prediction.surface[contract.FRONT_DEPTH], prediction.surface[contract.BACK_DEPTH]
    front_normals = _unit(prediction.surface[contract.FRONT_NORMAL].transpose(1, 2, 0).astype(np.float64))
    back_normals = filter_normals(normals_from_depth(last, inside, tan_half_fov), last, inside)
    surface = prediction.surface.copy()
    surface[contract.FRONT_DEPTH] = fit_to_normals(first, front_normals, inside, tan_half_fov, FRONT_REACH)
    surface[contract.BACK_DEPTH] = fit_to_normals(last, back_normals, inside, tan_half_fov, BACK_REACH)
    return replace(prediction, surface=surface)


def fit_to_normals(depth: F32, normals: F64, inside: Bool, tan_half_fov: float, reach: float) -> F32:
    """(GRID, GRID) float32 depths near ``depth`` whose surface has ``normals``.

    Args:
        depth: (GRID, GRID) d in crop units.
        normals: (GRID, GRID, 3) unit vectors, (right, up, towards the eye).
        inside: (GRID, GRID) bool, which pixels take part; the others keep their depth.
        tan_half_fov: of the crop.
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
    pairs = [_neighbours(number, axis) for axis in (0, 1)]
    a, b = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    ray, base, normal = ray[inside], base[inside], normals[inside]
    between = _unit(normal[a] + normal[b])
    # The step between two neighbouring points along their mean normal is linear in their depths:
    # slope_a * d[a] + slope_b * d[b] + shift. On a surface with these normals it is 0.
    slope_a, slope_b = -np.einsum("nc,nc->n", between, ray[a]), np.einsum("nc,nc->n", between, ray[b])
    shift = np.einsum("nc,nc->n", between, base[b] - base[a])
    measured = depth[inside].astype(np.float64)
    hold = np.maximum(np.einsum("nc,nc->n", normal, ray) ** 2, MIN_FACING**2) / reach**2
    rows, columns = np.concatenate([a, b, a, b, np.arange(count)]), np.concatenate([a, b, b, a, np.arange(count)])
    fitted = measured
    for _ in range(ROUNDS):
        off = (slope_a * fitted[a] + slope_b * fitted[b] + shift) / (JUMP_BINS * BIN_LENGTH)
        weight = 1 / (1 + off**2) ** 2
        entries = [weight * slope_a**2, weight * slope_b**2, *[weight * slope_a * slope_b] * 2, hold]
        matrix = coo_array((np.concatenate(entries), (rows, columns)), shape=(count, count)).tocsr()
        right = hold * measured
        right -= np.bincount(a, weight * slope_a * shift, count) + np.bincount(b, weight * slope_b * shift, count)
        scale = coo_array((1 / matrix.diagonal(), (np.arange(count), np.arange(count))), shape=(count, count)).tocsr()
        fitted, _ = cg(matrix, right, x0=fitted, rtol=SOLVER_PRECISION, maxiter=SOLVER_STEPS, M=scale)
    result = depth.copy()
    result[inside] = fitted
    return result


def normals_from_depth(depth: F32, inside: Bool, tan_half_fov: float) -> F64:
    """(GRID, GRID, 3) unit normals of a depth layer, (right, up, towards the eye), by differences of neighbours.

    Only neighbours in ``inside`` (GRID, GRID) bool count.
    """
    ray, base = _rays(tan_half_fov)
    points = base + ray * depth[..., None]
    across, down = (_differences(points, inside, axis) for axis in (1, 0))
    return _unit(np.cross(down, across))


def filter_normals(normals: F64, depth: F32, inside: Bool) -> F64:
    """(GRID, GRID, 3) unit normals, each the mean of those around it that are like it (a bilateral filter).

    Args:
        normals: (GRID, GRID, 3) unit vectors.
        depth: (GRID, GRID) d in crop units; pixels across a jump in depth do not count.
        inside: (GRID, GRID) bool, which pixels take part.
    """
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    counts, bins = inside[box].astype(np.float32), depth[box] / np.float32(BIN_LENGTH)
    now = [np.ascontiguousarray(normals[box][..., axis], np.float32) for axis in range(3)]
    for _ in range(FILTER_ROUNDS):
        total = [plane * counts for plane in now]
        for y, x, distance in _half_disc():
            one, other = _shifted_pair(counts.shape, y, x)
            weight = _pair_weights([plane[one] for plane in now], [plane[other] for plane in now], distance)
            weight *= counts[one] * counts[other]
            weight *= np.abs(bins[one] - bins[other]) < np.float32(3 * JUMP_BINS * distance)
            for plane, mean in zip(now, total, strict=True):  # each of a pair is the other's neighbour
                mean[one] += weight * plane[other]
                mean[other] += weight * plane[one]
        now = list(np.moveaxis(_unit(np.dstack(total)), 2, 0))
    result = normals.copy()
    result[box] = np.dstack(now)
    return result


def _half_disc() -> list[tuple[int, int, float]]:
    """(rows down, columns right, length) of the offsets to half of the pixels within ``FILTER_RADIUS``.

    The other half are their opposites.
    """
    reach = range(-FILTER_RADIUS, FILTER_RADIUS + 1)
    offsets = ((y, x, float(np.hypot(x, y))) for y in reach for x in reach if (y, x) > (0, 0))
    return [offset for offset in offsets if offset[2] <= FILTER_RADIUS]


def _shifted_pair(shape: tuple[int, ...], y: int, x: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Two windows of a picture: the pixels that have another one y rows down and x columns right, and those others."""
    height, width = shape
    left, right = max(-x, 0), max(x, 0)
    return (slice(0, max(height - y, 0)), slice(left, max(width - right, left))), (
        slice(min(y, height), height),
        slice(right, max(width - left, right)),
    )


def _pair_weights(one: list[F32], other: list[F32], distance: float) -> F32:
    """The bilateral filter's weights of pairs of normals, given as three planes each, ``distance`` pixels apart."""
    weight = one[0] * other[0]
    for a, b in zip(one[1:], other[1:], strict=True):
        weight += a * b
    weight -= np.float32(1)
    weight *= np.float32(1 / FILTER_SIGMA_NORMAL**2)
    np.exp(weight, out=weight)
    weight *= np.float32(np.exp(-((distance / FILTER_SIGMA_PX) ** 2) / 2))
    return weight


def _rays(tan_half_fov: float) -> tuple[F64, F64]:
    """(GRID, GRID, 3) ``ray`` and ``base``: the point of pixel p at depth d is base[p] + d * ray[p], crop units."""
    u = (np.arange(contract.GRID) + 0.5) / contract.GRID - 0.5
    x, y = np.meshgrid(u, -u)
    zero = np.zeros_like(x)
    return np.dstack([2 * tan_half_fov * x, 2 * tan_half_fov * y, zero - 1]), np.dstack([x, y, zero])


def _neighbours(number: Any, axis: int) -> tuple[Any, Any]:
    """The numbers of neighbouring pixels along an axis, as two equally long lists; negative numbers are left out."""
    one, other = (number[:-1], number[1:]) if axis == 0 else (number[:, :-1], number[:, 1:])
    both = (one >= 0) & (other >= 0)
    return one[both], other[both]


def _differences(points: F64, inside: Bool, axis: int) -> F64:
    """Central differences along an axis; one-sided where only one neighbour is in ``inside``."""
    step = np.diff(points, axis=axis)
    good = (inside[1:] & inside[:-1]) if axis == 0 else (inside[:, 1:] & inside[:, :-1])
    step = step * good[..., None]
    start = [(0, 0)] * 3
    end = [(0, 0)] * 3
    start[axis], end[axis] = (1, 0), (0, 1)
    return np.pad(step, start) + np.pad(step, end)


def _unit(vectors: F64) -> F64:
    """Vectors along the last axis scaled to length one; zero stays zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
