"""The shape VAE's decoder: latents to tokens, and cross attention from any point to the tokens for the value of the
occupancy field there (Zhang et al. 2023, "3DShape2VecSet", section 4.3).

``W`` is the transformer's width, ``w`` the point decoder's, ``d`` a head's. Modules are named as the checkpoint's keys.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.shape.common.grid_field import fourier
from manymesh.shape.common.head_norm import centre_heads, centred_layer_norm, is_half
from manymesh.shape.hunyuan.config import ShapeVaeConfig

# Of every norm here except ``ln_post``.
EPS = 1e-6


class KeysValues(NamedTuple):
    """The tokens' keys and values in the point decoder. They do not depend on the point: computed once for an object.

    Attributes:
        keys, values: (B, heads, tokens, d).
    """

    keys: Tensor
    values: Tensor


class HeadNorms(nn.Module):
    """Layer norms of queries and keys over each head."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_norm = nn.LayerNorm(width, eps=EPS)
        self.k_norm = nn.LayerNorm(width, eps=EPS)


class Mlp(nn.Module):
    def __init__(self, width: int, expand: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, width * expand)
        self.c_proj = nn.Linear(width * expand, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.c_proj(F.gelu(self.c_fc(x)))
        return out


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, bias: bool, qk_norm: bool) -> None:
        super().__init__()
        self.heads = heads
        self.c_qkv = nn.Linear(width, 3 * width, bias)
        self.c_proj = nn.Linear(width, width)
        self.attention = HeadNorms(width // heads) if qk_norm else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, W) to (B, L, W). The projection is laid out (heads, 3, d)."""
        q, k, v = self.c_qkv(x).unflatten(-1, (self.heads, 3, -1)).unbind(-2)
        if self.attention is not None:
            q, k = self.attention.q_norm(q), self.attention.k_norm(k)
        attended = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        out: Tensor = self.c_proj(attended.transpose(1, 2).flatten(2))
        return out


class ResidualBlock(nn.Module):
    def __init__(self, config: ShapeVaeConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.width, eps=EPS)
        self.attn = SelfAttention(config.width, config.heads, config.qkv_bias, config.qk_norm)
        self.ln_2 = nn.LayerNorm(config.width, eps=EPS)
        self.mlp = Mlp(config.width, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Transformer(nn.Module):
    def __init__(self, config: ShapeVaeConfig) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList([ResidualBlock(config) for _ in range(config.num_decoder_layers)])

    def forward(self, x: Tensor) -> Tensor:
        for block in self.resblocks:
            x = block(x)
        return x


class CrossAttention(nn.Module):
    def __init__(self, width: int, heads: int, bias: bool, qk_norm: bool) -> None:
        super().__init__()
        self.heads = heads
        self.c_q = nn.Linear(width, width, bias)
        self.c_kv = nn.Linear(width, 2 * width, bias)
        self.c_proj = nn.Linear(width, width)
        self.attention = HeadNorms(width // heads) if qk_norm else None
        # c_q with each head's mean removed, for the half-precision norm; computed on first use.
        self._centred: tuple[Tensor, Tensor | None] | None = None

    def queries(self, x: Tensor) -> Tensor:
        """(B, N, w) to (B, heads, N, d)."""
        if self.attention is None:
            q = self.c_q(x).unflatten(-1, (self.heads, -1))
        elif not is_half(x):
            q = self.attention.q_norm(self.c_q(x).unflatten(-1, (self.heads, -1)))
        else:
            if self._centred is None:
                self._centred = centre_heads(self.c_q, self.heads)
            q = F.linear(x, *self._centred).unflatten(-1, (self.heads, -1))
            q = centred_layer_norm(q, self.attention.q_norm)
        out: Tensor = q.transpose(1, 2)
        return out

    def keys_values(self, tokens: Tensor) -> KeysValues:
        """(B, L, w) to keys and values. The projection is laid out (heads, 2, d)."""
        k, v = self.c_kv(tokens).unflatten(-1, (self.heads, 2, -1)).unbind(-2)
        k = k if self.attention is None else self.attention.k_norm(k)
        return KeysValues(k.transpose(1, 2).contiguous(), v.transpose(1, 2).contiguous())


class CrossBlock(nn.Module):
    def __init__(self, config: ShapeVaeConfig, width: int) -> None:
        super().__init__()
        heads = config.heads // config.geo_decoder_downsample_ratio
        # The small point decoder has no q/k norm: the official program ties it to ln_post.
        qk_norm = config.qk_norm and config.geo_decoder_ln_post
        self.ln_1 = nn.LayerNorm(width, eps=EPS)
        self.ln_2 = nn.LayerNorm(width, eps=EPS)
        self.attn = CrossAttention(width, heads, config.qkv_bias, qk_norm)
        self.ln_3 = nn.LayerNorm(width, eps=EPS)
        self.mlp = Mlp(width, config.geo_decoder_mlp_expand_ratio)

    def forward(self, x: Tensor, attended: Tensor) -> Tensor:
        """(B, N, w) embedded points and their attention output (B, heads, N, d) to (B, N, w)."""
        x = x + self.attn.c_proj(attended.transpose(1, 2).flatten(2))
        out: Tensor = x + self.mlp(self.ln_3(x))
        return out


class GeoDecoder(nn.Module):
    """The point decoder: the occupancy logit of any point."""

    def __init__(self, config: ShapeVaeConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width // config.geo_decoder_downsample_ratio
        self.query_proj = nn.Linear(3 + 6 * config.num_freqs, width)
        if config.geo_decoder_downsample_ratio > 1:
            self.latents_proj = nn.Linear(config.width, width)
        self.cross_attn_decoder = CrossBlock(config, width)
        if config.geo_decoder_ln_post:
            self.ln_post = nn.LayerNorm(width)  # torch's own epsilon, 1e-5, unlike every other norm here
        self.output_proj = nn.Linear(width, 1)

    def keys_values(self, tokens: Tensor) -> KeysValues:
        """(B, L, W) tokens of ``ShapeVae`` to the cross attention's keys and values."""
        if self.config.geo_decoder_downsample_ratio > 1:
            tokens = self.latents_proj(tokens)
        block = self.cross_attn_decoder
        return block.attn.keys_values(block.ln_2(tokens))

    def embed(self, points: Tensor) -> Tensor:
        """(B, N, 3) points to (B, N, w), computed in the network's dtype as in the official program."""
        points = points.to(self.query_proj.weight.dtype)
        out: Tensor = self.query_proj(fourier(points, self.config.num_freqs, self.config.include_pi))
        return out

    def queries(self, embedded: Tensor) -> Tensor:
        """(B, N, w) embedded points to queries (B, heads, N, d)."""
        block = self.cross_attn_decoder
        return block.attn.queries(block.ln_1(embedded))

    def logits(self, embedded: Tensor, attended: Tensor) -> Tensor:
        """(B, N, w) embedded points and their attention output (B, heads, N, d) to (B, N, 1); positive is inside."""
        x = self.cross_attn_decoder(embedded, attended)
        out: Tensor = self.output_proj(self.ln_post(x) if self.config.geo_decoder_ln_post else x)
        return out

    def embedded_logits(self, embedded: Tensor, keys_values: KeysValues) -> Tensor:
        """(B, N, w) embedded points to (B, N, 1) logits."""
        return self.logits(embedded, F.scaled_dot_product_attention(self.queries(embedded), *keys_values))

    def forward(self, points: Tensor, keys_values: KeysValues) -> Tensor:
        """(B, N, 3) points to (B, N, 1) logits; positive is inside."""
        return self.embedded_logits(self.embed(points), keys_values)


class ShapeVae(nn.Module):
    """The VAE's decoder; the official files have no encoder."""

    def __init__(self, config: ShapeVaeConfig) -> None:
        super().__init__()
        self.config = config
        self.post_kl = nn.Linear(config.embed_dim, config.width)
        self.transformer = Transformer(config)
        self.geo_decoder = GeoDecoder(config)

    def forward(self, latents: Tensor) -> Tensor:
        """(B, L, embed_dim) latents of the diffusion transformer to (B, L, W) tokens."""
        out: Tensor = self.transformer(self.post_kl(latents * (1.0 / self.config.scale_factor)))
        return out
