"""Superpixels: an image as a few hundred connected pieces of similar colour, by k-means over colour and position.

Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", PAMI 2012. Each pixel is compared
with the nine superpixels whose cells of the initial grid lie around its own, all pixels at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F32, I32

I64 = NDArray[np.int64]

# Iterations of k-means. Chosen by hand; not measured.
ROUNDS = 6
# Weight of position against colour, for images whose values span 0..1. Chosen by hand; not measured.
COMPACTNESS = 0.1
# Superpixels smaller than this share of the mean one are merged into a neighbour. Chosen by hand; not measured.
SMALLEST_SHARE = 0.5


def superpixels(image: F32, pieces: int) -> I32:
    """(h, w) int32 labels from 0, each of one connected superpixel.

    Args:
        image: (h, w, c) float32.
        pieces: approximate number of superpixels.
    """
    import cv2

    height, width = image.shape[:2]
    values = cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), 0.6)
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
    """(c, down, across) float32: the mean of each superpixel's pixels; infinite where it has none."""
    flat, count = labels.ravel(), grid[0] * grid[1]
    size = np.bincount(flat, minlength=count)
    sums = np.stack([np.bincount(flat, plane.ravel(), count) for plane in planes])
    means = (sums / np.maximum(size, 1)).astype(np.float32)
    means[:, size == 0] = np.inf
    return np.asarray(means.reshape(-1, *grid))


def _nearest(planes: F32, centers: F32, row: I64, column: I64) -> I64:
    """(h, w) int64: index of each pixel's nearest centre, among the nine of its own cell of the grid and those around.

    Args:
        planes: (c, h, w) float32, colour and position of the pixels.
        centers: (c, down, across) float32, those of the superpixels.
        row, column: (h,) and (w,), the cell of the grid that a pixel's row or column lies in.
    """
    down, across = centers.shape[1:]
    shape = planes.shape[1:]
    best, labels = np.full(shape, np.inf, np.float32), np.zeros(shape, np.int64)
    distance, difference = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for i in (-1, 0, 1):
        rows = np.clip(row + i, 0, down - 1)
        for j in (-1, 0, 1):
            columns = np.clip(column + j, 0, across - 1)
            distance[:] = 0
            for plane, center in zip(planes, centers, strict=True):
                np.subtract(plane, np.take(center[:, columns], rows, axis=0), out=difference)
                distance += np.multiply(difference, difference, out=difference)
            nearer = distance < best
            np.copyto(best, distance, where=nearer)
            np.copyto(labels, rows[:, None] * across + columns, where=nearer)
    return labels


def _connected(labels: I64, smallest: float) -> I32:
    """Labels of connected components; those under ``smallest`` pixels join the neighbour with the longest border."""
    parts = label_equal(labels).astype(np.int64)  # noise has so many components that a pair of them overflows 32 bits
    while True:
        size = np.bincount(parts.ravel())
        small = size < smallest
        if not small.any() or small.all():
            break
        sides = ((parts[:, :-1], parts[:, 1:]), (parts[:-1], parts[1:]))
        either = [(a[a != b], b[a != b]) for a, b in sides]
        touching = np.concatenate([x * len(size) + y for a, b in either for x, y in ((a, b), (b, a))])
        keys, border = np.unique(touching, return_counts=True)
        one, other = np.divmod(keys, len(size))
        # Into a larger component, or an equal one of a lower index, so that two small ones do not swap labels.
        upward = (size[other] > size[one]) | ((size[other] == size[one]) & (other < one))
        one, other, border = (values[small[one] & upward] for values in (one, other, border))
        if not len(one):
            break
        order = np.lexsort((other, -border, one))
        first = order[np.r_[True, np.diff(one[order]) > 0]]
        target = np.arange(len(size))
        target[one[first]] = other[first]
        while True:  # follow chains to their end; they have one, because sizes rise along them
            further = target[target]
            if np.array_equal(further, target):
                break
            target = further
        parts = np.unique(target, return_inverse=True)[1][parts]
    return parts.astype(np.int32)


def label_equal(labels: I64) -> I32:
    """(h, w) int32: an index from 0 for each 4-connected component of equal labels."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = np.arange(labels.size).reshape(labels.shape)
    right = labels[:, :-1] == labels[:, 1:]
    below = labels[:-1] == labels[1:]
    one = np.concatenate([number[:, :-1][right], number[:-1][below]])
    other = np.concatenate([number[:, 1:][right], number[1:][below]])
    links = coo_array((np.ones(len(one), np.uint8), (one, other)), shape=(labels.size, labels.size))
    return np.asarray(connected_components(links, directed=False)[1]).reshape(labels.shape)
