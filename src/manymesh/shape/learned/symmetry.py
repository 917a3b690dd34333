"""A thing that is its own mirror image shows, on the side that the camera sees, what the hidden side is like."""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.shape.learned import frame
from manymesh.shape.learned.pose import Pose
from manymesh.shape.learned.predict import Prediction
from manymesh.shape.learned.surface import projected, unprojected
from manymesh.shape.learned.volume import BIN
from manymesh.types import F32, F64, Bool

HIDDEN_TRUST = 0.4
"""How much a cell counts that lies behind the first surface, against 1 for one that the camera sees."""
VISIBLE_BINS = 3.0


def mirror_plane(pose: Pose) -> tuple[F64, F64]:
    """Unit normal and a point of the thing's mirror plane, in the camera's frame, crop units."""
    x, y, d = pose.centre
    return pose.turn[:, 0].copy(), np.array([x, y, -d])


def averaged(mixed: F32, answer: Prediction, pose: Pose, inside: Bool) -> F32:
    """``mixed`` with every cell averaged with its mirror image, each by how well the camera knows it.

    Cells whose mirror image falls outside the silhouette or the volume stay: there the plane contradicts the picture.

    Args:
        mixed: (BINS, GRID, GRID) from ``volume.mixed_logits``; not changed.
        inside: (GRID, GRID) which pixels lie in the silhouette.
    """
    from scipy.ndimage import map_coordinates

    normal, point = mirror_plane(pose)
    solid = np.flatnonzero((mixed[:, inside] > -2).any(axis=1))
    if not len(solid):
        return mixed
    bins = np.arange(max(solid[0] - 2, 0), min(solid[-1] + 3, frame.BINS))
    rows, columns = np.nonzero(inside)
    u, v = (columns + 0.5) / frame.GRID - 0.5, 0.5 - (rows + 0.5) / frame.GRID
    d = frame.NEAR + (bins + 0.5) * BIN
    cells = unprojected(np.tile(u, len(d)), np.tile(v, len(d)), np.repeat(d, len(u)), pose.tan_half_fov)
    there = cells - 2 * ((cells - point) @ normal)[:, None] * normal
    u2, v2, d2 = projected(there, pose.tan_half_fov)
    place = np.stack([(d2 - frame.NEAR) / BIN - 0.5, (0.5 - v2) * frame.GRID - 0.5, (u2 + 0.5) * frame.GRID - 0.5])
    whole = np.rint(place).astype(np.int64)
    size = np.array([frame.BINS, frame.GRID, frame.GRID])[:, None]
    good = ((whole >= 0) & (whole < size)).all(axis=0)
    good[good] = inside[whole[1, good], whole[2, good]]
    image = map_coordinates(mixed, place[:, good], order=1, mode="nearest")
    front = answer.surface[frame.FRONT_DEPTH]
    here = _trust(np.repeat(d, len(u))[good], np.tile(front[rows, columns], len(d))[good])
    other = _trust(d2[good], front[whole[1, good], whole[2, good]])
    share = (other / (here + other)).astype(np.float32)
    result = mixed.copy()
    part = result[bins][:, rows, columns].ravel()
    part[good] += share * (image - part[good])
    result[bins[:, None], rows, columns] = part.reshape(len(bins), len(rows))
    return result


def _trust(depth: Any, front: Any) -> Any:
    return np.where(depth < front + VISIBLE_BINS * BIN, 1.0, HIDDEN_TRUST)
