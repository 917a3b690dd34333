"""The segmentation network: which pixels are foreground, and where the centre of each pixel's object is.

It was trained by ``training/finder`` on composed scenes; ``lite-segmentation.onnx`` is package data. Centres and
centre offsets are those of Cheng et al., "Panoptic-DeepLab", CVPR 2020.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from manymesh.errors import MissingPieceError
from manymesh.onnx import first_line, open_session
from manymesh.types import F32, U8

WEIGHTS = Path(__file__).with_name("lite-segmentation.onnx")
SIDE = 512
"""Longest side, in pixels, of the picture that the network sees."""
CELL = 32
"""It takes whole cells only; a picture is stretched by at most half of one."""
OUTPUTS = ("mask", "middles")
WAY_UNIT = 100.0
"""Pixels that a way of 1 is long."""


@dataclass(frozen=True)
class Seen:
    """What the finder makes of a picture.

    Attributes:
        share: (h, w) float32, 0..1, how likely a pixel is a thing's.
        spots: (h / 4, w / 4) float32, 0..1, high at the middles of things.
        ways: (2, h / 4, w / 4) float32, from each place right and down to its own thing's middle, in pixels.
    """

    share: F32
    spots: F32
    ways: F32


class Finder:
    """An open session. Safe for several threads.

    Args:
        path: the ONNX file. A ``.json`` file of the same name must hold its ``sha256``.

    Raises:
        MissingPieceError: there is no such file, it is damaged, it is another network, or onnxruntime is missing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._session, self._input = open_session(WEIGHTS if path is None else path, OUTPUTS)

    def __call__(self, rgb: U8) -> Seen:
        """Look at a picture of any size, (h, w, 3) uint8, at least a pixel a side.

        The answer covers the same view at the network's own size: its longest side is ``SIDE``.

        Raises:
            RuntimeError: onnxruntime could not run it, or it answered with numbers that are not finite.
        """
        picture = np.ascontiguousarray(sized(rgb).transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        try:
            mask, middles = self._session.run(list(OUTPUTS), {self._input: picture})
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise RuntimeError(f"the finder failed: {first_line(error)}") from error
        if not (np.isfinite(mask.sum(dtype=np.float64)) and np.isfinite(middles.sum(dtype=np.float64))):
            raise RuntimeError("the finder answered with numbers that are not finite")
        return Seen(_share(mask[0, 0]), _share(middles[0, 0]), middles[0, 1:3] * np.float32(WAY_UNIT))


def sized(rgb: U8, side: int = SIDE) -> U8:
    """The picture with its longest side about ``side``, both sides whole cells."""
    import cv2

    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = tuple(max(1, round(length * scale / CELL)) * CELL for length in (width, height))
    shrinks = scale < 1
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)


def _share(logits: F32) -> F32:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def open_finder() -> Finder | None:
    """The packaged finder; None, with a warning in the log, where its file is missing or damaged."""
    try:
        return Finder()
    except MissingPieceError as error:
        logging.getLogger(__name__).warning("Things are told from the ground by colour alone: %s.", error.what)
        return None
