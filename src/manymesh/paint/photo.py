"""The photo's own pixels as a texture: what the camera saw, at full resolution; its mirror image behind.

The back of most things is more like their front than like anything that could be made up from its edge colours, and the
mirror image meets the front at the outline without a seam. What is turned to the camera but hidden by another part is
filled in over the surface.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from manymesh.render.bake import Seen, look, read_opaque
from manymesh.render.camera import project, towards_viewer
from manymesh.render.fill import fill_surface, pad
from manymesh.render.texels import Texels, texels
from manymesh.settings import Settings
from manymesh.stages import Paint, Stage, Tick
from manymesh.types import U8, Bool, Camera, Cutout, Mesh, TexturedMesh

UNWRAP_LIMIT_S = 20.0
AWAY_DEG = 82.0
"""Surfaces turned further from the camera than this show the mirror image."""


@contextmanager
def open_paint(settings: Settings) -> Iterator[Paint]:
    """Nothing to load."""

    def paint(mesh: Mesh, view: Camera, cutout: Cutout, *, seed: int, tick: Tick) -> TexturedMesh:
        return paint_from_photo(mesh, view, cutout, settings.texture_size, tick)

    yield paint


STAGE = Stage("photo", "paint", "the photo in front, its mirror image behind; no download", "Apache-2.0", open_paint)


def paint_from_photo(mesh: Mesh, view: Camera, cutout: Cutout, texture_px: int, tick: Tick) -> TexturedMesh:
    """Unwrap ``mesh`` and give every texel a colour from ``cutout``, which ``view`` lays over the mesh."""
    from manymesh.mesh.unwrap import unwrap

    start_s = time.perf_counter()
    atlas = unwrap(mesh, texture_px, time_limit_s=UNWRAP_LIMIT_S, tick=lambda share: tick(0.5 * share))
    unwrapped_s = time.perf_counter()
    surface = texels(atlas, texture_px)
    rgb, alpha = without_edge_pixels(cutout.rgba), cutout.rgba[..., 3]
    front = look(surface, atlas, view, rgb, alpha, max_angle_deg=AWAY_DEG)
    tick(0.7)
    seen, shares = _with_mirror(front, surface, view, rgb, alpha)
    baked_s = time.perf_counter()
    colors = fill_surface(seen, surface, atlas)
    tick(0.9)
    texture = pad(colors, surface)
    details = {
        "seconds": {
            "unwrap": round(unwrapped_s - start_s, 3),
            "bake": round(baked_s - unwrapped_s, 3),
            "fill": round(time.perf_counter() - baked_s, 3),
        },
        "texels": {name: round(share, 4) for name, share in shares.items()},
    }
    notes = (f"The texture was unwrapped by {atlas.method}.",) if "(" in atlas.method else ()
    return TexturedMesh(atlas, texture, notes, details)


def _with_mirror(front: Seen, surface: Texels, view: Camera, rgb: U8, alpha: U8) -> tuple[Seen, dict[str, float]]:
    """``front``, with what faces away coloured by the pixel that lies on the same line of sight."""
    pixels, _ = project(view, surface.position, alpha.shape[1], alpha.shape[0])
    cosine = np.einsum("nc,nc->n", towards_viewer(view, surface.position), surface.normal)
    away = cosine <= math.cos(math.radians(AWAY_DEG))
    color, opacity = read_opaque(rgb, alpha, pixels[away])
    mirrored = np.zeros_like(front.color)
    mirrored[away] = color
    known = np.zeros(len(away), np.float32)
    known[away] = opacity > 0.05
    visible = front.weight > 0
    merged = np.where(visible[:, None], front.color, mirrored)
    # A pixel is the same whether its surface is seen squarely or at a slant: the weight only says known or not.
    weight = np.where(visible, np.float32(1), known).astype(np.float32)
    count = max(len(away), 1)
    shares = {
        "photo": float(visible.sum()) / count,
        "mirror": float((known > 0).sum()) / count,
        "filled": float((weight == 0).sum()) / count,
    }
    return Seen(merged.astype(np.float32), weight), shares


def without_edge_pixels(rgba: U8) -> U8:
    """(h, w, 3): the colours, with those at the very edge replaced by the nearest from further inside.

    However good the matte, the last pixel or two before the edge carry some of the background; inflated, they would
    cover all of the object's sides. Parts too thin to have an inside keep their own.
    """
    import cv2

    alpha = rgba[..., 3]
    reach = 1 if max(alpha.shape) < 384 else 2 if max(alpha.shape) < 1536 else 3
    inside = cv2.erode((alpha > 250).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    if not inside.any():
        return np.ascontiguousarray(rgba[..., :3])
    distance, label = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_label = np.zeros((int(label.max()) + 1, 3), np.uint8)
    known: Bool = inside > 0
    of_label[label[known]] = rgba[known][:, :3]
    near = (distance > 0) & (distance <= 3 * reach + 1)
    result = rgba[..., :3].copy()
    result[near] = of_label[label[near]]
    return result
