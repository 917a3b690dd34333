"""Instance segmentation of a photo without reading names: one detection for each object.

The packaged segmentation network (``segment/network.py``) separates objects from the background and from each other.
Where it is uncertain, or its file is missing, objects are segmented by colour. Neither can read names, so labels are
empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np

from manymesh.onnx import weight_problem
from manymesh.segment import network as segmentation
from manymesh.segment.foreground import drop_cut_off_components, foreground_by_color, to_lab, working_copy
from manymesh.segment.guided_filter import resize_mask, sharpen_mask
from manymesh.segment.instances import group_by_center
from manymesh.segment.mask import segment
from manymesh.segment.network import SegmentationNetwork, open_network
from manymesh.segment.regions import bounding_box, connected_objects, label_components, select_objects, split_objects
from manymesh.settings import Settings
from manymesh.stages import Detect, Stage, Tick
from manymesh.types import U8, Bool, Box, Detection, Photo

# Longest side of the copy on which a photo's own transparency is split into objects. Chosen by hand for speed.
ALPHA_SIDE_PX = 1000
# Alpha below this counts as empty when objects are split. Chosen by hand; not measured.
MIN_ALPHA = 24
# Components of an object's full-size mask below this share of it are dropped. Chosen by hand; not measured.
MIN_COMPONENT_SHARE = 0.002


def detect(
    photo: Photo, *, network: SegmentationNetwork | None = None, limit: int = 32, tick: Tick = lambda share: None
) -> list[Detection]:
    """The separate objects in a photo, left to right.

    Where the photo has a transparency of its own, its connected components are the objects. Otherwise the network is
    asked. Without it, and where it is uncertain or sees nothing, objects are segmented by colour. The list is empty
    when nothing stands apart from the background: the photo is uniform, or noise, or one object fills it.

    Args:
        photo: any size, down to one pixel.
        network: an open one, or None.
        limit: keep at most this many, the largest.
        tick: called with the share done, 0..1.

    Returns:
        Detections with a mask over the whole photo, an empty label and no score.
    """
    tick(0.0)
    if photo.alpha is not None:
        objects = connected_objects(working_copy(photo.alpha, ALPHA_SIDE_PX) >= MIN_ALPHA, limit)
    else:
        objects = network_objects(network, photo.rgb, limit) if network is not None else []
        tick(0.3)
        if not objects:
            small = working_copy(photo.rgb)
            mask = foreground_by_color(small)
            tick(0.4)
            objects = split_objects(mask, to_lab(small), limit)
    tick(0.5)
    found = []
    for index, mask in enumerate(objects):
        others = np.logical_or.reduce([*objects[:index], *objects[index + 1 :], np.zeros_like(mask)])
        full, box = _at_full_size(photo, mask, others)
        if box.area > 0:
            found.append(Detection(box, "", mask=full, source=STAGE.name))
        tick(0.5 + 0.5 * (index + 1) / len(objects))
    return found


def network_objects(network: SegmentationNetwork, rgb: U8, limit: int) -> list[Bool]:
    """The objects that the network sees, as masks over the photo or a smaller copy of it; none where it is uncertain.

    Args:
        network: an open one.
        rgb: (h, w, 3) uint8 sRGB.
        limit: keep at most this many, the largest.
    """
    answer = segment(network, rgb)
    if answer is None:
        return []
    mask, segmentation = answer
    objects = group_by_center(drop_cut_off_components(mask), segmentation)
    if mask.shape[0] > rgb.shape[0] or mask.shape[1] > rgb.shape[1]:
        objects = [resize_mask(rgb, one) for one in objects]
    return select_objects(objects, limit)


def _at_full_size(photo: Photo, mask: Bool, others: Bool) -> tuple[Bool, Box]:
    """One object's mask over the whole photo, and its box there.

    Args:
        photo: of (H, W) pixels.
        mask: (h, w) bool over the photo or a smaller copy of it.
        others: (h, w) bool, all other objects.
    """
    import cv2

    ratio_y, ratio_x = photo.height / mask.shape[0], photo.width / mask.shape[1]
    small = bounding_box(mask)
    margin = 4
    near = Box(small.x0 - margin, small.y0 - margin, small.x1 + margin, small.y1 + margin)
    near = near.clipped(mask.shape[1], mask.shape[0])
    # Whole pixels of the small copy, so that the small window and the large one show the same view.
    x0, x1 = (round(x * ratio_x) for x in (near.x0, near.x1))
    y0, y1 = (round(y * ratio_y) for y in (near.y0, near.y1))
    size = (x1 - x0, y1 - y0)
    own = mask[near.y0 : near.y1, near.x0 : near.x1]
    excluded = others[near.y0 : near.y1, near.x0 : near.x1]
    if photo.alpha is None:
        window = sharpen_mask(photo.rgb[y0:y1, x0:x1], own)
    else:
        reach = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8))
        window = cv2.resize(reach, size, interpolation=cv2.INTER_NEAREST) > 0
        window &= photo.alpha[y0:y1, x0:x1] > 0
    if excluded.any():
        window &= cv2.resize(excluded.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) == 0
    window = drop_small_components(window)
    full = np.zeros((photo.height, photo.width), bool)
    full[y0:y1, x0:x1] = window
    inner = bounding_box(window)
    return full, Box(inner.x0 + x0, inner.y0 + y0, inner.x1 + x0, inner.y1 + y0)


def drop_small_components(mask: Bool) -> Bool:
    """A mask without the small components that sharpening its outline has cut off."""
    count, labels = label_components(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(labels.ravel())
    keep = sizes >= MIN_COMPONENT_SHARE * sizes[1:].sum()
    keep[0] = False
    return np.asarray(keep[labels])


@contextmanager
def open_detector(settings: Settings) -> Iterator[Detect]:
    """Open the detector. Its network is read from disk for the first photo without a transparency of its own."""
    network = cache(open_network)

    def run(photo: Photo, names: Sequence[str], *, tick: Tick) -> list[Detection]:
        limit = settings.max_objects + 1  # one more shows that there are more
        return detect(photo, network=network() if photo.alpha is None else None, limit=limit, tick=tick)

    yield run


def _damage() -> str | None:
    problem = weight_problem(segmentation.WEIGHTS)
    return problem and f"tells objects from the background by colour alone: {problem}"


def _instead(settings: Settings) -> str | None:
    """A detector that reads names, where the user names objects and has one that needs no GPU."""
    from manymesh.detect.owlvit.stage import better_than

    return better_than(settings)


STAGE = Stage(
    "foreground",
    "detect",
    "a small network of our own finds what stands apart from the background; reads no names",
    "Apache-2.0",
    open_detector,
    damage=_damage,
    instead=_instead,
)
