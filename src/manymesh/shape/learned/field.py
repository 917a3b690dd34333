"""From the network's answer to one continuous field over the crop's frustum: positive inside, negative outside.

Three things decide where the field is zero: the occupancy mixed with the two depth layers; the cutout's own alpha,
which limits every column at full resolution and below a pixel; and thin slabs where the network found nothing although
the alpha says that something is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.shape.inflate import edge_distance_grid
from manymesh.shape.learned import contract
from manymesh.shape.learned.edge_profile import EdgeProfile, apply_edge_profile, fit_edge_profile
from manymesh.shape.learned.predict import Prediction
from manymesh.shape.learned.preprocess import CropSquare
from manymesh.shape.learned.thin_parts import draw_tubes, find_thin_parts
from manymesh.types import F32, U8, Bool

LAYERS_SHARE = 0.4
"""Of the two depth layers in the mix, the rest is occupancy."""
LAYERS_SLOPE = 40.0
"""Logits a crop unit, on both sides of a depth layer."""
LAYERS_LIMIT = 4.0
"""Logits: between the first and the last surface there may be gaps, of which only the occupancy knows."""
THRESHOLDS = 0.15, 0.5
"""The probability at the surface is the one at which the solid cells number as many as the probabilities sum to, within
these bounds: a network that is unsure of a thin part spreads it out, but the sum stays right."""
LEVEL_REACH, LEVEL_BARS = 12.0, 2400
FIELD_LIMIT = 6.0

MESH_CELLS = 9_000
"""Cells inside the silhouette; decides the time and the number of triangles."""
MIN_CELLS, MAX_CELLS = 144, 288
"""Along the crop's side: a slim thing has the finer grid that its thin parts need."""
MARGIN_CELLS = 4
EDGE_SLOPE = 2.0
"""Logits a cell, across the alpha's edge."""
EDGE_BLUR_CELLS = 0.7
"""Less than inflation takes, whose cells are larger: gaps between rods stay open."""
INSET_PX = 0.15
"""Of the cutout: half transparent pixels count as outside, and an outline right through their middles would be a toss
of the coin for each. It adds up along rods a few pixels wide."""
EDGE_CELLS = 2.0
RIM_SLOPE = 1.0
"""Logits a bin, where the field follows the rim."""
SLAB_HALF_BINS = 0.8
"""Half the thickness of a slab, in depth bins. Thinner could fall between two samples."""

BIN = (contract.FAR - contract.NEAR) / contract.BINS


@dataclass(frozen=True)
class Field:
    """Samples of a field over pixels and depth.

    Attributes:
        values: (R, C, D) float32, positive inside; negative on the whole border. Rows go down in the picture.
        edge: (R, C) float32: distance to the silhouette's edge in cells, positive inside.
        left, top: u and v of the first row's and column's samples, crop units (v up).
        cell: crop units from one row or column to the next.
        near: d of the first depth sample; the next lie ``BIN`` further each.
    """

    values: F32
    edge: F32
    left: float
    top: float
    cell: float
    near: float


def build_field(answer: Prediction, alpha: U8, square: CropSquare, inside: Bool) -> Field:
    """The field to be meshed.

    Args:
        alpha: (H, W) uint8 of the cutout, at its full resolution.
        square: where the network's crop lies in the cutout.
        inside: ``pixels_inside`` of both.
    """
    edge, left, top, cell = _edge(alpha, square)
    logits = fuse_logits(answer)
    logits = logits - iso_level(logits, inside)
    first, last = _occupied(logits, answer, inside)
    columns = np.ascontiguousarray(logits[first:last].transpose(1, 2, 0))
    np.clip(columns, -FIELD_LIMIT, FIELD_LIMIT, out=columns)
    _with_slabs(columns, answer, inside, first)
    here = nearest_inside(inside)
    values = np.full((*edge.shape, last - first + 2), -FIELD_LIMIT, np.float32)
    values[..., 1:-1] = resample_to_grid(columns[here], left, top, cell, edge.shape)
    pixel = np.float32(1 / (contract.GRID * cell))
    distance = _at_pixels(edge, left, top, cell) / pixel
    rim = fit_edge_profile(answer, columns, inside, distance, BIN, first)
    rows = (0.5 - (top - np.arange(edge.shape[0]) * cell)) * contract.GRID - 0.5
    across = (0.5 + left + np.arange(edge.shape[1]) * cell) * contract.GRID - 0.5
    rim = EdgeProfile(rim.thickness[here], rim.round[here], rim.simple[here])
    apply_edge_profile(values, edge / pixel, rim, rows, across, RIM_SLOPE, FIELD_LIMIT)
    rods = find_thin_parts(answer, inside, distance, BIN, first)
    rods[..., 1:] *= rods[..., :1]
    draw_tubes(values, edge / pixel, resample_to_grid(rods[here], left, top, cell, edge.shape), FIELD_LIMIT)
    _up_to_the_edge(values, edge)
    np.minimum(values, (EDGE_SLOPE * edge)[..., None], out=values)
    return Field(values, edge, left, top, cell, contract.NEAR + (first - 1 + 0.5) * BIN)


def fuse_logits(answer: Prediction) -> F32:
    """(BINS, GRID, GRID) float32: occupancy and the two depth layers in one."""
    depth = (contract.NEAR + (np.arange(contract.BINS, dtype=np.float32) + np.float32(0.5)) * np.float32(BIN))[
        :, None, None
    ]
    layers = np.minimum(depth - answer.surface[contract.FRONT_DEPTH], answer.surface[contract.BACK_DEPTH] - depth)
    layers *= np.float32(LAYERS_SLOPE)
    np.clip(layers, -LAYERS_LIMIT, LAYERS_LIMIT, out=layers)
    layers *= np.float32(LAYERS_SHARE)
    layers += np.float32(1 - LAYERS_SHARE) * answer.logits
    return layers


def iso_level(logits: F32, inside: Bool) -> np.float32:
    """The logit at the surface (see ``THRESHOLDS``). Only columns in ``inside`` (GRID, GRID) count."""
    # A histogram of the logits is as good as sorting them, and their probabilities need only be taken per bar.
    bar = logits[:, inside]
    bar += np.float32(LEVEL_REACH)
    bar *= np.float32(LEVEL_BARS / (2 * LEVEL_REACH))
    np.clip(bar, 0, LEVEL_BARS - 1, out=bar)
    counts = np.bincount(bar.astype(np.int16).ravel(), minlength=LEVEL_BARS)
    bars = np.linspace(-LEVEL_REACH, LEVEL_REACH, LEVEL_BARS + 1)
    middle = (bars[1:] + bars[:-1]) / 2
    expected = (counts / (1 + np.exp(-middle))).sum()
    above = counts[::-1].cumsum()[::-1]
    place = bars[int(np.searchsorted(-above, -expected))]
    low, high = (float(np.log(p / (1 - p))) for p in THRESHOLDS)
    return np.float32(np.clip(place, low, high))


def _edge(alpha: U8, square: CropSquare) -> tuple[F32, float, float, float]:
    """Signed distance to the silhouette on the mesh's grid in cells, and the grid's u, v and cell in crop units."""
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


def pixels_inside(alpha: U8, square: CropSquare) -> Bool:
    """(GRID, GRID) bool: which of the network's pixels are more inside the silhouette than outside."""
    from manymesh.shape.learned.preprocess import area_average

    share = area_average(alpha[..., None].astype(np.float32), square, contract.GRID)[0]
    return np.asarray(share >= min(127.5, float(share.max())))


def _at_pixels(edge: F32, left: float, top: float, cell: float) -> F32:
    """(GRID, GRID): a picture on the mesh's grid read at the middles of the network's pixels; far outside beyond it."""
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


def _occupied(logits: F32, answer: Prediction, inside: Bool) -> tuple[int, int]:
    """The first depth bin, and one past the last, that hold anything, with two to spare.

    What the occupancy has lost (thin legs behind) is put where the depth heads see it, so that counts too.
    """
    solid = logits[:, inside] > 0
    lost = ~solid.any(axis=0)
    heads = answer.surface[[contract.FRONT_DEPTH, contract.BACK_DEPTH]][:, inside][:, lost]
    bins = np.rint((heads.ravel() - contract.NEAR) / BIN - 0.5)
    found = np.concatenate([np.flatnonzero(solid.any(axis=1)), bins]).clip(0, contract.BINS - 1)
    if not len(found):
        return 0, contract.BINS
    return max(int(found.min()) - 2, 0), min(int(found.max()) + 3, contract.BINS)


def _with_slabs(columns: F32, answer: Prediction, inside: Bool, first: int) -> None:
    """Where a column inside the silhouette is empty, something thin must stand: at the predicted first surface."""
    import cv2

    empty = inside & ~(columns > 0).any(axis=2)
    if not empty.any():
        return
    # One pixel more, so that the slab joins what stands next to it.
    rows, places = np.nonzero(cv2.dilate(empty.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & inside)
    front, back = answer.surface[contract.FRONT_DEPTH], answer.surface[contract.BACK_DEPTH]
    half = np.clip((back - front) / 2, SLAB_HALF_BINS * BIN, 2 * SLAB_HALF_BINS * BIN)
    middle = ((front + half)[rows, places] - contract.NEAR) / BIN - 0.5 - first
    middle = np.clip(middle, 1, columns.shape[2] - 2)
    reach = half[rows, places] / BIN
    slab = reach[:, None] - np.abs(np.arange(columns.shape[2]) - middle[:, None])
    columns[rows, places] = np.maximum(columns[rows, places], np.clip(slab * 4, -FIELD_LIMIT, FIELD_LIMIT))


def _up_to_the_edge(values: F32, edge: F32) -> None:
    """Let columns near the silhouette's edge be as positive as the edge allows, in place.

    The outline lies where the line between a column inside and one outside is zero: a thin part, whose field is low
    throughout, would lose a share of its width. Scaling a column moves none of its zeros.
    """
    near = np.nonzero((edge > 0) & (edge < EDGE_CELLS))
    columns = values[near]
    most, wanted = columns.max(axis=1), EDGE_SLOPE * edge[near]
    low = (most > 0) & (most < wanted)
    columns[low] *= (wanted[low] / most[low])[:, None]
    values[near] = columns


def nearest_inside(inside: Bool) -> tuple[Any, Any]:
    """Rows and columns (GRID, GRID) of the pixel in ``inside`` that is nearest to each pixel: outside of the silhouette
    the network was never taught anything, and between pixels its answers there would mix in."""
    import cv2

    outside = (~inside).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    place = np.zeros(int(label.max()) + 1, np.int64)
    place[label[inside]] = np.flatnonzero(inside)
    return np.unravel_index(place[label], inside.shape)


def resample_to_grid(picture: F32, left: float, top: float, cell: float, form: tuple[int, ...]) -> F32:
    """A (GRID, GRID, ...) picture read at the places of a grid, linearly.

    Args:
        left, top, cell: u and v of the grid's first place, and its step, crop units.
        form: rows and columns of the grid.
    """
    down = _weights(0.5 - (top - np.arange(form[0]) * cell))
    across = _weights(left + np.arange(form[1]) * cell + 0.5)
    depth = picture.shape[2]
    rows = (down @ picture.reshape(contract.GRID, -1)).reshape(form[0], contract.GRID, depth)
    return np.matmul(across, rows)


def _weights(place: Any) -> F32:
    """(n, GRID) float32 weights that interpolate a line of the network's pixels at ``place``, 0..1 along the crop."""
    at = np.clip(place * contract.GRID - 0.5, 0, contract.GRID - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(contract.GRID)), 0).astype(np.float32)
