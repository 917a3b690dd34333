"""ICC profiles of primaries and curves, made from their numbers."""

from __future__ import annotations

import struct

import numpy as np

from manymesh.types import F64

# Linear RGB to XYZ as ICC profiles state it (adapted to D50), from the standards' primaries.
DISPLAY_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
ADOBE_RGB = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])

SRGB_CURVE = b"para" + struct.pack(
    ">4xHxx5i", 3, *(round(x * 65536) for x in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
LINEAR_CURVE = b"curv" + struct.pack(">4xI", 0)


def gamma_curve(gamma: float) -> bytes:
    return b"curv" + struct.pack(">4xIH2x", 1, round(gamma * 256))


def profile(to_xyz: F64, curve: bytes) -> bytes:
    """An ICC version 2 profile."""
    white = np.array([0.9642, 1.0, 0.8249])

    def xyz(values: F64) -> bytes:
        return b"XYZ " + struct.pack(">4x3i", *(round(float(v) * 65536) for v in values))

    primaries = {name: xyz(to_xyz[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    return _packed(b"RGB ", {b"wtpt": xyz(white), **primaries, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)})


def grey_profile(curve: bytes) -> bytes:
    """An ICC version 2 profile of grey alone."""
    white = b"XYZ " + struct.pack(">4x3i", *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))
    return _packed(b"GRAY", {b"wtpt": white, b"kTRC": curve})


def _packed(space: bytes, own: dict[bytes, bytes]) -> bytes:
    text = b"test\0"
    described = b"desc" + struct.pack(">4xI", len(text)) + text + bytes(78)
    tags = {b"desc": described, b"cprt": b"text" + bytes(4) + text, **own}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = bytearray(128)
    struct.pack_into(">I4sI", header, 0, start + len(body), b"lcms", 0x02400000)
    header[12:24] = b"mntr" + space + b"XYZ "
    header[36:40] = b"acsp"
    struct.pack_into(">3i", header, 68, *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))
    return bytes(header) + table + body
