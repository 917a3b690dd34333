"""Colours between the charts of a texture.

Texels repeat the nearest chart's edge and, further out, fade into a pyramid of ever coarser means, so that no level of
a mip map mixes in an unrelated colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.render.raster import Raster
from manymesh.render.texels import Texels
from manymesh.types import F32, U8, Bool

I64 = NDArray[np.int64]

# Distance in texels over which charts repeat their edge: three mip levels.
REPEAT_PX = 8

# Side in texels of the finest mean further out.
MEANS_PX = 4


def pad_charts(colors: Any, surface: Texels) -> U8:
    """The whole texture from the colours of the surface's texels.

    Args:
        colors: (n, 3) float32 in [0, 1].

    Returns:
        (T, T, 3) uint8 without holes; mid grey where there are no texels at all.
    """
    raster = surface.raster
    if not len(raster.pixel):
        return np.full((*raster.mask.shape, 3), 128, np.uint8)
    levels = (np.asarray(colors, np.float32) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    picture = np.asarray(raster.image(levels, np.uint8(0)), np.uint8)
    near, ring, source = _repeated_edges(raster)
    flat = picture.reshape(-1, 3)
    flat[ring] = flat[source]
    return _fill_with_means(picture, near)


def _repeated_edges(raster: Raster) -> tuple[Bool, I64, I64]:
    """Where charts repeat their edges.

    Returns:
        (T, T) bool, the charts and everything within ``REPEAT_PX`` of one; the pixels of it that belong to no chart;
        and for each of those the chart's pixel nearest to it.
    """
    import cv2

    inside = raster.mask
    distance, label = cv2.distanceTransformWithLabels(
        np.where(inside, 0, 255).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    pixel_of_label = np.zeros(int(label.max()) + 1, np.int64)
    pixel_of_label[label.ravel().take(raster.pixel)] = raster.pixel
    near = np.asarray(distance <= REPEAT_PX)
    ring = np.flatnonzero(near & ~inside)
    return near, ring, pixel_of_label.take(label.ravel().take(ring))


def _fill_with_means(picture: U8, near: Bool) -> U8:
    """A texture whose pixels outside ``near`` (T, T) bool are filled by means, the coarser the further out.

    What is filled here shows in mip maps alone, so a quarter of the resolution is enough.
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


def push_pull(picture: NDArray[Any], known: Bool) -> F32:
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
    half = np.asarray(cv2.resize(layers, (even[1] // 2, even[0] // 2), interpolation=cv2.INTER_AREA), np.float32)
    share = half[:, :, 3]
    coarse = push_pull(half[:, :, :3] / np.maximum(share, np.float32(1e-6))[:, :, None], share > 0)
    filled = cv2.resize(coarse, (even[1], even[0]), interpolation=cv2.INTER_LINEAR)[:height, :width]
    np.copyto(filled, picture, where=known[:, :, None])
    return np.asarray(filled, np.float32)
