"""Colours of the surface that no picture shows. What lies between the charts is filled by ``padding.py``.

A membrane is solved for (Laplace's equation on the mesh's edges, seams closed) that is held by the known colours. So
colour spreads around the object and across seams, never across the gaps of the texture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manymesh.render.bake import Projection
from manymesh.render.raster import Raster, interpolate
from manymesh.render.texels import Texels
from manymesh.types import F32, F64, Atlas, Bool

I64 = NDArray[np.int64]

# Weight from which on a texel keeps its own colour; below it is mixed with the fill. Chosen by eye.
SOLID = 0.35

# How firmly known colours hold the membrane at a vertex, in units of an edge of mean length. Chosen by eye.
STIFFNESS = 8.0

# Distance in texels over which the fine detail at the border of the known part fades out into the fill. Chosen by eye.
FADE_PX = 16.0

# Texels of the border that are blended for the detail of one filled texel. Chosen by hand.
NEAREST = 4

# Texels that keep more of their own colour than this make up the known part, from whose border the fade starts.
KEPT = 0.5

# Cells a side of the coarse grid that finds which texels are near the border at all. Bounds its memory to a megabyte.
GRID_CELLS = 96

# Nodes up to which the diffusion is solved directly. A direct solver's time grows faster than the mesh: 200,000 nodes
# took 53 s of a loaded machine. Chosen by hand, above any mesh of the default face budget.
MAX_DIRECT_NODES = 60_000

# On meshes with more nodes than that, only the part is solved for that some texel needs. It reaches this many edges
# into what was seen. Chosen by hand: a node that is fully held halves, or more, the influence of what lies beyond it.
HELD_RINGS = 6

# Nodes held by less than this weight of what was seen pass colours on, and are always solved for with their neighbours.
# Chosen by hand.
FIRM = 0.5

# Steps of the iterative solver, at most. Chosen by hand: what has not converged by then is far from all that was seen.
MAX_SOLVER_STEPS = 1000


class EdgeGraph(NamedTuple):
    """The edges of a mesh's welded surface.

    Attributes:
        a, b: (e,) int64, the welded vertices at both ends.
        weight: (e,) float64, how strongly an edge binds its ends: 1 for the mean length, more for shorter ones.
    """

    a: I64
    b: I64
    weight: F64


def fill_surface(
    seen: Projection,
    surface: Texels,
    atlas: Atlas,
    *,
    solid: float = SOLID,
    vertex_colors: Callable[[], F32] | None = None,
    texel_colors: Callable[[I64], F32] | None = None,
) -> F32:
    """Give every texel of the surface a colour.

    Args:
        seen: colours with weights; texels of weight 0 have none, those under ``solid`` are mixed with the fill.
        vertex_colors: returns the (k, 3) colours of the atlas' vertices to fill with; those of ``projection_membrane``
            when None.
        texel_colors: returns the (m, 3) colours of m texels, given by number, to fill with; in the place of
            ``vertex_colors``.

    Returns:
        (n, 3) float32 in [0, 1]. Mid grey everywhere when nothing was seen and there is nothing to fill with.
    """
    if vertex_colors is None and texel_colors is None and not (seen.weight > 0).any():
        return np.full_like(seen.color, 0.5)
    keep = np.clip(seen.weight / np.float32(solid), 0, 1)
    keep = keep * keep * (3 - 2 * keep)
    rest = np.flatnonzero(keep <= KEPT)  # the others stay as they were seen
    if not len(rest):
        return np.clip(seen.color, 0, 1)
    near = _nearest_kept(keep, surface, atlas)
    if texel_colors is not None:
        base = texel_colors
    elif vertex_colors is not None:
        base = _interpolated(vertex_colors(), surface.raster, atlas)
    else:
        # The kept texels nearest to others are filled too: how they differ from the fill is carried over the border.
        asked = rest if near is None else np.concatenate([rest, near.source.reshape(-1)])
        colors = projection_membrane(seen, surface, atlas, surface.raster.face[asked])
        base = _interpolated(colors, surface.raster, atlas)
    color = np.array(seen.color, np.float32)
    color[rest] = _filled(rest, keep[rest], color, base, near)
    return np.clip(color, 0, 1, out=color)


def _interpolated(colors: F32, raster: Raster, atlas: Atlas) -> Callable[[I64], F32]:
    """The (m, 3) colours of m texels, given by number, between their triangles' vertices'."""

    def base(texels: I64) -> F32:
        return interpolate(colors, atlas.faces, raster.face.take(texels), raster.bary.take(texels, axis=0))

    return base


def _filled(rest: I64, keep: F32, own: F32, base: Callable[[I64], F32], near: _Near | None) -> F32:
    """(m, 3): the colours of the texels that are not kept.

    Args:
        rest: (m,) which texels, ascending. keep: (m,) how much of its own colour each keeps, up to ``KEPT``.
        own: (n, 3) the colours of all texels. base: those to fill with, of texels given by number.
        near: see ``_nearest_kept``.
    """
    filled = base(rest)
    if near is not None:
        filled[np.searchsorted(rest, near.texel)] += _detail(near, own, base)
    mixed = np.flatnonzero(keep)
    filled[mixed] += (own[rest[mixed]] - filled[mixed]) * keep[mixed][:, None]
    return filled


def _detail(near: _Near, own: F32, base: Callable[[I64], F32]) -> F32:
    """(m, 3): how the kept texels differ from the fill, carried a little beyond them so that no crease shows."""
    source, place = np.unique(near.source, return_inverse=True)
    detail = (own[source] - base(source))[place.reshape(near.source.shape)]
    return np.asarray(np.einsum("nk,nkc->nc", near.share, detail) * near.fade[:, None], np.float32)


def projection_membrane(seen: Projection, surface: Texels, atlas: Atlas, asked: Any = None) -> F32:
    """(k, 3) float32 vertex colours: ``membrane_colors`` held by what was seen around each vertex.

    Args:
        asked: numbers of the faces whose vertices are needed, or None for all.
    """
    weld, count = weld_atlas(atlas)
    return membrane_colors(atlas, *vertex_means(seen, surface, weld[atlas.faces], count), asked)


def weld_atlas(atlas: Atlas) -> tuple[I64, int]:
    """The welded vertices of an atlas, seams closed: (k,) int64 the number of each vertex, and how many there are."""
    used = np.zeros(int(atlas.source.max()) + 1, bool)
    used[atlas.source] = True
    number = np.cumsum(used) - 1
    return number[atlas.source], int(number[-1]) + 1


def vertex_means(seen: Projection, surface: Texels, faces: Any, count: int) -> tuple[F64, F64]:
    """(count,) summed weight and (count, 3) mean colour of the seen texels around each of ``count`` vertices.

    Args:
        faces: (m, 3) vertices of the triangles, as welded by ``weld_atlas``.
    """
    index = np.flatnonzero(seen.weight > 0)
    corner = faces[surface.raster.face[index]].ravel()
    weight = (surface.raster.bary[index] * seen.weight[index, None]).ravel().astype(np.float64)
    strength = np.asarray(np.bincount(corner, weight, count), np.float64)
    color = np.empty((count, 3))
    for channel in range(3):
        color[:, channel] = np.bincount(corner, weight * np.repeat(seen.color[index, channel], 3), count)
    return strength, color / np.maximum(strength, 1e-12)[:, None]


def membrane_colors(atlas: Atlas, strength: Any, color: Any, asked: Any = None) -> F32:
    """(k, 3) float32 colours in [0, 1] of the atlas' vertices: the membrane over the welded surface.

    Args:
        strength: (c,) summed weight of what was seen around each welded vertex. color: (c, 3) its mean there.
        asked: numbers of the faces whose vertices are needed, or None for all. On large meshes the others keep the
            mean of what was seen.
    """
    from manymesh.mesh.topology import connected_components

    weld, count = weld_atlas(atlas)
    strength, color = np.array(strength, np.float64), np.array(color, np.float64)
    place = np.zeros((count, 3))
    place[weld] = atlas.vertices
    faces = weld[atlas.faces]
    ends = faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    unseen = _unseen_components(connected_components(count, ends)[1], strength)
    if unseen.any():
        color[unseen] = color[_nearest_known(place, strength > 0, unseen)]
        strength[unseen] = 1e-3
    if asked is None or count <= MAX_DIRECT_NODES:
        return np.asarray(np.clip(_membrane(place, faces, strength, color), 0, 1)[weld], np.float32)
    part = _solved_part(faces, strength, asked, count)
    inside = np.flatnonzero(part)
    number = np.cumsum(part) - 1
    some = number[faces[part[faces].all(axis=1)]]
    color[inside] = _membrane(place[inside], some, strength[inside], color[inside])
    return np.asarray(np.clip(color, 0, 1)[weld], np.float32)


def _solved_part(faces: I64, strength: F64, asked: Any, count: int) -> Bool:
    """(count,) bool: welded vertices whose colour some asked face's depends on, to within what 8-bit colours can tell.

    These are its own, all that are connected to them by hardly held ones, and ``HELD_RINGS`` rings around.
    """
    from manymesh.mesh.topology import connected_components

    loose = strength < FIRM
    ends = faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    groups, group = connected_components(count, ends[loose[ends].all(axis=1)])
    part = np.zeros(count, bool)
    part[faces[asked]] = True
    for _ in range(HELD_RINGS):
        touched = np.zeros(groups, bool)
        touched[group[part & loose]] = True
        part |= loose & touched[group]
        part[faces[part[faces].any(axis=1)]] = True
    return part


def _membrane(place: F64, faces: I64, strength: F64, color: F64) -> F64:
    """(c, 3) colours of vertices: the membrane over their triangles.

    Args:
        place: (c, 3). faces: (m, 3). strength: (c,), color: (c, 3), see ``membrane_colors``.
    """
    hold = np.minimum(strength, 1) * STIFFNESS + 1e-9
    return solve_diffusion(_edges_of(place, faces), hold, color)


def edge_graph(atlas: Atlas, weld: I64, count: int) -> EdgeGraph:
    """The edges between ``count`` welded vertices (see ``weld_atlas``)."""
    place = np.zeros((count, 3))
    place[weld] = atlas.vertices
    return _edges_of(place, weld[atlas.faces])


def _edges_of(place: F64, faces: I64) -> EdgeGraph:
    """The edges of a mesh.

    Args:
        place: (c, 3) its vertices. faces: (m, 3) int64.
    """
    count = len(place)
    one, other = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    key = np.sort(np.minimum(one, other) * count + np.maximum(one, other))
    new = np.ones(len(key), bool)
    new[1:] = key[1:] != key[:-1]  # (np.unique finds these by hashing, which takes longer)
    a, b = np.divmod(key[new], count)
    a, b = a[a != b], b[a != b]
    length = np.linalg.norm(place[a] - place[b], axis=1)
    mean = max(float(length.mean()), 1e-12) if len(length) else 1.0
    return EdgeGraph(a, b, mean / np.maximum(length, 0.05 * mean))


def solve_diffusion(edges: EdgeGraph, hold: Any, values: Any) -> F64:
    """(count, c) values on a graph's nodes: each the mean of its neighbours', weighed by the edges, and of its own.

    Args:
        hold: (count,) over 0, weight of each node's own value. values: (count, c).
    """
    from scipy.sparse import coo_array, csc_array, diags_array
    from scipy.sparse.linalg import splu

    a, b, weight = edges
    count = len(hold)
    links = coo_array((np.tile(weight, 2), (np.r_[a, b], np.r_[b, a])), shape=(count, count)).tocsr()
    matrix = diags_array(np.asarray(links.sum(axis=1)).reshape(-1) + hold) - links
    right = np.asarray(values, np.float64) * hold[:, None]
    if count > MAX_DIRECT_NODES:
        return _solve_iteratively(matrix.tocsr(), right, np.asarray(hold, np.float64))
    solver = splu(csc_array(matrix), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.asarray(solver.solve(right))


def _solve_iteratively(matrix: Any, right: F64, hold: F64) -> F64:
    """(count, c): the same by conjugate gradients, to within what 8-bit colours can tell.

    Args:
        matrix: (count, count) sparse. right: (count, c) right-hand side. hold: (count,), see ``solve_diffusion``.
    """
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import cg

    preconditioner = diags_array(1 / matrix.diagonal())
    start = right.sum(axis=0) / max(float(hold.sum()), 1e-30)  # the mean of what is held
    result = np.empty_like(right)
    for column in range(right.shape[1]):
        guess = np.full(len(right), start[column])
        solved, _ = cg(matrix, right[:, column], x0=guess, rtol=1e-5, maxiter=MAX_SOLVER_STEPS, M=preconditioner)
        result[:, column] = solved
    return result


def _unseen_components(component: I64, strength: F64) -> Bool:
    """(count,) bool: vertices of connected components of which nothing was seen. ``component``: (count,) numbers."""
    return np.asarray(np.bincount(component, strength)[component] <= 1e-9)


def _nearest_known(place: F64, known: Bool, asked: Bool) -> I64:
    """For each asked vertex the nearest known one in space. ``place``: (c, 3)."""
    from scipy.spatial import cKDTree

    source = np.flatnonzero(known)
    return np.asarray(source[cKDTree(place[source]).query(place[asked])[1]])


@dataclass(frozen=True)
class _Near:
    """For m texels near the border of the kept ones, the kept ones nearest to each.

    Attributes:
        texel: (m,) which texels.
        source: (m, k) texels of the border.
        share: (m, k) float32, adding up to 1: how much of each.
        fade: (m,) float32, 1 at the border, 0 at ``FADE_PX`` from it.
    """

    texel: I64
    source: I64
    share: F32
    fade: F32


def _nearest_kept(keep: F32, surface: Texels, atlas: Atlas) -> _Near | None:
    """Which kept texels are nearest to those beyond their border; None where there are none.

    Near is what is near in space and faces the same way, so that seams and thin walls make no difference.

    Args:
        keep: (n,) how much of its own colour each texel keeps.
    """
    from scipy.spatial import cKDTree

    border = _border(surface.raster, keep > KEPT)
    if not len(border):
        return None
    reach = FADE_PX * float(np.median(surface.spacing))
    around = surface.position[border]
    asked = np.flatnonzero(_faces_near(atlas, around, reach)[surface.raster.face] & (keep <= KEPT))
    if not len(asked):
        return None
    asked = asked[_near_any(surface.position[asked], around, reach)]

    def place(texel: I64) -> F32:
        return np.concatenate([surface.position[texel], surface.normal[texel] * reach], axis=1)

    tree = cKDTree(place(border), balanced_tree=False, compact_nodes=False)
    count = min(NEAREST, len(border))
    apart, found = tree.query(place(asked), np.arange(1, count + 1), distance_upper_bound=reach, workers=-1)
    hit = np.isfinite(apart[:, 0])
    apart, found = apart[hit], found[hit]
    weight = np.where(np.isfinite(apart), np.maximum(1 - apart / reach, 0) ** 2, 0).astype(np.float32)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), np.float32(1e-12))
    return _Near(asked[hit], np.append(border, border[0])[found], share, weight[:, 0])


def _faces_near(atlas: Atlas, others: F32, reach: float) -> Bool:
    """(m,) bool: which triangles may come within ``reach`` of any of the points (never wrongly False)."""
    corners = atlas.vertices[atlas.faces]
    longest = float(np.sqrt(max(((corners[:, k] - corners[:, k - 1]) ** 2).sum(axis=1).max() for k in range(3))))
    near = _near_any(atlas.vertices, others, reach + longest)
    return np.asarray(near[atlas.faces].any(axis=1))


def _border(raster: Raster, kept: Bool) -> I64:
    """The kept texels next to a texel that is not kept, or at a chart's edge; every other one, as on a chessboard."""
    import cv2

    open_around = cv2.dilate(1 - raster.image(kept.astype(np.uint8), np.uint8(0)), np.ones((3, 3), np.uint8))
    row, column = np.divmod(raster.pixel, raster.width)
    return np.flatnonzero(kept & (open_around.ravel()[raster.pixel] > 0) & ((row + column) % 2 == 0))


def _near_any(points: F32, others: F32, reach: float) -> Bool:
    """(n,) bool: which points may lie within ``reach`` of any of the others (a coarse test, never wrongly False)."""
    low = np.minimum(points.min(axis=0), others.min(axis=0))
    size = float((np.maximum(points.max(axis=0), others.max(axis=0)) - low).max())
    cell = max(reach, size / GRID_CELLS, 1e-9)
    side = GRID_CELLS + 2

    def cells(places: F32) -> I64:
        x, y, z = (((places[:, axis] - low[axis]) / cell).astype(np.int64) for axis in range(3))
        return np.asarray((x * side + y) * side + z)

    taken = np.zeros((side,) * 3, bool)
    taken.reshape(-1)[cells(others)] = True
    around = taken.copy()
    for axis in range(3):
        line = np.moveaxis(around, axis, 0)
        before = line.copy()
        line[1:] |= before[:-1]
        line[:-1] |= before[1:]
    return around.reshape(-1).take(cells(points))
