"""Cameras: the canonical frame, and every mapping with its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manymesh.render import camera as cameras
from manymesh.types import Camera

QUICK = settings(max_examples=25, derandomize=True, deadline=None)
WIDTH, HEIGHT = 320, 200

angles = st.tuples(st.floats(-360, 360), st.floats(-90, 90))


def made(kind: str, azimuth: float, elevation: float) -> Camera:
    if kind == "orthographic":
        return cameras.orthographic(1.6, 1.0, azimuth_deg=azimuth, elevation_deg=elevation)
    return cameras.perspective(40, WIDTH / HEIGHT, azimuth_deg=azimuth, elevation_deg=elevation, target=(0.1, 0.2, 0))


kinds = st.sampled_from(["orthographic", "perspective"])


def cloud(seed: int = 0) -> Any:
    return np.random.default_rng(seed).uniform(-1, 1, (50, 3))


def unproject(camera: Camera, pixels: Any, depth: Any, width: int, height: int) -> Any:
    """The inverse of ``project``: (n, 2) pixels and (n,) depths to (n, 3) float64 points in the mesh frame."""
    pixels = np.asarray(pixels, np.float64)
    z_cam = -np.asarray(depth, np.float64)
    ndc = np.stack([pixels[:, 0] / width * 2 - 1, 1 - pixels[:, 1] / height * 2], axis=1)
    m = camera.projection
    w = m[3, 2] * z_cam + m[3, 3]
    # x and y of a camera-frame point solve a 2x2 system, the same for all points.
    right = ndc * w[:, None] - np.outer(z_cam, m[:2, 2]) - m[:2, 3]
    in_camera = np.empty((len(pixels), 3))
    in_camera[:, :2] = right @ np.linalg.inv(m[:2, :2]).T
    in_camera[:, 2] = z_cam
    inverse = np.linalg.inv(camera.world_to_camera)
    return np.asarray(in_camera @ inverse[:3, :3].T + inverse[:3, 3])


@given(kinds, angles)
@QUICK
def test_unproject_undoes_project(kind: str, angle: tuple[float, float]) -> None:
    camera, points = made(kind, *angle), cloud()
    pixels, depth = cameras.project(camera, points, WIDTH, HEIGHT)
    np.testing.assert_allclose(unproject(camera, pixels, depth, WIDTH, HEIGHT), points, atol=1e-9)


@pytest.mark.parametrize("kind", ["orthographic", "perspective"])
def test_azimuth_zero_looks_at_the_front_with_x_right_and_y_up(kind: str) -> None:
    camera = made(kind, 0, 0)
    pixels, depth = cameras.project(camera, [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]], WIDTH, HEIGHT)
    centre, right, up, front = pixels
    assert right[0] > centre[0]
    assert right[1] == pytest.approx(centre[1])
    assert up[1] < centre[1]
    assert up[0] == pytest.approx(centre[0])
    assert depth[3] < depth[0]
    assert front[0] == pytest.approx(centre[0], abs=5)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "nearest"),
    [(0, 0, (0, 0, 1)), (90, 0, (1, 0, 0)), (180, 0, (0, 0, -1)), (270, 0, (-1, 0, 0)), (0, 90, (0, 1, 0))],
)
def test_each_angle_sees_the_side_it_names(azimuth: float, elevation: float, nearest: tuple[float, ...]) -> None:
    camera = cameras.orthographic(1, azimuth_deg=azimuth, elevation_deg=elevation, distance=4)
    assert cameras.depth_of(camera, [nearest])[0] == pytest.approx(3)


def test_from_above_the_front_is_at_the_bottom() -> None:
    pixels, _ = cameras.project(cameras.orthographic(1, elevation_deg=90), [[0, 0, 0.5]], 100, 100)
    np.testing.assert_allclose(pixels[0], [50, 75], atol=1e-9)


def test_the_picture_spans_the_given_width_and_height() -> None:
    corners = [[-1.6, 1.0, 0], [1.6, -1.0, 0]]
    pixels, _ = cameras.project(made("orthographic", 0, 0), corners, WIDTH, HEIGHT)
    np.testing.assert_allclose(pixels, [[0, 0], [WIDTH, HEIGHT]], atol=1e-9)


@given(kinds, angles, st.floats(0.1, 9), st.floats(-180, 180))
@QUICK
def test_a_moved_camera_sees_a_moved_mesh_as_before(
    kind: str, angle: tuple[float, float], scale: float, turn_deg: float
) -> None:
    camera, points = made(kind, *angle), cloud()
    matrix = np.eye(4)
    matrix[:3, :3] = scale * cameras.orbit(turn_deg, 20, 1)[:3, :3]
    matrix[:3, 3] = 0.3, -0.7, 2.0
    there = points @ matrix[:3, :3].T + matrix[:3, 3]
    moved = cameras.move_camera(camera, matrix)
    before, depth_before = cameras.project(camera, points, WIDTH, HEIGHT)
    after, depth_after = cameras.project(moved, there, WIDTH, HEIGHT)
    np.testing.assert_allclose(after, before, atol=1e-7)
    np.testing.assert_allclose(depth_after, depth_before * scale, atol=1e-7)
    np.testing.assert_allclose(moved.world_to_camera[:3, :3] @ moved.world_to_camera[:3, :3].T, np.eye(3), atol=1e-9)
    towards = cameras.towards_viewer(camera, points) @ (matrix[:3, :3] / scale).T
    np.testing.assert_allclose(cameras.towards_viewer(moved, there), towards, atol=1e-9)


@given(kinds)
@QUICK
def test_a_crop_shows_the_window(kind: str) -> None:
    camera, points = made(kind, 30, 20), cloud()
    window = (40.0, -10.0, 200.0, 90.0)
    whole, _ = cameras.project(camera, points, WIDTH, HEIGHT)
    part, _ = cameras.project(cameras.crop_camera(camera, window, WIDTH, HEIGHT), points, 160, 100)
    np.testing.assert_allclose(part, whole - [40, -10], atol=1e-9)


@given(kinds, angles)
@QUICK
def test_a_footprint_is_the_distance_between_pixels(kind: str, angle: tuple[float, float]) -> None:
    camera, points = made(kind, *angle), cloud()
    pixels, depth = cameras.project(camera, points, WIDTH, HEIGHT)
    below = unproject(camera, pixels + np.array([0, 1]), depth, WIDTH, HEIGHT)
    apart = np.linalg.norm(below - points, axis=1)
    np.testing.assert_allclose(cameras.pixel_footprint(camera, points, HEIGHT), apart, rtol=1e-6)
