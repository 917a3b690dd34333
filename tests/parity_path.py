"""Where the parity fixtures lie: MANYMESH_PARITY, or ``shared/parity`` beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def parity_dir(stack: str) -> Path:
    """The folder of one stack's fixtures; skips the test when it is not on this machine."""
    root = Path(os.environ.get("MANYMESH_PARITY") or Path(__file__).resolve().parents[1].parent / "shared" / "parity")
    folder = root / stack
    if not (folder / "manifest.json").is_file():
        pytest.skip(f"no parity fixtures for {stack}: set MANYMESH_PARITY to the folder that holds them")
    return folder
