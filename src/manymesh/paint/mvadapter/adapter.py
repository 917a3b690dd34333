"""The attention part of an MV-Adapter file, and how it is attached to the base's UNet."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from manymesh.paint.diffusion.config import UNetConfig
from manymesh.paint.diffusion.unet import UNet, fuse_projections
from manymesh.paint.mvadapter.attention import AdaptedBlock, Branches, ReferenceContext, ViewsContext

# First part of the keys that are the condition encoder's.
ENCODER_PREFIX = "adapter."

_PLACE = re.compile(
    r"(?:(down|up)_blocks\.(\d+)|mid_block)\.attentions\.(\d+)\.transformer_blocks\.(\d+)\.attn1\.processor\."
    r"(to_q|to_k|to_v|to_out)_(mv|ref)\.(.+)"
)


class AttentionAdapter(nn.Module):
    """The branches of every block of a UNet, by the block's name. See ``attention_key`` for its keys."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        widths = {name: block.norm1.normalized_shape[0] for name, block in AdaptedUNet(config).blocks()}  # type: ignore[union-attr, index]
        self.branches = nn.ModuleDict({name: Branches(int(width)) for name, width in widths.items()})


class AdaptedUNet(UNet):
    """The base's UNet, with its own keys, whose blocks take an adapter's branches."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, AdaptedBlock)

    def attach(self, adapter: AttentionAdapter) -> None:
        """Take the adapter's branches in. The base's weights stay as they are."""
        for name, block in self.blocks():
            block.branches = adapter.branches[name]
        fuse_projections(self)

    @torch.inference_mode()
    def reference(self, latents: Tensor, text: Tensor, added: Tensor | None = None) -> tuple[dict[str, Tensor], Tensor]:
        """The tokens that the base's blocks have of a clean picture, at the time 0.

        Args:
            latents: (B, 4, h, w) clean, scaled latents.
            text: (1, S, text_dim) the prompt.
            added: (1, added_dim), where the UNet has an added embedding.

        Returns:
            (B, L, C) tokens by block, and the UNet's own answer, which nothing uses.
        """
        contexts = {name: ReferenceContext(block.text_keys_values(text)) for name, block in self.blocks()}  # type: ignore[operator]
        count = len(latents)
        time = self.embed_time(
            torch.zeros(count, device=latents.device), added=None if added is None else added.expand(count, -1)
        )
        out = self(latents, time, contexts)
        tokens = {}
        for name, context in contexts.items():
            assert context.tokens is not None
            tokens[name] = context.tokens
        return tokens, out

    def contexts(
        self,
        text: Tensor,
        tokens: Mapping[str, Tensor] | None,
        *,
        between: float = 1.0,
        likeness: float = 1.0,
        views: int = 6,
        rows_alone: bool = False,
    ) -> dict[str, ViewsContext]:
        """What all blocks are given in a run.

        Args:
            text: (R, S, text_dim), one for each row.
            tokens: what ``reference`` gave, one for each of the last rows; the rows before see zeros. None: all do.
            between, likeness, views, rows_alone: see ``ViewsContext``.
        """
        result = {}
        for name, block in self.blocks():
            reference, first = None, len(text)
            if tokens is not None:
                reference, first = block.reference_keys_values(tokens[name]), len(text) - len(tokens[name])  # type: ignore[operator]
            keys = block.text_keys_values(text)  # type: ignore[operator]
            result[name] = ViewsContext(keys, reference, first, views, between, likeness, rows_alone)
        return result


def attention_key(key: str) -> str | None:
    """A key of the file in the names used here; None for the condition encoder's. Others stay, and are refused."""
    if key.startswith(ENCODER_PREFIX):
        return None
    found = _PLACE.fullmatch(key)
    if found is None:
        return key
    side, level, transformer, block, layer, kind, rest = found.groups()
    where = f"{side}_{level}_{transformer}_{block}" if side else f"mid_{transformer}_{block}"
    return f"branches.{where}.{kind}.{layer}.{rest}"


def official_name(block: str) -> str:
    """A block's name as the official files have it, such as ``mid_block.attentions.0.transformer_blocks.0.attn1``."""
    side, *numbers = block.split("_")
    level = "mid_block" if side == "mid" else f"{side}_blocks.{numbers[0]}"
    return f"{level}.attentions.{numbers[-2]}.transformer_blocks.{numbers[-1]}.attn1"
