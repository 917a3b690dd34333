"""The plain ground behind things: smooth colour surfaces fitted to a picture's border.

A sheet of paper, a wall above a table or a studio sweep is a few smooth surfaces in CIELAB. Each is a quadratic in the
pixel's place, found by robust fitting that starts at the border's commonest colour. What neither lies on a surface nor
can be reached from one along a soft shadow is foreground.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F32, Bool

MAX_SURFACES = 4
LEAST_EXPLAINED = 0.62
"""So much of the border must lie on surfaces for the picture to be cut by them alone."""
NOISIEST = 2.6
"""And they may have so much noise, as a multiple of the smallest that is told apart."""
PENUMBRA = 0.15
"""Steepest part of a shadow's edge, a pixel, as a share of the shadow's whole depth."""
# Lab noise below which two colours count as equal: JPEG and camera noise at working size.
SIGMA_FLOOR = np.array([2.0, 1.5, 1.5], np.float32)


@dataclass(frozen=True)
class Ground:
    """Fitted background surfaces.

    Attributes:
        distance: (h, w) float32, distance to the nearest surface in units of its own noise.
        expected: (h, w, 3) float32 CIELAB, that surface's colour.
        surface: (h, w) int8, which surface that is.
        explained: 0..1, share of the border that lies on a surface.
        noise: the surfaces' noise, as a multiple of the smallest that is told apart; 1 is clean.
    """

    distance: F32
    expected: F32
    surface: NDArray[np.int8]
    explained: float
    noise: float


def plain_ground(lab: F32, noisiest: float = NOISIEST) -> Ground | None:
    """The ground of a picture whose border is mostly smooth surfaces; None where that is not so.

    Args:
        lab: (h, w, 3) float32 CIELAB (L 0..100), at least 8 pixels a side.
        noisiest: a ground with more ``noise`` than this is not plain.
    """
    height, width = lab.shape[:2]
    basis = _basis(height, width)
    border = _border(height, width)
    found = _border_surfaces(lab[border], basis[border], _corners(height, width)[border])
    counts = [int(inliers.sum()) for inliers, _ in found]
    explained, whole = sum(counts), int(border.sum())
    if explained < LEAST_EXPLAINED * whole:
        return None
    settled = []
    noise, open_count = 0.0, explained
    for (inliers, weights), count in zip(found, counts, strict=True):
        settled.append(_settle(lab, basis, border, inliers, weights))
        noise += float((settled[-1][1] / SIGMA_FLOOR).mean()) * count
        open_count -= count
        # No surface has a noise under 1, so what is too noisy already stays so.
        if (noise + open_count) / explained > noisiest:
            return None
    best = np.full((height, width), np.inf, np.float32)
    expected = np.zeros_like(lab)
    which = np.zeros((height, width), np.int8)
    for index, (surface, sigma) in enumerate(settled):
        distance = np.sqrt((((lab - surface) / sigma) ** 2).mean(axis=2) * 3 / 2).astype(np.float32)
        nearer = distance < best
        best[nearer] = distance[nearer]
        expected[nearer] = surface[nearer]
        which[nearer] = index
    return Ground(best, expected, which, explained / whole, noise / explained)


def _border_surfaces(rim: F32, basis: F32, corners: Bool) -> list[tuple[Bool, F32]]:
    """The border's smooth surfaces, the commonest colour's first: which of its n pixels lie on each, and its weights.

    Args:
        rim: (n, 3) float32 CIELAB of the border's pixels.
        basis: (n, 6) float32, the quadratic's terms there.
        corners: (n,) bool, which of them lie in a corner.
    """
    open_rim = np.ones(len(rim), bool)
    surfaces = []
    for _ in range(MAX_SURFACES):
        if open_rim.sum() < 0.1 * len(rim):
            break
        inliers, weights = _grow(rim, basis, open_rim)
        share = inliers.sum() / len(rim)
        open_rim &= ~inliers
        # A thing that the frame cuts off covers part of one side; a ground reaches a corner.
        if (share >= 0.12 and (corners & inliers).any()) or share >= 0.4:
            surfaces.append((inliers, weights))
    return surfaces


def _basis(height: int, width: int) -> F32:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x = x / max(width - 1, 1) * 2 - 1
    y = y / max(height - 1, 1) * 2 - 1
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=2)


def _border(height: int, width: int) -> Bool:
    band = max(2, round(0.02 * min(height, width)))
    mask = np.ones((height, width), bool)
    mask[band:-band, band:-band] = False
    return mask


def _corners(height: int, width: int) -> Bool:
    mask = np.zeros((height, width), bool)
    reach = max(2, round(0.04 * min(height, width)))
    for rows in (slice(0, reach), slice(-reach, None)):
        for columns in (slice(0, reach), slice(-reach, None)):
            mask[rows, columns] = True
    return mask


def _grow(rim: F32, basis: F32, open_rim: Bool) -> tuple[Bool, F32]:
    """Border pixels of one surface: from the commonest open colour outwards, first flat, then bent."""
    cells = np.round(rim[open_rim] / np.array([8, 6, 6], np.float32)).astype(np.int64)
    keys = (cells[:, 0] * 1024 + cells[:, 1]) * 1024 + cells[:, 2]
    values, counts = np.unique(keys, return_counts=True)
    centre = np.median(rim[open_rim][keys == values[counts.argmax()]], axis=0)
    inliers = open_rim & (np.abs(rim - centre).max(axis=1) < 8)
    weights = np.zeros((6, 3), np.float32)
    # Terms are added one by one: a bent surface fitted to a short stretch of border would fly off elsewhere.
    for terms in (1, 3, 3, 3, 6, 6, 6):
        if inliers.sum() < 24:
            break
        weights = np.zeros((6, 3), np.float32)
        weights[:terms] = _ridge(basis[inliers, :terms], rim[inliers])
        residual = np.abs(rim - basis @ weights)
        sigma = _spread(residual, inliers)
        inliers = open_rim & _within(residual, sigma)
    return inliers, weights


def _settle(lab: F32, basis: F32, border: Bool, inliers: Bool, weights: F32) -> tuple[F32, F32]:
    """Refit a border surface with the interior that continues it."""
    import cv2

    surface = basis @ weights
    residual = np.abs(lab - surface)
    sigma = _spread(residual[border], inliers)
    seeds = np.zeros(lab.shape[:2], bool)
    seeds[border] = inliers
    for _ in range(3):
        region = _reached(_within(residual, sigma), seeds)
        inside = np.flatnonzero(region)
        if len(inside) < 64:
            break
        some = inside[:: max(1, len(inside) // 6000)]
        weights = _ridge(basis.reshape(-1, 6)[some], lab.reshape(-1, 3)[some])
        surface = basis @ weights
        residual = np.abs(np.subtract(lab, surface, out=residual), out=residual)
        # Spread of what is surely ground, so away from the region's outline.
        core = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        sigma = _spread(residual, core if core.sum() > 64 else region)
    return surface.astype(np.float32), sigma


def _spread(residual: F32, where: Bool) -> F32:
    """(3,) float32: how far the values of each channel lie off zero, robustly; never under what noise alone makes."""
    # One channel at a time: medians of columns in a row are several times slower.
    medians = [np.median(residual[..., channel][where]) for channel in range(3)]
    return np.maximum(np.float32(1.4826) * np.array(medians, np.float32), SIGMA_FLOOR)


def _within(residual: F32, sigma: F32) -> Bool:
    """Where no channel lies further off than 3.5 times its spread."""
    near = residual[..., 0] / sigma[0] < 3.5
    for channel in (1, 2):
        near &= residual[..., channel] / sigma[channel] < 3.5
    return np.asarray(near)


def _ridge(basis: F32, values: F32) -> F32:
    gram = basis.T.astype(np.float64) @ basis + 1e-3 * len(basis) * np.diag([0.0, *[1.0] * (basis.shape[1] - 1)]) * 0.1
    return np.linalg.solve(gram + 1e-6 * np.eye(len(gram)), basis.T.astype(np.float64) @ values).astype(np.float32)


def _reached(domain: Bool, seeds: Bool) -> Bool:
    """The connected parts of ``domain`` that hold a seed."""
    import cv2

    _, labels = cv2.connectedComponents(domain.astype(np.uint8), connectivity=4)
    hit = np.zeros(int(labels.max()) + 1, bool)
    hit[np.unique(labels[seeds & domain])] = True
    hit[0] = False
    return hit[labels]


def plain_background(lab: F32, ground: Ground) -> Bool:
    """What can be reached from the border over ground and soft shadow.

    A shadow is darker than the ground, has nearly its hue, and fades: a step as sharp as a thing's outline stops it.

    Args:
        lab: (h, w, 3) float32 CIELAB.
        ground: the fitted surfaces of the same picture.
    """
    import cv2

    near = ground.distance < 3.0
    height, width = near.shape
    border = _border(height, width)
    delta = lab - ground.expected
    ratio = lab[..., 0] / np.maximum(ground.expected[..., 0], 1)
    hue_shift = np.hypot(delta[..., 1], delta[..., 2])
    slope = slope_of(np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), np.float32))
    shade = (ratio > 0.35) & (ratio < 1.03) & (hue_shift < 5 + 0.12 * np.abs(delta[..., 0]))
    # A penumbra takes several pixels for its whole fall, however deep; an outline only two or three.
    kernel = np.ones((3, 3), np.uint8)
    fall = np.where(shade, np.maximum(-delta[..., 0], 0), 0).astype(np.float32)
    steep = np.maximum(2.2 * max(1.0, ground.noise**0.5), PENUMBRA * cv2.dilate(fall, np.ones((9, 9), np.uint8)))
    # A pixel is shaved off whatever the flood may cross, so that a gap of a pixel or two in an outline lets nothing in.
    lit = _reached(_shaved(near), border)
    passable = _shaved(near | (shade & (slope < steep)))
    fading = _fade_out(passable & ~near, lit, slope, steep)
    flooded = _reached((passable & near) | fading, lit)
    grown = cv2.dilate(flooded.astype(np.uint8), kernel) > 0
    flooded |= grown & (near | (shade & (slope < 1.8 * steep)))
    return flooded | _seams(lab, ground, flooded)


def _seams(lab: F32, ground: Ground, background: Bool) -> Bool:
    """The thin blurred line where two surfaces meet, a wall and a table say: its colours lie between theirs."""
    import cv2

    seams = np.zeros_like(background)
    kernel = np.ones((9, 9), np.uint8)
    reach = {}
    for index in np.unique(ground.surface[background]):
        own = background & (ground.surface == index)
        if own.mean() > 0.05:
            colour = np.where(own[..., None], ground.expected, 0)
            near = cv2.blur(own.astype(np.float32), (9, 9))
            reach[int(index)] = near > 0, cv2.blur(colour, (9, 9)) / np.maximum(near, 1e-6)[..., None]
    for i in reach:
        for j in reach:
            between = reach[i][0] & reach[j][0] & ~background
            if j <= i or not between.any():
                continue
            a, b, here = reach[i][1][between], reach[j][1][between], lab[between]
            step = b - a
            share = ((here - a) * step).sum(axis=1) / np.maximum((step**2).sum(axis=1), 1.0)
            off = np.linalg.norm(here - a - np.clip(share, 0, 1)[:, None] * step, axis=1)
            seams[between] |= off < 8
    # Only where nothing wider is attached: a thing that stands on the seam keeps its outline.
    wide = cv2.morphologyEx((~background).astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    return seams & ~cv2.dilate(wide.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)


def _shaved(mask: Bool) -> Bool:
    import cv2

    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def _fade_out(shaded: Bool, lit: Bool, slope: F32, steep: F32) -> Bool:
    """The shaded parts that blend into the lit ground where they meet it; a grey thing's outline does not."""
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
        rim = (cv2.dilate(part.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0) & lit[view]
        if rim.any() and (steepest[view][rim] > 1.3 * steep[view][rim]).mean() < 0.5:
            kept[view] |= part
    return kept


def slope_of(lab: F32) -> F32:
    """(h, w) float32: how many Lab units the picture changes by, per pixel."""
    import cv2

    across, down = cv2.Scharr(lab, cv2.CV_32F, 1, 0), cv2.Scharr(lab, cv2.CV_32F, 0, 1)
    return np.sqrt((across**2 + down**2).sum(axis=2)) / 32
