"""Pictures of a mesh, for people: clay or textured, lit by three lights that move with the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from manymesh.image.resample import linear_from_srgb, sample, srgb_from_linear
from manymesh.mesh.topology import edges, six_volumes
from manymesh.render.camera import depth_of, perspective, pixel_footprint, to_clip
from manymesh.render.normals import corner_normals, unit_rows
from manymesh.render.raster import Raster, interpolate, interpolate_corners, rasterise
from manymesh.types import F32, U8, Camera, Mesh, TexturedMesh

# Colour of clay, linear. Chosen by eye, as the lights and the shading of hollows below.
CLAY = (0.60, 0.57, 0.54)

# Azimuths of ``four_views``.
VIEWS_DEG = (0.0, 90.0, 180.0, 270.0)

# Vertical field of view of ``framing_camera``.
FOV_DEG = 28.0

# Hollows are searched for by comparing depths at these distances, as shares of the picture's height, and darkened by
# at most this much.
HOLLOW_SHARES = 0.008, 0.02
HOLLOW_STRENGTH = 0.9

# The rise of a hollow's sides over the distance to them: from this minus 1 on a hollow counts less, from this on not at
# all, since something far in front makes no hollow.
HOLLOW_LIMIT = 2.5

# Direction to each light in the camera frame (x right, y up, z to the viewer), and its linear strength.
_KEY = (-0.55, 0.70, 0.60), 0.95
_FILL = (0.85, 0.05, 0.50), 0.22
_RIM = (0.35, 0.60, -0.75), 0.35
# Linear ambient light on surfaces that face straight up and straight down.
_SKY, _GROUND = 0.30, 0.12


@dataclass(frozen=True)
class Model:
    """A mesh prepared for drawing from several sides.

    Attributes:
        vertices: (k, 3). faces: (m, 3). normals: (m, 3, 3) float32, per corner.
        closed: whether faces that look away from the camera are always hidden.
        uv: (k, 2), or None. levels: the texture's mip levels, (T, T, 3) float32 linear first, or none.
        colors: (k, 3) float32 linear, or None.
    """

    vertices: Any
    faces: Any
    normals: F32
    closed: bool = False
    uv: Any = None
    levels: tuple[F32, ...] = ()
    colors: F32 | None = None


def prepare_model(mesh: Mesh | TexturedMesh, *, clay: bool = False) -> Model:
    """Compute a mesh's normals and linear colours once. With ``clay``, texture and colours are left out."""
    if isinstance(mesh, TexturedMesh):
        atlas = mesh.atlas
        normals = corner_normals(atlas.vertices, atlas.faces, weld=atlas.source)
        closed = _is_solid(atlas.source[atlas.faces], atlas.vertices, atlas.faces)
        if clay:
            return Model(atlas.vertices, atlas.faces, normals, closed)
        levels = _halved(linear_from_srgb(mesh.base_color))
        return Model(atlas.vertices, atlas.faces, normals, closed, atlas.uv, levels)
    normals = corner_normals(mesh.vertices, mesh.faces)
    colors = None if clay or mesh.colors is None else linear_from_srgb(mesh.colors)
    return Model(mesh.vertices, mesh.faces, normals, _is_solid(mesh.faces, mesh.vertices, mesh.faces), colors=colors)


def _is_solid(welded: Any, vertices: Any, faces: Any) -> bool:
    """Whether a mesh is closed and wound outwards: two triangles at every edge, wound alike, and a positive volume.

    Args:
        welded: (m, 3) faces over welded vertices. vertices, faces: as they are.
    """
    if not len(faces):
        return False
    table = edges(welded)
    closed = bool((table.faces == 2).all() and (table.balance == 0).all())
    return closed and float(six_volumes(vertices, faces).sum()) > 0


def render(
    mesh: Mesh | TexturedMesh | Model,
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
    model = mesh if isinstance(mesh, Model) else prepare_model(mesh)
    fine_w, fine_h = width * supersample, height * supersample
    raster = _drawn(model, camera, fine_h, fine_w)
    color = _albedo(model, raster)
    if lit:
        normals = _camera_normals(model, raster, camera)
        color = color * (_light(normals) * _hollow_shading(model, raster, camera, normals))[:, None]
    return _downsampled(raster, color, supersample)


def _drawn(model: Model, camera: Camera, height: int, width: int) -> Raster:
    """Draw a model. Of a closed one, faces that look away are left out: they are half of the work."""
    clip = to_clip(camera, model.vertices)
    if not model.closed:
        return rasterise(clip, model.faces, height, width)
    front = np.flatnonzero(_facing(clip, model.faces))
    raster = rasterise(clip, model.faces[front], height, width)
    return replace(raster, face=front.astype(np.int32).take(raster.face))


def _facing(clip: Any, faces: Any) -> Any:
    """(m,) bool: which triangles run counter-clockwise in the picture, or are seen edge-on, or lie behind the eye."""
    x, y, w = clip[:, 0], clip[:, 1], clip[:, 3]
    a, b, c = faces.T
    # The determinant of the corners' (x, y, w): twice the area in the picture times the three w.
    area = x[a] * (y[b] * w[c] - y[c] * w[b]) + x[b] * (y[c] * w[a] - y[a] * w[c]) + x[c] * (y[a] * w[b] - y[b] * w[a])
    return (area >= 0) | (np.minimum(np.minimum(w[a], w[b]), w[c]) <= 0)


def four_views(
    mesh: Mesh | TexturedMesh | Model, view_px: int = 320, *, elevation_deg: float = 12.0, turn_deg: float = 0.0
) -> U8:
    """Front, right, back and left side by side.

    Args:
        view_px: width and height of each view.
        elevation_deg: how far from above.
        turn_deg: added to all four azimuths; 30 gives three-quarter views.

    Returns:
        (view_px, 4 * view_px, 4) uint8, transparent background.
    """
    model = mesh if isinstance(mesh, Model) else prepare_model(mesh)
    cameras = [framing_camera(model.vertices, azimuth + turn_deg, elevation_deg) for azimuth in VIEWS_DEG]
    return np.concatenate([render(model, camera, view_px, view_px) for camera in cameras], axis=1)


def framing_camera(vertices: Any, azimuth_deg: float, elevation_deg: float, *, aspect: float = 1.0) -> Camera:
    """A pinhole camera that shows all of a mesh, (k, 3) vertices, at the same scale from every side."""
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


def _albedo(model: Model, raster: Raster) -> F32:
    """(n, 3) linear colours of the surface under the covered pixels."""
    if model.levels:
        uv = interpolate(model.uv, model.faces, raster.face, raster.bary)
        texture = _mip_level(model, raster)
        return sample(texture, uv * np.array([texture.shape[1], texture.shape[0]], np.float32))
    if model.colors is not None:
        return interpolate(model.colors, model.faces, raster.face, raster.bary)
    return np.broadcast_to(np.array(CLAY, np.float32), (len(raster.pixel), 3))


def _halved(texture: F32) -> tuple[F32, ...]:
    """The texture's mip levels, each half the one before, down to sides of 8."""
    import cv2

    levels = [texture]
    while min(levels[-1].shape[:2]) > 8:
        half = levels[-1].shape[1] // 2, levels[-1].shape[0] // 2
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), np.float32))
    return tuple(levels)


def _mip_level(model: Model, raster: Raster) -> F32:
    """The mip level whose texels are about as large as the picture's pixels."""
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


def _camera_normals(model: Model, raster: Raster, camera: Camera) -> F32:
    """(n, 3) unit normals in the camera frame under the covered pixels."""
    normals = interpolate_corners(model.normals, raster.face, raster.bary)
    normals = normals @ camera.world_to_camera[:3, :3].T.astype(np.float32)
    return unit_rows(normals)


def _light(normals: F32) -> F32:
    """(n,) linear light on surfaces with these (n, 3) normals in the camera frame."""
    light = _GROUND + np.float32(_SKY - _GROUND) * (normals[:, 1] * np.float32(0.5) + np.float32(0.5))
    for direction, strength in (_KEY, _FILL, _RIM):
        towards = np.array(direction, np.float32) / np.float32(math.hypot(*direction))
        light += np.float32(strength) * np.maximum(normals @ towards, 0)
    return light


def _hollow_shading(model: Model, raster: Raster, camera: Camera, normals: F32) -> F32:
    """(n,) 0..1 factors of the light: less in hollows, where the surface is deeper than around it in the picture.

    A pixel's depth is compared with the mean depth of two opposite neighbours, so that a slope counts as flat. Where
    one of them is empty the pair is left out.
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
        rise += _inner(depth, x, y)
        rise *= np.float32(1 / (pixel_size * reach))
        # (fmax: NaN counts as 0.)
        fading = np.fmin(np.fmax(np.float32(HOLLOW_LIMIT) - rise, 0), 1)
        fading *= np.fmin(np.fmax(rise, 0, out=rise), 1, out=rise)
        _inner(hollow, x, y)[:] += fading
    # Seen at a grazing angle every small bend is a large step in depth; the cosine takes that back.
    grazing = np.abs(normals[:, 2])
    return 1 - np.float32(HOLLOW_STRENGTH / len(pairs)) * hollow.ravel()[raster.pixel] * grazing


def _inner(picture: F32, x: int, y: int) -> F32:
    """The window of a picture whose pixels have both (x, y) and (-x, -y) away from them inside the picture."""
    return _shifted(picture, 0, 0, abs(x), abs(y))


def _shifted(picture: F32, x: int, y: int, margin_x: int | None = None, margin_y: int | None = None) -> F32:
    """The same window moved by (x, y). The margins are |x| and |y| when None."""
    margin_x = abs(x) if margin_x is None else margin_x
    margin_y = abs(y) if margin_y is None else margin_y
    height, width = picture.shape
    return picture[margin_y + y : height - margin_y + y, margin_x + x : width - margin_x + x]


def _downsampled(raster: Raster, color: F32, supersample: int) -> U8:
    """A coarse sRGB picture with straight alpha from (n, 3) linear colours of the covered fine pixels."""
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
