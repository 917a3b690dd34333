"""Normalisation and the gates of GEGLU, in as few passes over the memory as there can be.

PyTorch's group normalisation (Wu & He 2018) rearranges "channels last" pictures before and after on CUDA, its layer
normalisation is slow for short rows, and a gate is two operations of its own. Where Triton is there (it comes with
PyTorch's CUDA builds for Linux) its kernels are used; elsewhere, and if they cannot be built, PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Kernels:
    """Whether the fused kernels may be used, and why not.

    Attributes:
        allowed: none is used when False.
        trouble: what broke them.
        without: names of those not to be used, for comparisons.
    """

    def __init__(self) -> None:
        self.allowed = True
        self.trouble = ""
        self.without: frozenset[str] = frozenset()
        self._module: Any = None

    def module(self) -> Any:
        """The module of kernels, or None."""
        if self._module is None and self.allowed:
            try:
                from manymesh.paint.diffusion import norm_triton
            except ImportError as error:
                self.refuse(error)
            else:
                self._module = norm_triton
        return self._module if self.allowed else None

    def attempt(self, name: str, run: Callable[[Any], Tensor | None]) -> Tensor | None:
        """What ``run`` makes of the module; None where it must not, cannot or will not do it."""
        module = None if name in self.without else self.module()
        if module is None:
            return None
        try:
            return run(module)
        except Exception as error:
            if isinstance(error, torch.OutOfMemoryError) or torch.cuda.is_current_stream_capturing():
                raise
            self.refuse(error)
            return None

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
        fused = KERNELS.attempt("group_norm", lambda kernels: kernels.group_norm(x, norm, silu, shift))
        if fused is not None:
            return fused
    if shift is not None:
        x = x + shift[:, :, None, None]
    out = F.group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps)
    if x.is_cuda:  # PyTorch's kernel leaves channels first
        out = out.contiguous(memory_format=torch.channels_last)
    return F.silu(out, inplace=not torch.is_grad_enabled()) if silu else out


LONGEST_ROW = 640


def layer_norm(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    """Normalise each row of (..., C) (Ba et al. 2016)."""
    # PyTorch's own is the faster one for the few long rows of the coarse levels: 38 µs against 54 at 1,280 (H200).
    if x.is_cuda and x.is_contiguous() and x.shape[-1] <= LONGEST_ROW:
        fused = KERNELS.attempt("layer_norm", lambda kernels: kernels.layer_norm(x, norm))
        if fused is not None:
            return fused
    out: Tensor = norm(x)
    return out


def gated(x: Tensor) -> Tensor:
    """(..., 2 C) values and gates to (..., C): values times GELU of the gates (Shazeer 2020)."""
    if x.is_cuda and x.is_contiguous():
        fused = KERNELS.attempt("gated", lambda kernels: kernels.gated(x))
        if fused is not None:
            return fused
    value, gate = x.chunk(2, dim=-1)
    return value * F.gelu(gate)
