"""Pictures of 16 bits, and files of any bytes, for tests of reading."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from conftest import three_things

from manymesh.types import U8

PICTURE: U8 = np.asarray(three_things(96, 72))


def png16(values: np.ndarray, *extra: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG of (h, w, 1 to 4) values, with further chunks."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def written(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path
