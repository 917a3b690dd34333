"""Measuring a stretch of work: wall seconds and the highest memory it reached."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from manymesh.device.resident import Resident

SAMPLE_EVERY_S = 0.02


@dataclass(frozen=True)
class Usage:
    """What a stretch of work took.

    Attributes:
        seconds: wall time.
        host_peak_bytes: highest resident memory of this process and its children, sampled every 20 ms. A child counts
            from at most a quarter of a second after its start.
        device_peak_bytes: highest CUDA memory allocated by torch, or None when torch is not loaded or has no CUDA.
        device_reserved_bytes: the highest that torch kept from other programs, its spare memory included, likewise.
    """

    seconds: float
    host_peak_bytes: int
    device_peak_bytes: int | None
    device_reserved_bytes: int | None = None


class Meter:
    """Measures between ``with Meter() as meter`` and its end; ``meter.usage`` holds the answer afterwards.

    Sampling, not ``ru_maxrss``: that one never falls, so a small stage after a big one would inherit its peak.
    """

    def __init__(self) -> None:
        self.usage = Usage(0.0, 0, None)
        self._stop = threading.Event()
        self._peak_bytes = 0

    def __enter__(self) -> Meter:
        self._resident = Resident()
        self._start_s = time.perf_counter()
        _reset_device_peak()
        self._sample()
        self._thread = threading.Thread(target=self._watch, name="manymesh-meter", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()
        self.usage = Usage(time.perf_counter() - self._start_s, self._peak_bytes, *_device_peaks())

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            self._sample()

    def _sample(self) -> None:
        self._peak_bytes = max(self._peak_bytes, self._resident.bytes())


def _cuda() -> Any:
    """torch.cuda when something else has already loaded torch and it sees a device; measuring must not load it.
    None otherwise."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_available() else None


def _reset_device_peak() -> None:
    cuda = _cuda()
    if cuda is not None:
        cuda.reset_peak_memory_stats()


def _device_peaks() -> tuple[int | None, int | None]:
    cuda = _cuda()
    if cuda is None:
        return None, None
    return int(cuda.max_memory_allocated()), int(cuda.max_memory_reserved())
