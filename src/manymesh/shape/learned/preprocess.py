"""From a cutout of any size to the square picture that the network takes, and where that square lies in the cutout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import ObjectError
from manymesh.shape.learned.contract import FILL, IMAGE_PX
from manymesh.types import F32, U8


@dataclass(frozen=True)
class CropSquare:
    """The network's crop as a square of the cutout's pixels; it may reach beyond the cutout.

    Attributes:
        left_px, top_px: its upper left corner; (0, 0) is the outer corner of the cutout's first pixel.
        side_px: its side.
    """

    left_px: float
    top_px: float
    side_px: float


def crop_square(alpha: U8) -> CropSquare:
    """The square centred on the object's alpha box, whose longer side covers ``FILL`` of the square's side.

    Args:
        alpha: (H, W) uint8. A pixel belongs to the object from 128 on.

    Raises:
        ObjectError: no pixel belongs to the object.
    """
    solid = alpha > 127
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        raise ObjectError("The cutout is empty, so there is nothing to model", "Draw the object's box with --box.")
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    side = float(max(height, width)) / FILL
    centre_x, centre_y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    return CropSquare(float(centre_x - side / 2), float(centre_y - side / 2), side)


def network_input(rgba: U8, square: CropSquare) -> F32:
    """(4, IMAGE_PX, IMAGE_PX) float32 in 0..1: sRGB colour times alpha, and alpha, averaged over each pixel's area.

    Args:
        rgba: (H, W, 4) uint8, the cutout with straight alpha.
        square: the part of it that the network sees; transparent black beyond the cutout.
    """
    layers = rgba.astype(np.float32) / np.float32(255)
    layers[..., :3] *= layers[..., 3:]
    return area_average(layers, square, IMAGE_PX)


def area_average(layers: F32, square: CropSquare, side: int) -> F32:
    """(c, side, side) float32: a square of a (H, W, c) float32 picture, each value the mean over its pixel's area.

    Beyond the picture everything is 0.
    """
    height, width, count = layers.shape
    down = _averaging(square.top_px, square.side_px, height, side)
    across = _averaging(square.left_px, square.side_px, width, side)
    rows = down.apply(layers.reshape(height, width * count)).reshape(side, width, count)
    picture = across.apply(np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(width, side * count))
    return np.ascontiguousarray(picture.reshape(side, side, count).transpose(2, 1, 0), np.float32)


@dataclass(frozen=True)
class _Averaging:
    """Resampling of a line of pixels to n positions, each the weighted mean of at most k neighbouring pixels.

    Attributes:
        pixel: (n, k) int64. weight: (n, k) float32, 0 where there is no such pixel.
    """

    pixel: NDArray[np.int64]
    weight: F32

    def apply(self, lines: F32) -> F32:
        """(n, c) float32 from (count, c): every column resampled."""
        total = np.zeros((len(self.pixel), lines.shape[1]), np.float32)
        for pixel, weight in zip(self.pixel.T, self.weight.T, strict=True):
            total += weight[:, None] * lines[pixel]
        return total


def _averaging(start_px: float, side_px: float, count: int, positions: int) -> _Averaging:
    """The resampling of a line of ``count`` pixels to equal intervals of [start_px, start_px + side_px].

    A position's weights are the shares of its interval that the pixels cover. Where the intervals are shorter than a
    pixel they are made a pixel long, which is linear interpolation.
    """
    step = side_px / positions
    span = max(step, 1.0)
    low = start_px + (np.arange(positions) + 0.5) * step - span / 2
    pixel = np.floor(low).astype(np.int64)[:, None] + np.arange(int(np.ceil(span)) + 1)
    weight = np.minimum(pixel + 1, low[:, None] + span) - np.maximum(pixel, low[:, None])
    inside = (weight > 0) & (pixel >= 0) & (pixel < count)
    return _Averaging(np.where(inside, pixel, 0), np.where(inside, weight / span, 0).astype(np.float32))
