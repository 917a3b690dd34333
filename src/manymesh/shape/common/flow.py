"""What flow-matching samplers (Lipman et al. 2023) share: the noise that they start from, and one step."""

from __future__ import annotations

import torch
from torch import Tensor


def initial_noise(seed: int, shape: tuple[int, ...], *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Normal noise of ``shape``, drawn on the CPU in the network's dtype: a seed gives the same object on any
    device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype).to(device)


def euler_step(x: Tensor, velocity: Tensor, width: Tensor | float) -> Tensor:
    """One Euler step: ``x + width * velocity``.

    The product has the velocity's dtype (rounded in half precision, as in the official programs), the sum is float32,
    and the result has the velocity's dtype.

    Args:
        x: any shape.
        velocity: the same shape.
        width: how far sigma moves in this step, a float or a 0-dimensional float32 tensor.
    """
    return (x.float() + width * velocity).to(velocity.dtype)
