"""Which shapes validate and never train, by rules that depend on the name alone."""

from __future__ import annotations

import zlib

FIRST_VALIDATION_NUMBER = 1_000_000
"""Of a generated family: "animals/1000003" validates, "animals/000003" trains."""

SHARE = 0.07
SALT = b"validation 181:"
"""Picked from 200, by names alone: 42 pieces of furniture, and none of the catalogue's 63 nearly equal doors, windows,
plugs and switches. The validation set is therefore more varied than the training set."""


def held_out(name: str) -> bool:
    """Whether the shape of this name is for validation."""
    number = name.rsplit("/", 1)[-1]
    if number.isdigit() and len(number) >= 6:
        return int(number) >= FIRST_VALIDATION_NUMBER
    return zlib.crc32(SALT + name.encode()) / 2**32 < SHARE
