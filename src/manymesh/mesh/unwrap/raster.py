"""Which grid cells flat triangles cover."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints

# Cells at once: about 100 MB.
BATCH = 2_000_000
# Share of a triangle's area by which a cell centre must lie inside: one on a shared side belongs to neither triangle.
# Chosen by hand.
INSIDE = 1e-7


def covered(triangles: NDArray[np.float64]) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Cells whose centres lie strictly inside triangles.

    Args:
        triangles: (m, 3, 2) x, y in cells, any winding; cell (i, j) has its centre at (i + 0.5, j + 0.5).

    Yields:
        triangle, column and row of each hit, in batches, in the triangles' order.
    """
    y = triangles[:, :, 1].T
    low = np.ceil(np.minimum(np.minimum(y[0], y[1]), y[2]) - 0.5).astype(np.int64)  # NumPy reduces short axes slowly
    high = np.floor(np.maximum(np.maximum(y[0], y[1]), y[2]) - 0.5).astype(np.int64)
    tall = np.maximum(high - low + 1, 0)
    some = np.flatnonzero(tall)  # of a fine mesh, most triangles lie between two rows
    triangles, low, tall = triangles[some], low[some], tall[some]
    which = np.repeat(np.arange(len(triangles)), tall)
    row = low[which] + np.arange(len(which)) - np.repeat(np.cumsum(tall) - tall, tall)
    first, last = _spans(triangles, which, row)
    cells = np.maximum(last - first + 1, 0)
    total = np.cumsum(cells)
    begin = 0
    while begin < len(which):
        done = int(total[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(total, done + BATCH, side="right")), begin + 1)
        count = cells[begin:end]
        span = np.repeat(np.arange(begin, end), count)
        column = first[span] + np.arange(len(span)) - np.repeat(np.cumsum(count) - count, count)
        yield some[which[span]], column, row[span]
        begin = end


def _spans(triangles: NDArray[np.float64], which: Ints, row: Ints) -> tuple[Ints, Ints]:
    """The first and last column inside a triangle, for each of its rows; last < first where there is none."""
    a, b, c = (triangles[:, k] for k in range(3))
    double_area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    sign = np.where(double_area < 0, -1.0, 1.0)
    limit = INSIDE * np.abs(double_area)
    left, right = np.full(len(which), -np.inf), np.full(len(which), np.inf)
    for start, stop in ((a, b), (b, c), (c, a)):
        # Inside is where sign * cross(stop - start, centre - start) > limit, which is affine in the centre.
        dx, dy = sign * (stop[:, 0] - start[:, 0]), sign * (stop[:, 1] - start[:, 1])
        constant = dy * (start[:, 0] - 0.5) - dx * (start[:, 1] - 0.5) - limit
        level = dx[which] * row + constant[which]
        slope = dy[which]
        bound = level / np.where(slope == 0, 1.0, slope)
        right = np.where(slope > 0, np.minimum(right, bound), right)
        left = np.where(slope < 0, np.maximum(left, bound), left)
        right = np.where((slope == 0) & (level <= 0), -np.inf, right)
    empty = ~(left < right)
    first = np.floor(np.where(empty, 1, left)).astype(np.int64) + 1
    last = np.ceil(np.where(empty, 1, right)).astype(np.int64) - 1
    return first, last
