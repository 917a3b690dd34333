"""Parity of the painter's renderer, baker and filling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Arrays, CompareFixture, Row, compare, load_arrays, share_within
from manymesh.paint.hunyuan.render import control_maps, reference_camera, splat
from manymesh.paint.hunyuan.render.inpaint import inpaint, spread_along_mesh
from manymesh.paint.hunyuan.render.reference_raster import rasterise_reference
from manymesh.render.raster import Raster, interpolate


def _draw(vertices: Any, faces: Any, view: reference_camera.ReferenceView, height: int, width: int) -> Raster:
    return rasterise_reference(view.clip(vertices), faces, height, width)


def _drawn(clip: Any, faces: Any, like: Any) -> Raster:
    return rasterise_reference(clip, faces, like.shape[0], like.shape[1])


def _numbered(data: Arrays, prefix: str) -> list[int]:
    """The numbers behind ``prefix``: texture0, texture1... but not texture0_f."""
    return sorted(int(key[len(prefix) :]) for key in data if key.startswith(prefix) and key[len(prefix) :].isdigit())


def _mesh(directory: Path) -> tuple[Any, Any, Any]:
    """Vertices, faces and UV of the mesh that several fixtures share."""
    from safetensors.numpy import load_file

    data = load_file(directory / "bake_6views.safetensors")
    vertices, uv = reference_camera.normalised(data["vertices"], data["uv"])
    return vertices, data["faces"].astype(np.int32), uv


def _views() -> list[tuple[int, int]]:
    return list(zip(reference_camera.AZIMUTHS_DEG, reference_camera.ELEVATIONS_DEG, strict=True))


def _cameras(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = load_arrays(directory, fixture)
    angles = list(zip(data["azim"].tolist(), data["elev"].tolist(), strict=True))
    views = [reference_camera.reference_view(*pair) for pair in angles]
    yield compare(f"{name}/w2c", np.stack([view.world_to_camera for view in views]), data["w2c"], 2e-6)
    yield compare(f"{name}/proj", views[0].projection, data["proj"], 2e-6)
    products = [view.projection @ view.world_to_camera for view in views]
    yield compare(f"{name}/mvp", np.stack(products), data["mvp"], 2e-6)
    indices = [reference_camera.camera_index(*pair) for pair in angles]
    yield compare(f"{name}/camera_index", indices, data["camera_index"], 0.0)


def _unwrap(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    """Another unwrapping is as good: every triangle must come back, and lie in the texture."""
    from manymesh.mesh.unwrap.unwrap import unwrap
    from manymesh.types import Mesh

    data = load_arrays(directory, fixture)
    mesh = Mesh(data["vertices"].astype(np.float32), data["faces"].astype(np.int32))
    atlas = unwrap(mesh, 256)
    yield compare(f"{name}/triangles", atlas.vertices[atlas.faces], mesh.vertices[mesh.faces], 0.0)
    outside = float(np.maximum(np.maximum(-atlas.uv, atlas.uv - 1), 0).max())
    yield Row(f"{name}/uv", outside, outside, 0.0, outside == 0, "in [0, 1]")


def _normalise(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = load_arrays(directory, fixture)
    vertices, uv = reference_camera.normalised(data["vertices"], data["uv"])
    yield compare(f"{name}/vtx_pos", vertices, data["vtx_pos"], 1e-6)
    yield compare(f"{name}/vtx_uv", uv, data["vtx_uv"], 1e-6)


def _raster_rows(name: str, raster: Raster, findex: Any, bary: Any, least: float, tolerance: float) -> Iterator[Row]:
    same = raster.findex == findex
    yield share_within(f"{name}/findex", raster.findex, findex, 0.0, least)
    apart = np.abs(raster.image(raster.bary, 0) - bary)[same]
    yield compare(f"{name}/bary", apart, np.zeros_like(apart), tolerance)


def _raster_mesh(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = load_arrays(directory, fixture)
    vertices, faces = data["vtx_pos"], data["faces"]
    for i in _numbered(data, "findex"):
        view = reference_camera.reference_view(*_views()[i])
        raster = _draw(vertices, faces, view, *data[f"findex{i}"].shape)
        yield from _raster_rows(f"{name}/view{i}", raster, data[f"findex{i}"], data[f"bary{i}"], 0.999, 2e-4)
        z = interpolate(view.camera_space(vertices)[:, 2], faces, raster.face, raster.bary)
        same = (raster.findex == data[f"findex{i}"]).ravel()[raster.pixel]
        yield compare(f"{name}/zcam{i}", z[same], data[f"zcam{i}"].ravel()[raster.pixel][same], 2e-5)
    if "clip0" in data:
        clip = reference_camera.reference_view(*_views()[0]).clip(vertices)
        yield compare(f"{name}/clip0", clip, data["clip0"][0], 2e-6)
    if "rect_findex" in data:
        oblong = _drawn(data["rect_clip"][0], faces, data["rect_findex"])
        yield from _raster_rows(f"{name}/rect", oblong, data["rect_findex"], data["rect_bary"], 0.999, 2e-4)


def _raster_rules(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = load_arrays(directory, fixture)
    for end in ("", "_persp"):
        findex = data[f"findex{end}"]
        raster = _drawn(data[f"clip{end}"], data["faces"], findex)
        yield from _raster_rows(f"{name}{end}", raster, findex, data[f"bary{end}"], 0.99, 1e-5)


def _control_maps(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = load_arrays(directory, fixture)
    vertices, faces = data["mesh_vtx_pos"], data["faces"]
    numbers = _numbered(data, "normal")
    shape = data[f"normal{numbers[0]}"].shape[:2]
    rasters = [_draw(vertices, faces, reference_camera.reference_view(*_views()[i]), *shape) for i in numbers]
    made = control_maps.control_maps(rasters, vertices, faces)
    for i, (normal, position) in zip(numbers, made, strict=True):
        yield share_within(f"{name}/normal{i}", normal, data[f"normal{i}"], 1.0, 0.999)
        yield share_within(f"{name}/position{i}", position, data[f"position{i}"], 1.0, 0.999)
    first = rasters[0]
    for kind, values in (("normal", control_maps.normal_values), ("position", control_maps.position_values)):
        exact = first.image(values(first, vertices, faces), 1)
        yield share_within(f"{name}/{kind}0_f", exact, data[f"{kind}0_f"], 2e-5, 0.999)


def _backproject(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data, values = load_arrays(directory, fixture), fixture["values"]
    vertices, faces, uv = _mesh(directory)
    size, nominal = int(values["texture_size"]), int(values["default_resolution"])
    for i, angles in enumerate(values["views_azim_elev"]):
        view = reference_camera.reference_view(*angles)
        image = data[f"image{i}"]
        raster = _draw(vertices, faces, view, *image.shape[:2])
        made = splat.backproject(image, raster, view, vertices, faces, uv, size, render_px=nominal)
        yield share_within(f"{name}/texture{i}", made.texture, data[f"texture{i}"], 1e-4, 0.995)
        yield share_within(f"{name}/cos{i}", made.cosine, data[f"cos{i}"][:, :, 0], 1e-4, 0.995)
        if f"edges{i}" not in data:
            continue
        seen = splat.trusted_pixels(raster, view, vertices, faces, uv, render_px=nominal)
        yield share_within(f"{name}/edges{i}", seen.edges > 0, data[f"edges{i}"][:, :, 0] > 0, 0.0, 0.995)
        yield compare(f"{name}/kept_uv{i}", seen.row_column, data[f"kept_uv{i}"], 1e-4)
        yield compare(f"{name}/kept_cos{i}", seen.cosine, data[f"kept_cos{i}"][:, 0], 1e-4)


def _bake(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data, values = load_arrays(directory, fixture), fixture["values"]
    faces = data["faces"].astype(np.int32)
    vertices, uv = reference_camera.normalised(data["vertices"], data["uv"])
    size, nominal = int(values["texture_size"]), int(values["default_resolution"])
    numbers = _numbered(data, "image")

    def baked(order: list[int]) -> tuple[Any, Any]:
        splats = []
        for i in order:
            view = reference_camera.reference_view(*_views()[i])
            image = data[f"image{i}"]
            raster = _draw(vertices, faces, view, *image.shape[:2])
            splats.append(splat.backproject(image, raster, view, vertices, faces, uv, size, render_px=nominal))
        return splat.merge(splats, [values["weights"][i] for i in order], exponent=float(values["bake_exp"]))

    texture, painted = baked(numbers)
    yield share_within(f"{name}/texture", texture, data["texture"], 1e-4, 0.995)
    yield share_within(f"{name}/trust", painted, data["trust"][:, :, 0] > 0, 0.0, 0.995)
    again, painted_again = baked([*numbers, numbers[0]])
    yield compare(f"{name}/skipped view", again, texture, 0.0)
    yield compare(f"{name}/skipped trust", painted_again, painted, 0.0)


def _inpaint(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = load_arrays(directory, fixture)
    mesh = data["vtx_pos"], data["pos_idx"], data["vtx_uv"]
    texture, painted = spread_along_mesh(data["texture"], data["mask"] > 0, *mesh)
    yield compare(f"{name}/vertex_texture", texture, data["vertex_texture"], 1e-5)
    yield compare(f"{name}/vertex_mask", painted, data["vertex_mask"] > 0, 0.0)
    filled = inpaint(data["texture"], data["mask"] > 0, *mesh, tick=lambda done: None)
    yield share_within(f"{name}/cv_inpainted", filled, data["cv_inpainted"], 2.0, 0.99)
    yield compare(f"{name}/final_uint8", _twice(data["cv_inpainted"]), data["final_uint8"], 0.0)


def _roundtrip(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = load_arrays(directory, fixture)
    once = control_maps.to_bytes(np.asarray(data["level"] / np.float32(255), np.float32))
    yield compare(f"{name}/after_set", once, data["after_set"], 0.0)
    yield compare(f"{name}/after_save", _twice(data["level"]), data["after_save"], 0.0)


def _twice(levels: Any) -> Any:
    once = control_maps.to_bytes(np.asarray(levels / np.float32(255), np.float32))
    return control_maps.to_bytes(np.asarray(once / np.float32(255), np.float32))


FIXTURES: Mapping[str, CompareFixture] = {
    "cameras": _cameras,
    "uv_unwrap": _unwrap,
    "mesh_normalise": _normalise,
    "raster_mesh": _raster_mesh,
    "raster_rules": _raster_rules,
    "control_maps": _control_maps,
    "backproject": _backproject,
    "bake_6views": _bake,
    "inpaint": _inpaint,
    "uint8_roundtrip": _roundtrip,
}
