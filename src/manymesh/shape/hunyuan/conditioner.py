"""Images to condition tokens: DINOv2 with its input transform, for one view of an object or several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.shape.common.dino import Dino
from manymesh.shape.hunyuan.config import ConditionerConfig

# Mean and standard deviation of ImageNet's pixels: the normalisation that DINOv2 was trained with.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)

# The views of a multi-view model; the position is the view's index in its embedding.
VIEWS = ("front", "left", "back", "right")


class ImageEncoder(nn.Module):
    """Holds DINOv2 under the name ``model``, as the checkpoint's keys do."""

    def __init__(self, config: ConditionerConfig) -> None:
        super().__init__()
        self.model = Dino(config.dino)


class Conditioner(nn.Module):
    """The image encoder with its input transform."""

    def __init__(self, config: ConditionerConfig) -> None:
        super().__init__()
        self.config = config
        self.main_image_encoder = ImageEncoder(config)

    def normalise_pixels(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float32 in [-1, 1] to the encoder's input (B, 3, S, S), in its dtype and on its device.

        The shorter side is resized to S, then the centre is cropped.
        """
        weight = self.main_image_encoder.model.embeddings.position_embeddings
        x = ((images + 1) / 2).to(weight.device, weight.dtype)
        size = self.config.image_size
        height, width = x.shape[-2:]
        shorter = min(height, width)
        resized = (size * height // shorter, size * width // shorter)
        x = F.interpolate(x, size=resized, mode="bilinear", align_corners=False, antialias=True)
        top, left = (resized[0] - size) // 2, (resized[1] - size) // 2
        x = x[..., top : top + size, left : left + size]
        mean = torch.tensor(_MEAN, device=x.device, dtype=x.dtype).view(3, 1, 1)
        return (x - mean) / torch.tensor(_STD, device=x.device, dtype=x.dtype).view(3, 1, 1)

    @torch.inference_mode()
    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float32 in [-1, 1] to (B, tokens, width)."""
        out: Tensor = self.main_image_encoder.model(self.normalise_pixels(images))
        return out

    @torch.inference_mode()
    def encode_views(self, images: Tensor, indices: Sequence[int]) -> Tensor:
        """Several views of one object: each is encoded alone, its view's embedding is added, the tokens are joined.

        Args:
            images: (V, 3, H, W) float32 in [-1, 1].
            indices: the view of each image, into ``VIEWS``.

        Returns:
            (1, V * tokens, width).
        """
        tokens = [self(image[None]) for image in images]
        embeddings = view_embedding(indices, tokens[0].shape[-1])
        return torch.cat([t + embeddings[i].to(t.device, t.dtype) for i, t in enumerate(tokens)], dim=1)


def view_embedding(indices: Sequence[int], width: int) -> Tensor:
    """(V, width) float32: sinusoidal embedding of each view's index, sines first (Vaswani et al. 2017, section 3.5)."""
    half = width // 2
    frequencies = 10000.0 ** (-np.arange(half, dtype=np.float64) / half)
    angles = np.asarray(indices, np.float64)[:, None] * frequencies
    return torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32))
