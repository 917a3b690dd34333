"""Pictures of a mesh, for people: clay or textured, under a small studio's lights that move with the camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from manymesh.image.resample import linear_from_srgb, sample, srgb_from_linear
from manymesh.mesh.topology import edges, six_volumes
from manymesh.parallel import run_pair
from manymesh.render.camera import depth_of, perspective, pixel_footprint, to_clip
from manymesh.render.normals import corner_normals, unit_rows
from manymesh.render.raster import Raster, interpolate, interpolate_corners, rasterise
from manymesh.types import F32, U8, Camera, Mesh, TexturedMesh

CLAY = (0.60, 0.57, 0.54)  # linear
VIEWS_DEG = (0.0, 90.0, 180.0, 270.0)
FOV_DEG = 28.0
HOLLOW_SHARES = 0.008, 0.02  # of the picture: how far a hollow's sides lie
HOLLOW_STRENGTH = 0.9

# Direction to the light in the camera's frame (x right, y up, z to the viewer), and its linear strength.
_KEY = (-0.55, 0.70, 0.60), 0.95
_FILL = (0.85, 0.05, 0.50), 0.22
_RIM = (0.35, 0.60, -0.75), 0.35
_SKY, _GROUND = 0.30, 0.12


@dataclass(frozen=True)
class Model:
    """A mesh made ready for drawing from several sides.

    Attributes:
        vertices: (k, 3). faces: (m, 3). normals: (m, 3, 3) float32, per corner.
        closed: whether faces turned away from the camera are hidden in any case.
        uv: (k, 2), or None. levels: the texture, (T, T, 3) float32 linear, and its halves, or nothing.
        colors: (k, 3) float32 linear, or None.
    """

    vertices: Any
    faces: Any
    normals: F32
    closed: bool = False
    uv: Any = None
    levels: tuple[F32, ...] = ()
    colors: F32 | None = None


def prepare_model(thing: Mesh | TexturedMesh, *, clay: bool = False) -> Model:
    """Normals and linear colours, worked out once. With ``clay`` texture and colours are left out."""
    if isinstance(thing, TexturedMesh):
        atlas = thing.atlas
        normals = corner_normals(atlas.vertices, atlas.faces, weld=atlas.source)
        closed = _is_solid(atlas.source[atlas.faces], atlas.vertices, atlas.faces)
        if clay:
            return Model(atlas.vertices, atlas.faces, normals, closed)
        levels = _halved(linear_from_srgb(thing.base_color))
        return Model(atlas.vertices, atlas.faces, normals, closed, atlas.uv, levels)
    normals = corner_normals(thing.vertices, thing.faces)
    colors = None if clay or thing.colors is None else linear_from_srgb(thing.colors)
    return Model(
        thing.vertices, thing.faces, normals, _is_solid(thing.faces, thing.vertices, thing.faces), colors=colors
    )


def _is_solid(welded: Any, vertices: Any, faces: Any) -> bool:
    """Whether exactly two triangles meet at every edge, wound alike and, on the whole, outwards."""
    if not len(faces):
        return False
    table = edges(welded)
    closed = bool((table.faces == 2).all() and (table.balance == 0).all())
    return closed and float(six_volumes(vertices, faces).sum()) > 0


def render(
    thing: Mesh | TexturedMesh | Model,
    camera: Camera,
    width: int,
    height: int,
    *,
    supersample: int = 2,
    lit: bool = True,
) -> U8:
    """A picture of a mesh.

    Args:
        width, height: pixels.
        supersample: each pixel is the mean of this many squared.
        lit: False shows the bare colours, as a photo under even light would.

    Returns:
        (height, width, 4) uint8 sRGB with straight alpha, transparent where nothing is.
    """
    model = thing if isinstance(thing, Model) else prepare_model(thing)
    fine_w, fine_h = width * supersample, height * supersample
    raster = _drawn(model, camera, fine_h, fine_w)
    color = _albedo(model, raster)
    if lit:
        normals = _normals_in_camera(model, raster, camera)
        color = color * (_light(normals) * _openness(model, raster, camera, normals))[:, None]
    return _averaged(raster, color, supersample)


def _drawn(model: Model, camera: Camera, height: int, width: int) -> Raster:
    """Which triangle each pixel shows. Of a closed mesh the far side is left out: it is half of the work."""
    clip = to_clip(camera, model.vertices)
    if not model.closed:
        return rasterise(clip, model.faces, height, width)
    turned = np.flatnonzero(_towards(clip, model.faces))
    raster = rasterise(clip, model.faces[turned], height, width)
    return replace(raster, face=turned.astype(np.int32).take(raster.face))


def _towards(clip: Any, faces: Any) -> Any:
    """(m,) bool: which triangles run counter-clockwise in the picture, or are seen edge-on, or lie behind the eye."""
    x, y, w = clip[:, 0], clip[:, 1], clip[:, 3]
    a, b, c = faces.T
    # The determinant of the corners' (x, y, w): twice the area in the picture times the three w.
    area = x[a] * (y[b] * w[c] - y[c] * w[b]) + x[b] * (y[c] * w[a] - y[a] * w[c]) + x[c] * (y[a] * w[b] - y[b] * w[a])
    return (area >= 0) | (np.minimum(np.minimum(w[a], w[b]), w[c]) <= 0)


def four_views(
    thing: Mesh | TexturedMesh | Model, view_px: int = 320, *, elevation_deg: float = 12.0, turn_deg: float = 0.0
) -> U8:
    """Front, right, back and left side by side.

    Args:
        view_px: width and height of each view.
        elevation_deg: how far from above.
        turn_deg: added to all four azimuths; 30 makes them three-quarter views.

    Returns:
        (view_px, 4 * view_px, 4) uint8, transparent background.
    """
    model = thing if isinstance(thing, Model) else prepare_model(thing)

    def drawn(azimuths_deg: Sequence[float]) -> list[U8]:
        cameras = [framing_camera(model.vertices, azimuth + turn_deg, elevation_deg) for azimuth in azimuths_deg]
        return [render(model, camera, view_px, view_px) for camera in cameras]

    half = len(VIEWS_DEG) // 2
    first, last = run_pair(lambda: drawn(VIEWS_DEG[:half]), lambda: drawn(VIEWS_DEG[half:]))
    return np.concatenate([*first, *last], axis=1)


def framing_camera(vertices: Any, azimuth_deg: float, elevation_deg: float, *, aspect: float = 1.0) -> Camera:
    """A pinhole camera that shows all of a mesh, at the same scale from every side."""
    vertices = np.asarray(vertices, np.float64)
    if not len(vertices):
        return perspective(FOV_DEG, aspect, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, distance=5.0)
    centre = (vertices.max(axis=0) + vertices.min(axis=0)) / 2
    radius = max(float(np.linalg.norm(vertices - centre, axis=1).max()), 1e-6)
    narrow = math.radians(FOV_DEG) / 2
    if aspect < 1:
        narrow = math.atan(math.tan(narrow) * aspect)
    distance = radius / math.sin(narrow) * 1.02
    return perspective(
        FOV_DEG,
        aspect,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        distance=distance,
        target=centre.tolist(),
        reach=radius * 1.05,
    )


def composite_on(rgba: U8, background: Sequence[int] = (255, 255, 255)) -> U8:
    """(H, W, 4) uint8 laid on one colour: (H, W, 3) uint8."""
    alpha = rgba[:, :, 3:].astype(np.float32) / 255
    mixed = rgba[:, :, :3] * alpha + np.asarray(background, np.float32) * (1 - alpha)
    return (mixed + 0.5).astype(np.uint8)


def _albedo(model: Model, raster: Raster) -> F32:
    """(n, 3) linear colours of the surface under the covered pixels."""
    if model.levels:
        uv = interpolate(model.uv, model.faces, raster.face, raster.bary)
        texture = _fitting(model, raster)
        return sample(texture, uv * np.array([texture.shape[1], texture.shape[0]], np.float32))
    if model.colors is not None:
        return interpolate(model.colors, model.faces, raster.face, raster.bary)
    return np.broadcast_to(np.array(CLAY, np.float32), (len(raster.pixel), 3))


def _halved(texture: F32) -> tuple[F32, ...]:
    """The texture, half of it, a quarter... while its sides are over 8."""
    import cv2

    levels = [texture]
    while min(levels[-1].shape[:2]) > 8:
        half = levels[-1].shape[1] // 2, levels[-1].shape[0] // 2
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), np.float32))
    return tuple(levels)


def _fitting(model: Model, raster: Raster) -> F32:
    """The texture, halved as often as its texels are finer than the picture's pixels (a mip level for the view)."""
    shown = np.zeros(len(model.faces), bool)
    shown[raster.face] = True
    faces = model.faces[shown]
    edge = model.uv[faces[:, 1:]] - model.uv[faces[:, :1]]
    uv_area = np.abs(edge[:, 0, 0] * edge[:, 1, 1] - edge[:, 0, 1] * edge[:, 1, 0]).sum() / 2
    texels = uv_area * model.levels[0].shape[0] * model.levels[0].shape[1]
    level = 0
    while texels > 2 * len(raster.pixel) and level + 1 < len(model.levels):
        texels /= 4
        level += 1
    return model.levels[level]


def _normals_in_camera(model: Model, raster: Raster, camera: Camera) -> F32:
    """(n, 3) unit normals in the camera's frame under the covered pixels."""
    normals = interpolate_corners(model.normals, raster.face, raster.bary)
    normals = normals @ camera.world_to_camera[:3, :3].T.astype(np.float32)
    return unit_rows(normals)


def _light(normals: F32) -> F32:
    """(n,) linear light that falls on surfaces with these normals in the camera's frame."""
    light = _GROUND + np.float32(_SKY - _GROUND) * (normals[:, 1] * np.float32(0.5) + np.float32(0.5))
    for direction, strength in (_KEY, _FILL, _RIM):
        towards = np.array(direction, np.float32) / np.float32(math.hypot(*direction))
        light += np.float32(strength) * np.maximum(normals @ towards, 0)
    return light


def _openness(model: Model, raster: Raster, camera: Camera, normals: F32) -> F32:
    """(n,) 0..1: less in hollows, where the surface lies deeper than the mean of its two sides in the picture.

    Opposite sides are compared together, so that a slope counts as flat; where one side is empty the pair is left out.
    """
    if not len(raster.pixel):
        return np.ones(0, np.float32)
    values = interpolate(depth_of(camera, model.vertices), model.faces, raster.face, raster.bary)
    depth = raster.image(values, np.float32(np.nan))
    pixel_size = pixel_footprint(camera, np.asarray(model.vertices).mean(axis=0, keepdims=True), raster.height)[0]
    hollow = np.zeros_like(depth)
    pairs = [(dx, dy, share) for share in HOLLOW_SHARES for dx, dy in ((1, 0), (0, 1), (0.7, 0.7), (0.7, -0.7))]
    for dx, dy, share in pairs:
        reach = share * raster.height
        x, y = round(dx * reach), round(dy * reach)
        rise = _shifted(depth, x, y) + _shifted(depth, -x, -y)
        rise *= np.float32(-0.5)
        rise += _middle(depth, x, y)
        rise *= np.float32(1 / (pixel_size * reach))
        # Something far in front is no hollow: let its shadow fade again. (fmax: no number counts as 0.)
        fading = np.fmin(np.fmax(np.float32(2.5) - rise, 0), 1)
        fading *= np.fmin(np.fmax(rise, 0, out=rise), 1, out=rise)
        _middle(hollow, x, y)[:] += fading
    # Seen at a grazing angle every small bend is a large step in depth; the cosine takes that back.
    grazing = np.abs(normals[:, 2])
    return 1 - np.float32(HOLLOW_STRENGTH / len(pairs)) * hollow.ravel()[raster.pixel] * grazing


def _middle(picture: F32, x: int, y: int) -> F32:
    """The part of a picture from which both (x, y) and (-x, -y) lie inside."""
    return _shifted(picture, 0, 0, abs(x), abs(y))


def _shifted(picture: F32, x: int, y: int, margin_x: int | None = None, margin_y: int | None = None) -> F32:
    margin_x = abs(x) if margin_x is None else margin_x
    margin_y = abs(y) if margin_y is None else margin_y
    height, width = picture.shape
    return picture[margin_y + y : height - margin_y + y, margin_x + x : width - margin_x + x]


def _averaged(raster: Raster, color: F32, supersample: int) -> U8:
    """Fine linear colours of the covered pixels to a coarse sRGB picture with straight alpha."""
    row, column = np.divmod(raster.pixel, raster.width)
    width, height = raster.width // supersample, raster.height // supersample
    coarse = row // supersample * width + column // supersample
    hits = np.bincount(coarse, minlength=width * height)
    shown = np.flatnonzero(hits)
    picture = np.zeros((height * width, 4), np.uint8)
    for channel in range(3):
        mean = np.bincount(coarse, color[:, channel], width * height)[shown] / hits[shown]
        picture[shown, channel] = srgb_from_linear(mean) * 255 + 0.5
    picture[:, 3] = hits * 255 // supersample**2
    return picture.reshape(height, width, 4)
