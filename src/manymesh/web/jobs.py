"""One job at a time; the others wait in line and know their place.

A ``Jobs`` owns one worker thread, because one device does one thing at a time. Jobs outlive the page that asked
for them: whoever knows a job's id can look, wait, or cancel. Ended jobs are remembered up to a bound; what they
made stays in their run folders for ever.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from manymesh.errors import Cancelled, ManymeshError, UsageError
from manymesh.events import Cancel, Event, OnEvent
from manymesh.run.folder import Run
from manymesh.web.progress import STAGES, Progress, Rates

JobKind = Literal["find", "make", "go-on", "resume", "paint"]
JobState = Literal["queued", "running", "stopping", "done", "partial", "failed", "cancelled"]
ENDED: tuple[JobState, ...] = ("done", "partial", "failed", "cancelled")

MAX_QUEUED = 100
MAX_REMEMBERED = 200

Work = Callable[[OnEvent, Cancel], Run]
"""Does the job; gives its run as it ended."""


@dataclass(frozen=True)
class JobError:
    """What went wrong, as people and machines are told."""

    code: str
    message: str
    hint: str = ""


@dataclass
class Job:
    """One piece of work.

    Attributes:
        id: unguessable, stable.
        kind: what it does.
        title: for people: the photo's or the run's name.
        run: the run folder's name, as soon as there is one.
        state: see ``JobState``; "partial" when some objects failed.
        error: why it failed.
        queued_at, started_at, ended_at: seconds since the epoch.
    """

    id: str
    kind: JobKind
    title: str
    progress: Progress
    work: Work | None
    run: str = ""
    state: JobState = "queued"
    error: JobError | None = None
    queued_at: float = field(default_factory=time.time)
    started_at: float | None = None
    ended_at: float | None = None
    cancel: Cancel = field(default_factory=Cancel)

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class Jobs:
    """The line, and the one who works it off."""

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._line: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._change = threading.Condition()
        self._worker = threading.Thread(target=self._work_off, name="manymesh-jobs", daemon=True)
        self._worker.start()

    def submit(
        self, kind: JobKind, title: str, work: Work, *, engine: str, run: str = "", stages: Sequence[str] = STAGES
    ) -> Job:
        """Put ``work`` at the end of the line.

        Raises:
            UsageError: the line is full, or another job that has not ended works on the same run.
        """
        with self._change:
            if self._closed:
                raise UsageError("The server is shutting down")
            if len(self._line) >= MAX_QUEUED:
                raise UsageError(f"{MAX_QUEUED} jobs are waiting already", "Try again when some are done.")
            if run and self._on(run) is not None:
                raise UsageError(f"Another job works on '{run}'", "Wait for it, or cancel it.")
            job = Job(secrets.token_hex(6), kind, title, Progress(engine, stages), work, run)
            self._known[job.id] = job
            self._line.append(job)
            self._forget_old()
            self._change.notify_all()
            return job

    def get(self, job_id: str) -> Job:
        """The job of that id.

        Raises:
            UsageError: unknown, or ended so long ago that it is forgotten.
        """
        with self._change:
            if job_id not in self._known:
                raise UsageError(f"There is no job '{job_id}'", "It may be long over; see the history of runs.")
            return self._known[job_id]

    def place(self, job: Job) -> int:
        """How many jobs come before it: 0 when it runs or is over."""
        with self._change:
            if job not in self._line:
                return 0
            return self._line.index(job) + (1 if self._running is not None else 0)

    def all(self) -> list[Job]:
        """Every job that is remembered, newest first."""
        with self._change:
            return list(reversed(self._known.values()))

    def on(self, run: str) -> Job | None:
        """The job that works on a run, or waits to."""
        with self._change:
            return self._on(run)

    def stop(self, job: Job) -> None:
        """Cancel: a waiting job leaves the line at once, a running one stops at its next tick."""
        with self._change:
            if job in self._line:
                self._line.remove(job)
                self._end(job, "cancelled", None)
            elif job is self._running:
                job.state = "stopping"
                job.cancel.ask()

    def wait(self, job: Job, timeout_s: float) -> bool:
        """Whether it has ended, at the latest after ``timeout_s``."""
        with self._change:
            return self._change.wait_for(lambda: job.ended, timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Cancel everything and end the thread."""
        with self._change:
            self._closed = True
            for job in list(self._line):
                self._line.remove(job)
                self._end(job, "cancelled", None)
            if self._running is not None:
                self._running.cancel.ask()
            self._change.notify_all()
        self._worker.join(timeout_s)

    def _work_off(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._line or self._closed)
                if self._closed:
                    return
                job = self._line.popleft()
                self._running, job.state, job.started_at = job, "running", time.time()
                self._change.notify_all()
            state, error = self._do(job)
            with self._change:
                self._running = None
                self._end(job, state, error)

    def _do(self, job: Job) -> tuple[JobState, JobError | None]:
        def on_event(event: Event) -> None:
            if event.run:
                job.run = event.run
            job.progress.take(event, self.rates)

        assert job.work is not None
        try:
            return _verdict(job.work(on_event, job.cancel))
        except Cancelled:
            return "cancelled", None
        except ManymeshError as error:
            return "failed", JobError(error.code, error.what, error.hint)
        except Exception as error:
            # A bug must cost this job alone, not the line behind it; the log keeps its traceback.
            logging.getLogger(__name__).exception("job %s failed", job.id)
            return "failed", JobError("bug", f"{type(error).__name__}: {error}", "Please report it; the log has more.")

    def _end(self, job: Job, state: JobState, error: JobError | None) -> None:
        job.state, job.error, job.ended_at = state, error, time.time()
        job.work = None  # it holds settings and paths that nobody needs any more
        self._change.notify_all()

    def _on(self, run: str) -> Job | None:
        active = [*self._line, *([self._running] if self._running is not None else [])]
        return next((job for job in active if job.run == run), None)

    def _forget_old(self) -> None:
        ended = [job for job in self._known.values() if job.ended]
        for job in ended[: max(0, len(self._known) - MAX_REMEMBERED)]:
            del self._known[job.id]


def _verdict(run: Run) -> tuple[JobState, JobError | None]:
    """A run's end as the job's. A run that was only found is still "running" to its manifest."""
    manifest = run.manifest
    if manifest.error is not None:
        return "failed", JobError(manifest.error.code, manifest.error.message, manifest.error.hint)
    if manifest.state == "failed":
        first = next(record.error for record in manifest.objects if record.error is not None)
        return "failed", JobError(first.code, f"No object could be made. {first.message}", first.hint)
    return ("partial" if manifest.state == "partial" else "done"), None
