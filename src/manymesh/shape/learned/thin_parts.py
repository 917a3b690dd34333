"""Legs, posts and frames: parts only a few pixels wide, of which the occupancy keeps a string of beads.

What is narrow in the picture and no deeper than wide is a rod. Its outline is known from the alpha, below a pixel, and
its middle runs smoothly: so it is drawn as a tube around a smooth line, and takes the field's place there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.shape.learned import contract
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, Bool

WIDEST_PX = 2.0
"""Half the width of the widest rod, in the network's pixels."""
FIRST_PX, LENGTH_PX = 3.0, 6.0
"""Standard deviations of the weights with which lines are fitted along a rod."""
RIDGE_PX = 1.0
"""Slopes are held down as if each window were so much wider across."""
DEEPEST = 2.0
"""A rod's predicted thickness is no more than this many times its width."""
SLACK_BINS = 1.0
JUMP_BINS = 4.0
LEAST_HALF_BINS = 0.8
SLOPE = 1.0
"""Logits a bin."""


def find_thin_parts(answer: Prediction, inside: Bool, distance: F32, bin_length: float, first: int) -> F32:
    """Where rods are.

    Args:
        inside: (GRID, GRID) the silhouette's pixels. distance: (GRID, GRID) pixels from its edge, positive inside.
        bin_length: crop units. first: the number of the field's first bin.

    Returns:
        (GRID, GRID, 4) float32: 1 where a rod is and else 0; middle and half thickness in bins; radius in pixels.
    """
    import cv2

    wide = np.where(inside, np.maximum(distance, 0.5), 0).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(np.ceil(WIDEST_PX)) + 3,) * 2)
    # Broad parts, grown back to their outline: what they do not reach is narrow.
    broad = cv2.dilate((wide > WIDEST_PX).astype(np.uint8), disc).astype(bool)
    narrow = inside & ~broad
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    radius_px = cv2.dilate(np.where(narrow, wide, 0).astype(np.float32), near)
    pixel_bins = 1 / (contract.GRID * bin_length)
    front = (answer.surface[contract.FRONT_DEPTH] - contract.NEAR) / bin_length - 0.5 - first
    back = (answer.surface[contract.BACK_DEPTH] - contract.NEAR) / bin_length - 0.5 - first
    half = np.clip((back - front) / 2, 0, None)
    radius = np.maximum(radius_px * pixel_bins, LEAST_HALF_BINS)
    is_rod = narrow & (half <= DEEPEST * radius + SLACK_BINS)
    wanted = np.clip(half, radius, DEEPEST * radius)
    smooth = _along(np.dstack([front + half, wanted]), front, is_rod)
    return np.dstack([is_rod, smooth, radius_px]).astype(np.float32)


def draw_tubes(values: F32, edge: F32, rods: F32, limit: float) -> None:
    """Let the field be tubes where rods are, in place.

    Args:
        values: (R, C, D) float32, with one layer more in front than the rods' bins.
        edge: (R, C) the network's pixels from the silhouette's edge, positive inside.
        rods: (R, C, 4) from ``rods_of``, all but the first multiplied by the first, and read at the field's places.
    """
    row, column = np.nonzero((rods[..., 0] > 0.05) & (edge > -1))
    if not len(row):
        return
    found = rods[row, column]
    share = found[:, :1]
    middle, thick, radius = (found[:, 1:] / share).T
    out = np.clip(1 - edge[row, column] / np.maximum(radius, 0.5), 0, 1)
    half = np.maximum(thick * np.sqrt(np.maximum(1 - out**2, 0)), LEAST_HALF_BINS)
    depth = np.arange(values.shape[2], dtype=np.float32) - 1
    tube = np.clip(SLOPE * (half[:, None] - np.abs(depth - middle[:, None])), -limit, limit)
    tube[:, [0, -1]] = -limit
    mixed = values[row, column] + share * (tube.astype(np.float32) - values[row, column])
    # Where a rod meets something else, neither gives way.
    values[row, column] = np.where(share > 0.95, mixed, np.maximum(mixed, values[row, column]))


def _along(pictures: Any, depth: F32, where: Bool) -> Any:
    """(GRID, GRID, c) smooth values within ``where``; 0 elsewhere.

    Around each pixel a plane is fitted to the pixels whose ``depth`` (GRID, GRID) lies near it: first a short one, then
    one as long as ``LENGTH_PX`` whose pixels are chosen by how near to the first plane they lie. So slanting rods stay
    slanting to their ends, and one rod is told from another that it crosses.
    """
    reach = int(2 * LENGTH_PX)
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
    short = np.exp(-(x**2 + y**2) / (2 * FIRST_PX**2)) * (other >= 0)
    short /= 1 + ((place[other] - place[:, None]) / JUMP_BINS) ** 4
    plane = _planes(short, x, y, place[other][..., None])[:, :, 0]
    off = place[other] - plane[:, :1] - plane[:, 1:2] * x - plane[:, 2:] * y
    long = np.exp(-(x**2 + y**2) / (2 * LENGTH_PX**2)) * (other >= 0) / (1 + (off / JUMP_BINS) ** 4)
    result[row, column] = _planes(long, x, y, pictures[row, column][other])[:, 0]
    return result


def _planes(weight: Any, x: Any, y: Any, values: Any) -> Any:
    """(n, 3, c) offset and slopes along x and y of the planes that fit (n, k, c) values best.

    Args:
        weight: (n, k). x, y: (k,) pixels.
    """
    terms = np.stack([np.ones(len(x)), x, y])
    matrix = np.einsum("nk,ak,bk->nab", weight, terms, terms, optimize=True)
    # Across a rod there is nothing to fit a slope to.
    ridge = RIDGE_PX**2 * matrix[:, 0, 0]
    matrix[:, 1, 1] += ridge
    matrix[:, 2, 2] += ridge
    return np.linalg.solve(matrix, np.einsum("nk,ak,nkc->nac", weight, terms, values, optimize=True))
