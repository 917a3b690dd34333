"""Colour spaces that a picture states without an ICC profile: PNG's gamma, and EXIF's mark for Adobe RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from manymesh.image.icc import CURVE_POINTS, SRGB_TO_XYZ, MatrixProfile

if TYPE_CHECKING:
    from PIL import Image

# Adobe RGB (1998): primaries as ICC profiles state them (adapted to D50), and its gamma.
_ADOBE_TO_XYZ = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]], dtype=np.float64
)
_ADOBE_GAMMA = 563 / 256
# The exponent that writers of PNG state for sRGB, and how far off it is still sRGB.
_USUAL, _NEAR = 1 / 2.2, 0.1
# The table of EXIF that holds the mark, the mark's tag, and its value (DCF 2.0, "optional file").
_INTEROPERABILITY, _INDEX, _OPTIONAL = 0xA005, 1, "R03"


def stated_profile(image: Image.Image, notes: list[str]) -> MatrixProfile | None:
    """What a picture without an ICC profile says of its colours; None where that is sRGB or nothing.

    Args:
        image: in RGB, or a grey PNG, as Pillow opens it.
        notes: gets a sentence for what was heeded.
    """
    gamma = image.info.get("gamma")
    if image.format == "PNG" and isinstance(gamma, float) and "srgb" not in image.info and 0.1 <= gamma <= 10:
        if abs(gamma / _USUAL - 1) <= _NEAR:
            return None
        notes.append(f"Converted to sRGB from the gamma that the PNG states ({gamma:.4g}).")
        return MatrixProfile(_power(1 / gamma), np.eye(3))
    if image.format in ("JPEG", "MPO", "TIFF") and _is_adobe_rgb(image):
        notes.append("Converted from Adobe RGB, which its EXIF data state.")
        return MatrixProfile(_power(_ADOBE_GAMMA), np.linalg.inv(SRGB_TO_XYZ) @ _ADOBE_TO_XYZ)
    return None


def _is_adobe_rgb(image: Image.Image) -> bool:
    try:
        index = image.getexif().get_ifd(_INTEROPERABILITY).get(_INDEX)
    except (ValueError, TypeError, KeyError, OSError, SyntaxError):  # damaged EXIF data
        return False
    return str(index or "").strip("\0 ") == _OPTIONAL


def _power(exponent: float) -> np.ndarray:
    """(3, 65536) curves of one exponent."""
    return np.tile(np.linspace(0.0, 1.0, CURVE_POINTS) ** exponent, (3, 1))
