"""Parity of TripoSG's field and surface: the network's field on a grid, the points that are evaluated, the mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Row, compare, failed
from manymesh.dev.parity_shape_geometry import facts
from manymesh.dev.parity_triposg_fixture import Fixture

# Working memory of the point decoder while fixtures are compared.
_BUDGET_BYTES = 64 << 20


def field_of(f: Fixture, latents: Any) -> Any:
    """(1, R+1, R+1, R+1) field of the fixture's checkpoint, positive outside."""
    import torch

    from manymesh.shape.triposg.decode import OUTSIDE, field_on_grid

    decoder, cells = f.decoder, int(f.config["cells"])
    with torch.inference_mode():
        keys_values = decoder.keys_values(decoder(latents))
    field = field_on_grid(decoder, keys_values, _BUDGET_BYTES, bounds=float(f.config["bounds"]))
    index = torch.cartesian_prod(*[torch.arange(cells + 1)] * 3)
    return field(index, cells).view(1, cells + 1, cells + 1, cells + 1) * -OUTSIDE


def grid(f: Fixture) -> Iterator[Row]:
    yield f.row("field", field_of(f, f.torch("z")))


def levels(f: Fixture) -> Iterator[Row]:
    """The official coarse-to-fine rule is not ours. Ours must find the surface of all points."""
    import torch

    from manymesh.shape.common.sparse import dense_volume, sparse_volume
    from manymesh.shape.common.surface import surface_of

    bounds, sizes, cpu = float(f.config["bounds"]), list(f.config["levels"]), torch.device("cpu")
    analytic = _analytic(f.config["field"])

    def inside(index: Any, resolution: int) -> Any:
        return -analytic(index.float() * (2 * bounds / resolution) - bounds)

    volume = dense_volume(inside, sizes[-1], device=cpu)
    count = volume.values.numel()
    official = np.unpackbits(f.tensors["evaluated_packed"])[:count].astype(bool)
    axis = torch.arange(sizes[-1] + 1)
    values = -inside(torch.cartesian_prod(axis, axis, axis), sizes[-1]).numpy()
    yield f.row("values", values[official])
    sparse = sparse_volume(inside, sizes[-1], min_resolution=sizes[0], device=cpu)
    meshes = [surface_of(one.values, one.cells, bounds) for one in (sparse, volume)]
    yield compare(f"{f.id}/vertices", len(meshes[0].vertices), len(meshes[1].vertices), 0)
    same = len(meshes[0].vertices) == len(meshes[1].vertices)
    off = float(np.abs(meshes[0].vertices - meshes[1].vertices).max()) if same else np.inf
    ours, theirs = sum(sparse.queries), sum(f.config["queries_per_level"])
    yield compare(f"{f.id}/surface", off, 0.0, 1e-6, note=f"{ours} points evaluated, by the official rule {theirs}")


def _analytic(config: dict[str, Any]) -> Callable[[Any], Any]:
    """The fixtures' field without a network: the least of three balls' ``s * (distance - r)``."""
    import torch

    def field(points: Any) -> Any:
        body = ((points - torch.tensor(config["c"])) / torch.tensor(config["a"])).norm(dim=-1) - config["r"]
        others = [(points - torch.tensor(config[f"c{i}"])).norm(dim=-1) - config[f"r{i}"] for i in (2, 3)]
        return config["s"] * torch.minimum(body, torch.minimum(*others))

    return field


def official_surface(field: np.ndarray, bounds: float) -> Any:
    """scikit-image's surface of a field that is positive outside, on the right scale."""
    from manymesh.shape.hunyuan.reference_surface import clean_reference_surface, reference_surface

    # Of the negated field, whose faces are wound inwards and are then reversed: the same surface.
    raw = reference_surface(-field, bounds=bounds, divisor=field.shape[0] - 1)
    return None if raw is None else clean_reference_surface(raw)


def marching_cubes(f: Fixture) -> Iterator[Row]:
    """scikit-image's vertices, and our own extractor's facts."""
    import torch

    from manymesh.shape.common.marching_cubes_torch import crossing_cells
    from manymesh.shape.common.surface import surface_of
    from manymesh.shape.triposg.decode import outwards, signed_volume

    bounds, grid = float(f.config["bounds"]), f.tensors["grid"].astype(np.float32) - float(f.config.get("level", 0.0))
    official = official_surface(grid, bounds)
    tolerance = float(f.entry["tensors"]["vertices"]["atol"])
    yield _as_set(f"{f.id}/vertices", official[0], f.tensors["vertices"], tolerance)
    yield from facts(f"{f.id}/official", official, f.config["expected"])
    inside = torch.from_numpy(-grid)
    ours = outwards(surface_of(inside, crossing_cells(inside), bounds))
    # Our vertices keep a ten-thousandth of a cell from grid points.
    enclosed = float(f.config["expected"]["volume"])
    cell = 2 * bounds / int(f.config["cells"])
    yield _as_set(f"{f.id}/vertices (ours)", ours.vertices, f.tensors["vertices"], tolerance + 2e-4 * cell)
    yield compare(f"{f.id}/volume (ours)", signed_volume(ours), enclosed, 1e-3 * enclosed)


def _as_set(name: str, actual: np.ndarray, expected: np.ndarray, tolerance: float) -> Row:
    """Vertices as a set: each is held against the nearest of the others."""
    from scipy.spatial import cKDTree

    if len(actual) != len(expected):
        return failed(name, f"{len(actual)} vertices where {len(expected)} were expected")
    worst = max(float(cKDTree(a).query(b)[0].max()) for a, b in ((actual, expected), (expected, actual)))
    allowed = tolerance * np.sqrt(3)
    return Row(name, worst, worst / float(np.abs(expected).max()), allowed, worst <= allowed)
