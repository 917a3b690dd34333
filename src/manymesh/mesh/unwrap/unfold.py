"""The house's own unwrap: charts cut along the axes, flattened, and split until none lies over itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints, edges, face_cross, length, simple_pairs
from manymesh.mesh.unwrap.charts import AXES, connected, cut
from manymesh.mesh.unwrap.flatten import areas, flatten, project, split_by_chart
from manymesh.mesh.unwrap.raster import covered

ROUNDS = 8
RINGS = 2  # faces around an overlap that go with it: those too small to cover a pixel centre
TEST_PX = 1024  # overlaps are looked for at the texel density of a texture of this size


class Flat(NamedTuple):
    """Charts in the plane, not yet placed.

    Attributes:
        corners: (m, 3) into the flat vertices; the same triangles in the same order as the mesh's.
        source: (k,) the mesh vertex of each.
        owner: (k,) its chart; ascending.
        flat: (k, 2) positions in the mesh's units, v up, no chart mirrored.
    """

    corners: Ints
    source: Ints
    owner: Ints
    flat: NDArray[np.float64]


def unfold(vertices: NDArray[Any], faces: NDArray[Any], tick: Callable[[float], None]) -> Flat:
    """Cuts and flattens a mesh. Deterministic; 0.2 s of processor time for 24 000 faces."""
    chart, axis = cut(vertices, faces)
    tick(0.3)
    neighbours = simple_pairs(edges(faces)) // 3
    depth_of = vertices.astype(np.float64)[faces].mean(axis=1)
    area = float(length(face_cross(vertices, faces)).sum() / 2)
    place = np.zeros((*faces.shape, 2))
    todo = np.ones(len(faces), dtype=bool)  # the faces of charts that are new
    for round_number in range(ROUNDS):
        upper = np.zeros(len(faces), dtype=bool)
        depth = np.einsum("ij,ij->i", depth_of[todo], AXES[axis[chart[todo]]])
        place[todo], upper[todo] = _flatten_all(vertices, faces[todo], *_renumbered(chart, axis, todo), depth, area)
        tick(0.3 + 0.4 * (round_number + 1) / ROUNDS)
        if not upper.any():
            break
        if round_number == ROUNDS - 2:  # nothing else helped: each of these faces by itself
            todo = _torn(chart, upper)
            label = np.where(upper, np.arange(len(faces)) + len(axis), chart)
        else:
            for _ in range(RINGS):
                near = np.concatenate([neighbours[upper[neighbours[:, 0]], 1], neighbours[upper[neighbours[:, 1]], 0]])
                upper[near[_torn(chart, upper)[near]]] = True
            todo = _torn(chart, upper)
            label = connected(chart * 2 + upper, neighbours)
        _, first, new_chart = np.unique(label, return_index=True, return_inverse=True)
        axis, chart = axis[chart][first], new_chart
    corners, source, owner = split_by_chart(faces, chart)
    flat = np.empty((len(source), 2))
    flat[corners] = place
    return Flat(corners, source, owner, flat)


def _torn(chart: Ints, upper: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(m,) the faces whose chart holds any of ``upper``."""
    torn = np.zeros(int(chart.max()) + 1, dtype=bool)
    torn[chart[upper]] = True
    return torn[chart]


def _renumbered(chart: Ints, axis: Ints, chosen: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Charts and axes of the chosen faces alone, numbered without gaps."""
    used, number = np.unique(chart[chosen], return_inverse=True)
    return number, axis[used]


def overlapping(layout: Flat, depth: NDArray[np.float64], area: float | None = None) -> NDArray[np.bool_]:
    """(m,) faces that lie over another face of their chart; of two, the one with the greater ``depth``.

    Args:
        area: of all charts of the mesh, when these are only some of them.
    """
    area = float(np.abs(areas(layout.flat, layout.corners)).sum() / 2) if area is None else area
    density = TEST_PX * np.sqrt(0.6 / area)
    count = int(layout.owner.max()) + 1
    starts = np.searchsorted(layout.owner, np.arange(count))
    low = np.minimum.reduceat(layout.flat, starts, axis=0)
    pixels = (layout.flat - low[layout.owner]) * density
    size = np.ceil(np.maximum.reduceat(pixels, starts, axis=0)).astype(np.int64) + 1
    begin = np.concatenate([[0], np.cumsum(size[:, 0] * size[:, 1])])
    hits, places = [], []
    for face, column, row in covered(pixels[layout.corners]):
        chart = layout.owner[layout.corners[face, 0]]
        hits.append(face)
        places.append(begin[chart] + row * size[chart, 0] + column)
    face, place = np.concatenate(hits), np.concatenate(places)
    several = np.bincount(place, minlength=1)[place] > 1
    face, place = face[several], place[several]
    upper = np.zeros(len(layout.corners), dtype=bool)
    order = np.lexsort((face, depth[face], place))
    upper[face[order[1:]][place[order[1:]] == place[order[:-1]]]] = True
    return upper


def _flatten_all(
    vertices: NDArray[Any], faces: NDArray[Any], chart: Ints, axis: Ints, depth: NDArray[np.float64], area: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Flattens all charts; those that this lays over themselves stay as seen along their axis.

    Returns:
        The flat place of every corner (m, 3, 2), and the faces (m,) that lie over others even so.
    """
    corners, source, owner = split_by_chart(faces, chart)
    points = vertices.astype(np.float64)[source]
    start = project(points, owner, axis)
    flat = Flat(corners, source, owner, flatten(points, corners, owner, start))
    bad = overlapping(flat, depth, area)
    if not bad.any():
        return flat.flat[corners], bad
    plain = np.zeros(len(axis), dtype=bool)
    plain[chart[bad]] = True
    real = np.bincount(chart, weights=length(face_cross(vertices, faces)), minlength=len(axis))
    seen = np.bincount(chart, weights=np.abs(areas(start, corners)), minlength=len(axis))
    scale = np.sqrt(real / np.maximum(seen, 1e-300))
    flat = flat._replace(flat=np.where(plain[owner][:, None], start * scale[owner][:, None], flat.flat))
    upper = np.zeros(len(faces), dtype=bool)
    again = plain[chart]
    few = _only(flat, again)
    upper[again] = overlapping(few, depth[again], area)
    return flat.flat[corners], upper


def _only(layout: Flat, chosen: NDArray[np.bool_]) -> Flat:
    """The charts of the chosen faces alone; every chart is chosen as a whole or not at all."""
    used, corners = np.unique(layout.corners[chosen], return_inverse=True)
    _, owner = np.unique(layout.owner[used], return_inverse=True)
    return Flat(corners.reshape(-1, 3), layout.source[used], owner, layout.flat[used])
