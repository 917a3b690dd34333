"""Previews: what is drawn, where, how it is lit, and its alpha."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from render_shapes import cube_atlas, weld_by_position

from manymesh.image.resample import linear_from_srgb, srgb_from_linear
from manymesh.render import preview
from manymesh.render.camera import orthographic
from manymesh.render.normals import area_weighted_vertex_normals, corner_normals
from manymesh.render.raster import Raster, rasterise
from manymesh.types import Mesh, TexturedMesh


def ball() -> Mesh:
    atlas = cube_atlas(10, ball=True)
    return Mesh(atlas.vertices, atlas.faces)


def test_a_ball_is_opaque_inside_transparent_outside_and_soft_between() -> None:
    picture = preview.render(ball(), orthographic(1.25), 64, 64)
    assert picture.shape == (64, 64, 4)
    assert picture.dtype == np.uint8
    alpha = picture[:, :, 3]
    y, x = np.mgrid[:64, :64] + 0.5
    radius = np.hypot(x - 32, y - 32) / 64 * 2.5
    assert (alpha[radius < 0.92] == 255).all()
    assert (alpha[radius > 1.05] == 0).all()
    assert ((alpha > 0) & (alpha < 255)).any()


def test_light_comes_from_above_and_moves_with_the_camera() -> None:
    pictures = [preview.render(ball(), orthographic(1.1, azimuth_deg=a), 64, 64) for a in (0, 90)]
    for picture in pictures:
        assert picture[14, 32, 0] > picture[50, 32, 0] + 20
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() < 2


def test_unlit_textures_keep_their_colors_and_places() -> None:
    atlas = cube_atlas(2)
    # The front is the chart at the upper left; quarter its cell into red, green, blue and white.
    texture = np.zeros((200, 300, 3), np.uint8)
    texture[:50, :50], texture[:50, 50:100] = [255, 0, 0], [0, 255, 0]
    texture[50:100, :50], texture[50:100, 50:100] = [0, 0, 255], [255, 255, 255]
    picture = preview.render(TexturedMesh(atlas, texture), orthographic(1.25), 80, 80, lit=False)
    assert picture[25, 25].tolist() == [255, 0, 0, 255]
    assert picture[25, 55].tolist() == [0, 255, 0, 255]
    assert picture[55, 25].tolist() == [0, 0, 255, 255]
    assert picture[55, 55].tolist() == [255, 255, 255, 255]


def test_vertex_colors_show_and_clay_hides_them() -> None:
    mesh = ball()
    colored = Mesh(mesh.vertices, mesh.faces, np.tile(np.uint8([10, 200, 30]), (len(mesh.vertices), 1)))
    camera = orthographic(1.1)
    unlit = preview.render(colored, camera, 32, 32, lit=False)
    assert unlit[16, 16].tolist() == [10, 200, 30, 255]
    clay = preview.render(preview.prepare_model(colored, clay=True), camera, 32, 32)
    np.testing.assert_array_equal(clay, preview.render(mesh, camera, 32, 32))


def test_four_views_show_four_sides_side_by_side() -> None:
    atlas = cube_atlas(2)
    texture = np.zeros((200, 300, 3), np.uint8)
    for i, level in enumerate((250, 190, 130, 70)):
        texture[i // 3 * 100 : i // 3 * 100 + 100, i % 3 * 100 : i % 3 * 100 + 100] = [level, 0, 255 - level]
    mesh = TexturedMesh(atlas, texture)
    strip = preview.four_views(mesh, 48)
    assert strip.shape == (48, 192, 4)
    centres = strip[26, 24::48].astype(int)
    share = centres[:, 0] / (centres[:, 0] + centres[:, 2])
    assert (np.diff(share) < -0.05).all()
    np.testing.assert_array_equal(strip, preview.four_views(mesh, 48))


@pytest.mark.parametrize("elevation", [0, 35, 90])
def test_framing_shows_all_of_the_mesh(elevation: float) -> None:
    vertices = cube_atlas(1).vertices * np.float32([1, 0.2, 3]) + np.float32([5, 0, -2])
    mesh = Mesh(vertices, cube_atlas(1).faces)
    for azimuth in (0, 45, 90):
        alpha = preview.render(mesh, preview.framing_camera(vertices, azimuth, elevation), 60, 60)[:, :, 3]
        assert alpha.any()
        assert not np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]]).any()


def test_an_empty_mesh_gives_an_empty_picture() -> None:
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    assert not preview.four_views(empty, 16).any()


def test_normals_are_smooth_on_a_ball_and_sharp_on_a_box() -> None:
    round_one, box = cube_atlas(12, ball=True), cube_atlas(3)
    smooth = area_weighted_vertex_normals(round_one.vertices, round_one.faces, weld=round_one.source)
    assert np.einsum("nc,nc->n", smooth, round_one.vertices).min() > 0.99
    corners = corner_normals(round_one.vertices, round_one.faces, weld=round_one.source)
    np.testing.assert_allclose(corners, smooth[round_one.faces], atol=1e-5)
    sharp = corner_normals(box.vertices, box.faces, weld=box.source)
    assert np.allclose(np.abs(sharp).max(axis=2), 1)


def test_srgb_and_linear_are_inverse() -> None:
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(levels)) * 255, levels, atol=1e-3)


def solid_ball() -> Mesh:
    atlas = cube_atlas(10, ball=True)
    weld = weld_by_position(atlas.vertices)
    place = np.zeros((int(weld.max()) + 1, 3), np.float32)
    place[weld] = atlas.vertices
    return Mesh(place, weld[atlas.faces])


def test_back_faces_of_a_closed_mesh_are_skipped_without_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    model = preview.prepare_model(solid_ball(), clay=True)
    assert model.closed
    camera = preview.framing_camera(model.vertices, 30.0, 20.0)
    whole = preview.render(replace(model, closed=False), camera, 64, 64)
    drawn: list[int] = []

    def counted(clip: Any, faces: Any, height: int, width: int) -> Raster:
        drawn.append(len(faces))
        return rasterise(clip, faces, height, width)

    monkeypatch.setattr(preview, "rasterise", counted)
    assert np.array_equal(preview.render(model, camera, 64, 64), whole)
    assert drawn[0] < 0.6 * len(model.faces)


def test_open_and_inside_out_meshes_are_drawn_from_both_sides() -> None:
    solid = solid_ball()
    assert not preview.prepare_model(Mesh(solid.vertices, solid.faces[1:])).closed
    assert not preview.prepare_model(Mesh(solid.vertices, np.ascontiguousarray(solid.faces[:, ::-1]))).closed
