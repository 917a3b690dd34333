"""Objects in progress at the same time: the caller sees what it would see of one after the other."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from manymesh import parallel
from manymesh.parallel import map_ordered, run_pair


def reports_and_results(at_once: int) -> tuple[list[Any], list[Any], set[int]]:
    reports: list[Any] = []
    results: list[Any] = []
    callers: set[int] = set()

    def work(item: int, report: Any) -> int:
        time.sleep(0.02 if item % 2 == 0 else 0.0)  # every other item overtakes the one before
        report(item)
        return item * item

    def finish(item: int, result: int) -> None:
        callers.add(threading.get_ident())
        results.append((item, result))

    map_ordered(range(7), work, reports.append, finish, at_once=at_once)
    return reports, results, callers


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_results_come_in_order_and_in_the_callers_thread(at_once: int):
    reports, results, callers = reports_and_results(at_once)
    assert results == [(item, item * item) for item in range(7)]
    assert sorted(reports) == list(range(7))
    assert callers == {threading.get_ident()}


def test_two_items_are_in_progress_at_once_and_never_three():
    meet = threading.Barrier(2, timeout=5)
    lock, inside, most = threading.Lock(), 0, 0

    def work(item: int, report: Any) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        meet.wait()
        with lock:
            inside -= 1

    map_ordered(range(6), work, lambda value: None, lambda item, result: None, at_once=2)
    assert most == 2


def test_the_first_failure_in_order_is_raised_and_later_items_are_not_started():
    started: list[int] = []
    done: list[int] = []

    def work(item: int, report: Any) -> None:
        started.append(item)
        if item in (1, 2):
            raise ValueError(item)

    with pytest.raises(ValueError, match="1"):
        map_ordered(range(6), work, lambda value: None, lambda item, result: done.append(item), at_once=2)
    assert done == [0]
    assert set(started) <= {0, 1, 2}


def test_a_caller_that_raises_stops_workers_at_their_next_report():
    stopped: list[str] = []

    def work(item: int, report: Any) -> None:
        try:
            for _ in range(500):
                report(item)
                time.sleep(0.01)
        except Exception as error:
            stopped.append(type(error).__name__)
            raise

    def refuse(value: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_ordered(range(2), work, refuse, lambda item, result: None, at_once=2)
    assert stopped == ["Cancelled", "Cancelled"]


@pytest.fixture
def one_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = threading.Semaphore(1)
    monkeypatch.setattr(parallel, "worker_slots", lambda: slots)


def test_a_pair_runs_at_once_where_a_worker_slot_is_free(one_spare: None) -> None:
    meet = threading.Barrier(2, timeout=5)

    def call(result: int) -> int:
        meet.wait()
        return result

    for _ in range(3):  # the slot is released each time
        assert run_pair(lambda: call(1), lambda: call(2)) == (1, 2)


def test_nested_pairs_and_pairs_of_parallel_objects_run_in_turn(one_spare: None) -> None:
    def here() -> str:
        return threading.current_thread().name

    mine = here()
    (first, second), _ = run_pair(lambda: run_pair(here, here), lambda: None)
    assert (first, second) == (mine, mine)
    found: list[bool] = []

    def work(item: int, report: Any) -> bool:
        one, other = run_pair(here, here)
        return one == other

    map_ordered(range(4), work, lambda value: None, lambda item, same: found.append(same), at_once=2)
    assert found == [True] * 4


def test_a_pair_runs_in_turn_where_the_system_gives_no_thread(one_spare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    for _ in range(2):  # the slot is released
        assert run_pair(lambda: 1, lambda: 2) == (1, 2)


def test_the_second_call_is_waited_for_when_the_first_fails(one_spare: None) -> None:
    ended = threading.Event()

    def fails() -> None:
        raise KeyError("first")

    def slow() -> None:
        time.sleep(0.05)
        ended.set()

    with pytest.raises(KeyError, match="first"):
        run_pair(fails, slow)
    assert ended.is_set()
    assert run_pair(lambda: 1, lambda: 2) == (1, 2)
