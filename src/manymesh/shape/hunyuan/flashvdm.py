"""FlashVDM's point decoder: each part of the volume attends only to the keys that matter there (Lai et al. 2025).

The part's queries are sampled, the keys that they score highest are kept, and all its queries attend to those.
Results differ a little from full attention; the small (turbo) VAE was trained with it in mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.shape.hunyuan.vae import GeoDecoder, KeysValues
from manymesh.shape.hunyuan.volume import LevelField

_BLOCKS = 4  # the coarse level is cut in 4 x 4 x 4 parts
_CELLS = 6  # finer levels in 6 x 6 x 6
_STRIDE = {"coarse": 100, "mean": 50, "merge": 30}
_SHARE = 1e-6  # "merge": a key stays when some sampled query gives it more than this


def default_top_k(tokens: int) -> int:
    """How many keys a part keeps."""
    return {3072: 1024, 512: 256}.get(tokens, tokens // 3)


def flash_field(
    decoder: GeoDecoder,
    given: KeysValues,
    *,
    chunk: int,
    mode: Literal["mean", "merge"] = "mean",
    top_k: int | None = None,
) -> LevelField:
    """The network with selected keys, as a field for ``coarse_to_fine`` over ``block_level_sizes``.

    Args:
        decoder: the point decoder.
        given: keys and values of one object, batch 1.
        chunk: points a call.
        mode: "mean" keeps, for each head, the keys of the highest mean score; "merge" keeps on finer levels every key
            with a share in the softmax of some sampled query, one list for all heads.
        top_k: keys kept by "mean" and on the coarse level.
    """
    keep = default_top_k(given.keys.shape[2]) if top_k is None else top_k

    @torch.inference_mode()
    def field(index: Tensor, points: Tensor, level: int) -> Tensor:
        values = torch.empty(len(points), device=points.device)
        calls = _coarse_calls(index, chunk) if level == 0 else _fine_calls(points, chunk)
        for order, sizes in calls:
            embedded = decoder.embed(points[order][None])
            q = decoder.queries(embedded)
            if level == 0:
                seen = _attend_blocks(q, given, sizes, keep)
            else:
                seen = torch.cat([_attend_part(part, given, mode, keep) for part in q.split(sizes, dim=2)], dim=2)
            values[order] = decoder.logits(embedded, seen)[0, :, 0].float()
        return values

    return field


def _coarse_calls(index: Tensor, chunk: int) -> Iterator[tuple[Tensor, list[int]]]:
    """The dense level's points, block by block (C order inside), whole blocks in each call."""
    count = round(len(index) ** (1 / 3))
    side = count // _BLOCKS
    order = torch.arange(len(index), device=index.device).view(_BLOCKS, side, _BLOCKS, side, _BLOCKS, side)
    blocks = order.permute(0, 2, 4, 1, 3, 5).reshape(_BLOCKS**3, side**3)
    for part in blocks.split(max(chunk // side**3, 1)):
        yield part.flatten(), [side**3] * len(part)


def _fine_calls(points: Tensor, chunk: int) -> Iterator[tuple[Tensor, list[int]]]:
    """A fine level's points sorted by cell, whole cells packed into calls of under ``chunk`` points."""
    if len(points) == 0:
        return
    low, high = points.amin(dim=0), points.amax(dim=0)
    cell = ((points - low) / (high - low) * (_CELLS - 0.001)).floor().long()
    key = (cell[:, 0] * _CELLS + cell[:, 1]) * _CELLS + cell[:, 2]
    key, order = torch.sort(key, stable=True)  # a stable sort: the sampled queries, so the result, are repeatable
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


def _attend_blocks(q: Tensor, given: KeysValues, sizes: list[int], keep: int) -> Tensor:
    """Equal parts at once: (1, heads, parts * n, d) to the same."""
    heads, width = q.shape[1], q.shape[3]
    parts = q[0].unflatten(1, (len(sizes), sizes[0])).transpose(0, 1)  # (parts, heads, n, d)
    sampled = parts[:, :, :: _STRIDE["coarse"]]
    score = (sampled @ given.keys.transpose(-1, -2)).mean(dim=-2)
    chosen = score.topk(min(keep, score.shape[-1]), dim=-1).indices[..., None].expand(-1, -1, -1, width)
    keys = given.keys.expand(len(sizes), -1, -1, -1).gather(2, chosen)
    values = given.values.expand(len(sizes), -1, -1, -1).gather(2, chosen)
    seen = F.scaled_dot_product_attention(parts, keys, values)
    return seen.transpose(0, 1).reshape(1, heads, -1, width)


def _attend_part(q: Tensor, given: KeysValues, mode: str, keep: int) -> Tensor:
    """One part: (1, heads, n, d) to the same."""
    score = q[:, :, :: _STRIDE[mode]] @ given.keys.transpose(-1, -2)
    if mode == "merge":
        share = score.softmax(dim=-1).mean(dim=1)  # over heads
        chosen = (share > _SHARE).any(dim=1)[0].nonzero()[:, 0]
        return F.scaled_dot_product_attention(q, given.keys[:, :, chosen], given.values[:, :, chosen])
    top = score.mean(dim=-2).topk(min(keep, score.shape[-1]), dim=-1).indices
    chosen = top[..., None].expand(-1, -1, -1, q.shape[-1])
    return F.scaled_dot_product_attention(q, given.keys.gather(2, chosen), given.values.gather(2, chosen))
