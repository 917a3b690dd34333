"""The transformer block of MV-Adapter (Huang et al. 2024): two branches beside the base's own attention.

One looks between the six views, along the rows of pixels that the four side views share and along the columns that
front, back, top and bottom share. The other looks at the tokens of a reference picture. Both read the tokens that the
own attention reads, and all three results are added up. The base's weights stay as they are.

The same block, given a ``ReferenceContext``, is the base's own and keeps the tokens for the other branch.

Rows of a batch come one after the other, each with all its views: (rows * views, ...). Rows before ``first`` see a
reference of zeros, of which the output layer's bias is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.paint.diffusion.layers import attend
from manymesh.paint.diffusion.norm import layer_norm
from manymesh.paint.diffusion.unet import TransformerBlock, stack_weights

# Front, right, back, left, top, bottom, in this order.
SIX = 6
# Views that share the rows of their pixels, and those that share the columns; the first of the latter is mirrored.
_SIDES = 4
_UPRIGHT = (0, 2, 4, 5)

KeyValuePair = tuple[Tensor, Tensor]


@dataclass
class ReferenceContext:
    """What one block is given in the reference pass, and leaves behind.

    Attributes:
        text: keys and values.
        tokens: (B, L, C) normalised tokens, after the pass.
    """

    text: KeyValuePair
    tokens: Tensor | None = None


@dataclass(frozen=True)
class ViewsContext:
    """What one block is given while views are painted.

    Attributes:
        text: keys and values (R, S, C), for each row.
        reference: keys and values (R - first, S, C) of the reference, for the rows from ``first`` on; None for none.
        first: the first row that sees the reference.
        views: per row.
        between: how much of the attention between views.
        likeness: how much of the attention to the reference.
        rows_alone: views share rows only, however many there are: what MV-Adapter's other models do.
    """

    text: KeyValuePair
    reference: KeyValuePair | None
    first: int = 0
    views: int = SIX
    between: float = 1.0
    likeness: float = 1.0
    rows_alone: bool = False


class Branch(nn.Module):
    """The matrices of one branch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])


class Branches(nn.Module):
    """Both branches of one block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mv = Branch(width)
        self.ref = Branch(width)


class AdaptedBlock(TransformerBlock):
    """A block of the base's UNet, with room for the adapter's branches.

    Attributes:
        branches: None until the adapter is attached; the reference pass needs none.
    """

    branches: Branches | None

    def __init__(self, width: int, heads: int, text_dim: int) -> None:
        super().__init__(width, heads, text_dim)
        self.branches = None

    def forward(self, h: Tensor, memory: ReferenceContext | ViewsContext) -> Tensor:  # type: ignore[override]
        """(rows * views, L, C) tokens."""
        z = layer_norm(h, self.norm1)
        if isinstance(memory, ReferenceContext):
            memory.tokens = z
            own, _, _ = self.projected(z, branches=False)
            h = h + self.own(own)
        else:
            own, between, q_reference = self.projected(z)
            h = h + self.own(own)
            h += _scaled(self.between_views(between, memory), memory.between)
            self.add_reference(h, q_reference, memory)
        h = h + self.text_attention(layer_norm(h, self.norm2), memory.text)
        return h + self.ff(layer_norm(h, self.norm3))  # type: ignore[no-any-return]

    def projected(self, z: Tensor, *, branches: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """All that is asked of the same tokens (B, L, C).

        Returns:
            (B, L, 3 C) queries, keys and values of the own attention, the same of the one between views, and (B, L, C)
            queries to the reference. The latter two are empty without ``branches``.
        """
        width = z.shape[-1]
        layers = self._layers(branches)
        if self.fused is not None:
            joined = F.linear(z, self.fused[: len(layers) * width])
        else:
            joined = torch.cat([layer(z) for layer in layers], dim=-1)
        return joined[..., : 3 * width], joined[..., 3 * width : 6 * width], joined[..., 6 * width :]

    def own(self, joined: Tensor) -> Tensor:
        """Each picture's tokens to one another; (B, L, 3 C) queries, keys and values."""
        q, k, v = joined.chunk(3, dim=-1)
        return self.attn1.out(attend(q, k, v, self.attn1.heads))

    def between_views(self, joined: Tensor, memory: ViewsContext) -> Tensor:
        """(rows * views, L, 3 C) queries, keys and values to (rows * views, L, C)."""
        assert self.branches is not None
        look = along_rows if memory.rows_alone else along_rows_and_columns
        out: Tensor = self.branches.mv.to_out[0](look(joined, memory.views, self.attn1.heads))
        return out

    def reference_attention(self, q: Tensor, reference: KeyValuePair) -> Tensor:
        """(R * views, L, C) queries of the rows that see the reference."""
        assert self.branches is not None
        k, v = reference
        seen = attend(q.reshape(len(k), -1, q.shape[-1]), k, v, self.attn1.heads)
        out: Tensor = self.branches.ref.to_out[0](seen.reshape(q.shape))
        return out

    def add_reference(self, h: Tensor, q: Tensor, memory: ViewsContext) -> None:
        """Adds to ``h``, in place, what its tokens' queries (B, L, C) see of the reference."""
        assert self.branches is not None
        start = memory.first * memory.views
        if start:
            h[:start] += _scaled(self.branches.ref.to_out[0].bias, memory.likeness)  # type: ignore[arg-type]
        if start < len(h):
            assert memory.reference is not None
            h[start:] += _scaled(self.reference_attention(q[start:], memory.reference), memory.likeness)

    def reference_keys_values(self, tokens: Tensor) -> KeyValuePair:
        """Keys and values of (R, S, C) tokens that the reference pass kept; they stay the same over all steps."""
        assert self.branches is not None
        return self.branches.ref.to_k(tokens), self.branches.ref.to_v(tokens)

    def fuse_projections(self) -> None:
        """One matrix product in place of seven; the reference pass uses the first three parts of it."""
        self.fused = stack_weights(*self._layers(self.branches is not None))

    def _layers(self, branches: bool) -> tuple[nn.Linear, ...]:
        own = self.attn1.to_q, self.attn1.to_k, self.attn1.to_v
        if not branches:
            return own
        assert self.branches is not None
        mv, ref = self.branches.mv, self.branches.ref
        return (*own, mv.to_q, mv.to_k, mv.to_v, ref.to_q)


def along_rows_and_columns(joined: Tensor, views: int, heads: int) -> Tensor:
    """Attention between six square views.

    The views 0, 1, 2, 3 go around the object, so a row of pixels shows the same height in all of them. The views 0, 2,
    4, 5 go over it, so a column shows the same place from left to right once the first is mirrored. The views 0 and 2
    are in both; they get the mean.

    Args:
        joined: (rows * 6, L, 3 C) queries, keys and values; L is the square of a picture's side.
        views: must be 6.
        heads: C is divided into so many.

    Returns:
        (rows * 6, L, C), before the output layer.

    Raises:
        ValueError: other than six views, or L is no square.
    """
    grid = _grid(joined, views)
    if views != SIX:
        raise ValueError(f"{views} views where {SIX} were expected")
    rows = _look(grid[:, :_SIDES], heads)
    upright = torch.stack([grid[:, 0].flip(2), *(grid[:, view] for view in _UPRIGHT[1:])], dim=1)
    columns = _look(upright.transpose(2, 3), heads).transpose(2, 3)
    front = (rows[:, 0] + columns[:, 0].flip(2)) / 2
    back = (rows[:, 2] + columns[:, 1]) / 2
    seen = torch.stack([front, rows[:, 1], back, rows[:, 3], columns[:, 2], columns[:, 3]], dim=1)
    return seen.flatten(2, 3).flatten(0, 1)


def along_rows(joined: Tensor, views: int, heads: int) -> Tensor:
    """As ``along_rows_and_columns``, with all of any number of views sharing their rows and nothing else."""
    return _look(_grid(joined, views), heads).flatten(2, 3).flatten(0, 1)


def _grid(joined: Tensor, views: int) -> Tensor:
    """(rows * views, L, D) to (rows, views, y, x, D)."""
    side = math.isqrt(joined.shape[1])
    if side * side != joined.shape[1]:
        raise ValueError(f"the views are not square: {joined.shape[1]} tokens")
    if joined.shape[0] % views:
        raise ValueError(f"{joined.shape[0]} pictures are not a multiple of {views} views")
    grid: Tensor = joined.unflatten(1, (side, side)).unflatten(0, (-1, views))
    return grid


def _look(grid: Tensor, heads: int) -> Tensor:
    """(rows, v, a, b, 3 C) to (rows, v, a, b, C): for each a, the v * b tokens to one another."""
    count, views, lines, length, _ = grid.shape
    q, k, v = grid.transpose(1, 2).reshape(count * lines, views * length, -1).chunk(3, dim=-1)
    seen: Tensor = attend(q, k, v, heads).reshape(count, lines, views, length, -1).transpose(1, 2)
    return seen


def _scaled(x: Tensor, by: float) -> Tensor:
    return x if by == 1 else x * by
