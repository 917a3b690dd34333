"""From a photo to a textured GLB with all four networks, in the official layouts, very small and random."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tiny_birefnet
import tiny_shape
import trimesh
from full_walk import DETECTOR_TOKENS, Watch, cutting_at, detector_names_two_things, two_things
from gltf_validator import assert_valid
from parity_path import parity_dir
from PIL import Image, ImageDraw
from tiny_paint import write_all
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("yaml", reason="pyyaml is not installed")

from manymesh.cli.app import app  # noqa: E402
from manymesh.pipeline import Pipeline  # noqa: E402
from manymesh.run.folder import Run  # noqa: E402
from manymesh.settings import Settings  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = {
    "detector_tokens": DETECTOR_TOKENS,
    "steps": 2,
    "grid": 24,
    "faces": 800,
    "paint_steps": 2,
    "delight_steps": 2,
    "paint_view_size": 64,
    "render_size": 128,
    "texture_size": 64,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights")
    (root / "qwen3-vl-2b").symlink_to(parity_dir("qwen3vl-tiny"))
    tiny_birefnet.save(root / "birefnet-general" / "model.safetensors", cutting_at(-0.42))
    tiny_shape.write_checkpoint(root)
    return write_all(root)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc on clear ground, for painting a mesh by."""
    picture = Image.new("RGBA", (96, 80), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((18, 10, 78, 70), fill=(190, 90, 35, 255))
    path = tmp_path_factory.mktemp("photo") / "thing.png"
    picture.save(path)
    return path


NETWORKS = {
    "Qwen3VLForConditionalGeneration",
    "BiRefNet",
    "Conditioner",
    "Dit",
    "ShapeVae",
    "TextEncoder",
    "UNet",
    "ReferenceUNet",
    "MultiviewUNet",
    "ImageVae",
}


@dataclass(frozen=True)
class Walked:
    run: Run
    watch: Watch


@pytest.fixture(scope="module")
def walked(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """One walk of two objects."""
    settings = Settings(prompt="block, ball", engine="hunyuan", weights_dir=weights, devices=("cpu",), **QUICK)
    photo, watch = two_things(tmp_path_factory.mktemp("photo") / "two.png"), Watch(NETWORKS)
    with pytest.MonkeyPatch.context() as patch, detector_names_two_things(weights / "qwen3-vl-2b"):
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        (made,) = Pipeline(settings, on_event=watch).make([photo], tmp_path_factory.mktemp("runs"))
    return Walked(made, watch)


def test_a_photo_becomes_textured_meshes(walked: Walked) -> None:
    manifest = walked.run.manifest
    assert manifest.implementations == {
        "detect": "qwen3-vl",
        "matte": "birefnet",
        "shape": "hunyuan3d",
        "paint": "hunyuan3d-paint",
    }
    assert manifest.state == "done", [record.error for record in manifest.objects]
    assert [record.label for record in manifest.objects] == ["block", "ball"]
    files = [walked.run.folder / record.files["model"].path for record in manifest.objects]
    for path, record in zip(files, manifest.objects, strict=True):
        model = trimesh.load(path, force="mesh", process=False)
        assert 0 < len(model.faces) <= QUICK["faces"]
        material = model.visual.material
        assert (material.metallicFactor, material.roughnessFactor) == (0.0, 1.0)
        texture = np.asarray(material.baseColorTexture.convert("RGB"))
        assert texture.shape == (64, 64, 3)
        assert texture.std() > 3
        facts = record.facts["paint"]
        assert facts["texture_px"] == 64
        assert {"unwrap", "maps", "views", "bake", "fill"} <= facts["seconds"].keys()
    assert files[0].read_bytes() != files[1].read_bytes()


def test_its_glbs_are_valid(walked: Walked, tmp_path: Path) -> None:
    run = walked.run
    paths = [record.files["model"].path for record in run.manifest.objects] + [run.manifest.files["scene"].path]
    assert_valid([(run.folder / path).read_bytes() for path in paths], tmp_path)


def test_its_run_folder_is_complete(walked: Walked) -> None:
    run = walked.run
    assert {"input", "detections", "scene", "sheet"} <= run.manifest.files.keys()
    for record in run.manifest.objects:
        assert {"crop", "cutout", "shape", "mesh", "model", "preview"} <= record.files.keys()
        assert record.seconds.keys() == {"matte", "shape", "refine", "paint", "write"}
    for file in [*run.manifest.files.values(), *(f for r in run.manifest.objects for f in r.files.values())]:
        data = (run.folder / file.path).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256)


def test_every_stages_cost_is_in_the_manifest(walked: Walked) -> None:
    records = walked.run.manifest.stages
    order = ["load", "detect", "crop", "matte", "shape", "refine", "paint", "write", "finish"]
    assert [record.stage for record in records] == order
    for record in records:
        # Objects' seconds are added up, and two objects may be in hand at once. Rounded to 0.1 ms, each for itself.
        assert 0 < record.seconds <= 2 * record.wall_seconds + 0.001, record.stage
        assert record.load_seconds <= record.wall_seconds
        assert record.host_peak_bytes > 1 << 20
        assert (record.device_peak_bytes is None) == (not torch.cuda.is_available())
        assert (record.device_reserved_bytes is None) == (record.device_peak_bytes is None)
    assert [record.objects for record in records if record.stage in ("matte", "shape", "paint")] == [2, 2, 2]


def test_every_network_is_in_memory_for_its_own_turn_only(walked: Walked) -> None:
    assert walked.watch.at_work == {
        "detect": {"Qwen3VLForConditionalGeneration"},
        "matte": {"BiRefNet"},
        "shape": {"Dit", "ShapeVae"},
        "refine": set(),
        "paint": {"MultiviewUNet", "ImageVae"},
        "write": set(),
    }
    assert walked.watch.at_start == {stage: set() for stage in walked.watch.at_start}
    assert set(walked.watch.at_work) <= set(walked.watch.at_start)


def test_resuming_what_is_done_does_nothing_twice(walked: Walked) -> None:
    folder = walked.run.folder
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name not in ("run.json", ".lock")}
    stages = list(walked.run.manifest.stages)
    for _ in range(2):
        watch = Watch(NETWORKS)
        again = Pipeline(on_event=watch).resume(folder)
        assert again.manifest.state == "done"
        assert again.manifest.stages == stages
        assert "stage-started" not in watch.kinds
        assert {path: path.stat().st_mtime_ns for path in before} == before


def paint(mesh: Path, photo: Path, out: Path, *more: str) -> dict[str, object]:
    """What ``manymesh paint --json`` says, in this process."""
    arguments = ["paint", str(mesh), "--image", str(photo), "--out", str(out), "--json", "--texture-size", "64", *more]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def mug(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A torus far from the origin, without texture coordinates."""
    path = tmp_path_factory.mktemp("mesh") / "mug.ply"
    torus = trimesh.creation.torus(1, 0.4, major_sections=16, minor_sections=10)
    torus.apply_translation([10, 20, 30])
    torus.export(path)
    return path


def test_a_mesh_of_ones_own_is_painted_in_its_place(mug: Path, photo: Path, weights: Path, tmp_path: Path) -> None:
    options = [f"--{name.replace('_', '-')}={value}" for name, value in QUICK.items() if name != "texture_size"]
    record = paint(
        mug, photo, tmp_path, "--engine", "hunyuan", "--weights-dir", str(weights), "--device", "cpu", *options
    )
    made = trimesh.load(Path(str(record["folder"])) / "model.glb", force="mesh", process=False)
    given = trimesh.load(mug, process=False)
    np.testing.assert_array_equal(made.vertices[made.faces], np.float32(given.vertices)[given.faces])
    assert np.asarray(made.visual.material.baseColorTexture).std() > 3


def test_its_texture_coordinates_are_kept(mug: Path, photo: Path, tmp_path: Path) -> None:
    first = paint(mug, photo, tmp_path, "--engine", "lite", "--turn", "90", "--format", "obj")
    own = Path(str(first["folder"])) / "model.glb"
    again = paint(own, photo, tmp_path, "--engine", "lite")
    one, other = (
        trimesh.load(Path(str(record["folder"])) / "model.glb", force="mesh", process=False)
        for record in (first, again)
    )
    np.testing.assert_array_equal(one.faces, other.faces)
    np.testing.assert_array_equal(one.vertices, other.vertices)
    np.testing.assert_allclose(one.visual.uv, other.visual.uv, atol=1e-6)
    assert {"model.obj", "model.glb", "preview.png", "paint.json", "cutout.png"} <= set(first["files"])


def test_a_mesh_that_is_none_ends_with_one_sentence(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(b"nothing")
    command = [sys.executable, "-m", "manymesh", "paint", str(tmp_path / "a.glb"), "--image", str(photo)]
    done = subprocess.run([*command, "--engine", "lite"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    *progress, sentence = done.stderr.strip().splitlines()
    assert sentence.startswith("manymesh: ")
    assert all(line.startswith("Reading mesh") for line in progress)
