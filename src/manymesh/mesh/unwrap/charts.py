"""Cuts a surface into charts that can be laid flat: the first half of unwrapping.

Every face takes the axis (+-X, +-Y, +-Z) that its smoothed normal is nearest to, and connected faces of one axis are a
chart. The photo looks along -Z, so what it shows of an object falls into few charts, cut where it turns away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints, connected_components, edges, face_cross, length, simple_pairs, unit

AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=np.float64)
# Rounds of averaging normals over neighbours before faces choose an axis. Chosen by hand; not measured.
SMOOTHING = 24
# A face's normal . its chart's axis is at least this (83 degrees), so that no face folds over. Chosen by hand.
STEEPEST = 0.12
# Charts under this share of the surface join a neighbour where no face folds over. Chosen by hand; not measured.
SMALL_AREA = 0.004
# Rounds of joining small charts, at most. Chosen by hand.
MERGE_ROUNDS = 6


def cut(vertices: NDArray[Any], faces: NDArray[Any]) -> tuple[Ints, Ints]:
    """Charts of a mesh.

    Args:
        vertices: (n, 3) finite.
        faces: (m, 3).

    Returns:
        chart (m,), the number of each face's chart, from 0 on, and axis (charts,), the row of ``AXES`` it faces. Seen
        along its axis no face of a chart is turned over; different faces may still lie behind each other.
    """
    normals = unit(face_cross(vertices, faces))
    area = length(face_cross(vertices, faces))
    pairs = simple_pairs(edges(faces))
    neighbours = pairs // 3
    border = length(np.diff(vertices.astype(np.float64)[_ends(faces, pairs[:, 0])], axis=1)[:, 0])
    axis = _choose_axis(normals, area, neighbours)
    for _ in range(MERGE_ROUNDS):
        chart = connected(axis, neighbours)
        merged = _join_small(axis, chart, normals, area, neighbours, border)
        if np.array_equal(merged, axis):
            break
        axis = merged
    chart = connected(axis, neighbours)
    return chart, axis[np.unique(chart, return_index=True)[1]]


def connected(label: Ints, neighbours: Ints) -> Ints:
    """Components of faces (m,) that have equal labels across (p, 2) neighbour pairs."""
    same = label[neighbours[:, 0]] == label[neighbours[:, 1]]
    return connected_components(len(label), neighbours[same])[1]


def _ends(faces: NDArray[Any], half_edges: Ints) -> NDArray[Any]:
    face, corner = half_edges // 3, half_edges % 3
    return np.stack([faces[face, corner], faces[face, (corner + 1) % 3]], axis=1)


def _choose_axis(normals: NDArray[np.float64], area: NDArray[np.float64], neighbours: Ints) -> Ints:
    from scipy.sparse import coo_matrix

    m = len(normals)
    both = np.concatenate([neighbours, neighbours[:, ::-1]])
    adjacency = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(m, m)).tocsr()
    smooth = normals
    weight = area[:, None] + 1e-12 * area.max(initial=1.0)
    for _ in range(SMOOTHING):
        weighted = smooth * weight
        smooth = unit(weighted + adjacency @ weighted)
    facing = normals @ AXES.T
    # A small pull towards the face's own best axis, and never an axis that turns it over.
    score = np.where(facing >= STEEPEST, smooth @ AXES.T + 0.05 * facing, -2 + facing)
    nearest: Ints = score.argmax(axis=1).astype(np.int64)
    return nearest


def _join_small(
    axis: Ints,
    chart: Ints,
    normals: NDArray[np.float64],
    area: NDArray[np.float64],
    neighbours: Ints,
    border: NDArray[np.float64],
) -> Ints:
    """Gives each small chart the axis of the neighbour it shares the longest border with, where that folds no face."""
    count = int(chart.max()) + 1
    chart_area = np.bincount(chart, weights=area, minlength=count)
    small = chart_area < SMALL_AREA * area.sum()
    if not small.any():
        return axis
    steepest = np.full((count, len(AXES)), np.inf)
    order = np.argsort(chart, kind="stable")
    starts = np.searchsorted(chart[order], np.arange(count))
    steepest = np.minimum.reduceat((normals @ AXES.T)[order], starts, axis=0)
    chart_axis = axis[order[starts]]
    a, b = chart[neighbours[:, 0]], chart[neighbours[:, 1]]
    across = a != b
    key = np.concatenate([a[across] * count + b[across], b[across] * count + a[across]])
    touching, inverse = np.unique(key, return_inverse=True)
    shared = np.bincount(inverse, weights=np.tile(border[across], 2), minlength=len(touching))
    mine, other = touching // count, touching % count
    allowed = small[mine] & (steepest[mine, chart_axis[other]] >= STEEPEST)
    # Of two small neighbours only the smaller moves, so that they do not swap axes for ever.
    smaller = (chart_area[mine] < chart_area[other]) | ((chart_area[mine] == chart_area[other]) & (mine > other))
    choice = np.flatnonzero(allowed & smaller)
    choice = choice[np.lexsort((choice, -shared[choice], mine[choice]))]
    movers, first = np.unique(mine[choice], return_index=True)
    target = dict(zip(movers.tolist(), other[choice[first]].tolist(), strict=True))
    moved = chart_axis.copy()
    for mover in movers[np.lexsort((movers, chart_area[movers]))].tolist():
        if target[mover] not in target:  # its neighbour stays in this round
            moved[mover] = chart_axis[target[mover]]
    if np.array_equal(moved, chart_axis):  # chains only: let the smallest go
        for mover in movers.tolist()[:1]:
            moved[mover] = chart_axis[target[mover]]
    return moved[chart]
