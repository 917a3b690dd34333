"""From painted views to a whole texture: what all painters of views do alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from manymesh.parallel import usable_cores
from manymesh.stages import Tick
from manymesh.types import F32, U8, Atlas, Bool

if TYPE_CHECKING:
    import torch

# Most views drawn at once; each takes the memory of a drawing. Chosen by hand; not measured.
MOST_THREADS = 4

Result = TypeVar("Result")


def fill_painted(texture: F32, painted: Bool, atlas: Atlas, device: torch.device | None = None) -> U8:
    """The finished texture: what no view painted is filled over the closed surface, then outwards from each chart.

    Args:
        texture: (T, T, 3) float32 in [0, 1]. painted: (T, T) bool, where it has a colour.
        atlas: the unwrapped mesh, in the canonical frame.
        device: a GPU to fill on, if any; its result differs slightly from the CPU's.

    Returns:
        (T, T, 3) uint8.
    """
    if device is not None and device.type == "cuda":
        from manymesh.paint.gpu.fill import fill_on_device

        return fill_on_device(texture, painted, atlas, device)
    from manymesh.render.bake import Projection
    from manymesh.render.fill import fill_surface
    from manymesh.render.padding import pad_charts
    from manymesh.render.texels import texels

    surface = texels(atlas, texture.shape[0])
    pixel = surface.raster.pixel
    seen = Projection(texture.reshape(-1, 3)[pixel], painted.reshape(-1)[pixel].astype(np.float32))
    return pad_charts(fill_surface(seen, surface, atlas), surface)


def map_in_threads(one: Callable[[int], Result], count: int, tick: Tick) -> Sequence[Result]:
    """``one(0)``, ``one(1)``... in order, a few at a time on threads (NumPy releases the GIL). ``tick`` may raise to
    stop."""
    workers = max(1, min(MOST_THREADS, usable_cores(), count))
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
