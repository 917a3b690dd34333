"""The procedural generator: one family of objects a file, each a function from a random generator to pieces.

Every family module has ``make(rng) -> list[Part]``: one random object, +Y up, front towards +Z, any scale. Equal seeds
give equal shapes.
"""

from __future__ import annotations

import zlib
from importlib import import_module

import numpy as np

from training.shapes import Shape, assemble

FAMILIES = (
    "animals",
    "birds",
    "figures",
    "plants",
    "food",
    "toys",
    "furniture",
    "seats",
    "tableware",
    "gadgets",
    "vehicles",
    "tools",
    "clothing",
    "lamps",
    "buildings",
    "music",
    "hoops",
    "abstract",
)


def generate(family: str, number: int) -> Shape:
    """The ``number``-th object of a family; the same on every machine."""
    rng = np.random.default_rng([zlib.crc32(family.encode()), number])
    return assemble(f"{family}/{number:06d}", family, import_module(f"training.families.{family}").make(rng))
