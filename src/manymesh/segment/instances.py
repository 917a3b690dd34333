"""From what the finder has seen to separate things: the mask settled at its edges, each part given to its middle."""

from __future__ import annotations

import logging
from functools import partial

import numpy as np

from manymesh.parallel import run_pair
from manymesh.segment.background import Ground, plain_ground
from manymesh.segment.foreground import CLEAN_NOISE, FULL, SMALLEST_SIDE, foreground, grab, to_lab, working_copy
from manymesh.segment.network import Finder, Seen, sized
from manymesh.segment.regions import box_of, components, enclosed, largest_parts, open_holes, part_touching
from manymesh.types import F32, U8, Bool, Box

SURE = 0.97
"""A pixel that is likelier a thing's than this is one; one under the rest of it is ground."""
UNSURE = 0.2
"""A finder that doubts so large a share of what it found has not understood the picture."""
LIKELY = 0.85
"""A pixel of a narrow part that is over this stays the thing's, whatever colours say."""
DOUBTED = 0.9
"""A pixel under this is doubtful where its area reaches the picture's edge."""
DOUBTFUL_SHARE = 0.002
"""So much of the picture must be doubtful there."""
RIM_TRUST = 0.95
"""An area that the finder is surer of than this on average stays."""
SMALLEST_HOLE_PX = 12
MOST_PARTS = 128
OFF_MIDDLE, BAND = 0.1, 0.06
"""A ring's opening is off its middle by less, and its band is broader, as shares of the ring's extent."""
OF_GROUND = 1.1
"""Ground that is seen through an opening: its colours lie no farther off than so many times the open ground's own."""
BLOWN_OUT = 99.0
"""From this lightness on (of 100) colours tell nothing: white things on white may equal it to the last bit."""
LEAST_SPOT = 0.4
"""A middle that a part is cut for is marked at least so strongly; weaker marks are guesses about one thing's middle."""
SAME_MIDDLE = 0.2
"""Ways that end nearer to each other than this share of what both parts cover together lead to one thing."""
LEAST_SHARE = 0.2
"""A connected part is not cut for less than this share of the largest piece."""
BIMODAL = 0.9
"""It is cut where the distance between the ends of ways is this share of their spread."""
ROUND = 0.75
"""A round thing fills more than this of the circle around it. A square fills 0.64."""
STACKED = 0.6
"""It is not cut into pieces of which one stands over so much of the width of the other: a lamp's shade and foot."""


def understood(finder: Finder, rgb: U8) -> tuple[Bool, Seen] | None:
    """What a finder makes of a picture: the mask of all things, (h, w) bool over its own copy of it, and its answer.

    None where colours must decide: the picture is too small, the finder doubts, or it failed, as the log then says.

    Args:
        finder: an open one.
        rgb: (h, w, 3) uint8.
    """
    if min(rgb.shape[:2]) < SMALLEST_SIDE:
        return None
    picture = sized(rgb)
    try:
        seen = finder(picture)
    except RuntimeError as error:
        logging.getLogger(__name__).warning("Things are told from the ground by colour alone: %s.", error)
        return None
    if unsure(seen) > UNSURE:
        return None
    mask, behind = run_pair(partial(settled, seen, picture), partial(ground_behind, picture))
    if behind is not None and mask.any():
        mask = with_openings(mask, seen.share, *behind)
    return mask if mask.mean() < FULL else np.zeros_like(mask), seen


def ground_behind(rgb: U8) -> tuple[F32, Ground] | None:
    """A picture in CIELAB and its ground; None where that is not plain and clean."""
    lab = to_lab(rgb)
    ground = plain_ground(lab, CLEAN_NOISE)
    return None if ground is None else (lab, ground)


def unsure(seen: Seen) -> float:
    """How much the finder doubts, as a share of what it takes for things; 0 is certain."""
    doubt = float(np.minimum(seen.share, 1 - seen.share).sum())
    return doubt / max(float((seen.share > 0.5).sum()), 50.0)


def settled(seen: Seen, rgb: U8) -> Bool:
    """The mask of all things, (h, w) bool; doubtful pixels go with the colours on either side (GrabCut).

    Where a doubtful area reaches the picture's edge, another way of telling the ground, by its colours, is asked too.

    Args:
        seen: the finder's answer.
        rgb: (h, w, 3) uint8, the picture that it saw.
    """
    import cv2

    share = seen.share
    if not (share > 0.5).any():
        return np.zeros(share.shape, bool)
    hints = np.where(share > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    hints[share > SURE] = cv2.GC_FGD
    hints[share < 1 - SURE] = cv2.GC_BGD
    cut, by_colour = partial(grab, rgb, hints), partial(_by_colour, rgb)
    # Both take long. A doubt that is seen already now almost always stays, so that both will be wanted.
    first, asked = run_pair(cut, by_colour) if _is_doubtful(share > 0.5, share) else (cut(), None)
    mask = _with_thin_parts(first, share)
    if _is_doubtful(mask, share):
        mask = _without_doubtful_rim(mask, share, by_colour() if asked is None else asked)
    return _filled(mask, share)


def _with_thin_parts(mask: Bool, share: F32) -> Bool:
    """A mask with the narrow parts that colours took from it: legs as grey as the floor."""
    import cv2

    lost = (share > LIKELY) & ~mask
    kernel = np.ones((7, 7), np.uint8)
    wide = cv2.morphologyEx(lost.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return mask | (lost & ~(cv2.dilate(wide, kernel) > 0))


def _is_doubtful(mask: Bool, share: F32) -> bool:
    """Whether a doubtful area of the mask reaches the picture's edge."""
    return float(_at_edge(mask & (share < DOUBTED)).mean()) >= DOUBTFUL_SHARE


def _at_edge(area: Bool) -> Bool:
    """The connected parts of an area that reach the picture's edge, without their narrow ends."""
    import cv2

    _, labels = components(cv2.morphologyEx(area.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.asarray(np.isin(labels, edge[edge > 0]))


def _by_colour(rgb: U8) -> Bool:
    """What stands apart from the ground by colour alone, (h, w) bool."""
    import cv2

    small = foreground(working_copy(rgb)).astype(np.uint8)
    return cv2.resize(small, rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0


def _without_doubtful_rim(mask: Bool, share: F32, by_colour: Bool) -> Bool:
    """A mask without ground of like colour that it runs on over to the picture's edge.

    What colours call ground, is doubted, and hangs together with the edge, goes.
    """
    import cv2

    gone = _at_edge(mask & ~by_colour)
    if not by_colour.any() or not gone.any() or share[gone].mean() > RIM_TRUST:
        return mask
    return mask & ~(cv2.dilate(gone.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)


def _filled(mask: Bool, share: F32) -> Bool:
    """A mask without holes, but for those in which the finder sees the ground."""
    _, labels = components(enclosed(mask))
    sizes = np.bincount(labels.ravel())
    means = np.bincount(labels.ravel(), share.ravel()) / np.maximum(sizes, 1)
    closed = (means > 0.5) | (sizes < SMALLEST_HOLE_PX)
    closed[0] = False
    return mask | closed[labels]


def with_openings(mask: Bool, share: F32, lab: F32, ground: Ground) -> Bool:
    """A mask with the openings through which a plain ground is seen; the finder fills many.

    By colour alone, the white lid of a chest on white ground would be an opening too. So only those that lie in the
    middle of a broad band, as a ring's does, or that the finder is not sure of and that show the very ground.
    """
    import cv2

    opened = open_holes(mask, ground.distance < 2.5, lab, 3.0 + 2.0 * ground.noise)
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    _, things = components(mask)
    result = mask.copy()
    outside = ~(mask | enclosed(mask))
    usual = float(np.median(ground.distance[outside])) if outside.any() else 0.0
    for hole in largest_parts(mask & ~opened, MOST_PARTS):
        if share[hole].mean() < RIM_TRUST and _is_ground(hole, lab, ground, usual):
            result &= ~hole
            continue
        box, around = box_of(hole), box_of(things == things[hole][0])
        extent = max(around.width, around.height)
        off = max(abs(box.x0 + box.x1 - around.x0 - around.x1), abs(box.y0 + box.y1 - around.y0 - around.y1)) / 2
        if off < OFF_MIDDLE * extent and depth[hole].min() > BAND * extent:
            result &= ~hole
    return result


def _is_ground(hole: Bool, lab: F32, ground: Ground, usual: float) -> bool:
    """Whether an opening's colours are as near to the ground's as those of the open ground, ``usual``, are."""
    import cv2

    core = cv2.erode(hole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    where = core if core.any() else hole
    blown_out = np.median(lab[where][:, 0]) > BLOWN_OUT
    return bool(np.median(ground.distance[where]) <= OF_GROUND * usual and not blown_out)


def by_middle(mask: Bool, seen: Seen) -> list[Bool]:
    """The mask's things, in no particular order, specks included.

    A connected part is one thing, unless the ways of its pixels clearly lead to several middles; parts whose ways end
    at one place are one thing, a lamp's foot and its shade.
    """
    ends = _ends(mask.shape, seen)
    middles = _middles(seen)
    # Far too many crumbs are texture: only the largest can be things, and the joining stays short.
    parts = [piece for part in largest_parts(mask, MOST_PARTS) for piece in _divided(part, ends, middles)]
    return [piece for thing in _joined(parts, ends) for piece in _side_by_side(thing)]


def _side_by_side(thing: Bool) -> list[Bool]:
    """A thing, or the round ones side by side that it plainly is made of: sweets that touch."""
    pieces = part_touching(thing)
    if not all(_is_round(piece) for piece in pieces):
        return [thing]
    columns = [np.nonzero(piece)[1] for piece in pieces]
    pairs = ((a, b) for i, a in enumerate(columns) for b in columns[:i])
    return [thing] if any(_stands_over(a, b) for a, b in pairs) else pieces


def _is_round(piece: Bool) -> bool:
    """Whether a piece fills most of the circle around it."""
    import cv2

    outlines, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    _, radius = cv2.minEnclosingCircle(np.concatenate(outlines))
    return bool((piece | enclosed(piece)).sum() > ROUND * np.pi * (radius + 0.5) ** 2)


def _ends(shape: tuple[int, int], seen: Seen) -> F32:
    """(h, w, 2) float32: where each pixel's way ends, x and y."""
    import cv2

    height, width = shape
    ways = cv2.resize(np.ascontiguousarray(seen.ways.transpose(1, 2, 0)), (width, height))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    return np.asarray(ways, np.float32) + np.stack([x, y], axis=2)


def _middles(seen: Seen) -> F32:
    """(n, 2) float32 x and y of the highest spots, in the picture's pixels, the highest first."""
    import cv2

    spots = np.asarray(cv2.GaussianBlur(seen.spots, (0, 0), 1.0), np.float32)
    highest = cv2.dilate(spots, np.ones((5, 5), np.uint8))
    rows, columns = np.nonzero((spots == highest) & (spots > LEAST_SPOT))
    order = np.argsort(-spots[rows, columns], kind="stable")
    return np.stack([columns[order], rows[order]], axis=1).astype(np.float32) * 4 + 2


def _divided(part: Bool, ends: F32, middles: F32) -> list[Bool]:
    """One connected part, cut where its pixels' ways lead to clearly different middles."""
    rows, columns = np.nonzero(part)
    places = ends[rows, columns]
    owner = np.linalg.norm(places[:, None] - middles[None], axis=2).argmin(axis=1) if len(middles) else rows * 0
    while True:
        counts = np.bincount(owner)
        used = np.flatnonzero(counts)
        if len(used) == 1:
            return [part]
        means = {one: places[owner == one].mean(axis=0) for one in used}
        nearest = {one: min(used[used != one], key=lambda other: _length(means[other] - means[one])) for one in used}
        weight = {one: _apart(places[owner == one], places[owner == nearest[one]]) for one in used}
        small = {one: counts[one] < LEAST_SHARE * counts.max() for one in used}
        stacked = {one: _stands_over(columns[owner == one], columns[owner == nearest[one]]) for one in used}
        weakest = min(used, key=lambda one: (not (small[one] or stacked[one]), weight[one], counts[one]))
        if not (small[weakest] or stacked[weakest]) and weight[weakest] >= BIMODAL:
            break
        # Too little, or its ways end hardly nearer to it than to the next middle: it goes to that.
        others = used[used != weakest]
        mine = owner == weakest
        centre = places[mine].mean(axis=0)
        owner[mine] = others[np.linalg.norm(middles[others] - centre, axis=1).argmin()]
    things = []
    for one in used:
        thing = np.zeros_like(part)
        thing[rows[owner == one], columns[owner == one]] = True
        things.append(thing)
    return things


def _apart(places: F32, others: F32) -> float:
    """How much of the spread of two groups of ends, (n, 2) and (m, 2), is the distance between them: 0.75 for one even
    stretch that is cut in two, 1 for two points."""
    axis = others.mean(axis=0) - places.mean(axis=0)
    axis = axis / max(_length(axis), 1e-6)
    one, two = places @ axis, others @ axis
    both = np.concatenate([one, two])
    within = ((one - np.median(one)) ** 2).sum() + ((two - np.median(two)) ** 2).sum()
    return 1 - float(within) / max(float(((both - both.mean()) ** 2).sum()), 1e-6)


def _stands_over(columns: np.ndarray, others: np.ndarray) -> bool:
    """Whether one piece lies right above or below the other."""
    (a0, a1), (b0, b1) = np.quantile(columns, (0.05, 0.95)), np.quantile(others, (0.05, 0.95))
    return bool(min(a1, b1) - max(a0, b0) > STACKED * max(min(a1 - a0, b1 - b0), 1.0))


def _length(vector: F32) -> float:
    return float(np.linalg.norm(vector))


def _joined(parts: list[Bool], ends: F32) -> list[Bool]:
    """Parts whose ways end at nearly one place become one thing."""
    parts = sorted(parts, key=lambda part: (-int(part.sum()), box_of(part)))
    kept: list[Bool] = []
    places: list[F32] = []
    boxes: list[Box] = []
    for part in parts:
        place, box = np.median(ends[part], axis=0), box_of(part)
        for index, other in enumerate(places):
            both = _around(boxes[index], box)
            if _length(place - other) < SAME_MIDDLE * max(both.width, both.height):
                kept[index], boxes[index] = kept[index] | part, both
                break
        else:
            kept.append(part)
            places.append(place)
            boxes.append(box)
    return kept


def _around(a: Box, b: Box) -> Box:
    return Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))
