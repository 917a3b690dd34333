"""What happens to the photo before and after the network that takes the light out of it.

Numbers are the official program's: the network saw pictures made like these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.errors import ObjectError
from manymesh.types import F32, F64, U8

MARGIN = 0.2
MEAN_SHARE = 0.95
WHITE = 255


def pad_to_square(picture: U8, margin: float = MARGIN) -> U8:
    """The object at the centre of a square, with room around it.

    Args:
        picture: (h, w, 4) uint8; (h, w, 3) comes back as it is; (h, w) becomes RGB.
        margin: room on each side, as a share of the object's width and height.

    Raises:
        ObjectError: nothing of it is opaque.
    """
    if picture.ndim == 2:
        return np.repeat(picture[:, :, None], 3, axis=2)
    if picture.shape[2] == 3:
        return picture
    at = placement(picture, margin)
    canvas = np.full((at.side, at.side, 4), (WHITE, WHITE, WHITE, 0), np.uint8)
    found = picture[at.from_row : at.from_row + at.height, at.from_column : at.from_column + at.width]
    canvas[at.row : at.row + at.height, at.column : at.column + at.width] = found
    return canvas


@dataclass(frozen=True)
class SquarePlacement:
    """Where the object's box (height x width pixels) lies in the cutout (from_row, from_column) and where in the square
    canvas of ``side`` pixels (row, column)."""

    from_row: int
    from_column: int
    height: int
    width: int
    row: int
    column: int
    side: int


def placement(rgba: U8, margin: float = MARGIN) -> SquarePlacement:
    """Where ``pad_to_square`` takes the object from and to. Raises as it does."""
    rows, columns = np.flatnonzero(rgba[:, :, 3].any(axis=1)), np.flatnonzero(rgba[:, :, 3].any(axis=0))
    if not len(rows):
        raise ObjectError("the cutout is empty", "Draw its box again, or bring a cutout of your own")
    height, width = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    above, left = int(margin * height), int(margin * width)
    side = max(width + 2 * left, height + 2 * above)
    row = (side - (height + 2 * above)) // 2 + above
    column = (side - (width + 2 * left)) // 2 + left
    return SquarePlacement(int(rows[0]), int(columns[0]), height, width, row, column, side)


def resize_square(picture: U8, size_px: int) -> U8:
    """Square, by Pillow's bicubic filter (which weighs colours by their alpha)."""
    from PIL import Image

    if picture.shape[:2] == (size_px, size_px):
        return picture
    return np.asarray(Image.fromarray(picture).resize((size_px, size_px)))


def prepared(picture: U8) -> tuple[U8, F64, F64]:
    """What the network is given, and what its answer is held against.

    Args:
        picture: (H, W, 4) or (H, W, 3) uint8.

    Returns:
        (H, W, C) uint8 with the alpha's outermost pixel taken off and white where nothing is left; the same colours
        (H, W, 3) and the alpha (H, W, 1) as float64 in [0, 1]. The network gets the colours alone, not composited.
    """
    import cv2

    if picture.shape[2] == 3:
        return picture, picture / 255.0, np.ones((*picture.shape[:2], 1))
    alpha = np.asarray(cv2.erode(picture[:, :, 3], np.ones((3, 3), np.uint8)), np.uint8)
    ready = picture.copy()
    ready[alpha == 0, :3] = WHITE
    ready[:, :, 3] = alpha
    return ready, ready[:, :, :3] / 255.0, alpha[:, :, None] / 255.0


def recoloured(answer: F32 | F64, target: F64, alpha: F64) -> F64:
    """The network's answer in the photo's own colours, unless it is nearer to the photo as it is.

    Each channel gets the target's mean (all but a twentieth) and deviation over the opaque pixels.

    Args:
        answer: (H, W, 3) in [0, 1]. target, alpha: from ``prepared``.

    Returns:
        (H, W, 3) float64 in [0, 1].
    """
    own: F64 = np.asarray(answer, np.float64)
    mask = alpha[:, :, 0] > 0.5
    if np.count_nonzero(mask) < 2:
        return own
    here, there = own[mask], target[mask]
    spread = there.std(axis=0, ddof=1) / np.maximum(here.std(axis=0, ddof=1), 1e-12)
    moved: F64 = (own - MEAN_SHARE * here.mean(axis=0)) * spread + MEAN_SHARE * there.mean(axis=0)
    moved = np.clip(moved, 0, 1)
    as_it_is = np.mean((own - target) ** 2) < np.mean((moved - target) ** 2)
    return own if as_it_is else moved


def on_white(colors: F64, alpha: F64) -> U8:
    """(H, W, 3) uint8, cut and not rounded."""
    return ((colors * alpha + (1 - alpha)) * 255).astype(np.uint8)


def finished(answer: U8, target: F64, alpha: F64) -> U8:
    """The delit picture on white, from the network's (H, W, 3) uint8 answer."""
    return on_white(recoloured(answer / 255.0, target, alpha), alpha)
