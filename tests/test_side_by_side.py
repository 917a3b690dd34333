"""Two objects at once: the caller sees what it would see of one after the other."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from manymesh.side_by_side import in_order


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

    in_order(range(7), work, told.append, finish, at_once=at_once)
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

    in_order(range(6), work, lambda value: None, lambda item, answer: None, at_once=2)
    assert most == 2


def test_the_first_failure_in_order_is_raised_and_the_rest_is_not_begun():
    begun: list[int] = []
    done: list[int] = []

    def work(item: int, say: Any) -> None:
        begun.append(item)
        if item in (1, 2):
            raise ValueError(item)

    with pytest.raises(ValueError, match="1"):
        in_order(range(6), work, lambda value: None, lambda item, answer: done.append(item), at_once=2)
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
        in_order(range(2), work, refuse, lambda item, answer: None, at_once=2)
    assert stopped == ["Cancelled", "Cancelled"]
