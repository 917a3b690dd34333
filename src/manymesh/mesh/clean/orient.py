"""Consistent winding, counter-clockwise seen from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import (
    Ints,
    connected_components,
    edges,
    face_components,
    half_edge_ends,
    simple_pairs,
    six_volumes,
)


def orient(vertices: NDArray[Any], faces: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Turns faces so that neighbours agree and every solid has a positive volume.

    Where neighbours already agree, a component is turned as a whole or not at all. One with a negative volume is taken
    for a cavity, and left, when it lies inside another component.

    Args:
        vertices: (n, 3) finite.
        faces: (m, 3).

    Returns:
        The faces, in the same order, and how many were turned.
    """
    table = edges(faces)
    flip = np.zeros(len(faces), dtype=bool)
    pairs = simple_pairs(table)
    if (table.balance[table.faces == 2] != 0).any():
        flip = disagreeing_faces(faces, pairs)
    turned = _turn(faces, flip)
    count, label = face_components(faces, table)
    volume = np.bincount(label, weights=six_volumes(vertices, turned), minlength=count)
    for component in np.flatnonzero(volume < 0).tolist():
        mine = label == component
        if not lies_inside(vertices, turned[~mine], vertices[turned[mine][0, 0]]):
            flip[mine] = ~flip[mine]
    return _turn(faces, flip), int(flip.sum())


def _turn(faces: NDArray[Any], flip: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.where(flip[:, None], faces[:, [0, 2, 1]], faces).astype(np.int32)


def disagreeing_faces(faces: NDArray[Any], pairs: Ints) -> NDArray[np.bool_]:
    """Which faces to turn so that all simple pairs run in opposite directions, with the majority of each component.

    Every face has two states; agreeing neighbours link equal states and the others unlike ones. The components of
    this doubled graph come in mirror pairs, one of which is the answer (a surface with one side, like Möbius's strip,
    has none and is left).
    """
    m = len(faces)
    start = half_edge_ends(faces)[:, 0]
    left, right = pairs[:, 0], pairs[:, 1]
    agree = start[left] != start[right]
    f, g = left // 3, right // 3
    links = np.concatenate(
        [np.stack([f, np.where(agree, g, g + m)], axis=1), np.stack([f + m, np.where(agree, g + m, g)], axis=1)]
    )
    _, state = connected_components(2 * m, links)
    upright, turned = state[:m], state[m:]
    # Components are numbered by their lowest node: the smaller of the two contains an upright face.
    flip = upright > turned
    group = np.minimum(upright, turned)
    share = np.bincount(group, weights=flip) / np.maximum(np.bincount(group), 1)
    flip ^= share[group] > 0.5
    flip[upright == turned] = False
    return flip


def lies_inside(vertices: NDArray[Any], faces: NDArray[Any], point: NDArray[Any]) -> bool:
    """Whether a ray from the point crosses the faces an odd number of times (Möller & Trumbore 1997)."""
    if len(faces) == 0:
        return False
    direction = np.array([0.5377, 0.3121, 0.7833])  # along no axis: rays through edges of grid meshes are rare
    corners = vertices.astype(np.float64)[faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(direction, second)
    determinant = np.einsum("ij,ij->i", first, across)
    safe = np.where(np.abs(determinant) > 1e-300, determinant, np.inf)
    offset = point.astype(np.float64) - corners[:, 0]
    u = np.einsum("ij,ij->i", offset, across) / safe
    over = np.cross(offset, first)
    v = (over @ direction) / safe
    distance = np.einsum("ij,ij->i", second, over) / safe
    return int(((u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0)).sum()) % 2 == 1
