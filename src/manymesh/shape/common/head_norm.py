"""RMS and layer norms over one attention head, for half precision on a GPU.

PyTorch's norm kernels start a block of threads for every row. A head is 64 numbers wide, so a step of the transformer
has tens of thousands of rows and most threads idle. Computing the length with the reduction kernel and then multiplying
moves more bytes but is faster there. Sums and products are float32; the result is rounded once. For float32 inputs
PyTorch's own norms are used.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def is_half(x: Tensor) -> bool:
    """Whether x is float16 or bfloat16."""
    return x.dtype in (torch.float16, torch.bfloat16)


def inverse_length(x: Tensor, eps: float) -> Tensor:
    """(..., d) to (..., 1) float32: ``1 / sqrt(sum(x^2) + d * eps)``."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
    out: Tensor = length.square_().add_(x.shape[-1] * eps).rsqrt_()
    return out


def rms_norm(x: Tensor, scale: Tensor, eps: float) -> Tensor:
    """``x / sqrt(mean(x^2) + eps) * scale`` over the last axis.

    Args:
        x: (..., d).
        scale: anything that broadcasts to x.
    """
    if not is_half(x):
        return F.rms_norm(x, x.shape[-1:], eps=eps) * scale
    unit = x * inverse_length(x, eps)
    return torch.mul(unit, scale.float() * math.sqrt(x.shape[-1]), out=torch.empty_like(unit, dtype=x.dtype))


def centred_layer_norm(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    """``norm(x)`` for x (..., d) in half precision whose mean over the last axis is already 0."""
    unit = x * inverse_length(x, norm.eps)
    weight = norm.weight.float() * math.sqrt(x.shape[-1])
    return torch.addcmul(norm.bias.float(), unit, weight, out=torch.empty_like(unit, dtype=x.dtype))


def centre_heads(linear: nn.Linear, heads: int) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of the linear layer that gives ``linear``'s output minus each head's mean."""

    def centred(rows: Tensor) -> Tensor:
        wide = rows.float().unflatten(0, (heads, -1))
        out: Tensor = (wide - wide.mean(dim=1, keepdim=True)).flatten(0, 1).to(rows.dtype)
        return out

    return centred(linear.weight), None if linear.bias is None else centred(linear.bias)
