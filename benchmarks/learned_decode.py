"""What the decoder of the learned shape stage loses: shapes given by formula, a perfect network's prediction.

    python benchmarks/learned_decode.py [--pictures FOLDER] [--set MODULE.NAME=VALUE ...]

Distances are in the canonical frame with the longest side = 1, without any alignment. NC: mean cosine between the
normals of nearest points. IoU: silhouettes under the resulting camera. Seam: the share of the area whose normal is 60
to 120 degrees from the direction to the camera, and the median and 90th percentile of its normals' error, degrees.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from constants import set_constants
from known_shapes import SHAPES, look_at, perfect_network

from manymesh.mesh.inspect import inspect
from manymesh.render.camera import to_clip
from manymesh.render.raster import rasterise
from manymesh.shape.learned.stage import reconstruct
from manymesh.types import Box, Cutout, Mesh

VIEWS = ((30.0, 15.0), (-45.0, 25.0))


def points_and_normals(vertices: np.ndarray, faces: np.ndarray, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """(count, 3) random points spread evenly over a surface, and their (count, 3) unit normals."""
    rng = np.random.default_rng(0)
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    chosen = rng.choice(len(faces), count, p=area / area.sum())
    a, b = rng.random((2, count))
    flip = a + b > 1
    a, b = np.where(flip, 1 - a, a)[:, None], np.where(flip, 1 - b, b)[:, None]
    c = corners[chosen]
    unit = normal[chosen] / area[chosen, None]
    return c[:, 0] + a * (c[:, 1] - c[:, 0]) + b * (c[:, 2] - c[:, 0]), unit


def measure(name: str, azimuth: float, elevation: float, pictures: Path | None) -> dict[str, object]:
    """One shape from one view (degrees): a row of the table. Pictures of truth and result go to ``pictures``."""
    view = look_at(SHAPES[name], azimuth, elevation, px=512)
    rgba = np.dstack([np.full((*view.alpha.shape, 3), 150, np.uint8), view.alpha])
    start_s = time.perf_counter()
    made = reconstruct(perfect_network(view), Cutout(rgba, Box(0, 0, 512, 512)), lambda share: None)
    seconds = time.perf_counter() - start_s
    true = view.vertices @ view.to_shape[:3, :3].T + view.to_shape[:3, 3]
    low, high = true.min(0), true.max(0)
    size = (high - low).max()
    true = (true - (low + high) / 2) / size
    p, n = points_and_normals(true, view.faces)
    q, m = points_and_normals(made.mesh.vertices.astype(np.float64) / 2, made.mesh.faces)
    forth, there = cKDTree(p).query(q)
    back, here = cKDTree(q).query(p)
    cosine = np.concatenate([(n[there] * m).sum(1), (m[here] * n).sum(1)])
    seen = rasterise(to_clip(made.view, made.mesh.vertices), made.mesh.faces, 512, 512).mask
    inside = view.alpha > 127
    eye = np.linalg.inv(made.view.world_to_camera)[:3, 3] / 2
    ray = (eye - q) / np.linalg.norm(eye - q, axis=1)[:, None]
    slant = np.abs((ray * n[there]).sum(1)) < 0.5
    off = np.degrees(np.arccos(np.clip((n[there] * m).sum(1)[slant], -1, 1)))
    checked = inspect(made.mesh)
    if pictures is not None:
        from PIL import Image

        from manymesh.render.preview import four_views

        both = [four_views(Mesh(v.astype(np.float32) * 2, f), 300, turn_deg=25) for v, f in
                ((true, view.faces), (made.mesh.vertices / 2, made.mesh.faces))]  # fmt: skip
        Image.fromarray(np.concatenate(both)).save(pictures / f"{name}_{azimuth:.0f}.png")

    def score(limit: float) -> float:
        a, b = (forth < limit).mean(), (back < limit).mean()
        return round(float(2 * a * b / max(a + b, 1e-9)), 4)

    return {
        "shape": name, "azimuth": azimuth, "F@0.01": score(0.01), "F@0.02": score(0.02),
        "NC": round(float(cosine.mean()), 4),
        "IoU": round(float((seen & inside).sum() / (seen | inside).sum()), 4), "seam": round(float(slant.mean()), 2),
        "seam_deg": round(float(np.median(off)), 2), "seam_deg_90": round(float(np.percentile(off, 90)), 1),
        "solid": checked.solid, "faces": checked.faces, "parts": checked.components, "seconds": round(seconds, 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="MODULE.NAME=VALUE")
    given = parser.parse_args()
    set_constants(given.set)
    rows = [measure(name, *view, given.pictures) for name in SHAPES for view in VIEWS]
    print("| " + " | ".join(rows[0]) + " |\n|" + " --- |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    main()
