"""The rasteriser that Hunyuan3D-2's painter was trained with, reproduced to the bit.

It differs from ``manymesh.render.raster``: clip -1 and 1 fall on the *centres* of the outermost pixels, rows grow with
clip y, edges are inclusive, depths are cut to 18 bits, and the lowest face wins ties. Spans, the face table and
interpolation are shared with it; only the spans here need a test for each pixel, and they are tight, so few candidates
are rejected.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.render.raster import (
    CHUNK,
    EMPTY,
    FACE_BITS,
    FaceTable,
    Raster,
    barycentrics,
    slices,
    undo_perspective,
)
from manymesh.render.spans import I64, Edges, Screen, Spans, expand, face_blocks, sorted_spans, tiles
from manymesh.types import F32, I32

# Twice a triangle's area over its bounding box's area, below which rounding makes float32 edge tests unreliable.
SLIVER = 1e-3


def rasterise_reference(clip: Any, faces: Any, height: int, width: int) -> Raster:
    """Draw triangles with the reference's rule.

    Args:
        clip: (k, 4) clip coordinates of the vertices (``ReferenceView.clip``).
        faces: (m, 3) integer. Both sides of a triangle are drawn.
        height, width: of the picture, pixels. Row 0 is clip y = -1.
    """
    faces = np.ascontiguousarray(faces, np.int32)
    screen = _screen(np.asarray(clip), height, width)
    keys = np.full(height * width, EMPTY, np.int64)
    for block in face_blocks(screen, faces):
        _draw(_reference_spans(screen, faces, block), screen, faces, width, keys)
    return _resolve(keys, screen, faces)


def _screen(clip: NDArray[Any], height: int, width: int) -> Screen:
    clip = clip.astype(np.float32)
    w = clip[:, 3]
    in_front = w != 0
    safe_w = np.where(in_front, w, np.float32(1))
    half = np.float32(0.5)
    x = (clip[:, 0] / safe_w * half + half) * np.float32(width - 1) + half
    y = (half + half * clip[:, 1] / safe_w) * np.float32(height - 1) + half
    z: F32 = (clip[:, 2] / safe_w * np.float32(0.49999) + half).astype(np.float32, copy=False)
    drawn = in_front & np.isfinite(x) & np.isfinite(y) & np.isfinite(z)
    perspective = bool(len(w)) and bool((w != w[0]).any())
    return Screen(height, width, x, y, z, w, drawn, perspective)


def _reference_spans(screen: Screen, faces: I32, block: I64) -> Spans:
    """A few more pixels than can pass the reference's float32 test. For slivers rounding decides that test: the whole
    bounding box."""
    edges = Edges.of(screen, faces[block])
    size_x = edges.x.max(axis=1) - edges.x.min(axis=1)
    size_y = edges.y[:, 2] - edges.y[:, 0]
    slack = 0.01 + 1e-6 * (size_x + size_y)
    sliver = np.abs(edges.twice_area) <= SLIVER * size_x * size_y
    # The reference walks from the truncated minimum while below the maximum + 1.
    box = [np.trunc(edges.x.min(axis=1)), np.ceil(edges.x.max(axis=1) + 1)]
    box += [np.trunc(edges.y[:, 0]), np.ceil(edges.y[:, 2] + 1)]
    first = np.clip(np.where(sliver, box[2], np.floor(edges.y[:, 0] - 0.5 - slack)), 0, screen.height)
    last = np.clip(np.where(sliver, box[3], np.floor(edges.y[:, 2] - 0.5 + slack) + 1), 0, screen.height)
    item, row = expand(first.astype(np.int64), (last - first).astype(np.int64))
    low, high = edges.reach(item, row + 0.5, slack[item])
    wide = sliver[item]
    start = np.clip(np.where(wide, box[0][item], np.floor(low - 0.5)), 0, screen.width).astype(np.int64)
    stop = np.clip(np.where(wide, box[1][item], np.floor(high - 0.5) + 1), 0, screen.width).astype(np.int64)
    keep = stop > start
    item, row, start, stop = item[keep], row[keep], start[keep], stop[keep]
    return sorted_spans(block[item], row, start, stop - start, np.zeros(len(item)), np.zeros(len(item)))


def _draw(spans: Spans, screen: Screen, faces: I32, width: int, keys: NDArray[np.int64]) -> None:
    """Lower ``keys`` to the nearest 18-bit depth; every candidate pixel is tested with the reference's arithmetic."""
    table = FaceTable.of(screen, faces)
    face, dy = spans.face, (spans.row.astype(np.float32) + np.float32(0.5)) - table.y0[spans.face]
    beta_row, gamma_row = table.x02[face] * dy, table.x01[face] * dy
    x0, y01, y02, inverse = table.x0[face], table.y01[face], table.y02[face], table.inverse[face]
    for start, stop, length in tiles(spans.length):
        part = slice(start, stop)
        across = np.arange(length, dtype=np.float32)[:, None]
        dx = (spans.column[part].astype(np.float32) + np.float32(0.5) + across) - x0[part]
        beta = (beta_row[part] - dx * y02[part]) * inverse[part]
        gamma = (dx * y01[part] - gamma_row[part]) * inverse[part]
        # Rounding is monotonic, so this keeps all that the exact test below would keep, and a few more.
        k, n = np.nonzero((beta >= 0) & (gamma >= 0) & (beta + gamma <= 1))
        beta, gamma = beta[k, n], gamma[k, n]
        alpha = (1.0 - beta.astype(np.float64) - gamma).astype(np.float32)
        n += start
        corner = faces[face[n]]
        z = screen.z
        depth = alpha * z[corner[:, 0]] + beta * z[corner[:, 1]] + gamma * z[corner[:, 2]]
        keep = (alpha >= 0) & (depth >= 0)
        key = (depth[keep] * np.float32(2**18)).astype(np.int64) << FACE_BITS
        n = n[keep]
        key |= face[n]
        np.minimum.at(keys, spans.row[n] * width + spans.column[n] + k[keep], key)


def _resolve(keys: NDArray[np.int64], screen: Screen, faces: I32) -> Raster:
    pixel = np.flatnonzero(keys != EMPTY)
    key = keys[pixel]
    face = (key & (2**FACE_BITS - 1)).astype(np.int32)
    bary = np.empty((len(pixel), 3), np.float32)
    table = FaceTable.of(screen, faces)
    for part in slices(len(pixel), CHUNK):
        weights = barycentrics(pixel[part], face[part], table, screen.width)
        bary[part] = undo_perspective(weights, screen.w[faces[face[part]]].T).T
    depth = (key >> FACE_BITS).astype(np.float32) / np.float32(2**18)
    return Raster(screen.height, screen.width, pixel, face, bary, depth)
