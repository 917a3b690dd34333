"""The object's mirror plane, and the photo's colours at mirrored points: for the side that the photo does not show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from manymesh.render.bake import DepthMap, Projection, project_colors
from manymesh.render.camera import towards_viewer
from manymesh.render.texels import Texels
from manymesh.types import F64, U8, Atlas, Bool, Camera, Mesh

# The constants of this file were set by hand on the 42 validation models (training/benchmarks/paint_unseen.py).

# Points over the surface that mirror images are compared with; of them, how many are mirrored to judge a plane, and how
# many in the first round over all angles.
POINTS = 16_000
MIRRORED_POINTS, MIRRORED_POINTS_FIRST = 1000, 250

# Step of the first round, degrees of azimuth.
TURN_STEP_DEG = 7.5

# Steps of the refinement of a plane: degrees of azimuth and offset in mesh units, coarse to fine.
REFINE_STEPS = (3.0, 0.02), (1.5, 0.01), (0.75, 0.005)

# Distances from a mirrored point to the surface are cut off here, mesh units (the longest side is 2).
MAX_DISTANCE = 0.12

# Mean distance below which an object counts as its own mirror image, mesh units.
SYMMETRIC_DISTANCE = 0.022

# Planes whose mean distance is up to this many times the best one's agree as well as that one.
EQUAL_RATIO = 1.2

# With fewer texels than this whose mirror image is seen as well, the photo's colours do not decide.
MIN_PAIRS = 60
# Mean difference (0..1) of such pairs below which the photo, too, is its own mirror image; its light may differ.
SAME_COLOR = 0.12

# A plane whose normal points this straight at the camera (cosine) is not considered: it would put the front onto the
# back, which the front says nothing about.
MAX_FACING = 0.8


@dataclass(frozen=True)
class MirrorPlane:
    """The points p with normal . p = offset; the normal is a unit vector."""

    normal: F64
    offset: float

    def mirror_points(self, points: F64) -> F64:
        """(n, 3) points mirrored."""
        away = points @ self.normal - self.offset
        return points - 2 * away[:, None] * self.normal

    def mirror_directions(self, directions: Any) -> F64:
        """(n, 3) directions mirrored."""
        return np.asarray(directions - 2 * (directions @ self.normal)[:, None] * self.normal)


def find_mirror_plane(mesh: Mesh, view: Camera) -> MirrorPlane | None:
    """The upright plane in which the mesh is its own mirror image, judged by its surface; None where there is none.

    Args:
        view: planes that face this camera are not considered.
    """
    from scipy.spatial import cKDTree

    points = _surface_points(mesh)
    tree = cKDTree(points)
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    towards = towards_viewer(view, centre[None])[0]
    candidates = []
    for angle in np.radians(np.arange(0, 180, TURN_STEP_DEG)):
        normal = np.array([np.cos(angle), 0.0, np.sin(angle)])
        if abs(normal @ towards) > MAX_FACING:
            continue
        plane = MirrorPlane(normal, float(centre @ normal))
        candidates.append((_mean_distance(plane, points[:: POINTS // MIRRORED_POINTS_FIRST], tree), plane))
    least = min(distance for distance, _ in candidates)
    # Of planes that agree about as well (a round object has many), the one between the object's own left and right.
    equal = [plane for distance, plane in candidates if distance <= EQUAL_RATIO * least]
    best = max(equal, key=lambda plane: abs(plane.normal[0]))
    best, distance = _refined(best, points[:: POINTS // MIRRORED_POINTS], tree)
    return best if distance < SYMMETRIC_DISTANCE else None


def _refined(plane: MirrorPlane, points: F64, tree: Any) -> tuple[MirrorPlane, float]:
    """The best plane near a plane, and its mean distance."""
    distance = _mean_distance(plane, points, tree)
    for turn_deg, shift in REFINE_STEPS:
        for turn, move in ((turn_deg, 0.0), (-turn_deg, 0.0), (0.0, shift), (0.0, -shift)):
            angle = np.arctan2(plane.normal[2], plane.normal[0]) + np.radians(turn)
            normal = np.array([np.cos(angle), 0.0, np.sin(angle)])
            foot = plane.normal * plane.offset
            tried = MirrorPlane(normal, float(foot @ normal) + move)
            tried_distance = _mean_distance(tried, points, tree)
            if tried_distance < distance:
                plane, distance = tried, tried_distance
    return plane, distance


def _mean_distance(plane: MirrorPlane, points: F64, tree: Any) -> float:
    """Mean distance from the mirrored points to the nearest point of the surface, each at most ``MAX_DISTANCE``."""
    distance, _ = tree.query(plane.mirror_points(points), distance_upper_bound=MAX_DISTANCE)
    return float(np.minimum(distance, MAX_DISTANCE).mean())


def _surface_points(mesh: Mesh) -> F64:
    """(POINTS, 3) points spread evenly over the surface, the same every time."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = np.cumsum(area)
    number = np.arange(POINTS)
    chosen = np.minimum(np.searchsorted(total, (number + 0.5) / POINTS * total[-1]), len(area) - 1)
    # Even within a triangle too: the additive sequence of the plastic number (Roberts 2018), folded at the diagonal.
    u, v = (number * 0.7548776662466927) % 1, (number * 0.5698402909980532) % 1
    over = u + v > 1
    u, v = np.where(over, 1 - u, u)[:, None], np.where(over, 1 - v, v)[:, None]
    a, b, c = corners[chosen].transpose(1, 0, 2)
    return np.asarray(a + u * (b - a) + v * (c - a))


def photo_agrees(front: Projection, mirrored: Projection) -> bool:
    """Whether the photo shows the same colours at points and at their mirror images, where it shows both.

    True where it shows fewer than ``MIN_PAIRS`` of them: then the shape alone decides.

    Args:
        front: the photo's colours of some texels. mirrored: of the same texels from ``project_mirror_image``.
    """
    both = (front.weight > 0) & (mirrored.weight > 0)
    if both.sum() < MIN_PAIRS:
        return True
    return float(np.abs(front.color[both] - mirrored.color[both]).mean()) < SAME_COLOR


def project_mirror_image(
    asked: Bool,
    plane: MirrorPlane,
    surface: Texels,
    atlas: Atlas,
    view: Camera,
    rgb: U8,
    alpha: U8,
    *,
    max_angle_deg: float,
    depths: DepthMap | None = None,
) -> Projection:
    """The photo's colours at the mirror images of some texels, where those lie on the surface and are seen.

    Args:
        asked: (n,) bool, which texels. All others get weight 0.
        rgb, alpha, max_angle_deg, depths: see ``bake.project_colors``.
    """
    index = np.flatnonzero(asked)
    mirrored = replace(
        surface,
        position=plane.mirror_points(surface.position[index].astype(np.float64)).astype(np.float32),
        normal=plane.mirror_directions(surface.normal[index]).astype(np.float32),
        spacing=surface.spacing[index],
    )
    found = project_colors(mirrored, atlas, view, rgb, alpha, max_angle_deg=max_angle_deg, depths=depths)
    color, weight = np.zeros((len(asked), 3), np.float32), np.zeros(len(asked), np.float32)
    color[index], weight[index] = found.color, found.weight
    return Projection(color, weight)
