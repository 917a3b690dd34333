"""glTF 2.0 files as users bring them: the JSON, the binary data, and accessors of every kind.

Files come from anywhere, so nothing in them is trusted: what accessors claim is checked against the data before memory
is set aside. Other files that a document names are read by ``gltf_beside`` alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import InputError
from manymesh.mesh.formats.user_mesh import MAX_FACES, DamagedFileError
from manymesh.types import F64

MAGIC, JSON_CHUNK, BIN_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
COMPONENTS: dict[int, np.dtype[Any]] = {
    5120: np.dtype("i1"),
    5121: np.dtype("u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
# glTF's numbers for what a buffer view holds, and for how a sampler reads a texture.
VERTEX_TARGET, INDEX_TARGET = 34962, 34963
LINEAR, LINEAR_MIPMAPS, CLAMP = 9729, 9987, 33071
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
# The most JSON that is parsed: Python needs about ten times as much memory for it. Chosen by hand; scenes of ten
# thousand nodes have 5 MB.
MAX_JSON_BYTES = 64 * 1024**2
# The most entries of an accessor that has no data (all zero) or is stretched by a small stride.
MAX_ENTRIES = 3 * MAX_FACES
DATA_URI = "data:"
# The most percent escapes of a data URI: reading them took 44 times their size. Chosen by hand; base64, which writers
# use, needs none but for its letters + / =.
MAX_ESCAPES = 1_000_000
# Extensions that mark a buffer as the uncompressed twin of others.
_FALLBACKS = {"EXT_meshopt_compression", "KHR_meshopt_compression"}
BASE64_ESCAPES = {"%2B": "+", "%2b": "+", "%2F": "/", "%2f": "/", "%3D": "=", "%3d": "="}


@dataclass(frozen=True)
class Gltf:
    """A glTF document and its one buffer.

    Attributes:
        document: the parsed JSON.
        binary: the contents of buffer 0.
        changed: what was changed so that the rest of the program can read it, one sentence each.
    """

    document: dict[str, Any]
    binary: bytes
    changed: tuple[str, ...] = ()

    def accessor(self, number: int) -> NDArray[Any]:
        """(count, width) values as they are stored: integers stay integers, sparse entries are applied.

        Raises:
            DamagedFileError: it reaches beyond its data, or has an unknown type.
        """
        entry = self.item("accessors", number)
        dtype, width, count = component_type(entry), element_width(entry), whole(entry.get("count"), "count")
        if "bufferView" in entry:
            start = whole(entry.get("byteOffset", 0), "byteOffset")
            values = self._elements(entry["bufferView"], start, dtype, width, count)
        elif count <= MAX_ENTRIES:
            values = np.zeros((count, width), dtype)
        else:
            raise DamagedFileError(f"has an accessor that claims {count} entries")
        sparse = entry.get("sparse")
        return values if sparse is None else self._with_sparse(values, sparse, dtype, width)

    def numbers(self, number: int) -> F64:
        """(count, width) float64 values; normalised integers become -1..1 or 0..1 as glTF says (3.6.2.2)."""
        values = self.accessor(number)
        if self.item("accessors", number).get("normalized") and values.dtype.kind in "iu":
            return np.maximum(values.astype(np.float64) / np.iinfo(values.dtype).max, -1.0)
        return values.astype(np.float64)

    def item(self, table: str, number: Any) -> dict[str, Any]:
        """An object of one of the document's tables. Raises DamagedFileError where there is none of that number."""
        entries = self.document.get(table, [])
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(entries):
            raise DamagedFileError(f"names {table} {number}, which it lacks")
        entry = entries[number]
        if not isinstance(entry, dict):
            raise DamagedFileError(f"has something else than an object as {table} {number}")
        return entry

    def view(self, number: Any) -> memoryview:
        """The bytes of a buffer view."""
        entry = self.item("bufferViews", number)
        if entry.get("buffer", 0) != 0:
            raise DamagedFileError(f"keeps its data in buffer {entry.get('buffer')}, which is not in the file")
        start, length = whole(entry.get("byteOffset", 0), "byteOffset"), whole(entry.get("byteLength"), "byteLength")
        if start + length > len(self.binary):
            raise DamagedFileError(f"has a buffer view of {length} bytes that leaves the buffer")
        return memoryview(self.binary)[start : start + length]

    def _elements(self, view: Any, start: int, dtype: np.dtype[Any], width: int, count: int) -> NDArray[Any]:
        """(count, width) elements of a buffer view. (Matrices of small integers, which glTF pads, are not in use.)"""
        data = self.view(view)
        size = dtype.itemsize * width
        stride = self.item("bufferViews", view).get("byteStride") or size
        stride = whole(stride, "byteStride")
        if stride < size:
            raise DamagedFileError("has elements that overlap in their buffer view")
        if count and start + (count - 1) * stride + size > len(data):
            raise DamagedFileError(f"has an accessor of {count} entries that leaves its buffer view")
        if count == 0:
            return np.zeros((0, width), dtype)
        if stride == size:
            return np.frombuffer(data, dtype, count * width, start).reshape(count, width)
        rows = np.lib.stride_tricks.as_strided(
            np.frombuffer(data, np.uint8)[start:], (count, size), (stride, 1), writeable=False
        )
        return np.ascontiguousarray(rows).view(dtype).reshape(count, width)

    def _with_sparse(self, values: NDArray[Any], sparse: Any, dtype: np.dtype[Any], width: int) -> NDArray[Any]:
        count = whole(sparse["count"], "count")
        if count > len(values):
            raise DamagedFileError("has a sparse accessor with more entries than it replaces")
        where, what = sparse["indices"], sparse["values"]
        kind = COMPONENTS[where["componentType"]]
        index = self._elements(where["bufferView"], whole(where.get("byteOffset", 0), "byteOffset"), kind, 1, count)
        new = self._elements(what["bufferView"], whole(what.get("byteOffset", 0), "byteOffset"), dtype, width, count)
        if count and int(index.max()) >= len(values):
            raise DamagedFileError("has a sparse accessor that replaces entries it lacks")
        result = values.copy()
        result[index[:, 0]] = new
        return result


def component_type(entry: dict[str, Any]) -> np.dtype[Any]:
    """The number type of an accessor's components."""
    kind = entry.get("componentType")
    if kind not in COMPONENTS:
        raise DamagedFileError(f"has an accessor of the unknown component type {kind}")
    return COMPONENTS[kind]


def element_width(entry: dict[str, Any]) -> int:
    """How many components an accessor's elements have."""
    kind = entry.get("type")
    if kind not in WIDTHS:
        raise DamagedFileError(f"has an accessor of the unknown type {kind}")
    return WIDTHS[kind]


def whole(value: Any, name: str) -> int:
    """A whole number that is not negative. Raises DamagedFileError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise DamagedFileError(f"has {value!r} as {name}")
    return value


ReadBeside = Callable[[str, int], bytes]
"""Reads a file that a document names by a URI, up to a number of bytes. Raises ``InputError``."""


def parse_gltf(data: bytes, name: str = "the file", read_beside: ReadBeside | None = None) -> Gltf:
    """A GLB file or a glTF JSON file, with all its buffers.

    Args:
        data: the file.
        name: of the file, for messages.
        read_beside: reads buffers in other files; None where there are none to read.

    Raises:
        DamagedFileError: not such a file, or a buffer is shorter than it claims.
        InputError: data in other files that are not read.
    """
    document, binary = _parse_glb(data) if data[:4] == b"glTF" else (_parse_json(data), None)
    _check_version(document.get("asset"))
    for table in ("accessors", "bufferViews", "buffers", "meshes", "nodes", "materials", "scenes", "skins", "textures"):
        if not isinstance(document.get(table, []), list):
            raise DamagedFileError(f"has something else than a list as its {table}")
    return _with_one_buffer(document, binary, name, read_beside)


def _check_version(asset: Any) -> None:
    """Raises DamagedFileError for another glTF than 2.0, and for one that asks for a newer reader."""
    if not isinstance(asset, dict) or not str(asset.get("version", "")).startswith("2"):
        raise DamagedFileError("is not glTF 2.0")
    wanted = asset.get("minVersion")
    if wanted is not None and str(wanted) not in ("2", "2.0"):
        raise DamagedFileError(f"asks for a reader of glTF {str(wanted)[:20]}; glTF 2.0 is read")


def _parse_glb(data: bytes) -> tuple[dict[str, Any], bytes | None]:
    if len(data) < 20:
        raise DamagedFileError("is cut off")
    _, version, size = struct.unpack_from("<III", data, 0)
    if version != 2:
        raise DamagedFileError(f"is glTF {version}, not glTF 2")
    if size > len(data):
        raise DamagedFileError(f"is cut off: {len(data)} of {size} bytes")
    chunks = dict(_chunks(data[:size] if size >= 20 else data))
    if JSON_CHUNK not in chunks:
        raise DamagedFileError("has no JSON chunk")
    return _parse_json(chunks[JSON_CHUNK]), chunks.get(BIN_CHUNK)


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at, seen = 12, set()
    while at + 8 <= len(data):
        length, kind = struct.unpack_from("<II", data, at)
        if at + 8 + length > len(data):
            raise DamagedFileError("has a chunk that is cut off")
        if kind not in seen:
            seen.add(kind)
            yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length


def _parse_json(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_JSON_BYTES:
        raise DamagedFileError(f"has {len(data) >> 20} MiB of JSON; the limit is {MAX_JSON_BYTES >> 20} MiB")
    try:
        # Some writers pad the chunk with zero bytes where the specification wants spaces.
        document = json.loads(data.rstrip(b"\0").decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"has JSON that cannot be parsed ({error})") from error
    if not isinstance(document, dict):
        raise DamagedFileError("has no JSON object")
    return document


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _with_one_buffer(document: dict[str, Any], binary: bytes | None, name: str, read_beside: ReadBeside | None) -> Gltf:
    """The document with all buffers joined to one. A GLB file's own single buffer stays as it is."""
    buffers = document.get("buffers", [])
    contents: list[bytes] = []
    for number, buffer in enumerate(buffers):
        uri = buffer.get("uri") if isinstance(buffer, dict) else None
        if isinstance(buffer, dict) and _FALLBACKS & set(buffer.get("extensions", {})):
            contents.append(b"")  # for readers that lack the extension
        elif uri is None:
            contents.append(binary or b"" if number == 0 else b"")
        elif isinstance(uri, str) and uri.startswith(DATA_URI):
            contents.append(_from_data_uri(uri))
        elif isinstance(uri, str) and read_beside is not None:
            claimed = whole(buffer.get("byteLength"), "byteLength")
            contents.append(read_beside(uri, claimed))
            if len(contents[-1]) < claimed:
                raise DamagedFileError(f"names a file of {len(contents[-1])} bytes where {claimed} belong")
        else:
            shown = unquote(str(uri)).replace("\\", "/")[:80]
            raise InputError(
                f"'{name}' keeps its data in another file ('{shown}'), and only the file itself is read",
                "Export it as GLB, which holds everything",
            )
    if len(contents) <= 1:
        return Gltf(document, contents[0] if contents else b"")
    starts, joined = [], bytearray()
    for content in contents:
        joined += b"\0" * (-len(joined) % 4)
        starts.append(len(joined))
        joined += content
    for view in document.get("bufferViews", []):
        if isinstance(view, dict):
            number = view.get("buffer", 0)
            if not isinstance(number, int) or not 0 <= number < len(starts):
                raise DamagedFileError(f"names buffers {number}, which it lacks")
            if contents[number] or not buffers[number].get("byteLength"):
                view["byteOffset"] = whole(view.get("byteOffset", 0), "byteOffset") + starts[number]
                view["buffer"] = 0
    return Gltf(document, bytes(joined))


def _from_data_uri(uri: str) -> bytes:
    header, _, body = uri.partition(",")
    in_base64 = header.endswith(";base64")
    if in_base64:
        for escape, letter in BASE64_ESCAPES.items():
            body = body.replace(escape, letter)
    if body.count("%") > MAX_ESCAPES:
        raise DamagedFileError(f"has a data URI with more than {MAX_ESCAPES:,} percent escapes; base64 needs none")
    if not in_base64:
        return unquote_to_bytes(body)
    content = unquote_to_bytes(body) if "%" in body else body.encode("ascii", "replace")
    letters = content.translate(None, b" \t\r\n\v\f").rstrip(b"=")
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise DamagedFileError("has a data URI that cannot be decoded") from error


def pack_glb(document: dict[str, Any], binary: bytes) -> bytes:
    """A GLB file of a document with one buffer."""
    written = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        text = written.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair in somebody's name
        text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")
    text += b" " * (-len(text) % 4)
    chunks = [struct.pack("<II", len(text), JSON_CHUNK), text]
    if binary:
        body = binary + b"\0" * (-len(binary) % 4)
        chunks += [struct.pack("<II", len(body), BIN_CHUNK), body]
    return b"".join([struct.pack("<III", MAGIC, 2, 12 + sum(map(len, chunks))), *chunks])
