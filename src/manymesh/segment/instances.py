"""Instance segmentation: group the pixels of a foreground mask by the object centre that each predicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from manymesh.segment.mask import MAX_COMPONENTS
from manymesh.segment.network import Segmentation
from manymesh.segment.regions import bounding_box, enclosed_holes, largest_components, split_touching
from manymesh.types import F32, Bool, Box

# All values below were chosen by eye on the scenes of `benchmarks/lite_masks.py` and 42 held-out models.

# Smallest value of a heatmap peak that a component is split for. Weaker peaks are guesses about one object's centre.
MIN_PEAK = 0.4
# Two components are one object when their predicted centres are nearer than this share of the longest side of both
# together.
SAME_CENTER = 0.2
# A component is not split when a piece would be smaller than this share of the largest piece.
MIN_PIECE_SHARE = 0.2
# A component is split only if its predicted centres form clusters with at least this `_separation`.
MIN_SEPARATION = 0.9
# A round piece fills more than this share of its smallest enclosing circle. A square fills 0.64.
ROUNDNESS = 0.75
# Do not split pieces whose x-ranges overlap by more than this share of the narrower one: they are stacked parts of one
# object, such as the shade and the foot of a lamp.
STACKED_OVERLAP = 0.6


def group_by_center(mask: Bool, segmentation: Segmentation) -> list[Bool]:
    """The objects of a foreground mask, in no particular order, specks included.

    A connected component is one object, unless the predicted centres of its pixels form separate clusters. Components
    with nearly the same predicted centre are one object, such as the foot and the shade of a lamp.

    Args:
        mask: (h, w) bool.
        segmentation: the network's answer for the same view.

    Returns:
        Masks of (h, w) bool that do not overlap.
    """
    centers = _predicted_centers(mask.shape, segmentation)
    peaks = _center_peaks(segmentation)
    # Hundreds of small components are texture. Only the largest can be objects, and merging stays fast.
    components = largest_components(mask, MAX_COMPONENTS)
    pieces = [piece for component in components for piece in _split_by_center(component, centers, peaks)]
    return [piece for item in _merge_by_center(pieces, centers) for piece in _split_round_neighbours(item)]


def _split_round_neighbours(item: Bool) -> list[Bool]:
    """An object, or the round ones side by side that it consists of, such as sweets that touch."""
    pieces = split_touching(item)
    if not all(_is_round(piece) for piece in pieces):
        return [item]
    columns = [np.nonzero(piece)[1] for piece in pieces]
    pairs = ((a, b) for i, a in enumerate(columns) for b in columns[:i])
    return [item] if any(_is_stacked(a, b) for a, b in pairs) else pieces


def _is_round(piece: Bool) -> bool:
    """Whether a piece fills most of its smallest enclosing circle."""
    import cv2

    outlines, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    _, radius = cv2.minEnclosingCircle(np.concatenate(outlines))
    return bool((piece | enclosed_holes(piece)).sum() > ROUNDNESS * np.pi * (radius + 0.5) ** 2)


def _predicted_centers(shape: Sequence[int], segmentation: Segmentation) -> F32:
    """(h, w, 2) float32: the object centre that each pixel predicts, x and y in pixels."""
    import cv2

    height, width = shape
    offsets = cv2.resize(np.ascontiguousarray(segmentation.center_offsets.transpose(1, 2, 0)), (width, height))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    return np.asarray(np.asarray(offsets, np.float32) + np.stack([x, y], axis=2))


def _center_peaks(segmentation: Segmentation) -> F32:
    """(n, 2) float32 x and y of the heatmap's peaks, in pixels of the network's input, the highest first."""
    import cv2

    heatmap = np.asarray(cv2.GaussianBlur(segmentation.center_heatmap, (0, 0), 1.0), np.float32)
    highest = cv2.dilate(heatmap, np.ones((5, 5), np.uint8))
    rows, columns = np.nonzero((heatmap == highest) & (heatmap > MIN_PEAK))
    order = np.argsort(-heatmap[rows, columns], kind="stable")
    return np.stack([columns[order], rows[order]], axis=1).astype(np.float32) * 4 + 2


def _split_by_center(component: Bool, centers: F32, peaks: F32) -> list[Bool]:
    """One connected component, split where its pixels' predicted centres form separate clusters.

    Each pixel first goes to the peak nearest to its predicted centre. Then the weakest piece is merged into its nearest
    neighbour until all pieces are large, side by side and clearly separate.

    Args:
        component: (h, w) bool.
        centers: (h, w, 2) float32, see ``_predicted_centers``.
        peaks: (n, 2) float32, see ``_center_peaks``.
    """
    rows, columns = np.nonzero(component)
    votes = centers[rows, columns]
    owner = np.linalg.norm(votes[:, None] - peaks[None], axis=2).argmin(axis=1) if len(peaks) else rows * 0
    while True:
        counts = np.bincount(owner)
        used = np.flatnonzero(counts)
        if len(used) == 1:
            return [component]
        means = {one: votes[owner == one].mean(axis=0) for one in used}
        nearest = {one: min(used[used != one], key=lambda other: _length(means[other] - means[one])) for one in used}
        weight = {one: _separation(votes[owner == one], votes[owner == nearest[one]]) for one in used}
        small = {one: counts[one] < MIN_PIECE_SHARE * counts.max() for one in used}
        stacked = {one: _is_stacked(columns[owner == one], columns[owner == nearest[one]]) for one in used}
        weakest = min(used, key=lambda one: (not (small[one] or stacked[one]), weight[one], counts[one]))
        if not (small[weakest] or stacked[weakest]) and weight[weakest] >= MIN_SEPARATION:
            break
        others = used[used != weakest]
        merged = owner == weakest
        center = votes[merged].mean(axis=0)
        owner[merged] = others[np.linalg.norm(peaks[others] - center, axis=1).argmin()]
    pieces = []
    for one in used:
        piece = np.zeros_like(component)
        piece[rows[owner == one], columns[owner == one]] = True
        pieces.append(piece)
    return pieces


def _separation(votes: F32, others: F32) -> float:
    """How separate two groups of predicted centres, (n, 2) and (m, 2), are along the line between their means.

    It is the share of the variance of both together that lies between the groups: 0.75 for one uniform stretch cut in
    two, 1 for two points.
    """
    axis = others.mean(axis=0) - votes.mean(axis=0)
    axis = axis / max(_length(axis), 1e-6)
    first, second = votes @ axis, others @ axis
    both = np.concatenate([first, second])
    within = ((first - np.median(first)) ** 2).sum() + ((second - np.median(second)) ** 2).sum()
    return 1 - float(within) / max(float(((both - both.mean()) ** 2).sum()), 1e-6)


def _is_stacked(columns: NDArray[np.intp], others: NDArray[np.intp]) -> bool:
    """Whether one piece lies right above or below the other. Given are the columns of their pixels."""
    (a0, a1), (b0, b1) = np.quantile(columns, (0.05, 0.95)), np.quantile(others, (0.05, 0.95))
    return bool(min(a1, b1) - max(a0, b0) > STACKED_OVERLAP * max(min(a1 - a0, b1 - b0), 1.0))


def _length(vector: F32) -> float:
    return float(np.linalg.norm(vector))


def _merge_by_center(pieces: list[Bool], centers: F32) -> list[Bool]:
    """Pieces with nearly the same predicted centre become one object. The largest come first."""
    pieces = sorted(pieces, key=lambda piece: (-int(piece.sum()), bounding_box(piece)))
    merged: list[Bool] = []
    merged_centers: list[F32] = []
    boxes: list[Box] = []
    for piece in pieces:
        center, box = np.median(centers[piece], axis=0), bounding_box(piece)
        for index, other in enumerate(merged_centers):
            both = _union(boxes[index], box)
            if _length(center - other) < SAME_CENTER * max(both.width, both.height):
                merged[index], boxes[index] = merged[index] | piece, both
                break
        else:
            merged.append(piece)
            merged_centers.append(center)
            boxes.append(box)
    return merged


def _union(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))
