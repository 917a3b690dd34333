"""Pictures to the network's input and its logits back to alpha, step by step as the published code does it."""

from __future__ import annotations

import numpy as np

from manymesh.types import F32, U8

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def resized(rgb: U8, width: int, height: int) -> U8:
    """(h, w, 3) uint8 to (height, width, 3), stretched, with Pillow's bilinear filter (it widens when shrinking)."""
    from PIL import Image

    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR))


def normalised(rgb: U8, mean: tuple[float, ...] = MEAN, std: tuple[float, ...] = STD) -> F32:
    """(h, w, 3) uint8 to (3, h, w) float32 with this mean and deviation by channel (ImageNet's) taken out."""
    scaled = (rgb.astype(np.float32) / 255 - np.array(mean, np.float32)) / np.array(std, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def alpha_u8(logits: F32) -> U8:
    """Logits of any shape to alpha 0..255, cut, not rounded. The sigmoid is taken in float32."""
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-logits.astype(np.float32))) * 255).astype(np.uint8)


def alpha_at(alpha: U8, width: int, height: int) -> U8:
    """(h, w) uint8 to (height, width) with Pillow's bicubic filter, its default for grey pictures."""
    from PIL import Image

    return np.asarray(Image.fromarray(alpha).resize((width, height), Image.Resampling.BICUBIC))
