"""The segmentation network's averaged weights in a run's folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from training.segmentation.network import SegmentationNetwork, Size

FILE = "ema.safetensors"


def keep(folder: Path, network: torch.nn.Module, size: Size, step: int) -> None:
    """Write the averaged weights as float16, in one move."""
    from safetensors.torch import save_file

    tensors = {k: v.half().contiguous().cpu() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    target = folder / FILE
    save_file(tensors, target.with_suffix(".partial"), {"size": json.dumps(asdict(size)), "step": str(step)})
    target.with_suffix(".partial").replace(target)


def load(folder: Path) -> tuple[SegmentationNetwork, Size, int]:
    """(the network with a run's averaged weights, its size, its step)."""
    from safetensors import safe_open

    with safe_open(folder / FILE, "pt") as file:
        header: dict[str, Any] = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(header["size"]).items()
    }
    size = Size(**values)
    network = SegmentationNetwork(size)
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    return network.eval(), size, int(header["step"])
