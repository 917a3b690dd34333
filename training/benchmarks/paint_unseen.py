"""How near a painted model's colours come to the true ones, on what the photo showed and on what it did not.

    python -m training.benchmarks.paint_unseen --shapes training/.cache/furniture.pack --sheet painted.png

Held-out objects are photographed (training/views.py), modelled by the learned stage and painted from the photo. The
answer is laid on the truth by the camera that took the photo, both are drawn without light from VIEWS around the
object, and the mean absolute difference of their sRGB values (0..1) is taken where both are. A true pixel counts as
seen if its place faces the photo's camera by at least SEEN_COSINE and nothing hides it. The photos are lit and the
truth is not, so even what was seen differs a little.

Beside the painter stand three simpler ways: the photo's mean colour everywhere, the network's colours everywhere, and
the front's mirror image behind.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.resample import srgb_from_linear
from manymesh.paint.projection import paint_from_photo
from manymesh.render.bake import depth_map
from manymesh.render.camera import orthographic, pixel_footprint, project, to_clip, towards_viewer
from manymesh.render.normals import unit_face_normals
from manymesh.render.preview import Model, framing_camera, prepare_model, render
from manymesh.render.raster import interpolate, rasterise
from manymesh.shape.learned.session import ShapeNetwork
from manymesh.shape.learned.stage import reconstruct
from manymesh.types import Mesh, ShapeResult
from training.align import nearest_pairs, refined_alignment
from training.draw import albedo
from training.measure import boxed, spread
from training.pack import load
from training.shapes import Shape
from training.split import held_out
from training.views import Question, question

VIEWS = tuple((22.5 + 45.0 * k, 15.0) for k in range(8))
VIEW_PX, VIEW_HALF = 160, 0.95
SEEN_COSINE = math.cos(math.radians(75))
TEXTURE_PX = 1024
CELL_PX = 150
SHOWN_DEG = (0.0, 90.0, 180.0, 270.0)


def laid_on(truth: Shape, made: ShapeResult, asked: Question) -> NDArray[np.float64]:
    """The answer's vertices in the truth's frame (``measure.boxed``): turned by the two cameras, fitted from there."""
    from scipy.spatial import cKDTree

    turn = asked.camera.world_to_camera[:3, :3].T @ made.view.world_to_camera[:3, :3]
    turned = made.mesh.vertices.astype(np.float64) @ turn.T
    true = boxed(truth.vertices, truth.faces)
    used = true[np.unique(truth.faces)]
    scale = float(np.cbrt(np.prod(np.ptp(used, axis=0) + 0.05) / np.prod(np.ptp(turned, axis=0) / 2 + 0.05))) / 2
    moved = scale * (turned - (turned.max(0) + turned.min(0)) / 2) + (used.max(0) + used.min(0)) / 2
    points = spread(true, truth.faces, 4000, np.random.default_rng(0)).points
    answer = spread(moved, made.mesh.faces, 4000, np.random.default_rng(1)).points
    trees = {1000: cKDTree(points[:1000])}
    start = np.eye(4)
    fitted = refined_alignment(start, answer, points, trees, 1000, (0.15, 0.1, 0.1, 0.07, 0.07, 0.05))
    gaps = [float(np.minimum(nearest_pairs(m, answer, points, trees, 1000)[2], 0.2).mean()) for m in (start, fitted)]
    matrix = fitted if gaps[1] < gaps[0] else start
    return moved @ matrix[:3, :3].T + matrix[:3, 3]


def true_views(truth: Shape, asked: Question) -> list[tuple[Any, Any, Any]]:
    """For each of VIEWS: (VIEW_PX, VIEW_PX) covered, (..., 3) sRGB in 0..1, and which pixels the photo showed."""
    vertices = boxed(truth.vertices, truth.faces)
    side = asked.cutout.rgba.shape[0]
    depths = depth_map(asked.camera, truth.vertices, truth.faces, side, side)
    flat = unit_face_normals(truth.vertices, truth.faces)
    views = []
    for azimuth, elevation in VIEWS:
        camera = orthographic(VIEW_HALF, azimuth_deg=azimuth, elevation_deg=elevation)
        raster = rasterise(to_clip(camera, vertices), truth.faces, VIEW_PX, VIEW_PX)
        color = srgb_from_linear(albedo(truth, raster))
        place = interpolate(truth.vertices, truth.faces, raster.face, raster.bary)
        normal = flat[raster.face]
        back = np.linalg.inv(camera.world_to_camera)[:3, 2]
        normal = np.where((normal @ back)[:, None] < 0, -normal, normal)  # drawn from both sides
        facing = np.einsum("nc,nc->n", towards_viewer(asked.camera, place), normal) >= SEEN_COSINE
        pixels, depth = project(asked.camera, place, side, side)
        column, row = np.clip(pixels.astype(np.int64), 0, side - 1).T
        slack = 6 * pixel_footprint(asked.camera, place, side)
        seen = facing & (depth <= depths.depth[row, column] + slack)
        views.append((raster.mask, raster.image(color, 0), raster.image(seen, False)))
    return views


def difference(model: Model, vertices: Any, views: Sequence[tuple[Any, Any, Any]]) -> dict[str, float]:
    """Mean absolute sRGB difference on the common silhouette: seen, unseen and all, each also "evened": the answer
    multiplied by the one number that makes what was seen agree best, which takes the photo's exposure out."""
    moved = replace(model, vertices=vertices)
    here, there, seen = [], [], []
    for (azimuth, elevation), (mask, color, shown) in zip(VIEWS, views, strict=True):
        camera = orthographic(VIEW_HALF, azimuth_deg=azimuth, elevation_deg=elevation)
        drawn = render(moved, camera, VIEW_PX, VIEW_PX, supersample=1, lit=False)
        common = mask & (drawn[..., 3] > 0)
        here.append(drawn[..., :3][common] / 255)
        there.append(color[common])
        seen.append(shown[common])
    answer, truth, was_seen = np.concatenate(here), np.concatenate(there), np.concatenate(seen)
    level = (answer * truth)[was_seen].sum() / max((answer * answer)[was_seen].sum(), 1e-9) if was_seen.any() else 1.0
    figures = {}
    for prefix, values in (("", answer), ("evened ", np.clip(answer * level, 0, 1))):
        apart = np.abs(values - truth).mean(axis=1)
        for name, which in (("unseen", ~was_seen), ("seen", was_seen), ("all", was_seen | True)):
            figures[prefix + name] = float(apart[which].mean()) if which.any() else math.nan
    return figures


def answers(made: ShapeResult, asked: Question, texture_px: int) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Name, object to draw, the mesh vertex of each of its vertices, and the painter's own details."""
    rgba = asked.cutout.rgba
    mean = (rgba[..., :3][rgba[..., 3] > 250].mean(axis=0) + 0.5).astype(np.uint8)
    mesh = made.mesh
    every = np.arange(len(mesh.vertices))
    yield "mean", replace(mesh, colors=np.broadcast_to(mean, mesh.vertices.shape).copy()), every, {}
    yield "network", mesh, every, {}
    for name, given in (("mirror", Mesh(mesh.vertices, mesh.faces)), ("painted", mesh)):
        began = time.perf_counter()
        thing = paint_from_photo(given, made.view, asked.cutout, texture_px, lambda share: None)
        yield name, thing, thing.atlas.source, thing.details | {"total": time.perf_counter() - began}


def row_of(asked: Question, thing: Any, truth: Shape, views_px: int = CELL_PX) -> NDArray[np.uint8]:
    """The photo, and the painted object from SHOWN_DEG."""
    step = asked.cutout.rgba.shape[0] / views_px
    index = ((np.arange(views_px) + 0.5) * step).astype(int)
    cells = [asked.cutout.rgba[index][:, index]]
    model = prepare_model(thing)
    for azimuth in SHOWN_DEG:
        cells.append(render(model, framing_camera(model.vertices, azimuth, 12.0), views_px, views_px))
    picture = np.concatenate(cells, axis=1)
    alpha = picture[..., 3:] / 255
    return (picture[..., :3] * alpha + 247 * (1 - alpha)).astype(np.uint8)


def main(arguments: Sequence[str] | None = None) -> int:
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=Path, required=True, help="a pack; its held-out shapes are asked about")
    parser.add_argument("--model", type=Path, help="an ONNX file for the learned stage")
    parser.add_argument("--limit", type=int, help="the first so many objects only")
    parser.add_argument("--texture", type=int, default=TEXTURE_PX)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args(arguments)
    network = ShapeNetwork(options.model) if options.model else ShapeNetwork()
    rows, pictures = [], []
    for truth in [shape for shape in load(options.shapes) if held_out(shape.name)][: options.limit]:
        asked = question(truth, 0)
        made = reconstruct(network, asked.cutout, lambda share: None)
        vertices, views = laid_on(truth, made, asked), true_views(truth, asked)
        figures: dict[str, Any] = {}
        for name, thing, source, details in answers(made, asked, options.texture):
            figures[name] = difference(prepare_model(thing), vertices[source], views) | details
            if name == "painted" and options.sheet:
                pictures.append(row_of(asked, thing, truth))
        rows.append({"name": truth.name} | figures)
        print(truth.name, {name: round(one["unseen"], 3) for name, one in figures.items()}, file=sys.stderr, flush=True)
    parts = [prefix + part for prefix in ("", "evened ") for part in ("unseen", "seen", "all")]
    print("| | " + " | ".join(parts) + " |\n|" + " --- |" * (len(parts) + 1))
    for name in ("mean", "network", "mirror", "painted"):
        values = [f"{np.nanmean([row[name][part] for row in rows]):.4f}" for part in parts]
        print(f"| {name} | " + " | ".join(values) + " |")
    print(f"painted in {np.mean([row['painted']['total'] for row in rows]):.2f} s an object")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    if options.sheet:
        half = -(-len(pictures) // 2)
        blank = np.full_like(pictures[0], 247)
        columns = [np.concatenate(part + [blank] * (half - len(part))) for part in (pictures[:half], pictures[half:])]
        Image.fromarray(np.concatenate(columns, axis=1)).save(options.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
