"""The last few pictures that came into run folders: what one stage has just encoded, the next need not decode.

A run still reads and checks the file. Only a picture of exactly these bytes is taken from the shelf, and PNG keeps
every pixel, so nothing can differ from what decoding gives.
"""

from __future__ import annotations

import threading

import numpy as np

from manymesh.types import U8

MOST_BYTES = 24 * 1024**2
"""Some eight photos of a megapixel, whatever the number of runs and objects."""

Picture = tuple[U8, "U8 | None"]


class Shelf:
    """Pictures by the digest of their files; the oldest go when there are too many. Safe for several threads.

    Args:
        most_bytes: of all pictures together.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._pictures: dict[str, Picture] = {}
        self._bytes = 0

    def put(self, digest: str, rgb: U8, alpha: U8 | None) -> Picture:
        """Keep a picture, which nobody may change any more.

        Args:
            digest: of the file that holds it. rgb: (h, w, 3) uint8. alpha: (h, w) uint8, or None.

        Returns:
            The picture, read-only.
        """
        kept = _fixed(rgb), None if alpha is None else _fixed(alpha)
        with self._lock:
            if digest not in self._pictures and _size(kept) <= self._most_bytes:
                self._pictures[digest] = kept
                self._bytes += _size(kept)
                while self._bytes > self._most_bytes:
                    self._bytes -= _size(self._pictures.pop(next(iter(self._pictures))))
        return kept

    def get(self, digest: str) -> Picture | None:
        """The picture in the file of this digest, if it is still here."""
        with self._lock:
            return self._pictures.get(digest)


def _fixed(pixels: U8) -> U8:
    """The pixels in an array of their own (not part of a larger one, which would stay too) that cannot be changed."""
    fixed = np.array(pixels) if pixels.base is not None or pixels.flags.writeable else pixels
    fixed.flags.writeable = False
    return fixed


def _size(picture: Picture) -> int:
    rgb, alpha = picture
    return int(rgb.nbytes) + (0 if alpha is None else int(alpha.nbytes))
