"""Baking: a known surface comes back from its own pictures, and no other pixel is ever read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from render_shapes import cube_atlas, paint

from manymesh.image.resample import sample, sample_index
from manymesh.render import bake
from manymesh.render.camera import orthographic, perspective
from manymesh.render.raster import interpolate, raster_view
from manymesh.render.texels import texels
from manymesh.types import Atlas, Camera

MAGENTA = np.array([255, 0, 255], np.uint8)
SIX = [(0, 0), (90, 0), (180, 0), (270, 0), (0, 90), (0, -90)]


def photo(atlas: Atlas, camera: Camera, size: int) -> Any:
    """A picture of the painted surface on magenta, and its alpha."""
    raster = raster_view(camera, atlas.vertices, atlas.faces, size, size)
    color = paint(interpolate(atlas.vertices, atlas.faces, raster.face, raster.bary))
    rgb = raster.image((color * 255 + 0.5).astype(np.uint8), MAGENTA)
    return rgb, raster.image(np.uint8(255), np.uint8(0))


@pytest.mark.parametrize("pinhole", [False, True])
def test_six_pictures_reproduce_the_surface(pinhole: bool) -> None:
    atlas = cube_atlas(12, ball=True)
    surface = texels(atlas, 128)
    views = []
    for azimuth, elevation in SIX:
        at = {"azimuth_deg": azimuth, "elevation_deg": elevation}
        camera = perspective(40, distance=4.0, **at) if pinhole else orthographic(1.1, **at)
        views.append(bake.project_colors(surface, atlas, camera, *photo(atlas, camera, 300)))
    weight = np.stack([view.weight for view in views])
    assert (weight.sum(axis=0) > 0.05).all()
    color = np.einsum("vn,vnc->nc", weight, [view.color for view in views]) / weight.sum(axis=0)[:, None]
    assert np.abs(color - paint(surface.position)).max() < 0.03


@pytest.mark.parametrize("photo_px", [90, 300, 1200])  # texels finer, about as fine, and coarser than pixels
def test_transparent_pixels_are_never_read(photo_px: int) -> None:
    atlas = cube_atlas(12, ball=True)
    surface = texels(atlas, 96)
    camera = perspective(40, distance=4.0, azimuth_deg=20)
    rgb, alpha = photo(atlas, camera, photo_px)
    other = np.where(alpha[:, :, None] > 0, rgb, 255 - MAGENTA)
    one, two = (bake.project_colors(surface, atlas, camera, picture, alpha) for picture in (rgb, other))
    assert (one.weight > 0).mean() > 0.3
    np.testing.assert_array_equal(one.color, two.color)
    np.testing.assert_array_equal(one.weight, two.weight)
    nothing = bake.project_colors(surface, atlas, camera, rgb, np.zeros_like(alpha))
    assert not nothing.weight.any()


def test_soft_alpha_weighs_and_float_alpha_equals_bytes() -> None:
    rgb = np.full((8, 8, 3), 200, np.uint8)
    trust = np.full((8, 8), 51, np.uint8)
    color, alpha = bake.sample_opaque(rgb, trust, np.array([[4.2, 3.9]]))
    np.testing.assert_allclose(color, 200 / 255, atol=1e-6)
    np.testing.assert_allclose(alpha, 0.2, atol=1e-6)
    again, alpha_again = bake.sample_opaque(rgb, trust / np.float32(255), np.array([[4.2, 3.9]]))
    np.testing.assert_array_equal(again, color)
    np.testing.assert_array_equal(alpha_again, alpha)


def test_surfaces_that_face_away_or_are_covered_get_no_weight() -> None:
    front, back = cube_atlas(4), cube_atlas(4)
    small = (front.vertices * 0.3 + [0, 0, 2]).astype(np.float32)
    uv = np.concatenate([front.uv * [0.5, 1], back.uv * [0.5, 1] + [0.5, 0]]).astype(np.float32)
    vertices = np.concatenate([small, back.vertices])
    faces = np.concatenate([front.faces, back.faces + len(small)])
    both = Atlas(vertices, faces, uv, np.arange(len(vertices), dtype=np.int32), "test")
    surface = texels(both, 128)
    camera = orthographic(1.2, distance=5.0, reach=4.0)
    picture, alpha = photo(both, camera, 400)
    seen = bake.project_colors(surface, both, camera, picture, alpha)
    x, y, z = surface.position.T
    away = surface.normal[:, 2] < 0.01
    assert not seen.weight[away].any()
    large = (z > 0.99) & (z < 1.01) & ~away
    covered = large & (np.abs(x) < 0.3) & (np.abs(y) < 0.3)
    free = large & ((np.abs(x) > 0.4) | (np.abs(y) > 0.4)) & (np.abs(x) < 0.9) & (np.abs(y) < 0.9)
    assert covered.sum() > 20
    assert not seen.weight[covered].any()
    assert (seen.weight[free] > 0.3).all()
    # Nor does either read the other's colour at the outline between them.
    painted = seen.weight > 0
    assert np.abs(seen.color - paint(surface.position))[painted].max() < 0.04


def test_points_outside_the_picture_get_no_weight() -> None:
    atlas = cube_atlas(4)
    surface = texels(atlas, 64)
    rgb = np.full((50, 50, 3), 90, np.uint8)
    seen = bake.project_colors(surface, atlas, orthographic(0.5), rgb, np.full((50, 50), 255, np.uint8))
    assert (np.abs(surface.position[seen.weight > 0][:, :2]) <= 0.5).all()
    assert (seen.weight > 0).any()


def test_a_finer_picture_is_averaged() -> None:
    atlas = cube_atlas(2)
    surface = texels(atlas, 48)
    rows, columns = np.mgrid[:1200, :1200]
    checker = np.where((rows // 4 + columns // 4) % 2, 255, 0).astype(np.uint8)
    seen = bake.project_colors(
        surface, atlas, orthographic(1.2), np.dstack([checker] * 3), np.full((1200, 1200), 255, np.uint8)
    )
    assert np.abs(seen.color[seen.weight > 0.5] - 0.5).max() < 0.05


def test_the_gutter_repeats_the_border_of_its_chart() -> None:
    atlas = cube_atlas(5)
    inside, surface = texels(atlas, 90, gutter_px=0), texels(atlas, 90, gutter_px=2)
    assert not inside.gutter.any()
    kept = np.isin(surface.raster.pixel, inside.raster.pixel)
    np.testing.assert_array_equal(surface.gutter, ~kept)
    np.testing.assert_array_equal(surface.position[kept], inside.position)
    assert (np.diff(surface.raster.pixel) > 0).all()
    # A chart's border lies on two sides of the cube at once; the nearest texel's triangle may end a texel before it.
    from_edge = np.sort(1 - np.abs(surface.position[surface.gutter]), axis=1)[:, 1]
    assert (from_edge < 1.5 * surface.spacing[surface.gutter]).all()
    assert (from_edge < 1e-4).mean() > 0.9


def test_sampling_meets_pixel_centres_and_repeats_the_border() -> None:
    image = np.random.default_rng(1).random((5, 7, 2), np.float32)
    y, x = (axis.ravel() + 0.5 for axis in np.mgrid[:5, :7])
    centres = np.stack([x, y], axis=1)
    for how in ("linear", "cubic"):
        np.testing.assert_allclose(sample(image, centres, how).reshape(5, 7, 2), image, atol=1e-6)
    np.testing.assert_allclose(sample(image, [[-1e9, 0.5], [1e9, 1e9]]), image[[0, 4], [0, 6]], atol=1e-6)
    np.testing.assert_allclose(sample(image, [[1.0, 0.5]])[0], (image[0, 0] + image[0, 1]) / 2, atol=1e-6)
    assert sample(image, np.zeros((0, 2))).shape == (0, 2)
    np.testing.assert_array_equal(sample_index(image[:, :, 0], x - 0.5, y - 0.5), image[:, :, 0].ravel())
