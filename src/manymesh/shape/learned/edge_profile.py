"""How the object's thickness runs out at its silhouette, below the network's pixel.

The network's last pixel before the silhouette lies up to one pixel inside it, and a round object is thicker the further
inside one looks. Carried on unchanged to the silhouette, that thickness would make an edge with steps. So the thickness
is extrapolated: near the silhouette either it (a wedge) or its square (a round edge: the first term of a circle's
Taylor series) is a straight line in the distance from the silhouette. Both lines are fitted, and the better one is
taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.image.resample import sample_index
from manymesh.shape.learned import contract
from manymesh.shape.learned.contract import depth_to_bins
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, Bool

# Side of the square window, in pixels, in which lines are fitted. Set by hand on the validation models, as the other
# constants of this file.
WINDOW_PX = 7

# Only pixels up to this far inside the silhouette, in pixels, take part in the fit.
FIT_DEPTH_PX = 5.0

# Pixels from the silhouette: up to the first the field follows the profile, from the second on it stays as it was.
BLEND_PX = 0.75, 2.0

# Only parts into which a disc of this radius in pixels fits have a profile.
BROAD_PX = 5

# Largest root mean square residual of the lines, in bins, for a profile to be used.
MAX_RESIDUAL_BINS = 2.0

# Half the thickness at the silhouette is at least this, in bins. Thinner could fall between two depth samples.
MIN_HALF_BINS = 0.6

# A column is a single solid run when its solid cells and its two predicted depths agree to this many bins.
SINGLE_RUN_BINS = 4.0

# A thickness that falls by less than this towards the silhouette, in bins a pixel, ends in a wall and has no profile.
MIN_SLOPE_BINS = 0.15


@dataclass(frozen=True)
class EdgeProfile:
    """Lines over the distance from the silhouette in pixels, fitted around every pixel.

    Attributes:
        lines: (GRID, GRID, 6) float32, offset and slope of three lines: the squared half thickness, the half thickness,
            and the centre depth. In bins and pixels.
        round: (GRID, GRID) bool, the squared half thickness fits better.
        valid: (GRID, GRID) bool, the column is a single solid run and the lines fit.
    """

    lines: F32
    round: Bool
    valid: Bool


def fit_edge_profile(prediction: Prediction, columns: F32, inside: Bool, distance: F32, first: int) -> EdgeProfile:
    """Fit the lines.

    Args:
        columns: (GRID, GRID, D) float32, the field's columns; positive is solid.
        inside: (GRID, GRID) bool, the silhouette's pixels.
        distance: (GRID, GRID) float32, pixels from the silhouette, positive inside.
        first: the number of the columns' first bin.
    """
    import cv2

    front = depth_to_bins(prediction.surface[contract.FRONT_DEPTH], first)
    back = depth_to_bins(prediction.surface[contract.BACK_DEPTH], first)
    half, centre = np.maximum((back - front) / 2, 0), (front + back) / 2
    solid = (columns > 0).sum(axis=2)
    single_run = inside & (np.abs(solid - 2 * half) <= SINGLE_RUN_BINS) & (solid > 0)
    weight = (single_run & (distance < FIT_DEPTH_PX)).astype(np.float32)
    x = np.clip(distance, 0, FIT_DEPTH_PX).astype(np.float32)

    def window_mean(values: Any) -> F32:
        weighted = np.ascontiguousarray(values * weight, np.float32)
        return np.asarray(cv2.blur(weighted, (WINDOW_PX, WINDOW_PX)), np.float32)

    total = np.maximum(window_mean(np.ones_like(x)), 1e-6)
    mean_x = window_mean(x) / total
    var_x = np.maximum(window_mean(x * x) / total - mean_x**2, 0.05)

    def fit_line(values: Any) -> tuple[Any, Any, Any, Any]:
        """Offset, slope, share of the variance that is left, and the squared residual."""
        mean_y = window_mean(values) / total
        covariance = window_mean(x * values) / total - mean_x * mean_y
        variance = np.maximum(window_mean(values * values) / total - mean_y**2, 1e-6)
        slope = covariance / var_x
        return mean_y - slope * mean_x, slope, 1 - slope * covariance / variance, variance - slope * covariance

    squared = fit_line(half * half)
    plain = fit_line(half)
    depth = fit_line(centre)
    lines = np.dstack([squared[0], squared[1], plain[0], plain[1], depth[0], depth[1]]).astype(np.float32)
    thins = (squared[1] > 0) & (plain[1] > MIN_SLOPE_BINS)
    # Thin parts have no inside to fit a line to.
    broad = cv2.dilate(distance, np.ones((2 * BROAD_PX + 1, 2 * BROAD_PX + 1), np.uint8)) >= BROAD_PX
    # Where one part ends in front of another, depths jump and no line fits.
    even = (depth[3] < MAX_RESIDUAL_BINS**2) & (plain[3] < MAX_RESIDUAL_BINS**2)
    return EdgeProfile(lines, np.asarray(squared[2] < plain[2]), np.asarray(single_run & thins & broad & even))


def apply_edge_profile(
    values: F32, edge: F32, profile: EdgeProfile, rows: F32, columns: F32, slope: float, limit: float
) -> None:
    """Let the field near the silhouette follow the profile, in place.

    Args:
        values: (R, C, D) float32 field, with one layer more in front and behind than the columns the profile was
            fitted to.
        edge: (R, C) float32 distance from the silhouette in the network's pixels, positive inside.
        rows, columns: (R,), (C,) float32, positions of the field's rows and columns in the network's pixels.
        slope: change of the field across the surface, logits a bin.
        limit: the field stays within +-limit.
    """
    row, column = np.nonzero((edge > -0.5) & (edge < BLEND_PX[1]))
    if not len(row):
        return
    at = (
        np.rint(rows[row]).astype(int).clip(0, contract.GRID - 1),
        np.rint(columns[column]).astype(int).clip(0, contract.GRID - 1),
    )
    lines, valid = _lines_at(profile, rows[row], columns[column])
    share = np.clip((BLEND_PX[1] - edge[row, column]) / (BLEND_PX[1] - BLEND_PX[0]), 0, 1) * valid
    kept = share > 0
    row, column, lines, share = row[kept], column[kept], lines[kept], share[kept]
    is_round = profile.round[at][kept]
    x = np.maximum(edge[row, column], 0)
    squared = lines[:, 0] + lines[:, 1] * x
    half = np.where(is_round, np.sqrt(np.maximum(squared, 0)), lines[:, 2] + lines[:, 3] * x)
    half = np.maximum(half, MIN_HALF_BINS)
    centre = lines[:, 4] + lines[:, 5] * x + 1
    depth = np.arange(values.shape[2], dtype=np.float32)
    extrapolated = np.clip(slope * (half[:, None] - np.abs(depth - centre[:, None])), -limit, limit)
    extrapolated[:, [0, -1]] = -limit
    values[row, column] += share[:, None].astype(np.float32) * (extrapolated - values[row, column])


def _lines_at(profile: EdgeProfile, rows: F32, columns: F32) -> tuple[F32, F32]:
    """(n, 6) lines at n positions between pixels, and (n,) the share of valid ones among the four pixels around.

    Only valid pixels are interpolated.
    """
    layers = np.dstack([profile.lines * profile.valid[..., None], profile.valid.astype(np.float32)])
    found = sample_index(np.ascontiguousarray(layers, np.float32), columns, rows)
    share = found[:, 6]
    return np.asarray(found[:, :6] / np.maximum(share, 1e-6)[:, None], np.float32), share
