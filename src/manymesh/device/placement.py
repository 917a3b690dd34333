"""Which device and number format a stage uses, decided in one place, with the reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manymesh.errors import UsageError

if TYPE_CHECKING:
    from manymesh.settings import Settings

_log = logging.getLogger("manymesh.device")


@dataclass(frozen=True)
class Placement:
    """A choice and why.

    Attributes:
        device: "cpu", "cuda", "cuda:1" or "mps".
        dtype: "float32", "float16" or "bfloat16".
        reason: one clause for people.
    """

    device: str
    dtype: str
    reason: str


def requested(devices: Sequence[str], stage: str) -> str:
    """The device asked for: the last word for this stage alone, else the last for all, else "auto"."""
    for prefix in (f"{stage}=", ""):
        named = [d for d in devices if d.startswith(prefix) and ("=" in d) == bool(prefix)]
        if named:
            return named[-1].rpartition("=")[2]
    return "auto"


def place(devices: Sequence[str], stage: str, half: str = "float16", precision: str = "auto") -> Placement:
    """Where ``stage`` computes, and in what.

    With ``precision`` "auto" it is float32 on CPUs, and on GPUs ``half``, unless a quick probe of the device shows that
    its half precision is faulty (``device.probe``; remembered after the first time). Then it is float32, and a warning
    is logged.

    Args:
        devices: the setting, such as ("cuda", "detect=cpu").
        stage: detect, matte, shape or paint.
        half: the format that the stage's networks were made for on GPUs: "float16", "bfloat16", or "float32".
        precision: a number format that the user asks for, or "auto".

    Raises ``UsageError`` for a device that is asked for and not there.
    """
    device, reason = _device(devices, stage)
    if precision != "auto":
        return Placement(device, precision, f"{reason}; {precision} as asked")
    if device == "cpu":
        return Placement(device, "float32", f"{reason}; 16-bit arithmetic is slow on CPUs")
    if half == "float32":
        return Placement(device, half, f"{reason}; these networks are made for float32")
    if half == "bfloat16" and not has_bfloat16(device):
        half, reason = "float16", f"{reason}; this GPU has no bfloat16"
    problem = _half_precision_problem(device, half)
    if problem:
        _log.warning("%s runs in float32 on %s: %s", stage, device, problem)
        return Placement(device, "float32", f"{reason}; {problem}")
    return Placement(device, half, f"{reason}; {half} halves the memory")


def has_bfloat16(device: str) -> bool:
    """Whether a GPU ("cuda", "cuda:1" or "mps") computes in bfloat16."""
    import torch

    return device == "mps" or torch.cuda.get_device_capability(device)[0] >= 8


def slow_without_gpu(settings: Settings) -> str | None:
    """Why `auto` should not take a stage with a large network here: minutes to hours on a CPU. None with a GPU.

    For ``Stage.slow_here``.
    """
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return None
    return "its networks would run on the CPU, for minutes an object"


_TO_CPU = "Use --device {}=cpu"


def _device(devices: Sequence[str], stage: str) -> tuple[str, str]:
    """The device for ``stage`` and the reason. Raises ``UsageError`` for one that is asked for and not there."""
    import torch

    device = requested(devices, stage)
    if device == "auto":
        return _best()
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"{stage} was to run on {device}, but PyTorch sees no CUDA device", _TO_CPU.format(stage))
    if device.startswith("cuda:") and int(device[5:]) >= torch.cuda.device_count():
        raise UsageError(f"there is no {device}: PyTorch sees {torch.cuda.device_count()} CUDA devices")
    if device == "mps" and not torch.backends.mps.is_available():
        raise UsageError(f"{stage} was to run on mps, but PyTorch sees no such device", _TO_CPU.format(stage))
    return device, "as asked"


def _best() -> tuple[str, str]:
    import torch

    if torch.cuda.is_available():
        return "cuda", f"the GPU {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "the Mac's GPU"
    return "cpu", "no GPU that PyTorch can use"


def _half_precision_problem(device: str, half: str) -> str:
    import torch

    from manymesh.device.probe import half_precision_problem

    return half_precision_problem(torch.device(device), getattr(torch, half))
