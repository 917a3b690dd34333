"""``python -m manymesh.dev.parity DIR``: do our networks give the numbers that the fixtures in DIR hold?

DIR/manifest.json lists the fixtures. One row is printed for each comparison: its name, the largest absolute and
relative error, the tolerance, pass or fail. The exit code is 1 when any row fails; a fixture or a whole stack that
nothing here understands is a failure too, so that a silent gap cannot look like success.

A stack (matting, detection...) is one module ``manymesh.dev.parity_STACK`` with one function::

    def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]: ...

It reads configurations, seeds and tolerances from the manifest alone and yields rows as it gets them. ``checked``
runs one fixture and turns an exception into a failing row, ``compare`` makes a row of two arrays.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: fixture and tensor, such as ``"tiny_square/logits"``.
        max_abs: largest absolute error (nan when there is nothing to measure).
        max_rel: largest absolute error over the largest expected magnitude.
        tolerance: what ``max_abs`` was held against; 0 means exact.
        passed: the verdict. The stack decides it; it need not be ``max_abs <= tolerance`` alone.
        note: why it failed, or what people should know.
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
    """Hold ``actual`` against ``expected`` element by element; shapes must be equal, nan and inf never pass."""
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
    except Exception as error:  # noqa: BLE001 - whatever breaks is this fixture's verdict
        where = traceback.extract_tb(error.__traceback__)[-1]
        yield failed(name, f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})")
        return
    if count == 0:
        yield failed(name, "compared nothing")


def _names(manifest: dict[str, Any], field: str) -> set[str]:
    fixtures = manifest.get("fixtures", [])
    return {str(f.get(field)) for f in fixtures if isinstance(f, dict) and field in f}


# The first whose test says yes takes the folder. Manifests of two stacks name their stack, two are known by contents.
STACKS: tuple[tuple[str, Callable[[dict[str, Any]], bool]], ...] = (
    ("detection", lambda m: m.get("stack") == "detection"),
    ("qwen", lambda m: m.get("stack") == "qwen3vl"),
    ("paint", lambda m: "paint" in str(m.get("stack", ""))),
    ("matting", lambda m: "matting" in str(m.get("stack", "")) or bool(_names(m, "kind"))),
    ("shape", lambda m: "shape" in str(m.get("stack", "")) or "checkpoints" in m),
)


def rows_of(directory: Path) -> Iterator[Row]:
    """Every row of a fixture folder, whichever stack it belongs to."""
    try:
        manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        yield failed(str(directory), f"no readable manifest.json: {error}")
        return
    stack = next((name for name, mine in STACKS if isinstance(manifest, dict) and mine(manifest)), None)
    if stack is None:
        yield failed(str(directory), "the manifest belongs to no stack that is known here")
        return
    try:
        module = importlib.import_module(f"manymesh.dev.parity_{stack}")
    except ImportError as error:
        yield failed(stack, f"cannot be compared here: {error}")
        return
    yield from checked(stack, lambda: module.rows(directory, manifest))


def line_of(row: Row) -> str:
    verdict = "pass" if row.passed else "FAIL"
    note = f"  {row.note}" if row.note else ""
    return f"{verdict}  {row.name:<52} abs {row.max_abs:9.3g}  rel {row.max_rel:9.3g}  tol {row.tolerance:9.3g}{note}"


def main(arguments: list[str] | None = None) -> int:
    """Print the rows of each folder named; 0 when all pass, 1 when any fails, 2 when called wrongly."""
    folders = sys.argv[1:] if arguments is None else arguments
    if not folders:
        sys.stderr.write("usage: python -m manymesh.dev.parity DIR [DIR...]\n")
        return 2
    total = bad = 0
    for folder in folders:
        for row in rows_of(Path(folder)):
            sys.stdout.write(line_of(row) + "\n")
            sys.stdout.flush()
            total += 1
            bad += not row.passed
    sys.stdout.write(f"{total - bad} of {total} pass\n")
    return 1 if bad or not total else 0


if __name__ == "__main__":
    sys.exit(main())
