"""Measuring a stretch of work: wall seconds and the highest memory it reached."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manymesh.device.traffic import traffic

if TYPE_CHECKING:
    import psutil

# How often a Meter samples. Each sample takes Python's lock from the thread that works, so not too often. Chosen by
# hand: a stage's peak lasts longer.
SAMPLE_EVERY_S = 0.05
# Listing the children reads every process of the machine: 7 ms with 116 processes, measured. Four times a second that
# is 3 % of a core.
LIST_CHILDREN_EVERY_S = 0.25


@dataclass(frozen=True)
class Usage:
    """What a stretch of work took.

    Attributes:
        seconds: wall time.
        host_peak_bytes: highest resident memory of this process and its children, sampled every 50 ms. A child counts
            from at most a quarter of a second after its start.
        device_peak_bytes: highest CUDA memory allocated by torch, or None when torch is not loaded or has no CUDA.
        device_reserved_bytes: the highest that torch kept from other programs, its spare memory included, likewise.
        moved_bytes: weights that were copied to where they are used.
        load_s: seconds in which weights were loaded, by all threads together.
    """

    seconds: float
    host_peak_bytes: int
    device_peak_bytes: int | None
    device_reserved_bytes: int | None = None
    moved_bytes: int = 0
    load_s: float = 0.0


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
        self._moved_bytes, self._load_s = traffic().moved_bytes, traffic().load_s
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
        self._resident.close()
        moved = (traffic().moved_bytes - self._moved_bytes, traffic().load_s - self._load_s)
        self.usage = Usage(time.perf_counter() - self._start_s, self._peak_bytes, *_device_peaks(), *moved)

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            self._sample()

    def _sample(self) -> None:
        self._peak_bytes = max(self._peak_bytes, self._resident.bytes())


class Resident:
    """Reads how much memory this process and its children hold now, cheaply enough for many times a second: on Linux
    one read of a file that stays open, and a look at the children every ``LIST_CHILDREN_EVERY_S``. ``close`` it."""

    def __init__(self) -> None:
        import psutil

        self._self = psutil.Process()
        self._children: list[psutil.Process] = []
        self._looked_s = float("-inf")
        self._statm = _open_statm()

    def bytes(self) -> int:
        """Resident memory of this process and its children. A child counts a quarter of a second after its start, at
        the latest."""
        return self._own_bytes() + self._children_bytes()

    def close(self) -> None:
        """Close the file."""
        if self._statm is not None:
            os.close(self._statm)
            self._statm = None

    def _own_bytes(self) -> int:
        if self._statm is None:
            return int(self._self.memory_info().rss)
        return int(os.pread(self._statm, 256, 0).split()[1]) * _PAGE_BYTES

    def _children_bytes(self) -> int:
        now_s = time.perf_counter()
        if now_s - self._looked_s >= LIST_CHILDREN_EVERY_S:
            self._looked_s, self._children = now_s, self._self.children() if _has_children() else []
        if not self._children:
            return 0
        import psutil

        total = 0
        for child in self._children:
            try:
                total += child.memory_info().rss
            except psutil.Error:  # it ended since it was listed
                continue
        return total


_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def _open_statm() -> int | None:
    """The file in which Linux tells this process's memory in pages; None elsewhere."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None


def _has_children() -> bool:
    """Whether this process has any children, ended ones that nobody has waited for included; True where the system
    cannot say.

    Most runs have none, and are spared the listing.
    """
    if not hasattr(os, "waitid"):
        return True
    try:
        # A look only: WNOWAIT leaves an ended child to whoever waits for it.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


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
