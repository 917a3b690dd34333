"""Latents to triangles in the network's box, by each of the methods that ``--decoding`` names."""

from __future__ import annotations

import torch
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.shape.common.marching_cubes_torch import crossing_cells
from manymesh.shape.common.sparse import DECODER, dense_volume, empty_volume_error, sparse_volume
from manymesh.shape.common.surface import counted, surface_of, typical_queries
from manymesh.shape.hunyuan.flashvdm import flash_field
from manymesh.shape.hunyuan.grid_decoder import GridDecoder
from manymesh.shape.hunyuan.reference_surface import clean_reference_surface, reference_surface
from manymesh.shape.hunyuan.vae import KeysValues, ShapeVae
from manymesh.shape.hunyuan.volume import (
    BOUNDS,
    coarse_to_fine,
    dense_grid,
    flash_level_sizes,
    network_field,
    point_bytes,
)
from manymesh.stages import Tick
from manymesh.types import Mesh


@torch.inference_mode()
def decode(vae: ShapeVae, latents: Tensor, method: str, grid: int, budget_bytes: int, tick: Tick) -> Mesh:
    """Extract the surface of one object.

    Args:
        vae: the decoder.
        latents: (1, L, embed_dim), from the diffusion transformer.
        method: "sparse": near the surface only (``sparse``); "dense": every grid point; "flash": FlashVDM's selected
            keys (``flashvdm``), approximate; "reference": the official arithmetic throughout.
        grid: cells per axis.
        budget_bytes: working memory of the point decoder.
        tick: called with the share done, 0..1.

    Returns:
        Triangles in the network's box [-1.01, 1.01], wound counter-clockwise seen from outside. Closed, except by
        "reference".

    Raises:
        ObjectError: no point is inside.
        NotFiniteError: a value is not finite.
    """
    keys_values = vae.geo_decoder.keys_values(require_finite(vae(latents), DECODER))
    if method == "reference":
        return _reference(vae, keys_values, grid, budget_bytes, tick)
    # Not every device has float64 and sorting: on MPS the volume is kept on the host.
    device = torch.device("cpu") if keys_values.keys.device.type == "mps" else keys_values.keys.device
    if method == "flash":
        volume = _flash(vae, keys_values, grid, budget_bytes, tick, device)
        cells = crossing_cells(volume)
    else:
        progress = counted(tick, expected=(grid + 1) ** 3 if method == "dense" else typical_queries(grid))
        field = GridDecoder(vae.geo_decoder, keys_values, budget_bytes=budget_bytes, before_chunk=progress)
        found = (dense_volume if method == "dense" else sparse_volume)(field, grid, device=device)
        volume, cells = found.values, found.cells
    return surface_of(volume, cells, BOUNDS)


def _flash(
    vae: ShapeVae, keys_values: KeysValues, grid: int, budget_bytes: int, tick: Tick, device: torch.device
) -> Tensor:
    """FlashVDM's grid, on ``device``: NaN where not evaluated; the outermost points count as outside."""
    chunk = max(budget_bytes // point_bytes(vae.geo_decoder), 256)
    evaluate = flash_field(vae.geo_decoder, keys_values, chunk=chunk)

    def field(index: Tensor, points: Tensor, level: int) -> Tensor:
        return require_finite(evaluate(index, points, level), DECODER)

    sizes = flash_level_sizes(grid)
    volume = coarse_to_fine(field, sizes, device=keys_values.keys.device, tick=tick).to(device)
    for axis in range(3):
        for end in (0, -1):
            face = volume.select(axis, end)
            face.copy_(-face.abs())
    return volume


def _reference(vae: ShapeVae, keys_values: KeysValues, grid: int, budget_bytes: int, tick: Tick) -> Mesh:
    """Every grid point, and the official marching cubes."""
    field = network_field(vae.geo_decoder, keys_values, budget_bytes)
    volume = dense_grid(field, grid, device=keys_values.keys.device, tick=tick)
    require_finite(volume, DECODER)
    raw = reference_surface(volume.numpy(), bounds=BOUNDS)
    if raw is None:
        raise empty_volume_error()
    return Mesh(*clean_reference_surface(raw))
