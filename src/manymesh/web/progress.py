"""How far a job is, and an estimate of how long it will still take, from what its stages took before."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from manymesh.events import Event
from manymesh.run.manifest import Manifest
from manymesh.stages import STEPS

# Reading the photo is left out: it is over before a run has a name.
STAGES = tuple(step.name for step in STEPS if step.name != "load")
PER_RUN = frozenset(step.name for step in STEPS if step.per == "run")
# Weight of a new measurement in the running mean; chosen by hand, not measured.
_WEIGHT_OF_NEW = 0.4


class Rates:
    """Measured seconds a stage takes for one object (or one run), by engine. Newer measurements count more."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def add(self, engine: str, stage: str, seconds: float) -> None:
        """Take a measurement into the running mean: the seconds that a stage took for one object."""
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
                    self.add(manifest.engine, stage.stage, stage.seconds / stage.objects)


@dataclass
class Progress:
    """How far a job is, by its events so far. Written by the job's thread, read by any.

    Attributes:
        engine: for the rates.
        stages: those the job will go through, in order.
        stage, object_id: in progress; "" before and after.
        done, total: objects of this stage that are finished, and all of them.
        share: 0..1 of the object in progress.
        objects: how many objects the run has; None until a stage has told.
        notes: sentences for people, in order.
    """

    engine: str
    stages: Sequence[str]
    stage: str = ""
    object_id: str = ""
    done: int = 0
    total: int = 0
    share: float = 0.0
    objects: int | None = None
    notes: list[str] = field(default_factory=list)
    _since_s: float = field(default_factory=time.monotonic)

    def update(self, event: Event, rates: Rates) -> None:
        """Take one event into account, and add what it measured to ``rates``."""
        if event.kind == "stage-started":
            self.stage, self.total, self.done, self.share, self.object_id = event.stage, event.total, 0, 0.0, ""
            self._since_s = time.monotonic()
            if event.stage not in PER_RUN:
                self.objects = max(event.total, self.objects or 0)
        elif event.kind == "object-started":
            self.object_id, self.done, self.share = event.object_id, event.done, 0.0
            self._since_s = time.monotonic()
        elif event.kind == "object-progress":
            self.object_id, self.done, self.share = event.object_id, event.done, event.share
        elif event.kind in ("object-done", "object-failed"):
            self.done, self.share = event.done, 0.0
            if event.kind == "object-done":
                rates.add(self.engine, event.stage, event.seconds)
        elif event.kind == "stage-done" and event.stage in PER_RUN:
            rates.add(self.engine, event.stage, event.seconds)
        elif event.kind == "note" and event.text not in self.notes:
            self.notes.append(event.text)

    def left_s(self, rates: Rates) -> float | None:
        """Seconds to the end; None while the number of objects is unknown or a stage was never measured."""
        if self.stage not in self.stages:
            return None
        here = self.stages.index(self.stage)
        left = 0.0
        for number, stage in enumerate(self.stages[here:]):
            each = rates.get(self.engine, stage)
            count: float | None = 1.0 if stage in PER_RUN else self.objects
            if each is None or count is None:
                return None
            if number == 0:
                # The object in progress has been worked on for a while, whatever share it reports.
                begun = max(self.share, min((time.monotonic() - self._since_s) / max(each, 1e-3), 0.95))
                count = max(self.total - self.done - begun, 0.0)
            left += each * count
        return left

    def overall(self) -> float:
        """0..1 of the whole job, for a bar: stages weigh the same."""
        if self.stage not in self.stages:
            return 0.0
        within = min((self.done + self.share) / self.total, 1.0) if self.total else 0.0
        return (self.stages.index(self.stage) + within) / len(self.stages)
