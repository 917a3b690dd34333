"""Cuts polygons of a model file into triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Polygon = tuple[list[int], list[int], int]
"""Vertex numbers, texture place numbers, material number."""


def triangulated(
    vertices: NDArray[np.float64], polygons: list[Polygon]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(m, 3) vertices, (m, 3) texture places and (m,) materials of the triangles of all polygons, in order.

    Four corners are cut along the diagonal that leaves no triangle turned over, more of them into a fan where they are
    convex, else by clipping ears (Meisters 1975).
    """
    sizes = np.array([len(polygon[0]) for polygon in polygons], np.int64)
    materials = np.array([polygon[2] for polygon in polygons], np.int64)
    owners, faces, places = [], [], []
    for size in np.unique(sizes[sizes >= 3]):
        mine = np.flatnonzero(sizes == size)
        corner = np.array([polygons[k][0] for k in mine], np.int64)
        place = np.array([polygons[k][1] for k in mine], np.int64)
        owner, cut = _cut_alike(vertices, corner)
        owners.append(mine[owner])
        faces.append(np.take_along_axis(corner[owner], cut, axis=1))
        places.append(np.take_along_axis(place[owner], cut, axis=1))
    if not owners:
        return np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64), np.zeros(0, np.int64)
    every = np.concatenate(owners)
    order = np.argsort(every, kind="stable")
    return np.concatenate(faces)[order], np.concatenate(places)[order], materials[every[order]]


def _cut_alike(vertices: NDArray[np.float64], corner: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Polygons (p, n) of equally many corners: which polygon each triangle comes from, and its corners, 0..n-1."""
    count, size = corner.shape
    if size == 3:
        return np.arange(count), np.tile(np.arange(3), (count, 1))
    if size == 4:
        fan, turned = np.array([[0, 1, 2], [0, 2, 3]]), np.array([[1, 2, 3], [1, 3, 0]])
        cut = np.where(_folded(vertices[corner])[:, None, None], turned, fan)
        return np.repeat(np.arange(count), 2), cut.reshape(-1, 3)
    cuts = [_cut(points) for points in vertices[corner]]
    owner = np.repeat(np.arange(count), [len(cut) for cut in cuts])
    return owner, np.concatenate([np.array(cut, np.int64) for cut in cuts])


def _folded(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(p,) of (p, 4, 3): whether the two triangles at the diagonal 0-2 look opposite ways."""
    a, b, c = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0], points[:, 3] - points[:, 0]
    return (np.cross(a, b) * np.cross(b, c)).sum(axis=1) < 0


def _fan(count: int) -> list[tuple[int, int, int]]:
    return [(0, k, k + 1) for k in range(1, count - 1)]


def _cut(points: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """Triangles of one polygon of five or more corners."""
    flat = _flattened(points)
    ahead = np.roll(flat, -1, axis=0) - flat
    turns = _cross(np.roll(ahead, 1, axis=0), ahead)
    if (turns >= -1e-9 * np.abs(turns).max(initial=0)).all():
        return _fan(len(flat))
    return _clipped(flat)


def _flattened(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2): along the two axes that the polygon covers most, counter-clockwise."""
    normal = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)  # Newell: twice the area vector
    drop = int(np.abs(normal).argmax())
    flat = points[:, [(1, 2), (2, 0), (0, 1)][drop]]
    return flat if normal[drop] >= 0 else flat * np.array([-1.0, 1.0])


def _clipped(flat: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    left = list(range(len(flat)))
    triangles: list[tuple[int, int, int]] = []
    while len(left) > 3:
        for k in range(len(left)):
            corners = left[k - 1], left[k], left[(k + 1) % len(left)]
            if _is_ear(flat, corners, left):
                break
        else:  # crosses itself: a fan is as good as anything
            return triangles + [(left[0], left[k], left[k + 1]) for k in range(1, len(left) - 1)]
        triangles.append(corners)
        left.remove(corners[1])
    return [*triangles, (left[0], left[1], left[2])]


def _is_ear(flat: NDArray[np.float64], corners: tuple[int, int, int], left: list[int]) -> bool:
    a, b, c = (flat[k] for k in corners)
    if _cross(b - a, c - b) <= 0:
        return False
    others = flat[[k for k in left if k not in corners]]
    inside = (_cross(b - a, others - a) >= 0) & (_cross(c - b, others - b) >= 0) & (_cross(a - c, others - c) >= 0)
    # Corners that lie on top of one of the ear's own (a slit to a hole) do not block it.
    same = (others[:, None] == np.stack([a, b, c])[None]).all(axis=2).any(axis=1)
    return not (inside & ~same).any()


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
