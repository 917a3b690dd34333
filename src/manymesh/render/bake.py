"""Photo to texture, asked by the texels: each looks up its own place in the picture, so nothing is left out.

Colours are float32 in [0, 1], sRGB as in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from manymesh.image.resample import sample
from manymesh.parallel import run_pair
from manymesh.render.camera import depth_of, eye_position, pixel_footprint, project, towards_viewer
from manymesh.render.raster import interpolate, raster_view
from manymesh.render.texels import Texels
from manymesh.types import F32, U8, Atlas, Camera, Mesh

MAX_DEPTH_PX = 2048
MARGINS_PX = (1, 3, 6)
BEND = 1.6  # a neighbour may lie this much steeper than the surface at the point itself (it may be curved)
MAX_LEVEL = 5
FAR_AWAY = np.float32(1e9)
MANY_TEXELS = 65_536
"""With twice as many, two threads look at half of them each."""


@dataclass(frozen=True)
class Projection:
    """What a picture shows of the texels.

    Attributes:
        color: (n, 3) float32 in [0, 1], meaningless where ``weight`` is 0.
        weight: (n,) float32 in [0, 1]: how surely visible x opaque x cosine ** exponent.
    """

    color: F32
    weight: F32


@dataclass(frozen=True)
class DepthMap:
    """How far the surface is under each pixel of a camera's picture.

    Attributes:
        depth: (h, w) float32, mesh units in front of the eye; huge where nothing is.
    """

    camera: Camera
    depth: F32


def depth_map(camera: Camera, vertices: Any, faces: Any, height: int, width: int) -> DepthMap:
    """Draw a mesh's depth as a camera sees it."""
    raster = raster_view(camera, vertices, faces, height, width)
    depth = interpolate(depth_of(camera, vertices), faces, raster.face, raster.bary)
    return DepthMap(camera, raster.image(depth, FAR_AWAY))


def picture_depths(shape: Atlas | Mesh, camera: Camera, height: int, width: int) -> DepthMap:
    """The depths of a mesh in a picture of this size, or a smaller one of at most MAX_DEPTH_PX."""
    shrink = min(1.0, MAX_DEPTH_PX / max(height, width))
    size = max(round(height * shrink), 1), max(round(width * shrink), 1)
    return depth_map(camera, shape.vertices, shape.faces, *size)


@dataclass(frozen=True)
class _Aim:
    """Where some places of the surface fall in a picture.

    Attributes:
        pixels: (n, 2) float64 x, y. depth: (n,) float64, mesh units in front of the eye.
        footprint: (n,) float64, mesh units that a pixel is wide there.
        cosine: (n,) float32, of the angle between the surface's normal and the way to the eye.
    """

    pixels: Any
    depth: Any
    footprint: Any
    cosine: F32

    def of(self, index: Any) -> _Aim:
        """Some of the places, by number or by a mask."""
        return _Aim(self.pixels[index], self.depth[index], self.footprint[index], self.cosine[index])


def _visible(depths: DepthMap, aim: _Aim, *, margins_px: Sequence[int] = MARGINS_PX, level: int = 0) -> F32:
    """(n,) float32: how surely the camera sees each place; 0 is hidden, 1 is clear.

    A point is out when anything within the first margin of it lies nearer, or further, than the surface itself, at
    its slope, could: it is covered, or so near an outline that the picture mixes it with what lies behind. (Outlines
    against nothing are the alpha's business.) Each wider margin that is free adds its share, so that the answer
    fades towards outlines. Margins are in blocks of 2 ** ``level`` pixels.

    Args:
        aim: where the places fall in the depth map.
    """
    import cv2

    height, width = depths.depth.shape
    depth, (x, y) = aim.depth, aim.pixels.T
    in_picture = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (depth > 0)
    cosine = np.clip(aim.cosine, np.float32(0.2), np.float32(1))
    slope = np.sqrt(1 - cosine**2) / cosine
    block = 1 << level
    row, column = (np.where(in_picture, place, 0).astype(np.int64) >> level for place in (y, x))
    pixel = row * -(-width // block) + column
    near = _pooled(depths.depth, block, np.min)
    far = _pooled(np.where(depths.depth < FAR_AWAY, depths.depth, 0), block, np.max)
    sure = np.zeros(len(depth), np.float32)
    free = in_picture
    for margin, before in zip(margins_px, (0, *margins_px[:-1]), strict=True):
        # A wide square is a narrower one widened.
        kernel = np.ones((2 * (margin - before) + 1,) * 2, np.uint8)
        near = cv2.erode(near, kernel, borderType=cv2.BORDER_REPLICATE)
        far = cv2.dilate(far, kernel, borderType=cv2.BORDER_REPLICATE)
        step = aim.footprint * ((margin + 1) * block - 0.5)
        step *= 1.42 * BEND * slope + (BEND - 1)
        free = free & (depth <= near.ravel().take(pixel) + step) & (depth >= far.ravel().take(pixel) - step)
        sure += free
    return sure / np.float32(len(margins_px))


def _pooled(picture: F32, block: int, reduce: Callable[..., Any]) -> F32:
    """A picture made smaller: the least or greatest value of each block of pixels."""
    if block == 1:
        return picture
    height, width = picture.shape
    whole = np.pad(picture, ((0, -height % block), (0, -width % block)), mode="edge")
    return np.ascontiguousarray(reduce(whole.reshape(len(whole) // block, block, -1, block), axis=(1, 3)))


def project_colors(
    surface: Texels,
    atlas: Atlas,
    camera: Camera,
    rgb: U8,
    trust: Any,
    *,
    max_angle_deg: float = 82.0,
    exponent: float = 2.0,
    margins_px: Sequence[int] = MARGINS_PX,
    depths: DepthMap | None = None,
) -> Projection:
    """Every texel's colour in one picture.

    Args:
        rgb: (H, W, 3) uint8, read at full resolution, averaged only as far as texels are coarser than its pixels.
        trust: (H, W) uint8 0..255 or float 0..1: the alpha. Where it is 0 the picture is never read.
        max_angle_deg: surfaces turned further away than this are not seen.
        exponent: of the cosine in the weight.
        margins_px: see ``_visible``; in pixels of the picture (or of a depth map of 2048 where that is smaller), or in
            texels where those are coarser.
        depths: ``depths_under``, when several sets of texels are looked for in one picture.
    """
    trust = _as_bytes(trust)
    depths = depths if depths is not None else picture_depths(atlas, camera, *trust.shape)

    def seen(texels: Texels) -> Projection:
        return _looked(texels, rgb, trust, depths, max_angle_deg, exponent, margins_px)

    half = len(surface.position) // 2
    if half < MANY_TEXELS:
        return seen(surface)
    one, other = run_pair(lambda: seen(_part(surface, slice(half))), lambda: seen(_part(surface, slice(half, None))))
    return Projection(np.concatenate([one.color, other.color]), np.concatenate([one.weight, other.weight]))


def _part(surface: Texels, part: slice) -> Texels:
    """Some of the texels, with what ``_looked`` reads of them."""
    return replace(surface, position=surface.position[part], normal=surface.normal[part], spacing=surface.spacing[part])


def _looked(
    surface: Texels,
    rgb: U8,
    trust: U8,
    depths: DepthMap,
    max_angle_deg: float,
    exponent: float,
    margins_px: Sequence[int],
) -> Projection:
    color, weight = np.zeros((len(surface.position), 3), np.float32), np.zeros(len(surface.position), np.float32)
    height, width = trust.shape
    facing, aim = _aimed(surface, depths.camera, max_angle_deg, height, width)
    pixels_per_texel = surface.spacing[facing] / aim.footprint
    levels = np.clip(np.round(np.log2(np.maximum(pixels_per_texel, 1)) - 0.25), 0, MAX_LEVEL).astype(np.int64)
    for level in np.flatnonzero(np.bincount(levels)).tolist():
        here = np.flatnonzero(levels == level)
        index, mine = facing[here], aim.of(here)
        sure = _visible(depths, _in_depths(mine, depths, height, width), margins_px=margins_px, level=level)
        seen = np.flatnonzero(sure)
        index, pixels, cosine = index[seen], mine.pixels[seen], mine.cosine[seen]
        color[index], alpha = sample_opaque(rgb, trust, pixels, level)
        weight[index] = alpha * sure[seen] * cosine ** np.float32(exponent)
    return Projection(color, weight)


def _aimed(surface: Texels, camera: Camera, max_angle_deg: float, height: int, width: int) -> tuple[Any, _Aim]:
    """The texels that face a camera, by number, and where they fall in its picture."""
    cosine = _cosine(camera, surface.position, surface.normal)
    facing = np.flatnonzero(cosine > math.cos(math.radians(max_angle_deg)))
    points = surface.position[facing].astype(np.float64)
    pixels, depth = project(camera, points, width, height)
    return facing, _Aim(pixels, depth, pixel_footprint(camera, points, height), cosine[facing])


def _in_depths(aim: _Aim, depths: DepthMap, height: int, width: int) -> _Aim:
    """An aim at a (height, width) picture as one at the depth map of the same view, which may be smaller."""
    high, wide = depths.depth.shape
    if (high, wide) == (height, width):
        return aim
    pixels = aim.pixels * [wide / width, high / height]
    return replace(aim, pixels=pixels, footprint=aim.footprint * (height / high))


def sample_opaque(rgb: U8, trust: Any, pixels: Any, level: int = 0) -> tuple[F32, F32]:
    """A picture's colours at (n, 2) places, from its opaque pixels only.

    Args:
        rgb, trust: as in ``look``.
        level: each reading averages about 2 ** level pixels across; 0 is as sharp as the picture.

    Returns:
        (n, 3) float32 colours in [0, 1] and (n,) float32 alpha in [0, 1]; colours are 0 where alpha is.
    """
    import cv2

    trust = _as_bytes(trust)
    if level > 0:
        return _read_averaged(rgb, trust, pixels, 1 << level)
    pixels = np.asarray(pixels)
    solid = cv2.erode((trust == 255).astype(np.uint8), np.ones((5, 5), np.uint8))
    column, row = np.clip(pixels.astype(np.int64), 0, [trust.shape[1] - 1, trust.shape[0] - 1]).T
    inner = solid[row, column] > 0
    color, alpha = np.empty((len(pixels), 3), np.float32), np.ones(len(pixels), np.float32)
    color[inner] = sample(rgb, pixels[inner], "cubic") / 255
    color[~inner], alpha[~inner] = _read_edge(rgb, trust, pixels[~inner])
    return color, alpha


def _as_bytes(trust: Any) -> U8:
    trust = np.asarray(trust)
    return trust if trust.dtype == np.uint8 else (np.clip(trust, 0, 1) * 255 + 0.5).astype(np.uint8)


def _read_edge(rgb: U8, trust: U8, pixels: Any) -> tuple[F32, F32]:
    """Bilinear, each of the four pixels weighed by its own alpha as well."""
    place = pixels - 0.5
    base = np.floor(place).astype(np.int64)
    part = (place - base).astype(np.float32)
    color, alpha = np.zeros((len(pixels), 3), np.float32), np.zeros(len(pixels), np.float32)
    for down in (0, 1):
        for right in (0, 1):
            column = np.clip(base[:, 0] + right, 0, trust.shape[1] - 1)
            row = np.clip(base[:, 1] + down, 0, trust.shape[0] - 1)
            weight = (part[:, 0] if right else 1 - part[:, 0]) * (part[:, 1] if down else 1 - part[:, 1])
            weight = weight * trust[row, column] / np.float32(255)
            color += rgb[row, column] * weight[:, None]
            alpha += weight
    return _straight(color / np.float32(255), alpha)


def _read_averaged(rgb: U8, trust: U8, pixels: Any, block: int) -> tuple[F32, F32]:
    """The same from a picture of block means, for texels coarser than pixels."""
    import cv2

    height, width = trust.shape
    weighted = np.empty((height, width, 4), np.float32)
    weighted[:, :, 3] = trust / np.float32(255)
    np.multiply(rgb, weighted[:, :, 3:] / np.float32(255), out=weighted[:, :, :3])
    small = max(width // block, 1), max(height // block, 1)
    weighted = np.asarray(cv2.resize(weighted, small, interpolation=cv2.INTER_AREA), np.float32)
    found = sample(weighted, np.asarray(pixels) * (np.array(small) / [width, height]))
    return _straight(found[:, :3], found[:, 3])


def _straight(color: F32, alpha: F32) -> tuple[F32, F32]:
    """Premultiplied to straight colours; what is all but transparent counts as fully so."""
    alpha = np.where(alpha < 1e-3, 0, np.minimum(alpha, 1)).astype(np.float32)
    straight = color / np.maximum(alpha, np.float32(1e-3))[:, None]
    return np.where(alpha[:, None] > 0, np.clip(straight, 0, 1), 0).astype(np.float32), alpha


def blend_projections(views: Sequence[Projection], shares: Sequence[float] | None = None) -> Projection:
    """Several pictures' colours in one, each by its weight times its share. The weights add up, at most to 1."""
    shares = [1.0] * len(views) if shares is None else shares
    total = np.zeros_like(views[0].weight)
    color = np.zeros_like(views[0].color)
    for view, share in zip(views, shares, strict=True):
        weight = view.weight * np.float32(share)
        total += weight
        color += view.color * weight[:, None]
    color /= np.maximum(total, np.float32(1e-8))[:, None]
    return Projection(color, np.minimum(total, np.float32(1)))


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
