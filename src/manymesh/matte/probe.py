"""Does a matte see what anybody sees? It is shown a drawn ball on a light background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manymesh.device.probe import ProbeFinding
from manymesh.errors import Cancelled, ManymeshError
from manymesh.image.drawn import BALL_PX, ball
from manymesh.types import U8

CHECK = "drawn ball"
# The picture: the ball in the middle of a background that grows lighter from top to bottom.
SIDE_PX = 512
_TOP, _BOTTOM = 205, 235
# Intersection over union of the alpha with the drawn ball from which the network is taken to have seen it. Chosen by
# hand; not measured: a sound network's is near 1.
_SAME = 0.5
_WRONG = "The network's weights or this device's arithmetic are wrong: run manymesh models verify"


def probe_matte(alpha_of: Callable[[U8], U8]) -> ProbeFinding:
    """Whether a network cuts a drawn ball out.

    Args:
        alpha_of: (h, w, 3) uint8 to alpha (h, w) uint8 of everything that stands out.

    Returns:
        A finding that fails where the network finds another outline, or fails itself. ``numbers`` has the
        intersection over union of the two outlines.
    """
    rgb, inside = picture()
    try:
        seen = alpha_of(rgb) > 127
    except Cancelled:
        raise
    except (ManymeshError, RuntimeError) as error:
        return ProbeFinding(CHECK, False, f"The network failed: {str(error).rstrip('.')}.")
    overlap = float((seen & inside).sum() / max((seen | inside).sum(), 1))
    numbers = {"overlap": round(overlap, 4)}
    if overlap < _SAME:
        return ProbeFinding(CHECK, False, f"The network did not cut a drawn ball out. {_WRONG}.", numbers)
    return ProbeFinding(CHECK, True, f"A drawn ball is cut out; {overlap:.0%} of both outlines agree.", numbers)


def picture() -> tuple[U8, np.ndarray]:
    """(512, 512, 3) uint8 of the ball, and (512, 512) bool where it is."""
    rgb = np.repeat(np.linspace(_TOP, _BOTTOM, SIDE_PX)[:, None, None], SIDE_PX, 1).repeat(3, 2).astype(np.uint8)
    inside = np.zeros((SIDE_PX, SIDE_PX), bool)
    start = (SIDE_PX - BALL_PX) // 2
    middle = slice(start, start + BALL_PX)
    drawn = ball()
    inside[middle, middle] = drawn[..., 3] > 0
    rgb[inside] = drawn[drawn[..., 3] > 0, :3]
    return rgb, inside
