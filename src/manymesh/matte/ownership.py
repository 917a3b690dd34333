"""Whose pixels are these? In a crop that shows neighbours, each object keeps its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.types import U8, Box

FAINTEST = 8  # of 255; below it alpha is the network's noise, and would stretch the object's bounding box
_SMALLEST_SHARE = 0.0005  # of the largest part: smaller parts are specks


def own_alpha(alpha: U8, box: Box, others: Sequence[Box]) -> U8:
    """The alpha that belongs to the object in ``box``.

    Pixels inside another object's box and outside the object's own belong to the other. Of what is left, connected
    parts that lie for the most part outside the object's box go too, and so do specks and alpha below 8 of 255.

    Args:
        alpha: (h, w) uint8.
        box: the object's box in the same pixels.
        others: the neighbours' boxes in the same pixels.
    """
    h, w = alpha.shape
    inside = np.zeros((h, w), np.bool_)
    own = box.clipped(w, h)
    inside[own.y0 : own.y1, own.x0 : own.x1] = True
    foreign = np.zeros((h, w), np.bool_)
    for other in others:
        o = other.clipped(w, h)
        foreign[max(o.y0, 0) : max(o.y1, 0), max(o.x0, 0) : max(o.x1, 0)] = True
    kept = np.where((alpha >= FAINTEST) & ~(foreign & ~inside), alpha, 0).astype(np.uint8)
    return np.where(_own_parts(kept > 0, inside), kept, 0).astype(np.uint8)


def _own_parts(solid: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(h, w) bool: the connected parts of ``solid`` that lie mostly ``inside`` and are no specks."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    if count <= 1:
        return solid
    area = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    area[0] = 0
    shared = np.bincount(labels[inside], minlength=count)
    keep = (shared * 2 > area) & (area >= max(4, _SMALLEST_SHARE * area.max()))
    keep[0] = False
    return keep[labels]
