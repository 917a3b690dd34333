"""TripoSR without torch: its numbers, its surface, its camera, and a whole run with a tiny checkpoint."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from parity_path import parity_dir
from scipy.ndimage import binary_dilation, find_objects, label
from tiny_triposr import CONFIG, INSIDE, OUTSIDE, disc_cutout, no_tick, summing_decoder, write_tiny_model

from manymesh.dev.parity import rows_of
from manymesh.engines import BUILTIN, find_stage
from manymesh.errors import Cancelled, MissingPieceError, ObjectError
from manymesh.mesh.inspect import inspect
from manymesh.paint.shape_colors import SurfaceColors, channel_lines
from manymesh.pipeline import Pipeline
from manymesh.render.camera import eye_position, orbit, project
from manymesh.render.silhouette import silhouette_iou
from manymesh.settings import Settings
from manymesh.shape.learned import pose, predict, session
from manymesh.shape.triposr import STAGE, field, stage, surface
from manymesh.shape.triposr.arithmetic import Weights
from manymesh.shape.triposr.field import Field, Lattice
from manymesh.shape.triposr.preprocess import Frame
from manymesh.shape.triposr.surface import extract_surface, refined_volume
from manymesh.shape.triposr.view import fit_view
from manymesh.types import Mesh


def test_every_recorded_number_is_ours() -> None:
    rows = list(rows_of(parity_dir("triposr")))
    assert len(rows) > 100
    assert [row for row in rows if not row.passed] == []


# A box off the centre, in the network's frame: +X towards the camera, +Y the picture's right, +Z up.
LOW, HIGH = np.array([-0.1, 0.1, -0.5]), np.array([0.3, 0.4, 0.2])


def box_field(texels: int = 64) -> Field:
    """Solid in the box, white where x is over its middle, else black."""
    place = ((np.arange(texels) + 0.5) / texels * 2 - 1) * CONFIG.radius
    inside = [(place > low) & (place < high) for low, high in zip(LOW, HIGH, strict=True)]
    planes = np.zeros((3, CONFIG.plane_channels, texels, texels), np.float32)
    for plane, (across, down) in enumerate(((0, 1), (0, 2), (1, 2))):
        planes[plane, 0] = np.where(inside[down][:, None] & inside[across][None], 0, OUTSIDE)
    planes[0, 1:] = np.where(place > (LOW + HIGH)[0] / 2, 20, -20)
    return Field(Weights(summing_decoder(CONFIG)), CONFIG, planes)


def box_in_the_picture(side: int) -> np.ndarray:
    """(side, side) uint8: the box as the published camera sees it, by the pinhole's own rule."""
    import cv2

    corners = np.array([[x, y, z] for x in (LOW[0], HIGH[0]) for y in (LOW[1], HIGH[1]) for z in (LOW[2], HIGH[2])])
    spread = (1.9 - corners[:, 0]) * 2 * math.tan(math.radians(20))
    pixels = np.stack([0.5 + corners[:, 1] / spread, 0.5 - corners[:, 2] / spread], axis=1) * side
    picture = np.zeros((side, side), np.uint8)
    return cv2.fillConvexPoly(picture, cv2.convexHull(np.round(pixels - 0.5).astype(np.int32)), 255)


def test_a_box_comes_out_upright_where_it_is_and_coloured() -> None:
    mesh, notes = extract_surface(box_field(), no_tick)
    assert notes == ()
    assert inspect(mesh).solid
    texel = 2 * CONFIG.radius / 64
    # Ours: X is the picture's right, Y up, Z towards the camera.
    assert np.allclose(mesh.vertices.min(axis=0), LOW[[1, 2, 0]], atol=texel)
    assert np.allclose(mesh.vertices.max(axis=0), HIGH[[1, 2, 0]], atol=texel)
    front = mesh.vertices[:, 2] > 0.15
    assert mesh.colors is not None
    assert mesh.colors[front].min() > 200
    assert mesh.colors[mesh.vertices[:, 2] < 0.05].max() < 60


@pytest.mark.parametrize("moved", [(0, 0), (12, -9)])
def test_the_camera_lays_the_mesh_onto_the_photo_and_tells_a_mirror_image(moved: tuple[int, int]) -> None:
    mesh, _ = extract_surface(box_field(), no_tick)
    seen = np.roll(box_in_the_picture(300), moved, axis=(1, 0))
    # The cutout shows more on the left and less at the bottom than the network saw.
    alpha = np.pad(seen, ((0, 0), (40, 0)))[:290]
    view = fit_view(mesh, Frame(40, 0, 300), alpha)
    assert view.iou > 0.93
    assert view.mirrored_iou < 0.6
    assert silhouette_iou(view.camera, mesh.vertices, mesh.faces, alpha, 512) > 0.93
    assert "agree by" in view.note
    turned = fit_view(mesh, Frame(0, 0, 300), np.ascontiguousarray(box_in_the_picture(300)[:, ::-1]))
    assert "mirror image" in turned.note


def test_a_mesh_of_a_centred_picture_is_seen_by_the_nominal_camera() -> None:
    mesh, _ = extract_surface(box_field(), no_tick)
    view = fit_view(mesh, Frame(0, 0, 300), box_in_the_picture(300))
    middle = ((LOW + HIGH) / 2)[[1, 2, 0]]
    pixels, depth = project(view.camera, middle[None], 300, 300)
    spread = (1.9 - middle[2]) * 2 * math.tan(math.radians(20))
    assert np.allclose(pixels[0], [300 * (0.5 + middle[0] / spread), 300 * (0.5 - middle[1] / spread)], atol=3)
    assert depth[0] == pytest.approx(1.9 - middle[2], abs=1e-6)


def test_near_the_surface_the_values_are_those_of_the_whole_lattice() -> None:
    rng = np.random.default_rng(3)
    planes = rng.standard_normal((3, CONFIG.plane_channels, 16, 16)).astype(np.float32) * 4
    field = Field(Weights(summing_decoder(CONFIG)), CONFIG, planes)
    lattice = Lattice(field, 49)
    level = INSIDE + 3
    dense = lattice.raw_density(np.indices((49,) * 3).reshape(3, -1).T).reshape((49,) * 3) - np.float32(level)
    volume = refined_volume(lattice, dense[::3, ::3, ::3].copy(), level, 3, no_tick)
    wrong = (volume > 0) != (dense > 0)
    assert wrong.mean() < 0.002
    # What is missed are specks smaller than two blocks that nothing else touches.
    for where in find_objects(label(wrong)[0]):
        assert max(part.stop - part.start for part in where) < 6
    assert count_differing_crossings(volume, dense, ~binary_dilation(wrong, np.ones((3, 3, 3)))) == 0


def test_progress_of_the_surface_never_goes_back(monkeypatch) -> None:
    for module in (field, surface):  # many steps in each pass
        monkeypatch.setattr(module, "POINTS", 500)
    planes = np.random.default_rng(3).standard_normal((3, CONFIG.plane_channels, 16, 16)).astype(np.float32) * 4
    lattice = Lattice(Field(Weights(summing_decoder(CONFIG)), CONFIG, planes), 49)
    level = INSIDE + 3
    coarse = lattice.raw_density(3 * np.indices((17,) * 3).reshape(3, -1).T).reshape((17,) * 3) - np.float32(level)
    told: list[float] = []
    refined_volume(lattice, coarse, level, 3, told.append)
    assert told == sorted(told)
    assert told.count(1) > 1, "there was only one pass"


def count_differing_crossings(volume: np.ndarray, dense: np.ndarray, mask: np.ndarray) -> int:
    """Ends of grid edges with a change of sign whose values are not the same, where ``mask`` holds."""
    crossed = np.zeros(dense.shape, bool)
    for axis in range(3):
        change = np.diff(dense > 0, axis=axis)
        for end in (0, 1):
            where = [slice(None)] * 3
            where[axis] = slice(end, end + change.shape[axis])
            crossed[tuple(where)] |= change
    return int((volume[crossed & mask] != dense[crossed & mask]).sum())


def test_a_field_that_is_empty_or_full_fails_this_object_alone() -> None:
    for value, says in ((-20.0, "nothing solid"), (20.0, "no outside")):
        planes = np.full((3, CONFIG.plane_channels, 8, 8), value, np.float32)
        with pytest.raises(ObjectError, match=says):
            extract_surface(Field(Weights(summing_decoder(CONFIG)), CONFIG, planes), no_tick)


def test_a_thin_object_is_read_at_a_lower_density_and_says_so() -> None:
    field = box_field(32)
    # Densities between 10 and 25 inside.
    field.bias -= INSIDE - 1.0 - math.log(15)
    mesh, notes = extract_surface(field, no_tick)
    assert len(mesh.faces)
    assert "very thin" in notes[0]


@pytest.fixture
def level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every camera counts as level, so that the small network of ``lite`` need not run."""
    monkeypatch.setattr(stage, "believed_rotation", lambda rgba: np.eye(3))


def test_progress_rises_and_a_cancelled_shape_ends_at_the_next_report(tmp_path: Path, level: None) -> None:
    write_tiny_model(tmp_path)
    told: list[float] = []
    with STAGE.open(Settings(weights_dir=tmp_path)) as shape:
        shape(disc_cutout(), seed=0, tick=told.append)
        assert told == sorted(told)
        assert told[-1] == 1
        assert sum(0.1 < done < 0.92 for done in told) >= 2 * CONFIG.layers * CONFIG.heads
        count = 0

        def stop(done: float) -> None:
            nonlocal count
            count += 1
            if count > 12:
                raise Cancelled("stop")

        with pytest.raises(Cancelled):
            shape(disc_cutout(), seed=0, tick=stop)
        assert count == 13


def test_the_same_cutout_gives_the_same_numbers_whatever_the_seed(tmp_path: Path, level: None) -> None:
    write_tiny_model(tmp_path)
    with STAGE.open(Settings(weights_dir=tmp_path)) as shape:
        one, two = (shape(disc_cutout(), seed=seed, tick=no_tick) for seed in (1, 2))
    assert one.mesh.vertices.tobytes() == two.mesh.vertices.tobytes()
    assert one.mesh.faces.tobytes() == two.mesh.faces.tobytes()
    assert one.mesh.colors.tobytes() == two.mesh.colors.tobytes()
    assert np.array_equal(one.view.world_to_clip, two.view.world_to_clip)


def test_a_whole_run_makes_a_textured_mesh(tmp_path: Path, photo_path: Path) -> None:
    write_tiny_model(tmp_path / "weights")
    settings = Settings(
        engine="lite",
        stages=("shape=triposr", "paint=photo-and-shape"),
        weights_dir=tmp_path / "weights",
        boxes=("20,75,100,155:apple",),
        texture_size=64,
        faces=2000,
    )
    with Pipeline(settings) as pipeline:
        run = pipeline.make([photo_path], tmp_path / "runs")[0]
    (record,) = run.manifest.objects
    assert record.error is None
    assert any("outlines of photo and shape agree" in note for note in record.warnings)
    mesh = run.load(record, "model").atlas
    assert np.isclose(np.ptp(mesh.vertices, axis=0).max(), 2, atol=1e-4)


def test_without_weights_the_stage_names_the_command_that_brings_them(tmp_path: Path) -> None:
    assert BUILTIN["shape"]["triposr"]
    assert "manymesh models pull triposr" in str(find_stage("shape", "triposr").missing(Settings()))


def test_a_shape_seen_from_above_is_stood_up_with_its_camera(tmp_path: Path, monkeypatch) -> None:
    write_tiny_model(tmp_path)
    made = []
    for elevation in (0.0, 30.0):
        rotation = orbit(0.0, elevation, 0.0)[:3, :3]
        monkeypatch.setattr(stage, "believed_rotation", lambda rgba, rotation=rotation: rotation)
        with STAGE.open(Settings(weights_dir=tmp_path)) as shape:
            made.append(shape(disc_cutout(), seed=0, tick=no_tick))
    level, above = made
    # The same picture of the same surface; in the second the eye is 30 degrees above it.
    for one in made:
        assert silhouette_iou(one.view, one.mesh.vertices, one.mesh.faces, disc_cutout().rgba[..., 3], 120) > 0.8
    pixels = [project(one.view, one.mesh.vertices, 120, 120)[0] for one in made]
    assert np.allclose(*pixels, atol=1e-2)
    eyes = [eye_position(one.view) for one in made]
    assert np.degrees(np.arctan2(eyes[1][1], eyes[1][2])) - np.degrees(np.arctan2(eyes[0][1], eyes[0][2])) > 20
    assert not np.allclose(level.mesh.vertices, above.mesh.vertices)


def test_without_the_small_network_the_shape_stands_as_seen_and_says_so(tmp_path: Path, monkeypatch) -> None:
    def absent() -> None:
        raise MissingPieceError("onnxruntime is missing")

    monkeypatch.setattr(session, "ShapeNetwork", absent)
    write_tiny_model(tmp_path)
    with STAGE.open(Settings(weights_dir=tmp_path)) as shape:
        notes = shape(disc_cutout(), seed=0, tick=no_tick).notes
    assert "The object's tilt is not known; it stands as the camera saw it." in notes


class FailingNetwork:
    def close(self) -> None:
        """Nothing is open."""

    def __call__(self, pictures: object) -> list[dict[str, np.ndarray]]:
        raise RuntimeError("the shape network failed")


def test_a_small_network_that_fails_leaves_the_tilt_unknown_and_a_mistake_of_ours_does_not(monkeypatch) -> None:
    monkeypatch.setattr(session, "ShapeNetwork", FailingNetwork)
    assert stage.believed_rotation(disc_cutout().rgba) is None

    def mistaken(pose: np.ndarray) -> None:
        raise ValueError("shapes do not match")

    monkeypatch.setattr(predict, "predict", lambda network, picture: SimpleNamespace(pose=None))
    monkeypatch.setattr(pose, "read_pose", mistaken)
    with pytest.raises(ValueError, match="shapes do not match"):
        stage.believed_rotation(disc_cutout().rgba)


def test_colours_of_the_shape_follow_the_photos_light_and_meet_it_without_a_seam() -> None:
    rng = np.random.default_rng(0)
    own = rng.uniform(0.3, 0.6, (400, 3))
    photo = np.clip(own * 1.4 - 0.1, 0, 1)
    weight = np.where(np.arange(400) < 200, 1.0, 0.0)
    gain, offset = channel_lines(own, photo, weight)
    assert np.allclose(gain * own + offset, photo, atol=1e-6)
    gain, offset = channel_lines(own, photo, np.zeros(400))
    assert np.array_equal(gain * own + offset, own)


def test_a_texel_takes_its_colour_from_its_own_side_of_a_thin_wall() -> None:
    # Two sheets nearer to each other than their vertices are: red above, its green growing with x; blue below.
    side = 11
    row, column = np.indices((side, side)).reshape(2, -1)
    flat = np.stack([column, row], axis=1) / (side - 1)
    sheets = [np.c_[flat, np.full(len(flat), z)] for z in (0.005, -0.005)]
    corner = (row * side + column)[(row < side - 1) & (column < side - 1)]
    up = np.concatenate([corner[:, None] + np.array(t) for t in ((0, 1, side), (1, side + 1, side))])
    faces = np.concatenate([up, up[:, ::-1] + len(flat)]).astype(np.int32)
    above = np.stack([np.full(len(flat), 255), 200 * flat[:, 0], np.zeros(len(flat))], axis=1)
    colors = np.concatenate([above, np.full((len(flat), 3), (0, 0, 255))]).astype(np.uint8)
    look_up = SurfaceColors(Mesh(np.concatenate(sheets).astype(np.float32), faces, colors))
    points = np.random.default_rng(0).uniform(0.1, 0.9, (200, 3)).astype(np.float32)
    points[:, 2] = -0.004  # a reduced mesh may lie on the wrong side of the middle
    found = 255 * look_up(points, np.tile(np.array([0, 0, 1], np.float32), (200, 1)))
    assert np.abs(found - np.stack([np.full(200, 255), 200 * points[:, 0], np.zeros(200)], axis=1)).max() < 12
    below = look_up(points, np.tile(np.array([0, 0, -1], np.float32), (200, 1)))
    assert np.allclose(below, (0, 0, 1), atol=0.02)


def test_the_surface_is_closed_where_the_solid_meets_the_box() -> None:
    volume = np.ones((5, 5, 5), np.float32)
    surface.close_border(volume)
    assert (volume[0] < 0).all()
    assert (volume[:, :, -1] < 0).all()
    assert volume[2, 2, 2] == 1
