"""Hunyuan3D-2's gap filling: colours travel along the mesh's edges, then over the picture.

The reference walks a list of uncoloured vertices again and again and updates them in place, each from the neighbours
coloured so far, so the order of the list is part of the answer (a simultaneous update differs by up to 0.3). Here one
walk is one sparse triangular solve: an entry of the list depends on earlier entries through the new values and on later
ones through the old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F32, F64, U8, Bool

NS_RADIUS_PX = 3
FIRST_PATIENCE = 2

I64 = NDArray[np.int64]


def inpaint(texture: F32, painted: Bool, vertices: Any, faces: Any, uv: Any, tick: Callable[[float], None]) -> U8:
    """Fill every texel of a baked texture.

    Args:
        texture: (T, T, 3) float32 in [0, 1]. painted: (T, T) bool, which texels have a colour.
        vertices, faces, uv: the unwrapped mesh, v as in the file (row 0 of the texture is v = 1).
        tick: called with 0..1.

    Returns:
        (T, T, 3) uint8.
    """
    import cv2

    tick(0.0)
    texture, painted = spread_along_mesh(texture, painted, vertices, faces, uv)
    tick(0.5)
    picture = (texture * np.float32(255)).astype(np.uint8)
    filled = cv2.inpaint(picture, np.where(painted, 0, 255).astype(np.uint8), NS_RADIUS_PX, cv2.INPAINT_NS)
    tick(1.0)
    return np.asarray(filled, np.uint8)


def spread_along_mesh(texture: F32, painted: Bool, vertices: Any, faces: Any, uv: Any) -> tuple[F32, Bool]:
    """Give the texel under every vertex that can be reached along the mesh a colour. Seams stop the spread.

    Args and answer as in ``inpaint``: the new (T, T, 3) texture and (T, T) mask; the inputs stay as they are.
    """
    faces, uv = np.asarray(faces, np.int64), np.asarray(uv, np.float32)
    height, width = painted.shape
    column = _round_half_away(uv[:, 0] * np.float32(width - 1), width)
    row = _round_half_away((np.float32(1) - uv[:, 1]) * np.float32(height - 1), height)
    known = painted[row, column]
    colors = np.where(known[:, None], texture[row, column], 0).astype(np.float64)
    colors, known = _walks(colors, known, np.asarray(vertices, np.float32), faces)
    texture, painted = texture.copy(), painted.copy()
    corner = faces.ravel()
    corner = corner[known[corner]]
    # Where several vertices share a texel the last corner wins: NumPy keeps the last of repeated assignments.
    texture[row[corner], column[corner]] = colors[corner]
    painted[row[corner], column[corner]] = True
    return texture, painted


def _round_half_away(values: F32, size: int) -> I64:
    return np.clip(np.floor(values.astype(np.float64) + 0.5), 0, size - 1).astype(np.int64)


def _walks(colors: F64, known: Bool, vertices: F32, faces: I64) -> tuple[F64, Bool]:
    """Walk the list of unknown corners until the count of entries without any coloured neighbour has settled."""
    entries = faces.ravel()
    entries = entries[~known[entries]]
    if not len(entries):
        return colors, known
    links = _Links(entries, vertices, faces)
    patience, before = FIRST_PATIENCE, 0
    while patience > 0:
        colors, known, missed = links.walk(colors, known)
        patience += -1 if missed == before else 1
        before = missed
    return colors, known


class _Links:
    """The list of entries and, for each, the neighbours it is averaged from. Holds the factored walk between walks."""

    def __init__(self, entries: I64, vertices: F32, faces: I64) -> None:
        self.entries, self.vertex_count = entries, len(vertices)
        start, end = faces.ravel(), faces[:, [1, 2, 0]].ravel()
        self._factored: tuple[Any, ...] | None = None
        target, source = self._pair(entries, start, end)
        distance = np.linalg.norm(vertices[entries[target]] - vertices[source], axis=1)
        weight = 1 / np.maximum(distance.astype(np.float64), 1e-4) ** 2
        earlier = self._latest_entry_before(target, source)
        new = earlier >= 0
        self.new = target[new], earlier[new], weight[new]  # from a value of this walk
        self.old = target[~new], source[~new], weight[~new]  # from a value of before
        last = np.full(len(vertices), -1)
        last[entries] = np.arange(len(entries))
        self.vertex, self.last = np.flatnonzero(last >= 0), last[last >= 0]

    @staticmethod
    def _pair(entries: I64, start: I64, end: I64) -> tuple[I64, I64]:
        """For every entry all ends of the directed edges that start at its vertex: (entry's place, vertex)."""
        order = np.argsort(start, kind="stable")
        start, end = start[order], end[order]
        first = np.searchsorted(start, entries, "left")
        count = np.searchsorted(start, entries, "right") - first
        target = np.repeat(np.arange(len(entries)), count)
        offset = np.arange(len(target)) - np.repeat(np.cumsum(count) - count, count)
        return target, end[np.repeat(first, count) + offset]

    def _latest_entry_before(self, target: I64, source: I64) -> I64:
        """The last place in the list before ``target`` that holds vertex ``source``, or -1."""
        size = len(self.entries) + 1
        places = np.sort(self.entries * size + np.arange(len(self.entries)))
        found = np.searchsorted(places, source * size + target) - 1
        candidate = places[np.maximum(found, 0)]
        return np.where((found >= 0) & (candidate // size == source), candidate % size, -1)

    def walk(self, colors: F64, known: Bool) -> tuple[F64, Bool, int]:
        """One pass over the list: new colours, new flags, and how many entries found no coloured neighbour."""
        source_known = known[self.old[1]]
        colored = self._reached(source_known, known)
        solver, from_old, total = self._system(source_known, colored)
        value = solver.solve(from_old @ colors)
        colors, known = colors.copy(), known.copy()
        hit = colored[self.last]
        colors[self.vertex[hit]] = value[self.last[hit]]
        known[self.vertex[hit]] = True
        return colors, known, int(np.count_nonzero(total == 0))

    def _reached(self, source_known: Bool, known: Bool) -> Bool:
        """(entries,) bool: whose vertex has a colour once the walk has passed them."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import breadth_first_order

        count = len(self.entries)
        colored = known[self.entries].copy()
        colored[self.old[0][source_known]] = True
        if colored.all():
            return colored
        # One extra node stands for "coloured already"; what it reaches along the links gets a colour in this walk.
        seeds = np.flatnonzero(colored)
        tail = np.concatenate([self.new[1], np.full(len(seeds), count)])
        head = np.concatenate([self.new[0], seeds])
        graph = csr_array((np.ones(len(tail), np.int8), (tail, head)), shape=(count + 1, count + 1))
        reached = breadth_first_order(graph, count, return_predecessors=False)
        colored[reached[reached < count]] = True
        return colored

    def _system(self, source_known: Bool, colored: Bool) -> tuple[Any, Any, F64]:
        """The factored triangular matrix of a walk, the matrix of old values, and the sum of weights per entry."""
        from scipy.sparse import coo_array, csc_array
        from scipy.sparse.linalg import splu

        cached = self._factored
        if cached is not None and np.array_equal(cached[0], source_known) and np.array_equal(cached[1], colored):
            return cached[2], cached[3], cached[4]
        count = len(self.entries)
        target, earlier, weight = self.new
        live = colored[earlier]
        target, earlier, weight = target[live], earlier[live], weight[live]
        total: F64 = np.bincount(target, weight, count).astype(np.float64)
        total += np.bincount(self.old[0][source_known], self.old[2][source_known], count)
        safe = np.where(total > 0, total, 1)
        place = np.arange(count)
        matrix = coo_array(
            (
                np.concatenate([np.ones(count), -weight / safe[target]]),
                (np.concatenate([place, target]), np.concatenate([place, earlier])),
            ),
            shape=(count, count),
        )
        old_target, old_source = self.old[0][source_known], self.old[1][source_known]
        from_old = coo_array(
            (self.old[2][source_known] / safe[old_target], (old_target, old_source)),
            shape=(count, self.vertex_count),
        ).tocsr()
        # Lower triangular with a unit diagonal already: factoring in the natural order adds nothing.
        solver = splu(csc_array(matrix), permc_spec="NATURAL", diag_pivot_thresh=0.0)
        self._factored = source_known, colored, solver, from_old, total
        return solver, from_old, total
