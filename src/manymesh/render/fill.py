"""Colours for what no picture saw: over the surface first, then between the charts.

Over the surface a membrane is stretched (Laplace's equation on the mesh's edges, seams closed) from the colours that
are known; so colour flows around the object and across seams, never across the gaps of the texture. Between charts,
texels repeat the nearest chart's edge and, further out, fade into a pyramid of ever coarser means, so that no level of
a mip map mixes in anything foreign.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.render.bake import Seen
from manymesh.render.texels import Texels
from manymesh.types import F32, U8, Atlas

SOLID = 0.35  # weight from which a texel keeps its own colour
STIFFNESS = 8.0  # how firmly seen colours hold the membrane
FADE_PX = 8.0  # how far the fine detail at the border of the seen part reaches on
REPEAT_PX = 8  # how far charts repeat their edge


def fill_surface(seen: Seen, surface: Texels, atlas: Atlas, *, solid: float = SOLID) -> F32:
    """Give every texel of the surface a colour.

    Args:
        seen: colours with weights; texels of weight 0 have none, those under ``solid`` are mixed with the fill.

    Returns:
        (n, 3) float32 in [0, 1]. Mid grey everywhere when nothing was seen.
    """
    if not (seen.weight > 0).any():
        return np.full_like(seen.color, 0.5)
    vertex_colors = membrane(seen, surface, atlas)
    corner = atlas.faces[surface.raster.face]
    base = np.einsum("nkc,nk->nc", vertex_colors[corner], surface.raster.bary)
    keep = np.clip(seen.weight / solid, 0, 1)
    keep = (keep * keep * (3 - 2 * keep))[:, None]
    detail = _fading_detail(np.where(keep > 0, seen.color - base, 0), keep[:, 0], surface)
    return np.clip(seen.color * keep + (base + detail) * (1 - keep), 0, 1).astype(np.float32)


def membrane(seen: Seen, surface: Texels, atlas: Atlas) -> F32:
    """(k, 3) float32: a colour for each vertex, seen ones near what was seen, the others smoothly between."""
    from scipy.sparse import csc_array, diags_array
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import splu

    weld = np.unique(atlas.source, return_inverse=True)[1].reshape(-1)
    count = int(weld.max()) + 1
    laplace = _laplacian(atlas, weld, count)
    strength, color = _seen_by_vertex(seen, surface, weld[atlas.faces], count)
    loose = _without_data(connected_components(laplace, directed=False)[1], strength)
    if loose.any():
        color[loose] = color[_nearest_known(atlas, weld, count, strength > 0, loose)]
        strength[loose] = 1e-3
    hold = np.minimum(strength, 1) * STIFFNESS + 1e-9
    solver = splu(csc_array(laplace + diags_array(hold)), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    solved = solver.solve(color * hold[:, None])
    return np.clip(solved, 0, 1).astype(np.float32)[weld]


def pad(colors: Any, surface: Texels) -> U8:
    """The whole texture from the colours of the surface's texels.

    Args:
        colors: (n, 3) float32 in [0, 1].

    Returns:
        (T, T, 3) uint8 without holes.
    """
    import cv2

    raster = surface.raster
    known = raster.mask
    picture = raster.image(np.asarray(colors, np.float32), 0)
    if not known.any():
        return np.full((*known.shape, 3), 128, np.uint8)
    distance, label = cv2.distanceTransformWithLabels(
        np.where(known, 0, 255).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    pixel_of_label = np.zeros(int(label.max()) + 1, np.int64)
    pixel_of_label[label.ravel()[raster.pixel]] = raster.pixel
    near = distance <= REPEAT_PX
    picture[near] = picture.reshape(-1, 3)[pixel_of_label[label[near]]]
    return (push_pull(picture, near.astype(np.float32)) * 255 + 0.5).astype(np.uint8)


def push_pull(picture: F32, weight: F32) -> F32:
    """Fill a picture's holes from ever coarser means of what is known around them (Gortler et al. 1996).

    Args:
        picture: (H, W, C) float32. weight: (H, W) float32 in [0, 1], 0 in the holes. Something must be known.
    """
    import cv2

    height, width = weight.shape
    if height == 1 and width == 1:
        return picture
    padding = (0, height % 2, 0, width % 2)
    known = cv2.copyMakeBorder(np.dstack([picture * weight[:, :, None], weight]), *padding, cv2.BORDER_CONSTANT)
    half = cv2.resize(known, (known.shape[1] // 2, known.shape[0] // 2), interpolation=cv2.INTER_AREA)
    total = half[:, :, -1:]
    coarse = push_pull(half[:, :, :-1] / np.maximum(total, 1e-8), (total[:, :, 0] > 1e-8).astype(np.float32))
    back = cv2.resize(coarse, (known.shape[1], known.shape[0]), interpolation=cv2.INTER_LINEAR)
    back = back.reshape(*known.shape[:2], -1)[:height, :width]
    return picture * weight[:, :, None] + back * (1 - weight[:, :, None])


def _laplacian(atlas: Atlas, weld: Any, count: int) -> Any:
    """Sparse (count, count) graph Laplacian; short edges bind more strongly, the mean edge with 1."""
    from scipy.sparse import coo_array, diags_array

    place = np.zeros((count, 3))
    place[weld] = atlas.vertices
    faces = weld[atlas.faces]
    ends = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    key = np.unique(ends[:, 0].astype(np.int64) * count + ends[:, 1])
    a, b = np.divmod(key, count)
    a, b = a[a != b], b[a != b]
    length = np.linalg.norm(place[a] - place[b], axis=1)
    mean = max(float(length.mean()), 1e-12) if len(length) else 1.0
    bond = mean / np.maximum(length, 0.05 * mean)
    links = coo_array((np.tile(bond, 2), (np.r_[a, b], np.r_[b, a])), shape=(count, count)).tocsr()
    return diags_array(np.asarray(links.sum(axis=1)).reshape(-1)) - links


def _seen_by_vertex(seen: Seen, surface: Texels, faces: Any, count: int) -> tuple[Any, Any]:
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


def _fading_detail(detail: F32, keep: F32, surface: Texels) -> F32:
    """What distinguishes the kept texels from the membrane, carried a little beyond them so that no crease shows."""
    import cv2

    raster = surface.raster
    kept = np.flatnonzero(keep > 0.5)
    if not len(kept):
        return detail
    hole = np.full(raster.height * raster.width, 255, np.uint8)
    hole[raster.pixel[kept]] = 0
    hole = hole.reshape(raster.height, raster.width)
    distance, label = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    detail_of_label = np.zeros((int(label.max()) + 1, 3), np.float32)
    detail_of_label[label.ravel()[raster.pixel[kept]]] = detail[kept]
    away = distance.ravel()[raster.pixel]
    return detail_of_label[label.ravel()[raster.pixel]] * np.exp(-away / FADE_PX)[:, None]
