"""Spans: the runs of pixels that triangles cover, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F32, I32, Bool

I64 = NDArray[np.int64]

# Pixel rows of one block of faces. Bounds a block's memory to about 30 MB.
ROWS_PER_BLOCK = 1 << 17

# Candidates handled at a time: small enough for the processor's cache. Chosen by hand.
TILE = 1 << 15

# Longer spans are cut into pieces of this length, so that there are few lengths. Chosen by hand.
LONGEST = 64


@dataclass(frozen=True)
class Screen:
    """Vertices in pixels.

    Attributes:
        x, y: (k,) pixel coordinates, the centre of the first pixel at 0.5.
        z: (k,) float32 depth, 0 near to 1 far.
        w: (k,) float32, clip w.
        drawn: (k,) bool: whether triangles with this vertex may be drawn.
        perspective: whether w differs between vertices.
    """

    height: int
    width: int
    x: NDArray[Any]
    y: NDArray[Any]
    z: F32
    w: F32
    drawn: Bool
    perspective: bool

    @classmethod
    def of(cls, clip: NDArray[Any], height: int, width: int) -> Screen:
        """Of (k, 4) clip coordinates. Vertices in front of the near plane are not drawn."""
        clip = clip.astype(np.float64)
        w = clip[:, 3]
        in_front = (w > 1e-9) & (clip[:, 2] >= -w)
        safe_w = np.where(in_front, w, 1)
        x = (clip[:, 0] / safe_w * 0.5 + 0.5) * width
        y = (0.5 - clip[:, 1] / safe_w * 0.5) * height
        # Depths stay clear of 0: their float bits are compared as integers, which fails for negative ones.
        z = np.maximum(clip[:, 2] / safe_w * 0.5 + 0.5, 1e-5).astype(np.float32)
        drawn = in_front & np.isfinite(x) & np.isfinite(y) & np.isfinite(z)
        perspective = bool(len(w)) and bool((w != w[0]).any())
        return cls(height, width, x, y, z, w.astype(np.float32), drawn, perspective)


@dataclass(frozen=True)
class Spans:
    """Runs of pixels, sorted by length. A rasteriser that tests each pixel itself may leave depths at 0.

    Attributes:
        face, row, column, length: (s,) int64; the run is pixels column .. column + length - 1 of a row.
        depth: (s,) float32 at the first pixel, depth_step: its change from pixel to pixel.
    """

    face: I64
    row: I64
    column: I64
    length: I64
    depth: F32
    depth_step: F32


def face_blocks(screen: Screen, faces: I32) -> Iterator[I64]:
    """The numbers of the faces that can touch the picture, ascending, in blocks of about equal work."""
    if not len(faces):
        return
    drawn = screen.drawn[faces].all(axis=1)
    x, y = screen.x[faces], screen.y[faces]
    (x_low, x_high), (y_low, y_high) = _bounds(x), _bounds(y)
    drawn &= (x_high >= 0) & (x_low <= screen.width) & (y_high >= 0) & (y_low <= screen.height)
    index = np.flatnonzero(drawn)
    rows = np.clip(y_high[index], 0, screen.height) - np.clip(y_low[index], 0, screen.height) + 2
    block = (np.cumsum(rows) // ROWS_PER_BLOCK).astype(np.int64)
    cuts = np.flatnonzero(np.diff(block)) + 1
    yield from (part for part in np.split(index, cuts) if len(part))


def _bounds(corners: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the greatest of each row of (m, 3) (NumPy reduces short axes slowly)."""
    a, b, c = corners.T
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def tiles(length: I64) -> Iterator[tuple[int, int, int]]:
    """(start, stop, length) of groups of equally long spans, each group small enough for the cache."""
    cuts = np.flatnonzero(np.diff(length)) + 1
    for start, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(length)], strict=True):
        if start == stop:
            continue
        across = int(length[start])
        step = max(TILE // across, 1)
        for first in range(start, stop, step):
            yield first, min(first + step, stop), across


def pixel_center_spans(screen: Screen, faces: I32, block: I64) -> Spans:
    """Exactly the pixels whose centres lie inside, each on one side only of a shared edge.

    An edge's crossing with a row is computed from its upper end, in float64, so that two triangles which share the
    edge get the same number, one as its right end (excluded) and the other as its left (included).
    """
    edges = Edges.of(screen, faces[block])
    first = np.clip(np.ceil(edges.y[:, 0] - 0.5), 0, screen.height).astype(np.int64)
    last = np.clip(np.ceil(edges.y[:, 2] - 0.5), 0, screen.height).astype(np.int64)
    item, row = expand(first, last - first)
    long_x, long_z, short_x, short_z = edges.cross(item, row + 0.5)
    left_x, right_x = np.minimum(long_x, short_x), np.maximum(long_x, short_x)
    start = np.clip(np.ceil(left_x - 0.5), 0, screen.width).astype(np.int64)
    length = np.clip(np.ceil(right_x - 0.5), 0, screen.width).astype(np.int64) - start
    covered = np.flatnonzero(length > 0)
    left_x, right_x, long_z, short_z = (of[covered] for of in (left_x, right_x, long_z, short_z))
    rise = short_z - long_z
    step = rise / np.maximum(right_x - left_x, 1e-9)
    swapped = short_x[covered] < long_x[covered]
    np.negative(step, out=step, where=swapped)
    start, length = start[covered], length[covered]
    depth = np.where(swapped, short_z, long_z) + (start + 0.5 - left_x) * step
    return sorted_spans(block[item[covered]], row[covered], start, length, depth, step)


@dataclass(frozen=True)
class Edges:
    """Triangles with their corners sorted from top to bottom: (m, 3) float64 each, and twice the signed area (m,)."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    twice_area: NDArray[np.float64]

    @classmethod
    def of(cls, screen: Screen, faces: I32) -> Edges:
        order = np.argsort(screen.y[faces], axis=1, kind="stable")
        corner = np.take_along_axis(faces, order, axis=1)
        x, y = screen.x[corner].astype(np.float64), screen.y[corner].astype(np.float64)
        area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
        return cls(x, y, screen.z[corner].astype(np.float64), area)

    def cross(self, item: I64, y: Any) -> tuple[NDArray[np.float64], ...]:
        """x and z where the horizontal line at ``y`` meets the long edge and one of the two short ones."""
        # The upper short edges of all triangles, then the lower ones: each line meets one of them.
        short = item + (y >= self.y[:, 1].take(item)) * len(self.y)
        upper, lower = self._edge(0, 1), self._edge(1, 2)
        both_short = [np.concatenate(pair) for pair in zip(upper, lower, strict=True)]
        return (*_along(self._edge(0, 2), item, y), *_along(both_short, short, y))

    def _edge(self, a: int, b: int) -> list[NDArray[np.float64]]:
        """Of each triangle's edge from corner a to b: x, y, z at its start, and how x and z change with y."""
        run = self.y[:, b] - self.y[:, a]
        run = np.where(run > 0, run, 1)
        slope_x, slope_z = (self.x[:, b] - self.x[:, a]) / run, (self.z[:, b] - self.z[:, a]) / run
        return [self.x[:, a], self.y[:, a], self.z[:, a], slope_x, slope_z]

    def reach(self, item: I64, y: Any, slack: Any) -> tuple[NDArray[np.float64], ...]:
        """Leftmost and rightmost x of the triangle within ``slack`` of the horizontal line at ``y``."""
        top, central, bottom = self.y[item, 0], self.y[item, 1], self.y[item, 2]
        above, below = np.clip(y - slack, top, bottom), np.clip(y + slack, top, bottom)
        found = [*self.cross(item, above)[0::2], *self.cross(item, below)[0::2]]
        corner = np.where(np.abs(central - y) <= slack, self.x[item, 1], found[0])
        low = np.minimum.reduce([*found, corner]) - slack
        return low, np.maximum.reduce([*found, corner]) + slack


def _along(edge: list[NDArray[np.float64]], which: I64, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """x and z at the height ``y`` on edges."""
    x, top, z, slope_x, slope_z = edge
    down = y - top.take(which)
    return x.take(which) + down * slope_x.take(which), z.take(which) + down * slope_z.take(which)


def expand(first: I64, count: I64) -> tuple[I64, I64]:
    """The integers first .. first + count - 1 of every item, one after the other: (the item, the integer)."""
    count = np.maximum(count, 0)
    item = np.repeat(np.arange(len(count)), count)
    offset = np.cumsum(count) - count
    return item, np.arange(len(item)) - (offset - first)[item]


def sorted_spans(face: I64, row: I64, column: I64, length: I64, depth: Any, step: Any) -> Spans:
    """Cut long spans, then sort by length; equal lengths stay in face order."""
    if len(length) and length.max() > LONGEST:
        item, piece = expand(np.zeros_like(length), -(-length // LONGEST))
        face, row, column, length = face[item], row[item], column[item] + piece * LONGEST, length[item]
        depth, step = depth[item] + piece * LONGEST * step[item], step[item]
        length = np.minimum(length - piece * LONGEST, LONGEST)
    order = np.argsort(length.astype(np.uint16), kind="stable")  # 16 bits: NumPy then sorts by counting
    as_f32 = np.float32
    return Spans(
        face[order], row[order], column[order], length[order], depth[order].astype(as_f32), step[order].astype(as_f32)
    )
