"""``surface.Surface`` on a GPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from manymesh.paint.gpu.raster import DeviceRaster, rasterise
from manymesh.paint.hunyuan.render import bake_torch
from manymesh.paint.hunyuan.surface_base import Drawing, Surface
from manymesh.render.normals import equal_weighted_vertex_normals
from manymesh.stages import Tick
from manymesh.types import F32, U8, Atlas, Bool


class DeviceSurface(Surface):
    """On ``device``. Drawing the mesh again costs less than keeping the drawings while the networks run."""

    def __init__(self, atlas: Atlas, drawing: Drawing, device: torch.device) -> None:
        super().__init__(atlas, drawing)
        self.device = device
        self.points = torch.from_numpy(self.vertices).to(device)
        self.normals = torch.from_numpy(equal_weighted_vertex_normals(self.vertices, self.faces)).to(device)
        self.triangles = torch.from_numpy(self.faces).to(device).long()
        self.places = torch.from_numpy(self.uv).to(device)

    def maps(self, tick: Tick = lambda done: None) -> tuple[U8, U8]:
        size = self.drawing.view_px
        pairs = []
        for number in range(len(self.cameras)):
            pair = bake_torch.control_maps(self._raster(number), self.points, self.normals, self.triangles)
            pairs.append([bake_torch.resized(picture, size) for picture in pair])
            tick((number + 1) / len(self.cameras))
        made = [torch.stack([pair[kind] for pair in pairs]).cpu().numpy() for kind in (0, 1)]
        return made[0], made[1]

    def bake(self, pictures: U8, tick: Tick = lambda done: None) -> tuple[F32, Bool]:
        texture, painted = self.bake_on_device(pictures, tick)
        return texture.cpu().numpy(), painted.cpu().numpy()

    def bake_on_device(self, pictures: U8, tick: Tick = lambda done: None) -> tuple[Tensor, Tensor]:
        """As ``bake``, left on the device."""
        drawing = self.drawing

        def one(number: int) -> tuple[Tensor, Tensor]:
            picture = torch.from_numpy(np.ascontiguousarray(pictures[number])).to(self.device)
            made = bake_torch.backproject(
                bake_torch.resized(picture, drawing.render_px),
                self._raster(number),
                torch.from_numpy(self.cameras[number].world_to_camera).to(self.device),
                self.points,
                self.normals,
                self.triangles,
                self.places,
                drawing.texture_px,
                drawing.render_px,
                drawing.max_angle_deg,
            )
            tick((number + 1) / len(self.cameras))
            return made

        views = (one(number) for number in range(len(self.cameras)))
        return bake_torch.merge(views, [view.weight for view in drawing.views], drawing.exponent)

    def _raster(self, number: int) -> DeviceRaster:
        # NumPy's product, so that both makers start from the same bits.
        clip = torch.from_numpy(self.cameras[number].clip(self.vertices)).to(self.device)
        return rasterise(clip, self.triangles, self.drawing.render_px, self.drawing.render_px)
