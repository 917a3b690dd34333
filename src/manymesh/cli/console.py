"""Events on a terminal: a progress bar where somebody watches, plain lines where a file or another program reads.

Everything goes to stderr; stdout belongs to machines.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from manymesh.events import Event, OnEvent
from manymesh.stages import label_of


@contextmanager
def showing_progress() -> Iterator[OnEvent]:
    """An ``OnEvent`` that renders on stderr, as a bar when that is a terminal."""
    if not sys.stderr.isatty():
        yield plain_lines(sys.stderr)
        return
    with _bar() as on_event:
        yield on_event


def plain_lines(stream: TextIO) -> OnEvent:
    """One line an event that matters."""

    runs: set[str] = set()

    def on_event(event: Event) -> None:
        runs.add(event.run)
        line = _line(event)
        if line:
            # With several photos in progress, say whose object it is.
            prefix = f"{event.run}: " if len(runs - {""}) > 1 and event.kind != "run-started" and event.run else ""
            stream.write(prefix + line + "\n")
            stream.flush()

    return on_event


def _line(event: Event) -> str:
    where = " ".join(part for part in (event.stage, event.object_id) if part)
    if event.kind == "run-started":
        return f"{event.run}: {event.text}"
    if event.kind == "object-done":
        return f"{where} done in {event.seconds:.2f} s ({event.done}/{event.total})"
    if event.kind == "object-failed":
        return f"{where} FAILED ({event.done}/{event.total}): {event.text}"
    if event.kind == "note":
        return f"note{' on ' + event.object_id if event.object_id else ''}: {event.text}"
    return ""


@contextmanager
def _bar() -> Iterator[OnEvent]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def on_event(event: Event) -> None:
            words = label_of(event.stage, event.stage)
            if event.kind == "stage-started":
                progress.reset(task, total=event.total, description=words)
            elif event.kind == "object-progress":
                progress.update(task, completed=event.done + event.share, description=f"{words} {event.object_id}")
            elif event.kind in ("object-done", "object-failed"):
                progress.update(task, completed=event.done)
            line = _line(event) if event.kind in ("run-started", "object-failed", "note") else ""
            if line:
                progress.console.print(escape(line), highlight=False)

        yield on_event
