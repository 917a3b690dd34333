"""Pictures to the autoencoder's numbers and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.types import U8


@dataclass(frozen=True)
class Batching:
    """How much is done at once. None of it changes the pictures beyond rounding.

    Attributes:
        joint_guidance: the guided and the unguided row in one pass, or one after the other.
        images_per_pass: how many go through the VAE at once.
    """

    joint_guidance: bool = True
    images_per_pass: int = 1


def encode(vae: ImageVae, pictures: U8, draw: Tensor, economy: Batching) -> Tensor:
    """(N, H, W, 3) uint8 to sampled, scaled latents (N, 4, H / 8, W / 8). ``draw``: normal numbers of that shape."""
    weight = vae.quant_conv.weight
    signed = to_signed_batch(pictures, weight.device, weight.dtype)
    latents = vae.encode(signed, draw.to(signed.device, signed.dtype), economy.images_per_pass)
    return latents * vae.config.scaling_factor


def decode(vae: ImageVae, latents: Tensor, economy: Batching) -> Tensor:
    """(N, 4, h, w) scaled latents to (N, 3, 8 h, 8 w) pictures in [0, 1]."""
    weight = vae.quant_conv.weight
    return vae.decode((latents / vae.config.scaling_factor).to(weight.dtype), economy.images_per_pass)


def to_signed_batch(pictures: U8, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) in [-1, 1]."""
    unit = torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float() / 255
    return (unit.to(dtype) - 0.5) * 2


def to_uint8_images(pictures: Tensor) -> U8:
    """(N, 3, H, W) in [0, 1] to (N, H, W, 3) uint8, rounded."""
    levels = (pictures.float() * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())
