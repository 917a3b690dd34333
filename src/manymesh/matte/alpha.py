"""Soft edges: alpha and the foreground's own colour around a mask's outline.

In a narrow band around the outline each pixel is read as a mix ``alpha * F + (1 - alpha) * B`` of the colours on either
side of it. F and B are the nearby sure colours carried into the band, as in Forte and Pitie, "Approximate Fast
Foreground Colour Estimation" (2021), with a push-pull pyramid in place of their blurs. Where F and B are too alike to
tell a mix, the outline decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.parallel import run_pair
from manymesh.segment.guided_filter import FIT_SIDE, ROWS_AT_ONCE, guided_filter, stretched
from manymesh.segment.regions import spread_colour
from manymesh.types import F32, U8, Bool

NOISE = 0.05
"""Colour difference (RGB in 0..1) between the sides at which mix and outline are believed alike."""


@dataclass(frozen=True)
class Sides:
    """What lies on either side of an outline, on a copy of at most ``FIT_SIDE`` pixels.

    Attributes:
        inner: (h, w, 3) float32 in 0..1, the foreground's colour, carried over the whole view.
        outer: (h, w, 3) float32 in 0..1, the background's.
        depth: (h, w) float32, distance from the outline in full-size pixels, positive inside.
        band: half width of the uncertain band, in full-size pixels.
    """

    inner: F32
    outer: F32
    depth: F32
    band: float


def sides_of(rgb: U8, mask: Bool, snap: float, band: float) -> Sides:
    """Move a mask's outline onto the nearest edge, and gather the colours beside it.

    Args:
        rgb: (h, w, 3) uint8.
        mask: (h, w) bool, neither empty nor full.
        snap: how far the outline may be off, in pixels.
        band: half width of the soft edge, in pixels.
    """
    import cv2

    height, width = mask.shape
    scale = min(1.0, FIT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb, np.uint8)
    flat = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    soft = np.asarray(flat, np.float32) / np.float32(255)
    colour = np.asarray(small, np.float32) / np.float32(255)
    reach = max(1.5, snap * scale)
    rough = soft > 0.5
    drawn = guided_filter(small, soft, max(2.0, 1.5 * reach), 1e-4)
    votes = _nearer_side(colour, _near(rough, drawn > 0.5, reach), reach)
    # The filter knows the picture's edges, the votes its colours; each is wrong where the other is mostly right.
    kept = _near(rough, drawn + guided_filter(small, votes, 2.0, 1e-3) > 1, reach)
    depth = (signed_distance(kept) / scale).astype(np.float32)
    return Sides(*_beside(colour, depth, band), depth, band)


def _beside(colour: F32, depth: F32, band: float) -> tuple[F32, F32]:
    """The colours of the inside and of the outside, each carried over the whole view."""
    return run_pair(
        lambda: spread_colour(colour, sureness(depth, band)), lambda: spread_colour(colour, sureness(-depth, band))
    )


def _nearer_side(colour: F32, mask: Bool, reach: float) -> F32:
    """(h, w) float32 in 0..1: how much nearer a pixel's colour is to the mask's inside than to its outside.

    Beyond ``reach`` of the outline, and where the sides look alike, the mask's own answer.
    """
    depth = signed_distance(mask)
    inner, outer = _beside(colour, depth, reach)
    step = inner - outer
    power = np.einsum("ijk,ijk->ij", step, step)
    share = np.clip(np.einsum("ijk,ijk->ij", colour - outer, step) / np.maximum(power, 1e-6), 0, 1)
    # A colour far off the line between the two sides says nothing about either.
    off = np.linalg.norm(colour - outer - share[..., None] * step, axis=2)
    trust = power / (power + NOISE**2) * np.exp(-((off / 0.15) ** 2)) * (np.abs(depth) <= reach)
    return (trust * share + (1 - trust) * mask).astype(np.float32)


def _near(mask: Bool, drawn: Bool, reach: float) -> Bool:
    """``drawn`` where it differs from ``mask`` by no more than ``reach``, and never without the mask's thin parts."""
    import cv2

    span = 2 * round(reach) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (span, span))
    flat = mask.astype(np.uint8)
    outermost = cv2.dilate(flat, kernel) > 0
    # Opening tells the thick from the thin; only the thick may be pared down.
    thick = cv2.morphologyEx(flat, cv2.MORPH_OPEN, kernel) > 0
    return (drawn & outermost) | (mask & ~thick) | (mask & (cv2.erode(flat, kernel) > 0))


def signed_distance(mask: Bool) -> F32:
    """(h, w) float32: distance to the outline (between pixels), positive on the mask."""
    import cv2

    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.where(mask, inside - 0.5, 0.5 - outside).astype(np.float32)


def sureness(depth: F32, band: float) -> F32:
    """How much a pixel's colour speaks for its side: 0 across the outline, small in the band, 1 beyond it."""
    return (np.clip((depth + 0.2) / band, 0, 1) ** 3).astype(np.float32)


def estimate_alpha(rgb: U8, sides: Sides) -> U8:
    """(h, w) uint8 alpha, exactly 0 and 255 beyond the band.

    Args:
        rgb: (h, w, 3) uint8, as given to ``sides_of``.
        sides: what that returned.
    """
    height, width = rgb.shape[:2]
    alpha = np.empty((height, width), np.uint8)
    for top in range(0, height, ROWS_AT_ONCE):
        rows = slice(top, min(top + ROWS_AT_ONCE, height))
        inner, outer, depth = (stretched(f, rows, height, width) for f in (sides.inner, sides.outer, sides.depth))
        step = inner - outer
        power = np.einsum("ijk,ijk->ij", step, step)
        colour = rgb[rows].astype(np.float32) / 255
        mix = np.einsum("ijk,ijk->ij", colour - outer, step) / np.maximum(power, 1e-6)
        trust = power / (power + NOISE**2)
        outline = np.clip(0.5 + depth / 1.5, 0, 1)
        value = trust * np.clip(mix, 0, 1) + (1 - trust) * outline
        # The further from the outline, the less a colour may speak against it.
        share = depth / sides.band
        value = np.clip(value, np.clip(1.6 * share - 0.1, 0, 1), np.clip(1.1 + 1.6 * share, 0, 1))
        value = np.clip((value - 0.04) / 0.92, 0, 1)
        alpha[rows] = np.round(value * 255)
    return alpha


def foreground_colour(rgb: U8, alpha: U8, sides: Sides) -> U8:
    """(h, w, 3) uint8: the thing's own colour, under soft alpha and beyond it.

    Where alpha is 255 the photo's pixels are kept as they are.
    """
    height, width = alpha.shape
    result = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, ROWS_AT_ONCE):
        rows = slice(top, min(top + ROWS_AT_ONCE, height))
        inner, outer = (stretched(f, rows, height, width) for f in (sides.inner, sides.outer))
        share = alpha[rows, :, None].astype(np.float32) / 255
        colour = rgb[rows].astype(np.float32) / 255
        own = inner + share * (colour - share * inner - (1 - share) * outer)
        own = np.where(share >= 1, colour, own)
        result[rows] = np.round(np.clip(own, 0, 1) * 255)
    return result


def carried_colour(rgb: U8, known: Bool, sure: Bool | None = None) -> U8:
    """(h, w, 3) uint8: the picture, its unknown pixels filled from the sure ones beside them.

    Args:
        rgb: (h, w, 3) uint8.
        known: (h, w) bool, pixels that are kept as they are.
        sure: (h, w) bool, pixels whose colour is carried on; the known ones when not given.
    """
    import cv2

    height, width = known.shape
    scale = min(1.0, FIT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    sure = known if sure is None else sure
    weight = sure.astype(np.float32)
    colour = cv2.resize(np.where(sure[..., None], rgb, 0).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    mass = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    mean = colour.astype(np.float32) / np.maximum(mass, 1e-3)[..., None]
    field = spread_colour(np.minimum(mean, 255), np.where(mass > 0.01, mass, 0).astype(np.float32))
    result = rgb.copy()
    for top in range(0, height, ROWS_AT_ONCE):
        rows = slice(top, min(top + ROWS_AT_ONCE, height))
        filled = np.round(np.clip(stretched(field, rows, height, width), 0, 255)).astype(np.uint8)
        result[rows] = np.where(known[rows, :, None], rgb[rows], filled)
    return result
