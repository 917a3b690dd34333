"""Is a picture with transparency a cutout, or a photo that happens to have some?

Transparency says what the object is only if somebody cut the object out. Screenshots, exported photos and scans bring
transparency of other kinds: a pixel or two, an even value everywhere, rounded corners, a thin frame, bars beside the
photo, the wedges that turning a scan by some degrees leaves. These pictures are photos.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from manymesh.types import U8, Bool, Box

Transparency = Literal["judge", "keep"]

# The least share of a picture that a cutout leaves clear, connected to its border. Measured on 655 cut-out pictures of
# Tux Paint's stamps, each cropped to its outline: 1 % of them clear less than 6 %. Corners rounded by a fifth of the
# side clear 3.4 %.
MIN_CLEAR_SHARE = 0.05
# A shape that fills this share of the upright or turned rectangle around it is a rectangle. Chosen by hand: a pixel of
# rough edge around a picture of 300 pixels costs 1.3 %.
RECTANGLE_FILL = 0.98
# A rectangle that takes this share of the picture is a photo in a frame; a smaller one may be a box that was cut out.
FRAMED_SHARE = 2 / 3
# The decision is made on a copy with at most this longest side.
WORKING_SIDE_PX = 512
# A part of a cutout is the object in a box if at least this share of it lies in the box. Chosen by hand: boxes of
# detectors cut off a little, a cup on its saucer is much less than the whole.
OWN_SHARE = 0.75


def is_cutout(alpha: U8) -> bool:
    """Whether a picture's transparency outlines an object.

    It does if what is clear (less than half as opaque as the most opaque pixel) reaches in from the border over at
    least 5 % of the picture, and what is left is no rectangle that fills most of the picture or spans it from side to
    side. A picture without anything opaque is no photo either: it counts as a cutout of nothing.

    Args:
        alpha: (h, w) uint8.
    """
    if not alpha.any():
        return True
    clear = _clear_outside(_small(alpha))
    if clear.mean() < MIN_CLEAR_SHARE:
        return False
    return not _is_framed_photo(~clear)


def is_cutout_near(alpha: U8) -> bool:
    """Whether transparency says anything about the object in a window that a person chose: some of it is clear.

    Args:
        alpha: (h, w) uint8, inside the window.
    """
    return not alpha.any() or float(_clear_outside(_small(alpha)).mean()) >= MIN_CLEAR_SHARE


def outlines_box(alpha: U8, box: Box) -> bool:
    """Whether transparency outlines what is in a box: the connected part that fills most of it ends there too.

    Args:
        alpha: (h, w) uint8 of the whole picture. box: in its pixels.
    """
    import cv2

    small = _small(alpha)
    _, labels = cv2.connectedComponents((~_is_clear(small)).astype(np.uint8), connectivity=8)
    across, down = small.shape[1] / alpha.shape[1], small.shape[0] / alpha.shape[0]
    x0, y0 = int(box.x0 * across), int(box.y0 * down)
    inside = labels[y0 : int(np.ceil(box.y1 * down)), x0 : int(np.ceil(box.x1 * across))]
    counts = np.bincount(inside.ravel(), minlength=int(labels.max()) + 1)
    counts[0] = 0
    part = int(counts.argmax())
    return bool(counts[part] >= OWN_SHARE * (labels == part).sum()) if counts[part] else True


def on_white(rgb: U8, alpha: U8) -> U8:
    """(h, w, 3) uint8: the picture before white; clear pixels become white, whatever colour the file holds there."""
    share = alpha[..., None].astype(np.float32) / 255
    return np.asarray(np.round(rgb * share + 255 * (1 - share)), np.uint8)


def clear_share(alpha: U8) -> float:
    """The share of a picture's pixels that are clear, 0..1."""
    return float(_is_clear(alpha).mean())


def without_transparency(rgb: U8, alpha: U8) -> U8:
    """The photo without its transparency.

    What is more than half opaque keeps its colour. Clear pixels take the nearest such colour, because files keep
    anything under them, black mostly, which would look like a border.

    Args:
        rgb: (h, w, 3) uint8, straight alpha. alpha: (h, w) uint8.
    """
    import cv2

    clear = _is_clear(alpha)
    if not clear.any():
        return rgb
    seen = np.ascontiguousarray(clear.astype(np.uint8))
    _, labels = cv2.distanceTransformWithLabels(seen, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    place_of = np.zeros(int(labels.max()) + 1, np.int64)
    opaque = np.flatnonzero(~clear)
    place_of[labels.reshape(-1)[opaque]] = opaque
    filled = rgb.copy()
    filled[clear] = rgb.reshape(-1, 3)[place_of[labels[clear]]]
    return filled


def _is_clear(alpha: U8) -> Bool:
    return alpha < max(int(alpha.max()) / 2, 1)


def _small(alpha: U8) -> U8:
    import cv2

    ratio = WORKING_SIDE_PX / max(alpha.shape)
    if ratio >= 1:
        return alpha
    size = (max(1, round(alpha.shape[1] * ratio)), max(1, round(alpha.shape[0] * ratio)))
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)


def _clear_outside(alpha: U8) -> Bool:
    """(h, w) bool: clear pixels that are connected to the picture's border."""
    import cv2

    clear = _is_clear(alpha)
    # A clear border around the picture joins all that touches its edge.
    padded = np.pad(clear, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(padded, connectivity=4)
    outside: Bool = (labels == labels[0, 0])[1:-1, 1:-1]
    return outside


def _is_framed_photo(visible: Bool) -> bool:
    """Whether what is visible is a rectangle, upright or turned, that fills most of the picture or spans it."""
    import cv2

    height, width = visible.shape
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    box_height, box_width = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    area = int(visible.sum())
    spans = box_height == height or box_width == width
    if area >= RECTANGLE_FILL * box_height * box_width and (spans or area >= FRAMED_SHARE * visible.size):
        return True
    if area < FRAMED_SHARE * visible.size:
        return False
    points = np.argwhere(visible & ~_eroded(visible))[:, ::-1].astype(np.float32)
    (_, (turned_width, turned_height), _) = cv2.minAreaRect(points)
    # Corner to corner of the outermost pixels, of which the rectangle passes through the centres.
    return bool(area >= RECTANGLE_FILL * (turned_width + 1) * (turned_height + 1))


def _eroded(mask: Bool) -> Bool:
    import cv2

    seen, kernel = mask.astype(np.uint8), np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(seen, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0)
