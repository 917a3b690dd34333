"""The occupancy field: the network's prediction as one continuous field over the crop's frustum.

The field is positive inside the object and negative outside. It is made of the occupancy logits fused with the two
depth layers, cut off at the cutout's own alpha, which is known at full resolution and below a pixel. Columns inside the
silhouette in which the network found nothing get a thin slab at the predicted depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manymesh.shape.inflate import edge_distance_grid
from manymesh.shape.learned import contract
from manymesh.shape.learned.contract import BIN_LENGTH, depth_to_bins
from manymesh.shape.learned.edge_profile import EdgeProfile, apply_edge_profile, fit_edge_profile
from manymesh.shape.learned.predict import Prediction
from manymesh.shape.learned.preprocess import CropSquare, area_average
from manymesh.shape.learned.thin_parts import draw_tubes, find_thin_parts
from manymesh.types import F32, F64, U8, Bool

I64 = NDArray[np.int64]

# Share of the two depth layers in the fused logits; the rest is the occupancy's. Set by hand on the validation models.
LAYERS_SHARE = 0.4
# The depth layers as logits: their change in logits a crop unit across a layer, and the limit of their size. Beyond a
# layer the limit keeps them from overruling the occupancy, which alone knows of gaps between first and last surface.
# Set by hand on the validation models.
LAYERS_SLOPE = 40.0
LAYERS_LIMIT = 4.0

# The iso-level is the probability at which as many cells are occupied as the probabilities sum to (volume preserving),
# clamped to this range. A network that is unsure of a thin part spreads its probability out, but keeps its sum.
# Set by hand on the validation models.
ISO_LEVELS = 0.15, 0.5
# Histogram of logits in which the iso-level is looked up: range +-, and bars. Bars of 0.01 logits are far below what
# shows in a mesh.
HISTOGRAM_RANGE, HISTOGRAM_BARS = 12.0, 2400

# The field stays within +-this, in logits. Chosen by hand.
FIELD_LIMIT = 6.0

# Cells of the mesh's grid inside the silhouette. Decides the time and the number of triangles. Measured on the 42
# validation models: F@0.05 0.948, F@0.02 0.748, as with 13,000 cells.
MESH_CELLS = 9_000
# Bounds of the grid's cells along the crop's side: a slender object gets the finer grid that its thin parts need.
# Chosen by hand.
MIN_CELLS, MAX_CELLS = 144, 288
# Cells of the grid outside the silhouette's box, on each side.
MARGIN_CELLS = 4

# Change of the field across the silhouette's edge, logits a cell. Chosen by hand.
EDGE_SLOPE = 2.0
# Standard deviation, in cells, of the outline's smoothing. Less than ``inflate`` takes, whose cells are larger: gaps
# between bars stay open. Set by hand on the validation models.
EDGE_BLUR_CELLS = 0.7
# Inset of the outline in the cutout's pixels, so that half transparent pixels count as outside everywhere. An outline
# through their very centres would leave each to rounding, which adds up along bars a few pixels wide. Chosen by hand.
INSET_PX = 0.15
# Columns up to this many cells inside the silhouette are raised to what its edge allows. Chosen by hand.
RAISE_CELLS = 2.0
# Change of the field across the surface where it follows the edge profile, logits a bin.
PROFILE_SLOPE = 1.0

# Half the thickness of a slab is at least this, in bins, and at most twice this. Thinner could fall between two
# samples.
SLAB_HALF_BINS = 0.8
# Change of the field across a slab's surface, logits a bin. Chosen by hand.
SLAB_SLOPE = 4


@dataclass(frozen=True)
class Field:
    """Samples of the field over picture positions and depth.

    Attributes:
        values: (R, C, D) float32, positive inside; negative on the whole border. Rows go down in the picture.
        edge: (R, C) float32: distance to the silhouette's edge in cells, positive inside.
        left, top: u and v of the first column's and row's samples, crop units (v up).
        cell: crop units from one row or column to the next.
        near: d of the first depth sample; the next lie ``BIN_LENGTH`` further each.
    """

    values: F32
    edge: F32
    left: float
    top: float
    cell: float
    near: float


def build_field(prediction: Prediction, alpha: U8, square: CropSquare, inside: Bool) -> Field:
    """The field to be meshed.

    Args:
        prediction: with refined depths.
        alpha: (H, W) uint8 of the cutout, at its full resolution.
        square: where the network's crop lies in the cutout.
        inside: (GRID, GRID) bool, ``pixels_inside`` of both.
    """
    edge, left, top, cell = _edge_distance(alpha, square)
    logits = fuse_logits(prediction)
    logits = logits - iso_level(logits, inside)
    first, last = _occupied_bins(logits, prediction, inside)
    columns = np.ascontiguousarray(logits[first:last].transpose(1, 2, 0))
    np.clip(columns, -FIELD_LIMIT, FIELD_LIMIT, out=columns)
    _fill_empty_columns(columns, prediction, inside, first)
    nearest = nearest_inside(inside)
    values = np.full((*edge.shape, last - first + 2), -FIELD_LIMIT, np.float32)
    values[..., 1:-1] = resample_to_grid(columns[nearest], left, top, cell, edge.shape)
    cells_per_px = np.float32(1 / (contract.GRID * cell))
    edge_px = edge / cells_per_px
    distance = _at_network_pixels(edge, left, top, cell) / cells_per_px
    profile = fit_edge_profile(prediction, columns, inside, distance, first)
    profile = EdgeProfile(profile.lines[nearest], profile.round[nearest], profile.valid[nearest])
    rows = (0.5 - (top - np.arange(edge.shape[0]) * cell)) * contract.GRID - 0.5
    across = (0.5 + left + np.arange(edge.shape[1]) * cell) * contract.GRID - 0.5
    apply_edge_profile(values, edge_px, profile, rows, across, PROFILE_SLOPE, FIELD_LIMIT)
    parts = find_thin_parts(prediction, inside, distance, first)
    parts[..., 1:] *= parts[..., :1]
    draw_tubes(values, edge_px, resample_to_grid(parts[nearest], left, top, cell, edge.shape), FIELD_LIMIT)
    _raise_to_edge(values, edge)
    np.minimum(values, (EDGE_SLOPE * edge)[..., None], out=values)
    return Field(values, edge, left, top, cell, contract.NEAR + (first - 1 + 0.5) * BIN_LENGTH)


def fuse_logits(prediction: Prediction) -> F32:
    """(BINS, GRID, GRID) float32 logits: the occupancy and the two depth layers, weighted (``LAYERS_SHARE``)."""
    bins = np.arange(contract.BINS, dtype=np.float32) + np.float32(0.5)
    depth = (contract.NEAR + bins * np.float32(BIN_LENGTH))[:, None, None]
    front, back = prediction.surface[contract.FRONT_DEPTH], prediction.surface[contract.BACK_DEPTH]
    layers: F32 = np.minimum(depth - front, back - depth)
    layers *= np.float32(LAYERS_SLOPE)
    np.clip(layers, -LAYERS_LIMIT, LAYERS_LIMIT, out=layers)
    layers *= np.float32(LAYERS_SHARE)
    layers += np.float32(1 - LAYERS_SHARE) * prediction.logits
    return layers


def iso_level(logits: F32, inside: Bool) -> np.float32:
    """The logit at the object's surface (see ``ISO_LEVELS``).

    Args:
        logits: (BINS, GRID, GRID).
        inside: (GRID, GRID) bool, the columns that count.
    """
    # A histogram of the logits is as good as sorting them, and probabilities are only needed for each bar.
    bar = logits[:, inside]
    bar += np.float32(HISTOGRAM_RANGE)
    bar *= np.float32(HISTOGRAM_BARS / (2 * HISTOGRAM_RANGE))
    np.clip(bar, 0, HISTOGRAM_BARS - 1, out=bar)
    counts = np.bincount(bar.astype(np.int16).ravel(), minlength=HISTOGRAM_BARS)
    bounds = np.linspace(-HISTOGRAM_RANGE, HISTOGRAM_RANGE, HISTOGRAM_BARS + 1)
    centres = (bounds[1:] + bounds[:-1]) / 2
    expected = (counts / (1 + np.exp(-centres))).sum()
    above = counts[::-1].cumsum()[::-1]
    level = bounds[int(np.searchsorted(-above, -expected))]
    low, high = (float(np.log(p / (1 - p))) for p in ISO_LEVELS)
    return np.float32(np.clip(level, low, high))


def pixels_inside(alpha: U8, square: CropSquare) -> Bool:
    """(GRID, GRID) bool: which of the network's pixels are at least half inside the silhouette.

    Args:
        alpha: (H, W) uint8 of the cutout. Where no pixel is half covered, those that are covered most count.
        square: where the network's crop lies in the cutout.
    """
    share = area_average(alpha[..., None].astype(np.float32), square, contract.GRID)[0]
    return np.asarray(share >= min(127.5, float(share.max())))


def nearest_inside(inside: Bool) -> tuple[I64, I64]:
    """Rows and columns, (GRID, GRID) each, of the pixel of ``inside`` (GRID, GRID) bool nearest to each pixel.

    The network was never trained outside silhouettes, so its values there must not be interpolated into the object.
    """
    import cv2

    outside = (~inside).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    index = np.zeros(int(label.max()) + 1, np.int64)
    index[label[inside]] = np.flatnonzero(inside)
    row, column = np.unravel_index(index[label], inside.shape)
    return row, column


def resample_to_grid(picture: F32, left: float, top: float, cell: float, shape: tuple[int, ...]) -> F32:
    """(R, C, c) float32: a (GRID, GRID, c) picture of the network's pixels, linearly interpolated on a grid.

    Args:
        left, top, cell: u and v of the grid's first sample, and its step, crop units.
        shape: (R, C), rows and columns of the grid.
    """
    down = _interpolation(np.asarray(0.5 - (top - np.arange(shape[0]) * cell), np.float64))
    across = _interpolation(np.asarray(left + np.arange(shape[1]) * cell + 0.5, np.float64))
    depth = picture.shape[2]
    rows = (down @ picture.reshape(contract.GRID, -1)).reshape(shape[0], contract.GRID, depth)
    return np.asarray(np.matmul(across, rows))


def _interpolation(position: F64) -> F32:
    """(n, GRID) float32 weights that interpolate a line of the network's pixels at (n,) positions, 0..1 of the crop."""
    at = np.clip(position * contract.GRID - 0.5, 0, contract.GRID - 1)
    return np.asarray(np.maximum(1 - np.abs(at[:, None] - np.arange(contract.GRID)), 0), np.float32)


def _edge_distance(alpha: U8, square: CropSquare) -> tuple[F32, float, float, float]:
    """``Field``'s ``edge``, ``left``, ``top`` and ``cell``: the mesh's grid and the distances on it."""
    rows, columns = np.flatnonzero((alpha > 127).any(1)), np.flatnonzero((alpha > 127).any(0))
    share = float((alpha > 127).sum()) / square.side_px**2
    cells = float(np.clip(np.sqrt(MESH_CELLS / share), MIN_CELLS, MAX_CELLS))
    cell_px = square.side_px / cells
    left_px, top_px = columns[0] - MARGIN_CELLS * cell_px, rows[0] - MARGIN_CELLS * cell_px
    width = int(np.ceil((columns[-1] + 1 - columns[0]) / cell_px)) + 2 * MARGIN_CELLS
    height = int(np.ceil((rows[-1] + 1 - rows[0]) / cell_px)) + 2 * MARGIN_CELLS
    edge = edge_distance_grid(alpha, left_px, top_px, cell_px, width, height, EDGE_BLUR_CELLS)
    edge -= np.float32(INSET_PX / cell_px)
    edge[[0, -1]] = edge[:, [0, -1]] = np.minimum(edge.min(), -1)
    left = (left_px + cell_px / 2 - square.left_px) / square.side_px - 0.5
    top = 0.5 - (top_px + cell_px / 2 - square.top_px) / square.side_px
    return edge, float(left), float(top), 1 / cells


def _at_network_pixels(edge: F32, left: float, top: float, cell: float) -> F32:
    """(GRID, GRID): a picture on the mesh's grid, read at the network's pixels; its minimum beyond the grid."""
    import cv2

    u = (np.arange(contract.GRID, dtype=np.float32) + np.float32(0.5)) / np.float32(contract.GRID) - np.float32(0.5)
    x, y = np.meshgrid((u - left) / cell, (top + u) / cell)
    return np.asarray(
        cv2.remap(
            edge,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=float(edge.min()),
        )
    )


def _occupied_bins(logits: F32, prediction: Prediction, inside: Bool) -> tuple[int, int]:
    """The first depth bin, and one past the last, that hold anything, with two to spare on either side.

    In columns without an occupied cell (thin legs behind) the depth layers count.
    """
    solid = logits[:, inside] > 0
    empty = ~solid.any(axis=0)
    layers = prediction.surface[[contract.FRONT_DEPTH, contract.BACK_DEPTH]][:, inside][:, empty]
    bins = np.rint(depth_to_bins(layers.ravel()))
    found = np.concatenate([np.flatnonzero(solid.any(axis=1)), bins]).clip(0, contract.BINS - 1)
    if not len(found):
        return 0, contract.BINS
    return max(int(found.min()) - 2, 0), min(int(found.max()) + 3, contract.BINS)


def _fill_empty_columns(columns: F32, prediction: Prediction, inside: Bool, first: int) -> None:
    """Put a thin slab at the predicted first surface into columns of the silhouette without an occupied cell, in place.

    Args:
        columns: (GRID, GRID, D) field values. first: the number of their first bin.
    """
    import cv2

    empty = inside & ~(columns > 0).any(axis=2)
    if not empty.any():
        return
    # One pixel more, so that the slab is connected to what stands next to it.
    grown = cv2.dilate(empty.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & inside
    rows, places = np.nonzero(grown)
    front, back = prediction.surface[contract.FRONT_DEPTH], prediction.surface[contract.BACK_DEPTH]
    half = np.clip((back - front) / 2, SLAB_HALF_BINS * BIN_LENGTH, 2 * SLAB_HALF_BINS * BIN_LENGTH)
    centre = depth_to_bins((front + half)[rows, places], first)
    centre = np.clip(centre, 1, columns.shape[2] - 2)
    half_bins = half[rows, places] / BIN_LENGTH
    slab = half_bins[:, None] - np.abs(np.arange(columns.shape[2]) - centre[:, None])
    columns[rows, places] = np.maximum(columns[rows, places], np.clip(slab * SLAB_SLOPE, -FIELD_LIMIT, FIELD_LIMIT))


def _raise_to_edge(values: F32, edge: F32) -> None:
    """Scale columns near the silhouette's edge until they are as positive as the edge allows, in place.

    The outline lies where the interpolation between a column inside and one outside is zero: a thin part, whose values
    are low throughout, would lose a share of its width. Scaling a column moves none of its zeros.
    """
    near = np.nonzero((edge > 0) & (edge < RAISE_CELLS))
    columns = values[near]
    highest, allowed = columns.max(axis=1), EDGE_SLOPE * edge[near]
    low = (highest > 0) & (highest < allowed)
    columns[low] *= (allowed[low] / highest[low])[:, None]
    values[near] = columns
