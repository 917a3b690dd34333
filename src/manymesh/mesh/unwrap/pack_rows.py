"""Puts thousands of small charts into one square texture as rectangles in rows, in time linear in the charts.

``pack`` looks for the best place of each chart and needs about a millisecond for it, so meshes of many loose pieces
(leaves, screws, triangles that share no vertices) would take minutes. Rows waste more of the texture, but their
placement is a sort and a cumulative sum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.topology import Ints

# Directions tried for each chart's bounding rectangle, over a quarter turn from its longest edge. Triangles have their
# smallest rectangle at an edge; 8 steps come within 1 % of the best for the rest (random quadrilaterals).
DIRECTIONS = 8
# The most of the texture that padding may take. Where the charts are so many that their usual padding would take more,
# all of it shrinks alike. Chosen by hand: half of the texture stays for the charts.
PADDING_SHARE = 0.4
# Halvings of the interval in which the scale lies: 2 ** -30 is finer than float32 texture coordinates.
HALVINGS = 30


def pack_rows(
    flat: NDArray[np.float64], corners: Ints, owner: Ints, size_px: int, padding_px: float
) -> NDArray[np.float64]:
    """Texture positions of flat chart vertices.

    Args:
        flat: (k, 2), all charts at one scale, v up.
        corners: (m, 3) the triangles.
        owner: (k,) chart of each vertex, ascending, every chart has one.
        size_px: side of the texture.
        padding_px: distance to keep between charts where ``PADDING_SHARE`` allows it.

    Returns:
        (k, 2) pixels, x right and y *down*, in [0, size_px]; charts are not mirrored.
    """
    count = int(owner.max()) + 1
    starts = np.searchsorted(owner, np.arange(count))
    local = _turned(flat, corners, owner, starts)
    low = np.minimum.reduceat(local, starts, axis=0)
    extent = np.maximum.reduceat(local, starts, axis=0) - low
    padding = min(padding_px, size_px * float(np.sqrt(PADDING_SHARE / count)))
    order = np.lexsort((np.arange(count), -extent[:, 1]))
    widths, heights = extent[order, 0], extent[order, 1]
    fits, too_large = 0.0, (size_px - 2 * padding) / max(float(extent.max()), 1e-300)
    place = _rows(widths * too_large, heights * too_large, size_px, padding)
    if place is None:
        for _ in range(HALVINGS):
            scale = (fits + too_large) / 2
            tried = _rows(widths * scale, heights * scale, size_px, padding)
            if tried is None:
                too_large = scale
            else:
                fits, place = scale, tried
    else:
        fits = too_large
    assert place is not None  # at a scale of nothing, padding alone fits by its choice above
    corner = np.empty_like(place)
    corner[order] = place
    pixels = (local - low[owner]) * fits + corner[owner]
    pixels[:, 1] = size_px - pixels[:, 1]
    return np.clip(pixels, 0, size_px)


def _rows(
    widths: NDArray[np.float64], heights: NDArray[np.float64], size_px: int, padding: float
) -> NDArray[np.float64] | None:
    """(n, 2) lower left corners of rectangles in rows, tallest first, or None where they do not fit.

    Args:
        widths, heights: (n,) pixels, heights descending.
    """
    room = size_px - padding
    ends = np.cumsum(widths + padding)
    place = np.empty((len(widths), 2))
    first, y = 0, padding
    while first < len(widths):
        before = float(ends[first - 1]) if first else 0.0
        last = int(np.searchsorted(ends, before + room, side="right"))
        if last == first or y + float(heights[first]) > room:
            return None
        place[first:last, 0] = ends[first:last] - widths[first:last] - before
        place[first:last, 1] = y
        y += float(heights[first]) + padding
        first = last
    return place


def _turned(flat: NDArray[np.float64], corners: Ints, owner: Ints, starts: Ints) -> NDArray[np.float64]:
    """(k, 2) every chart turned so that its bounding rectangle is small and lies on its longer side."""
    count = len(starts)
    side = np.roll(flat[corners], -1, axis=1) - flat[corners]
    length = np.hypot(side[..., 0], side[..., 1]).reshape(-1)
    of_side = np.repeat(owner[corners[:, 0]], 3)
    longest = np.lexsort((length, of_side))
    last = np.searchsorted(of_side[longest], np.arange(count), side="right") - 1
    along = side.reshape(-1, 2)[longest[last]]
    base = np.arctan2(along[:, 1], along[:, 0])
    best_area, best_angle, upright = np.full(count, np.inf), base.copy(), np.zeros(count, bool)
    for step in range(DIRECTIONS):
        angle = base + step * (np.pi / 2 / DIRECTIONS)
        extent = _extent(flat, owner, starts, angle)
        area = extent[:, 0] * extent[:, 1]
        better = area < best_area * (1 - 1e-9)
        best_area[better], best_angle[better] = area[better], angle[better]
        upright[better] = extent[better, 1] > extent[better, 0]
    return _rotated(flat, np.where(upright, best_angle + np.pi / 2, best_angle)[owner])


def _extent(flat: NDArray[np.float64], owner: Ints, starts: Ints, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = _rotated(flat, angle[owner])
    extent: NDArray[np.float64] = np.maximum.reduceat(turned, starts, axis=0)
    extent -= np.minimum.reduceat(turned, starts, axis=0)
    return extent


def _rotated(points: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, 2) points in axes that are turned to the left by ``angle`` (k,)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([points[:, 0] * c + points[:, 1] * s, points[:, 1] * c - points[:, 0] * s], axis=1)
