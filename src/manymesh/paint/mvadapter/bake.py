"""Painted views to a texture: each texel looks up its own point in each of the six pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from manymesh.paint.finish import map_in_threads
from manymesh.paint.mvadapter.control_maps import six_cameras
from manymesh.paint.mvadapter.exposure import exposure_factors
from manymesh.render.bake import Projection, project_colors
from manymesh.render.texels import texels
from manymesh.stages import Tick
from manymesh.types import F32, U8, Atlas, Bool

if TYPE_CHECKING:
    import torch

# As published: a view counts by the third power of the cosine, down to a cosine of 0.2.
EXPONENT = 3.0
MAX_ANGLE_DEG = 78.46
# Texels with less weight than this in all views together are left to be filled. Chosen by hand.
LEAST_WEIGHT = 1e-4


@dataclass(frozen=True)
class Baked:
    """
    Attributes:
        texture: (T, T, 3) float32 in [0, 1].
        painted: (T, T) bool, where it has a colour.
        exposure: what each view was multiplied by.
    """

    texture: F32
    painted: Bool
    exposure: tuple[float, ...]


def bake(
    atlas: Atlas, pictures: U8, masks: Bool, texture_px: int, tick: Tick, device: torch.device | None = None
) -> Baked:
    """
    Args:
        atlas: the unwrapped mesh, in the canonical frame.
        pictures: (6, S, S, 3) uint8, the painted views.
        masks: (6, S, S) bool, where they show the mesh; nothing is read beside it.
        texture_px: T.
        tick: told the share done.
        device: a GPU to bake on, if any; its result differs slightly from the CPU's.
    """
    if device is not None and device.type == "cuda":
        from manymesh.paint.gpu.bake import project_views

        pixel, seen = project_views(
            atlas, six_cameras(), pictures, masks, texture_px, device, MAX_ANGLE_DEG, EXPONENT, tick
        )
    else:
        cameras, surface = six_cameras(), texels(atlas, texture_px)
        pixel = surface.raster.pixel

        def one(number: int) -> Projection:
            return project_colors(
                *(surface, atlas, cameras[number], pictures[number], masks[number]),
                max_angle_deg=MAX_ANGLE_DEG,
                exponent=EXPONENT,
            )

        seen = list(map_in_threads(one, len(cameras), tick))
    return blended(pixel, seen, texture_px)


def blended(pixel: np.ndarray, seen: Sequence[Projection], texture_px: int) -> Baked:
    """The views' colours in one texture; each counts by its weight and by nothing else.

    Args:
        pixel: (n,) places of the texels in the texture.
        seen: what each view shows of them.
        texture_px: T.
    """
    colors, weights = np.stack([view.color for view in seen]), np.stack([view.weight for view in seen])
    factors = exposure_factors(colors, weights)
    total, summed = np.zeros(len(pixel), np.float32), np.zeros((len(pixel), 3), np.float32)
    for color, weight, factor in zip(colors, weights, factors, strict=True):
        total += weight
        summed += np.clip(color * np.float32(factor), 0, 1) * weight[:, None]
    known = total > LEAST_WEIGHT
    texture, painted = np.zeros((texture_px**2, 3), np.float32), np.zeros(texture_px**2, bool)
    texture[pixel[known]] = summed[known] / total[known, None]
    painted[pixel[known]] = True
    shape = (texture_px, texture_px)
    return Baked(texture.reshape(*shape, 3), painted.reshape(shape), tuple(round(float(f), 4) for f in factors))
