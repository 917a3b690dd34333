"""A user's mesh made ready for the stages that unwrap and paint: welded, without empty faces, in the canonical frame.

What a file says about its faces is not changed: every face of the work mesh knows the file's face it stands for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import InputError
from manymesh.mesh.clean.orient import disagreeing_faces, lies_inside
from manymesh.mesh.topology import (
    Edges,
    Ints,
    connected_components,
    edges,
    face_components,
    face_cross,
    length,
    simple_pairs,
    six_volumes,
    used_vertices,
)
from manymesh.types import F64, Bool, Mesh

# Vertices of open surfaces that lie this close become one, in the canonical frame, where the longest side is 2: about
# four times what float32 coordinates of that size can tell apart.
NEAR = 1e-6
# A face lower than this is empty: its normal would be noise.
FLATTEST = 1e-9
# Closed parts that are wound inwards are looked for inside others; with more of them than this they are all turned.
MOST_CAVITIES = 200


@dataclass(frozen=True)
class WorkMesh:
    """Attributes:
    mesh: the canonical frame (see ``types``), as seen by a camera on its +Z side once ``turn_deg`` is heeded.
    face: (w,) int64, the file's face that each face stands for, ascending.
    vertex: (n,) int64, the mesh's vertex at each of the file's positions, -1 where no face is left around it.
    flip: (w,) bool, faces with the last two corners the other way round than in the file.
    turned: (m,) bool, the file's faces that were wound inwards on closed parts, and are the other way round here.
    turn: (3, 3), directions of the file to directions of the mesh.
    """

    mesh: Mesh
    face: Ints
    vertex: Ints
    flip: Bool
    turned: Bool
    turn: F64


def work_mesh(positions: F64, faces: NDArray[Any], turn_deg: float = 0.0, stand: F64 | None = None) -> WorkMesh:
    """Prepare a mesh for painting.

    Args:
        positions: (n, 3) float64, any place and size.
        faces: (m, 3).
        turn_deg: the side that is to face +Z: 0 the mesh's own +Z side, 90 its +X side.
        stand: (3, 3) for column vectors, what turns the positions so that +Y is up; None where it is.

    Raises:
        InputError: no face has an area.
    """
    turn = about_y(-turn_deg) if stand is None else about_y(-turn_deg) @ stand
    points = _centred(positions, faces, turn)
    vertex, places = _merged(points, faces)
    welded = vertex[faces]
    kept = np.flatnonzero(_has_area(places, welded))
    if not len(kept):
        raise InputError("No face of the mesh has an area", "Export it again")
    welded = welded[kept]
    table = edges(welded)
    if (table.faces == 1).any():  # open, or its faces' corners differ by rounding
        nearer = _merged_near(places)
        again = nearer[welded]
        proper = _has_area(places, again)
        if proper.all():
            vertex, welded, table = nearer[vertex], again, edges(again)
    flip, turned = _inward(places, welded, table)
    welded = np.where(flip[:, None], welded[:, [0, 2, 1]], welded)
    used = used_vertices(welded)
    number = np.full(len(places), -1, np.int64)
    number[used] = np.arange(len(used))
    of_file = np.zeros(len(faces), bool)
    of_file[kept] = turned
    mesh = Mesh(places[used].astype(np.float32), number[welded].astype(np.int32))
    return WorkMesh(mesh, kept, number[vertex], flip, of_file, turn)


def about_y(degrees: float) -> F64:
    """(3, 3) rotation about +Y, counter-clockwise seen from above."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _centred(positions: F64, faces: NDArray[Any], turn: F64) -> F64:
    """(n, 3) float64 in the canonical frame. The shift is taken off first, so that far-away meshes lose nothing."""
    used = np.zeros(len(positions), bool)
    used[faces] = True
    low, high = positions[used].min(axis=0), positions[used].max(axis=0)
    largest = float((high - low).max())
    if not largest > 0:
        raise InputError("The mesh is a single point", "Export it again")
    centre = low / 2 + high / 2
    points = np.where(used[:, None], positions, centre) - centre
    points = points / largest @ turn.T
    low, high = points[used].min(axis=0), points[used].max(axis=0)
    framed: F64 = np.clip((points - (low + high) / 2) * (2 / (high - low).max()), -1, 1)
    return framed


def _merged(points: F64, faces: NDArray[Any]) -> tuple[Ints, F64]:
    """One vertex for all that lie in one float32 place: which of them each point is, and their places.

    They are numbered along one axis, then the next: sparse solvers are several times as fast with vertices numbered by
    place as in the order in which some files have them (subdivided ones, say).
    """
    rounded = points.astype(np.float32) + np.float32(0)  # -0.0 equals 0.0 but has other bytes
    order = np.lexsort(rounded.T)
    new = np.ones(len(order), bool)
    new[1:] = (rounded[order[1:]] != rounded[order[:-1]]).any(axis=1)
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    return number, points[order[new]]


def _merged_near(places: F64) -> Ints:
    """(n,) one number for all places within ``NEAR`` of one another, in the order of the places."""
    cells = []
    for shift in (0.0, 0.5):  # two grids, so that few pairs lie in different cells of both
        cell = np.floor(places / (2 * NEAR) + shift).astype(np.int64) + 2**20
        key = (cell[:, 0] << 42) + (cell[:, 1] << 21) + cell[:, 2]
        cells.append(np.unique(key, return_inverse=True)[1].reshape(-1))
    count = len(places)
    links = np.stack([cells[0], cells[1] + int(cells[0].max()) + 1], axis=1)
    nodes = int(links[:, 1].max()) + 1
    label = connected_components(nodes, links)[1][cells[0]]
    first = np.full(int(label.max()) + 1, count, np.int64)
    np.minimum.at(first, label, np.arange(count))
    return first[label]


def _has_area(places: F64, faces: NDArray[Any]) -> Bool:
    a, b, c = faces.T
    distinct = (a != b) & (b != c) & (c != a)
    sound: Bool = distinct & (length(face_cross(places, faces)) > FLATTEST * FLATTEST)
    return sound


def _inward(places: F64, faces: NDArray[Any], table: Edges) -> tuple[Bool, Bool]:
    """Faces to turn: (m,) those that disagree with their neighbours or lie on closed parts that are inside out, and of
    them those on closed parts."""
    count, label = face_components(faces, table)
    open_part = np.zeros(count, bool)
    at_border = table.faces[table.of] != 2
    open_part[label[np.flatnonzero(at_border) // 3]] = True
    flip = np.zeros(len(faces), bool)
    if (table.balance[table.faces == 2] != 0).any():
        flip = disagreeing_faces(faces, simple_pairs(table))
    agreed = np.where(flip[:, None], faces[:, [0, 2, 1]], faces)
    volume = np.bincount(label, weights=six_volumes(places, agreed), minlength=count)
    negative = np.flatnonzero((volume < 0) & ~open_part)
    closed = np.flatnonzero(~open_part)
    inside_out = np.zeros(count, bool)
    inside_out[negative] = True
    if 0 < len(negative) <= MOST_CAVITIES and len(closed) > 1:
        _spare_cavities(places, agreed, label, closed, negative, inside_out)
    flip = flip ^ inside_out[label]
    return flip, flip & ~open_part[label]


def _spare_cavities(
    places: F64, faces: NDArray[Any], label: Ints, closed: Ints, negative: Ints, inside_out: Bool
) -> None:
    """Clears ``inside_out`` for parts that lie within another closed part: a cavity is wound inwards rightly."""
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(len(inside_out) + 1))
    corners = places[faces[order]]
    low = np.minimum.reduceat(corners.min(axis=1), starts[:-1])
    high = np.maximum.reduceat(corners.max(axis=1), starts[:-1])
    for part in negative.tolist():
        around = closed[((low[closed] < low[part]) & (high[closed] > high[part])).all(axis=1)]
        point = corners[starts[part], 0]
        inside = sum(
            lies_inside(places, faces[order[starts[other] : starts[other + 1]]], point) for other in around.tolist()
        )
        inside_out[part] = inside % 2 == 0
