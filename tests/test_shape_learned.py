"""From a cutout to the network's crop, and from its prediction to a mesh: shapes by formula, a perfect network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_shapes import SHAPES, View, look_at, perfect_network
from scipy.spatial import cKDTree

from manymesh.errors import ObjectError
from manymesh.mesh import marching_table
from manymesh.mesh.inspect import inspect
from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.render.camera import orbit, project, to_clip
from manymesh.render.raster import rasterise
from manymesh.shape.learned import contract
from manymesh.shape.learned.field import iso_level
from manymesh.shape.learned.meshing import camera_to_crop, crop_to_camera, taubin_smooth
from manymesh.shape.learned.pose import likeliest_azimuth, read_pose
from manymesh.shape.learned.predict import Prediction, mean_prediction, mirror_prediction
from manymesh.shape.learned.preprocess import CropSquare, area_average, crop_square, network_input
from manymesh.shape.learned.stage import cutout_camera, reconstruct
from manymesh.types import Box, Cutout, Mesh, ShapeResult

PX = 288
VIEWS = {"ball": (20.0, 12.0), "chair": (30.0, 18.0)}


@pytest.fixture(scope="module")
def views() -> dict[str, View]:
    return {name: look_at(SHAPES[name], *angles, px=PX, grid=96, depths=160) for name, angles in VIEWS.items()}


def cutout_of(view: View) -> Cutout:
    return Cutout(np.dstack([np.full((*view.alpha.shape, 3), 140, np.uint8), view.alpha]), Box(0, 0, PX, PX))


@pytest.fixture(scope="module")
def made(views: dict[str, View]) -> dict[str, ShapeResult]:
    return {
        name: reconstruct(perfect_network(view), cutout_of(view), lambda share: None) for name, view in views.items()
    }


def truth(view: View) -> Mesh:
    """The true surface in the canonical frame."""
    points = view.vertices @ view.to_shape[:3, :3].T + view.to_shape[:3, 3]
    low, high = points.min(0), points.max(0)
    return Mesh(((points - (low + high) / 2) * 2 / (high - low).max()).astype(np.float32), view.faces)


def surface_points(mesh: Mesh, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    weights = rng.dirichlet(np.ones(3), count)
    return np.einsum("nk,nkc->nc", weights, corners[rng.choice(len(area), count, p=area / area.sum())])


@pytest.mark.parametrize("name", VIEWS)
def test_a_perfect_network_gives_the_true_surface(views: Any, made: Any, name: str) -> None:
    """Upright and with its front to +Z, without any alignment: distances are in the box's half length."""
    expected, found = surface_points(truth(views[name]), 8000, seed=0), surface_points(made[name].mesh, 8000, seed=1)
    forth, back = cKDTree(expected).query(found)[0], cKDTree(found).query(expected)[0]
    limit = 0.05  # 8,000 random points lie about 0.03 apart
    assert (forth < limit).mean() > 0.985
    assert (back < limit).mean() > 0.985


@pytest.mark.parametrize("name", VIEWS)
def test_the_mesh_is_closed_and_has_one_component(made: Any, name: str) -> None:
    checked = inspect(made[name].mesh)
    assert checked.solid
    assert checked.components == 1
    assert made[name].mesh.vertices.min() == -1 or made[name].mesh.vertices.max() == 1


@pytest.mark.parametrize("name", VIEWS)
def test_the_mesh_projects_onto_the_cutout(views: Any, made: Any, name: str) -> None:
    made_shape = made[name]
    seen = rasterise(to_clip(made_shape.view, made_shape.mesh.vertices), made_shape.mesh.faces, PX, PX).mask
    inside = views[name].alpha > 127
    assert (seen & inside).sum() / (seen | inside).sum() > 0.98


def test_normals_are_smooth_where_front_and_back_meet(made: Any) -> None:
    """On a ball every normal points away from the centre, also along the silhouette."""
    mesh = made["ball"].mesh
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    centre = corners.mean(axis=1)
    eye = np.linalg.inv(made["ball"].view.world_to_camera)[:3, 3]
    outward = centre / np.linalg.norm(centre, axis=1)[:, None]
    ray = (eye - centre) / np.linalg.norm(eye - centre, axis=1)[:, None]
    seam = np.abs((ray * outward).sum(axis=1)) < 0.4
    off = np.degrees(np.arccos(np.clip((normal * outward).sum(axis=1)[seam] / area[seam], -1, 1)))
    assert (off * area[seam]).sum() / area[seam].sum() < 3
    assert np.percentile(off, 95) < 8


def test_vertex_colors_are_the_predicted_back_colors(made: Any) -> None:
    colors = made["ball"].mesh.colors
    assert colors is not None
    assert np.abs(colors.astype(int) - [204, 102, 26]).max() <= 1


def test_an_object_of_unknown_azimuth_keeps_facing_the_camera(views: Any) -> None:
    view = views["chair"]
    pose = view.outputs["pose"].copy()
    pose[contract.AZIMUTH] = 0
    unsure = View(view.alpha, {**view.outputs, "pose": pose}, view.vertices, view.faces, view.to_shape, 0.25)
    made_shape = reconstruct(perfect_network(unsure), cutout_of(view), lambda share: None)
    camera_x = np.linalg.inv(made_shape.view.world_to_camera)[:3, 0]
    assert camera_x == pytest.approx([1, 0, 0], abs=1e-9)


def test_an_empty_cutout_raises_an_object_error() -> None:
    with pytest.raises(ObjectError):
        crop_square(np.zeros((20, 20), np.uint8))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(20, 400), st.integers(20, 400), st.integers(0, 60), st.integers(0, 60))
def test_the_crop_centres_the_object(width: int, height: int, left: int, top: int) -> None:
    rgba = np.zeros((top + height + 30, left + width + 10, 4), np.uint8)
    rgba[top : top + height, left : left + width] = (200, 100, 50, 255)
    picture = network_input(rgba, crop_square(rgba[..., 3]))
    assert picture.shape == (4, contract.IMAGE_PX, contract.IMAGE_PX)
    covered = picture[3].sum() / contract.IMAGE_PX**2
    assert covered == pytest.approx(contract.FILL**2 * min(width, height) / max(width, height), rel=0.06)
    assert np.abs(picture[3] - picture[3][::-1, ::-1]).max() < 1e-4
    np.testing.assert_allclose(picture[0], picture[3] * 200 / 255, rtol=0, atol=1e-5)


def test_area_average_keeps_the_mean_and_is_zero_outside() -> None:
    layers = np.random.default_rng(0).random((90, 70, 2), dtype=np.float32)
    small = area_average(layers, CropSquare(0, 0, 90), 30)
    assert small[:, :, :23].mean(axis=(1, 2)) == pytest.approx(layers[:, :69].mean(axis=(0, 1)), abs=1e-5)
    assert (small[:, :, 24:] == 0).all()


def test_mirroring_a_prediction_twice_gives_it_back() -> None:
    rng = np.random.default_rng(0)
    prediction = Prediction(
        rng.normal(size=(4, 6, 6)).astype(np.float32),
        rng.normal(size=(8, 6, 6)).astype(np.float32),
        rng.normal(size=contract.POSE_SIZE).astype(np.float32),
    )
    twice = mirror_prediction(mirror_prediction(prediction))
    for one, other in zip(vars(prediction).values(), vars(twice).values(), strict=True):
        assert np.array_equal(one, other)
    flipped = mirror_prediction(prediction)
    assert likeliest_azimuth(flipped.pose[contract.AZIMUTH])[0] == pytest.approx(
        -likeliest_azimuth(prediction.pose[contract.AZIMUTH])[0], abs=1e-4
    )


def test_the_mean_of_two_predictions_that_disagree_has_a_larger_variance() -> None:
    empty = np.zeros((1, 1, 1), np.float32)
    one, other = (Prediction(empty, empty, np.zeros(contract.POSE_SIZE, np.float32)) for _ in range(2))
    one.pose[contract.ELEVATION], other.pose[contract.ELEVATION] = 0.1, 0.5
    one.pose[contract.ELEVATION_LOG_VARIANCE] = other.pose[contract.ELEVATION_LOG_VARIANCE] = -8
    both = mean_prediction(one, other).pose
    assert both[contract.ELEVATION] == pytest.approx(0.3)
    assert both[contract.ELEVATION_LOG_VARIANCE] == pytest.approx(np.log(0.04 + np.exp(-8)), abs=1e-4)


def test_an_uncertain_elevation_falls_back_to_the_prior() -> None:
    values = np.zeros(contract.POSE_SIZE, np.float32)
    values[contract.ELEVATION] = np.radians(50)
    values[contract.ELEVATION_LOG_VARIANCE] = 2 * np.log(np.radians(0.5))
    assert read_pose(values).elevation_deg == pytest.approx(50, abs=0.2)
    values[contract.ELEVATION_LOG_VARIANCE] = 2 * np.log(np.radians(90))
    assert read_pose(values).elevation_deg == pytest.approx(17, abs=2)


def test_crop_and_camera_coordinates_are_inverse_and_agree_with_the_camera() -> None:
    rng = np.random.default_rng(0)
    u, v, d = rng.uniform(-0.4, 0.4, (3, 50))
    points = crop_to_camera(u, v, d, 0.3)
    assert np.stack(camera_to_crop(points, 0.3)) == pytest.approx(np.stack([u, v, d]))
    square = CropSquare(-30.0, 12.5, 200.0)
    pixels, _ = project(cutout_camera(0.3, square, 170, 230), points, 170, 230)
    expected = np.stack([square.left_px + (u + 0.5) * 200, square.top_px + (0.5 - v) * 200], axis=1)
    assert pixels == pytest.approx(expected, abs=1e-6)


def test_the_iso_level_preserves_the_expected_volume(views: Any) -> None:
    rng = np.random.default_rng(0)
    inside = np.ones((contract.GRID, contract.GRID), bool)
    logits = rng.normal(-1.2, 1.5, (8, contract.GRID, contract.GRID)).astype(np.float32)
    solid = (logits > iso_level(logits, inside)).sum()
    assert solid == pytest.approx((1 / (1 + np.exp(-logits))).sum(), rel=0.02)


def test_taubin_smoothing_removes_ripples_and_keeps_the_size() -> None:
    line = np.linspace(-1.3, 1.3, 40)
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)
    vertices, faces = marching_cubes((1 - np.linalg.norm(grid, axis=-1)).astype(np.float32))
    vertices = vertices * (line[1] - line[0]) - 1.3
    rough = vertices + np.random.default_rng(0).normal(0, 0.01, vertices.shape)
    radius = np.linalg.norm(taubin_smooth(rough, faces), axis=1)
    assert radius.std() < 0.5 * np.linalg.norm(rough, axis=1).std()
    assert radius.mean() == pytest.approx(1, abs=0.01)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.tuples(*[st.integers(3, 12)] * 3))
def test_marching_cubes_closes_any_volume(seed: int, form: tuple[int, int, int]) -> None:
    volume = np.random.default_rng(seed).normal(size=form).astype(np.float32)
    for axis in range(3):
        np.moveaxis(volume, axis, 0)[[0, -1]] = -1
    if not (volume > 0).any():
        return
    checked = inspect(Mesh(*marching_cubes(volume)))
    assert checked.solid
    assert checked.degenerate == 0


def test_the_scene_places_a_turned_object_as_the_photo_shows_it(views: Any, made: Any) -> None:
    """Turned back by the azimuth, upright, and as large as in the photo."""
    from manymesh.run.scene import placement

    made_shape = made["chair"]
    matrix = placement(made_shape.mesh.vertices, made_shape.view, Box(100, 50, 100 + PX, 50 + PX), 800, 600)
    scale = np.cbrt(np.linalg.det(matrix[:3, :3]))
    assert matrix[:3, :3] / scale == pytest.approx(orbit(VIEWS["chair"][0], 0, 0)[:3, :3], abs=0.01)
    corners = made_shape.mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]
    low, high = (corners.min(0) + corners.max(0)) / 2, np.ptp(corners, axis=0)
    columns, rows = (
        np.flatnonzero((views["chair"].alpha > 127).any(0)),
        np.flatnonzero((views["chair"].alpha > 127).any(1)),
    )
    centre = np.array([100 + columns.mean() - 400, 300 - 50 - rows.mean()]) / 400
    assert low[:2] == pytest.approx(centre, abs=0.01)
    assert high[0] == pytest.approx(np.ptp(columns) / 400, rel=0.12)


def test_the_packaged_marching_cubes_table_equals_the_derived_one() -> None:
    packaged, derived = marching_table.table(), marching_table.derived()
    for mine, other in zip(packaged, derived, strict=True):
        assert mine.dtype == other.dtype
        assert np.array_equal(mine, other)
