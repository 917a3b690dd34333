"""From the field to a closed mesh in the camera's frame: marching cubes, unprojected, smoothed."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.mesh.topology import components, face_normals, length, six_volumes
from manymesh.shape.learned import contract
from manymesh.shape.learned.field import BIN, Field
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, F64, I32, Mesh

SNAP = 2.5 * BIN
"""Crop units: a vertex this near to the predicted first or last surface is drawn towards it. The depth heads are smooth
where the volume has steps of a bin."""
SNAP_EDGE_CELLS = 1.5
"""Not this near to the silhouette, where depths between pixels cannot be told."""
SMOOTH_ROUNDS, SMOOTH_SHRINK, SMOOTH_GROW = 40, 0.5, -0.53
"""Taubin 1995, "A signal processing approach to fair surface design"."""
SMOOTH_TERMS = 20
"""Of the Chebyshev series that stands for all rounds: within 5e-6 of them, in a quarter of the steps (Taubin, Zhang &
Golub 1996, "Optimal surface smoothing as filter design")."""
OUTLINE_CELLS = 1.0, 3.0
"""Up to the first distance from the silhouette, smoothing leaves the place in the picture as it is; from the second on
it is free."""
THIN_CELLS = 2.5, 5.0
"""Half the width of parts that count as thin, up to the first, and of those that do not, from the second on."""
OUTLINE_REACH, LEAST_SLOPE = 1.0, 0.4
"""Cells: how far vertices are moved onto the outline; cells a cell: how clear the direction must be."""
PART_SHARE = 0.01
"""Parts with less than this share of the largest part's area are dropped."""


def extract_mesh(field: Field, answer: Prediction, tan_half_fov: float) -> Mesh:
    """A closed mesh in the camera's frame: crop units, +X right, +Y up, +Z towards the eye, the origin in the crop's
    middle at the anchor depth.

    Returns:
        A mesh without colours; without faces where the field is nowhere positive.
    """
    grid, faces = marching_cubes(field.values)
    # (row, column, depth) becomes (column, -row, -depth): a swap and two reversals, which turns the winding inside out.
    faces = faces[:, ::-1]
    u = field.left + grid[:, 1].astype(np.float64) * field.cell
    v = field.top - grid[:, 0].astype(np.float64) * field.cell
    d = field.near + grid[:, 2].astype(np.float64) * BIN
    d = _snapped(u, v, d, grid, field, answer)
    points = crop_to_camera(u, v, d, tan_half_fov)
    vertices, faces = drop_small_shells(points, faces)
    # Smoothing takes from thin parts on both sides.
    held = keep_outline(taubin_smooth(vertices, faces), vertices, field, tan_half_fov, only_thin=True)
    return Mesh(held.astype(np.float32), faces)


def keep_outline(moved: Any, vertices: Any, field: Field, tan_half_fov: float, only_thin: bool = False) -> F64:
    """``moved``, but near the silhouette only along the eye's rays: where it ends in the picture is known exactly.

    Args:
        moved, vertices: (n, 3) after and before smoothing, camera frame.
        only_thin: leave broad parts as they were moved.
    """
    import cv2

    u, v, _ = camera_to_crop(vertices, tan_half_fov)
    to_u, to_v, d = camera_to_crop(moved, tan_half_fov)
    down, across = np.gradient(field.edge)
    thickest = cv2.dilate(field.edge, np.ones((2 * int(THIN_CELLS[1]) + 1,) * 2, np.uint8))
    thin = np.clip((THIN_CELLS[1] - thickest) / (THIN_CELLS[1] - THIN_CELLS[0]), 0, 1)
    picture = np.dstack([field.edge, across, -down, thin]).astype(np.float32)
    seen = _sampled(picture, (u - field.left) / field.cell, (field.top - v) / field.cell)
    held = np.clip((OUTLINE_CELLS[1] - seen[:, 0]) / (OUTLINE_CELLS[1] - OUTLINE_CELLS[0]), 0, 1)
    if only_thin:
        held *= seen[:, 3]
    inwards = seen[:, 1:3] / np.maximum(np.linalg.norm(seen[:, 1:3], axis=1, keepdims=True), 1e-6)
    # Along the silhouette it may move.
    back = held * (inwards[:, 0] * (to_u - u) + inwards[:, 1] * (to_v - v))
    return crop_to_camera(to_u - back * inwards[:, 0], to_v - back * inwards[:, 1], d, tan_half_fov)


def snap_to_outline(vertices: Any, faces: I32, field: Field, tan_half_fov: float) -> F64:
    """Vertices with those that make the outline moved, within the picture, to where the silhouette's edge is.

    Smoothing takes from thin parts on both sides, and fills narrow gaps.
    """
    place = np.asarray(vertices, np.float64)
    corners = place[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    eye = np.array([0, 0, 1 / (2 * tan_half_fov)])
    towards = np.einsum("nk,nk->n", normal, eye - corners[:, 0]) > 0
    seen, turned = (np.zeros(len(place), bool) for _ in range(2))
    seen[faces[towards]] = turned[faces[~towards]] = True
    on = np.flatnonzero(seen & turned)
    u, v, d = camera_to_crop(place[on], tan_half_fov)
    down, across = np.gradient(field.edge)
    picture = np.dstack([field.edge, across, -down]).astype(np.float32)
    found = _sampled(picture, (u - field.left) / field.cell, (field.top - v) / field.cell)
    off, slope = found[:, 0], np.linalg.norm(found[:, 1:], axis=1)
    # Further off are outlines of one part before another; on the ridge of a wire no side is the nearer one.
    near = (np.abs(off) < OUTLINE_REACH) & (slope > LEAST_SLOPE)
    step = np.where(near, off * field.cell, 0.0)[:, None] * found[:, 1:] / np.maximum(slope, LEAST_SLOPE)[:, None]
    place = place.copy()
    place[on] = crop_to_camera(u - step[:, 0], v - step[:, 1], d, tan_half_fov)
    return place


def crop_to_camera(u: Any, v: Any, d: Any, tan_half_fov: float) -> F64:
    """(n, 3) points of the camera's frame at picture places u, v and depths d, all in crop units."""
    spread = 1 + 2 * np.asarray(d) * tan_half_fov
    return np.stack([u * spread, v * spread, -np.asarray(d)], axis=1)


def camera_to_crop(points: Any, tan_half_fov: float) -> tuple[Any, Any, Any]:
    """The inverse of ``unprojected``: u, v, d."""
    d = -points[:, 2]
    spread = 1 + 2 * d * tan_half_fov
    return points[:, 0] / spread, points[:, 1] / spread, d


def sample_crop(picture: F32, u: Any, v: Any) -> F32:
    """A (GRID, GRID) or (GRID, GRID, c) picture at places u, v of the crop, linearly."""
    places = (np.asarray(u) + 0.5) * contract.GRID - 0.5, (0.5 - np.asarray(v)) * contract.GRID - 0.5
    return _sampled(picture, *places)


def _sampled(picture: F32, column: Any, row: Any) -> F32:
    """A picture read between its pixels, linearly."""
    import cv2

    across = 4096  # OpenCV takes places as a picture of limited width
    count = len(column)
    x, y = (np.zeros(-(-count // across) * across, np.float32) for _ in range(2))
    x[:count], y[:count] = column, row
    values = cv2.remap(
        picture, x.reshape(-1, across), y.reshape(-1, across), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(values, np.float32).reshape(-1, *picture.shape[2:])[:count]


def _snapped(u: Any, v: Any, d: Any, grid: F32, field: Field, answer: Prediction) -> Any:
    """Depths drawn to the depth heads where they are near."""
    place = grid[:, :2].round().astype(np.int64)
    edge = field.edge[place[:, 0], place[:, 1]]
    trust = np.clip(edge / SNAP_EDGE_CELLS - 0.5, 0, 1)
    for head in (contract.FRONT_DEPTH, contract.BACK_DEPTH):
        away = sample_crop(answer.surface[head], u, v) - d
        near = np.clip(2 - 2 * np.abs(away) / SNAP, 0, 1)
        d = d + trust * near * away
    return d


def drop_small_shells(vertices: Any, faces: I32) -> tuple[Any, I32]:
    """Drops parts that are small, and cavities: closed parts that are wound inwards."""
    if not len(faces):
        return vertices[:0], faces
    # No two parts of a surface that was cut from a grid share a vertex, so vertices tell the parts apart as edges do.
    count, of_vertex = components(len(vertices), np.concatenate([faces[:, :2], faces[:, 1:]]))
    label = of_vertex[faces[:, 0]]
    area = length(face_normals(vertices, faces))
    part_area = np.bincount(label, area, count)
    part_volume = np.bincount(label, six_volumes(vertices, faces), count)
    keep = (part_area >= PART_SHARE * part_area.max()) & (part_volume > 0)
    faces = faces[keep[label]]
    used = np.zeros(len(vertices), bool)
    used[faces] = True
    number = (np.cumsum(used) - 1).astype(np.int32)
    return vertices[used], number[faces]


def taubin_smooth(vertices: Any, faces: I32) -> F64:
    """Taubin's smoothing: every vertex a little towards the mean of its neighbours, then a little more away again,
    ``SMOOTH_ROUNDS`` times, as one polynomial of the matrix that takes these means."""
    from scipy.sparse import coo_array, diags_array

    count = len(vertices)
    if not count:
        return np.zeros((0, 3))
    a, b = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    links = coo_array((np.ones(len(a), np.float32), (a, b)), shape=(count, count)).tocsr()
    mean = (diags_array(1 / np.maximum(links.sum(axis=1), 1)).tocsr() @ links).astype(np.float32)
    share = _smoothing_series()
    last, term = np.asarray(vertices, np.float32), mean @ np.asarray(vertices, np.float32)
    total = share[0] * last + share[1] * term
    for factor in share[2:]:
        following = mean @ term
        following *= np.float32(2)
        following -= last
        total += factor * following
        last, term = term, following
    return total.astype(np.float64)


@cache
def _smoothing_series() -> F32:
    """(SMOOTH_TERMS + 1,) float32: the Chebyshev coefficients of what all rounds do to a mean's eigenvalue, -1..1."""
    from numpy.polynomial import chebyshev

    def all_rounds(eigenvalue: Any) -> Any:
        off = 1 - eigenvalue
        return ((1 - SMOOTH_SHRINK * off) * (1 - SMOOTH_GROW * off)) ** SMOOTH_ROUNDS

    series = chebyshev.chebinterpolate(all_rounds, SMOOTH_TERMS)
    return np.asarray(series / series.sum(), np.float32)  # what does not vary (eigenvalue 1) stays exactly
