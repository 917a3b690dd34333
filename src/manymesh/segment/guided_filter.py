"""Edge-aware filtering: He, Sun and Tang, "Guided Image Filtering" (2013), in its fast form (He and Sun 2015)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.types import F32, U8, Bool

# The filter's linear models are fitted on a copy with at most this longest side, and applied at full resolution. Chosen
# by hand for speed; not measured.
FIT_SIDE_PX = 1400
# Full-size rows that are worked on at once, so that a large photo needs little memory. Chosen by hand; not measured.
CHUNK_ROWS = 256


def guided_filter(guide: U8, soft: F32, radius: float, eps: float) -> F32:
    """A soft mask filtered so that its edges follow those of an image.

    Args:
        guide: (h, w, 3) uint8, the image.
        soft: (h', w') float32 in [0, 1], the mask; any size, it is resized to the guide's.
        radius: of the square window, in the guide's pixels.
        eps: variance (colours in 0..1) below which a guide's detail is ignored.

    Returns:
        (h, w) float32 in [0, 1].
    """
    import cv2

    height, width = guide.shape[:2]
    scale = min(1.0, FIT_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(guide, size, interpolation=cv2.INTER_AREA) if scale < 1 else guide
    colour = np.asarray(small, np.float32) / np.float32(255)
    value = np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR), np.float32)
    slope, offset = _linear_models(colour, value, max(1, round(radius * scale)), eps)
    result = np.empty((height, width), np.float32)
    # In chunks of rows, so that a large photo never exists as floats as a whole.
    for top in range(0, height, CHUNK_ROWS):
        rows = slice(top, min(top + CHUNK_ROWS, height))
        a, b = (resize_rows(model, rows, height, width) for model in (slope, offset))
        result[rows] = np.einsum("ijk,ijk->ij", a, guide[rows].astype(np.float32) / 255) + b
    return np.clip(result, 0, 1, out=result)


def _linear_models(colour: F32, value: F32, radius: int, eps: float) -> tuple[F32, F32]:
    """Box-averaged slopes (h, w, 3) and offsets (h, w) of the local linear fits value = slope . colour + offset."""
    import cv2

    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: F32) -> F32:
        return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_REFLECT), np.float32)

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
    """Solve a symmetric 3 x 3 system for each pixel by Cramer's rule; far faster than one LAPACK call for each.

    Args:
        m: the six entries of the upper triangle, (h, w) each.
        v: the three entries of the right side, (h, w) each.

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


def resize_rows(model: F32, rows: slice, height: int, width: int) -> F32:
    """Some rows of a field after linear resizing to height x width, as ``cv2.resize`` of the whole would give them.

    Args:
        model: (h', w', ...) float32.
        rows: which rows of the result.
        height, width: size of the whole result.
    """
    import cv2

    if model.shape[:2] == (height, width):
        return model[rows]
    ratio = model.shape[0] / height
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * ratio - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) * (model.shape[1] / width) - 0.5
    grid_x, grid_y = np.meshgrid(x, y)
    resized = cv2.remap(model, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(resized, np.float32)


def sharpen_mask(guide: U8, mask: Bool) -> Bool:
    """A mask of a smaller copy of an image at the image's own size, its outline moved onto the image's edges.

    Args:
        guide: (h, w, 3) uint8, the image.
        mask: (h', w') bool over the same view. It is returned as it is when it is not smaller.
    """
    import cv2

    scale = max(guide.shape[0] / mask.shape[0], guide.shape[1] / mask.shape[1])
    soft = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6), np.float32)
    if scale <= 1:
        return mask.copy()
    return guided_filter(guide, soft, radius=2.0 * scale, eps=1e-4) > 0.5


def resize_mask(guide: U8, mask: Bool) -> Bool:
    """A mask of a smaller or larger copy of an image at the image's own size, (h, w) bool.

    Args:
        guide: (h, w, 3) uint8, the image.
        mask: (h', w') bool over the same view.
    """
    import cv2

    height, width = guide.shape[:2]
    if mask.shape[0] <= height and mask.shape[1] <= width:
        return sharpen_mask(guide, mask) if mask.shape != (height, width) else mask
    shrunk = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk >= 0.5)
