"""Rasterising: which triangle each pixel shows, and where on it.

Clip -1 and 1 are the outer edges of the picture. Row 0 is at the top. A pixel is sampled at its centre, and belongs to
exactly one of the triangles that share an edge (half-open spans, as in every scan converter).

How a picture is drawn: each face becomes spans, its stretches of pixels in one row. Spans of about the same length are
handled together. Every covered pixel gets a key, made of depth and face number, and the smallest key of all faces wins.
Barycentric weights are then worked out for the winners alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.render.camera import to_clip
from manymesh.render.spans import Screen, Spans, face_blocks, pixel_center_spans, tiles
from manymesh.types import F32, I32, Bool, Camera

# A pixel's key is its depth in the upper bits and its face in the lower FACE_BITS: the smallest key wins.
EMPTY = np.iinfo(np.int64).max
FACE_BITS = 32

# Points handled at a time, so that their data stays in the processor's cache. Chosen by hand.
CHUNK = 1 << 14


@dataclass(frozen=True)
class Raster:
    """The covered pixels of a picture, in reading order (as stored: row 0 first).

    Attributes:
        height, width: of the picture.
        pixel: (n,) int64, ``row * width + column`` of each covered pixel, ascending.
        face: (n,) int32, the triangle it shows.
        bary: (n, 3) float32, barycentric weights of the triangle's corners, in [0, 1], sum 1, perspective corrected.
        depth: (n,) float32, 0 at the near plane to 1 at the far plane (not linear in a pinhole picture).
    """

    height: int
    width: int
    pixel: NDArray[np.int64]
    face: I32
    bary: F32
    depth: F32

    @property
    def mask(self) -> Bool:
        """(H, W) bool: which pixels are covered."""
        return self.image(True, False)

    @property
    def findex(self) -> I32:
        """(H, W) int32: face + 1, or 0 where nothing is."""
        return self.image(self.face + np.int32(1), np.int32(0))

    def image(self, values: Any, background: Any) -> NDArray[Any]:
        """(H, W, ...) picture with (n, ...) values on the covered pixels and ``background`` elsewhere."""
        values = np.asarray(values)
        tail = values.shape[1:]
        picture = np.empty((self.height * self.width, *tail), values.dtype)
        picture[:] = background
        picture[self.pixel] = values
        return picture.reshape(self.height, self.width, *tail)


def rasterise(clip: Any, faces: Any, height: int, width: int) -> Raster:
    """Draw triangles.

    Args:
        clip: (k, 4) clip coordinates of the vertices (``camera.to_clip``).
        faces: (m, 3) integer. Both sides of a triangle are drawn.
        height, width: of the picture, pixels.

    Triangles that reach in front of the near plane are left out.
    """
    faces = np.ascontiguousarray(faces, np.int32)
    screen = Screen.of(np.asarray(clip), height, width)
    keys = np.full(height * width, EMPTY, np.int64)
    for block in face_blocks(screen, faces):
        _draw(pixel_center_spans(screen, faces, block), width, keys)
    return _resolve(keys, screen, faces)


def raster_view(camera: Camera, vertices: Any, faces: Any, height: int, width: int) -> Raster:
    """Draw a mesh as a camera sees it."""

    return rasterise(to_clip(camera, vertices), faces, height, width)


def raster_uv(uv: Any, faces: Any, height: int, width: int) -> Raster:
    """Draw the charts of a texture: which triangle each texel belongs to. Where charts overlap the lowest face wins.

    Args:
        uv: (k, 2) in [0, 1], (0, 0) the upper left corner of the picture.
    """
    uv, faces = np.asarray(uv, np.float64), np.ascontiguousarray(faces, np.int32)
    clip = np.zeros((len(uv), 4))
    clip[:, 0] = uv[:, 0] * 2 - 1
    clip[:, 1] = 1 - uv[:, 1] * 2
    clip[:, 3] = 1
    return rasterise(clip, faces, height, width)


def interpolate(attribute: Any, faces: Any, face: Any, bary: Any) -> F32:
    """An attribute of the vertices at points of the surface.

    Args:
        attribute: (k, c) or (k,), one value per vertex.
        faces: (m, 3).
        face: (n,), the triangle of each point.
        bary: (n, 3), weights of its corners.

    Returns:
        (n, c) or (n,) float32.
    """
    attribute = np.asarray(attribute, np.float32)
    faces, face, weights = np.asarray(faces), np.asarray(face), np.asarray(bary, np.float32)
    parts = attribute.reshape(len(attribute), -1).shape[1]
    columns = attribute.reshape(len(attribute), parts)
    # With more points than triangles it is quicker to gather the corners' values once for each triangle.
    table = columns[faces].reshape(len(faces), 3 * parts) if len(faces) <= len(face) else None
    values = np.empty((len(face), parts), np.float32)
    for part in slices(len(face), CHUNK):
        corners = columns[faces[face[part]]] if table is None else table.take(face[part], axis=0)
        values[part] = _weighed(corners.reshape(-1, 3 * parts), weights[part])
    return values.reshape(len(face), *attribute.shape[1:])


def interpolate_corners(corners: F32, face: Any, bary: Any) -> F32:
    """As ``interpolate``, for an attribute that is given for every corner of every triangle.

    Args:
        corners: (m, 3, c) float32.
        face, bary: as for ``interpolate``.

    Returns:
        (n, c) float32.
    """
    table = corners.reshape(len(corners), 3 * corners.shape[2])
    values = np.empty((len(face), corners.shape[2]), np.float32)
    for part in slices(len(face), CHUNK):
        values[part] = _weighed(table.take(face[part], axis=0), bary[part])
    return values


def _weighed(corners: F32, weights: F32) -> F32:
    """(n, c) weighted sums of corner values: (n, 3 c) the values of three corners in turn, (n, 3) their weights."""
    # As (corner, number, point): NumPy is fast along long rows.
    rows = np.ascontiguousarray(corners.T).reshape(3, corners.shape[1] // 3, -1)
    rows *= np.ascontiguousarray(weights.T)[:, None]
    total = rows[0]
    total += rows[1]
    total += rows[2]
    return np.asarray(total.T)


def _draw(spans: Spans, width: int, keys: NDArray[np.int64]) -> None:
    """Draw spans: lower ``keys`` ((height * width,) int64) where a span is nearer than what was drawn before."""
    face_key = spans.face.astype(np.int64)
    for start, stop, length in tiles(spans.length):
        across = np.arange(length, dtype=np.float32)[:, None]
        depth = spans.depth[start:stop] + across * spans.depth_step[start:stop]
        key = depth.view(np.int32).astype(np.int64)  # positive floats sort like their bits
        key <<= FACE_BITS
        key |= face_key[start:stop]
        first = spans.row[start:stop] * width + spans.column[start:stop]
        pixel = first + np.arange(length)[:, None]
        np.minimum.at(keys, pixel.ravel(), key.ravel())


@dataclass(frozen=True)
class FaceTable:
    """What the weights of a pixel are computed from, one row for each face, in pixels, float32.

    ``x0, y0`` is the first corner, ``x01, y01`` and ``x02, y02`` are the edges from it to the other two, and
    ``inverse`` is 1 over twice the signed area; NaN for a face without area.
    """

    x0: F32
    y0: F32
    x01: F32
    y01: F32
    x02: F32
    y02: F32
    inverse: F32

    @classmethod
    def of(cls, screen: Screen, faces: I32) -> FaceTable:
        x, y = screen.x.astype(np.float32), screen.y.astype(np.float32)
        x0, y0 = x[faces[:, 0]], y[faces[:, 0]]
        x01, y01 = x[faces[:, 1]] - x0, y[faces[:, 1]] - y0
        x02, y02 = x[faces[:, 2]] - x0, y[faces[:, 2]] - y0
        area = x02 * y01 - x01 * y02
        # NaN stands for "no area": every comparison with it fails, as the reference's test does.
        usable = np.abs(area) > 1e-37
        inverse = np.where(usable, np.float32(1) / np.where(usable, area, 1), np.nan).astype(np.float32)
        return cls(x0, y0, x01, y01, x02, y02, inverse)


def _resolve(keys: NDArray[np.int64], screen: Screen, faces: I32) -> Raster:
    """The raster of a finished picture: face, weights and depth of every pixel that has a key."""
    pixel = np.flatnonzero(keys != EMPTY)
    key = keys[pixel]
    face = (key & (2**FACE_BITS - 1)).astype(np.int32)
    bary = np.empty((len(pixel), 3), np.float32)
    table = FaceTable.of(screen, faces)
    for part in slices(len(pixel), CHUNK):
        weights = _clamped(barycentrics(pixel[part], face[part], table, screen.width))
        if screen.perspective:
            weights = undo_perspective(weights, screen.w[faces[face[part]]].T)
        bary[part] = weights.T
    depth = (key >> FACE_BITS).astype(np.int32).view(np.float32)
    return Raster(screen.height, screen.width, pixel, face, bary, depth)


def barycentrics(pixel: NDArray[np.int64], face: I32, table: FaceTable, width: int) -> F32:
    """(3, n) weights of the corners at pixel centres, as rounding leaves them; nan for faces without area.

    A row for each corner: long rows are several times faster than rows of three.
    """
    row = pixel // width
    dx = (pixel - row * width).astype(np.float32) + np.float32(0.5) - table.x0[face]
    dy = row.astype(np.float32) + np.float32(0.5) - table.y0[face]
    inverse = table.inverse[face]
    bary = np.empty((3, len(pixel)), np.float32)
    bary[1] = (table.x02[face] * dy - dx * table.y02[face]) * inverse
    bary[2] = (dx * table.y01[face] - table.x01[face] * dy) * inverse
    bary[0] = 1.0 - bary[1].astype(np.float64) - bary[2]
    return bary


def _clamped(bary: F32) -> F32:
    """Into [0, 1] with sum 1: rounding leaves slivers a little outside, and NaN without any area."""
    lost = np.isnan(bary[0])
    if lost.any():
        bary[:, lost] = np.float32(1 / 3)
    np.clip(bary, 0, 1, out=bary)
    total = bary[0] + bary[1] + bary[2]
    none = total <= 0
    if none.any():
        bary[:, none], total[none] = np.float32(1 / 3), np.float32(1)
    bary /= total
    return bary


def undo_perspective(bary: F32, w: F32) -> F32:
    """(3, n) screen-space weights and the corners' clip w (3, n) to weights on the triangle, sum 1."""
    bary = bary / w
    bary /= bary[0] + bary[1] + bary[2]
    return bary


def slices(count: int, step: int) -> Iterator[slice]:
    """Consecutive slices of at most ``step`` that cover ``count`` items."""
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
