"""How the tokens of several passes lie in memory, and which of them may see each other.

``Batched`` is the plain way: one row of a batch for each pass. ``Folded`` is for one object under classifier-free
guidance. There the second pass has a condition of zeros, so all its T condition tokens start equal; the network has no
positional encoding, so they stay equal through every block. One token that counts T times in the softmax (log T added
to its score) gives the same numbers: the pass has L + 1 tokens and not L + T (512 + 1370 in the small model).
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

Streams = tuple[Tensor, Tensor, Tensor]


class Layout(Protocol):
    def joint(self, txt: Streams, img: Streams) -> tuple[Tensor, Tensor]:
        """Attention over the two streams' (q, k, v), each (..., heads, d): what txt and img have seen, (..., H)."""

    def joined(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention over the joined sequence, (..., heads, d) to (..., H)."""

    def join(self, txt: Tensor, img: Tensor) -> Tensor:
        """The two streams (..., H) as one sequence."""

    def latents(self, x: Tensor) -> Tensor:
        """The latents' part of the joined sequence, in the order in which ``join`` took them."""


class Batched:
    """(B, tokens, ...) with T condition tokens before the latents."""

    def __init__(self, condition_tokens: int) -> None:
        self.condition_tokens = condition_tokens

    def joint(self, txt: Streams, img: Streams) -> tuple[Tensor, Tensor]:
        seen = self.joined(*(torch.cat(pair, dim=1) for pair in zip(txt, img, strict=True)))
        return seen[:, : self.condition_tokens], seen[:, self.condition_tokens :]

    def joined(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        seen = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        return seen.transpose(1, 2).flatten(2)

    def join(self, txt: Tensor, img: Tensor) -> Tensor:
        return torch.cat([txt, img], dim=1)

    def latents(self, x: Tensor) -> Tensor:
        return x[:, self.condition_tokens :]


class Folded:
    """Two passes of one object without a batch axis: T real condition tokens, then one that stands for T zeros.

    Streams are (T + 1, ...) for the condition and (2L, ...) for the latents, the guided pass first. Joined, the guided
    pass is rows 0 to T + L, the free pass the rest.

    Args:
        condition_tokens: T.
        latents: L.
        device, dtype: of the queries.
    """

    def __init__(self, condition_tokens: int, latents: int, *, device: torch.device, dtype: torch.dtype) -> None:
        self.tokens, self.count = condition_tokens, latents
        self.guided = condition_tokens + latents
        # Rows are a multiple of 16 apart, as attention kernels want them, or each call would copy the whole.
        padded = torch.zeros(latents + 1, (latents // 16 + 1) * 16, device=device, dtype=dtype)
        padded[:, 0] = math.log(condition_tokens)
        self.bias = padded[:, : latents + 1]

    def joint(self, txt: Streams, img: Streams) -> tuple[Tensor, Tensor]:
        seen = self.joined(*(self.join(a, b) for a, b in zip(txt, img, strict=True)))
        t, guided = self.tokens, self.guided
        return torch.cat([seen[:t], seen[guided : guided + 1]]), torch.cat([seen[t:guided], seen[guided + 1 :]])

    def joined(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q, k, v = (part.transpose(0, 1)[None] for part in (q, k, v))
        g = self.guided
        seen = F.scaled_dot_product_attention(q[:, :, :g], k[:, :, :g], v[:, :, :g])
        free = F.scaled_dot_product_attention(q[:, :, g:], k[:, :, g:], v[:, :, g:], attn_mask=self.bias)
        return torch.cat([_flat(seen), _flat(free)])

    def join(self, txt: Tensor, img: Tensor) -> Tensor:
        return torch.cat([txt[: self.tokens], img[: self.count], txt[self.tokens :], img[self.count :]])

    def latents(self, x: Tensor) -> Tensor:
        return torch.cat([x[self.tokens : self.guided], x[self.guided + 1 :]])


def _flat(seen: Tensor) -> Tensor:
    """(1, heads, tokens, d) to (tokens, H)."""
    return seen[0].transpose(0, 1).flatten(1)
