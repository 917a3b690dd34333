"""Views to pictures and targets: one batch of training."""

from __future__ import annotations

import torch

from manymesh.shape.learned.contract import BINS, GRID, IMAGE_PX
from training.batch import Batch
from training.render.backend import RASTER, launch
from training.render.shape_set import ShapeSet, empty_keys, running
from training.render.views import Views


def render(shape_set: ShapeSet, views: Views) -> Batch:
    """Pictures of the views and the truth about them; everything stays on the set's device, nothing waits for it."""
    front, back = rasterise(shape_set, views)
    image = photograph(shape_set, views, shade(shape_set, views, front))
    inside, near, far, normal, color = surfaces(shape_set, views, front, back)
    anchor = anchors(inside, near)
    crop = (2 * anchor * views.column("tan")[:, 0])[:, None, None]
    shift = views.column("shift")
    centre = torch.stack([-shift[:, 0], -shift[:, 1], shift[:, 2] - anchor], dim=1) / crop[:, :, 0]
    return Batch(
        image=image,
        occupancy=occupancy(shape_set, views, anchor),
        inside=inside,
        front_depth=torch.where(inside, (near - anchor[:, None, None]) / crop, 0.0),
        back_depth=torch.where(inside, (far - anchor[:, None, None]) / crop, 0.0),
        front_normal=normal,
        back_color=color,
        elevation=views.elevation,
        azimuth=views.azimuth,
        azimuth_known=shape_set.front_known[views.shape_index],
        log_tan_half_fov=views.column("tan")[:, 0].log(),
        centre=centre,
        symmetric=shape_set.symmetric[views.shape_index],
        shape_index=views.shape_index,
    )


def rasterise(shape_set: ShapeSet, views: Views) -> tuple[torch.Tensor, torch.Tensor]:
    """(n * RASTER * RASTER,) int64 keys of the first and of the last surface on each sample's ray."""
    n, device = len(views), shape_set.device
    items = running(shape_set.face_counts[views.shape_index])
    front, back = (empty_keys(n * RASTER * RASTER, device) for _ in range(2))
    where = (n, views.table, views.shape_index, items, shape_set.face_start, shape_set.corners)
    launch("raster", device, 1 << 30, *where, front, back)
    return front, back


def shade(shape_set: ShapeSet, views: Views, front: torch.Tensor) -> torch.Tensor:
    """(n, 4, IMAGE_PX, IMAGE_PX) float32: lit sRGB colour times alpha, alpha."""
    n, device = len(views), shape_set.device
    picture = torch.empty((n, 4, IMAGE_PX, IMAGE_PX), device=device)
    where = (n, views.table, views.shape_index, shape_set.face_start, front)
    launch("shade", device, n * IMAGE_PX**2, *where, *shape_set.scene(), picture)
    return picture


def photograph(shape_set: ShapeSet, views: Views, picture: torch.Tensor) -> torch.Tensor:
    """The picture after camera, file and background remover; the same shape, float32."""
    n, device = len(views), shape_set.device
    pixels = n * IMAGE_PX**2
    total = picture.flatten(2).sum(2)
    mean = (total[:, :3] / total[:, 3:].clamp(min=1e-6)).contiguous()
    photo, image = torch.empty_like(picture), torch.empty_like(picture)
    launch("photo_small", device, pixels, n, views.table, picture, mean, photo)
    launch("photo_turn", device, pixels, n, views.table, photo, 0)
    launch("photo_jpeg", device, pixels // 64 * 3, n, views.table, photo)
    launch("photo_turn", device, pixels, n, views.table, photo, 1)
    launch("photo_finish", device, pixels, n, views.table, picture, photo, image)
    return image


def surfaces(
    shape_set: ShapeSet, views: Views, front: torch.Tensor, back: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Inside, first and last depth Z (object units), first normal, last colour, at GRID x GRID; see ``Batch``."""
    n, device = len(views), shape_set.device
    inside = torch.empty((n, GRID, GRID), dtype=torch.bool, device=device)
    near, far = (torch.empty((n, GRID, GRID), device=device) for _ in range(2))
    normal, color = (torch.empty((n, 3, GRID, GRID), device=device) for _ in range(2))
    where = (n, views.table, views.shape_index, shape_set.face_start, front, back)
    launch("targets", device, n * GRID**2, *where, *shape_set.scene(), inside, near, far, normal, color)
    return inside, near, far, normal, color


def anchors(inside: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """(n,) float32 mean depth Z of the visible surface: the depth that crop units are measured at."""
    count = inside.flatten(1).sum(1)
    total = torch.where(inside, near, 0.0).flatten(1).sum(1)
    return torch.where(count > 0, total / count.clamp(min=1), 1.0).contiguous()


def occupancy(shape_set: ShapeSet, views: Views, anchor: torch.Tensor) -> torch.Tensor:
    """(n, BINS, GRID, GRID) uint8: the solid along the picture's rays."""
    n, device = len(views), shape_set.device
    out = torch.empty((n, BINS, GRID, GRID), dtype=torch.uint8, device=device)
    where = (n, views.table, views.shape_index, anchor, shape_set.solid, shape_set.coarse)
    launch("occupancy", device, n * BINS * GRID**2, *where, out)
    return out
