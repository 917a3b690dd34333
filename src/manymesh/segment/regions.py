"""From one foreground mask to separate things: holes, fragments, touching things, specks and order."""

from __future__ import annotations

import numpy as np

from manymesh.segment.background import slope_of
from manymesh.types import F32, I32, Bool, Box

SPECK_SHARE = 0.0008
"""A thing smaller than this share of the picture is a speck."""
SPECK_OF_LARGEST = 0.008
"""So is one smaller than this share of the largest thing."""
SPECK_PX = 24
"""So is one of fewer pixels than this."""
JOINED_SHARE = 0.2
"""A part over this share of its neighbour's size is a thing of its own, however near and alike."""
FADE_SLOPE = 2.0
"""A part whose outline changes by less than this (Lab units a pixel) is a patch of light or shade, not a thing."""
HOLE_SHARE = 0.004
"""An opening smaller than this share of its thing is taken for a highlight and filled."""


def components(mask: Bool) -> tuple[int, I32]:
    """Number of 8-connected parts, and (h, w) int32 labels from 1 in reading order of their first pixel."""
    import cv2

    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return int(count) - 1, np.asarray(labels, np.int32)


def enclosed(mask: Bool) -> Bool:
    """Pixels off the mask that no 4-connected path off the mask joins to the picture's edge."""
    import cv2

    off = np.pad(~mask, 1, constant_values=True)
    _, labels = cv2.connectedComponents(off.astype(np.uint8), connectivity=4)
    return (off & (labels != labels[0, 0]))[1:-1, 1:-1]


def open_holes(mask: Bool, candidates: Bool, lab: F32, tolerance: float) -> Bool:
    """Fill a foreground mask, but leave openings through which the ground is seen.

    An opening is large enough not to be a highlight, has a sharp rim, and its colour is the nearby ground's or, in the
    thing's own shadow, a little darker.

    Args:
        mask: (h, w) bool foreground.
        candidates: (h, w) bool, pixels that look like ground.
        lab: (h, w, 3) float32 CIELAB.
        tolerance: largest colour difference (Lab units) from the nearby ground.
    """
    import cv2

    filled = mask | enclosed(mask)
    inside = candidates & filled
    if not inside.any():
        return filled
    outside = ~filled
    if outside.sum() < 16:
        return filled
    nearby = spread_colour(lab, outside)
    slope = slope_of(lab)
    _, thing = components(filled)
    area = np.bincount(thing.ravel())
    count, holes = components(cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0)
    opened = filled.copy()
    for index in range(1, count + 1):
        hole = holes == index
        size = int(hole.sum())
        if size < max(14, HOLE_SHARE * area[thing[hole][0]]):
            continue
        core = cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        core = core if core.sum() >= 6 else hole
        difference = np.median(lab[core] - nearby[core], axis=0)
        lighter, darker = difference[0] > tolerance, difference[0] < -tolerance - 10
        if lighter or darker or np.hypot(difference[1], difference[2]) > tolerance:
            continue
        rim = (cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~core
        # A highlight fades into its surroundings; an opening's rim is as sharp as an outline.
        # Ground seen through a thing's own texture is ragged.
        if np.percentile(slope[rim], 75) < 3 or solidity(hole) < 0.6:
            continue
        opened &= ~hole
    return opened


def spread_colour(colour: F32, known: Bool | F32) -> F32:
    """(h, w, c) float32: known pixels' colours carried on smoothly over all others (push-pull pyramid).

    Args:
        colour: (h, w, c) float32.
        known: (h, w) bool, or float32 weights in 0..1.
    """
    import cv2

    def each(values: F32) -> F32:
        """One value a pixel as one a channel; NumPy multiplies equal shapes several times faster than it repeats."""
        return np.asarray(cv2.merge([values] * colour.shape[2])).reshape(*values.shape, -1)

    weight = known.astype(np.float32)
    if not weight.size:
        return np.asarray(colour, np.float32).copy()
    levels = [(colour * each(weight), weight)]
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
        trust = each(np.minimum(mass * 4, 1))
        result = trust * value / each(np.maximum(mass, 1e-6)) + (1 - trust) * np.reshape(coarse, value.shape)
    return result.astype(np.float32)


def separate_things(mask: Bool, lab: F32, most: int) -> list[Bool]:
    """The things in a foreground mask, left to right by their box, then top to bottom.

    Specks are dropped (see the constants), a fragment is joined to the thing beside it when it is small, near and alike
    or lies in its hull, and things that only touch over a narrow neck are parted. At most ``most`` largest are kept.
    """
    # Far too many crumbs are texture: only the largest can be things, and the joining stays short.
    parts = [piece for part in largest_parts(mask, 4 * most) for piece in part_touching(part)]
    return sorted_things(_join_fragments(parts, lab), most)


def connected_things(mask: Bool, most: int) -> list[Bool]:
    """The connected parts of a mask that are no specks, at most ``most``, in the order of ``separate_things``."""
    return sorted_things(largest_parts(mask, 4 * most), most)


def largest_parts(mask: Bool, most: int) -> list[Bool]:
    """The ``most`` largest connected parts of at least six pixels, in reading order of their first pixel."""
    _, labels = components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = np.sort(np.argsort(-sizes, kind="stable")[:most])
    return [labels == index for index in largest if sizes[index] >= 6]


def sorted_things(parts: list[Bool], most: int) -> list[Bool]:
    """The ``most`` largest of the parts that are no specks, left to right by their box, then top to bottom."""
    if not parts:
        return []
    sizes = np.array([part.sum() for part in parts])
    floor = max(SPECK_PX, SPECK_SHARE * parts[0].size, SPECK_OF_LARGEST * sizes.max())
    kept = [int(k) for k in np.argsort(-sizes, kind="stable")[:most] if sizes[k] >= floor]
    return sorted((parts[k] for k in kept), key=box_of)


def without_faded(mask: Bool, lab: F32) -> Bool:
    """A foreground mask without the parts that fade into their surroundings: patches of light or shade, not things."""
    slope = slope_of(lab)
    kept = np.zeros_like(mask)
    for part in largest_parts(mask, 256):
        if _has_outline(part, slope):
            kept |= part
    return kept


def _has_outline(part: Bool, slope: F32) -> bool:
    """Whether a part ends at edges of the picture; a patch of light or shade fades instead."""
    import cv2

    flat = part.astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    ring = (cv2.dilate(flat, kernel) - cv2.erode(flat, kernel, borderValue=1)) > 0
    steepest = cv2.dilate(slope, kernel)[ring]
    return bool(np.median(steepest) > FADE_SLOPE)


def box_of(mask: Bool) -> Box:
    """The smallest box around a mask's pixels; empty at the origin when it has none."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return Box(0, 0, 0, 0)
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def part_touching(part: Bool) -> list[Bool]:
    """Cut one part where two convex shapes meet in a narrow neck; else the part alone."""
    import cv2

    if part.sum() < 200 or solidity(part) > 0.9:
        return [part]
    x0, y0, x1, y1 = box_of(part)
    window = np.pad(part[y0:y1, x0:x1] | enclosed(part[y0:y1, x0:x1]), 1)
    depth = cv2.distanceTransform(window.astype(np.uint8), cv2.DIST_L2, 5)
    # Hearts of shapes: what remains when everything thinner than half the deepest is gone, one per shape.
    for share in (0.35, 0.5, 0.65):
        count, hearts = components(depth > share * depth.max())
        if count >= 2:
            break
    if not 2 <= count <= 12:
        return [part]
    flood = _flooded(depth, hearts, window)
    pieces = [flood == index for index in range(1, count + 1)]
    smallest, largest = min(p.sum() for p in pieces), max(p.sum() for p in pieces)
    if smallest < 0.12 * largest or any(solidity(piece) < 0.9 for piece in pieces):
        return [part]
    result = []
    for piece in pieces:
        whole = np.zeros_like(part)
        whole[y0:y1, x0:x1] = piece[1:-1, 1:-1] & part[y0:y1, x0:x1]
        result.append(whole)
    return result


def _flooded(depth: np.ndarray, hearts: np.ndarray, window: Bool, levels: int = 64) -> np.ndarray:
    """The hearts' numbers spread over ``window`` as water rises, deeper places first: a marker watershed by levels."""
    import cv2

    flood = np.where(window, hearts, 0).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    for level in np.linspace(float(depth.max()), 0.0, levels):
        land = window & (depth >= level)
        while True:
            reached = land & (flood == 0) & (cv2.dilate(flood, kernel) > 0)
            if not reached.any():
                break
            flood = np.where(reached, cv2.dilate(flood, kernel), flood)
    return flood


def solidity(part: Bool) -> float:
    """A shape's area over its convex hull's, holes filled; 1 for a convex shape."""
    import cv2

    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(np.concatenate(outlines))
    # Outlines run through pixel centres; half a pixel all round belongs to the hull too.
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1
    return float((part | enclosed(part)).sum() / max(hull_area, 1))


def _join_fragments(parts: list[Bool], lab: F32) -> list[Bool]:
    """Give each small fragment to the larger thing that it clearly belongs to, smallest first."""
    import cv2

    parts = sorted(parts, key=lambda part: (int(part.sum()), box_of(part)))
    reach = 0.012 * max(lab.shape[:2]) + 2
    colours = [lab[part].mean(axis=0) for part in parts]
    hulls = [_hull(part) for part in parts]
    taken: set[int] = set()
    for small, fragment in enumerate(parts):
        best, best_gap = -1, reach
        for large in range(len(parts) - 1, small, -1):
            if (
                fragment.sum() > JOINED_SHARE * parts[large].sum()
                or _gap(box_of(fragment), box_of(parts[large])) > reach
            ):
                continue
            away = cv2.distanceTransform((~parts[large]).astype(np.uint8), cv2.DIST_L2, 3)
            gap = float(away[fragment].min())
            alike = float(np.linalg.norm(colours[small] - colours[large])) < 16
            within = (fragment & hulls[large]).sum() > 0.85 * fragment.sum()
            if gap <= best_gap and (alike or within):
                best, best_gap = large, gap
        if best >= 0:
            parts[best] = parts[best] | fragment
            taken.add(small)
    return [part for index, part in enumerate(parts) if index not in taken]


def _gap(a: Box, b: Box) -> int:
    return max(a.x0 - b.x1, b.x0 - a.x1, a.y0 - b.y1, b.y0 - a.y1, 0)


def _hull(part: Bool) -> Bool:
    import cv2

    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    canvas = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.concatenate(outlines)), 1)
    return canvas > 0
