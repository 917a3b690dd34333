"""A point decoder's field at the points of a grid.

The Fourier embedding does not mix axes and the first layer is linear, so a grid point's embedding is a sum of three
terms, one for each coordinate. The first layer is applied once to the R + 1 coordinates of each axis, in float32; a
point's embedding is then the sum of three rows of that table, without sinusoids or a matrix product for each point.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def fourier(points: Tensor, frequencies: int, include_pi: bool) -> Tensor:
    """Fourier embedding (Mildenhall et al. 2020), (..., 3) to (..., 3 + 6 * frequencies): the point, sines, cosines.

    Within sines and cosines all octaves of x come first, then y's, then z's. Computed in the points' dtype.
    """
    octaves = 2.0 ** torch.arange(frequencies, dtype=torch.float32, device=points.device)
    octaves = (octaves * math.pi if include_pi else octaves).to(points.dtype)
    angles = (points[..., None] * octaves).flatten(-2)
    return torch.cat([points, angles.sin(), angles.cos()], dim=-1)


@dataclass(frozen=True)
class PointEmbedding:
    """A point decoder's first layer, and the Fourier embedding before it.

    Attributes:
        first: the layer.
        frequencies, include_pi: see ``fourier``.
    """

    first: nn.Linear
    frequencies: int
    include_pi: bool


class GridField:
    """A point decoder as a ``sparse.GridField``.

    Args:
        embedding: its first layer.
        logits: embedded points (N, w) in the layer's dtype to logits (N,); positive is inside.
        chunk: most points evaluated at once.
        bounds: half the box's side.
        before_chunk: called before each chunk with its number of points; may raise to stop.
    """

    def __init__(
        self,
        embedding: PointEmbedding,
        logits: Callable[[Tensor], Tensor],
        *,
        chunk: int,
        bounds: float,
        before_chunk: Callable[[int], None] = lambda points: None,
    ) -> None:
        self.embedding, self.logits, self.chunk = embedding, logits, chunk
        self.bounds, self.before_chunk = bounds, before_chunk
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
            table = self._tables[resolution] = axis_table(self.embedding, resolution, self.bounds)
        rows = index.to(table.device) + torch.arange(3, device=table.device) * (resolution + 1)
        dtype = self.embedding.first.weight.dtype
        logits = torch.empty(len(index), device=table.device)
        for start in range(0, len(index), self.chunk):
            part = slice(start, start + self.chunk)
            self.before_chunk(min(self.chunk, len(index) - start))
            logits[part] = self.logits(F.embedding_bag(rows[part], table, mode="sum").to(dtype))
        return logits.to(index.device)


def axis_table(embedding: PointEmbedding, resolution: int, bounds: float) -> Tensor:
    """(3 * (R+1), w) float32: the terms that x, then y, then z add to a point's embedding, for each grid coordinate."""
    weight, bias = embedding.first.weight.float(), embedding.first.bias.float()
    axis = torch.linspace(-bounds, bounds, resolution + 1, dtype=torch.float32, device=weight.device)
    count, parts = embedding.frequencies, []
    for axis_number in range(3):
        points = torch.zeros(len(axis), 3, device=weight.device)
        points[:, axis_number] = axis
        embedded = fourier(points, count, embedding.include_pi)
        start = 3 + axis_number * count
        columns = [axis_number, *range(start, start + count), *range(start + 3 * count, start + 4 * count)]
        parts.append(embedded[:, columns] @ weight[:, columns].T)
    parts[0] = parts[0] + bias
    return torch.cat(parts)
