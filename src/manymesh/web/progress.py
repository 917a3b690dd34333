"""How far a job is, and an estimate of how long it will still take, from what its stages took before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from manymesh.events import Event
from manymesh.run.manifest import Manifest
from manymesh.stages import STEPS

# Reading the photo is left out: it is over before a run has a name.
STAGES = tuple(step.name for step in STEPS if step.name != "load")
PER_RUN = frozenset(step.name for step in STEPS if step.per == "run")
# Weight of a new measurement in the running mean; chosen by hand, not measured.
_WEIGHT_OF_NEW = 0.4
# A run may be so many times slower or quicker than the ones before it. Chosen by hand; not measured.
_MOST_UNLIKE = 4.0
# What a bar shows at most before the job has ended. By eye.
_NEARLY = 0.99


class Rates:
    """Seconds that a stage takes for one object (or one run), by engine, as a clock on the wall has them: objects that
    are worked on side by side count once. Newer measurements count more."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def add(self, engine: str, stage: str, seconds: float) -> None:
        """Take a measurement into the running mean: the seconds that a stage took, by its objects."""
        with self._lock:
            before = self._seconds.get((engine, stage))
            mixed = seconds if before is None else (1 - _WEIGHT_OF_NEW) * before + _WEIGHT_OF_NEW * seconds
            self._seconds[(engine, stage)] = mixed

    def get(self, engine: str, stage: str) -> float | None:
        """Seconds for one object, or None when that was never measured."""
        with self._lock:
            return self._seconds.get((engine, stage))

    def learn(self, manifests: Iterable[Manifest]) -> None:
        """Start from what earlier runs took, oldest first."""
        for manifest in manifests:
            for stage in manifest.stages:
                if stage.stage in STAGES and stage.objects > 0:
                    # Of photos that were made together, every run has the time on the wall of all of them.
                    own_s = stage.seconds + stage.load_seconds
                    took_s = min(stage.wall_seconds, own_s) if stage.wall_seconds else stage.seconds
                    self.add(manifest.engine, stage.stage, took_s / stage.objects)


@dataclass
class Progress:
    """How far a job is, by its events so far. Written by the job's thread, read by any.

    Attributes:
        engine: for the rates.
        stages: those the job will go through, in order.
        stage, object_id: in progress; "" before and after.
        done, total: objects of this stage that are finished, and all of them.
        share: 0..1 of the objects in progress, in objects.
        objects: how many objects the run has; None until a stage has told.
        notes: sentences for people, in order.
        clock: seconds; for tests.
    """

    engine: str
    stages: Sequence[str]
    stage: str = ""
    object_id: str = ""
    done: int = 0
    total: int = 0
    objects: int | None = None
    notes: list[str] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    _shares: dict[str, float] = field(default_factory=dict)  # of the objects in progress
    _since_s: float = 0.0  # when the stage began
    _begun_s: float | None = None  # when the first stage began
    _expected_s: float = 0.0  # of the stages that are over, before they began
    _took_s: float = 0.0  # what they took
    _shown: float = 0.0

    @property
    def share(self) -> float:
        """How much is done of the objects in progress, in objects."""
        return sum(self._shares.values())

    def update(self, event: Event, rates: Rates) -> None:
        """Take one event into account, and add what it measured to ``rates``."""
        if event.kind == "stage-started":
            self.stage, self.total, self.done, self.object_id = event.stage, event.total, 0, ""
            self._shares.clear()
            self._since_s = self.clock()
            if self._begun_s is None:
                self._begun_s = self._since_s
            if event.stage not in PER_RUN:
                self.objects = max(event.total, self.objects or 0)
        elif event.kind in ("object-started", "object-progress"):
            self.object_id, self.done = event.object_id, max(self.done, event.done)
            self._shares[event.object_id] = event.share if event.kind == "object-progress" else 0.0
        elif event.kind in ("object-done", "object-failed"):
            self.done = max(self.done, event.done)
            self._shares.pop(event.object_id, None)
        elif event.kind == "stage-done":
            self._end_stage(event.stage, rates)
        elif event.kind == "note" and event.text not in self.notes:
            self.notes.append(event.text)

    def _end_stage(self, stage: str, rates: Rates) -> None:
        count = 1 if stage in PER_RUN else self.total
        if count == 0:
            return
        took_s, each = self.clock() - self._since_s, rates.get(self.engine, stage)
        if each is not None:
            self._expected_s += each * count
            self._took_s += took_s
        rates.add(self.engine, stage, took_s / count)

    def left_s(self, rates: Rates) -> float | None:
        """Seconds to the end; None while the number of objects is unknown or a stage was never measured."""
        if self.stage not in self.stages:
            return None
        here = self.stages.index(self.stage)
        later = [self._expected(stage, rates) for stage in self.stages[here + 1 :]]
        now = self._left_of_stage(rates)
        if now is None or None in later:
            return None
        return now + self._unlike() * sum(each for each in later if each is not None)

    def _left_of_stage(self, rates: Rates) -> float | None:
        """Of the stage in progress: what was expected at first, and more and more what it really takes."""
        spent_s, expected_s = self.clock() - self._since_s, self._expected(self.stage, rates)
        share = self._share_of_stage()
        by_rate = None if expected_s is None else max(self._unlike() * expected_s - spent_s, 0.05 * expected_s)
        by_pace = spent_s * (1 - share) / share if share > 0 else None
        if by_rate is None or by_pace is None:
            return by_pace if by_rate is None else by_rate
        return (1 - share) * by_rate + share * by_pace

    def _expected(self, stage: str, rates: Rates) -> float | None:
        each = rates.get(self.engine, stage)
        count = 1 if stage in PER_RUN else self.total if stage == self.stage else self.objects
        return None if each is None or count is None else each * count

    def _unlike(self) -> float:
        """How much longer this run takes than those before it."""
        if self._expected_s <= 0:
            return 1.0
        return min(max(self._took_s / self._expected_s, 1 / _MOST_UNLIKE), _MOST_UNLIKE)

    def _share_of_stage(self) -> float:
        return min((self.done + self.share) / self.total, 1.0) if self.total else 0.0

    def overall(self, rates: Rates | None = None) -> float:
        """0..1 of the whole job, for a bar. It never goes back. Of the time, where that can be told; else stages weigh
        the same."""
        left_s = None if rates is None else self.left_s(rates)
        if left_s is not None and self._begun_s is not None:
            spent_s = self.clock() - self._begun_s
            now = spent_s / max(spent_s + left_s, 1e-6)
        elif self.stage in self.stages:
            now = (self.stages.index(self.stage) + self._share_of_stage()) / len(self.stages)
        else:
            now = 0.0
        self._shown = max(self._shown, min(now, _NEARLY))
        return self._shown
