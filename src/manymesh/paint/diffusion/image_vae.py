"""The picture autoencoder of Stable Diffusion (AutoencoderKL, Rombach et al. 2022).

Normalisation is within each picture, so pictures may go through one by one or together: the answer is the same.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from manymesh.paint.diffusion.config import ImageVaeConfig
from manymesh.paint.diffusion.layers import (
    Attention,
    Downsample,
    ResnetBlock,
    Upsample,
    attend,
    to_feature_map,
    to_tokens,
)
from manymesh.paint.diffusion.norm import group_norm

EPS = 1e-6
_OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class ImageAttention(Attention):
    """One head over all places of the picture."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__(channels, channels, 1, bias=True)
        self.group_norm = nn.GroupNorm(groups, channels, EPS)

    def forward(self, x: Tensor) -> Tensor:
        z = to_tokens(group_norm(x, self.group_norm))
        seen = self.out(attend(self.to_q(z), self.to_k(z), self.to_v(z), 1))
        return x + to_feature_map(seen, x.shape[2], x.shape[3])


class MidBlock(nn.Module):
    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(channels, channels, groups, EPS) for _ in range(2)])
        self.attentions = nn.ModuleList([ImageAttention(channels, groups)])

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.resnets[1](self.attentions[0](self.resnets[0](x)))
        return out


class Encoder(nn.Module):
    def __init__(self, config: ImageVaeConfig) -> None:
        super().__init__()
        channels, groups = config.channels, config.groups
        self.conv_in = nn.Conv2d(3, channels[0], 3, padding=1)
        self.down_blocks = nn.ModuleList()
        inner = channels[0]
        for i, outer in enumerate(channels):
            level = nn.Module()
            level.resnets = nn.ModuleList(
                [ResnetBlock(inner if j == 0 else outer, outer, groups, EPS) for j in range(config.layers)]
            )
            if i < len(channels) - 1:
                level.downsamplers = nn.ModuleList([Downsample(outer, one_sided=True)])
            self.down_blocks.append(level)
            inner = outer
        self.mid_block = MidBlock(inner, groups)
        self.conv_norm_out = nn.GroupNorm(groups, inner, EPS)
        self.conv_out = nn.Conv2d(inner, 2 * config.latent_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x.contiguous(memory_format=torch.channels_last))
        for level in self.down_blocks:
            for resnet in level.resnets:  # type: ignore[union-attr]
                x = resnet(x)
            if hasattr(level, "downsamplers"):
                x = level.downsamplers[0](x)  # type: ignore[index, operator]
        out: Tensor = self.conv_out(group_norm(self.mid_block(x), self.conv_norm_out, silu=True))
        return out


class Decoder(nn.Module):
    def __init__(self, config: ImageVaeConfig) -> None:
        super().__init__()
        channels, groups = config.channels, config.groups
        inner = channels[-1]
        self.conv_in = nn.Conv2d(config.latent_channels, inner, 3, padding=1)
        self.mid_block = MidBlock(inner, groups)
        self.up_blocks = nn.ModuleList()
        for i, outer in enumerate(reversed(channels)):
            level = nn.Module()
            level.resnets = nn.ModuleList(
                [ResnetBlock(inner if j == 0 else outer, outer, groups, EPS) for j in range(config.layers + 1)]
            )
            if i < len(channels) - 1:
                level.upsamplers = nn.ModuleList([Upsample(outer)])
            self.up_blocks.append(level)
            inner = outer
        self.conv_norm_out = nn.GroupNorm(groups, inner, EPS)
        self.conv_out = nn.Conv2d(inner, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid_block(self.conv_in(x.contiguous(memory_format=torch.channels_last)))
        for level in self.up_blocks:
            for resnet in level.resnets:  # type: ignore[union-attr]
                x = resnet(x)
            if hasattr(level, "upsamplers"):
                x = level.upsamplers[0](x)  # type: ignore[index, operator]
        out: Tensor = self.conv_out(group_norm(x, self.conv_norm_out, silu=True))
        return out


class ImageVae(nn.Module):
    def __init__(self, config: ImageVaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * config.latent_channels, 2 * config.latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(config.latent_channels, config.latent_channels, 1)

    @torch.inference_mode()
    def encode(self, pictures: Tensor, draw: Tensor | None = None, together: int = 1) -> Tensor:
        """
        Args:
            pictures: (N, 3, H, W) in [-1, 1].
            draw: (N, 4, H / 8, W / 8) normal numbers, to sample from what the encoder answers; None for its mean.
            together: how many pictures go through at once.

        Returns:
            (N, 4, H / 8, W / 8) latents, not scaled.
        """
        found = []
        for start in range(0, len(pictures), together):
            part = slice(start, start + together)
            mean, log_variance = self.quant_conv(self.encoder(pictures[part])).chunk(2, dim=1)
            if draw is not None:
                mean = mean + torch.exp(0.5 * log_variance.clamp(-30, 20)) * draw[part]
            found.append(mean)
        return torch.cat(found)

    @torch.inference_mode()
    def decode(self, latents: Tensor, together: int = 1) -> Tensor:
        """(N, 4, h, w) latents, divided by the scaling factor, to (N, 3, 8 h, 8 w) pictures in [0, 1]."""
        parts = [self.decoder(self.post_quant_conv(part)) for part in latents.split(together)]
        return (torch.cat(parts) / 2 + 0.5).clamp(0, 1)


def plain_key(key: str) -> str:
    """A key in the names used here; files from before 2023 call the attention's layers otherwise."""
    head, dot, end = key.rpartition(".")
    start, middle, name = head.rpartition(".")
    return f"{start}{middle}{_OLD_NAMES[name]}{dot}{end}" if name in _OLD_NAMES and "attentions" in start else key
