"""When a device has too little memory: PyTorch's error becomes one for people, and what is unused is given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from manymesh.errors import OutOfMemoryError


@contextmanager
def device_errors(what: str, device: torch.device | str, advice: str) -> Iterator[None]:
    """Turn PyTorch's out-of-memory error into ours.

    Args:
        what: what does not fit, with its verb: "painting does not fit".
        device: the device that has too little memory.
        advice: what to do.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(f"{what} in the memory of {device}", advice) from error


def give_back(device: torch.device) -> None:
    """Give the memory of networks that are not referenced any more back to the device.

    No garbage is collected: that takes 0.2 s beside torch and transformers. A network in a reference cycle stays.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
