"""A run folder from a stranger: it cannot write outside itself, hang whoever opens it, or fill the memory."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import Diary, fake_plan

from manymesh.cli.show import tables
from manymesh.errors import InputError, ManymeshError, OutputError
from manymesh.image import png
from manymesh.mesh.formats import glb
from manymesh.pipeline import Pipeline
from manymesh.run.export import write_archive
from manymesh.run.folder import LOCK, MANIFEST, Run
from manymesh.run.manifest import ObjectRecord
from manymesh.types import Atlas, TexturedMesh
from manymesh.web import history
from manymesh.web.scratch import Scratch

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def run(photo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose objects are found and not yet made."""
    diary = Diary()
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: fake_plan(diary, settings))
    monkeypatch.setattr("manymesh.runner.steps.PREVIEW_PX", 32)
    return Pipeline().find(photo_path, tmp_path / "runs")


def forge(run: Run, change: Change) -> None:
    """Change the run's manifest as somebody with an editor would."""
    raw = json.loads((run.folder / MANIFEST).read_text())
    change(raw)
    (run.folder / MANIFEST).write_text(json.dumps(raw))


def first(raw: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = raw["objects"][0]
    return record


@pytest.mark.parametrize(
    "name",
    ["../../../victim/pwn", "01-../../victim", "/victim", "01-", "01", "02-object", "1-object", "01-Cup", "01-a/b",
     "01-a\\b", "01-a\n", "01-con", "01-" + "x" * 60, ""],
)  # fmt: skip
def test_an_objects_id_is_one_that_we_give(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").mkdir()
    forge(run, lambda raw: first(raw).update(id=name, files={}))
    with pytest.raises(InputError, match="damaged"):
        Pipeline().resume(run.folder)
    assert list((tmp_path / "victim").iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: first(raw)["files"]["crop"].update(path="../crop.png"),
        lambda raw: first(raw)["files"]["crop"].update(path="objects/02-object/crop.png"),
        lambda raw: first(raw)["files"]["crop"].update(path="objects/01-object/../../run.json"),
        lambda raw: first(raw)["files"]["crop"].update(path="objects/01-object/.crop.png"),
        lambda raw: first(raw)["files"]["crop"].update(sha256="../../x"),
        lambda raw: first(raw)["files"].update({"../crop": first(raw)["files"]["crop"]}),
        lambda raw: raw["files"]["input"].update(path="run.json"),
        lambda raw: raw["files"]["input"].update(path="/etc/passwd"),
        lambda raw: raw["files"]["input"].update(sha256="a/../../../thumb"),
        lambda raw: raw["objects"][1].update(index=1, id="01-other", files={}),
        lambda raw: raw["objects"].append(raw["objects"][0]),
    ],
)
def test_names_of_files_and_roles_are_ones_that_we_give(run: Run, change: Change) -> None:
    forge(run, change)
    with pytest.raises(InputError, match="damaged"):
        Run.open(run.folder)


def test_a_renamed_object_keeps_its_folder(run: Run) -> None:
    forge(run, lambda raw: first(raw).update(label="red cup"))
    assert Run.open(run.folder).manifest.objects[0].id == "01-object"


@pytest.mark.parametrize("place", ["objects", "objects/01-object"])
def test_nothing_is_written_through_a_link_out_of_the_folder(run: Run, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    (run.folder / place).rename(outside)
    (run.folder / place).symlink_to(outside)
    before = sorted(path.name for path in outside.rglob("*"))
    record = run.manifest.objects[0]
    with pytest.raises(InputError, match="outside its folder"):
        run.write("cutout.png", b"x", owner=record, role="cutout")
    assert sorted(path.name for path in outside.rglob("*")) == before


def test_a_link_in_the_place_of_a_temporary_file_is_not_followed(run: Run, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (run.folder / f".run.json.{os.getpid()}.part").symlink_to(victim)
    run.save()
    assert victim.read_text() == "precious"
    assert not (run.folder / "run.json").is_symlink()


def test_a_manifest_that_is_a_link_out_of_the_folder_is_not_read(run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere.json"
    (run.folder / "run.json").rename(outside)
    (run.folder / "run.json").symlink_to(outside)
    with pytest.raises(InputError, match="outside its folder"):
        Run.open(run.folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_manifest_with_numbers_that_json_lacks_is_damaged(run: Run, number: str) -> None:
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace('"score": 0.9', f'"score": {number}'))
    assert number in path.read_text()
    with pytest.raises(InputError, match="damaged"):
        Run.open(run.folder)


def test_a_lock_that_leads_elsewhere_is_not_taken(run: Run, tmp_path: Path) -> None:
    (run.folder / LOCK).unlink(missing_ok=True)
    (run.folder / LOCK).symlink_to(tmp_path / "victim")
    with pytest.raises(InputError, match="outside its folder"), run.locked():
        pytest.fail("the lock was taken")
    assert not (tmp_path / "victim").exists()


def hostile(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(2 << 30)  # takes no room on the disk


def scratch_in(folder: Path) -> Scratch:
    (folder / "scratch").mkdir()
    return Scratch(folder / "scratch")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "huge"])
def test_a_manifest_that_is_no_plain_file_is_refused_at_once(run: Run, tmp_path: Path, kind: str) -> None:
    hostile(run.folder / MANIFEST, kind)
    with pytest.raises(InputError):
        Run.open(run.folder)
    rows = history.list_runs(run.folder.parent, scratch_in(tmp_path))["runs"]
    assert [row["state"] for row in rows] == ["damaged"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "huge"])
def test_a_photo_that_is_no_plain_file_is_refused_at_once(run: Run, tmp_path: Path, kind: str) -> None:
    hostile(run.folder / "input.png", kind)
    assert "things" in tables(Run.open(run.folder))
    with pytest.raises(InputError):
        write_archive(Run.open(run.folder), io.BytesIO())
    (row,) = history.list_runs(run.folder.parent, scratch_in(tmp_path))["runs"]
    assert row["thumb"] is None
    with pytest.raises(InputError):
        Pipeline().resume(run.folder)


@pytest.mark.timeout(60)
def test_a_lock_that_is_a_pipe_is_refused_at_once(run: Run) -> None:
    hostile(run.folder / LOCK, "pipe")
    with pytest.raises(OutputError), run.locked():
        pytest.fail("the lock was taken")


def bomb(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that claims very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("role", ["cutout", "crop", "mask"])
def test_a_picture_in_a_run_folder_may_have_as_many_pixels_as_a_photo(run: Run, role: Any) -> None:
    record = run.manifest.objects[0]
    run.write(f"{role}.png", bomb(26_000, 26_000), owner=record, role=role)
    with pytest.raises(InputError, match="676 million pixels"):
        run.load(record, "crop" if role == "mask" else role)


def test_a_photo_in_a_run_folder_may_have_as_many_pixels_as_a_photo(run: Run) -> None:
    run.write("input.png", bomb(30_000, 30_000), role="input")
    with pytest.raises(InputError, match="900 million pixels"):
        run.load_photo()


def test_a_texture_in_a_run_folder_may_have_as_many_pixels_as_a_photo(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glb, "encode", lambda pixels: bomb(26_000, 26_000))
    forged = glb.write_glb(a_model())
    with pytest.raises(InputError, match="676 million pixels"):
        glb.read_painted_glb(forged)
    record: ObjectRecord = run.manifest.objects[0]
    run.write("model.glb", forged, owner=record, role="model")
    with pytest.raises(ManymeshError, match="676 million pixels"):
        run.load(record, "model")


def a_model() -> TexturedMesh:
    vertices = np.eye(3, dtype=np.float32)
    atlas = Atlas(vertices, np.array([[0, 1, 2]], np.int32), vertices[:, :2].copy(), np.arange(3, dtype=np.int32), "x")
    return TexturedMesh(atlas, np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("data", [b"", b"GIF89a", png.encode(np.zeros((4, 4, 3), np.uint8))[:40], bomb(0, 5)])
def test_a_damaged_picture_is_an_error_for_people(data: bytes) -> None:
    for decode in (png.decode, png.decode_mask, png.decode_rgba):
        with pytest.raises(InputError):
            decode(data)
