"""The mesh as the painter's renderer holds it, its maps, and the way of painted views into its texture.

Two makers of the same numbers: NumPy, with the views on as many threads as there are cores, and PyTorch on a GPU.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from manymesh.paint.hunyuan.models import View
from manymesh.paint.hunyuan.render import maps, reference_camera, splat
from manymesh.paint.hunyuan.render.reference_raster import rasterise_reference
from manymesh.render.raster import Raster
from manymesh.stages import Tick
from manymesh.types import F32, U8, Atlas, Bool

if TYPE_CHECKING:
    import torch

MOST_THREADS = 4

Result = TypeVar("Result")


@dataclass(frozen=True)
class Drawing:
    """How the mesh is drawn and read back.

    Attributes:
        views: the cameras.
        render_px: size of the drawings.
        view_px: size of the maps given to the network.
        texture_px: T.
        exponent: of the cosine in a view's weight.
        max_angle_deg: surfaces turned further away are not read.
        centred: place texels as glTF does, at their middles. The official program puts the outermost ones' middles on
            the texture's edges, which shifts colours by up to half a texel.
    """

    views: tuple[View, ...]
    render_px: int = reference_camera.RENDER_PX
    view_px: int = reference_camera.VIEW_PX
    texture_px: int = reference_camera.RENDER_PX
    exponent: float = reference_camera.BAKE_EXPONENT
    max_angle_deg: float = reference_camera.MAX_ANGLE_DEG
    centred: bool = True


class Surface(ABC):
    """An unwrapped mesh in the official frame, ready to be drawn.

    Args:
        atlas: in the house's frame.
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
        """(V, view_px, view_px, 3) uint8 maps of normals and of positions."""

    @abstractmethod
    def bake(self, pictures: U8, tick: Tick = lambda done: None) -> tuple[F32, Bool]:
        """(V, h, w, 3) uint8 painted views to a (T, T, 3) float32 texture and (T, T) bool, where it is painted."""


class HostSurface(Surface):
    """On the CPU. The drawings are kept between ``maps`` and ``bake``."""

    def __init__(self, atlas: Atlas, drawing: Drawing) -> None:
        super().__init__(atlas, drawing)
        self.rasters: list[Raster] | None = None

    def maps(self, tick: Tick = lambda done: None) -> tuple[U8, U8]:
        def one(number: int) -> tuple[Raster, U8, U8]:
            raster = self._raster(number)
            normal, position = maps.control_maps([raster], self.vertices, self.faces)[0]
            return raster, resized(normal, self.drawing.view_px), resized(position, self.drawing.view_px)

        made = in_threads(one, len(self.cameras), tick)
        self.rasters = [raster for raster, _, _ in made]
        return np.stack([normal for _, normal, _ in made]), np.stack([position for _, _, position in made])

    def bake(self, pictures: U8, tick: Tick = lambda done: None) -> tuple[F32, Bool]:
        drawing = self.drawing

        def one(number: int) -> splat.Splat:
            raster = self._raster(number) if self.rasters is None else self.rasters[number]
            picture = resized(pictures[number], drawing.render_px)
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

        splats = in_threads(one, len(self.cameras), tick)
        return splat.merge(splats, [view.weight for view in drawing.views], drawing.exponent)

    def _raster(self, number: int) -> Raster:
        size = self.drawing.render_px
        return rasterise_reference(self.cameras[number].clip(self.vertices), self.faces, size, size)


def surface_of(atlas: Atlas, drawing: Drawing, device: torch.device | None = None) -> Surface:
    """The maker for a device."""
    if device is not None and device.type == "cuda":
        from manymesh.paint.hunyuan.surface_torch import DeviceSurface

        return DeviceSurface(atlas, drawing, device)
    return HostSurface(atlas, drawing)


def resized(picture: U8, size_px: int) -> U8:
    """Square, by Pillow's bicubic filter."""
    from PIL import Image

    if picture.shape[:2] == (size_px, size_px):
        return picture
    return np.asarray(Image.fromarray(picture).resize((size_px, size_px), Image.Resampling.BICUBIC))


def in_threads(one: Callable[[int], Result], count: int, tick: Tick) -> Sequence[Result]:
    """``one(0)``, ``one(1)``... in order, a few at a time: NumPy lets other threads work. ``tick`` may stop it."""
    workers = max(1, min(MOST_THREADS, os.cpu_count() or 1, count))
    results = []
    with ThreadPoolExecutor(workers, thread_name_prefix="manymesh-view") as pool:
        waiting = [pool.submit(one, number) for number in range(count)]
        try:
            for number, future in enumerate(waiting):
                results.append(future.result())
                tick((number + 1) / count)
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
    return results
