"""Reads PLY: text, little- and big-endian, any number types, polygons, strips, and texture coordinates of vertices or
corners."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.polygons import triangulated
from manymesh.mesh.formats.user_mesh import DamagedFileError, UserMesh, check_face_count, numbers
from manymesh.types import F64

TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8", "int64": "i8", "uint64": "u8", "long": "i8", "ulong": "u8",
}  # fmt: skip
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
MAX_HEADER_BYTES = 1024 * 1024
UV_NAMES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))


@dataclass(frozen=True)
class _Property:
    """``count`` is the type of a list's length, "" for a single number."""

    name: str
    kind: str
    count: str = ""


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: tuple[_Property, ...]


# Of an element: single numbers by name, and lists by name as (lengths, all values in a row).
Columns = dict[str, Any]


def read_ply(data: bytes, name: str) -> UserMesh:
    """The triangles of a PLY file.

    Raises:
        DamagedFileError: its header or data contradict themselves. InputError: too many faces.
    """
    elements, order, start = _header(data)
    for element in elements:
        if element.name in ("face", "faces"):
            check_face_count(element.count, name)
    found = _text_data(data[start:], elements) if order == "" else _binary_data(data, start, elements, order)
    vertex = found.get("vertex", {})
    if not all(axis in vertex for axis in "xyz"):
        raise DamagedFileError("has no vertices with x, y and z")
    positions = np.stack([vertex[axis].astype(np.float64) for axis in "xyz"], axis=1)
    sizes, corners, wedges = _polygons(found)
    if corners.size and (int(corners.min()) < 0 or int(corners.max()) >= len(positions)):
        raise DamagedFileError("has faces that name vertices that it lacks")
    check_face_count(int(np.maximum(sizes - 2, 0).sum()), name)
    notes: list[str] = []
    triangles, polygon = triangulated(positions, corners, sizes, notes)
    faces = corners[triangles].astype(np.int32)
    uv = _vertex_uv(vertex)
    corner_uv = wedges[triangles] if wedges is not None else None if uv is None else uv[faces]
    if corner_uv is not None:
        corner_uv = np.stack([corner_uv[..., 0], 1 - corner_uv[..., 1]], axis=-1)  # PLY's origin is the lower left
    normals = None
    if all(axis in vertex for axis in ("nx", "ny", "nz")):
        stored = np.stack([vertex[axis].astype(np.float64) for axis in ("nx", "ny", "nz")], axis=1)
        length = np.linalg.norm(stored, axis=1, keepdims=True)
        normals = (stored / np.where(length > 0, length, 1)).astype(np.float32)[faces]
    layout = _texture_numbers(found, len(sizes))
    numbers = layout[polygon].astype(np.int32)
    return UserMesh(positions, faces, corner_uv, normals, layout=numbers, notes=tuple(notes), lost=_lost(elements))


def _lost(elements: list[_Element]) -> tuple[str, ...]:
    """What is not read, in a few words each."""
    read = {"x", "y", "z", "nx", "ny", "nz", *(name for pair in UV_NAMES for name in pair)}
    read |= {"vertex_indices", "vertex_index", "texcoord", "texnumber"}
    found: list[str] = []
    for element in elements:
        names = [each.name for each in element.properties if each.name not in read]
        if element.name not in ("vertex", "face", "faces", "tristrips"):
            found += [f"element '{element.name[:40]}'"] if element.count else []
            continue
        what = "vertex" if element.name == "vertex" else "face"
        colours = {"red", "green", "blue", "alpha", "diffuse_red", "diffuse_green", "diffuse_blue"}
        if colours & set(names):
            found.append(f"{what} colours")
        found += [f"{what} property '{name[:40]}'" for name in names if name not in colours]
    return tuple(found[:8])


def _header(data: bytes) -> tuple[list[_Element], str, int]:
    """The elements, NumPy's letter for the byte order ("" for text), and where the data starts."""
    ending = re.search(rb"[\r\n][ \t]*end_header\b", data[:MAX_HEADER_BYTES])  # a comment may name it too
    if not data.startswith(b"ply") or ending is None:
        raise DamagedFileError("has no PLY header")
    end = ending.end() - len(b"end_header")
    newline = data.find(b"\n", end)
    carriage = data.find(b"\r", end)
    if newline < 0 and carriage < 0:
        raise DamagedFileError("ends with its header")
    start = (newline if newline >= 0 and newline <= (carriage + 1 if carriage >= 0 else newline) else carriage) + 1
    order: str | None = None
    elements: list[_Element] = []
    for line in data[:end].decode("latin-1").replace("\r\n", "\n").replace("\r", "\n").split("\n")[1:]:
        words = line.split()
        if not words or words[0] in ("comment", "obj_info"):
            continue
        if words[0] == "format" and len(words) > 1:
            order = ORDERS.get(words[1])
        elif words[0] == "element" and len(words) == 3 and words[2].isdigit():
            elements.append(_Element(words[1], int(words[2]), ()))
        elif words[0] == "property" and elements:
            last = elements[-1]
            elements[-1] = _Element(last.name, last.count, (*last.properties, _property(words)))
        else:
            raise DamagedFileError(f"has the header line '{line[:80]}', which is not PLY")
    if order is None:
        raise DamagedFileError("states no format that is known")
    return elements, order, start


def _property(words: list[str]) -> _Property:
    if len(words) == 5 and words[1] == "list" and words[2] in TYPES and words[3] in TYPES:
        return _Property(words[4], TYPES[words[3]], TYPES[words[2]])
    if len(words) == 3 and words[1] in TYPES:
        return _Property(words[2], TYPES[words[1]])
    raise DamagedFileError(f"has the property '{' '.join(words)[:80]}', which is not PLY")


def _binary_data(data: bytes, at: int, elements: list[_Element], order: str) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for element in elements:
        if not any(each.count for each in element.properties):
            rows = np.dtype([(f"{i}", order + each.kind) for i, each in enumerate(element.properties)])
            if at + element.count * rows.itemsize > len(data):
                raise DamagedFileError(f"is cut off in its {element.count} entries of '{element.name}'")
            table = np.frombuffer(data, rows, element.count, at)
            at += element.count * rows.itemsize
            found[element.name] = {each.name: table[f"{i}"] for i, each in enumerate(element.properties)}
        else:
            found[element.name], at = _binary_lists(data, at, element, order)
    return found


def _binary_lists(data: bytes, at: int, element: _Element, order: str) -> tuple[Columns, int]:
    """An element with lists. Rows like the first are read at once; where their lengths differ, one by one."""
    rows, first = _row_like_first(data, at, element, order)
    if element.count and at + element.count * rows.itemsize <= len(data):
        table = np.frombuffer(data, rows, element.count, at)
        if all((table[f"{i}n"] == first[i]).all() for i, each in enumerate(element.properties) if each.count):
            columns: Columns = {}
            for i, each in enumerate(element.properties):
                values = table[f"{i}"]
                columns[each.name] = (
                    (np.full(element.count, first[i], np.int64), values.reshape(-1)) if each.count else values
                )
            return columns, at + element.count * rows.itemsize
    return _binary_rows(data, at, element, order)


def _row_like_first(data: bytes, at: int, element: _Element, order: str) -> tuple[np.dtype[Any], dict[int, int]]:
    """The layout of the first row, and the lengths of its lists by the property's place."""
    fields: list[Any] = []
    first: dict[int, int] = {}
    place = at
    for i, each in enumerate(element.properties):
        kind = np.dtype(order + each.kind)
        if each.count and element.count:
            counter = np.dtype(order + each.count)
            first[i] = _number(data, place, counter)
            if first[i] * kind.itemsize > len(data):
                raise DamagedFileError("has a list that is longer than the file")
            fields += [(f"{i}n", counter), (f"{i}", kind, (first[i],))]
            place += counter.itemsize + first[i] * kind.itemsize
        else:
            fields.append((f"{i}", kind))
            place += kind.itemsize
    return np.dtype(fields), first


def _binary_rows(data: bytes, at: int, element: _Element, order: str) -> tuple[Columns, int]:
    kinds = [(each, np.dtype(order + each.kind), np.dtype(order + each.count) if each.count else None)
             for each in element.properties]  # fmt: skip
    lengths: dict[str, list[int]] = {each.name: [] for each in element.properties if each.count}
    values: dict[str, list[NDArray[Any]]] = {each.name: [] for each in element.properties}
    for _ in range(element.count):
        for each, kind, counter in kinds:
            count = 1
            if counter is not None:
                count = _number(data, at, counter)
                at += counter.itemsize
                lengths[each.name].append(count)
            if at + count * kind.itemsize > len(data):
                raise DamagedFileError(f"is cut off in its {element.count} entries of '{element.name}'")
            values[each.name].append(np.frombuffer(data, kind, count, at))
            at += count * kind.itemsize
    columns: Columns = {}
    for each, kind, counter in kinds:
        joined = np.concatenate([np.zeros(0, kind), *values[each.name]])
        columns[each.name] = joined if counter is None else (np.array(lengths[each.name], np.int64), joined)
    return columns, at


def _number(data: bytes, at: int, kind: np.dtype[Any]) -> int:
    if at + kind.itemsize > len(data):
        raise DamagedFileError("is cut off")
    value = int(np.frombuffer(data, kind, 1, at)[0])
    if value < 0:
        raise DamagedFileError("has a list of negative length")
    return value


def _text_data(data: bytes, elements: list[_Element]) -> dict[str, Columns]:
    words = data.split()
    found: dict[str, Columns] = {}
    at = 0
    for element in elements:
        width = len(element.properties)
        if not any(each.count for each in element.properties):
            part = words[at : at + element.count * width]
            if len(part) < element.count * width:
                raise DamagedFileError(f"is cut off in its {element.count} entries of '{element.name}'")
            table = _numbers(part).reshape(element.count, width)
            found[element.name] = {each.name: table[:, i] for i, each in enumerate(element.properties)}
            at += element.count * width
        else:
            found[element.name], at = _text_rows(words, at, element)
    return found


def _text_rows(words: list[bytes], at: int, element: _Element) -> tuple[Columns, int]:
    left = _numbers(words[at:])
    alike = _text_rows_alike(left, element)
    if alike is not None:
        return alike[0], at + alike[1]
    place = 0
    lengths: dict[str, list[int]] = {each.name: [] for each in element.properties if each.count}
    values: dict[str, list[NDArray[Any]]] = {each.name: [] for each in element.properties}
    for _ in range(element.count):
        for each in element.properties:
            count = 1
            if each.count:
                if place >= len(left) or not 0 <= left[place] <= len(left):
                    raise DamagedFileError(f"is cut off in its {element.count} entries of '{element.name}'")
                count = int(left[place])
                place += 1
                lengths[each.name].append(count)
            values[each.name].append(left[place : place + count])
            place += count
    if place > len(left):
        raise DamagedFileError(f"is cut off in its {element.count} entries of '{element.name}'")
    columns: Columns = {}
    for each in element.properties:
        joined = np.concatenate([np.zeros(0), *values[each.name]])
        columns[each.name] = (np.array(lengths[each.name], np.int64), joined) if each.count else joined
    return columns, at + place


def _text_rows_alike(left: F64, element: _Element) -> tuple[Columns, int] | None:
    """All rows at once where each has lists as long as the first row's, else None."""
    fields: list[tuple[_Property, int, int]] = []  # property, where it starts in a row, how many numbers
    width = 0
    for each in element.properties:
        if width >= len(left):
            return None
        count = int(left[width]) if each.count else 1
        fields.append((each, width + bool(each.count), count))
        width += count + bool(each.count)
        if count < 0 or width > len(left):
            return None
    if element.count * width > len(left):
        return None
    table = left[: element.count * width].reshape(element.count, width)
    columns: Columns = {}
    for each, start, count in fields:
        values = table[:, start : start + count]
        if each.count and (table[:, start - 1] != count).any():
            return None
        columns[each.name] = (np.full(element.count, count), values.reshape(-1)) if each.count else values[:, 0]
    return columns, element.count * width


def _numbers(words: list[bytes]) -> F64:
    try:
        return numbers(words)
    except ValueError as error:
        raise DamagedFileError("has text where numbers belong") from error


def _polygons(found: dict[str, Columns]) -> tuple[Any, Any, F64 | None]:
    """Corners of each polygon, all corners' vertices in a row, and their texture coordinates (c, 2) where corners have
    their own."""
    face = found.get("face", found.get("faces", {}))
    lists = face.get("vertex_indices", face.get("vertex_index"))
    if lists is None:
        return _strips(found)
    sizes, corners = lists
    corners = corners.astype(np.int64)
    wedges = face.get("texcoord")
    if wedges is None or not np.array_equal(wedges[0], 2 * sizes):
        return sizes, corners, None
    return sizes, corners, wedges[1].astype(np.float64).reshape(-1, 2)


def _strips(found: dict[str, Columns]) -> tuple[Any, Any, None]:
    """The element "tristrips" of old scanners' files: -1 ends a strip."""
    strips = found.get("tristrips", {}).get("vertex_indices")
    if strips is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), None
    run = strips[1].astype(np.int64)
    whole = (run[:-2] >= 0) & (run[1:-1] >= 0) & (run[2:] >= 0)
    place = np.arange(len(run)) - np.maximum.accumulate(np.where(run < 0, np.arange(len(run)) + 1, 0))
    triangles = np.stack([run[:-2], run[1:-1], run[2:]], axis=1)
    odd = place[:-2] % 2 == 1
    triangles[odd] = triangles[odd][:, [1, 0, 2]]
    kept = triangles[whole]
    return np.full(len(kept), 3), kept.reshape(-1), None


def _vertex_uv(vertex: Columns) -> F64 | None:
    for u, v in UV_NAMES:
        if u in vertex and v in vertex:
            return np.stack([vertex[u], vertex[v]], axis=1).astype(np.float64)
    return None


def _texture_numbers(found: dict[str, Columns], count: int) -> Any:
    """(count,) which of several texture files each polygon takes."""
    number = found.get("face", found.get("faces", {})).get("texnumber")
    return np.zeros(count, np.int64) if number is None or len(number) != count else number.astype(np.int64)
