"""The segmentation network: which pixels are foreground, and where the centre of each pixel's object is.

It was trained by ``training/segmentation`` on composed scenes; ``lite-segmentation.onnx`` is package data. Centres and
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
# Longest side of the network's input. Given by its training.
INPUT_SIDE_PX = 512
# Both sides of the input are multiples of this, because the encoder halves the image five times.
STRIDE_PX = 32
# Names of the outputs in the ONNX file.
OUTPUTS = ("mask", "middles")
# Centre offsets in the ONNX file's output are in units of this many pixels. Given by its training.
OFFSET_SCALE_PX = 100.0


@dataclass(frozen=True)
class Segmentation:
    """The network's answer for one image. (h, w) is the size of the network's input, see ``resize_to_input``.

    Attributes:
        probability: (h, w) float32, 0..1, that a pixel is foreground.
        center_heatmap: (h / 4, w / 4) float32, 0..1, with peaks at the centres of objects.
        center_offsets: (2, h / 4, w / 4) float32, from each pixel to the centre of its object: x to the right and y
            down, in pixels of the network's input.
    """

    probability: F32
    center_heatmap: F32
    center_offsets: F32


class SegmentationNetwork:
    """An open ONNX session. It may be called from several threads at once.

    Args:
        path: the ONNX file; the packaged one when not given. A ``.json`` file of the same name must hold its
            ``sha256``.

    Raises:
        MissingPieceError: the file is missing, damaged or another network, or onnxruntime is not installed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._session, self._input = open_session(WEIGHTS if path is None else path, OUTPUTS)

    def __call__(self, rgb: U8) -> Segmentation:
        """Segment an image, (h, w, 3) uint8 sRGB of any size from one pixel a side.

        The answer covers the same view at the size that ``resize_to_input`` gives.

        Raises:
            RuntimeError: onnxruntime failed, or an output holds numbers that are not finite.
        """
        image = np.ascontiguousarray(resize_to_input(rgb).transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        try:
            mask, centers = self._session.run(list(OUTPUTS), {self._input: image})
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise RuntimeError(f"the segmentation network failed: {first_line(error)}") from error
        if not (np.isfinite(mask.sum(dtype=np.float64)) and np.isfinite(centers.sum(dtype=np.float64))):
            raise RuntimeError("the segmentation network's output holds numbers that are not finite")
        return Segmentation(
            _sigmoid(mask[0, 0]), _sigmoid(centers[0, 0]), centers[0, 1:3] * np.float32(OFFSET_SCALE_PX)
        )


def resize_to_input(rgb: U8, side_px: int = INPUT_SIDE_PX) -> U8:
    """The image with its longest side about ``side_px`` and both sides multiples of ``STRIDE_PX``.

    The aspect ratio changes by at most half a stride on each side.
    """
    import cv2

    height, width = rgb.shape[:2]
    scale = side_px / max(height, width)
    size = tuple(max(1, round(length * scale / STRIDE_PX)) * STRIDE_PX for length in (width, height))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, size, interpolation=interpolation), np.uint8)


def _sigmoid(logits: F32) -> F32:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def open_network() -> SegmentationNetwork | None:
    """The packaged network. None, with a warning in the log, when its file is missing or damaged."""
    try:
        return SegmentationNetwork()
    except MissingPieceError as error:
        logging.getLogger(__name__).warning("Objects are segmented by colour alone: %s.", error.what)
        return None
