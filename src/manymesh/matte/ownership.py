"""Whose pixels are these? In a crop that shows neighbours, each object keeps its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.types import U8, Bool, Box

FAINTEST = 8  # of 255; below it alpha is the network's noise, and would stretch the object's bounding box
_SOLID = 128
_SMALLEST_SHARE = 0.0005  # of the largest part: smaller parts are specks


def own_alpha(alpha: U8, box: Box, others: Sequence[Box]) -> U8:
    """The alpha that belongs to the object in ``box``.

    Pixels inside another object's box and outside the object's own belong to the other. What is left falls into
    connected parts; soft edges go with the solid part nearest to them, if they touch it. Parts that lie for the most
    part outside the object's box go too, and so do specks, alpha below 8 of 255, and parts that reach over from a
    neighbour: solid in the neighbour's area and nowhere in area that is the object's alone (where the object has
    such a part).

    Args:
        alpha: (h, w) uint8.
        box: the object's box in the same pixels.
        others: the neighbours' boxes in the same pixels.
    """
    h, w = alpha.shape
    inside = _filled((h, w), [box])
    claimed = _filled((h, w), others)
    solid = alpha >= _SOLID if (alpha >= _SOLID).any() else alpha >= FAINTEST
    visible = (alpha >= FAINTEST) & ~(claimed & ~inside)
    keep = _own_parts(solid, visible, inside, claimed) & visible
    return np.where(_touching(keep, solid), alpha, 0).astype(np.uint8)


def _filled(shape: tuple[int, int], boxes: Sequence[Box]) -> Bool:
    """(h, w) bool: the pixels in any of the boxes."""
    h, w = shape
    mask = np.zeros(shape, np.bool_)
    for box in boxes:
        b = box.clipped(w, h)
        mask[max(b.y0, 0) : max(b.y1, 0), max(b.x0, 0) : max(b.x1, 0)] = True
    return mask


def _own_parts(solid: Bool, visible: Bool, inside: Bool, claimed: Bool) -> Bool:
    """(h, w) bool: pixels whose nearest solid part is one that the object keeps."""
    import cv2

    count, labels = cv2.connectedComponents(solid.astype(np.uint8), connectivity=8)
    if count <= 1:
        return solid

    def pixels_in(mask: Bool) -> np.ndarray:
        return np.bincount(labels[mask & solid], minlength=count)

    seen, shared = pixels_in(visible), pixels_in(visible & inside)
    keep = (2 * shared > seen) & (seen >= max(4, _SMALLEST_SHARE * seen.max()))
    at_home, abroad = pixels_in(inside & ~claimed) > 0, pixels_in(claimed & ~inside) > 0
    if (keep & at_home).any():
        keep &= at_home | ~abroad
    keep[0] = False
    own: np.ndarray = keep[_nearest_part(solid, labels)]
    return own


def _touching(kept: Bool, solid: Bool) -> Bool:
    """Those of the ``kept`` pixels that hang together with a solid one: haze far from the object goes."""
    import cv2

    count, labels = cv2.connectedComponents(kept.astype(np.uint8), connectivity=8)
    anchored = np.bincount(labels[kept & solid], minlength=count) > 0
    anchored[0] = False
    linked: Bool = anchored[labels]
    return linked


def _nearest_part(solid: Bool, labels: np.ndarray) -> np.ndarray:
    """(h, w) the label of the solid pixel nearest to each pixel."""
    import cv2

    _, seeds = cv2.distanceTransformWithLabels(
        (~solid).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    part_of_seed = np.zeros(int(seeds.max()) + 1, labels.dtype)
    part_of_seed[seeds[solid]] = labels[solid]
    parts: np.ndarray = part_of_seed[seeds]
    return parts
