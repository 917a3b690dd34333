"""DINOv2, the vision transformer that encodes the input picture (Oquab et al. 2023).

Modules are named as the checkpoint's keys. The class in ``transformers`` has renamed its modules more than once, so the
network is written out here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PatchEmbeddings(nn.Module):
    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, H/patch * W/patch, width), row by row."""
        out: Tensor = self.projection(pixels).flatten(2).transpose(1, 2)
        return out


class Embeddings(nn.Module):
    def __init__(self, channels: int, width: int, patch: int, image_size: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.mask_token = nn.Parameter(torch.empty(1, width))  # in the file; only training reads it
        self.patch_embeddings = PatchEmbeddings(channels, width, patch)
        self.position_embeddings = nn.Parameter(torch.empty(1, (image_size // patch) ** 2 + 1, width))

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 1 + H/patch * W/patch, width): the class token, then the patches row by row.

        Position embeddings are added.
        """
        patches = self.patch_embeddings(pixels)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        patch = self.patch_embeddings.projection.kernel_size[0]
        rows, columns = pixels.shape[-2] // patch, pixels.shape[-1] // patch
        return tokens + resampled_positions(self.position_embeddings, rows, columns)


def resampled_positions(table: Tensor, rows: int, columns: int) -> Tensor:
    """The position table for ``rows`` x ``columns`` patches.

    Some checkpoints use larger images than their table was trained with: 2mini-turbo has 1022 px and a table for 518.
    The patches' part is then resampled as DINOv2's authors do it, bicubically in float32.

    Args:
        table: (1, 1 + S * S, width): the class token's row, then those of a square of S x S patches.
        rows, columns: number of patches down and across.

    Returns:
        (1, 1 + rows * columns, width) in the table's dtype; the table itself where the counts are equal.
    """
    side = math.isqrt(table.shape[1] - 1)
    if (rows, columns) == (side, side):
        return table
    square = table[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    resampled = F.interpolate(square.float(), size=(rows, columns), mode="bicubic", align_corners=False)
    return torch.cat([table[:, :1], resampled.to(table.dtype).flatten(2).transpose(1, 2)], dim=1)


class SelfAttention(nn.Module):
    def __init__(self, width: int, bias: bool) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias)
        self.key = nn.Linear(width, width, bias)
        self.value = nn.Linear(width, width, bias)


class AttentionOutput(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.attention = SelfAttention(width, bias)
        self.output = AttentionOutput(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, W) to (B, L, W). The width is laid out (heads, head width)."""
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project in (self.attention.query, self.attention.key, self.attention.value)
        )
        out: Tensor = self.output.dense(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return out


class SwiGlu(nn.Module):
    """``weights_out(silu(a) * b)``, with a and b the halves of ``weights_in`` (Shazeer 2020)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.weights_in = nn.Linear(width, 2 * inner)
        self.weights_out = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.weights_in(x).chunk(2, dim=-1)
        out: Tensor = self.weights_out(F.silu(a) * b)
        return out


class Mlp(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class LayerScale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.lambda1 = nn.Parameter(torch.empty(width))


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, bias: bool, swiglu: bool, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.attention = Attention(width, heads, bias)
        self.layer_scale1 = LayerScale(width)
        self.norm2 = nn.LayerNorm(width, eps=eps)
        # A gated MLP has three matrices where a plain one has two: two thirds of the width, rounded up to a multiple of
        # 8.
        self.mlp = SwiGlu(width, (int(inner * 2 / 3) + 7) // 8 * 8) if swiglu else Mlp(width, inner)
        self.layer_scale2 = LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.addcmul(x, self.layer_scale1.lambda1, self.attention(self.norm1(x)))
        return torch.addcmul(x, self.layer_scale2.lambda1, self.mlp(self.norm2(x)))


class Encoder(nn.Module):
    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.layer = nn.ModuleList(layers)


class Dino(nn.Module):
    """The network.

    Args:
        config: the checkpoint's description, with the keys of ``transformers``' ``Dinov2Config``.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, patch = int(config["hidden_size"]), int(config["patch_size"])
        inner = int(width * config["mlp_ratio"])
        eps = float(config.get("layer_norm_eps", 1e-6))
        self.embeddings = Embeddings(int(config.get("num_channels", 3)), width, patch, int(config["image_size"]))
        self.encoder = Encoder(
            [
                Layer(
                    width,
                    int(config["num_attention_heads"]),
                    inner,
                    bool(config.get("qkv_bias", True)),
                    bool(config.get("use_swiglu_ffn", False)),
                    eps,
                )
                for _ in range(int(config["num_hidden_layers"]))
            ]
        )
        self.layernorm = nn.LayerNorm(width, eps=eps)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) normalised pixels to (B, 1 + (S/patch)^2, width), after the last norm; class token first.

        S may differ from the size that the position table was trained with.
        """
        x = self.embeddings(pixels)
        for layer in self.encoder.layer:
            x = layer(x)
        out: Tensor = self.layernorm(x)
        return out
