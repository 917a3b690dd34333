"""The pipeline's promises, on stages that cost nothing: order, isolation, memory. Stopping has a file of its own."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from conftest import SavePhoto, three_things
from fakes import Diary, fake_plan, tetrahedron, without_names
from PIL import Image
from pipeline_fixtures import Make, diary, make

from manymesh import pipeline
from manymesh.engines import BUILTIN, Plan, required_stages
from manymesh.errors import (
    InputError,
    ManymeshError,
    NothingFoundError,
    ObjectError,
    OutOfMemoryError,
    UsageError,
    WeightsError,
)
from manymesh.events import Event
from manymesh.image import png
from manymesh.mesh import normals
from manymesh.mesh.formats import glb, verify
from manymesh.pipeline import Pipeline
from manymesh.render.camera import orthographic
from manymesh.run import folder
from manymesh.run.folder import MANIFEST, Run
from manymesh.run.lifecycle import exit_code
from manymesh.settings import Settings
from manymesh.stages import FINDING, KINDS, STEPS, Kind
from manymesh.types import Cutout, ShapeResult

__all__ = ["diary", "make"]  # fixtures that tests here use


def test_the_table_of_steps_and_their_functions_agree() -> None:
    assert list(pipeline.STEPS) == [step.name for step in STEPS if step.name != "load"]
    assert get_args(Kind) == KINDS == tuple(BUILTIN)
    assert [step.name for step in FINDING] == ["load", "detect", "crop"]


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, ["detect", "matte", "shape", "paint"]),
        ({"boxes": ["1,1,9,9"]}, ["matte", "shape", "paint"]),
        ({"texture": False}, ["detect", "matte", "shape"]),
    ],
)
def test_only_models_that_have_something_to_do_are_required(settings: dict[str, object], kinds: list[str]) -> None:
    assert required_stages(Settings(**settings)) == kinds


def test_stages_run_in_turn_over_all_objects(diary: Diary, make: Make) -> None:
    run = make()
    assert diary.calls == ["detect"] + ["matte"] * 3 + ["shape"] * 3 + ["paint"] * 3
    assert run.manifest.state == "done"
    assert [record.stages_done for record in run.manifest.objects] == [
        ["matte", "shape", "refine", "paint", "write"]
    ] * 3
    assert [stage.stage for stage in run.manifest.stages] == [
        "load", "detect", "crop", "matte", "shape", "refine", "paint", "write", "finish",
    ]  # fmt: skip


def test_a_stages_model_is_gone_before_the_next_opens(diary: Diary, make: Make) -> None:
    diary.looks_at_open = True
    make()
    assert diary.alive_at_open == [(), (), (), ()]
    assert diary.alive() == ()


def test_later_stages_are_warmed_up_once_the_first_model_is_open(
    diary: Diary, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_before: list[int] = []
    warmed = threading.Event()

    def warm_up() -> None:
        opened_before.append(len(diary.models))
        warmed.set()

    plan = fake_plan(diary, Settings())
    shape = replace(plan.stages["shape"], warm_up=warm_up)
    diary.hooks["matte"] = lambda call: None if warmed.wait(20) else pytest.fail("nothing was warmed up")
    plan = replace(plan, stages={**plan.stages, "shape": shape})
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: plan)
    make()
    assert len(opened_before) == 1
    assert opened_before[0] >= 1


def test_a_failing_objects_traceback_does_not_keep_its_model_alive(diary: Diary, make: Make) -> None:
    def fail(call: int) -> None:
        raise ValueError("a bug")

    diary.hooks["shape"] = fail
    make()
    assert diary.alive() == ()


def test_models_stay_open_between_calls_when_asked(
    diary: Diary, photo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Pipeline(keep_loaded=True) as pipeline:
        plan = fake_plan(diary, Settings())
        monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: plan)
        pipeline.make([photo_path], tmp_path)
        pipeline.make([photo_path], tmp_path)
        assert set(diary.alive()) == {"detect", "matte", "shape", "paint"}
        assert len(diary.models) == 4
    assert diary.alive() == ()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ObjectError("It would not", "Try again."), "object"),
        (ValueError("a bug"), "bug"),
        (MemoryError(), "out-of-memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "out-of-memory"),
    ],
)
@pytest.mark.parametrize("stage", ["matte", "shape", "paint"])
def test_one_objects_failure_costs_no_other(diary: Diary, make: Make, stage: str, error: Exception, code: str) -> None:
    def fail_second(call: int) -> None:
        if call == 2:
            raise error

    diary.hooks[stage] = fail_second
    run = make()
    assert [record.state for record in run.manifest.objects] == ["done", "failed", "done"]
    record = run.manifest.objects[1]
    assert record.error is not None
    assert (record.error.code, record.error.stage) == (code, stage)
    assert bool(record.error.traceback) == (code == "bug")
    assert run.manifest.state == "partial"
    assert exit_code([run]) == 5
    assert (run.folder / "sheet.png").exists()
    assert (run.folder / "scene.glb").exists()


def test_a_run_whose_every_object_failed_says_so(diary: Diary, make: Make) -> None:
    def fail(call: int) -> None:
        raise ObjectError("It would not", "Try again.")

    diary.hooks["matte"] = fail
    run = make()
    assert run.manifest.state == "failed"
    assert exit_code([run]) == 6
    assert (run.folder / "sheet.png").exists()


def test_a_sheet_that_fails_costs_no_scene(diary: Diary, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(run: Run) -> bytes:
        raise ValueError("no sheet")

    monkeypatch.setattr("manymesh.run.contact_sheet.contact_sheet", fails)
    run = make()
    assert run.manifest.error is not None
    assert run.intact(run.manifest.files["scene"])


def test_several_photos_share_each_stage_and_one_bad_one_costs_no_other(
    diary: Diary, save_photo: SavePhoto, tmp_path: Path
) -> None:
    first, second = save_photo(three_things(), "a.png"), save_photo(three_things(200, 160), "b.png")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    events: list[Event] = []
    runs = Pipeline(on_event=events.append).make([first, bad, second], tmp_path / "runs")
    assert [run.manifest.input.name for run in runs] == ["a", "b"]
    assert diary.calls == ["detect"] * 2 + ["matte"] * 6 + ["shape"] * 6 + ["paint"] * 6
    assert len(diary.models) == 4
    assert any("bad.png" in event.text for event in events if event.kind == "note")


def test_the_same_photo_twice_is_made_once_and_said(diary: Diary, photo_path: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    runs = Pipeline(on_event=events.append).make([photo_path, photo_path], tmp_path / "runs")
    assert len(runs) == 1
    assert any("more than once" in event.text for event in events)


def test_no_readable_photo_is_an_error(diary: Diary, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Pipeline().make([tmp_path / "nothing.png"], tmp_path / "runs")
    with pytest.raises(UsageError):
        Pipeline().make([], tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_names_label_the_objects_and_missing_ones_are_named(diary: Diary, make: Make) -> None:
    run = make(prompt="cup, spoon, plate, vase")
    assert [record.label for record in run.manifest.objects] == ["cup", "spoon", "plate"]
    assert [record.id for record in run.manifest.objects] == ["01-cup", "02-spoon", "03-plate"]
    assert run.manifest.missing_names == ["vase"]
    assert any("vase" in warning for warning in run.manifest.warnings)


def test_a_detector_that_cannot_read_names_says_so(diary: Diary, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: without_names(fake_plan(diary, settings)))
    run = make(prompt="cup, spoon")
    assert [record.label for record in run.manifest.objects] == ["object-01", "object-02", "object-03"]
    assert any("cannot read names" in warning for warning in run.manifest.warnings)
    assert run.manifest.missing_names == []


def _nothing(plan: Plan) -> Plan:
    @contextmanager
    def blind(settings: Settings) -> Iterator[object]:
        yield lambda photo, names, *, tick: []

    return replace(plan, stages={**plan.stages, "detect": replace(plan.stages["detect"], open=blind)})


def test_nothing_found_is_an_answer(diary: Diary, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: _nothing(fake_plan(diary, settings)))
    unnamed = make()
    assert [record.source for record in unnamed.manifest.objects] == ["whole photo"]
    assert any("whole photo" in warning for warning in unnamed.manifest.warnings)
    named = make(prompt="unicorn")
    assert named.manifest.error is not None
    assert (named.manifest.state, named.manifest.error.code) == ("failed", "nothing-found")
    assert exit_code([named]) == NothingFoundError.exit_code == 4
    forced = make(prompt="unicorn", whole_image_if_none=True)
    assert forced.manifest.state == "done"


def test_the_users_boxes_replace_detection(diary: Diary, make: Make) -> None:
    run = make(boxes=["10,10,100,100:cup", "150,20,400,200"])
    assert "detect" not in diary.calls
    assert [(record.label, record.source) for record in run.manifest.objects] == [
        ("cup", "user"),
        ("object-02", "user"),
    ]
    assert run.manifest.objects[1].box == (150, 20, 320, 200)


def test_a_box_outside_the_photo_is_refused(diary: Diary, make: Make) -> None:
    run = make(boxes=["1000,1000,1100,1100"])
    assert run.manifest.error is not None
    assert "320 x 240" in run.manifest.error.message


def test_more_objects_than_asked_for_are_dropped_and_said(diary: Diary, make: Make) -> None:
    run = make(max_objects=2)
    assert len(run.manifest.objects) == 2
    assert any("More than 2" in warning for warning in run.manifest.warnings)


def test_an_objects_seed_does_not_depend_on_the_others(diary: Diary, make: Make) -> None:
    alone = make(seed=5, max_objects=1).manifest.objects[0].seed
    together = [record.seed for record in make(seed=5).manifest.objects]
    assert together[0] == alone
    assert len(set(together)) == 3
    assert make(seed=6).manifest.objects[0].seed != alone


def test_without_texture_no_painter_is_opened(diary: Diary, make: Make) -> None:
    run = make(texture=False)
    assert "paint" not in diary.calls
    assert run.manifest.state == "done"
    assert "model" not in run.manifest.objects[0].files


def test_find_stops_before_the_models_and_resume_goes_on(diary: Diary, photo_path: Path, tmp_path: Path) -> None:
    run = Pipeline().find(photo_path, tmp_path / "runs")
    assert diary.calls == ["detect"]
    assert ["crop" in record.files for record in run.manifest.objects] == [True] * 3
    assert Pipeline().resume(run.folder).manifest.state == "done"
    assert diary.calls.count("detect") == 1


def test_a_fully_transparent_picture_holds_nothing(diary: Diary, save_photo: SavePhoto, tmp_path: Path) -> None:
    path = save_photo(Image.new("RGBA", (64, 64), (9, 9, 9, 0)), "clear.png")
    (run,) = Pipeline().make([path], tmp_path / "runs")
    assert exit_code([run]) == 4


def test_every_object_reports_its_events_in_order(diary: Diary, photo_path: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    Pipeline(on_event=events.append).make([photo_path], tmp_path / "runs")
    done = [(e.stage, e.done, e.total) for e in events if e.kind == "object-done"]
    stages = ("matte", "shape", "refine", "paint", "write")
    assert done == [(stage, i, 3) for stage in stages for i in (1, 2, 3)]
    assert (events[0].kind, events[-1].kind) == ("run-started", "run-done")


def test_costs_are_recorded(diary: Diary, make: Make) -> None:
    run = make()
    assert run.manifest.stages
    for stage in run.manifest.stages:
        assert stage.seconds >= 0
        assert stage.host_peak_bytes > 2**20
    measured = [set(record.seconds) for record in run.manifest.objects]
    assert measured == [{"matte", "shape", "refine", "paint", "write"}] * 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WeightsError("The file x.safetensors is truncated", "Run `manymesh models verify`."), WeightsError.exit_code),
        (MemoryError(), OutOfMemoryError.exit_code),
    ],
)
def test_a_stage_that_cannot_open_fails_the_run_but_keeps_it(
    diary: Diary, photo_path: Path, tmp_path: Path, error: Exception, code: int
) -> None:
    @contextmanager
    def broken(settings: Settings) -> Iterator[None]:
        raise error
        yield

    plan = fake_plan(diary, Settings())
    plan = replace(plan, stages={**plan.stages, "shape": replace(plan.stages["shape"], open=broken)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("manymesh.pipeline.choose", lambda settings: plan)
        with pytest.raises(ManymeshError) as raised:
            Pipeline().make([photo_path], tmp_path / "runs")
    assert raised.value.exit_code == code
    (folder,) = (tmp_path / "runs").iterdir()
    assert exit_code([Run.open(folder)]) == code
    assert Pipeline().resume(folder).manifest.state == "done"


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often run.json was written, files decoded, and normals worked out."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **more: object) -> object:
            counts[name] += 1
            return function(*arguments, **more)

        return call

    def replace_file(source: str, target: Path) -> None:
        counts["manifests"] += target.name == MANIFEST
        os_replace(source, target)

    os_replace = os.replace
    monkeypatch.setattr(os, "replace", replace_file)
    monkeypatch.setattr(glb, "split_glb", counted("meshes parsed", glb.split_glb))
    monkeypatch.setattr(verify, "check_glb", counted("meshes parsed", verify.check_glb))
    monkeypatch.setattr(png, "decode", counted("pictures decoded", png.decode))
    for module in (glb, normals):
        monkeypatch.setattr(module, "vertex_normals", counted("normals", normals.vertex_normals))
    monkeypatch.setattr("manymesh.run.folder._parse", counted("manifests parsed", folder._parse))
    return counts


def test_what_a_run_has_just_made_is_not_worked_out_again(diary: Diary, make: Make, counts: Counter[str]) -> None:
    run = make()
    objects = len(run.manifest.objects)
    assert objects == 3
    assert counts["manifests"] <= 12
    assert counts["manifests parsed"] == 0
    assert counts["pictures decoded"] == 0
    assert counts["meshes parsed"] <= 2 * objects
    # Once for the surface as the shape stage made it, once for the refined one. The painted one has the same.
    assert counts["normals"] == 2 * objects


def test_the_cutouts_of_all_objects_are_shown_before_the_first_call(
    diary: Diary, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    made: list[str] = []

    class LooksFirst:
        def begin(self, cutouts: list[Cutout], *, tick: object) -> None:
            assert made == []
            shown.extend(cutout.object_id for cutout in cutouts)

        def __call__(self, cutout: Cutout, *, seed: int, tick: object) -> ShapeResult:
            made.append(cutout.object_id)
            return ShapeResult(tetrahedron(), orthographic(1.5))

    @contextmanager
    def opened(settings: Settings) -> Iterator[LooksFirst]:
        yield LooksFirst()

    plan = fake_plan(diary, Settings())
    plan = replace(plan, stages={**plan.stages, "shape": replace(plan.stages["shape"], open=opened)})
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: plan)
    run = make()
    assert shown == made == [f"{run.folder.name}/{record.id}" for record in run.manifest.objects]


def test_loading_the_photo_is_recorded_as_a_stage(diary: Diary, make: Make) -> None:
    record = make().manifest.stages[0]
    assert (record.stage, record.implementation, record.licence) == ("load", "manymesh", "Apache-2.0")
    assert 0 < record.seconds == record.wall_seconds
