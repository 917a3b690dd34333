"""Safetensors files: what is in them, checked before a byte is allocated, and their tensors one by one.

A file is a length, a JSON table of names, types, shapes and places, and the bytes: nothing in it can be run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from manymesh.errors import WeightsError

if TYPE_CHECKING:
    import torch

_MOST_HEADER_BYTES = 100_000_000
_BITS = {
    **{"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16, "U16": 16},
    **{"F8_E4M3": 8, "F8_E5M2": 8, "I8": 8, "U8": 8, "BOOL": 8},
}


class TensorInfo(NamedTuple):
    dtype: str
    shape: tuple[int, ...]


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
    infos, end = _infos(path, table)
    if 8 + length + end != size:
        missing = 8 + length + end - size
        what = f"{missing} bytes are missing" if missing > 0 else f"{-missing} bytes too many"
        raise WeightsError(f"{path} is damaged: {what}", _AGAIN)
    return infos


_AGAIN = "Fetch it again: 'manymesh models verify' names the damaged files and 'manymesh models pull' mends them"


def _infos(path: Path, table: Any) -> tuple[dict[str, TensorInfo], int]:
    infos: dict[str, TensorInfo] = {}
    end = 0
    try:
        for name, entry in table.items():
            if name == "__metadata__":
                continue
            shape = tuple(int(n) for n in entry["shape"])
            start, stop = entry["data_offsets"]
            if (stop - start) * 8 != math.prod(shape) * _BITS[entry["dtype"]] or min(start, *shape, 0) < 0:
                raise ValueError(f"'{name}' has not the bytes for its shape")
            infos[name] = TensorInfo(entry["dtype"], shape)
            end = max(end, int(stop))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged: {error}", _AGAIN) from None
    return infos, end


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


_OTHER = "It holds another model, or another version of it: see 'manymesh models list' for what fits"


def read_tensors(path: Path, names: Mapping[str, str]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of ``names`` (key in the file to key wanted), one at a time, memory-mapped on the CPU."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        for key, wanted in names.items():
            yield wanted, file.get_tensor(key)
