"""Thin parts: legs, posts and frames a few pixels wide, of which the occupancy often keeps only fragments.

A part that is narrow in the picture and no deeper than wide counts as thin. Its outline is known from the alpha, below
a pixel, and its centre line is smooth. So it is drawn into the field as a tube around a smoothed centre line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.shape.learned import contract
from manymesh.shape.learned.contract import BIN_LENGTH, depth_to_bins
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, Bool

# Half the width of the widest thin part, in the network's pixels. Set by hand on the validation models (chairs and
# tables among them), as the other constants of this file.
MAX_HALF_WIDTH_PX = 2.0

# Standard deviations in pixels of the two weights with which lines are fitted along a part: a short one that finds the
# direction, and a long one that gives the result.
SHORT_PX, LONG_PX = 3.0, 6.0

# Ridge of the fit: slopes are damped as if each window were this many pixels wider across the part.
RIDGE_PX = 1.0

# A thin part's predicted thickness is no more than this many times its width ...
MAX_DEPTH_RATIO = 2.0
# ... plus this many bins, the depths' own error.
DEPTH_SLACK_BINS = 1.0

# Pixels whose depth is this many bins off the line count a half in the fit.
JUMP_BINS = 4.0

# Half the thickness of a tube is at least this, in bins. Thinner could fall between two depth samples.
MIN_HALF_BINS = 0.8

# Change of the field across a tube's surface, logits a bin.
SLOPE = 1.0


def find_thin_parts(prediction: Prediction, inside: Bool, distance: F32, first: int) -> F32:
    """Where thin parts are, and the tubes they become.

    Args:
        inside: (GRID, GRID) bool, the silhouette's pixels.
        distance: (GRID, GRID) float32, pixels from the silhouette, positive inside.
        first: the number of the field's first bin.

    Returns:
        (GRID, GRID, 4) float32: 1 on thin parts and else 0; the tube's centre depth and half thickness in bins; its
        half width in pixels.
    """
    import cv2

    width = np.where(inside, np.maximum(distance, 0.5), 0).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(np.ceil(MAX_HALF_WIDTH_PX)) + 3,) * 2)
    # Broad parts, grown back to their outline: what they do not reach is narrow.
    broad = cv2.dilate((width > MAX_HALF_WIDTH_PX).astype(np.uint8), disc).astype(bool)
    narrow = inside & ~broad
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    radius_px = cv2.dilate(np.where(narrow, width, 0).astype(np.float32), near)
    bins_per_px = 1 / (contract.GRID * BIN_LENGTH)
    front = depth_to_bins(prediction.surface[contract.FRONT_DEPTH], first)
    back = depth_to_bins(prediction.surface[contract.BACK_DEPTH], first)
    half = np.clip((back - front) / 2, 0, None)
    radius = np.maximum(radius_px * bins_per_px, MIN_HALF_BINS)
    is_thin = narrow & (half <= MAX_DEPTH_RATIO * radius + DEPTH_SLACK_BINS)
    tube_half = np.clip(half, radius, MAX_DEPTH_RATIO * radius)
    smooth = _smooth_along(np.dstack([front + half, tube_half]), front, is_thin)
    return np.dstack([is_thin, smooth, radius_px]).astype(np.float32)


def draw_tubes(values: F32, edge: F32, parts: F32, limit: float) -> None:
    """Draw thin parts into the field as tubes, in place.

    Args:
        values: (R, C, D) float32 field, with one layer more in front than the bins of ``parts``.
        edge: (R, C) float32 distance from the silhouette in the network's pixels, positive inside.
        parts: (R, C, 4) from ``find_thin_parts``, all channels but the first multiplied by the first, resampled to the
            field's rows and columns.
        limit: the field stays within +-limit.
    """
    row, column = np.nonzero((parts[..., 0] > 0.05) & (edge > -1))
    if not len(row):
        return
    found = parts[row, column]
    share = found[:, :1]
    centre, thick, radius = (found[:, 1:] / share).T
    out = np.clip(1 - edge[row, column] / np.maximum(radius, 0.5), 0, 1)
    half = np.maximum(thick * np.sqrt(np.maximum(1 - out**2, 0)), MIN_HALF_BINS)
    depth = np.arange(values.shape[2], dtype=np.float32) - 1
    tube = np.clip(SLOPE * (half[:, None] - np.abs(depth - centre[:, None])), -limit, limit)
    tube[:, [0, -1]] = -limit
    mixed = values[row, column] + share * (tube.astype(np.float32) - values[row, column])
    # Where two parts meet, both stay solid.
    values[row, column] = np.where(share > 0.95, mixed, np.maximum(mixed, values[row, column]))


def _smooth_along(pictures: Any, depth: F32, where: Bool) -> Any:
    """(GRID, GRID, c) float64: pictures smoothed along thin parts; 0 outside ``where``.

    Around each pixel a plane is fitted to the depths of the pixels near it (``SHORT_PX``). A second, longer fit
    (``LONG_PX``) weighs pixels by how near their depth is to that plane. So slanting parts stay slanting to their ends,
    and a part is kept apart from another that it crosses in the picture.

    Args:
        pictures: (GRID, GRID, c) values to smooth.
        depth: (GRID, GRID) float32, bins; parts at different depths are kept apart.
        where: (GRID, GRID) bool, pixels of thin parts.
    """
    reach = int(2 * LONG_PX)
    x, y = (part.ravel() for part in np.meshgrid(*[np.arange(-reach, reach + 1)] * 2))
    near = np.hypot(x, y) <= reach
    x, y = x[near], y[near]
    result = np.zeros((*where.shape, pictures.shape[2]))
    row, column = np.nonzero(where)
    if not len(row):
        return result
    number = np.pad(np.full(where.shape, -1), reach, constant_values=-1)
    number[row + reach, column + reach] = np.arange(len(row))
    other = number[row[:, None] + y + reach, column[:, None] + x + reach]
    place = depth[row, column].astype(np.float64)
    short = np.exp(-(x**2 + y**2) / (2 * SHORT_PX**2)) * (other >= 0)
    short /= 1 + ((place[other] - place[:, None]) / JUMP_BINS) ** 4
    plane = _fit_planes(short, x, y, place[other][..., None])[:, :, 0]
    off = place[other] - plane[:, :1] - plane[:, 1:2] * x - plane[:, 2:] * y
    long = np.exp(-(x**2 + y**2) / (2 * LONG_PX**2)) * (other >= 0) / (1 + (off / JUMP_BINS) ** 4)
    result[row, column] = _fit_planes(long, x, y, pictures[row, column][other])[:, 0]
    return result


def _fit_planes(weight: Any, x: Any, y: Any, values: Any) -> Any:
    """(n, 3, c) offset and slopes along x and y of the planes that fit (n, k, c) values best (weighted ridge fit).

    Args:
        weight: (n, k). x, y: (k,) positions in pixels.
    """
    terms = np.stack([np.ones(len(x)), x, y])
    matrix = np.einsum("nk,ak,bk->nab", weight, terms, terms, optimize=True)
    # Across a thin part there is nothing to fit a slope to.
    ridge = RIDGE_PX**2 * matrix[:, 0, 0]
    matrix[:, 1, 1] += ridge
    matrix[:, 2, 2] += ridge
    return np.linalg.solve(matrix, np.einsum("nk,ak,nkc->nac", weight, terms, values, optimize=True))
