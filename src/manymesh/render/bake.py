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
FAR_AWAY = np.float32(1e9)


@dataclass(frozen=True)
class Seen:
    """What a picture shows of the texels.

    Attributes:
        color: (n, 3) float32 in [0, 1], meaningless where ``weight`` is 0.
        weight: (n,) float32 in [0, 1]: visible x opaque x cosine ** exponent.
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


def visible(depths: DepthMap, points: Any, normals: Any, *, margin_px: int = 1) -> Any:
    """(n,) bool: which of (n, 3) points of the surface the camera sees.

    A point counts as hidden when anything within ``margin_px`` pixels of it lies nearer than the surface itself, at
    its slope, can: so nothing is read from across an outline.
    """
    import cv2

    height, width = depths.depth.shape
    reach = 2 * margin_px + 1
    nearest = cv2.erode(depths.depth, np.ones((reach, reach), np.uint8), borderType=cv2.BORDER_REPLICATE)
    pixels, depth = project(depths.camera, points, width, height)
    in_picture = (pixels >= 0).all(axis=1) & (pixels[:, 0] < width) & (pixels[:, 1] < height) & (depth > 0)
    column, row = np.where(in_picture[:, None], pixels, 0).astype(np.int64).T
    cosine = np.clip(_cosine(depths.camera, points, normals), 0.2, 1)
    slope = np.sqrt(1 - cosine**2) / cosine
    footprint = pixel_footprint(depths.camera, points, height)
    bias = footprint * ((margin_px + 1) * 1.5 * slope + 0.5)
    return in_picture & (depth <= nearest[row, column] + bias)


def look(
    surface: Texels,
    atlas: Atlas,
    camera: Camera,
    rgb: U8,
    trust: Any,
    *,
    max_angle_deg: float = 82.0,
    exponent: float = 1.0,
    margin_px: int = 1,
) -> Seen:
    """Every texel's colour in one picture.

    Args:
        rgb: (H, W, 3) uint8, read at full resolution (averaged first where texels are coarser than its pixels).
        trust: (H, W) uint8 0..255 or float 0..1: the alpha. Where it is 0 the picture is never read.
        max_angle_deg: surfaces turned further away than this are not seen.
        exponent: of the cosine in the weight.
        margin_px: see ``visible``; in pixels of a depth map of at most 2048.
    """
    height, width = trust.shape
    cosine = _cosine(camera, surface.position, surface.normal)
    index = np.flatnonzero(cosine > math.cos(math.radians(max_angle_deg)))
    shrink = min(1.0, MAX_DEPTH_PX / max(height, width))
    size = max(round(height * shrink), 1), max(round(width * shrink), 1)
    depths = depth_map(camera, atlas.vertices, atlas.faces, *size)
    index = index[visible(depths, surface.position[index], surface.normal[index], margin_px=margin_px)]
    points = surface.position[index]
    coarse = surface.spacing[index] / pixel_footprint(camera, points, height)
    pixels, _ = project(camera, points, width, height)
    found, alpha = read_opaque(rgb, trust, pixels, float(np.median(coarse)) if len(index) else 1.0)
    color = np.zeros((len(cosine), 3), np.float32)
    weight = np.zeros(len(cosine), np.float32)
    color[index] = found
    weight[index] = alpha * cosine[index] ** exponent
    return Seen(color, weight)


def read_opaque(rgb: U8, trust: Any, pixels: Any, pixels_per_texel: float = 1.0) -> tuple[F32, F32]:
    """A picture's colours at (n, 2) places, from its opaque pixels only.

    Returns:
        (n, 3) float32 colours in [0, 1] and (n,) float32 alpha in [0, 1]; colours are 0 where alpha is.
    """
    import cv2

    alpha = np.asarray(trust, np.float32) / np.float32(255 if np.asarray(trust).dtype == np.uint8 else 1)
    straight = rgb.astype(np.float32) / np.float32(255)
    weighted = np.dstack([straight * alpha[:, :, None], alpha])
    if pixels_per_texel > 1.5:
        weighted = cv2.GaussianBlur(weighted, (0, 0), 0.5 * math.sqrt(pixels_per_texel**2 - 1))
    found = sample(weighted, pixels)
    opacity = np.clip(found[:, 3], 0, 1)
    opacity[opacity < 1e-3] = 0
    color = np.where(opacity[:, None] > 0, found[:, :3] / np.maximum(found[:, 3:], 1e-6), 0)
    if pixels_per_texel <= 1.5:
        solid = cv2.erode((alpha >= 0.999).astype(np.uint8), np.ones((5, 5), np.uint8))
        inner = sample(solid[:, :, None], pixels)[:, 0] > 0.999
        color[inner] = sample(straight, np.asarray(pixels)[inner], "cubic")
    return np.clip(color, 0, 1).astype(np.float32), opacity


def blend(views: Sequence[Seen], shares: Sequence[float] | None = None) -> Seen:
    """Several pictures' colours in one, each by its weight times its share. The weights add up, at most to 1."""
    shares = [1.0] * len(views) if shares is None else shares
    total = np.zeros_like(views[0].weight)
    color = np.zeros_like(views[0].color)
    for view, share in zip(views, shares, strict=True):
        weight = view.weight * np.float32(share)
        total += weight
        color += view.color * weight[:, None]
    return Seen(color / np.maximum(total, np.float32(1e-8))[:, None], np.minimum(total, 1))


def _cosine(camera: Camera, points: Any, normals: Any) -> F32:
    """(n,) float32: 1 where the surface faces the camera squarely, negative where it faces away."""
    return np.einsum("nc,nc->n", towards_viewer(camera, points), normals).astype(np.float32)
