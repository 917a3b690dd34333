"""Colours for the texels that no view painted, and for the gaps between the charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from manymesh.types import F32, U8, Atlas, Bool

if TYPE_CHECKING:
    import torch


def fill(texture: F32, painted: Bool, atlas: Atlas, *, exact: bool = False, device: torch.device | None = None) -> U8:
    """The finished texture.

    Args:
        texture: (T, T, 3) float32 in [0, 1]. painted: (T, T) bool, where it has a colour.
        atlas: the unwrapped mesh, in the house's frame.
        exact: fill as the official program does, along the mesh's edges and then over the picture (which lets colour
            bleed from one chart into another). Otherwise over the closed surface, and then outwards from each chart.
        device: a GPU to do it on, if any; the answer differs a little from the CPU's.

    Returns:
        (T, T, 3) uint8.
    """
    if exact:
        from manymesh.paint.hunyuan.render.inpaint import inpaint
        from manymesh.paint.hunyuan.render.reference_camera import normalised, unmirrored

        vertices, lower_left = normalised(atlas.vertices, atlas.uv)
        return inpaint(texture, painted, unmirrored(vertices), atlas.faces, lower_left, lambda done: None)
    if device is not None and device.type == "cuda":
        from manymesh.paint.hunyuan.render.torch_fill import fill_on_device

        return fill_on_device(texture, painted, atlas, device)
    from manymesh.render.bake import Projection
    from manymesh.render.fill import fill_surface, pad_charts
    from manymesh.render.texels import texels

    surface = texels(atlas, texture.shape[0])
    pixel = surface.raster.pixel
    seen = Projection(texture.reshape(-1, 3)[pixel], painted.reshape(-1)[pixel].astype(np.float32))
    return pad_charts(fill_surface(seen, surface, atlas), surface)
