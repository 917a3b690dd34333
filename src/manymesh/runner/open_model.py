"""A step's open model, and how it is opened again with less of the device's memory when that has run out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from manymesh.device import release_memory
from manymesh.errors import OutOfMemoryError
from manymesh.plan import StagePlan
from manymesh.stages import Level
from manymesh.units import memory_in_words

Open = Callable[["Level | None"], "AbstractContextManager[Any]"]


class OpenModel:
    """A stage's model, opened at the level that was planned for it.

    Args:
        open_at: gives the context that opens the stage at a level (None: the stage offers none).
        plan: the stage's level, and the smaller ones; None for a stage that offers none.
        say: told in one sentence of each step down.

    Attributes:
        model: what the stage opened.
        level: the present one.
        sentences: what ``say`` was told since ``used_by``, or since the beginning.
        is_open: whether ``model`` may be used. It is not after a step down that failed.
    """

    def __init__(self, open_at: Open, plan: StagePlan | None, say: Callable[[str], None]) -> None:
        self.model: Any = None
        self.level = None if plan is None else plan.level
        self.sentences: list[str] = []
        self.is_open = False
        self._kind = "" if plan is None else plan.kind
        self._smaller = [] if plan is None else list(plan.smaller)
        self._open_at, self._say = open_at, say
        self._held = ExitStack()

    @property
    def has_smaller(self) -> bool:
        """Whether there is a level to step down to."""
        return bool(self._smaller)

    def open(self) -> None:
        """Open the stage; where the device's memory runs out meanwhile, at the next smaller level.

        Raises:
            Whatever opening raised at the last level.
        """
        while True:
            try:
                self.model = self._held.enter_context(self._open_at(self.level))
                self.is_open = True
                return
            except Exception as error:
                if not is_device_memory(error) or not self._take_smaller():
                    raise
            release_memory()  # outside the handler: the error's frames hold the memory

    def reopen(self) -> None:
        """Open the stage if it is not open: after a step down that failed, memory may be free again."""
        if not self.is_open:
            self.open()

    def used_by(self, say: Callable[[str], None]) -> None:
        """A model that was kept open serves other runs from now on; ``say`` tells those."""
        self._say, self.sentences = say, []

    def step_down(self) -> bool:
        """Close the stage and open it at the next smaller level. False, and nothing is done, where there is none.

        Raises:
            Whatever opening raised at the last level. The stage is closed then.
        """
        if not self._smaller:
            return False
        self.close()
        release_memory()
        self._take_smaller()
        self.open()
        return True

    def close(self) -> None:
        """Close the stage."""
        self.model, self.is_open = None, False
        held, self._held = self._held, ExitStack()
        held.close()

    def _take_smaller(self) -> bool:
        if not self._smaller:
            return False
        before, self.level = self.level, self._smaller.pop(0)
        assert before is not None
        sentence = (
            f"The GPU's memory ran out in the {self._kind} stage ({before.name}, planned with "
            f"{memory_in_words(before.reserved_bytes)}); it goes on with less: {self.level.why}."
        )
        self.sentences.append(sentence)
        self._say(sentence)
        return True


def is_device_memory(error: BaseException) -> bool:
    """Whether an exception says that the device's memory ran out: torch's own, which is known by its name so that
    torch need not be imported, or a stage's."""
    return isinstance(error, OutOfMemoryError) or type(error).__name__ == "OutOfMemoryError"
