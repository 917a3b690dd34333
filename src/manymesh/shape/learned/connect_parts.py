"""Parts that hang in the air are joined to the rest: legs that begin behind a table's top, rods of a folding chair.

The network sees where such a part comes out from behind, but of how it goes on there it often keeps nothing. So the
shortest way to the body is filled with a tube as thick as the part; it lies behind what hid the joint, and never beyond
the silhouette.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from manymesh.shape.learned.field import BIN, EDGE_SLOPE, Field
from manymesh.types import F32, F64, I32, Bool

SMALLEST, SHOWN = 0.004, 12
"""Share of the body's cells, or cells of the picture that only this part covers: less than both is left as a crumb."""
FURTHEST = 0.3
"""Crop units."""
LEVEL_COST = 1.6
"""What stands or hangs is joined upright rather than sideways: a level step counts so many times a steep one."""
STANDING_SHARE, GROUND = 0.25, 0.06
"""Parts with at least this share of the body that stand on its ground are things of their own: the other shoe. What
reaches down to the lowest place but for this share of the height stands on the ground."""
RADIUS_BINS = 0.8, 1.6
SLOPE = 1.0
"""Logits a bin."""
MOST_POINTS = 4000


def connect_parts(field: Field, up: F64) -> Field:
    """The field with tubes between the body and its loose parts.

    Args:
        up: (3,) unit, the thing's upward direction in the camera's frame.
    """
    from scipy.spatial import cKDTree

    numbers, count = label_parts(field.values > 0)
    if count < 2:
        return field
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    sizes[0] = 0
    body = int(sizes.argmax())
    loose = _worth_joining(numbers, sizes, body)
    if not loose:
        return field
    places = {part: _places(field, numbers, part) for part in [body, *loose]}
    floor, top = (_extreme(list(places.values()), up, end) for end in (min, max))
    low = floor + GROUND * (top - floor)
    stands = {part: float((points @ up).min()) < low for part, points in places.items()}
    scale = LEVEL_COST * np.eye(3) + (1 - LEVEL_COST) * np.outer(up, up)
    trees = [cKDTree(places[body] @ scale)]
    reached = [places[body]]
    values = field.values.copy()
    waiting = [
        part for part in loose if not (stands[part] and stands[body] and sizes[part] > STANDING_SHARE * sizes[body])
    ]
    while waiting:
        # The nearest first: others may then reach the body through it.
        ways = [_shortest(trees, reached, places[part], scale) for part in waiting]
        next_one = int(np.argmin([way[0] for way in ways]))
        _, start, end = ways[next_one]
        part = waiting.pop(next_one)
        if np.linalg.norm(end - start) > FURTHEST:
            continue
        _fill(values, field, start, end, _radius(field, places[part], int(sizes[part])))
        trees.append(cKDTree(places[part] @ scale))
        reached.append(places[part])
    return replace(field, values=values)


def _worth_joining(numbers: Any, sizes: Any, body: int) -> list[int]:
    """The loose parts that are large enough, or that the picture shows."""
    last = numbers.max(axis=2)
    first = np.where(numbers > 0, numbers, len(sizes)).min(axis=2)
    shown = np.bincount(last[(last == first) & (last > 0)], minlength=len(sizes))
    wanted = (sizes >= SMALLEST * sizes[body]) | (shown >= SHOWN)
    wanted[[0, body]] = False
    return [int(part) for part in np.flatnonzero(wanted)]


def label_parts(solid: Bool) -> tuple[I32, int]:
    """The connected parts (by faces) of an (h, w, d) volume, numbered from 1, 0 outside; and how many there are.

    By runs along the last axis and the graph of those that touch. SciPy's ``ndimage.label`` does the same, but the
    module takes 0.1 s to import, as long as ten volumes.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    starts = solid.copy()
    starts[..., 1:] &= ~solid[..., :-1]
    runs = np.cumsum(starts.ravel(), dtype=np.int32).reshape(solid.shape)
    count = int(starts.sum()) + 1
    one, other = np.concatenate([_touching(solid, starts, runs, axis) for axis in (0, 1)], axis=1)
    links = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(count, count))
    # No run has the number 0, so it is the first part by itself.
    parts, label = connected_components(links, directed=False)
    return np.where(solid, label[runs], 0).astype(np.int32), int(parts) - 1


def _touching(solid: Bool, starts: Bool, runs: I32, axis: int) -> I32:
    """(2, n) pairs of runs that lie side by side along an axis, each pair once."""
    here: tuple[slice, ...] = (slice(None),) * axis + (slice(None, -1),)
    there: tuple[slice, ...] = (slice(None),) * axis + (slice(1, None),)
    both = solid[here] & solid[there]
    # A pair begins where either of its runs does, if the other is there.
    both &= starts[here] | starts[there]
    return np.stack([runs[here][both], runs[there][both]])


def _places(field: Field, numbers: Any, part: int) -> F64:
    """(n, 3) crop units, camera frame (perspective apart), of a part's cells; a fixed choice of them where too many."""
    chosen = np.flatnonzero(numbers == part)
    chosen = chosen[:: -(-len(chosen) // MOST_POINTS)]
    row, column, depth = np.unravel_index(chosen, numbers.shape)
    points = [field.left + column * field.cell, field.top - row * field.cell, -(field.near + depth * BIN)]
    return np.stack(points, axis=1).astype(np.float64)


def _extreme(places: list[F64], up: F64, which: Any) -> float:
    return float(which(which(points @ up) for points in places))


def _shortest(trees: list[Any], reached: list[F64], points: F64, scale: F64) -> tuple[float, F64, F64]:
    """(length by ``LEVEL_COST``, start in ``points``, end in what is reached) of the shortest way."""
    best = (np.inf, points[0], points[0])
    for tree, others in zip(trees, reached, strict=True):
        distance, index = tree.query(points @ scale)
        here = int(np.argmin(distance))
        if distance[here] < best[0]:
            best = (float(distance[here]), points[here], others[index[here]])
    return best


def _radius(field: Field, points: F64, cells: int) -> float:
    """Of a rod of as many cells as long as the part, crop units."""
    length = max(float(np.linalg.norm(np.ptp(points, axis=0))), BIN)
    section = cells * field.cell**2 * BIN / length
    return float(np.clip(np.sqrt(section / np.pi), RADIUS_BINS[0] * BIN, RADIUS_BINS[1] * BIN))


def _fill(values: F32, field: Field, start: F64, end: F64, radius: float) -> None:
    """Draw a tube from ``start`` to ``end`` into the field, within the silhouette, in place."""
    step = np.array([field.cell, -field.cell, -BIN])
    origin = np.array([field.left, field.top, -field.near])
    ends = (np.stack([start, end]) - origin) / step
    reach = (radius + BIN) / np.abs(step)
    limit = np.array([values.shape[1], values.shape[0], values.shape[2]])
    low = np.clip(np.floor(ends.min(axis=0) - reach), 1, limit - 1).astype(int)
    high = np.clip(np.ceil(ends.max(axis=0) + reach) + 1, 1, limit - 1).astype(int)
    if (high <= low).any():
        return
    column, row, depth = (np.arange(a, b) for a, b in zip(low, high, strict=True))
    box = np.ix_(row, column, depth)
    x, y, z = (origin[k] + step[k] * at for k, at in enumerate((column, row, depth)))
    points = np.stack(np.broadcast_arrays(x[None, :, None], y[:, None, None], z[None, None, :]), axis=-1)
    way = end - start
    along = np.clip((points - start) @ way / max(float(way @ way), 1e-12), 0, 1)
    away = np.linalg.norm(points - start - along[..., None] * way, axis=-1)
    tube = np.minimum(SLOPE * (radius - away) / BIN, EDGE_SLOPE * field.edge[np.ix_(row, column)][..., None])
    values[box] = np.maximum(values[box], tube.astype(np.float32))
