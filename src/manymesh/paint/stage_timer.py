"""How long the parts of a painter's way take, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable

from manymesh.stages import Tick


class StageTimer:
    """Seconds by part, for the manifest."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last_s = time.perf_counter()

    def lap(self, name: str) -> None:
        now_s = time.perf_counter()
        self.laps[name] = round(now_s - self._last_s, 3)
        self._last_s = now_s


def part(tick: Tick, start: float, stop: float) -> Callable[[float], None]:
    """``tick`` for a part of the way."""
    return lambda done: tick(start + done * (stop - start))
