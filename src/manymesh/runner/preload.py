"""Opens the models of later stages on a thread while an earlier stage works, so that loading overlaps with work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from manymesh.settings import Settings
from manymesh.stages import Stage


class Preloader:
    """Opens stages one after the other on a thread of its own, until ``close``.

    Args:
        stages: implementations that allow it (``Stage.preload``), in the order in which they will be wanted.
        settings: what they are opened with.
    """

    def __init__(self, stages: Sequence[Stage], settings: Settings) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="manymesh-ahead")
        self._opening: dict[Stage, Future[tuple[Any, ExitStack]]] = {
            stage: self._thread.submit(_open, stage, settings) for stage in stages
        }
        self._warming = [self._thread.submit(stage.warm_up) for stage in stages]

    @contextmanager
    def opened(self, stage: Stage, settings: Settings) -> Iterator[Any]:
        """What ``stage.open(settings)`` would give, waited for if it is under way. Raises what opening it raised."""
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
        """Close what nobody asked for. Waits for what is being opened."""
        self._thread.shutdown(cancel_futures=True)
        unwanted, self._opening = list(self._opening.values()), {}
        with ExitStack() as held:
            for opening in unwanted:
                # Why one that nobody wants could not be opened, nobody need know.
                if not opening.cancelled() and opening.exception() is None:
                    held.callback(opening.result()[1].close)


def _open(stage: Stage, settings: Settings) -> tuple[Any, ExitStack]:
    held = ExitStack()
    return held.enter_context(stage.open(settings)), held
