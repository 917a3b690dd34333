"""Seeds: one integer a run, from which every object's own derives."""

from __future__ import annotations

import hashlib


def object_seed(run_seed: int, index: int) -> int:
    """The seed of object ``index`` (1-based), 0..2**32-1. It depends on these two alone, so object 3 is the same
    whether or not object 2 was asked for."""
    digest = hashlib.sha256(f"{run_seed}/{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
