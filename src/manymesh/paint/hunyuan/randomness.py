"""Where the random numbers of a texture come from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Draw = Callable[[tuple[int, ...]], "Tensor"]
"""Normal numbers of a shape; every call gives fresh ones."""

REFERENCE_DELIGHT_SEED = 42
REFERENCE_PAINT_SEED = 0


def draw_on_cpu(seed: int, purpose: str) -> Draw:
    """Float32 numbers that are the same on every device; each purpose has its own stream."""
    import torch

    digest = hashlib.sha256(f"{seed}/paint/{purpose}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return lambda shape: torch.randn(shape, generator=generator)


def reference_delight_draw(dtype: torch.dtype) -> Draw:
    """As the official program draws for delight: on the CPU, in the network's own number format, seed 42."""
    import torch

    generator = torch.Generator().manual_seed(REFERENCE_DELIGHT_SEED)
    return lambda shape: torch.randn(shape, generator=generator, dtype=dtype)


def reference_paint_draw(device: torch.device, dtype: torch.dtype) -> Draw:
    """As it draws for the views, and once more for the VAE: on the device, seed 0. A CPU draws other numbers."""
    import torch

    generator = torch.Generator(device).manual_seed(REFERENCE_PAINT_SEED)
    return lambda shape: torch.randn(shape, generator=generator, device=device, dtype=dtype)
