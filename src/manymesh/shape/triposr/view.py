"""The camera that saw a shape: the network's nominal one, moved a little until the outlines agree best.

The network is told no camera. In training pictures it was 1.9 from the origin with a field of view of 40 degrees. What
it makes of a photo is off by some percent in scale and place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from manymesh.render.camera import crop_camera, perspective
from manymesh.render.raster import raster_view
from manymesh.shape.triposr.preprocess import Frame
from manymesh.types import U8, Bool, Camera, Mesh

# The published program's camera, in the network's own units.
FOV_DEG, DISTANCE = 40.0, 1.9
# Half the depth around the origin that the camera sees. The field's box reaches 0.87 on each axis.
REACH = 1.6
# How far the fit may go: the factor of the scale, and the shift in widths of the frame. Published fits of others lie
# within them.
SCALES, MOST_SHIFT = (0.8, 1.25), 0.1
# Outlines are compared on this many pixels for the frame's side, and a quarter of it more on each side.
FRAME_PX, MARGIN_PX = 160, 40
# Steps of the search, in frame widths (and in the scale's logarithm), each half of the one before. Chosen by hand: the
# last is half a pixel of the comparison.
FIRST_STEP, HALVINGS = 0.05, 5
# A fit that gains less than this in agreement is not worth leaving the nominal camera for. Chosen by hand.
LEAST_GAIN = 0.005
# Below this agreement people are told. As for meshes that users bring (paint/fit.py).
GOOD_IOU = 0.8


@dataclass(frozen=True)
class View:
    """How the cutout saw a shape.

    Attributes:
        camera: its picture is the whole cutout.
        iou: agreement of the outlines: intersection over union, 0..1.
        mirrored_iou: the same for the shape's mirror image, left and right exchanged.
    """

    camera: Camera
    iou: float
    mirrored_iou: float

    @property
    def note(self) -> str:
        """One sentence for people."""
        text = f"The outlines of photo and shape agree by {100 * self.iou:.0f} %"
        if self.mirrored_iou > self.iou + LEAST_GAIN:
            return f"{text}; those of its mirror image by {100 * self.mirrored_iou:.0f} %."
        return f"{text}, so the photo's colours may lie a little off." if self.iou < GOOD_IOU else f"{text}."


def fit_view(mesh: Mesh, frame: Frame, alpha: U8) -> View:
    """The view of a mesh by the cutout that it was made from.

    Args:
        mesh: in the upright frame (``surface.to_upright``), in the network's units.
        frame: the square of the cutout that the network saw. alpha: (H, W) uint8 of the cutout.
    """
    nominal = perspective(FOV_DEG, distance=DISTANCE, reach=REACH)
    margin = MARGIN_PX / FRAME_PX
    wide = crop_camera(nominal, (-margin, -margin, 1 + margin, 1 + margin), 1, 1)
    side = FRAME_PX + 2 * MARGIN_PX
    shown = raster_view(wide, mesh.vertices, mesh.faces, side, side).mask
    wanted = _framed_outline(alpha, frame)
    iou, scale, right, down = _best_fit(shown, wanted)
    mirrored = _best_fit(shown[:, ::-1], wanted)[0]
    # A point p of the frame is moved to 0.5 + scale * (p - 0.5) + shift: as if the frame were this window of itself.
    left, top = (0.5 - (0.5 + shift) / scale for shift in (right, down))
    fitted = crop_camera(nominal, (left, top, left + 1 / scale, top + 1 / scale), 1, 1)
    height, width = alpha.shape
    edges = (-frame.left, -frame.top, width - frame.left, height - frame.top)
    window = tuple(edge / frame.side for edge in edges)
    return View(crop_camera(fitted, window, 1, 1), iou, mirrored)  # type: ignore[arg-type]


def _framed_outline(alpha: U8, frame: Frame) -> Bool:
    """The object's outline on the grid of the comparison."""
    from PIL import Image

    margin = round(frame.side * MARGIN_PX / FRAME_PX)
    side = frame.side + 2 * margin
    square = np.zeros((side, side), np.uint8)
    top, left = frame.top - margin, frame.left - margin
    rows = slice(max(top, 0), min(top + side, alpha.shape[0]))
    columns = slice(max(left, 0), min(left + side, alpha.shape[1]))
    square[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = alpha[rows, columns]
    px = FRAME_PX + 2 * MARGIN_PX
    return np.asarray(Image.fromarray(square).resize((px, px), Image.Resampling.BOX)) > 127


def _best_fit(shown: Any, wanted: Bool) -> tuple[float, float, float, float]:
    """Agreement, scale, and shift to the right and down in frame widths, by a search with ever smaller steps."""
    picture = np.ascontiguousarray(shown, np.float32)

    def agreement(place: tuple[float, float, float]) -> float:
        return _agreement(picture, wanted, *place)

    nominal = (0.0, 0.0, 0.0)
    start = max((nominal, _by_moments(picture > 0, wanted)), key=agreement)
    best, place = agreement(start), start
    step = FIRST_STEP
    for _ in range(HALVINGS):
        improved = True
        while improved:
            improved = False
            for axis in range(3):
                for sign in (-1, 1):
                    values = list(place)
                    values[axis] += sign * step
                    tried = _bounded(*values)
                    value = agreement(tried)
                    if value > best + 1e-9:
                        best, place, improved = value, tried, True
        step /= 2
    unmoved = agreement(nominal)
    if best < unmoved + LEAST_GAIN:
        best, place = unmoved, nominal
    return best, math.exp(place[0]), place[1], place[2]


def _bounded(log_scale: float, right: float, down: float) -> tuple[float, float, float]:
    low, high = (math.log(scale) for scale in SCALES)
    return (
        min(max(log_scale, low), high),
        min(max(right, -MOST_SHIFT), MOST_SHIFT),
        min(max(down, -MOST_SHIFT), MOST_SHIFT),
    )


def _by_moments(shown: Any, wanted: Bool) -> tuple[float, float, float]:
    """The move that gives both outlines the same area and centre."""
    if not shown.any() or not wanted.any():
        return 0.0, 0.0, 0.0
    scale = math.sqrt(wanted.sum() / shown.sum())
    centre = (len(wanted) - 1) / 2
    here, there = (np.argwhere(mask).mean(axis=0) - centre for mask in (shown, wanted))
    down, right = (there - scale * here) / FRAME_PX
    return _bounded(math.log(scale), float(right), float(down))


def _agreement(picture: Any, wanted: Bool, log_scale: float, right: float, down: float) -> float:
    """Intersection over union of the moved outline and the wanted one."""
    import cv2

    scale, centre = math.exp(log_scale), (len(wanted) - 1) / 2
    matrix = np.array(
        [
            [scale, 0, centre - scale * centre + right * FRAME_PX],
            [0, scale, centre - scale * centre + down * FRAME_PX],
        ]
    )
    moved = cv2.warpAffine(picture, matrix, wanted.shape[::-1], flags=cv2.INTER_LINEAR) > 0.5
    union = int((moved | wanted).sum())
    return float((moved & wanted).sum() / union) if union else 0.0
