"""Bytes of weights moved to devices, and the seconds that took: counted for the whole process, as memory is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


class Traffic:
    """Totals since the process started. A ``Meter`` takes differences of them.

    Attributes:
        moved_bytes: weights copied to a device, those that are streamed counted each time.
        load_s: seconds spent in ``loading``.
    """

    def __init__(self) -> None:
        self.moved_bytes = 0
        self.load_s = 0.0
        self._lock = threading.Lock()

    def add(self, moved_bytes: int = 0, load_s: float = 0.0) -> None:
        """Count these too."""
        with self._lock:
            self.moved_bytes += moved_bytes
            self.load_s += load_s

    @contextmanager
    def loading(self) -> Iterator[None]:
        """The time within counts as loading. Not to be nested."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            self.add(load_s=time.perf_counter() - start_s)


@cache
def traffic() -> Traffic:
    """The process's own, made at first use."""
    return Traffic()
