"""Where the parity fixtures lie: MANYMESH_PARITY, ``shared/parity`` beside the checkout, or the small set in here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
# Written by tests/parity/make.py. It covers some stacks only, and each with fewer fixtures.
SMALL_SET = TESTS / "parity"


def parity_dir(stack: str, *files: str) -> Path:
    """The folder of one stack's fixtures: the full set where it is, else the small one.

    A test whose fixtures are in neither is skipped. With MANYMESH_REQUIRE_PARITY=1, which CI sets, only the full set
    counts, and a test without it fails.

    Args:
        stack: the folder's name, such as "paint".
        files: names in that folder that the test needs.
    """
    full = Path(os.environ.get("MANYMESH_PARITY") or TESTS.parents[1] / "shared" / "parity")
    required = os.environ.get("MANYMESH_REQUIRE_PARITY") == "1"
    for root in (full,) if required else (full, SMALL_SET):
        folder = root / stack
        if folder.is_dir() and all((folder / name).is_file() for name in files):
            return folder
    reason = f"no parity fixtures for {stack}: set MANYMESH_PARITY to the folder that holds them"
    if required:
        pytest.fail(reason)
    pytest.skip(reason)


def is_small(folder: Path) -> bool:
    """Whether a stack's folder is that of the small set."""
    return folder.parent == SMALL_SET
