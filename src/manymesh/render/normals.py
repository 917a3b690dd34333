"""Normals of triangle meshes for drawing and baking, in float32.

``mesh.normals`` has the ones that are written to files; they weigh faces by their angle instead of their area.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F32

I64 = NDArray[np.int64]


def unit_face_normals(vertices: Any, faces: Any) -> F32:
    """(m, 3) float32 unit normals, towards the side from which a triangle's corners run counter-clockwise."""
    return unit_rows(scaled_face_normals(vertices, faces))


def scaled_face_normals(vertices: Any, faces: Any) -> F32:
    """(m, 3) float32 normals, each as long as twice its triangle's area."""
    vertices, faces = np.asarray(vertices, np.float32), np.asarray(faces)
    origin = vertices[faces[:, 0]]
    return np.cross(vertices[faces[:, 1]] - origin, vertices[faces[:, 2]] - origin)


def area_weighted_vertex_normals(vertices: Any, faces: Any, *, weld: Any = None) -> F32:
    """(k, 3) float32 unit normals: the mean of the faces around each vertex, weighted by their area.

    Args:
        weld: (k,) integer or None; vertices with equal numbers count as one (``Atlas.source`` closes the seams).
    """
    owner = np.arange(len(vertices)) if weld is None else np.asarray(weld)
    summed = scatter_add(scaled_face_normals(vertices, faces), owner[np.asarray(faces)], int(owner.max(initial=-1)) + 1)
    return unit_rows(summed)[owner]


def equal_weighted_vertex_normals(vertices: Any, faces: Any) -> F32:
    """(k, 3) float32 unit normals: the mean of the faces around each vertex, each counting the same.

    The Hunyuan3D-2 painter was trained with these.
    """
    return unit_rows(scatter_add(unit_face_normals(vertices, faces), faces, len(vertices)))


def corner_normals(vertices: Any, faces: Any, *, weld: Any = None, crease_deg: float = 40.0) -> F32:
    """(m, 3, 3) float32 unit normals of every triangle's corners: smooth, but sharp where the surface has an edge.

    Corners at one vertex share a normal when triangles connect them across edges that bend less than ``crease_deg``.

    Args:
        weld: as in ``area_weighted_vertex_normals``.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    faces = np.asarray(faces)
    owner = faces if weld is None else np.asarray(weld)[faces]
    flat = unit_face_normals(vertices, faces)
    one, other = _across_smooth_edges(owner, flat, math.cos(math.radians(crease_deg)))
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(faces.size, faces.size))
    count, group = connected_components(graph, directed=False)
    by_area = np.repeat(scaled_face_normals(vertices, faces), 3, axis=0)
    summed = np.stack([np.bincount(group, by_area[:, channel], count) for channel in range(3)], axis=1)
    return np.asarray(unit_rows(summed)[group].reshape(-1, 3, 3))


def _across_smooth_edges(owner: Any, flat: F32, min_cosine: float) -> tuple[I64, I64]:
    """Pairs of corners (face * 3 + k) at the same vertex in triangles that meet smoothly at an edge there.

    Args:
        owner: (m, 3) vertices of the triangles. flat: (m, 3) their unit normals.
        min_cosine: of the angle between two normals, for an edge to be smooth.
    """
    start = np.arange(owner.size)
    end = start // 3 * 3 + (start + 1) % 3  # edge k runs from corner k to the next
    vertex = owner.ravel().astype(np.int64)
    flip = vertex[start] > vertex[end]
    low, high = np.where(flip, end, start), np.where(flip, start, end)
    key = vertex[low] * (int(vertex.max(initial=0)) + 1) + vertex[high]
    order = np.argsort(key, kind="stable")
    a, b = order[:-1], order[1:]
    smooth = (key[a] == key[b]) & (np.einsum("nc,nc->n", flat[a // 3], flat[b // 3]) > min_cosine)
    a, b = a[smooth], b[smooth]
    return np.concatenate([low[a], high[a]]), np.concatenate([low[b], high[b]])


def scatter_add(values: Any, corners: Any, count: int) -> F32:
    """(count, c) float32: each triangle's (m, c) value added to its three vertices, (m, 3) numbers."""
    corners = np.asarray(corners)
    total = np.empty((count, values.shape[1]), np.float32)
    index = corners.T.ravel()
    for channel in range(values.shape[1]):
        total[:, channel] = np.bincount(index, np.tile(values[:, channel], 3), count)
    return total


def unit_rows(vectors: Any) -> F32:
    """(n, 3) float32: vectors scaled to length one; zero stays zero."""
    return np.asarray(vectors / np.maximum(row_lengths(vectors), 1e-12)[:, None], np.float32)


def row_lengths(vectors: Any) -> Any:
    """(n,) lengths of (n, 3) vectors, in their dtype. Four times as fast as ``np.linalg.norm`` along an axis."""
    return np.sqrt(np.einsum("nc,nc->n", vectors, vectors))
