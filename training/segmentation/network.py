"""The segmentation network: a U-Net from a photo to a mask of all objects, and for each pixel its object's centre.

The picture is halved five times; two transformer blocks let every part of it see every other, so that a background is
known as one from one end to the other. There is no place embedding, so a picture may have any size of whole 32s. The
mask comes at full size, because legs and handles are a few pixels wide; centres at a quarter.
Centres and offsets: Cheng et al., "Panoptic-DeepLab", CVPR 2020. The ONNX output of both is named "middles".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from training.network import ConvNorm, Down, Transformer, Up


@dataclass(frozen=True)
class Size:
    """Widths and depths.

    Attributes:
        encoder: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture.
        blocks: residual blocks at each.
        decoder: channels at 1/16, 1/8, 1/4 and 1/2 on the way up.
        last: channels at full size.
        transformer_blocks, heads: at 1/32; ``heads`` must divide ``encoder[4]``.
    """

    encoder: tuple[int, int, int, int, int] = (24, 48, 80, 128, 160)
    blocks: tuple[int, int, int, int, int] = (1, 2, 2, 1, 1)
    decoder: tuple[int, int, int, int] = (88, 64, 48, 32)
    last: int = 16
    transformer_blocks: int = 2
    heads: int = 5


FULL = Size()
TINY = Size((4, 8, 8, 12, 16), (1, 1, 1, 1, 1), (12, 8, 8, 8), 4, 1, 2)
"""For tests and smoke runs on a CPU."""
CENTRE_LOGIT, TO_CENTRE = 0, slice(1, 3)
"""Channels of ``middles``: how likely an object's centre is here; the offset to this pixel's own, right and down, in
units of 100 pixels."""
TO_CENTRE_UNIT = 100.0


class SegmentationNetwork(nn.Module):
    """image (n, 3, h, w), sRGB 0..1, h and w multiples of 32 -> mask logits (n, 1, h, w), middles (n, 3, h/4, w/4)."""

    def __init__(self, size: Size = FULL) -> None:
        super().__init__()
        c2, c4, c8, c16, c32 = size.encoder
        d16, d8, d4, d2 = size.decoder
        self.stem = Down(3, c2, size.blocks[0])
        self.down4 = Down(c2, c4, size.blocks[1])
        self.down8 = Down(c4, c8, size.blocks[2])
        self.down16 = Down(c8, c16, size.blocks[3])
        self.down32 = Down(c16, c32, size.blocks[4])
        self.transformers = nn.Sequential(*(Transformer(c32, size.heads) for _ in range(size.transformer_blocks)))
        self.norm = nn.LayerNorm(c32)
        self.up16, self.up8 = Up(c32, c16, d16), Up(d16, c8, d8)
        self.up4, self.up2 = Up(d8, c4, d4), Up(d4, c2, d2)
        self.middles = nn.Conv2d(d4, 3, 3, 1, 1)
        self.narrow = nn.Conv2d(d2, size.last, 1)
        self.join = ConvNorm(size.last + 3, size.last)
        self.mask = nn.Conv2d(size.last, 1, 3, 1, 1)
        assert self.middles.bias is not None
        nn.init.trunc_normal_(self.middles.weight, std=0.01)
        with torch.no_grad():
            self.middles.bias.copy_(torch.tensor([-4.0, 0.0, 0.0]))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        image = image * 4 - 2
        x2 = self.stem(image)
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        x32 = self.down32(x16)
        tokens = self.norm(self.transformers(x32.flatten(2).transpose(1, 2)))
        x = tokens.transpose(1, 2).reshape(x32.shape)
        x4 = self.up4(self.up8(self.up16(x, x16), x8), x4)
        x = functional.interpolate(self.narrow(self.up2(x4, x2)), scale_factor=2.0, mode="nearest")
        x = functional.relu(self.join(torch.cat([x, image], 1)))
        return self.mask(x), self.middles(x4)
