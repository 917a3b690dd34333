"""The decoder: from stride 32 up to the picture, with the picture itself as another input on every level."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from manymesh.matte.birefnet.aspp import DecoderBlock
from manymesh.matte.birefnet.config import Config
from manymesh.matte.birefnet.swin import Probe


def resize(x: Tensor, like: Tensor | tuple[int, int]) -> Tensor:
    """Bilinear, corners aligned: the one resize inside the network."""
    size = (like.shape[2], like.shape[3]) if isinstance(like, Tensor) else like
    return x if x.shape[2:] == size else F.interpolate(x, size=size, mode="bilinear", align_corners=True)


def tiles(x: Tensor, like: Tensor) -> Tensor:
    """The picture cut into tiles of ``like``'s size, each tile's pixels as channels: (B, 3, H, W) to (B, 3nm, h, w)."""
    batch, channels, _, _ = x.shape
    h, w = like.shape[2:]
    n, m = x.shape[2] // h, x.shape[3] // w
    return x.reshape(batch, channels, n, h, m, w).permute(0, 1, 2, 4, 3, 5).reshape(batch, channels * n * m, h, w)


class PictureBlock(nn.Module):
    """Two convolutions with nothing in between."""

    def __init__(self, inputs: int, outputs: int, inner: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inner, 3, padding=1)
        self.conv_out = nn.Conv2d(inner, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv_out(self.conv1(x))
        return out


class Lateral(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


class Decoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config.channels
        picture = (c[0] // 8, c[0] // 8, c[1] // 8, c[2] // 8, c[3] // 8)
        outs = (c[1], c[2], c[3], c[3] // 2)
        for i, level in enumerate((4, 3, 2, 1)):
            block = DecoderBlock(c[i] + picture[i], outs[i], config.dec_inter, config.aspp_width)
            self.add_module(f"decoder_block{level}", block)
            side = 2 ** (level + 1)
            self.add_module(f"ipt_blk{level + 1}", PictureBlock(3 * side * side, picture[i], config.ipt_inter))
        self.ipt_blk1 = PictureBlock(3, picture[4], config.ipt_inter)
        for i, level in enumerate((4, 3, 2)):
            self.add_module(f"lateral_block{level}", Lateral(c[i + 1]))
            self.add_module(
                f"gdt_convs_{level}",
                nn.Sequential(nn.Conv2d(outs[i], 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(inplace=True)),
            )
            self.add_module(f"gdt_convs_attn_{level}", nn.Sequential(nn.Conv2d(16, 1, 1)))
        self.conv_out1 = nn.Sequential(nn.Conv2d(outs[3] + picture[4], 1, 1))

    def forward(self, x: Tensor, maps: list[Tensor], probe: Probe | None = None) -> Tensor:
        """Logits (B, 1, H, W) of the picture ``x`` (B, 3, H, W).

        ``maps`` are the four levels, finest first; the list is emptied on the way so that each map's memory is free
        as soon as it has been used.
        """
        current = maps.pop()
        for level in (4, 3, 2, 1):
            seen = getattr(self, f"ipt_blk{level + 1}")(tiles(x, current))
            if probe:
                probe(f"ipt_{level + 1}", seen)
            block = cast(DecoderBlock, getattr(self, f"decoder_block{level}"))
            current = block.narrow(torch.cat([current, seen], 1))
            del seen
            current = block.widen(block.dec_att(current))
            if probe:
                probe(f"decoder_block_{level}", current)
            if level > 1:
                current = self._gated(current, level, probe)
                finer = maps.pop()
                current = resize(current, finer)
                current += getattr(self, f"lateral_block{level}")(finer)
                del finer
        return self._logits(x, current, probe)

    def _gated(self, current: Tensor, level: int, probe: Probe | None) -> Tensor:
        gate = getattr(self, f"gdt_convs_attn_{level}")(getattr(self, f"gdt_convs_{level}")(current))
        if probe:
            probe(f"gdt_attn_logit_{level}", gate)
        return current * torch.sigmoid(gate)

    def _logits(self, x: Tensor, current: Tensor, probe: Probe | None) -> Tensor:
        """The last 1 x 1 convolution over (resized map, picture block), without either at full size.

        It is linear and so are the resize and the picture block's second convolution. So the map's columns are
        applied before the resize, and the picture's columns are folded into the convolution before them: 1 GB less
        at 1024 x 1024 in half precision than the concatenation, the same numbers but for rounding.
        """
        last, picture = cast(nn.Conv2d, self.conv_out1[0]), self.ipt_blk1
        assert last.bias is not None
        assert picture.conv_out.bias is not None
        if probe:
            probe("ipt_1", picture(x))
        width = current.shape[1]
        coarse = F.conv2d(current, last.weight[:, :width])
        columns = last.weight[0, width:, 0, 0].float()
        folded = torch.einsum("o,oikl->ikl", columns, picture.conv_out.weight.float())[None].to(x.dtype)
        bias = (last.bias.float() + columns @ picture.conv_out.bias.float()).to(x.dtype)
        return F.conv2d(picture.conv1(x), folded, bias, padding=1) + resize(coarse, x)
