"""What the parity modules share: rows, comparisons, and reading a fixture's arrays."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: fixture and tensor, such as ``"tiny_square/logits"``.
        max_abs: largest absolute error (nan when there is nothing to measure).
        max_rel: largest absolute error over the largest expected magnitude.
        tolerance: the largest ``max_abs`` allowed; 0 means exact.
        passed: the verdict. The stack decides it; it need not be ``max_abs <= tolerance`` alone.
        note: why it failed, or other remarks.
    """

    name: str
    max_abs: float
    max_rel: float
    tolerance: float
    passed: bool
    note: str = ""


def failed(name: str, note: str) -> Row:
    """A row for something that could not be compared at all."""
    return Row(name, math.nan, math.nan, 0.0, False, note)


def compare(name: str, actual: ArrayLike, expected: ArrayLike, tolerance: float, *, note: str = "") -> Row:
    """Compare element by element. Shapes must be equal; nan and inf never pass."""
    a, e = np.asarray(actual), np.asarray(expected)
    if a.shape != e.shape:
        return failed(name, f"shape {a.shape} where {e.shape} was expected")
    if a.size == 0:
        return Row(name, 0.0, 0.0, tolerance, True, note or "empty")
    wide_a, wide_e = a.astype(np.float64), e.astype(np.float64)
    with np.errstate(invalid="ignore"):
        max_abs = float(np.abs(wide_a - wide_e).max())
    scale = float(np.abs(wide_e).max())
    max_rel = max_abs / scale if scale > 0 else max_abs
    return Row(name, max_abs, max_rel, tolerance, bool(max_abs <= tolerance), note)


def checked(name: str, run: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """The rows of one fixture. An exception becomes a failing row, so that the other fixtures still run."""
    count = 0
    try:
        for row in run():
            count += 1
            yield row
    except Exception as error:  # noqa: BLE001 - any exception is a failure of this fixture alone
        where = traceback.extract_tb(error.__traceback__)[-1]
        yield failed(name, f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})")
        return
    if count == 0:
        yield failed(name, "compared nothing")


@dataclass(frozen=True)
class Entry:
    """One fixture of a manifest with its arrays.

    Attributes:
        folder: where the manifest is.
        entry: the fixture's part of the manifest.
        tensors: the arrays of the fixture's file, by name.
        manifest: the whole of it.
    """

    folder: Path
    entry: dict[str, Any]
    tensors: Arrays
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.entry["id"])


CompareFixture = Callable[[Path, dict[str, Any], str], Iterator[Row]]
"""Called with the fixtures' folder, a fixture's entry in the manifest, and its name."""

Comparison = TypeVar("Comparison")


def comparison_for(name: str, known: Mapping[str, Comparison]) -> Comparison | None:
    """The entry of ``known`` whose key is the longest beginning of ``name``: "dit_wide" is a "dit". None without
    one."""
    fitting = [key for key in known if name.startswith(key)]
    return known[max(fitting, key=len)] if fitting else None


def load_arrays(directory: Path, fixture: dict[str, Any]) -> Arrays:
    """The arrays of the safetensors file that a fixture's ``file`` names."""
    from safetensors.numpy import load_file

    return load_file(directory / fixture["file"])


def relative(name: str, actual: Any, expected: Any, tolerance: float, least: float = 0.0) -> Row:
    """Compare under ``tolerance`` times the largest expected magnitude (at least ``least``)."""
    scale = max(float(np.abs(np.asarray(expected, np.float64)).max(initial=0)), least)
    return compare(name, actual, expected, tolerance * scale)


def share_within(name: str, actual: Any, expected: Any, within: float, wanted: float, *, where: Any = None) -> Row:
    """Passes when the share of places that agree ``within`` a distance is at least ``wanted``.

    Args:
        actual, expected: arrays of one shape; the axes after the first two are one place's channels, all of which must
            agree.
        within: largest absolute difference of two values that agree.
        wanted: least share of agreeing places, 0..1.
        where: bool mask of the places that count; all of them when None.
    """
    a, e = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if a.shape != e.shape:
        return failed(name, f"shape {a.shape} where {e.shape} was expected")
    apart = np.abs(a - e)
    apart = apart.reshape(*apart.shape[:2], -1).max(axis=2) if apart.ndim > 2 else apart
    apart = apart if where is None else apart[where]
    agreeing = float((apart <= within).mean()) if apart.size else 1.0
    worst = float(apart.max(initial=0))
    scale = max(float(np.abs(e).max(initial=0)), 1e-12)
    note = f"{100 * agreeing:.3f} % within {within:g}"
    return Row(name, worst, worst / scale, within, agreeing >= wanted, note)
