"""The run folder: nothing is lost, nothing leads out of it, no two runs share one."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manymesh.errors import InputError, OutputError, UsageError
from manymesh.image.crop import object_window
from manymesh.naming import slug
from manymesh.run.folder import LOCK, MANIFEST, Run
from manymesh.run.manifest import FileRecord, InputRecord, Manifest
from manymesh.settings import Settings
from manymesh.types import Box, Photo


def a_manifest(name: str = "desk") -> Manifest:
    return Manifest(
        manymesh="0",
        name="",
        created="2026-01-01T00:00:00+00:00",
        input=InputRecord(path="desk.jpg", name=name, sha256="0", width=4, height=3, scale=1.0),
        settings=Settings(),
        engine="lite",
        engine_reason="for tests",
        implementations={},
    )


def a_photo() -> Photo:
    return Photo(np.full((3, 4, 3), 200, np.uint8), None, "desk", "0")


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_a_slug_is_a_safe_path_component(text: str) -> None:
    part = slug(text)
    assert 1 <= len(part) <= 48
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in part)
    assert part[0] != "-"
    assert part[-1] != "-"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("Tasse à café", "tasse-a-cafe"),
        ("CON", "object-con"),
        ("茶", "object"),
        ("", "object"),
    ],
)
def test_hostile_and_foreign_labels_become_plain(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_no_two_runs_share_a_folder(tmp_path: Path) -> None:
    folders = {Run.create(tmp_path / "runs", a_manifest(), a_photo()).folder for _ in range(5)}
    assert len(folders) == 5
    assert all(folder.name.split("-", 2)[2].startswith("desk") for folder in folders)


def test_a_run_reads_back_what_it_wrote(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    run.write("crop.png", b"pixels", role="crop")
    run.save()
    again = Run.open(run.folder)
    assert again.manifest == run.manifest
    assert again.read(again.manifest.files["crop"]) == b"pixels"
    assert sorted(p.name for p in run.folder.rglob("*") if p.is_file()) == ["crop.png", "input.png", "run.json"]


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    run.write("a.bin", b"one", role="a")
    (run.folder / "a.bin").write_bytes(b"two")
    assert not run.intact(run.manifest.files["a"])
    with pytest.raises(InputError, match="has changed"):
        run.read(run.manifest.files["a"])


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../secret"])
def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path: Path, path: str) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    with pytest.raises(InputError, match="outside its folder"):
        run.read(FileRecord(path=path, bytes=1, sha256="0"))


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', '{"schema_version": 1}', "[" * 100_000, "\xff"])
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: str) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    (run.folder / MANIFEST).write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError):
        Run.open(run.folder)


def test_a_manifest_of_another_version_names_both(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    raw = json.loads((run.folder / MANIFEST).read_text())
    (run.folder / MANIFEST).write_text(json.dumps({**raw, "schema_version": 99}))
    with pytest.raises(InputError, match="schema version 99"):
        Run.open(run.folder)


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run folder"):
        Run.open(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    run.write("a.bin", b"old", role="a")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="disk is full"):
        run.write("a.bin", b"new", role="a")
    assert (run.folder / "a.bin").read_bytes() == b"old"
    assert run.intact(run.manifest.files["a"])
    assert not list(run.folder.rglob("*.part"))


def test_an_output_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("I am in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        Run.create(blocker / "runs", a_manifest(), a_photo())


def test_a_run_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    with run.locked(), pytest.raises(UsageError, match="another process"), run.locked():
        pytest.fail("the lock did not hold")
    with run.locked():
        assert (run.folder / LOCK).exists()


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    script = (
        "import sys, os; from pathlib import Path; from manymesh.run.folder import Run; "
        "held = Run.open(Path(sys.argv[1])).locked(); held.__enter__(); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", script, str(run.folder)], env=environment, check=False)
    assert killed.returncode == -9
    with run.locked():
        assert (run.folder / LOCK).exists()


def test_whoever_takes_the_lock_reads_what_the_one_before_wrote(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    other = Run.open(run.folder)
    run.manifest.warnings.append("changed meanwhile")
    run.save()
    with other.locked():
        assert other.manifest.warnings == ["changed meanwhile"]


def test_a_lock_reads_nothing_anew_when_nobody_else_has_written(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    before = run.manifest
    with run.locked():
        assert run.manifest is before


def test_a_checkpoint_saves_at_most_every_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    run.manifest.warnings.append("a warning")
    run.checkpoint()
    assert Run.open(run.folder).manifest.warnings == []
    monkeypatch.setattr("manymesh.run.folder.CHECKPOINT_S", 0.0)
    run.checkpoint()
    assert Run.open(run.folder).manifest.warnings == ["a warning"]


def test_a_manifest_of_the_first_version_gets_its_windows(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    raw = json.loads((run.folder / MANIFEST).read_text())
    raw["input"] |= {"width": 100, "height": 80}
    record = {"index": 1, "id": "01-cup", "label": "cup", "box": [10, 10, 30, 30], "source": "x", "seed": 1}
    raw["objects"] = [record, {**record, "index": 2, "id": "02-cup", "window": None}]
    (run.folder / MANIFEST).write_text(json.dumps(raw))
    windows = [record.window for record in Run.open(run.folder).manifest.objects]
    assert windows == [object_window(Box(10, 10, 30, 30), 100, 80)] * 2
