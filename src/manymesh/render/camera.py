"""Cameras: where each pixel of a picture lies in space.

World frame: +Y up, +Z towards the viewer. At azimuth 0 a camera looks at the mesh's +Z side and sees +X on the right;
azimuth 90 looks at the +X side, elevation 90 from above. Pixels: x to the right, y down, the picture spans
[0, width] x [0, height], and the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from manymesh.box import Box
from manymesh.errors import ObjectError
from manymesh.types import F64, U8, Camera, Mesh

# Half the depth that a camera sees around its target. A mesh in the canonical frame lies within sqrt(3) of the origin.
REACH = 2.0


def orthographic(
    half_width: float,
    half_height: float | None = None,
    *,
    azimuth_deg: float = 0.0,
    elevation_deg: float = 0.0,
    distance: float = 4.0,
    target: Sequence[float] = (0.0, 0.0, 0.0),
    reach: float = REACH,
) -> Camera:
    """A camera without perspective.

    Args:
        half_width: half the width of what the picture shows, in mesh units.
        half_height: half its height; ``half_width`` when None.
        azimuth_deg, elevation_deg, distance, target: see ``orbit``.
        reach: depths of ``distance`` ± ``reach`` are seen (but never behind the camera).
    """
    half_height = half_width if half_height is None else half_height
    near, far = _near_far(distance, reach)
    projection = np.diag([1 / half_width, 1 / half_height, -2 / (far - near), 1.0])
    projection[2, 3] = -(far + near) / (far - near)
    return Camera(orbit(azimuth_deg, elevation_deg, distance, target), projection)


def perspective(
    fov_y_deg: float,
    aspect: float = 1.0,
    *,
    azimuth_deg: float = 0.0,
    elevation_deg: float = 0.0,
    distance: float = 4.0,
    target: Sequence[float] = (0.0, 0.0, 0.0),
    reach: float = REACH,
) -> Camera:
    """A pinhole camera.

    Args:
        fov_y_deg: angle between the picture's top and bottom edge, degrees, 0..180 exclusive.
        aspect: the picture's width / height.
        azimuth_deg, elevation_deg, distance, target: see ``orbit``.
        reach: depths of ``distance`` ± ``reach`` are seen (but never behind the camera).
    """
    near, far = _near_far(distance, reach)
    focal = 1 / math.tan(math.radians(fov_y_deg) / 2)
    projection = np.zeros((4, 4))
    projection[0, 0] = focal / aspect
    projection[1, 1] = focal
    projection[2, 2:] = -(far + near) / (far - near), -2 * far * near / (far - near)
    projection[3, 2] = -1
    return Camera(orbit(azimuth_deg, elevation_deg, distance, target), projection)


def orbit(azimuth_deg: float, elevation_deg: float, distance: float, target: Sequence[float] = (0.0, 0.0, 0.0)) -> F64:
    """The (4, 4) world-to-camera matrix of an eye on a sphere around ``target``.

    Args:
        azimuth_deg: 0 sees the +Z side, 90 the +X side, 180 the -Z side.
        elevation_deg: 90 looks straight down, -90 straight up; the picture's up is well defined there too.
        distance: from the eye to the target, in mesh units.
        target: the point in the picture's centre.
    """
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    sin_a, cos_a, sin_e, cos_e = math.sin(azimuth), math.cos(azimuth), math.sin(elevation), math.cos(elevation)
    matrix = np.eye(4)
    matrix[0, :3] = cos_a, 0.0, -sin_a
    matrix[1, :3] = -sin_e * sin_a, cos_e, -sin_e * cos_a
    matrix[2, :3] = cos_e * sin_a, sin_e, cos_e * cos_a
    matrix[:3, 3] = -matrix[:3, :3] @ np.asarray(target, np.float64)
    matrix[2, 3] -= distance
    return matrix


def to_clip(camera: Camera, points: Any) -> F64:
    """(n, 3) points to (n, 4) float64 clip coordinates."""
    matrix = camera.world_to_clip
    x, y, z = np.asarray(points, np.float64).T
    clip = np.empty((len(x), 4))
    # Written out: a product of matrices this thin costs more in waking the BLAS threads than in adding up.
    for row in range(4):
        clip[:, row] = x * matrix[row, 0] + y * matrix[row, 1] + z * matrix[row, 2] + matrix[row, 3]
    return clip


def project(camera: Camera, points: Any, width: int, height: int) -> tuple[F64, F64]:
    """The pixels and depths of points in a picture.

    Args:
        points: (n, 3), mesh frame.
        width, height: of the picture, pixels.

    Returns:
        (n, 2) float64 pixel x, y (the centre of the first pixel is 0.5, 0.5), and (n,) float64 depth in front of the
        eye along the viewing direction, in mesh units. Points behind a pinhole get a negative depth and a
        meaningless pixel.
    """
    clip = to_clip(camera, points)
    w = np.where(clip[:, 3] == 0, 1e-12, clip[:, 3])
    pixels = np.empty((len(clip), 2))
    pixels[:, 0] = (clip[:, 0] / w * 0.5 + 0.5) * width
    pixels[:, 1] = (0.5 - clip[:, 1] / w * 0.5) * height
    return pixels, depth_of(camera, points)


def depth_of(camera: Camera, points: Any) -> F64:
    """(n,) float64: how far in front of the eye each of (n, 3) points lies, along the viewing direction."""
    row = camera.world_to_camera[2]
    x, y, z = np.asarray(points, np.float64).T
    return np.asarray(-(x * row[0] + y * row[1] + z * row[2] + row[3]))


def move_camera(camera: Camera, matrix: Any) -> Camera:
    """The camera that sees a transformed mesh as ``camera`` saw the mesh before.

    Args:
        matrix: (4, 4) similarity (rotation, uniform scale, translation) that was applied to the mesh's vertices.

    Its ``world_to_camera`` is rigid again, so that depths are in the transformed mesh's units.
    """
    matrix = np.asarray(matrix, np.float64)
    scale = abs(np.linalg.det(matrix[:3, :3])) ** (1 / 3)
    grow = np.diag([scale, scale, scale, 1.0])
    shrink = np.diag([1 / scale, 1 / scale, 1 / scale, 1.0])
    return Camera(grow @ camera.world_to_camera @ np.linalg.inv(matrix), camera.projection @ shrink)


def crop_camera(camera: Camera, window: tuple[float, float, float, float], width: int, height: int) -> Camera:
    """The camera whose whole picture is ``window`` of this camera's picture.

    Args:
        window: x0, y0, x1, y1 in pixels of the old picture, half-open; may reach outside it.
        width, height: of the old picture, pixels.
    """
    x0, y0, x1, y1 = window
    zoom = np.diag([width / (x1 - x0), height / (y1 - y0), 1.0, 1.0])
    zoom[0, 3] = (width - x0 - x1) / (x1 - x0)
    zoom[1, 3] = (y0 + y1 - height) / (y1 - y0)
    return Camera(camera.world_to_camera, zoom @ camera.projection)


def eye_position(camera: Camera) -> F64 | None:
    """(3,) position of a pinhole camera, or None for one without perspective."""
    if not camera.projection[3, :3].any():
        return None
    return np.asarray(np.linalg.inv(camera.world_to_camera)[:3, 3], np.float64)


def towards_viewer(camera: Camera, points: Any) -> F64:
    """(n, 3) float64 unit vectors from (n, 3) points towards the camera."""
    points = np.asarray(points, np.float64)
    position = eye_position(camera)
    if position is None:
        back = np.linalg.inv(camera.world_to_camera)[:3, 2]
        return np.broadcast_to(back / np.linalg.norm(back), points.shape)
    ray = position - points
    return np.asarray(ray / np.maximum(np.sqrt(np.einsum("nc,nc->n", ray, ray)), 1e-12)[:, None])


def pixel_footprint(camera: Camera, points: Any, height: int) -> F64:
    """(n,) float64: the size in mesh units that one pixel of a ``height`` px picture has at each of (n, 3) points."""
    row = camera.world_to_clip[3]
    x, y, z = np.asarray(points, np.float64).T
    w = x * row[0] + y * row[1] + z * row[2] + row[3]
    return np.asarray(np.abs(w) * (2 / (height * float(np.linalg.norm(camera.projection[1, :2])))))


def fit_front_camera(mesh: Mesh, alpha: U8) -> Camera:
    """The orthographic camera under which the mesh's front falls onto the object in a cutout.

    The bounding box of the mesh's front (x and y) is laid onto the bounding box of the object: centre onto centre, with
    the scale that fits width and height best. For shape stages that do not know how the photo saw their mesh: they were
    given the object moved to the centre of a square, so neither its place in the cutout nor its size reached them.

    Args:
        mesh: in the canonical frame, its front towards +Z.
        alpha: (H, W) uint8 of the cutout.

    Raises:
        ObjectError: the cutout is fully transparent.
    """
    height, width = alpha.shape
    box = object_box(alpha)
    low, high = mesh.vertices[:, :2].min(axis=0).astype(float), mesh.vertices[:, :2].max(axis=0).astype(float)
    extent, center = high - low, (low + high) / 2
    # Pixels per mesh unit: least squares over both sides, so a mesh of other proportions is off equally on both.
    scale = (box.width * extent[0] + box.height * extent[1]) / float(extent @ extent)
    return camera_over_box(box, width, height, center, (scale, scale))


def camera_over_box(box: Box, width: int, height: int, centre: F64, scale: Sequence[float] | F64) -> Camera:
    """The orthographic camera along -Z that shows a point of the mesh at the centre of a box of the picture.

    Args:
        box: in the picture. width, height: of the picture, pixels.
        centre: (2,) x and y of the point. scale: pixels per mesh unit along x and y.
    """
    target_x = centre[0] + (width / 2 - (box.x0 + box.x1) / 2) / scale[0]
    target_y = centre[1] + ((box.y0 + box.y1) / 2 - height / 2) / scale[1]
    return orthographic(width / 2 / scale[0], height / 2 / scale[1], target=(target_x, target_y, 0.0))


def object_box(alpha: U8) -> Box:
    """The bounding box of the pixels with alpha over one half, or of all that are not clear when there are none.

    Args:
        alpha: (H, W) uint8.

    Raises:
        ObjectError: every pixel is clear.
    """
    solid = alpha > 127 if (alpha > 127).any() else alpha > 0
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if len(rows) == 0:
        raise ObjectError("the cutout is empty", "Check the cutout picture; another matte may find the object")
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _near_far(distance: float, reach: float) -> tuple[float, float]:
    return max(distance - reach, 0.01 * distance), distance + reach
