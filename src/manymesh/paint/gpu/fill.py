"""``render/fill.py`` on a GPU: the membrane is still stretched on the CPU. What is done for every texel is done here.

Two parts are simpler than there, so the colours differ a little: detail at the border of the painted part fades out
over the texture and not over the surface, and the edge of a chart is repeated step by step.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.paint.gpu.raster import DeviceRaster, interpolate, rasterise
from manymesh.render.fill import FADE_PX, membrane_colors, weld_atlas
from manymesh.render.padding import REPEAT_PX
from manymesh.types import F32, U8, Atlas, Bool

# Sums over pixels are of whole numbers, so that they do not depend on the order in which threads arrive.
FIXED_POINT = 2.0**32


@torch.inference_mode()
def fill_on_device(texture: F32, painted: Bool, atlas: Atlas, device: torch.device) -> U8:
    """The finished texture.

    Args:
        texture: (T, T, 3) float32 in [0, 1]. painted: (T, T) bool, where it has a colour.
        atlas: the unwrapped mesh, in the canonical frame.

    Returns:
        (T, T, 3) uint8 without holes.
    """
    size = texture.shape[0]
    color, known = torch.from_numpy(texture).to(device), torch.from_numpy(painted).to(device)
    faces = torch.from_numpy(np.ascontiguousarray(atlas.faces)).to(device).long()
    raster = draw_charts(torch.from_numpy(np.ascontiguousarray(atlas.uv)).to(device), faces, size)
    if not bool(known.view(-1)[raster.pixel].any()):
        return np.full((size, size, 3), 128, np.uint8)
    weld, count = weld_atlas(atlas)
    corners = torch.from_numpy(weld).to(device)[faces]
    strength, mean = _seen_by_vertex(color, known, raster, corners, count)
    vertex_colors = torch.from_numpy(membrane_colors(atlas, strength, mean)).to(device)
    base = raster.image(interpolate(vertex_colors, faces, raster), 0.0)
    inside = raster.mask
    known = known & inside
    detail = _fading(torch.where(known[:, :, None], color - base, torch.zeros_like(base)), known)
    filled = torch.where(known[:, :, None], color, base + detail).clamp(0, 1)
    return pad_on_device(filled, inside)


def draw_charts(uv: Tensor, faces: Tensor, size: int) -> DeviceRaster:
    """Which triangle each texel shows at its centre, for (k, 2) UV with glTF's origin."""
    # The official rule puts -1 and 1 on the centres of the outermost pixels.
    place = (uv * size - 0.5) / (size - 1) * 2 - 1
    clip = torch.cat([place, torch.zeros_like(place[:, :1]), torch.ones_like(place[:, :1])], dim=1)
    return rasterise(clip, faces, size, size)


def pad_on_device(picture: Tensor, inside: Tensor) -> U8:
    """(T, T, 3) float colours of the charts to a whole texture (T, T, 3) uint8: edges repeated, then ever coarser."""
    x, known = picture.permute(2, 0, 1)[None].float(), inside[None, None].float()
    x = x * known
    for _ in range(REPEAT_PX):
        total = 9 * F.avg_pool2d(x, 3, stride=1, padding=1)
        count = 9 * F.avg_pool2d(known, 3, stride=1, padding=1)
        grown = (known == 0) & (count > 0.5)
        x = torch.where(grown, total / count.clamp(min=1), x)
        known = torch.where(grown, torch.ones_like(known), known)
    filled = _push_pull(x, known).clamp(0, 1)
    return (filled[0].permute(1, 2, 0) * 255 + 0.5).to(torch.uint8).contiguous().cpu().numpy()


def _seen_by_vertex(
    color: Tensor, known: Tensor, raster: DeviceRaster, corners: Tensor, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """(count,) summed weight and (count, 3) mean colour of the known texels around each welded vertex."""
    seen = known.view(-1)[raster.pixel]
    pixel, face, bary = raster.pixel[seen], raster.face[seen], raster.bary[seen]
    values = torch.cat([color.view(-1, 3)[pixel], torch.ones_like(bary[:, :1])], dim=1).double() * FIXED_POINT
    sums = torch.zeros((count, 4), dtype=torch.int64, device=color.device)
    for k in range(3):
        sums.index_add_(0, corners[face, k], (values * bary[:, k : k + 1].double()).round().long())
    total = sums.double().cpu().numpy() / FIXED_POINT
    return total[:, 3], total[:, :3] / np.maximum(total[:, 3:], 1e-12)


def _fading(detail: Tensor, known: Tensor) -> Tensor:
    """Detail carried beyond the known texels, less and less: (T, T, 3)."""
    radius = int(FADE_PX / 2)
    x = torch.cat([detail, known[:, :, None].float()], dim=2).permute(2, 0, 1)[None]
    for kernel in ((2 * radius + 1, 1), (1, 2 * radius + 1)) * 2:
        x = F.avg_pool2d(x, kernel, stride=1, padding=(kernel[0] // 2, kernel[1] // 2))
    share = x[:, 3:]
    # At the border itself half of what is around is known: there the whole of the detail goes on.
    carried = x[:, :3] / share.clamp(min=1e-4) * (2 * share).clamp(max=1)
    return carried[0].permute(1, 2, 0)


def _push_pull(x: Tensor, known: Tensor) -> Tensor:
    """(1, 3, H, W) with holes where ``known`` (1, 1, H, W) is 0, filled from coarser means (Gortler et al. 1996)."""
    height, width = x.shape[2:]
    if min(height, width) <= 1:
        return x
    pad = (0, width % 2, 0, height % 2)
    share = F.avg_pool2d(F.pad(known, pad), 2)
    half = F.avg_pool2d(F.pad(x * known, pad), 2) / share.clamp(min=1e-6)
    coarse = _push_pull(half, (share > 0).float())
    larger = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)[:, :, :height, :width]
    return torch.where(known > 0, x, larger)
