"""Models opened ahead: the same as opened in their turn, closed whatever happens, and failing where they are wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from manymesh.runner.preload import Preloader
from manymesh.settings import Settings
from manymesh.stages import Stage


class Door:
    """A stage that notes on which thread it was opened, and whether it is open."""

    def __init__(self, name: str, fault: Exception | None = None) -> None:
        self.opened_by: list[str] = []
        self.warmed = threading.Event()
        self.is_open = False
        self.fault = fault
        self.stage = Stage(name, "shape", "", "", self.open, preload=True, warm_up=self.warmed.set)

    @contextmanager
    def open(self, settings: Settings) -> Iterator[str]:
        self.opened_by.append(threading.current_thread().name)
        if self.fault is not None:
            raise self.fault
        self.is_open = True
        try:
            yield "model"
        finally:
            self.is_open = False


def test_a_stage_is_opened_once_on_the_other_thread_and_closed_after_use() -> None:
    door = Door("a")
    ahead = Preloader([door.stage], Settings())
    with ahead.opened(door.stage, Settings()) as model:
        assert model == "model"
        assert door.is_open
    assert not door.is_open
    assert len(door.opened_by) == 1
    assert door.opened_by[0].startswith("manymesh-preload")
    assert door.warmed.wait(5)
    ahead.close()


def test_a_stage_that_is_not_opened_ahead_can_be_warmed_up() -> None:
    door = Door("a")
    ahead = Preloader([], Settings())
    ahead.warm([door.stage])
    assert door.warmed.wait(5)
    assert not door.opened_by
    ahead.close()


def test_what_was_not_opened_ahead_or_was_used_before_is_opened_in_its_turn() -> None:
    door, other = Door("a"), Door("b")
    ahead = Preloader([door.stage], Settings())
    for wanted in (door, door, other):
        with ahead.opened(wanted.stage, Settings()):
            assert wanted.is_open
    ahead.close()
    here = threading.current_thread().name
    assert door.opened_by[1:] == [here]
    assert other.opened_by == [here]


class OriginGuard:
    """A stage whose model is closed by name alone, not when it is forgotten."""

    def __init__(self, name: str, fault: Exception | None = None) -> None:
        self.is_open, self.fault = False, fault
        self.warmed = threading.Event()
        self.stage = Stage(name, "shape", "", "", lambda settings: self, preload=True, warm_up=self.warmed.set)

    def __enter__(self) -> str:
        self.is_open = True
        return "model"

    def __exit__(self, *exc: object) -> None:
        self.is_open = False
        if self.fault is not None:
            raise self.fault


def test_what_nobody_asked_for_is_closed_at_the_end() -> None:
    gates = [OriginGuard("a"), OriginGuard("b")]
    broken = Door("c", fault=ValueError("no one hears of this"))
    ahead = Preloader([gates[0].stage, broken.stage, gates[1].stage], Settings())
    assert gates[1].warmed.wait(5)
    assert all(gate.is_open for gate in gates)
    ahead.close()
    assert not any(gate.is_open for gate in gates)


def test_a_model_that_fails_to_close_costs_no_other() -> None:
    gates = [OriginGuard("a"), OriginGuard("b", fault=OSError("close of b")), OriginGuard("c")]
    ahead = Preloader([gate.stage for gate in gates], Settings())
    assert gates[-1].warmed.wait(5)
    with pytest.raises(OSError, match="close of b"):
        ahead.close()
    assert not any(gate.is_open for gate in gates)
    ahead.close()


def test_a_model_that_cannot_be_opened_says_so_where_it_is_wanted() -> None:
    door = Door("a", fault=ValueError("the file is damaged"))
    ahead = Preloader([door.stage], Settings())
    with pytest.raises(ValueError, match="damaged"), ahead.opened(door.stage, Settings()):
        pass
    ahead.close()


def test_a_failure_within_the_stage_closes_the_model() -> None:
    door = Door("a")
    ahead = Preloader([door.stage], Settings())
    with pytest.raises(KeyboardInterrupt), ahead.opened(door.stage, Settings()):
        raise KeyboardInterrupt
    assert not door.is_open
    ahead.close()
