"""The rigid flattening of large charts: solved on a coarse grid in space first, then smoothed on the mesh itself.

A direct solver's time and memory grow faster than the mesh. What flattening does to a chart beyond the view along its
axis is smooth, so a few thousand unknowns hold most of it: the displacement of the vertices is interpolated between the
points of a grid. What is finer than the grid needs only a few steps of conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from manymesh.mesh.topology import Ints, distinct
from manymesh.types import F64

# Grid cells a side of a square with the area of the view of all charts together. With 32 instead of 64 the L2 stretch
# of a noisy torus of 400,000 faces was 1.0017 instead of 1.0015 (1.0012 by the direct solver), in nearly the same time.
CELLS = 64
# Rounds of turning the faces and solving: on the grid, and then on the mesh. Measured on bumpy meshes of 70,000 to
# 100,000 faces: twice as many on the grid change the L2 stretch by less than 0.0002; none on the mesh fold faces.
GRID_ROUNDS, MESH_ROUNDS = 6, 2
# Steps of conjugate gradients in each round on the mesh. Measured on a bumpy duck of 270,000 faces: with 8 instead of
# 16 a face in a thousand was stretched by more than 1.28 instead of 1.14.
STEPS = 16
# Share of its own weight that holds each grid point to no displacement: points that share all their vertices would
# have no unique solution. Chosen by hand; not measured.
HOLD = 1e-6


def solve_coarse(points: F64, owner: Ints, start: F64, matrix: Any, pin: F64, pulled: Callable[[F64], F64]) -> F64:
    """Flat positions (k, 2) that nearly solve ``matrix @ flat = pulled(flat) + pin * flat``.

    Args:
        points: (k, 3) the vertices in space. owner: (k,) the chart of each. start: (k, 2) flat positions to start from.
        matrix: (k, k) sparse, symmetric and positive definite. pin: (k,) its part that pins each vertex.
        pulled: from flat positions (k, 2) to the right-hand side (k, 2) without the pins.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import splu

    matrix = matrix.tocsr()
    spread = _interpolation(points, owner, start)
    gather = spread.T.tocsr()
    reduced = gather @ matrix @ spread
    own = reduced.diagonal()
    # Grid points whose vertices all lie exactly beside them have no weight of their own.
    reduced = (reduced + HOLD * diags(np.maximum(own, HOLD * own.max()))).tocsc()
    solve = splu(reduced, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}).solve
    fixed = matrix @ start
    flat = start
    for _ in range(GRID_ROUNDS):
        right = pulled(flat) + pin[:, None] * flat
        flat = start + spread @ solve(gather @ (right - fixed))
    for _ in range(MESH_ROUNDS):
        flat = _smoothed(matrix, pulled(flat) + pin[:, None] * flat, flat)
    return flat


def _interpolation(points: F64, owner: Ints, start: F64) -> Any:
    """A sparse (k, grid points) matrix: trilinear interpolation from a grid in space, each chart's by itself."""
    from scipy.sparse import csr_array

    count = int(owner.max()) + 1
    starts = np.searchsorted(owner, np.arange(count))
    extent = np.maximum.reduceat(start, starts, axis=0) - np.minimum.reduceat(start, starts, axis=0)
    cell = max(float(np.sqrt((extent[:, 0] * extent[:, 1]).sum())) / CELLS, 1e-12)
    place = (points - points.min(axis=0)) / cell
    base = np.floor(place).astype(np.int64)
    within = place - base
    side = base.max(axis=0) + 2
    keys, shares = [], []
    for corner in range(8):
        step = np.array([corner & 1, corner >> 1 & 1, corner >> 2])
        x, y, z = (base + step).T
        keys.append(((owner * side[0] + x) * side[1] + y) * side[2] + z)
        shares.append(np.where(step, within, 1 - within).prod(axis=1))
    used, column = distinct(np.stack(keys, axis=1).reshape(-1))
    row_start = np.arange(len(points) + 1) * 8
    return csr_array((np.stack(shares, axis=1).reshape(-1), column, row_start), shape=(len(points), len(used)))


def _smoothed(matrix: Any, right: F64, guess: F64) -> F64:
    """``STEPS`` steps of conjugate gradients, preconditioned by the diagonal, for each column (k, 2) by itself."""
    inverse = 1 / matrix.diagonal()[:, None]
    flat = guess.copy()
    residual = right - matrix @ flat
    scaled = inverse * residual
    direction = scaled
    size = np.einsum("kc,kc->c", residual, scaled)
    for _ in range(STEPS):
        image = matrix @ direction
        step = size / np.maximum(np.einsum("kc,kc->c", direction, image), 1e-300)
        flat += step * direction
        residual -= step * image
        scaled = inverse * residual
        last, size = size, np.einsum("kc,kc->c", residual, scaled)
        direction = scaled + size / np.maximum(last, 1e-300) * direction
    return flat
