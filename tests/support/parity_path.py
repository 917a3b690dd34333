"""Where the parity fixtures lie: MANYMESH_PARITY, or ``shared/parity`` beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def parity_dir(stack: str) -> Path:
    """The folder of one stack's fixtures. Where it is absent the test is skipped, or fails if CI requires it."""
    root = os.environ.get("MANYMESH_PARITY") or Path(__file__).resolve().parents[3] / "shared" / "parity"
    folder = Path(root) / stack
    if not folder.is_dir():
        reason = f"no parity fixtures for {stack}: set MANYMESH_PARITY to the folder that holds them"
        if os.environ.get("MANYMESH_REQUIRE_PARITY") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
