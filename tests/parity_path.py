"""Where the reference's recorded inputs and outputs lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def parity_dir(stack: str) -> Path:
    """The folder of one stack's fixtures; skips the test where there is none."""
    root = os.environ.get("MANYMESH_PARITY")
    base = Path(root) if root else Path(__file__).resolve().parent.parent.parent / "shared" / "parity"
    folder = base / stack
    if not folder.is_dir():
        pytest.skip(f"no parity fixtures for {stack}: set MANYMESH_PARITY to their folder")
    return folder
