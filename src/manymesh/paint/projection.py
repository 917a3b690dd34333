"""The photo's own pixels as a texture: what the camera saw, at full resolution, and something like it behind.

Where the mesh brings a guess of the unseen side's colours, that side shows, first, what the camera saw of the thing's
other half where the thing is its own mirror image; then the photo's own materials, which flow on over the surface as
the guess says (``material``). Where the mesh brings none (inflated silhouettes), it shows the front's mirror image: the
back of most things is more like their front than like anything that could be made up from its edge colours, and at the
outline they meet without a seam. What is turned to the camera but hidden by another part is filled in over the surface.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from manymesh.paint.palette import continue_materials, extract_palette
from manymesh.paint.symmetry import MirrorPlane, find_mirror_plane, photo_agrees, project_mirror_image
from manymesh.parallel import run_pair
from manymesh.render.bake import DepthMap, Projection, picture_depths, project_colors, sample_opaque
from manymesh.render.camera import project, towards_viewer
from manymesh.render.fill import fill_surface, pad_charts, vertex_means, weld_atlas
from manymesh.render.normals import area_weighted_vertex_normals
from manymesh.render.texels import Texels, texels
from manymesh.settings import Settings
from manymesh.stages import Paint, Stage, Tick
from manymesh.types import F32, U8, Atlas, Bool, Camera, Cutout, Mesh, TexturedMesh

UNWRAP_LIMIT_S = 20.0
GRAZING_DEG = 74.0
"""Where a guess exists, surfaces turned further away than this take it instead of the photo's last pixels."""
SQUARE_DEG = 60.0
"""Up to here a surface shows the photo alone."""
PAIR_STEP = 16
"""Of the seen texels, every so manieth is compared with its mirror image."""
AWAY_DEG = 82.0
"""Surfaces turned further from the camera than this show the mirror image."""


@contextmanager
def open_paint(settings: Settings) -> Iterator[Paint]:
    """Nothing to load."""

    def paint(
        mesh: Mesh, view: Camera, cutout: Cutout, *, seed: int, tick: Tick, atlas: Atlas | None = None
    ) -> TexturedMesh:
        return paint_from_photo(mesh, view, cutout, settings.texture_size, tick, atlas)

    yield paint


STAGE = Stage(
    "photo",
    "paint",
    "the photo in front, its likeness behind; no download",
    "Apache-2.0",
    open_paint,
    thread_safe=True,
)


def paint_from_photo(
    mesh: Mesh, view: Camera, cutout: Cutout, texture_px: int, tick: Tick, atlas: Atlas | None = None
) -> TexturedMesh:
    """Unwrap ``mesh`` (unless ``atlas`` is given) and give every texel a colour from ``cutout``, which ``view`` lays
    over the mesh."""
    from manymesh.mesh.unwrap.unwrap import unwrap

    def unwrapped() -> Atlas:
        if atlas is not None:
            return atlas
        return unwrap(mesh, texture_px, time_limit_s=UNWRAP_LIMIT_S, tick=lambda share: tick(0.5 * share))

    start_s = time.perf_counter()
    flat, known = run_pair(unwrapped, lambda: _known(mesh, view, cutout))
    unwrapped_s = time.perf_counter()
    surface = texels(flat, texture_px)
    tick(0.6)
    widest_deg = AWAY_DEG if mesh.colors is None else GRAZING_DEG
    front = project_colors(surface, flat, view, known.rgb, known.alpha, max_angle_deg=widest_deg, depths=known.depths)
    tick(0.7)
    materials = None
    if mesh.colors is None:
        seen, shares = _with_mirror(front, surface, view, known.rgb, known.alpha)
    else:
        seen, shares = _with_other_half(front, known, surface, flat, view)
        materials = partial(_materials, seen, mesh, surface, flat, view, known.palette)
    baked_s = time.perf_counter()
    colors = fill_surface(seen, surface, flat, vertex_colors=materials)
    tick(0.9)
    texture = pad_charts(colors, surface)
    details = {
        "seconds": {
            "unwrap": round(unwrapped_s - start_s, 3),
            "bake": round(baked_s - unwrapped_s, 3),
            "fill": round(time.perf_counter() - baked_s, 3),
        },
        "texels": {name: round(share, 4) for name, share in shares.items()},
    }
    notes = (f"The texture was unwrapped by {flat.method}.",) if "(" in flat.method else ()
    return TexturedMesh(flat, texture, notes, details)


@dataclass(frozen=True)
class _Known:
    """What can be said before the mesh has texture coordinates.

    Attributes:
        rgb: (h, w, 3) uint8, the cutout's colours (``without_edge_pixels``). alpha: (h, w) uint8.
        depths: of the mesh under the cutout.
        plane: in which the thing is its own mirror image. palette: (k, 3), the photo's materials.
    """

    rgb: U8
    alpha: U8
    depths: DepthMap
    plane: MirrorPlane | None
    palette: F32


def _known(mesh: Mesh, view: Camera, cutout: Cutout) -> _Known:
    return _Known(
        rgb=without_edge_pixels(cutout.rgba),
        alpha=np.ascontiguousarray(cutout.rgba[..., 3]),
        depths=picture_depths(mesh, view, *cutout.rgba.shape[:2]),
        plane=None if mesh.colors is None else find_mirror_plane(mesh, view),
        palette=extract_palette(cutout.rgba),
    )


def _with_other_half(
    front: Projection, known: _Known, surface: Texels, atlas: Atlas, view: Camera
) -> tuple[Projection, dict[str, float]]:
    """``front``, with what the camera did not see coloured by what it saw of the thing's other half, if it has one."""
    visible, plane = front.weight > 0, known.plane
    color, weight = front.color, _certain(front.weight)
    other = np.zeros(len(visible), bool)
    if plane is not None:
        asked = ~visible
        asked[::PAIR_STEP] = True
        found = project_mirror_image(
            asked, plane, surface, atlas, view, known.rgb, known.alpha, max_angle_deg=GRAZING_DEG, depths=known.depths
        )
        if photo_agrees(front, found):
            other = (found.weight > 0) & ~visible
            color = np.where(other[:, None], found.color, color)
            weight = np.where(other, _certain(found.weight), weight)
    count = max(len(visible), 1)
    shares = {
        "photo": float(visible.sum()) / count,
        "other half": float(other.sum()) / count,
        "guessed": float((weight == 0).sum()) / count,
    }
    return Projection(color, weight.astype(np.float32)), shares


def _certain(weight: F32) -> F32:
    """Weights that rise to 1 soon: at a slant pixels are drawn out into streaks, so they fade into the fill."""
    return np.clip(weight / np.float32(math.cos(math.radians(SQUARE_DEG)) ** 2), 0, 1)


def _materials(seen: Projection, mesh: Mesh, surface: Texels, atlas: Atlas, view: Camera, colors: F32) -> F32:
    """(k, 3) colours for the atlas' vertices: the photo's materials, told apart with the network's help."""
    assert mesh.colors is not None
    weld, count = weld_atlas(atlas)
    strength, color = vertex_means(seen, surface, weld[atlas.faces], count)
    normals = area_weighted_vertex_normals(atlas.vertices, atlas.faces, weld=atlas.source)
    cosine = np.einsum("nc,nc->n", towards_viewer(view, atlas.vertices), normals)
    guess, pull = np.zeros((count, 3)), np.zeros(count)
    guess[weld] = mesh.colors[atlas.source] / 255
    pull[weld] = np.clip((0.3 - cosine) / 0.3, 0, 1)
    return continue_materials(atlas, strength, color, guess, pull, colors)


def _with_mirror(
    front: Projection, surface: Texels, view: Camera, rgb: U8, alpha: U8
) -> tuple[Projection, dict[str, float]]:
    """``front``, with what faces away coloured by the pixel that lies on the same line of sight."""
    pixels, _ = project(view, surface.position, alpha.shape[1], alpha.shape[0])
    cosine = np.einsum("nc,nc->n", towards_viewer(view, surface.position), surface.normal)
    away = cosine <= math.cos(math.radians(AWAY_DEG))
    color, opacity = sample_opaque(rgb, alpha, pixels[away])
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
    return Projection(merged.astype(np.float32), weight), shares


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
