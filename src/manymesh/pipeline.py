"""What happens to a photo, from top to bottom.

Steps run in turn over all objects of all photos, so that only one step's model is in memory at a time. Small models are
the exception: they are opened while an earlier step works (``Stage.preload``). What a step does for one object is in
``runner/steps.py``. What a failure, a request to stop or a lack of memory means for the other objects is in
``runner/runner.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from manymesh.device import release_memory
from manymesh.engines import Plan, choose, required_stages
from manymesh.errors import ManymeshError, OutputError, UsageError
from manymesh.events import Cancel, Event, OnEvent, ignore
from manymesh.plan.machine import keep_to, plan_for
from manymesh.run import lifecycle
from manymesh.run.artifacts import ArtifactCache
from manymesh.run.create import begin_run
from manymesh.run.edit import change_settings
from manymesh.run.folder import Run
from manymesh.runner import steps
from manymesh.runner.runner import ObjectStep, RunStep, StageRunner
from manymesh.settings import Settings
from manymesh.stages import BY_NAME, FINDING, Kind

# Every step after the photo was read (``begin_run``), in order, and the function that carries it out. A step's label,
# the file that it leaves and when it applies are in ``stages.STEPS``.
STEPS: Mapping[str, RunStep | ObjectStep] = {
    "detect": steps.detect,  # which objects, where
    "crop": steps.crop,  # one square-ish view per object
    "matte": steps.matte,  # foreground colour + alpha
    "shape": steps.shape,  # geometry, and the camera that saw it
    "refine": steps.refine,  # no floaters, no degenerate faces, within the face budget
    "paint": steps.paint,  # texture coordinates and a texture without holes
    "write": steps.write,  # other formats and previews
    "finish": steps.finish,  # the scene, the contact sheet, the verdict
}


def walk(runs: Sequence[Run], work: StageRunner, *, only_find: bool = False) -> None:
    """Take every run from wherever it stands to its end, or to where its objects are found."""
    for name, function in STEPS.items():
        step = BY_NAME[name]
        if step.applies(work.plan.settings) and (step in FINDING or not only_find):
            work.carry_out(step, function, runs)


def _opened_later(plan: Plan) -> tuple[Kind, ...]:
    """The kinds whose models a run opens for certain, but not first."""
    return tuple(kind for kind in required_stages(plan.settings) if kind != "detect")


class Pipeline:
    """Makes and resumes runs.

    Models are opened for their stage, small ones ahead of it, and closed after it. With ``keep_loaded=True`` they stay
    open between calls (faster for photo after photo, at the memory of all of them together) until ``close`` or the end
    of a ``with``.

    Args:
        settings: what to make and how.
        on_event: called with every ``Event``, in the calling thread.
        cancel: ask it, from any thread, to stop at the next tick.
        keep_loaded: see above.

    Attributes:
        runs: those of the last call, also when it raised.
        unread: the photos of the last ``make`` that could not be read, and why.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        on_event: OnEvent = ignore,
        cancel: Cancel | None = None,
        keep_loaded: bool = False,
    ) -> None:
        self.settings = settings or Settings()
        self.cancel = cancel or Cancel()
        self.runs: list[Run] = []
        self.unread: list[tuple[Path, ManymeshError]] = []
        self._say = on_event
        self._work: StageRunner | None = None
        self._cache = ArtifactCache()
        self._keep_loaded = keep_loaded

    def make(self, photos: Sequence[Path | str], out: Path | str = "runs") -> list[Run]:
        """Make every object of every photo.

        Returns:
            One run per photo that could be read, in order; the others are in ``unread``. What went wrong with a run
            or an object stands in its manifest (``state``, ``error``); the others are made all the same.

        Raises:
            InputError: no photo could be read.
            MissingPieceError: the engine that was asked for cannot run here.
            DoesNotFitError: the graphics card has too little memory; nothing was loaded.
            OutputError: the disk is full or ``out`` cannot be written. What was made before it stays.
            Cancelled: somebody asked ``cancel``, or pressed Ctrl-C. The runs can be resumed.
        """
        plan = choose(self.settings)
        with self._runner(plan).preloading(*_opened_later(plan)):  # refuses a job that cannot fit
            runs = self._begin([Path(photo) for photo in photos], Path(out), plan)
            self._walk(runs, plan)
        return runs

    def find(self, photo: Path | str, out: Path | str = "runs") -> Run:
        """Only the first half of ``make``, up to the crops: for a person to look at before ``resume``."""
        plan = choose(self.settings)
        (run,) = self._begin([Path(photo)], Path(out), plan)
        self._walk([run], plan, only_find=True)
        return run

    def resume(
        self,
        folder: Path | str,
        change: Callable[[Run], None] = lambda run: None,
        settings: Settings | None = None,
    ) -> Run:
        """Finish a run with its own settings: what is done and intact is kept, what failed is tried again.

        Args:
            folder: the run folder.
            change: called with the reopened run before it goes on (to replace a cutout, say).
            settings: go on with these in place of the run's own; ``run.edit.change_settings`` says what is made again.

        Raises:
            InputError: not a run folder.
            UsageError: another process works on it.
            And what ``make`` raises.
        """
        run = Run.open(Path(folder))
        plan = choose(settings or run.manifest.settings)
        self.runs, self.unread = [run], []

        def changed(run: Run) -> None:
            if settings is not None:
                change_settings(run, plan)
            change(run)

        kinds = () if lifecycle.is_found(run.manifest) else _opened_later(plan)
        with self._runner(plan).preloading(*kinds):
            self._walk([run], plan, change=changed)
        return run

    def close(self) -> None:
        """Let go of the models that ``keep_loaded`` kept open."""
        if self._work is not None:
            self._work.close()
            self._work = None

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _begin(self, photos: Sequence[Path], out: Path, plan: Plan) -> list[Run]:
        """A run folder for every photo that can be read. Raises when there is none."""
        if not photos:
            raise UsageError("No photo was given")
        self.runs, self.unread = [], []
        seen: set[Path] = set()
        for photo in photos:
            if photo.resolve() in seen:
                self._say(Event("note", stage="load", text=f"'{photo}' was given more than once; it is made once."))
                continue
            seen.add(photo.resolve())
            self._begin_one(photo, out, plan)
        if not self.runs:
            raise self.unread[0][1]
        for _, error in self.unread:
            self._say(Event("note", stage="load", text=str(error)))
        return self.runs

    def _begin_one(self, photo: Path, out: Path, plan: Plan) -> None:
        self.cancel.check()
        try:
            run = self._runner(plan).load(partial(begin_run, photo, out, plan, self._cache))
        except OutputError:
            raise
        except ManymeshError as error:
            self.unread.append((photo, error))
            return
        self.runs.append(run)
        for note in run.manifest.input.notes:
            self._say(Event("note", run.manifest.name, "load", text=note))

    def _runner(self, plan: Plan) -> StageRunner:
        if self._work is None or self._work.plan != plan:
            self.close()
            memory = plan_for(plan.stages, plan.stage_settings)
            keep_to(memory, plan.settings)
            self._work = StageRunner(plan, self._say, self.cancel, keep_loaded=self._keep_loaded, memory=memory)
        return self._work

    def _walk(
        self,
        runs: Sequence[Run],
        plan: Plan,
        *,
        only_find: bool = False,
        change: Callable[[Run], None] | None = None,
    ) -> None:
        """Take the runs to their end.

        Args:
            runs: all new, or one of an earlier time.
            plan: of all of them.
            only_find: stop when the objects are found.
            change: given for a run of an earlier time; called with it when it is open again.
        """
        work = self._runner(plan)
        with ExitStack() as held:
            held.callback(release_memory)  # the steps that have no model leave free memory too
            for run in runs:
                held.enter_context(run.locked())
                if change is not None:
                    lifecycle.reopen(run)
                    change(run)
                self._say(Event("run-started", run.manifest.name, text=f"Engine {plan.engine}: {plan.reason}."))
                if run.manifest.settings.fast and plan.engine == "hunyuan":
                    settings = run.manifest.settings
                    text = f"--fast: shapes by {settings.shape_model}, painting by {settings.paint_model}."
                    self._say(Event("note", run.manifest.name, text=text))
            with lifecycle.recording_how_it_ended(runs):
                walk(runs, work, only_find=only_find)
        if not self._keep_loaded:
            self._work = None  # what memory is free may be another by the next call
        for run in runs:
            self._say(Event("run-done", run.manifest.name, text=run.manifest.state))
