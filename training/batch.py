"""What one training step sees: pictures of objects, and the truth about them.

Frames and ranges: manymesh.shape.learned.contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """Tensors on the training device, n views.

    Attributes:
        image: (n, 4, IMAGE_PX, IMAGE_PX) float32 or float16 in 0..1: colour times alpha, alpha.
        occupancy: (n, BINS, GRID, GRID) uint8, 0 empty .. 255 solid, soft on the surface.
        inside: (n, GRID, GRID) bool: the pixel's ray meets the object.
        front_depth, back_depth: (n, GRID, GRID) float32 crop units; undefined where not inside.
        front_normal: (n, 3, GRID, GRID) float32 unit (right, up, towards the eye).
        back_color: (n, 3, GRID, GRID) float32 unlit sRGB 0..1.
        elevation, azimuth, log_tan_half_fov: (n,) float32; radians.
        azimuth_known: (n,) bool.
        centre: (n, 3) float32 crop units.
        symmetric: (n,) bool.
        shape_index: (n,) int64, which shape of the set.
    """

    image: torch.Tensor
    occupancy: torch.Tensor
    inside: torch.Tensor
    front_depth: torch.Tensor
    back_depth: torch.Tensor
    front_normal: torch.Tensor
    back_color: torch.Tensor
    elevation: torch.Tensor
    azimuth: torch.Tensor
    azimuth_known: torch.Tensor
    log_tan_half_fov: torch.Tensor
    centre: torch.Tensor
    symmetric: torch.Tensor
    shape_index: torch.Tensor
