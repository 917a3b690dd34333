"""Whether a GLB file keeps the rules of glTF 2.0 that readers rely on, told from the file's bytes alone.

It shares no code with the writer. The rules are those of the Khronos specification that our files can break: chunks and
alignment (4.4), buffer views and accessors within their buffer (3.6), bounds, indices, unit normals (3.7.2), pictures.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 12
CHUNKS = (b"JSON", b"BIN\0")
TYPES: dict[int, np.dtype[Any]] = {
    5121: np.dtype("u1"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
UNIT_TOLERANCE = 1e-3
BOX = ("min", "max")
PNG = b"\x89PNG\r\n\x1a\n"


def check_glb(data: bytes) -> int:
    """Look through a GLB file with triangles and embedded PNG pictures.

    Returns:
        How many triangles it holds.

    Raises:
        ValueError: what is wrong with it, in half a sentence.
    """
    document, binary = _chunks(data)
    try:
        (buffer,) = document["buffers"]
        _demand(buffer["byteLength"] <= len(binary) < buffer["byteLength"] + 4, "its buffer has another length")
        for view in document["bufferViews"]:
            end = view.get("byteOffset", 0) + view["byteLength"]
            _demand(view["buffer"] == 0 and end <= buffer["byteLength"], "a buffer view leaves the buffer")
        primitives = [part for mesh in document["meshes"] for part in mesh["primitives"]]
        for image in document.get("images", []):
            _check_picture(_view(document, binary, image["bufferView"]))
        return sum(_check_primitive(document, binary, primitive) for primitive in primitives)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"lacks something ({type(error).__name__}: {error})") from error


def _demand(true: bool, otherwise: str) -> None:
    if not true:
        raise ValueError(otherwise)


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    _demand(data[:4] == b"glTF", "is not a GLB file")
    _demand(len(data) >= HEADER_BYTES and struct.unpack_from("<II", data, 4) == (2, len(data)), "is not whole")
    found, at = [], HEADER_BYTES
    while at < len(data):
        _demand(at % 4 == 0 and at + 8 <= len(data), "has a chunk that is not aligned")
        (length,) = struct.unpack_from("<I", data, at)
        _demand(at + 8 + length <= len(data), "has a chunk that is not whole")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 8 + length
    _demand(tuple(kind for kind, _ in found) == CHUNKS, "has other chunks than one JSON and one binary")
    return json.loads(found[0][1]), found[1][1]


def _check_primitive(document: dict[str, Any], binary: bytes, primitive: dict[str, Any]) -> int:
    _demand(primitive.get("mode", 4) == 4, "holds other things than triangles")
    values = {name: _accessor(document, binary, number) for name, number in primitive["attributes"].items()}
    places = values["POSITION"]
    for name, value in values.items():
        _demand(len(value) == len(places), f"has not one {name} for each vertex")
        _demand(value.dtype.kind != "f" or bool(np.isfinite(value).all()), f"has a {name} that is no number")
    stated = document["accessors"][primitive["attributes"]["POSITION"]]
    bounds = [np.asarray(stated[end], np.float32) for end in BOX]
    _demand(
        np.array_equal(bounds[0], places.min(axis=0)) and np.array_equal(bounds[1], places.max(axis=0)),
        "states other bounds than it has",
    )
    if "NORMAL" in values:
        off = np.abs((values["NORMAL"].astype(np.float64) ** 2).sum(axis=1) - 1)
        _demand(float(off.max()) < 2 * UNIT_TOLERANCE, "has normals that are not of unit length")
    corners = _accessor(document, binary, primitive["indices"])
    _demand(corners.dtype.kind == "u" and corners.size > 0 and corners.size % 3 == 0, "has no whole triangles")
    _demand(int(corners.max()) < len(places), "has faces that name vertices that it lacks")
    material = document["materials"][primitive["material"]]["pbrMetallicRoughness"]
    if "baseColorTexture" in material:
        _demand("TEXCOORD_0" in values, "has a texture without coordinates")
        document["images"][document["textures"][material["baseColorTexture"]["index"]]["source"]]
    return corners.size // 3


def _accessor(document: dict[str, Any], binary: bytes, number: int) -> NDArray[Any]:
    entry = document["accessors"][number]
    data, kind, width = (
        _view(document, binary, entry["bufferView"]),
        TYPES[entry["componentType"]],
        WIDTHS[entry["type"]],
    )
    _demand(entry["count"] > 0, "has an accessor of nothing")
    start, size = entry.get("byteOffset", 0), entry["count"] * width * kind.itemsize
    _demand(start + size <= len(data), "has an accessor that leaves its buffer view")
    at = document["bufferViews"][entry["bufferView"]].get("byteOffset", 0) + start
    _demand(at % kind.itemsize == 0, "has an accessor that is not aligned")
    return np.frombuffer(data, kind, entry["count"] * width, start).reshape(-1, width)


def _view(document: dict[str, Any], binary: bytes, number: int) -> memoryview:
    view = document["bufferViews"][number]
    start = view.get("byteOffset", 0)
    return memoryview(binary)[start : start + view["byteLength"]]


def _check_picture(data: memoryview) -> None:
    """A PNG file whose chunks are whole (PNG 3rd edition, 5.3)."""
    _demand(bytes(data[:8]) == PNG, "has a picture that is not a PNG file")
    at, kind = len(PNG), b""
    while kind != b"IEND":
        _demand(at + 12 <= len(data), "has a picture that is not whole")
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = bytes(data[at + 4 : at + 8]), at + 8 + length
        _demand(end + 4 <= len(data), "has a picture that is not whole")
        (stated,) = struct.unpack_from(">I", data, end)
        _demand(zlib.crc32(data[at + 4 : end]) == stated, "has a picture that is damaged")
        at = end + 4
