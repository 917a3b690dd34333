"""How a photo sees a mesh that a user brings, and how well the two agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from manymesh.render.camera import camera_over_box, object_box
from manymesh.render.silhouette import silhouette_iou
from manymesh.types import U8, Camera, Cutout, Mesh

# Up to this ratio of the scales of width and height, the photo and the mesh are taken for the same object, seen with a
# little perspective or from a little aside, and both are fitted separately. Chosen by hand: "within a few percent".
MOST_STRETCH = 1.08
# A difference under this is not worth a sentence.
LEAST_STRETCH = 1.01
# Outlines that share less than this (intersection over union) come with advice.
GOOD_IOU = 0.8
# Pixels a side at which outlines are compared: 256 tells 0.5 % of the object's size.
COMPARED_PX = 256
# How far beyond the photo's outline the nearest pixel of the object is still read, as a share of the object's longer
# side. Chosen by hand: what remains of a few percent of disagreement after the fit.
REACH = 0.06
# How far inside the outline that pixel is taken: the last ones are mixed with the background.
INSET_PX = 2


@dataclass(frozen=True)
class Fit:
    """Attributes:
    view: the camera that lays the mesh's front over the object in the cutout.
    iou: intersection over union of their outlines, 0..1.
    notes: what people should know.
    """

    view: Camera
    iou: float
    notes: tuple[str, ...]


def fit_camera(mesh: Mesh, alpha: U8) -> Fit:
    """Lays the bounding box of the mesh's front onto that of the object in a cutout.

    Width and height are fitted separately where they differ by a few percent, else with one scale.

    Args:
        mesh: in the canonical frame, the side that the photo shows towards +Z.
        alpha: (H, W) uint8 of the cutout.

    Raises:
        ObjectError: the cutout is fully transparent.
    """
    height, width = alpha.shape
    box = object_box(alpha)
    low, high = mesh.vertices[:, :2].min(axis=0).astype(float), mesh.vertices[:, :2].max(axis=0).astype(float)
    extent, centre = np.maximum(high - low, 1e-9), (low + high) / 2
    scale = np.array([box.width, box.height]) / extent  # pixels per mesh unit
    stretch = float(scale[1] / scale[0])
    notes = []
    if not 1 / MOST_STRETCH <= stretch <= MOST_STRETCH:
        scale[:] = (box.width * extent[0] + box.height * extent[1]) / float(extent @ extent)
    elif not 1 / LEAST_STRETCH <= stretch <= LEAST_STRETCH:
        percent = max(stretch, 1 / stretch) * 100 - 100
        taller = "taller" if stretch > 1 else "wider"
        notes.append(
            f"The photo's object is {percent:.0f} % {taller} than the mesh; both sides were fitted separately."
        )
    view = camera_over_box(box, width, height, centre, scale)
    iou = silhouette_iou(view, mesh.vertices, mesh.faces, alpha, COMPARED_PX)
    if iou < GOOD_IOU:
        notes.append(
            f"The outlines of photo and mesh agree by only {100 * iou:.0f} %. Turn the mesh to the photo's side with "
            "--turn, or give a photo or cutout of the mesh's own shape."
        )
    return Fit(view, iou, tuple(notes))


def with_margin(cutout: Cutout) -> Cutout:
    """The cutout with the object's nearest pixels continued around it, so that an outline that is a little off reads
    the object and not the background."""
    import cv2

    rgba = cutout.rgba
    solid = (rgba[..., 3] > 127).astype(np.uint8)
    if not solid.any():
        return cutout
    box = object_box(rgba[..., 3])
    reach_px = max(REACH * max(box.width, box.height), 2.0)
    inset = np.ones((2 * INSET_PX + 1,) * 2, np.uint8)
    inner = cv2.erode((rgba[..., 3] > 250).astype(np.uint8), inset, borderType=cv2.BORDER_REPLICATE)
    if inner.any():
        # Thin parts have no inside: they are their own source.
        inner |= solid & ~cv2.dilate(inner, np.ones((4 * INSET_PX + 3,) * 2, np.uint8))
    else:
        inner = solid
    distance, label = cv2.distanceTransformWithLabels(1 - inner, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_label = np.zeros((int(label.max()) + 1, 3), np.uint8)
    known = inner > 0
    of_label[label[known]] = rgba[known][:, :3]
    outside = (solid == 0) & (distance <= reach_px + INSET_PX)
    mixed = (solid > 0) & ~known & (rgba[..., 3] <= 250)
    made = rgba.copy()
    made[outside | mixed, :3] = of_label[label[outside | mixed]]
    made[outside | mixed, 3] = 255
    return replace(cutout, rgba=made)
