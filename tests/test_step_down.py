"""When the device's memory runs out all the same, a stage goes on with less, with the same object; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Diary, fake_plan
from pipeline_fixtures import diary

from manymesh.cli.show import tables
from manymesh.device.traffic import traffic
from manymesh.errors import OutOfMemoryError
from manymesh.events import Event
from manymesh.pipeline import Pipeline
from manymesh.plan import MemoryPlan, StagePlan
from manymesh.run.folder import Run
from manymesh.runner.open_model import OpenModel
from manymesh.settings import Settings
from manymesh.stages import Kind, Level

__all__ = ["diary"]  # a fixture that tests here use

LEVELS = tuple(Level(name, "staged", size, size, why=why) for name, size, why in [
    ("large", 4 << 30, "all at once"), ("middle", 3 << 30, "in turn"), ("small", 2 << 30, "piece by piece"),
])  # fmt: skip
# torch's own error has this name; another program took the card.
CudaError = type("OutOfMemoryError", (RuntimeError,), {})


class Hostile:
    """A stage with levels under an allocator that refuses as it is told.

    ``refuse``: given the level's name, "open", "begin" or "call", and how often that was reached, says whether memory
    runs out.
    """

    def __init__(self, diary: Diary, kind: Kind, refuse: Any, error: type[Exception] = CudaError) -> None:
        self.refuse, self.error, self.kind = refuse, error, kind
        self.log: list[tuple[str, str]] = []
        self.plain = fake_plan(diary, Settings()).stages[kind]

    def reach(self, level: Level, what: str) -> None:
        self.log.append((level.name, what))
        if self.refuse(level.name, what, self.log.count((level.name, what))):
            raise self.error("CUDA out of memory")

    @contextmanager
    def open_at(self, settings: Settings, level: Level) -> Iterator[Any]:
        self.reach(level, "open")
        with self.plain.open(settings) as call:
            yield _Call(self, level, call)

    def pipeline(self, diary: Diary, monkeypatch: pytest.MonkeyPatch, notes: list[str]) -> Pipeline:
        stage = replace(self.plain, levels=lambda settings: LEVELS, open_at=self.open_at)
        plan = fake_plan(diary, Settings())
        plan = replace(plan, stages={**plan.stages, self.kind: stage})
        memory = MemoryPlan(8 << 30, 3, (StagePlan(self.kind, stage.name, LEVELS[0], LEVELS[1:]),))
        monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: plan)
        monkeypatch.setattr("manymesh.pipeline.plan_for", lambda stages, settings: memory)

        def hear(event: Event) -> None:
            if event.kind == "note":
                notes.append(event.text)

        return Pipeline(on_event=hear)


class _Call:
    def __init__(self, hostile: Hostile, level: Level, call: Any) -> None:
        self.hostile, self.level, self.call = hostile, level, call

    def begin(self, cutouts: Any, *, tick: Any) -> None:
        self.hostile.reach(self.level, f"begin {len(cutouts)}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.hostile.reach(self.level, "call")
        return self.call(*args, **kwargs)


def walked(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, out: Path, hostile: Hostile
) -> tuple[Run, list[str]]:
    notes: list[str] = []
    (run,) = hostile.pipeline(diary, monkeypatch, notes).make([photo_path], out)
    return run, [note for note in notes if "memory ran out" in note]


@pytest.mark.parametrize("error", [CudaError, OutOfMemoryError])
@pytest.mark.parametrize("kind", ["shape", "paint"])
def test_the_same_object_goes_on_with_less(
    diary: Diary,
    monkeypatch: pytest.MonkeyPatch,
    photo_path: Path,
    tmp_path: Path,
    kind: Kind,
    error: type[Exception],
) -> None:
    def second_call(level: str, what: str, count: int) -> bool:
        return (level, what, count) == ("large", "call", 2)

    hostile = Hostile(diary, kind, second_call, error)
    run, notes = walked(diary, monkeypatch, photo_path, tmp_path, hostile)
    assert run.manifest.state == "done"
    assert [record.error for record in run.manifest.objects] == [None] * 3
    assert hostile.log == [
        ("large", "open"), ("large", "begin 3"), ("large", "call"), ("large", "call"),
        ("middle", "open"), ("middle", "begin 2"), ("middle", "call"), ("middle", "call"),
    ]  # fmt: skip
    assert notes == [
        f"The GPU's memory ran out in the {kind} stage (large, planned with 4.0 GiB); it goes on with less: in turn."
    ]
    assert notes[0] in run.manifest.warnings
    (record,) = [stage for stage in run.manifest.stages if stage.stage == kind]
    assert (record.level, record.planned_reserved_bytes) == ("middle", 3 << 30)


@pytest.mark.parametrize("what", ["open", "begin 3"])
def test_memory_may_run_out_before_the_first_object(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path, what: str
) -> None:
    hostile = Hostile(diary, "paint", lambda level, at, count: at == what and level != "small")
    run, notes = walked(diary, monkeypatch, photo_path, tmp_path, hostile)
    assert run.manifest.state == "done"
    assert hostile.log[-4:] == [("small", "begin 3")] + [("small", "call")] * 3
    assert len(notes) == 2


def test_the_detector_steps_down_too(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path
) -> None:
    hostile = Hostile(diary, "detect", lambda level, at, count: at == "call" and level == "large")
    run, notes = walked(diary, monkeypatch, photo_path, tmp_path, hostile)
    assert run.manifest.state == "done"
    assert len(run.manifest.objects) == 3
    assert len(notes) == 1


def test_at_the_smallest_level_the_object_fails_alone(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path
) -> None:
    def first_object(level: str, what: str, count: int) -> bool:
        return what == "call" and count == 1

    hostile = Hostile(diary, "shape", first_object)
    run, notes = walked(diary, monkeypatch, photo_path, tmp_path, hostile)
    assert [record.state for record in run.manifest.objects] == ["failed", "done", "done"]
    failed = run.manifest.objects[0].error
    assert failed is not None
    assert failed.code == "out-of-memory"
    assert len(notes) == 2


def test_no_model_is_left_of_the_larger_levels(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path
) -> None:
    alive: list[tuple[str, ...]] = []

    def refuse(level: str, what: str, count: int) -> bool:
        if what == "open":
            alive.append(diary.alive())
        return what == "call" and level != "small"

    walked(diary, monkeypatch, photo_path, tmp_path, Hostile(diary, "shape", refuse))
    assert alive == [()] * 3


def test_objects_side_by_side_step_down_together(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr("manymesh.runner.runner.worker_count", lambda: 2)
    hostile = Hostile(diary, "shape", lambda level, what, count: (level, what, count) == ("large", "call", 2))
    hostile.plain = replace(hostile.plain, thread_safe=True)
    run, notes = walked(diary, monkeypatch, photo_path, tmp_path, hostile)
    assert [record.state for record in run.manifest.objects] == ["done"] * 3
    assert len(notes) == 1
    assert hostile.log[-3:] == [("middle", "open"), ("middle", "begin 1"), ("middle", "call")]


def test_more_memory_than_planned_is_one_line_and_the_ledger_shows_it(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr("manymesh.device.meter._device_peaks", lambda: (5 << 30, 6 << 30))

    def load(level: str, what: str, count: int) -> bool:
        traffic().add(moved_bytes=(123 << 20) * (what == "open"), load_s=0.5 * (what == "open"))
        return False

    run, _ = walked(diary, monkeypatch, photo_path, tmp_path, Hostile(diary, "shape", load))
    line = "The shape stage took 6.0 GiB of the GPU's memory where 4.0 GiB were planned."
    assert run.manifest.warnings.count(line) == 1
    (record,) = [stage for stage in run.manifest.stages if stage.stage == "shape"]
    assert (record.moved_bytes, record.weights_seconds) == (123 << 20, 0.5)
    (row,) = [text for text in tables(run).splitlines() if "fake-shape" in text]
    for shown in ("large", "0.50", "123 MiB", "5120 MiB", "6144 MiB", "4096 MiB"):
        assert shown in row


def test_objects_fail_alone_when_no_level_opens_any_more(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path
) -> None:
    """The second object's memory runs out, and from then on nothing opens: what was made before is kept."""

    def after_the_first(level: str, what: str, count: int) -> bool:
        return level != "large" or (what, count) == ("call", 2)

    hostile = Hostile(diary, "shape", after_the_first)
    run, notes = walked(diary, monkeypatch, photo_path, tmp_path, hostile)
    errors = [record.error for record in run.manifest.objects]
    assert errors[0] is None
    assert [error and error.code for error in errors[1:]] == ["out-of-memory"] * 2
    assert (run.manifest.state, len(notes)) == ("partial", 2)


def test_a_closed_stage_is_opened_again_for_the_next_photo() -> None:
    calls: list[Level | None] = []

    @contextmanager
    def opened_at(level: Level | None) -> Iterator[str]:
        calls.append(level)
        if len(calls) == 2:
            raise CudaError("CUDA out of memory")
        yield "model"

    said: list[str] = []
    model = OpenModel(opened_at, StagePlan("paint", "fake", LEVELS[1], LEVELS[2:]), said.append)
    model.open()
    with pytest.raises(CudaError):
        model.step_down()
    assert (model.is_open, model.model, model.has_smaller, len(said)) == (False, None, False, 1)
    model.used_by(said.append)
    model.reopen()
    assert (model.is_open, model.model, model.sentences) == (True, "model", [])


def test_models_stay_open_together_only_where_all_fit() -> None:
    stages = tuple(StagePlan(kind, "fake", LEVELS[0]) for kind in ("shape", "paint"))  # 4 GiB each
    assert not MemoryPlan(7 << 30, 1, stages).fits_together
    assert MemoryPlan(8 << 30, 1, stages).fits_together
    assert MemoryPlan(None, 1, stages).fits_together
