"""From a photo to painted meshes with the real `lite` engine, silhouettes inflated: what a user gets, looked at from
outside. (The learned shapes have tests of their own: what a network models is not known to the pixel.)
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from conftest import three_things
from gltf_validator import validate
from PIL import Image

import manymesh
from manymesh.api import Result
from manymesh.pipeline import Pipeline
from manymesh.render.camera import to_clip
from manymesh.render.raster import rasterise
from manymesh.run.artifacts import load_view
from manymesh.settings import Settings

QUICK = {"faces": 4000, "texture_size": 256, "engine": "lite", "stages": ("shape=inflate",)}
FORMATS = "glb,obj,stl,ply,3mf"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One run that the tests of this module look at, and none changes."""
    folder = tmp_path_factory.mktemp("walk")
    three_things(480, 360).save(folder / "things.png")
    return manymesh.make(folder / "things.png", out=folder / "runs", formats=FORMATS, **QUICK)


# Where only equality is asked for, less is drawn.
SMALL = {**QUICK, "faces": 1000, "texture_size": 64, "formats": FORMATS}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A smaller run, to be made again."""
    folder = tmp_path_factory.mktemp("small")
    three_things(240, 180).save(folder / "things.png")
    return manymesh.make(folder / "things.png", out=folder / "runs", **SMALL)


def test_every_object_is_found_and_made(result: Result) -> None:
    assert result.manifest.state == "done"
    assert [made.label for made in result.objects] == ["object-01", "object-02", "object-03"]
    assert [made.box.x0 for made in result.objects] == sorted(made.box.x0 for made in result.objects)


def test_the_run_folder_holds_what_the_docs_promise(result: Result) -> None:
    assert {p.name for p in result.folder.iterdir()} == {
        "input.png", "detections.png", "objects", "scene.glb", "sheet.png", "run.json", ".lock",
    }  # fmt: skip
    files = {p.name for p in (result.folder / "objects" / "01-object").iterdir()}
    assert {"crop.png", "mask.png", "cutout.png", "shape.glb", "mesh.glb", "model.glb", "preview.png"} <= files
    assert {"model.obj", "model.stl", "model.ply", "model.3mf"} <= files
    assert any(name.endswith(".mtl") for name in files)


def test_meshes_are_closed_within_the_budget_and_in_the_houses_frame(result: Result) -> None:
    for made in result.objects:
        mesh = trimesh.load(made.files["mesh"], force="mesh", process=False)
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.volume > 0
        assert len(mesh.faces) <= QUICK["faces"]
        extents = mesh.bounds[1] - mesh.bounds[0]
        assert extents.max() == pytest.approx(2.0, abs=1e-5)
        assert np.abs(mesh.bounds.mean(0)).max() < 1e-5


def test_a_hole_in_the_outline_is_a_hole_in_the_mesh(result: Result) -> None:
    assert [made.record.facts["genus"] for made in result.objects] == [0, 0, 1]


def test_the_mesh_falls_onto_its_cutout(result: Result) -> None:
    for made in result.objects:
        alpha = made.cutout[..., 3]
        mesh = trimesh.load(made.files["mesh"], force="mesh", process=False)
        clip = to_clip(load_view(made.record), np.asarray(mesh.vertices))
        seen = rasterise(clip, np.asarray(mesh.faces, np.int32), *alpha.shape).mask
        inside = alpha > 127
        assert (seen & inside).sum() / (seen | inside).sum() > 0.97


def test_the_texture_shows_the_photos_colours_on_both_sides(result: Result) -> None:
    expected = [(190, 40, 35), (30, 130, 50), (35, 60, 170)]
    for made, color in zip(result.objects, expected, strict=True):
        mesh = made.mesh
        image = mesh.visual.material.baseColorTexture
        assert image.size == (256, 256)
        uv = np.asarray(mesh.visual.uv)
        place = np.clip((np.array([0, 1]) + uv * [1, -1]) * 255, 0, 255).round().astype(int)
        colors = np.asarray(image.convert("RGB"))[place[:, 1], place[:, 0]].astype(int)
        assert np.abs(colors - color).max(axis=1).mean() < 12
        for side in (mesh.vertex_normals[:, 2] > 0.5, mesh.vertex_normals[:, 2] < -0.5):
            assert np.abs(colors[side] - color).max() < 40


def test_every_glb_passes_khronos_validator(result: Result, tmp_path: Path) -> None:
    paths = [result.scene, *(made.files[role] for made in result.objects for role in ("shape", "mesh", "model"))]
    for issues in validate([path.read_bytes() for path in paths if path is not None], tmp_path):
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]


def test_materials_are_neutral(result: Result) -> None:
    material = result.objects[0].mesh.visual.material
    assert (material.metallicFactor, material.roughnessFactor) == (0.0, 1.0)


def test_the_scene_has_every_object_where_it_stood(result: Result) -> None:
    assert result.scene is not None
    scene = trimesh.load_scene(result.scene)
    assert set(scene.graph.nodes_geometry) == {"object-01", "object-02", "object-03"}
    width, height = result.manifest.input.width, result.manifest.input.height
    for made in result.objects:
        matrix, geometry = scene.graph[made.label]
        corners = trimesh.transform_points(scene.geometry[geometry].vertices, matrix)
        low, high = corners.min(0), corners.max(0)
        unit = 2 / max(width, height)
        expected = np.array([made.box.x0 - width / 2, height / 2 - made.box.y1]) * unit
        assert np.abs(low[:2] - expected).max() < 3 * unit
        expected = np.array([made.box.x1 - width / 2, height / 2 - made.box.y0]) * unit
        assert np.abs(high[:2] - expected).max() < 3 * unit
        assert abs(low[2] + high[2]) < 1e-4


def test_every_recorded_file_is_there_with_its_digest(result: Result) -> None:
    from manymesh.run.folder import Run

    run = Run.open(result.folder)
    recorded = [*run.manifest.files.values(), *(f for r in run.manifest.objects for f in r.files.values())]
    assert all(run.intact(file) for file in recorded)
    on_disk = {p.relative_to(run.folder).as_posix() for p in run.folder.rglob("*") if p.is_file()}
    assert on_disk == {file.path for file in recorded} | {"run.json", ".lock"}


def test_previews_show_something(result: Result) -> None:
    assert result.sheet is not None
    for path in [result.sheet, *(made.files["preview"] for made in result.objects)]:
        with Image.open(path) as image:
            assert np.asarray(image.convert("RGB")).std() > 10


def test_the_same_again_is_the_same_bytes(small: Result, tmp_path: Path) -> None:
    again = manymesh.make(small.manifest.input.path, out=tmp_path / "again", **SMALL)
    assert len(again.objects) == 3
    for one, two in zip(small.objects, again.objects, strict=True):
        assert {r: f.sha256 for r, f in one.record.files.items()} == {r: f.sha256 for r, f in two.record.files.items()}
    for role in ("scene", "sheet"):
        assert small.manifest.files[role].sha256 == again.manifest.files[role].sha256


def test_a_fresh_process_gives_the_same_bytes(small: Result, tmp_path: Path) -> None:
    """With another order of Python's hashes and another number of threads."""
    script = f"import manymesh, sys; manymesh.make(sys.argv[1], out=sys.argv[2], **{SMALL!r})"
    environment = os.environ | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "3"}
    command = [sys.executable, "-c", script, small.manifest.input.path, str(tmp_path / "runs")]
    subprocess.run(command, check=True, env=environment, timeout=120)
    (folder,) = (tmp_path / "runs").iterdir()
    for made in small.objects:
        for role, file in made.record.files.items():
            assert hashlib.sha256((folder / file.path).read_bytes()).hexdigest() == file.sha256, role


@pytest.mark.parametrize("die_after", ["detections.png", "shape.glb", "model.glb"])
def test_a_killed_run_resumes_to_the_same_bytes(small: Result, tmp_path: Path, die_after: str) -> None:
    """Kill -9 just after a certain file was written, then resume: as if nothing had happened."""
    out = tmp_path / "runs"
    script = f"""
import os, signal, sys
from manymesh.pipeline import Pipeline
from manymesh.run.folder import Run
from manymesh.settings import Settings

write = Run.write

def write_and_die(run, name, *given, **more):
    record = write(run, name, *given, **more)
    if name == {die_after!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    return record

Run.write = write_and_die
Pipeline(Settings(**{SMALL!r})).make([sys.argv[1]], sys.argv[2])
"""
    killed = subprocess.run([sys.executable, "-c", script, small.manifest.input.path, str(out)], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    (folder,) = out.iterdir()
    assert not (folder / "sheet.png").exists()
    run = Pipeline().resume(folder)
    assert run.manifest.state == "done"
    for made, record in zip(small.objects, run.manifest.objects, strict=True):
        assert {r: f.sha256 for r, f in made.record.files.items()} == {r: f.sha256 for r, f in record.files.items()}
    assert small.manifest.files["scene"].sha256 == run.manifest.files["scene"].sha256


def test_the_users_own_cutout_takes_the_place_of_ours(result: Result, tmp_path: Path) -> None:
    import shutil

    from manymesh.run.edit import replace_cutouts

    folder = tmp_path / "copy"
    shutil.copytree(result.folder, folder)
    mine = np.zeros((120, 90, 4), np.uint8)
    mine[20:100, 20:70] = (250, 200, 10, 255)
    Image.fromarray(mine).save(tmp_path / "mine.png")
    run = Pipeline().resume(folder, lambda opened: replace_cutouts(opened, {2: tmp_path / "mine.png"}))
    assert run.manifest.state == "done"
    before, after = result.manifest.objects, run.manifest.objects
    assert [a.files["model"].sha256 == b.files["model"].sha256 for a, b in zip(after, before, strict=True)] == [
        True, False, True,
    ]  # fmt: skip
    mesh = trimesh.load(folder / after[1].files["mesh"].path, force="mesh", process=False)
    extents = mesh.bounds[1] - mesh.bounds[0]
    assert extents[0] / extents[1] == pytest.approx(50 / 80, abs=0.03)


def test_the_users_boxes_name_the_objects(tmp_path: Path, photo_path: Path) -> None:
    run = Pipeline(Settings(boxes=("20,75,100,155:apple", "195,75,295,175"), texture=False, **QUICK)).make(
        [photo_path], tmp_path / "runs"
    )[0]
    assert [(r.label, r.state) for r in run.manifest.objects] == [("apple", "done"), ("object-02", "done")]
    assert run.manifest.objects[1].facts["genus"] == 1
    assert "model" not in run.manifest.objects[0].files


@pytest.mark.parametrize("kind", ["uniform", "noise", "fills everything"])
def test_a_photo_without_a_foreground_is_taken_whole_and_said(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    pixels = np.full((96, 128, 3), 120, np.uint8) if kind == "uniform" else rng.integers(0, 255, (96, 128, 3), np.uint8)
    if kind == "fills everything":
        pixels = np.asarray(three_things(320, 240).crop((30, 85, 90, 145)).resize((128, 96)))
    path = tmp_path / "x.png"
    Image.fromarray(pixels).save(path)
    run = Pipeline(Settings(**{**QUICK, "faces": 500, "texture": False})).make([path], tmp_path / "runs")[0]
    assert [record.source for record in run.manifest.objects] == ["whole photo"]
    assert any("whole photo" in text for text in run.manifest.warnings)
    assert run.manifest.state == "done"


def test_nothing_of_torch_is_loaded(tmp_path: Path) -> None:
    three_things().crop((0, 40, 110, 180)).save(tmp_path / "disc.png")
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'transformers', 'diffusers', 'gradio'])); "
        "import manymesh; run = manymesh.make(sys.argv[1], out=sys.argv[2], faces=500, texture_size=64); "
        "assert run.manifest.state == 'done'"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "disc.png"), str(tmp_path / "r")], check=True, env=environment
    )


def test_objects_left_out_are_said_with_the_real_detector_too(tmp_path: Path, photo_path: Path) -> None:
    run = Pipeline(Settings(max_objects=1, **QUICK)).find(photo_path, tmp_path / "runs")
    assert len(run.manifest.objects) == 1
    assert any("More than 1 objects" in text for text in run.manifest.warnings)
