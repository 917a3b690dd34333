"""Opens the models of later stages on a thread while an earlier stage works, so that loading overlaps with work.

A stage is opened here only if it allows it (``Stage.preload``): its model must be small, because it is then in memory
together with the model of the stage that works.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from manymesh.settings import Settings
from manymesh.stages import Stage


class Preloader:
    """Opens stages one after the other on one background thread, beginning at once.

    When all are open, each stage's ``warm_up`` is called on the same thread. ``close`` has to be called in the end: it
    closes the models that were opened and never asked for.

    Args:
        stages: implementations that allow it (``Stage.preload``), in the order in which they will be used.
        settings: passed to each stage's ``open``.
    """

    def __init__(self, stages: Sequence[Stage], settings: Settings) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="manymesh-preload")
        self._opening: dict[Stage, Future[tuple[Any, ExitStack]]] = {
            stage: self._thread.submit(_open, stage, settings) for stage in stages
        }
        self._warming = [self._thread.submit(stage.warm_up) for stage in stages]

    def warm(self, stages: Sequence[Stage]) -> None:
        """Call the ``warm_up`` of stages that are opened in their own turn, on the same thread."""
        self._warming += [self._thread.submit(stage.warm_up) for stage in stages]

    @contextmanager
    def opened(self, stage: Stage, settings: Settings) -> Iterator[Any]:
        """A context with the stage's open model, which is closed at its end.

        A model that this preloader opens is waited for; any other stage is opened now.

        Raises:
            Whatever opening the stage raised.
        """
        opening = self._opening.pop(stage, None)
        if opening is None:
            with stage.open(settings) as model:
                yield model
            return
        model, held = opening.result()
        with held:
            del opening  # it would keep the model
            yield model

    def close(self) -> None:
        """Close every model that nobody asked for. Waits for the one that is being opened; opens no more."""
        self._thread.shutdown(cancel_futures=True)
        unwanted, self._opening = list(self._opening.values()), {}
        with ExitStack() as held:
            for opening in unwanted:
                # An error while a model was opened that nobody asked for concerns nobody.
                if not opening.cancelled() and opening.exception() is None:
                    held.callback(opening.result()[1].close)


def _open(stage: Stage, settings: Settings) -> tuple[Any, ExitStack]:
    """The stage's open model, and the stack that closes it."""
    held = ExitStack()
    return held.enter_context(stage.open(settings)), held
