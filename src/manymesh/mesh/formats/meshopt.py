"""Decodes EXT_meshopt_compression and KHR_meshopt_compression, as the extensions' texts define their bit streams.

Vertices are stored as differences to the vertex before, byte by byte in groups of sixteen; triangles as references to
edges and vertices that were seen shortly before. Written in NumPy and Python: a million vertices or triangles take a
few seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.user_mesh import DamagedFileError

Bytes = NDArray[np.uint8]

GROUP = 16
MAX_BLOCK_BYTES, MAX_BLOCK_ELEMENTS = 8192, 256
# Bits of each difference for the four modes of a group: version 0, and version 1 with control mode 0 and 1.
BITS = ((0, 2, 4, 8), (0, 1, 2, 4), (1, 2, 4, 8))
TAIL_BYTES = (32, 24)


def decode(data: bytes, mode: str, filter_name: str, count: int, stride: int) -> bytes:
    """The bytes of a compressed buffer view.

    Args:
        mode: "ATTRIBUTES", "TRIANGLES" or "INDICES".
        filter_name: "NONE", "OCTAHEDRAL", "QUATERNION", "EXPONENTIAL" or "COLOR".
        count, stride: elements, and bytes of each.

    Raises:
        DamagedFileError: the data is cut off or damaged.
    """
    source = np.frombuffer(data, np.uint8)
    try:
        if mode == "ATTRIBUTES":
            return _filtered(_vertices(source, count, stride), filter_name).tobytes()
        if mode not in ("TRIANGLES", "INDICES") or stride not in (2, 4):
            raise DamagedFileError(f"has the unknown meshopt mode {mode}")
        index = _triangles(data, count) if mode == "TRIANGLES" else _sequence(data, count)
        if index.size and (int(index.min()) < 0 or int(index.max()) >= 1 << 8 * stride):
            raise DamagedFileError("has meshopt indices out of range")
        return index.astype("<u2" if stride == 2 else "<u4").tobytes()
    except (IndexError, ValueError) as error:
        if isinstance(error, DamagedFileError):
            raise
        raise DamagedFileError("has meshopt data that is cut off") from error


def _vertices(source: Bytes, count: int, stride: int) -> Bytes:
    """(count, stride) bytes."""
    if stride % 4 or not 0 < stride <= 256 or not len(source) or source[0] not in (0xA0, 0xA1):
        raise DamagedFileError("has meshopt attributes of an unknown version")
    version = int(source[0]) & 15
    tail = stride if version == 0 else stride + stride // 4
    if len(source) < 1 + max(tail, TAIL_BYTES[version]):
        raise DamagedFileError("has meshopt data that is cut off")
    before = source[len(source) - tail :][:stride].copy()
    channels = np.zeros(stride // 4, np.uint8) if version == 0 else source[len(source) - stride // 4 :]
    block = min(MAX_BLOCK_BYTES // stride & ~(GROUP - 1), MAX_BLOCK_ELEMENTS)
    result = np.empty((count, stride), np.uint8)
    at = 1
    for first in range(0, count, block):
        elements = min(block, count - first)
        deltas, at = _deltas(source, at, elements, stride, version)
        values = _summed(deltas, before, channels)
        result[first : first + elements] = values
        before = values[-1].copy()
    return result


def _deltas(source: Bytes, at: int, elements: int, stride: int, version: int) -> tuple[Bytes, int]:
    """(elements, stride) stored differences of one block, and where the next block starts."""
    groups = -(-elements // GROUP)
    header = -(-groups // 4)
    controls = source[at : at + stride // 4]
    at += stride // 4 if version else 0
    deltas = np.zeros((stride, groups * GROUP), np.uint8)
    for byte in range(stride):
        control = int(controls[byte // 4]) >> (byte % 4 * 2) & 3 if version else 0
        if version and control == 2:
            continue
        if version and control == 3:
            deltas[byte, :elements] = source[at : at + elements]
            at += elements
            continue
        modes = source[at : at + header].repeat(4) >> np.tile(np.array([0, 2, 4, 6], np.uint8), header) & 3
        at += header
        for group, mode in enumerate(modes[:groups].tolist()):
            bits = BITS[control + 1 if version else 0][mode]
            if bits:
                deltas[byte, group * GROUP : (group + 1) * GROUP], at = _group(source, at, bits)
    return deltas[:, :elements].T, at


def _group(source: Bytes, at: int, bits: int) -> tuple[Bytes, int]:
    """Sixteen differences of ``bits`` bits each; the largest value says that a whole byte follows."""
    packed = source[at : at + 2 * bits]
    if len(packed) < 2 * bits:
        raise IndexError
    at += 2 * bits
    if bits == 8:
        return packed, at
    if bits == 1:
        values = np.unpackbits(packed, bitorder="little")
    else:
        shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
        values = (packed[:, None] >> shifts & ((1 << bits) - 1)).reshape(-1).astype(np.uint8)
    large = np.flatnonzero(values == (1 << bits) - 1)
    values[large] = source[at : at + len(large)]
    return values, at + len(large)


def _summed(deltas: Bytes, before: Bytes, channels: Bytes) -> Bytes:
    """The values of a block: every difference added to the value before it."""
    values = np.empty(deltas.shape, np.uint8)
    for channel, mode in enumerate(channels.tolist()):
        columns = slice(4 * channel, 4 * channel + 4)
        kind = {0: "u1", 1: "<u2", 2: "<u4"}.get(mode & 3)
        if kind is None:
            raise DamagedFileError("has meshopt attributes of an unknown kind")
        stored = np.ascontiguousarray(deltas[:, columns]).view(kind)
        start = np.ascontiguousarray(before[columns]).view(kind)
        if mode & 3 == 2:
            turn = np.uint32(mode >> 4)
            turned = stored if turn == 0 else stored >> turn | stored << (np.uint32(32) - turn)
            made = np.bitwise_xor.accumulate(turned, axis=0) ^ start
        else:
            signed = stored >> 1 ^ np.where(stored & 1, np.iinfo(stored.dtype).max, 0).astype(stored.dtype)
            made = np.cumsum(signed, axis=0, dtype=stored.dtype) + start
        values[:, columns] = made.astype(kind).view(np.uint8).reshape(len(deltas), 4)
    return values


def _filtered(values: Bytes, name: str) -> NDArray[Any]:
    """The values with a filter of the extension undone."""
    stride = values.shape[1]
    if name == "NONE":
        return values
    if name == "EXPONENTIAL":
        words = values.view("<i4")
        return np.asarray(np.ldexp((words << 8 >> 8).astype(np.float32), words >> 24), "<f4")
    if name == "QUATERNION" and stride == 8:
        return _quaternions(values.view("<i2"))
    if name not in ("OCTAHEDRAL", "COLOR") or stride not in (4, 8):
        raise DamagedFileError(f"has the unknown meshopt filter {name}")
    if name == "COLOR":
        return _colours(values.view("u1" if stride == 4 else "<u2"))
    stored = values.view("i1" if stride == 4 else "<i2")
    largest = np.iinfo(stored.dtype).max
    one = np.where(stored[:, 2] == 0, 1, stored[:, 2]).astype(np.float64)
    x, y = stored[:, 0] / one, stored[:, 1] / one
    z = 1 - np.abs(x) - np.abs(y)
    fold = np.maximum(-z, 0)
    x, y = x - np.where(x >= 0, fold, -fold), y - np.where(y >= 0, fold, -fold)
    scale = largest / np.maximum(np.sqrt(x * x + y * y + z * z), 1e-12)
    made = stored.copy()
    made[:, :3] = _rounded(np.stack([x, y, z], axis=1) * scale[:, None])
    return made


def _quaternions(stored: NDArray[np.int16]) -> NDArray[np.int16]:
    largest = stored[:, 3] & 3
    scale = np.sqrt(0.5) / (stored[:, 3] | 3)
    parts = stored[:, :3] * scale[:, None]
    rest = np.sqrt(np.maximum(0, 1 - (parts**2).sum(axis=1)))
    made = np.empty_like(stored)
    rows = np.arange(len(stored))
    for step, part in enumerate([rest, *parts.T]):
        made[rows, (largest + step) % 4] = _rounded(part * 32767)
    return made


def _colours(stored: NDArray[Any]) -> NDArray[Any]:
    signed = stored.view(stored.dtype.str.replace("u", "i")).astype(np.int64)
    y, co, cg, alpha = stored[:, 0].astype(np.int64), signed[:, 1], signed[:, 2], stored[:, 3].astype(np.int64)
    top = np.frexp(np.maximum(alpha, 1).astype(np.float64))[1]
    full = (1 << top) - 1
    opacity = (alpha & full >> 1) << 1 | alpha & 1
    scale = np.iinfo(stored.dtype).max / full
    channels = np.stack([y + co - cg, y + cg, y - co - cg, opacity], axis=1)
    return _rounded(channels * scale[:, None]).astype(stored.dtype)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """To the nearest whole number, halves upwards, as the extension's decoders do."""
    return np.floor(values + 0.5).astype(np.int64)


def _triangles(data: bytes, count: int) -> NDArray[np.int64]:
    """(count,) indices of count / 3 triangles."""
    if not data or data[0] not in (0xE0, 0xE1) or count % 3 or len(data) < 17 + count // 3:
        raise DamagedFileError("has meshopt triangles of an unknown version")
    fecmax = 0x0F if data[0] == 0xE0 else 0x0D
    at = 1 + count // 3
    aux = data[-16:]
    following = last = 0
    edges, vertices = [(0, 0)] * 16, [0] * 16  # the latest comes last
    result: list[int] = []

    def far(at: int) -> tuple[int, int]:
        """An index as a difference to the last one like it, and where the next byte is."""
        number, at = _varint(data, at)
        return last + (number >> 1 ^ -(number & 1)), at

    for code in data[1 : 1 + count // 3]:
        high, low = code >> 4, code & 15
        if high < 15:
            a, b = edges[-1 - high]
            if low == 0:
                c, following = following, following + 1
                fresh = True
            elif low < fecmax:
                c, fresh = vertices[-1 - low], False
            elif low == 15:
                c, at = far(at)
                last, fresh = c, True
            else:
                c = last = last - 1 if low == 13 else last + 1
                fresh = True
            if fresh:
                vertices.append(c)
            edges += [(c, b), (a, c)]
        else:
            if low < 14:
                extra, a = aux[low], following
                following += 1
                b_code, c_code = extra >> 4, extra & 15
            else:
                extra = data[at]
                at += 1
                following = 0 if extra == 0 else following
                b_code, c_code = extra >> 4, extra & 15
                if low == 14:
                    a, following = following, following + 1
                else:
                    a, at = far(at)
                    last = a
            found = []
            for part in (b_code, c_code):
                if part == 0:
                    found.append(following)
                    following += 1
                elif part == 15 and low >= 14:
                    value, at = far(at)
                    last = value
                    found.append(value)
                else:
                    found.append(vertices[-part])
            b, c = found
            vertices.append(a)
            vertices += [value for part, value in ((b_code, b), (c_code, c)) if part == 0 or (part == 15 and low >= 14)]
            edges += [(b, a), (c, b), (a, c)]
        result += (a, b, c)
        if len(edges) > 4096:
            edges, vertices = edges[-16:], vertices[-16:]
    return np.array(result, np.int64)


def _sequence(data: bytes, count: int) -> NDArray[np.int64]:
    """(count,) indices in any order: differences to one of two running values."""
    if not data or data[0] not in (0xD0, 0xD1):
        raise DamagedFileError("has a meshopt index sequence of an unknown version")
    at, last = 1, [0, 0]
    result = []
    for _ in range(count):
        number, at = _varint(data, at)
        which, number = number & 1, number >> 1
        last[which] += number >> 1 ^ -(number & 1)
        result.append(last[which])
    return np.array(result, np.int64)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and where the next byte is."""
    value = 0
    for shift in range(0, 35, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise DamagedFileError("has meshopt data that is damaged")
