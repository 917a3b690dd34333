"""From the official files to a network that is ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from manymesh.matte.birefnet.config import Config, config_of, is_unused, plain_key
from manymesh.weights.tensors import read_header, read_tensors, require_shapes

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
    """Load a BiRefNet's safetensors file, tensor by tensor.

    The sizes are read from the tensors' shapes, and every name and shape is checked against the architecture before
    anything is allocated. Raises ``WeightsError`` with the first key that does not fit.
    """
    import torch

    header = {key: info.shape for key, info in read_header(path).items()}
    names = {key: plain for key in header if not is_unused(plain := plain_key(key))}
    shapes = {plain: header[key] for key, plain in names.items()}
    config = config_of(shapes)
    expected = {k: v.shape for k, v in build(config).state_dict().items() if not is_unused(k)}
    require_shapes(shapes, expected, "a BiRefNet of the sizes its first tensors have", path)
    layout = torch.channels_last if device.type == "cuda" else torch.preserve_format
    state = {}
    for key, tensor in read_tensors(path, names):
        tensor = tensor.to(device, dtype)
        # "channels last" is how the tensor cores want a convolution's weights; other tensors have no such layout.
        state[key] = tensor.contiguous(memory_format=layout) if tensor.ndim == 4 and device.type == "cuda" else tensor
    return build(config, state).to(device)
