"""Does a detector find what anybody sees? It is shown a drawn picture of two squares.

Wrong weights, a library that loads them wrongly, or a device whose arithmetic fails often end in no error, but in boxes
a few pixels wide, in an answer that says nothing, or in nothing found. Use::

    with STAGE.open(settings) as detect:
        findings = probe_detector(detect)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.detect.postprocess import same_word
from manymesh.device.probe import ProbeFinding
from manymesh.errors import Cancelled, ManymeshError
from manymesh.stages import Detect, Tick
from manymesh.types import Box, Detection, Photo

# The picture and what is on it. Wide enough that 1 % of it is more than the 8 px below which the stages drop a box.
WIDTH_PX, HEIGHT_PX = 1024, 768
SQUARES = {"red square": Box(140, 250, 400, 510), "blue square": Box(620, 250, 880, 510)}
_COLOURS = {"red square": (205, 30, 35), "blue square": (30, 60, 200)}
_BACKGROUND = (235, 235, 232)
# A box narrower than this share of the picture's side is no square's.
_NARROWEST = 0.01
# Intersection over union from which a box is taken to be that of a square. Chosen by hand; not measured: a sound
# detector's is near 1.
_SAME_PLACE = 0.2
_WRONG = "The detector's weights or this device's arithmetic are wrong: run manymesh models verify"


def probe_detector(detect: Detect, *, tick: Tick = lambda done: None) -> list[ProbeFinding]:
    """Whether an opened detector finds a red and a blue square, asked for by name.

    A square counts as found by whatever name it is found under: small detectors confuse colours.

    Args:
        detect: what ``Stage.open`` gives for a detector that reads names.
        tick: as the detector's.

    Returns:
        One finding for each square. It fails where the detector found nothing there, or a box narrower than 1 % of the
        picture. Where the detector itself failed (one token for an answer, numbers that are not finite, too little
        memory), there is one finding that fails and says so. ``numbers`` are the box's width and height as shares of
        the picture, its intersection over union with the square, the score if there is one, and ``same_name`` 0 or 1.
    """
    try:
        found = detect(squares(), tuple(SQUARES), tick=tick)
    except Cancelled:
        raise
    except ManymeshError as error:
        hint = f" {error.hint}." if error.hint else ""
        return [ProbeFinding("two drawn squares", False, f"The detector failed: {error.what}.{hint}")]
    narrow = [_narrow(detection) for detection in found if _smaller_share(detection.box) < _NARROWEST]
    return narrow[:1] + [_judge(name, found) for name in SQUARES]


def squares() -> Photo:
    """The drawn picture: a red square on the left, a blue one on the right, on light grey."""
    rgb = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    rgb[:] = _BACKGROUND
    for name, box in SQUARES.items():
        rgb[box.y0 : box.y1, box.x0 : box.x1] = _COLOURS[name]
    return Photo(rgb, None, "squares", "0" * 64)


def _judge(name: str, found: Sequence[Detection]) -> ProbeFinding:
    """One square against all detections."""
    check = f"drawn {name}"
    best = max(found, key=lambda detection: _overlap(detection.box, SQUARES[name]), default=None)
    overlap = _overlap(best.box, SQUARES[name]) if best is not None else 0.0
    if best is None or overlap < _SAME_PLACE:
        return ProbeFinding(check, False, f"The detector did not find a drawn {name}. {_WRONG}.")
    same_name = same_word(best.label, name)
    numbers = _numbers(best) | {"overlap": round(overlap, 4), "same_name": float(same_name)}
    called = "" if same_name else f", and called it '{best.label}'"
    return ProbeFinding(check, True, f"The detector found the drawn {name}{called}.", numbers)


def _narrow(detection: Detection) -> ProbeFinding:
    box = detection.box
    sentence = (
        f"The detector's box of the {detection.label} is {box.width} x {box.height} px, "
        f"in a picture of {WIDTH_PX} x {HEIGHT_PX} px. {_WRONG}."
    )
    return ProbeFinding("width of boxes", False, sentence, _numbers(detection))


def _numbers(detection: Detection) -> dict[str, float]:
    box = detection.box
    numbers = {"width_share": round(box.width / WIDTH_PX, 4), "height_share": round(box.height / HEIGHT_PX, 4)}
    return numbers if detection.score is None else numbers | {"score": round(detection.score, 4)}


def _smaller_share(box: Box) -> float:
    """The smaller of width and height as shares of the picture's."""
    return min(box.width / WIDTH_PX, box.height / HEIGHT_PX)


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = max(width, 0) * max(height, 0)
    return shared / max(a.area + b.area - shared, 1)
