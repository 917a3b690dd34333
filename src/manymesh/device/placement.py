"""Which device and number format a stage uses, decided in one place, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manymesh.errors import UsageError

if TYPE_CHECKING:
    from manymesh.settings import Settings


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


def place(devices: Sequence[str], stage: str, half: str = "float16") -> Placement:
    """Where ``stage`` computes, and in what.

    Args:
        devices: the setting, such as ("cuda", "detect=cpu").
        stage: detect, matte, shape or paint.
        half: the format that the stage's networks were made for on GPUs: "float16", "bfloat16", or "float32".

    Raises ``UsageError`` for a device that is asked for and not there.
    """
    import torch

    wanted = requested(devices, stage)
    device, reason = wanted, "as asked"
    if wanted == "auto":
        device, reason = _best(torch)
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"{stage} was to run on {device}, but PyTorch sees no CUDA device", _TO_CPU.format(stage))
    if device.startswith("cuda:") and int(device[5:]) >= torch.cuda.device_count():
        raise UsageError(f"there is no {device}: PyTorch sees {torch.cuda.device_count()} CUDA devices")
    if device == "mps" and not torch.backends.mps.is_available():
        raise UsageError(f"{stage} was to run on mps, but PyTorch sees no such device", _TO_CPU.format(stage))
    if device == "cpu":
        return Placement(device, "float32", f"{reason}; 16-bit arithmetic is slow on CPUs")
    if half == "float32":
        return Placement(device, half, f"{reason}; these networks are made for float32")
    if half == "bfloat16" and not _has_bfloat16(torch, device):
        return Placement(device, "float16", f"{reason}; this GPU has no bfloat16")
    return Placement(device, half, f"{reason}; {half} halves the memory")


def slow_without_gpu(settings: Settings) -> str | None:
    """Why `auto` should not take a stage with a large network here: minutes to hours on a CPU. None with a GPU.

    For ``Stage.slow_here``.
    """
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return None
    return "its networks would run on the CPU, for minutes an object"


_TO_CPU = "Use --device {}=cpu"


def _best(torch) -> tuple[str, str]:  # type: ignore[no-untyped-def]
    if torch.cuda.is_available():
        return "cuda", f"the GPU {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "the Mac's GPU"
    return "cpu", "no GPU that PyTorch can use"


def _has_bfloat16(torch, device: str) -> bool:  # type: ignore[no-untyped-def]
    return device == "mps" or torch.cuda.get_device_capability(device)[0] >= 8
