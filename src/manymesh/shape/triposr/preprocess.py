"""A cutout as the picture that TripoSR's encoder sees: framed on mid grey, and reduced as in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.errors import ObjectError
from manymesh.types import F32, U8

# The object's longer side as a share of the picture's side. The published program's default.
RATIO = 0.85


@dataclass(frozen=True)
class Frame:
    """The square that the network sees, in pixels of the cutout; it may reach beyond the cutout."""

    left: int
    top: int
    side: int


def frame_object(rgba: U8, ratio: float = RATIO) -> tuple[U8, Frame]:
    """The framed picture, (side, side, 3) uint8 with the object before grey of 127, and where it lies in the cutout.

    The box is that of all pixels that are not clear, without its last row and column, as in the published program.

    Args:
        rgba: (H, W, 4) uint8, straight alpha.

    Raises:
        ObjectError: the object has fewer than two rows or columns.
    """
    rows, columns = (np.flatnonzero((rgba[..., 3] > 0).any(axis=axis)) for axis in (1, 0))
    if len(rows) == 0 or rows[-1] == rows[0] or columns[-1] == columns[0]:
        raise ObjectError("The cutout is empty", "Draw the object's box with --box, or bring a cutout of your own.")
    top, left = int(rows[0]), int(columns[0])
    crop = rgba[top : rows[-1], left : columns[-1]]
    height, width = crop.shape[:2]
    longer = max(height, width)
    side = int(longer / ratio)
    above = (side - longer) // 2 + (longer - height) // 2
    before = (side - longer) // 2 + (longer - width) // 2
    framed = np.zeros((side, side, 4), np.uint8)
    framed[above : above + height, before : before + width] = crop
    alpha = framed[..., 3:].astype(np.float32) / np.float32(255)
    color = framed[..., :3].astype(np.float32) / np.float32(255) * alpha + (1 - alpha) * np.float32(0.5)
    return (color * np.float32(255)).astype(np.uint8), Frame(left - before, top - above, side)


def network_picture(framed: U8, side_px: int) -> F32:
    """(3, side_px, side_px) float32 in 0..1 of a framed (S, S, 3) uint8 picture, by a triangle filter."""
    matrix = _triangle_matrix(framed.shape[0], side_px)
    unit = framed.astype(np.float32) / np.float32(255)
    # One channel at a time: a cutout may have thousands of pixels a side.
    return np.stack([matrix @ (unit[..., channel] @ matrix.T) for channel in range(3)])


def _triangle_matrix(count: int, side: int) -> F32:
    """(side, count): the shares of ``count`` pixels in each of ``side``; wider than one pixel only when reducing."""
    scale = count / side
    reach = max(scale, 1.0)
    centre = scale * (np.arange(side) + 0.5)
    matrix = np.zeros((side, count), np.float32)
    for row in range(side):
        first, last = max(0, int(centre[row] - reach + 0.5)), min(count, int(centre[row] + reach + 0.5))
        weight = np.maximum(0, 1 - np.abs(np.arange(first, last) + 0.5 - centre[row]) / reach)
        matrix[row, first:last] = weight / weight.sum()
    return matrix
