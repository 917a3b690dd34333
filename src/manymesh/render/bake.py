"""Photo to texture, asked by the texels: each looks up its own place in the picture, so nothing is left out.

Colours are float32 in [0, 1], sRGB as in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.render.camera import depth_of, pixel_footprint, project, towards_viewer
from manymesh.render.raster import interpolate, raster_view
from manymesh.render.sample import sample
from manymesh.render.texels import Texels
from manymesh.types import F32, U8, Atlas, Camera

MAX_DEPTH_PX = 2048
MARGINS_PX = (1, 3, 6)
FAR_AWAY = np.float32(1e9)


@dataclass(frozen=True)
class Seen:
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


def visible(depths: DepthMap, points: Any, normals: Any, *, margins_px: Sequence[int] = MARGINS_PX) -> F32:
    """(n,) float32: how surely the camera sees each of (n, 3) points of the surface; 0 is hidden, 1 is clear.

    A point is hidden when anything within the first margin of it lies nearer than the surface itself, at its slope,
    could: so nothing is read from across an outline. Each wider margin that is free adds its share, so that the
    answer fades towards the edge of what covers it.
    """
    import cv2

    height, width = depths.depth.shape
    pixels, depth = project(depths.camera, points, width, height)
    in_picture = (pixels >= 0).all(axis=1) & (pixels[:, 0] < width) & (pixels[:, 1] < height) & (depth > 0)
    column, row = np.where(in_picture[:, None], pixels, 0).astype(np.int64).T
    cosine = np.clip(_cosine(depths.camera, points, normals), 0.2, 1)
    slope = np.sqrt(1 - cosine**2) / cosine
    footprint = pixel_footprint(depths.camera, points, height)
    sure = np.zeros(len(depth), np.float32)
    free = in_picture
    for margin in margins_px:
        kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
        nearest = cv2.erode(depths.depth, kernel, borderType=cv2.BORDER_REPLICATE)
        free = free & (depth <= nearest[row, column] + footprint * ((margin + 0.5) * 1.42 * slope + 0.5))
        sure += free
    return sure / np.float32(len(margins_px))


def look(
    surface: Texels,
    atlas: Atlas,
    camera: Camera,
    rgb: U8,
    trust: Any,
    *,
    max_angle_deg: float = 82.0,
    exponent: float = 2.0,
    margins_px: Sequence[int] = MARGINS_PX,
) -> Seen:
    """Every texel's colour in one picture.

    Args:
        rgb: (H, W, 3) uint8, read at full resolution (averaged first where texels are coarser than its pixels).
        trust: (H, W) uint8 0..255 or float 0..1: the alpha. Where it is 0 the picture is never read.
        max_angle_deg: surfaces turned further away than this are not seen.
        exponent: of the cosine in the weight.
        margins_px: see ``visible``; in pixels of the picture, or of a depth map of 2048 where that is smaller.
    """
    height, width = trust.shape
    cosine = _cosine(camera, surface.position, surface.normal)
    index = np.flatnonzero(cosine > math.cos(math.radians(max_angle_deg)))
    shrink = min(1.0, MAX_DEPTH_PX / max(height, width))
    size = max(round(height * shrink), 1), max(round(width * shrink), 1)
    depths = depth_map(camera, atlas.vertices, atlas.faces, *size)
    sure = visible(depths, surface.position[index], surface.normal[index], margins_px=margins_px)
    index, sure = index[sure > 0], sure[sure > 0]
    points = surface.position[index]
    coarse = surface.spacing[index] / pixel_footprint(camera, points, height)
    pixels, _ = project(camera, points, width, height)
    found, alpha = read_opaque(rgb, trust, pixels, float(np.median(coarse)) if len(index) else 1.0)
    color = np.zeros((len(cosine), 3), np.float32)
    weight = np.zeros(len(cosine), np.float32)
    color[index] = found
    weight[index] = alpha * sure * cosine[index] ** np.float32(exponent)
    return Seen(color, weight)


def read_opaque(rgb: U8, trust: Any, pixels: Any, pixels_per_texel: float = 1.0) -> tuple[F32, F32]:
    """A picture's colours at (n, 2) places, from its opaque pixels only.

    Returns:
        (n, 3) float32 colours in [0, 1] and (n,) float32 alpha in [0, 1]; colours are 0 where alpha is.
    """
    import cv2

    trust = np.asarray(trust)
    if trust.dtype != np.uint8:
        trust = (np.clip(trust, 0, 1) * 255 + 0.5).astype(np.uint8)
    if pixels_per_texel > 1.5:
        return _read_averaged(rgb, trust, pixels, 0.5 * math.sqrt(pixels_per_texel**2 - 1))
    pixels = np.asarray(pixels)
    solid = cv2.erode((trust == 255).astype(np.uint8), np.ones((5, 5), np.uint8))
    column, row = np.clip(pixels.astype(np.int64), 0, [trust.shape[1] - 1, trust.shape[0] - 1]).T
    inner = solid[row, column] > 0
    color, alpha = np.empty((len(pixels), 3), np.float32), np.ones(len(pixels), np.float32)
    color[inner] = sample(rgb, pixels[inner], "cubic") / 255
    color[~inner], alpha[~inner] = _read_edge(rgb, trust, pixels[~inner])
    return color, alpha


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


def _read_averaged(rgb: U8, trust: U8, pixels: Any, sigma_px: float) -> tuple[F32, F32]:
    """The same after a blur, for texels coarser than pixels."""
    import cv2

    weighted = np.empty((*trust.shape, 4), np.float32)
    weighted[:, :, 3] = trust / np.float32(255)
    np.multiply(rgb, weighted[:, :, 3:] / np.float32(255), out=weighted[:, :, :3])
    found = sample(cv2.GaussianBlur(weighted, (0, 0), sigma_px), pixels)
    return _straight(found[:, :3], found[:, 3])


def _straight(color: F32, alpha: F32) -> tuple[F32, F32]:
    """Premultiplied to straight colours; what is all but transparent counts as fully so."""
    alpha = np.where(alpha < 1e-3, 0, np.minimum(alpha, 1)).astype(np.float32)
    straight = color / np.maximum(alpha, np.float32(1e-3))[:, None]
    return np.where(alpha[:, None] > 0, np.clip(straight, 0, 1), 0).astype(np.float32), alpha


def blend(views: Sequence[Seen], shares: Sequence[float] | None = None) -> Seen:
    """Several pictures' colours in one, each by its weight times its share. The weights add up, at most to 1."""
    shares = [1.0] * len(views) if shares is None else shares
    total = np.zeros_like(views[0].weight)
    color = np.zeros_like(views[0].color)
    for view, share in zip(views, shares, strict=True):
        weight = view.weight * np.float32(share)
        total += weight
        color += view.color * weight[:, None]
    color /= np.maximum(total, np.float32(1e-8))[:, None]
    return Seen(color, np.minimum(total, np.float32(1)))


def _cosine(camera: Camera, points: Any, normals: Any) -> F32:
    """(n,) float32: 1 where the surface faces the camera squarely, negative where it faces away."""
    return np.einsum("nc,nc->n", towards_viewer(camera, points), normals).astype(np.float32)
