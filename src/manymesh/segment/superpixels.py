"""Superpixels: a picture in a few hundred pieces of one colour each, by k-means over colour and place.

Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", PAMI 2012. Each pixel is compared
with the nine pieces whose cells of the starting grid lie around its own, all pixels at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F32, I32

I64 = NDArray[np.int64]

ROUNDS = 6
COMPACTNESS = 0.1
"""How much place counts against colour, where the picture's values span 0..1."""
SMALLEST_SHARE = 0.5
"""Of the mean piece; what is smaller joins a neighbour."""


def superpixels(picture: F32, pieces: int) -> I32:
    """(h, w) int32 labels from 0, each one connected piece.

    Args:
        picture: (h, w, c) float32.
        pieces: about how many.
    """
    import cv2

    height, width = picture.shape[:2]
    values = cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), 0.6)
    values -= values.min()
    values /= max(float(values.max()), 1e-6)
    step = float(np.sqrt(height * width / pieces))
    down, across = max(round(height / step), 1), max(round(width / step), 1)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    channels = np.moveaxis(values.reshape(height, width, -1) / np.float32(COMPACTNESS), 2, 0)
    planes = np.ascontiguousarray([*channels, y / np.float32(step), x / np.float32(step)])
    row = np.minimum(np.arange(height) * down // height, down - 1)
    column = np.minimum(np.arange(width) * across // width, across - 1)
    labels = row[:, None] * across + column[None]
    for _ in range(ROUNDS):
        labels = _nearest(planes, _means(planes, labels, (down, across)), row, column)
    return _connected(labels, SMALLEST_SHARE * step**2)


def _means(planes: F32, labels: I64, grid: tuple[int, int]) -> F32:
    """(c, down, across) float32: the mean of each piece's pixels; infinite where a piece has none."""
    flat, count = labels.ravel(), grid[0] * grid[1]
    size = np.bincount(flat, minlength=count)
    sums = np.stack([np.bincount(flat, plane.ravel(), count) for plane in planes])
    means = (sums / np.maximum(size, 1)).astype(np.float32)
    means[:, size == 0] = np.inf
    return np.asarray(means.reshape(-1, *grid))


def _nearest(planes: F32, centres: F32, row: I64, column: I64) -> I64:
    """(h, w) the number of each pixel's nearest centre, among that of its own cell of the grid and those around.

    Args:
        planes: (c, h, w) float32 pixels.
        centres: (c, down, across) float32.
        row, column: (h,) and (w,), the cell of the grid that a pixel's row or column lies in.
    """
    down, across = centres.shape[1:]
    shape = planes.shape[1:]
    best, labels = np.full(shape, np.inf, np.float32), np.zeros(shape, np.int64)
    distance, away = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for i in (-1, 0, 1):
        rows = np.clip(row + i, 0, down - 1)
        for j in (-1, 0, 1):
            columns = np.clip(column + j, 0, across - 1)
            distance[:] = 0
            for plane, centre in zip(planes, centres, strict=True):
                np.subtract(plane, np.take(centre[:, columns], rows, axis=0), out=away)
                distance += np.multiply(away, away, out=away)
            nearer = distance < best
            np.copyto(best, distance, where=nearer)
            np.copyto(labels, rows[:, None] * across + columns, where=nearer)
    return labels


def _connected(labels: np.ndarray, smallest: float) -> I32:
    """Every connected part its own label; those under ``smallest`` join the neighbour with the longest border."""
    parts = parts_of(labels).astype(np.int64)  # noise has so many parts that a pair of them overflows 32 bits
    while True:
        size = np.bincount(parts.ravel())
        small = size < smallest
        if not small.any() or small.all():
            break
        sides = ((parts[:, :-1], parts[:, 1:]), (parts[:-1], parts[1:]))
        either = [(a[a != b], b[a != b]) for a, b in sides]
        met = np.concatenate([x * len(size) + y for a, b in either for x, y in ((a, b), (b, a))])
        keys, border = np.unique(met, return_counts=True)
        one, other = np.divmod(keys, len(size))
        # To a larger part, or an equal one of a lower number, so that two small parts do not swap names.
        upward = (size[other] > size[one]) | ((size[other] == size[one]) & (other < one))
        one, other, border = (values[small[one] & upward] for values in (one, other, border))
        if not len(one):
            break
        order = np.lexsort((other, -border, one))
        first = order[np.r_[True, np.diff(one[order]) > 0]]
        target = np.arange(len(size))
        target[one[first]] = other[first]
        while True:  # chains end at a part that stays: sizes rise along them
            further = target[target]
            if np.array_equal(further, target):
                break
            target = further
        parts = np.unique(target, return_inverse=True)[1][parts]
    return parts.astype(np.int32)


def parts_of(labels: np.ndarray) -> np.ndarray:
    """(h, w) a number from 0 for each connected part of equal labels (4 neighbours)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = np.arange(labels.size).reshape(labels.shape)
    right = labels[:, :-1] == labels[:, 1:]
    below = labels[:-1] == labels[1:]
    one = np.concatenate([number[:, :-1][right], number[:-1][below]])
    other = np.concatenate([number[:, 1:][right], number[1:][below]])
    links = coo_array((np.ones(len(one), np.uint8), (one, other)), shape=(labels.size, labels.size))
    return np.asarray(connected_components(links, directed=False)[1]).reshape(labels.shape)
