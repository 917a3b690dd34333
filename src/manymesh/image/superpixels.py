"""Superpixels: a picture in a few hundred pieces of one colour each, by k-means over colour and place.

Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", PAMI 2012. Each pixel is compared
with the nine pieces whose cells of the starting grid lie around its own, all pixels at once.
"""

from __future__ import annotations

import numpy as np

from manymesh.types import F32, I32

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
    pixels = np.dstack([values / np.float32(COMPACTNESS), y / np.float32(step), x / np.float32(step)])
    pixels = np.ascontiguousarray(pixels.reshape(height * width, -1))
    row = np.minimum(np.arange(height) * down // height, down - 1)
    column = np.minimum(np.arange(width) * across // width, across - 1)
    labels = (row[:, None] * across + column[None]).ravel()
    # Nine candidates a pixel: the piece of its own cell of the starting grid, and those around.
    near = [
        np.clip(row + i, 0, down - 1)[:, None] * across + np.clip(column + j, 0, across - 1)[None]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    ]
    for _ in range(ROUNDS):
        size = np.bincount(labels, minlength=down * across)
        sums = [np.bincount(labels, pixels[:, c], down * across) for c in range(pixels.shape[1])]
        centres = (np.stack(sums, axis=1) / np.maximum(size, 1)[:, None]).astype(np.float32)
        centres[size == 0] = np.inf
        best = np.full(height * width, np.inf, np.float32)
        for candidate in near:
            number = candidate.ravel()
            away = pixels - centres[number]
            distance = np.einsum("nc,nc->n", away, away)
            nearer = distance < best
            best[nearer] = distance[nearer]
            labels[nearer] = number[nearer]
    return _connected(labels.reshape(height, width), SMALLEST_SHARE * step**2)


def _connected(labels: np.ndarray, smallest: float) -> I32:
    """Every connected part its own label; those under ``smallest`` join the neighbour with the longest border."""
    parts = parts_of(labels)
    while True:
        size = np.bincount(parts.ravel())
        small = size < smallest
        if not small.any() or small.all():
            break
        pairs = np.concatenate(
            [
                np.stack([parts[:, :-1].ravel(), parts[:, 1:].ravel()], axis=1),
                np.stack([parts[:-1].ravel(), parts[1:].ravel()], axis=1),
            ]
        )
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        keys, border = np.unique(np.concatenate([pairs, pairs[:, ::-1]]) @ [len(size), 1], return_counts=True)
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
        parts = np.unique(target[parts], return_inverse=True)[1].reshape(labels.shape)
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
