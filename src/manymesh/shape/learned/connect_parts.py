"""Floating parts of the field are connected to the body: legs that begin behind a table's top, a folding chair's bars.

The network often predicts where such a part comes out from behind another, but nothing of how it goes on there. So the
shortest connection to the body is filled with a tube as thick as the part. It never leaves the silhouette.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from manymesh.shape.learned.contract import BIN_LENGTH
from manymesh.shape.learned.field import EDGE_SLOPE, Field
from manymesh.types import F32, F64, I32

# A part is connected when it has at least this share of the body's cells, or at least this many cells of the picture
# that show nothing else. Smaller ones are left to be dropped with the mesh's other small components.
# Set by hand on the validation models.
MIN_SHARE, MIN_VISIBLE_CELLS = 0.004, 12

# Longest connection, crop units. Set by hand on the validation models.
MAX_LENGTH = 0.3

# A horizontal step counts this many times a vertical one in the length of a connection: what stands or hangs is
# connected upright. Set by hand on the validation models.
HORIZONTAL_COST = 1.6

# A part with at least this share of the body's cells that stands on the same floor is an object of its own, as the
# other shoe of a pair, and is not connected. A part stands on the floor when it reaches down to the lowest point but
# for this share of the height. Chosen by hand.
STANDING_SHARE, FLOOR_SHARE = 0.25, 0.06

# Smallest and largest radius of a connecting tube, in bins. Set by hand on the validation models.
RADIUS_BINS = 0.8, 1.6

# Change of the field across a tube's surface, logits a bin.
SLOPE = 1.0

# Cells of a part that are searched for the shortest connection; of larger parts every n-th is taken. Bounds the time.
MAX_POINTS = 4000


def connect_parts(field: Field, up: F64) -> Field:
    """The field with tubes between its largest part (the body) and the other parts that are worth it.

    Args:
        up: (3,) unit vector, the object's upward direction in the camera frame.
    """
    from scipy.ndimage import label
    from scipy.spatial import cKDTree

    labels, count = label(field.values > 0)  # parts are connected through faces of cells
    if count < 2:
        return field
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    body = int(sizes.argmax())
    floating = _worth_connecting(labels, sizes, body)
    if not floating:
        return field
    points = {part: _cell_points(field, labels, part) for part in [body, *floating]}
    bottom, top = (_extreme(list(points.values()), up, end) for end in (min, max))
    floor = bottom + FLOOR_SHARE * (top - bottom)
    stands = {part: float((places @ up).min()) < floor for part, places in points.items()}
    # Scales space so that distances in it are lengths with ``HORIZONTAL_COST``.
    scale = HORIZONTAL_COST * np.eye(3) + (1 - HORIZONTAL_COST) * np.outer(up, up)
    trees = [cKDTree(points[body] @ scale)]
    connected = [points[body]]
    values = field.values.copy()
    waiting = [
        part for part in floating if not (stands[part] and stands[body] and sizes[part] > STANDING_SHARE * sizes[body])
    ]
    while waiting:
        # The nearest first: others may then reach the body through it.
        candidates = [_shortest_connection(trees, connected, points[part], scale) for part in waiting]
        nearest = int(np.argmin([length for length, _, _ in candidates]))
        _, start, end = candidates[nearest]
        part = waiting.pop(nearest)
        if np.linalg.norm(end - start) > MAX_LENGTH:
            continue
        _draw_tube(values, field, start, end, _radius(field, points[part], int(sizes[part])))
        trees.append(cKDTree(points[part] @ scale))
        connected.append(points[part])
    return replace(field, values=values)


def _worth_connecting(labels: I32, sizes: Any, body: int) -> list[int]:
    """The parts other than the body that are large enough, or that are visible enough (see ``MIN_SHARE``)."""
    last = labels.max(axis=2)
    first = np.where(labels > 0, labels, len(sizes)).min(axis=2)
    visible = np.bincount(last[(last == first) & (last > 0)], minlength=len(sizes))
    worth = (sizes >= MIN_SHARE * sizes[body]) | (visible >= MIN_VISIBLE_CELLS)
    worth[[0, body]] = False
    return [int(part) for part in np.flatnonzero(worth)]


def _cell_points(field: Field, labels: I32, part: int) -> F64:
    """(n, 3) positions of a part's cells: crop units, camera frame without perspective; at most ``MAX_POINTS``."""
    chosen = np.flatnonzero(labels == part)
    chosen = chosen[:: -(-len(chosen) // MAX_POINTS)]
    row, column, depth = np.unravel_index(chosen, labels.shape)
    points = [field.left + column * field.cell, field.top - row * field.cell, -(field.near + depth * BIN_LENGTH)]
    return np.stack(points, axis=1).astype(np.float64)


def _extreme(parts: list[F64], up: F64, which: Callable[..., Any]) -> float:
    """The lowest (``which`` is ``min``) or highest (``max``) point of all parts along ``up``."""
    return float(which(which(points @ up) for points in parts))


def _shortest_connection(trees: list[Any], connected: list[F64], points: F64, scale: F64) -> tuple[float, F64, F64]:
    """Its length with ``HORIZONTAL_COST``, its start in ``points``, and its end in one of the connected parts.

    Args:
        trees: one tree for each of ``connected``, over its points times ``scale``.
    """
    best = (np.inf, points[0], points[0])
    for tree, others in zip(trees, connected, strict=True):
        distance, index = tree.query(points @ scale)
        here = int(np.argmin(distance))
        if distance[here] < best[0]:
            best = (float(distance[here]), points[here], others[index[here]])
    return best


def _radius(field: Field, points: F64, cells: int) -> float:
    """Radius in crop units of a bar of this many cells that is as long as the part."""
    length = max(float(np.linalg.norm(np.ptp(points, axis=0))), BIN_LENGTH)
    section = cells * field.cell**2 * BIN_LENGTH / length
    return float(np.clip(np.sqrt(section / np.pi), RADIUS_BINS[0] * BIN_LENGTH, RADIUS_BINS[1] * BIN_LENGTH))


def _draw_tube(values: F32, field: Field, start: F64, end: F64, radius: float) -> None:
    """Draw a tube from ``start`` to ``end`` (crop units) into ``values``, within the silhouette, in place."""
    step = np.array([field.cell, -field.cell, -BIN_LENGTH])
    origin = np.array([field.left, field.top, -field.near])
    ends = (np.stack([start, end]) - origin) / step
    reach = (radius + BIN_LENGTH) / np.abs(step)
    limit = np.array([values.shape[1], values.shape[0], values.shape[2]])
    low = np.clip(np.floor(ends.min(axis=0) - reach), 1, limit - 1).astype(int)
    high = np.clip(np.ceil(ends.max(axis=0) + reach) + 1, 1, limit - 1).astype(int)
    if (high <= low).any():
        return
    column, row, depth = (np.arange(a, b) for a, b in zip(low, high, strict=True))
    box = np.ix_(row, column, depth)
    x, y, z = (origin[k] + step[k] * at for k, at in enumerate((column, row, depth)))
    points = np.stack(np.broadcast_arrays(x[None, :, None], y[:, None, None], z[None, None, :]), axis=-1)
    axis = end - start
    along = np.clip((points - start) @ axis / max(float(axis @ axis), 1e-12), 0, 1)
    away = np.linalg.norm(points - start - along[..., None] * axis, axis=-1)
    tube = np.minimum(SLOPE * (radius - away) / BIN_LENGTH, EDGE_SLOPE * field.edge[np.ix_(row, column)][..., None])
    values[box] = np.maximum(values[box], tube.astype(np.float32))
