"""Random numbers as the official program draws them, for ``--painting reference``."""

from __future__ import annotations

import torch

from manymesh.paint.diffusion.denoise import NoiseSource

# The official program's fixed seeds.
DELIGHT_SEED = 42
PAINT_SEED = 0


def official_delight_noise(dtype: torch.dtype) -> NoiseSource:
    """As the official program draws for delight: on the CPU, in the network's own number format, seed 42."""
    generator = torch.Generator().manual_seed(DELIGHT_SEED)
    return lambda shape: torch.randn(shape, generator=generator, dtype=dtype)


def official_paint_noise(device: torch.device, dtype: torch.dtype) -> NoiseSource:
    """As it draws for the views, and once more for the VAE: on the device, seed 0. A CPU draws other numbers."""
    generator = torch.Generator(device).manual_seed(PAINT_SEED)
    return lambda shape: torch.randn(shape, generator=generator, device=device, dtype=dtype)
