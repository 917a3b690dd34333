"""What a run of the segmentation network begins with: an earlier run's weights, or those in the ONNX file that ships.

The file has its batch norms folded into their convolutions. Training wants them back: each convolution gets a norm with
the mean and spread that its answers have on example pictures, and the scale and shift that make the pair answer what
the folded convolution did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.export import folded
from training.network import ConvNorm
from training.segmentation.network import FULL, TINY, SegmentationNetwork, Size
from training.segmentation.weights import load

PACKED = ".packed"
Images = Iterable[torch.Tensor]


def begin_with(path: Path, examples: Callable[[], Images]) -> tuple[SegmentationNetwork, Size, int]:
    """(the network, its size, the steps that made it).

    Args:
        path: a run's folder, or an ONNX file.
        examples: gives pictures, (n, 3, h, w), as the training will show; asked for a file only.
    """
    if path.is_dir():
        return load(path)
    network, size, step = read_onnx(path)
    return with_norms(network, size, examples()), size, step


def read_onnx(path: Path) -> tuple[SegmentationNetwork, Size, int]:
    """(the network in an ONNX file with its norms folded, its size, its steps).

    Raises:
        ValueError: the file holds another network.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    values = {
        tensor.name.removesuffix(PACKED): numpy_helper.to_array(tensor).astype(np.float32)
        for tensor in model.graph.initializer
    }
    weights = values | linear_weights(model.graph, values)
    for size in (FULL, TINY):
        network = folded(SegmentationNetwork(size))
        wanted = network.state_dict()
        if all(name in weights and weights[name].shape == tuple(value.shape) for name, value in wanted.items()):
            network.load_state_dict({name: torch.from_numpy(weights[name].copy()) for name in wanted})
            steps = {entry.key: entry.value for entry in model.metadata_props}.get("training_steps", "0")
            return network, size, int(steps)
    raise ValueError(f"{path} holds no segmentation network of a known size")


def linear_weights(graph: Any, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights of linear layers, which have no names there: each is found by the bias that is added to its product.

    Args:
        graph: an onnx.GraphProto. values: its initializers.
    """
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    found = {}
    for node in graph.node:
        for bias, product in (node.input, node.input[::-1]) if node.op_type == "Add" else ():
            if bias in values and product in products:
                found[bias.removesuffix("bias") + "weight"] = values[products[product]].T
    return found


@torch.no_grad()
def with_norms(network: SegmentationNetwork, size: Size, images: Images) -> SegmentationNetwork:
    """A network with batch norms that answers as the folded one does; while it trains too, on pictures like ``images``.

    It is put where the pictures are.
    """
    sums: dict[str, torch.Tensor] = {}
    hooks = [
        module.conv.register_forward_hook(_summing(sums, name))
        for name, module in network.named_modules()
        if isinstance(module, ConvNorm)
    ]
    for batch in images:
        network.to(batch.device)(batch)
    for hook in hooks:
        hook.remove()
    made = SegmentationNetwork(size)
    state = dict(network.state_dict())
    for name, module in made.named_modules():
        if isinstance(module, ConvNorm):
            count, total, squares = sums[name]
            mean = total / count
            variance = (squares / count - mean**2).clamp(min=0)
            # The folded convolution's mean holds its bias, which the norm's shift takes over.
            state[f"{name}.norm.running_mean"] = mean - state.pop(f"{name}.conv.bias")
            state[f"{name}.norm.running_var"] = variance
            state[f"{name}.norm.weight"] = (variance + module.norm.eps).sqrt()
            state[f"{name}.norm.bias"] = mean
            state[f"{name}.norm.num_batches_tracked"] = torch.zeros((), dtype=torch.int64)
    made.load_state_dict(state)
    return made


def _summing(sums: dict[str, torch.Tensor], name: str) -> Callable[[nn.Module, Any, torch.Tensor], None]:
    """A hook that adds up a convolution's answers: their count, sum and sum of squares, (3, channels) float64."""

    def add(_: nn.Module, __: Any, answer: torch.Tensor) -> None:
        values = answer.double().transpose(0, 1).flatten(1)
        count = torch.full_like(values[:, 0], values.shape[1])
        sums[name] = sums.get(name, 0) + torch.stack([count, values.sum(1), (values**2).sum(1)])

    return add
