"""The Hunyuan3D-2 painter's renderer against arrays that the reference produced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from parity_path import parity_dir

from manymesh.paint.hunyuan.render import control_maps, reference_camera, splat
from manymesh.paint.hunyuan.render.inpaint import inpaint, spread_along_mesh
from manymesh.paint.hunyuan.render.reference_raster import rasterise_reference
from manymesh.render.raster import Raster, interpolate

Tensors = dict[str, Any]
Load = Callable[[str], Tensors]


@pytest.fixture(scope="module")
def load() -> Load:
    safetensors = pytest.importorskip("safetensors.numpy")
    folder = parity_dir("paint", "cameras.safetensors")
    return lambda name: safetensors.load_file(folder / f"{name}.safetensors")


def draw(vertices: Any, faces: Any, view: reference_camera.ReferenceView, size: int) -> Raster:
    return rasterise_reference(view.clip(vertices), faces, size, size)


def assert_raster(raster: Raster, findex: Any, bary: Any, bary_tolerance: float) -> None:
    assert np.count_nonzero(raster.findex != findex) == 0
    assert np.abs(raster.image(raster.bary, 0) - bary).max() <= bary_tolerance


def test_cameras_and_their_numbers(load: Load) -> None:
    data = load("cameras")
    for i, (azimuth, elevation) in enumerate(zip(data["azim"].tolist(), data["elev"].tolist(), strict=True)):
        view = reference_camera.reference_view(azimuth, elevation)
        np.testing.assert_allclose(view.world_to_camera, data["w2c"][i], atol=2e-6)
        np.testing.assert_allclose(view.projection, data["proj"], atol=2e-6)
        np.testing.assert_allclose(view.projection @ view.world_to_camera, data["mvp"][i], atol=2e-6)
        assert reference_camera.camera_index(azimuth, elevation) == data["camera_index"][i]


def test_mesh_is_normalised_alike(load: Load) -> None:
    data = load("mesh_normalise")
    uv_before = data["uv"].copy()
    vertices, uv = reference_camera.normalised(data["vertices"], data["uv"])
    np.testing.assert_allclose(vertices, data["vtx_pos"], atol=1e-6)
    np.testing.assert_allclose(uv, data["vtx_uv"], atol=1e-6)
    np.testing.assert_array_equal(data["uv"], uv_before)


def test_raster_rules_to_the_bit(load: Load) -> None:
    data = load("raster_rules")
    flat = rasterise_reference(data["clip"], data["faces"], 16, 16)
    assert_raster(flat, data["findex"], data["bary"], 2e-7)
    pinhole = rasterise_reference(data["clip_persp"], data["faces"], 16, 19)
    assert_raster(pinhole, data["findex_persp"], data["bary_persp"], 2e-7)


def test_raster_of_a_mesh_to_the_bit(load: Load) -> None:
    data = load("raster_mesh")
    vertices, faces = data["vtx_pos"], data["faces"]
    for i, view in enumerate(reference_camera.reference_views()):
        raster = draw(vertices, faces, view, 64)
        assert_raster(raster, data[f"findex{i}"], data[f"bary{i}"], 2e-7)
        z = interpolate(view.camera_space(vertices)[:, 2], faces, raster.face, raster.bary)
        np.testing.assert_allclose(z, data[f"zcam{i}"].ravel()[raster.pixel], atol=2e-5)
    oblong = rasterise_reference(data["rect_clip"][0], faces, 48, 80)
    assert_raster(oblong, data["rect_findex"], data["rect_bary"], 2e-7)


def test_control_maps(load: Load) -> None:
    data = load("control_maps")
    vertices, faces = data["mesh_vtx_pos"], data["faces"]
    rasters = [draw(vertices, faces, view, 64) for view in reference_camera.reference_views()]
    for i, (normal, position) in enumerate(control_maps.control_maps(rasters, vertices, faces)):
        for made, wanted in ((normal, data[f"normal{i}"]), (position, data[f"position{i}"])):
            difference = np.abs(made.astype(int) - wanted)
            assert difference.max() <= 1
            assert np.count_nonzero(difference) <= 0.001 * difference.size
    first = rasters[0]
    normals = first.image(control_maps.normal_values(first, vertices, faces), 1)
    positions = first.image(control_maps.position_values(first, vertices, faces), 1)
    np.testing.assert_allclose(normals, data["normal0_f"], atol=2e-5)
    np.testing.assert_allclose(positions, data["position0_f"], atol=2e-5)


def share_within(made: Any, wanted: Any, tolerance: float = 1e-4) -> float:
    difference = np.abs(made - wanted)
    return float((difference.reshape(made.shape[0] * made.shape[1], -1).max(axis=1) <= tolerance).mean())


def test_back_projection_of_one_view(load: Load) -> None:
    data, mesh = load("backproject_k2"), load("bake_6views")
    faces = mesh["faces"].astype(np.int32)
    vertices, uv = reference_camera.normalised(mesh["vertices"], mesh["uv"])
    for i, angles in enumerate([(0, 0), (180, -90)]):
        view = reference_camera.reference_view(*angles)
        raster = draw(vertices, faces, view, 128)
        made = splat.backproject(data[f"image{i}"], raster, view, vertices, faces, uv, 96, render_px=512)
        assert share_within(made.texture, data[f"texture{i}"]) >= 0.9999
        assert share_within(made.cosine, data[f"cos{i}"][:, :, 0]) >= 0.9999
        if i == 0:
            seen = splat.trusted_pixels(raster, view, vertices, faces, uv, render_px=512)
            np.testing.assert_array_equal(seen.edges > 0, data["edges0"][:, :, 0] > 0)
            np.testing.assert_allclose(seen.row_column, data["kept_uv0"], atol=1e-5)
            np.testing.assert_allclose(seen.cosine, data["kept_cos0"][:, 0], atol=1e-5)


def bake(data: Tensors, order: tuple[int, ...]) -> tuple[Any, Any]:
    faces = data["faces"].astype(np.int32)
    vertices, uv = reference_camera.normalised(data["vertices"], data["uv"])
    views = reference_camera.reference_views()
    splats = (
        splat.backproject(
            data[f"image{i}"], draw(vertices, faces, views[i], 128), views[i], vertices, faces, uv, 96, render_px=256
        )
        for i in order
    )
    return splat.merge(splats, [reference_camera.VIEW_WEIGHTS[i] for i in order])


def test_six_views_merge_into_one_texture(load: Load) -> None:
    data = load("bake_6views")
    texture, painted = bake(data, (0, 1, 2, 3, 4, 5))
    assert share_within(texture, data["texture"]) >= 0.9999
    np.testing.assert_array_equal(painted, data["trust"][:, :, 0] > 0)


def test_a_view_that_shows_nothing_new_is_left_out(load: Load) -> None:
    data = load("bake_6views")
    texture, painted = bake(data, (0, 1, 2, 3, 4, 5))
    again, painted_again = bake(data, (0, 1, 2, 3, 4, 5, 0))
    np.testing.assert_array_equal(texture, again)
    np.testing.assert_array_equal(painted, painted_again)


def test_gaps_are_filled_alike(load: Load) -> None:
    data = load("inpaint")
    np.testing.assert_array_equal(data["pos_idx"], data["uv_idx"])
    mesh = data["vtx_pos"], data["pos_idx"], data["vtx_uv"]
    texture, painted = spread_along_mesh(data["texture"], data["mask"] > 0, *mesh)
    np.testing.assert_allclose(texture, data["vertex_texture"], atol=1e-5)
    np.testing.assert_array_equal(painted, data["vertex_mask"] > 0)
    filled = inpaint(data["texture"], data["mask"] > 0, *mesh, tick=lambda share: None)
    near = np.abs(filled.astype(int) - data["cv_inpainted"]).max(axis=2) <= 2
    assert near.mean() >= 0.99


def test_bytes_survive_the_trip_through_floats(load: Load) -> None:
    data = load("inpaint")
    twice = control_maps.to_bytes(control_maps.to_bytes(data["cv_inpainted"] / np.float32(255)) / np.float32(255))
    np.testing.assert_array_equal(twice, data["final_uint8"])
