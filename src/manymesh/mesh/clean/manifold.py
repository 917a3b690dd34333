"""Turns any triangle list into a manifold one, and a closed one into a closed manifold one.

Non-manifold edges are resolved by deciding which two faces belong together: the ones that enclose solid between them
(as in Guéziec et al. 2001, "Cutting and stitching"). Every fan of corners that this leaves around a vertex then gets a
vertex of its own, moved a hair inwards, so that a reader that merges equal positions does not glue them again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import (
    Edges,
    Ints,
    corner_fans,
    edges,
    face_cross,
    half_edge_ends,
    length,
    low_high,
    scatter_sum,
    simple_pairs,
    unit,
    used_vertices,
)

ROUNDS = 12
INWARDS = 0.01  # of the mean edge length around a split vertex
SMALLEST_STEP = 5e-7  # of the longest side of the box: a few float32 steps


def make_manifold(
    vertices: NDArray[Any], faces: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64]]:
    """Splits non-manifold edges and vertices. A manifold mesh comes back as it is.

    Args:
        vertices: (n, 3) float.
        faces: (m, 3) without repeated vertices in a face, and without two faces on the same three vertices.

    Returns:
        vertices (k, 3) float32, faces (m', 3) int32, and source (k,), the vertex each one was made from. There are more
        faces than before only where two edges ran between the same two vertices: one of them is then cut in two halves.
    """
    points = np.asarray(vertices, dtype=np.float32)
    triangles = np.asarray(faces, dtype=np.int32)
    source = np.arange(len(points), dtype=np.int64)
    for _ in range(ROUNDS):
        table = edges(triangles)
        pairs = np.concatenate([simple_pairs(table), _crowded_pairs(points, triangles, table)])
        fans, fan = corner_fans(triangles, pairs)
        if fans > len(used_vertices(triangles)):
            points, triangles, origin = _split_vertices(points, triangles, fan)
            source = source[origin]
        double = _double_edges(triangles, pairs)
        if len(double) == 0:
            return points, triangles, source
        points, triangles, source = _cut_in_the_middle(points, triangles, source, double)
    return points, triangles, source


def _crowded_pairs(points: NDArray[Any], faces: NDArray[Any], table: Edges) -> Ints:
    """Pairs the half-edges of every edge with more than two faces; an odd one out stays alone."""
    ends = half_edge_ends(faces)
    pairs: list[tuple[int, int]] = []
    for edge in np.flatnonzero(table.faces > 2):
        around = table.order[table.start[edge] : table.start[edge] + table.faces[edge]]
        pairs.extend(_pairs_around(points, faces, ends, around))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _pairs_around(points: NDArray[Any], faces: NDArray[Any], ends: Ints, around: Ints) -> list[tuple[int, int]]:
    """Matches faces around one edge like brackets, by angle.

    Seen along the edge from a to b, a face with half-edge a -> b has the solid on the side of smaller angles and one
    with b -> a on the side of larger ones: so b -> a opens a wedge of solid and the next a -> b closes it.
    """
    a, b = np.sort(ends[around[0]])
    origin = points[a].astype(np.float64)
    axis = unit(points[b].astype(np.float64) - origin)
    third = faces[around // 3, (around % 3 + 2) % 3]
    reach = points[third].astype(np.float64) - origin
    reach -= np.outer(reach @ axis, axis)
    side = unit(reach[0])
    up = np.cross(axis, side)
    angle = np.round(np.arctan2(reach @ up, reach @ side), 9)
    forward = ends[around, 0] == a
    # Where two faces lie on each other, opening first keeps them apart as a thin wedge.
    turn = np.lexsort((around, forward, angle))
    matched: list[tuple[int, int]] = []
    waiting: list[int] = []
    used: set[int] = set()
    for half_edge, closes in [(int(around[i]), bool(forward[i])) for i in turn] * 2:
        if half_edge in used or half_edge in waiting:
            continue
        if not closes:
            waiting.append(half_edge)
        elif waiting:
            opener = waiting.pop()
            matched.append((opener, half_edge))
            used.update((opener, half_edge))
    rest = [int(around[i]) for i in turn if int(around[i]) not in used]
    return matched + list(zip(rest[0::2], rest[1::2], strict=False))


def _split_vertices(
    points: NDArray[np.float32], faces: NDArray[np.int32], fan: Ints
) -> tuple[NDArray[np.float32], NDArray[np.int32], Ints]:
    """Gives every fan of corners its own vertex; copies of one vertex step a hair inwards, away from each other."""
    corner_vertex = faces.reshape(-1).astype(np.int64)
    fans = int(fan.max()) + 1
    origin = np.empty(fans, dtype=np.int64)
    origin[fan] = corner_vertex
    # The first fan of each vertex keeps its place in the order, so that little changes in a file.
    order = np.argsort(origin, kind="stable")
    rank = np.empty(fans, dtype=np.int64)
    rank[order] = np.arange(fans)
    origin, fan = origin[order], rank[fan]
    triangles = fan.reshape(-1, 3).astype(np.int32)
    moved = points[origin].astype(np.float64)
    copied = np.bincount(origin, minlength=len(points))[origin] > 1
    normal = scatter_sum(fan, np.repeat(face_cross(points, faces), 3, axis=0), fans)
    ends = half_edge_ends(faces)
    sides = length(points[ends[:, 1]].astype(np.float64) - points[ends[:, 0]])
    mean_length = np.bincount(fan, weights=sides, minlength=fans) / np.maximum(np.bincount(fan, minlength=fans), 1)
    smallest = SMALLEST_STEP * float(np.ptp(points, axis=0).max())
    step = np.maximum(INWARDS * mean_length, smallest)[:, None] * unit(normal)
    moved[copied] -= step[copied]
    return moved.astype(np.float32), triangles, origin


def _double_edges(faces: NDArray[np.int32], pairs: Ints) -> Ints:
    """The glued pairs that share both ends with an earlier pair: two different edges between the same vertices."""
    ends = half_edge_ends(faces)[pairs[:, 0]]
    low, high = low_high(ends)
    key = low * (int(faces.max(initial=0)) + 1) + high
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    repeated: Ints = pairs[first[inverse] != np.arange(len(key))]
    return repeated


def _cut_in_the_middle(
    points: NDArray[np.float32], faces: NDArray[np.int32], source: Ints, double: Ints
) -> tuple[NDArray[np.float32], NDArray[np.int32], Ints]:
    """Puts a vertex on each of these edges; the two faces there become four."""
    triangles = faces.tolist()
    new_points: list[NDArray[np.float64]] = []
    new_source: list[int] = []
    busy: set[int] = set()
    normals = unit(face_cross(points, faces))
    for left, right in double.tolist():
        if left // 3 in busy or right // 3 in busy:
            continue  # the next round takes it
        busy.update((left // 3, right // 3))
        middle = len(points) + len(new_points)
        a, b = (int(faces[left // 3, c]) for c in (left % 3, (left % 3 + 1) % 3))
        place = (points[a].astype(np.float64) + points[b]) / 2
        inward = unit(normals[left // 3] + normals[right // 3])
        new_points.append(place - INWARDS * np.linalg.norm(points[b].astype(np.float64) - points[a]) * inward)
        new_source.append(int(source[a]))
        for half_edge in (left, right):
            face, corner = divmod(half_edge, 3)
            start, end, apex = (int(faces[face, (corner + c) % 3]) for c in range(3))
            triangles[face] = [start, middle, apex]
            triangles.append([middle, end, apex])
    return (
        np.concatenate([points, np.array(new_points, dtype=np.float32).reshape(-1, 3)]),
        np.array(triangles, dtype=np.int32),
        np.concatenate([source, np.array(new_source, dtype=np.int64)]),
    )
