"""Keeping a run: the averaged weights, checkpoints to go on from, and the small files to hand on.

A run's folder holds ``log.jsonl``, ``checkpoint.pt`` (network, average, optimiser, step, seconds used) and
``ema-1.safetensors`` ... (the averaged weights as float16, each file under PART_BYTES).
"""

from __future__ import annotations

import copy
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.network import Network, Size

EMA_DECAY = 0.9995
PART_BYTES = 15 * 2**20
"""Small enough for what takes no file over 16 MiB."""


class Average:
    """Exponential moving average of a network's parameters and buffers (batch norm's statistics too).

    The decay starts low and rises to EMA_DECAY, so that a young average is not one of random weights.
    """

    def __init__(self, network: Any, decay: float = EMA_DECAY) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0
        # Gathering them costs a millisecond: once, since training and loading change both in place.
        self.own, self.theirs = floating(self.network), floating(network)

    @torch.no_grad()
    def update(self) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.own, self.theirs, 1 - decay)


def floating(network: nn.Module) -> list[torch.Tensor]:
    """All floating-point parameters and kept buffers, in a fixed order. (Batch norm's count of batches is no float.)"""
    return [value for value in network.state_dict().values() if value.is_floating_point()]


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Replace the folder's checkpoint in one move: a run that is killed keeps the one before."""
    target = folder / "checkpoint.pt"
    partial = target.with_suffix(".partial")
    with open(partial, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)


def has_checkpoint(folder: Path) -> bool:
    return (folder / "checkpoint.pt").exists()


def load_checkpoint(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """The folder's checkpoint, or None where there is none."""
    path = folder / "checkpoint.pt"
    return torch.load(path, map_location=device, weights_only=True) if has_checkpoint(folder) else None


def save_ema(folder: Path, network: Network, size: Size, run: str, step: int) -> list[Path]:
    """Write the averaged weights as float16 in parts; returns the files."""
    from safetensors.torch import save_file

    tensors = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    parts: list[dict[str, torch.Tensor]] = [{}]
    used = 0
    for name, value in tensors.items():
        size_bytes = value.numel() * value.element_size()
        if used + size_bytes > PART_BYTES - 2**18:  # leaves room for the header
            parts.append({})
            used = 0
        parts[-1][name] = value.cpu()
        used += size_bytes
    for stale in folder.glob("ema-*.safetensors"):
        if int(stale.stem.removeprefix("ema-")) > len(parts):
            stale.unlink()
    paths = []
    for number, part in enumerate(parts, 1):
        path = folder / f"ema-{number}.safetensors"
        metadata = {"size": json.dumps(asdict(size)), "run": run, "step": str(step), "parts": str(len(parts))}
        save_file(part, path.with_suffix(".partial"), metadata)
        path.with_suffix(".partial").replace(path)
        paths.append(path)
    return paths


def load_ema(folder: Path) -> tuple[Network, str]:
    """(network with a run's averaged weights, the run's id).

    Args:
        folder: a run's folder, or any one of its parts.

    Raises:
        ValueError: parts are missing or of different steps.
    """
    from safetensors import safe_open

    folder = folder.parent if folder.is_file() else folder
    tensors: dict[str, torch.Tensor] = {}
    headers = []
    for path in sorted(folder.glob("ema-*.safetensors")):
        with safe_open(path, "pt") as file:
            headers.append(file.metadata())
            tensors |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if not headers or len(headers) != int(headers[0]["parts"]) or len({header["step"] for header in headers}) != 1:
        raise ValueError(f"{folder}: expected all parts ema-1.safetensors ... of one step, found {headers}")
    size: dict[str, Any] = {}
    for name, value in json.loads(headers[0]["size"]).items():
        size[name] = tuple(value) if isinstance(value, list) else value
    network = Network(Size(**size))
    network.load_state_dict({n: v.float() if v.is_floating_point() else v for n, v in tensors.items()})
    return network.eval(), headers[0]["run"]
