"""Volume rendering of a TripoSR field, as the published program does it. For comparisons with recorded pictures."""

from __future__ import annotations

import math

import numpy as np

from manymesh.shape.triposr.field import Field
from manymesh.types import F32

# The box that rays are cut at, as a share of the field's.
BOX = 0.999


def render_view(
    field: Field,
    *,
    azimuth_deg: float,
    elevation_deg: float,
    distance: float,
    fov_deg: float,
    size_px: int,
    samples: int,
) -> F32:
    """(size_px, size_px, 3) float32 in 0..1 over white, of a camera that orbits the origin of the native frame."""
    origin, rays = _rays(azimuth_deg, elevation_deg, distance, fov_deg, size_px)
    with np.errstate(divide="ignore"):
        ends = (np.array([[-1], [1]]) * BOX * field.radius - origin)[:, None] / rays
    near, far = ends.min(axis=0).max(axis=1), ends.max(axis=0).min(axis=1)
    hit = np.flatnonzero((near < far) & (far > 0))
    out = np.ones((len(rays), 3), np.float32)
    if len(hit):
        middle = (np.arange(samples) + 0.5) / samples
        along = near[hit, None] + (far - near)[hit, None] * middle
        points = (origin + rays[hit, None] * along[..., None]).astype(np.float32).reshape(-1, 3)
        density = field.density(points).reshape(len(hit), samples).astype(np.float64)
        # The published program takes this length of a step whatever the ray's own is.
        alpha = 1 - np.exp(-density / samples)
        left = np.cumprod(1 - alpha + 1e-10, axis=1)
        weight = alpha * np.concatenate([np.ones((len(hit), 1)), left[:, :-1]], axis=1)
        colors = field.colors(points).reshape(len(hit), samples, 3)
        out[hit] = np.einsum("ns,nsc->nc", weight, colors) + (1 - weight.sum(axis=1))[:, None]
    return out.reshape(size_px, size_px, 3)


def _rays(
    azimuth_deg: float, elevation_deg: float, distance: float, fov_deg: float, size_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """The eye, (3,), and (n, 3) unit directions through the pixels' centres, row by row."""
    a, e = math.radians(azimuth_deg), math.radians(elevation_deg)
    back = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    right = np.cross(-back, [0, 0, 1])
    right /= np.linalg.norm(right)
    up = np.cross(right, -back)
    focal = 0.5 * size_px / math.tan(math.radians(fov_deg) / 2)
    place = (np.arange(size_px) + 0.5 - size_px / 2) / focal
    directions = place[None, :, None] * right - place[:, None, None] * up - back
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    return distance * back, directions.reshape(-1, 3)
