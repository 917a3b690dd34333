"""Pictures of training shapes: what an RGBA cutout of the object would look like, with a perfect matte."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.resample import linear_from_srgb, srgb_from_linear
from manymesh.render.camera import to_clip
from manymesh.render.normals import corner_normals, unit_rows
from manymesh.render.raster import Raster, rasterise
from manymesh.types import Camera
from training.shapes import Shape

KEY, FILL = ((-0.5, 0.75, 0.65), 0.85), ((0.8, 0.1, 0.55), 0.25)
"""Directions to the lights in the camera's frame (x right, y up, z to the viewer), and their linear strengths."""

SKY, GROUND = 0.34, 0.16
CREASE_DEG = 40.0


def draw(shape: Shape, camera: Camera, side_px: int, *, supersample: int = 2, normals: Any = None) -> NDArray[np.uint8]:
    """The shape under a key, a fill and a sky light that move with the camera; both sides of its faces are drawn.

    Args:
        side_px: width and height.
        supersample: each pixel is the mean of this many squared.
        normals: ``normals_of(shape)``, when many pictures of one shape are drawn.

    Returns:
        (side_px, side_px, 4) uint8 sRGB, straight alpha.
    """
    fine = side_px * supersample
    raster = rasterise(to_clip(camera, shape.vertices), shape.faces, fine, fine)
    color = albedo(shape, raster) * light(shape, raster, camera, normals)[:, None]
    return averaged(raster, color, supersample)


def normals_of(shape: Shape) -> NDArray[np.float32]:
    """(m, 3, 3) normals of the corners, smooth but for edges."""
    return corner_normals(shape.vertices, shape.faces, crease_deg=CREASE_DEG)


def albedo(shape: Shape, raster: Raster) -> NDArray[np.float32]:
    """(n, 3) linear colours of the surface under the covered pixels."""
    color = linear_from_srgb(shape.colors)[raster.face]
    if shape.texture is None or shape.uv is None:
        return color
    texture = shape.texture[raster.face]
    for number, picture in enumerate(shape.textures):
        mine = np.flatnonzero(texture == number)
        if len(mine):
            uv = np.einsum("nkc,nk->nc", shape.uv[raster.face[mine]], raster.bary[mine])
            color[mine] = _repeating(linear_from_srgb(picture), uv)
    return color


def _repeating(picture: NDArray[np.float32], uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bilinear, the picture repeated endlessly."""
    height, width = picture.shape[:2]
    x, y = (uv[:, 0] % 1) * width - 0.5, (uv[:, 1] % 1) * height - 0.5
    left, top = np.floor(x), np.floor(y)
    across, down = (x - left)[:, None], (y - top)[:, None]
    x0, y0 = left.astype(np.int64) % width, top.astype(np.int64) % height
    x1, y1 = (x0 + 1) % width, (y0 + 1) % height
    upper = picture[y0, x0] * (1 - across) + picture[y0, x1] * across
    lower = picture[y1, x0] * (1 - across) + picture[y1, x1] * across
    return (upper * (1 - down) + lower * down).astype(np.float32)


def light(shape: Shape, raster: Raster, camera: Camera, normals: Any = None) -> NDArray[np.float32]:
    """(n,) linear light on the covered pixels. Faces seen from behind are lit as if they were turned round."""
    normals = normals_of(shape) if normals is None else normals
    seen = np.einsum("nkc,nk->nc", normals[raster.face], raster.bary)
    seen = unit_rows(seen @ camera.world_to_camera[:3, :3].T.astype(np.float32))
    seen = np.where(seen[:, 2:] < 0, -seen, seen)
    level = GROUND + (SKY - GROUND) * (seen[:, 1] + 1) / 2
    for direction, strength in (KEY, FILL):
        towards = np.array(direction, np.float32) / np.float32(math.hypot(*direction))
        level += np.float32(strength) * np.maximum(seen @ towards, 0)
    return level.astype(np.float32)


def averaged(raster: Raster, color: NDArray[np.float32], supersample: int) -> NDArray[np.uint8]:
    """Linear colours of the covered pixels to a picture ``supersample`` times smaller, sRGB with straight alpha."""
    row, column = np.divmod(raster.pixel, raster.width)
    side = raster.width // supersample
    coarse = row // supersample * side + column // supersample
    hits = np.bincount(coarse, minlength=side * side)
    picture = np.zeros((side * side, 4), np.uint8)
    for channel in range(3):
        mean = np.bincount(coarse, color[:, channel], side * side) / np.maximum(hits, 1)
        picture[:, channel] = srgb_from_linear(mean) * 255 + 0.5
    picture[:, 3] = hits * 255 // supersample**2
    return picture.reshape(side, side, 4)


def flattened(rgba: NDArray[np.uint8], background: Sequence[int]) -> NDArray[np.uint8]:
    """(h, w, 4) laid on one colour: (h, w, 3)."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return (rgba[..., :3] * alpha + np.asarray(background, np.float32) * (1 - alpha) + 0.5).astype(np.uint8)
