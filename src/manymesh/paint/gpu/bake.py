"""``render.bake.project_colors`` on a GPU, for views without perspective.

Two things are simpler than there: a picture is never averaged for texels that are coarser than its pixels, and cubic
interpolation is PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.paint.gpu.fill import draw_charts
from manymesh.paint.gpu.raster import DeviceRaster, interpolate, rasterise
from manymesh.render.bake import BEND, FAR_AWAY, MARGINS_PX, MIN_COSINE, Projection
from manymesh.render.camera import pixel_footprint, to_clip, towards_viewer
from manymesh.render.normals import area_weighted_vertex_normals
from manymesh.stages import Tick
from manymesh.types import U8, Atlas, Bool, Camera

# Pixels around a place that cubic interpolation reads.
_CUBIC = 5


@torch.inference_mode()
def project_views(
    atlas: Atlas,
    cameras: Sequence[Camera],
    pictures: U8,
    masks: Bool,
    texture_px: int,
    device: torch.device,
    max_angle_deg: float,
    exponent: float,
    tick: Tick,
) -> tuple[np.ndarray, list[Projection]]:
    """Every texel's colour in each of some pictures.

    Args:
        atlas: the unwrapped mesh.
        cameras: of the pictures, without perspective.
        pictures: (V, S, S, 3) uint8. masks: (V, S, S) bool, where they are read.
        texture_px: side of the texture.
        device: where this is done.
        max_angle_deg, exponent: see ``project_colors``.
        tick: called with the share done, 0 to 1.

    Returns:
        (n,) int64 places of the texels in the texture, and what each picture shows of them.
    """
    faces = torch.from_numpy(np.ascontiguousarray(atlas.faces)).to(device).long()
    charts = draw_charts(torch.from_numpy(np.ascontiguousarray(atlas.uv)).to(device), faces, texture_px)
    normals = atlas.normals
    if normals is None:
        normals = area_weighted_vertex_normals(atlas.vertices, atlas.faces, weld=atlas.source)
    both = torch.from_numpy(np.concatenate([atlas.vertices, normals], axis=1)).to(device)
    values = interpolate(both, faces, charts)
    position, normal = values[:, :3].contiguous(), F.normalize(values[:, 3:], dim=1)
    seen = []
    for number, camera in enumerate(cameras):
        picture = torch.from_numpy(np.ascontiguousarray(pictures[number])).to(device)
        mask = torch.from_numpy(np.ascontiguousarray(masks[number])).to(device)
        depth = _depth_map(atlas, camera, faces, tuple(mask.shape), device)
        color, weight = _look_up(camera, position, normal, depth, picture, mask, max_angle_deg, exponent)
        seen.append(Projection(color.cpu().numpy(), weight.cpu().numpy()))
        tick((number + 1) / len(cameras))
    return charts.pixel.cpu().numpy(), seen


def _depth_map(atlas: Atlas, camera: Camera, faces: Tensor, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """(H, W) float32 depth in front of the eye, sampled at the pixels' middles; ``FAR_AWAY`` where nothing is."""
    height, width = shape
    clip = to_clip(camera, atlas.vertices)
    # The rasteriser's rule puts -1 and 1 on the middles of the outermost pixels, and row 0 below.
    for axis, (size, sign) in enumerate(((width, 1), (height, -1))):
        place = (clip[:, axis] * sign * 0.5 + 0.5) * size
        clip[:, axis] = (place - 0.5) / (size - 1) * 2 - 1
    raster: DeviceRaster = rasterise(torch.from_numpy(clip.astype(np.float32)).to(device), faces, height, width)
    depth = _depth(camera, torch.from_numpy(np.ascontiguousarray(atlas.vertices)).to(device))
    return raster.image(interpolate(depth[:, None], faces, raster)[:, 0], float(FAR_AWAY))


def _depth(camera: Camera, points: Tensor) -> Tensor:
    row = torch.from_numpy(camera.world_to_camera[2].astype(np.float32)).to(points.device)
    return -(points @ row[:3] + row[3])


def _look_up(
    camera: Camera,
    position: Tensor,
    normal: Tensor,
    depth: Tensor,
    picture: Tensor,
    mask: Tensor,
    max_angle_deg: float,
    exponent: float,
) -> tuple[Tensor, Tensor]:
    """(n, 3) float32 colours in [0, 1] and (n,) float32 weights."""
    height, width = mask.shape
    towards = torch.from_numpy(towards_viewer(camera, np.zeros((1, 3)))[0].astype(np.float32)).to(position.device)
    cosine: Tensor = normal @ towards
    matrix = torch.from_numpy(camera.world_to_clip.astype(np.float32)).to(position.device)
    x = ((position @ matrix[0, :3] + matrix[0, 3]) * 0.5 + 0.5) * width
    y = (0.5 - (position @ matrix[1, :3] + matrix[1, 3]) * 0.5) * height
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    facing: Tensor = inside & (cosine > math.cos(math.radians(max_angle_deg)))
    pixel = y.long().clamp(0, height - 1) * width + x.long().clamp(0, width - 1)
    footprint = float(pixel_footprint(camera, np.zeros((1, 3)), height)[0])
    visible = _visibility(depth, _depth(camera, position), pixel, cosine, footprint)
    color, opacity = _sample(picture, mask, x, y, pixel)
    weight = torch.where(facing, visible * opacity * cosine.clamp(min=0) ** exponent, torch.zeros_like(cosine))
    return color, weight


def _visibility(depth: Tensor, own: Tensor, pixel: Tensor, cosine: Tensor, footprint: float) -> Tensor:
    """(n,) float32 as ``render.bake`` has it: 0 where something lies before a point, up to 1 where all is free."""
    bounded = cosine.clamp(MIN_COSINE, 1)
    slope = (1 - bounded**2).sqrt() / bounded
    near, far = depth[None, None], torch.where(depth < float(FAR_AWAY), depth, torch.zeros_like(depth))[None, None]
    free, share = torch.ones_like(own, dtype=torch.bool), torch.zeros_like(own)
    before = 0
    for margin in MARGINS_PX:
        # A wide square's minimum is that of a narrower one's minima.
        reach = margin - before
        near = -F.max_pool2d(-near, 2 * reach + 1, stride=1, padding=reach)
        far = F.max_pool2d(far, 2 * reach + 1, stride=1, padding=reach)
        before = margin
        step = footprint * (margin + 0.5) * (1.42 * BEND * slope + (BEND - 1))
        free = free & (own <= near.view(-1)[pixel] + step) & (own >= far.view(-1)[pixel] - step)
        share = share + free
    return share / len(MARGINS_PX)


def _sample(picture: Tensor, mask: Tensor, x: Tensor, y: Tensor, pixel: Tensor) -> tuple[Tensor, Tensor]:
    """(n, 3) colours and (n,) alpha: cubic where all that is read is the object's, else of its own pixels."""
    height, width = mask.shape
    alpha = mask.float()
    unit = picture.permute(2, 0, 1).float() / 255
    grid = torch.stack([x / width, y / height], dim=1)[None, :, None] * 2 - 1
    stacked = torch.cat([unit * alpha, alpha[None]])[None]
    found = F.grid_sample(stacked, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0, :, :, 0]
    opacity = found[3].clamp(0, 1)
    edge = found[:3] / opacity.clamp(min=1e-3)
    cubic = F.grid_sample(unit[None], grid, mode="bicubic", padding_mode="border", align_corners=False)[0, :, :, 0]
    solid = -F.max_pool2d(-alpha[None, None], _CUBIC, stride=1, padding=_CUBIC // 2)
    color = torch.where(solid.view(-1)[pixel] > 0, cubic, edge).clamp(0, 1)
    return color.T.contiguous(), torch.where(opacity < 1e-3, torch.zeros_like(opacity), opacity)
