"""Loads one network out of a safetensors file that may hold several, by the prefix of its keys.

Everything is checked against the file's header first, so a wrong or cut-off file is refused before memory is taken.
Networks are built on the ``meta`` device: no random start values are drawn and nothing is held twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from manymesh.errors import WeightsError

if TYPE_CHECKING:
    import torch

WEIGHTS_FILES = ("model.fp16.safetensors", "model.safetensors")
_HEADER_LIMIT_BYTES = 100_000_000

Network = TypeVar("Network", bound="torch.nn.Module")
Header = dict[str, dict[str, Any]]


def weights_file(folder: Path) -> Path:
    """The safetensors file of a checkpoint folder.

    Raises:
        WeightsError: there is none. Pickled ``.ckpt`` files are never read: they can run code.
    """
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(f"'{folder.name}' has no {WEIGHTS_FILES[0]}", "Pull the model again")


def read_header(path: Path) -> Header:
    """The tensor table of a safetensors file: name to ``{"dtype", "shape", "data_offsets"}``.

    Raises:
        WeightsError: it is not such a file, or its end is missing.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(_HEADER_LIMIT_BYTES, size - 8):
                raise WeightsError(f"'{path.name}' is not a safetensors file", "Pull the model again")
            header = json.loads(file.read(length))
    except (OSError, ValueError) as error:
        raise WeightsError(f"'{path.name}' cannot be read: {error}", "Pull the model again") from None
    header.pop("__metadata__", None)
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if 8 + length + end != size:
        raise WeightsError(f"'{path.name}' has {size} bytes, {8 + length + end} expected", "Pull the model again")
    return header


def check_header(header: Header, wanted: dict[str, tuple[int, ...]], prefix: str, name: str) -> None:
    """Compares what a network wants with what the file has under ``prefix``; names the first key that is wrong.

    Raises:
        WeightsError: a key is absent, unexpected or of another shape.
    """
    found = {key[len(prefix) :]: tuple(entry["shape"]) for key, entry in header.items() if key.startswith(prefix)}
    for key in sorted(wanted.keys() | found.keys()):
        if key not in found:
            problem = "is missing"
        elif key not in wanted:
            problem = "is not part of this network"
        elif found[key] != wanted[key]:
            problem = f"has the shape {list(found[key])}, {list(wanted[key])} expected"
        else:
            continue
        raise WeightsError(f"'{name}': tensor '{prefix}{key}' {problem}", "The file and its config.yaml do not match")


def load_network(
    build: Callable[[], Network], path: Path, prefix: str, *, device: torch.device, dtype: torch.dtype
) -> Network:
    """A network with the file's weights, in evaluation mode, on ``device``.

    Args:
        build: makes the network; called under the ``meta`` device.
        path: a safetensors file.
        prefix: the keys' first part, such as ``"model."``, or ``""``.
        device: where the weights go, straight from the mapped file.
        dtype: what the weights are cast to.

    Raises:
        WeightsError: file and network do not match.
    """
    import torch
    from safetensors import safe_open

    with torch.device("meta"):
        network = build()
    wanted = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    check_header(read_header(path), wanted, prefix, f"{path.parent.name}/{path.name}")
    with safe_open(str(path), framework="pt", device=str(device)) as file:
        state = {key: file.get_tensor(prefix + key).to(dtype) for key in wanted}
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)
