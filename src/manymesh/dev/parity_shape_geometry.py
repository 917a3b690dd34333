"""Parity of the shape stage's geometry: volumes, surfaces, post-processing, and the whole way from a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Row, compare, failed
from manymesh.dev.parity_shape_fixture import CompareShape, Fixture, denoised, network

Mesh = tuple[np.ndarray, np.ndarray]
_CPU_BUDGET_BYTES = 64 << 20
_SPARSE_MINIMUM = 15  # the coarsest level of fixtures that do not say theirs


def _dense_grid(f: Fixture) -> Iterator[Row]:
    yield f.row("grid_logits", _dense(f, f.torch("z"))[None])


def _dense(f: Fixture, latents: Any) -> Any:
    """(R+1, R+1, R+1) logits of the fixture's checkpoint for (1, L, C) latents."""
    import torch

    from manymesh.shape.hunyuan.volume import dense_grid, network_field

    net = network(f.folder / f.config["checkpoint"], "vae")
    with torch.inference_mode():
        given = net.geo_decoder.keys_values(net(latents))
    field = network_field(net.geo_decoder, given, _CPU_BUDGET_BYTES)
    resolution = int(f.config["octree_resolution"])
    return dense_grid(field, resolution, bounds=float(f.config["bounds"]), device=torch.device("cpu"))


def _near_surface(f: Fixture) -> Iterator[Row]:
    from manymesh.shape.hunyuan.volume import near_surface

    for name in f.entry["tensors"]:
        if name.startswith("mask_level"):
            level = float(name.removeprefix("mask_level").lstrip("_").replace("p", "."))
            yield f.row(name, near_surface(f.torch("grid"), level).int())


def analytic_field(config: dict[str, Any]) -> Callable[[Any], Any]:
    """The fixtures' field without a network: the largest of three balls' ``s * (r - distance)``."""
    import torch

    def field(points: Any) -> Any:
        centre, axes = torch.tensor(config["c"]), torch.tensor(config["a"])
        body = config["r"] - ((points - centre) / axes).norm(dim=-1)
        others = [config[f"r{i}"] - (points - torch.tensor(config[f"c{i}"])).norm(dim=-1) for i in (2, 3)]
        return config["s"] * torch.maximum(body, torch.maximum(*others))

    return field


def _sparse(config: dict[str, Any], resolution: int, minimum: int, queries: list[int] | None = None) -> Any:
    import torch

    from manymesh.shape.hunyuan.volume import coarse_to_fine, flash_level_sizes

    field = analytic_field(config["field"])

    def counted(index: Any, points: Any, level: int) -> Any:
        if queries is not None:
            queries.append(len(points))
        return field(points)

    sizes, level = flash_level_sizes(resolution, minimum), float(config.get("mc_level", 0.0))
    return coarse_to_fine(counted, sizes, bounds=float(config["bounds"]), level=level, device=torch.device("cpu"))


def _sparse_grid(f: Fixture) -> Iterator[Row]:
    for name, run in f.config["runs"].items():
        queries: list[int] = []
        volume = _sparse(f.config, run["octree_resolution"], run["min_resolution"], queries).numpy()
        yield compare(f"{f.id}/{name}_grid", volume.shape[0], run["grid"], 0)
        for level, count in enumerate(queries):
            expected = run[f"queries_level{level}"]
            yield compare(f"{f.id}/{name}_queries_level{level}", count, expected, round(5e-4 * expected))
        packed = f.tensors[f"{name}_evaluated_packed"]
        expected_mask = np.unpackbits(packed)[: volume.size].astype(bool)
        seen = ~np.isnan(volume.ravel())
        differ = float((seen != expected_mask).mean())
        yield Row(f"{f.id}/{name}_evaluated", differ, differ, 5e-4, differ <= 5e-4, "share of points that differ")
        values = np.full(volume.size, np.nan, np.float32)
        values[expected_mask] = f.tensors[f"{name}_values"]
        both = seen & expected_mask
        atol = float(f.entry["tensors"][f"{name}_values"]["atol"])
        yield compare(f"{f.id}/{name}_values", volume.ravel()[both], values[both], atol)


def _flashvdm_net(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.flashvdm import flash_field
    from manymesh.shape.hunyuan.volume import coarse_to_fine

    config = f.config
    for name, info in f.entry["tensors"].items():
        if info["role"] != "expected":
            continue
        turbo = name.startswith("turbo_")
        mode, run = name.removeprefix("turbo_").removesuffix("_sub").split("_")
        net = network(f.folder / _vae_folder(f, turbo), "vae")
        with torch.inference_mode():
            given = net.geo_decoder.keys_values(net(f.torch("z")))
        chunk = int(config[f"num_chunks_{run}"])
        field = flash_field(net.geo_decoder, given, chunk=chunk, mode=mode, top_k=config.get("topk"))
        bounds, cpu = float(config["bounds"]), torch.device("cpu")
        volume = coarse_to_fine(field, list(config[f"levels_{run}"]), bounds=bounds, device=cpu).numpy()
        expected = f.tensors[name]
        stride = -(-volume.shape[0] // expected.shape[0])
        yield _mostly(f"{f.id}/{name}", volume[::stride, ::stride, ::stride], expected, float(info["atol"]))


def _vae_folder(f: Fixture, turbo: bool) -> str:
    return str(f.shared["turbo_vae" if turbo else "base_vae"])


def _mostly(name: str, actual: np.ndarray, expected: np.ndarray, atol: float) -> Row:
    """Top-k is not continuous: 99.9% of the seen points and 99.5% of the values must agree."""
    if actual.shape != expected.shape:
        return failed(name, f"shape {actual.shape} where {expected.shape} was expected")
    pattern = float((np.isnan(actual) == np.isnan(expected)).mean())
    both = ~np.isnan(actual) & ~np.isnan(expected)
    error = np.abs(actual[both] - expected[both])
    share = float((error <= atol).mean())
    worst = float(error.max())
    passed = pattern >= 0.999 and share >= 0.995
    note = f"{share:.2%} within, pattern {pattern:.2%}"
    return Row(name, worst, worst / float(np.abs(expected[both]).max()), atol, passed, note)


def _marching_cubes(f: Fixture) -> Iterator[Row]:
    from manymesh.shape.hunyuan.reference_surface import clean_reference_surface, reference_surface

    bounds = float(f.config["bounds"])
    grid = f.tensors["grid"].astype(np.float32)
    raw = reference_surface(grid, bounds=bounds, level=float(f.config["mc_level"]))
    if raw is None:
        yield failed(f.id, "no surface")
        return
    yield _vertices(f, "raw_vertices", raw[0])
    yield _triangles(f, "raw", raw)
    mesh = clean_reference_surface(raw)
    yield _vertices(f, "mesh_vertices", mesh[0])
    yield _triangles(f, "mesh", mesh)
    runs = f.other_config("sparse_grid").get("runs", {})
    minimum = next((int(run["min_resolution"]) for run in runs.values()), _SPARSE_MINIMUM)
    for name, expected in f.config["expected"].items():
        made = _case(f, name, grid, minimum)
        yield from facts(f"{f.id}/{name}", made, expected)


def _case(f: Fixture, name: str, grid: np.ndarray, minimum: int) -> Mesh:
    """The mesh of one of the fixture's named cases: ``denseR``, ``denseR_levelL``, ``sparseR...``."""
    from manymesh.shape.hunyuan.reference_surface import clean_reference_surface, reference_surface

    divisor, level = None, 0.0
    if name.startswith("dense"):
        level = float(name.partition("_level")[2] or 0.0)
    else:
        requested = int(name.removeprefix("sparse").partition("_")[0])
        grid = _sparse(f.config, requested, minimum).numpy()
        divisor = requested + 1
    raw = reference_surface(grid, bounds=float(f.config["bounds"]), level=level, divisor=divisor)
    return clean_reference_surface(raw) if raw is not None else (np.zeros((0, 3)), np.zeros((0, 3), int))


def _vertices(f: Fixture, name: str, actual: np.ndarray) -> Row:
    """Vertices as a set: each is held against the nearest expected one."""
    from scipy.spatial import cKDTree

    expected = f.tensors[name]
    if len(actual) != len(expected):
        return failed(f"{f.id}/{name}", f"{len(actual)} vertices where {len(expected)} were expected")
    worst = max(float(cKDTree(a).query(b)[0].max()) for a, b in ((actual, expected), (expected, actual)))
    tolerance = float(f.entry["tensors"][name]["atol"]) * np.sqrt(3)
    return Row(f"{f.id}/{name}", worst, worst / float(np.abs(expected).max()), tolerance, worst <= tolerance)


def _triangles(f: Fixture, name: str, mesh: Mesh) -> Row:
    """Triangles as a set with winding: each named by its vertices' nearest expected ones, smallest first."""
    from scipy.spatial import cKDTree

    vertices, faces = f.tensors[f"{name}_vertices"], f.tensors[f"{name}_faces"]
    nearest = cKDTree(vertices).query(mesh[0])[1]

    def canonical(triangles: np.ndarray) -> set[tuple[int, ...]]:
        start = triangles.argmin(axis=1)[:, None]
        turned = np.take_along_axis(triangles, (start + np.arange(3)) % 3, axis=1)
        return set(map(tuple, turned.tolist()))

    wrong = len(canonical(nearest[mesh[1]]) ^ canonical(faces))
    return compare(f"{f.id}/{name}_faces", wrong, 0, 0, note="triangles that differ")


def facts(
    name: str,
    mesh: Mesh,
    expected: dict[str, Any],
    *,
    faces_off: int = 0,
    bounds_off: float = 1e-5,
    share: float = 1e-5,
) -> Iterator[Row]:
    """Counts, bounds, volume, area, closedness and components against what the fixture states.

    Args:
        faces_off: by how many faces and vertices the counts may differ.
        bounds_off: how far the bounds may be off.
        share: allowed relative error of volume and area, on top of the fixture's six decimals.
    """
    import trimesh

    from manymesh.mesh.topology import face_components

    body = trimesh.Trimesh(*mesh, process=False)
    yield compare(f"{name}/vertices", len(body.vertices), expected["vertices"], faces_off)
    yield compare(f"{name}/faces", len(body.faces), expected["faces"], faces_off)
    yield compare(f"{name}/bounds", body.bounds, expected["bounds"], bounds_off)
    for what, actual in (("volume", body.volume), ("area", body.area)):
        yield compare(f"{name}/{what}", actual, expected[what], 2e-6 + share * abs(expected[what]))
    # A reducer that also repairs may close what the official one leaves open, not the other way round.
    closed = bool(body.is_watertight)
    fine = closed >= expected["watertight"] if faces_off else closed == expected["watertight"]
    yield Row(f"{name}/watertight", float(not fine), float(not fine), 0.0, fine, f"{closed}")
    yield compare(f"{name}/components", face_components(body.faces)[0], expected["components"], 0)


def _e2e(f: Fixture) -> Iterator[Row]:
    from manymesh.shape.hunyuan.reference_surface import clean_reference_surface, reference_surface

    _, each, fast = denoised(f)
    for how, latents in (("", each[-1]), (" (fast)", fast)):
        grid = _dense(f, latents)
        row = f.row("grid_logits", grid[None])
        yield Row(row.name + how, row.max_abs, row.max_rel, row.tolerance, row.passed, row.note)
        raw = reference_surface(grid.numpy(), bounds=float(f.config["bounds"]), level=float(f.config["mc_level"]))
        if raw is None:
            yield failed(f"{f.id}/mesh{how}", "no surface")
            continue
        mesh, expected = clean_reference_surface(raw), f.config["expected"]
        off = max(1, round(5e-3 * expected["faces"]))
        yield from facts(f"{f.id}/mesh{how}", mesh, expected, faces_off=off, bounds_off=1e-3, share=5e-3)


def _loaded(mesh: Mesh) -> Any:
    """What the official chain's save and load does: equal vertices become one; faces that use one twice, and vertices
    that none uses, go."""
    from manymesh.mesh.clean.clean import drop_unused
    from manymesh.types import Mesh as HouseMesh

    vertices, where = np.unique(mesh[0].astype(np.float32), axis=0, return_inverse=True)
    faces = where.reshape(-1)[mesh[1]].astype(np.int32)
    a, b, c = faces.T
    return drop_unused(HouseMesh(vertices, faces[(a != b) & (b != c) & (c != a)]))


def _postprocess(f: Fixture) -> Iterator[Row]:
    """Floaters, degenerate faces, reduction. The reducer is another one than the official, so its meshes are held to
    the same count, and to the same shape within half a percent."""
    import trimesh

    from manymesh.mesh.clean.clean import drop_floaters
    from manymesh.mesh.simplify import reduce

    def made(mesh: Any) -> Mesh:
        return mesh.vertices, mesh.faces

    expected = f.config["expected"]
    given = f.tensors["vertices"], f.tensors["faces"]
    yield compare(f"{f.id}/input", [len(part) for part in given], list(expected["input"].values()), 0)
    loaded = _loaded(given)
    kept = drop_floaters(loaded)
    yield from facts(f"{f.id}/floaters", made(kept), expected["after_floater_remover"])
    yield from facts(f"{f.id}/degenerate", made(_loaded(made(kept))), expected["after_degenerate_remover"])
    yield from facts(f"{f.id}/degenerate_alone", made(loaded), expected["degenerate_remover_alone"])
    near: Any = {"faces_off": 2, "bounds_off": 5e-3, "share": 5e-3}
    for count, wanted in expected["face_reducer"].items():
        yield from facts(f"{f.id}/reduce_{count}", made(reduce(kept, int(count))), wanted, **near)
    wanted = expected["face_reducer_default_on_processed_input"]
    yield from facts(f"{f.id}/reduce_default", made(reduce(loaded, 40_000)), wanted, **near)
    wanted = expected["face_reducer_default_on_81920"]
    ball = trimesh.creation.icosphere(subdivisions=6, radius=0.8)
    reduced = reduce(_loaded((ball.vertices, ball.faces)), wanted["faces"])
    yield from facts(f"{f.id}/reduce_81920", made(reduced), wanted, **near)
    two = drop_floaters(_loaded((f.tensors["vertices2"], f.tensors["faces2"])))
    yield from facts(f"{f.id}/two_equal", made(two), expected["two_equal_components"]["after_floater_remover"])


FIXTURES: Mapping[str, CompareShape] = {
    "dense_grid": _dense_grid,
    "near_surface": _near_surface,
    "sparse_grid": _sparse_grid,
    "flashvdm_net": _flashvdm_net,
    "marching_cubes": _marching_cubes,
    "postprocess": _postprocess,
    "e2e": _e2e,
}
