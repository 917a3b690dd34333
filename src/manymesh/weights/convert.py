"""A pickle of tensors (.pth, .bin) to safetensors, once, by the only loader that runs nothing from the file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manymesh.errors import MissingPieceError, WeightsError
from manymesh.weights.locate import config_dir, read_notes, write_notes
from manymesh.weights.verify import sha256_of

_HINT = "Fetch it again, or give the weights as .safetensors"
_SAFE_TORCH = (2, 10)  # earlier versions' restricted unpickler has known holes


def as_safetensors(source: Path, sha256: str | None = None, folder: Path | None = None) -> Path:
    """The safetensors twin of ``source``, made on the first call and found again afterwards.

    Args:
        source: a file that ``torch.save`` wrote: a flat dictionary of tensors (or one under "state_dict").
        sha256: what the file must hash to, where that is known; it is checked before anything is unpickled.
        folder: where twins are kept; by default in manymesh's own cache.

    Raises ``WeightsError`` for a wrong checksum or anything but tensors in the file, ``MissingPieceError`` for a
    PyTorch whose loader is not to be trusted with pickles.
    """
    if source.suffix == ".safetensors":
        return source
    digest = _digest(source)
    if sha256 and digest != sha256.lower():
        raise WeightsError(f"{source} is damaged: SHA-256 {digest} where {sha256} belongs", "Fetch it again")
    target = (folder or converted_dir()) / f"{source.stem}-{digest[:16]}.safetensors"
    if not target.is_file():
        _write(_tensors(source), target)
    return target


def _digest(source: Path) -> str:
    """The file's SHA-256; one that was worked out before is taken as long as size and time of change are the same, for
    reading seven gigabytes takes longer than anything else that is done with them."""
    state = source.stat()
    key = f"{source.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    known = read_notes("digests.json")
    if key not in known:
        known[key] = sha256_of(source)
        write_notes("digests.json", known)
    return known[key]


def converted_dir() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache).expanduser() / "manymesh" / "converted" if cache else config_dir() / "converted"


def _tensors(source: Path) -> dict[str, Any]:
    import torch

    version = tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2])
    if version < _SAFE_TORCH:
        raise MissingPieceError(
            f"{source.name} is a pickle, and PyTorch {torch.__version__} does not read pickles safely",
            'Run: pip install "torch>=2.10", or give the weights as .safetensors',
        )
    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{source} was refused: it is damaged, or holds more than tensors ({first})", _HINT
        ) from error
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(
        isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in loaded.items()
    ):
        raise WeightsError(f"{source} was refused: it is not a table of tensors", _HINT)
    return dict(loaded)


def _write(tensors: dict[str, Any], target: Path) -> None:
    from safetensors.torch import save_file

    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        # Tensors that share memory in the pickle get bytes of their own: safetensors knows no sharing.
        save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
