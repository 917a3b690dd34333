"""The flow-matching transformer: double-stream blocks, then single-stream blocks, in the manner of Flux.

There is no positional encoding at all: latents and condition tokens are sets. ``L`` is the number of latents, ``T`` of
condition tokens, ``H`` the width, ``d`` a head's width. Module names are the checkpoint's keys.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.shape.hunyuan.config import DitConfig
from manymesh.shape.hunyuan.heads import rms_norm
from manymesh.shape.hunyuan.layout import Batched, Layout

EPS = 1e-6
_SINUSOID = 256


class Shift(NamedTuple):
    """One modulation, each (B, 1, H), or (H,) where one holds for every token; then ``scale`` already has its 1."""

    shift: Tensor
    scale: Tensor
    gate: Tensor


def time_embedding(t: Tensor, factor: float = 1000.0) -> Tensor:
    """(B,) to (B, 256): cosines, then sines, of ``factor * t``.

    The longest wave length is ``factor`` too (usual is 10000): the weights were trained so. The product with the
    factor is made in t's dtype, the waves in float32, and the result has t's dtype.
    """
    half = _SINUSOID // 2
    waves = torch.exp(-math.log(factor) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    angles = (factor * t)[:, None].float() * waves
    return torch.cat([angles.cos(), angles.sin()], dim=-1).to(t.dtype)


def modulated(x: Tensor, by: Shift) -> Tensor:
    """``(1 + scale) * norm(x) + shift``."""
    width = (x.shape[-1],)
    if by.shift.dim() == 1:
        return F.layer_norm(x, width, by.scale, by.shift, EPS)
    return (1 + by.scale) * F.layer_norm(x, width, eps=EPS) + by.shift


class Embedder(nn.Module):
    """The two-layer MLP behind a sinusoid."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_layer = nn.Linear(_SINUSOID, width)
        self.out_layer = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_layer(F.silu(self.in_layer(x)))


class HeadNorm(nn.Module):
    """Root-mean-square norm over one head's width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.scale, EPS)


class QueryKeyNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.query_norm = HeadNorm(width)
        self.key_norm = HeadNorm(width)

    def forward(self, qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
        """(..., 3H), laid out (3, heads, d), to q, k, v (..., heads, d) with q and k normed."""
        qkv = qkv.unflatten(-1, (3, heads, -1))
        # Both at once: half the kernels.
        scales = torch.stack([self.query_norm.scale, self.key_norm.scale])[:, None]
        q, k = rms_norm(qkv[..., :2, :, :], scales, EPS).unbind(-3)
        return q, k, qkv[..., 2, :, :]


class Modulation(nn.Module):
    def __init__(self, width: int, parts: int) -> None:
        super().__init__()
        self.lin = nn.Linear(width, parts * width)


class StreamAttention(nn.Module):
    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias)
        self.norm = QueryKeyNorm(width // heads)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.norm(self.qkv(x), self.heads)


def mlp(width: int, inner: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(approximate="tanh"), nn.Linear(inner, width))


class DoubleBlock(nn.Module):
    """Latents (``img``) and condition (``txt``) with weights of their own that meet in one attention."""

    def __init__(self, config: DitConfig) -> None:
        super().__init__()
        width, heads, bias = config.hidden_size, config.num_heads, config.qkv_bias
        inner = int(width * config.mlp_ratio)
        self.img_mod, self.txt_mod = Modulation(width, 6), Modulation(width, 6)
        self.img_attn, self.txt_attn = StreamAttention(width, heads, bias), StreamAttention(width, heads, bias)
        self.img_mlp, self.txt_mlp = mlp(width, inner), mlp(width, inner)

    def forward(
        self, img: Tensor, txt: Tensor, img_by: list[Shift], txt_by: list[Shift], layout: Layout
    ) -> tuple[Tensor, Tensor]:
        """Both streams in and out: (..., L, H) and (..., T, H)."""
        txt_qkv = self.txt_attn(modulated(txt, txt_by[0]))
        img_qkv = self.img_attn(modulated(img, img_by[0]))
        txt_seen, img_seen = layout.joint(txt_qkv, img_qkv)
        img = torch.addcmul(img, img_by[0].gate, self.img_attn.proj(img_seen))
        img = torch.addcmul(img, img_by[1].gate, self.img_mlp(modulated(img, img_by[1])))
        txt = torch.addcmul(txt, txt_by[0].gate, self.txt_attn.proj(txt_seen))
        txt = torch.addcmul(txt, txt_by[1].gate, self.txt_mlp(modulated(txt, txt_by[1])))
        return img, txt


class SingleBlock(nn.Module):
    """Attention and MLP side by side on the joined sequence."""

    def __init__(self, config: DitConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.width = config.hidden_size
        inner = int(self.width * config.mlp_ratio)
        self.modulation = Modulation(self.width, 3)
        self.linear1 = nn.Linear(self.width, 3 * self.width + inner)
        self.linear2 = nn.Linear(self.width + inner, self.width)
        self.norm = QueryKeyNorm(self.width // config.num_heads)

    def forward(self, x: Tensor, by: Shift, layout: Layout) -> Tensor:
        """(..., T + L, H) to the same."""
        y = self.linear1(modulated(x, by))
        seen = layout.joined(*self.norm(y[..., : 3 * self.width], self.heads))
        inner = F.gelu(y[..., 3 * self.width :], approximate="tanh")
        return torch.addcmul(x, by.gate, self.linear2(torch.cat([seen, inner], dim=-1)))


class FinalLayer(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, out)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    @property
    def modulation(self) -> nn.Linear:
        linear = self.adaLN_modulation[1]
        assert isinstance(linear, nn.Linear)
        return linear


class Dit(nn.Module):
    """The velocity network."""

    def __init__(self, config: DitConfig) -> None:
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.latent_in = nn.Linear(config.in_channels, width)
        self.cond_in = nn.Linear(config.context_in_dim, width)
        self.time_in = Embedder(width)
        if config.guidance_embed:
            self.guidance_in = Embedder(width)
        self.double_blocks = nn.ModuleList([DoubleBlock(config) for _ in range(config.depth)])
        self.single_blocks = nn.ModuleList([SingleBlock(config) for _ in range(config.depth_single_blocks)])
        self.final_layer = FinalLayer(width, config.in_channels)

    def vector(self, t: Tensor, guidance: Tensor | None = None) -> Tensor:
        """What modulates every block: (B,) time in 0..1 and, for distilled models, (B,) guidance scale, to (B, H).
        The scale is best given in float32."""
        vector = self.time_in(time_embedding(t, self.config.time_factor))
        if self.config.guidance_embed:
            if guidance is None:
                raise ValueError("this network takes the guidance scale as an input")
            # In float32: times the factor of 1000, scales over 65 are beyond float16.
            waves = time_embedding(guidance.float(), self.config.time_factor)
            vector = vector + self.guidance_in(waves.to(vector.dtype))
        return vector

    def modulation_layers(self) -> list[nn.Linear]:
        """The linear layers that turn the vector into shifts, scales and gates, in the order of their use."""
        doubles: Any = self.double_blocks
        singles: Any = self.single_blocks
        streams = [mod.lin for block in doubles for mod in (block.img_mod, block.txt_mod)]
        return [*streams, *(block.modulation.lin for block in singles), self.final_layer.modulation]

    def forward(self, x: Tensor, t: Tensor, context: Tensor, guidance: Tensor | None = None) -> Tensor:
        """The velocity, as the official program computes it.

        Args:
            x: (B, L, in_channels) latents.
            t: (B,) time, 0 (noise) to 1 (data).
            context: (B, T, context_in_dim) condition tokens.
            guidance: (B,) float32 guidance scale, for networks that take it.

        Returns:
            (B, L, in_channels).
        """
        silu = F.silu(self.vector(t, guidance))
        rows = [layer(silu)[:, None, :] for layer in self.modulation_layers()]
        return self.velocity(self.latent_in(x), self.cond_in(context), rows, Batched(context.shape[1]))

    def velocity(self, img: Tensor, txt: Tensor, rows: list[Tensor], layout: Layout) -> Tensor:
        """All blocks, with the modulations given.

        Args:
            img: (..., L, H) embedded latents.
            txt: (..., T, H) embedded condition.
            rows: one tensor for each of ``modulation_layers``, its parts side by side in the last axis.
            layout: how the tokens lie, and attention among them.

        Returns:
            (..., L, in_channels).
        """
        given = iter(rows)
        for double in self.double_blocks:
            img, txt = double(img, txt, _shifts(next(given), 2), _shifts(next(given), 2), layout)
        x = layout.join(txt, img)
        for single in self.single_blocks:
            x = single(x, _shifts(next(given), 1)[0], layout)
        shift, scale = next(given).chunk(2, dim=-1)
        return self.final_layer.linear(modulated(layout.latents(x), Shift(shift, scale, shift)))


def _shifts(row: Tensor, count: int) -> list[Shift]:
    parts = row.chunk(3 * count, dim=-1)
    return [Shift(*parts[3 * i : 3 * i + 3]) for i in range(count)]
