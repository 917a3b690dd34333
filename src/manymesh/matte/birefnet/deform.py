"""Deformable convolution with modulation (Zhu et al. 2019, "Deformable ConvNets v2") in plain PyTorch.

Every tap of the kernel reads its pixel at an offset of its own, between pixels, and scales what it read. The usual
kernel first writes all taps of all pixels into one matrix: 411 MB for a 7 x 7 kernel over 64 half-precision channels of
a 256 x 256 map. Here only so many taps as fit a budget are sampled at a time, and multiplied at once.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Samples in memory at a time: 64 MiB, as they are read in float32. Chosen by hand; not measured.
_MOST_SAMPLES = 1 << 24


def deform_conv2d(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, padding: int) -> Tensor:
    """Stride 1, dilation 1, one group, no bias.

    Args:
        x: (B, C, h, w).
        offset: (B, 2 k k, h, w), for each tap first the vertical and then the horizontal offset, in pixels.
        mask: (B, k k, h, w), what each tap's sample is multiplied by.
        weight: (O, C, k, k).
        padding: k // 2, so that the map keeps its size.

    Returns:
        (B, O, h, w) in ``x``'s dtype. Samples are bilinear; a corner outside the map counts as 0. Positions are
        computed in float32 at least: in half precision a place beyond column 128 is only known to an eighth of a pixel.
    """
    batch, channels, h, w = x.shape
    out_channels, _, k, _ = weight.shape
    taps = k * k
    exact = x.dtype if x.dtype in (torch.float32, torch.float64) else torch.float32
    source = x.to(exact).contiguous()
    offsets = offset.view(batch, taps, 2, h, w)
    out: Tensor | None = None
    per_chunk = max(1, min(taps, _MOST_SAMPLES // (batch * channels * h * w)))
    for start in range(0, taps, per_chunk):
        stop = min(start + per_chunk, taps)
        grid = _positions(offsets[:, start:stop].to(exact), start, k, padding)
        samples = F.grid_sample(source, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        del grid
        samples = samples.view(batch, channels, stop - start, h * w)
        samples *= mask[:, start:stop].reshape(batch, 1, stop - start, h * w)
        columns = samples.to(x.dtype).flatten(1, 2)
        del samples
        matrix = weight.flatten(2)[:, :, start:stop].flatten(1).expand(batch, -1, -1)
        out = torch.bmm(matrix, columns) if out is None else out.baddbmm_(matrix, columns)
    assert out is not None
    return out.view(batch, out_channels, h, w)


def _positions(offsets: Tensor, first: int, k: int, padding: int) -> Tensor:
    """(B, t, 2, h, w) offsets of the taps from ``first`` on to (B, t * h, w, 2) places for ``grid_sample``.

    With ``align_corners=False`` pixel p of n lies at (2p + 1) / n - 1, which holds for n = 1 too.
    """
    batch, taps, _, h, w = offsets.shape
    device, dtype = offsets.device, offsets.dtype
    tap = torch.arange(first, first + taps, device=device)
    y = torch.arange(h, device=device)[:, None] + (tap // k - padding)[:, None, None]
    x = torch.arange(w, device=device) + (tap % k - padding)[:, None, None]
    # Python's own numbers, no tensors made from lists: those would stop the GPU's queue for a copy each time.
    places = torch.empty(batch, taps, h, w, 2, device=device, dtype=dtype)
    torch.add(_unit(x, w, dtype), offsets[:, :, 1], alpha=2 / w, out=places[..., 0])
    torch.add(_unit(y, h, dtype), offsets[:, :, 0], alpha=2 / h, out=places[..., 1])
    return places.view(batch, taps * h, w, 2)


def _unit(pixels: Tensor, n: int, dtype: torch.dtype) -> Tensor:
    """Whole pixel numbers to places from -1 to 1 over n pixels."""
    return (2 * pixels + 1).to(dtype).mul_(1 / n).sub_(1)


class DeformableConv(nn.Module):
    """A deformable convolution that derives offsets and modulation from its own input."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.padding = kernel // 2
        taps = kernel * kernel
        self.offset_conv = nn.Conv2d(inputs, 2 * taps, kernel, padding=self.padding)
        self.modulator_conv = nn.Conv2d(inputs, taps, kernel, padding=self.padding)
        self.regular_conv = nn.Conv2d(inputs, outputs, kernel, padding=self.padding, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        offset = self.offset_conv(x).contiguous()
        mask = 2 * torch.sigmoid(self.modulator_conv(x)).contiguous()
        return deform_conv2d(x, offset, mask, self.regular_conv.weight, self.padding)
