"""Saliency of the pixels of an image whose background is not plain: boundary connectivity of superpixels.

Zhu, Liang, Wei and Sun, "Saliency Optimization from Robust Background Detection", CVPR 2014. A region is everything
that a superpixel connects to over small colour steps. It is background when much of its outline lies on the border of
the image for its size. Objects that the frame cuts off stay foreground, because they touch the border only briefly.
"""

from __future__ import annotations

import numpy as np

from manymesh.segment.superpixels import superpixels
from manymesh.types import F32, F64, I32

# Colour step, in Lab units, at which two superpixels belong together by 1 / sqrt(e). Chosen by hand; not measured.
GEODESIC_SIGMA = 9.0
# Distance, as a share of the longest side, at which contrast counts 1 / sqrt(e). The paper's value.
SPATIAL_SIGMA = 0.25


def saliency(lab: F32, pieces: int = 350) -> F32:
    """How much each pixel stands out from the image's border.

    Args:
        lab: (h, w, 3) float32 CIELAB.
        pieces: approximate number of superpixels.

    Returns:
        (h, w) float32 in [0, 1].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    labels = superpixels(lab, pieces)
    count = int(labels.max()) + 1
    if count < 8:
        return np.zeros(lab.shape[:2], np.float32)
    color, position, size = _means(lab, labels, count)
    pairs = _neighbours(labels)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    on_border = np.zeros(count, bool)
    on_border[border] = True
    step = np.linalg.norm(color[pairs[:, 0]] - color[pairs[:, 1]], axis=1)
    # Every image has small steps from noise; those must not add up along a path.
    quiet = _smallest_step(pairs, step, count).mean()
    # All superpixels on the border are neighbours, so that a background that an object cuts in two stays one.
    i, j = np.meshgrid(border, border)
    border_pairs = np.stack([i[i < j], j[i < j]], axis=1)
    border_step = np.linalg.norm(color[border_pairs[:, 0]] - color[border_pairs[:, 1]], axis=1)
    all_pairs = np.concatenate([pairs, border_pairs])
    cost = np.maximum(np.concatenate([step, border_step]) - quiet, 0) + 1e-3
    keys, first = np.unique(all_pairs[:, 0] * count + all_pairs[:, 1], return_index=True)
    graph = coo_matrix((cost[first], (keys // count, keys % count)), shape=(count, count)).tocsr()
    distance = dijkstra(graph, directed=False)
    belongs = np.exp(-(distance**2) / (2 * GEODESIC_SIGMA**2))
    weight = size / size.mean()
    connectivity = belongs[:, on_border].sum(axis=1) / np.sqrt((belongs * weight).sum(axis=1))
    background = 1 - np.exp(-(connectivity**2) / 2)
    color_distance = np.sqrt(_squared_distances(color))
    nearness = np.exp(-_squared_distances(position) / (2 * SPATIAL_SIGMA**2))
    contrast = (color_distance * nearness * (background * weight)[None]).sum(axis=1)
    contrast = contrast / max(contrast.max(), 1e-6)
    value = _optimise(
        contrast, background, color, np.concatenate([pairs, _second_neighbours(pairs, count)]), quiet, count
    )
    spread = value.max() - value.min()
    if spread < 1e-6:
        return np.zeros(lab.shape[:2], np.float32)
    return np.asarray(((value - value.min()) / spread).astype(np.float32)[labels])


def _squared_distances(values: F64) -> F64:
    """(n, n) squared distances between the rows of an (n, c) array."""
    return np.asarray(np.sum([np.subtract.outer(column, column) ** 2 for column in values.T], axis=0))


def _means(lab: F32, labels: I32, count: int) -> tuple[F64, F64, F64]:
    """Of each superpixel the mean colour, (n, 3), the mean position over the longest side, (n, 2), and pixels, (n,)."""
    flat = labels.ravel()
    size = np.maximum(np.bincount(flat, minlength=count).astype(np.float64), 1)
    color = np.stack([np.bincount(flat, lab[..., c].ravel(), count) for c in range(3)], axis=1) / size[:, None]
    y, x = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]]
    position = np.stack([np.bincount(flat, v.ravel(), count) for v in (x, y)], axis=1) / size[:, None]
    return color, position / max(labels.shape), size


def _neighbours(labels: I32) -> I32:
    """(n, 2) pairs of touching superpixels, smaller first, without repeats."""
    sides = ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:]))
    count = int(labels.max()) + 1
    touching = [np.minimum(a, b)[a != b] * count + np.maximum(a, b)[a != b] for a, b in sides]
    return np.stack(np.divmod(np.unique(np.concatenate(touching)), count), axis=1)


def _smallest_step(pairs: I32, step: F64, count: int) -> F64:
    """Of each superpixel with neighbours, the smallest colour step to one of them."""
    smallest = np.full(count, np.inf)
    np.minimum.at(smallest, pairs[:, 0], step)
    np.minimum.at(smallest, pairs[:, 1], step)
    return np.asarray(smallest[np.isfinite(smallest)])


def _second_neighbours(pairs: I32, count: int) -> I32:
    """(n, 2) pairs of superpixels with a common neighbour, smaller first."""
    from scipy.sparse import coo_matrix

    ones = np.ones(len(pairs), np.int32)
    touch = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    touch = (touch + touch.T).tocsr()
    second = (touch @ touch).tocoo()
    keep = second.row < second.col
    return np.stack([second.row[keep], second.col[keep]], axis=1)


def _optimise(contrast: F64, background: F64, color: F64, pairs: I32, quiet: float, count: int) -> F64:
    """Saliency of each superpixel by least squares: background is drawn to 0, contrast to 1, and neighbours of like
    colour to each other (section 4 of the paper)."""
    pairs = np.unique(pairs, axis=0)
    step = np.maximum(np.linalg.norm(color[pairs[:, 0]] - color[pairs[:, 1]], axis=1) - quiet, 0)
    tie = np.exp(-(step**2) / (2 * GEODESIC_SIGMA**2)) + 0.1
    system = np.zeros((count, count))
    system[pairs[:, 0], pairs[:, 1]] = -tie
    system += system.T
    system[np.diag_indices(count)] = -system.sum(axis=1)
    to_one = contrast * (1 - background)
    to_one = to_one / max(to_one.max(), 1e-6)
    to_zero = np.where(background > 0.1, background, 0.0) * 5
    system[np.diag_indices(count)] += to_one + to_zero + 1e-9
    return np.linalg.solve(system, to_one)
