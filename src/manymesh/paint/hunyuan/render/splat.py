"""Hunyuan3D-2's baker: every pixel of a view pushes its colour into the texture, then the views are merged.

Vertices and UV are those of the unwrapped mesh as ``reference_camera.normalised`` gives them; row 0 of a texture is
v = 0 there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.paint.hunyuan.render.reference_camera import BAKE_EXPONENT, MAX_ANGLE_DEG, RENDER_PX, ReferenceView
from manymesh.render.normals import equal_weighted_vertex_normals, row_lengths
from manymesh.render.raster import Raster, interpolate
from manymesh.types import F32, U8, Bool

PAINTED_ALREADY = 0.99
CHUNK = 1 << 15  # pixels handled at once: what they need stays in the cache


@dataclass(frozen=True)
class Splat:
    """What one view gives to the texture.

    Attributes:
        texture: (T, T, 3) float32 in [0, 1], 0 where the view says nothing.
        cosine: (T, T) float32, how squarely the view saw each texel; 0 beyond 75 degrees or unseen.
    """

    texture: F32
    cosine: F32


@dataclass(frozen=True)
class Sightings:
    """The pixels of a view that may be trusted.

    Attributes:
        pixel: (n,) int64 flat index into the picture.
        row_column: (n, 2) float32 place in the texture, (v, u) in [0, 1].
        cosine: (n,) float32.
        edges: (H, W) uint8, 255 where the depth jumps.
    """

    pixel: NDArray[np.int64]
    row_column: F32
    cosine: F32
    edges: U8


def backproject(
    image: U8,
    raster: Raster,
    view: ReferenceView,
    vertices: F32,
    faces: Any,
    uv: F32,
    texture_px: int,
    render_px: int = RENDER_PX,
    max_angle_deg: float = MAX_ANGLE_DEG,
) -> Splat:
    """Push a picture of a view into the texture.

    Args:
        image: (H, W, 3) uint8, the size of ``raster``.
        raster: of this view, official rule.
        vertices: (k, 3) float32. faces: (m, 3). uv: (k, 2) float32.
        texture_px: T.
        render_px: the renderer's nominal size, from which the width of the distrusted border follows.
        max_angle_deg: surfaces turned further away give no weight.
    """
    seen = trusted_pixels(raster, view, vertices, faces, uv, render_px, max_angle_deg)
    color = image.reshape(-1, 3)[seen.pixel].astype(np.float32) / np.float32(255)
    return _splat(color, seen.cosine, seen.row_column, texture_px)


def trusted_pixels(
    raster: Raster,
    view: ReferenceView,
    vertices: F32,
    faces: Any,
    uv: F32,
    render_px: int = RENDER_PX,
    max_angle_deg: float = MAX_ANGLE_DEG,
) -> Sightings:
    """The covered pixels away from the outline and from jumps in depth, with what the baker needs of them."""
    in_camera = view.camera_space(vertices)[:, :3]
    normals = equal_weighted_vertex_normals(in_camera, faces)
    attributes = np.concatenate([normals, in_camera[:, 2:], uv[:, ::-1]], axis=1)
    values = interpolate(attributes, faces, raster.face, raster.bary)
    edges = depth_edges(raster, values[:, 3])
    keep = ~_near_trouble(raster, edges, render_px).ravel()[raster.pixel]
    values = values[keep]
    # The mirrored mesh turns the normals of visible faces away from the eye, hence the minus.
    length = np.maximum(row_lengths(values[:, :3]), np.float32(1e-8))
    cosine = -values[:, 2] / length
    cosine[cosine < math.cos(math.radians(max_angle_deg))] = 0
    return Sightings(raster.pixel[keep], values[:, 4:6], cosine, edges)


def depth_edges(raster: Raster, z: F32) -> U8:
    """(H, W) uint8, 255 where Canny finds a jump of the covered pixels' depth (stretched to the bytes' range)."""
    import cv2

    if not len(z):
        return np.zeros((raster.height, raster.width), np.uint8)
    span = z.max() - z.min()
    stretched = (z - z.min()) / (span if span > 0 else np.float32(1))
    depth = raster.image((stretched * np.float32(255)).astype(np.uint8), 0)
    return np.asarray(cv2.Canny(depth, 30, 80), np.uint8)


def merge(splats: Iterable[Splat], weights: Iterable[float], exponent: float = BAKE_EXPONENT) -> tuple[F32, Bool]:
    """Blend views into one texture, taking them in order, one at a time.

    A view is left out when over 99 % of what it shows has been painted before.

    Returns:
        (T, T, 3) float32 texture in [0, 1], and (T, T) bool, which texels have a colour.
    """
    total: Any = None
    trust: Any = None
    for splat, weight in zip(splats, weights, strict=True):
        share = np.float32(weight) * splat.cosine ** np.float32(exponent)
        if trust is None:
            total, trust = np.zeros_like(splat.texture), np.zeros_like(share)
        shown = share > 0
        if np.count_nonzero(shown & (trust > 0)) > PAINTED_ALREADY * np.count_nonzero(shown):
            continue
        total += splat.texture * share[:, :, None]
        trust += share
    return total / np.maximum(trust, np.float32(1e-8))[:, :, None], trust > 1e-8


def _near_trouble(raster: Raster, edges: U8, render_px: int) -> Bool:
    """(H, W) bool: pixels with background or a depth edge within the kernel. Outside the picture is no background."""
    import cv2

    radius = int(2 / 512 * render_px)
    trouble = edges | np.where(raster.mask, 0, 255).astype(np.uint8)
    near: Bool = cv2.dilate(trouble, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)) > 0
    return near


def _splat(color: F32, cosine: F32, row_column: F32, size: int) -> Splat:
    """Share every pixel out to its four texels, bilinearly; a texel is the weighted mean of what it got."""
    from scipy.sparse import csc_array

    # A sparse matrix with four shares a pixel; its product with the pixels' values is the sum over each texel's pixels.
    count = len(row_column)
    index, share = np.empty((count, 4), np.int32), np.empty((count, 4), np.float32)
    for first in range(0, count, CHUNK):
        part = slice(first, first + CHUNK)
        _shares(row_column[part], size, index[part], share[part])
    start = np.arange(0, 4 * count + 1, 4, dtype=np.int32)
    values = np.empty((count, 5), np.float32)
    values[:, :3], values[:, 3], values[:, 4] = color, cosine, 1
    sums = csc_array((share.ravel(), index.ravel(), start), shape=(size * size, count)) @ values
    mean = sums[:, :4] / np.where(sums[:, 4:] > 0, sums[:, 4:], 1)
    return Splat(mean[:, :3].reshape(size, size, 3), mean[:, 3].reshape(size, size))


def _shares(row_column: F32, size: int, index: NDArray[np.int32], share: F32) -> None:
    """Fill in the four texels around each place, and how near it is to each."""
    place = row_column * np.float32(size - 1)
    base = np.clip(np.floor(place), 0, size - 2)
    right = place - base
    left = 1 - right
    corner = base[:, 0].astype(np.int32) * size + base[:, 1].astype(np.int32)
    for number, (down, across) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        index[:, number] = corner + (down * size + across)
        np.multiply((right if down else left)[:, 0], (right if across else left)[:, 1], out=share[:, number])
