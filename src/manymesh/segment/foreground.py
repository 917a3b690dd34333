"""Segmentation by colour alone: a plain background by its surfaces, any other by saliency and GrabCut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.segment.background import background_mask, fit_background
from manymesh.segment.regions import (
    bounding_box,
    drop_faded_components,
    enclosed_holes,
    fill_closed_holes,
    label_components,
    push_pull_fill,
)
from manymesh.segment.saliency import saliency
from manymesh.types import F32, U8, Bool, Box

# Longest side of the copy of the image that is segmented. Chosen by hand for speed; not measured.
WORKING_SIDE_PX = 400
# In a working copy with a shorter side than this no object can be found. Chosen by hand; not measured.
SMALLEST_SIDE_PX = 8
# Up to this much noise the background model alone decides; above it, foreground must be salient too. Chosen by hand;
# not measured.
CLEAN_NOISE = 1.3
# On a busy background, foreground below this share of the image is more likely a detail. Chosen by hand; not measured.
MIN_SALIENT_SHARE = 0.04
# On a busy background, components below this share of the largest are dropped. Chosen by eye on the example photos and
# the scenes of `benchmarks/lite_masks.py`.
MAIN_SHARE = 0.06
# Components that the edge of the image cuts off are dropped below this share of the largest: they are more likely
# background, such as a leaf. Chosen by eye on `examples/flower.jpg`.
CUT_OFF_SHARE = 0.2
# Foreground above this share of the image leaves no background to tell it from. Chosen by hand; not measured.
FULL = 0.93


def working_copy(image: U8, side_px: int = WORKING_SIDE_PX) -> U8:
    """An image or alpha channel, (h, w, ...) uint8, averaged down to a longest side of at most ``side_px``."""
    import cv2

    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(image)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def to_lab(rgb: U8) -> F32:
    """(h, w, 3) float32 CIELAB, L in 0..100, of (h, w, 3) uint8 sRGB."""
    import cv2

    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def foreground_by_color(rgb: U8) -> Bool:
    """The foreground mask of a working copy, (h, w) bool, with its holes; empty when no object can be found.

    Args:
        rgb: (h, w, 3) uint8 sRGB, as ``working_copy`` makes it.
    """
    height, width = rgb.shape[:2]
    nothing = np.zeros((height, width), bool)
    if min(height, width) < SMALLEST_SIDE_PX:
        return nothing
    lab = to_lab(rgb)
    background = fit_background(lab)
    if background is not None:
        solid = ~background_mask(lab, background)
        if background.noise > CLEAN_NOISE:
            solid = _grabcut_salient_foreground(rgb, solid, saliency(lab))
        solid = trim_shaded_edge(solid, lab)
        tolerance = 3.0 + 2.0 * background.noise
        mask = fill_closed_holes(solid, background.distance < 2.5, lab, tolerance)
    else:
        solid = drop_cut_off_components(_main_components(_grabcut_from_saliency(rgb, lab)))
        if solid.mean() < MIN_SALIENT_SHARE:
            return nothing
        mask = fill_closed_holes(solid, enclosed_holes(solid), lab, 10.0)
    mask = drop_faded_components(mask, lab)
    return mask if mask.mean() < FULL else nothing


def trim_shaded_edge(mask: Bool, lab: F32, reach_px: float = 4.0) -> Bool:
    """A mask without the pixels along its edge whose colour is nearer to the background's than to the object's.

    They are shaded background at the foot of an object, which is too steep to be separated from its outline by slope.

    Args:
        mask: (h, w) bool.
        lab: (h, w, 3) float32 CIELAB.
        reach_px: how far from the edge pixels may be removed.
    """
    import cv2

    if not mask.any() or mask.all():
        return mask
    solid = mask | enclosed_holes(mask)
    depth = cv2.distanceTransform(solid.astype(np.uint8), cv2.DIST_L2, 5)
    inner = push_pull_fill(lab, np.clip(depth / reach_px - 0.2, 0.01, 1) ** 2 * solid)
    outer = push_pull_fill(lab, ~solid)
    step = inner - outer
    share = ((lab - outer) * step).sum(axis=2) / np.maximum((step**2).sum(axis=2), 1.0)
    # Only pixels connected to the outside: a bright stripe along the edge belongs to the object.
    loose = solid & (depth <= reach_px) & (share < 0.4)
    kernel = np.ones((3, 3), np.uint8)
    removed = np.zeros_like(solid)
    for _ in range(int(reach_px)):
        removed |= loose & (cv2.dilate((removed | ~solid).astype(np.uint8), kernel) > 0)
    return mask & ~removed


def _grabcut_salient_foreground(rgb: U8, solid: Bool, value: F32) -> Bool:
    """On a background with some texture: what is off the background model and salient. GrabCut decides the rest.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        solid: (h, w) bool, what is off the background model.
        value: (h, w) float32, saliency.
    """
    import cv2

    hints = np.full(solid.shape, cv2.GC_PR_BGD, np.uint8)
    hints[solid & (value > 0.12)] = cv2.GC_PR_FGD
    hints[solid & (value > 0.6)] = cv2.GC_FGD
    hints[~solid & (value < 0.2)] = cv2.GC_BGD
    return grabcut(rgb, hints)


def _grabcut_from_saliency(rgb: U8, lab: F32) -> Bool:
    """On any other background: GrabCut that starts from the salient pixels.

    The network rarely needs this: without it, 105 scenes of cutouts on made backgrounds and three of the four example
    photos come out the same. But on `examples/coffee.png` it is what removes doubtful background at the photo's edge,
    8 % of the photo, so it stays.
    """
    import cv2

    value = saliency(lab)
    if value.max() <= 0:
        return np.zeros(value.shape, bool)
    threshold = float(np.clip(_otsu(value), 0.15, 0.5))
    hints = np.full(value.shape, cv2.GC_PR_BGD, np.uint8)
    hints[value > threshold] = cv2.GC_PR_FGD
    hints[value < 0.25 * threshold] = cv2.GC_BGD
    hints[value > max(0.8, 1.6 * threshold)] = cv2.GC_FGD
    return grabcut(rgb, hints)


def _otsu(value: F32) -> float:
    """The threshold that maximises the variance between the two groups of values (Otsu 1979).

    Args:
        value: (h, w) float32 whose least value is 0 and whose largest is 1.
    """
    import cv2

    # OpenCV answers with the last of the 256 levels of the lower group; the threshold is that level's centre.
    levels = np.minimum(value * 256, 255).astype(np.uint8)
    level, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return (level + 0.5) / 256


def grabcut(rgb: U8, hints: U8, rounds: int = 2) -> Bool:
    """The foreground, (h, w) bool, by GrabCut (Rother, Kolmogorov and Blake 2004) from initial labels; deterministic.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        hints: (h, w) uint8 of ``cv2.GC_*``. Not changed.
        rounds: iterations.
    """
    import cv2

    known_background = (hints == cv2.GC_BGD) | (hints == cv2.GC_PR_BGD)
    # Each colour model is a mixture of five Gaussians, and OpenCV needs at least a pixel for each.
    if known_background.sum() < 16 or (~known_background).sum() < 16:
        return np.asarray(~known_background)
    labels = hints.copy()
    models = [np.zeros((1, 65)), np.zeros((1, 65))]
    cv2.setRNGSeed(0)
    cv2.grabCut(
        np.ascontiguousarray(rgb[..., ::-1]), labels, (0, 0, 0, 0), models[0], models[1], rounds, cv2.GC_INIT_WITH_MASK
    )
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def foreground_in_box(rgb: U8, box: Box, others: Sequence[Box] = ()) -> Bool:
    """The object inside a box that a person drew, by colour; empty when nothing in the box stands apart.

    Pixels outside the box are background. The box of another object is probably background where the two overlap,
    unless it covers most of this one. A box that leaves almost nothing of the view outside says that the view is the
    object: the answer is then the whole box when nothing in it stands apart.

    Args:
        rgb: (h, w, 3) uint8 sRGB, a working copy of the box and some of its surroundings.
        box: in that copy's pixels.
        others: the boxes of other objects, in that copy's pixels.

    Returns:
        (h, w) bool.
    """
    height, width = rgb.shape[:2]
    box = box.clipped(width, height)
    inside = np.zeros((height, width), bool)
    inside[box.y0 : box.y1, box.x0 : box.x1] = True
    around = inside.size - int(inside.sum())
    if around < 0.04 * inside.size or min(height, width) < SMALLEST_SIDE_PX:
        mask = foreground_by_color(rgb) & inside
        return mask if mask.sum() > 0.02 * inside.sum() else inside
    lab = to_lab(rgb)
    background = fit_background(lab, CLEAN_NOISE)
    excluded = boxes_of_others(box, others, inside.shape)
    if background is not None and background.explained > 0.8:
        solid = ~background_mask(lab, background) & inside & ~excluded
        if 0.03 < solid.sum() / inside.sum() < 0.98:
            tolerance = 3.0 + 2.0 * background.noise
            filled = fill_closed_holes(solid, background.distance < 2.5, lab, tolerance)
            return _components_of_box(filled & inside, inside)
    solid = grabcut(rgb, _box_hints(lab, inside, excluded), rounds=3) & inside
    if solid.sum() < 0.02 * inside.sum():
        return np.zeros_like(inside)
    return _components_of_box(fill_closed_holes(solid, enclosed_holes(solid), lab, 10.0) & inside, inside)


def boxes_of_others(box: Box, others: Sequence[Box], shape: tuple[int, ...]) -> Bool:
    """(h, w) bool: where other objects' boxes overlap ``box``. One that covers 40 % of it or more does not count.

    Args:
        box: the object's own box.
        others: the boxes of other objects.
        shape: (h, w, ...), size of the answer.
    """
    mask = np.zeros(shape, bool)
    for other in others:
        shared = Box(max(box.x0, other.x0), max(box.y0, other.y0), min(box.x1, other.x1), min(box.y1, other.y1))
        if shared.width > 0 and shared.height > 0 and shared.area < 0.4 * box.area:
            mask[shared.y0 : shared.y1, shared.x0 : shared.x1] = True
    return mask


def _box_hints(lab: F32, inside: Bool, excluded: Bool) -> U8:
    """Initial GrabCut labels: colours that are common outside the box and rare inside it are probably background.

    Args:
        lab: (h, w, 3) float32 CIELAB.
        inside: (h, w) bool, the box.
        excluded: (h, w) bool, probably other objects.
    """
    import cv2

    cells = np.clip(lab / np.array([10, 12, 12], np.float32) + np.array([0, 11, 11], np.float32), 0, 21).astype(
        np.int64
    )
    keys = (cells[..., 0] * 22 + cells[..., 1]) * 22 + cells[..., 2]
    outer = np.bincount(keys[~inside], minlength=22**3) / max(int((~inside).sum()), 1)
    inner = np.bincount(keys[inside], minlength=22**3) / max(int(inside.sum()), 1)
    like_background = (outer > 0.6 * inner)[keys]
    hints = np.full(inside.shape, cv2.GC_PR_FGD, np.uint8)
    hints[like_background | excluded] = cv2.GC_PR_BGD
    hints[_box_center(inside) & ~excluded] = cv2.GC_PR_FGD
    hints[~inside] = cv2.GC_BGD
    if (hints[inside] == cv2.GC_PR_FGD).mean() < 0.03:
        hints[inside] = cv2.GC_PR_FGD
    return hints


def _box_center(inside: Bool) -> Bool:
    """(h, w) bool: an ellipse at the centre of a box, where people put the object."""
    box = bounding_box(inside)
    y, x = np.mgrid[0 : inside.shape[0], 0 : inside.shape[1]]
    across = (x + 0.5 - (box.x0 + box.x1) / 2) / box.width
    down = (y + 0.5 - (box.y0 + box.y1) / 2) / box.height
    return np.asarray(across**2 + down**2 < 0.3**2)


def _main_components(mask: Bool) -> Bool:
    """The largest component and others of some size. On a busy background, small components are background."""
    _, labels = label_components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= MAIN_SHARE * sizes.max())[labels] & mask)


def drop_cut_off_components(mask: Bool) -> Bool:
    """A mask without the smaller components that the edge of the image cuts off."""
    _, labels = label_components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    smaller = sizes < CUT_OFF_SHARE * sizes.max()
    at_edge = np.zeros(len(sizes), bool)
    at_edge[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    return np.asarray(mask & ~(smaller & at_edge)[labels])


def _components_of_box(mask: Bool, inside: Bool) -> Bool:
    """The main components that the box does not cut off; the largest in any case.

    Args:
        mask: (h, w) bool.
        inside: (h, w) bool, the box.
    """
    import cv2

    _, labels = label_components(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    edge = inside & ~(cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0)
    cut_off = np.zeros(len(sizes), bool)
    cut_off[np.unique(labels[edge])] = True
    cut_off[sizes.argmax()] = False
    return _main_components(mask) & ~cut_off[labels]
