"""The rasteriser: complete, exclusive, right in depth, and equal to a plain loop over every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_shapes import cube_atlas, grid_faces

from manymesh.paint.hunyuan.render.reference_raster import rasterise_reference
from manymesh.render.camera import orthographic, perspective, project, to_clip
from manymesh.render.raster import interpolate, raster_uv, raster_view, rasterise

QUICK = settings(max_examples=20, derandomize=True, deadline=None)
seeds = st.integers(0, 10_000)


def flat_clip(xy: Any) -> Any:
    """(k, 2) clip positions at depth 0 and w 1."""
    clip = np.zeros((len(xy), 4))
    clip[:, :2] = xy
    clip[:, 3] = 1
    return clip


@given(seeds, st.booleans())
@QUICK
def test_a_jittered_sheet_covers_every_pixel_exactly_once(seed: int, on_pixel_centres: bool) -> None:
    steps, size = 5, 24
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : (steps + 1) * 1j, -1 : 1 : (steps + 1) * 1j])
    jitter = np.random.default_rng(seed).uniform(-0.12, 0.12, (len(x), 2))
    jitter[(np.abs(x) == 1) | (np.abs(y) == 1)] = 0
    xy = np.stack([x, y], axis=1) + jitter
    if on_pixel_centres:  # edges and corners right through the sampling points
        inner = (np.abs(x) < 1) & (np.abs(y) < 1)
        xy[inner] = (np.floor(xy[inner] * size / 2) + 0.5) / (size / 2)
    faces = grid_faces(steps)
    assert rasterise(flat_clip(xy), faces, size, size).mask.all()
    alone = sum(len(rasterise(flat_clip(xy), faces[i : i + 1], size, size).pixel) for i in range(len(faces)))
    assert alone == size * size


@given(seeds, st.booleans())
@QUICK
def test_barycentrics_interpolate_the_pixels_centre(seed: int, pinhole: bool) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.uniform(-1, 1, (30, 3))
    faces = rng.permutation(30).reshape(10, 3)
    camera = perspective(50, 1.25) if pinhole else orthographic(1.25, 1.0)
    raster = raster_view(camera, vertices, faces, 80, 100)
    points = interpolate(vertices, faces, raster.face, raster.bary)
    pixels, _ = project(camera, points, 100, 80)
    centres = np.stack([raster.pixel % 100 + 0.5, raster.pixel // 100 + 0.5], axis=1)
    assert len(pixels) > 50
    np.testing.assert_allclose(pixels, centres, atol=0.02)
    assert raster.bary.min() >= 0
    np.testing.assert_allclose(raster.bary.sum(axis=1), 1, atol=1e-6)


@given(seeds)
@QUICK
def test_the_nearest_surface_wins_in_any_order_of_faces(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clip = to_clip(perspective(50), rng.uniform(-1, 1, (60, 3)))
    faces = np.arange(60).reshape(20, 3)
    order = rng.permutation(20)
    raster, shuffled = rasterise(clip, faces, 64, 64), rasterise(clip, faces[order], 64, 64)
    np.testing.assert_array_equal(raster.pixel, shuffled.pixel)
    np.testing.assert_array_equal(raster.depth, shuffled.depth)
    assert (raster.face == order[shuffled.face]).mean() > 0.999
    nearest = np.full(64 * 64, np.inf)
    for i in range(20):
        one = rasterise(clip, faces[i : i + 1], 64, 64)
        nearest[one.pixel] = np.minimum(nearest[one.pixel], one.depth)
    np.testing.assert_array_equal(raster.depth, nearest[raster.pixel].astype(np.float32))


def walk_official(clip: Any, faces: Any, height: int, width: int) -> Any:
    """The official rule written down as it is defined, one face at a time over the whole picture."""
    f = np.float32
    clip = clip.astype(f)
    x = (clip[:, 0] / clip[:, 3] * f(0.5) + f(0.5)) * f(width - 1) + f(0.5)
    y = (f(0.5) + f(0.5) * clip[:, 1] / clip[:, 3]) * f(height - 1) + f(0.5)
    z = clip[:, 2] / clip[:, 3] * f(0.49999) + f(0.5)
    py, px = (axis.astype(f) + f(0.5) for axis in np.mgrid[:height, :width])
    best = np.full((height, width), np.iinfo(np.int64).max)
    for number, (a, b, c) in enumerate(faces):

        def area(ax: Any, ay: Any, bx: Any, by: Any, cx: Any, cy: Any) -> Any:
            return (cx - ax) * (by - ay) - (bx - ax) * (cy - ay)

        whole = area(x[a], y[a], x[b], y[b], x[c], y[c])
        if whole == 0:
            continue
        inverse = f(1) / whole
        beta = area(x[a], y[a], px, py, x[c], y[c]) * inverse
        gamma = area(x[a], y[a], x[b], y[b], px, py) * inverse
        alpha = (1.0 - beta.astype(np.float64) - gamma).astype(f)
        inside = (alpha >= 0) & (beta >= 0) & (gamma >= 0) & (alpha <= 1) & (beta <= 1) & (gamma <= 1)
        corner = [a, b, c]
        for place, low, high in ((px, x[corner].min(), x[corner].max()), (py, y[corner].min(), y[corner].max())):
            inside &= (place - f(0.5) >= np.trunc(low)) & (place - f(0.5) < high + f(1))
        depth = alpha * z[a] + beta * z[b] + gamma * z[c]
        key = np.where(inside & (depth >= 0), depth * f(2**18), 0).astype(np.int64) * (2**31 - 1) + number + 1
        best = np.where(inside & (depth >= 0) & (key < best), key, best)
    return np.where(best < np.iinfo(np.int64).max, best % (2**31 - 1), 0)


@given(seeds, st.sampled_from([1.0, 0.02, 1e-5, 1e-7]), st.sampled_from(["needles", "in line"]))
@settings(QUICK, max_examples=60)
def test_reference_spans_lose_no_pixel(seed: int, thinness: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    clip = np.ones((45, 4))
    clip[:, :3] = rng.uniform(-1.3, 1.3, (45, 3))
    if kind != "needles":  # corners on the centres of pixels, where rounding decides
        clip[:, :2] = np.round(clip[:, :2] * [20, 16]) / [20, 16]
    part = 1 if kind == "needles" else rng.integers(1, 5, (15, 1)) / 4
    clip[30:, :2] = clip[:15, :2] * (1 - part) + clip[15:30, :2] * part
    clip[30:, :2] += rng.uniform(-1, 1, (15, 2)) * thinness
    faces = np.arange(45).reshape(3, 15).T
    expected = walk_official(clip, faces, 33, 41)
    np.testing.assert_array_equal(rasterise_reference(clip, faces, 33, 41).findex, expected)


def test_spans_longer_than_a_tile_and_far_outside_are_cut() -> None:
    clip = flat_clip([[-50, -50], [50, -50], [0, 90]])
    clip[:, 2] = [-0.9, 0.9, 0.0]
    raster = rasterise(clip, [[0, 1, 2]], 70, 700)
    assert raster.mask.all()
    row = raster.depth.reshape(70, 700)[35]
    np.testing.assert_allclose(np.diff(row), np.diff(row).mean(), atol=1e-6)


def test_faces_behind_or_in_front_of_the_near_plane_are_left_out() -> None:
    camera = perspective(40, distance=4.0)
    near_eye = [[0, 0, 3.9], [0.1, 0, 3.9], [0, 0.1, 3.9]]
    behind = [[0, 0, 9], [1, 0, 9], [0, 1, 9]]
    faces = [[0, 1, 2], [3, 4, 5]]
    assert not len(raster_view(camera, near_eye + behind, faces, 32, 32).pixel)


@pytest.mark.parametrize("draw", [rasterise, rasterise_reference])
def test_nothing_to_draw_gives_an_empty_raster(draw: Any) -> None:
    for faces in (np.zeros((0, 3), np.int32), np.zeros((2, 3), np.int32), [[0, 1, 1]]):
        raster = draw(flat_clip(np.zeros((3, 2)) + 0.1), faces, 8, 9)
        assert not len(raster.pixel)
        assert raster.findex.shape == (8, 9)
        assert interpolate(np.ones((3, 2)), faces, raster.face, raster.bary).shape == (0, 2)


def test_faces_with_nan_positions_are_skipped() -> None:
    clip = flat_clip([[-1, -1], [1, -1], [0, 1], [np.nan, 0]])
    raster = rasterise(clip, [[0, 1, 3], [0, 1, 2]], 16, 16)
    assert set(raster.face.tolist()) == {1}


def test_texture_origin_is_the_upper_left() -> None:
    raster = raster_uv([[0, 0], [0.5, 0], [0, 0.5]], [[0, 1, 2]], 8, 8)
    assert raster.mask[0, 0]
    assert not raster.mask[5:].any()
    assert not raster.mask[:, 5:].any()


def test_charts_lie_at_their_uv() -> None:
    atlas = cube_atlas(3)
    raster = raster_uv(atlas.uv, atlas.faces, 60, 90)
    uv = interpolate(atlas.uv, atlas.faces, raster.face, raster.bary)
    centres = np.stack([raster.pixel % 90 + 0.5, raster.pixel // 90 + 0.5], axis=1) / [90, 60]
    np.testing.assert_allclose(uv, centres, atol=1e-4)
    assert raster.mask.mean() == pytest.approx(0.81, abs=0.02)
