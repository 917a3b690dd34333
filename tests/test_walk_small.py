"""From a photo and a few words to painted meshes with the engine `small`, on tiny checkpoints."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from conftest import three_things
from tiny_triposr import CONFIG, tiny_tensors, write_tiny_model
from typer.testing import CliRunner

pytest.importorskip("tokenizers", reason="the extra 'small' is not installed")
pytest.importorskip("onnx")

from tiny_matte import save_matte
from tiny_owlvit import save_answering

import manymesh
from manymesh import onnx_network
from manymesh.cli.app import app
from manymesh.pipeline import Pipeline
from manymesh.run.folder import Run
from manymesh.settings import Settings
from manymesh.shape.triposr import stage as triposr
from manymesh.weights import entries

PROMPT = "disc, banana, bar"
# Around the disc and around the bar, as shares of the photo; the columns are disc, banana and bar.
BOXES = [(0.1875, 0.48, 0.25, 0.32), (0.453, 0.52, 0.12, 0.58)]
LOGITS = [(3.0, -9.0, -9.0), (-9.0, -9.0, -1.0)]
SCORES = {"disc": 0.953, "bar": 0.269}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All networks of `small`. TripoSR's random field is a body that is red in front and blue behind."""
    folder = tmp_path_factory.mktemp("weights")
    save_answering(folder / "owlvit", BOXES, LOGITS, side_px=320)
    save_matte(folder, "isnet", side_px=128)
    write_tiny_model(folder, two_coloured())
    return folder


def two_coloured() -> dict[str, np.ndarray]:
    """The tiny checkpoint, red where the network's x, which points at the camera, is positive; blue elsewhere."""
    tensors = tiny_tensors()
    side = CONFIG.plane_tokens
    front = np.where((np.arange(side) + 0.5) / side > 0.5, 1.0, -1.0) * 12
    # Planes 0 and 1 have x along their columns. Channel 1 becomes red, channel 3 blue, each summed over the planes.
    tensors["tokenizer.embeddings"][:, 1:4] = 0
    tensors["tokenizer.embeddings"][0, 1] = front
    tensors["tokenizer.embeddings"][0, 2] = -12
    tensors["tokenizer.embeddings"][0, 3] = -front
    for name in ("backbone.proj_out.weight", "backbone.proj_out.bias"):
        tensors[name] = tensors[name] * np.float32(0.01)
    return tensors


@pytest.fixture(autouse=True)
def _level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every camera counts as level, so that the small network of ``lite`` need not run."""
    monkeypatch.setattr(triposr, "believed_rotation", lambda rgba: np.eye(3))


def checked(folder: Path) -> dict[str, Any]:
    """A finished run's manifest, after what every such run must have."""
    manifest = json.loads((folder / "run.json").read_text("utf-8"))
    assert manifest["state"] == "done"
    assert manifest["engine"] == "small"
    assert manifest["implementations"] == {
        "detect": "owlvit", "matte": "isnet", "shape": "triposr", "paint": "photo-and-shape",
    }  # fmt: skip
    found = {(one["label"], one["source"]): one["score"] for one in manifest["objects"]}
    assert found == {(name, "owlvit"): pytest.approx(score, abs=1e-3) for name, score in SCORES.items()}
    assert manifest["missing_names"] == ["banana"]
    assert "No 'banana' was found in the photo." in manifest["warnings"]
    for one in manifest["objects"]:
        mesh = trimesh.load(folder / one["files"]["model"]["path"], force="mesh")
        assert mesh.extents.max() == pytest.approx(2, abs=1e-4)
        assert any("outlines of photo and shape agree" in note for note in one["warnings"])
    return manifest  # type: ignore[no-any-return]


def test_the_command_line_makes_meshes_of_what_is_named_and_says_who_found_what(
    weights: Path, photo_path: Path, tmp_path: Path
) -> None:
    arguments = ["make", str(photo_path), "--prompt", PROMPT, "--engine", "small", "--out", str(tmp_path / "runs")]
    arguments += ["--weights-dir", str(weights), "--texture-size", "64", "--faces", "1500"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    (folder,) = (path.parent for path in (tmp_path / "runs").glob("*/run.json"))
    checked(folder)
    assert "banana" in done.output


def test_a_run_that_is_found_first_and_resumed_equals_one_from_python_in_one_go(
    weights: Path, photo_path: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"engine": "small", "prompt": PROMPT, "weights_dir": weights}
    settings |= {"texture_size": 64, "faces": 1500}
    whole = manymesh.make(photo_path, out=tmp_path / "whole", **settings)
    checked(whole.folder)
    found = Pipeline(Settings(**settings)).find(photo_path, tmp_path / "parts")
    done = CliRunner().invoke(app, ["resume", str(found.folder)])
    assert done.exit_code == 0, done.output
    checked(found.folder)
    again = Run.open(found.folder)
    for one, two in zip(whole.objects, again.manifest.objects, strict=True):
        assert one.record.files["model"].sha256 == two.files["model"].sha256


def test_each_network_is_gone_when_the_next_opens(
    weights: Path, photo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, weakref.ref[Any]]] = []
    alive: dict[str, list[str]] = {}

    def watched(network: Any, name: str) -> None:
        alive[name] = [other for other, reference in opened if reference() is not None]
        opened.append((name, weakref.ref(network)))

    class Network(onnx_network.OnnxNetwork):
        def __init__(self, path: Path, graph: entries.Graph) -> None:
            super().__init__(path, graph)
            watched(self, path.name)

    class Model(triposr.ShapeModel):
        def __init__(self, weights_dir: Path | None) -> None:
            super().__init__(weights_dir)
            watched(self, "triposr")

    for module in ("manymesh.detect.owlvit.stage", "manymesh.matte.onnx_matte.stage"):
        monkeypatch.setattr(f"{module}.OnnxNetwork", Network)
    monkeypatch.setattr(triposr, "ShapeModel", Model)
    settings = Settings(engine="small", prompt=PROMPT, weights_dir=weights, texture_size=64, faces=1500)
    with Pipeline(settings) as pipeline:
        pipeline.make([photo_path], tmp_path / "runs")
    assert alive == {"model_quantized.onnx": [], "isnet-general-use.onnx": [], "triposr": []}
    assert [name for name, reference in opened if reference() is not None] == []


def test_the_photos_pixels_are_in_front_and_the_shapes_own_colours_behind(weights: Path, tmp_path: Path) -> None:
    # Green on its left half, red on its right: a mirrored texture would show.
    picture = np.asarray(three_things(640, 480)).copy()
    reds = (picture[..., 0] > 150) & (picture[..., 1] < 90)
    columns = np.nonzero(reds.any(axis=0))[0]
    middle = (columns[0] + columns[-1]) // 2
    left = reds.copy()
    left[:, middle:] = False
    picture[left] = (40, 160, 60)
    from PIL import Image

    Image.fromarray(picture).save(tmp_path / "halves.png")
    done = manymesh.make(
        tmp_path / "halves.png", out=tmp_path / "runs", engine="small", prompt=PROMPT, weights_dir=weights,
        texture_size=256, faces=3000,
    )  # fmt: skip
    mesh = done.objects[0].mesh
    image = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")).astype(int)
    place = np.clip((np.array([0, 1]) + np.asarray(mesh.visual.uv) * [1, -1]) * 255, 0, 255).round().astype(int)
    colors, points, normals = image[place[:, 1], place[:, 0]], mesh.vertices, mesh.vertex_normals
    seen, behind = normals[:, 2] > 0.8, normals[:, 2] < -0.8
    right_part, left_part = (points[:, 0] > 0.15) & seen, (points[:, 0] < -0.15) & seen
    assert min(right_part.sum(), left_part.sum(), behind.sum()) > 20
    assert (colors[right_part][:, 0] > 2 * colors[right_part][:, 1]).mean() > 0.9
    assert (colors[left_part][:, 1] > 2 * colors[left_part][:, 0]).mean() > 0.9
    deep = behind & (points[:, 2] < np.quantile(points[behind][:, 2], 0.5))
    assert (colors[deep][:, 2] > colors[deep][:, 0]).mean() > 0.9


def test_in_a_cutout_of_two_things_the_named_ones_box_decides(weights: Path, tmp_path: Path) -> None:
    from PIL import Image

    # A red disc on a grey plate, both opaque before nothing; and the disc alone, which the transparency outlines.
    for plate in (True, False):
        rows, columns = np.indices((240, 320))
        rgba = np.zeros((240, 320, 4), np.uint8)
        if plate:
            rgba[(abs(rows - 115) < 90) & (abs(columns - 90) < 85)] = (150, 150, 150, 255)
        rgba[np.hypot(rows - 115, columns - 60) < 34] = (190, 40, 35, 255)
        Image.fromarray(rgba).save(tmp_path / "cutout.png")
        settings = Settings(engine="small", prompt=PROMPT, weights_dir=weights, texture=False, faces=400)
        run = Pipeline(settings).find(tmp_path / "cutout.png", tmp_path / "runs")
        record = run.manifest.objects[0]
        made = Pipeline().resume(run.folder)
        cutout = made.load(made.manifest.objects[0], "cutout").rgba
        solid = cutout[cutout[..., 3] > 200].astype(int)
        assert (solid[:, 0] > 2 * solid[:, 1]).mean() > 0.95
        assert len(solid) > 2500
        assert (run.load(record, "crop").alpha is None) == plate
