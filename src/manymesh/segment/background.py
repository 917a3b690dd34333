"""Background model: smooth colour surfaces fitted to the border of an image.

A sheet of paper, a wall above a table or a studio sweep is a few smooth surfaces in CIELAB. Each is a quadratic
function of the pixel's position. It is fitted robustly, starting from the commonest colour of the border. A pixel is
background when it lies on a surface or can be reached from one along a soft shadow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F32, Bool

# Largest number of surfaces that are looked for. Chosen by hand; not measured.
MAX_SURFACES = 4
# Smallest share of the border that must lie on surfaces. Chosen by hand; not measured.
MIN_EXPLAINED = 0.62
# Largest noise of the surfaces, as a multiple of `MIN_SIGMA`. Chosen by hand; not measured.
MAX_NOISE = 2.6
# Steepest slope of a shadow's edge per pixel, as a share of the shadow's depth. Chosen by hand; not measured.
PENUMBRA = 0.15
# Lab noise below which two colours count as equal: JPEG and camera noise at working size. Chosen by hand; not measured.
MIN_SIGMA = np.array([2.0, 1.5, 1.5], np.float32)


@dataclass(frozen=True)
class Background:
    """Fitted background surfaces of an image of (h, w) pixels.

    Attributes:
        distance: (h, w) float32, colour distance to the nearest surface in units of that surface's noise.
        expected: (h, w, 3) float32 CIELAB, that surface's colour.
        surface: (h, w) int8, index of that surface.
        explained: 0..1, share of the border that lies on a surface.
        noise: noise of the surfaces as a multiple of ``MIN_SIGMA``; 1 is clean.
    """

    distance: F32
    expected: F32
    surface: NDArray[np.int8]
    explained: float
    noise: float


def fit_background(lab: F32, max_noise: float = MAX_NOISE) -> Background | None:
    """The background model of an image whose border is mostly smooth surfaces; None for any other image.

    Args:
        lab: (h, w, 3) float32 CIELAB (L 0..100), at least 8 pixels a side.
        max_noise: a background with more ``noise`` than this is not plain.
    """
    height, width = lab.shape[:2]
    basis = _basis(height, width)
    border = _border(height, width)
    found = _border_surfaces(lab[border], basis[border], _corners(height, width)[border])
    counts = [int(inliers.sum()) for inliers, _ in found]
    explained, whole = sum(counts), int(border.sum())
    if explained < MIN_EXPLAINED * whole:
        return None
    surfaces = []
    noise, open_count = 0.0, explained
    for (inliers, weights), count in zip(found, counts, strict=True):
        surfaces.append(_refit(lab, basis, border, inliers, weights))
        noise += float((surfaces[-1][1] / MIN_SIGMA).mean()) * count
        open_count -= count
        # No surface has a noise under 1, so further surfaces cannot bring the mean below the limit again.
        if (noise + open_count) / explained > max_noise:
            return None
    best = np.full((height, width), np.inf, np.float32)
    expected = np.zeros_like(lab)
    which = np.zeros((height, width), np.int8)
    for index, (surface, sigma) in enumerate(surfaces):
        distance = np.sqrt((((lab - surface) / sigma) ** 2).mean(axis=2) * 3 / 2).astype(np.float32)
        nearer = distance < best
        best[nearer] = distance[nearer]
        expected[nearer] = surface[nearer]
        which[nearer] = index
    return Background(best, expected, which, explained / whole, noise / explained)


def _border_surfaces(border_lab: F32, basis: F32, corners: Bool) -> list[tuple[Bool, F32]]:
    """The smooth surfaces of the border, the one of the commonest colour first.

    Args:
        border_lab: (n, 3) float32 CIELAB of the border's pixels.
        basis: (n, 6) float32, the terms of the quadratic there.
        corners: (n,) bool, which of them lie in a corner of the image.

    Returns:
        For each surface which of the n pixels lie on it, (n,) bool, and its coefficients, (6, 3) float32.
    """
    remaining = np.ones(len(border_lab), bool)
    surfaces = []
    for _ in range(MAX_SURFACES):
        if remaining.sum() < 0.1 * len(border_lab):
            break
        inliers, weights = _fit_surface(border_lab, basis, remaining)
        share = inliers.sum() / len(border_lab)
        remaining &= ~inliers
        # An object that the frame cuts off covers part of one side; a background reaches a corner.
        if (share >= 0.12 and (corners & inliers).any()) or share >= 0.4:
            surfaces.append((inliers, weights))
    return surfaces


def _basis(height: int, width: int) -> F32:
    """(h, w, 6) float32: the terms 1, x, y, xy, x^2, y^2 of a quadratic, x and y from -1 to 1 across the image."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x = x / max(width - 1, 1) * 2 - 1
    y = y / max(height - 1, 1) * 2 - 1
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=2)


def _border(height: int, width: int) -> Bool:
    """(h, w) bool: a band along the edge of the image."""
    band = max(2, round(0.02 * min(height, width)))
    mask = np.ones((height, width), bool)
    mask[band:-band, band:-band] = False
    return mask


def _corners(height: int, width: int) -> Bool:
    """(h, w) bool: a square in each corner of the image."""
    mask = np.zeros((height, width), bool)
    reach = max(2, round(0.04 * min(height, width)))
    for rows in (slice(0, reach), slice(-reach, None)):
        for columns in (slice(0, reach), slice(-reach, None)):
            mask[rows, columns] = True
    return mask


def _fit_surface(border_lab: F32, basis: F32, remaining: Bool) -> tuple[Bool, F32]:
    """The border pixels of one surface and its coefficients, grown from the commonest remaining colour.

    Args: as of ``_border_surfaces``; ``remaining`` is (n,) bool, the pixels that lie on no surface yet.
    """
    cells = np.round(border_lab[remaining] / np.array([8, 6, 6], np.float32)).astype(np.int64)
    keys = (cells[:, 0] * 1024 + cells[:, 1]) * 1024 + cells[:, 2]
    values, counts = np.unique(keys, return_counts=True)
    center = np.median(border_lab[remaining][keys == values[counts.argmax()]], axis=0)
    inliers = remaining & (np.abs(border_lab - center).max(axis=1) < 8)
    weights = np.zeros((6, 3), np.float32)
    # First a constant, then linear, then quadratic: a quadratic fitted to a short stretch of border would be far off
    # elsewhere.
    for terms in (1, 3, 3, 3, 6, 6, 6):
        if inliers.sum() < 24:
            break
        weights = np.zeros((6, 3), np.float32)
        weights[:terms] = _ridge(basis[inliers, :terms], border_lab[inliers])
        residual = np.abs(border_lab - basis @ weights)
        sigma = _robust_sigma(residual, inliers)
        inliers = remaining & _within(residual, sigma)
    return inliers, weights


def _refit(lab: F32, basis: F32, border: Bool, inliers: Bool, weights: F32) -> tuple[F32, F32]:
    """Refit a surface of the border with the interior pixels that continue it.

    Returns:
        The surface's colours, (h, w, 3) float32 CIELAB, and its noise, (3,) float32.
    """
    import cv2

    surface = basis @ weights
    residual = np.abs(lab - surface)
    sigma = _robust_sigma(residual[border], inliers)
    seeds = np.zeros(lab.shape[:2], bool)
    seeds[border] = inliers
    for _ in range(3):
        region = _flood(_within(residual, sigma), seeds)
        inside = np.flatnonzero(region)
        if len(inside) < 64:
            break
        sample = inside[:: max(1, len(inside) // 6000)]
        weights = _ridge(basis.reshape(-1, 6)[sample], lab.reshape(-1, 3)[sample])
        surface = basis @ weights
        residual = np.abs(np.subtract(lab, surface, out=residual), out=residual)
        # The noise of pixels that are certainly background, so away from the region's outline.
        core = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        sigma = _robust_sigma(residual, core if core.sum() > 64 else region)
    return surface.astype(np.float32), sigma


def _robust_sigma(residual: F32, where: Bool) -> F32:
    """(3,) float32: the standard deviation of each channel, from medians, at least ``MIN_SIGMA``.

    Args:
        residual: (..., 3) float32, absolute differences.
        where: (...) bool, the pixels that count.
    """
    # One channel at a time: medians along an axis are several times slower.
    medians = [np.median(residual[..., channel][where]) for channel in range(3)]
    return np.asarray(np.maximum(np.float32(1.4826) * np.array(medians, np.float32), MIN_SIGMA))


def _within(residual: F32, sigma: F32) -> Bool:
    """Where no channel's residual is above 3.5 sigma."""
    near = residual[..., 0] / sigma[0] < 3.5
    for channel in (1, 2):
        near &= residual[..., channel] / sigma[channel] < 3.5
    return np.asarray(near)


def _ridge(basis: F32, values: F32) -> F32:
    """(t, 3) float32: ridge regression of values (n, 3) on basis (n, t); the constant term is not penalised."""
    gram = basis.T.astype(np.float64) @ basis + 1e-3 * len(basis) * np.diag([0.0, *[1.0] * (basis.shape[1] - 1)]) * 0.1
    return np.linalg.solve(gram + 1e-6 * np.eye(len(gram)), basis.T.astype(np.float64) @ values).astype(np.float32)


def _flood(domain: Bool, seeds: Bool) -> Bool:
    """The 4-connected components of ``domain`` that hold a seed."""
    import cv2

    _, labels = cv2.connectedComponents(domain.astype(np.uint8), connectivity=4)
    hit = np.zeros(int(labels.max()) + 1, bool)
    hit[np.unique(labels[seeds & domain])] = True
    hit[0] = False
    return np.asarray(hit[labels])


def background_mask(lab: F32, background: Background) -> Bool:
    """(h, w) bool: what can be reached from the border over background and soft shadow.

    A shadow is darker than the background, has nearly its hue, and fades. A step as sharp as an object's outline ends
    it.

    Args:
        lab: (h, w, 3) float32 CIELAB.
        background: the background model of the same image.
    """
    import cv2

    near = background.distance < 3.0
    height, width = near.shape
    border = _border(height, width)
    delta = lab - background.expected
    ratio = lab[..., 0] / np.maximum(background.expected[..., 0], 1)
    hue_shift = np.hypot(delta[..., 1], delta[..., 2])
    slope = color_gradient(np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), np.float32))
    shade = (ratio > 0.35) & (ratio < 1.03) & (hue_shift < 5 + 0.12 * np.abs(delta[..., 0]))
    # A penumbra of any depth is several pixels wide; an outline only two or three.
    kernel = np.ones((3, 3), np.uint8)
    fall = np.where(shade, np.maximum(-delta[..., 0], 0), 0).astype(np.float32)
    steep = np.maximum(2.2 * max(1.0, background.noise**0.5), PENUMBRA * cv2.dilate(fall, np.ones((9, 9), np.uint8)))
    # The region that the flood may cross is eroded by a pixel, so that it does not leak through a gap of one or two
    # pixels in an outline.
    lit = _flood(_eroded(near), border)
    passable = _eroded(near | (shade & (slope < steep)))
    fading = _fading_shadows(passable & ~near, lit, slope, steep)
    flooded = _flood((passable & near) | fading, lit)
    grown = cv2.dilate(flooded.astype(np.uint8), kernel) > 0
    flooded |= grown & (near | (shade & (slope < 1.8 * steep)))
    return flooded | _seams(lab, background, flooded)


def _seams(lab: F32, background: Background, mask: Bool) -> Bool:
    """(h, w) bool: the thin blurred line where two surfaces meet, such as a wall and a table. Its colours lie between
    theirs.

    Args:
        lab: (h, w, 3) float32 CIELAB.
        background: the background model.
        mask: (h, w) bool, the background found so far.
    """
    import cv2

    seams = np.zeros_like(mask)
    kernel = np.ones((9, 9), np.uint8)
    reach = {}
    for index in np.unique(background.surface[mask]):
        own = mask & (background.surface == index)
        if own.mean() > 0.05:
            color = np.where(own[..., None], background.expected, 0)
            near = cv2.blur(own.astype(np.float32), (9, 9))
            reach[int(index)] = near > 0, cv2.blur(color, (9, 9)) / np.maximum(near, 1e-6)[..., None]
    for i in reach:
        for j in reach:
            between = reach[i][0] & reach[j][0] & ~mask
            if j <= i or not between.any():
                continue
            a, b, here = reach[i][1][between], reach[j][1][between], lab[between]
            step = b - a
            share = ((here - a) * step).sum(axis=1) / np.maximum((step**2).sum(axis=1), 1.0)
            off = np.linalg.norm(here - a - np.clip(share, 0, 1)[:, None] * step, axis=1)
            seams[between] |= off < 8
    # Only where nothing wider is attached: an object that stands on the seam keeps its outline.
    wide = cv2.morphologyEx((~mask).astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    return np.asarray(seams & ~cv2.dilate(wide.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool))


def _eroded(mask: Bool) -> Bool:
    import cv2

    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _fading_shadows(shaded: Bool, lit: Bool, slope: F32, steep: F32) -> Bool:
    """The components of ``shaded`` that fade into the lit background where they meet it. A grey object does not.

    Args:
        shaded: (h, w) bool, pixels that may be shadow.
        lit: (h, w) bool, background without shadow.
        slope: (h, w) float32, colour gradient.
        steep: (h, w) float32, largest gradient of a shadow's edge.
    """
    import cv2

    count, labels, boxes, _ = cv2.connectedComponentsWithStats(shaded.astype(np.uint8), connectivity=4)
    steepest = cv2.dilate(slope, np.ones((5, 5), np.uint8))
    kept = np.zeros_like(shaded)
    pad = 7
    for index in range(1, count):
        x, y, w, h, size = (int(v) for v in boxes[index])
        if size < 8:
            continue
        view = np.s_[max(y - pad, 0) : y + h + pad, max(x - pad, 0) : x + w + pad]
        part = labels[view] == index
        edge = (cv2.dilate(part.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0) & lit[view]
        if edge.any() and (steepest[view][edge] > 1.3 * steep[view][edge]).mean() < 0.5:
            kept[view] |= part
    return kept


def color_gradient(lab: F32) -> F32:
    """(h, w) float32: magnitude of the colour gradient, in Lab units per pixel."""
    import cv2

    across, down = cv2.Scharr(lab, cv2.CV_32F, 1, 0), cv2.Scharr(lab, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt((across**2 + down**2).sum(axis=2)) / 32)
