"""Small meshes with known texture charts."""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.types import F32, I32, Atlas

# Normal, right and up of each side of a cube; right x up = normal.
SIDES = [
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
    ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((0, 1, 0), (1, 0, 0), (0, 0, -1)),
    ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
]


def weld_by_position(vertices: F32) -> I32:
    """(k,) int32: equal numbers for (k, 3) vertices at the same position, to a millionth of the mesh's size."""
    points = np.asarray(vertices, np.float64)
    step = max(float(np.ptp(points, axis=0).max(initial=0.0)), 1e-12) * 1e-6
    _, number = np.unique(np.round(points / step).astype(np.int64), axis=0, return_inverse=True)
    return number.reshape(-1).astype(np.int32)


def grid_faces(steps: int) -> Any:
    """Triangles of a (steps + 1) x (steps + 1) grid of vertices, counter-clockwise with x right and y up."""
    corner = (np.arange(steps)[:, None] * (steps + 1) + np.arange(steps)).ravel()
    lower = np.stack([corner, corner + 1, corner + steps + 2], axis=1)
    upper = np.stack([corner, corner + steps + 2, corner + steps + 1], axis=1)
    return np.concatenate([lower, upper]).astype(np.int32)


def cube_atlas(steps: int = 6, *, ball: bool = False) -> Atlas:
    """A cube (or the ball it blows up to) in [-1, 1], each side a chart of its own, three across and two down."""
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : (steps + 1) * 1j, -1 : 1 : (steps + 1) * 1j])
    vertices, uvs, faces = [], [], []
    for i, (normal, right, up) in enumerate(SIDES):
        points = np.array(normal) + x[:, None] * np.array(right) + y[:, None] * np.array(up)
        cell = np.stack([x * 0.45 + 0.5 + i % 3, -y * 0.45 + 0.5 + i // 3], axis=1)
        faces.append(grid_faces(steps) + len(x) * i)
        vertices.append(points / np.linalg.norm(points, axis=1, keepdims=True) if ball else points)
        uvs.append(cell / [3, 2])
    points = np.concatenate(vertices).astype(np.float32)
    uv = np.concatenate(uvs).astype(np.float32)
    return Atlas(points, np.concatenate(faces), uv, weld_by_position(points), "test")


def joined(one: Atlas, other: Atlas) -> Atlas:
    """Two atlases side by side in one texture, each half as wide."""
    uv = np.concatenate([one.uv * [0.5, 1], other.uv * [0.5, 1] + [0.5, 0]]).astype(np.float32)
    vertices = np.concatenate([one.vertices, other.vertices])
    faces = np.concatenate([one.faces, other.faces + len(one.vertices)]).astype(np.int32)
    return Atlas(vertices, faces, uv, weld_by_position(vertices), "test")


def paint(points: Any) -> Any:
    """(n, 3) smooth colours in [0.1, 0.9] that depend on the place alone."""
    x, y, z = np.asarray(points, np.float64).T
    color = np.stack([np.sin(4 * x + y), np.sin(3 * y - 2 * z), np.sin(5 * z + x)], axis=1)
    return (0.5 + 0.4 * color).astype(np.float32)
