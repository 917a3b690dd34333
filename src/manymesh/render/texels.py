"""Which point of the surface each texel of a texture shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.render.normals import area_weighted_vertex_normals, row_lengths, scaled_face_normals, unit_rows
from manymesh.render.raster import Raster, interpolate, raster_uv
from manymesh.types import F32, F64, Atlas, Bool

# Width in texels of the gutter around charts: bilinear sampling at a chart's edge reads one texel beyond it, and a
# chart's border may cut the first one off. Chosen by hand.
GUTTER_PX = 2


@dataclass(frozen=True)
class Texels:
    """The texels of a texture that show the surface; n of them, in the order of ``raster``.

    Attributes:
        raster: (T, T) picture; its ``face`` and ``bary`` say which point of which triangle each texel shows.
        position: (n, 3) float32, mesh frame.
        normal: (n, 3) float32 unit, smooth across seams, or as the atlas has them.
        spacing: (n,) float32, the distance between neighbouring texels on the surface, mesh units.
        gutter: (n,) bool, texels outside the charts, which repeat the chart's nearest point.
    """

    raster: Raster
    position: F32
    normal: F32
    spacing: F32
    gutter: Bool


def texels(atlas: Atlas, texture_px: int, *, gutter_px: int = GUTTER_PX) -> Texels:
    """The surface points of a texture of ``texture_px`` x ``texture_px``.

    Args:
        gutter_px: texels this near outside a chart take part too, with the chart's nearest point, so that both sides of
            a seam read the same colours between texels.
    """
    inside = raster_uv(atlas.uv, atlas.faces, texture_px, texture_px)
    raster = _with_gutter(inside, atlas, gutter_px) if gutter_px else inside
    normals = atlas.normals
    if normals is None:
        normals = area_weighted_vertex_normals(atlas.vertices, atlas.faces, weld=atlas.source)
    attributes = np.concatenate([atlas.vertices, normals], axis=1)
    values = interpolate(attributes, atlas.faces, raster.face, raster.bary)
    position, normal = np.ascontiguousarray(values[:, :3]), unit_rows(values[:, 3:])
    spacing = _face_spacing(atlas, texture_px).take(raster.face)
    gutter = ~inside.mask.ravel().take(raster.pixel)
    return Texels(raster, position, normal, spacing, gutter)


def _with_gutter(inside: Raster, atlas: Atlas, gutter_px: int) -> Raster:
    """The raster with the texels around its charts, each at the nearest point of the nearest texel's triangle."""
    import cv2

    if not len(inside.pixel):
        return inside
    outside = np.where(inside.mask, 0, 255).astype(np.uint8)
    distance, label = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    gutter = np.flatnonzero(((distance > 0) & (distance <= gutter_px + 0.5)).ravel())
    face_of_label = np.zeros(int(label.max()) + 1, np.int32)
    face_of_label[label.ravel()[inside.pixel]] = inside.face
    face = face_of_label[label.ravel()[gutter]]
    row, column = np.divmod(gutter, inside.width)
    uv = np.stack([(column + 0.5) / inside.width, (row + 0.5) / inside.height], axis=1)
    bary = _nearest_barycentrics(uv, atlas.uv.astype(np.float64)[atlas.faces[face]])
    pixel = np.concatenate([inside.pixel, gutter])
    order = np.argsort(pixel, kind="stable")  # two sorted runs: a merge
    return Raster(
        inside.height,
        inside.width,
        pixel.take(order),
        np.concatenate([inside.face, face]).take(order),
        np.concatenate([inside.bary, bary]).take(order, axis=0),
        np.concatenate([inside.depth, np.full(len(gutter), 0.5, np.float32)]).take(order),
    )


def _nearest_barycentrics(points: F64, corners: F64) -> F32:
    """(n, 3) barycentric weights of the point of each (n, 3, 2) triangle nearest to (n, 2) points outside of it."""
    best = np.full(len(points), np.inf)
    bary = np.full((len(points), 3), 1 / 3)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        start, edge = corners[:, a], corners[:, b] - corners[:, a]
        length2 = (edge**2).sum(axis=1)
        along = np.clip(((points - start) * edge).sum(axis=1) / np.where(length2 > 0, length2, 1), 0, 1)
        away = ((points - start - edge * along[:, None]) ** 2).sum(axis=1)
        nearer = away < best
        best[nearer] = away[nearer]
        weights = np.zeros((len(points), 3))
        weights[:, a], weights[:, b] = 1 - along, along
        bary[nearer] = weights[nearer]
    return bary.astype(np.float32)


def _face_spacing(atlas: Atlas, texture_px: int) -> F32:
    """(m,) float32: the distance between neighbouring texels on each triangle, mesh units."""
    area = row_lengths(scaled_face_normals(atlas.vertices, atlas.faces))
    flat = np.zeros((len(atlas.uv), 3), np.float32)
    flat[:, :2] = atlas.uv * texture_px
    uv_area = row_lengths(scaled_face_normals(flat, atlas.faces))
    return np.asarray(np.sqrt(area / np.maximum(uv_area, 1e-6)), np.float32)
