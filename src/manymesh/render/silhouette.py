"""How well a mesh's silhouette agrees with a cutout."""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.render.raster import raster_view
from manymesh.types import U8, Camera


def silhouette_iou(camera: Camera, vertices: Any, faces: Any, alpha: U8, longest_px: int) -> float:
    """Intersection over union of the mesh's silhouette and the cutout's, 0..1 (0 when both are empty).

    Args:
        camera: sees the mesh on the cutout's picture.
        vertices: (n, 3). faces: (m, 3).
        alpha: (H, W) uint8 of the cutout; over one half is object.
        longest_px: both are compared on a grid reduced to at most this many pixels on its longer side.
    """
    from PIL import Image

    shrink = min(1.0, longest_px / max(alpha.shape))
    height, width = (max(round(side * shrink), 1) for side in alpha.shape)
    picture = Image.fromarray(alpha).resize((width, height), Image.Resampling.BOX)
    wanted = np.asarray(picture) > 127
    covered = raster_view(camera, vertices, faces, height, width).mask
    union = int((covered | wanted).sum())
    return float((covered & wanted).sum() / union) if union else 0.0
