"""The painter's maps and baker in PyTorch, for GPUs; ``control_maps`` and ``splat`` say what they mean.

Sums over pixels are of whole numbers, so that they do not depend on the order in which threads arrive.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.paint.gpu.fill import FIXED_POINT
from manymesh.paint.gpu.raster import CHUNK, DeviceRaster, interpolate
from manymesh.paint.hunyuan.render.reference_camera import BAKE_EXPONENT, MAX_ANGLE_DEG, RENDER_PX, SCALE_FACTOR
from manymesh.paint.hunyuan.render.splat import PAINTED_ALREADY


@torch.inference_mode()
def control_maps(raster: DeviceRaster, vertices: Tensor, normals: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """(H, W, 3) uint8 maps of normals and positions, white where nothing is.

    Args:
        vertices, normals: (k, 3) float32, official frame. faces: (m, 3) int64.
    """
    halves = (normals + 1) * 0.5
    places = 0.5 - vertices / SCALE_FACTOR
    pair = []
    for attribute in (halves, places):
        values = interpolate(attribute, faces, raster).clamp(0, 1)
        pair.append(raster.image((values * 255).to(torch.uint8), 255))
    return pair[0], pair[1]


@torch.inference_mode()
def backproject(
    image: Tensor,
    raster: DeviceRaster,
    world_to_camera: Tensor,
    vertices: Tensor,
    normals: Tensor,
    faces: Tensor,
    uv: Tensor,
    texture_px: int,
    render_px: int = RENDER_PX,
    max_angle_deg: float = MAX_ANGLE_DEG,
) -> tuple[Tensor, Tensor]:
    """Push an (H, W, 3) uint8 picture of a view into the texture: (T, T, 3) and (T, T) float32, see ``splat.Splat``."""
    turn = world_to_camera[:3, :3]
    depth = vertices @ turn[2] + world_to_camera[2, 3]
    attributes = torch.cat([normals @ turn.T, depth[:, None], uv.flip(1)], dim=1)
    values = interpolate(attributes, faces, raster)
    keep = ~_near_trouble(raster, values[:, 3], render_px).view(-1)[raster.pixel]
    values, pixel = values[keep], raster.pixel[keep]
    length = values[:, :3].square().sum(dim=1).sqrt().clamp(min=1e-8)
    cosine = -values[:, 2] / length
    cosine[cosine < math.cos(math.radians(max_angle_deg))] = 0
    color = image.view(-1, 3)[pixel].float() / 255
    return splat(torch.cat([color, cosine[:, None]], dim=1), values[:, 4:6], texture_px)


def splat(values: Tensor, row_column: Tensor, size: int, chunk: int = CHUNK) -> tuple[Tensor, Tensor]:
    """Share (n, 4) colours and cosines out to four texels each, bilinearly; a texel is the mean of what it got."""
    sums = torch.zeros((size * size, 5), dtype=torch.int64, device=values.device)
    for start in range(0, len(values), chunk):
        place = row_column[start : start + chunk] * (size - 1)
        base = place.floor().clamp(0, size - 2)
        part = place - base
        corner = base[:, 0].long() * size + base[:, 1].long()
        some = torch.cat([values[start : start + chunk], torch.ones_like(part[:, :1])], dim=1).double() * FIXED_POINT
        for down in (0, 1):
            for right in (0, 1):
                share = (part[:, 0] if down else 1 - part[:, 0]) * (part[:, 1] if right else 1 - part[:, 1])
                shares = (some * share[:, None].double()).round().long()
                sums.index_add_(0, corner + (down * size + right), shares)
    weight = sums[:, 4:].double()
    mean = (sums[:, :4].double() / weight.clamp(min=1)).float() * (weight > 0)
    return mean[:, :3].reshape(size, size, 3), mean[:, 3].reshape(size, size)


@torch.inference_mode()
def merge(
    splats: Iterable[tuple[Tensor, Tensor]], weights: Iterable[float], exponent: float = BAKE_EXPONENT
) -> tuple[Tensor, Tensor]:
    """Blend views into one (T, T, 3) float32 texture, in order, and (T, T) bool: see ``splat.merge``."""
    total = trust = None
    for (texture, cosine), weight in zip(splats, weights, strict=True):
        share = weight * cosine**exponent
        if total is None or trust is None:
            total, trust = torch.zeros_like(texture), torch.zeros_like(share)
        shown = share > 0
        if int((shown & (trust > 0)).sum()) > PAINTED_ALREADY * int(shown.sum()):
            continue
        total += texture * share[:, :, None]
        trust += share
    if total is None or trust is None:
        raise ValueError("there is no view to merge")
    return total / trust.clamp(min=1e-8)[:, :, None], trust > 1e-8


@torch.inference_mode()
def resized(picture: Tensor, size_px: int) -> Tensor:
    """(H, W, 3) uint8 to square, as Pillow's bicubic filter does it: across first, rounded, then down, rounded."""
    if tuple(picture.shape[:2]) == (size_px, size_px):
        return picture
    x = picture.permute(2, 0, 1)[None].float()
    for shape in ((x.shape[2], size_px), (size_px, size_px)):
        x = F.interpolate(x, size=shape, mode="bicubic", align_corners=False, antialias=True)
        x = (x + 0.5).floor().clamp(0, 255)
    return x[0].permute(1, 2, 0).to(torch.uint8).contiguous()


def _near_trouble(raster: DeviceRaster, depth: Tensor, render_px: int) -> Tensor:
    """(H, W) bool: pixels with background or a depth edge within the kernel."""
    import cv2

    mask = raster.mask
    if not len(depth):
        return ~mask
    span = depth.max() - depth.min()
    stretched = (depth - depth.min()) / torch.where(span > 0, span, torch.ones_like(span))
    levels = raster.image((stretched * 255).to(torch.uint8), 0)
    edges = np.asarray(cv2.Canny(levels.cpu().numpy(), 30, 80), np.uint8)
    trouble = (torch.from_numpy(edges).to(mask.device) > 0) | ~mask
    radius = int(2 / 512 * render_px)
    if radius == 0:
        return trouble
    window = trouble[None, None].to(torch.float16 if mask.is_cuda else torch.float32)
    for kernel in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
        window = F.max_pool2d(window, kernel, stride=1, padding=(kernel[0] // 2, kernel[1] // 2))
    return window[0, 0] > 0
