"""The official rasteriser in PyTorch, for GPUs: the arithmetic of ``paint/hunyuan/render/reference_raster.py``.

It goes face by face, box by box. Every operation is a single IEEE one in the same order as there, and the nearest key
is found by an integer minimum. So the answer is ``rasterise_reference``'s to the bit on any device, whatever order the
threads run in.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

FACE_BITS = 32
EMPTY = torch.iinfo(torch.int64).max
CHUNK = 1 << 22
TINY_AREA = 1e-37


@dataclass(frozen=True)
class DeviceRaster:
    """As ``raster.Raster``, with tensors: pixel (n,) int64, face (n,) int64, bary (n, 3) float32."""

    height: int
    width: int
    pixel: Tensor
    face: Tensor
    bary: Tensor

    @property
    def mask(self) -> Tensor:
        """(H, W) bool."""
        mask = torch.zeros(self.height * self.width, dtype=torch.bool, device=self.pixel.device)
        mask[self.pixel] = True
        return mask.view(self.height, self.width)

    def image(self, values: Tensor, background: float) -> Tensor:
        """Spread (n, ...) values of the covered pixels over an (H, W, ...) picture."""
        picture = values.new_full((self.height * self.width, *values.shape[1:]), background)
        picture[self.pixel] = values
        return picture.view(self.height, self.width, *values.shape[1:])


@torch.inference_mode()
def rasterise(clip: Tensor, faces: Tensor, height: int, width: int, chunk: int = CHUNK) -> DeviceRaster:
    """Draw triangles under the official rule.

    Args:
        clip: (k, 4) float32.
        faces: (m, 3) int64.
        chunk: candidates, a pixel for a face, handled at once; about 60 bytes each.
    """
    w = clip[:, 3]
    drawn = w != 0
    safe = torch.where(drawn, w, torch.ones_like(w))
    x = (clip[:, 0] / safe * 0.5 + 0.5) * (width - 1) + 0.5
    y = (clip[:, 1] / safe * 0.5 + 0.5) * (height - 1) + 0.5
    z = clip[:, 2] / safe * 0.49999 + 0.5
    drawn = drawn & x.isfinite() & y.isfinite() & z.isfinite()
    table = _table(x, y, z, faces)
    column, columns = _reach(x[faces], width)
    row, rows = _reach(y[faces], height)
    usable = drawn[faces].all(dim=1) & ~table[:, 6].isnan()
    counts = torch.where(usable, columns * rows, torch.zeros_like(rows))
    keys = torch.full((height * width,), EMPTY, dtype=torch.int64, device=clip.device)
    ends = torch.cumsum(counts, dim=0)
    for start, stop in _parts(ends, chunk):
        face = torch.repeat_interleave(torch.arange(start, stop, device=clip.device), counts[start:stop])
        before = ends[face] - counts[face]
        base = ends[start] - counts[start]
        offset = torch.arange(len(face), device=clip.device) + base - before
        across = columns[face]
        px, py = column[face] + offset % across, row[face] + torch.div(offset, across, rounding_mode="floor")
        _lower(keys, table[face], face, px, py, width)
    pixel = torch.nonzero(keys != EMPTY)[:, 0]
    face = keys[pixel] & ((1 << FACE_BITS) - 1)
    alpha, beta, gamma = _barycentrics(table[face], pixel % width, torch.div(pixel, width, rounding_mode="floor"))
    bary = torch.stack([alpha, beta, gamma], dim=1) / w[faces[face]]
    bary = bary / ((bary[:, 0] + bary[:, 1]) + bary[:, 2])[:, None]
    return DeviceRaster(height, width, pixel, face, bary)


def interpolate(attribute: Tensor, faces: Tensor, raster: DeviceRaster, chunk: int = CHUNK) -> Tensor:
    """(n, c): a (k, c) attribute of the vertices at the covered pixels."""
    values = attribute.new_empty((len(raster.face), attribute.shape[1]))
    for start in range(0, len(raster.face), chunk):
        part = slice(start, start + chunk)
        corner, weight = faces[raster.face[part]], raster.bary[part]
        total = attribute[corner[:, 0]] * weight[:, :1]
        total += attribute[corner[:, 1]] * weight[:, 1:2]
        total += attribute[corner[:, 2]] * weight[:, 2:]
        values[part] = total
    return values


def _table(x: Tensor, y: Tensor, z: Tensor, faces: Tensor) -> Tensor:
    """(m, 10) float32: first corner, edges to the others, 1 / (twice the signed area) or nan, three depths."""
    x0, y0 = x[faces[:, 0]], y[faces[:, 0]]
    x01, y01 = x[faces[:, 1]] - x0, y[faces[:, 1]] - y0
    x02, y02 = x[faces[:, 2]] - x0, y[faces[:, 2]] - y0
    left, right = x02 * y01, x01 * y02
    area = left - right
    inverse = torch.where(area.abs() > TINY_AREA, 1 / area, torch.full_like(area, float("nan")))
    return torch.stack([x0, y0, x01, y01, x02, y02, inverse, *z[faces].unbind(1)], dim=1)


def _reach(corners: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """First pixel and number of pixels along one axis: from the truncated least to below the greatest + 1."""
    low, high = corners.amin(dim=1), corners.amax(dim=1)
    first = low.nan_to_num(0, 0, 0).trunc().clamp(0, size).long()
    last = (high.nan_to_num(0, 0, 0) + 1).ceil().clamp(0, size).long()
    return first, (last - first).clamp(min=0)


def _parts(ends: Tensor, chunk: int) -> list[tuple[int, int]]:
    """Ranges of faces with at most ``chunk`` candidates each (or a single face)."""
    if not len(ends):
        return []
    total = int(ends[-1])
    marks = torch.arange(chunk, total + chunk, chunk, device=ends.device)
    cuts = [0, *torch.searchsorted(ends, marks, right=True).clamp(max=len(ends)).tolist(), len(ends)]
    return [(start, stop) for start, stop in itertools.pairwise(cuts) if stop > start]


def _barycentrics(entry: Tensor, px: Tensor, py: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    dx, dy = (px.float() + 0.5) - entry[:, 0], (py.float() + 0.5) - entry[:, 1]
    left, right = entry[:, 4] * dy, dx * entry[:, 5]
    beta = (left - right) * entry[:, 6]
    left, right = dx * entry[:, 3], entry[:, 2] * dy
    gamma = (left - right) * entry[:, 6]
    alpha = ((1.0 - beta.double()) - gamma.double()).float()
    return alpha, beta, gamma


def _lower(keys: Tensor, entry: Tensor, face: Tensor, px: Tensor, py: Tensor, width: int) -> None:
    """Lower ``keys`` to the nearest 18-bit depth, and the lowest face among equals."""
    alpha, beta, gamma = _barycentrics(entry, px, py)
    inside = (alpha >= 0) & (beta >= 0) & (gamma >= 0) & (alpha <= 1) & (beta <= 1) & (gamma <= 1)
    found = torch.nonzero(inside)[:, 0]
    entry = entry[found]
    first, second, third = alpha[found] * entry[:, 7], beta[found] * entry[:, 8], gamma[found] * entry[:, 9]
    depth = (first + second) + third
    ahead = depth >= 0
    found, depth = found[ahead], depth[ahead]
    key = ((depth * float(2**18)).long() << FACE_BITS) | face[found]
    keys.scatter_reduce_(0, py[found] * width + px[found], key, "amin")
