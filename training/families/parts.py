"""Closed pieces to build objects from, and ways to move and repeat them.

Every builder takes a ``Paint`` first and returns one closed ``Part`` whose faces run counter-clockwise from outside.
The transforms take one part or a list and return the same kind; nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from training.families.outlines import circle, curve, oval, triangulated
from training.shapes import Part

Things = TypeVar("Things", Part, list[Part])
Point = Any  # three numbers
ORIGIN = (0.0, 0.0, 0.0)
AXES = {"x": 0, "y": 1, "z": 2}


class Paint(NamedTuple):
    """A natural sRGB colour, 0..255, and the name of the pieces that are repainted together."""

    color: tuple[int, int, int]
    material: str


def closed(paint: Paint, vertices: Any, faces: Any) -> Part:
    """A part of a watertight triangle soup, turned inside out where its volume is negative."""
    vertices = np.asarray(vertices, np.float64)
    a, b, c = vertices[faces[:, 0]], vertices[faces[:, 1]], vertices[faces[:, 2]]
    if (a * _cross(b, c)).sum() < 0:
        faces = faces[:, ::-1]
    return Part(vertices, faces, paint.color, paint.material)


def box(paint: Paint, size: Point, at: Point = ORIGIN, bevel: float = 0.0) -> Part:
    """A box around ``at``; with ``bevel`` its edges are cut by that much."""
    half = np.asarray(size, np.float64) / 2
    cut = min(bevel, 0.45 * 2 * half.min())
    signs, masks, faces = _box_plan(cut > 0)
    return Part(signs * (half - cut * masks) + np.asarray(at, np.float64), faces, paint.color, paint.material)


def block(paint: Paint, low: Point, high: Point, bevel: float = 0.0) -> Part:
    """A box from its lowest to its highest corner."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    return box(paint, high - low, (low + high) / 2, bevel)


def loft(paint: Paint, rings: Any, ends: tuple[Point, Point] | None = None, *, loop: bool = False) -> Part:
    """A skin over (r, s, 3) rings of equally many points, shut by fans at both ends.

    Args:
        ends: the middles of both fans; the rings' means when None.
        loop: the last ring joins the first instead (a torus), and there are no ends.
    """
    rings = np.asarray(rings, np.float64)
    vertices = rings.reshape(-1, 3)
    if not loop:
        tips = (rings[0].mean(0), rings[-1].mean(0)) if ends is None else ends
        vertices = np.concatenate([vertices, np.asarray(tips, np.float64)])
    return closed(paint, vertices, _loft_faces(len(rings), rings.shape[1], loop))


def rod(
    paint: Paint, start: Point, end: Point, radius: float, end_radius: float | None = None, sides: int = 12
) -> Part:
    """A cylinder or cone frustum between two points. An ``end_radius`` of 0 makes a cone."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    u, v = _across(end - start)
    loop = circle(1.0, sides)
    ring = loop[:, :1] * u + loop[:, 1:] * v
    tip = radius if end_radius is None else max(end_radius, 1e-3 * radius)
    return loft(paint, [start + radius * ring, end + tip * ring], (start, end))


def bar(paint: Paint, start: Point, end: Point, width: float, height: float | None = None) -> Part:
    """A square or flat rod between two points: ``width`` across, ``height`` in the plane nearest to upright."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    u, v = _across(end - start)
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array([width, height or width]) / 2
    ring = half[:, :1] * u + half[:, 1:] * v
    return loft(paint, [start + ring, end + ring])


def tube(
    paint: Paint, points: Any, radius: Any, sides: int = 8, *, steps: int = 4, flat: float = 1.0, loop: bool = False
) -> Part:
    """A tube along a smooth curve through 3D points.

    Args:
        radius: one number, or one for every point.
        steps: pieces between two points; 1 keeps the corners.
        flat: its width (level, across its start) as a share of its height.
        loop: the curve is closed.
    """
    points = np.asarray(points, np.float64)
    radii = np.broadcast_to(np.asarray(radius, np.float64), len(points))
    line = curve(np.column_stack([points, radii]), steps, loop=loop)
    ahead = _tangents(line[:, :3], loop)
    u, v = _carried_frames(ahead)
    turn = circle(1.0, sides)
    ring = flat * turn[None, :, :1] * u[:, None] + turn[None, :, 1:] * v[:, None]
    rings = line[:, None, :3] + np.maximum(line[:, None, 3:], 1e-4) * ring
    return loft(paint, rings, (line[0, :3], line[-1, :3]), loop=loop)


def lathe(paint: Paint, profile: Any, at: Point = ORIGIN, sides: int = 20) -> Part:
    """A turned solid about the y axis through ``at``: (k, 2) radius and height, bottom to top (or out, in and down)."""
    profile = np.asarray(profile, np.float64)
    at = np.asarray(at, np.float64)
    tips = [at + np.array((0, profile[i, 1], 0)) for i in (0, -1)]
    inner = profile[int(profile[0, 0] < 1e-9) : len(profile) - int(profile[-1, 0] < 1e-9)]
    turn = circle(1.0, sides)
    rings = np.empty((len(inner), sides, 3))
    rings[..., 0] = inner[:, :1] * turn[:, 0]
    rings[..., 1] = inner[:, 1:]
    rings[..., 2] = inner[:, :1] * turn[:, 1]
    return loft(paint, rings + at, (tips[0], tips[1]))


def vessel(paint: Paint, profile: Any, wall: float, at: Point = ORIGIN, sides: int = 24) -> Part:
    """A turned vessel open at the top. ``profile``: its outside from the foot to the rim; ``wall``: its thickness."""
    outside = np.asarray(profile, np.float64)
    floor = outside[0, 1] + 1.2 * wall
    inside = np.column_stack([np.maximum(outside[:, 0] - wall, 0.1 * outside[:, 0]), outside[:, 1]])
    inside = inside[(inside[:, 1] > floor + 0.2 * wall)][::-1]
    foot = [inside[-1, 0] * 0.9, floor] if len(inside) else [outside[0, 0] * 0.8, floor]
    return lathe(paint, np.concatenate([outside, inside, [foot]]), at, sides)


def extrude(paint: Paint, outline: Any, depth: float, at: Point = ORIGIN, axis: str = "z", bevel: float = 0.0) -> Part:
    """A simple 2D polygon given thickness, centred on ``at`` along ``axis``.

    Args:
        outline: (k, 2); (x, y) for axis z, (z, y) for axis x, (x, z) for axis y.
        bevel: how far the edges of both faces are cut.
    """
    outline = np.asarray(outline, np.float64)
    if bevel > 0:
        small = _inset(outline, bevel)
        loops = [(small, -depth / 2), (outline, bevel - depth / 2), (outline, depth / 2 - bevel), (small, depth / 2)]
    else:
        loops = [(outline, -depth / 2), (outline, depth / 2)]
    vertices = np.concatenate([_placed(loop, height, axis) for loop, height in loops]) + np.asarray(at, np.float64)
    count, last = len(outline), len(vertices) - len(outline)
    lid = triangulated(outline)
    sides = _loft_faces(len(loops), count, False)[: 2 * count * (len(loops) - 1)]
    return closed(paint, vertices, np.concatenate([sides, lid[:, ::-1], lid + last]))


def frame(paint: Paint, outer: Any, inner: Any, depth: float, at: Point = ORIGIN, axis: str = "z") -> Part:
    """What lies between two 2D loops of equally many points, given thickness: a frame or a washer."""
    outer, inner = np.asarray(outer, np.float64), np.asarray(inner, np.float64)
    half = depth / 2
    loops = [(outer, -half), (outer, half), (inner, half), (inner, -half)]
    rings = np.stack([_placed(loop, height, axis) for loop, height in loops]) + np.asarray(at, np.float64)
    return loft(paint, rings, loop=True)


def sheet(paint: Paint, grid: Any, thickness: float) -> Part:
    """A bent sheet: a slab of even thickness about an (r, c, 3) grid of points."""
    grid = np.asarray(grid, np.float64)
    normal = _cross(np.gradient(grid, axis=0), np.gradient(grid, axis=1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    half = normal * thickness / 2
    vertices = np.concatenate([(grid + half).reshape(-1, 3), (grid - half).reshape(-1, 3)])
    return closed(paint, vertices, _sheet_faces(grid.shape[0], grid.shape[1]))


def stacked(
    paint: Paint, rings: list[tuple[float, float, float, float, float]], square: float = 0.9, sides: int = 24
) -> Part:
    """A skin over ovals: (width, depth, height, shift in z, tilt) each; up, in and down again leaves it open."""
    loops = []
    for width, depth, y, z, tilt in rings:
        loop = oval(width, depth, sides, square)
        loops.append(np.column_stack([loop[:, 0], y + tilt * loop[:, 1], loop[:, 1] + z]))
    return loft(paint, loops)


def ellipsoid(
    paint: Paint, radii: Point, at: Point = ORIGIN, sides: int = 16, square: float = 1.0, rings: int = 9
) -> Part:
    """An ellipsoid; ``square`` below 1 fills its box more and more (0.3 is a cushion). About y, poles up and down."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings + 2)
    turn = circle(1.0, sides)
    radius = _power(np.cos(angle[1:-1]), square)
    grid = np.empty((rings, sides, 3))
    grid[..., 0] = radius[:, None] * _power(turn[:, 0], square)
    grid[..., 1] = _power(np.sin(angle[1:-1]), square)[:, None]
    grid[..., 2] = radius[:, None] * _power(turn[:, 1], square)
    radii, at = np.asarray(radii, np.float64), np.asarray(at, np.float64)
    pole = np.array((0, radii[1], 0))
    return loft(paint, grid * radii + at, (at - pole, at + pole))


def cushion(paint: Paint, size: Point, at: Point = ORIGIN, square: float = 0.35) -> Part:
    """A soft rounded box."""
    return ellipsoid(paint, np.asarray(size) / 2, at, 20, square, 9)


def torus(paint: Paint, radius: float, thickness: float, at: Point = ORIGIN, axis: str = "y", sides: int = 20) -> Part:
    """A ring of ``thickness`` (its tube's radius) about an axis."""
    u = circle(1.0, sides)
    v = circle(thickness, 6)
    rings = np.empty((sides, 6, 3))
    rings[..., 0] = u[:, :1] * (radius + v[:, 0])
    rings[..., 1] = v[:, 1]
    rings[..., 2] = u[:, 1:] * (radius + v[:, 0])
    order = {"y": (0, 1, 2), "x": (1, 0, 2), "z": (0, 2, 1)}[axis]
    return loft(paint, rings[..., order] + np.asarray(at, np.float64), loop=True)


def warped(things: Things, change: Callable[[Any], Any]) -> Things:
    """The same pieces, ``change`` applied to their (n, 3) vertices. It must not turn space inside out."""
    return _each(things, lambda one: Part(change(one.vertices), one.faces, one.color, one.material))


def moved(things: Things, offset: Point) -> Things:
    """Shifted."""
    step = np.asarray(offset, np.float64)
    return warped(things, lambda v: v + step)


def scaled(things: Things, factor: float | Point, at: Point = ORIGIN) -> Things:
    """Stretched about a point by positive factors."""
    middle, size = np.asarray(at, np.float64), np.asarray(factor, np.float64)
    return warped(things, lambda v: (v - middle) * size + middle)


def turned(things: Things, degrees: float, axis: str = "y", at: Point = ORIGIN) -> Things:
    """Turned about an axis through ``at``, right-handed (about y: z goes towards x)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = (AXES[axis] + 1) % 3, (AXES[axis] + 2) % 3
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    middle = np.asarray(at, np.float64)
    return warped(things, lambda v: (v - middle) @ matrix.T + middle)


def aimed(things: Things, direction: Point, at: Point = ORIGIN) -> Things:
    """Turned about the origin so that +Y points along ``direction``, then moved to ``at``."""
    ahead = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    u = _across(ahead)[0]
    matrix = np.stack([u, ahead, _cross(u, ahead)])
    return warped(things, lambda points: points @ matrix + np.asarray(at, np.float64))


def mirrored(things: Things) -> Things:
    """The mirror image, x to -x."""
    return _each(things, lambda one: Part(one.vertices * (-1, 1, 1), one.faces[:, ::-1], one.color, one.material))


def both(things: Part | list[Part]) -> list[Part]:
    """The pieces and their mirror images."""
    parts = things if isinstance(things, list) else [things]
    return parts + mirrored(parts)


def ring(things: Part | list[Part], count: int, start: float = 0.0) -> list[Part]:
    """``count`` copies around the y axis, the first turned by ``start`` degrees."""
    parts = things if isinstance(things, list) else [things]
    return [part for i in range(count) for part in turned(parts, start + 360 * i / count)]


def row(things: Part | list[Part], count: int, step: Point) -> list[Part]:
    """``count`` copies, each a ``step`` further, the middle of the row where the original was."""
    parts, by = (things if isinstance(things, list) else [things]), np.asarray(step, np.float64)
    return [part for i in range(count) for part in moved(parts, by * (i - (count - 1) / 2))]


def corners(things: Part | list[Part]) -> list[Part]:
    """Four copies mirrored in x and z: the legs of a table from one of them."""
    parts = both(things)
    back = [Part(one.vertices * (1, 1, -1), one.faces[:, ::-1], one.color, one.material) for one in parts]
    return parts + back


def bounds(parts: list[Part]) -> tuple[Any, Any]:
    """The lowest and highest corner of pieces."""
    return np.min([p.vertices.min(0) for p in parts], 0), np.max([p.vertices.max(0) for p in parts], 0)


def _each(things: Any, change: Callable[[Part], Part]) -> Any:
    return [change(one) for one in things] if isinstance(things, list) else change(things)


@lru_cache(maxsize=2)
def _box_plan(bevelled: bool) -> tuple[Any, Any, Any]:
    """Signs, cut axes and faces of a box's vertices."""
    from scipy.spatial import ConvexHull

    corner = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    signs = np.repeat(corner, 3, axis=0) if bevelled else corner
    masks = np.tile(1 - np.eye(3), (8, 1)) if bevelled else np.zeros((8, 3))
    points = signs * (1 - 0.2 * masks)
    hull = ConvexHull(points)
    faces = hull.simplices.copy()
    a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    inward = (_cross(b - a, c - a) * hull.equations[:, :3]).sum(1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return signs, masks, faces


@lru_cache(maxsize=512)
def _loft_faces(count: int, sides: int, loop: bool) -> Any:
    i, j = (a.ravel() for a in np.meshgrid(np.arange(count if loop else count - 1), np.arange(sides), indexing="ij"))
    ahead, k = (i + 1) % count, (j + 1) % sides
    a, b, c, d = i * sides + j, i * sides + k, ahead * sides + k, ahead * sides + j
    faces = [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
    if not loop:
        j, k = np.arange(sides), (np.arange(sides) + 1) % sides
        first, last, top = np.full(sides, count * sides), np.full(sides, count * sides + 1), (count - 1) * sides
        faces += [np.stack([k, j, first], 1), np.stack([top + j, top + k, last], 1)]
    return np.concatenate(faces)


@lru_cache(maxsize=256)
def _sheet_faces(rows: int, columns: int) -> Any:
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a: Any = (i * columns + j).ravel()
    top = np.concatenate([np.stack([a, a + columns, a + columns + 1], 1), np.stack([a, a + columns + 1, a + 1], 1)])
    under = rows * columns
    rim = [(0, c) for c in range(columns - 1)] + [(r, columns - 1) for r in range(rows - 1)]
    rim += [(rows - 1, c) for c in range(columns - 1, 0, -1)] + [(r, 0) for r in range(rows - 1, 0, -1)]
    edge: Any = np.array([r * columns + c for r, c in rim])
    after = np.roll(edge, -1)
    side = np.concatenate([np.stack([edge, after, after + under], 1), np.stack([edge, after + under, edge + under], 1)])
    return np.concatenate([top, top[:, ::-1] + under, side])


def _cross(a: Any, b: Any) -> Any:
    x = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    y = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    z = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return np.stack([x, y, z], -1)


def _power(values: Any, exponent: float) -> Any:
    return values if exponent == 1 else np.sign(values) * np.abs(values) ** exponent


def _across(direction: Any) -> tuple[Any, Any]:
    """Two unit vectors across a direction, the first level where possible."""
    ahead = np.asarray(direction, np.float64) / max(float(np.linalg.norm(direction)), 1e-12)
    level = np.array([ahead[2], 0.0, -ahead[0]])
    size = float(np.linalg.norm(level))
    u = level / size if size > 1e-6 else np.array([1.0, 0.0, 0.0])
    return u, _cross(ahead, u)


def _tangents(line: Any, loop: bool) -> Any:
    ahead = np.roll(line, -1, 0) - np.roll(line, 1, 0) if loop else np.gradient(line, axis=0)
    return ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)


def _carried_frames(ahead: Any) -> tuple[Any, Any]:
    """Frames along a curve that turn no more than the curve does."""
    u = np.empty_like(ahead)
    u[0] = _across(ahead[0])[0]
    for i in range(1, len(ahead)):
        bent = u[i - 1] - ahead[i] * (u[i - 1] @ ahead[i])
        u[i] = bent / max(float(np.sqrt(bent @ bent)), 1e-12)
    return u, _cross(ahead, u)


def _placed(loop: Any, height: float, axis: str) -> Any:
    high = np.full(len(loop), height)
    columns = {"z": (loop[:, 0], loop[:, 1], high), "x": (high, loop[:, 1], loop[:, 0])}
    return np.stack(columns.get(axis, (loop[:, 0], high, loop[:, 1])), 1)


def _inset(outline: Any, by: float) -> Any:
    """A polygon's corners moved inwards; at sharp corners no more than 1.5 times as far."""
    edge = np.roll(outline, -1, 0) - outline
    edge /= np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-12)
    x, y = outline.T
    sense = np.sign((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    inward = np.stack([-edge[:, 1], edge[:, 0]], 1) * sense
    mean = inward + np.roll(inward, 1, 0)
    mean /= np.maximum((mean**2).sum(1, keepdims=True) / 2, 0.9)
    return outline + by * mean
