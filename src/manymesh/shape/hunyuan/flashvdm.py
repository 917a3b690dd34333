"""FlashVDM's point decoder: cross attention to a selection of keys for each block of the volume (Lai et al. 2025).

Some queries of a block are sampled, the keys with their highest scores are kept, and all queries of the block attend to
those. Results differ slightly from full attention. The small ("turbo") VAE was trained for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.shape.hunyuan.vae import GeoDecoder, KeysValues
from manymesh.shape.hunyuan.volume import LevelField

# All four constants are the official program's.
# The coarse level is divided into 4 x 4 x 4 blocks.
_COARSE_BLOCKS = 4
# Finer levels are divided into 6 x 6 x 6 blocks.
_FINE_BLOCKS = 6
# Every n-th query of a block is sampled.
_STRIDE = {"coarse": 100, "mean": 50, "merge": 30}
# "merge" keeps a key when a sampled query gives it more than this share of its softmax.
_LEAST_SHARE = 1e-6


def default_top_k(tokens: int) -> int:
    """Keys that a block attends to, of ``tokens``; the official program's numbers."""
    return {3072: 1024, 512: 256}.get(tokens, tokens // 3)


def flash_field(
    decoder: GeoDecoder,
    keys_values: KeysValues,
    *,
    chunk: int,
    mode: Literal["mean", "merge"] = "mean",
    top_k: int | None = None,
) -> LevelField:
    """The point decoder with selected keys, as a field for ``coarse_to_fine`` over ``flash_level_sizes``.

    Args:
        decoder: the point decoder.
        keys_values: of one object, batch 1.
        chunk: points evaluated in one call.
        mode: on finer levels, "mean" keeps the keys with the highest mean score, separately for each head; "merge"
            keeps every key with a share in the softmax of some sampled query, the same for all heads.
        top_k: number of keys kept by "mean", and on the coarse level.
    """
    keep = default_top_k(keys_values.keys.shape[2]) if top_k is None else top_k

    @torch.inference_mode()
    def field(index: Tensor, points: Tensor, level: int) -> Tensor:
        values = torch.empty(len(points), device=points.device)
        calls = _coarse_calls(index, chunk) if level == 0 else _fine_calls(points, chunk)
        for order, sizes in calls:
            embedded = decoder.embed(points[order][None])
            q = decoder.queries(embedded)
            if level == 0:
                attended = _attend_blocks(q, keys_values, sizes, keep)
            else:
                blocks = q.split(sizes, dim=2)
                attended = torch.cat([_attend_block(block, keys_values, mode, keep) for block in blocks], dim=2)
            values[order] = decoder.logits(embedded, attended)[0, :, 0].float()
        return values

    return field


def _coarse_calls(index: Tensor, chunk: int) -> Iterator[tuple[Tensor, list[int]]]:
    """Whole blocks of the dense level for each call: the points' order (C order inside a block) and the blocks'
    sizes."""
    count = round(len(index) ** (1 / 3))
    n, side = _COARSE_BLOCKS, count // _COARSE_BLOCKS
    order = torch.arange(len(index), device=index.device).view(n, side, n, side, n, side)
    blocks = order.permute(0, 2, 4, 1, 3, 5).reshape(n**3, side**3)
    for part in blocks.split(max(chunk // side**3, 1)):
        yield part.flatten(), [side**3] * len(part)


def _fine_calls(points: Tensor, chunk: int) -> Iterator[tuple[Tensor, list[int]]]:
    """As ``_coarse_calls`` for a finer level: points sorted by block, under ``chunk`` points in a call where
    possible."""
    if len(points) == 0:
        return
    low, high = points.amin(dim=0), points.amax(dim=0)
    block = ((points - low) / (high - low) * (_FINE_BLOCKS - 0.001)).floor().long()
    key = (block[:, 0] * _FINE_BLOCKS + block[:, 1]) * _FINE_BLOCKS + block[:, 2]
    # A stable sort: the sampled queries, and so the result, are reproducible.
    key, order = torch.sort(key, stable=True)
    _, counts = torch.unique_consecutive(key, return_counts=True)
    start = end = 0
    sizes: list[int] = []
    for count in counts.tolist():
        if sizes and end - start + count >= chunk:
            yield order[start:end], sizes
            start, sizes = end, []
        end += count
        sizes.append(count)
    yield order[start:end], sizes


def _attend_blocks(q: Tensor, keys_values: KeysValues, sizes: list[int], keep: int) -> Tensor:
    """Attention of blocks of equal size: queries (1, heads, blocks * n, d) to the same shape."""
    heads, width = q.shape[1], q.shape[3]
    blocks = q[0].unflatten(1, (len(sizes), sizes[0])).transpose(0, 1)  # (blocks, heads, n, d)
    sampled = blocks[:, :, :: _STRIDE["coarse"]]
    score = (sampled @ keys_values.keys.transpose(-1, -2)).mean(dim=-2)
    chosen = score.topk(min(keep, score.shape[-1]), dim=-1).indices[..., None].expand(-1, -1, -1, width)
    keys = keys_values.keys.expand(len(sizes), -1, -1, -1).gather(2, chosen)
    values = keys_values.values.expand(len(sizes), -1, -1, -1).gather(2, chosen)
    attended = F.scaled_dot_product_attention(blocks, keys, values)
    return attended.transpose(0, 1).reshape(1, heads, -1, width)


def _attend_block(q: Tensor, keys_values: KeysValues, mode: str, keep: int) -> Tensor:
    """Attention of one block: queries (1, heads, n, d) to the same shape."""
    keys, values = keys_values
    score = q[:, :, :: _STRIDE[mode]] @ keys.transpose(-1, -2)
    if mode == "merge":
        share = score.softmax(dim=-1).mean(dim=1)  # over heads
        chosen = (share > _LEAST_SHARE).any(dim=1)[0].nonzero()[:, 0]
        return F.scaled_dot_product_attention(q, keys[:, :, chosen], values[:, :, chosen])
    top = score.mean(dim=-2).topk(min(keep, score.shape[-1]), dim=-1).indices
    chosen = top[..., None].expand(-1, -1, -1, q.shape[-1])
    return F.scaled_dot_product_attention(q, keys.gather(2, chosen), values.gather(2, chosen))
