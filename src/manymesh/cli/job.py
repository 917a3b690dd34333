"""One long piece of work for the terminal: done on a thread, its progress shown, stopped at once on Ctrl-C.

The main thread only waits, so that a signal reaches it even while a library computes for seconds on end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from manymesh.cli.streams import can_show, say
from manymesh.errors import Cancelled

Answer = TypeVar("Answer")

# How often the display is refreshed and signals are looked for.
_REFRESH_S = 0.2
# On a pipe or in a file: a line this often while nothing else is said.
_HEARTBEAT_S = 10.0
# After Ctrl-C, the work has so long to end by itself; one that writes its results has longer, so that none is cut.
_GRACE_S, _WRITING_GRACE_S = 0.5, 5.0


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. No ``KeyboardInterrupt``, because Typer would make exit code 1 of that."""


def interrupt(number: int, frame: object) -> None:
    """A signal handler that raises ``Interrupted``."""
    raise Interrupted


@dataclass
class Progress:
    """How far the work has come. Written by its thread, read by the main one.

    Attributes:
        words: what is being done, for people.
        share: of the whole, 0..1.
        writing: whether it is writing its results.
        stop: whether it shall stop.
    """

    words: str = "Starting"
    share: float = 0.0
    writing: bool = False
    stop: bool = False

    def tell(self, words: str, share: float, *, writing: bool = False) -> None:
        """Called by the work. Raises ``Cancelled`` when it shall stop."""
        if self.stop:
            raise Cancelled("Stopped by Ctrl-C", "Nothing was written.")
        self.words, self.share, self.writing = words, min(max(share, 0.0), 1.0), writing

    def left_s(self, elapsed_s: float) -> float | None:
        """About how many seconds are left; None while nothing can be said."""
        return elapsed_s * (1 - self.share) / self.share if self.share >= 0.05 and elapsed_s >= 2.0 else None


class _Work(threading.Thread, Generic[Answer]):
    """A thread that keeps what its function answered or raised."""

    def __init__(self, function: Callable[[Progress], Answer], progress: Progress) -> None:
        super().__init__(name="manymesh-work", daemon=True)
        self._function = function
        self._progress = progress
        # (A signal that interrupts ``Thread.join`` makes Python 3.11 take the thread for ended.)
        self.ended = threading.Event()
        self.answer: Answer | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = self._function(self._progress)
        except BaseException as error:  # noqa: BLE001 - raised again by the main thread
            self.error = error
        finally:
            self.ended.set()


def carry_out(function: Callable[[Progress], Answer], when_stopped: Callable[[], None]) -> Answer:
    """What ``function`` answers, with its progress on stderr.

    Args:
        function: the work. It runs on another thread and must call ``Progress.tell``.
        when_stopped: called on Ctrl-C if the work has not ended half a second later; the process ends after it.

    Raises:
        Cancelled: Ctrl-C was pressed and the work ended.
        Whatever ``function`` raises.
    """
    progress = Progress()
    work = _Work(function, progress)
    with _raising_interrupted():
        try:
            work.start()
            with _display(progress) as refresh:
                while not work.ended.wait(_REFRESH_S):
                    refresh()
        except Interrupted:
            progress.stop = True
            _let_end(work, progress)
            if not work.ended.is_set():
                when_stopped()
                end_now(Cancelled.exit_code)
            if work.error is not None and not isinstance(work.error, Cancelled):
                raise Cancelled("Stopped by Ctrl-C", "Nothing was written.") from work.error
    if work.error is not None:
        raise work.error
    return cast(Answer, work.answer)


def _let_end(work: _Work[Answer], progress: Progress) -> None:
    work.ended.wait(_WRITING_GRACE_S if progress.writing else _GRACE_S)


def end_now(code: int) -> None:
    """End this process and its children, without waiting for any thread."""
    import psutil

    sys.stdout.flush()
    sys.stderr.flush()
    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    os._exit(code)


@contextmanager
def _raising_interrupted() -> Iterator[None]:
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _display(progress: Progress) -> Iterator[Callable[[], None]]:
    """A function to be called several times a second that shows the progress on stderr."""
    with ExitStack() as held:
        yield held.enter_context(_bar(progress)) if sys.stderr.isatty() else _lines(progress)


def _lines(progress: Progress) -> Callable[[], None]:
    """A line when the work turns to something else, and every ten seconds."""
    start_s = time.monotonic()
    said, said_s = "", start_s

    def refresh() -> None:
        nonlocal said, said_s
        now_s = time.monotonic()
        if progress.words == said and now_s - said_s < _HEARTBEAT_S:
            return
        left_s = progress.left_s(now_s - start_s)
        left = "" if left_s is None else f", about {left_s:.0f} s left"
        say(f"{progress.words} ({progress.share:.0%}{left})")
        said, said_s = progress.words, now_s

    return refresh


@contextmanager
def _bar(progress: Progress) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn("dots" if can_show("⠋", sys.stderr) else "line"),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    start_s = time.monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(progress.words, total=1.0, left="")

        def refresh() -> None:
            left_s = progress.left_s(time.monotonic() - start_s)
            left = "" if left_s is None else f"about {left_s:.0f} s left"
            bar.update(task, completed=progress.share, description=progress.words, left=left)

        yield refresh
