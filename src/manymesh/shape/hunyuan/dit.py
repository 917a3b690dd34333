"""The flow-matching diffusion transformer: double-stream blocks, then single-stream blocks, as in Flux (Esser et al.
2024; Black Forest Labs 2024).

There is no positional encoding: latents and condition tokens are sets. ``L`` is the number of latents, ``T`` of
condition tokens, ``H`` the width, ``d`` a head's width. Modules are named as the checkpoint's keys: ``img`` is the
latents' stream, ``txt`` the condition's.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.shape.common.head_norm import rms_norm
from manymesh.shape.hunyuan.config import DitConfig
from manymesh.shape.hunyuan.token_layout import BatchedLayout, Layout

# Of every norm in this network.
EPS = 1e-6
# Width of the sinusoidal embeddings of time and guidance scale.
_SINUSOID = 256


class ShiftScaleGate(NamedTuple):
    """The parameters of one adaptive layer norm (Peebles & Xie 2023, adaLN-Zero).

    Attributes:
        shift, scale, gate: (B, 1, H) each, or (H,) when there is no batch axis. ``scale`` is then stored plus 1.
    """

    shift: Tensor
    scale: Tensor
    gate: Tensor


def time_embedding(t: Tensor, factor: float = 1000.0) -> Tensor:
    """Sinusoidal embedding (B,) to (B, 256): cosines, then sines, of ``factor * t``.

    The longest wavelength is ``factor`` too (usually it is 10000): the weights were trained so. ``factor * t`` is
    computed in t's dtype, the sinusoids in float32; the result has t's dtype.
    """
    half = _SINUSOID // 2
    frequencies = torch.exp(-math.log(factor) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    angles = (factor * t)[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1).to(t.dtype)


def modulate(x: Tensor, by: ShiftScaleGate) -> Tensor:
    """``(1 + scale) * layer_norm(x) + shift``, of x's shape."""
    width = (x.shape[-1],)
    if by.shift.dim() == 1:
        return F.layer_norm(x, width, by.scale, by.shift, EPS)
    return (1 + by.scale) * F.layer_norm(x, width, eps=EPS) + by.shift


class Embedder(nn.Module):
    """The two-layer MLP after a sinusoidal embedding: (B, 256) to (B, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_layer = nn.Linear(_SINUSOID, width)
        self.out_layer = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out_layer(F.silu(self.in_layer(x)))
        return out


class HeadNorm(nn.Module):
    """Root-mean-square norm (Zhang & Sennrich 2019) over one head's width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.scale, EPS)


class QueryKeyNorm(nn.Module):
    """The norms of queries and keys."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query_norm = HeadNorm(width)
        self.key_norm = HeadNorm(width)

    def forward(self, qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
        """(..., 3H), laid out (3, heads, d), to q, k, v (..., heads, d); q and k are normalised."""
        qkv = qkv.unflatten(-1, (3, heads, -1))
        # q and k together: half the kernel launches.
        scales = torch.stack([self.query_norm.scale, self.key_norm.scale])[:, None]
        q, k = rms_norm(qkv[..., :2, :, :], scales, EPS).unbind(-3)
        return q, k, qkv[..., 2, :, :]


class Modulation(nn.Module):
    """The linear layer that makes ``parts`` vectors of shifts, scales and gates."""

    def __init__(self, width: int, parts: int) -> None:
        super().__init__()
        self.lin = nn.Linear(width, parts * width)


class StreamAttention(nn.Module):
    """One stream's projections of an attention."""

    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias)
        self.norm = QueryKeyNorm(width // heads)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(..., L, H) to q, k, v (..., L, heads, d)."""
        out: tuple[Tensor, Tensor, Tensor] = self.norm(self.qkv(x), self.heads)
        return out


def mlp(width: int, inner: int) -> nn.Sequential:
    """The blocks' two-layer MLP."""
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(approximate="tanh"), nn.Linear(inner, width))


class DoubleBlock(nn.Module):
    """Latents (``img``) and condition (``txt``) have their own weights and share one attention (Esser et al. 2024)."""

    def __init__(self, config: DitConfig) -> None:
        super().__init__()
        width, heads, bias = config.hidden_size, config.num_heads, config.qkv_bias
        inner = int(width * config.mlp_ratio)
        self.img_mod, self.txt_mod = Modulation(width, 6), Modulation(width, 6)
        self.img_attn, self.txt_attn = StreamAttention(width, heads, bias), StreamAttention(width, heads, bias)
        self.img_mlp, self.txt_mlp = mlp(width, inner), mlp(width, inner)

    def forward(
        self, img: Tensor, txt: Tensor, img_by: list[ShiftScaleGate], txt_by: list[ShiftScaleGate], layout: Layout
    ) -> tuple[Tensor, Tensor]:
        """Streams (..., L, H) and (..., T, H) to the same."""
        txt_qkv = self.txt_attn(modulate(txt, txt_by[0]))
        img_qkv = self.img_attn(modulate(img, img_by[0]))
        txt_attended, img_attended = layout.attend_streams(txt_qkv, img_qkv)
        img = torch.addcmul(img, img_by[0].gate, self.img_attn.proj(img_attended))
        img = torch.addcmul(img, img_by[1].gate, self.img_mlp(modulate(img, img_by[1])))
        txt = torch.addcmul(txt, txt_by[0].gate, self.txt_attn.proj(txt_attended))
        txt = torch.addcmul(txt, txt_by[1].gate, self.txt_mlp(modulate(txt, txt_by[1])))
        return img, txt


class SingleBlock(nn.Module):
    """Attention and MLP in parallel on the concatenated sequence (Dehghani et al. 2023)."""

    def __init__(self, config: DitConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.width = config.hidden_size
        inner = int(self.width * config.mlp_ratio)
        self.modulation = Modulation(self.width, 3)
        self.linear1 = nn.Linear(self.width, 3 * self.width + inner)
        self.linear2 = nn.Linear(self.width + inner, self.width)
        self.norm = QueryKeyNorm(self.width // config.num_heads)

    def forward(self, x: Tensor, by: ShiftScaleGate, layout: Layout) -> Tensor:
        """(..., T + L, H) to the same shape."""
        y = self.linear1(modulate(x, by))
        attended = layout.attend(*self.norm(y[..., : 3 * self.width], self.heads))
        inner = F.gelu(y[..., 3 * self.width :], approximate="tanh")
        return torch.addcmul(x, by.gate, self.linear2(torch.cat([attended, inner], dim=-1)))


class FinalLayer(nn.Module):
    """The last adaptive norm and the projection to the velocity."""

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
    """The velocity network: latents, time and condition to the velocity of the latents."""

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

    def modulation_input(self, t: Tensor, guidance: Tensor | None = None) -> Tensor:
        """The vector that every block's modulation is computed from.

        Args:
            t: (B,) time in 0..1.
            guidance: (B,) float32 guidance scale, for guidance-distilled models.

        Returns:
            (B, H).
        """
        vector: Tensor = self.time_in(time_embedding(t, self.config.time_factor))
        if self.config.guidance_embed:
            if guidance is None:
                raise ValueError("this network takes the guidance scale as an input")
            # In float32: times the factor of 1000, scales over 65 overflow float16.
            embedding = time_embedding(guidance.float(), self.config.time_factor)
            vector = vector + self.guidance_in(embedding.to(vector.dtype))
        return vector

    def modulation_layers(self) -> list[nn.Linear]:
        """The linear layers that make shifts, scales and gates from ``modulation_input``, in the order of their use."""
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
        activated = F.silu(self.modulation_input(t, guidance))
        modulations = [layer(activated)[:, None, :] for layer in self.modulation_layers()]
        return self.velocity(self.latent_in(x), self.cond_in(context), modulations, BatchedLayout(context.shape[1]))

    def velocity(self, img: Tensor, txt: Tensor, modulations: list[Tensor], layout: Layout) -> Tensor:
        """All blocks, for modulations that are computed already.

        Args:
            img: (..., L, H) embedded latents.
            txt: (..., T, H) embedded condition.
            modulations: the output of each of ``modulation_layers``, parts side by side in the last axis.
            layout: how the tokens lie in memory, and attention among them.

        Returns:
            (..., L, in_channels).
        """
        remaining = iter(modulations)
        for double in self.double_blocks:
            img, txt = double(
                img, txt, _split_modulation(next(remaining), 2), _split_modulation(next(remaining), 2), layout
            )
        x = layout.concatenate(txt, img)
        for single in self.single_blocks:
            x = single(x, _split_modulation(next(remaining), 1)[0], layout)
        shift, scale = next(remaining).chunk(2, dim=-1)
        out: Tensor = self.final_layer.linear(modulate(layout.latents(x), ShiftScaleGate(shift, scale, shift)))
        return out


def _split_modulation(modulation: Tensor, count: int) -> list[ShiftScaleGate]:
    """``count`` times shift, scale and gate from one layer's output."""
    parts = modulation.chunk(3 * count, dim=-1)
    return [ShiftScaleGate(*parts[3 * i : 3 * i + 3]) for i in range(count)]
