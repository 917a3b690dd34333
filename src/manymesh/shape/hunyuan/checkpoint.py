"""Loads one network out of a safetensors file that may hold several, by the prefix of its keys.

Names and shapes in the file's header are compared with the network's first, so a wrong or truncated file is refused
before memory is allocated. Networks are built on the ``meta`` device: no initial values are drawn, nothing is held
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from manymesh.errors import WeightsError
from manymesh.weights.tensors import read_header, require_shapes

if TYPE_CHECKING:
    import torch

# The pickled .ckpt of the same name is never read: it can run code.
WEIGHTS_FILES = ("model.fp16.safetensors", "model.safetensors")

Network = TypeVar("Network", bound="torch.nn.Module")


def weights_file(folder: Path) -> Path:
    """The safetensors file of a checkpoint folder.

    Raises:
        WeightsError: there is none.
    """
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(f"the checkpoint '{folder.name}' has no {WEIGHTS_FILES[0]}", "Run 'manymesh models verify'")


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
        WeightsError: file and network do not match; the first wrong key is named.
    """
    import torch
    from safetensors import safe_open

    with torch.device("meta"):
        network = build()
    wanted = {prefix + key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    found = {key: info.shape for key, info in read_header(path).items() if key.startswith(prefix)}
    require_shapes(found, wanted, f"the network that {path.parent.name}/config.yaml describes", path)
    with safe_open(str(path), framework="pt", device=str(device)) as file:
        state = {key.removeprefix(prefix): file.get_tensor(key).to(dtype) for key in wanted}
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)
