"""The point decoder at the points of a grid.

The Fourier embedding does not mix axes and the first layer is linear, so a grid point's embedding is a sum of three
terms, one for each coordinate. The first layer is applied once to the R + 1 coordinates of each axis, in float32; a
point's embedding is then the sum of three rows of that table, without sinusoids or a matrix product for each point.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.shape.hunyuan.vae import GeoDecoder, KeysValues, fourier
from manymesh.shape.hunyuan.volume import BOUNDS, point_bytes


class GridDecoder:
    """The point decoder as a ``sparse.GridField``.

    Args:
        decoder: the point decoder.
        keys_values: of one object.
        budget_bytes: working memory; points are evaluated in chunks as large as it allows.
        bounds: half the box's side.
        before_chunk: called before each chunk with its number of points; may raise to stop.
    """

    def __init__(
        self,
        decoder: GeoDecoder,
        keys_values: KeysValues,
        *,
        budget_bytes: int,
        bounds: float = BOUNDS,
        before_chunk: Callable[[int], None] = lambda points: None,
    ) -> None:
        self.decoder, self.keys_values, self.bounds, self.before_chunk = decoder, keys_values, bounds, before_chunk
        self.chunk = max(budget_bytes // point_bytes(decoder), 256)
        self._tables: dict[int, Tensor] = {}

    @torch.inference_mode()
    def __call__(self, index: Tensor, resolution: int) -> Tensor:
        """(N, 3) int64 grid indices, on any device, to (N,) float32 logits on the same; positive is inside.

        Args:
            index: grid indices, each 0..resolution.
            resolution: cells per axis R.
        """
        table = self._tables.get(resolution)
        if table is None:
            table = self._tables[resolution] = axis_table(self.decoder, resolution, self.bounds)
        rows = index.to(table.device) + torch.arange(3, device=table.device) * (resolution + 1)
        dtype = self.decoder.query_proj.weight.dtype
        logits = torch.empty(len(index), device=table.device)
        for start in range(0, len(index), self.chunk):
            part = slice(start, start + self.chunk)
            self.before_chunk(min(self.chunk, len(index) - start))
            embedded = F.embedding_bag(rows[part], table, mode="sum").to(dtype)
            logits[part] = self.decoder.embedded_logits(embedded[None], self.keys_values)[0, :, 0]
        return logits.to(index.device)


def axis_table(decoder: GeoDecoder, resolution: int, bounds: float) -> Tensor:
    """(3 * (R+1), w) float32: the terms that x, then y, then z add to a point's embedding, for each grid coordinate."""
    weight, bias = decoder.query_proj.weight.float(), decoder.query_proj.bias.float()
    axis = torch.linspace(-bounds, bounds, resolution + 1, dtype=torch.float32, device=weight.device)
    count, parts = decoder.config.num_freqs, []
    for axis_number in range(3):
        points = torch.zeros(len(axis), 3, device=weight.device)
        points[:, axis_number] = axis
        embedded = fourier(points, count, decoder.config.include_pi)
        start = 3 + axis_number * count
        columns = [axis_number, *range(start, start + count), *range(start + 3 * count, start + 4 * count)]
        parts.append(embedded[:, columns] @ weight[:, columns].T)
    parts[0] = parts[0] + bias
    return torch.cat(parts)
