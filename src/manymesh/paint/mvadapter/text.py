"""Words to what the UNet is told. The words are fixed, so this runs once and the text encoders are let go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.paint.diffusion.config import UNetConfig, read_text
from manymesh.paint.diffusion.layers import sinusoidal_features
from manymesh.paint.mvadapter.checkpoint import Checkpoint

# What people call it.
TEXT = "text encoder"


@dataclass(frozen=True)
class TextRows:
    """
    Attributes:
        states: (R, S, text_dim), one row for each text.
        summaries: (R, P), or None for a base that takes none.
    """

    states: Tensor
    summaries: Tensor | None

    def row(self, number: int) -> TextRows:
        """One of them; still with its first dimension."""
        part = slice(number, number + 1)
        return TextRows(self.states[part], None if self.summaries is None else self.summaries[part])

    def added(self, config: UNetConfig, view_px: int) -> Tensor | None:
        """(R, added_dim) what ``UNet.embed_time`` adds, or None. It tells the size of the views, and that they are
        whole pictures."""
        if self.summaries is None:
            return None
        sizes = torch.tensor([view_px, view_px, 0, 0, view_px, view_px], device=self.summaries.device)
        waves = sinusoidal_features(sizes, config.added_time_dim, config.flip_sin_to_cos, config.freq_shift)
        return torch.cat(
            [self.summaries, waves.flatten().to(self.summaries.dtype).expand(len(self.summaries), -1)], dim=-1
        )


def encode_texts(checkpoint: Checkpoint, texts: Sequence[str], device: torch.device, dtype: torch.dtype) -> TextRows:
    """Each text encoder is loaded, used and let go in turn. Raises ``NotFiniteError``."""
    states, summaries = [], None
    for part, tokens in checkpoint.text_parts:
        encoder = checkpoint.text_encoder(part, device, dtype)
        length = read_text(checkpoint.base, part).positions
        tokenizer = checkpoint.tokenizer(tokens)
        ids = torch.tensor([tokenizer(text, length) for text in texts], device=device)
        if checkpoint.xl:
            found, summary = encoder.penultimate(ids)
            summaries = summary if summary is not None else summaries
        else:
            found = encoder(ids)
        states.append(require_finite(found, TEXT))
        del encoder
    return TextRows(torch.cat(states, dim=-1), None if summaries is None else require_finite(summaries, TEXT))
