"""Alpha matting along the outline of a mask: soft alpha, and the foreground's own colour.

The trimap is a narrow unknown band along the outline. Each pixel in it is read as a mix
``alpha * F + (1 - alpha) * B`` of a foreground and a background colour. F and B are the colours of the nearby known
pixels, extended into the band, as in Forte and Pitie, "Approximate Fast Foreground Colour Estimation" (2021), with a
push-pull pyramid in place of their blurs. Where F and B are too alike for a mix to be told, the outline decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.segment.guided_filter import CHUNK_ROWS, FIT_SIDE_PX, guided_filter, resize_rows
from manymesh.segment.regions import push_pull_fill
from manymesh.types import F32, U8, Bool

# Difference between F and B (RGB in 0..1) at which mix and outline count the same. Chosen by hand; not measured.
NOISE = 0.05


@dataclass(frozen=True)
class EdgeColors:
    """The colours on both sides of an outline, on a copy of the image of at most ``FIT_SIDE_PX`` pixels.

    Attributes:
        inner: (h, w, 3) float32 in 0..1, the foreground's colour F, extended over the whole view.
        outer: (h, w, 3) float32 in 0..1, the background's colour B, extended over the whole view.
        distance: (h, w) float32, distance from the outline in full-size pixels, positive inside.
        band_px: half width of the unknown band, in full-size pixels.
    """

    inner: F32
    outer: F32
    distance: F32
    band_px: float


def estimate_edge_colors(rgb: U8, mask: Bool, snap_px: float, band_px: float) -> EdgeColors:
    """Move the outline of a mask onto the nearest edge of the image, and estimate the colours on both sides of it.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        mask: (h, w) bool, neither empty nor full.
        snap_px: how far the outline may be off, in pixels.
        band_px: half width of the soft edge, in pixels.
    """
    import cv2

    height, width = mask.shape
    scale = min(1.0, FIT_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb, np.uint8)
    flat = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    soft = np.asarray(flat, np.float32) / np.float32(255)
    color = np.asarray(small, np.float32) / np.float32(255)
    reach_px = max(1.5, snap_px * scale)
    rough = soft > 0.5
    filtered = guided_filter(small, soft, max(2.0, 1.5 * reach_px), 1e-4)
    votes = _color_votes(color, _limit_change(rough, filtered > 0.5, reach_px), reach_px)
    # The filter follows edges of the image, the votes follow colours. Each is wrong where the other is mostly right.
    moved = _limit_change(rough, filtered + guided_filter(small, votes, 2.0, 1e-3) > 1, reach_px)
    distance = (outline_distance(moved) / scale).astype(np.float32)
    return EdgeColors(*_both_sides(color, distance, band_px), distance, band_px)


def _both_sides(color: F32, distance: F32, band_px: float) -> tuple[F32, F32]:
    """The inside's and the outside's colours, (h, w, 3) float32 each, extended over the whole view.

    Args:
        color: (h, w, 3) float32.
        distance: (h, w) float32, see ``outline_distance``.
        band_px: half width of the unknown band.
    """
    inner = push_pull_fill(color, color_confidence(distance, band_px))
    return inner, push_pull_fill(color, color_confidence(-distance, band_px))


def _color_votes(color: F32, mask: Bool, reach_px: float) -> F32:
    """(h, w) float32 in 0..1: how much nearer a pixel's colour is to the mask's inside than to its outside.

    Beyond ``reach_px`` of the outline, and where the two sides look alike, it is the mask's own value.
    """
    distance = outline_distance(mask)
    inner, outer = _both_sides(color, distance, reach_px)
    step = inner - outer
    power = np.einsum("ijk,ijk->ij", step, step)
    share = np.clip(np.einsum("ijk,ijk->ij", color - outer, step) / np.maximum(power, 1e-6), 0, 1)
    # A colour far off the line between the two sides' colours speaks for neither.
    off = np.linalg.norm(color - outer - share[..., None] * step, axis=2)
    trust = power / (power + NOISE**2) * np.exp(-((off / 0.15) ** 2)) * (np.abs(distance) <= reach_px)
    return np.asarray((trust * share + (1 - trust) * mask).astype(np.float32))


def _limit_change(mask: Bool, proposed: Bool, reach_px: float) -> Bool:
    """``proposed`` where it differs from ``mask`` by at most ``reach_px``, always with the mask's thin parts."""
    import cv2

    span = 2 * round(reach_px) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (span, span))
    flat = mask.astype(np.uint8)
    outermost = cv2.dilate(flat, kernel) > 0
    # Opening tells thick parts from thin ones; only thick parts may shrink.
    thick = cv2.morphologyEx(flat, cv2.MORPH_OPEN, kernel) > 0
    return np.asarray((proposed & outermost) | (mask & ~thick) | (mask & (cv2.erode(flat, kernel) > 0)))


def outline_distance(mask: Bool) -> F32:
    """(h, w) float32: distance in pixels to the outline, which runs between pixels; positive on the mask."""
    import cv2

    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.where(mask, inside - 0.5, 0.5 - outside).astype(np.float32))


def color_confidence(distance: F32, band_px: float) -> F32:
    """(h, w) float32: weight of a pixel's colour for the inside: 0 outside, small in the band, 1 beyond it."""
    return np.asarray((np.clip((distance + 0.2) / band_px, 0, 1) ** 3).astype(np.float32))


def estimate_alpha(rgb: U8, edge: EdgeColors) -> U8:
    """(h, w) uint8 alpha, exactly 0 and 255 beyond the band.

    Args:
        rgb: (h, w, 3) uint8 sRGB, as given to ``estimate_edge_colors``.
        edge: what that returned.
    """
    height, width = rgb.shape[:2]
    alpha = np.empty((height, width), np.uint8)
    for top in range(0, height, CHUNK_ROWS):
        rows = slice(top, min(top + CHUNK_ROWS, height))
        fields = (edge.inner, edge.outer, edge.distance)
        inner, outer, distance = (resize_rows(field, rows, height, width) for field in fields)
        step = inner - outer
        power = np.einsum("ijk,ijk->ij", step, step)
        color = rgb[rows].astype(np.float32) / 255
        mix = np.einsum("ijk,ijk->ij", color - outer, step) / np.maximum(power, 1e-6)
        trust = power / (power + NOISE**2)
        outline = np.clip(0.5 + distance / 1.5, 0, 1)
        value = trust * np.clip(mix, 0, 1) + (1 - trust) * outline
        # The farther from the outline, the less a colour may contradict it.
        share = distance / edge.band_px
        value = np.clip(value, np.clip(1.6 * share - 0.1, 0, 1), np.clip(1.1 + 1.6 * share, 0, 1))
        value = np.clip((value - 0.04) / 0.92, 0, 1)
        alpha[rows] = np.round(value * 255)
    return alpha


def estimate_foreground(rgb: U8, alpha: U8, edge: EdgeColors) -> U8:
    """(h, w, 3) uint8: the foreground's own colour, under soft alpha and beyond it.

    Where alpha is 255 the photo's pixels are kept as they are.

    Args:
        rgb: (h, w, 3) uint8 sRGB, as given to ``estimate_edge_colors``.
        alpha: (h, w) uint8.
        edge: what ``estimate_edge_colors`` returned.
    """
    height, width = alpha.shape
    result = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, CHUNK_ROWS):
        rows = slice(top, min(top + CHUNK_ROWS, height))
        inner, outer = (resize_rows(field, rows, height, width) for field in (edge.inner, edge.outer))
        share = alpha[rows, :, None].astype(np.float32) / 255
        color = rgb[rows].astype(np.float32) / 255
        own = inner + share * (color - share * inner - (1 - share) * outer)
        own = np.where(share >= 1, color, own)
        result[rows] = np.round(np.clip(own, 0, 1) * 255)
    return result


def extend_color(rgb: U8, known: Bool, source: Bool | None = None) -> U8:
    """(h, w, 3) uint8: an image with its unknown pixels filled from the source pixels beside them.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        known: (h, w) bool, pixels that are kept as they are.
        source: (h, w) bool, pixels whose colour is extended; the known ones when not given.
    """
    import cv2

    height, width = known.shape
    scale = min(1.0, FIT_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    source = known if source is None else source
    weight = source.astype(np.float32)
    color = cv2.resize(np.where(source[..., None], rgb, 0).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    mass = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    mean = color.astype(np.float32) / np.maximum(mass, 1e-3)[..., None]
    field = push_pull_fill(np.minimum(mean, 255), np.where(mass > 0.01, mass, 0).astype(np.float32))
    result = rgb.copy()
    for top in range(0, height, CHUNK_ROWS):
        rows = slice(top, min(top + CHUNK_ROWS, height))
        filled = np.round(np.clip(resize_rows(field, rows, height, width), 0, 255)).astype(np.uint8)
        result[rows] = np.where(known[rows, :, None], rgb[rows], filled)
    return result
