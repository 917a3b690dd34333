"""What stands out from a picture whose ground is not plain: boundary connectivity of superpixels.

Zhu, Liang, Wei and Sun, "Saliency Optimization from Robust Background Detection", CVPR 2014: a region is background
when much of its outline lies on the picture's border for its size, where a region is everything that the superpixel
connects to over small colour steps. Things that the frame cuts off stay foreground, because they touch it only briefly.
"""

from __future__ import annotations

import numpy as np

from manymesh.segment.superpixels import superpixels
from manymesh.types import F32, F64, I32

GEODESIC_SIGMA = 9.0  # Lab units
SPATIAL_SIGMA = 0.25  # of the longest side


def saliency(lab: F32, pieces: int = 350) -> F32:
    """How much each pixel stands out.

    Args:
        lab: (h, w, 3) float32 CIELAB.
        pieces: about how many superpixels.

    Returns:
        (h, w) float32 in [0, 1].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    labels = superpixels(lab, pieces)
    count = int(labels.max()) + 1
    if count < 8:
        return np.zeros(lab.shape[:2], np.float32)
    colour, place, size = _means(lab, labels, count)
    pairs = _neighbours(labels)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    on_rim = np.zeros(count, bool)
    on_rim[rim] = True
    step = np.linalg.norm(colour[pairs[:, 0]] - colour[pairs[:, 1]], axis=1)
    # Every picture has steps of its own noise; those must not add up over a long walk.
    quiet = _smallest_step(pairs, step, count).mean()
    # The border is one place, so that a ground cut in two by a thing is still one ground.
    i, j = np.meshgrid(rim, rim)
    ring = np.stack([i[i < j], j[i < j]], axis=1)
    ring_step = np.linalg.norm(colour[ring[:, 0]] - colour[ring[:, 1]], axis=1)
    all_pairs = np.concatenate([pairs, ring])
    cost = np.maximum(np.concatenate([step, ring_step]) - quiet, 0) + 1e-3
    keys, first = np.unique(all_pairs[:, 0] * count + all_pairs[:, 1], return_index=True)
    graph = coo_matrix((cost[first], (keys // count, keys % count)), shape=(count, count)).tocsr()
    walk = dijkstra(graph, directed=False)
    belongs = np.exp(-(walk**2) / (2 * GEODESIC_SIGMA**2))
    weight = size / size.mean()
    connectivity = belongs[:, on_rim].sum(axis=1) / np.sqrt((belongs * weight).sum(axis=1))
    background = 1 - np.exp(-(connectivity**2) / 2)
    apart = np.sqrt(_squared_steps(colour))
    close = np.exp(-_squared_steps(place) / (2 * SPATIAL_SIGMA**2))
    contrast = (apart * close * (background * weight)[None]).sum(axis=1)
    contrast = contrast / max(contrast.max(), 1e-6)
    value = _optimise(contrast, background, colour, np.concatenate([pairs, _two_apart(pairs, count)]), quiet, count)
    spread = value.max() - value.min()
    if spread < 1e-6:
        return np.zeros(lab.shape[:2], np.float32)
    return ((value - value.min()) / spread).astype(np.float32)[labels]


def _squared_steps(values: F64) -> F64:
    """(n, n) squared distances between the rows of an (n, c) array."""
    return np.sum([np.subtract.outer(column, column) ** 2 for column in values.T], axis=0)


def _means(lab: F32, labels: I32, count: int) -> tuple[F64, F64, F64]:
    flat = labels.ravel()
    size = np.maximum(np.bincount(flat, minlength=count).astype(np.float64), 1)
    colour = np.stack([np.bincount(flat, lab[..., c].ravel(), count) for c in range(3)], axis=1) / size[:, None]
    y, x = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]]
    place = np.stack([np.bincount(flat, v.ravel(), count) for v in (x, y)], axis=1) / size[:, None]
    return colour, place / max(labels.shape), size


def _neighbours(labels: I32) -> I32:
    """(n, 2) pairs of touching superpixels, smaller first, no repeats."""
    sides = ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:]))
    count = int(labels.max()) + 1
    met = [np.minimum(a, b)[a != b] * count + np.maximum(a, b)[a != b] for a, b in sides]
    return np.stack(np.divmod(np.unique(np.concatenate(met)), count), axis=1)


def _smallest_step(pairs: I32, step: F64, count: int) -> F64:
    smallest = np.full(count, np.inf)
    np.minimum.at(smallest, pairs[:, 0], step)
    np.minimum.at(smallest, pairs[:, 1], step)
    return smallest[np.isfinite(smallest)]


def _two_apart(pairs: I32, count: int) -> I32:
    """Pairs of superpixels with a common neighbour."""
    from scipy.sparse import coo_matrix

    ones = np.ones(len(pairs), np.int32)
    touch = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    touch = (touch + touch.T).tocsr()
    far = (touch @ touch).tocoo()
    keep = far.row < far.col
    return np.stack([far.row[keep], far.col[keep]], axis=1)


def _optimise(contrast: F64, background: F64, colour: F64, pairs: I32, quiet: float, count: int) -> F64:
    """Least squares: background wants 0, contrast wants 1, like-coloured neighbours want to agree (section 4)."""
    pairs = np.unique(pairs, axis=0)
    step = np.maximum(np.linalg.norm(colour[pairs[:, 0]] - colour[pairs[:, 1]], axis=1) - quiet, 0)
    tie = np.exp(-(step**2) / (2 * GEODESIC_SIGMA**2)) + 0.1
    system = np.zeros((count, count))
    system[pairs[:, 0], pairs[:, 1]] = -tie
    system += system.T
    system[np.diag_indices(count)] = -system.sum(axis=1)
    wish = contrast * (1 - background)
    wish = wish / max(wish.max(), 1e-6)
    refuse = np.where(background > 0.1, background, 0.0) * 5
    system[np.diag_indices(count)] += wish + refuse + 1e-9
    return np.linalg.solve(system, wish)
