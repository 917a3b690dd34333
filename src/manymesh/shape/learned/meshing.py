"""The field as a closed mesh in the camera frame: marching cubes, perspective, smoothing, colours for the back."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from manymesh.image.resample import sample_index
from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.mesh.topology import connected_components, face_cross, length, six_volumes
from manymesh.shape.learned import contract
from manymesh.shape.learned.contract import BIN_LENGTH
from manymesh.shape.learned.field import Field, nearest_inside
from manymesh.shape.learned.predict import Prediction
from manymesh.types import F32, F64, I32, U8, Bool, Mesh

# A vertex this near to the predicted first or last surface, in crop units, is drawn towards it: the depth layers are
# smooth where the occupancy has steps of a bin. Set by hand on the validation models.
SNAP = 2.5 * BIN_LENGTH
# Vertices nearer to the silhouette than this, in cells, are not drawn: depths between the last pixels are not known.
# Set by hand on the validation models.
SNAP_EDGE_CELLS = 1.5

# Taubin smoothing (1995, "A signal processing approach to fair surface design"): rounds, and the factors of a round's
# shrinking and growing step. Set by hand on the validation models.
SMOOTH_ROUNDS, SMOOTH_SHRINK, SMOOTH_GROW = 40, 0.5, -0.53
# Terms of the Chebyshev series that stands for all rounds (Taubin, Zhang & Golub 1996, "Optimal surface smoothing as
# filter design"). Measured: within 5e-6 of the rounds, in a quarter of the steps.
SMOOTH_TERMS = 20

# Up to the first distance from the silhouette, in cells, smoothing leaves a vertex' place in the picture as it is. From
# the second on it is free. Set by hand on the validation models.
OUTLINE_CELLS = 1.0, 3.0
# Half the width, in cells, of parts that count as thin (up to the first) and that do not (from the second on).
# Set by hand on the validation models.
THIN_CELLS = 2.5, 5.0
# Vertices of the outline are moved onto it from at most this far, in cells, and only where the distance changes by at
# least this much a cell, so that the direction is clear. Chosen by hand.
OUTLINE_REACH, MIN_GRADIENT = 1.0, 0.4

# Shells with less than this share of the largest one's area are dropped. Chosen by hand.
MIN_AREA_SHARE = 0.01


def extract_mesh(field: Field, prediction: Prediction, tan_half_fov: float) -> Mesh:
    """The field's surface as a closed mesh in the camera frame.

    Args:
        prediction: its depth layers, towards which vertices are drawn.
        tan_half_fov: of the crop.

    Returns:
        A mesh without colours in crop units, +X right, +Y up, +Z towards the eye, the origin in the crop's centre at
        the anchor depth. It has no faces where the field is nowhere positive.
    """
    grid, faces = marching_cubes(field.values)
    # (row, column, depth) becomes (column, -row, -depth): a swap and two reversals, which turns the winding inside out.
    faces = faces[:, ::-1]
    u = field.left + grid[:, 1].astype(np.float64) * field.cell
    v = field.top - grid[:, 0].astype(np.float64) * field.cell
    d = field.near + grid[:, 2].astype(np.float64) * BIN_LENGTH
    d = _snap_to_layers(u, v, d, grid, field, prediction)
    points = crop_to_camera(u, v, d, tan_half_fov)
    vertices, faces = drop_small_shells(points, faces)
    # Smoothing shrinks thin parts from both sides.
    held = keep_outline(taubin_smooth(vertices, faces), vertices, field, tan_half_fov, only_thin=True)
    return Mesh(held.astype(np.float32), faces)


def keep_outline(moved: Any, vertices: Any, field: Field, tan_half_fov: float, only_thin: bool = False) -> F64:
    """(n, 3) ``moved`` vertices, with what moved them across the silhouette's edge in the picture taken back.

    The outline in the picture is known exactly. Near it, vertices may only move along it and along the rays.

    Args:
        moved, vertices: (n, 3) after and before they were moved, camera frame.
        only_thin: leave broad parts as they were moved.
    """
    import cv2

    u, v, _ = camera_to_crop(vertices, tan_half_fov)
    to_u, to_v, d = camera_to_crop(moved, tan_half_fov)
    down, across = np.gradient(field.edge)
    thickest = cv2.dilate(field.edge, np.ones((2 * int(THIN_CELLS[1]) + 1,) * 2, np.uint8))
    thin = np.clip((THIN_CELLS[1] - thickest) / (THIN_CELLS[1] - THIN_CELLS[0]), 0, 1)
    picture = np.dstack([field.edge, across, -down, thin]).astype(np.float32)
    found = sample_index(picture, (u - field.left) / field.cell, (field.top - v) / field.cell)
    held = np.clip((OUTLINE_CELLS[1] - found[:, 0]) / (OUTLINE_CELLS[1] - OUTLINE_CELLS[0]), 0, 1)
    if only_thin:
        held *= found[:, 3]
    inwards = found[:, 1:3] / np.maximum(np.linalg.norm(found[:, 1:3], axis=1, keepdims=True), 1e-6)
    back = held * (inwards[:, 0] * (to_u - u) + inwards[:, 1] * (to_v - v))
    return crop_to_camera(to_u - back * inwards[:, 0], to_v - back * inwards[:, 1], d, tan_half_fov)


def snap_to_outline(vertices: Any, faces: I32, field: Field, tan_half_fov: float) -> F64:
    """(n, 3) vertices, with those that form the outline moved, within the picture, onto the silhouette's edge.

    Smoothing shrinks thin parts and fills narrow gaps; this takes it back.

    Args:
        vertices: (n, 3), camera frame. faces: (m, 3).
    """
    place = np.asarray(vertices, np.float64)
    corners = place[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    eye = np.array([0, 0, 1 / (2 * tan_half_fov)])
    towards = np.einsum("nk,nk->n", normal, eye - corners[:, 0]) > 0
    # A vertex forms the outline when some of its faces look towards the eye and some away.
    front, back = (np.zeros(len(place), bool) for _ in range(2))
    front[faces[towards]] = back[faces[~towards]] = True
    outline = np.flatnonzero(front & back)
    u, v, d = camera_to_crop(place[outline], tan_half_fov)
    down, across = np.gradient(field.edge)
    picture = np.dstack([field.edge, across, -down]).astype(np.float32)
    found = sample_index(picture, (u - field.left) / field.cell, (field.top - v) / field.cell)
    off, slope = found[:, 0], np.linalg.norm(found[:, 1:], axis=1)
    # Further off are outlines of one part in front of another. On the ridge of a wire neither side is nearer.
    near = (np.abs(off) < OUTLINE_REACH) & (slope > MIN_GRADIENT)
    step = np.where(near, off * field.cell, 0.0)[:, None] * found[:, 1:] / np.maximum(slope, MIN_GRADIENT)[:, None]
    place = place.copy()
    place[outline] = crop_to_camera(u - step[:, 0], v - step[:, 1], d, tan_half_fov)
    return place


def back_colors(prediction: Prediction, points: F64, inside: Bool, tan_half_fov: float) -> U8:
    """(n, 3) uint8 sRGB, unlit: the predicted colour of the last surface on the ray through each point.

    Args:
        points: (n, 3), camera frame (see ``extract_mesh``).
        inside: (GRID, GRID) bool, the silhouette's pixels; others repeat the nearest of these.
    """
    picture = prediction.surface[contract.BACK_COLOR].transpose(1, 2, 0)[nearest_inside(inside)]
    u, v, _ = camera_to_crop(points, tan_half_fov)
    color = sample_crop(np.ascontiguousarray(picture, np.float32), u, v)
    return (np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8)


def crop_to_camera(u: Any, v: Any, d: Any, tan_half_fov: float) -> F64:
    """(n, 3) points of the camera frame at picture positions u, v and depths d, (n,) each, all in crop units."""
    spread = 1 + 2 * np.asarray(d) * tan_half_fov
    return np.stack([u * spread, v * spread, -np.asarray(d)], axis=1)


def camera_to_crop(points: Any, tan_half_fov: float) -> tuple[Any, Any, Any]:
    """u, v, d of (n, 3) points: the inverse of ``crop_to_camera``."""
    d = -points[:, 2]
    spread = 1 + 2 * d * tan_half_fov
    return points[:, 0] / spread, points[:, 1] / spread, d


def sample_crop(picture: F32, u: Any, v: Any) -> F32:
    """(n,) or (n, c) float32: a (GRID, GRID) or (GRID, GRID, c) picture at positions u, v of the crop, linearly."""
    column, row = (np.asarray(u) + 0.5) * contract.GRID - 0.5, (0.5 - np.asarray(v)) * contract.GRID - 0.5
    return sample_index(picture, column, row)


def drop_small_shells(vertices: F64, faces: I32) -> tuple[F64, I32]:
    """A mesh without its small shells (connected components) and without cavities (shells that are wound inwards).

    Args:
        vertices: (n, 3). faces: (m, 3), from marching cubes: no two shells share a vertex.
    """
    if not len(faces):
        return vertices[:0], faces
    count, of_vertex = connected_components(len(vertices), np.concatenate([faces[:, :2], faces[:, 1:]]))
    label = of_vertex[faces[:, 0]]
    area = length(face_cross(vertices, faces))
    total_area = np.bincount(label, area, count)
    volume = np.bincount(label, six_volumes(vertices, faces), count)
    keep = (total_area >= MIN_AREA_SHARE * total_area.max()) & (volume > 0)
    faces = faces[keep[label]]
    used = np.zeros(len(vertices), bool)
    used[faces] = True
    number = (np.cumsum(used) - 1).astype(np.int32)
    return vertices[used], number[faces]


def taubin_smooth(vertices: Any, faces: I32) -> F64:
    """(n, 3) float64: vertices after ``SMOOTH_ROUNDS`` of Taubin smoothing.

    A round moves every vertex towards the mean of its neighbours, then a little further away again. All rounds together
    are one polynomial of the matrix that takes these means. It is evaluated as a Chebyshev series.
    """
    from scipy.sparse import coo_array, diags_array

    count = len(vertices)
    if not count:
        return np.zeros((0, 3))
    a, b = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    links = coo_array((np.ones(len(a), np.float32), (a, b)), shape=(count, count)).tocsr()
    mean = (diags_array(1 / np.maximum(links.sum(axis=1), 1)).tocsr() @ links).astype(np.float32)
    series = _smoothing_series()
    last, term = np.asarray(vertices, np.float32), mean @ np.asarray(vertices, np.float32)
    total = series[0] * last + series[1] * term
    for factor in series[2:]:
        following = mean @ term
        following *= np.float32(2)
        following -= last
        total += factor * following
        last, term = term, following
    return np.asarray(total, np.float64)


@cache
def _smoothing_series() -> F32:
    """(SMOOTH_TERMS + 1,) float32 Chebyshev coefficients of what all rounds do to an eigenvalue in [-1, 1]."""
    from numpy.polynomial import chebyshev

    def all_rounds(eigenvalue: Any) -> Any:
        off = 1 - eigenvalue
        return ((1 - SMOOTH_SHRINK * off) * (1 - SMOOTH_GROW * off)) ** SMOOTH_ROUNDS

    series = chebyshev.chebinterpolate(all_rounds, SMOOTH_TERMS)
    return np.asarray(series / series.sum(), np.float32)  # eigenvalue 1, a constant, is kept exactly


def _snap_to_layers(u: Any, v: Any, d: Any, grid: F32, field: Field, prediction: Prediction) -> Any:
    """(n,) depths d drawn towards the predicted depth layers where those are near.

    Args:
        u, v, d: (n,) crop units. grid: (n, 3) the same vertices in the field's indices.
    """
    place = grid[:, :2].round().astype(np.int64)
    edge = field.edge[place[:, 0], place[:, 1]]
    trust = np.clip(edge / SNAP_EDGE_CELLS - 0.5, 0, 1)
    for layer in (contract.FRONT_DEPTH, contract.BACK_DEPTH):
        away = sample_crop(prediction.surface[layer], u, v) - d
        near = np.clip(2 - 2 * np.abs(away) / SNAP, 0, 1)
        d = d + trust * near * away
    return d
