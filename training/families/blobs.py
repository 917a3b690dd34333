"""Smooth organic bodies: tapered bones and eggs melted together, as a signed distance field turned into triangles.

Smooth minimum: the quadratic polynomial one of Quilez. Surface: marching cubes of scikit-image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.families.colors import Color
from training.shapes import Part

MOST_CELLS = 64
FACES_PER_CELL_AREA = 2.3  # triangles that marching cubes spends on a surface of one squared cell


@dataclass(frozen=True)
class Bone:
    """A capsule from ``r0`` at ``start`` to ``r1`` at ``end``. ``blend``: how far it melts into others."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    r0: float
    r1: float
    blend: float
    carve: bool = False

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        ends = np.stack([self.start, self.end])
        radii = np.array([[self.r0], [self.r1]])
        return (ends - radii).min(0), (ends + radii).max(0)

    def area(self) -> float:
        mean = (self.r0 + self.r1) / 2
        return float(2 * np.pi * mean * (np.linalg.norm(self.end - self.start) + mean))

    def distance(self, x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]) -> NDArray[np.float32]:
        along = self.end - self.start
        square = max(float(along @ along), 1e-12)
        step = along / square
        at = np.clip(
            (x - self.start[0]) * step[0] + (y - self.start[1]) * step[1] + (z - self.start[2]) * step[2], 0, 1
        )
        dx = x - self.start[0] - at * along[0]
        dy = y - self.start[1] - at * along[1]
        dz = z - self.start[2] - at * along[2]
        return np.sqrt(dx * dx + dy * dy + dz * dz) - (self.r0 + at * (self.r1 - self.r0))


@dataclass(frozen=True)
class Egg:
    """An ellipsoid; ``axes`` rows are its unit axes in the world. ``carve``: taken away from what came before it."""

    centre: NDArray[np.float64]
    radii: NDArray[np.float64]
    axes: NDArray[np.float64]
    blend: float
    carve: bool = False

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        reach = np.sqrt(((self.axes * self.radii[:, None]) ** 2).sum(0))
        return self.centre - reach, self.centre + reach

    def area(self) -> float:
        a, b, c = self.radii**1.6
        return float(4 * np.pi * ((a * b + a * c + b * c) / 3) ** (1 / 1.6))

    def distance(self, x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]) -> NDArray[np.float32]:
        px, py, pz = x - self.centre[0], y - self.centre[1], z - self.centre[2]
        scaled = [
            ((px * axis[0] + py * axis[1] + pz * axis[2]) / radius, radius)
            for axis, radius in zip(self.axes, self.radii, strict=True)
        ]
        near = np.sqrt(sum(part * part for part, _ in scaled))
        slope = np.sqrt(sum((part / radius) ** 2 for part, radius in scaled))
        return near * (near - 1) / np.maximum(slope, 1e-6)


Lump = Bone | Egg


def bone(
    start: Any,
    end: Any,
    r0: float,
    r1: float | None = None,
    blend: float | None = None,
    carve: bool = False,
) -> Bone:
    """A tapered capsule; it melts over 0.7 of its thinner radius unless told otherwise."""
    r1 = r0 if r1 is None else r1
    blend = 0.7 * min(r0, r1) if blend is None else blend
    return Bone(np.asarray(start, np.float64), np.asarray(end, np.float64), float(r0), float(r1), float(blend), carve)


def egg(
    centre: Any,
    radii: Any,
    axes: Any = None,
    blend: float | None = None,
    carve: bool = False,
) -> Egg:
    """An ellipsoid, or a ball where ``radii`` is one number."""
    size = np.broadcast_to(np.asarray(radii, np.float64), 3)
    turned = np.eye(3) if axes is None else np.asarray(axes, np.float64)
    return Egg(np.asarray(centre, np.float64), size, turned, float(0.5 * size.min() if blend is None else blend), carve)


def chain(points: Any, radii: Any, blend: float | None = None) -> list[Lump]:
    """Bones along a polyline, (n, 3) points with (n,) radii."""
    where, thick = (
        np.asarray(points, np.float64),
        np.broadcast_to(np.asarray(radii, np.float64), len(np.asarray(points))),
    )
    return [bone(where[i], where[i + 1], thick[i], thick[i + 1], blend) for i in range(len(where) - 1)]


def mirrored(lumps: Sequence[Lump]) -> list[Lump]:
    """The lumps and their images across x = 0."""
    flip = np.array([-1.0, 1.0, 1.0])
    images: list[Lump] = []
    for lump in lumps:
        if isinstance(lump, Bone):
            images.append(replace(lump, start=lump.start * flip, end=lump.end * flip))
        else:
            images.append(replace(lump, centre=lump.centre * flip, axes=lump.axes * flip))
    return [*lumps, *images]


def tilted(pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """(3, 3), rows = the axes of an object nose up by ``pitch``, turned to +X by ``yaw``, rolled about Z; radians."""
    cp, sp, cy, sy, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw), np.cos(roll), np.sin(roll)
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).T


@dataclass(frozen=True)
class Field:
    """A distance field on a grid: values (nx, ny, nz) float32, negative inside; ``low`` is cell (0, 0, 0)."""

    values: NDArray[np.float32]
    low: NDArray[np.float64]
    cell: float

    def axes(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """x, y and z of the cells, shaped to broadcast."""
        lines = [(self.low[i] + self.cell * np.arange(n)).astype(np.float32) for i, n in enumerate(self.values.shape)]
        return lines[0][:, None, None], lines[1][None, :, None], lines[2][None, None, :]


def field_of(lumps: Sequence[Lump], faces: int = 2500) -> Field:
    """The smooth union of lumps, on a grid fine enough for about ``faces`` triangles (at most 64 cells long)."""
    solid = [lump for lump in lumps if not lump.carve]
    low = np.min([lump.bounds()[0] for lump in solid], axis=0)
    high = np.max([lump.bounds()[1] for lump in solid], axis=0)
    area = sum(lump.area() for lump in solid)
    cell = max(float((high - low).max()) / (MOST_CELLS - 7), float(np.sqrt(area * FACES_PER_CELL_AREA / faces)))
    low, high = low - 3 * cell, high + 3 * cell
    count = np.ceil((high - low) / cell).astype(int) + 1
    field = Field(np.full(count, 1e3 * cell, np.float32), low, cell)
    for lump in lumps:
        _melt(field, lump)
    return field


def _melt(field: Field, lump: Lump) -> None:
    """Join (or carve) one lump, touching only the cells it can reach."""
    low, high = lump.bounds()
    margin = lump.blend + 2 * field.cell
    first = np.maximum(np.floor((low - margin - field.low) / field.cell).astype(int), 0)
    last = np.ceil((high + margin - field.low) / field.cell).astype(int) + 1
    box = tuple(slice(a, max(b, a)) for a, b in zip(first, last, strict=True))
    x, y, z = field.axes()
    new = lump.distance(x[box[0]], y[:, box[1]], z[:, :, box[2]])
    old = field.values[box]
    field.values[box] = -_smooth_min(-old, new, lump.blend) if lump.carve else _smooth_min(old, new, lump.blend)


def _smooth_min(a: NDArray[np.float32], b: NDArray[np.float32], blend: float) -> NDArray[np.float32]:
    if blend <= 0:
        return np.minimum(a, b)
    near = np.maximum(blend - np.abs(a - b), 0)
    return np.minimum(a, b) - near * near * np.float32(0.25 / blend)


def surface(field: Field, color: Color, material: str = "body") -> Part:
    """The zero level of a field as a closed piece."""
    from skimage.measure import marching_cubes

    values = np.where(np.abs(field.values) < 1e-3 * field.cell, np.float32(1e-3 * field.cell), field.values)
    vertices, faces, _, _ = marching_cubes(values, 0.0)
    return Part(vertices * field.cell + field.low, faces, color, material)


def blob(
    lumps: Sequence[Lump], color: Color, material: str = "body", faces: int = 2500, *, whole: bool = False
) -> Part:
    """One closed smooth piece from lumps; ``whole`` drops all but the largest where they do not hang together."""
    field = field_of(lumps, faces)
    return surface(largest(field) if whole else field, color, material)


def largest(field: Field) -> Field:
    """The field without the islands beside its largest body."""
    from scipy.ndimage import label

    islands, count = label(field.values < 0)
    if count < 2:
        return field
    sizes = np.bincount(islands.ravel())
    sizes[0] = 0
    stray = (islands > 0) & (islands != sizes.argmax())
    return replace(field, values=np.where(stray, np.float32(field.cell), field.values))


def patch(field: Field, spot: Lump, color: Color, material: str, proud: float = 0.35) -> Part | None:
    """A patch of another colour: the part of its skin inside ``spot``, ``proud`` cells out. None if empty."""
    near = spot.distance(*field.axes())
    shell = np.abs(field.values + np.float32(field.cell)) - np.float32((1 + proud) * field.cell)
    values = np.maximum(shell, near.astype(np.float32))
    if values.min() >= 0 or (values < 0).sum() < 8:
        return None
    return surface(replace(field, values=values), color, material)
