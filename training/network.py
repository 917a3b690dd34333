"""The lite engine's shape network: a U-Net from one cutout to an occupancy volume, two surfaces and a pose.

256 x 256 RGBA goes in. The encoder halves four times, to 16 x 16, where transformer blocks let every place see every
other; the decoder comes back to 128 x 128 and a 1 x 1 convolution turns the channels of each pixel into depth bins
(a "column model": no 3D convolution, so a CPU pass stays a quarter of a second). Most parameters sit at 16 x 16 and
32 x 32, where one costs 1/64 and 1/16 of what it costs at 128 x 128.

Inputs, outputs and frames: manymesh.shape.learned.contract.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from manymesh.shape.learned import contract

SIDE = contract.IMAGE_PX // 16
"""Places along each side of the picture where the transformer blocks work."""
EXPECTED_ELEVATION = math.radians(17.0)
EXPECTED_LOG_TAN_HALF_FOV = math.log(math.tan(math.radians(14.0)))
EMPTY_LOGIT = -2.0
"""Where the heads start: about the average answer, so that the first steps are not spent on finding it."""


@dataclass(frozen=True)
class Size:
    """Widths and depths.

    Attributes:
        encoder: channels at 128, 64, 32 and 16 pixels.
        blocks: residual blocks at 128, 64, 32 and 16 pixels on the way down.
        decoder: channels at 32, 64 and 128 pixels on the way up.
        transformer_blocks, heads: at 16 x 16; ``heads`` must divide ``encoder[3]``.
    """

    encoder: tuple[int, int, int, int] = (32, 96, 160, 288)
    blocks: tuple[int, int, int, int] = (1, 2, 2, 1)
    decoder: tuple[int, int, int] = (144, 96, 112)
    transformer_blocks: int = 5
    heads: int = 6


FULL = Size()
TINY = Size((8, 12, 16, 24), (1, 1, 1, 1), (16, 12, 12), 1, 2)
"""For tests and smoke runs on a CPU."""


class ConvNorm(nn.Module):
    """3 x 3 convolution and batch norm; the pair becomes one convolution when exported."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(x))


class Residual(nn.Module):
    """Two convolutions around a shortcut (He et al. 2015), starting as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = ConvNorm(channels, channels), ConvNorm(channels, channels)
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.second(functional.relu(self.first(x))))


class Transformer(nn.Module):
    """A pre-norm transformer block over (n, places, channels)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, channels // heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.widen, self.narrow = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        for last in (self.out, self.narrow):
            nn.init.trunc_normal_(last.weight, std=0.01)
            nn.init.zeros_(last.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.out(self.attend(self.norm_attention(x)))
        return x + self.narrow(functional.gelu(self.widen(self.norm_mlp(x))))

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, self.width)).permute(2, 0, 3, 1, 4).unbind(0)
        if torch.jit.is_tracing():  # written out: the exporter would turn the fused call into more nodes
            weights = torch.softmax((q * self.width**-0.5) @ k.transpose(-1, -2), dim=-1)
            mixed = weights @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v)
        return mixed.transpose(1, 2).flatten(2)


class Up(nn.Module):
    """Doubles the side, joins the encoder's features of that side, two convolutions."""

    def __init__(self, inputs: int, skip: int, outputs: int, residuals: int = 1) -> None:
        super().__init__()
        # Narrowing before doubling costs a quarter of narrowing after it.
        self.narrow = nn.Conv2d(inputs, outputs, 1) if outputs < inputs else nn.Identity()
        self.join = ConvNorm(min(inputs, outputs) + skip, outputs)
        self.residuals = nn.Sequential(*(Residual(outputs) for _ in range(residuals)))

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        x = functional.interpolate(self.narrow(x), scale_factor=2.0, mode="nearest")
        return self.residuals(functional.relu(self.join(torch.cat([x, skip], 1))))


class Down(nn.Module):
    """Halves the side with a strided convolution, then residual blocks."""

    def __init__(self, inputs: int, outputs: int, residuals: int) -> None:
        super().__init__()
        self.halve = ConvNorm(inputs, outputs, 2)
        self.residuals = nn.Sequential(*(Residual(outputs) for _ in range(residuals)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.residuals(functional.relu(self.halve(x)))


class PoseHead(nn.Module):
    """Mean and maximum over all places, then two layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2 * channels)
        self.hidden = nn.Linear(2 * channels, channels)
        self.last = nn.Linear(channels, contract.POSE_SIZE)
        nn.init.trunc_normal_(self.last.weight, std=0.01)
        with torch.no_grad():
            self.last.bias.zero_()
            self.last.bias[contract.ELEVATION] = EXPECTED_ELEVATION
            self.last.bias[contract.LOG_TAN_HALF_FOV] = EXPECTED_LOG_TAN_HALF_FOV
            self.last.bias[[contract.ELEVATION_LOG_VARIANCE, contract.LOG_TAN_HALF_FOV_LOG_VARIANCE]] = -2.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = torch.cat([x.mean(1), x.amax(1)], 1)
        return self.last(functional.gelu(self.hidden(self.norm(pooled))))


class Network(nn.Module):
    """image (n, 4, 256, 256) -> logits (n, BINS, GRID, GRID), surface (n, 8, GRID, GRID), pose (n, POSE_SIZE)."""

    right: torch.Tensor
    down: torch.Tensor

    def __init__(self, size: Size = FULL) -> None:
        super().__init__()
        self.size = size
        (c128, c64, c32, c16), (d32, d64, d128) = size.encoder, size.decoder
        self.stem = Down(6, c128, size.blocks[0])
        self.down64 = Down(c128, c64, size.blocks[1])
        self.down32 = Down(c64, c32, size.blocks[2])
        self.down16 = Down(c32, c16, size.blocks[3])
        self.places = nn.Parameter(torch.randn(1, SIDE * SIDE, c16) * 0.02)
        self.transformers = nn.Sequential(*(Transformer(c16, size.heads) for _ in range(size.transformer_blocks)))
        self.norm = nn.LayerNorm(c16)
        self.up32 = Up(c16, c32, d32)
        self.up64 = Up(d32, c64, d64)
        self.up128 = Up(d64, c128, d128)
        self.logits = nn.Conv2d(d128, contract.BINS, 1)
        self.surface = nn.Conv2d(d128, contract.BACK_COLOR.stop, 1)
        self.pose = PoseHead(c16)
        assert self.logits.bias is not None
        assert self.surface.bias is not None
        nn.init.constant_(self.logits.bias, EMPTY_LOGIT)
        with torch.no_grad():
            self.surface.bias[contract.BACK_COLOR] = 0.5
        line = (torch.arange(contract.IMAGE_PX) + 0.5) / contract.IMAGE_PX - 0.5
        self.register_buffer("right", 2 * line.view(1, 1, 1, -1), persistent=False)
        self.register_buffer("down", 2 * line.view(1, 1, -1, 1), persistent=False)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        plane = image[:, :1] * 0.0  # gives the coordinate planes the picture's shape, whatever the batch
        x128 = self.stem(torch.cat([image, plane + self.right, plane + self.down], 1))
        x64 = self.down64(x128)
        x32 = self.down32(x64)
        x16 = self.down16(x32)
        tokens = self.norm(self.transformers(x16.flatten(2).transpose(1, 2) + self.places))
        x = tokens.transpose(1, 2).unflatten(2, (SIDE, SIDE))
        x = self.up128(self.up64(self.up32(x, x32), x64), x128)
        return self.logits(x), self.surface(x), self.pose(tokens)


def parameter_count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
