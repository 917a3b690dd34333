"""What a run reports while it works, and how it is stopped. Every face (command line, web page, batch) renders the same
events.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from manymesh.errors import Cancelled

EventKind = Literal[
    "run-started",
    "stage-started",
    "object-started",
    "object-progress",
    "object-done",
    "object-failed",
    "stage-done",
    "note",
    "run-done",
]


@dataclass(frozen=True)
class Event:
    """One event of a run.

    Attributes:
        kind: what.
        run: the run folder's name.
        stage: the name of one of ``stages.STEPS``; "" outside of them.
        object_id: such as "01-cup"; "" when it is about the whole run.
        text: a sentence for people (notes and failures).
        done, total: objects finished and objects to do in this stage.
        share: 0..1 of the current object (progress events).
        seconds: what the object or stage took (done events).
    """

    kind: EventKind
    run: str = ""
    stage: str = ""
    object_id: str = ""
    text: str = ""
    done: int = 0
    total: int = 0
    share: float = 0.0
    seconds: float = 0.0


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An ``OnEvent`` for callers that do not listen."""


class Cancel:
    """A wish to stop that any thread may express; the pipeline obeys at the next tick.

    It stays expressed: give the next piece of work a new one.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def check(self) -> None:
        """Raise ``Cancelled`` if somebody has asked."""
        if self.asked:
            raise Cancelled("Stopped on request", "What was finished is kept; `manymesh resume` goes on from there.")
