"""How close a mesh comes to a true one. All lengths in units in which the true mesh's longest side is 1.

* F@t: harmonic mean of precision and recall: the shares of points of either surface within t of the other's.
* Chamfer L1: the mean of the two mean distances.
* Normal consistency: the mean of |cos| between the normals of nearest points, both ways.
* Volume IoU: of the solids that no eye can see into (``hull``), on CELLS^3 cells.
* Novel silhouette IoU: the mean over 8 views around the object.
* Front silhouette IoU: of the mesh under the sculpture's own camera against the cutout's alpha.

Twice: "as is", both boxes brought to the same middle and longest side, nothing turned; and "aligned" by the similarity
that fits best (``align``). Of the true mesh only what can be seen from outside counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.inspect import inspect
from manymesh.render.camera import orthographic, to_clip
from manymesh.render.raster import rasterise
from manymesh.types import Camera, Mesh
from training.align import aligned, moved
from training.hull import Hull, hull, inside, visible
from training.shapes import Shape

POINTS = 20_000
CELLS, CELLS_SPAN = 64, 1.2
VIEW_PX = 256
LIGHT_FACES = 10_000
NOVEL_VIEWS = tuple((22.5 + 45.0 * k, 15.0) for k in range(8))
VIEW_HALF = 0.95

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """Points spread evenly over a surface. points, normals: (POINTS, 3) float64."""

    points: F64
    normals: F64


@dataclass(frozen=True)
class Truth:
    """A true mesh, made ready once for all answers: its longest side is 1, its box's middle the origin."""

    vertices: F64
    faces: NDArray[np.integer]
    surface: Surface
    solid: NDArray[np.bool_]


def truth_of(shape: Shape) -> Truth:
    """A training shape as something to measure against."""
    vertices = boxed(shape.vertices, shape.faces)
    eyes = hull(vertices, shape.faces)
    return Truth(vertices, shape.faces, outer_surface(vertices, shape.faces, eyes), inside(eyes, cells()))


def boxed(vertices: Any, faces: Any) -> F64:
    """The box of what the faces use at the origin, its longest side 1."""
    used = np.asarray(vertices, np.float64)[np.unique(faces)]
    low, high = used.min(0), used.max(0)
    return (np.asarray(vertices, np.float64) - (low + high) / 2) / max(float((high - low).max()), 1e-12)


def lighter(vertices: F64, faces: Any) -> tuple[F64, NDArray[np.integer]]:
    """The mesh with at most about LIGHT_FACES faces, for what needs many pictures of it. Points come from the mesh."""
    if len(faces) <= 1.2 * LIGHT_FACES:
        return vertices, faces
    import fast_simplification

    points, triangles = fast_simplification.simplify(
        np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32), target_count=LIGHT_FACES
    )
    return points.astype(np.float64), triangles


def spread(vertices: F64, faces: Any, count: int, rng: np.random.Generator) -> Surface:
    """``count`` points, evenly over the triangles' area."""
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    chosen = rng.choice(len(area), count, p=area / area.sum())
    u, v = rng.random((2, count))
    fold = u + v > 1
    u, v = np.where(fold, 1 - u, u)[:, None], np.where(fold, 1 - v, v)[:, None]
    a, b, c = (corners[chosen, k] for k in range(3))
    return Surface(a + u * (b - a) + v * (c - a), across[chosen] / area[chosen, None])


def outer_surface(vertices: F64, faces: Any, eyes: Hull) -> Surface:
    """POINTS points of what can be seen from outside."""
    rng = np.random.default_rng(0)
    points, normals, found = [], [], 0
    for _ in range(12):
        some = spread(vertices, faces, 2 * POINTS, rng)
        seen = visible(eyes, some.points)
        points.append(some.points[seen])
        normals.append(some.normals[seen])
        found += int(seen.sum())
        if found >= POINTS:
            break
    every, turned = np.concatenate(points), np.concatenate(normals)
    if found < POINTS:  # nearly all of it is hidden: the same points count several times
        again = rng.choice(found, POINTS)
        return Surface(every[again], turned[again])
    return Surface(every[:POINTS], turned[:POINTS])


def cells() -> F64:
    """(CELLS^3, 3) middles of the cells that solids are compared on."""
    axis = ((np.arange(CELLS) + 0.5) / CELLS - 0.5) * CELLS_SPAN
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def measure(
    truth: Truth, mesh: Mesh, *, view: Camera | None = None, alpha: NDArray[np.uint8] | None = None
) -> dict[str, Any]:
    """Every figure of the module's docstring for one answer.

    Args:
        mesh: any scale; +Y up, front towards +Z as far as the stage knows it.
        view, alpha: the sculpture's camera and the cutout's alpha, for the front silhouette.

    Returns:
        {"as_is": {...}, "aligned": {...}, "front_silhouette": float or None, "watertight": bool, "faces": int}
    """
    vertices = boxed(mesh.vertices, mesh.faces)
    surface = spread(vertices, mesh.faces, POINTS, np.random.default_rng(1))
    small, few = lighter(vertices, mesh.faces)
    eyes = hull(small, few)
    matrix = aligned(surface.points, truth.surface.points)
    checked = inspect(mesh)
    return {
        "as_is": _compared(truth, small, few, surface, eyes, np.eye(4)),
        "aligned": _compared(truth, small, few, surface, eyes, matrix),
        "front_silhouette": None if view is None or alpha is None else front_silhouette(mesh, view, alpha),
        "watertight": bool(checked.watertight and checked.manifold_vertices),
        "faces": int(checked.faces),
    }


def _compared(truth: Truth, vertices: F64, faces: Any, surface: Surface, eyes: Hull, matrix: F64) -> dict[str, float]:
    """The figures that depend on where the answer lies: under the similarity ``matrix``."""
    turn = matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))
    there = Surface(moved(matrix, surface.points), surface.normals @ turn.T)
    figures = surface_figures(truth.surface, there)
    back: F64 = np.asarray(np.linalg.inv(matrix), np.float64)
    mine = inside(eyes, moved(back, cells()))
    figures["volume_iou"] = _iou(truth.solid, mine)
    figures["novel_iou"] = novel_iou(truth.vertices, truth.faces, moved(matrix, vertices), faces)
    return figures


def surface_figures(truth: Surface, answer: Surface) -> dict[str, float]:
    """F-scores, Chamfer distance and normal consistency of two sets of points."""
    from scipy.spatial import cKDTree

    forth, to = cKDTree(truth.points).query(answer.points)
    back, of = cKDTree(answer.points).query(truth.points)
    figures = {f"f_{limit}": _f_score(forth, back, limit) for limit in (0.02, 0.05, 0.1)}
    figures["chamfer_l1"] = float(forth.mean() + back.mean()) / 2
    one = np.abs(np.einsum("nc,nc->n", answer.normals, truth.normals[to])).mean()
    other = np.abs(np.einsum("nc,nc->n", truth.normals, answer.normals[of])).mean()
    figures["normals"] = float(one + other) / 2
    return figures


def _f_score(forth: F64, back: F64, limit: float) -> float:
    precision, recall = float((forth < limit).mean()), float((back < limit).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def novel_iou(true_vertices: F64, true_faces: Any, vertices: F64, faces: Any) -> float:
    """Mean overlap of the silhouettes in NOVEL_VIEWS."""
    overlaps = []
    for azimuth, elevation in NOVEL_VIEWS:
        camera = orthographic(VIEW_HALF, azimuth_deg=azimuth, elevation_deg=elevation)
        pair = [
            _silhouette(camera, *mesh, VIEW_PX, VIEW_PX) for mesh in ((true_vertices, true_faces), (vertices, faces))
        ]
        overlaps.append(_iou(*pair))
    return float(np.mean(overlaps))


def front_silhouette(mesh: Mesh, view: Camera, alpha: NDArray[np.uint8]) -> float:
    """Overlap of the mesh's silhouette with the cutout's, on the cutout's pixels."""
    return _iou(_silhouette(view, mesh.vertices, mesh.faces, *alpha.shape), alpha > 127)


def _silhouette(camera: Camera, vertices: Any, faces: Any, height: int, width: int) -> NDArray[np.bool_]:
    return rasterise(to_clip(camera, vertices), faces, height, width).mask
