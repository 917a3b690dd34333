"""The point decoder on a grid.

A grid point's embedding is a sum of three parts, one for each coordinate, because the Fourier embedding mixes no axes
and the first layer is linear. So the first layer is applied to the R + 1 values of each axis once, in float32, and a
point's embedding is three rows of that table added up: no sines, and no product with a 51-wide matrix, for each point.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.shape.hunyuan.vae import GeoDecoder, KeysValues, fourier
from manymesh.shape.hunyuan.volume import BOUNDS, point_bytes


class NetworkGrid:
    """The network as a ``GridField``.

    Args:
        decoder: the point decoder.
        given: keys and values of one object.
        budget_bytes: working memory; chunks are as large as it allows.
        bounds: half the box's side.
        pulse: called before each chunk with its number of points; may raise to stop.
    """

    def __init__(
        self,
        decoder: GeoDecoder,
        given: KeysValues,
        *,
        budget_bytes: int,
        bounds: float = BOUNDS,
        pulse: Callable[[int], None] = lambda points: None,
    ) -> None:
        self.decoder, self.given, self.bounds, self.pulse = decoder, given, bounds, pulse
        self.chunk = max(budget_bytes // point_bytes(decoder), 256)
        self._tables: dict[int, Tensor] = {}

    @torch.inference_mode()
    def __call__(self, index: Tensor, resolution: int) -> Tensor:
        """(N, 3) int64 grid indices, on any device, to (N,) float32 logits on the same."""
        table = self._tables.get(resolution)
        if table is None:
            table = self._tables[resolution] = axis_table(self.decoder, resolution, self.bounds)
        rows = index.to(table.device) + torch.arange(3, device=table.device) * (resolution + 1)
        dtype = self.decoder.query_proj.weight.dtype
        logits = torch.empty(len(index), device=table.device)
        for start in range(0, len(index), self.chunk):
            part = slice(start, start + self.chunk)
            self.pulse(min(self.chunk, len(index) - start))
            embedded = F.embedding_bag(rows[part], table, mode="sum").to(dtype)
            logits[part] = self.decoder.at(embedded[None], self.given)[0, :, 0]
        return logits.to(index.device)


def axis_table(decoder: GeoDecoder, resolution: int, bounds: float) -> Tensor:
    """(3 * (R+1), w) float32: what x, then y, then z at each grid position adds to a point's embedding."""
    weight, bias = decoder.query_proj.weight.float(), decoder.query_proj.bias.float()
    axis = torch.linspace(-bounds, bounds, resolution + 1, dtype=torch.float32, device=weight.device)
    count, parts = decoder.config.num_freqs, []
    for which in range(3):
        points = torch.zeros(len(axis), 3, device=weight.device)
        points[:, which] = axis
        embedded = fourier(points, count, decoder.config.include_pi)
        start = 3 + which * count
        mine = [which, *range(start, start + count), *range(start + 3 * count, start + 4 * count)]
        parts.append(embedded[:, mine] @ weight[:, mine].T)
    parts[0] = parts[0] + bias
    return torch.cat(parts)
