"""Parity of the MV-Adapter painter's cameras and control maps, and of how its views are blended in a texture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import CompareFixture, Row, compare, load_arrays, share_within

# The fixtures draw top and bottom at 89.99 degrees; a point moves by less than this at 90, in pixels.
TILT_PX = 0.05
# Least share of pixels that must agree.
MASK, MAPS = 0.998, 0.998
# Largest difference of a value of the maps. The fixture stores them in 16 bits.
VALUE = 2e-3
# The fixtures' meshes have a longest side of 1, ours of 2.
SCALE = 2.0


def control_tensor(directory: Path, file: str) -> Any:
    """(6, 6, S, S) float32: the stored maps, which networks and runs are given."""
    data = load_arrays(directory, {"file": file})
    mask = data["mask"]
    maps = np.full((*mask.shape, 6), 0.5, np.float32)
    maps[mask] = data["control_values"].astype(np.float32)
    return np.ascontiguousarray(maps.transpose(0, 3, 1, 2))


def _cameras(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.mvadapter.control_maps import painter_axes, six_cameras
    from manymesh.render.camera import orthographic, project

    data, values = load_arrays(directory, fixture), fixture["values"]
    size = int(values["size_px"])
    pixels = [project(camera, data["points_gltf"] * SCALE, size, size)[0] for camera in six_cameras()]
    yield compare(f"{name}/pixels", np.stack(pixels), data["pixels"], TILT_PX)
    turn = np.eye(4)
    turn[:3, :3] = painter_axes(np.eye(3)).T
    made = []
    for azimuth, elevation in zip(values["azimuth_deg"], values["elevation_deg"], strict=True):
        camera = orthographic(
            values["half_extent"], azimuth_deg=azimuth, elevation_deg=elevation, distance=values["distance"]
        )
        made.append(camera.world_to_camera @ np.linalg.inv(turn))
    w2c = np.stack(made)
    tolerances = fixture["tolerances"]
    yield compare(f"{name}/w2c", w2c, data["w2c"], tolerances["w2c"])
    yield compare(f"{name}/c2w", np.linalg.inv(w2c), data["c2w"], tolerances["c2w"])
    # The reference's pictures are stored from the bottom up. Its range of depths is its own.
    flat = np.diag([1 / values["half_extent"], -1 / values["half_extent"]])
    yield compare(f"{name}/proj x, y", np.stack([flat] * len(w2c)), data["proj"][:, :2, :2], tolerances["proj"])
    yield compare(f"{name}/mvp x, y", flat @ w2c[:, :2], data["mvp"][:, :2], tolerances["mvp"])


def _maps(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.mesh.normals import vertex_normals
    from manymesh.paint.mvadapter.control_maps import control_maps, painter_axes
    from manymesh.types import Mesh

    data, size = load_arrays(directory, fixture), int(fixture["values"]["size_px"])
    tolerances = fixture["tolerances"]
    vertices = data["vertices"] / np.abs(data["vertices"]).max() * np.float32(SCALE / 2)
    yield compare(
        f"{name}/std_vertices", painter_axes(vertices) / SCALE, data["std_vertices"], tolerances["std_vertices"]
    )
    # Of the file's own numbers: rounding thin triangles once more costs the normals four digits.
    normals = vertex_normals(Mesh(data["vertices"].astype(np.float64), data["faces"]))
    yield compare(f"{name}/std_normals", painter_axes(normals), data["std_normals"], tolerances["std_normals"])
    _, made = control_maps(
        vertices, data["faces"], normals, size, lambda one, count: [one(number) for number in range(count)]
    )
    wanted = control_tensor(directory, fixture["file"])
    here = (np.abs(made - 0.5) > 0).any(axis=1)
    yield share_within(f"{name}/mask", here.reshape(6, -1), data["mask"].reshape(6, -1), 0.0, MASK)
    both = (here & data["mask"]).reshape(-1, 1)
    channels = (made.transpose(0, 2, 3, 1).reshape(-1, 1, 6), wanted.transpose(0, 2, 3, 1).reshape(-1, 1, 6))
    yield share_within(f"{name}/control", *channels, VALUE, MAPS, where=both)


def _bake(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    """The reference's own rule of what a view may paint, with our cameras, rasters and texels."""
    from manymesh.mesh.normals import vertex_normals
    from manymesh.paint.mvadapter.control_maps import six_cameras
    from manymesh.render.camera import depth_of, project
    from manymesh.render.normals import unit_rows
    from manymesh.render.raster import interpolate, raster_uv, raster_view
    from manymesh.types import Mesh

    data, values = load_arrays(directory, fixture), fixture["values"]
    mesh = load_arrays(directory, {"file": "control_maps.safetensors"})
    vertices, faces = mesh["vertices"] / np.abs(mesh["vertices"]).max(), mesh["faces"]
    size, side = int(values["texture_px"]), data["views"].shape[1]
    texels = raster_uv(mesh["uv"], faces, size, size)
    normals = vertex_normals(Mesh(vertices.astype(np.float64), faces))
    own = interpolate(vertices, faces, texels.face, texels.bary)
    total, summed = np.zeros(len(own)), np.zeros((len(own), 3))
    for number, camera in enumerate(six_cameras()):
        raster = raster_view(camera, vertices, faces, side, side)
        where = raster.image(interpolate(vertices, faces, raster.face, raster.bary), np.float32(0))
        depth = interpolate(depth_of(camera, vertices)[:, None] / SCALE, faces, raster.face, raster.bary)[:, 0]
        steep = _steepness(raster.image(depth, np.float32(100)), int(values["dilation"]))
        pixels = project(camera, own, side, side)[0]
        # The reference reads the angle from the view too, so a texel that is covered has that of what covers it.
        turned = unit_rows(interpolate(normals, faces, raster.face, raster.bary)) @ camera.world_to_camera[2, :3]
        cosine = _bilinear(raster.image(turned, 0.0), pixels)
        near = np.linalg.norm(_bilinear(where, pixels) - own, axis=1) / SCALE < values["position_eps"]
        seen = near & (cosine > values["cos_min"]) & (_bilinear(steep, pixels) < values["depth_grad_max"])
        weight = np.where(seen, np.maximum(cosine, 0) ** values["exponent"], 0)
        total += weight
        summed += weight[:, None] * _bilinear(data["views"][number] / 255, pixels)
        if number == 0:
            got, within = texels.image(cosine, 0.0), fixture["tolerances"]["cosine0"]
            yield share_within(f"{name}/cosine0", got, data["cosine0"], within, 0.98, where=texels.mask)
    known = total > 0
    valid = texels.image(known, False)
    yield share_within(f"{name}/valid", valid, data["valid"], 0.0, 0.99)
    blend = texels.image(np.where(known[:, None], summed / np.maximum(total, 1e-12)[:, None], 0), 0.0)
    yield share_within(f"{name}/blend", blend, data["blend"], 0.01, 0.98, where=valid & data["valid"])


def _bilinear(picture: Any, pixels: Any) -> Any:
    """(h, w, c) values at (n, 2) places, the edge repeated."""
    import cv2

    place = (np.asarray(pixels) - 0.5).astype(np.float32)
    found = cv2.remap(picture.astype(np.float32), place[None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found[0])


def _steepness(depth: Any, width: int) -> Any:
    """The largest slope of a depth map around each pixel."""
    import cv2

    across, down = (cv2.Sobel(depth, cv2.CV_32F, dx, 1 - dx, ksize=3) for dx in (1, 0))
    return cv2.dilate(np.hypot(across, down), np.ones((width, width), np.uint8))


FIXTURES: Mapping[str, CompareFixture] = {
    "cameras": _cameras,
    "control_maps": _maps,
    "reference_bake": _bake,
}
