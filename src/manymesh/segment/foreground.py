"""Foreground from background at working size: plain grounds by their surfaces, all others by saliency and GrabCut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.segment.background import plain_background, plain_ground
from manymesh.segment.regions import box_of, components, enclosed, open_holes, spread_colour, without_faded
from manymesh.segment.saliency import saliency
from manymesh.types import F32, U8, Bool, Box

WORKING_SIDE = 400
"""Longest side, in pixels, of the copy that decisions are made on."""
SMALLEST_SIDE = 8
"""A working copy with a shorter side than this holds nothing that could be told apart."""
CLEAN_NOISE = 1.3
"""Up to this much noise a plain ground alone decides; above it, a thing must stand out too."""
LEAST_SALIENT = 0.04
"""On a busy ground, less than this share of the picture is more likely a detail than a thing."""
MAIN_SHARE = 0.06
"""On a busy ground a part smaller than this share of the largest is a crumb."""
CUT_OFF_SHARE = 0.2
"""So is one smaller than this that the picture's edge cuts off: more likely a leaf of the ground than a thing."""
FULL = 0.93
"""A foreground over this share of the picture leaves no ground to tell it from."""


def working_copy(rgb: U8, side: int = WORKING_SIDE) -> U8:
    """The picture with its longest side at most ``side``, averaged down."""
    import cv2

    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(rgb)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def to_lab(rgb: U8) -> F32:
    """(h, w, 3) float32 CIELAB, L in 0..100."""
    import cv2

    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def foreground(rgb: U8) -> Bool:
    """What is not ground in a working copy, openings included; empty when nothing can be told apart.

    Args:
        rgb: (h, w, 3) uint8, as ``working_copy`` makes it.
    """
    height, width = rgb.shape[:2]
    nothing = np.zeros((height, width), bool)
    if min(height, width) < SMALLEST_SIDE:
        return nothing
    lab = to_lab(rgb)
    ground = plain_ground(lab)
    if ground is not None:
        solid = ~plain_background(lab, ground)
        if ground.noise > CLEAN_NOISE:
            solid = _agreed(rgb, solid, saliency(lab))
        solid = tightened(solid, lab)
        tolerance = 3.0 + 2.0 * ground.noise
        mask = open_holes(solid, ground.distance < 2.5, lab, tolerance)
    else:
        solid = without_cut_off(_main_parts(_salient(rgb, lab)))
        if solid.mean() < LEAST_SALIENT:
            return nothing
        mask = open_holes(solid, enclosed(solid), lab, 10.0)
    mask = without_faded(mask, lab)
    return mask if mask.mean() < FULL else nothing


def tightened(mask: Bool, lab: F32, reach: float = 4.0) -> Bool:
    """A mask without the rim pixels whose colour is nearer to the ground beside it than to the thing's own.

    The shaded ground at a thing's foot is too steep to be told from its outline by slope alone.
    """
    import cv2

    if not mask.any() or mask.all():
        return mask
    solid = mask | enclosed(mask)
    deep = cv2.distanceTransform(solid.astype(np.uint8), cv2.DIST_L2, 5)
    own = spread_colour(lab, np.clip(deep / reach - 0.2, 0.01, 1) ** 2 * solid)
    beside = spread_colour(lab, ~solid)
    step = own - beside
    share = ((lab - beside) * step).sum(axis=2) / np.maximum((step**2).sum(axis=2), 1.0)
    # Only what joins the outside: a bright stripe along the rim is the thing's own.
    loose = solid & (deep <= reach) & (share < 0.4)
    kernel = np.ones((3, 3), np.uint8)
    gone = np.zeros_like(solid)
    for _ in range(int(reach)):
        gone |= loose & (cv2.dilate((gone | ~solid).astype(np.uint8), kernel) > 0)
    return mask & ~gone


def _agreed(rgb: U8, solid: Bool, value: F32) -> Bool:
    """On a ground with some texture: what is off the ground, where it also stands out; GrabCut settles the rest."""
    import cv2

    hints = np.full(solid.shape, cv2.GC_PR_BGD, np.uint8)
    hints[solid & (value > 0.12)] = cv2.GC_PR_FGD
    hints[solid & (value > 0.6)] = cv2.GC_FGD
    hints[~solid & (value < 0.2)] = cv2.GC_BGD
    return grab(rgb, hints)


def _salient(rgb: U8, lab: F32) -> Bool:
    """On any other ground: GrabCut from what stands out."""
    import cv2

    value = saliency(lab)
    if value.max() <= 0:
        return np.zeros(value.shape, bool)
    middle = float(np.clip(_otsu(value), 0.15, 0.5))
    hints = np.full(value.shape, cv2.GC_PR_BGD, np.uint8)
    hints[value > middle] = cv2.GC_PR_FGD
    hints[value < 0.25 * middle] = cv2.GC_BGD
    hints[value > max(0.8, 1.6 * middle)] = cv2.GC_FGD
    return grab(rgb, hints)


def _otsu(value: F32) -> float:
    """The threshold between two groups of values that differ most in the mean (Otsu 1979)."""
    count, edges = np.histogram(value, 256)
    middle = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(count)[:-1], np.cumsum(count * middle)[:-1]
    above = value.size - below
    mean_below = total / np.maximum(below, 1)
    mean_above = ((count * middle).sum() - total) / np.maximum(above, 1)
    return float(middle[int(np.argmax(below * above.astype(np.float64) * (mean_above - mean_below) ** 2))])


def grab(rgb: U8, hints: U8, rounds: int = 2) -> Bool:
    """GrabCut (Rother, Kolmogorov and Blake 2004) from starting labels; deterministic.

    Args:
        rgb: (h, w, 3) uint8.
        hints: (h, w) uint8 of ``cv2.GC_*``. Not changed.
    """
    import cv2

    known_background = (hints == cv2.GC_BGD) | (hints == cv2.GC_PR_BGD)
    # Each colour model has five parts, and OpenCV wants a pixel for each.
    if known_background.sum() < 16 or (~known_background).sum() < 16:
        return ~known_background
    labels = hints.copy()
    models = [np.zeros((1, 65)), np.zeros((1, 65))]
    cv2.setRNGSeed(0)
    cv2.grabCut(
        np.ascontiguousarray(rgb[..., ::-1]), labels, (0, 0, 0, 0), models[0], models[1], rounds, cv2.GC_INIT_WITH_MASK
    )
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def foreground_in_box(rgb: U8, box: Box, others: Sequence[Box] = ()) -> Bool:
    """The thing inside a box that a person drew; empty when nothing there stands apart.

    What lies outside the box is background. Another thing's box is probably background where the two overlap, unless
    it holds most of this one. A box that leaves nothing of the view outside says that the view is the thing: the whole
    box is the answer when nothing in it stands apart.

    Args:
        rgb: (h, w, 3) uint8, a working copy of the box and some of its surroundings.
        box: in that copy's pixels.
        others: other things' boxes, in that copy's pixels.

    Returns:
        (h, w) bool.
    """
    height, width = rgb.shape[:2]
    box = box.clipped(width, height)
    inside = np.zeros((height, width), bool)
    inside[box.y0 : box.y1, box.x0 : box.x1] = True
    around = inside.size - int(inside.sum())
    if around < 0.04 * inside.size or min(height, width) < SMALLEST_SIDE:
        mask = foreground(rgb) & inside
        return mask if mask.sum() > 0.02 * inside.sum() else inside
    lab = to_lab(rgb)
    ground = plain_ground(lab, CLEAN_NOISE)
    theirs = boxes_of_others(box, others, inside.shape)
    if ground is not None and ground.explained > 0.8:
        solid = ~plain_background(lab, ground) & inside & ~theirs
        if 0.03 < solid.sum() / inside.sum() < 0.98:
            return _uncut_parts(
                open_holes(solid, ground.distance < 2.5, lab, 3.0 + 2.0 * ground.noise) & inside, inside
            )
    solid = grab(rgb, _box_hints(lab, inside, theirs), rounds=3) & inside
    if solid.sum() < 0.02 * inside.sum():
        return np.zeros_like(inside)
    return _uncut_parts(open_holes(solid, enclosed(solid), lab, 10.0) & inside, inside)


def boxes_of_others(box: Box, others: Sequence[Box], shape: tuple[int, ...]) -> Bool:
    """Where other things' boxes reach into ``box`` a little; one that holds most of it does not count."""
    mask = np.zeros(shape, bool)
    for other in others:
        shared = Box(max(box.x0, other.x0), max(box.y0, other.y0), min(box.x1, other.x1), min(box.y1, other.y1))
        if shared.width > 0 and shared.height > 0 and shared.area < 0.4 * box.area:
            mask[shared.y0 : shared.y1, shared.x0 : shared.x1] = True
    return mask


def _box_hints(lab: F32, inside: Bool, theirs: Bool) -> U8:
    """Starting labels: colours that are common outside the box and rare inside it are probably background."""
    import cv2

    cells = np.clip(lab / np.array([10, 12, 12], np.float32) + np.array([0, 11, 11], np.float32), 0, 21).astype(
        np.int64
    )
    keys = (cells[..., 0] * 22 + cells[..., 1]) * 22 + cells[..., 2]
    outer = np.bincount(keys[~inside], minlength=22**3) / max(int((~inside).sum()), 1)
    inner = np.bincount(keys[inside], minlength=22**3) / max(int(inside.sum()), 1)
    groundlike = (outer > 0.6 * inner)[keys]
    hints = np.full(inside.shape, cv2.GC_PR_FGD, np.uint8)
    hints[groundlike | theirs] = cv2.GC_PR_BGD
    hints[_heart(inside) & ~theirs] = cv2.GC_PR_FGD
    hints[~inside] = cv2.GC_BGD
    if (hints[inside] == cv2.GC_PR_FGD).mean() < 0.03:
        hints[inside] = cv2.GC_PR_FGD
    return hints


def _heart(inside: Bool) -> Bool:
    """The middle of a box, where people put the thing."""
    box = box_of(inside)
    y, x = np.mgrid[0 : inside.shape[0], 0 : inside.shape[1]]
    across = (x + 0.5 - (box.x0 + box.x1) / 2) / box.width
    down = (y + 0.5 - (box.y0 + box.y1) / 2) / box.height
    return across**2 + down**2 < 0.3**2


def _main_parts(mask: Bool) -> Bool:
    """The largest part, and others of some size: on a busy ground, crumbs are ground."""
    _, labels = components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return (sizes >= MAIN_SHARE * sizes.max())[labels] & mask


def without_cut_off(mask: Bool) -> Bool:
    """A mask without the lesser parts that the picture's edge cuts off."""
    _, labels = components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    lesser = sizes < CUT_OFF_SHARE * sizes.max()
    at_edge = np.zeros(len(sizes), bool)
    at_edge[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    return mask & ~(lesser & at_edge)[labels]


def _uncut_parts(mask: Bool, inside: Bool) -> Bool:
    """The main parts that the box does not cut off; the largest in any case."""
    import cv2

    _, labels = components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    rim = inside & ~(cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0)
    cut_off = np.zeros(len(sizes), bool)
    cut_off[np.unique(labels[rim])] = True
    cut_off[sizes.argmax()] = False
    return _main_parts(mask) & ~cut_off[labels]
