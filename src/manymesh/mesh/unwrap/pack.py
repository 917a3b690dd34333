"""Puts flat charts into one square texture: largest first, each at the place nearest to a corner that is still free.

Charts and texture are pictures on a coarse grid, and all free places of a chart come from one correlation of the two,
so charts also go into the hollows and holes of others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints
from manymesh.mesh.unwrap.pack_rows import pack_rows
from manymesh.mesh.unwrap.raster import covered

# Cells a side of the grid on which charts are placed, at most. Chosen by hand: one cell is the padding at texture 1024.
GRID = 256
# Cells a side while looking for the scale. Chosen by hand.
SEARCH_GRID = 96
# Scales tried on the search grid, at most. Chosen by hand.
TRIES = 6
# What the scale is multiplied by where the charts do not fit on the final grid. Chosen by hand.
SHRINK = 0.985
# The share of the grid that charts fill at best; more is not tried. Chosen by hand.
FULL = 0.92
# Cells: charts within a square of this side are placed as rectangles. Chosen by hand.
SMALL = 6
# With more charts than this they are placed in rows. Each placement takes about 1 ms at each scale tried (7 or more),
# so 1,000 charts take 3 s (measured on random triangles).
MANY_CHARTS = 1000


class Placed(NamedTuple):
    """Where charts lie at one scale: their lower left cell (charts, 2), and quarter turns to the left (charts,)."""

    corner: Ints
    turns: Ints


def padding_px(size_px: int) -> int:
    """Distance kept between charts: 4 pixels at 1024, so that two mip-map levels stay clean."""
    return max(2, size_px // 256)


def pack(flat: NDArray[np.float64], corners: Ints, border: Ints, owner: Ints, size_px: int) -> NDArray[np.float64]:
    """Texture positions of flat chart vertices.

    Args:
        flat: (k, 2), all charts at one scale, v up.
        corners: (m, 3) the triangles.
        border: (b, 2) the vertices at the ends of the charts' outer edges.
        owner: (k,) chart of each vertex, ascending.
        size_px: side of the texture.

    Returns:
        (k, 2) pixels, x right and y *down*, in [0, size_px]. Charts are turned, moved and scaled all alike, but not
        mirrored. At least ``padding_px(size_px)`` lie between any two (less where there are more than ``MANY_CHARTS``).
    """
    count = int(owner.max()) + 1
    if count > MANY_CHARTS:
        return pack_rows(flat, corners, owner, size_px, padding_px(size_px))
    flat = _stand_up(flat, owner, count)
    local = flat - np.minimum.reduceat(flat, np.searchsorted(owner, np.arange(count)), axis=0)[owner]
    charts = _Charts(local, corners, border, owner, count, size_px)
    coarse, fine = min(SEARCH_GRID, size_px), min(GRID, size_px)
    scale = charts.find_scale(coarse)
    placed = None
    while placed is None:
        placed = charts.place(scale, fine)
        scale = scale if placed is not None else scale * SHRINK
    cell = size_px / fine
    pixels = local * scale
    box = charts.cells(scale, fine)[owner] * cell
    turns = placed.turns[owner]
    x, y = pixels[:, 0], pixels[:, 1]
    turned_x = np.choose(turns, [x, box[:, 1] - y, box[:, 0] - x, y])
    turned_y = np.choose(turns, [y, x, box[:, 1] - y, box[:, 0] - x])
    result = np.stack([turned_x, turned_y], axis=1) + placed.corner[owner] * cell
    result[:, 1] = size_px - result[:, 1]
    places: NDArray[np.float64] = np.clip(result, 0, size_px)
    return places


class _Charts:
    """The charts as they came, and how they lie at a scale and grid."""

    def __init__(
        self, local: NDArray[np.float64], corners: Ints, border: Ints, owner: Ints, count: int, size_px: int
    ) -> None:
        self.local, self.corners, self.border, self.owner, self.count = local, corners, border, owner, count
        self.size_px = size_px
        self.triangles = local[corners]
        y = self.triangles[:, :, 1].T
        self.low, self.high = np.minimum(np.minimum(y[0], y[1]), y[2]), np.maximum(np.maximum(y[0], y[1]), y[2])
        self.extent = np.maximum.reduceat(local, np.searchsorted(owner, np.arange(count)), axis=0)
        a, b, c = (local[corners[:, k]] for k in range(3))
        self.area = float(
            np.abs(np.cross(np.c_[b - a, np.zeros(len(a))], np.c_[c - a, np.zeros(len(a))])[:, 2]).sum() / 2
        )

    def cells(self, scale: float, grid: int) -> Ints:
        """(charts, 2) columns and rows of each chart's box."""
        cell = self.size_px / grid
        return np.floor(self.extent * scale / cell + 1e-6).astype(np.int64) + 1

    def find_scale(self, grid: int) -> float:
        """Nearly the largest scale at which all charts find a place."""
        high: float = np.sqrt(0.9 * self.size_px**2 / self.area)
        high = min(high, self.size_px / float(self.extent.max(initial=1e-12)))
        low = 0.0
        scale = high * 0.88
        for _ in range(TRIES):
            if self.place(scale, grid) is None:
                high = scale
            else:
                low = scale
            if low and high / low < 1.02:
                break
            scale = (low + high) / 2 if low else scale * 0.88
        # The finer grid holds more than the coarse one did.
        return min(high, low * 1.06) if low else scale

    def place(self, scale: float, grid: int) -> Placed | None:
        """Where every chart lies, or None when they do not all fit."""
        reach = int(np.ceil(padding_px(self.size_px) / (self.size_px / grid)))
        masks = self.masks(scale, grid)
        full = sum(int(mask.sum()) for mask in masks)
        if full > FULL * grid * grid or max(max(mask.shape) for mask in masks) > grid:
            return None
        sheet = _Sheet(grid, reach)
        corner, turns = np.zeros((self.count, 2), dtype=np.int64), np.zeros(self.count, dtype=np.int64)
        sizes = np.array([mask.size for mask in masks])
        for chart in np.lexsort((np.arange(self.count), -sizes)).tolist():
            found = sheet.put(masks[chart])
            if found is None:
                return None
            corner[chart], turns[chart] = found[:2], found[2]
        return Placed(corner, turns)

    def masks(self, scale: float, grid: int) -> list[NDArray[np.bool_]]:
        """Every chart's picture, rows from the bottom: the cells it touches."""
        cell = self.size_px / grid
        factor = scale / cell
        # Of a fine mesh, most triangles lie between two rows of cell centres.
        crossing = np.flatnonzero(np.ceil(self.low * factor - 0.5) <= np.floor(self.high * factor - 0.5))
        size = self.cells(scale, grid)
        start = np.concatenate([[0], np.cumsum(size[:, 0] * size[:, 1])])
        picture = np.zeros(start[-1], dtype=bool)
        for face, column, row in covered(self.triangles[crossing] * factor):
            chart = self.owner[self.corners[crossing[face], 0]]
            picture[start[chart] + row * size[chart, 0] + column] = True
        a, b = self.local[self.border[:, 0]] * factor, self.local[self.border[:, 1]] * factor
        steps = np.ceil(np.abs(b - a).max(axis=1) * 5).astype(np.int64) + 2
        edge = np.repeat(np.arange(len(a)), steps)
        t = (np.arange(len(edge)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.repeat(steps - 1, steps)
        chart = self.owner[self.border[edge, 0]]
        at = (a[edge] + t[:, None] * (b - a)[edge]).astype(np.int64)
        at = np.minimum(at, size[chart] - 1)
        picture[start[chart] + at[:, 1] * size[chart, 0] + at[:, 0]] = True
        return [picture[start[c] : start[c + 1]].reshape(size[c, 1], size[c, 0]) for c in range(self.count)]


class _Sheet:
    """The texture while charts are placed on it, with a border as wide as the padding."""

    def __init__(self, grid: int, reach: int) -> None:
        self.grid, self.reach = grid, reach
        self.taken = np.zeros((grid + 2 * reach,) * 2, dtype=np.uint8)
        self.used = 0  # no chart reaches beyond this row or column

    def put(self, mask: NDArray[np.bool_]) -> tuple[int, int, int] | None:
        """Finds a place for a chart and takes it: column, row, quarter turns; None when there is none."""
        small = max(mask.shape) <= SMALL
        best: tuple[int, int, int, int] | None = None
        turnings = (0, 1) if small else (0, 1, 2, 3)
        turned = [np.rot90(mask, -turn) for turn in turnings]  # rows run upwards: -1 is a turn to the left
        # Right behind or above all others it lies within this; nothing further out is better.
        room = min(self.grid, max(self.used + self.reach + min(mask.shape), max(mask.shape)))
        free_places = self._free_as_box(turned, room) if small else self._free(turned[:2], room)
        for turn, picture, free in zip(turnings, turned, free_places, strict=True):
            rows, columns = picture.shape
            # Further right in a row is never better, so only the first free cell of each row counts.
            x = free.argmax(axis=1)
            y = np.flatnonzero(free[np.arange(len(free)), x])
            if not len(y):
                continue
            x = x[y]
            cost = np.maximum(x + columns, y + rows) * (4 * self.grid) + x + y
            place = int(cost.argmin())
            if best is None or int(cost[place]) < best[0]:
                best = (int(cost[place]), int(x[place]), int(y[place]), turn)
        if best is None:
            return None
        _, column, row, turn = best
        picture = np.rot90(mask, -turn)
        rows, columns = picture.shape
        row_at, column_at = row + self.reach, column + self.reach
        self.taken[row_at : row_at + rows, column_at : column_at + columns] += picture
        self.used = max(self.used, row + rows, column + columns)
        return column, row, turn

    def _free_as_box(self, pictures: list[NDArray[np.bool_]], room: int) -> list[NDArray[np.bool_]]:
        """For each picture, the lower left cells at which its box meets no other chart, padding counted in."""
        import cv2

        side = room + 2 * self.reach
        total = cv2.integral(self.taken[:side, :side])
        free = []
        for picture in pictures:
            down, right = (length + 2 * self.reach for length in picture.shape)
            rows, columns = (room - length + 1 for length in picture.shape)
            inside = (
                total[down : down + rows, right : right + columns]
                - total[:rows, right : right + columns]
                - total[down : down + rows, :columns]
                + total[:rows, :columns]
            )
            free.append(inside == 0)
        return free

    def _free(self, pictures: list[NDArray[np.bool_]], room: int) -> list[NDArray[np.bool_]]:
        """For a picture and the same a quarter turned, then for both half turned: the lower left cells at which it
        meets no other chart, padding counted in."""
        import cv2

        used = room + 2 * self.reach
        side = int(cv2.getOptimalDFTSize(used))
        spectrum = _spectrum(self.taken[:used, :used], side)
        straight, half_turned = [], []
        for picture in pictures:
            rows, columns = (room - length + 1 for length in picture.shape)
            grown = _grown(picture, self.reach)
            down, right = grown.shape
            other = _spectrum(grown, side)
            straight.append(_meets(spectrum, other, True)[:rows, :columns] < 0.5)
            # Correlation with the half turned picture is convolution with the picture.
            meets = _meets(spectrum, other, False)
            half_turned.append(meets[down - 1 : down - 1 + rows, right - 1 : right - 1 + columns] < 0.5)
        return straight + half_turned


def _spectrum(picture: NDArray[Any], side: int) -> Any:
    """A picture's Fourier transform, (side, side) as OpenCV packs it (importing SciPy's takes as long as all this)."""
    import cv2

    whole = np.zeros((side, side), np.float32)
    whole[: picture.shape[0], : picture.shape[1]] = picture
    return cv2.dft(whole, nonzeroRows=picture.shape[0])


def _meets(one: Any, other: Any, correlate: bool) -> Any:
    """(side, side): in how many cells two pictures meet, for every shift of the other (turned half, if not
    ``correlate``)."""
    import cv2

    return cv2.dft(cv2.mulSpectrums(one, other, 0, conjB=correlate), flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)


def _grown(picture: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """The picture with ``reach`` more cells around everything in it."""
    rows, columns = picture.shape
    tall = np.zeros((rows + 2 * reach, columns), dtype=bool)
    for shift in range(2 * reach + 1):
        tall[shift : shift + rows] |= picture
    wide = np.zeros((rows + 2 * reach, columns + 2 * reach), dtype=bool)
    for shift in range(2 * reach + 1):
        wide[:, shift : shift + columns] |= tall
    return wide


def _stand_up(flat: NDArray[np.float64], owner: Ints, count: int) -> NDArray[np.float64]:
    """Turns every chart so that its smallest bounding rectangle stands upright."""
    from scipy.spatial import ConvexHull, QhullError

    starts = np.append(np.searchsorted(owner, np.arange(count)), len(owner))
    result = flat.copy()
    for chart in range(count):
        points = flat[starts[chart] : starts[chart + 1]]
        try:
            hull = points[ConvexHull(points).vertices] if len(points) > 3 else points
        except QhullError:
            hull = points
        side = np.roll(hull, -1, axis=0) - hull
        angle = np.arctan2(side[:, 1], side[:, 0])
        cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
        width = np.ptp(hull[:, 0] * cosine + hull[:, 1] * sine, axis=1)
        height = np.ptp(hull[:, 1] * cosine - hull[:, 0] * sine, axis=1)
        turn = int((width * height).argmin())
        c, s = (cosine[turn, 0], sine[turn, 0]) if width[turn] <= height[turn] else (sine[turn, 0], -cosine[turn, 0])
        result[starts[chart] : starts[chart + 1]] = points @ np.array([[c, -s], [s, c]])
    return result
