"""The ``lite`` painter: the photo's own pixels as a texture at full resolution, and a plausible unseen side.

Where the mesh has colours (the network's guess of the unseen side), that side shows, first, what the camera saw of the
object's other half, if the object is its own mirror image; then the photo's materials, continued over the surface as
the guess votes (``palette``). Where the mesh has none (inflated silhouettes), the unseen side shows the front's mirror
image along the lines of sight: most backs are more like their front than like anything made up from the outline's
colours, and at the outline both meet without a seam. Surfaces that face the camera but are hidden by another part are
filled in over the surface.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from manymesh.paint.palette import continue_materials, extract_palette
from manymesh.paint.shape_colors import I64, SurfaceColors, texel_shape_colors
from manymesh.paint.symmetry import MirrorPlane, find_mirror_plane, photo_agrees, project_mirror_image
from manymesh.parallel import run_pair
from manymesh.render.bake import DepthMap, Projection, picture_depths, project_colors, sample_opaque
from manymesh.render.camera import project, towards_viewer
from manymesh.render.fill import fill_surface, vertex_means, weld_atlas
from manymesh.render.normals import area_weighted_vertex_normals
from manymesh.render.padding import pad_charts
from manymesh.render.texels import Texels, texels
from manymesh.settings import Settings
from manymesh.stages import TEXTURE_PX, Paint, Stage, Tick
from manymesh.types import F32, U8, Atlas, Bool, Camera, Cutout, Mesh, TexturedMesh

# Surfaces whose normal is further than this from the direction to the camera do not show the photo: with a guess of the
# unseen side, and without one. Chosen by eye: near the outline the photo's pixels are drawn out into streaks.
GRAZING_DEG = 74.0
AWAY_DEG = 82.0

# Up to this angle a surface shows the photo alone; beyond it the photo fades into the fill. Chosen by eye.
SQUARE_DEG = 60.0

# Every 16th visible texel is compared with its mirror image. Chosen by hand: some thousand pairs are enough.
PAIR_STEP = 16

# Range of the cosine between normal and camera over which the network's guess gains its full vote. Chosen by eye.
GUESS_COSINE = 0.3

# Least alpha, 0..1, of a pixel that colours the back of an inflated silhouette. Chosen by hand.
MIN_OPACITY = 0.05


@contextmanager
def open_paint(settings: Settings) -> Iterator[Paint]:
    """The stage; there is nothing to load."""

    def paint(
        mesh: Mesh, view: Camera, cutout: Cutout, *, seed: int, tick: Tick, atlas: Atlas | None = None
    ) -> TexturedMesh:
        return paint_from_photo(mesh, view, cutout, settings.texture_size or TEXTURE_PX, tick, atlas)

    yield paint


@contextmanager
def open_paint_with_shape_colors(settings: Settings) -> Iterator[Paint]:
    """As ``open_paint``, for shapes whose own colours are to be shown where the photo shows nothing."""

    def paint(
        mesh: Mesh,
        view: Camera,
        cutout: Cutout,
        *,
        seed: int,
        tick: Tick,
        atlas: Atlas | None = None,
        shape: Mesh | None = None,
    ) -> TexturedMesh:
        own = mesh if shape is None else shape
        return paint_from_photo(mesh, view, cutout, settings.texture_size or TEXTURE_PX, tick, atlas, own=own)

    yield paint


STAGE = Stage(
    "photo",
    "paint",
    "the photo in front, its likeness behind; no download",
    "Apache-2.0",
    open_paint,
    thread_safe=True,
)

STAGE_WITH_SHAPE_COLORS = Stage(
    "photo-and-shape",
    "paint",
    "the photo in front, the shape network's own colours elsewhere; no download",
    "Apache-2.0",
    open_paint_with_shape_colors,
    wants_shape=True,
    thread_safe=True,
)


def paint_from_photo(
    mesh: Mesh,
    view: Camera,
    cutout: Cutout,
    texture_px: int,
    tick: Tick,
    atlas: Atlas | None = None,
    *,
    own: Mesh | None = None,
) -> TexturedMesh:
    """A mesh textured from the photo.

    Args:
        mesh: with ``colors``, the guess of the unseen side, or without.
        view: the camera whose picture is the cutout.
        texture_px: side of the texture.
        atlas: the mesh's texture coordinates; the mesh is unwrapped when None.
        own: the mesh, or a finer one of the same surface, whose own colours, if it has any, are shown where the photo
            shows nothing.
    """
    from manymesh.mesh.unwrap.unwrap import unwrap

    def unwrapped() -> Atlas:
        if atlas is not None:
            return atlas
        return unwrap(mesh, texture_px, tick=lambda share: tick(0.5 * share))

    start_s = time.perf_counter()
    flat, inputs = run_pair(unwrapped, lambda: _inputs(mesh, view, cutout))
    unwrapped_s = time.perf_counter()
    surface = texels(flat, texture_px)
    tick(0.6)
    max_angle_deg = AWAY_DEG if mesh.colors is None else GRAZING_DEG
    front = project_colors(
        surface, flat, view, inputs.rgb, inputs.alpha, max_angle_deg=max_angle_deg, depths=inputs.depths
    )
    tick(0.7)
    materials = None
    texel_colors: Callable[[I64], F32] | None = None
    if own is not None and own.colors is not None:
        seen, shares = _only_photo(front)
        texel_colors = _own_colors(seen, own, surface, flat)
    elif mesh.colors is None:
        seen, shares = _add_mirrored_front(front, surface, view, inputs.rgb, inputs.alpha)
    else:
        seen, shares = _add_other_half(front, inputs, surface, flat, view)
        materials = partial(_material_colors, seen, mesh, surface, flat, view, inputs.palette)
    baked_s = time.perf_counter()
    colors = fill_surface(seen, surface, flat, vertex_colors=materials, texel_colors=texel_colors)
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
    return TexturedMesh(flat, texture, (), details)


@dataclass(frozen=True)
class _Inputs:
    """What painting needs and can be computed before the mesh has texture coordinates.

    Attributes:
        rgb: (h, w, 3) uint8, the cutout's colours (``replace_edge_pixels``). alpha: (h, w) uint8.
        depths: of the mesh in the cutout.
        plane: in which the object is its own mirror image, if any. palette: (k, 3), the photo's materials.
    """

    rgb: U8
    alpha: U8
    depths: DepthMap
    plane: MirrorPlane | None
    palette: F32


def _inputs(mesh: Mesh, view: Camera, cutout: Cutout) -> _Inputs:
    return _Inputs(
        rgb=replace_edge_pixels(cutout.rgba),
        alpha=np.ascontiguousarray(cutout.rgba[..., 3]),
        depths=picture_depths(mesh, view, *cutout.rgba.shape[:2]),
        plane=None if mesh.colors is None else find_mirror_plane(mesh, view),
        palette=extract_palette(cutout.rgba),
    )


def _add_other_half(
    front: Projection, inputs: _Inputs, surface: Texels, atlas: Atlas, view: Camera
) -> tuple[Projection, dict[str, float]]:
    """``front``, with unseen texels coloured by what the camera saw of the object's other half, if it has one.

    Returns:
        The colours with their weights, and the share of texels by where their colour is from.
    """
    visible, plane = front.weight > 0, inputs.plane
    color, weight = front.color, _saturated(front.weight)
    other = np.zeros(len(visible), bool)
    if plane is not None:
        asked = ~visible
        asked[::PAIR_STEP] = True
        mirrored = project_mirror_image(
            asked,
            plane,
            surface,
            atlas,
            view,
            inputs.rgb,
            inputs.alpha,
            max_angle_deg=GRAZING_DEG,
            depths=inputs.depths,
        )
        if photo_agrees(front, mirrored):
            other = (mirrored.weight > 0) & ~visible
            color = np.where(other[:, None], mirrored.color, color)
            weight = np.where(other, _saturated(mirrored.weight), weight)
    count = max(len(visible), 1)
    shares = {
        "photo": float(visible.sum()) / count,
        "other half": float(other.sum()) / count,
        "guessed": float((weight == 0).sum()) / count,
    }
    return Projection(color, weight.astype(np.float32)), shares


def _only_photo(front: Projection) -> tuple[Projection, dict[str, float]]:
    """``front`` with weights that fade at a slant, and the share of texels by where their colour is from."""
    seen = float((front.weight > 0).sum()) / max(len(front.weight), 1)
    return Projection(front.color, _saturated(front.weight)), {"photo": seen, "shape": 1 - seen}


def _own_colors(seen: Projection, own: Mesh, surface: Texels, atlas: Atlas) -> Callable[[I64], F32]:
    """Colours of texels, given by number: the shape's own where nothing was seen."""
    weld, count = weld_atlas(atlas)
    strength, color = vertex_means(seen, surface, weld[atlas.faces], count)
    return texel_shape_colors(atlas, surface, strength, color, SurfaceColors(own))


def _saturated(weight: F32) -> F32:
    """Weights of ``project_colors`` scaled to reach 1 at ``SQUARE_DEG``.

    At a slant the photo's pixels are drawn out into streaks; beyond that angle they fade into the fill.
    """
    return np.asarray(np.clip(weight / np.float32(math.cos(math.radians(SQUARE_DEG)) ** 2), 0, 1))


def _material_colors(seen: Projection, mesh: Mesh, surface: Texels, atlas: Atlas, view: Camera, palette: F32) -> F32:
    """(k, 3) colours for the atlas' vertices: the photo's materials, chosen with the network's guess."""
    assert mesh.colors is not None
    weld, count = weld_atlas(atlas)
    strength, color = vertex_means(seen, surface, weld[atlas.faces], count)
    normals = area_weighted_vertex_normals(atlas.vertices, atlas.faces, weld=atlas.source)
    cosine = np.einsum("nc,nc->n", towards_viewer(view, atlas.vertices), normals)
    guess, trust = np.zeros((count, 3)), np.zeros(count)
    guess[weld] = mesh.colors[atlas.source] / 255
    trust[weld] = np.clip((GUESS_COSINE - cosine) / GUESS_COSINE, 0, 1)
    return continue_materials(atlas, strength, color, guess, trust, palette)


def _add_mirrored_front(
    front: Projection, surface: Texels, view: Camera, rgb: U8, alpha: U8
) -> tuple[Projection, dict[str, float]]:
    """``front``, with texels that face away coloured by the photo's pixel on the same line of sight.

    Returns:
        The colours with their weights, and the share of texels by where their colour is from.
    """
    pixels, _ = project(view, surface.position, alpha.shape[1], alpha.shape[0])
    cosine = np.einsum("nc,nc->n", towards_viewer(view, surface.position), surface.normal)
    away = cosine <= math.cos(math.radians(AWAY_DEG))
    color, opacity = sample_opaque(rgb, alpha, pixels[away])
    mirrored = np.zeros_like(front.color)
    mirrored[away] = color
    known = np.zeros(len(away), np.float32)
    known[away] = opacity > MIN_OPACITY
    visible = front.weight > 0
    merged = np.where(visible[:, None], front.color, mirrored)
    # A pixel's colour is the same whether its surface is seen squarely or at a slant: weights are 1 or 0.
    weight = np.where(visible, np.float32(1), known).astype(np.float32)
    count = max(len(away), 1)
    shares = {
        "photo": float(visible.sum()) / count,
        "mirror": float((known > 0).sum()) / count,
        "filled": float((weight == 0).sum()) / count,
    }
    return Projection(merged.astype(np.float32), weight), shares


def replace_edge_pixels(rgba: U8) -> U8:
    """(h, w, 3) uint8: the colours of a cutout, with those at its very edge replaced by the nearest further inside.

    However good the matte, the last pixel or two before the edge carry some of the background, and would cover all of
    an inflated object's sides. Parts too thin to have an inside keep their own.

    Args:
        rgba: (h, w, 4) uint8, straight alpha.
    """
    import cv2

    alpha = rgba[..., 3]
    reach = 1 if max(alpha.shape) < 384 else 2 if max(alpha.shape) < 1536 else 3
    inside = cv2.erode((alpha > 250).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    if not inside.any():
        return np.ascontiguousarray(rgba[..., :3])
    distance, label = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    color_of_label = np.zeros((int(label.max()) + 1, 3), np.uint8)
    known: Bool = inside > 0
    color_of_label[label[known]] = rgba[known][:, :3]
    near = (distance > 0) & (distance <= 3 * reach + 1)
    result = rgba[..., :3].copy()
    result[near] = color_of_label[label[near]]
    return result
