"""What a check of weights or of the machine found, as data: for a table on a terminal and for a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from manymesh.errors import ManymeshError, NotFiniteError, WeightsError

Outcome = Literal["passed", "failed", "not possible"]


@dataclass(frozen=True)
class Finding:
    """One check's answer.

    Attributes:
        check: what was checked, in a few words.
        outcome: "not possible" where nothing is known of the right answer, or this machine cannot work it out.
        sentence: what was found, for people, without a full stop at the end.
        numbers: what was measured, by name.
    """

    check: str
    outcome: Outcome
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)


def passed(check: str, sentence: str, **numbers: float) -> Finding:
    """The check was made, and all is as it should be."""
    return Finding(check, "passed", sentence, numbers)


def failed(check: str, sentence: str, **numbers: float) -> Finding:
    """The check was made, and something is wrong."""
    return Finding(check, "failed", sentence, numbers)


def not_possible(check: str, sentence: str, **numbers: float) -> Finding:
    """The check could not be made."""
    return Finding(check, "not possible", sentence, numbers)


def attempt(check: str, work: Callable[[], Finding]) -> Finding:
    """``work()``; what it raises becomes a finding, so that one check never costs the others.

    Damaged weights and numbers that are not finite are failures. What this machine lacks (a library, memory) makes the
    check impossible. A bug still raises.
    """
    try:
        return work()
    except (WeightsError, NotFiniteError) as error:
        return failed(check, error.what)
    except ManymeshError as error:
        return not_possible(check, str(error).rstrip("."))
    except RuntimeError as error:
        if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
            return not_possible(check, "the device has too little free memory for it")
        raise
