"""Edge-aware filtering: He, Sun and Tang, "Guided Image Filtering" (2013), in its fast form (He and Sun 2015)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.types import F32, U8, Bool

FIT_SIDE = 1400
"""The filter's linear models are fitted on a copy no longer than this, and applied at full resolution."""
ROWS_AT_ONCE = 256


def guided_filter(guide: U8, soft: F32, radius: float, eps: float) -> F32:
    """``soft`` redrawn along the edges of ``guide``.

    Args:
        guide: (h, w, 3) uint8.
        soft: (h', w') float32 in [0, 1]; any size, it is stretched over the guide.
        radius: of the square window, in the guide's pixels.
        eps: variance (colours in 0..1) below which a guide's detail is ignored.

    Returns:
        (h, w) float32 in [0, 1].
    """
    import cv2

    height, width = guide.shape[:2]
    scale = min(1.0, FIT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(guide, size, interpolation=cv2.INTER_AREA) if scale < 1 else guide
    colour = np.asarray(small, np.float32) / np.float32(255)
    value = np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR), np.float32)
    slope, offset = _linear_models(colour, value, max(1, round(radius * scale)), eps)
    result = np.empty((height, width), np.float32)
    # Row by row, so that a large photo costs no more than a few rows of floats.
    for top in range(0, height, ROWS_AT_ONCE):
        rows = slice(top, min(top + ROWS_AT_ONCE, height))
        a, b = (stretched(model, rows, height, width) for model in (slope, offset))
        result[rows] = np.einsum("ijk,ijk->ij", a, guide[rows].astype(np.float32) / 255) + b
    return np.clip(result, 0, 1, out=result)


def _linear_models(colour: F32, value: F32, radius: int, eps: float) -> tuple[F32, F32]:
    """Box-averaged slopes (h, w, 3) and offsets (h, w) of the local linear fits value = slope . colour + offset."""
    import cv2

    window = (2 * radius + 1, 2 * radius + 1)

    def mean(picture: F32) -> F32:
        return np.asarray(cv2.blur(picture, window, borderType=cv2.BORDER_REFLECT), np.float32)

    centre = mean(colour)
    average = mean(value)
    covariance = mean(colour * cv2.merge([value] * 3)) - centre * cv2.merge([average] * 3)
    planes, centres = cv2.split(colour), cv2.split(centre)
    variance = {}
    for i in range(3):
        for j in range(i, 3):
            variance[i, j] = mean(planes[i] * planes[j]) - centres[i] * centres[j]
        variance[i, i] += np.float32(eps)
    slope = _solve_symmetric(variance, cv2.split(covariance))
    offset = average - np.einsum("ijk,ijk->ij", slope, centre)
    return mean(slope), mean(offset)


def _solve_symmetric(m: dict[tuple[int, int], F32], v: Sequence[F32]) -> F32:
    """Cramer's rule for symmetric 3 x 3 systems, one a pixel; far faster than one LAPACK call for each.

    Args:
        m: the upper triangle's six entries, (h, w) each.
        v: the right side's three.

    Returns:
        (h, w, 3) float32.
    """
    import cv2

    a, b, c, d, e, f = m[0, 0], m[0, 1], m[0, 2], m[1, 1], m[1, 2], m[2, 2]
    co00, co01, co02 = d * f - e * e, c * e - b * f, b * e - c * d
    co11, co12, co22 = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = np.maximum(a * co00 + b * co01 + c * co02, 1e-18)
    x, y, z = v
    solution = (
        (co00 * x + co01 * y + co02 * z) / determinant,
        (co01 * x + co11 * y + co12 * z) / determinant,
        (co02 * x + co12 * y + co22 * z) / determinant,
    )
    return np.asarray(cv2.merge(solution), np.float32)


def stretched(model: F32, rows: slice, height: int, width: int) -> F32:
    """Some full-size rows of a smaller field, as ``cv2.resize`` of the whole would give them."""
    import cv2

    if model.shape[:2] == (height, width):
        return model[rows]
    ratio = model.shape[0] / height
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * ratio - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) * (model.shape[1] / width) - 0.5
    grid_x, grid_y = np.meshgrid(x, y)
    rows_of = cv2.remap(model, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(rows_of, np.float32)


def sharpen_mask(guide: U8, mask: Bool) -> Bool:
    """A mask from a smaller copy, at full resolution, its outline moved onto the picture's edges.

    Args:
        guide: (h, w, 3) uint8.
        mask: (h', w') bool over the same view.
    """
    import cv2

    scale = max(guide.shape[0] / mask.shape[0], guide.shape[1] / mask.shape[1])
    soft = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6), np.float32)
    if scale <= 1:
        return mask.copy()
    return guided_filter(guide, soft, radius=2.0 * scale, eps=1e-4) > 0.5


def full_size(guide: U8, mask: Bool) -> Bool:
    """A mask over a copy of the picture, smaller or larger, at the picture's own size."""
    import cv2

    height, width = guide.shape[:2]
    if mask.shape[0] <= height and mask.shape[1] <= width:
        return sharpen_mask(guide, mask) if mask.shape != (height, width) else mask
    shrunk = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk >= 0.5)
