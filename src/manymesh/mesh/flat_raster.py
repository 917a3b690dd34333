"""Which grid cells flat triangles cover."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints

BATCH = 2_000_000  # cells tested at once: about 200 MB
INSIDE = 1e-7  # of the triangle: a cell centre on a shared side belongs to neither


def covered(triangles: NDArray[np.float64]) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Cells whose centres lie strictly inside triangles.

    Args:
        triangles: (m, 3, 2) x, y in cells, any winding; cell (i, j) has its centre at (i + 0.5, j + 0.5).

    Yields:
        triangle, column and row of each hit, in batches, in the triangles' order.
    """
    low = np.ceil(triangles.min(axis=1) - 0.5).astype(np.int64)
    high = np.floor(triangles.max(axis=1) - 0.5).astype(np.int64)
    wide, tall = np.maximum(high - low + 1, 0).T
    cells = wide * tall
    total = np.cumsum(cells)
    begin = 0
    while begin < len(triangles):
        done = total[begin - 1] if begin else 0
        end = max(int(np.searchsorted(total, done + BATCH, side="right")), begin + 1)
        yield _batch(triangles, low, wide, cells, begin, end)
        begin = end


def _batch(
    triangles: NDArray[np.float64], low: Ints, wide: Ints, cells: Ints, begin: int, end: int
) -> tuple[Ints, Ints, Ints]:
    count = cells[begin:end]
    which = np.repeat(np.arange(begin, end), count)
    number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    row, column = np.divmod(number, np.maximum(wide[which], 1))
    column += low[which, 0]
    row += low[which, 1]
    a, b, c = (triangles[:, k] for k in range(3))
    double_area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    sign = np.where(double_area < 0, -1.0, 1.0)
    limit = INSIDE * np.abs(double_area)
    inside = np.ones(len(which), dtype=bool)
    for start, stop in ((a, b), (b, c), (c, a)):
        # sign * cross(stop - start, centre - start), as one affine function of the centre
        dx, dy = sign * (stop[:, 0] - start[:, 0]), sign * (stop[:, 1] - start[:, 1])
        constant = dy * (start[:, 0] - 0.5) - dx * (start[:, 1] - 0.5) - limit
        inside &= dx[which] * row - dy[which] * column + constant[which] > 0
    return which[inside], column[inside], row[inside]
