"""Two objects at once: the caller sees what it would see of one after the other."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from manymesh import parallel
from manymesh.parallel import map_ordered, run_pair


def told_and_done(at_once: int) -> tuple[list[Any], list[Any], set[int]]:
    told: list[Any] = []
    done: list[Any] = []
    callers: set[int] = set()

    def work(item: int, say: Any) -> int:
        time.sleep(0.02 if item % 2 == 0 else 0.0)  # every other item overtakes the one before
        say(item)
        return item * item

    def finish(item: int, answer: int) -> None:
        callers.add(threading.get_ident())
        done.append((item, answer))

    map_ordered(range(7), work, told.append, finish, at_once=at_once)
    return told, done, callers


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_answers_come_in_order_and_in_the_callers_thread(at_once: int):
    told, done, callers = told_and_done(at_once)
    assert done == [(item, item * item) for item in range(7)]
    assert sorted(told) == list(range(7))
    assert callers == {threading.get_ident()}


def test_two_items_really_are_in_hand_at_once_and_never_three():
    both = threading.Barrier(2, timeout=5)
    lock, inside, most = threading.Lock(), 0, 0

    def work(item: int, say: Any) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        both.wait()
        with lock:
            inside -= 1

    map_ordered(range(6), work, lambda value: None, lambda item, answer: None, at_once=2)
    assert most == 2


def test_the_first_failure_in_order_is_raised_and_the_rest_is_not_begun():
    begun: list[int] = []
    done: list[int] = []

    def work(item: int, say: Any) -> None:
        begun.append(item)
        if item in (1, 2):
            raise ValueError(item)

    with pytest.raises(ValueError, match="1"):
        map_ordered(range(6), work, lambda value: None, lambda item, answer: done.append(item), at_once=2)
    assert done == [0]
    assert set(begun) <= {0, 1, 2}


def test_a_caller_that_raises_stops_the_others_when_they_next_speak():
    stopped: list[str] = []

    def work(item: int, say: Any) -> None:
        try:
            for _ in range(500):
                say(item)
                time.sleep(0.01)
        except Exception as error:
            stopped.append(type(error).__name__)
            raise

    def refuse(value: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_ordered(range(2), work, refuse, lambda item, answer: None, at_once=2)
    assert stopped == ["Cancelled", "Cancelled"]


@pytest.fixture
def one_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_spare", threading.Semaphore(1))


def test_two_halves_run_at_once_where_a_core_is_to_spare(one_spare: None) -> None:
    meet = threading.Barrier(2, timeout=5)

    def half(answer: int) -> int:
        meet.wait()
        return answer

    for _ in range(3):  # the core is given back each time
        assert run_pair(lambda: half(1), lambda: half(2)) == (1, 2)


def test_halves_of_a_half_and_of_objects_in_hand_run_in_turn(one_spare: None) -> None:
    def here() -> str:
        return threading.current_thread().name

    mine = here()
    (first, second), _ = run_pair(lambda: run_pair(here, here), lambda: None)
    assert (first, second) == (mine, mine)
    found: list[bool] = []

    def work(item: int, say: Any) -> bool:
        one, other = run_pair(here, here)
        return one == other

    map_ordered(range(4), work, lambda value: None, lambda item, same: found.append(same), at_once=2)
    assert found == [True] * 4


def test_halves_run_in_turn_where_the_system_gives_no_thread(one_spare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    for _ in range(2):  # the core is given back
        assert run_pair(lambda: 1, lambda: 2) == (1, 2)


def test_the_second_half_is_waited_for_when_the_first_fails(one_spare: None) -> None:
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
