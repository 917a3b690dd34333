"""The table behind marching cubes, computed and not copied.

A cell's corners are inside or outside. On each face the crossed edges are joined by lines; a face whose corners
alternate can be joined in two ways, and the asymptotic decider picks one from the face's four values alone (Nielson &
Hamann 1991, "The asymptotic decider"), so two cells that share a face always agree and the surface has no cracks. The
lines close into loops, and each loop is cut into triangles.

Corner ``c`` of a cell lies at ``(c & 1, c >> 1 & 1, c >> 2 & 1)``. Edge ``e`` starts at corner ``EDGES[e][0]`` and runs
along axis ``EDGES[e][1]``.
"""

from __future__ import annotations

import itertools
import zlib
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

FILE = Path(__file__).with_suffix(".bin")

EDGES = tuple((corner, axis) for axis in range(3) for corner in range(8) if not corner >> axis & 1)
_EDGE_OF = {frozenset((corner, corner | 1 << axis)): e for e, (corner, axis) in enumerate(EDGES)}


def _face_corners(axis: int, side: int) -> tuple[int, int, int, int]:
    """A face's corners, counter-clockwise seen from outside the cell."""
    u, v = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
    base = side << axis
    ring = (base, base | u, base | u | v, base | v)
    return ring if side else ring[::-1]


FACES = tuple(_face_corners(axis, side) for axis in range(3) for side in range(2))
"""Six rings of four corners: face ``2 * axis + side``."""


class Table(NamedTuple):
    """Which triangles a cell has.

    Attributes:
        row: (256, 64) int64. Row for a corner pattern (bit c: corner c is inside) and the decisions on its ambiguous
            faces (bit f: on face f the inside corners are joined; 0 on faces that are not ambiguous).
        ambiguous: (256, 6) bool, whether a face's corners alternate.
        sizes: (rows,) int64 triangles.
        triangles: (rows, most, 3) int64 edges of the cell, counter-clockwise seen from outside the body. The number
            ``CENTRE``, always last in its triangle, stands for a vertex at the centre of the cell's one long loop.
    """

    row: I64
    ambiguous: NDArray[np.bool_]
    sizes: I64
    triangles: I64


@lru_cache(maxsize=1)
def table() -> Table:
    """The table, read from the file that ``python -m manymesh.mesh.marching_table`` writes.

    It is kept in a file because working it out takes about as long as following the surface of one object.
    """
    kept = np.frombuffer(zlib.decompress(FILE.read_bytes()), "<u2").astype(np.int64)
    row, ambiguous, most, rest = np.split(kept, np.cumsum([256 * 64, 256 * 6, 1]))
    rows = rest.reshape(-1, 1 + 3 * int(most[0]))
    triangles = np.ascontiguousarray(rows[:, 1:]).reshape(len(rows), -1, 3)
    return Table(row.reshape(256, 64), ambiguous.reshape(256, 6) > 0, np.ascontiguousarray(rows[:, 0]), triangles)


def packed(table: Table) -> bytes:
    """A table as ``FILE`` holds it: little-endian 16-bit numbers, compressed."""
    rows = np.concatenate([table.sizes[:, None], table.triangles.reshape(len(table.sizes), -1)], axis=1)
    most = [table.triangles.shape[1]]
    numbers = np.concatenate([table.row.ravel(), table.ambiguous.ravel(), most, rows.ravel()])
    return zlib.compress(numbers.astype("<u2").tobytes(), 9)


def derived() -> Table:
    """The table worked out anew."""
    row = np.zeros((256, 64), np.int64)
    ambiguous = np.zeros((256, 6), bool)
    rows: list[tuple[tuple[int, int, int], ...]] = []
    numbers: dict[tuple[tuple[int, int, int], ...], int] = {}
    for pattern in range(256):
        flags = [[bool(pattern >> corner & 1) for corner in ring] for ring in FACES]
        for face, (a, b, c, d) in enumerate(flags):
            ambiguous[pattern, face] = a == c != b == d
        open_faces = [face for face in range(6) if ambiguous[pattern, face]]
        for joined in itertools.product((0, 1), repeat=len(open_faces)):
            decisions = sum(bit << face for bit, face in zip(joined, open_faces, strict=True))
            triangles = tuple(t for loop in _loops(flags, decisions) for t in _cut(tuple(loop)))
            if triangles not in numbers:
                numbers[triangles] = len(rows)
                rows.append(triangles)
            row[pattern, decisions] = numbers[triangles]
    sizes = np.array([len(triangles) for triangles in rows])
    packed = np.zeros((len(rows), sizes.max(), 3), np.int64)
    for number, triangles in enumerate(rows):
        packed[number, : len(triangles)] = np.array(triangles).reshape(-1, 3)
    return Table(row, ambiguous, sizes, packed)


def _loops(flags: list[list[bool]], decisions: int) -> list[list[int]]:
    """The closed loops of crossed edges, directed so that the outside is on their front."""
    follows: dict[int, int] = {}
    for face, (ring, inside) in enumerate(zip(FACES, flags, strict=True)):
        # Walking around the face, an edge leaves the inside or enters it. A line runs from a leaving edge to an
        # entering one; seen from the neighbouring face the two change roles, so lines chain into directed loops.
        edges = [_EDGE_OF[frozenset((ring[i], ring[(i + 1) % 4]))] for i in range(4)]
        leaving = [i for i in range(4) if inside[i] and not inside[(i + 1) % 4]]
        entering = [i for i in range(4) if not inside[i] and inside[(i + 1) % 4]]
        if len(leaving) == 1:
            follows[edges[entering[0]]] = edges[leaving[0]]
        for i in leaving if len(leaving) == 2 else ():
            to = (i + 1) % 4 if decisions >> face & 1 else (i - 1) % 4
            follows[edges[to]] = edges[i]
    loops = []
    while follows:
        start = min(follows)
        loop, edge = [start], follows.pop(start)
        while edge != start:
            loop.append(edge)
            edge = follows.pop(edge)
        loops.append(loop)
    return loops


_MIDDLE = np.array(
    [[(corner >> a & 1) + (0.5 if a == axis else 0.0) for a in range(3)] for corner, axis in EDGES], np.float64
)
_AREA = (
    0.5
    * np.linalg.norm(
        np.cross(
            _MIDDLE[None, :, None] - _MIDDLE[:, None, None],
            _MIDDLE[None, None, :] - _MIDDLE[:, None, None],
        ),
        axis=-1,
    )
).tolist()  # single numbers are read from lists several times as fast
CENTRE = len(EDGES)
_FORBIDDEN = 1e6
_IN_ONE_FACE = ((_MIDDLE[:, None] == _MIDDLE) & ((_MIDDLE == 0) | (_MIDDLE == 1))).any(axis=-1).tolist()


@cache
def _cut(loop: tuple[int, ...]) -> tuple[tuple[int, int, int], ...]:
    """The triangulation of a loop with the least area.

    A diagonal must not lie in a face of the cell: the neighbour might draw the same one, and four triangles would then
    share an edge. Where that cannot be avoided the triangles meet in a vertex at the centre.
    """
    n = len(loop)
    best: dict[tuple[int, int], tuple[float, int]] = {(i, i + 1): (0.0, i) for i in range(n - 1)}
    for span in range(2, n):
        for i in range(n - span):
            k = i + span
            price = 0.0 if span == n - 1 else _FORBIDDEN * _IN_ONE_FACE[loop[i]][loop[k]]
            area = (_AREA[loop[i]][loop[j]][loop[k]] for j in range(i + 1, k))
            costs = [(round(price + a + best[i, j][0] + best[j, k][0], 9), j) for j, a in enumerate(area, i + 1)]
            best[i, k] = min(costs)
    if best[0, n - 1][0] >= _FORBIDDEN:
        return tuple((loop[i], loop[(i + 1) % n], CENTRE) for i in range(n))
    triangles, spans = [], [(0, n - 1)]
    while spans:
        i, k = spans.pop()
        j = best[i, k][1]
        triangles.append((loop[i], loop[j], loop[k]))
        spans += [(a, b) for a, b in ((i, j), (j, k)) if b - a > 1]
    return tuple(triangles)


if __name__ == "__main__":
    FILE.write_bytes(packed(derived()))
