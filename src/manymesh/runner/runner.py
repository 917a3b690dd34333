"""Runs one step over many objects: opens and closes its model, keeps one object's failure from the others, records
seconds and memory, and stops on request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from manymesh.device import Meter, release_memory
from manymesh.engines import Plan
from manymesh.errors import Cancelled, OutOfMemoryError, OutputError
from manymesh.events import Cancel, Event, OnEvent
from manymesh.parallel import map_ordered, quick_turns, worker_count
from manymesh.plan import MemoryPlan
from manymesh.run import lifecycle
from manymesh.run.folder import Run
from manymesh.run.manifest import ErrorRecord, Manifest, ObjectRecord, StageRecord
from manymesh.runner.failures import memory_errors, record_of, sentence_of
from manymesh.runner.ledger import add_seconds, over_plan, set_level, set_usage
from manymesh.runner.open_model import OpenModel, is_device_memory
from manymesh.runner.preload import Preloader
from manymesh.runner.steps import Leaves
from manymesh.stages import BY_NAME, Kind, Level, Stage, Step, Tick, begin

PROGRESS_EVERY_S = 0.1
NO_PLAN = MemoryPlan(None)

# The functions that carry out a step; ``steps.py`` says what they are given.
RunStep = Callable[[Run, Plan, Any, Tick], None]
ObjectStep = Callable[..., Leaves]


@dataclass(frozen=True)
class _Task:
    """One object of a step: how many came before it, its run, and its record in the run's manifest."""

    number: int
    run: Run
    record: ObjectRecord


@dataclass(frozen=True)
class _Work:
    """A step over objects: which, its function, its open model, and the number of objects."""

    step: Step
    function: ObjectStep
    opened: OpenModel
    total: int


@dataclass(frozen=True)
class _Outcome:
    """What came of one object: its record as the step left it, why it failed, and how long it took."""

    record: ObjectRecord
    failure: ErrorRecord | None
    seconds: float
    device_memory: bool = False  # the failure is that the device's memory ran out


class StageRunner:
    """Carries out the stages of one plan.

    Args:
        plan: which implementation does what.
        say: called with every event.
        cancel: heeded at every tick and between objects.
        keep_loaded: leave models open between calls, until ``close``. Those for which memory is planned stay open only
            where the plan says that all fit together.
        memory: how much of the GPU's memory each stage may use.
    """

    def __init__(
        self,
        plan: Plan,
        say: OnEvent,
        cancel: Cancel,
        *,
        keep_loaded: bool = False,
        memory: MemoryPlan = NO_PLAN,
    ) -> None:
        self.plan = plan
        self.memory = memory
        self._say = say
        self._cancel = cancel
        self._kept: dict[str, OpenModel] | None = {} if keep_loaded else None
        self._preloader = Preloader((), plan.stage_settings)
        self._to_warm: list[Stage] = []

    def close(self) -> None:
        """Close the models that were kept open."""
        while self._kept:
            self._kept.popitem()[1].close()
        release_memory()

    @contextmanager
    def preloading(self, *kinds: Kind) -> Iterator[None]:
        """Within, the implementations of these kinds that allow it are opened while others work. The others are warmed
        up when the first model is open: until then the main thread imports libraries itself."""
        wanted = [self.plan.stages[kind] for kind in kinds if self.plan.stages[kind].preload]
        kept = self._kept or {}
        self._preloader = Preloader([stage for stage in wanted if stage.kind not in kept], self.plan.stage_settings)
        self._to_warm = [self.plan.stages[kind] for kind in kinds if not self.plan.stages[kind].preload]
        try:
            yield
        finally:
            self._to_warm = []
            self._preloader.close()

    def load(self, begin_run: Callable[[], Run]) -> Run:
        """Make a run folder, and record in it what that cost.

        Args:
            begin_run: reads the photo and makes the folder.
        """
        with Meter() as meter:
            run = begin_run()
        record = self._new_record(BY_NAME["load"])
        run.manifest.stages.append(record)
        record.seconds = round(meter.usage.seconds, 4)
        set_usage(record, meter.usage)
        return run

    def carry_out(self, step: Step, function: RunStep | ObjectStep, runs: Sequence[Run]) -> None:
        """Carry out a step wherever it is still to be done.

        Args:
            step: which.
            function: a ``RunStep`` or an ``ObjectStep``, as ``step.per`` says.
            runs: runs that have failed are left alone.
        """
        if step.per == "run":
            self._over_runs(step, cast(RunStep, function), runs)
        else:
            self._over_objects(step, cast(ObjectStep, function), runs)

    def _over_runs(self, step: Step, function: RunStep, runs: Sequence[Run]) -> None:
        """Whatever goes wrong in one run (nothing found in it, say) ends that run alone."""
        stage = step.name
        todo = lifecycle.runs_to_do(runs, step)
        with self._stage(step, todo, len(todo)) as opened:
            for number, run in enumerate(todo):
                warned = len(run.manifest.warnings)
                start_s = time.perf_counter()
                tick = self._tick(run.manifest.name, stage, "", number, len(todo), self._say)
                try:
                    with memory_errors(stage):
                        opened.reopen()
                    _stepping_down(opened, stage, lambda: function(run, self.plan, opened.model, tick))  # noqa: B023
                    lifecycle.mark_done(run.manifest, stage)
                except (Cancelled, OutputError):
                    raise
                except Exception as error:  # noqa: BLE001 - it must not cost the other photos
                    failure = record_of(error, stage)
                    lifecycle.fail(run.manifest, failure)
                    self._say(Event("note", run.manifest.name, stage, text=sentence_of(failure)))
                    error.__traceback__ = None  # its frames would keep the model's memory alive
                run.manifest.warnings = list(dict.fromkeys(run.manifest.warnings))
                for text in run.manifest.warnings[warned:]:
                    self._say(Event("note", run.manifest.name, stage, text=text))
                add_seconds(run.manifest, stage, time.perf_counter() - start_s)
                run.checkpoint()

    def _over_objects(self, step: Step, function: ObjectStep, runs: Sequence[Run]) -> None:
        """One object's failure costs no other."""
        stage = step.name
        todo = lifecycle.objects_to_do(runs, step)
        with self._stage(step, [run for run in runs if any(run is other for other, _ in todo)], len(todo)) as opened:
            tasks = [_Task(number, run, record) for number, (run, record) in enumerate(todo)]
            work = _Work(step, function, opened, len(todo))
            at_once = min(self._at_once(step), len(todo))
            while tasks:
                _stepping_down(opened, stage, lambda: self._show_all(step, opened.model, tasks))  # noqa: B023
                with quick_turns(opened.level is not None and at_once > 1):
                    tasks = self._round(work, tasks, at_once)
                if tasks and not self._goes_on(work, tasks):
                    return

    def _goes_on(self, work: _Work, tasks: Sequence[_Task]) -> bool:
        """Step down for the objects that are left. Where even the last level does not open, they have failed."""
        stage = work.step.name
        try:
            with memory_errors(stage):
                work.opened.step_down()
        except OutOfMemoryError as error:
            for task in tasks:
                self._record(work, task, _Outcome(task.record.model_copy(deep=True), record_of(error, stage), 0.0))
            return False
        return True

    def _show_all(self, step: Step, model: Any, tasks: Sequence[_Task]) -> None:
        """Let the model see the cutouts of all these objects, if it may."""
        if step.sees_all_first:
            first = tasks[0]
            tick = self._tick(first.run.manifest.name, step.name, "", first.number, len(tasks), self._say)
            begin(model, (task.run.load(task.record, "cutout") for task in tasks), tick=tick)

    def _round(self, work: _Work, tasks: Sequence[_Task], at_once: int) -> list[_Task]:
        """Work on objects. Returns those for which the device's memory ran out while there is a level with less."""
        left: list[_Task] = []

        def finish(task: _Task, outcome: _Outcome) -> None:
            if outcome.device_memory and work.opened.has_smaller:
                left.append(task)
            else:
                self._record(work, task, outcome)

        if at_once > 1:
            map_ordered(
                tasks,
                lambda task, say: self._carried_out(work, task, say),
                self._say,
                finish,
                at_once=at_once,
            )
            return left
        for place, task in enumerate(tasks):
            finish(task, self._carried_out(work, task, self._say))
            if left:
                return list(tasks[place:])
        return left

    def _at_once(self, step: Step) -> int:
        """How many objects may be in progress: several where the step has no model, or one that allows it. Two where
        they share a GPU: one is on it, the other is prepared or stored meanwhile."""
        if step.model is None:
            return worker_count()
        if not self.plan.stages[step.model].thread_safe:
            return 1
        planned = self.memory.of(step.model)
        on_gpu = planned is not None and planned.level.how != "cpu"
        return min(worker_count(), 2) if on_gpu else worker_count()

    def _carried_out(self, work: _Work, task: _Task, say: OnEvent) -> _Outcome:
        """Carry out the step: load what it reads, call it, store what it leaves.

        It works on a copy of the object's record, so that the manifest can be saved meanwhile.
        """
        run, record, stage = task.run, task.record.model_copy(deep=True), work.step.name
        tick = self._tick(run.manifest.name, stage, record.id, task.number, work.total, say)
        tick(0.0)
        say(Event("object-started", run.manifest.name, stage, record.id, done=task.number, total=work.total))
        start_s = time.perf_counter()
        failure: ErrorRecord | None = None
        device_memory = False
        try:
            values: list[Any] = [run.load(record, role) for role in work.step.reads]
            for role in work.step.may_read:
                wanted = self.plan.stages["paint"].wants_shape and role in record.files
                values.append(run.load(record, role) if wanted else None)
            plan = replace(self.plan, settings=run.manifest.settings)
            for role, value in work.function(*values, record, plan, work.opened.model, tick):
                run.store(record, role, value)
        except (Cancelled, OutputError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost the other objects
            failure, device_memory = record_of(error, stage), is_device_memory(error)
            error.__traceback__ = None
        return _Outcome(record, failure, time.perf_counter() - start_s, device_memory)

    def _record(self, work: _Work, task: _Task, outcome: _Outcome) -> None:
        """Put what came of the step into the manifest, and say so."""
        record, stage, name = task.record, work.step.name, task.run.manifest.name
        warned = len(record.warnings)
        lifecycle.take_over(record, outcome.record, stage, outcome.seconds, outcome.failure)
        add_seconds(task.run.manifest, stage, outcome.seconds)
        task.run.checkpoint()
        for text in record.warnings[warned:]:
            self._say(Event("note", name, stage, record.id, text=text))
        kind, text = ("object-done", "") if outcome.failure is None else ("object-failed", sentence_of(outcome.failure))
        done = task.number + 1
        self._say(
            Event(kind, name, stage, record.id, text=text, done=done, total=work.total, seconds=outcome.seconds)  # type: ignore[arg-type]
        )

    @contextmanager
    def _stage(self, step: Step, runs: Sequence[Run], total: int) -> Iterator[OpenModel]:
        """The step's model (None where it has none), with its cost recorded in every run that takes part."""
        stage = step.name
        self._cancel.check()
        if not runs:
            yield _nothing_to_open()
            return
        names = [run.manifest.name for run in runs]
        for name in names:
            self._say(Event("stage-started", name, stage, total=total))
        records = [self._new_record(step) for _ in runs]
        for run, record in zip(runs, records, strict=True):
            run.manifest.stages.append(record)
        meter, load_s, opened = Meter(), 0.0, _nothing_to_open()
        try:
            with meter:
                start_s = time.perf_counter()
                with self._model(step, names) as opened:
                    load_s = time.perf_counter() - start_s
                    yield opened
        finally:
            for record in records:
                record.load_seconds = round(load_s, 4)
                set_usage(record, meter.usage)
                set_level(record, opened.level)
            for run, record in zip(runs, records, strict=True):
                self._warn(run.manifest, [*opened.sentences, *over_plan(record)], said=len(opened.sentences))
        for run, name in zip(runs, names, strict=True):
            run.save()
            self._say(Event("stage-done", name, stage, total=total, seconds=meter.usage.seconds))

    def _warn(self, manifest: Manifest, sentences: Sequence[str], said: int) -> None:
        """Put sentences into the run's warnings; the first ``said`` of them have been said already."""
        for number, sentence in enumerate(sentences):
            if sentence not in manifest.warnings:
                manifest.warnings = [*manifest.warnings, sentence]
                if number >= said:
                    self._say(Event("note", manifest.name, text=sentence))

    @contextmanager
    def _model(self, step: Step, names: Sequence[str]) -> Iterator[OpenModel]:
        """Open the step's implementation; what it loaded is gone afterwards, unless models are kept."""
        if step.model is None or not step.needs_model(self.plan.settings):
            yield _nothing_to_open()
            return
        stage = step.name

        def say(sentence: str) -> None:
            for name in names:
                self._say(Event("note", name, stage, text=sentence))

        if self._kept is not None and stage in self._kept:
            kept = self._kept[stage]
            kept.used_by(say)
            with memory_errors(stage):
                kept.reopen()
            yield kept
            return
        opened = OpenModel(partial(self._opening, step.model), self.memory.of(step.model), say)
        try:
            with memory_errors(stage):
                opened.open()
            warm, self._to_warm = self._to_warm, []
            self._preloader.warm(warm)
            if self._kept is not None and (self.memory.fits_together or opened.level is None):
                self._kept[stage] = opened
            yield opened
        finally:
            if self._kept is None or stage not in self._kept:
                opened.close()
                release_memory()

    def _opening(self, kind: Kind, level: Level | None) -> AbstractContextManager[Any]:
        """What opens a stage at a level, or as it is where it offers none."""
        stage = self.plan.stages[kind]
        if level is None or stage.open_at is None:
            return self._preloader.opened(stage, self.plan.stage_settings)
        return stage.open_at(self.plan.stage_settings, level)

    def _new_record(self, step: Step) -> StageRecord:
        """A line for the manifest about this step and whoever does it."""
        implementation = None if step.model is None else self.plan.stages[step.model]
        return StageRecord(
            stage=step.name,
            implementation=implementation.name if implementation else "manymesh",
            licence=implementation.licence if implementation else "Apache-2.0",
        )

    def _tick(self, run: str, stage: str, object_id: str, done: int, total: int, say: OnEvent) -> Tick:
        """What a step calls now and then: stops on request, and reports progress of the run of this name."""
        last_s = 0.0

        def tick(share: float) -> None:
            nonlocal last_s
            self._cancel.check()
            now_s = time.perf_counter()
            if now_s - last_s >= PROGRESS_EVERY_S:
                last_s = now_s
                say(Event("object-progress", run, stage, object_id, done=done, total=total, share=share))

        return tick


def _nothing_to_open() -> OpenModel:
    """For a step without a model."""
    return OpenModel(lambda level: nullcontext(), None, lambda sentence: None)


def _stepping_down(opened: OpenModel, stage: str, work: Callable[[], None]) -> None:
    """Do ``work``; where the device's memory runs out, again at each smaller level of the open model."""
    while True:
        try:
            return work()
        except Exception as error:
            if not is_device_memory(error) or not opened.has_smaller:
                raise
            error.__traceback__ = None
        with memory_errors(stage):
            opened.step_down()
