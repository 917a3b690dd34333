"""Safetensors files in NumPy: tensors as views of the mapped file, and a writer. No torch, no library."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import OutputError, WeightsError
from manymesh.weights.verify import read_header

# The kinds of numbers that networks here are kept in.
DTYPES: Mapping[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file as read-only float32 or float16 arrays. Nothing is read until it is used.

    Raises:
        WeightsError: absent, cut short, damaged, or with numbers of another kind.
    """
    infos = read_header(path)
    data = np.memmap(path, np.uint8, "r")
    arrays: dict[str, NDArray[Any]] = {}
    for name, info in infos.items():
        dtype = DTYPES.get(info.dtype)
        if dtype is None:
            raise WeightsError(f"{path} holds '{name}' as {info.dtype}, where F32 or F16 belongs")
        raw = np.frombuffer(data, dtype, math.prod(info.shape), info.start)
        arrays[name] = raw.reshape(info.shape)
    return arrays


def write_arrays(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    dtypes: Mapping[str, str],
    tick: Callable[[float], None] = lambda done: None,
) -> None:
    """Write a safetensors file in one step: it is there whole, or not at all.

    Args:
        arrays: float32 or float16, by name, in the order in which they are written.
        dtypes: "F32" or "F16" for each name; arrays are converted one at a time.
        tick: told the share written, 0..1.

    Raises:
        OutputError: the disk is full or cannot be written.
    """
    table: dict[str, Any] = {}
    end = 0
    for name, value in arrays.items():
        start, end = end, end + value.size * DTYPES[dtypes[name]].itemsize
        table[name] = {"dtype": dtypes[name], "shape": list(value.shape), "data_offsets": [start, end]}
    header = json.dumps(table, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            for name, value in arrays.items():
                tick(table[name]["data_offsets"][0] / max(end, 1))
                np.ascontiguousarray(value, DTYPES[dtypes[name]]).tofile(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}", f"It needs {end / 1e6:.0f} MB: make room there"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
