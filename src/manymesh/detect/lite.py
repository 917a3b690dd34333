"""Finding things: what stands apart from the ground, one detection for each separate thing.

A small network of our own (``image/finder.py``) tells things from ground and from each other. Where it doubts, or its
file is missing, the ground is told by its colours. Neither can read names; labels are left empty for the pipeline to
give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np

from manymesh.segment.foreground import foreground, to_lab, without_cut_off, working_copy
from manymesh.segment.guided_filter import full_size, sharpen_mask
from manymesh.segment.instances import by_middle, understood
from manymesh.segment.network import Finder, open_finder
from manymesh.segment.regions import box_of, components, connected_things, separate_things, sorted_things
from manymesh.settings import Settings
from manymesh.stages import Detect, Stage, Tick
from manymesh.types import U8, Bool, Box, Detection, Photo

ALPHA_SIDE = 1000
"""A given transparency is split into things on a copy no longer than this."""
SEEN_ALPHA = 24
"""Given alpha under this counts as empty when things are told apart."""


def detect(
    photo: Photo, *, finder: Finder | None = None, most: int = 32, tick: Tick = lambda share: None
) -> list[Detection]:
    """The separate things in a photo, left to right.

    A given transparency is taken at its word: its connected parts are the things. Else ``finder`` is asked; without
    one, or where it doubts or sees nothing, the ground is told from the border (``image/separate.py``). An empty list
    means that nothing stands apart from the ground: the picture is uniform, or noise, or one thing fills it.

    Args:
        photo: any size, down to one pixel.
        finder: an open one, or None.
        most: keep this many, the largest.
        tick: told the share done.

    Returns:
        Detections with a mask over the whole photo, an empty label and no score.
    """
    tick(0.0)
    if photo.alpha is not None:
        things = connected_things(working_copy(photo.alpha, ALPHA_SIDE) >= SEEN_ALPHA, most)
    else:
        things = found_by(finder, photo.rgb, most) if finder is not None else []
        tick(0.3)
        if not things:
            colour = working_copy(photo.rgb)
            mask = foreground(colour)
            tick(0.4)
            things = separate_things(mask, to_lab(colour), most)
    tick(0.5)
    found = []
    for index, thing in enumerate(things):
        others = np.logical_or.reduce([*things[:index], *things[index + 1 :], np.zeros_like(thing)])
        full, box = _at_full_size(photo, thing, others)
        if box.area > 0:
            found.append(Detection(box, "", mask=full, source=STAGE.name))
        tick(0.5 + 0.5 * (index + 1) / len(things))
    return found


def found_by(finder: Finder, rgb: U8, most: int) -> list[Bool]:
    """The things that the finder sees, as masks over the picture or a smaller copy of it; none where it doubts.

    Args:
        rgb: (h, w, 3) uint8.
        most: keep this many, the largest.
    """
    answer = understood(finder, rgb)
    if answer is None:
        return []
    mask, seen = answer
    things = by_middle(without_cut_off(mask), seen)
    if mask.shape[0] > rgb.shape[0] or mask.shape[1] > rgb.shape[1]:
        things = [full_size(rgb, thing) for thing in things]
    return sorted_things(things, most)


def _at_full_size(photo: Photo, thing: Bool, others: Bool) -> tuple[Bool, Box]:
    """One thing's mask over the whole photo, and its box there."""
    import cv2

    ratio_y, ratio_x = photo.height / thing.shape[0], photo.width / thing.shape[1]
    small = box_of(thing)
    margin = 4
    near = Box(small.x0 - margin, small.y0 - margin, small.x1 + margin, small.y1 + margin)
    near = near.clipped(thing.shape[1], thing.shape[0])
    # Whole working pixels, so that the small window and the large one show the same view.
    x0, x1 = (round(x * ratio_x) for x in (near.x0, near.x1))
    y0, y1 = (round(y * ratio_y) for y in (near.y0, near.y1))
    size = (x1 - x0, y1 - y0)
    mine = thing[near.y0 : near.y1, near.x0 : near.x1]
    theirs = others[near.y0 : near.y1, near.x0 : near.x1]
    if photo.alpha is None:
        window = sharpen_mask(photo.rgb[y0:y1, x0:x1], mine)
    else:
        reach = cv2.dilate(mine.astype(np.uint8), np.ones((3, 3), np.uint8))
        window = cv2.resize(reach, size, interpolation=cv2.INTER_NEAREST) > 0
        window &= photo.alpha[y0:y1, x0:x1] > 0
    if theirs.any():
        window &= cv2.resize(theirs.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) == 0
    window = _without_crumbs(window)
    full = np.zeros((photo.height, photo.width), bool)
    full[y0:y1, x0:x1] = window
    inner = box_of(window)
    return full, Box(inner.x0 + x0, inner.y0 + y0, inner.x1 + x0, inner.y1 + y0)


def _without_crumbs(mask: Bool) -> Bool:
    """A mask without the bits that redrawing its outline has torn off."""
    count, labels = components(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(labels.ravel())
    keep = sizes >= 0.002 * sizes[1:].sum()
    keep[0] = False
    return keep[labels]


@contextmanager
def open_detector(settings: Settings) -> Iterator[Detect]:
    """Open the detector; its network is read for the first photo that brings no transparency."""
    finder = cache(open_finder)

    def run(photo: Photo, names: Sequence[str], *, tick: Tick) -> list[Detection]:
        most = settings.max_objects + 1  # one more tells that there are more
        return detect(photo, finder=finder() if photo.alpha is None else None, most=most, tick=tick)

    yield run


STAGE = Stage(
    "foreground",
    "detect",
    "a small network of our own finds what stands apart from the ground; reads no names",
    "Apache-2.0",
    open_detector,
)
