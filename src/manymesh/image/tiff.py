"""The tables of a TIFF file: how large its pages are and how they are stored, read before anything is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAX_PAGES = 1000
# A page of a photo has some thirty tags, one of a scientific file a few hundred.
MAX_TAGS = 4096
# Values beyond this many of one tag are never wanted here (places of strips, say).
MAX_VALUES = 16

SUBFILE_TYPE, WIDTH, HEIGHT, BITS, PHOTOMETRIC = 254, 256, 257, 258, 262
PLANAR = 284
ORIENTATION, SAMPLES, SUB_IFDS, EXTRA_SAMPLES, SAMPLE_FORMAT, DNG_VERSION = 274, 277, 330, 338, 339, 50706
# Values of SAMPLE_FORMAT.
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
# A value of EXTRA_SAMPLES: opacity that the colour is multiplied by already.
ASSOCIATED = 1
# Values of PHOTOMETRIC.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
# Values of PHOTOMETRIC that belong to DNG and its relatives: values behind a colour filter, and linear raw.
_RAW_PHOTOMETRIC = (32803, 34892)
# Letters of the struct module for the whole-number types of a tag.
_LETTERS = {1: "B", 3: "H", 4: "I", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
# What ``unpack_from`` raises for a place outside the data, and for one that no machine can address.
_OUTSIDE = (struct.error, OverflowError, IndexError)


@dataclass(frozen=True)
class Page:
    """One page: its whole-number tags, each as a tuple of at most 16 values."""

    tags: dict[int, tuple[int, ...]]

    def first(self, tag: int, default: int = 0) -> int:
        """The first value of a tag, or ``default``."""
        return (self.tags.get(tag) or (default,))[0]

    @property
    def width(self) -> int:
        return self.first(WIDTH)

    @property
    def height(self) -> int:
        return self.first(HEIGHT)

    @property
    def bits(self) -> int:
        """Bits of one sample."""
        return max(self.tags.get(BITS) or (1,))

    @property
    def has_planes(self) -> bool:
        """Whether each channel is stored by itself, one after the other."""
        return self.first(PLANAR, 1) == 2 and self.first(SAMPLES, 1) > 1

    @property
    def is_float(self) -> bool:
        """Whether its samples are floating point numbers."""
        return self.first(SAMPLE_FORMAT, UNSIGNED) == FLOAT

    @property
    def is_unusual_colour(self) -> bool:
        """Whether its colour is kept in whole numbers that Pillow does not read: with a sign, or over 16 bits."""
        whole_numbers = self.first(SAMPLE_FORMAT, UNSIGNED) in (UNSIGNED, SIGNED)
        unusual = self.bits > 16 or self.first(SAMPLE_FORMAT, UNSIGNED) == SIGNED
        return whole_numbers and unusual and self.first(SAMPLES, 1) > 1

    @property
    def is_reduced(self) -> bool:
        """Whether it is a smaller copy of another page, or a mask for one."""
        return bool(self.first(SUBFILE_TYPE) & 0b101)

    @property
    def is_raw(self) -> bool:
        """Whether it belongs to a camera raw file."""
        return DNG_VERSION in self.tags or self.first(PHOTOMETRIC) in _RAW_PHOTOMETRIC


def read_pages(data: bytes) -> list[Page]:
    """The pages of a TIFF or BigTIFF file, in order, as far as its tables can be read; at most 1,000.

    Raises:
        ValueError: not even the first page's table lies in the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    pages: list[Page] = []
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        while place and place not in seen and len(pages) < MAX_PAGES:
            seen.add(place)
            page, place = _read_page(data, place, order, big)
            pages.append(page)
    except _OUTSIDE:
        if not pages:
            raise ValueError("its table of contents lies outside the file") from None
    return pages


def _read_page(data: bytes, place: int, order: str, big: bool) -> tuple[Page, int]:
    """The page whose table begins at ``place``, and where the next one begins (0: there is none)."""
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
    start, entry_bytes = place + (8 if big else 2), 20 if big else 12
    tags: dict[int, tuple[int, ...]] = {}
    for number in range(min(count, MAX_TAGS)):
        entry = start + number * entry_bytes
        tag, kind, values = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, entry)
        letter = _LETTERS.get(kind)
        if letter is None:
            continue
        form = f"{order}{min(values, MAX_VALUES)}{letter}"
        at = entry + (12 if big else 8)
        if values * struct.calcsize(order + letter) > (8 if big else 4):
            (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, at)
        try:
            tags[tag] = struct.unpack_from(form, data, at)
        except _OUTSIDE:
            continue  # its values lie outside the file; whether that matters, the decoder decides
    (following,) = struct.unpack_from(order + ("Q" if big else "I"), data, start + count * entry_bytes)
    return Page(tags), following
