"""Lays a mesh's charts flat: cut along the axes, flattened with little stretch, split until none lies over itself.

Charts are flattened as rigidly as possible (Liu et al. 2008, "A local/global approach to mesh parameterization"),
starting from the view along each chart's axis, in which no face is turned over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints, distinct, edges, face_cross, length, simple_pairs
from manymesh.mesh.unwrap.charts import AXES, connected, cut
from manymesh.mesh.unwrap.raster import covered
from manymesh.types import F64, Bool

# Rounds of flattening and splitting, at most. Chosen by hand: the last but one makes every face that is still in the
# way a chart of its own, so that it always ends.
SPLIT_ROUNDS = 8
# Rings of faces around an overlap that are cut out with it: faces too small to cover a pixel centre overlap unseen.
# Chosen by hand.
RINGS = 2
# Side of the texture, pixels, at whose texel density overlaps are looked for. The default texture's.
TEST_PX = 1024
# The share of that texture that charts are taken to cover: about what ``pack`` reaches.
TEST_USE = 0.6
# Rounds of turning the faces and solving for their places. Chosen by hand; not measured.
RIGID_ROUNDS = 8
# A flat face keeps at least this share of its area, or its chart is taken back towards the view. Chosen by hand.
LEAST_AREA = 0.08
# Bounds of an edge's weight, the cotangent of the angle across it. Chosen by hand: they keep slivers from tearing.
LEAST_WEIGHT, MOST_WEIGHT = 0.05, 20.0
# How firmly a vertex holds to its last place, as a share of its edges' weights: it pins charts, which are free to move.
PIN = 1e-7
# Flat vertices from which on charts are solved for on a coarse grid first: a direct solver's time and memory grow
# faster than the mesh. Measured on bumpy balls: at 40,000 vertices both take equally long, at 200,000 the grid half as
# long. It is above any mesh of the default face budgets (40,000 faces are about 20,000 vertices).
MANY_VERTICES = 60_000
# Vertices a chart, on average, from which on the grid is used: each chart has grid points of its own, eight or more, so
# that for small charts the grid is larger than the mesh, and solving for small charts directly is fast. Measured on
# 50,000 loose triangles: 540,000 grid points, 407 MB and 3.6 s, against 0.6 s directly. 100 is chosen by hand.
MANY_CHART_VERTICES = 100


class Flat(NamedTuple):
    """Charts in the plane, not yet placed in the texture.

    Attributes:
        corners: (m, 3) into the flat vertices; the mesh's own triangles in their own order.
        source: (k,) the mesh's vertex that each flat vertex stands for.
        owner: (k,) the chart of each flat vertex, ascending.
        flat: (k, 2) positions in the mesh's units, v up. No chart is mirrored.
    """

    corners: Ints
    source: Ints
    owner: Ints
    flat: F64


def parameterize(vertices: NDArray[Any], faces: NDArray[Any], tick: Callable[[float], None]) -> Flat:
    """Cut a mesh into charts and lay them flat. Deterministic.

    Args:
        vertices: (n, 3) finite. faces: (m, 3), at least one.
        tick: told the share of a whole unwrapping done, from 0.3 to 0.7; may raise to cancel.
    """
    chart, axis = cut(vertices, faces)
    tick(0.3)
    neighbours = simple_pairs(edges(faces)) // 3
    centre = vertices.astype(np.float64)[faces].mean(axis=1)
    area = float(length(face_cross(vertices, faces)).sum() / 2)
    place = np.zeros((*faces.shape, 2))
    todo = np.ones(len(faces), dtype=bool)  # the faces of charts that are new
    for round_number in range(SPLIT_ROUNDS):
        upper = np.zeros(len(faces), dtype=bool)
        depth = np.einsum("ij,ij->i", centre[todo], AXES[axis[chart[todo]]])
        new_chart, new_axis = _renumbered(chart, axis, todo)
        place[todo], upper[todo] = _flatten_charts(vertices, faces[todo], new_chart, new_axis, depth, area)
        tick(0.3 + 0.4 * (round_number + 1) / SPLIT_ROUNDS)
        if not upper.any():
            break
        if round_number == SPLIT_ROUNDS - 2:  # nothing else helped: each of these faces by itself
            todo = _with_any(chart, upper)
            label = np.where(upper, np.arange(len(faces)) + len(axis), chart)
        else:
            for _ in range(RINGS):
                near = np.concatenate([neighbours[upper[neighbours[:, 0]], 1], neighbours[upper[neighbours[:, 1]], 0]])
                upper[near[_with_any(chart, upper)[near]]] = True
            todo = _with_any(chart, upper)
            label = connected(chart * 2 + upper, neighbours)
        _, first, number = np.unique(label, return_index=True, return_inverse=True)
        axis, chart = axis[chart][first], number
    corners, source, owner = _split_by_chart(faces, chart)
    flat = np.empty((len(source), 2))
    flat[corners] = place
    return Flat(corners, source, owner, flat)


def areas(flat: F64, corners: Ints) -> F64:
    """(m,) twice the signed area of each flat face; positive is counter-clockwise with v up."""
    a, b, c = (flat[corners[:, k]] for k in range(3))
    return np.asarray((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))


def _with_any(chart: Ints, chosen: Bool) -> Bool:
    """(m,) the faces whose chart holds any of the ``chosen`` (m,) faces."""
    torn = np.zeros(int(chart.max()) + 1, dtype=bool)
    torn[chart[chosen]] = True
    return np.asarray(torn[chart])


def _renumbered(chart: Ints, axis: Ints, chosen: Bool) -> tuple[Ints, Ints]:
    """The chart of each chosen face, numbered without gaps, and the axis of each of these charts."""
    used, number = np.unique(chart[chosen], return_inverse=True)
    return number, axis[used]


def _split_by_chart(faces: NDArray[Any], chart: Ints) -> tuple[Ints, Ints, Ints]:
    """Give every chart its own vertices.

    Returns:
        corners (m, 3) into the new vertices, source (k,) the old vertex of each, owner (k,) its chart. New vertices are
        sorted by chart, then by old number.
    """
    count = int(faces.max()) + 1
    unique, inverse = distinct((chart[:, None] * count + faces).reshape(-1))
    return inverse.reshape(-1, 3), unique % count, unique // count


def _flatten_charts(
    vertices: NDArray[Any], faces: NDArray[Any], chart: Ints, axis: Ints, depth: F64, area: float
) -> tuple[F64, Bool]:
    """Flatten charts; those that this lays over themselves stay as seen along their axis.

    Args:
        vertices: (n, 3). faces: (m, 3). chart: (m,) without gaps. axis: (charts,) rows of ``AXES``.
        depth: (m,) of each face's centre along its chart's axis. area: of all charts of the mesh.

    Returns:
        The flat place of every corner (m, 3, 2), and the faces (m,) that lie over others even so.
    """
    corners, source, owner = _split_by_chart(faces, chart)
    points = vertices.astype(np.float64)[source]
    start = _seen_along(points, owner, axis)
    flat = Flat(corners, source, owner, _rigid(points, corners, owner, start))
    bad = _overlapping(flat, depth, area)
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
    upper[again] = _overlapping(_only(flat, again), depth[again], area)
    return flat.flat[corners], upper


def _seen_along(points: F64, owner: Ints, axis: Ints) -> F64:
    """(k, 2) the points as seen along their chart's axis, not mirrored."""
    forward = AXES[axis]
    up = np.where(np.abs(forward[:, 1:2]) > 0.5, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    right = np.cross(up, forward)
    up = np.cross(forward, right)
    return np.stack([np.einsum("ij,ij->i", points, right[owner]), np.einsum("ij,ij->i", points, up[owner])], axis=1)


def _overlapping(layout: Flat, depth: F64, area: float) -> Bool:
    """(m,) faces that lie over another face of their chart; of two, the one with the greater ``depth``.

    Args:
        depth: (m,). area: of all charts of the mesh, in flat units; it sets the texel density.
    """
    density = TEST_PX * np.sqrt(TEST_USE / area)
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


def _only(layout: Flat, chosen: Bool) -> Flat:
    """The charts of the chosen faces alone; every chart is chosen as a whole or not at all."""
    used, corners = distinct(layout.corners[chosen].reshape(-1))
    _, owner = distinct(layout.owner[used])
    return Flat(corners.reshape(-1, 3), layout.source[used], owner, layout.flat[used])


def _rigid(points: F64, corners: Ints, owner: Ints, start: F64) -> F64:
    """(k, 2) flat positions whose edges are near the mesh's own lengths.

    Args:
        points: (k, 3) in space. corners: (m, 3). owner: (k,) chart. start: (k, 2) without faces turned over; the
            result has none either.
    """
    shape = _laid_out(points, corners)
    weight = _cotangents(shape)
    # Turning in the plane is multiplying by complex numbers.
    plane = shape[..., 0] + 1j * shape[..., 1]
    sides = weight * (plane[:, [1, 2, 0]] - plane)
    matrix, pin = _laplacian(corners, weight, len(points))
    if len(points) > max(MANY_VERTICES, MANY_CHART_VERTICES * (int(owner[-1]) + 1)):  # owner is ascending
        from manymesh.mesh.unwrap.coarse import solve_coarse

        def pulled(flat: F64) -> F64:
            return _pulled(flat[:, 0] + 1j * flat[:, 1], corners, sides)

        flat = solve_coarse(points, owner, start, matrix, pin, pulled)
    else:
        flat = start
        solve = _factorised(matrix)
        for _ in range(RIGID_ROUNDS):
            flat = solve(_pulled(flat[:, 0] + 1j * flat[:, 1], corners, sides) + pin[:, None] * flat)
    return _without_folds(start, flat, corners, owner, shape)


def _laid_out(points: F64, corners: Ints) -> F64:
    """(m, 3, 2) every face by itself in the plane, undistorted: corner 0 at the origin, corner 1 on the x axis."""
    a, b, c = (points[corners[:, k]] for k in range(3))
    base = length(b - a)
    safe = np.where(base > 0, base, 1)
    along = np.einsum("ij,ij->i", c - a, b - a) / safe
    height = length(np.cross(b - a, c - a)) / safe
    zero = np.zeros_like(base)
    return np.stack([np.stack([zero, zero], 1), np.stack([base, zero], 1), np.stack([along, height], 1)], axis=1)


def _cotangents(shape: F64) -> F64:
    """(m, 3) weight of each half-edge: the cotangent of the angle across it, kept positive and bounded."""
    to_next, to_last = np.roll(shape, -1, axis=1) - shape, np.roll(shape, 1, axis=1) - shape
    dot = np.einsum("ijk,ijk->ij", to_next, to_last)
    cross = np.abs(to_next[..., 0] * to_last[..., 1] - to_next[..., 1] * to_last[..., 0])
    at_corner = np.clip(dot / np.maximum(cross, 1e-30), LEAST_WEIGHT, MOST_WEIGHT)
    return np.roll(at_corner, 1, axis=1)  # across from corner c lies half-edge c + 1


def _laplacian(corners: Ints, weight: F64, count: int) -> tuple[Any, F64]:
    """The weighted graph Laplacian of all charts with a pin at every vertex: a sparse (count, count) matrix, and the
    pins' weights (count,)."""
    from scipy.sparse import coo_matrix, diags

    i, j, w = corners.reshape(-1), np.roll(corners, -1, axis=1).reshape(-1), weight.reshape(-1)
    off = coo_matrix((np.concatenate([w, w]), (np.concatenate([i, j]), np.concatenate([j, i]))), shape=(count, count))
    off = off.tocsr()
    total = np.asarray(off.sum(axis=1)).reshape(-1)
    pin = PIN * np.maximum(total, 1e-3)
    return diags(total + pin) - off, pin


def _factorised(matrix: Any) -> Callable[[F64], F64]:
    """A function that solves a sparse symmetric positive definite system for right-hand sides (k, 2)."""
    from scipy.sparse.linalg import splu

    options = {"SymmetricMode": True}
    factor = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    return lambda right: np.asarray(factor.solve(right))


def _pulled(flat: NDArray[np.complex128], corners: Ints, sides: NDArray[np.complex128]) -> F64:
    """The right-hand side (k, 2): every face turned, undistorted, to where it best fits now.

    Args:
        flat: (k,) where the vertices lie now. sides: (m, 3) the faces' own half-edges times their weights.
    """
    now = flat[corners]
    match = np.conj(sides) * (now[:, [1, 2, 0]] - now)
    fit = match[:, 0] + match[:, 1] + match[:, 2]
    size = np.abs(fit)
    turned = (fit / np.where(size > 0, size, 1))[:, None] * sides
    towards = (turned[:, [2, 0, 1]] - turned).ravel()  # of corner c: the end of half-edge c - 1, the start of c
    index = corners.ravel()
    return np.stack([np.bincount(index, weights=part, minlength=len(flat)) for part in (towards.real, towards.imag)], 1)


def _without_folds(start: F64, flat: F64, corners: Ints, owner: Ints, shape: F64) -> F64:
    """``flat`` (k, 2), with charts that have turned or squeezed faces taken back towards ``start``, half way and then
    all the way."""
    chart = owner[corners[:, 0]]
    real = shape[:, 1, 0] * shape[:, 2, 1]
    share = np.ones(int(owner.max()) + 1)
    result = flat
    for smaller in (0.5, 0.0):
        bad = areas(result, corners) < np.minimum(LEAST_AREA * real, 0.5 * areas(start, corners))
        if not bad.any():
            break
        share[np.unique(chart[bad])] = smaller
        mix = share[owner][:, None]
        result = mix * flat + (1 - mix) * start
    return result
