"""Where the parity fixtures lie: arrays that a reference implementation produced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def parity_dir(stack: str) -> Path:
    """The folder of one stack's fixtures. Skips the test where they are not on this machine."""
    default = Path(__file__).resolve().parents[2] / "shared" / "parity"
    folder = Path(os.environ.get("MANYMESH_PARITY", default)) / stack
    if not folder.is_dir():
        pytest.skip(f"no parity fixtures at {folder}; set MANYMESH_PARITY to the folder that holds '{stack}'")
    return folder
