"""The backbone: Swin Transformer v1 (Liu et al. 2021), as the official checkpoints name its parts.

The weights depend on two properties of the published network: zero padding after the first norm takes part in
attention (padded tokens have keys and values from the bias alone), and the shift of odd blocks is never switched off,
even where a map is smaller than a window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from manymesh.matte.birefnet.config import Config

Probe = Callable[[str, Tensor], None]
"""Called with a name and a tensor at points inside the network, for parity checks."""

# Elements of an MLP's hidden layer, and of attention scores, that are in memory at a time: 64 MiB in half precision.
# Chosen by hand; not measured.
_MOST_HIDDEN = 1 << 25
_MOST_SCORES = 1 << 25


class Grid(NamedTuple):
    """How the tokens of a ``h`` x ``w`` map fall into windows; made once for a stage, used by all its blocks.

    Attributes:
        to_windows: for unshifted and shifted blocks, (windows * n,) token numbers; h * w stands for padding.
        to_tokens: for unshifted and shifted blocks, (h * w,) the position of each token among the windows.
        blocked: (windows, n, n) bool, pairs in shifted windows that are not neighbours in the picture: masked out.
        positions: (n, n) rows of the relative position table.
    """

    to_windows: tuple[Tensor, Tensor]
    to_tokens: tuple[Tensor, Tensor]
    blocked: Tensor
    positions: Tensor


def window_grid(h: int, w: int, window: int, device: torch.device) -> Grid:
    """The windows of a ``h`` x ``w`` map, padded right and below to multiples of ``window``; shift is half a window."""
    shift = window // 2
    hp, wp = -(-h // window) * window, -(-w // window) * window
    rows, columns = torch.arange(hp, device=device), torch.arange(wp, device=device)
    numbers = torch.where((rows[:, None] < h) & (columns < w), rows[:, None] * w + columns, h * w)
    forth, back = [], []
    for s in (0, shift):
        order = _cut(numbers.roll((-s, -s), (0, 1)), window).flatten()
        places = torch.empty(h * w + 1, dtype=torch.long, device=device)
        places[order] = torch.arange(order.numel(), device=device)
        forth.append(order)
        back.append(places[:-1])
    bands = [(at >= side - window).long() + (at >= side - shift).long() for at, side in ((rows, hp), (columns, wp))]
    regions = _cut(3 * bands[0][:, None] + bands[1], window)
    blocked = regions[:, :, None] != regions[:, None, :]
    return Grid((forth[0], forth[1]), (back[0], back[1]), blocked, relative_index(window, device))


def _cut(plane: Tensor, window: int) -> Tensor:
    """(hp, wp) to (windows, window * window), row by row."""
    hp, wp = plane.shape
    return plane.view(hp // window, window, wp // window, window).transpose(1, 2).reshape(-1, window * window)


def relative_index(window: int, device: torch.device) -> Tensor:
    """(n, n) row of the position table for each pair of tokens in a window."""
    at = torch.arange(window, device=device)
    y, x = at.repeat_interleave(window), at.repeat(window)
    dy, dx = y[:, None] - y + window - 1, x[:, None] - x + window - 1
    return dy * (2 * window - 1) + dx


class WindowAttention(nn.Module):
    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, windows: Tensor, index: Tensor, blocked: Tensor | None) -> Tensor:
        """(batch * windows, n, C) to the same shape; ``blocked`` (windows, n, n) forbids pairs."""
        count, n, dim = windows.shape
        qkv = self.qkv(windows).view(count, n, 3, self.heads, dim // self.heads)
        bias = self.relative_position_bias_table[index.flatten()].view(n, n, -1).permute(2, 0, 1).contiguous()[None]
        mixed = torch.empty_like(windows)
        step = max(1, _MOST_SCORES // (self.heads * n * n))
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            q, k, v = qkv[part].permute(2, 0, 3, 1, 4)
            mask = bias
            if blocked is not None:
                which = torch.arange(part.start, part.stop, device=windows.device) % len(blocked)
                mask = bias.masked_fill(blocked[which][:, None], float("-inf"))
            seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            mixed[part] = seen.transpose(1, 2).flatten(2)
        del qkv
        out: Tensor = self.proj(mixed)
        return out


class Mlp(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.shifted = shifted
        self.norm1 = nn.LayerNorm(dim)
        self.attn = WindowAttention(dim, heads, window)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim)

    def forward(self, tokens: Tensor, grid: Grid) -> Tensor:
        """(B, h * w, C) to the same. Works in place on what it makes itself."""
        batch, _, dim = tokens.shape
        padded = F.pad(self.norm1(tokens), (0, 0, 0, 1))
        windows = padded.index_select(1, grid.to_windows[self.shifted])
        del padded
        windows = windows.view(-1, len(grid.positions), dim)
        mixed = self.attn(windows, grid.positions, grid.blocked if self.shifted else None)
        del windows
        tokens = tokens + mixed.view(batch, -1, dim).index_select(1, grid.to_tokens[self.shifted])
        del mixed
        step = max(1, _MOST_HIDDEN // (4 * dim * batch))
        for part in tokens.split(step, dim=1):
            part += self.mlp(self.norm2(part))
        return tokens


class PatchMerging(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, tokens: Tensor, h: int, w: int) -> Tensor:
        """(B, h * w, C) to (B, ceil(h/2) * ceil(w/2), 2C)."""
        plane = F.pad(tokens.view(-1, h, w, tokens.shape[-1]), (0, 0, 0, w % 2, 0, h % 2))
        corners = [plane[:, y::2, x::2] for y, x in ((0, 0), (1, 0), (0, 1), (1, 1))]
        out: Tensor = self.reduction(self.norm(torch.cat(corners, -1).flatten(1, 2)))
        return out


class Stage(nn.Module):
    def __init__(self, dim: int, depth: int, heads: int, window: int, last: bool) -> None:
        super().__init__()
        self.window = window
        self.blocks = nn.ModuleList(Block(dim, heads, window, shifted=bool(b % 2)) for b in range(depth))
        if not last:
            self.downsample = PatchMerging(dim)

    def forward(self, tokens: Tensor, h: int, w: int, probe: Callable[[int, Tensor], None] | None = None) -> Tensor:
        grid = window_grid(h, w, self.window, tokens.device)
        for number, block in enumerate(self.blocks):
            tokens = block(tokens, grid)
            if probe:
                probe(number, tokens)
        return tokens


class PatchEmbed(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, 4, stride=4)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> tuple[Tensor, int, int]:
        """(B, 3, H, W) to tokens (B, h * w, C) and h, w, a quarter of H and W rounded up."""
        plane = self.proj(F.pad(x, (0, -x.shape[3] % 4, 0, -x.shape[2] % 4)))
        return self.norm(plane.flatten(2).transpose(1, 2)), plane.shape[2], plane.shape[3]


class Swin(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(config.embed_dim)
        widths = config.stage_widths
        self.layers = nn.ModuleList(
            Stage(widths[s], config.depths[s], config.num_heads[s], config.window_size, last=s == 3) for s in range(4)
        )
        for s in range(4):
            self.add_module(f"norm{s}", nn.LayerNorm(widths[s]))

    def forward(self, x: Tensor, probe: Probe | None = None) -> list[Tensor]:
        """(B, 3, H, W) to four maps (B, C, h, w) at strides 4, 8, 16 and 32 (laid out channels last)."""
        tokens, h, w = self.patch_embed(x)
        if probe:
            probe("patch_embed", _as_map(tokens, h, w))
        maps = []
        for s, layer in enumerate(self.layers):
            stage = cast(Stage, layer)
            tokens = stage(tokens, h, w, _first_stage_probe(probe, len(stage.blocks)) if s == 0 else None)
            maps.append(_as_map(getattr(self, f"norm{s}")(tokens), h, w))
            if s < 3:
                tokens = stage.downsample(tokens, h, w)
                h, w = -(-h // 2), -(-w // 2)
        return maps


def _as_map(tokens: Tensor, h: int, w: int) -> Tensor:
    return tokens.view(len(tokens), h, w, -1).permute(0, 3, 1, 2)


def _first_stage_probe(probe: Probe | None, depth: int) -> Callable[[int, Tensor], None] | None:
    if probe is None:
        return None

    def report(block: int, tokens: Tensor) -> None:
        if block == 0:
            probe("stage0_block0_tokens", tokens)
        if block == depth - 1:
            probe("stage0_last_block_tokens", tokens)

    return report
