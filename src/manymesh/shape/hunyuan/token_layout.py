"""How the tokens of the diffusion transformer lie in memory, and which of them attend to each other.

``BatchedLayout`` has a batch axis. ``FoldedLayout`` is for one object under classifier-free guidance (Ho & Salimans
2022). The unconditional pass has a condition of zeros, so its T condition tokens start equal; the network has no
positional encoding, so they stay equal in every block. One token with log T added to its attention score then gives the
same numbers as T equal tokens: the unconditional pass has L + 1 tokens instead of L + T (513 instead of 1882 in the
small model).
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

# Queries, keys and values of one stream, (..., heads, d) each.
QueryKeyValue = tuple[Tensor, Tensor, Tensor]


class Layout(Protocol):
    """The condition's stream is ``txt``, the latents' stream ``img``."""

    def attend_streams(self, txt: QueryKeyValue, img: QueryKeyValue) -> tuple[Tensor, Tensor]:
        """Attention over both streams together. Returns the output of each, (..., H)."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention over the concatenated sequence, (..., heads, d) to (..., H)."""

    def concatenate(self, txt: Tensor, img: Tensor) -> Tensor:
        """The two streams (..., H) as one sequence."""

    def latents(self, x: Tensor) -> Tensor:
        """The latents of a concatenated sequence, in the order of ``concatenate``'s ``img``."""


class BatchedLayout:
    """(B, tokens, ...) tensors; a sequence is T condition tokens, then the latents."""

    def __init__(self, condition_tokens: int) -> None:
        self.condition_tokens = condition_tokens

    def attend_streams(self, txt: QueryKeyValue, img: QueryKeyValue) -> tuple[Tensor, Tensor]:
        attended = self.attend(*(torch.cat(pair, dim=1) for pair in zip(txt, img, strict=True)))
        return attended[:, : self.condition_tokens], attended[:, self.condition_tokens :]

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        attended = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        return attended.transpose(1, 2).flatten(2)

    def concatenate(self, txt: Tensor, img: Tensor) -> Tensor:
        return torch.cat([txt, img], dim=1)

    def latents(self, x: Tensor) -> Tensor:
        return x[:, self.condition_tokens :]


class FoldedLayout:
    """The conditional and the unconditional pass of one object, without a batch axis.

    The condition's stream is (T + 1, ...): T condition tokens of the conditional pass, then the one token that stands
    for T zero tokens of the unconditional pass. The latents' stream is (2L, ...), conditional pass first. A
    concatenated sequence has the conditional pass in rows 0 to T + L, the unconditional pass in the L + 1 rows after
    it.

    Args:
        condition_tokens: T.
        latents: L.
        device, dtype: of the queries.
    """

    def __init__(self, condition_tokens: int, latents: int, *, device: torch.device, dtype: torch.dtype) -> None:
        self.condition_tokens, self.latent_count = condition_tokens, latents
        self.conditional_rows = condition_tokens + latents
        # Rows are a multiple of 16 elements apart: attention kernels would otherwise copy the bias on each call.
        padded = torch.zeros(latents + 1, (latents // 16 + 1) * 16, device=device, dtype=dtype)
        padded[:, 0] = math.log(condition_tokens)
        self.bias = padded[:, : latents + 1]

    def attend_streams(self, txt: QueryKeyValue, img: QueryKeyValue) -> tuple[Tensor, Tensor]:
        attended = self.attend(*(self.concatenate(a, b) for a, b in zip(txt, img, strict=True)))
        t, n = self.condition_tokens, self.conditional_rows
        return torch.cat([attended[:t], attended[n : n + 1]]), torch.cat([attended[t:n], attended[n + 1 :]])

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q, k, v = (part.transpose(0, 1)[None] for part in (q, k, v))
        n = self.conditional_rows
        conditional = F.scaled_dot_product_attention(q[:, :, :n], k[:, :, :n], v[:, :, :n])
        unconditional = F.scaled_dot_product_attention(q[:, :, n:], k[:, :, n:], v[:, :, n:], attn_mask=self.bias)
        return torch.cat([_merge_heads(conditional), _merge_heads(unconditional)])

    def concatenate(self, txt: Tensor, img: Tensor) -> Tensor:
        t, count = self.condition_tokens, self.latent_count
        return torch.cat([txt[:t], img[:count], txt[t:], img[count:]])

    def latents(self, x: Tensor) -> Tensor:
        return torch.cat([x[self.condition_tokens : self.conditional_rows], x[self.conditional_rows + 1 :]])


def _merge_heads(attended: Tensor) -> Tensor:
    """(1, heads, tokens, d) to (tokens, H)."""
    return attended[0].transpose(0, 1).flatten(1)
