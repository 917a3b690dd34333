"""Group normalisation (Wu & He 2018) of "channels last" pictures, with what follows it, in one pass over the memory.

PyTorch's own rearranges such pictures before and after on CUDA, twice the traffic and more. Where Triton is there
(it comes with PyTorch's CUDA builds for Linux) its kernels are used; elsewhere, and if they cannot be built, PyTorch's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Kernels:
    """Whether the fused kernels may be used, and why not."""

    def __init__(self) -> None:
        self.allowed = True
        self.trouble = ""
        self._module: Any = None

    def module(self) -> Any:
        """The module of kernels, or None."""
        if self._module is None and self.allowed:
            try:
                from manymesh.paint.hunyuan import norm_triton
            except ImportError as error:
                self.refuse(error)
            else:
                self._module = norm_triton
        return self._module if self.allowed else None

    def refuse(self, error: BaseException) -> None:
        self.allowed = False
        self.trouble = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


KERNELS = Kernels()
"""What this process has found out about its compiler; no result depends on it beyond rounding."""


def group_norm(x: Tensor, norm: nn.GroupNorm, *, silu: bool = False, shift: Tensor | None = None) -> Tensor:
    """Normalise groups of channels.

    Args:
        x: (B, C, H, W).
        norm: number of groups, eps, weight and bias.
        silu: apply x * sigmoid(x) to the result.
        shift: (B, C), added to every pixel of ``x`` first.

    Returns:
        (B, C, H, W).
    """
    if x.is_cuda and x.is_contiguous(memory_format=torch.channels_last):
        fused = KERNELS.module()
        if fused is not None and fused.fits(x, norm.num_groups):
            try:
                result: Tensor = fused.group_norm(x, norm, silu, shift)
            except Exception as error:
                if isinstance(error, torch.OutOfMemoryError) or torch.cuda.is_current_stream_capturing():
                    raise
                KERNELS.refuse(error)
            else:
                return result
    if shift is not None:
        x = x + shift[:, :, None, None]
    out = F.group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps)
    if x.is_cuda:  # PyTorch's kernel leaves channels first
        out = out.contiguous(memory_format=torch.channels_last)
    return F.silu(out, inplace=not torch.is_grad_enabled()) if silu else out
