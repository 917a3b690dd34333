"""Are the bytes on the disk the ones that were published?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from manymesh.errors import WeightsError
from manymesh.weights.catalogue import File, Model
from manymesh.weights.locate import Found
from manymesh.weights.tensors import read_header

_CHUNK_BYTES = 1 << 22


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
    """Check every file of a model that is here. In the hub's cache a large file's own name is its SHA-256."""
    exact = {file.name: file for file in model.files if not file.is_pattern}
    for name, path in sorted(found.files.items()):
        problem, basis = check_file(path, exact.get(name), blob_sha256(path))
        yield Verdict(name, path, problem, basis)


def blob_sha256(path: Path) -> str | None:
    """The digest that the hub's cache names a large file by, or None (small files bear a git hash)."""
    name = path.resolve().name
    is_digest = len(name) == 64 and all(c in "0123456789abcdef" for c in name)
    return name if is_digest and path.is_symlink() else None
