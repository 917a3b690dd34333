"""What tells the painter of the shape: position and normal maps to four feature maps (after Mou et al. 2023).

It runs once for a mesh. Its features serve every step. It runs in float32 on every device: in half precision a whole
family of GPUs answers NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.paint.diffusion.config import UNetConfig

# Position and normal, three numbers each.
MAP_CHANNELS = 6
# Stable Diffusion XL's has four blocks, one more than that UNet has levels, of this many residual blocks.
_XL_BLOCKS, _XL_LAYERS = 4, 2


@dataclass(frozen=True)
class EncoderConfig:
    """
    Attributes:
        shrink: a square of so many pixels a side becomes one pixel of the first feature map.
        widths: of the feature maps.
        layers: residual blocks of each.
        halves: which blocks halve the size first.
        places: where in the UNet each feature map is added; see ``UNet.forward``.
    """

    shrink: int
    widths: tuple[int, ...]
    layers: int
    halves: tuple[bool, ...]
    places: tuple[str, ...]


def encoder_config(unet: UNetConfig) -> EncoderConfig:
    """The encoder that belongs to a base's UNet. XL's is known by its added embedding."""
    levels = len(unet.channels)
    if unet.added_dim:
        widths = (*unet.channels, *[unet.channels[-1]] * (_XL_BLOCKS - levels))
        return EncoderConfig(
            16, widths, _XL_LAYERS, (False, False, True, False), ("smaller_0", "down_1", "down_2", "mid")
        )
    halves = (False, *[True] * (levels - 1))
    return EncoderConfig(8, unet.channels, unet.layers, halves, tuple(f"down_{level}" for level in range(levels)))


class ConditionEncoder(nn.Module):
    """Keys as in the file, without their ``adapter.``."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        first = config.widths[0]
        self.conv_in = nn.Conv2d(MAP_CHANNELS * config.shrink**2, first, 3, padding=1)
        before = (first, *config.widths[:-1])
        self.body = nn.ModuleList(
            [
                EncoderBlock(inner, outer, config.layers, halve)
                for inner, outer, halve in zip(before, config.widths, config.halves, strict=True)
            ]
        )

    @torch.inference_mode()
    def forward(self, maps: Tensor) -> dict[str, Tensor]:
        """(N, 6, S, S) maps in [0, 1], position first, to (N, C, h, w) features by place in the UNet."""
        x = self.conv_in(F.pixel_unshuffle(maps, self.config.shrink))
        features = {}
        for place, block in zip(self.config.places, self.body, strict=True):
            x = block(x)
            features[place] = x
        return features


class EncoderBlock(nn.Module):
    """Half the size, another width, residual blocks; the first two only where they are asked for."""

    def __init__(self, inner: int, outer: int, layers: int, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        self.in_conv = nn.Conv2d(inner, outer, 1) if inner != outer else None
        self.resnets = nn.ModuleList([EncoderResidual(outer) for _ in range(layers)])

    def forward(self, x: Tensor) -> Tensor:
        if self.halve:
            x = F.avg_pool2d(x, 2, ceil_mode=True)
        if self.in_conv is not None:
            x = self.in_conv(x)
        for resnet in self.resnets:
            x = resnet(x)
        return x


class EncoderResidual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block1 = nn.Conv2d(width, width, 3, padding=1)
        self.block2 = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.block2(F.relu(self.block1(x)))
        return out


def scaled_features(features: Mapping[str, Tensor], by: float, like: Tensor) -> dict[str, Tensor]:
    """The features times ``by``, in the number format and on the device of a tensor, channels last."""
    return {
        place: (feature * by).to(like.device, like.dtype).contiguous(memory_format=torch.channels_last)
        for place, feature in features.items()
    }
