"""The paint stage's kernels beside PyTorch's: are they right, what do they cost? Sections of ``paint.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch.nn import functional as F

from manymesh.paint.diffusion import norm
from manymesh.paint.diffusion.config import UNetConfig


class Place(Protocol):
    """What a section here needs of ``paint.Bench``."""

    device: torch.device
    dtype: torch.dtype
    unet: UNetConfig
    latent_px: int

    def timed(self, run: Callable[[], Any], repeats: int | None = None) -> dict[str, Any]: ...


def kernels(b: Place) -> dict[str, Any]:
    """The fused normalisation against PyTorch's: does it build, is it right, what does it cost?"""
    if b.device.type != "cuda":
        return {"skipped": 0.0}
    results: dict[str, Any] = {}
    for channels, side in ((320, 64), (1920, 32), (256, 512)):
        batch = 1 if side == 512 else 12
        shape = (batch, channels, side, side)
        x = torch.randn(shape, device=b.device, dtype=b.dtype).contiguous(memory_format=torch.channels_last) + 3
        shift = torch.randn(batch, channels, device=b.device, dtype=b.dtype)
        layer = torch.nn.GroupNorm(32, channels, device=b.device, dtype=b.dtype).requires_grad_(False)
        layer.weight.data.uniform_(0.5, 2)
        layer.bias.data.uniform_(-1, 1)
        wanted = F.silu(layer.float()((x + shift[:, :, None, None]).float()))
        layer.to(b.dtype)
        made = norm.group_norm(x, layer, silu=True, shift=shift).float()
        results[f"error_{channels}"] = float((made - wanted).abs().max())
        fused = b.timed(lambda x=x, layer=layer, shift=shift: norm.group_norm(x, layer, silu=True, shift=shift), 20)
        norm.KERNELS.allowed, was = False, norm.KERNELS.allowed
        plain = b.timed(lambda x=x, layer=layer, shift=shift: norm.group_norm(x, layer, silu=True, shift=shift), 20)
        norm.KERNELS.allowed = was
        results[f"fused_us_{channels}"] = fused["median_s"] * 1e6
        results[f"plain_us_{channels}"] = plain["median_s"] * 1e6
    results |= row_kernels(b)
    results["trouble"] = norm.KERNELS.trouble
    return results


def row_kernels(b: Place) -> dict[str, Any]:
    """Layer normalisation and gates beside PyTorch's; how many warps group normalisation's first pass wants."""
    results: dict[str, Any] = {}
    with torch.inference_mode():
        for width, count in ((320, 49_152), (1280, 3072)):
            layer = torch.nn.LayerNorm(width, device=b.device, dtype=b.dtype).requires_grad_(False)
            layer.weight.data.uniform_(0.5, 2)
            layer.bias.data.uniform_(-1, 1)
            x = torch.randn(count, width, device=b.device, dtype=b.dtype) + 3
            wide = torch.randn(count, 8 * width, device=b.device, dtype=b.dtype)
            exact = F.layer_norm(x.float(), (width,), layer.weight.float(), layer.bias.float(), layer.eps)
            value, gate = wide.float().chunk(2, dim=-1)
            pairs = {
                "layer_norm": (lambda x=x, layer=layer: norm.layer_norm(x, layer), exact),
                "gated": (lambda wide=wide: norm.gated(wide), value * F.gelu(gate)),
            }
            for name, (run, wanted) in pairs.items():
                for kind, without in (("fused", frozenset()), ("plain", frozenset([name]))):
                    norm.KERNELS.without = without
                    results[f"{name}_{width}_{kind}_error"] = float((run().float() - wanted).abs().max())
                    results[f"{name}_{width}_{kind}_us"] = b.timed(run, 20)["median_s"] * 1e6
                norm.KERNELS.without = frozenset()
        results |= partial_warps(b)
    return results


def partial_warps(b: Place) -> dict[str, Any]:
    from manymesh.paint.diffusion import norm_triton

    layer = torch.nn.GroupNorm(32, 320, device=b.device, dtype=b.dtype).requires_grad_(False)
    x = torch.randn(12, 320, 64, 64, device=b.device, dtype=b.dtype).contiguous(memory_format=torch.channels_last)
    results, was = {}, norm_triton.PARTIAL_WARPS
    for warps in (1, 2, 4):
        norm_triton.PARTIAL_WARPS = warps
        results[f"group_norm_{warps}_warps_us"] = (
            b.timed(lambda: norm.group_norm(x, layer, silu=True), 20)["median_s"] * 1e6
        )
    norm_triton.PARTIAL_WARPS = was
    return results


def attention(b: Place) -> dict[str, Any]:
    """The largest attention there is: all views' tokens of the finest level, two rows."""
    tokens, heads = 6 * b.latent_px**2, b.unet.heads[0]
    width = b.unet.channels[0]
    fused = torch.randn(2, tokens, 7 * width, device=b.device, dtype=b.dtype)
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in fused.chunk(7, dim=-1)[3:6])
    operations = 4 * 2 * tokens**2 * width
    results: dict[str, Any] = b.timed(lambda: F.scaled_dot_product_attention(q, k, v), 5)
    results["tflops"] = operations / results["median_s"] / 1e12
    if b.device.type == "cuda":
        from torch.nn.attention import SDPBackend, sdpa_kernel

        for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION):
            try:
                with sdpa_kernel(backend):
                    seconds = b.timed(lambda: F.scaled_dot_product_attention(q, k, v), 5)["median_s"]
                results[f"{backend.name.lower()}_ms"] = seconds * 1e3
            except RuntimeError as error:
                results[f"{backend.name.lower()}_ms"] = str(error).splitlines()[0][:80]
    return results
