"""From the network's scores and boxes to detections: thresholds, repeats under one name and under two, groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from manymesh.detect.postprocess import overlaps
from manymesh.types import F32, Box, Detection

# A box counts from this score on. It is the default of transformers' own post-processing for this family.
THRESHOLD = 0.1
# Two boxes under one name are one object from this intersection over union on. Chosen by hand; not measured.
SAME_NAME_OVERLAP = 0.5
# Two boxes under different names are one object, which keeps the name with the higher score, from here on. High,
# because a cup fills most of its saucer's box. Chosen by hand; not measured.
ANY_NAME_OVERLAP = 0.8
# A box is inside another when it has this share of its area there. Chosen by hand; not measured.
INSIDE_SHARE = 0.9
# A box around two or more of its own name is a group, and gives way to them, if each of them has at least this share of
# its score. Chosen by hand; not measured.
GROUP_SHARE = 0.5
# Boxes with a shorter side than this are left out: there is nothing to model. As for the other detectors.
THINNEST_PX = 8


def candidates(
    scores: F32,
    corners: F32,
    names: Sequence[str],
    size: tuple[int, int],
    source: str,
    threshold: float = THRESHOLD,
) -> list[Detection]:
    """Every box under every name whose score is at least ``threshold``, best first.

    Args:
        scores: (boxes, names) float32, 0..1.
        corners: (boxes, 4) float32, x0, y0, x1, y1 in pixels of the picture; rounded outward here.
        names: the names, in the order of the columns.
        size: width and height of the picture.
        source: recorded in the detections.
    """
    found = []
    for row, column in zip(*np.nonzero(scores >= threshold), strict=True):
        if not np.isfinite(corners[row]).all():
            continue
        # Not for the sake of float32's last digits.
        low, high = np.floor(corners[row, :2] + 1e-3), np.ceil(corners[row, 2:] - 1e-3)
        limits = (-1, max(size) + 1)
        x0, y0, x1, y1 = (int(v) for v in np.clip([*low, *high], *limits))
        box = Box(x0, y0, x1, y1).clipped(*size)
        if min(box.width, box.height) >= THINNEST_PX:
            found.append(Detection(box, names[column], float(scores[row, column]), source=source))
    return sorted(found, key=_best_first)


def distinct(found: Sequence[Detection]) -> list[Detection]:
    """One detection for each object, best first.

    Under each name, boxes that overlap a better one by half are repeats; a box around several others of its name is a
    group and goes; a box inside a better one of its name is a part and goes. Then, where two names share a box, the
    higher score wins.
    """
    by_name: dict[str, list[Detection]] = {}
    for detection in sorted(found, key=_best_first):
        by_name.setdefault(detection.label, []).append(detection)
    kept = [one for own in by_name.values() for one in _without_groups(_suppressed(own, SAME_NAME_OVERLAP))]
    return _suppressed(sorted(kept, key=_best_first), ANY_NAME_OVERLAP)


def _best_first(detection: Detection) -> tuple[float, Box, str]:
    return (-(detection.score or 0.0), detection.box, detection.label)


def _suppressed(best_first: Sequence[Detection], overlap: float) -> list[Detection]:
    """Those that overlap no better one by at least ``overlap`` (intersection over union)."""
    kept: list[Detection] = []
    for detection in best_first:
        boxes = np.array([k.box for k in kept], np.int64).reshape(-1, 4)
        if not (overlaps(np.array(detection.box), boxes) >= overlap).any():
            kept.append(detection)
    return kept


def _without_groups(best_first: list[Detection]) -> list[Detection]:
    """Detections of one name without groups of them and parts of them."""
    groups = set()
    for number, outer in enumerate(best_first):
        members = [d for d in best_first if d is not outer and _is_inside(d.box, outer.box)]
        if len(members) >= 2 and all((d.score or 0) >= GROUP_SHARE * (outer.score or 0) for d in members):
            groups.add(number)
    singles = [d for number, d in enumerate(best_first) if number not in groups]
    return [
        d for number, d in enumerate(singles) if not any(_is_inside(d.box, better.box) for better in singles[:number])
    ]


def _is_inside(inner: Box, outer: Box) -> bool:
    width = min(inner.x1, outer.x1) - max(inner.x0, outer.x0)
    height = min(inner.y1, outer.y1) - max(inner.y0, outer.y0)
    return max(width, 0) * max(height, 0) >= INSIDE_SHARE * inner.area and inner.area < outer.area


def moved(detection: Detection, x: int, y: int) -> Detection:
    """The same detection, found in a tile whose corner lies at (x, y) of the photo."""
    b = detection.box
    return replace(detection, box=Box(b.x0 + x, b.y0 + y, b.x1 + x, b.y1 + y))


def is_cut(box: Box, tile: Box, width: int, height: int) -> bool:
    """Whether a box touches an edge of its tile that is no edge of the photo: it may show half an object.

    Args:
        box: in the tile's pixels.
        tile: in the photo's pixels.
        width, height: of the photo.
    """
    near = max(2, round(0.01 * max(tile.width, tile.height)))
    return (
        (tile.x0 > 0 and box.x0 < near)
        or (tile.y0 > 0 and box.y0 < near)
        or (tile.x1 < width and box.x1 > tile.width - near)
        or (tile.y1 < height and box.y1 > tile.height - near)
    )


def tiles(width: int, height: int, share: float) -> list[Box]:
    """Four overlapping tiles of a photo, each with ``share`` of its width and height (over 0.5)."""
    w, h = round(width * share), round(height * share)
    return [Box(x, y, x + w, y + h) for y in (0, height - h) for x in (0, width - w)]
