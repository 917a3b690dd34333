"""The decoder's block: a narrow convolution, a pyramid of deformable convolutions, a wide convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from manymesh.matte.birefnet.deform import DeformableConv


class _DeformableBranch(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.atrous_conv = DeformableConv(inputs, outputs, kernel)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.bn(self.atrous_conv(x)))


class DeformableASPP(nn.Module):
    """Four deformable branches (1, 1, 3 and 7 wide) and the map's mean, mixed back to the input's width.

    The mixing convolution is 1 x 1, so each branch is multiplied by its own columns of it at once; the concatenation
    of all branches (168 MB at 256 x 256) is never made.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.aspp1 = _DeformableBranch(inputs, width, 1)
        self.aspp_deforms = nn.ModuleList(_DeformableBranch(inputs, width, kernel) for kernel in (1, 3, 7))
        self.global_avg_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.conv1 = nn.Conv2d(5 * width, inputs, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)

    def forward(self, x: Tensor) -> Tensor:
        mixing = self.conv1.weight.chunk(5, dim=1)
        total = F.conv2d(self.global_avg_pool(x), mixing[4]).expand(len(x), -1, *x.shape[2:])
        for branch, columns in zip((self.aspp1, *self.aspp_deforms), mixing[:4], strict=True):
            total = total + F.conv2d(branch(x), columns)
        return F.relu_(self.bn1(total))


class DecoderBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, inner: int, aspp_width: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(inputs, inner, 3, padding=1)
        self.bn_in = nn.BatchNorm2d(inner)
        self.dec_att = DeformableASPP(inner, aspp_width)
        self.conv_out = nn.Conv2d(inner, outputs, 3, padding=1)
        self.bn_out = nn.BatchNorm2d(outputs)

    def narrow(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, inner, h, w). After this the caller may free ``x``, the largest map."""
        return F.relu_(self.bn_in(self.conv_in(x)))

    def widen(self, mixed: Tensor) -> Tensor:
        """(B, inner, h, w) to (B, outputs, h, w)."""
        if mixed.is_cuda:
            mixed = mixed.contiguous(memory_format=torch.channels_last)
        out: Tensor = self.bn_out(self.conv_out(mixed))
        return out

    def forward(self, x: Tensor) -> Tensor:
        return self.widen(self.dec_att(self.narrow(x)))
