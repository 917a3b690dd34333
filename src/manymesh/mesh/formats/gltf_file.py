"""A GLB file's JSON document and binary data, read without trusting either.

Every index, count and offset is checked before it is used. Reference: glTF 2.0 specification, sections 3.6 and 4.4.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F64

MAGIC, JSON_CHUNK, BIN_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
# More than any mesh under the face limit needs, and 360 MB as positions.
MAX_ACCESSOR = 30_000_000
# JSON that describes the parts. A scene of 100,000 nodes has about 20 MB; parsing takes about ten times that in memory.
MAX_JSON_BYTES = 64 * 1024**2

DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}

# What a damaged or hostile document makes its readers raise.
FAULTS = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError, struct.error,
    binascii.Error,
)  # fmt: skip


class GltfFile:
    """A GLB file's document and its binary data.

    Attributes:
        document: the JSON, as it is.
        binary: the BIN chunk; empty where there is none.
    """

    def __init__(self, data: bytes) -> None:
        """Raises ``ValueError`` or ``struct.error``: not a whole GLB 2.0 file, or its JSON is not an object."""
        self.document, self.binary = split_glb(data)
        self._buffers: dict[int, bytes] = {}

    def item(self, table: str, number: Any) -> dict[str, Any]:
        """Entry ``number`` of a table. Raises ``ValueError`` when there is no such entry."""
        entries = self.document.get(table, [])
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(entries):
            raise ValueError(f"it names entry {number} of '{table}', which has {len(entries)}")
        entry = entries[number]
        if not isinstance(entry, dict):
            raise ValueError(f"entry {number} of '{table}' is not an object")
        return entry

    def view(self, number: Any) -> memoryview:
        """The bytes of a buffer view."""
        entry = self.item("bufferViews", number)
        data = self._buffer(entry["buffer"])
        start, length = checked_count(entry.get("byteOffset", 0)), checked_count(entry["byteLength"])
        if start + length > len(data):
            raise ValueError(f"buffer view {number} ends behind its buffer")
        return memoryview(data)[start : start + length]

    def accessor(self, number: Any) -> tuple[NDArray[Any], bool]:
        """The numbers of an accessor as they are stored, (count, width), and whether they are normalised integers."""
        entry = self.item("accessors", number)
        dtype, width = np.dtype(DTYPES[entry["componentType"]]), WIDTHS[entry["type"]]
        count = checked_count(entry["count"])
        if count > MAX_ACCESSOR:
            raise ValueError(f"accessor {number} claims {count} entries")
        if "bufferView" in entry:
            stride = self.item("bufferViews", entry["bufferView"]).get("byteStride")
            offset = checked_count(entry.get("byteOffset", 0))
            values = _strided(self.view(entry["bufferView"]), dtype, count, width, offset, stride)
        else:
            values = np.zeros((count, width), dtype)
        if "sparse" in entry:
            values = self._with_sparse(values, entry["sparse"])
        return values, bool(entry.get("normalized", False))

    def numbers(self, number: Any) -> F64:
        """The numbers of an accessor as float64, (count, width); normalised integers as [0, 1] or [-1, 1]."""
        values, normalized = self.accessor(number)
        return as_float(values, normalized)

    def _with_sparse(self, values: NDArray[Any], sparse: Mapping[str, Any]) -> NDArray[Any]:
        count = checked_count(sparse["count"])
        if count > len(values):
            raise ValueError("a sparse accessor has more entries than it fills")
        at, what = sparse["indices"], sparse["values"]
        index_type = np.dtype(DTYPES[at["componentType"]])
        index = _strided(
            self.view(at["bufferView"]), index_type, count, 1, checked_count(at.get("byteOffset", 0)), None
        )[:, 0]
        if index.dtype.kind != "u" or (count and int(index.max()) >= len(values)):
            raise ValueError("a sparse accessor names entries that it lacks")
        offset = checked_count(what.get("byteOffset", 0))
        filled = values.copy()
        filled[index] = _strided(self.view(what["bufferView"]), values.dtype, count, values.shape[1], offset, None)
        return filled

    def _buffer(self, number: Any) -> bytes:
        entry = self.item("buffers", number)
        if number not in self._buffers:
            self._buffers[number] = self._load(number, entry)
        return self._buffers[number]

    def _load(self, number: int, entry: Mapping[str, Any]) -> bytes:
        uri = entry.get("uri")
        if uri is None:
            if number != 0:
                raise ValueError(f"buffer {number} has no data")
            return self.binary
        head, comma, body = str(uri).partition(",")
        if not (head.startswith("data:") and head.endswith(";base64") and comma):
            raise ValueError("it keeps its data in other files")
        return base64.b64decode(body, validate=True)


def split_glb(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk of a GLB file; raises ValueError or struct.error when it is not one."""
    magic, version, size = struct.unpack_from("<III", data, 0)
    if magic != MAGIC or version != 2 or size != len(data):
        raise ValueError("not a GLB 2.0 file, or not the whole of it")
    length, kind = struct.unpack_from("<II", data, 12)
    if kind != JSON_CHUNK or 20 + length > len(data):
        raise ValueError("no JSON chunk")
    if length > MAX_JSON_BYTES:
        raise ValueError(f"its JSON has {length >> 20} MiB; the limit is {MAX_JSON_BYTES >> 20} MiB")
    document = json.loads(data[20 : 20 + length].decode("utf-8"), parse_constant=_refuse_constant)
    if not isinstance(document, dict):
        raise ValueError("its JSON is not an object")
    rest = 20 + length
    if rest + 8 > len(data):
        return document, b""
    length, kind = struct.unpack_from("<II", data, rest)
    if kind != BIN_CHUNK:
        raise ValueError("no binary chunk")
    return document, data[rest + 8 : rest + 8 + length]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"its JSON holds {name}, which is no JSON")


def as_float(values: NDArray[Any], normalized: bool) -> F64:
    """Stored numbers as float64; normalised integers by glTF's rule (section 3.11)."""
    numbers = values.astype(np.float64)
    if normalized and values.dtype.kind in "iu":
        numbers = np.maximum(numbers / np.iinfo(values.dtype).max, -1.0)
    return numbers


def checked_count(value: Any) -> int:
    """A count or offset from the document. Raises ``ValueError`` unless it is an integer of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{str(value)[:40]!r} is not a count")
    return value


def _strided(data: memoryview, dtype: np.dtype[Any], count: int, width: int, offset: int, stride: Any) -> NDArray[Any]:
    """(count, width) numbers that lie ``stride`` bytes apart, copied."""
    packed = dtype.itemsize * width
    step = packed if stride is None else checked_count(stride)
    if count == 0:
        return np.zeros((0, width), dtype)
    if step < packed or offset + step * (count - 1) + packed > len(data):
        raise ValueError("an accessor ends behind its data")
    return np.ndarray((count, width), dtype, data, offset, (step, dtype.itemsize)).copy()
