"""Cutting a thing out without a network: soft alpha along its outline, and its own colour under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from manymesh.errors import ObjectError
from manymesh.matte.alpha import carried_colour, estimate_alpha, foreground_colour, sides_of
from manymesh.segment.foreground import boxes_of_others, foreground_in_box, working_copy
from manymesh.segment.guided_filter import full_size, sharpen_mask
from manymesh.segment.instances import understood
from manymesh.segment.network import Finder, open_finder
from manymesh.settings import Settings
from manymesh.stages import Matte, Stage, Tick
from manymesh.types import U8, Bool, Box, Crop, Cutout

SNAP_SHARE = 0.02
"""How far a mask's outline may be off, as a share of its thing's longest side."""
BAND_SHARE = 0.004
"""Half width of the soft edge, as a share of the thing's longest side..."""
BAND_PX = 2.0, 8.0
"""... within these bounds."""
BOX_SIDE = 320
"""What is inside a box is decided on a copy with at most this longest side."""
LEAST_OF_BOX = 0.1
"""What is found in a person's box must fill so much of it."""
LEAST_PX = 12
"""Fewer opaque pixels than this are no thing."""


def matte(crop: Crop, *, finder: Finder | None = None, tick: Tick = lambda share: None) -> Cutout:
    """Cut one thing out of its crop.

    A given transparency is kept as it is (inside the thing's mask or box). Else alpha is estimated along the outline
    of the mask, or of what stands apart inside the box when there is no mask.

    Args:
        crop: one thing and its surroundings.
        finder: tells what stands apart inside a box; None: colours do.
        tick: told the share done.

    Raises:
        ObjectError: when nothing is left.
    """
    tick(0.0)
    if crop.alpha is not None:
        rgba = _given(crop)
    else:
        mask = crop.mask if crop.mask is not None else segment_in_box(crop.rgb, crop.box, crop.others, finder)
        tick(0.4)
        rgba = _estimated(crop, mask)
    if int((rgba[..., 3] >= 128).sum()) < min(LEAST_PX, crop.box.area):
        raise ObjectError(
            "nothing stands apart from its surroundings in the object's box",
            "Draw the box with a little of the ground around the object, or give a photo with transparency.",
        )
    tick(1.0)
    return Cutout(rgba, crop.window)


def segment_in_box(rgb: U8, box: Box, others: tuple[Box, ...] = (), finder: Finder | None = None) -> Bool:
    """(h, w) bool: the thing inside a box, at full resolution; empty when nothing stands apart.

    Args:
        rgb: (h, w, 3) uint8, the box and some of its surroundings.
        box: the thing's box in the picture's pixels.
        others: boxes of other things; they are background where they overlap ``box`` a little.
        finder: asked first; where it doubts or sees nothing in the box, and without it, colours decide.
    """
    if finder is not None and (seen := found_in_box(rgb, box, others, finder)).any():
        return seen
    small = working_copy(rgb, BOX_SIDE)
    ratio_x, ratio_y = small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0]
    mask = foreground_in_box(small, _scaled(box, ratio_x, ratio_y), [_scaled(o, ratio_x, ratio_y) for o in others])
    clear = mask.any() and not mask.all()
    full = sharpen_mask(rgb, mask) if clear else np.full(rgb.shape[:2], bool(mask.any()))
    return full & _full_box(box, rgb.shape[:2])


def _full_box(box: Box, shape: tuple[int, ...]) -> Bool:
    inside = np.zeros(shape, bool)
    inside[box.y0 : box.y1, box.x0 : box.x1] = True
    return inside


def found_in_box(rgb: U8, box: Box, others: tuple[Box, ...], finder: Finder) -> Bool:
    """(h, w) bool: what the finder sees in the box, at full resolution; empty where it doubts or sees little.

    Args: as of ``segment_in_box``.
    """
    nothing = np.zeros(rgb.shape[:2], bool)
    answer = understood(finder, rgb)
    if answer is None:
        return nothing
    mask, _ = answer
    ratio_x, ratio_y = mask.shape[1] / rgb.shape[1], mask.shape[0] / rgb.shape[0]
    here = _scaled(box, ratio_x, ratio_y).clipped(mask.shape[1], mask.shape[0])
    inside = np.zeros_like(mask)
    inside[here.y0 : here.y1, here.x0 : here.x1] = True
    inside &= ~boxes_of_others(here, [_scaled(other, ratio_x, ratio_y) for other in others], mask.shape)
    mask &= inside
    if not mask.sum() / max(int(inside.sum()), 1) > LEAST_OF_BOX:
        return nothing
    return full_size(rgb, mask) & _full_box(box, rgb.shape[:2])


def _scaled(box: Box, x: float, y: float) -> Box:
    return Box(int(box.x0 * x), int(box.y0 * y), int(np.ceil(box.x1 * x)), int(np.ceil(box.y1 * y)))


def _given(crop: Crop) -> U8:
    import cv2

    assert crop.alpha is not None
    alpha = crop.alpha.copy()
    if crop.mask is not None:
        # A soft edge may lie a pixel or two outside the detector's mask.
        reach = cv2.dilate(crop.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        alpha[~reach] = 0
    else:
        outside = np.ones(alpha.shape, bool)
        outside[crop.box.y0 : crop.box.y1, crop.box.x0 : crop.box.x1] = False
        alpha[outside] = 0
    if not alpha.any():
        return np.dstack([crop.rgb, alpha])
    # Files often hold black or leftovers under full transparency.
    most = int(alpha.max())
    return np.dstack([carried_colour(crop.rgb, alpha >= min(16, most), alpha >= min(200, most)), alpha])


def _estimated(crop: Crop, mask: Bool) -> U8:
    if mask.shape != crop.rgb.shape[:2]:
        raise ValueError(f"a mask of {mask.shape} over a crop of {crop.rgb.shape}")
    if not mask.any() or mask.all():
        return np.dstack([crop.rgb, np.where(mask, 255, 0).astype(np.uint8)])
    side = max(crop.box.width, crop.box.height)
    band = float(np.clip(BAND_SHARE * side, *BAND_PX))
    sides = sides_of(crop.rgb, mask, snap=max(1.5, SNAP_SHARE * side), band=band)
    alpha = estimate_alpha(crop.rgb, sides)
    return np.dstack([foreground_colour(crop.rgb, alpha, sides), alpha])


@contextmanager
def open_matte(settings: Settings) -> Iterator[Matte]:
    """Open the matte stage; its network is read for the first box that comes without a mask."""
    finder = cache(open_finder)

    def run(crop: Crop, *, tick: Tick) -> Cutout:
        told = crop.mask is not None or crop.alpha is not None
        return matte(crop, finder=None if told else finder(), tick=tick)

    yield run


STAGE = Stage(
    "colour-mix",
    "matte",
    "soft edges and foreground colours from the colours on either side of the outline",
    "Apache-2.0",
    open_matte,
    thread_safe=True,
)
