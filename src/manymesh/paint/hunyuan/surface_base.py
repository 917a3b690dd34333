"""What the CPU's and the GPU's renderer of the painter share: settings, and the mesh in the reference's frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from manymesh.paint.hunyuan.models import PaintView
from manymesh.paint.hunyuan.render import reference_camera
from manymesh.stages import Tick
from manymesh.types import F32, U8, Atlas, Bool


@dataclass(frozen=True)
class Drawing:
    """Settings of the painter's renderer.

    Attributes:
        views: the cameras.
        render_px: side of the rendered pictures.
        view_px: side of the control maps and painted views.
        texture_px: T, side of the texture.
        exponent: of the cosine in a view's weight.
        max_angle_deg: surfaces turned further away are not baked.
        centred: texel centres lie half a texel inside the texture's edges, as in glTF. The official program puts the
            outermost centres on the edges, which shifts colours by up to half a texel.
    """

    views: tuple[PaintView, ...]
    render_px: int = reference_camera.RENDER_PX
    view_px: int = reference_camera.VIEW_PX
    texture_px: int = reference_camera.RENDER_PX
    exponent: float = reference_camera.BAKE_EXPONENT
    max_angle_deg: float = reference_camera.MAX_ANGLE_DEG
    centred: bool = True


class Surface(ABC):
    """An unwrapped mesh in the reference's frame.

    Args:
        atlas: in the canonical frame.
        drawing: see ``Drawing``.
    """

    def __init__(self, atlas: Atlas, drawing: Drawing) -> None:
        self.drawing = drawing
        # glTF's v already grows downwards, as the official renderer's does once it has turned the file's around.
        self.vertices, _ = reference_camera.normalised(atlas.vertices, atlas.uv)
        self.faces = np.ascontiguousarray(atlas.faces, np.int32)
        self.uv = np.array(atlas.uv, np.float32)
        if drawing.centred:
            size = np.float32(drawing.texture_px)
            self.uv = (self.uv * size - np.float32(0.5)) / (size - np.float32(1))
        self.cameras = [reference_camera.reference_view(view.azimuth_deg, view.elevation_deg) for view in drawing.views]

    @abstractmethod
    def maps(self, tick: Tick = lambda done: None) -> tuple[U8, U8]:
        """(V, view_px, view_px, 3) uint8 control maps: of normals, and of positions."""

    @abstractmethod
    def bake(self, pictures: U8, tick: Tick = lambda done: None) -> tuple[F32, Bool]:
        """(V, h, w, 3) uint8 painted views to a (T, T, 3) float32 texture in [0, 1] and (T, T) bool, where it is
        painted."""
