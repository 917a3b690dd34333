"""The painter's renderer on the CPU: control maps of a mesh, and painted views baked into its texture.

The views are drawn on several threads. ``surface_torch`` does the same on a GPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from manymesh.paint.finish import fill_painted, map_in_threads
from manymesh.paint.hunyuan.delight_images import resize_square
from manymesh.paint.hunyuan.render import control_maps, splat
from manymesh.paint.hunyuan.render.reference_raster import rasterise_reference
from manymesh.paint.hunyuan.surface_base import Drawing, Surface
from manymesh.render.raster import Raster
from manymesh.stages import Tick
from manymesh.types import F32, U8, Atlas, Bool

if TYPE_CHECKING:
    import torch


class HostSurface(Surface):
    """On the CPU. The drawings are kept between ``maps`` and ``bake``."""

    def __init__(self, atlas: Atlas, drawing: Drawing) -> None:
        super().__init__(atlas, drawing)
        self.rasters: list[Raster] | None = None

    def maps(self, tick: Tick = lambda done: None) -> tuple[U8, U8]:
        def one(number: int) -> tuple[Raster, U8, U8]:
            raster = self._raster(number)
            normal, position = control_maps.control_maps([raster], self.vertices, self.faces)[0]
            return raster, resize_square(normal, self.drawing.view_px), resize_square(position, self.drawing.view_px)

        made = map_in_threads(one, len(self.cameras), tick)
        self.rasters = [raster for raster, _, _ in made]
        return np.stack([normal for _, normal, _ in made]), np.stack([position for _, _, position in made])

    def bake(self, pictures: U8, tick: Tick = lambda done: None) -> tuple[F32, Bool]:
        drawing = self.drawing

        def one(number: int) -> splat.Splat:
            raster = self._raster(number) if self.rasters is None else self.rasters[number]
            picture = resize_square(pictures[number], drawing.render_px)
            return splat.backproject(
                picture,
                raster,
                self.cameras[number],
                self.vertices,
                self.faces,
                self.uv,
                drawing.texture_px,
                drawing.render_px,
                drawing.max_angle_deg,
            )

        splats = map_in_threads(one, len(self.cameras), tick)
        return splat.merge(splats, [view.weight for view in drawing.views], drawing.exponent)

    def _raster(self, number: int) -> Raster:
        size = self.drawing.render_px
        return rasterise_reference(self.cameras[number].clip(self.vertices), self.faces, size, size)


def surface_of(atlas: Atlas, drawing: Drawing, device: torch.device | None = None) -> Surface:
    """The renderer for a device: ``DeviceSurface`` on CUDA, otherwise ``HostSurface``."""
    if device is not None and device.type == "cuda":
        from manymesh.paint.hunyuan.surface_torch import DeviceSurface

        return DeviceSurface(atlas, drawing, device)
    return HostSurface(atlas, drawing)


def fill_texture(
    texture: F32, painted: Bool, atlas: Atlas, *, exact: bool = False, device: torch.device | None = None
) -> U8:
    """The finished texture.

    Args:
        texture: (T, T, 3) float32 in [0, 1]. painted: (T, T) bool, where it has a colour.
        atlas: the unwrapped mesh, in the canonical frame.
        exact: fill as the official program does, along the mesh's edges and then over the image (colour bleeds from one
            chart into another). Otherwise over the closed surface, then outwards from each chart.
        device: a GPU to fill on, if any; its result differs slightly from the CPU's.

    Returns:
        (T, T, 3) uint8.
    """
    if exact:
        from manymesh.paint.hunyuan.render.inpaint import inpaint
        from manymesh.paint.hunyuan.render.reference_camera import normalised, unmirrored

        vertices, lower_left = normalised(atlas.vertices, atlas.uv)
        return inpaint(texture, painted, unmirrored(vertices), atlas.faces, lower_left, lambda done: None)
    return fill_painted(texture, painted, atlas, device)
