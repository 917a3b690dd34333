"""Weights and pictures made by rule from names, so that a full-size network can be compared without its weights.

For a tensor of n elements with name ``key`` and a text ``salt``: a SplitMix64 stream started at
``crc32(key) + 2**32 * crc32(salt)``, its upper 53 bits as fractions r in [0, 1), s = 2r - 1.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

from manymesh.types import F32, F64

_GOLDEN, _MIX1, _MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def uniforms(key: str, salt: str, n: int) -> F64:
    """(n,) float64 in [0, 1) for a tensor's name and a salt."""
    return stream(zlib.crc32(key.encode()) + (zlib.crc32(salt.encode()) << 32), n)


def stream(start: int, n: int) -> F64:
    """(n,) float64 in [0, 1) from a 64-bit start."""
    z = np.arange(1, n + 1, dtype=np.uint64)
    z *= np.uint64(_GOLDEN)
    z += np.uint64(start)
    z ^= z >> np.uint64(30)
    z *= np.uint64(_MIX1)
    z ^= z >> np.uint64(27)
    z *= np.uint64(_MIX2)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) / 2.0**53


def birefnet_tensor(key: str, shape: tuple[int, ...], salt: str) -> F32:
    """One parameter of a BiRefNet by the rule for its name."""
    n = math.prod(shape)
    s = 2 * uniforms(key, salt, n) - 1
    return (_scaled(key, shape, s)).astype(np.float32).reshape(shape)


def _scaled(key: str, shape: tuple[int, ...], s: F64) -> F64:
    if key.endswith("running_var"):
        return 1 + 0.5 * s
    if key.endswith("running_mean"):
        return 0.1 * s
    if key.endswith("relative_position_bias_table"):
        return s
    if key.endswith("bias"):
        return (1.5 if "offset_conv" in key else 0.1) * s
    if len(shape) == 1:
        return 1 + 0.25 * s
    return _gain(key) * math.sqrt(3 / math.prod(shape[1:])) * s


def _gain(key: str) -> float:
    if "offset_conv" in key:
        return 1.5
    if "modulator_conv" in key:
        return 1.0
    wide = any(part in key for part in ("regular_conv", "conv1", "conv_in", "global_avg_pool"))
    return 1.4 if wide and ".bn" not in key else 1.0


def picture(h: int, w: int, salt: str) -> F32:
    """(3, h, w) float32 in [0, 1]: waves, noise, and an ellipse in negative."""
    x, y = np.arange(w) / w, np.arange(h)[:, None] / h
    k = np.arange(3)[:, None, None]
    v = 0.5 + 0.4 * np.sin(2 * np.pi * ((1 + k) * x + (2 - k / 2) * y) + k)
    v = v + 0.1 * (2 * uniforms("image", salt, 3 * h * w) - 1).reshape(3, h, w)
    ellipse = ((x - 0.55) / 0.3) ** 2 + ((y - 0.45) / 0.25) ** 2 < 1
    return np.clip(np.where(ellipse, 1 - v, v), 0, 1).astype(np.float32)
