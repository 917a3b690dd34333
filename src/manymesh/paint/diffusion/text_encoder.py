"""CLIP's text encoder (Radford et al. 2021), which tells a UNet what to paint."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.errors import WeightsError
from manymesh.paint.diffusion.config import TextConfig, read_json

_PREFIX = "text_model."


class TextLayer(nn.Module):
    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        width = config.width
        self.heads, self.quick = config.heads, config.quick_gelu
        self.self_attn = nn.Module()
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self.self_attn, name, nn.Linear(width, width))
        self.layer_norm1 = nn.LayerNorm(width, config.eps)
        self.mlp = nn.Module()
        self.mlp.fc1 = nn.Linear(width, config.inner)
        self.mlp.fc2 = nn.Linear(config.inner, width)
        self.layer_norm2 = nn.LayerNorm(width, config.eps)

    def forward(self, x: Tensor) -> Tensor:
        z, attention = self.layer_norm1(x), self.self_attn
        parts = (attention.q_proj(z), attention.k_proj(z), attention.v_proj(z))  # type: ignore[operator]
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + attention.out_proj(seen)  # type: ignore[operator]
        inner = self.mlp.fc1(self.layer_norm2(x))  # type: ignore[operator]
        inner = inner * torch.sigmoid(1.702 * inner) if self.quick else F.gelu(inner)
        return x + self.mlp.fc2(inner)  # type: ignore[operator, no-any-return]


class TextEncoder(nn.Module):
    """Keys as in the files, without their ``text_model.``."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.embeddings = nn.Module()
        self.embeddings.token_embedding = nn.Embedding(config.vocabulary, config.width)
        self.embeddings.position_embedding = nn.Embedding(config.positions, config.width)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList([TextLayer(config) for _ in range(config.layers)])
        self.final_layer_norm = nn.LayerNorm(config.width, config.eps)
        if config.projection:
            self.text_projection = nn.Linear(config.width, config.projection, bias=False)

    @torch.inference_mode()
    def forward(self, ids: Tensor) -> Tensor:
        """(B, S) token numbers to (B, S, width)."""
        out: Tensor = self.final_layer_norm(self._states(ids)[-1])
        return out

    @torch.inference_mode()
    def penultimate(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        """What Stable Diffusion XL takes of (B, S) token numbers.

        Returns:
            (B, S, width) what the last layer but one gives, not normalised; and (B, projection) a summary of the text,
            or None for an encoder without a projection. It is read at the end token, the first of the highest number.
        """
        before, last = self._states(ids)[-2:]
        if not hasattr(self, "text_projection"):
            return before, None
        rows = torch.arange(len(ids), device=ids.device)
        ends = self.final_layer_norm(last[rows, ids.argmax(dim=1)])
        return before, self.text_projection(ends)

    def _states(self, ids: Tensor) -> list[Tensor]:
        """What the last two layers give: each (B, S, width)."""
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.embeddings.token_embedding(ids) + self.embeddings.position_embedding(places)  # type: ignore[operator]
        states = [x]
        for layer in self.encoder.layers:  # type: ignore[union-attr]
            states = [states[-1], layer(states[-1])]
        return states


def plain_key(key: str) -> str | None:
    """A key in the names used here; None for what older files hold besides weights."""
    return None if key.endswith("position_ids") else key.removeprefix(_PREFIX)


def empty_prompt(folder: Path, length: int) -> list[int]:
    """The token numbers of "": start, end, and the tokenizer's own filler up to ``length``.

    Args:
        folder: holds ``tokenizer/vocab.json`` and ``tokenizer/tokenizer_config.json`` or ``special_tokens_map.json``.
    """
    tokenizer = folder / "tokenizer"
    words = read_json(tokenizer / "vocab.json")
    special = read_json(tokenizer / "special_tokens_map.json")
    special |= {k: v for k, v in read_json(tokenizer / "tokenizer_config.json").items() if k.endswith("_token")}
    numbers = []
    for name in ("bos_token", "eos_token", "pad_token"):
        token = special.get(name)
        text = token.get("content") if isinstance(token, dict) else token
        if text not in words:
            raise WeightsError(f"{tokenizer} has no {name}", "Fetch it again: manymesh models pull hunyuan3d-delight")
        numbers.append(int(words[text]))
    start, end, filler = numbers
    return [start, end, *[filler] * (length - 2)]
