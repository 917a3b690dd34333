"""The attention and the MLP of TripoSG's transformer and decoder. Modules are named as the checkpoint's keys.

Heads are cut across the joined projections, not inside each of them: the outputs of ``to_q``, ``to_k`` and ``to_v``
are put side by side, and the result is laid out (heads, 3, d). So a head's query, key and value may all come from
``to_q``. The weights were trained so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.shape.common.head_norm import rms_norm

# Of every layer norm here.
EPS = 1e-5
# Of the norms of queries and keys.
HEAD_EPS = 1e-6


class KeysValues(NamedTuple):
    """Keys and values of the tokens that are attended to.

    Attributes:
        keys, values: (B, heads, tokens, d).
    """

    keys: Tensor
    values: Tensor


class HeadNorm(nn.Module):
    """Root-mean-square norm (Zhang & Sennrich 2019) over one head's width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight, HEAD_EPS)


def joined(layers: Sequence[nn.Module], x: Tensor) -> Tensor:
    """The outputs of linear layers without bias side by side, each written into its part of the result."""
    weights: list[Tensor] = [layer.weight for layer in layers]  # type: ignore[misc]
    if x.device.type == "mps":
        return torch.cat([F.linear(x, weight) for weight in weights], dim=-1)
    rows = x.reshape(-1, x.shape[-1])
    widths = [len(weight) for weight in weights]
    out = torch.empty(len(rows), sum(widths), device=x.device, dtype=x.dtype)
    for weight, part in zip(weights, out.split(widths, dim=1), strict=True):
        torch.mm(rows, weight.T, out=part)
    return out.view(*x.shape[:-1], -1)


class SelfAttention(nn.Module):
    """Attention of tokens to one another.

    Args:
        width: of the tokens.
        heads: number of heads.
        head_norm: whether queries and keys are normalised.
    """

    def __init__(self, width: int, heads: int, *, head_norm: bool) -> None:
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        if head_norm:
            self.norm_q, self.norm_k = HeadNorm(width // heads), HeadNorm(width // heads)
        self.head_norm = head_norm

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, W) to the same shape."""
        y = joined([self.to_q, self.to_k, self.to_v], x).unflatten(-1, (self.heads, 3, -1))
        queries_keys, v = y[..., :2, :], y[..., 2, :]
        if self.head_norm:  # both at once: half the kernel launches
            scales = torch.stack([self.norm_q.weight, self.norm_k.weight])
            queries_keys = rms_norm(queries_keys, scales, HEAD_EPS)
        q, k = queries_keys.unbind(-2)
        attended = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        out: Tensor = self.to_out[0](attended.transpose(1, 2).flatten(2))
        return out


class CrossAttention(nn.Module):
    """Attention of tokens to others, whose keys and values are worked out once.

    Args:
        width: of the tokens.
        heads: number of heads.
        context: width of the others.
        head_norm: whether queries and keys are normalised.
        norm_context: whether the others are normalised first.
    """

    def __init__(self, width: int, heads: int, context: int, *, head_norm: bool, norm_context: bool) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k, self.to_v = (nn.Linear(context, width, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        if head_norm:
            self.norm_q, self.norm_k = HeadNorm(width // heads), HeadNorm(width // heads)
        if norm_context:
            self.norm_cross = nn.LayerNorm(context, eps=EPS)
        self.head_norm, self.norm_context = head_norm, norm_context

    def keys_values(self, context: Tensor) -> KeysValues:
        """(B, T, C) to keys and values."""
        context = self.norm_cross(context) if self.norm_context else context
        k, v = joined([self.to_k, self.to_v], context).unflatten(-1, (self.heads, 2, -1)).unbind(-2)
        k = self.norm_k(k) if self.head_norm else k
        return KeysValues(k.transpose(1, 2).contiguous(), v.transpose(1, 2).contiguous())

    def forward(self, x: Tensor, keys_values: KeysValues) -> Tensor:
        """(B, N, W) to the same shape."""
        q = self.to_q(x).unflatten(-1, (self.heads, -1))
        q = self.norm_q(q) if self.head_norm else q
        attended = F.scaled_dot_product_attention(q.transpose(1, 2), *keys_values)
        out: Tensor = self.to_out[0](attended.transpose(1, 2).flatten(2))
        return out

    @property
    def output_of_nothing(self) -> Tensor:
        """(W,) the output where all values are zero: the bias."""
        bias: Tensor = self.to_out[0].bias  # type: ignore[assignment]
        return bias


class GeluProjection(nn.Module):
    """A linear layer and the exact GELU."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, inner)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.proj(x))


class FeedForward(nn.Module):
    """The two-layer MLP; its inner width is four times the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # The second place is dropout's in training.
        self.net = nn.ModuleList([GeluProjection(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net[2](self.net[0](x))
        return out
