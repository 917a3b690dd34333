"""The learned shape stage as the pipeline uses it: opened once, falling back to inflation. Its network is tiny."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_learned import BACK_COLOR, slab_pose, write_tiny

from manymesh.engines import stages_of
from manymesh.errors import MissingPieceError
from manymesh.mesh.inspect import inspect
from manymesh.onnx import write_digest
from manymesh.paint.projection import paint_from_photo
from manymesh.paint.symmetry import find_mirror_plane
from manymesh.pipeline import Pipeline
from manymesh.render.camera import orthographic, to_clip
from manymesh.render.raster import rasterise
from manymesh.settings import Settings
from manymesh.shape.learned import contract, session
from manymesh.shape.learned.stage import STAGE
from manymesh.types import Box, Cutout

pytest.importorskip("onnx")


def disc(side: int = 160) -> Cutout:
    y, x = np.indices((side, side)) - side / 2 + 0.5
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[..., :3] = (200, 60, 40)
    rgba[..., 3] = np.clip((0.36 * side - np.hypot(x, y)) * 255 + 127, 0, 255)
    return Cutout(rgba, Box(0, 0, side, side))


def shape_of(cutout: Cutout) -> Any:
    with STAGE.open(Settings()) as shape:
        return shape(cutout, seed=0, tick=lambda share: None)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_tiny(tmp_path / "lite-shape.onnx")
    monkeypatch.setattr(session, "WEIGHTS", path)
    return path


def test_lite_uses_the_learned_shape_stage() -> None:
    assert stages_of("lite", Settings())["shape"].name == "learned"
    assert stages_of("lite", Settings(stages=("shape=inflate",)))["shape"].name == "inflate"


def test_a_disc_becomes_a_slab(tiny: Path) -> None:
    made = shape_of(disc())
    assert made.notes == ()
    assert inspect(made.mesh).solid
    seen = rasterise(to_clip(made.view, made.mesh.vertices), made.mesh.faces, 160, 160).mask
    inside = disc().rgba[..., 3] > 127
    assert (seen & inside).sum() / (seen | inside).sum() > 0.97
    assert np.abs(made.mesh.colors / 255 - BACK_COLOR).max() < 0.01


def test_the_same_cutout_gives_the_same_mesh(tiny: Path) -> None:
    one, two = shape_of(disc()), shape_of(disc())
    assert np.array_equal(one.mesh.vertices, two.mesh.vertices)
    assert np.array_equal(one.mesh.faces, two.mesh.faces)


def test_a_missing_file_falls_back_to_inflation_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WEIGHTS", tmp_path / "none.onnx")
    made = shape_of(disc())
    assert len(made.notes) == 1
    assert "none.onnx' is missing" in made.notes[0]
    assert made.mesh.colors is None


@pytest.mark.parametrize("damage", ["cut short", "not onnx", "another network", "no digest"])
def test_a_damaged_file_falls_back_to_inflation(tiny: Path, damage: str) -> None:
    if damage == "cut short":
        tiny.write_bytes(tiny.read_bytes()[:-10])
    elif damage == "not onnx":
        tiny.write_bytes(b"hello")
        write_digest(tiny)
    elif damage == "another network":
        write_tiny(tiny, outputs=2)
    else:
        tiny.with_suffix(".json").write_text("{}")
    with pytest.raises(MissingPieceError):
        session.ShapeNetwork()
    assert "inflated" in shape_of(disc()).notes[0]


def test_without_onnxruntime_the_stage_inflates(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "onnxruntime is not installed" in shape_of(disc()).notes[0]


@pytest.mark.parametrize("failure", ["numbers that are not finite", "nothing solid"])
def test_a_failed_prediction_inflates_that_object(tiny: Path, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if failure == "nothing solid":
        monkeypatch.setattr("manymesh.shape.learned.stage.extract_mesh", lambda *given: _no_mesh())
    else:
        pose = slab_pose()
        pose[0, contract.ELEVATION] = np.nan
        write_tiny(tiny, pose=pose)
    made = shape_of(disc())
    assert failure in made.notes[0]
    assert inspect(made.mesh).solid


def test_an_onnxruntime_error_inflates_that_object(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    class BrokenError(Exception):  # like onnxruntime's own: no RuntimeError
        pass

    def fail(*given: Any) -> Any:
        raise BrokenError("no memory for a tensor")

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", fail)
    made = shape_of(disc())
    assert "the shape network failed: no memory for a tensor" in made.notes[0]
    assert inspect(made.mesh).solid


def test_the_packaged_network_is_intact_and_keeps_a_discs_outline() -> None:
    made = shape_of(disc())
    assert made.notes == ()
    assert inspect(made.mesh).solid
    raster = rasterise(to_clip(made.view, made.mesh.vertices), made.mesh.faces, 160, 160)
    inside = disc().rgba[..., 3] > 127
    assert (raster.mask & inside).sum() / (raster.mask | inside).sum() > 0.95


def _no_mesh() -> Any:
    from manymesh.types import Mesh

    return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))


def test_a_known_front_faces_plus_z(tiny: Path) -> None:
    write_tiny(tiny, pose=slab_pose(azimuth_bin=22))  # 45 degrees; the mirrored picture says -45
    unsure = shape_of(disc())
    assert unsure.view.world_to_camera[0, 0] == pytest.approx(1, abs=1e-6)  # two predictions far apart: no known front
    write_tiny(tiny, pose=slab_pose(azimuth_bin=18))  # 5 degrees, mirrored -5: both near the front
    near = shape_of(disc())
    assert near.view.world_to_camera[0, 0] > 0.99


def test_a_whole_run_with_a_network(tiny: Path, tmp_path: Path, photo_path: Path) -> None:
    run = Pipeline(Settings(engine="lite", faces=3000, texture_size=128)).make([photo_path], tmp_path / "runs")[0]
    assert run.manifest.state == "done"
    assert run.manifest.implementations["shape"] == "learned"
    for record in run.manifest.objects:
        assert not any("inflated" in warning for warning in record.warnings)
        assert record.facts["watertight"]
        assert record.facts["faces"] <= 3000
        shares = record.facts["paint"]["texels"]
        assert sum(shares.values()) == pytest.approx(1, abs=0.01)
        assert shares["photo"] > 0.15


def test_the_front_is_painted_from_the_photo_and_the_back_from_the_prediction(tiny: Path) -> None:
    cutout = disc()
    made = shape_of(cutout)
    painted = paint_from_photo(made.mesh, made.view, cutout, 128, lambda share: None)
    normals = np.zeros((len(painted.atlas.vertices), 3))
    corners = painted.atlas.vertices[painted.atlas.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for corner in range(3):
        np.add.at(normals, painted.atlas.faces[:, corner], flat)
    towards = normals @ np.linalg.inv(made.view.world_to_camera)[:3, 2]
    towards /= np.linalg.norm(normals, axis=1)
    texel = np.clip(painted.atlas.uv * 128, 0, 127).astype(int)
    colors = painted.base_color[texel[:, 1], texel[:, 0]].astype(int)
    central = np.linalg.norm(painted.atlas.vertices[:, :2], axis=1) < 0.4
    assert np.abs(colors[(towards > 0.7) & central] - [200, 60, 40]).max() < 12
    back = colors[(towards < -0.7) & central].mean(axis=0)
    assert np.linalg.norm(back - [200, 60, 40]) > 20


def test_a_box_has_a_mirror_plane_and_a_spiral_has_none() -> None:
    from mesh_samples import box, spiral

    view = orthographic(1.5, azimuth_deg=30)
    plane = find_mirror_plane(box(), view)
    assert plane is not None
    assert abs(plane.offset) < 0.02
    angle = np.degrees(np.arctan2(plane.normal[2], plane.normal[0])) % 45
    assert min(angle, 45 - angle) < 2
    assert find_mirror_plane(spiral(), view) is None
