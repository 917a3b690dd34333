"""A picture as Qwen3-VL's vision tower wants it: resized to whole cells, cut into patches.

Written here because the model's own processor cannot be built without torchvision. Pillow resizes; the numbers agree
with the Pillow variant of transformers' Qwen2-VL image processor to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from manymesh.types import F32, U8
from manymesh.weights.tables import read_json_table

# Area that the model is shown at most: 1,024 image tokens. Its answers are relative to the sides. Chosen by hand; not
# measured.
MOST_PIXELS = 1_048_576
# Beyond this ratio of sides the model tends to answer with 3D boxes. Chosen by hand; not measured.
MOST_ELONGATED = 2.2
# Width and height of what it is shown instead: 4 : 3, whole cells, within ``MOST_PIXELS``.
_SQUEEZED_PX = (1008, 756)


@dataclass(frozen=True)
class Patching:
    """The numbers of preprocessor_config.json. ``least_pixels`` and ``most_pixels`` are areas."""

    least_pixels: int = 65_536
    most_pixels: int = 16_777_216
    patch: int = 16
    temporal: int = 2
    merge: int = 2
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)

    @property
    def cell(self) -> int:
        """Side in pixels of the square that becomes one image token."""
        return self.patch * self.merge


def read_patching(folder: Path) -> Patching:
    """The patching that a model's folder asks for."""
    d = Patching()
    table = read_json_table(folder / "preprocessor_config.json")
    size = table.get("size") or {}
    return Patching(
        least_pixels=int(table.get("min_pixels") or size.get("shortest_edge", d.least_pixels)),
        most_pixels=int(table.get("max_pixels") or size.get("longest_edge", d.most_pixels)),
        patch=int(table.get("patch_size", d.patch)),
        temporal=int(table.get("temporal_patch_size", d.temporal)),
        merge=int(table.get("merge_size", d.merge)),
        mean=tuple(table.get("image_mean", d.mean)),
        std=tuple(table.get("image_std", d.std)),
    )


def fitted_size(height: int, width: int, p: Patching) -> tuple[int, int]:
    """Height and width in whole cells, the area within the limits. Raises ``ValueError`` beyond 200 : 1."""
    if max(height, width) > 200 * min(height, width):
        raise ValueError(f"a picture of {width} x {height} px is too narrow: its sides may be at most 200 : 1")
    cell = p.cell
    h, w = round(height / cell) * cell, round(width / cell) * cell
    if h * w > p.most_pixels:
        shrink = math.sqrt(height * width / p.most_pixels)
        h = max(cell, math.floor(height / shrink / cell) * cell)
        w = max(cell, math.floor(width / shrink / cell) * cell)
    elif h * w < p.least_pixels:
        grow = math.sqrt(p.least_pixels / (height * width))
        h, w = math.ceil(height * grow / cell) * cell, math.ceil(width * grow / cell) * cell
    return h, w


def patches(rgb: U8, p: Patching) -> tuple[F32, tuple[int, int, int]]:
    """(H, W, 3) uint8 to one row of numbers for each patch, and the grid (1, rows, columns).

    Each row holds 3 x temporal x patch x patch numbers (a still picture is doubled in time); rows are grouped by the
    cells of merge x merge patches that become one token.
    """
    from PIL import Image

    h, w = fitted_size(rgb.shape[0], rgb.shape[1], p)
    small = np.asarray(Image.fromarray(rgb).resize((w, h), Image.Resampling.BICUBIC))
    mean, std = np.array(p.mean, np.float32), np.array(p.std, np.float32)
    scaled: F32 = (small.astype(np.float32) * np.float32(1 / 255) - mean) / std
    rows, columns, m = h // p.patch, w // p.patch, p.merge
    cut = scaled.transpose(2, 0, 1).reshape(3, rows // m, m, p.patch, columns // m, m, p.patch)
    ordered = cut.transpose(1, 4, 2, 5, 0, 3, 6)[:, :, :, :, :, None]
    doubled = np.repeat(ordered, p.temporal, axis=5)
    return np.ascontiguousarray(doubled).reshape(rows * columns, -1), (1, rows, columns)


def squeezed(rgb: U8) -> U8:
    """A very wide or very tall picture squeezed to 4 : 3 (3 : 4); relative boxes on it need no correction."""
    from PIL import Image

    size = _SQUEEZED_PX if rgb.shape[1] >= rgb.shape[0] else _SQUEEZED_PX[::-1]
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def is_elongated(rgb: U8) -> bool:
    """Whether a picture (H, W, 3) is so wide or tall that the model answers it badly."""
    h, w = rgb.shape[:2]
    return bool(max(h, w) > MOST_ELONGATED * min(h, w))
