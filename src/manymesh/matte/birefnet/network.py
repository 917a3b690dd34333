"""BiRefNet: the alpha of a picture's foreground."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from manymesh.matte.birefnet.aspp import DecoderBlock
from manymesh.matte.birefnet.config import Config
from manymesh.matte.birefnet.decoder import Decoder, resize
from manymesh.matte.birefnet.swin import Probe, Swin


class BiRefNet(nn.Module):
    """(B, 3, H, W) normalised pictures, H and W multiples of 32, to (B, 1, H, W) logits of the foreground's alpha.

    Parameters bear the official checkpoints' names.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.bb = Swin(config)
        c = config.channels
        self.squeeze_module = nn.Sequential(DecoderBlock(sum(c), c[0], config.dec_inter, config.aspp_width))
        self.decoder = Decoder(config)

    def forward(self, x: Tensor, probe: Probe | None = None) -> Tensor:
        maps = self._two_scales(x, probe)
        context = torch.cat([resize(finer, maps[3]) for finer in maps[:3]] + [maps[3]], 1)
        squeeze = cast(DecoderBlock, self.squeeze_module[0])
        mixed = squeeze.dec_att(squeeze.narrow(context))
        maps[3] = squeeze.widen(mixed)
        if probe:
            for name, value in (("squeeze_in", context), ("squeeze_aspp", mixed), ("squeeze_out", maps[3])):
                probe(name, value)
        del context, mixed
        logits: Tensor = self.decoder(x, maps, probe)
        if probe:
            probe("logits", logits)
        return logits

    def _two_scales(self, x: Tensor, probe: Probe | None) -> list[Tensor]:
        """The backbone over the picture and over its half, side by side: four maps, finest first."""
        full = self.bb(x, probe)
        half = self.bb(resize(x, (x.shape[2] // 2, x.shape[3] // 2)))
        if probe:
            for i in range(4):
                probe(f"bb_full_{i + 1}", full[i])
                probe(f"bb_half_{i + 1}", half[i])
        maps = []
        while full:
            finest, coarse = full.pop(0), half.pop(0)
            maps.append(torch.cat([finest, resize(coarse, finest)], 1))
        return maps
