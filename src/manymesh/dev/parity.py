"""``python -m manymesh.dev.parity DIR``: compares our networks and algorithms with the recorded numbers in DIR.

DIR/manifest.json lists the fixtures. One row is printed for each comparison: its name, the largest absolute and
relative error, the tolerance, pass or fail. The exit code is 1 when any row fails. A fixture or stack that is unknown
here fails too, so that nothing is skipped silently.

A stack (matting, detection...) is one module ``manymesh.dev.parity_STACK`` with one function::

    def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]: ...

It reads configurations, seeds and tolerances from the manifest alone and yields rows as they are made (see
``parity_common``).
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from manymesh.dev.parity_common import Row, checked, failed


def _names(manifest: dict[str, Any], field: str) -> set[str]:
    fixtures = manifest.get("fixtures", [])
    return {str(f.get(field)) for f in fixtures if isinstance(f, dict) and field in f}


# A folder belongs to the first stack whose test accepts its manifest. Some manifests name their stack, others are
# recognised by their content.
STACKS: tuple[tuple[str, Callable[[dict[str, Any]], bool]], ...] = (
    ("detection", lambda m: m.get("stack") == "detection"),
    ("qwen", lambda m: m.get("stack") == "qwen3vl"),
    ("triposr", lambda m: m.get("stack") == "triposr"),
    ("triposg", lambda m: m.get("stack") == "triposg"),
    ("mvadapter", lambda m: m.get("stack") == "mv-adapter"),
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
    """One line of the report."""
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
