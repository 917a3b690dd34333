"""Runs one step over many objects: opens and closes its model, keeps one object's failure from the others, records
seconds and memory, and stops on request.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from manymesh.device import Meter, release_memory
from manymesh.engines import Plan
from manymesh.errors import Cancelled, ManymeshError, OutOfMemoryError, OutputError
from manymesh.events import Cancel, Event, OnEvent
from manymesh.parallel import map_ordered, quick_turns, worker_count
from manymesh.plan import MemoryPlan
from manymesh.run import lifecycle
from manymesh.run.folder import Run
from manymesh.run.manifest import ErrorRecord, ObjectRecord, StageRecord
from manymesh.runner.ledger import over_plan, set_level, set_usage
from manymesh.runner.open_model import OpenModel, is_device_memory
from manymesh.runner.preload import Preloader
from manymesh.stages import BY_NAME, Kind, Level, Stage, Step, Tick, begin

PROGRESS_EVERY_S = 0.1
NO_PLAN = MemoryPlan(None)

# The functions that carry out a step. The third argument is the step's open model, None where it has none.
RunStep = Callable[[Run, Plan, Any, Tick], None]
ObjectStep = Callable[[Run, ObjectRecord, Any, Tick], None]


# An object's place among all of its step, its run and its record.
_Numbered = tuple[int, Run, ObjectRecord]


@dataclass(frozen=True)
class _Work:
    """A step over objects: its name, its function, its open model, and the number of objects."""

    stage: str
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
        say: told of everything that happens.
        cancel: heeded at every tick and between objects.
        keep_loaded: leave models open between calls, until ``close``.
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
        self._preloader = Preloader((), plan.settings)
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
        self._preloader = Preloader([stage for stage in wanted if stage.kind not in kept], self.plan.settings)
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
        record = self._add_record(run, BY_NAME["load"])
        record.seconds = round(meter.usage.seconds, 4)
        set_usage(record, meter.usage)
        return run

    def carry_out(self, step: Step, function: Callable[..., None], runs: Sequence[Run]) -> None:
        """Carry out a step wherever it is still to be done.

        Args:
            step: which.
            function: a ``RunStep`` or an ``ObjectStep``, as ``step.per`` says.
            runs: runs that have failed are left alone.
        """
        if step.per == "run":
            self._over_runs(step, function, runs)
        else:
            self._over_objects(step, function, runs)

    def _over_runs(self, step: Step, function: RunStep, runs: Sequence[Run]) -> None:
        """Whatever goes wrong in one run (nothing found in it, say) ends that run alone."""
        stage = step.name
        todo = lifecycle.runs_to_do(runs, step)
        with self._stage(step, todo, len(todo)) as opened:
            for number, run in enumerate(todo):
                warned = len(run.manifest.warnings)
                start_s = time.perf_counter()
                tick = self._tick(run, stage, "", number, len(todo), self._say)
                try:
                    _stepping_down(opened, lambda: function(run, self.plan, opened.model, tick))  # noqa: B023
                    lifecycle.mark_done(run.manifest, stage)
                except (Cancelled, OutputError):
                    raise
                except Exception as error:  # noqa: BLE001 - it must not cost the other photos
                    failure = _record_of(error, stage)
                    lifecycle.fail(run.manifest, failure)
                    self._say(Event("note", run.manifest.name, stage, text=_sentence(failure)))
                    error.__traceback__ = None  # its frames would keep the model's memory alive
                run.manifest.warnings = list(dict.fromkeys(run.manifest.warnings))
                for text in run.manifest.warnings[warned:]:
                    self._say(Event("note", run.manifest.name, stage, text=text))
                self._add_seconds(run, stage, time.perf_counter() - start_s)
                run.checkpoint()

    def _over_objects(self, step: Step, function: ObjectStep, runs: Sequence[Run]) -> None:
        """One object's failure costs no other."""
        stage = step.name
        todo = lifecycle.objects_to_do(runs, step)
        with self._stage(step, [run for run in runs if any(run is other for other, _ in todo)], len(todo)) as opened:
            numbered = [(number, run, record) for number, (run, record) in enumerate(todo)]
            work = _Work(stage, function, opened, len(todo))
            at_once = min(self._at_once(step), len(todo))
            while numbered:
                _stepping_down(opened, lambda: self._show_all(step, opened.model, numbered))  # noqa: B023
                with quick_turns(opened.level is not None and at_once > 1):
                    numbered = self._round(work, numbered, at_once)
                if numbered:
                    opened.step_down()

    def _show_all(self, step: Step, model: Any, numbered: Sequence[_Numbered]) -> None:
        """Let the model see the cutouts of all these objects, if it may."""
        if step.sees_all_first:
            number, run, _ = numbered[0]
            tick = self._tick(run, step.name, "", number, len(numbered), self._say)
            begin(model, (run.load(record, "cutout") for _, run, record in numbered), tick=tick)

    def _round(self, work: _Work, numbered: Sequence[_Numbered], at_once: int) -> list[_Numbered]:
        """Work on objects. Returns those for which the device's memory ran out while there is a level with less."""
        left: list[_Numbered] = []

        def finish(item: _Numbered, outcome: _Outcome) -> None:
            if outcome.device_memory and work.opened.has_smaller:
                left.append(item)
            else:
                self._record(work, *item, outcome)

        if at_once > 1:
            map_ordered(
                numbered,
                lambda item, say: self._carried_out(work, *item, say),
                self._say,
                finish,
                at_once=at_once,
            )
            return left
        for place, item in enumerate(numbered):
            finish(item, self._carried_out(work, *item, self._say))
            if left:
                return list(numbered[place:])
        return left

    def _at_once(self, step: Step) -> int:
        """How many objects may be in progress: several where the step has no model, or one that allows it. Two where
        they share a GPU: one is on it, the other is prepared or stored meanwhile."""
        if step.model is None:
            return worker_count()
        if not self.plan.stages[step.model].thread_safe:
            return 1
        return min(worker_count(), 2) if self.memory.of(step.model) is not None else worker_count()

    def _carried_out(self, work: _Work, number: int, run: Run, record: ObjectRecord, say: OnEvent) -> _Outcome:
        """Carry out the step on a copy of the record, so that the manifest can be saved meanwhile."""
        record = record.model_copy(deep=True)
        tick = self._tick(run, work.stage, record.id, number, work.total, say)
        tick(0.0)
        say(Event("object-started", run.manifest.name, work.stage, record.id, done=number, total=work.total))
        start_s = time.perf_counter()
        failure: ErrorRecord | None = None
        device_memory = False
        try:
            work.function(run, record, work.opened.model, tick)
        except (Cancelled, OutputError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost the other objects
            failure, device_memory = _record_of(error, work.stage), is_device_memory(error)
            error.__traceback__ = None
        return _Outcome(record, failure, time.perf_counter() - start_s, device_memory)

    def _record(self, work: _Work, number: int, run: Run, record: ObjectRecord, outcome: _Outcome) -> None:
        """Put what came of the step into the manifest, and say so."""
        stage, name, failure = work.stage, run.manifest.name, outcome.failure
        warned = len(record.warnings)
        for field in type(record).model_fields:
            setattr(record, field, getattr(outcome.record, field))
        record.seconds[stage] = round(outcome.seconds, 4)
        self._add_seconds(run, stage, outcome.seconds)
        if failure is None:
            lifecycle.mark_done(record, stage)
        else:
            lifecycle.fail(record, failure)
        record.warnings = list(dict.fromkeys(record.warnings))  # a stage that is tried again says the same again
        run.checkpoint()
        for text in record.warnings[warned:]:
            self._say(Event("note", name, stage, record.id, text=text))
        kind, text = ("object-done", "") if failure is None else ("object-failed", _sentence(failure))
        self._say(
            Event(kind, name, stage, record.id, text=text, done=number + 1, total=work.total, seconds=outcome.seconds)  # type: ignore[arg-type]
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
        records = [self._add_record(run, step) for run in runs]
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
                self._warn(run, [*opened.sentences, *over_plan(record)], said=len(opened.sentences))
        for run, name in zip(runs, names, strict=True):
            run.save()
            self._say(Event("stage-done", name, stage, total=total, seconds=meter.usage.seconds))

    def _warn(self, run: Run, sentences: Sequence[str], said: int) -> None:
        """Put sentences into the run's warnings; the first ``said`` of them have been said already."""
        for number, sentence in enumerate(sentences):
            if sentence not in run.manifest.warnings:
                run.manifest.warnings = [*run.manifest.warnings, sentence]
                if number >= said:
                    self._say(Event("note", run.manifest.name, text=sentence))

    @contextmanager
    def _model(self, step: Step, names: Sequence[str]) -> Iterator[OpenModel]:
        """Open the step's implementation; what it loaded is gone afterwards, unless models are kept."""
        if step.model is None or not step.needs_model(self.plan.settings):
            yield _nothing_to_open()
            return
        stage = step.name
        if self._kept is not None and stage in self._kept:
            yield self._kept[stage]
            return

        def say(sentence: str) -> None:
            for name in names:
                self._say(Event("note", name, stage, text=sentence))

        opened = OpenModel(partial(self._opening, step.model), self.memory.of(step.model), say)
        try:
            with _memory_errors(stage):
                opened.open()
            warm, self._to_warm = self._to_warm, []
            self._preloader.warm(warm)
            if self._kept is not None:
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
            return self._preloader.opened(stage, self.plan.settings)
        return stage.open_at(self.plan.settings, level)

    def _add_record(self, run: Run, step: Step) -> StageRecord:
        """A new line in the manifest for this step and whoever does it."""
        implementation = None if step.model is None else self.plan.stages[step.model]
        record = StageRecord(
            stage=step.name,
            implementation=implementation.name if implementation else "manymesh",
            licence=implementation.licence if implementation else "Apache-2.0",
        )
        run.manifest.stages.append(record)
        return record

    def _add_seconds(self, run: Run, stage: str, seconds: float) -> None:
        record = next(record for record in reversed(run.manifest.stages) if record.stage == stage)
        record.seconds = round(record.seconds + seconds, 4)
        record.objects += 1

    def _tick(self, run: Run, stage: str, object_id: str, done: int, total: int, say: OnEvent) -> Tick:
        last_s = 0.0

        def tick(share: float) -> None:
            nonlocal last_s
            self._cancel.check()
            now_s = time.perf_counter()
            if now_s - last_s >= PROGRESS_EVERY_S:
                last_s = now_s
                say(Event("object-progress", run.manifest.name, stage, object_id, done=done, total=total, share=share))

        return tick


def _nothing_to_open() -> OpenModel:
    """For a step without a model."""
    return OpenModel(lambda level: nullcontext(), None, lambda sentence: None)


def _stepping_down(opened: OpenModel, work: Callable[[], None]) -> None:
    """Do ``work``; where the device's memory runs out, again at each smaller level of the open model."""
    while True:
        try:
            return work()
        except Exception as error:
            if not is_device_memory(error) or not opened.has_smaller:
                raise
            error.__traceback__ = None
        opened.step_down()


@contextmanager
def _memory_errors(stage: str) -> Iterator[None]:
    """Running out of memory while a model is loaded is an error for people."""
    try:
        yield
    except Exception as error:
        memory = _out_of_memory(error, stage)
        if memory is None:
            raise
        raise memory from None


def _out_of_memory(error: Exception, stage: str) -> OutOfMemoryError | None:
    # torch's own error by its name: this module must not import torch to know it.
    if not isinstance(error, MemoryError) and type(error).__name__ != "OutOfMemoryError":
        return None
    where = "host" if isinstance(error, MemoryError) else "device"
    return OutOfMemoryError(
        f"The {where} memory ran out in the {stage} stage",
        "Close other programs, or ask for less: --texture-size 1024, --no-texture, or --engine lite.",
    )


def _record_of(error: Exception, stage: str) -> ErrorRecord:
    """An exception as data: an error for people, or a bug with its traceback."""
    known = error if isinstance(error, ManymeshError) else _out_of_memory(error, stage)
    if known is not None:
        return ErrorRecord(code=known.code, stage=stage, message=known.what, hint=known.hint)
    return ErrorRecord(
        code="bug",
        stage=stage,
        message=f"{type(error).__name__}: {error}",
        hint="This is a bug in manymesh; please report it with the run's run.json.",
        traceback="".join(traceback.format_exception(error)),
    )


def _sentence(record: ErrorRecord) -> str:
    return f"{record.message}. {record.hint}".strip()
