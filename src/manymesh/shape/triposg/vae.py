"""The decoder of TripoSG's shape VAE: latents to tokens, and cross attention from any point to the tokens for the value
of the field there (Zhang et al. 2023, "3DShape2VecSet", section 4.3).

``V`` is the width. Modules are named as the checkpoint's keys.
"""

from __future__ import annotations

from torch import Tensor, nn

from manymesh.shape.common.grid_field import PointEmbedding, fourier
from manymesh.shape.triposg.attention import EPS, CrossAttention, FeedForward, KeysValues, SelfAttention
from manymesh.shape.triposg.config import VaeConfig


class TokenBlock(nn.Module):
    """Self attention and MLP of the tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPS)
        self.attn1 = SelfAttention(width, heads, head_norm=False)
        self.norm3 = nn.LayerNorm(width, eps=EPS)
        self.ff = FeedForward(width)

    def forward(self, h: Tensor) -> Tensor:
        """(B, N, V) to the same shape."""
        h = h + self.attn1(self.norm1(h))
        out: Tensor = h + self.ff(self.norm3(h))
        return out


class PointBlock(nn.Module):
    """Cross attention from points to tokens, and an MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm2 = nn.LayerNorm(width, eps=EPS)
        self.attn2 = CrossAttention(width, heads, width, head_norm=False, norm_context=True)
        self.norm3 = nn.LayerNorm(width, eps=EPS)
        self.ff = FeedForward(width)

    def forward(self, q: Tensor, keys_values: KeysValues) -> Tensor:
        """(B, P, V) embedded points to the same shape."""
        q = q + self.attn2(self.norm2(q), keys_values)
        out: Tensor = q + self.ff(self.norm3(q))
        return out


class Decoder(nn.Module):
    """Holds the blocks: those of the tokens, then the one of the points."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        blocks: list[nn.Module] = [TokenBlock(config.width, config.heads) for _ in range(config.layers)]
        self.blocks = nn.ModuleList([*blocks, PointBlock(config.width, config.heads)])
        self.proj_query = nn.Linear(3 + 6 * config.frequencies, config.width)
        self.norm_out = nn.LayerNorm(config.width, eps=EPS)
        self.proj_out = nn.Linear(config.width, 1)


class ShapeDecoder(nn.Module):
    """The VAE without its point encoder, which turns meshes into latents."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        self.post_quant = nn.Linear(config.latent_channels, config.width)
        self.decoder = Decoder(config)

    def forward(self, latents: Tensor) -> Tensor:
        """(B, N, latent_channels) latents of the transformer to (B, N, V) tokens."""
        h: Tensor = self.post_quant(latents)
        for block in self.decoder.blocks[:-1]:
            h = block(h)
        return h

    def keys_values(self, tokens: Tensor) -> KeysValues:
        """(B, N, V) tokens to the point block's keys and values. They do not depend on the point."""
        return self._points.attn2.keys_values(tokens)

    def embed(self, points: Tensor) -> Tensor:
        """(B, P, 3) points to (B, P, V). The sinusoids are computed in float32: half precision has too few digits for
        the highest octave."""
        embedded = fourier(points.float(), self.config.frequencies, self.config.include_pi)
        out: Tensor = self.decoder.proj_query(embedded.to(self.decoder.proj_query.weight.dtype))
        return out

    def embedded_field(self, embedded: Tensor, keys_values: KeysValues) -> Tensor:
        """(B, P, V) embedded points to (B, P, 1): the field, positive outside, zero on the surface."""
        out: Tensor = self.decoder.proj_out(self.decoder.norm_out(self._points(embedded, keys_values)))
        return out.neg()

    def field(self, points: Tensor, keys_values: KeysValues) -> Tensor:
        """(B, P, 3) points to (B, P, 1): see ``embedded_field``."""
        return self.embedded_field(self.embed(points), keys_values)

    @property
    def point_embedding(self) -> PointEmbedding:
        """The first layer of the point decoder."""
        return PointEmbedding(self.decoder.proj_query, self.config.frequencies, self.config.include_pi)

    @property
    def point_bytes(self) -> int:
        """Working memory for one point: the MLP's inner layer before and after the GELU, six more of the width, and
        the embedding in float32."""
        return self.config.width * (14 * self.decoder.proj_query.weight.element_size() + 4)

    @property
    def _points(self) -> PointBlock:
        block = self.decoder.blocks[-1]
        assert isinstance(block, PointBlock)
        return block
