"""Makes every object in two real photos with the engine that any machine can run, and names the contact sheets.

make demo
"""

from __future__ import annotations

import sys
from pathlib import Path

import manymesh
from manymesh.cli.console import showing_progress

HERE = Path(__file__).parent
PHOTOS = ("desk.jpg", "flower.jpg")


def main() -> None:
    """Make both photos into runs/ and say where to look."""
    sheets = []
    for name in PHOTOS:
        with showing_progress() as on_event:
            run = manymesh.make(HERE / name, engine="lite", out=HERE.parent / "runs", on_event=on_event)
        sheets.append(run.sheet)
    sys.stderr.write("\nLook at the contact sheets:\n")
    for sheet in sheets:
        sys.stdout.write(f"{sheet}\n")


if __name__ == "__main__":
    main()
