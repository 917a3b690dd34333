"""The foreground mask of a photo from the segmentation network: its doubtful pixels decided, its false holes filled."""

from __future__ import annotations

import logging
from functools import partial

import numpy as np

from manymesh.parallel import run_pair
from manymesh.segment.background import Background, fit_background
from manymesh.segment.foreground import (
    CLEAN_NOISE,
    FULL,
    SMALLEST_SIDE_PX,
    foreground_by_color,
    grabcut,
    to_lab,
    working_copy,
)
from manymesh.segment.network import Segmentation, SegmentationNetwork, resize_to_input
from manymesh.segment.regions import (
    bounding_box,
    enclosed_holes,
    fill_closed_holes,
    label_components,
    largest_components,
)
from manymesh.types import F32, U8, Bool

# All probabilities below were chosen by eye on the scenes of `benchmarks/lite_masks.py`.

# GrabCut takes pixels above this probability as certain foreground, and pixels below 1 - this as certain background.
# Narrower bands of undecided pixels were measured on the same scenes: they had half the gain of this one.
CERTAIN = 0.97
# Largest uncertainty (see `uncertainty`) of an answer that is used at all. Chosen by eye on the same scenes.
MAX_UNCERTAINTY = 0.2
# A narrow part above this probability stays foreground even where GrabCut removes it.
THIN_PART_PROBABILITY = 0.85
# Foreground below this probability is doubtful where its region reaches the edge of the photo.
EDGE_DOUBT = 0.9
# Share of the photo that must be doubtful at its edge before the segmentation by colour is asked. Chosen by eye.
EDGE_DOUBT_SHARE = 0.002
# A region whose mean probability is above this is trusted against the colours.
TRUSTED_MEAN = 0.95
# Holes smaller than this many pixels of the network's input are filled. Chosen by hand; not measured.
SMALLEST_HOLE_PX = 12
# Connected components that are looked at, the largest first. More than this are texture. Chosen by hand; not measured.
MAX_COMPONENTS = 128
# The hole of a ring: its centre is off the ring's centre by less than the first, and the ring's band is broader than
# the second, both as shares of the ring's longest side. Chosen by eye on rings and cups.
RING_OFF_CENTER, RING_BAND = 0.1, 0.06
# Largest ratio of a hole's colour distance from the background model to that of the visible background, for the hole
# to show background. Measured: pale tops on backgrounds of like colour are mostly off by half as much again; with this
# value no hole was opened wrongly in 42 held-out models on four backgrounds.
HOLE_COLOR_RATIO = 1.1
# L* above which colours decide nothing: a white object on white may equal it exactly. Chosen by hand; not measured.
BLOWN_OUT_LIGHTNESS = 99.0


def segment(network: SegmentationNetwork, rgb: U8) -> tuple[Bool, Segmentation] | None:
    """The foreground mask of an image, and the network's answer that it comes from.

    Args:
        network: an open one.
        rgb: (h, w, 3) uint8 sRGB.

    Returns:
        The mask, bool, at the size of ``resize_to_input(rgb)``, and the answer. The mask is empty where it would cover
        almost the whole image. None when the answer must not be used: the image is too small, the network is too
        uncertain, or it failed (then the log says so).
    """
    if min(rgb.shape[:2]) < SMALLEST_SIDE_PX:
        return None
    image = resize_to_input(rgb)
    try:
        segmentation = network(image)
    except RuntimeError as error:
        logging.getLogger(__name__).warning("Objects are segmented by colour alone: %s.", error)
        return None
    if uncertainty(segmentation) > MAX_UNCERTAINTY:
        return None
    mask, fitted = refine_mask(segmentation, image)
    if fitted is not None and mask.any():
        mask = restore_holes(mask, segmentation.probability, *fitted)
    return mask if mask.mean() < FULL else np.zeros_like(mask), segmentation


def lab_and_background(rgb: U8) -> tuple[F32, Background] | None:
    """(h, w, 3) float32 CIELAB of an image, and its background model. None when that is not plain and clean."""
    lab = to_lab(rgb)
    background = fit_background(lab, CLEAN_NOISE)
    return None if background is None else (lab, background)


def uncertainty(segmentation: Segmentation) -> float:
    """Sum of the pixels' probabilities of being wrong, as a share of the foreground's area; 0 is certain."""
    doubt = float(np.minimum(segmentation.probability, 1 - segmentation.probability).sum())
    return doubt / max(float((segmentation.probability > 0.5).sum()), 50.0)


def refine_mask(segmentation: Segmentation, rgb: U8) -> tuple[Bool, tuple[F32, Background] | None]:
    """The foreground mask, (h, w) bool, with GrabCut deciding the pixels that the network is not certain of.

    Where a doubtful region reaches the edge of the photo, the segmentation by colour is asked as well.

    Args:
        segmentation: the network's answer.
        rgb: (h, w, 3) uint8 sRGB, the network's input.

    Returns:
        The mask, and ``lab_and_background`` of the image; None in its place where the mask is empty.
    """
    import cv2

    probability = segmentation.probability
    if not (probability > 0.5).any():
        return np.zeros(probability.shape, bool), None
    hints = np.where(probability > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    hints[probability > CERTAIN] = cv2.GC_FGD
    hints[probability < 1 - CERTAIN] = cv2.GC_BGD
    # Doubt before GrabCut almost always means doubt after it, so the segmentation by colour need not wait.
    doubtful = _is_doubtful(probability > 0.5, probability)

    def judge_colors() -> tuple[Bool | None, tuple[F32, Background] | None]:
        return _foreground_by_color(rgb) if doubtful else None, lab_and_background(rgb)

    first, (color_mask, fitted) = run_pair(partial(grabcut, rgb, hints), judge_colors)
    mask = _with_thin_parts(first, probability)
    if _is_doubtful(mask, probability):
        mask = _without_doubtful_edge(
            mask, probability, _foreground_by_color(rgb) if color_mask is None else color_mask
        )
    return _fill_holes(mask, probability), fitted


def _with_thin_parts(mask: Bool, probability: F32) -> Bool:
    """A mask with the narrow parts that GrabCut removed, such as legs as grey as the floor."""
    import cv2

    lost = (probability > THIN_PART_PROBABILITY) & ~mask
    kernel = np.ones((7, 7), np.uint8)
    wide = cv2.morphologyEx(lost.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(mask | (lost & ~(cv2.dilate(wide, kernel) > 0)))


def _is_doubtful(mask: Bool, probability: F32) -> bool:
    """Whether a doubtful region of the mask reaches the edge of the photo."""
    return float(_at_edge(mask & (probability < EDGE_DOUBT)).mean()) >= EDGE_DOUBT_SHARE


def _at_edge(region: Bool) -> Bool:
    """The connected components of a region that reach the edge of the photo, without their narrow ends."""
    import cv2

    opened = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
    _, labels = label_components(opened)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.asarray(np.isin(labels, edge[edge > 0]))


def _foreground_by_color(rgb: U8) -> Bool:
    """(h, w) bool, the segmentation by colour at the image's own size."""
    import cv2

    small = foreground_by_color(working_copy(rgb)).astype(np.uint8)
    return np.asarray(cv2.resize(small, rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _without_doubtful_edge(mask: Bool, probability: F32, color_mask: Bool) -> Bool:
    """A mask without background of like colour that it spreads over up to the edge of the photo.

    A region is removed when it is background by colour, connected to the edge, and not trusted.
    """
    import cv2

    removed = _at_edge(mask & ~color_mask)
    if not color_mask.any() or not removed.any() or probability[removed].mean() > TRUSTED_MEAN:
        return mask
    return np.asarray(mask & ~(cv2.dilate(removed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0))


def _fill_holes(mask: Bool, probability: F32) -> Bool:
    """A mask without holes, except those where the network sees background."""
    _, labels = label_components(enclosed_holes(mask))
    sizes = np.bincount(labels.ravel())
    means = np.bincount(labels.ravel(), probability.ravel()) / np.maximum(sizes, 1)
    filled = (means > 0.5) | (sizes < SMALLEST_HOLE_PX)
    filled[0] = False
    return mask | filled[labels]


def restore_holes(mask: Bool, probability: F32, lab: F32, background: Background) -> Bool:
    """A mask with the holes through which a plain background is seen. The network fills many of them.

    Colour alone would also open the white lid of a chest on a white background. So a hole must either lie at the centre
    of a broad band, as that of a ring does, or be doubted by the network and match the background's colour exactly.

    Args:
        mask: (h, w) bool.
        probability: (h, w) float32, the network's.
        lab: (h, w, 3) float32 CIELAB of the same image.
        background: its background model.
    """
    import cv2

    filled = fill_closed_holes(mask, background.distance < 2.5, lab, 3.0 + 2.0 * background.noise)
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    _, labels = label_components(mask)
    result = mask.copy()
    outside = ~(mask | enclosed_holes(mask))
    usual = float(np.median(background.distance[outside])) if outside.any() else 0.0
    for hole in largest_components(mask & ~filled, MAX_COMPONENTS):
        if probability[hole].mean() < TRUSTED_MEAN and _shows_background(hole, lab, background, usual):
            result &= ~hole
            continue
        box, around = bounding_box(hole), bounding_box(labels == labels[hole][0])
        extent = max(around.width, around.height)
        off = max(abs(box.x0 + box.x1 - around.x0 - around.x1), abs(box.y0 + box.y1 - around.y0 - around.y1)) / 2
        if off < RING_OFF_CENTER * extent and depth[hole].min() > RING_BAND * extent:
            result &= ~hole
    return result


def _shows_background(hole: Bool, lab: F32, background: Background, usual: float) -> bool:
    """Whether a hole's colours fit the background model as well as the visible background does.

    Args:
        hole: (h, w) bool.
        lab: (h, w, 3) float32 CIELAB.
        background: the background model.
        usual: median distance of the visible background from the model.
    """
    import cv2

    core = cv2.erode(hole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    where = core if core.any() else hole
    blown_out = np.median(lab[where][:, 0]) > BLOWN_OUT_LIGHTNESS
    return bool(np.median(background.distance[where]) <= HOLE_COLOR_RATIO * usual and not blown_out)
