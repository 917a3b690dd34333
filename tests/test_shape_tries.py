"""Several shapes of one object."""

from __future__ import annotations

import gc
import weakref

from manymesh.errors import ObjectError
from manymesh.shape.common.tries import Tries
from manymesh.stages import Tick
from manymesh.types import Mesh


class Numbers:
    """Stands for a large tensor."""


def test_a_try_that_failed_keeps_nothing_of_what_it_worked_on() -> None:
    kept: list[weakref.ref[Numbers]] = []

    def shape(seed: int, tick: Tick) -> Mesh:
        numbers = Numbers()
        kept.append(weakref.ref(numbers))
        raise ObjectError("no shape", "try again")

    tries = Tries.make(2, 7, lambda done: None, shape)
    gc.collect()
    assert len(tries.failures) == 2
    assert [ref() for ref in kept] == [None, None]
