"""The queue of jobs, progress and history: no browser, no Gradio."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import Diary, fake_plan

from manymesh.errors import InputError, OutOfMemoryError, UsageError
from manymesh.events import Cancel, Event, OnEvent
from manymesh.pipeline import Pipeline
from manymesh.run.folder import Run
from manymesh.settings import Settings
from manymesh.stages import STEPS
from manymesh.web import doubt, history, jobs
from manymesh.web.cards import error_card, job_card, run_card
from manymesh.web.jobs import Job, Jobs
from manymesh.web.page import page_functions
from manymesh.web.progress import Progress, Rates
from manymesh.web.scratch import Scratch
from manymesh.web.service import Service


@pytest.fixture
def queue() -> Iterator[Jobs]:
    queue = Jobs(Rates())
    yield queue
    queue.close()


@pytest.fixture
def a_run(photo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    diary = Diary()
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: fake_plan(diary, settings, count=1))
    monkeypatch.setattr("manymesh.web.service.choose", lambda settings: fake_plan(diary, settings, count=1))
    monkeypatch.setattr("manymesh.runner.steps.PREVIEW_PX", 32)
    return Pipeline().make([photo_path], tmp_path / "runs")[0]


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    (tmp_path / "scratch").mkdir()
    return Scratch(tmp_path / "scratch")


class HeldWork:
    """Work that goes on until it is released or cancelled."""

    def __init__(self, run: Run) -> None:
        self.run, self.go, self.begun = run, threading.Event(), threading.Event()

    def __call__(self, on_event: OnEvent, cancel: Cancel) -> Run:
        self.begun.set()
        while not self.go.wait(0.005):
            cancel.check()
        return self.run


def submit(queue: Jobs, work: Callable[[OnEvent, Cancel], Run], **more: Any) -> Job:
    return queue.submit("make", "desk", work, engine="lite", **more)


def test_one_job_runs_at_a_time_and_the_others_know_their_place(queue: Jobs, a_run: Run) -> None:
    works = [HeldWork(a_run) for _ in range(3)]
    first, second, third = (submit(queue, work) for work in works)
    assert works[0].begun.wait(5)
    assert [queue.place(job) for job in (first, second, third)] == [0, 1, 2]
    assert (first.state, second.state) == ("running", "queued")
    works[0].go.set()
    assert queue.wait(first, 5)
    assert works[1].begun.wait(5)
    assert [queue.place(job) for job in (first, second, third)] == [0, 0, 1]
    for work in works:
        work.go.set()
    assert queue.wait(third, 5)
    assert [job.state for job in queue.all()] == ["done"] * 3


def test_cancelling_a_waiting_job_takes_it_out_of_the_queue(queue: Jobs, a_run: Run) -> None:
    works = [HeldWork(a_run) for _ in range(3)]
    _, second, third = (submit(queue, work) for work in works)
    assert works[0].begun.wait(5)
    queue.stop(second)
    assert second.state == "cancelled"
    assert queue.place(third) == 1
    for work in works:
        work.go.set()
    assert queue.wait(third, 5)
    assert not works[1].begun.is_set()


def test_cancelling_the_running_job_stops_it_at_its_next_tick(queue: Jobs, a_run: Run) -> None:
    work = HeldWork(a_run)
    job = submit(queue, work)
    assert work.begun.wait(5)
    queue.stop(job)
    assert queue.wait(job, 5)
    assert (job.state, job.error) == ("cancelled", None)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no photo", "give one"), "input"),
        (OutOfMemoryError("full"), "out-of-memory"),
        (RuntimeError("x"), "bug"),
    ],
)
def test_a_failed_job_says_why_and_the_next_one_runs(queue: Jobs, a_run: Run, error: Exception, code: str) -> None:
    def fail(on_event: OnEvent, cancel: Cancel) -> Run:
        raise error

    failed, after = submit(queue, fail), submit(queue, lambda on_event, cancel: a_run)
    assert queue.wait(after, 5)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error.code == code
    assert after.state == "done"
    card = job_card(queue, failed)["error"]
    assert card["status"] == {"input": 422, "out-of-memory": 507, "bug": 500}[code]


def test_the_queue_and_remembered_jobs_are_bounded(queue: Jobs, a_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_QUEUED", 2)
    monkeypatch.setattr(jobs, "MAX_REMEMBERED", 4)
    works = [HeldWork(a_run) for _ in range(4)]
    submit(queue, works[0])
    assert works[0].begun.wait(5)
    last = [submit(queue, work) for work in works[1:3]][-1]
    with pytest.raises(UsageError, match="waiting"):
        submit(queue, works[3])
    for work in works:
        work.go.set()
    assert queue.wait(last, 5)
    for _ in range(10):
        assert queue.wait(submit(queue, lambda on_event, cancel: a_run), 5)
    assert len(queue.all()) == 4
    with pytest.raises(UsageError, match="no job"):
        queue.get(last.id)


def test_one_address_cannot_fill_the_queue_alone(queue: Jobs, a_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_QUEUED_PER_CLIENT", 2)
    works = [HeldWork(a_run) for _ in range(5)]
    submit(queue, works[0], client="10.0.0.1")
    assert works[0].begun.wait(5)
    for work in works[1:3]:
        submit(queue, work, client="10.0.0.1")
    with pytest.raises(UsageError, match="2 jobs of yours"):
        submit(queue, works[3], client="10.0.0.1")
    assert submit(queue, works[3], client="10.0.0.2").state == "queued"
    assert submit(queue, works[4]).state == "queued"
    for work in works:
        work.go.set()


def test_two_jobs_never_work_on_one_run(queue: Jobs, a_run: Run) -> None:
    work = HeldWork(a_run)
    submit(queue, work, run="a-run")
    with pytest.raises(UsageError, match="Another job"):
        submit(queue, work, run="a-run")
    work.go.set()


def test_closing_cancels_all_and_ends_the_thread(a_run: Run) -> None:
    queue = Jobs(Rates())
    works = [HeldWork(a_run) for _ in range(2)]
    running, waiting = (submit(queue, work) for work in works)
    assert works[0].begun.wait(5)
    queue.close()
    assert (running.state, waiting.state) == ("cancelled", "cancelled")
    assert not any(thread.name == "manymesh-jobs" and thread.is_alive() for thread in threading.enumerate())


class Clock:
    """A clock that goes as it is told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def a_job_of(
    seconds: dict[str, float], rates: Rates, *, objects: int = 6, side_by_side: int = 2
) -> list[tuple[float, float | None, float]]:
    """A job whose stages take so long for each object, two of which are worked on at a time. Answers with (seconds
    since it began, seconds left, share of the bar), ten times for every pair of objects."""
    clock = Clock()
    progress = Progress("lite", tuple(seconds), clock=clock)
    told = []
    for stage, each_s in seconds.items():
        progress.update(Event("stage-started", stage=stage, total=objects), rates)
        for done in range(0, objects, side_by_side):
            pair = [f"{done + number:02d}-cup" for number in range(side_by_side)]
            for name in pair:
                progress.update(Event("object-started", stage=stage, object_id=name, done=done, total=objects), rates)
            for tenth in range(10):
                for name in pair:
                    event = Event("object-progress", stage=stage, object_id=name, done=done, share=tenth / 10)
                    progress.update(event, rates)
                told.append((clock.now_s - 100.0, progress.left_s(rates), progress.overall(rates)))
                clock.now_s += each_s / 10
            for number, name in enumerate(pair, start=1):
                progress.update(Event("object-done", stage=stage, object_id=name, done=done + number), rates)
        progress.update(Event("stage-done", stage=stage, total=objects, seconds=objects * each_s), rates)
    return told


@pytest.mark.parametrize("slower", [1.0, 1.6, 0.5])
def test_after_a_third_the_time_left_is_right_within_a_quarter_with_objects_side_by_side(slower: float) -> None:
    rates = Rates()
    stages = {"matte": 1.0, "shape": 6.0, "paint": 2.0}
    a_job_of(stages, rates)
    told = a_job_of({stage: each * slower for stage, each in stages.items()}, rates)
    whole_s = slower * sum(stages.values()) * 3
    late = [(at_s, left_s) for at_s, left_s, _ in told if whole_s / 3 < at_s < whole_s * 0.95]
    assert len(late) > 20
    assert [left_s for at_s, left_s in late if abs((left_s or 0) - (whole_s - at_s)) > 0.25 * (whole_s - at_s)] == []


def test_the_bar_never_goes_back_whether_times_are_known_or_not() -> None:
    rates = Rates()
    for slower in (1.0, 3.0):  # the first of them knows nothing
        bars = [bar for *_, bar in a_job_of({"matte": slower, "shape": 6.0 * slower, "paint": slower}, rates)]
        assert bars == sorted(bars)
        assert bars[0] < 0.2
        assert bars[-1] > 0.8


def test_time_left_is_not_guessed_for_a_stage_that_was_never_measured() -> None:
    rates = Rates()
    rates.add("lite", "matte", 1.0)
    progress = Progress("lite", ("matte", "shape"))
    progress.update(Event("stage-started", stage="matte", total=2), rates)
    assert progress.left_s(rates) is None
    rates.add("hunyuan", "shape", 9.0)
    assert progress.left_s(rates) is None


def test_rates_are_learnt_from_earlier_runs(a_run: Run) -> None:
    rates = Rates()
    rates.learn([a_run.manifest])
    measured = {stage.stage: stage for stage in a_run.manifest.stages}
    shape = measured["shape"]
    assert rates.get("fake", "shape") == min(shape.wall_seconds, shape.seconds + shape.load_seconds)
    assert rates.get("lite", "shape") is None


def test_a_runs_card_names_every_file_by_its_content(a_run: Run) -> None:
    card = run_card(a_run)
    (made,) = card["objects"]
    assert {"cutout", "mesh", "model", "preview"} <= set(made["files"])
    assert made["files"]["model"]["url"].endswith(f"?v={a_run.manifest.objects[0].files['model'].sha256[:12]}")
    assert card["finished"]


def test_the_history_lists_newest_first_and_damaged_runs_with_the_reason(a_run: Run, scratch: Scratch) -> None:
    out = a_run.folder.parent
    (out / "20990101-000000-broken").mkdir()
    (out / "20990101-000000-broken" / "run.json").write_text("{")
    (out / "not-a-run").mkdir()
    answer = history.list_runs(out, scratch)
    assert [row["state"] for row in answer["runs"]] == ["damaged", "done"]
    assert "damaged" in answer["runs"][0]["error"]
    assert answer["total"] == 2
    assert answer["runs"][1]["thumb"]
    assert history.list_runs(out, scratch, page=3)["runs"] == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "x\0y", "gone"])
def test_a_name_that_is_no_run_never_reaches_the_disk(a_run: Run, name: str) -> None:
    with pytest.raises(UsageError):
        history.delete_run(a_run.folder.parent, name)
    assert a_run.folder.is_dir()


def test_a_link_out_of_the_folder_is_no_run(a_run: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "run.json").write_text("{}")
    (a_run.folder.parent / "link").symlink_to(elsewhere)
    with pytest.raises(UsageError):
        history.delete_run(a_run.folder.parent, "link")
    assert elsewhere.is_dir()


def test_a_run_is_deleted_whole_unless_a_job_works_on_it(a_run: Run, scratch: Scratch) -> None:
    service = Service(a_run.folder.parent, scratch)
    try:
        work = HeldWork(a_run)
        service.jobs.submit("resume", "x", work, engine="fake", run=a_run.folder.name)
        with pytest.raises(UsageError, match="Cancel it first"):
            service.delete(a_run.folder.name)
        work.go.set()
        assert service.jobs.wait(service.jobs.all()[0], 5)
        service.delete(a_run.folder.name)
        assert list(a_run.folder.parent.iterdir()) == []
    finally:
        service.close()


def test_painting_again_with_a_painter_that_uses_seeds_changes_the_model(a_run: Run, scratch: Scratch) -> None:
    service = Service(a_run.folder.parent, scratch)
    try:
        job = service.paint_again(a_run.folder.name, 1, seed=7)
        assert service.jobs.wait(job, 20)
        assert job.state == "done"
        record = Run.open(a_run.folder).manifest.objects[0]
        assert record.files["model"].sha256 != a_run.manifest.objects[0].files["model"].sha256
        assert job.progress.notes == []
        same = service.paint_again(a_run.folder.name, 1, seed=7)
        assert service.jobs.wait(same, 20)
        assert any("same" in note for note in same.progress.notes)
        for index, seed in ((9, 1), (1, -1), (1, 2**32)):
            with pytest.raises(UsageError):
                service.paint_again(a_run.folder.name, index, seed)
    finally:
        service.close()


def test_a_bad_setting_is_refused_before_it_is_queued(a_run: Run, photo_path: Path, scratch: Scratch) -> None:
    service = Service(a_run.folder.parent, scratch)
    try:
        for bad in (
            {"faces": 5},
            {"engine": "magic"},
            {"colour": "red"},
            {"boxes": ["1,2"]},
            {"views": ["left=/etc/passwd"]},
        ):
            with pytest.raises(UsageError):
                service.make(photo_path, bad)
        assert service.jobs.all() == []
    finally:
        service.close()


def test_every_error_has_a_status_that_says_whose_fault_it_is() -> None:
    assert error_card("nothing-found", "", "")["status"] == 422
    assert error_card("output", "", "")["status"] == 507
    assert error_card("made-up", "", "")["status"] == 500


def test_the_pages_status_holds_every_setting_and_leaves_out_what_has_not_changed(a_run: Run, scratch: Scratch) -> None:
    service = Service(a_run.folder.parent, scratch)
    try:
        first = service.status(None, a_run.folder.name, "")
        assert set(first["run"]["settings"]) == set(Settings.model_fields)
        assert service.status(None, a_run.folder.name, first["version"])["run"] is None
        gone = service.status("nobody", "no-such-run", "")
        assert (gone["job"], gone["run"], gone["error"]["code"]) == (None, None, "usage")
    finally:
        service.close()


def test_edits_are_not_kept_while_another_process_works_on_the_run(a_run: Run, scratch: Scratch) -> None:
    service = Service(a_run.folder.parent, scratch)
    try:
        with Run.open(a_run.folder).locked():
            service.keep_edits(a_run.folder.name, [{"index": 1, "label": "cup"}])
        assert service.run(a_run.folder.name)["edits"] == []
        service.keep_edits(a_run.folder.name, [{"index": 1, "label": "cup"}])
        assert service.run(a_run.folder.name)["edits"] == [{"index": 1, "keep": True, "label": "cup"}]
    finally:
        service.close()


def test_a_mask_that_is_no_picture_is_refused(a_run: Run, scratch: Scratch, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    mask.write_bytes(b"this is no picture")
    service = Service(a_run.folder.parent, scratch)
    try:
        with pytest.raises(InputError, match="mask cannot be read"):
            service.cut_out(a_run.folder.name, 1, mask)
    finally:
        service.close()


def test_every_question_of_the_pages_scripts_has_an_answer(a_run: Run, scratch: Scratch) -> None:
    service = Service(a_run.folder.parent, scratch)
    try:
        answered = {function.__name__ for function in page_functions(service)}
    finally:
        service.close()
    scripts = [path.read_text("utf-8") for path in (Path(jobs.__file__).parent / "static").glob("*.js")]
    asking = r"\b(?:ask|call|submit|tried|download|untilAnswered)\(\"([a-z_]+)\""
    asked = {name for script in scripts for name in re.findall(asking, script)}
    assert {"cut_out", "start", "status"} <= asked
    assert asked <= answered


def test_a_download_of_another_size_is_another_file(a_run: Run, scratch: Scratch) -> None:
    service = Service(a_run.folder.parent, scratch)
    try:
        before = service.download(a_run.folder.name, 1, "stl").read_bytes()
        run = Run.open(a_run.folder)
        run.manifest.settings = run.manifest.settings.model_copy(update={"sizes": ("9cm",)})
        run.save()
        assert service.download(a_run.folder.name, 1, "stl").read_bytes() != before
    finally:
        service.close()


def test_what_speaks_against_an_object_is_remembered_without_its_run(a_run: Run) -> None:
    record = a_run.manifest.objects[0]
    key = doubt._Key(a_run, record)
    doubt.doubts(a_run, record)
    measured = doubt._measured(key)  # from the cache: it was measured under an equal key
    key.release()
    assert doubt._measured(key) == measured
    record.view = None
    doubt.doubts(a_run, record)


def test_photos_that_were_made_together_do_not_each_take_the_time_of_all(a_run: Run) -> None:
    (stage,) = (stage for stage in a_run.manifest.stages if stage.stage == "shape")
    stage.seconds, stage.load_seconds, stage.wall_seconds, stage.objects = 2.0, 1.0, 60.0, 1
    rates = Rates()
    rates.learn([a_run.manifest])
    assert rates.get(a_run.manifest.engine, "shape") == 3.0


def test_an_error_is_never_without_words() -> None:
    assert error_card("usage", "See `manymesh doctor`.", "")["message"] == "See 'manymesh doctor'."
    assert error_card("bug", "OSError: `--x` of /srv/runs/a.png", "")["message"] == "OSError: '--x' of a.png"


def test_a_card_has_a_word_for_every_stage_that_an_object_can_have_behind_it() -> None:
    script = (Path(jobs.__file__).parent / "static" / "card.js").read_text("utf-8")
    (words,) = re.findall(r"^const AFTER = \{(.*)\};$", script, re.MULTILINE)
    assert [name for name in ("crop", *(s.name for s in STEPS if s.per == "object")) if f'{name}: "' not in words] == []
