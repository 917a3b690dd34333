"""How the cutout saw the mesh, and how well the two agree.

Preprocessing moves the object's box to the middle of a square and scales it to a fixed share of it, so the network
never learns where in the cutout the object stood, nor how large; and how large it makes the mesh is its own choice.
Undoing the first by arithmetic and the second by measure comes to the same as this: the front of the mesh, seen without
foreshortening, is laid onto the object's box in the cutout, middle onto middle, with the scale that fits width and
height best.
"""

from __future__ import annotations

import numpy as np

from manymesh.box import Box
from manymesh.errors import ObjectError
from manymesh.render.camera import orthographic
from manymesh.types import U8, Bool, Camera, Mesh

_SIDE_PX = 256


def object_box(alpha: U8) -> Box:
    """The box of what is more object than background (or of all that is not clear, when nothing is).

    Raises:
        ObjectError: all is clear.
    """
    solid = alpha > 127 if (alpha > 127).any() else alpha > 0
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if len(rows) == 0:
        raise ObjectError("the cutout is empty", "Check the cutout picture; another matte may find the object")
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def front_view(mesh: Mesh, alpha: U8) -> Camera:
    """The camera under which the mesh's front falls onto the object in the cutout.

    Args:
        mesh: in the house's frame, its front towards +Z.
        alpha: (H, W) uint8 of the cutout.
    """
    height, width = alpha.shape
    box = object_box(alpha)
    low, high = mesh.vertices[:, :2].min(axis=0).astype(float), mesh.vertices[:, :2].max(axis=0).astype(float)
    extent, middle = high - low, (low + high) / 2
    # Pixels per mesh unit: least squares of both sides, so a mesh of other proportions is off equally on both.
    scale = (box.width * extent[0] + box.height * extent[1]) / float(extent @ extent)
    target_x = middle[0] + (width / 2 - (box.x0 + box.x1) / 2) / scale
    target_y = middle[1] + ((box.y0 + box.y1) / 2 - height / 2) / scale
    return orthographic(width / 2 / scale, height / 2 / scale, target=(target_x, target_y, 0.0))


def silhouette(mesh: Mesh, view: Camera, height: int, width: int) -> Bool:
    """(height, width) bool: where the mesh covers the picture."""
    from manymesh.render.raster import raster_view

    return raster_view(view, mesh.vertices, mesh.faces, height, width).mask


def agreement(mesh: Mesh, view: Camera, alpha: U8) -> float:
    """Intersection over union of the mesh's silhouette and the cutout's, 0..1."""
    from PIL import Image

    shrink = min(1.0, _SIDE_PX / max(alpha.shape))
    height, width = (max(round(side * shrink), 1) for side in alpha.shape)
    picture = Image.fromarray(alpha).resize((width, height), Image.Resampling.BOX)
    seen, wanted = silhouette(mesh, view, height, width), np.asarray(picture) > 127
    union = int((seen | wanted).sum())
    return float((seen & wanted).sum() / union) if union else 0.0
