"""Lays charts flat with little stretch: as rigid as possible (Liu et al. 2008, "A local/global approach to mesh
parameterization"), started from the view along each chart's axis, in which no face is turned over.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints, length
from manymesh.mesh.unwrap.charts import AXES

ROUNDS = 8
LEAST_AREA = 0.08  # a flat face keeps at least this share of its area, or its chart is taken back towards the view


def split_by_chart(faces: NDArray[Any], chart: Ints) -> tuple[Ints, Ints, Ints]:
    """Gives every chart its own vertices.

    Returns:
        corners (m, 3) into the new vertices, source (k,) the old vertex of each, owner (k,) its chart. New vertices are
        sorted by chart, then by old number.
    """
    size = int(faces.max()) + 1
    key = chart[:, None] * size + faces
    unique, inverse = np.unique(key.reshape(-1), return_inverse=True)
    return inverse.reshape(-1, 3), unique % size, unique // size


def project(points: NDArray[np.float64], owner: Ints, axis: Ints) -> NDArray[np.float64]:
    """(k, 2) the points seen along their chart's axis, not mirrored."""
    forward = AXES[axis]
    up = np.where(np.abs(forward[:, 1:2]) > 0.5, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    right = np.cross(up, forward)
    up = np.cross(forward, right)
    return np.stack([np.einsum("ij,ij->i", points, right[owner]), np.einsum("ij,ij->i", points, up[owner])], axis=1)


def flatten(points: NDArray[np.float64], corners: Ints, owner: Ints, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, 2) flat positions near the mesh's own lengths; no face is turned over that was not in ``start``."""
    flat = start
    shape = _laid_out(points, corners)
    weight = _cotangents(shape)
    solve = _factorised(corners, weight, len(points))
    # Turning in the plane is multiplying by complex numbers.
    plane = shape[..., 0] + 1j * shape[..., 1]
    sides = weight * (plane[:, [1, 2, 0]] - plane)
    for _ in range(ROUNDS):
        flat = solve(_pulled(flat[:, 0] + 1j * flat[:, 1], corners, sides), flat)
    return _unfolded(start, flat, corners, owner, shape)


def areas(flat: NDArray[np.float64], corners: Ints) -> NDArray[np.float64]:
    """(m,) twice the signed area of each flat face; positive is counter-clockwise with v up."""
    a, b, c = (flat[corners[:, k]] for k in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _laid_out(points: NDArray[np.float64], corners: Ints) -> NDArray[np.float64]:
    """(m, 3, 2) every face by itself in the plane, undistorted."""
    a, b, c = (points[corners[:, k]] for k in range(3))
    base = length(b - a)
    safe = np.where(base > 0, base, 1)
    along = np.einsum("ij,ij->i", c - a, b - a) / safe
    height = length(np.cross(b - a, c - a)) / safe
    zero = np.zeros_like(base)
    return np.stack([np.stack([zero, zero], 1), np.stack([base, zero], 1), np.stack([along, height], 1)], axis=1)


def _cotangents(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m, 3) weight of each half-edge: the cotangent of the angle across it, kept positive and bounded."""
    to_next, to_last = np.roll(shape, -1, axis=1) - shape, np.roll(shape, 1, axis=1) - shape
    dot = np.einsum("ijk,ijk->ij", to_next, to_last)
    cross = np.abs(to_next[..., 0] * to_last[..., 1] - to_next[..., 1] * to_last[..., 0])
    at_corner = np.clip(dot / np.maximum(cross, 1e-30), 0.05, 20.0)
    return np.roll(at_corner, 1, axis=1)  # across from corner c lies half-edge c + 1


def _factorised(corners: Ints, weight: NDArray[np.float64], count: int) -> Any:
    """Solves the weighted graph Laplacian of all charts at once; a trace of the last answer pins each chart."""
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import splu

    i, j, w = corners.reshape(-1), np.roll(corners, -1, axis=1).reshape(-1), weight.reshape(-1)
    off = coo_matrix((np.concatenate([w, w]), (np.concatenate([i, j]), np.concatenate([j, i]))), shape=(count, count))
    off = off.tocsr()
    total = np.asarray(off.sum(axis=1)).reshape(-1)
    pin = 1e-7 * np.maximum(total, 1e-3)
    factor = splu(
        (diags(total + pin) - off).tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return lambda pulled, last: factor.solve(pulled + pin[:, None] * last)


def _pulled(flat: NDArray[np.complex128], corners: Ints, sides: NDArray[np.complex128]) -> NDArray[np.float64]:
    """The right-hand side (k, 2): every face turned, undistorted, to where it best fits now.

    Args:
        flat: (k,) where the vertices lie now. sides: (m, 3) the faces' own half-edges times their weights.
    """
    now = flat[corners]
    match = np.conj(sides) * (now[:, [1, 2, 0]] - now)
    fit = match[:, 0] + match[:, 1] + match[:, 2]
    size = np.abs(fit)
    turned = (fit / np.where(size > 0, size, 1))[:, None] * sides
    towards = (turned[:, [2, 0, 1]] - turned).ravel()  # of corner c: the end of half-edge c - 1, the start of c
    index = corners.ravel()
    return np.stack([np.bincount(index, weights=part, minlength=len(flat)) for part in (towards.real, towards.imag)], 1)


def _unfolded(
    start: NDArray[np.float64],
    flat: NDArray[np.float64],
    corners: Ints,
    owner: Ints,
    shape: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Takes charts with turned or squeezed faces back towards the start, half way and then all the way."""
    chart = owner[corners[:, 0]]
    real = shape[:, 1, 0] * shape[:, 2, 1]
    count = int(owner.max()) + 1
    share = np.ones(count)
    result = flat
    for smaller in (0.5, 0.0):
        bad = areas(result, corners) < np.minimum(LEAST_AREA * real, 0.5 * areas(start, corners))
        if not bad.any():
            break
        share[np.unique(chart[bad])] = smaller
        mix = share[owner][:, None]
        result = mix * flat + (1 - mix) * start
    return result
