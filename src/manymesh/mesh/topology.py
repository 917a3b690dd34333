"""Which triangles touch which: the half-edge bookkeeping that the other files of this room share.

A face ``f`` has three *half-edges* ``3 f + c``, c = 0..2, from its corner c to the next one, and three *corners* with
the same numbers. Half-edges between the same two vertices form one *edge*. A closed, consistently wound surface has, on
every edge, as many half-edges in one direction as in the other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Edges(NamedTuple):
    """The undirected edges of a triangle list.

    Attributes:
        ends: (e, 2) int64 vertex numbers, smaller first, in ascending order.
        of: (3 m,) the edge of each half-edge.
        faces: (e,) how many faces meet there.
        balance: (e,) half-edges from the smaller end minus those from the larger: 0 where winding agrees.
        order: (3 m,) half-edges sorted by edge, ties by number.
        start: (e,) where each edge's half-edges begin in ``order``.
    """

    ends: Ints
    of: Ints
    faces: Ints
    balance: Ints
    order: Ints
    start: Ints


def half_edge_ends(faces: NDArray[Any]) -> Ints:
    """(3 m, 2) int64: the start and end vertex of every half-edge."""
    return np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2).astype(np.int64)


def following(half_edge: Ints) -> Ints:
    """The next half-edge of the same face."""
    return np.where(half_edge % 3 == 2, half_edge - 2, half_edge + 1)


def low_high(ends: Ints) -> tuple[Ints, Ints]:
    """The smaller and the larger number of each row (numpy reduces short axes slowly)."""
    return np.minimum(ends[:, 0], ends[:, 1]), np.maximum(ends[:, 0], ends[:, 1])


def used_vertices(faces: NDArray[Any]) -> Ints:
    """The vertices that some face uses, ascending."""
    return np.flatnonzero(np.bincount(faces.reshape(-1))) if len(faces) else np.zeros(0, dtype=np.int64)


def edges(faces: NDArray[Any]) -> Edges:
    """Every edge of a triangle list."""
    ends = half_edge_ends(faces)
    low, high = low_high(ends)
    key = low * (int(high.max(initial=0)) + 1) + high
    ordered, order = sorted_keys(key)
    new = np.ones(len(key), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    start = np.flatnonzero(new)
    of = np.empty(len(key), dtype=np.int64)
    of[order] = np.cumsum(new) - 1
    first = order[start]
    count = np.diff(np.append(start, len(key)))
    direction = np.where(ends[:, 0] == low, 1, -1)
    balance = np.bincount(of, weights=direction, minlength=len(start)).astype(np.int64)
    return Edges(np.stack([low[first], high[first]], axis=1), of, count, balance, order, start)


def sorted_keys(key: Ints) -> tuple[Ints, Ints]:
    """Numbers from 0 on in ascending order, and where each stood, ties by place: a stable ``argsort``.

    NumPy sorts numbers several times as fast as it sorts their places, so both are packed into one where they fit.
    """
    bits = len(key).bit_length()
    if len(key) == 0 or int(key.max()).bit_length() + bits > 62:
        order = np.argsort(key, kind="stable")
        return key[order], order
    packed = key << bits
    packed |= np.arange(len(key))
    packed.sort()
    return packed >> bits, packed & ((1 << bits) - 1)


def distinct(key: Ints) -> tuple[Ints, Ints]:
    """The different numbers of a list of numbers from 0 on, ascending, and the place of each number among them.

    ``np.unique`` with ``return_inverse`` gives the same and takes several times as long (see ``sorted_keys``).
    """
    ordered, order = sorted_keys(key)
    new = np.ones(len(key), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    place = np.empty(len(key), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return ordered[new], place


def simple_pairs(table: Edges) -> Ints:
    """(p, 2) half-edges that share an edge with exactly one other."""
    start = table.start[table.faces == 2]
    return np.stack([table.order[start], table.order[start + 1]], axis=1)


def connected_components(node_count: int, links: NDArray[Any]) -> tuple[int, Ints]:
    """Connected components of a graph of ``links`` (l, 2): how many, and the number of each node's own.

    Numbered by their lowest node, so that the answer does not depend on the order of the links.
    """
    from scipy.sparse import coo_matrix, csgraph

    graph = coo_matrix((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(node_count, node_count))
    count, labels = csgraph.connected_components(graph.tocsr(), directed=False)
    first = np.full(count, node_count, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(node_count))
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(count)
    return int(count), rank[labels]


def face_components(faces: NDArray[Any], table: Edges | None = None) -> tuple[int, Ints]:
    """Components of faces joined across edges (any number of faces to an edge)."""
    table = edges(faces) if table is None else table
    face = table.order // 3
    same = np.ones(len(face), dtype=bool)
    same[table.start] = False
    later = np.flatnonzero(same)
    return connected_components(len(faces), np.stack([face[later - 1], face[later]], axis=1))


def corner_fans(faces: NDArray[Any], pairs: Ints) -> tuple[int, Ints]:
    """Groups the corners that meet around one vertex across the given half-edge pairs.

    A vertex is manifold where its corners form one group; giving each group a vertex of its own makes it so.

    Args:
        faces: (m, 3).
        pairs: (p, 2) half-edges glued to each other; an edge may be glued once only.

    Returns:
        How many fans, and the fan of each of the 3 m corners.
    """
    ends = half_edge_ends(faces)
    left, right = pairs[:, 0], pairs[:, 1]
    opposite = ends[left, 0] != ends[right, 0]
    start_twin = np.where(opposite, following(right), right)
    end_twin = np.where(opposite, right, following(right))
    links = np.concatenate([np.stack([left, start_twin], 1), np.stack([following(left), end_twin], 1)])
    return connected_components(3 * len(faces), links)


def face_cross(vertices: NDArray[Any], faces: NDArray[Any]) -> NDArray[np.float64]:
    """(m, 3) float64 cross products: along the normal, twice the area long."""
    x, y, z = np.ascontiguousarray(vertices.T, dtype=np.float64)
    a, b, c = faces.T
    (ux, vx), (uy, vy), (uz, vz) = ((t[b] - t[a], t[c] - t[a]) for t in (x, y, z))
    # (np.cross takes three times as long.)
    return np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=1)


def length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean length along the last axis."""
    lengths: NDArray[np.float64] = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return lengths


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors of length one; zero stays zero."""
    size = length(vectors)[..., None]
    return vectors / np.where(size > 0, size, 1.0)


def six_volumes(vertices: NDArray[Any], faces: NDArray[Any]) -> NDArray[np.float64]:
    """(m,) six times the signed volume between each face and the mean of the vertices."""
    points = vertices.astype(np.float64)
    corners = (points - points.mean(axis=0))[faces]
    volumes: NDArray[np.float64] = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return volumes


def scatter_sum(index: NDArray[Any], values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(size, k) sums of the rows of ``values`` (l, k) that share an ``index`` (l,)."""
    columns = [np.bincount(index, weights=values[:, k], minlength=size) for k in range(values.shape[1])]
    return np.stack(columns, axis=1)
