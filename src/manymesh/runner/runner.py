"""Runs one step over many objects: opens and closes its model, keeps one object's failure from the others, records
seconds and memory, and stops on request.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from manymesh.device import Meter, Usage, release_memory
from manymesh.engines import Plan
from manymesh.errors import Cancelled, ManymeshError, OutOfMemoryError, OutputError
from manymesh.events import Cancel, Event, OnEvent
from manymesh.parallel import map_ordered, worker_count
from manymesh.run import lifecycle
from manymesh.run.folder import Run
from manymesh.run.manifest import ErrorRecord, ObjectRecord, StageRecord
from manymesh.runner.preload import Preloader
from manymesh.stages import BY_NAME, Kind, Step, Tick, begin

PROGRESS_EVERY_S = 0.1

# The functions that carry out a step. The third argument is the step's open model, None where it has none.
RunStep = Callable[[Run, Plan, Any, Tick], None]
ObjectStep = Callable[[Run, ObjectRecord, Any, Tick], None]


@dataclass(frozen=True)
class _Work:
    """A step over objects: its name, its function, its open model, and the number of objects."""

    stage: str
    function: ObjectStep
    model: Any
    total: int


@dataclass(frozen=True)
class _Outcome:
    """What came of one object: its record as the step left it, why it failed, and how long it took."""

    record: ObjectRecord
    failure: ErrorRecord | None
    seconds: float


class StageRunner:
    """Carries out the stages of one plan.

    Args:
        plan: which implementation does what.
        say: told of everything that happens.
        cancel: heeded at every tick and between objects.
        keep_loaded: leave models open between calls, until ``close``.
    """

    def __init__(self, plan: Plan, say: OnEvent, cancel: Cancel, *, keep_loaded: bool = False) -> None:
        self.plan = plan
        self._say = say
        self._cancel = cancel
        self._kept: dict[str, Any] | None = {} if keep_loaded else None
        self._held = ExitStack()
        self._preloader = Preloader((), plan.settings)

    def close(self) -> None:
        """Close the models that were kept open."""
        if self._kept is not None:
            self._kept.clear()
        self._held.close()
        release_memory()

    @contextmanager
    def preloading(self, *kinds: Kind) -> Iterator[None]:
        """Within, the implementations of these kinds that allow it are opened while others work."""
        wanted = [self.plan.stages[kind] for kind in kinds if self.plan.stages[kind].preload]
        kept = self._kept or {}
        self._preloader = Preloader([stage for stage in wanted if stage.kind not in kept], self.plan.settings)
        try:
            yield
        finally:
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
        _set_usage(record, meter.usage)
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
        with self._stage(step, todo, len(todo)) as model:
            for number, run in enumerate(todo):
                warned = len(run.manifest.warnings)
                start_s = time.perf_counter()
                try:
                    function(run, self.plan, model, self._tick(run, stage, "", number, len(todo), self._say))
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
        with self._stage(step, [run for run in runs if any(run is other for other, _ in todo)], len(todo)) as model:
            if todo and step.sees_all_first:
                tick = self._tick(todo[0][0], stage, "", 0, len(todo), self._say)
                begin(model, (run.load(record, "cutout") for run, record in todo), tick=tick)
            work = _Work(stage, function, model, len(todo))
            numbered = [(number, run, record) for number, (run, record) in enumerate(todo)]
            at_once = min(worker_count(), len(todo)) if self._thread_safe(step) else 1
            if at_once > 1:
                map_ordered(
                    numbered,
                    lambda item, say: self._carried_out(work, *item, say),
                    self._say,
                    lambda item, outcome: self._record(work, *item, outcome),
                    at_once=at_once,
                )
                return
            for item in numbered:
                self._record(work, *item, self._carried_out(work, *item, self._say))

    def _thread_safe(self, step: Step) -> bool:
        """Whether several objects may be in progress at once: the step has no model, or one that allows it."""
        return step.model is None or self.plan.stages[step.model].thread_safe

    def _carried_out(self, work: _Work, number: int, run: Run, record: ObjectRecord, say: OnEvent) -> _Outcome:
        """Carry out the step on a copy of the record, so that the manifest can be saved meanwhile."""
        record = record.model_copy(deep=True)
        tick = self._tick(run, work.stage, record.id, number, work.total, say)
        tick(0.0)
        say(Event("object-started", run.manifest.name, work.stage, record.id, done=number, total=work.total))
        start_s = time.perf_counter()
        failure: ErrorRecord | None = None
        try:
            work.function(run, record, work.model, tick)
        except (Cancelled, OutputError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost the other objects
            failure = _record_of(error, work.stage)
            error.__traceback__ = None
        return _Outcome(record, failure, time.perf_counter() - start_s)

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
    def _stage(self, step: Step, runs: Sequence[Run], total: int) -> Iterator[Any]:
        """The step's model (None where it has none), with its cost recorded in every run that takes part."""
        stage = step.name
        self._cancel.check()
        if not runs:
            yield None
            return
        names = [run.manifest.name for run in runs]
        for name in names:
            self._say(Event("stage-started", name, stage, total=total))
        records = [self._add_record(run, step) for run in runs]
        meter, load_s = Meter(), 0.0
        try:
            with meter:
                start_s = time.perf_counter()
                with self._model(step) as model:
                    load_s = time.perf_counter() - start_s
                    yield model
                    del model
        finally:
            for record in records:
                record.load_seconds = round(load_s, 4)
                _set_usage(record, meter.usage)
        for run, name in zip(runs, names, strict=True):
            run.save()
            self._say(Event("stage-done", name, stage, total=total, seconds=meter.usage.seconds))

    @contextmanager
    def _model(self, step: Step) -> Iterator[Any]:
        """Open the step's implementation; what it loaded is gone afterwards, unless models are kept."""
        if step.model is None or not step.needs_model(self.plan.settings):
            yield None
            return
        stage, implementation = step.name, self.plan.stages[step.model]
        if self._kept is not None:
            if stage not in self._kept:
                with _memory_errors(stage):
                    opened = self._preloader.opened(implementation, self.plan.settings)
                    self._kept[stage] = self._held.enter_context(opened)
            yield self._kept[stage]
            return
        try:
            with ExitStack() as held:
                with _memory_errors(stage):
                    model = held.enter_context(self._preloader.opened(implementation, self.plan.settings))
                yield model
                del model
        finally:
            release_memory()

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


def _set_usage(record: StageRecord, usage: Usage) -> None:
    record.wall_seconds = round(usage.seconds, 4)
    record.host_peak_bytes = usage.host_peak_bytes
    record.device_peak_bytes = usage.device_peak_bytes
    record.device_reserved_bytes = usage.device_reserved_bytes


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
