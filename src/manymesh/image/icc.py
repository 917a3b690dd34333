"""ICC profiles of the kind that photos embed: three primaries and a curve for each channel, or a curve for grey.

They are read here for two tasks that the colour library cannot do: to see that a profile is sRGB in all but its name,
and to convert pictures of more than eight bits before they are reduced to eight.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manymesh.types import F64, U8

# The primaries of sRGB as ICC profiles state them (adapted to D50), a column each: linear RGB to XYZ.
SRGB_TO_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]], dtype=np.float64
)
# Points at which a channel's curve is tabulated: every value that 16 bits can have.
CURVE_POINTS = 65536
# Colours along each axis of the grid on which a profile is compared with sRGB.
_GRID = 9
# Pixels that are converted at once; bounds the working memory to some 50 MB.
_BAND_PX = 1 << 20


@dataclass(frozen=True)
class MatrixProfile:
    """A profile of primaries and curves.

    Attributes:
        curves: (3, 65536) float64, linear light 0..1 for the encoded values 0..1, a row for each of R, G, B.
        to_srgb: (3, 3) float64, the profile's linear RGB to sRGB's.
    """

    curves: F64
    to_srgb: F64

    def is_srgb(self) -> bool:
        """Whether no 8-bit colour differs by more than one level from the same numbers taken as sRGB."""
        steps = np.linspace(0.0, 1.0, _GRID)
        colours = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
        places = np.rint(colours * (CURVE_POINTS - 1)).astype(np.int64)
        linear = np.stack([self.curves[channel][places[:, channel]] for channel in range(3)], axis=-1)
        return bool((np.abs(encode_srgb(linear @ self.to_srgb.T) - colours) <= 1.0 / 255.0).all())


def read_matrix_profile(data: bytes) -> MatrixProfile | None:
    """The profile in ``data``; None for a damaged one, and for one of any other kind (CMYK, grey, tables)."""
    if data[36:40] != b"acsp" or data[16:24] != b"RGB XYZ ":
        return None
    try:
        tags = _tags(data)
        if b"A2B0" in tags:  # a table, which goes before primaries and curves
            return None
        to_xyz = np.array([struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T / 65536
        curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
    except (struct.error, KeyError, ValueError):
        return None
    return MatrixProfile(curves, np.linalg.inv(SRGB_TO_XYZ) @ to_xyz) if np.isfinite(curves).all() else None


def read_grey_profile(data: bytes) -> MatrixProfile | None:
    """A profile of grey alone, as one of three equal channels; None for a damaged one, and for one of another kind."""
    if data[36:40] != b"acsp" or data[16:24] != b"GRAYXYZ ":
        return None
    try:
        tags = _tags(data)
        curve = _curve(tags[b"kTRC"])
    except (struct.error, KeyError, ValueError):
        return None
    if b"A2B0" in tags or not np.isfinite(curve).all():
        return None
    return MatrixProfile(np.stack([curve] * 3), np.eye(3))


def _tags(data: bytes) -> dict[bytes, bytes]:
    """The tags of a profile by their four letters."""
    (count,) = struct.unpack_from(">I", data, 128)
    entries = [struct.unpack_from(">4sII", data, 132 + 12 * number) for number in range(min(count, 200))]
    return {name: data[start : start + length] for name, start, length in entries}


def _curve(data: bytes) -> F64:
    """(65536,) float64: the linear light of every encoded value."""
    encoded = np.linspace(0.0, 1.0, CURVE_POINTS)
    if data[:4] == b"curv":
        (count,) = struct.unpack_from(">I", data, 8)
        if count == 0:
            return encoded
        if count == 1:
            return np.asarray(encoded ** (struct.unpack_from(">H", data, 12)[0] / 256), np.float64)
        table = np.frombuffer(data, ">u2", count, 12).astype(np.float64) / 65535
        return np.interp(encoded, np.linspace(0.0, 1.0, count), table)
    if data[:4] == b"para":
        return _parametric(encoded, data)
    raise ValueError("a curve of an unknown kind")


def _parametric(x: F64, data: bytes) -> F64:
    """One of the five formulas of ICC.1:2010, 10.16."""
    (kind,) = struct.unpack_from(">H", data, 8)
    numbers = struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind] if kind < 5 else 0}i", data, 12)
    g, a, b, c, d, e, f = (numbers[i] / 65536 if i < len(numbers) else 0.0 for i in range(7))
    if kind == 0:
        return np.asarray(x**g, np.float64)
    above = np.maximum(a * x + b, 0.0) ** g
    if kind in (1, 2):
        return np.where(x >= -b / a if a else True, above + c, c)
    if kind in (3, 4):
        return np.where(x >= d, above + e, c * x + f)
    raise ValueError("a curve of an unknown kind")


def encode_srgb(linear: F64) -> F64:
    """Linear light as sRGB's encoded values 0..1; what lies outside 0..1 is clipped."""
    inside = np.clip(linear, 0.0, 1.0)
    return np.where(inside <= 0.0031308, 12.92 * inside, 1.055 * inside ** (1 / 2.4) - 0.055)


def to_srgb_8bit(places: NDArray[np.uint16], profile: MatrixProfile) -> U8:
    """Colours of a profile as 8-bit sRGB.

    Args:
        places: (h, w, 3) uint16, encoded values: 0 is 0.0 and 65535 is 1.0.
        profile: what they are encoded in.
    """
    curves, matrix = profile.curves.astype(np.float32), profile.to_srgb.T.astype(np.float32)
    # sRGB's curve is steep near black: as a table over the square root it needs no more than 4096 entries.
    table = np.rint(encode_srgb(np.linspace(0.0, 1.0, 4096) ** 2) * 255).astype(np.uint8)
    made = np.empty(places.shape, np.uint8)
    rows = max(1, _BAND_PX // max(1, places.shape[1]))
    for top in range(0, len(places), rows):
        band = places[top : top + rows]
        linear = np.stack([curves[channel][band[..., channel]] for channel in range(3)], axis=-1) @ matrix
        made[top : top + rows] = table[np.rint(np.sqrt(np.clip(linear, 0.0, 1.0)) * 4095).astype(np.int32)]
    return made
