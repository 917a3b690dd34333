"""The container of a file that ``torch.save`` wrote: a zip whose records are stored as they are, in one folder.

Python's ``zipfile`` forgives much: names that differ between directory and record, bytes before the first record,
records over each other. Here each of these is refused, so that what is checked is what is read.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

# The directory of a file with 549 tensors has 40 kB.
MAX_DIRECTORY_BYTES = 64 << 20

_END, _END_SIGNATURE = struct.Struct("<4s4H2IH"), b"PK\x05\x06"
_LOCATOR, _LOCATOR_SIGNATURE = struct.Struct("<4sIQI"), b"PK\x06\x07"
_END_64, _END_64_SIGNATURE = struct.Struct("<4sQ2H2I4Q"), b"PK\x06\x06"
_ENTRY, _ENTRY_SIGNATURE = struct.Struct("<4s6H3I5H2I"), b"PK\x01\x02"
_LOCAL, _LOCAL_SIGNATURE = struct.Struct("<4s5H3I2H"), b"PK\x03\x04"

# Flags of a record: its sizes follow it (8), its name is UTF-8 (0x800). Both are taken from the directory here.
_FLAGS = 0x808
_WIDE = 0xFFFFFFFF
_ZIP64 = 1

_NAME = re.compile(
    r"(?P<folder>[!-.0-~][ -.0-~]*)/"
    r"(?P<name>data\.pkl|byteorder|version|\.data/serialization_id|\.format_version|\.storage_alignment|data/[0-9]{1,9})"
)


class RefusedError(Exception):
    """Why a file is not read, as the end of a sentence about it."""


@dataclass(frozen=True)
class Span:
    """The bytes of a record, from ``start`` up to ``end`` of the file."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class _Entry:
    """A record as the directory describes it; ``offset`` is where its own header lies."""

    name: bytes
    size: int
    offset: int


def read_records(data: memoryview) -> dict[str, Span]:
    """The records of a file by their names without the folder; byte order and version are checked and left out.

    Args:
        data: the whole file.

    Raises:
        RefusedError: the file is no zip, is damaged, or has anything that ``torch.save`` does not write.
    """
    start, end, count = _directory(data)
    entries = sorted(_entries(data[start:end], count), key=lambda entry: entry.offset)
    records: dict[str, Span] = {}
    folders: set[str] = set()
    reached = 0
    for number, entry in enumerate(entries):
        name = _NAME.fullmatch(entry.name.decode("ascii", "replace"))
        if name is None:
            raise RefusedError(f"it holds a record that does not belong there: {entry.name[:80]!r}")
        folders.add(name["folder"])
        if name["name"] in records or len(folders) > 1:
            raise RefusedError("it holds two records of one name, or two folders")
        if entry.offset < reached or (number == 0 and entry.offset != 0):
            raise RefusedError("its records overlap, or something stands before the first")
        span = _span(data, entry)
        if span.end > start:
            raise RefusedError("a record reaches beyond the place of the records")
        records[name["name"]], reached = span, span.end
    _check_constant(data, records.pop("byteorder", None), (b"little",), "the byte order of another machine")
    _check_constant(data, records.pop("version", None), (b"3", b"2"), "an unknown version of its format")
    return records


def _directory(data: memoryview) -> tuple[int, int, int]:
    """Start, end and number of entries of the directory. The file ends with a record that says so."""
    at = len(data) - _END.size
    if at < 0:
        raise RefusedError("it is no zip of torch's, or is cut short")
    signature, disk, other_disk, here, count, size, start, comment = _END.unpack_from(data, at)
    if signature != _END_SIGNATURE or disk or other_disk or here != count or comment:
        raise RefusedError("it is no zip of torch's, or is cut short")
    end = at
    locator = at - _LOCATOR.size
    if locator >= 0 and bytes(data[locator : locator + 4]) == _LOCATOR_SIGNATURE:
        _, _, end, _ = _LOCATOR.unpack_from(data, locator)
        if end != locator - _END_64.size or end < 0:
            raise RefusedError("its directory is damaged")
        signature, _, _, _, disk, other_disk, here, count, size, start = _END_64.unpack_from(data, end)
        if signature != _END_64_SIGNATURE or disk or other_disk or here != count:
            raise RefusedError("its directory is damaged")
    if size > MAX_DIRECTORY_BYTES or start + size != end:
        raise RefusedError("its directory is damaged")
    return start, end, count


def _entries(directory: memoryview, count: int) -> list[_Entry]:
    entries: list[_Entry] = []
    at = 0
    while at < len(directory):
        if at + _ENTRY.size > len(directory) or len(entries) == count:
            raise RefusedError("its directory is damaged")
        signature, _, _, flags, method, _, _, _, packed, size, *lengths, _, _, offset = _ENTRY.unpack_from(
            directory, at
        )
        name_length, extra_length, comment_length, disk = lengths
        if signature != _ENTRY_SIGNATURE or disk or comment_length:
            raise RefusedError("its directory is damaged")
        if method or flags & ~_FLAGS:
            raise RefusedError("a record is compressed or encrypted")
        at += _ENTRY.size
        name, extra = bytes(directory[at : at + name_length]), bytes(directory[at + name_length :][:extra_length])
        at += name_length + extra_length
        if at > len(directory):
            raise RefusedError("its directory is damaged")
        size, packed, offset = _widened(extra, size, packed, offset)
        if size != packed:
            raise RefusedError("a record is compressed")
        entries.append(_Entry(name, size, offset))
    if len(entries) != count:
        raise RefusedError("its directory is damaged")
    return entries


def _widened(extra: bytes, *values: int) -> list[int]:
    """The values, with those that did not fit into 32 bits from an entry's extra field."""
    wide = b""
    at = 0
    while at < len(extra):
        if at + 4 > len(extra):
            raise RefusedError("its directory is damaged")
        kind, length = struct.unpack_from("<2H", extra, at)
        at += 4 + length
        if at > len(extra):
            raise RefusedError("its directory is damaged")
        if kind == _ZIP64:
            wide = extra[at - length : at]
    result: list[int] = []
    for value in values:
        if value == _WIDE:
            if len(wide) < 8:
                raise RefusedError("its directory is damaged")
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        result.append(value)
    return result


def _span(data: memoryview, entry: _Entry) -> Span:
    """The bytes of a record, found by the header before them, whose extra field has another length."""
    if entry.offset + _LOCAL.size > len(data):
        raise RefusedError("a record lies beyond the end of the file")
    signature, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack_from(data, entry.offset)
    at = entry.offset + _LOCAL.size
    if signature != _LOCAL_SIGNATURE or method or flags & ~_FLAGS:
        raise RefusedError("a record is not where the directory says")
    if bytes(data[at : at + name_length]) != entry.name:
        raise RefusedError("a record has another name than in the directory")
    start = at + name_length + extra_length
    return Span(start, start + entry.size)


def _check_constant(data: memoryview, span: Span | None, allowed: tuple[bytes, ...], otherwise: str) -> None:
    if span is not None and (span.size > 16 or bytes(data[span.start : span.end]).rstrip(b"\n") not in allowed):
        raise RefusedError(f"it has {otherwise}")
