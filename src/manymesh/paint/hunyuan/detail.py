"""The photo's own detail in the texture: where it saw the surface it is sharper than a view of 512 pixels.

Light and shade are low frequencies and have been taken out of the delit picture; grain, print and edges are high ones
and are lost in it. So the photo is taken at full size with the difference between the delit and the plain small picture
added: detail from the one, colour from the other (after Burt & Adelson 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.types import F32, U8, Atlas, Bool, Camera, Cutout

LEAST_AGREEMENT = 0.85
SURE_AGREEMENT = 0.95
MAX_ANGLE_DEG = 70.0
EXPONENT = 2.0
_COMPARE_PX = 512


@dataclass(frozen=True)
class Sharp:
    """(h, w, 3) uint8 on the cutout's grid: the photo's detail in delit colours."""

    rgb: U8


def sharp_photo(rgba: U8, plain: U8, delit: U8, margin: float) -> Sharp:
    """
    Args:
        rgba: (h, w, 4) uint8 the cutout.
        plain, delit: (S, S, 3) uint8, the recentred cutout as it is and without its light, both on white.
        margin: what it was recentred with.
    """
    import cv2

    from manymesh.paint.hunyuan.photo import placement

    at = placement(rgba, margin)
    change = (delit.astype(np.float32) - plain.astype(np.float32)) / np.float32(255)
    # What is left of grain in the difference would cancel the photo's own.
    change = cv2.GaussianBlur(change, (0, 0), max(delit.shape[0] / 170, 0.8))
    change = cv2.resize(change, (at.side, at.side), interpolation=cv2.INTER_CUBIC)
    change = change[at.row : at.row + at.height, at.column : at.column + at.width]
    sharp = rgba[:, :, :3].copy()
    window = sharp[at.from_row : at.from_row + at.height, at.from_column : at.from_column + at.width]
    moved = window.astype(np.float32) + np.asarray(change) * np.float32(255)
    window[:] = np.clip(np.round(moved), 0, 255).astype(np.uint8)
    return Sharp(sharp)


def keep_detail(
    texture: F32, painted: Bool, atlas: Atlas, view: Camera, cutout: Cutout, sharp: Sharp
) -> tuple[F32, Bool, dict[str, Any]]:
    """Blend the photo over what was painted, as far as the mesh's outline agrees with the cutout's.

    Returns:
        (T, T, 3) float32, (T, T) bool, and facts for the manifest.
    """
    from manymesh.render.bake import look
    from manymesh.render.texels import texels

    trust = agreement(atlas, view, cutout.rgba[:, :, 3])
    sure = float(np.clip((trust - LEAST_AGREEMENT) / (SURE_AGREEMENT - LEAST_AGREEMENT), 0, 1))
    facts: dict[str, Any] = {"photo_agreement": round(trust, 4), "photo": 0.0}
    if sure == 0:
        return texture, painted, facts
    surface = texels(atlas, texture.shape[0])
    seen = look(
        surface,
        atlas,
        view,
        sharp.rgb,
        cutout.rgba[:, :, 3],
        max_angle_deg=MAX_ANGLE_DEG,
        exponent=EXPONENT,
    )
    pixel = surface.raster.pixel
    flat, known = texture.reshape(-1, 3).copy(), painted.reshape(-1).copy()
    weight = np.clip(seen.weight * np.float32(1.5), 0, 1) * np.float32(sure)
    use = weight > 0
    index, weight = pixel[use], weight[use]
    weight = np.where(known[index], weight, 1)[:, None].astype(np.float32)
    flat[index] = flat[index] * (1 - weight) + seen.color[use] * weight
    known[index] = True
    facts["photo"] = round(float(use.mean()), 4) if len(use) else 0.0
    return flat.reshape(texture.shape), known.reshape(painted.shape), facts


def agreement(atlas: Atlas, view: Camera, alpha: U8) -> float:
    """Intersection over union of the mesh's outline and the cutout's, 0..1."""
    from PIL import Image

    from manymesh.render.raster import raster_view

    shrink = min(1.0, _COMPARE_PX / max(alpha.shape))
    height, width = (max(round(side * shrink), 1) for side in alpha.shape)
    wanted = np.asarray(Image.fromarray(alpha).resize((width, height), Image.Resampling.BOX)) > 127
    seen = raster_view(view, atlas.vertices, atlas.faces, height, width).mask
    union = int((seen | wanted).sum())
    return float((seen & wanted).sum() / union) if union else 0.0
