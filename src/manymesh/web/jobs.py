"""A queue of jobs and the thread that runs them, one at a time, since they share one device.

Jobs outlive the page that asked for them: whoever knows a job's id can ask about it, wait for it, or cancel it. Ended
jobs are remembered up to a bound. What they made stays in their run folders.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from manymesh.errors import Cancelled, ManymeshError, UsageError
from manymesh.events import Cancel, Event, OnEvent
from manymesh.run.folder import Run
from manymesh.web.progress import STAGES, Progress, Rates

JobKind = Literal["find", "make", "go-on", "resume", "paint"]
JobState = Literal["queued", "running", "stopping", "done", "partial", "failed", "cancelled"]
ENDED: tuple[JobState, ...] = ("done", "partial", "failed", "cancelled")

# How many jobs may wait. Chosen by hand: a hundred jobs of lite take about ten minutes.
MAX_QUEUED = 100
# How many of them may come from one address, so that nobody fills the queue alone. Chosen by hand; not measured.
MAX_QUEUED_PER_CLIENT = 60
# How many jobs are remembered, those that wait included.
MAX_REMEMBERED = 200

# Does a job; returns its run as it ended.
Work = Callable[[OnEvent, Cancel], Run]


@dataclass(frozen=True)
class JobError:
    """What went wrong: a stable code for machines, a sentence and a hint for people."""

    code: str
    message: str
    hint: str = ""


@dataclass
class Job:
    """One job.

    Attributes:
        id: unguessable, stable.
        kind: what it does.
        title: for people: the photo's or the run's name.
        run: the run folder's name, as soon as there is one.
        state: see ``JobState``; "partial" when some objects failed.
        error: why it failed.
        photo: the upload it is made from, which must stay until the job has ended; None for one that resumes a run.
        client: the network that asked for it (``asgi.network_of``); "" when no network did.
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
    photo: Path | None = None
    client: str = ""
    queued_at: float = field(default_factory=time.time)
    started_at: float | None = None
    ended_at: float | None = None
    cancel: Cancel = field(default_factory=Cancel)

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class Jobs:
    """The queue, and the thread that runs what is in it.

    Args:
        rates: measured seconds of stages; told of every stage that ends here.
    """

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._change = threading.Condition()
        self._worker = threading.Thread(target=self._run_jobs, name="manymesh-jobs", daemon=True)
        self._worker.start()

    def submit(
        self,
        kind: JobKind,
        title: str,
        work: Work,
        *,
        engine: str,
        run: str = "",
        stages: Sequence[str] = STAGES,
        photo: Path | None = None,
        client: str = "",
    ) -> Job:
        """Put ``work`` at the end of the queue.

        Raises:
            UsageError: the queue is full, ``client`` has too many jobs in it, or another job works on the same run.
        """
        with self._change:
            if self._closed:
                raise UsageError("The server is shutting down")
            if len(self._waiting) >= MAX_QUEUED:
                raise UsageError(f"{MAX_QUEUED} jobs are waiting already", "Try again when some are done.")
            if client and sum(job.client == client for job in self._waiting) >= MAX_QUEUED_PER_CLIENT:
                raise UsageError(
                    f"{MAX_QUEUED_PER_CLIENT} jobs of yours are waiting already", "Try again when some are done."
                )
            if run and self._active_on(run) is not None:
                raise UsageError(f"Another job works on '{run}'", "Wait for it, or cancel it.")
            job = Job(
                secrets.token_hex(6), kind, title, Progress(engine, stages), work, run, photo=photo, client=client
            )
            self._known[job.id] = job
            self._waiting.append(job)
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
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + (1 if self._running is not None else 0)

    def all(self) -> list[Job]:
        """Every job that is remembered, newest first."""
        with self._change:
            return list(reversed(self._known.values()))

    def job_on(self, run: str) -> Job | None:
        """The job that works on a run, or waits to."""
        with self._change:
            return self._active_on(run)

    def photos(self) -> set[Path]:
        """The uploads that jobs still need."""
        with self._change:
            return {job.photo for job in self._known.values() if job.photo is not None and not job.ended}

    def stop(self, job: Job) -> None:
        """Cancel: a waiting job leaves the queue at once, a running one stops at its next tick."""
        with self._change:
            if job in self._waiting:
                self._waiting.remove(job)
                self._end(job, "cancelled", None)
            elif job is self._running:
                job.state = "stopping"
                job.cancel.ask()

    def wait(self, job: Job, timeout_s: float) -> bool:
        """Wait for it to end, at most ``timeout_s``; whether it has ended."""
        with self._change:
            return self._change.wait_for(lambda: job.ended, timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Cancel everything and end the thread."""
        with self._change:
            self._closed = True
            for job in list(self._waiting):
                self._waiting.remove(job)
                self._end(job, "cancelled", None)
            if self._running is not None:
                self._running.cancel.ask()
            self._change.notify_all()
        self._worker.join(timeout_s)

    def _run_jobs(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._waiting.popleft()
                self._running, job.state, job.started_at = job, "running", time.time()
                self._change.notify_all()
            state, error = self._run(job)
            with self._change:
                self._running = None
                self._end(job, state, error)

    def _run(self, job: Job) -> tuple[JobState, JobError | None]:
        def on_event(event: Event) -> None:
            if event.run:
                job.run = event.run
            job.progress.update(event, self.rates)

        assert job.work is not None
        try:
            return _outcome(job.work(on_event, job.cancel))
        except Cancelled:
            return "cancelled", None
        except ManymeshError as error:
            return "failed", JobError(error.code, error.what, error.hint)
        except Exception as error:
            # A bug must cost this job alone, not those that wait; the log keeps its traceback.
            logging.getLogger(__name__).exception("job %s failed", job.id)
            return "failed", JobError("bug", f"{type(error).__name__}: {error}", "Please report it; the log has more.")

    def _end(self, job: Job, state: JobState, error: JobError | None) -> None:
        job.state, job.error, job.ended_at = state, error, time.time()
        job.work = None  # it holds settings and paths that are not needed any more
        self._change.notify_all()

    def _active_on(self, run: str) -> Job | None:
        active = [*self._waiting, *([self._running] if self._running is not None else [])]
        return next((job for job in active if job.run == run), None)

    def _forget_old(self) -> None:
        ended = [job for job in self._known.values() if job.ended]
        for job in ended[: max(0, len(self._known) - MAX_REMEMBERED)]:
            del self._known[job.id]


def _outcome(run: Run) -> tuple[JobState, JobError | None]:
    """A run's end as the job's. A run that was only found is still "running" to its manifest."""
    manifest = run.manifest
    if manifest.error is not None:
        return "failed", JobError(manifest.error.code, manifest.error.message, manifest.error.hint)
    if manifest.state == "failed":
        first = next(record.error for record in manifest.objects if record.error is not None)
        return "failed", JobError(first.code, f"No object could be made. {first.message}", first.hint)
    return ("partial" if manifest.state == "partial" else "done"), None
