"""Alpha matting without a matting network: soft alpha along the object's outline, and its own colour under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from manymesh.errors import ObjectError
from manymesh.matte.alpha import estimate_alpha, estimate_edge_colors, estimate_foreground, extend_color
from manymesh.segment.foreground import boxes_of_others, foreground_in_box, working_copy
from manymesh.segment.guided_filter import resize_mask, sharpen_mask
from manymesh.segment.mask import segment
from manymesh.segment.network import SegmentationNetwork, open_network
from manymesh.settings import Settings
from manymesh.stages import Matte, Stage, Tick
from manymesh.types import U8, Bool, Box, Crop, Cutout

# How far the outline of a mask may be off, as a share of the object's longest side. Chosen by hand; not measured.
SNAP_SHARE = 0.02
# Half width of the soft edge as a share of the object's longest side, and its least and greatest value in pixels.
# Chosen by hand; not measured.
BAND_SHARE = 0.004
BAND_PX = 2.0, 8.0
# Longest side of the copy on which a box is segmented by colour. Chosen by hand for speed; not measured.
BOX_SIDE_PX = 320
# Smallest share of a person's box that the network's foreground must cover to be used. Chosen by hand; not measured.
MIN_BOX_SHARE = 0.1
# A cutout with fewer opaque pixels than this is an error. Chosen by hand; not measured.
MIN_OPAQUE_PX = 12


def matte(crop: Crop, *, network: SegmentationNetwork | None = None, tick: Tick = lambda share: None) -> Cutout:
    """Cut one object out of its crop.

    A transparency of the photo's own is kept as it is, inside the object's mask or box. Otherwise alpha is estimated
    along the outline of the mask, or of what is segmented inside the box when there is no mask.

    Args:
        crop: an object and its surroundings.
        network: segments the inside of a box; None: colours do.
        tick: called with the share done, 0..1.

    Raises:
        ObjectError: almost nothing opaque is left.
    """
    tick(0.0)
    if crop.alpha is not None:
        rgba = _with_given_alpha(crop)
    else:
        mask = crop.mask if crop.mask is not None else segment_in_box(crop.rgb, crop.box, crop.others, network)
        tick(0.4)
        rgba = _with_estimated_alpha(crop, mask)
    if int((rgba[..., 3] >= 128).sum()) < min(MIN_OPAQUE_PX, crop.box.area):
        raise ObjectError(
            "nothing stands apart from its surroundings in the object's box",
            "Draw the box with a little of the background around the object, or give a photo with transparency.",
        )
    tick(1.0)
    return Cutout(rgba, crop.window)


def segment_in_box(rgb: U8, box: Box, others: tuple[Box, ...] = (), network: SegmentationNetwork | None = None) -> Bool:
    """(h, w) bool: the object inside a box, at full resolution; empty when nothing in the box stands apart.

    Args:
        rgb: (h, w, 3) uint8 sRGB, the box and some of its surroundings.
        box: the object's box in pixels of ``rgb``.
        others: boxes of other objects; they are background where they overlap ``box`` a little.
        network: asked first. Without it, and where it is uncertain or sees little in the box, colours decide.
    """
    if network is not None and (mask := network_mask_in_box(rgb, box, others, network)).any():
        return mask
    small = working_copy(rgb, BOX_SIDE_PX)
    ratio_x, ratio_y = small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0]
    mask = foreground_in_box(small, _scaled(box, ratio_x, ratio_y), [_scaled(o, ratio_x, ratio_y) for o in others])
    partial = mask.any() and not mask.all()
    full = sharpen_mask(rgb, mask) if partial else np.full(rgb.shape[:2], bool(mask.any()))
    return full & _box_mask(box, rgb.shape[:2])


def _box_mask(box: Box, shape: tuple[int, ...]) -> Bool:
    inside = np.zeros(shape, bool)
    inside[box.y0 : box.y1, box.x0 : box.x1] = True
    return inside


def network_mask_in_box(rgb: U8, box: Box, others: tuple[Box, ...], network: SegmentationNetwork) -> Bool:
    """(h, w) bool: the network's foreground in the box, at full resolution; empty where it is uncertain or sees little.

    Args: as of ``segment_in_box``.
    """
    nothing = np.zeros(rgb.shape[:2], bool)
    answer = segment(network, rgb)
    if answer is None:
        return nothing
    mask, _ = answer
    ratio_x, ratio_y = mask.shape[1] / rgb.shape[1], mask.shape[0] / rgb.shape[0]
    scaled = _scaled(box, ratio_x, ratio_y).clipped(mask.shape[1], mask.shape[0])
    inside = _box_mask(scaled, mask.shape)
    inside &= ~boxes_of_others(scaled, [_scaled(other, ratio_x, ratio_y) for other in others], mask.shape)
    mask &= inside
    if not mask.sum() / max(int(inside.sum()), 1) > MIN_BOX_SHARE:
        return nothing
    return resize_mask(rgb, mask) & _box_mask(box, rgb.shape[:2])


def _scaled(box: Box, x: float, y: float) -> Box:
    """A box in the pixels of a resized image, rounded outwards at the right and the bottom."""
    return Box(int(box.x0 * x), int(box.y0 * y), int(np.ceil(box.x1 * x)), int(np.ceil(box.y1 * y)))


def _with_given_alpha(crop: Crop) -> U8:
    """(h, w, 4) uint8: the crop with the photo's own alpha, restricted to the object's mask or box."""
    import cv2

    assert crop.alpha is not None
    alpha = crop.alpha.copy()
    if crop.mask is not None:
        # A soft edge may lie a pixel or two outside the detector's mask.
        reach = cv2.dilate(crop.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        alpha[~reach] = 0
    else:
        alpha[~_box_mask(crop.box, alpha.shape)] = 0
    if not alpha.any():
        return np.dstack([crop.rgb, alpha])
    # Files often hold black or leftovers under full transparency.
    highest = int(alpha.max())
    return np.dstack([extend_color(crop.rgb, alpha >= min(16, highest), alpha >= min(200, highest)), alpha])


def _with_estimated_alpha(crop: Crop, mask: Bool) -> U8:
    """(h, w, 4) uint8: the crop with alpha and foreground colours estimated along the outline of a mask."""
    if mask.shape != crop.rgb.shape[:2]:
        raise ValueError(f"a mask of {mask.shape} over a crop of {crop.rgb.shape}")
    if not mask.any() or mask.all():
        return np.dstack([crop.rgb, np.where(mask, 255, 0).astype(np.uint8)])
    side = max(crop.box.width, crop.box.height)
    band_px = float(np.clip(BAND_SHARE * side, *BAND_PX))
    edge = estimate_edge_colors(crop.rgb, mask, snap_px=max(1.5, SNAP_SHARE * side), band_px=band_px)
    alpha = estimate_alpha(crop.rgb, edge)
    return np.dstack([estimate_foreground(crop.rgb, alpha, edge), alpha])


@contextmanager
def open_matte(settings: Settings) -> Iterator[Matte]:
    """Open the matte stage. Its network is read from disk for the first crop that has neither mask nor alpha."""
    network = cache(open_network)

    def run(crop: Crop, *, tick: Tick) -> Cutout:
        needs_network = crop.mask is None and crop.alpha is None
        return matte(crop, network=network() if needs_network else None, tick=tick)

    yield run


STAGE = Stage(
    "colour-mix",
    "matte",
    "soft edges and foreground colours from the colours on either side of the outline",
    "Apache-2.0",
    open_matte,
    thread_safe=True,
)
