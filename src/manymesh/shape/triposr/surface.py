"""The field's surface as a mesh, evaluated near the surface only.

A coarse lattice shows which blocks the surface may cross. The nodes of these are evaluated; a block into which the
surface leads is added until there is none, so that no surface is torn. Only a speck that touches no such block can be
missed, and specks are dropped anyway. The rest gets the coarse lattice's values, between its nodes linearly, so that
its sign is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from manymesh.errors import ObjectError
from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.render.normals import area_weighted_vertex_normals
from manymesh.shape.learned.meshing import drop_small_shells, taubin_smooth
from manymesh.shape.triposr.arithmetic import steps_tick
from manymesh.shape.triposr.field import POINTS, Field, Lattice
from manymesh.stages import Tick
from manymesh.types import F32, U8, Bool, Mesh

# Density at which the surface lies, and the lower one that is tried when nothing is that dense. The published
# program's value, and what its users take for thin objects.
DENSITY, THIN_DENSITY = 25.0, 10.0
# Cells along each side of a block. A block is a texel of the planes, which show nothing finer: 192 cells along each
# axis for the published 64 texels, where the published program has 255.
CELLS = 3
# A block whose corners come this near to the level, in the logarithm of the density, may be crossed though their signs
# are equal: a factor of 4. Published measurements with the official weights missed nothing so.
BAND = math.log(4)
# A field that is solid in more than this share of its box is no object.
MOST_SOLID = 0.5
# Colours are read this far below the surface, in cells: on it the network's colours are noisy. Chosen by hand.
INSET_CELLS = 0.75
# Progress when the coarse lattice and the fine nodes are done. Estimates.
_COARSE, _FINE = 0.3, 0.85


def extract_surface(field: Field, tick: Tick, cells: int = CELLS) -> tuple[Mesh, tuple[str, ...]]:
    """The field's surface with colours, in the upright frame (see ``to_upright``), and notes for people.

    Args:
        tick: told the share done.
        cells: along each side of a block.

    Raises:
        ObjectError: the field is empty, or solid everywhere.
    """
    nodes = field.texels * cells + 1
    lattice = Lattice(field, nodes)
    coarse = _coarse_values(lattice, cells, lambda done: tick(_COARSE * done))
    notes: tuple[str, ...] = ()
    level = math.log(DENSITY) - field.bias
    if not (coarse > level).any():
        level = math.log(THIN_DENSITY) - field.bias
        notes = ("The object came out very thin; it was read at a lower density, which makes it thicker.",)
    solid = float((coarse > level).mean())
    if solid == 0 or solid > MOST_SOLID:
        what = "nothing solid" if solid == 0 else "no outside"
        raise ObjectError(f"The shape network found {what} in the picture", "Try another cutout of the object.")
    volume = refined_volume(lattice, coarse - np.float32(level), level, cells, lambda d: tick(_between(d)))
    grid, faces = marching_cubes(close_border(volume))
    vertices, faces = drop_small_shells(grid.astype(np.float64), faces)
    if not len(faces):
        raise ObjectError("The shape network found nothing solid in the picture", "Try another cutout of the object.")
    vertices = taubin_smooth(vertices, faces)
    tick(0.95)
    native = to_native(vertices, nodes, field.radius)
    colors = surface_colors(field, native, faces, 2 * field.radius / (nodes - 1))
    return Mesh(to_upright(native).astype(np.float32), faces, colors), notes


def _between(done: float) -> float:
    return _COARSE + (_FINE - _COARSE) * done


def _coarse_values(lattice: Lattice, cells: int, tick: Tick) -> F32:
    """The raw density at every ``cells``-th node along each axis."""
    count = (len(lattice.axis) - 1) // cells + 1
    index = np.indices((count,) * 3, np.int32).reshape(3, -1).T * np.int32(cells)
    return _evaluated(lattice, index, tick).reshape((count,) * 3)


def _evaluated(lattice: Lattice, index: Any, tick: Tick) -> F32:
    """The raw density at (n, 3) nodes.

    Raises:
        ObjectError: a value is not finite.
    """

    values = lattice.raw_density(index, steps_tick(tick, 0.0, 1.0, -(-len(index) // POINTS)))
    if not np.isfinite(values.sum(dtype=np.float64)):
        raise ObjectError("The shape network's numbers ran out of range", "Try another cutout of the object.")
    return values


def refined_volume(lattice: Lattice, coarse: F32, level: float, cells: int, tick: Tick) -> F32:
    """(n, n, n) float32, positive inside: exact in all blocks that the surface crosses.

    Args:
        coarse: the values at every ``cells``-th node, less the level.
        level: of the raw density.
    """
    active = _may_cross(coarse)
    volume = _interpolated(coarse, cells)
    known = np.zeros(volume.shape, bool)
    known[::cells, ::cells, ::cells] = True

    def full(done: float) -> None:
        tick(1.0)

    report = tick
    while True:
        wanted = _nodes_of(active, cells) & ~known
        index = np.argwhere(wanted).astype(np.int32)
        volume[wanted] = _evaluated(lattice, index, report) - np.float32(level)
        known |= wanted
        inside = volume > 0
        led_into = _blocks_any(inside, cells) & _blocks_any(~inside, cells) & ~active
        if not led_into.any():
            return volume
        active |= led_into
        # How many more blocks follow is not known, so progress stays where the first ones, by far the most, have led.
        report = full


def _may_cross(coarse: F32) -> Bool:
    """Which blocks have corners on both sides of the level, or near it."""
    low, high = _of_corners(coarse, np.minimum), _of_corners(coarse, np.maximum)
    return np.asarray((high >= -BAND) & (low <= BAND))


def _of_corners(values: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """A value of each block's eight corners: one less along each axis."""
    for axis in range(3):
        values = combine(np.delete(values, -1, axis), np.delete(values, 0, axis))
    return values


def _nodes_of(blocks: Bool, cells: int) -> Bool:
    """Which nodes belong to the blocks, those on their faces included."""
    nodes: Any = blocks
    for axis in range(3):
        spread = np.repeat(nodes, cells, axis)
        shape = list(spread.shape)
        shape[axis] += 1
        grown = np.zeros(shape, bool)
        for shift in (0, 1):
            where = [slice(None)] * 3
            where[axis] = slice(shift, shift + spread.shape[axis])
            grown[tuple(where)] |= spread
        nodes = grown
    return np.asarray(nodes)


def _blocks_any(nodes: Bool, cells: int) -> Bool:
    """Which blocks have a node for which it holds, those on their faces included."""
    found: Any = nodes
    for axis in range(3):
        count = (found.shape[axis] - 1) // cells
        parts = []
        for shift in range(cells + 1):
            where = [slice(None)] * 3
            where[axis] = slice(shift, shift + (count - 1) * cells + 1, cells)
            parts.append(found[tuple(where)])
        found = np.logical_or.reduce(parts)
    return np.asarray(found)


def _interpolated(coarse: F32, cells: int) -> F32:
    """The values at all nodes, linear between the coarse ones."""
    values: Any = coarse
    for axis in range(3):
        low, high = np.delete(values, -1, axis), np.delete(values, 0, axis)
        shape = list(values.shape)
        shape[axis] = (shape[axis] - 1) * cells + 1
        fine = np.empty(shape, np.float32)
        for shift in range(cells):
            where = [slice(None)] * 3
            where[axis] = slice(shift, None if shift == 0 else shape[axis] - 1, cells)
            part = values if shift == 0 else low + (high - low) * np.float32(shift / cells)
            fine[tuple(where)] = part
        values = fine
    return np.asarray(values)


def close_border(volume: F32) -> F32:
    """The volume with its outermost nodes outside, in place, so that the surface is closed."""
    for axis in range(3):
        for end in (0, -1):
            where: list[Any] = [slice(None)] * 3
            where[axis] = end
            volume[tuple(where)] = np.minimum(volume[tuple(where)], -1)
    return volume


def surface_colors(field: Field, points: Any, faces: Any, cell: float) -> U8:
    """(n, 3) uint8 sRGB: the field's colours a little below the surface at each vertex.

    Args:
        points: (n, 3), native frame. faces: (m, 3). cell: side of a cell, in the native frame.
    """
    normals = area_weighted_vertex_normals(points, faces)
    colors = field.colors(np.asarray(points) - normals * (INSET_CELLS * cell))
    return (np.clip(colors, 0, 1) * 255 + 0.5).astype(np.uint8)


def to_native(grid: Any, nodes: int, radius: float) -> Any:
    """Grid coordinates to the network's own frame: +X towards the camera, +Y the picture's right, +Z up."""
    return np.asarray(grid) / (nodes - 1) * (2 * radius) - radius


def to_upright(native: Any) -> Any:
    """The network's frame to ours: +X the picture's right, +Y up, +Z towards the camera. A rotation."""
    return np.ascontiguousarray(np.asarray(native)[:, [1, 2, 0]])
