"""Lengths with a unit, as people write them and as messages repeat them; the axis that is up."""

from __future__ import annotations

import re
from typing import Literal

Up = Literal["y", "z"]
"""The axis of a file that is up."""

# Metres of one of each unit, by the names that people and 3MF write. Messages use a unit's first name.
METRES = {
    "m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048, "micron": 1e-6,
    "metre": 1.0, "meter": 1.0, "centimetre": 0.01, "centimeter": 0.01, "millimetre": 0.001, "millimeter": 0.001,
    "inch": 0.0254, "inches": 0.0254, "foot": 0.3048, "feet": 0.3048,
    "um": 1e-6, "\u00b5m": 1e-6, "\u03bcm": 1e-6,  # the micro sign, and the Greek letter that looks the same
}  # fmt: skip
# Between a grain of dust and a mountain: a slip of the pen lies outside. Chosen by hand.
SHORTEST_M, LONGEST_M = 1e-6, 1e5
_LENGTH = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z\u00b5\u03bc]*)\s*", re.IGNORECASE)


def parse_length(text: str) -> float:
    """The length in metres that a text such as ``0.09``, ``9cm``, ``90 mm`` or ``3in`` states; a bare number is metres.

    Raises:
        ValueError: it is no length, or none that an object has.
    """
    found = _LENGTH.fullmatch(text)
    name = found[2].lower() or "m" if found else ""
    name = name if name in METRES else name.removesuffix("s")
    if found is None or name not in METRES:
        raise ValueError(f"'{text}' is not a length: write 0.09 (metres), 9cm, 90mm or 3in")
    length_m = float(found[1]) * METRES[name]
    if not SHORTEST_M <= length_m <= LONGEST_M:
        raise ValueError(f"'{text}' is no length of an object: give 1 micron to 100 km")
    return length_m


def short_name(unit: str) -> str:
    """The short name of a unit, such as "mm" for "millimeter"; "" for one that is not known."""
    factor = METRES.get(unit.lower())
    return "" if factor is None else next(name for name, metres in METRES.items() if metres == factor)


_BYTES = {"m": 2**20, "mib": 2**20, "mb": 2**20, "g": 2**30, "gib": 2**30, "gb": 2**30}
_MEMORY = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]+)\s*", re.IGNORECASE)


def parse_memory(text: str) -> int:
    """The bytes that a text such as ``8G``, ``6.5 GB`` or ``4096M`` states. G and GB are both 2**30, as on graphics
    cards' boxes.

    Raises:
        ValueError: it is no amount of memory, or under 64 MiB.
    """
    found = _MEMORY.fullmatch(text)
    if found is None or found[2].lower() not in _BYTES:
        raise ValueError(f"'{text}' is not an amount of memory: write 8G or 4096M")
    count = int(float(found[1]) * _BYTES[found[2].lower()])
    if not 64 << 20 <= count <= 1 << 50:
        raise ValueError(f"'{text}' is no memory of a graphics card: give 64M or more")
    return count


def memory_in_words(count_bytes: int) -> str:
    """Such as "3.2 GiB" or "512 MiB"."""
    return f"{count_bytes / 2**30:.1f} GiB" if count_bytes >= 2**30 else f"{count_bytes / 2**20:.0f} MiB"
