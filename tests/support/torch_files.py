"""Writes what ``torch.save`` writes for a table of float32 tensors, without torch."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def program(tensors: Mapping[str, np.ndarray]) -> bytes:
    """The pickle program of a table of tensors, each in a storage of its own."""
    out = [b"\x80\x02ccollections\nOrderedDict\n)R("]
    for key, (name, value) in enumerate(tensors.items()):
        strides = [int(step) // 4 for step in np.array(value, np.float32, order="C").strides]
        out += [_text(name), b"ctorch._utils\n_rebuild_tensor_v2\n(("]
        out += [_text("storage"), b"ctorch\nFloatStorage\n", _text(str(key)), _text("cpu"), _whole(value.size)]
        out += [b"tQK\x00", _tuple(value.shape), _tuple(strides), b"\x89ccollections\nOrderedDict\n)RtR"]
    return b"".join([*out, b"u."])


def write_torch_file(path: Path, tensors: Mapping[str, np.ndarray], data_pkl: bytes | None = None) -> Path:
    """A checkpoint file; ``data_pkl`` takes the place of its own program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("model/data.pkl", program(tensors) if data_pkl is None else data_pkl)
        file.writestr("model/byteorder", "little")
        for key, value in enumerate(tensors.values()):
            file.writestr(f"model/data/{key}", np.ascontiguousarray(value, "<f4").tobytes())
        file.writestr("model/version", "3\n")
    return path


def calls(module: str, name: str) -> bytes:
    """A program that calls a function of a module with one text."""
    return b"\x80\x02" + f"c{module}\n{name}\n".encode() + b"(" + _text("true") + b"tR."


def python_pickle(value: object) -> bytes:
    """What Python's own pickle makes of a value."""
    return pickle.dumps(value, protocol=2)


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _whole(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def _tuple(numbers) -> bytes:
    return b"(" + b"".join(_whole(number) for number in numbers) + b"t"
