"""Operations on masks: connected components, holes, fragments, objects that touch, specks, order."""

from __future__ import annotations

import numpy as np

from manymesh.segment.background import color_gradient
from manymesh.types import F32, I32, Bool, Box

# An object smaller than any of these is a speck and dropped: a share of the image, a share of the largest object, and
# pixels. Chosen by hand; not measured.
SPECK_SHARE = 0.0008
SPECK_OF_LARGEST = 0.008
SPECK_PX = 24
# A component above this share of its neighbour's area is an object of its own, however near and alike. Chosen by hand;
# not measured.
FRAGMENT_SHARE = 0.2
# A component whose outline has a median colour gradient below this (Lab units a pixel) is a patch of light or shade.
# Chosen by hand; not measured.
FADED_GRADIENT = 2.0
# A hole smaller than this share of its object is taken for a highlight and filled. Chosen by hand; not measured.
HOLE_SHARE = 0.004


def label_components(mask: Bool) -> tuple[int, I32]:
    """Number of 8-connected components, and (h, w) int32 labels, 0 off the mask, from 1 in reading order of their first
    pixel."""
    import cv2

    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return int(count) - 1, np.asarray(labels, np.int32)


def enclosed_holes(mask: Bool) -> Bool:
    """(h, w) bool: the mask's holes, which are pixels off the mask that no 4-connected path off the mask joins to the
    edge of the image."""
    import cv2

    off = np.pad(~mask, 1, constant_values=True)
    _, labels = cv2.connectedComponents(off.astype(np.uint8), connectivity=4)
    return np.asarray((off & (labels != labels[0, 0]))[1:-1, 1:-1])


def fill_closed_holes(mask: Bool, candidates: Bool, lab: F32, tolerance: float) -> Bool:
    """A foreground mask with all its holes filled except open ones, through which the background is seen.

    An open hole is large enough not to be a highlight, has a sharp edge, and its colour is that of the nearby
    background or, in the object's own shadow, a little darker.

    Args:
        mask: (h, w) bool foreground.
        candidates: (h, w) bool, pixels that look like background.
        lab: (h, w, 3) float32 CIELAB.
        tolerance: largest colour difference (Lab units) from the nearby background.
    """
    import cv2

    filled = mask | enclosed_holes(mask)
    inside = candidates & filled
    if not inside.any():
        return filled
    outside = ~filled
    if outside.sum() < 16:
        return filled
    nearby = push_pull_fill(lab, outside)
    gradient = color_gradient(lab)
    _, labels = label_components(filled)
    area = np.bincount(labels.ravel())
    opened = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    count, holes = label_components(opened)
    result = filled.copy()
    for index in range(1, count + 1):
        hole = holes == index
        size = int(hole.sum())
        if size < max(14, HOLE_SHARE * area[labels[hole][0]]):
            continue
        core = cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        core = core if core.sum() >= 6 else hole
        difference = np.median(lab[core] - nearby[core], axis=0)
        lighter, darker = difference[0] > tolerance, difference[0] < -tolerance - 10
        if lighter or darker or np.hypot(difference[1], difference[2]) > tolerance:
            continue
        edge = (cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~core
        # A highlight fades into its surroundings; the edge of an open hole is as sharp as an outline.
        # Background of like colour with the object's own texture is ragged.
        if np.percentile(gradient[edge], 75) < 3 or solidity(hole) < 0.6:
            continue
        result &= ~hole
    return result


def push_pull_fill(color: F32, known: Bool | F32) -> F32:
    """(h, w, c) float32: the colours of known pixels, extended smoothly over all others by a push-pull pyramid.

    Args:
        color: (h, w, c) float32.
        known: (h, w) bool, or float32 weights in 0..1.
    """
    import cv2

    def per_channel(values: F32) -> F32:
        """(h, w) repeated for each channel; NumPy multiplies equal shapes several times faster than it broadcasts."""
        return np.asarray(cv2.merge([values] * color.shape[2])).reshape(*values.shape, -1)

    weight = known.astype(np.float32)
    if not weight.size:
        return np.asarray(color, np.float32).copy()
    levels = [(color * per_channel(weight), weight)]
    while min(levels[-1][1].shape) > 2:
        value, mass = levels[-1]
        half = ((mass.shape[1] + 1) // 2, (mass.shape[0] + 1) // 2)
        smaller, lighter = (cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in (value, mass))
        levels.append((np.asarray(smaller, np.float32), np.asarray(lighter, np.float32)))
    value, mass = levels[-1]
    total = max(float(mass.sum()), 1e-9)
    result = np.where(mass[..., None] > 1e-6, value / np.maximum(mass, 1e-6)[..., None], value.sum(axis=(0, 1)) / total)
    for value, mass in reversed(levels[:-1]):
        size = (mass.shape[1], mass.shape[0])
        coarse = cv2.resize(result.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        trust = per_channel(np.minimum(mass * 4, 1))
        result = trust * value / per_channel(np.maximum(mass, 1e-6)) + (1 - trust) * np.reshape(coarse, value.shape)
    return result.astype(np.float32)


def split_objects(mask: Bool, lab: F32, limit: int) -> list[Bool]:
    """The objects of a foreground mask by shape and colour, in the order of ``select_objects``, without a network.

    Specks are dropped. A fragment is merged into the object beside it when it is small and near, and either has its
    colour or lies in its convex hull. Objects that touch along a narrow neck are split.

    Args:
        mask: (h, w) bool.
        lab: (h, w, 3) float32 CIELAB.
        limit: how many objects are kept, the largest.
    """
    # Hundreds of small components are texture. Only the largest can be objects, and merging stays fast.
    parts = [piece for component in largest_components(mask, 4 * limit) for piece in split_touching(component)]
    return select_objects(_merge_fragments(parts, lab), limit)


def connected_objects(mask: Bool, limit: int) -> list[Bool]:
    """The connected components of a mask that are not specks, at most ``limit``, in the order of ``select_objects``."""
    return select_objects(largest_components(mask, 4 * limit), limit)


def largest_components(mask: Bool, limit: int) -> list[Bool]:
    """The ``limit`` largest 8-connected components of at least six pixels, in reading order of their first pixel."""
    _, labels = label_components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = np.sort(np.argsort(-sizes, kind="stable")[:limit])
    return [labels == index for index in largest if sizes[index] >= 6]


def select_objects(objects: list[Bool], limit: int) -> list[Bool]:
    """The ``limit`` largest of the masks that are not specks, left to right by their box, then top to bottom."""
    if not objects:
        return []
    sizes = np.array([mask.sum() for mask in objects])
    smallest = max(SPECK_PX, SPECK_SHARE * objects[0].size, SPECK_OF_LARGEST * sizes.max())
    kept = [int(k) for k in np.argsort(-sizes, kind="stable")[:limit] if sizes[k] >= smallest]
    return sorted((objects[k] for k in kept), key=bounding_box)


def drop_faded_components(mask: Bool, lab: F32) -> Bool:
    """A foreground mask without the components that fade into their surroundings: patches of light or shade."""
    gradient = color_gradient(lab)
    kept = np.zeros_like(mask)
    for component in largest_components(mask, 256):
        if _has_outline(component, gradient):
            kept |= component
    return kept


def _has_outline(component: Bool, gradient: F32) -> bool:
    """Whether a component ends at edges of the image; a patch of light or shade fades instead."""
    import cv2

    flat = component.astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    ring = (cv2.dilate(flat, kernel) - cv2.erode(flat, kernel, borderValue=1)) > 0
    steepest = cv2.dilate(gradient, kernel)[ring]
    return bool(np.median(steepest) > FADED_GRADIENT)


def bounding_box(mask: Bool) -> Box:
    """The smallest box around the pixels of an (h, w) mask; an empty box at the origin when it has none."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return Box(0, 0, 0, 0)
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def split_touching(component: Bool) -> list[Bool]:
    """One connected component, split where convex shapes meet in a narrow neck; else the component alone."""
    import cv2

    if component.sum() < 200 or solidity(component) > 0.9:
        return [component]
    x0, y0, x1, y1 = bounding_box(component)
    window = np.pad(component[y0:y1, x0:x1] | enclosed_holes(component[y0:y1, x0:x1]), 1)
    depth = cv2.distanceTransform(window.astype(np.uint8), cv2.DIST_L2, 5)
    # Markers, one per shape: what remains when everything thinner than a share of the deepest is removed.
    for share in (0.35, 0.5, 0.65):
        count, markers = label_components(depth > share * depth.max())
        if count >= 2:
            break
    if not 2 <= count <= 12:
        return [component]
    # All markers lie equally deep, so that the neck between two shapes is as far from one as from the other.
    labels = np.where(window, _nearest_marker(markers), 0)
    pieces = [labels == index for index in range(1, count + 1)]
    smallest, largest = min(p.sum() for p in pieces), max(p.sum() for p in pieces)
    if smallest < 0.12 * largest or any(solidity(piece) < 0.9 for piece in pieces):
        return [component]
    result = []
    for piece in pieces:
        whole = np.zeros_like(component)
        whole[y0:y1, x0:x1] = piece[1:-1, 1:-1] & component[y0:y1, x0:x1]
        result.append(whole)
    return result


def _nearest_marker(markers: I32) -> I32:
    """(h, w) int32: the label of the nearest marker. ``markers`` is (h, w) int32, 0 off the markers."""
    import cv2

    # OpenCV numbers the markers in an order of its own.
    free = (markers == 0).astype(np.uint8)
    _, index = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)
    label_of = np.zeros(int(index.max()) + 1, np.int32)
    label_of[index[markers > 0]] = markers[markers > 0]
    return np.asarray(label_of[index])


def solidity(mask: Bool) -> float:
    """Area of a mask with its holes filled, over the area of its convex hull; 1 for a convex shape."""
    import cv2

    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(np.concatenate(outlines))
    # Outlines run through pixel centres; half a pixel all round belongs to the hull too.
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1
    return float((mask | enclosed_holes(mask)).sum() / max(hull_area, 1))


def _merge_fragments(parts: list[Bool], lab: F32) -> list[Bool]:
    """Merge each small fragment into the larger part that it clearly belongs to, the smallest first."""
    import cv2

    parts = sorted(parts, key=lambda part: (int(part.sum()), bounding_box(part)))
    max_gap = 0.012 * max(lab.shape[:2]) + 2
    colors = [lab[part].mean(axis=0) for part in parts]
    hulls = [_convex_hull(part) for part in parts]
    merged: set[int] = set()
    for small, fragment in enumerate(parts):
        best, best_gap = -1, max_gap
        for large in range(len(parts) - 1, small, -1):
            if (
                fragment.sum() > FRAGMENT_SHARE * parts[large].sum()
                or _box_gap(bounding_box(fragment), bounding_box(parts[large])) > max_gap
            ):
                continue
            distance = cv2.distanceTransform((~parts[large]).astype(np.uint8), cv2.DIST_L2, 3)
            gap = float(distance[fragment].min())
            alike = float(np.linalg.norm(colors[small] - colors[large])) < 16
            within = (fragment & hulls[large]).sum() > 0.85 * fragment.sum()
            if gap <= best_gap and (alike or within):
                best, best_gap = large, gap
        if best >= 0:
            parts[best] = parts[best] | fragment
            merged.add(small)
    return [part for index, part in enumerate(parts) if index not in merged]


def _box_gap(a: Box, b: Box) -> int:
    """Pixels between two boxes along the axis on which they are farther apart; 0 when they overlap."""
    return max(a.x0 - b.x1, b.x0 - a.x1, a.y0 - b.y1, b.y0 - a.y1, 0)


def _convex_hull(mask: Bool) -> Bool:
    """(h, w) bool: the filled convex hull of a mask."""
    import cv2

    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    canvas = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.concatenate(outlines)), 1)
    return canvas > 0
