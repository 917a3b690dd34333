"""The flow-matching diffusion transformer of TripoSG (Li et al. 2025): self attention among time and latents, cross
attention to the condition, and skips from the first half of the blocks to the second.

There is no positional encoding and no modulation: the time is a token in front of the latents. ``N`` is the number of
latents, ``T`` of condition tokens, ``W`` the width. Modules are named as the checkpoint's keys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.shape.triposg.attention import EPS, CrossAttention, FeedForward, KeysValues, SelfAttention
from manymesh.shape.triposg.config import TransformerConfig

# The longest wavelength of the time's sinusoids over the shortest.
_WAVELENGTHS = 10000.0


def time_sinusoid(t: Tensor, width: int) -> Tensor:
    """Sinusoidal embedding (B,) float32 times to (B, width) float32: sines, then cosines."""
    half = width // 2
    frequencies = torch.exp(-math.log(_WAVELENGTHS) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    angles = t.float()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class TimeProjection(nn.Module):
    """The two-layer MLP after the sinusoids: (B, W) to (B, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width, 4 * width)
        self.linear_2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear_2(F.gelu(self.linear_1(x)))
        return out


class Block(nn.Module):
    """Self attention, cross attention, MLP; in the second half of the network with a skip in front."""

    def __init__(self, config: TransformerConfig, *, takes_skip: bool) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        if takes_skip:
            self.skip_linear = nn.Linear(2 * width, width)
            self.skip_norm = nn.LayerNorm(width, eps=EPS)
        self.norm1 = nn.LayerNorm(width, eps=EPS)
        self.attn1 = SelfAttention(width, heads, head_norm=True)
        self.norm2 = nn.LayerNorm(width, eps=EPS)
        self.attn2 = CrossAttention(width, heads, config.context_width, head_norm=True, norm_context=False)
        self.norm3 = nn.LayerNorm(width, eps=EPS)
        self.ff = FeedForward(width)

    def forward(self, h: Tensor, keys_values: KeysValues | None, free: int = 0, skip: Tensor | None = None) -> Tensor:
        """(B, 1 + N, W) to the same shape.

        Args:
            h: the tokens.
            keys_values: of the rows' conditions, without those of the first ``free`` rows; None when all rows are free.
            free: number of rows whose condition is all zeros. Their keys and values are zeros too, so what they attend
                to is nothing.
            skip: the output of the block that this one is joined to.
        """
        if skip is not None:
            h = self.skip_norm(self.skip_linear(torch.cat([skip, h], dim=-1)))
        h = h + self.attn1(self.norm1(h))
        if free:
            h[:free] += self.attn2.output_of_nothing
        if keys_values is not None:
            h[free:] += self.attn2(self.norm2(h[free:]), keys_values)
        out: Tensor = h + self.ff(self.norm3(h))
        return out


class ShapeTransformer(nn.Module):
    """The velocity network: latents, time and condition to the velocity of the latents."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.proj_in = nn.Linear(config.in_channels, config.width)
        self.time_proj = TimeProjection(config.width)
        middle = config.layers // 2
        self.blocks = nn.ModuleList([Block(config, takes_skip=i > middle) for i in range(config.layers)])
        self.norm_out = nn.LayerNorm(config.width, eps=EPS)
        self.proj_out = nn.Linear(config.width, config.in_channels)

    def time_tokens(self, t: Tensor) -> Tensor:
        """(B,) float32 times 0..1000 to (B, W)."""
        out: Tensor = self.time_proj(time_sinusoid(t, self.config.width).to(self.proj_in.weight.dtype))
        return out

    def keys_values(self, context: Tensor) -> list[KeysValues]:
        """(B, T, context_width) condition tokens to each block's keys and values. They depend on nothing else."""
        return [block.attn2.keys_values(context) for block in self._blocks]

    def forward(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        """The velocity, which points from noise to data.

        Args:
            x: (B, N, in_channels) latents.
            t: (B,) float32 times, 1000 (noise) to 0 (data).
            context: (B, T, context_width) condition tokens.

        Returns:
            (B, N, in_channels).
        """
        return self.velocity(x, self.time_tokens(t), self.keys_values(context))

    def velocity(self, x: Tensor, time: Tensor, keys_values: Sequence[KeysValues] | None, free: int = 0) -> Tensor:
        """The same with the time's tokens and the condition's keys and values worked out before.

        Args:
            x: (B, N, in_channels) latents.
            time: (B, W), from ``time_tokens``.
            keys_values: for each block, without the first ``free`` rows; None when all rows are free.
            free: number of rows without a condition.
        """
        h = torch.cat([time[:, None], self.proj_in(x)], dim=1)
        middle = self.config.layers // 2
        skips: list[Tensor] = []
        for number, block in enumerate(self._blocks):
            skip = skips.pop() if number > middle else None
            h = block(h, None if keys_values is None else keys_values[number], free, skip)
            if number < middle:
                skips.append(h)
        out: Tensor = self.proj_out(self.norm_out(h)[:, 1:])
        return out

    @property
    def _blocks(self) -> list[Block]:
        return list(self.blocks)  # type: ignore[arg-type]
