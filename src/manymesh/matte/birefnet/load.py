"""From the official files to a network that is ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from manymesh.matte.birefnet.config import Config, config_of, is_unused, plain_key
from manymesh.weights.load import load_network
from manymesh.weights.verify import read_header

if TYPE_CHECKING:
    import torch

    from manymesh.matte.birefnet.network import BiRefNet


def build(config: Config, state: Mapping[str, torch.Tensor] | None = None) -> BiRefNet:
    """The network with ``state`` as its tensors (no copies are made), or without memory when there is none."""
    import torch

    from manymesh.matte.birefnet.network import BiRefNet

    with torch.device("meta"):
        network = BiRefNet(config)
    if state is not None:
        counters = {k: torch.zeros((), dtype=torch.int64) for k in network.state_dict() if is_unused(k)}
        network.load_state_dict({**state, **counters}, assign=True)
    return network.eval().requires_grad_(False)


def load(path: Path, device: torch.device, dtype: torch.dtype) -> BiRefNet:
    """The network of a BiRefNet's safetensors file, on ``device`` in ``dtype``, ready to run.

    The sizes are read from the tensors' shapes. Raises ``WeightsError`` with the first key that does not fit.
    """
    from manymesh.matte.birefnet.network import BiRefNet

    config = read_config(path)
    cuda = device.type == "cuda"
    return load_network(
        lambda: BiRefNet(config), path, device=device, dtype=dtype, rename=own_key, what=WHAT, channels_last=cuda
    )


WHAT = "a BiRefNet of the sizes its first tensors have"


def read_config(path: Path) -> Config:
    """The sizes of the network in a safetensors file. Raises ``WeightsError`` where it holds no BiRefNet."""
    return config_of({plain_key(key): info.shape for key, info in read_header(path).items()})


def own_key(key: str) -> str | None:
    """A key of the file to the network's own, or None for what is there for training only."""
    plain = plain_key(key)
    return None if is_unused(plain) else plain
