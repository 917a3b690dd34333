"""Reads STL, binary and text. Corners in exactly one place become one vertex; faces keep their order."""

from __future__ import annotations

import re

import numpy as np

from manymesh.mesh.formats.user_mesh import DamagedFileError, UserMesh, check_face_count, numbers
from manymesh.types import F64

HEADER_BYTES = 84
# A text file names its first corner within this many bytes; the name after "solid" may be long.
TEXT_BYTES = 65536
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
VERTEX = re.compile(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)


def read_stl(data: bytes, name: str) -> UserMesh:
    """The triangles of an STL file. Its normals are those of its faces, so they are not kept.

    Raises:
        DamagedFileError: neither form of STL. InputError: too many faces.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    corners = _binary(data, name)
    text = corners is None
    if corners is None:
        corners = _text(data, name)
    if not np.isfinite(corners).all():
        raise DamagedFileError("has coordinates that are not numbers")
    positions, faces = merged(corners.reshape(-1, 3))
    return UserMesh(positions, faces.reshape(-1, 3), lost=_lost(data, text, len(corners)))


def _lost(data: bytes, text: bool, count: int) -> tuple[str, ...]:
    """What is not read of ``count`` faces, in a few words each."""
    if text:
        # Blanks of this line only: with all white space, each blank line would search through all that follow it.
        solids = len(re.findall(rb"^[ \t]*solid\b", data, re.IGNORECASE | re.MULTILINE))
        return (f"{solids} solids and their names",) if solids > 1 else ()
    coloured = np.frombuffer(data, TRIANGLE, count, HEADER_BYTES)["attribute"]
    return ("face colours",) if coloured.any() else ()


def _binary(data: bytes, name: str) -> F64 | None:
    """(m, 3, 3) corners, or None when this is a text file.

    A binary file may begin with the text form's word "solid", and its stated count may be wrong, so the length decides.
    """
    if len(data) < HEADER_BYTES:
        return None
    stated = int.from_bytes(data[80:84], "little")
    held = (len(data) - HEADER_BYTES) // TRIANGLE.itemsize
    text = data[:512].lstrip()[:5].lower() == b"solid" and VERTEX.search(data[:TEXT_BYTES]) is not None
    if stated != held and (text or held == 0):
        if held == 0 and stated > 0 and not text:
            raise DamagedFileError(f"claims {stated} faces and has none")
        return None
    if stated > held:
        raise DamagedFileError(f"is cut off: it claims {stated} faces and has {held}")
    count = stated if stated else held
    check_face_count(count, name)
    return np.frombuffer(data, TRIANGLE, count, HEADER_BYTES)["corners"].astype(np.float64)


def _text(data: bytes, name: str) -> F64:
    if not re.search(rb"facet", data[:TEXT_BYTES], re.IGNORECASE):
        raise DamagedFileError("is neither a binary nor a text STL file")
    check_face_count(data.lower().count(b"vertex") // 3, name)
    found = VERTEX.findall(data)
    if len(found) % 3:
        raise DamagedFileError("has a face without three corners")
    try:
        return numbers([word for corner in found for word in corner]).reshape(-1, 3, 3)
    except ValueError as error:
        raise DamagedFileError("has text where numbers belong") from error


def merged(points: F64) -> tuple[F64, np.ndarray]:
    """Points in exactly one place as one: (n, 3) float64 places in order of first use, and (c,) int32 which each is."""
    keys = np.ascontiguousarray(points + 0.0)  # -0.0 equals 0.0 but has other bytes
    order = np.lexsort(keys.T[::-1])
    new = np.ones(len(order), bool)
    new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    group = np.cumsum(new) - 1
    first = np.minimum.reduceat(order, np.flatnonzero(new)) if len(order) else np.zeros(0, np.int64)
    rank = np.empty(len(first), np.int64)
    by_use = np.argsort(first)
    rank[by_use] = np.arange(len(first))
    number = np.empty(len(points), np.int32)
    number[order] = rank[group]
    return points[first[by_use]], number
