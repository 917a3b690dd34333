"""The foreground's own colours: what the object looks like where background shines through its edge.

Blur fusion, run twice (M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021). The windows follow the
published GPU variant: an even window of r pixels covers x - (r/2 - 1) .. x + r/2, and the border pixel is repeated.
The published CPU variant reaches the other way and mirrors, and differs by up to 45 of 255 grey levels.
"""

from __future__ import annotations

import numpy as np

from manymesh.types import F32, U8

WINDOWS = (90, 6)
_TINY = 1e-5


def unit(levels: U8) -> F32:
    """0..255 to float32 in [0, 1]."""
    return levels.astype(np.float32) / np.float32(255)


def box_mean(image: F32, window: int) -> F32:
    """Mean over a ``window`` x ``window`` box at each pixel of (h, w) or (h, w, c) float32."""
    import cv2

    anchor = (window // 2 - 1 + window % 2,) * 2
    mean: F32 = cv2.blur(image, (window, window), anchor=anchor, borderType=cv2.BORDER_REPLICATE)
    return mean


def fuse(image: F32, foreground: F32, background: F32, alpha: F32, window: int) -> tuple[F32, F32]:
    """One pass: better guesses of foreground and blurred background, (h, w, 3) in [0, 1] each."""
    a = alpha[..., None]
    mean_alpha = box_mean(alpha, window)[..., None]
    blurred_fg = box_mean(foreground * a, window) / (mean_alpha + _TINY)
    blurred_bg = box_mean(background * (1 - a), window) / ((1 - mean_alpha) + _TINY)
    guess = blurred_fg + a * (image - a * blurred_fg - (1 - a) * blurred_bg)
    return np.clip(guess, 0, 1), blurred_bg


def foreground_colours(image: F32, alpha: F32, windows: tuple[int, ...] = WINDOWS) -> F32:
    """(h, w, 3) image and (h, w) alpha, float32 in [0, 1], to the foreground's colours (h, w, 3) in [0, 1]."""
    foreground = background = image
    for window in windows:
        foreground, background = fuse(image, foreground, background, alpha, window)
    return foreground


def refined_rgb(rgb: U8, alpha: U8, windows: tuple[int, ...] = WINDOWS) -> U8:
    """The same in 8 bits: (h, w, 3) and (h, w) to (h, w, 3). Values are cut, not rounded, as in the published code."""
    colours = foreground_colours(unit(rgb), unit(alpha), windows)
    return (colours * 255).astype(np.uint8)
