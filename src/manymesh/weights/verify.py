"""Are the bytes on the disk the ones that were published, and do the tensors in them fit a network?

A safetensors file is a length, a JSON table of names, types, shapes and places, and the bytes. Nothing in it can be
run, and its table is checked before anything is allocated.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from manymesh.errors import WeightsError
from manymesh.weights.entries import File, Model
from manymesh.weights.locate import Found, remembered_checksum

# Read at a time for a checksum. Chosen by hand; not measured.
_CHUNK_BYTES = 1 << 22
# The largest table of a safetensors file that its own library accepts.
_MOST_HEADER_BYTES = 100_000_000
# Bits of one number, by the table's name for its type.
_BITS = {
    **{"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16, "U16": 16},
    **{"F8_E4M3": 8, "F8_E5M2": 8, "I8": 8, "U8": 8, "BOOL": 8},
}
_AGAIN = "Fetch it again: 'manymesh models verify' names the damaged files and 'manymesh models pull' mends them"
_OTHER = "It holds another model, or another version of it: see 'manymesh models list' for what fits"


@dataclass(frozen=True)
class Verdict:
    """One file's check: ``problem`` is "" when it is sound; ``basis`` says what it was held against."""

    name: str
    path: Path
    problem: str
    basis: str


def sha256_of(path: Path, tick: Callable[[int], None] = lambda done_bytes: None) -> str:
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            tick(done)
    return digest.hexdigest()


def check_file(path: Path, known: File | None, sha256: str | None = None) -> tuple[str, str]:
    """(problem, basis) of one file, by the strongest thing known: checksum, size, or the file's own structure."""
    size = path.stat().st_size
    expected_bytes = known.bytes if known else None
    if expected_bytes is not None and size != expected_bytes:
        return f"{size} bytes where {expected_bytes} belong", "size"
    digest = (known.sha256 if known else None) or sha256
    if digest:
        actual = sha256_of(path)
        return ("" if actual == digest.lower() else f"SHA-256 {actual} where {digest} belongs"), "sha256"
    if path.suffix == ".safetensors":
        try:
            read_header(path)
        except WeightsError as error:
            return error.what, "header"
        return "", "size" if expected_bytes else "header"
    if size == 0:
        return "it is empty", "size"
    return "", "size" if expected_bytes else "present"


def verify(model: Model, found: Found) -> Iterator[Verdict]:
    """Check every file of a model that is here. In the hub's cache a large file's own name is its SHA-256; that of a
    file of no hub is remembered."""
    exact = {file.name: file for file in model.files if not file.is_pattern}
    for name, path in sorted(found.files.items()):
        problem, basis = check_file(path, exact.get(name), blob_sha256(path) or remembered_checksum(model, name))
        yield Verdict(name, path, problem, basis)


def blob_sha256(path: Path) -> str | None:
    """The digest that the hub's cache names a large file by, or None (small files bear a git hash)."""
    name = path.resolve().name
    is_digest = len(name) == 64 and all(c in "0123456789abcdef" for c in name)
    return name if is_digest and path.is_symlink() else None


class TensorInfo(NamedTuple):
    """A tensor's row in a safetensors file's table.

    Attributes:
        dtype: the table's name for its number format, such as "F16".
        shape: its sizes.
        start, stop: where its numbers lie, in bytes from the beginning of the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_header(path: Path) -> dict[str, TensorInfo]:
    """Names, types and shapes of a safetensors file. Raises ``WeightsError`` for one that is cut or not one at all."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or not 2 <= length <= min(_MOST_HEADER_BYTES, size - 8):
                raise ValueError("its table does not fit in the file")
            table = json.loads(file.read(length))
    except FileNotFoundError:
        raise WeightsError(f"the weights {path.name} are not in {path.parent}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not a safetensors file or is cut short: {error}", _AGAIN) from None
    infos = _infos(path, table, 8 + length)
    missing = max((info.stop for info in infos.values()), default=8 + length) - size
    if missing:
        what = f"{missing} bytes are missing" if missing > 0 else f"{-missing} bytes too many"
        raise WeightsError(f"{path} is damaged: {what}", _AGAIN)
    return infos


def _infos(path: Path, table: Any, first_byte: int) -> dict[str, TensorInfo]:
    infos: dict[str, TensorInfo] = {}
    try:
        for name, entry in table.items():
            if name == "__metadata__":
                continue
            shape = tuple(int(n) for n in entry["shape"])
            start, stop = entry["data_offsets"]
            if (stop - start) * 8 != math.prod(shape) * _BITS[entry["dtype"]] or min(start, *shape, 0) < 0:
                raise ValueError(f"'{name}' has not the bytes for its shape")
            infos[name] = TensorInfo(entry["dtype"], shape, first_byte + int(start), first_byte + int(stop))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged: {error}", _AGAIN) from None
    return infos


def require_shapes(
    found: Mapping[str, Sequence[int]], expected: Mapping[str, Sequence[int]], what: str, path: Path
) -> None:
    """Raise ``WeightsError`` that names the first key, in the architecture's order, that is absent or of another
    shape, or else the first key too many."""
    for key, shape in expected.items():
        if key not in found:
            raise WeightsError(f"{path} is not {what}: the tensor '{key}' is missing", _OTHER)
        if tuple(found[key]) != tuple(shape):
            raise WeightsError(
                f"{path} is not {what}: '{key}' has the shape {list(found[key])} where {list(shape)} belongs", _OTHER
            )
    surplus = next((key for key in found if key not in expected), None)
    if surplus is not None:
        raise WeightsError(f"{path} is not {what}: the tensor '{surplus}' does not belong in it", _OTHER)
