"""Colours for what no picture saw: over the surface first, then between the charts.

Over the surface a membrane is stretched (Laplace's equation on the mesh's edges, seams closed) from the colours that
are known; so colour flows around the object and across seams, never across the gaps of the texture. Between charts,
texels repeat the nearest chart's edge and, further out, fade into a pyramid of ever coarser means, so that no level of
a mip map mixes in anything foreign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.parallel import run_pair
from manymesh.render.bake import Projection
from manymesh.render.raster import Raster, interpolate
from manymesh.render.texels import Texels
from manymesh.types import F32, F64, U8, Atlas, Bool

SOLID = 0.35  # weight from which a texel keeps its own colour
STIFFNESS = 8.0  # how firmly seen colours hold the membrane
FADE_PX = 16.0  # how far, in texels, the fine detail at the border of the seen part reaches on
NEAREST = 4  # so many texels of the border are blended
KEPT = 0.5  # texels that keep more of their own colour than this are what the fill starts from
GRID_CELLS = 96
# Nodes up to which the diffusion is solved directly. A direct solver's time grows faster than the mesh: 200,000 nodes
# took 53 s of a loaded machine. Chosen by hand, above any mesh of the default face budget.
MOST_DIRECT = 60_000
# The most steps of the iterative solver. Chosen by hand: what has not settled by then is far from all that was seen.
MOST_STEPS = 1000
REPEAT_PX = 8  # how far charts repeat their edge
MEANS_PX = 4  # texels a side of the finest mean further out


def fill_surface(
    seen: Projection,
    surface: Texels,
    atlas: Atlas,
    *,
    solid: float = SOLID,
    vertex_colors: Callable[[], Any] | None = None,
) -> F32:
    """Give every texel of the surface a colour.

    Args:
        seen: colours with weights; texels of weight 0 have none, those under ``solid`` are mixed with the fill.
        vertex_colors: gives (k, 3) colours of the atlas' vertices to fill with; ``membrane``'s when None.

    Returns:
        (n, 3) float32 in [0, 1]. Mid grey everywhere when nothing was seen.
    """
    if vertex_colors is None and not (seen.weight > 0).any():
        return np.full_like(seen.color, 0.5)
    keep = np.clip(seen.weight / np.float32(solid), 0, 1)
    keep = keep * keep * (3 - 2 * keep)
    own = vertex_colors if vertex_colors is not None else lambda: projection_membrane(seen, surface, atlas)
    colors, near = run_pair(own, lambda: _nearest_kept(keep, surface, atlas))
    color = np.array(seen.color, np.float32)
    rest = np.flatnonzero(keep <= KEPT)  # the others are as they were seen
    color[rest] = _filled(rest, keep[rest], color, colors, near, surface.raster, atlas)
    return np.clip(color, 0, 1, out=color)


def _filled(rest: Any, keep: F32, own: F32, colors: Any, near: _Near | None, raster: Raster, atlas: Atlas) -> F32:
    """(m, 3): the colours of the texels that are not kept.

    Args:
        rest: (m,) which texels, ascending. keep: (m,) how much of its own colour each keeps, up to ``KEPT``.
        own: (n, 3) the colours of all texels. colors: (k, 3) those of the vertices, to fill with.
    """

    def base(texels: Any) -> F32:
        return interpolate(colors, atlas.faces, raster.face.take(texels), raster.bary.take(texels, axis=0))

    half = len(rest) // 2
    filled = np.concatenate(run_pair(lambda: base(rest[:half]), lambda: base(rest[half:])))
    if near is not None:
        filled[np.searchsorted(rest, near.texel)] += _detail(near, own, base)
    mixed = np.flatnonzero(keep)
    filled[mixed] += (own[rest[mixed]] - filled[mixed]) * keep[mixed][:, None]
    return filled


def _detail(near: _Near, own: F32, base: Callable[[Any], F32]) -> F32:
    """What distinguishes the kept texels from the fill, carried a little beyond them so that no crease shows."""
    source, place = np.unique(near.source, return_inverse=True)
    detail = (own[source] - base(source))[place.reshape(near.source.shape)]
    return np.asarray(np.einsum("nk,nkc->nc", near.share, detail) * near.fade[:, None], np.float32)


def projection_membrane(seen: Projection, surface: Texels, atlas: Atlas) -> F32:
    """(k, 3) float32: a colour for each vertex, seen ones near what was seen, the others smoothly between."""
    weld, count = weld_atlas(atlas)
    return membrane_colors(atlas, *vertex_means(seen, surface, weld[atlas.faces], count))


def weld_atlas(atlas: Atlas) -> tuple[Any, int]:
    """(k,) int64: one number for all vertices at one place of the surface, and how many numbers there are."""
    weld = np.unique(atlas.source, return_inverse=True)[1].reshape(-1)
    return weld, int(weld.max()) + 1


def membrane_colors(atlas: Atlas, strength: Any, color: Any) -> F32:
    """(k, 3) float32 colours of the vertices: the membrane over the welded surface.

    Args:
        strength: (c,) how much was seen around each welded vertex. color: (c, 3) its mean there.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    weld, count = weld_atlas(atlas)
    strength, color = np.array(strength, np.float64), np.array(color, np.float64)
    edges = edge_graph(atlas, weld, count)
    links = coo_array((edges[2], edges[:2]), shape=(count, count))
    loose = _without_data(connected_components(links, directed=False)[1], strength)
    if loose.any():
        color[loose] = color[_nearest_known(atlas, weld, count, strength > 0, loose)]
        strength[loose] = 1e-3
    hold = np.minimum(strength, 1) * STIFFNESS + 1e-9
    return np.clip(solve_diffusion(edges, hold, color, count), 0, 1).astype(np.float32)[weld]


def solve_diffusion(edges: tuple[Any, Any, Any], hold: Any, values: Any, count: int) -> F64:
    """(count, c) values on a graph's nodes, each between its own, held by ``hold``, and its neighbours'.

    Args:
        edges: from ``graph``. hold: (count,) over 0. values: (count, c).
    """
    from scipy.sparse import coo_array, csc_array, diags_array
    from scipy.sparse.linalg import splu

    a, b, bond = edges
    links = coo_array((np.tile(bond, 2), (np.r_[a, b], np.r_[b, a])), shape=(count, count)).tocsr()
    matrix = diags_array(np.asarray(links.sum(axis=1)).reshape(-1) + hold) - links
    wanted = np.asarray(values, np.float64) * hold[:, None]
    if count > MOST_DIRECT:
        return _solve_iteratively(matrix.tocsr(), wanted, np.asarray(hold, np.float64))
    solver = splu(csc_array(matrix), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.asarray(solver.solve(wanted))


def _solve_iteratively(matrix: Any, wanted: F64, hold: Any) -> F64:
    """(count, c): the same by conjugate gradients, to within what 8-bit colours can tell."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import cg

    nearly = diags_array(1 / matrix.diagonal())
    start = wanted.sum(axis=0) / max(float(hold.sum()), 1e-30)  # the mean of what is held
    result = np.empty_like(wanted)
    for column in range(wanted.shape[1]):
        guess = np.full(len(wanted), start[column])
        result[:, column] = cg(matrix, wanted[:, column], x0=guess, rtol=1e-5, maxiter=MOST_STEPS, M=nearly)[0]
    return result


def pad_charts(colors: Any, surface: Texels) -> U8:
    """The whole texture from the colours of the surface's texels.

    Args:
        colors: (n, 3) float32 in [0, 1].

    Returns:
        (T, T, 3) uint8 without holes.
    """
    raster = surface.raster
    if not len(raster.pixel):
        return np.full((*raster.mask.shape, 3), 128, np.uint8)

    def spread_out() -> U8:
        levels = (np.asarray(colors, np.float32) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        return np.asarray(raster.image(levels, np.uint8(0)), np.uint8)

    picture, (near, ring, source) = run_pair(spread_out, lambda: _margins(raster))
    flat = picture.reshape(-1, 3)
    flat[ring] = flat[source]
    return _with_means(picture, near)


def _margins(raster: Raster) -> tuple[Bool, Any, Any]:
    """Where charts are repeated around them: (T, T) bool, the charts and all within ``REPEAT_PX`` of one; the pixels of
    it that are not the charts', and for each the chart's pixel nearest to it."""
    import cv2

    inside = raster.mask
    distance, label = cv2.distanceTransformWithLabels(
        np.where(inside, 0, 255).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    pixel_of_label = np.zeros(int(label.max()) + 1, np.int64)
    pixel_of_label[label.ravel().take(raster.pixel)] = raster.pixel
    near = distance <= REPEAT_PX
    ring = np.flatnonzero(near & ~inside)
    return near, ring, pixel_of_label.take(label.ravel().take(ring))


def _with_means(picture: U8, near: Bool) -> U8:
    """A texture with everything beyond the charts' repeated edges filled by means, the coarser the further out.

    No picture shows what is filled here but through a mip map, so a quarter of the resolution will do.
    """
    import cv2

    if near.all():
        return picture
    height, width = near.shape
    small = max(-(-width // MEANS_PX), 1), max(-(-height // MEANS_PX), 1)
    share = np.asarray(cv2.resize(near.astype(np.float32), small, interpolation=cv2.INTER_AREA), np.float32)
    means = np.asarray(cv2.resize(picture.astype(np.float32), small, interpolation=cv2.INTER_AREA), np.float32)
    means /= np.maximum(share, np.float32(1e-6))[:, :, None]
    coarse = np.clip(push_pull(means, share > 0) + np.float32(0.5), 0, 255).astype(np.uint8)
    filled = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.copyTo(picture, near.astype(np.uint8), filled), np.uint8)


def push_pull(picture: Any, known: Any) -> F32:
    """Fill a picture's holes from ever coarser means of what is known around them (after Gortler et al. 1996).

    Args:
        picture: (H, W, 3) float32. known: (H, W) bool, False in the holes. Something must be known.

    Returns:
        (H, W, 3) float32, a new array; known pixels keep their values.
    """
    import cv2

    height, width = known.shape
    if known.all():
        return np.array(picture, np.float32)
    even = height + height % 2, width + width % 2
    layers = np.zeros((*even, 4), np.float32)
    layers[:height, :width, 3] = known
    np.multiply(picture, known[:, :, None], out=layers[:height, :width, :3])
    half = cv2.resize(layers, (even[1] // 2, even[0] // 2), interpolation=cv2.INTER_AREA)
    share = half[:, :, 3]
    coarse = push_pull(half[:, :, :3] / np.maximum(share, np.float32(1e-6))[:, :, None], share > 0)
    filled = cv2.resize(coarse, (even[1], even[0]), interpolation=cv2.INTER_LINEAR)[:height, :width]
    np.copyto(filled, picture, where=known[:, :, None])
    return np.asarray(filled, np.float32)


def edge_graph(atlas: Atlas, weld: Any, count: int) -> tuple[Any, Any, Any]:
    """Both ends of every edge between ``count`` welded vertices, and how strongly each binds: short edges more, the
    mean edge with 1."""
    place = np.zeros((count, 3))
    place[weld] = atlas.vertices
    faces = weld[atlas.faces]
    ends = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    key = np.unique(ends[:, 0].astype(np.int64) * count + ends[:, 1])
    a, b = np.divmod(key, count)
    a, b = a[a != b], b[a != b]
    length = np.linalg.norm(place[a] - place[b], axis=1)
    mean = max(float(length.mean()), 1e-12) if len(length) else 1.0
    return a, b, mean / np.maximum(length, 0.05 * mean)


def vertex_means(seen: Projection, surface: Texels, faces: Any, count: int) -> tuple[Any, Any]:
    """(count,) summed weight and (count, 3) mean colour of the seen texels around each vertex."""
    index = np.flatnonzero(seen.weight > 0)
    corner = faces[surface.raster.face[index]].ravel()
    weight = (surface.raster.bary[index] * seen.weight[index, None]).ravel().astype(np.float64)
    strength = np.bincount(corner, weight, count)
    color = np.empty((count, 3))
    for channel in range(3):
        color[:, channel] = np.bincount(corner, weight * np.repeat(seen.color[index, channel], 3), count)
    return strength, color / np.maximum(strength, 1e-12)[:, None]


def _without_data(part: Any, strength: Any) -> Any:
    """(count,) bool: vertices of connected parts of which nothing was seen."""
    return np.bincount(part, strength)[part] <= 1e-9


def _nearest_known(atlas: Atlas, weld: Any, count: int, known: Any, asked: Any) -> Any:
    """For each asked vertex the nearest known one in space."""
    from scipy.spatial import cKDTree

    place = np.zeros((count, 3))
    place[weld] = atlas.vertices
    source = np.flatnonzero(known)
    return source[cKDTree(place[source]).query(place[asked])[1]]


@dataclass(frozen=True)
class _Near:
    """For m texels near the border of the kept ones, the kept ones nearest to each.

    Attributes:
        texel: (m,) which texels.
        source: (m, k) texels of the border.
        share: (m, k) float32, adding up to 1: how much of each.
        fade: (m,) float32, 1 at the border, 0 at ``FADE_PX`` from it.
    """

    texel: Any
    source: Any
    share: F32
    fade: F32


def _nearest_kept(keep: Any, surface: Texels, atlas: Atlas) -> _Near | None:
    """Which kept texels are nearest to those beyond their border. Near is what is near in space and faces the same way,
    so that seams and thin walls make no difference."""
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

    def place(texel: Any) -> Any:
        return np.concatenate([surface.position[texel], surface.normal[texel] * reach], axis=1)

    tree = cKDTree(place(border), balanced_tree=False, compact_nodes=False)
    count = min(NEAREST, len(border))
    apart, found = tree.query(place(asked), np.arange(1, count + 1), distance_upper_bound=reach, workers=-1)
    hit = np.isfinite(apart[:, 0])
    apart, found = apart[hit], found[hit]
    weight = np.where(np.isfinite(apart), np.maximum(1 - apart / reach, 0) ** 2, 0).astype(np.float32)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), np.float32(1e-12))
    return _Near(asked[hit], np.append(border, border[0])[found], share, weight[:, 0])


def _faces_near(atlas: Atlas, others: Any, reach: float) -> Any:
    """(m,) bool: which triangles may come within ``reach`` of any of the points (never wrongly False)."""
    corners = atlas.vertices[atlas.faces]
    longest = float(np.sqrt(max(((corners[:, k] - corners[:, k - 1]) ** 2).sum(axis=1).max() for k in range(3))))
    near = _near_any(atlas.vertices, others, reach + longest)
    return near[atlas.faces].any(axis=1)


def _border(raster: Raster, kept: Any) -> Any:
    """The kept texels next to a texel that is not kept, or at a chart's edge; every other one, as on a chessboard."""
    import cv2

    open_around = cv2.dilate(1 - raster.image(kept.astype(np.uint8), np.uint8(0)), np.ones((3, 3), np.uint8))
    row, column = np.divmod(raster.pixel, raster.width)
    return np.flatnonzero(kept & (open_around.ravel()[raster.pixel] > 0) & ((row + column) % 2 == 0))


def _near_any(points: Any, others: Any, reach: float) -> Any:
    """(n,) bool: which points may lie within ``reach`` of any of the others (a coarse test, never wrongly False)."""
    low = np.minimum(points.min(axis=0), others.min(axis=0))
    size = float((np.maximum(points.max(axis=0), others.max(axis=0)) - low).max())
    cell = max(reach, size / GRID_CELLS, 1e-9)
    side = GRID_CELLS + 2

    def cells(places: Any) -> Any:
        x, y, z = (((places[:, axis] - low[axis]) / cell).astype(np.int64) for axis in range(3))
        return (x * side + y) * side + z

    taken = np.zeros((side,) * 3, bool)
    taken.reshape(-1)[cells(others)] = True
    around = taken.copy()
    for axis in range(3):
        line = np.moveaxis(around, axis, 0)
        before = line.copy()
        line[1:] |= before[:-1]
        line[:-1] |= before[1:]
    return around.reshape(-1).take(cells(points))
