"""What the network thinks of the side that the photo does not show."""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.shape.learned import contract
from manymesh.shape.learned.predict import Prediction
from manymesh.shape.learned.surface import camera_to_crop, sample_crop
from manymesh.types import U8, Bool


def back_colors(answer: Prediction, points: Any, inside: Bool, tan_half_fov: float) -> U8:
    """(n, 3) uint8 sRGB, unlit: the colour head's guess for the last surface behind the picture place of each point.

    Args:
        points: (n, 3), camera frame (see ``surface.surface``).
        inside: (GRID, GRID) which of the network's pixels lie in the silhouette; others repeat the nearest of these.
    """
    from manymesh.shape.learned.field import nearest_inside

    picture = answer.surface[contract.BACK_COLOR].transpose(1, 2, 0)[nearest_inside(inside)]
    u, v, _ = camera_to_crop(points, tan_half_fov)
    color = sample_crop(np.ascontiguousarray(picture, np.float32), u, v)
    return (np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8)
