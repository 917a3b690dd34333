"""Two objects at once on threads, finished in order: the calling thread alone says events and keeps the records.

The lite engine's work is NumPy, SciPy, OpenCV and ONNX Runtime, which let go of the interpreter's lock, so two objects
keep two cores busy. What a worker makes depends on its object alone, so the answers are the same as one by one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, TypeVar

from manymesh.errors import Cancelled

MAX_OBJECTS = 2
"""Each object in hand has its own working memory, about 100 MB in the lite engine."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def worker_count() -> int:
    """How many objects to have in hand on this machine."""
    # What the process may use: in a container that is less than what the machine has.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MAX_OBJECTS, cores)


_spare = threading.Semaphore(worker_count() - 1)
"""Cores of the machine that nothing of ours uses: what is in hand beside the calling threads holds one each."""


def run_pair(one: Callable[[], Item], other: Callable[[], Answer]) -> tuple[Item, Answer]:
    """What two calls give that have nothing to do with each other.

    Where a core is to spare, the second runs on a thread of its own, and is waited for in any case; else after the
    first, so that two objects in hand take no more memory. It must not say anything; the first may, and may raise.
    """
    if not _spare.acquire(blocking=False):
        return one(), other()
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="manymesh-half") as thread:
            try:
                waiting = thread.submit(other)
            except RuntimeError:  # the system gives no more threads
                return one(), other()
            return one(), waiting.result()
    finally:
        _spare.release()


def map_ordered(
    items: Sequence[Item],
    work: Callable[[Item, Callable[[Any], None]], Answer],
    tell: Callable[[Any], None],
    done: Callable[[Item, Answer], None],
    *,
    at_once: int = MAX_OBJECTS,
) -> None:
    """Make something of each item in worker threads, and give the answers to ``done`` in the order of ``items``.

    Args:
        items: what to do.
        work: runs in a worker thread; what it says by its second argument is told at the caller's.
        tell, done: called in the calling thread alone.
        at_once: how many items are in hand, those included whose answer waits for an earlier item's.

    Raises:
        Whatever ``tell`` and ``done`` raise, and what ``work`` raises for the first item in order that fails. The
        others in hand are stopped when they next say something, and waited for.
    """
    stop = threading.Event()
    said: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    ended = object()

    def run(number: int) -> Answer:
        def say(value: Any) -> None:
            if stop.is_set():
                raise Cancelled("Another object ended the run")
            said.put((number, value))

        try:
            return work(items[number], say)
        finally:
            said.put((number, ended))

    with ExitStack() as held, ThreadPoolExecutor(at_once, thread_name_prefix="manymesh-object") as pool:
        for _ in range(at_once - 1):
            if _spare.acquire(blocking=False):
                held.callback(_spare.release)
        futures: dict[int, Future[Answer]] = {}
        over: set[int] = set()
        try:
            for current, item in enumerate(items):
                for number in range(current, min(current + at_once, len(items))):
                    if number not in futures and number not in over:
                        futures[number] = pool.submit(run, number)
                while current not in over:
                    number, value = said.get()
                    if value is ended:
                        over.add(number)
                    else:
                        tell(value)
                done(item, futures.pop(current).result())
        finally:
            stop.set()
