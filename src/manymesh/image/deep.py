"""Pictures of more than eight bits: which part of their range is used, and the same picture in eight bits.

The rule for whole numbers: cameras and scanners deliver 8, 10, 12, 14 or 16 bits, and files keep them in 16. The
highest value tells which: a file whose highest is 3,952 holds 12 bits, and white is 4,095. Values are never stretched
further than to the next of these depths, so a dark photo of 16 bits stays dark unless a quarter of its range is unused
(14 bits).

The rule for real numbers: up to 1 they are taken as they are. Higher ones are numbers on an integer's scale if they are
whole, or if most of them lie above 1 and none above 255; else they are linear light, which is tone-mapped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.icc import MatrixProfile, encode_srgb, to_srgb_8bit
from manymesh.types import U8

# Bits a sample that cameras, scanners and editors deliver.
DEPTHS = (8, 10, 12, 14, 16)
# Values that are converted at once; bounds the working memory to some 40 MB.
_BAND_VALUES = 1 << 21
# Of the values, for finding how bright a picture is in all.
_SAMPLE = 1 << 20
# Middle grey: where the average brightness of a scene goes (Reinhard et al., 2002).
_KEY = 0.18
# The share of the brightest values that may be clipped. By eye.
_CLIPPED_SHARE = 0.001


def used_bits(highest: int) -> int:
    """The smallest usual depth that holds ``highest``: 8, 10, 12, 14 or 16."""
    return next((bits for bits in DEPTHS if highest < 1 << bits), DEPTHS[-1])


def from_whole_numbers(values: NDArray[Any], notes: list[str], profile: MatrixProfile | None = None) -> U8:
    """Grey or colour values of more than eight bits as eight bits.

    Args:
        values: (h, w) or (h, w, 3) of a whole-number type.
        notes: called with a sentence about the range that was used.
        profile: converts to sRGB on the way, grey as three equal channels; None leaves the values as they are.

    Returns:
        uint8 of the same shape.
    """
    lowest, highest = int(values.min(initial=0)), int(values.max(initial=0))
    shades = "greyscale" if values.ndim == 2 else "colour"
    if lowest < 0 or highest > 65535:
        notes.append(f"Reduced to 8 bits {shades}: its values {lowest} to {highest} became 0 to 255.")
        return _scaled(values, float(min(lowest, 0)), float(highest))
    bits = used_bits(highest)
    if bits == 16:
        notes.append(f"Reduced from 16-bit {shades} to 8 bits.")
    else:
        notes.append(
            f"Reduced from 16-bit {shades} to 8 bits: it uses {bits} bits only (its highest value is {highest})."
        )
    white = (1 << bits) - 1
    if profile is None:
        return _scaled(values, 0.0, float(white))
    spread = (
        values.astype(np.uint16)
        if white == 65535
        else _banded(values, np.uint16, lambda band: np.rint(band * np.float32(65535 / white)))
    )
    if values.ndim == 2:
        alike = np.broadcast_to(spread[..., None], (*spread.shape, 3))
        return np.ascontiguousarray(to_srgb_8bit(alike, profile)[..., 0])
    return to_srgb_8bit(spread, profile)


def from_real_numbers(values: NDArray[Any], notes: list[str], *, linear: bool = False) -> U8:
    """Grey or colour values in floating point as eight bits.

    Values up to 1 are scaled by 255, numbers on an integer's scale as ``from_whole_numbers`` scales them. Of linear
    light the average becomes middle grey, and highlights are compressed.

    Args:
        values: (h, w) or (h, w, 3) float; what is not finite counts as black.
        notes: called with a sentence about what was done.
        linear: the values are linear light in any case (Radiance HDR).
    """
    finite = _banded(values, np.float32, lambda band: np.nan_to_num(band, nan=0.0, posinf=0.0, neginf=0.0))
    highest = float(finite.max(initial=0.0))
    shades = "greyscale" if values.ndim == 2 else "colour"
    if not linear and 1.0 < highest <= 65535.0 and _on_an_integer_scale(finite, highest):
        return from_whole_numbers(np.rint(np.maximum(finite, 0.0)).astype(np.uint16), notes)
    # Sharpening and resizing overshoot: a few values a little over 1 do not make a display picture linear light.
    overshoot = highest <= 1.5 and float((finite > 1.0).mean()) <= _CLIPPED_SHARE
    if not linear and (highest <= 1.0 or overshoot):
        notes.append(f"Reduced from float {shades} to 8 bits.")
        return _scaled(finite, 0.0, 1.0)
    if highest <= 1.0:
        notes.append("Converted from linear light to sRGB.")
        return _banded(finite, np.uint8, lambda band: np.rint(255 * encode_srgb(band)))
    notes.append(f"Tone-mapped to 8 bits: its values are light up to {highest:.4g}.")
    return _tone_mapped(finite)


def _on_an_integer_scale(finite: NDArray[np.float32], highest: float) -> bool:
    whole = not (finite % 1).any()
    return whole or (highest <= 255.0 and float(np.median(finite[:: max(1, len(finite) // 256)])) > 1.0)


def _tone_mapped(light: NDArray[np.float32]) -> U8:
    """Reinhard's global operator on the brightest channel, so that hues stay."""
    sample = _brightness(light).reshape(-1)
    sample = sample[:: max(1, sample.size // _SAMPLE)]
    average = float(np.exp(np.log(np.maximum(sample, 1e-6)).mean()))
    scale = _KEY / average
    white = max(float(np.quantile(sample, 1 - _CLIPPED_SHARE)) * scale, 1.0)

    def mapped(band: NDArray[Any]) -> NDArray[Any]:
        bright = np.maximum(_brightness(band) * scale, 0.0)
        factor = scale * (1 + bright / white**2) / (1 + bright)
        return np.asarray(np.rint(255 * encode_srgb(band * (factor if band.ndim == 2 else factor[..., None]))))

    return _banded(light, np.uint8, mapped)


def _brightness(values: NDArray[Any]) -> NDArray[Any]:
    return values if values.ndim == 2 else np.asarray(values.max(axis=-1))


def _scaled(values: NDArray[Any], black: float, white: float) -> U8:
    """``black`` becomes 0 and ``white`` 255."""
    factor = 255.0 / (white - black) if white > black else 0.0
    return _banded(values, np.uint8, lambda band: np.clip(np.rint((band - black) * factor), 0, 255))


def _banded(values: NDArray[Any], kind: Any, change: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
    """``change`` applied to some rows at a time (as float64 or the values' own float type)."""
    made = np.empty(values.shape, kind)
    rows = max(1, _BAND_VALUES // max(1, values[:1].size))
    for top in range(0, len(values), rows):
        band = values[top : top + rows]
        made[top : top + rows] = change(band if band.dtype.kind == "f" else band.astype(np.float64))
    return made
