"""Stopping, dying and resuming, on stages that cost nothing: what was made stays, and the rest is made later."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import Diary
from pipeline_fixtures import Make, diary, final_bytes, make

from manymesh.errors import (
    Cancelled,
    ObjectError,
    OutputError,
)
from manymesh.events import Cancel, Event
from manymesh.pipeline import Pipeline
from manymesh.run.folder import Run

__all__ = ["diary", "make"]  # fixtures that tests here use


def test_resume_tries_again_what_failed_and_keeps_the_rest(diary: Diary, make: Make, tmp_path: Path) -> None:
    def fail_second(call: int) -> None:
        if call == 2:
            raise ObjectError("It would not", "Try again.")

    diary.hooks["shape"] = fail_second
    run = make()
    whole = final_bytes(make())
    diary.hooks.clear()
    diary.calls.clear()
    again = Pipeline().resume(run.folder)
    assert diary.calls == ["shape", "paint"]
    assert again.manifest.state == "done"
    assert final_bytes(again) == whole


def test_resume_of_a_finished_run_does_nothing(diary: Diary, make: Make) -> None:
    run = make()
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*.glb")}
    diary.calls.clear()
    assert Pipeline().resume(run.folder).manifest.state == "done"
    assert diary.calls == []
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*.glb")} == before


def test_a_lost_mesh_comes_back_with_the_same_camera(diary: Diary, make: Make) -> None:
    run = make()
    before = [(record.view, run.read(record.files["mesh"])) for record in run.manifest.objects]
    scene = run.read(run.manifest.files["scene"])
    for record in run.manifest.objects:
        (run.folder / record.files["mesh"].path).unlink()
    again = Pipeline().resume(run.folder)
    assert [(record.view, again.read(record.files["mesh"])) for record in again.manifest.objects] == before
    assert again.read(again.manifest.files["scene"]) == scene


@pytest.mark.parametrize(
    ("victim", "redone"),
    [
        ("cutout", ["matte", "shape", "paint"]),
        ("mesh", ["shape", "paint"]),  # the camera that places the mesh is found with the shape
        ("model", ["paint"]),
        ("preview", []),
    ],
)
def test_a_lost_or_changed_file_is_made_again(diary: Diary, make: Make, victim: str, redone: list[str]) -> None:
    run = make()
    whole = final_bytes(run)
    path = run.path(run.manifest.objects[0].files[victim])
    path.write_bytes(b"damaged") if victim == "mesh" else path.unlink()
    diary.calls.clear()
    again = Pipeline().resume(run.folder)
    assert diary.calls == redone
    assert final_bytes(again) == whole
    assert all(again.intact(file) for record in again.manifest.objects for file in record.files.values())


def test_a_wish_to_stop_is_obeyed_between_the_last_steps_of_photos(
    diary: Diary, photo_path: Path, tmp_path: Path
) -> None:
    cancel = Cancel()

    def say(event: Event) -> None:
        if event.kind == "stage-started" and event.stage == "finish":
            cancel.ask()

    pipeline = Pipeline(on_event=say, cancel=cancel)
    with pytest.raises(Cancelled):
        pipeline.make([photo_path], tmp_path / "runs")
    assert pipeline.runs[0].manifest.state == "cancelled"


def test_a_wish_to_stop_is_obeyed_and_the_run_can_be_resumed(diary: Diary, photo_path: Path, tmp_path: Path) -> None:
    cancel = Cancel()

    def stop_at_second(call: int) -> None:
        if call == 2:
            cancel.ask()

    diary.hooks["shape"] = stop_at_second
    with pytest.raises(Cancelled):
        Pipeline(cancel=cancel).make([photo_path], tmp_path / "runs")
    (folder,) = (tmp_path / "runs").iterdir()
    run = Run.open(folder)
    assert run.manifest.state == "cancelled"
    assert [len(record.stages_done) for record in run.manifest.objects] == [2, 1, 1]
    diary.calls.clear()
    assert Pipeline().resume(folder).manifest.state == "done"
    assert diary.calls == ["shape"] * 2 + ["paint"] * 3


def test_ctrl_c_is_a_wish_to_stop(diary: Diary, photo_path: Path, tmp_path: Path) -> None:
    def interrupt(call: int) -> None:
        raise KeyboardInterrupt

    diary.hooks["paint"] = interrupt
    with pytest.raises(Cancelled, match="Ctrl-C"):
        Pipeline().make([photo_path], tmp_path / "runs")
    (folder,) = (tmp_path / "runs").iterdir()
    assert Run.open(folder).manifest.state == "cancelled"


def test_a_full_disk_stops_the_run_and_keeps_what_was_made(
    diary: Diary, photo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_replace = os.replace

    def full(source: str, target: Path) -> None:
        if "shape.glb" in str(target) and "objects/02" in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        really_replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="disk is full"):
        Pipeline().make([photo_path], tmp_path / "runs")
    monkeypatch.undo()
    (folder,) = (tmp_path / "runs").iterdir()
    run = Run.open(folder)
    assert run.manifest.state == "failed"
    assert run.manifest.objects[0].stages_done == ["matte", "shape"]


@pytest.mark.parametrize(("seconds", "lost"), [(0.0, 2), (1.0, 0)], ids=["quick objects", "slow objects"])
def test_a_killed_process_loses_the_object_in_progress_and_half_a_second_of_work_at_most(
    diary: Diary, photo_path: Path, tmp_path: Path, seconds: float, lost: int
) -> None:
    """A process that dies in the third object's shape; the clock of the checkpoints runs by ``seconds`` an object."""
    script = """
import os, sys, time
from fakes import Diary, fake_plan
from manymesh import pipeline
from manymesh.run import folder
from manymesh.settings import Settings

diary, clock = Diary(), [time.monotonic()]
folder.time = type("Clock", (), {"monotonic": lambda: clock[0]})

def third_dies(call):
    if call == 3:
        os._exit(9)
    clock[0] += float(sys.argv[3])

diary.hooks["shape"] = third_dies
pipeline.choose = lambda settings: fake_plan(diary, settings)
pipeline.Pipeline(Settings()).make([sys.argv[1]], sys.argv[2])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(photo_path), str(tmp_path / "runs"), str(seconds)]
    assert subprocess.run(command, env=environment, check=False).returncode == 9
    (run_folder,) = (tmp_path / "runs").iterdir()
    whole = final_bytes(Pipeline().make([photo_path], tmp_path / "whole")[0])
    diary.calls.clear()
    resumed = Pipeline().resume(run_folder)
    assert diary.calls == ["shape"] * (1 + lost) + ["paint"] * 3
    assert final_bytes(resumed) == whole
