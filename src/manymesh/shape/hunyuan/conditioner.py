"""From pictures to condition tokens: the image encoder around DINOv2, for one view or several of one object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.shape.hunyuan.config import ConditionerConfig
from manymesh.shape.hunyuan.dino import Dino

# The mean and spread of ImageNet's pixels, which DINOv2 was trained with.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)

VIEWS = ("front", "left", "back", "right")
"""The views that a multi-view model knows, in the order of their index."""


class ImageEncoder(nn.Module):
    def __init__(self, config: ConditionerConfig) -> None:
        super().__init__()
        self.model = Dino(config.dino)


class Conditioner(nn.Module):
    """The encoder with its picture transform."""

    def __init__(self, config: ConditionerConfig) -> None:
        super().__init__()
        self.config = config
        self.main_image_encoder = ImageEncoder(config)

    def pixels(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float32 in [-1, 1] to the encoder's input (B, 3, S, S), in its dtype and on its device."""
        weight = self.main_image_encoder.model.embeddings.position_embeddings
        x = ((images + 1) / 2).to(weight.device, weight.dtype)
        size = self.config.image_size
        height, width = x.shape[-2:]
        shorter = min(height, width)
        grown = (size * height // shorter, size * width // shorter)
        x = F.interpolate(x, size=grown, mode="bilinear", align_corners=False, antialias=True)
        top, left = (grown[0] - size) // 2, (grown[1] - size) // 2
        x = x[..., top : top + size, left : left + size]
        mean = torch.tensor(_MEAN, device=x.device, dtype=x.dtype).view(3, 1, 1)
        return (x - mean) / torch.tensor(_STD, device=x.device, dtype=x.dtype).view(3, 1, 1)

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float32 in [-1, 1] to (B, tokens, width)."""
        return self.main_image_encoder.model(self.pixels(images))

    @torch.inference_mode()
    def encode_views(self, images: Tensor, indices: Sequence[int]) -> Tensor:
        """Several views of one object: each encoded alone, marked with its view's vector, joined.

        Args:
            images: (V, 3, H, W) float32 in [-1, 1].
            indices: which view each is, into ``VIEWS``.

        Returns:
            (1, V * tokens, width).
        """
        tokens = [self(image[None]) for image in images]
        marks = view_embedding(indices, tokens[0].shape[-1])
        return torch.cat([t + marks[i].to(t.device, t.dtype) for i, t in enumerate(tokens)], dim=1)


def view_embedding(indices: Sequence[int], width: int) -> Tensor:
    """(V, width) float32: the sinusoid of each view's index, sines first, wave lengths up to 10000."""
    half = width // 2
    waves = 10000.0 ** (-np.arange(half, dtype=np.float64) / half)
    angles = np.asarray(indices, np.float64)[:, None] * waves
    return torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32))
