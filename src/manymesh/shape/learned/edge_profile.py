"""How a thing ends at its silhouette, below the network's pixel.

The network's last pixel before the silhouette may lie anywhere from none to one pixel inside of it, and a round thing
is thicker the further inside one looks. Carried on unchanged to the silhouette, that thickness makes a rim with steps.
So the thickness is followed outwards instead: near the silhouette either it (a wedge) or its square (a round edge:
Taylor's first term of a circle) is a straight line in the distance from the silhouette, and the line that fits best is
taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.shape.learned import contract
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, Bool

WINDOW = 7
"""Pixels a side in which a line is fitted."""
DEEPEST = 5.0
"""Pixels from the silhouette: what lies further inside says nothing about the rim."""
REACH = 0.75, 2.0
"""Pixels from the silhouette: up to the first the rim is followed, from the second on the field stays."""
BROAD_PX = 5
"""Only parts into which a disc of this radius fits."""
UNEVEN_BINS = 2.0
"""How far depths and thicknesses may lie off their lines, root mean square."""
LEAST_HALF_BINS = 0.6
AGREE_BINS = 4.0
"""A column counts as one solid run when its cells and its two depths differ by no more than this."""


@dataclass(frozen=True)
class EdgeProfile:
    """Attributes:
    thickness: (GRID, GRID, 6) float32: half the thickness as offset and slope over the distance in pixels, both for
        its square and for itself; the middle depth's offset and slope. Bins and pixels.
    round: (GRID, GRID) bool: the square fits better.
    simple: (GRID, GRID) bool: a single solid run, to which all this applies.
    """

    thickness: F32
    round: Bool
    simple: Bool


def fit_edge_profile(
    answer: Prediction, columns: F32, inside: Bool, distance: F32, bin_length: float, first: int
) -> EdgeProfile:
    """Fit lines around every pixel in the silhouette.

    Args:
        columns: (GRID, GRID, D) float32, the field's columns; positive is solid.
        inside: (GRID, GRID) which pixels lie in the silhouette.
        distance: (GRID, GRID) float32, pixels from the silhouette, positive inside.
        bin_length: crop units.
        first: the number of the columns' first bin.
    """
    import cv2

    front = (answer.surface[contract.FRONT_DEPTH] - contract.NEAR) / bin_length - 0.5 - first
    back = (answer.surface[contract.BACK_DEPTH] - contract.NEAR) / bin_length - 0.5 - first
    half, middle = np.maximum((back - front) / 2, 0), (front + back) / 2
    solid = (columns > 0).sum(axis=2)
    simple = inside & (np.abs(solid - 2 * half) <= AGREE_BINS) & (solid > 0)
    weight = (simple & (distance < DEEPEST)).astype(np.float32)
    x = np.clip(distance, 0, DEEPEST).astype(np.float32)

    def mean(values: Any) -> F32:
        return np.asarray(cv2.blur(np.ascontiguousarray(values * weight, np.float32), (WINDOW, WINDOW)), np.float32)

    total = np.maximum(mean(np.ones_like(x)), 1e-6)
    mean_x = mean(x) / total
    var_x = np.maximum(mean(x * x) / total - mean_x**2, 0.05)

    def line(values: Any) -> tuple[Any, Any, Any, Any]:
        mean_y = mean(values) / total
        covariance = mean(x * values) / total - mean_x * mean_y
        spread = np.maximum(mean(values * values) / total - mean_y**2, 1e-6)
        slope = covariance / var_x
        return mean_y - slope * mean_x, slope, 1 - slope * covariance / spread, spread - slope * covariance

    square = line(half * half)
    plain = line(half)
    depth = line(middle)
    fits = np.dstack([square[0], square[1], plain[0], plain[1], depth[0], depth[1]]).astype(np.float32)
    # What does not get thinner towards the silhouette ends in a wall, as the field has it.
    thins = (square[1] > 0) & (plain[1] > 0.15)
    # Thin parts have no inside to fit a line to, and where one part ends before another the depths jump.
    broad = cv2.dilate(distance, np.ones((2 * BROAD_PX + 1, 2 * BROAD_PX + 1), np.uint8)) >= BROAD_PX
    even = (depth[3] < UNEVEN_BINS**2) & (plain[3] < UNEVEN_BINS**2)
    return EdgeProfile(fits, np.asarray(square[2] < plain[2]), np.asarray(simple & thins & broad & even))


def apply_edge_profile(
    values: F32, edge: F32, rim: EdgeProfile, rows: F32, columns: F32, slope: float, limit: float
) -> None:
    """Let the field near the silhouette follow the rim, in place.

    Args:
        values: (R, C, D) float32 field, with one layer more on either side than the rim's columns.
        edge: (R, C) float32 distance to the silhouette in the network's pixels, positive inside.
        rows, columns: (R,), (C,) where the field's rows and columns lie in the network's pixels.
        slope: of the field across the surface, a bin.
    """
    row, column = np.nonzero((edge > -0.5) & (edge < REACH[1]))
    if not len(row):
        return
    at = (
        np.rint(rows[row]).astype(int).clip(0, contract.GRID - 1),
        np.rint(columns[column]).astype(int).clip(0, contract.GRID - 1),
    )
    fits, simple = _read(rim, rows[row], columns[column])
    share = np.clip((REACH[1] - edge[row, column]) / (REACH[1] - REACH[0]), 0, 1) * simple
    kept = share > 0
    row, column, fits, share = row[kept], column[kept], fits[kept], share[kept]
    is_round = rim.round[at][kept]
    x = np.maximum(edge[row, column], 0)
    squared = fits[:, 0] + fits[:, 1] * x
    half = np.where(is_round, np.sqrt(np.maximum(squared, 0)), fits[:, 2] + fits[:, 3] * x)
    half = np.maximum(half, LEAST_HALF_BINS)
    middle = fits[:, 4] + fits[:, 5] * x + 1
    depth = np.arange(values.shape[2], dtype=np.float32)
    wanted = np.clip(slope * (half[:, None] - np.abs(depth - middle[:, None])), -limit, limit)
    wanted[:, [0, -1]] = -limit
    values[row, column] += share[:, None].astype(np.float32) * (wanted - values[row, column])


def _read(rim: EdgeProfile, rows: Any, columns: Any) -> tuple[F32, F32]:
    """The fits at places between pixels, from the simple ones among the four around, and these pixels' share."""
    import cv2

    layers = np.dstack([rim.thickness * rim.simple[..., None], rim.simple.astype(np.float32)])
    across = 4096
    count = len(rows)
    x, y = (np.zeros(-(-count // across) * across, np.float32) for _ in range(2))
    x[:count], y[:count] = columns, rows
    found = cv2.remap(
        np.ascontiguousarray(layers, np.float32), x.reshape(-1, across), y.reshape(-1, across), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).reshape(-1, 7)[:count]  # fmt: skip
    share = found[:, 6]
    return found[:, :6] / np.maximum(share, 1e-6)[:, None], np.asarray(share)
