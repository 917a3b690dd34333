"""Objects in progress at the same time, on threads, with results in order; and two calls at once where a core is free.

The lite engine's work is NumPy, SciPy, OpenCV and ONNX Runtime, which release Python's global lock, so two objects keep
two cores busy. A worker's result depends on its object alone, so results are the same as one by one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from queue import SimpleQueue
from typing import Any, TypeVar

from manymesh.errors import Cancelled

# Objects in progress at the same time, at most. Each has its own working memory: about 100 MB in the lite engine, and
# half a gigabyte while a million triangles are reduced. More than two only where there is a core for each and as many
# again; chosen by hand.
MAX_OBJECTS = 4

# How long a thread may keep Python's lock within ``quick_turns``; Python's own is 5 ms. Chosen by hand; not measured.
_TURN_S = 0.0005

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Cores that this process may use; in a container that is fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count() -> int:
    """How many objects this machine works on at the same time."""
    cores = usable_cores()
    return min(MAX_OBJECTS, cores, max(2, cores // 4))


@cache
def worker_slots() -> threading.Semaphore:
    """The free worker slots of this process: every thread beside the calling ones holds one while it works.

    One for the whole process, since its cores are what is shared: a pair within an object must not start a thread while
    another object, perhaps of another job of the web page, has the core. Made at first use, so that importing decides
    nothing about the machine.
    """
    return threading.Semaphore(worker_count() - 1)


def run_pair(first: Callable[[], Item], second: Callable[[], Result]) -> tuple[Item, Result]:
    """The results of two independent calls.

    The second runs on a thread of its own where a worker slot is free, and is waited for even when the first raises.
    Otherwise it runs after the first, so that two objects in progress need no more memory. It must not report progress;
    the first may, and may raise.
    """
    slots = worker_slots()
    if not slots.acquire(blocking=False):
        return first(), second()
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="manymesh-half") as thread:
            try:
                waiting = thread.submit(second)
            except RuntimeError:  # the system gives no more threads
                return first(), second()
            return first(), waiting.result()
    finally:
        slots.release()


def map_ordered(
    items: Sequence[Item],
    work: Callable[[Item, Callable[[Any], None]], Result],
    on_report: Callable[[Any], None],
    on_result: Callable[[Item, Result], None],
    *,
    at_once: int = MAX_OBJECTS,
) -> None:
    """Work on items in threads and hand the results over in the order of ``items``.

    Args:
        work: called in a worker thread with an item and a function to report with.
        on_report: called in the calling thread with everything that a worker reports, as it comes.
        on_result: called in the calling thread with each item and its result.
        at_once: how many items are in progress, including those whose result waits for an earlier item's.

    Raises:
        Whatever ``on_report`` and ``on_result`` raise, and what ``work`` raises for the first item in order that fails.
        Workers in progress are stopped when they next report, and waited for.
    """
    slots, stop = worker_slots(), threading.Event()
    reports: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    ended = object()

    def run(number: int) -> Result:
        def report(value: Any) -> None:
            if stop.is_set():
                raise Cancelled("Another object ended the run")
            reports.put((number, value))

        try:
            return work(items[number], report)
        finally:
            reports.put((number, ended))

    with ExitStack() as held, ThreadPoolExecutor(at_once, thread_name_prefix="manymesh-object") as pool:
        for _ in range(at_once - 1):
            if slots.acquire(blocking=False):
                held.callback(slots.release)
        futures: dict[int, Future[Result]] = {}
        finished: set[int] = set()
        try:
            for current, item in enumerate(items):
                for number in range(current, min(current + at_once, len(items))):
                    if number not in futures and number not in finished:
                        futures[number] = pool.submit(run, number)
                while current not in finished:
                    number, value = reports.get()
                    if value is ended:
                        finished.add(number)
                    else:
                        on_report(value)
                on_result(item, futures.pop(current).result())
        finally:
            stop.set()


@contextmanager
def quick_turns(wanted: bool) -> Iterator[None]:
    """Within, where wanted, threads take turns at Python's lock more often, so that the one that feeds the GPU with
    many small kernels does not wait 5 ms for another's NumPy each time."""
    before_s = sys.getswitchinterval()
    if wanted:
        sys.setswitchinterval(min(before_s, _TURN_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)
