"""How close a shape stage comes to known meshes: rendered from a view, modelled, painted, compared.

    python benchmarks/shape_quality.py MESH_OR_FOLDER... [--shape learned] [--views 2] [--json FILE]

Each mesh is rendered as a 512 px RGBA cutout (a perfect matte), so only shape and paint are judged. Distances are in
the camera frame with the true mesh's longest side = 1; the result is shifted along the line of sight (one picture does
not tell how far away an object is) and nothing else. F@t: harmonic mean of the shares of either surface within t of
the other, 20,000 points each. IoU: silhouettes at the input view. Colour: mean absolute sRGB difference, 0..255, inside
both silhouettes at the input view, unlit.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from constants import set_constants
from scipy.spatial import cKDTree

from manymesh.engines import find_stage
from manymesh.image.resample import sample
from manymesh.mesh.clean.clean import clean
from manymesh.mesh.inspect import inspect
from manymesh.mesh.normalise import normalise
from manymesh.mesh.simplify import reduce
from manymesh.render.camera import move_camera, orthographic, pixel_footprint, project, to_clip
from manymesh.render.raster import interpolate, rasterise
from manymesh.settings import Settings
from manymesh.shape.learned import session
from manymesh.types import Box, Cutout, TexturedMesh

VIEW_PX = 512
POINTS = 20_000
VIEWS = ((25.0, 15.0), (-40.0, 10.0), (0.0, 5.0), (60.0, 20.0))
SUFFIXES = {".glb", ".gltf", ".obj", ".ply", ".stl"}


def load(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices in [-1, 1], faces, and (n, 3) colours 0..1 sampled from the texture at the vertices."""
    import trimesh

    mesh = trimesh.load(path, force="mesh", process=False)
    vertices = np.asarray(mesh.vertices, np.float64)
    middle = (vertices.max(0) + vertices.min(0)) / 2
    vertices = (vertices - middle) * (2 / (vertices.max(0) - vertices.min(0)).max())
    try:
        colors = np.asarray(mesh.visual.to_color().vertex_colors)[:, :3] / 255.0
    except (AttributeError, ValueError, IndexError, TypeError):  # odd materials
        colors = np.full(vertices.shape, 0.7)
    if len(colors) != len(vertices):
        colors = np.full(vertices.shape, 0.7)
    return vertices, np.asarray(mesh.faces, np.int32), colors


def draw(vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray, camera: Any) -> np.ndarray:
    """(VIEW_PX, VIEW_PX, 4) uint8: unlit, alpha by 3 x 3 samples a pixel."""
    fine = 3 * VIEW_PX
    raster = rasterise(to_clip(camera, vertices), faces, fine, fine)
    picture = raster.image(interpolate(colors.astype(np.float32), faces, raster.face, raster.bary), 0.0)
    alpha = raster.mask.astype(np.float32)[..., None]
    stacked = np.concatenate([picture * alpha, alpha], axis=2).reshape(VIEW_PX, 3, VIEW_PX, 3, 4).mean((1, 3))
    rgb = stacked[..., :3] / np.maximum(stacked[..., 3:], 1e-6)
    return np.rint(255 * np.concatenate([rgb, stacked[..., 3:]], axis=2)).astype(np.uint8)


def texture_colors(painted: TexturedMesh) -> np.ndarray:
    """The texture read at the atlas' vertices."""
    size = painted.base_color.shape[0]
    return sample(painted.base_color.astype(np.float32) / 255, painted.atlas.uv * size)


def surface_points(vertices: np.ndarray, faces: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points spread evenly over the triangles."""
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = rng.choice(len(faces), POINTS, p=area / area.sum())
    u, v = rng.random((2, POINTS))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    base = corners[chosen]
    return base[:, 0] + u[:, None] * (base[:, 1] - base[:, 0]) + v[:, None] * (base[:, 2] - base[:, 0])


def compare(path: Path, azimuth: float, elevation: float, shape: Any, paint: Any, settings: Settings) -> dict[str, Any]:
    """One mesh from one view."""
    vertices, faces, colors = load(path)
    camera = orthographic(1.35, azimuth_deg=azimuth, elevation_deg=elevation)
    cutout = Cutout(draw(vertices, faces, colors, camera), Box(0, 0, VIEW_PX, VIEW_PX))
    start_s = time.perf_counter()
    made = shape(cutout, seed=0, tick=lambda share: None)
    mesh, matrix = normalise(reduce(clean(made.mesh)[0], settings.faces))
    view = move_camera(made.view, matrix)
    shaped_s = time.perf_counter() - start_s
    painted = paint(mesh, view, cutout, seed=0, tick=lambda share: None)
    seconds = time.perf_counter() - start_s

    # Both in the input camera's frame; the picture's half width is that of ``camera``, the true mesh is 2 long.
    true_points = _in_camera(vertices, camera) / 2
    made_points = _in_picture(mesh.vertices, view) * _half_width(camera) / 2
    rng = np.random.default_rng(0)
    truth, result = surface_points(true_points, faces, rng), surface_points(made_points, mesh.faces, rng)
    forth, back = _distances(truth, result)
    again = draw(painted.atlas.vertices, painted.atlas.faces, texture_colors(painted), view)
    both = (cutout.rgba[..., 3] > 127) & (again[..., 3] > 127)
    either = (cutout.rgba[..., 3] > 127) | (again[..., 3] > 127)
    checked = inspect(mesh)
    return {
        "mesh": path.stem,
        "azimuth": azimuth,
        "f_0.02": _f_score(forth, back, 0.02),
        "f_0.05": _f_score(forth, back, 0.05),
        "f_0.1": _f_score(forth, back, 0.1),
        "iou": round(float(both.sum() / max(either.sum(), 1)), 4),
        "colour": round(float(np.abs(cutout.rgba[both][:, :3].astype(int) - again[both][:, :3]).mean()), 2),
        "watertight": bool(checked.watertight and checked.manifold_vertices),
        "faces": int(checked.faces),
        "shape_s": round(shaped_s, 2),
        "seconds": round(seconds, 2),
    }


def _distances(truth: np.ndarray, result: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From each surface to the other, at the shift along the line of sight that brings them nearest."""
    tree = cKDTree(truth)
    shifts = np.median(truth[:, 2]) - np.median(result[:, 2]) + np.linspace(-0.3, 0.3, 25)
    few = result[::20]
    best = min(shifts, key=lambda shift: float(np.minimum(tree.query(few + np.array([0, 0, shift]))[0], 0.1).mean()))
    moved_result = result + np.array([0, 0, best])
    return tree.query(moved_result)[0], cKDTree(moved_result).query(truth)[0]


def _in_camera(vertices: np.ndarray, camera: Any) -> np.ndarray:
    rotation, shift = camera.world_to_camera[:3, :3], camera.world_to_camera[:3, 3]
    return np.asarray(vertices, np.float64) @ rotation.T + shift


def _in_picture(vertices: np.ndarray, view: Any) -> np.ndarray:
    """In the camera's directions, the picture's middle at 0 and its half width 1 at the middle of the mesh's box."""
    points = _in_camera(vertices, view)
    middle = ((vertices.max(0) + vertices.min(0)) / 2)[None].astype(np.float64)
    unit = float(pixel_footprint(view, middle, VIEW_PX)[0])
    pixel, _ = project(view, middle, VIEW_PX, VIEW_PX)
    place = np.array([pixel[0, 0] - VIEW_PX / 2, VIEW_PX / 2 - pixel[0, 1]]) * unit
    points[:, :2] += place - _in_camera(middle, view)[0, :2]
    points[:, 2] -= _in_camera(middle, view)[0, 2]
    return points / (unit * VIEW_PX / 2)


def _half_width(camera: Any) -> float:
    """Of an orthographic camera's picture, in the units of its camera frame."""
    return float(1 / camera.projection[0, 0])


def _f_score(forth: np.ndarray, back: np.ndarray, limit: float) -> float:
    precision, recall = float((forth < limit).mean()), float((back < limit).mean())
    return round(2 * precision * recall / max(precision + recall, 1e-9), 4)


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table with a line of means."""
    numbers = ["f_0.02", "f_0.05", "f_0.1", "iou", "colour", "seconds"]
    mean = {"mesh": f"mean of {len(rows)}", "azimuth": "", "watertight": all(row["watertight"] for row in rows)}
    mean |= {key: round(float(np.mean([row[key] for row in rows])), 4) for key in numbers}
    keys = ["mesh", "azimuth", *numbers, "watertight"]
    lines = ["| " + " | ".join(keys) + " |", "|" + " --- |" * len(keys)]
    lines += ["| " + " | ".join(str(row[key]) for key in keys) + " |" for row in [*rows, mean]]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("meshes", nargs="+", type=Path)
    parser.add_argument("--shape", default="learned")
    parser.add_argument("--model", type=Path, help="another ONNX file for the learned shape, with its .json beside it")
    parser.add_argument(
        "--set", action="append", default=[], metavar="MODULE.NAME=VALUE", help="a constant of shape/learned"
    )
    parser.add_argument("--views", type=int, default=2, choices=range(1, len(VIEWS) + 1))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    set_constants(given.set)
    if given.model:
        session.WEIGHTS = given.model
    files = [
        f for m in given.meshes for f in (sorted(m.rglob("*")) if m.is_dir() else [m]) if f.suffix.lower() in SUFFIXES
    ]
    if not files:
        sys.exit("No mesh files there (GLB, glTF, OBJ, PLY or STL).")
    settings = Settings()
    rows = []
    with find_stage("shape", given.shape).open(settings) as shape, find_stage("paint", "photo").open(settings) as paint:
        for path in files:
            for azimuth, elevation in VIEWS[: given.views]:
                rows.append(compare(path, azimuth, elevation, shape, paint, settings))
                print(rows[-1], file=sys.stderr)
    print(table(rows))
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
