"""The 2.5D UNet of Hunyuan3D-2 Paint: views that look at one another and at a reference picture.

Two Stable Diffusion UNets share a file. The reference one ("unet_dual") runs once on the photo's clean latents and its
blocks write down their normalised tokens. The main one ("unet") denoises all views; its blocks add, to the attention
within each view, one to the tokens written down and one over all views' tokens together.

Rows of a batch come one after the other, each with all its views: (rows * views, ...). Rows before ``first`` are
unconditional: they see no reference, and a text of zeros, of which only the output layer's bias is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.paint.diffusion.config import UNetConfig
from manymesh.paint.diffusion.layers import Attention, attend
from manymesh.paint.diffusion.norm import layer_norm
from manymesh.paint.diffusion.unet import TransformerBlock, UNet, stack_weights

REFERENCE_SLOTS = 5  # rows of the class table before those of the generated views
CLASS_EMBEDS = 49
TEXT_TOKENS = 77
CONDITIONS = 3  # noisy latents, normals, positions

KeyValuePair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class BlockContext:
    """What one block of the main UNet is given.

    Attributes:
        views: per row.
        first: the first conditional row.
        text: keys and values (R, S, C) for the conditional rows.
        reference: keys and values (R, S, C) of the reference for these rows, or None.
        scale: (R,) how much of the reference, or None for all of it.
        between: how much of the attention between views.
    """

    views: int
    first: int
    text: KeyValuePair | None
    reference: KeyValuePair | None = None
    scale: Tensor | None = None
    between: float = 1.0


@dataclass
class RecordedTokens:
    """What one block of the reference UNet is given, and leaves behind.

    Attributes:
        text: keys and values.
        tokens: (B, L, C) normalised tokens, after the pass.
    """

    text: KeyValuePair
    tokens: Tensor | None = None


class ReferenceBlock(nn.Module):
    """A block of the reference UNet."""

    def __init__(self, width: int, heads: int, text_dim: int) -> None:
        super().__init__()
        self.transformer = TransformerBlock(width, heads, text_dim)

    def forward(self, h: Tensor, notebook: RecordedTokens) -> Tensor:
        notebook.tokens = layer_norm(h, self.transformer.norm1)
        out: Tensor = self.transformer(h, notebook.text)
        return out

    def fuse_projections(self) -> None:
        self.transformer.fuse_projections()


class MultiviewBlock(nn.Module):
    """A block of the main UNet."""

    def __init__(self, width: int, heads: int, text_dim: int) -> None:
        super().__init__()
        self.transformer = TransformerBlock(width, heads, text_dim)
        self.attn_multiview = Attention(width, width, heads)
        self.attn_refview = Attention(width, width, heads)
        self.fused: Tensor | None = None

    def forward(self, h: Tensor, memory: BlockContext) -> Tensor:
        """(rows * views, L, C) tokens."""
        block, start = self.transformer, memory.first * memory.views
        z = layer_norm(h, block.norm1)
        own, between, q_reference = self.projected(z)
        h = h + block.attn1.out(attend(own[0], own[1], own[2], block.attn1.heads))
        if memory.reference is not None and start < len(h):
            h[start:] += self.reference_attention(q_reference[start:], memory)
        if memory.views > 1 and memory.between:
            seen = self.multiview_attention(between, memory.views)
            h += seen if memory.between == 1 else memory.between * seen
        self.add_text_attention(h, layer_norm(h, block.norm2), memory)
        return h + block.ff(layer_norm(h, block.norm3))  # type: ignore[no-any-return]

    def projected(self, z: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], Tensor]:
        """All that is asked of the same tokens: q, k, v within views, q, k, v between views, q to the reference."""
        if self.fused is not None:
            parts = F.linear(z, self.fused).chunk(7, dim=-1)
        else:
            parts = tuple(layer(z) for layer in self._layers())
        return parts[:3], parts[3:6], parts[6]

    def reference_attention(self, q: Tensor, memory: BlockContext) -> Tensor:
        """(R * views, L, C) queries of the conditional rows."""
        assert memory.reference is not None
        k, v = memory.reference
        seen = attend(q.reshape(len(k), -1, q.shape[-1]), k, v, self.attn_refview.heads)
        seen = self.attn_refview.out(seen)
        if memory.scale is not None:
            seen = seen * memory.scale[:, None, None].to(seen.dtype)
        return seen.reshape(q.shape)

    def multiview_attention(self, parts: tuple[Tensor, ...], views: int) -> Tensor:
        """All views' tokens of a row to one another."""
        shape = parts[0].shape
        q, k, v = (part.unflatten(0, (-1, views)).flatten(1, 2) for part in parts)
        return self.attn_multiview.out(attend(q, k, v, self.attn_multiview.heads)).reshape(shape)

    def add_text_attention(self, h: Tensor, z: Tensor, memory: BlockContext) -> None:
        """Adds to ``h``, in place, what its normalised tokens z see of the text."""
        start, attention = memory.first * memory.views, self.transformer.attn2
        if memory.text is None:
            start = len(h)
        else:
            h[start:] += self.transformer.text_attention(z[start:], memory.text)
        h[:start] += attention.to_out[0].bias  # type: ignore[arg-type]

    def reference_keys_values(self, tokens: Tensor) -> KeyValuePair:
        """Keys and values of (R, S, C) tokens written down; they stay the same over all steps."""
        return self.attn_refview.to_k(tokens), self.attn_refview.to_v(tokens)

    def fuse_projections(self) -> None:
        self.fused = stack_weights(*self._layers())

    def _layers(self) -> tuple[nn.Linear, ...]:
        own, between = self.transformer.attn1, self.attn_multiview
        return own.to_q, own.to_k, own.to_v, between.to_q, between.to_k, between.to_v, self.attn_refview.to_q


class ReferenceUNet(UNet):
    """The keys under ``unet_dual.``."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, ReferenceBlock)

    @torch.inference_mode()
    def write(self, latents: Tensor, text: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The tokens that the blocks write down.

        Args:
            latents: (N, 4, h, w) clean, scaled latents of the N reference pictures of one row.
            text: (1, 77, text_dim), the main UNet's ``learned_text_clip_ref``.

        Returns:
            (1, N * L, C) tokens by block, and the network's own (N, 4, h, w) answer, which nothing uses.
        """
        notebooks = {
            name: RecordedTokens(block.transformer.text_keys_values(text))  # type: ignore[union-attr, operator]
            for name, block in self.blocks()
        }
        time = self.embed_time(torch.zeros(len(latents), device=latents.device))
        out = self(latents, time, notebooks)
        tokens = {}
        for name, notebook in notebooks.items():
            assert notebook.tokens is not None
            tokens[name] = notebook.tokens.flatten(0, 1)[None]
        return tokens, out


class MultiviewUNet(UNet):
    """The keys under ``unet.``."""

    def __init__(self, config: UNetConfig) -> None:
        wide = replace(config, in_channels=CONDITIONS * config.in_channels)
        super().__init__(wide, MultiviewBlock, CLASS_EMBEDS)
        self.learned_text_clip_gen = nn.Parameter(torch.empty(1, TEXT_TOKENS, config.text_dim))
        self.learned_text_clip_ref = nn.Parameter(torch.empty(1, TEXT_TOKENS, config.text_dim))

    def block_contexts(
        self,
        views: int,
        rows: int,
        *,
        text: Tensor | None = None,
        tokens: Mapping[str, Tensor] | None = None,
        scale: Tensor | None = None,
        between: float = 1.0,
    ) -> dict[str, BlockContext]:
        """What all blocks are given in a run.

        Args:
            views: per row.
            rows: of the batch; those that ``text`` does not reach, at the front, are unconditional.
            text: (R, 77, text_dim) for the last R rows; None for none of them.
            tokens: what ``ReferenceUNet.write`` gave, (R, S, C) by block, or None for no reference.
            scale, between: see ``BlockContext``.
        """
        first = rows - (0 if text is None else len(text))
        result = {}
        for name, block in self.blocks():
            keys = None if text is None else block.transformer.text_keys_values(text)  # type: ignore[union-attr, operator]
            reference = None if tokens is None else block.reference_keys_values(tokens[name])  # type: ignore[operator]
            result[name] = BlockContext(views, first, keys, reference, scale, between)
        return result


def camera_labels(indices: Tensor) -> Tensor:
    """Numbers of cameras (``reference_camera.camera_index``) to rows of the class table."""
    return indices + REFERENCE_SLOTS
