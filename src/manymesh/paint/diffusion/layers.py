"""The pieces that the UNets and the VAE are made of. Attribute names are the official files' keys.

Pictures are (B, C, H, W), kept in "channels last" order, so that a picture's tokens (B, H * W, C) are the same memory.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.paint.diffusion.norm import gated, group_norm

SCORES_BYTES = 256 << 20


class ResnetBlock(nn.Module):
    """Two normalised convolutions beside a shortcut.

    Args:
        time_dim: width of the time embedding, or 0 without one.
    """

    def __init__(self, inner: int, outer: int, groups: int, eps: float, time_dim: int = 0) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inner, eps)
        self.conv1 = nn.Conv2d(inner, outer, 3, padding=1)
        if time_dim:
            self.time_emb_proj = nn.Linear(time_dim, outer)
        self.norm2 = nn.GroupNorm(groups, outer, eps)
        self.conv2 = nn.Conv2d(outer, outer, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inner, outer, 1) if inner != outer else None
        self.timed = bool(time_dim)

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """(B, inner, H, W) and the activated time embedding (B, time_dim) to (B, outer, H, W)."""
        h = self.conv1(group_norm(x, self.norm1, silu=True))
        shift = self.time_emb_proj(time) if self.timed else None
        h = self.conv2(group_norm(h, self.norm2, silu=True, shift=shift))
        out: Tensor = (x if self.conv_shortcut is None else self.conv_shortcut(x)) + h
        return out


class Downsample(nn.Module):
    """Half the size, by a strided convolution. The VAE pads on the right and below only."""

    def __init__(self, channels: int, *, one_sided: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=0 if one_sided else 1)
        self.one_sided = one_sided

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)) if self.one_sided else x)
        return out


class Upsample(nn.Module):
    """A larger size (twice, or what is asked for) by repeated pixels and a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        larger = (2 * x.shape[2], 2 * x.shape[3]) if size is None else size
        out: Tensor = self.conv(F.interpolate(x, size=larger, mode="nearest"))
        return out


class Attention(nn.Module):
    """The four matrices of an attention; who attends to what is the caller's business.

    Args:
        width: of the queries and the result.
        source: width of what is attended to.
        bias: whether queries, keys and values have one (the VAE's do).
    """

    def __init__(self, width: int, source: int, heads: int, *, bias: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=bias)
        self.to_k = nn.Linear(source, width, bias=bias)
        self.to_v = nn.Linear(source, width, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def out(self, x: Tensor) -> Tensor:
        result: Tensor = self.to_out[0](x)
        return result


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Exact attention.

    Args:
        q: (B, L, C). k, v: (B, S, C).
        heads: C is divided among this many heads.

    Returns:
        (B, L, C).
    """
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
    scores_bytes = q.shape[0] * heads * q.shape[2] * k.shape[2] * q.element_size()
    if q.device.type in ("cpu", "cuda") or scores_bytes <= SCORES_BYTES:
        out = F.scaled_dot_product_attention(q, k, v)
    else:  # no kernel that does without the matrix of scores: a part of the queries at a time
        parts = q.chunk(math.ceil(scores_bytes / SCORES_BYTES), dim=2)
        out = torch.cat([F.scaled_dot_product_attention(part, k, v) for part in parts], dim=2)
    return out.transpose(1, 2).flatten(2)


class FeedForward(nn.Module):
    """GEGLU (Shazeer 2020). Keys: net.0.proj and net.2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        gate = nn.Module()
        gate.proj = nn.Linear(width, 8 * width)
        self.net = nn.ModuleList([gate, nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net[2](gated(self.net[0].proj(x)))  # type: ignore[operator]
        return out


def to_tokens(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H * W, C): the same memory when x is "channels last"."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def to_feature_map(tokens: Tensor, height: int, width: int) -> Tensor:
    """(B, H * W, C) to (B, C, H, W), "channels last", the same memory."""
    out: Tensor = tokens.unflatten(1, (height, width)).permute(0, 3, 1, 2)
    return out


def sinusoidal_features(timesteps: Tensor, width: int, flip_sin_to_cos: bool, freq_shift: float) -> Tensor:
    """(B, width) float32 sines and cosines of (B,) timesteps (Vaswani et al. 2017)."""
    half = width // 2
    exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32, device=timesteps.device)
    angle = timesteps.float()[:, None] * torch.exp(exponent / (half - freq_shift))
    parts = (angle.cos(), angle.sin()) if flip_sin_to_cos else (angle.sin(), angle.cos())
    features = torch.cat(parts, dim=-1)
    return F.pad(features, (0, width - features.shape[1]))
