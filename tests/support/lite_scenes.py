"""Synthetic photos with known truth, for the tests of the lite engine."""

from __future__ import annotations

import cv2
import numpy as np

from manymesh.types import Bool, Box, Crop, Photo

GREY = (168, 170, 172)


def plain_background(
    height: int, width: int, colour: tuple[int, int, int] = GREY, noise: float = 1.5, seed: int = 0
) -> np.ndarray:
    """(h, w, 3) float32 of one colour with camera noise."""
    rng = np.random.default_rng(seed)
    return np.full((height, width, 3), colour, np.float32) + rng.normal(0, noise, (height, width, 3)).astype(np.float32)


def uneven_background(height: int, width: int) -> np.ndarray:
    """A wall lit from one side: 30 % darker at the far corner."""
    y, x = np.mgrid[0:height, 0:width]
    light = 1 - 0.3 * (x / width * 0.6 + (y / height) ** 2 * 0.4)
    return plain_background(height, width, (215, 205, 190)) * light[..., None]


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    """(h, w) float32 coverage with a soft edge one pixel wide."""
    v, u = np.mgrid[0 : shape[0], 0 : shape[1]]
    return np.clip(radius - np.hypot(u + 0.5 - x, v + 0.5 - y) + 0.5, 0, 1).astype(np.float32)


def paint(scene: np.ndarray, coverage: np.ndarray, colour: tuple[int, int, int], seed: int = 1) -> None:
    """Paint an object of one matt, slightly grained colour onto a scene (changed in place)."""
    rng = np.random.default_rng(seed)
    texture = np.array(colour) + rng.normal(0, 2, scene.shape)
    scene[:] = scene * (1 - coverage[..., None]) + texture * coverage[..., None]


def shade(scene: np.ndarray, coverage: np.ndarray, blur: float, depth: float) -> None:
    """Let a soft shadow fall where ``coverage`` is (scene changed in place)."""
    scene *= 1 - depth * cv2.GaussianBlur(coverage, (0, 0), blur)[..., None]


def photo(scene: np.ndarray, alpha: np.ndarray | None = None) -> Photo:
    return Photo(np.clip(np.round(scene), 0, 255).astype(np.uint8), alpha, "made", "")


def iou(a: Bool, b: Bool) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def crop(rgb: np.ndarray, box: Box, margin: int = 20, **more: object) -> Crop:
    """A crop around a box; ``mask`` and ``alpha`` are given at full size."""
    height, width = rgb.shape[:2]
    window = Box(box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin).clipped(width, height)
    view = np.s_[window.y0 : window.y1, window.x0 : window.x1]

    def moved(b: Box) -> Box:
        return Box(b.x0 - window.x0, b.y0 - window.y0, b.x1 - window.x0, b.y1 - window.y0)

    mask, alpha, others = more.get("mask"), more.get("alpha"), more.get("others", ())
    return Crop(
        rgb[view],
        window,
        moved(box),
        alpha=None if alpha is None else alpha[view],  # type: ignore[index]
        mask=None if mask is None else mask[view],  # type: ignore[index]
        others=tuple(moved(other) for other in others),  # type: ignore[attr-defined]
    )
