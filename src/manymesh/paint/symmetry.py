"""What a thing may look like where the photo does not see it: its own mirror image, where it is one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from manymesh.render.bake import DepthMap, Projection, project_colors
from manymesh.render.camera import towards_viewer
from manymesh.render.texels import Texels
from manymesh.types import F64, U8, Atlas, Camera, Mesh

POINTS = 16_000
ASKED, ASKED_AT_FIRST = 1000, 250
"""Of them, how many look for their mirror image's nearest."""
TURN_STEP_DEG = 7.5
FAR = 0.12
"""Mesh units (the longest side is 2): a point further than this from its mirror image's nearest counts as lost."""
AGREES = 0.022
"""Mean distance below which a thing counts as its own mirror image."""
ALIKE = 1.2
PAIRS = 60
"""With fewer places than this whose mirror image is seen as well, the photo has no say."""
SAME_COLOR = 0.12
"""Mean difference (0..1) of such pairs up to which the photo, too, is its own mirror image; light may differ."""
FACING = 0.8
"""A plane whose normal points this straight at the camera would put the front onto the back: no clue to that side."""


@dataclass(frozen=True)
class MirrorPlane:
    """Points p with normal . p = offset; the normal is a unit vector."""

    normal: F64
    offset: float

    def mirrored(self, points: Any) -> Any:
        away = points @ self.normal - self.offset
        return points - 2 * away[:, None] * self.normal

    def turned(self, directions: Any) -> Any:
        return directions - 2 * (directions @ self.normal)[:, None] * self.normal


def find_mirror_plane(mesh: Mesh, view: Camera) -> MirrorPlane | None:
    """The upright plane in which a thing is its own mirror image, judged by its surface; None where there is none.

    Args:
        view: planes that face this camera are not asked for.
    """
    from scipy.spatial import cKDTree

    points = _spread(mesh)
    tree = cKDTree(points)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    towards = towards_viewer(view, middle[None])[0]
    candidates = []
    for angle in np.radians(np.arange(0, 180, TURN_STEP_DEG)):
        normal = np.array([np.cos(angle), 0.0, np.sin(angle)])
        if abs(normal @ towards) > FACING:
            continue
        plane = MirrorPlane(normal, float(middle @ normal))
        candidates.append((_disagreement(plane, points[:: POINTS // ASKED_AT_FIRST], tree), plane))
    least = min(error for error, _ in candidates)
    # Of planes that agree about as well (a round thing has many), the one between the thing's own left and right.
    alike = [plane for error, plane in candidates if error <= ALIKE * least]
    best = max(alike, key=lambda plane: abs(plane.normal[0]))
    best, error = _settled(best, points[:: POINTS // ASKED], tree)
    return best if error < AGREES else None


def _settled(plane: MirrorPlane, points: F64, tree: Any) -> tuple[MirrorPlane, float]:
    """The best plane near a plane, and how well it agrees."""
    error = _disagreement(plane, points, tree)
    for turn_deg, shift in ((3.0, 0.02), (1.5, 0.01), (0.75, 0.005)):
        for turn, move in ((turn_deg, 0.0), (-turn_deg, 0.0), (0.0, shift), (0.0, -shift)):
            angle = np.arctan2(plane.normal[2], plane.normal[0]) + np.radians(turn)
            normal = np.array([np.cos(angle), 0.0, np.sin(angle)])
            middle = plane.normal * plane.offset
            tried = MirrorPlane(normal, float(middle @ normal) + move)
            found = _disagreement(tried, points, tree)
            if found < error:
                plane, error = tried, found
    return plane, error


def _disagreement(plane: MirrorPlane, points: F64, tree: Any) -> float:
    distance, _ = tree.query(plane.mirrored(points), distance_upper_bound=FAR)
    return float(np.minimum(distance, FAR).mean())


def _spread(mesh: Mesh) -> F64:
    """Points all over the surface, every stretch of equal area with as many."""
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


def photo_agrees(front: Projection, found: Projection) -> bool:
    """Whether the photo, where it shows both a place and its mirror image, shows the same there. Where it shows too
    few such pairs to tell, the shape alone decides.

    Args:
        front: what was seen of some texels. found: the same texels from ``seen_in_mirror``.
    """
    both = (front.weight > 0) & (found.weight > 0)
    if both.sum() < PAIRS:
        return True
    return float(np.abs(front.color[both] - found.color[both]).mean()) < SAME_COLOR


def project_mirror_image(
    asked: Any,
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
        asked: (n,) bool, which texels. The answer's weight is 0 for all others.
    """
    index = np.flatnonzero(asked)
    mirrored = replace(
        surface,
        position=plane.mirrored(surface.position[index].astype(np.float64)).astype(np.float32),
        normal=plane.turned(surface.normal[index]).astype(np.float32),
        spacing=surface.spacing[index],
    )
    found = project_colors(mirrored, atlas, view, rgb, alpha, max_angle_deg=max_angle_deg, depths=depths)
    color, weight = np.zeros((len(asked), 3), np.float32), np.zeros(len(asked), np.float32)
    color[index], weight[index] = found.color, found.weight
    return Projection(color, weight)
