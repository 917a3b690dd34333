"""From a photo to a textured GLB with all four networks, in the official layouts, very small and random."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_birefnet
import tiny_shape
import trimesh
from gltf_validator import validate
from parity_path import parity_dir
from PIL import Image, ImageDraw
from tiny_paint import write_all

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("yaml", reason="pyyaml is not installed")

import manymesh  # noqa: E402

torch.set_num_threads(1)

QUICK = {
    "detector_tokens": 16,
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
    tiny_birefnet.save(root / "birefnet-general" / "model.safetensors", tiny_birefnet.tiny_state())
    tiny_shape.write_checkpoint(root)
    return write_all(root)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc on clear ground: what a random matte network would answer is not to be relied on."""
    picture = Image.new("RGBA", (96, 80), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((18, 10, 78, 70), fill=(190, 90, 35, 255))
    path = tmp_path_factory.mktemp("photo") / "thing.png"
    picture.save(path)
    return path


def test_a_photo_becomes_a_textured_mesh(weights: Path, photo: Path, tmp_path: Path) -> None:
    made = manymesh.make(
        photo,
        out=tmp_path,
        engine="hunyuan",
        weights_dir=weights,
        devices=("cpu",),
        whole_image_if_none=True,
        max_objects=1,
        **QUICK,
    )
    manifest = made.manifest
    assert manifest.engine == "hunyuan"
    assert manifest.implementations == {
        "detect": "qwen3-vl",
        "matte": "birefnet",
        "shape": "hunyuan3d",
        "paint": "hunyuan3d-paint",
    }
    assert manifest.state == "done", [record.error for record in manifest.objects]
    (thing,) = made.objects
    facts = thing.record.facts["paint"]
    assert facts["texture_px"] == 64
    assert {"views", "bake"} <= facts["seconds"].keys()
    material = thing.mesh.visual.material
    assert (material.metallicFactor, material.roughnessFactor) == (0.0, 1.0)
    texture = np.asarray(material.baseColorTexture.convert("RGB"))
    assert texture.shape == (64, 64, 3)
    assert texture.std() > 3
    (issues,) = validate([thing.files["model"].read_bytes()], tmp_path)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]


def paint(mesh: Path, photo: Path, out: Path, *more: str) -> dict[str, object]:
    command = [sys.executable, "-m", "manymesh", "paint", str(mesh), "--image", str(photo), "--out", str(out), "--json"]
    size = ["--texture-size", "64"]
    done = subprocess.run([*command, *size, *more], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
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


def test_a_mesh_that_is_none_is_one_line(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(b"nothing")
    command = [sys.executable, "-m", "manymesh", "paint", str(tmp_path / "a.glb"), "--image", str(photo)]
    done = subprocess.run([*command, "--engine", "lite"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1
