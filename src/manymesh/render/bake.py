"""Photo to texture: each texel looks up its own position in the photo, so no texel is left out.

A texel's weight says how far the photo can be trusted there: it is visible, opaque and faces the camera. Colours are
float32 in [0, 1], sRGB as in the photo.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.resample import sample
from manymesh.render.camera import depth_of, eye_position, pixel_footprint, project, towards_viewer
from manymesh.render.raster import interpolate, raster_view
from manymesh.render.texels import Texels
from manymesh.types import F32, F64, U8, Atlas, Camera, Mesh

I64 = NDArray[np.int64]

# Longest side in pixels of the depth map that visibility is tested in. Bounds its memory and time; chosen by hand.
MAX_DEPTH_PX = 2048

# Margins around a texel's position, in pixels, in which there must be no other surface. Each free one adds an equal
# share to the texel's weight, so that weights fade towards outlines. Chosen by eye.
MARGINS_PX = (1, 3, 6)

# Within a margin the surface may be this many times as steep as at the texel itself, since it may be curved. Chosen by
# eye: with 1, curved surfaces counted as hidden near outlines.
BEND = 1.6

# Smallest cosine between surface and ray that the slope in the visibility test is computed with.
MIN_COSINE = 0.2

# Coarsest level of averaging: texels coarser than 2 ** MAX_LEVEL pixels read means of that size.
MAX_LEVEL = 5

# Depth of pixels that show nothing.
FAR_AWAY = np.float32(1e9)


@dataclass(frozen=True)
class Projection:
    """The colours of n texels in a picture.

    Attributes:
        color: (n, 3) float32 in [0, 1], meaningless where ``weight`` is 0.
        weight: (n,) float32 in [0, 1]: visibility times alpha times cosine ** exponent.
    """

    color: F32
    weight: F32


@dataclass(frozen=True)
class DepthMap:
    """The depth of the surface under each pixel of a camera's picture.

    Attributes:
        depth: (h, w) float32, mesh units in front of the eye; ``FAR_AWAY`` where nothing is.
    """

    camera: Camera
    depth: F32


def depth_map(camera: Camera, vertices: Any, faces: Any, height: int, width: int) -> DepthMap:
    """Draw the depth map of a mesh, (k, 3) vertices and (m, 3) faces, in a picture of this size."""
    raster = raster_view(camera, vertices, faces, height, width)
    depth = interpolate(depth_of(camera, vertices), faces, raster.face, raster.bary)
    return DepthMap(camera, raster.image(depth, FAR_AWAY))


def picture_depths(shape: Atlas | Mesh, camera: Camera, height: int, width: int) -> DepthMap:
    """The depth map of a mesh for a picture of this size, made smaller where a side exceeds ``MAX_DEPTH_PX``."""
    shrink = min(1.0, MAX_DEPTH_PX / max(height, width))
    size = max(round(height * shrink), 1), max(round(width * shrink), 1)
    return depth_map(camera, shape.vertices, shape.faces, *size)


def project_colors(
    surface: Texels,
    atlas: Atlas,
    camera: Camera,
    rgb: U8,
    alpha: Any,
    *,
    max_angle_deg: float = 82.0,
    exponent: float = 2.0,
    margins_px: Sequence[int] = MARGINS_PX,
    depths: DepthMap | None = None,
) -> Projection:
    """Every texel's colour in one picture.

    Args:
        rgb: (H, W, 3) uint8. It is read at full resolution, averaged only as far as texels are coarser than its pixels.
        alpha: (H, W) uint8 0..255 or float 0..1. Where it is 0 the picture is never read.
        max_angle_deg: surfaces whose normal is further from the ray than this are not seen.
        exponent: of the cosine in the weight.
        margins_px: see ``MARGINS_PX``; in pixels of the depth map, or in texels where those are coarser.
        depths: the mesh's ``picture_depths``, to share between calls.
    """
    alpha = _as_bytes(alpha)
    depths = depths if depths is not None else picture_depths(atlas, camera, *alpha.shape)
    color, weight = np.zeros((len(surface.position), 3), np.float32), np.zeros(len(surface.position), np.float32)
    height, width = alpha.shape
    facing, points = _projected_points(surface, depths.camera, max_angle_deg, height, width)
    pixels_per_texel = surface.spacing[facing] / points.footprint
    levels = np.clip(np.round(np.log2(np.maximum(pixels_per_texel, 1)) - 0.25), 0, MAX_LEVEL).astype(np.int64)
    for level in np.flatnonzero(np.bincount(levels)).tolist():
        here = np.flatnonzero(levels == level)
        index, mine = facing[here], points.take(here)
        visible = _visibility(depths, _in_depth_map(mine, depths, height, width), margins_px=margins_px, level=level)
        seen = np.flatnonzero(visible)
        index, pixels, cosine = index[seen], mine.pixels[seen], mine.cosine[seen]
        color[index], opacity = sample_opaque(rgb, alpha, pixels, level)
        weight[index] = opacity * visible[seen] * cosine ** np.float32(exponent)
    return Projection(color, weight)


@dataclass(frozen=True)
class _ProjectedPoints:
    """n points of the surface in a picture.

    Attributes:
        pixels: (n, 2) float64 x, y. depth: (n,) float64, mesh units in front of the eye.
        footprint: (n,) float64, width of a pixel there in mesh units.
        cosine: (n,) float32, of the angle between the surface's normal and the direction to the eye.
    """

    pixels: F64
    depth: F64
    footprint: F64
    cosine: F32

    def take(self, index: Any) -> _ProjectedPoints:
        """Some of the points, by number or by a mask."""
        return _ProjectedPoints(self.pixels[index], self.depth[index], self.footprint[index], self.cosine[index])


def _projected_points(
    surface: Texels, camera: Camera, max_angle_deg: float, height: int, width: int
) -> tuple[I64, _ProjectedPoints]:
    """The numbers of the texels that face a camera, and their points in its picture."""
    cosine = _cosine(camera, surface.position, surface.normal)
    facing = np.flatnonzero(cosine > math.cos(math.radians(max_angle_deg)))
    points = surface.position[facing].astype(np.float64)
    pixels, depth = project(camera, points, width, height)
    return facing, _ProjectedPoints(pixels, depth, pixel_footprint(camera, points, height), cosine[facing])


def _in_depth_map(points: _ProjectedPoints, depths: DepthMap, height: int, width: int) -> _ProjectedPoints:
    """Points in a (height, width) picture as points in the depth map of the same view, which may be smaller."""
    high, wide = depths.depth.shape
    if (high, wide) == (height, width):
        return points
    pixels = points.pixels * [wide / width, high / height]
    return replace(points, pixels=pixels, footprint=points.footprint * (height / high))


def _visibility(
    depths: DepthMap, points: _ProjectedPoints, *, margins_px: Sequence[int] = MARGINS_PX, level: int = 0
) -> F32:
    """(n,) float32: 0 where the camera does not see a point, up to 1 where everything around it is free.

    A margin around a point is free when nothing in it lies nearer, or further, than the point's own surface could
    within that distance, given its slope. Otherwise the point is covered, or so near an outline that the picture's
    pixel mixes it with what lies behind. (Outlines against nothing are handled by the alpha.) The first margin must be
    free. Each wider one that is free adds its share.

    Args:
        points: in the depth map.
        margins_px: in blocks of 2 ** ``level`` pixels.
    """
    import cv2

    height, width = depths.depth.shape
    depth, (x, y) = points.depth, points.pixels.T
    in_picture = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (depth > 0)
    cosine = np.clip(points.cosine, np.float32(MIN_COSINE), np.float32(1))
    slope = np.sqrt(1 - cosine**2) / cosine
    block = 1 << level
    row, column = (np.where(in_picture, place, 0).astype(np.int64) >> level for place in (y, x))
    pixel = row * -(-width // block) + column
    near = _pooled(depths.depth, block, np.min)
    far = _pooled(np.where(depths.depth < FAR_AWAY, depths.depth, 0), block, np.max)
    visible = np.zeros(len(depth), np.float32)
    free = in_picture
    for margin, before in zip(margins_px, (0, *margins_px[:-1]), strict=True):
        # A wide square's minimum is that of a narrower one's minima.
        kernel = np.ones((2 * (margin - before) + 1,) * 2, np.uint8)
        near = np.asarray(cv2.erode(near, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
        far = np.asarray(cv2.dilate(far, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
        step = points.footprint * ((margin + 1) * block - 0.5)
        # 1.42: along the square's diagonal.
        step *= 1.42 * BEND * slope + (BEND - 1)
        free = free & (depth <= near.ravel().take(pixel) + step) & (depth >= far.ravel().take(pixel) - step)
        visible += free
    return visible / np.float32(len(margins_px))


def _pooled(picture: F32, block: int, reduce: Callable[..., Any]) -> F32:
    """A picture made smaller: the least or greatest value of each block x block pixels."""
    if block == 1:
        return picture
    height, width = picture.shape
    whole = np.pad(picture, ((0, -height % block), (0, -width % block)), mode="edge")
    return np.ascontiguousarray(reduce(whole.reshape(len(whole) // block, block, -1, block), axis=(1, 3)))


def sample_opaque(rgb: U8, alpha: Any, pixels: Any, level: int = 0) -> tuple[F32, F32]:
    """A picture's colours at (n, 2) positions, from its opaque pixels only.

    Args:
        rgb, alpha: as in ``project_colors``.
        level: each value is the mean of about 2 ** level pixels across; 0 is as sharp as the picture.

    Returns:
        (n, 3) float32 colours in [0, 1] and (n,) float32 alpha in [0, 1]; colours are 0 where alpha is.
    """
    import cv2

    alpha = _as_bytes(alpha)
    if level > 0:
        return _sample_averaged(rgb, alpha, pixels, 1 << level)
    pixels = np.asarray(pixels)
    # Cubic interpolation reads 4 x 4 pixels; all must be opaque.
    solid = cv2.erode((alpha == 255).astype(np.uint8), np.ones((5, 5), np.uint8))
    column, row = np.clip(pixels.astype(np.int64), 0, [alpha.shape[1] - 1, alpha.shape[0] - 1]).T
    inner = solid[row, column] > 0
    color, opacity = np.empty((len(pixels), 3), np.float32), np.ones(len(pixels), np.float32)
    color[inner] = sample(rgb, pixels[inner], "cubic") / 255
    color[~inner], opacity[~inner] = _sample_edge(rgb, alpha, pixels[~inner])
    return color, opacity


def _as_bytes(alpha: Any) -> U8:
    alpha = np.asarray(alpha)
    return np.asarray(alpha if alpha.dtype == np.uint8 else np.clip(alpha, 0, 1) * 255 + 0.5, np.uint8)


def _sample_edge(rgb: U8, alpha: U8, pixels: Any) -> tuple[F32, F32]:
    """Bilinear interpolation in which each of the four pixels is also weighed by its alpha."""
    place = pixels - 0.5
    base = np.floor(place).astype(np.int64)
    part = (place - base).astype(np.float32)
    color, opacity = np.zeros((len(pixels), 3), np.float32), np.zeros(len(pixels), np.float32)
    for down in (0, 1):
        for right in (0, 1):
            column = np.clip(base[:, 0] + right, 0, alpha.shape[1] - 1)
            row = np.clip(base[:, 1] + down, 0, alpha.shape[0] - 1)
            weight = (part[:, 0] if right else 1 - part[:, 0]) * (part[:, 1] if down else 1 - part[:, 1])
            weight = weight * alpha[row, column] / np.float32(255)
            color += rgb[row, column] * weight[:, None]
            opacity += weight
    return _straight(color / np.float32(255), opacity)


def _sample_averaged(rgb: U8, alpha: U8, pixels: Any, block: int) -> tuple[F32, F32]:
    """The same from a picture of block means, for texels coarser than pixels."""
    import cv2

    height, width = alpha.shape
    premultiplied = np.empty((height, width, 4), np.float32)
    premultiplied[:, :, 3] = alpha / np.float32(255)
    np.multiply(rgb, premultiplied[:, :, 3:] / np.float32(255), out=premultiplied[:, :, :3])
    small = max(width // block, 1), max(height // block, 1)
    premultiplied = np.asarray(cv2.resize(premultiplied, small, interpolation=cv2.INTER_AREA), np.float32)
    found = sample(premultiplied, np.asarray(pixels) * (np.array(small) / [width, height]))
    return _straight(found[:, :3], found[:, 3])


def _straight(color: F32, alpha: F32) -> tuple[F32, F32]:
    """Premultiplied to straight colours; an alpha below 0.001 becomes 0."""
    alpha = np.where(alpha < 1e-3, 0, np.minimum(alpha, 1)).astype(np.float32)
    straight = color / np.maximum(alpha, np.float32(1e-3))[:, None]
    return np.where(alpha[:, None] > 0, np.clip(straight, 0, 1), 0).astype(np.float32), alpha


def _cosine(camera: Camera, points: Any, normals: Any) -> F32:
    """(n,) float32: 1 where the surface faces the camera squarely, negative where it faces away."""
    position = eye_position(camera)
    if position is None:
        return np.asarray(normals @ towards_viewer(camera, np.zeros((1, 3)))[0], np.float32)
    along, length2 = np.zeros(len(points)), np.zeros(len(points))
    for axis in range(3):  # long rows are several times faster than rows of three
        ray = position[axis] - points[:, axis].astype(np.float64)
        along += ray * normals[:, axis]
        ray *= ray
        length2 += ray
    return (along / np.sqrt(np.maximum(length2, 1e-24))).astype(np.float32)
