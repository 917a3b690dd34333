"""Evaluates the field where the surface is, and nowhere else.

Coarse to fine, like the official refinement, but by cells: a level's crossed cells are cut in eight, their corners are
evaluated, and then the surface is followed out of the cells it leaves until no crossed face is left open (Wyvill et
al. 1986 follow surfaces so). What is found is therefore closed, and equal to the dense grid's surface wherever that
has a part in one of the cells: no band of a guessed width has to be evaluated around it.

Parts thinner than a coarse cell can hide between its points. Points from which the field, going on as steeply as it
does beside them, would reach the surface within one cell although no neighbour lies across it are suspects: the cells
around them are cut too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from manymesh.errors import ObjectError
from manymesh.mesh.marching_table import FACES
from manymesh.shape.hunyuan.marching import corner_offsets, crossing, crossing_cells

# A ball that fills the box is crossed by about 6 R^2 cells. Ten times as many are no object but noise.
_MOST_CELLS = 60
_CELLS_AT_ONCE = 1 << 17
_POINTS_AT_ONCE = 1 << 21


def empty_volume() -> ObjectError:
    return ObjectError(
        "the shape network left the volume empty", "Check the cutout; another --seed or more --steps may help"
    )


def not_finite(what: str = "values") -> ObjectError:
    return ObjectError(
        f"the shape network gave {what} that are not finite",
        "Try --shape-precision float32, and look at the cutout",
    )


class GridField(Protocol):
    def __call__(self, index: Tensor, resolution: int) -> Tensor:
        """Logits (N,) float32 at grid indices (N, 3) int64 of a grid with ``resolution`` cells; over 0 is inside."""


@dataclass(frozen=True)
class SparseVolume:
    """A volume with the surface's surroundings evaluated.

    Attributes:
        values: (R+1, R+1, R+1) float32, NaN where nothing was asked for. The outermost points count as outside, so
            the surface is closed even where the object leaves the box.
        cells: (M,) int64 rising flat indices of the base points of all cells that the surface crosses.
        queries: points evaluated, for each level.
    """

    values: Tensor
    cells: Tensor
    queries: tuple[int, ...]

    @property
    def resolution(self) -> int:
        return self.values.shape[0] - 1


def doubling_sizes(resolution: int, min_resolution: int = 63) -> list[int]:
    """Cells per axis of each level, each twice the one before; the last is ``resolution``, rounded up where needed."""
    levels = 0
    while resolution >> levels + 1 >= min_resolution:
        levels += 1
    coarsest = -(-resolution >> levels)  # rounded up
    return [coarsest << level for level in range(levels + 1)]


@torch.inference_mode()
def sparse_volume(field: GridField, resolution: int, *, min_resolution: int = 63, device: torch.device) -> SparseVolume:
    """The surface of a field on a fine grid.

    Args:
        field: asked level by level, the coarsest level whole.
        resolution: cells per axis R; see ``doubling_sizes``.
        min_resolution: the coarsest level has at least so many cells per axis.
        device: where the volume lies: 4 bytes a point, and 1 more for the level in work.

    Raises:
        ObjectError: a value is not finite, nothing is inside, or the surface is everywhere.
    """
    sizes = doubling_sizes(resolution, min_resolution)
    level = _Level(field, sizes[0], device)
    level.ask(torch.arange(level.points**3, device=device))
    cells, queries = _of_an_object(crossing_cells(level.volume), sizes[0]), [level.queries]
    for size in sizes[1:]:
        active = torch.cat([cells, suspect_cells(level.volume)]).unique()
        finer = _Level(field, size, device)
        cells = _of_an_object(finer.follow(_children_bases(active, level.points, finer.points)), size)
        level = finer
        queries.append(level.queries)
    if len(cells) == 0:
        raise empty_volume()
    return SparseVolume(level.volume, cells, tuple(queries))


def dense_volume(field: GridField, resolution: int, *, device: torch.device) -> SparseVolume:
    """The same with every point evaluated: what ``sparse_volume`` is held against."""
    return sparse_volume(field, resolution, min_resolution=resolution, device=device)


def _of_an_object(cells: Tensor, resolution: int) -> Tensor:
    """The cells, when there are not so many that everything after this would drown in triangles."""
    if len(cells) > _MOST_CELLS * resolution**2:
        raise ObjectError(
            "the shape network made a cloud of surfaces and no object", "Look at the cutout; try another --seed"
        )
    return cells


class _Level:
    """One level's volume while it is filled."""

    def __init__(self, field: GridField, resolution: int, device: torch.device) -> None:
        self.field, self.resolution, self.points = field, resolution, resolution + 1
        self.volume = torch.full((self.points,) * 3, torch.nan, device=device)
        self.flat = self.volume.view(-1)
        self.queries = 0

    def ask(self, ids: Tensor) -> None:
        """Evaluates those of the points that have no value yet."""
        for part in ids.split(_POINTS_AT_ONCE):
            todo = part[self.flat[part].isnan()].unique()
            if len(todo) == 0:
                continue
            index = torch.stack(self.coordinates(todo), dim=1)
            values = self.field(index, self.resolution)
            if not bool(values.isfinite().all()):
                raise not_finite()
            # The box ends here: its outermost points are outside, so that the surface closes.
            border = ((index == 0) | (index == self.resolution)).any(dim=1)
            self.flat[todo] = torch.where(border, -values.abs(), values)
            self.queries += len(todo)

    def coordinates(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        n = self.points
        return ids // (n * n), ids // n % n, ids % n

    def follow(self, bases: Tensor) -> Tensor:
        """All crossed cells that the surface reaches from the 2x2x2 cells at each of ``bases``, rising."""
        n, device = self.points, self.flat.device
        seen = torch.zeros(n**3, dtype=torch.bool, device=device)
        eight, block = corner_offsets(n, device), _block_offsets(n, device)
        found = []
        for part in bases.split(_CELLS_AT_ONCE):
            self.ask((part[:, None] + block).view(-1))
            cells = (part[:, None] + eight).view(-1)
            seen[cells] = True
            found.append(cells[crossing(self.flat[cells[:, None] + eight])])
        front = torch.cat(found) if found else bases
        while len(front):
            beyond = torch.cat([self._across(part) for part in front.split(_CELLS_AT_ONCE)]).unique()
            fresh = beyond[~seen[beyond]]
            seen[fresh] = True
            parts = []
            for part in fresh.split(_CELLS_AT_ONCE):
                corners = part[:, None] + eight
                self.ask(corners.view(-1))
                parts.append(part[crossing(self.flat[corners])])
            front = torch.cat(parts) if parts else fresh
            found.append(front)
        return torch.cat(found).sort().values if found else bases

    def _across(self, cells: Tensor) -> Tensor:
        """The cells on the other side of each face that the surface crosses."""
        n = self.points
        inside = self.flat[cells[:, None] + corner_offsets(n, self.flat.device)] > 0
        place, stride, out = self.coordinates(cells), (n * n, n, 1), []
        for face, ring in enumerate(FACES):
            axis, side = divmod(face, 2)
            corners = inside[:, list(ring)]
            crossed = corners.any(dim=1) & ~corners.all(dim=1)
            room = place[axis] < n - 2 if side else place[axis] > 0
            out.append(cells[crossed & room] + (stride[axis] if side else -stride[axis]))
        return torch.cat(out)


def suspect_cells(volume: Tensor) -> Tensor:
    """The cells around points beside which a thin part may hide.

    Args:
        volume: (S, S, S) float32, NaN where not evaluated.

    Returns:
        (M,) int64 flat indices of base points, with repeats.
    """
    size = volume.shape[0]
    slope = torch.zeros_like(volume)
    across = torch.zeros_like(volume, dtype=torch.bool)
    for axis in range(3):
        a, b = volume.narrow(axis, 0, size - 1), volume.narrow(axis, 1, size - 1)
        step = (a - b).abs().nan_to_num_(0.0)
        differ = ((a > 0) != (b > 0)) & ~a.isnan() & ~b.isnan()
        steepest = torch.zeros_like(volume)
        for start in range(2):
            part = steepest.narrow(axis, start, size - 1)
            torch.maximum(part, step, out=part)
            across.narrow(axis, start, size - 1).logical_or_(differ)
        slope.addcmul_(steepest, steepest)
    suspect = (volume.abs() < slope.sqrt_()) & ~across
    at = suspect.nonzero()
    shifts = torch.cartesian_prod(*[torch.arange(-1, 1, device=volume.device)] * 3)
    base = (at[:, None] + shifts).reshape(-1, 3)
    base = base[((base >= 0) & (base < size - 1)).all(dim=1)]
    return (base[:, 0] * size + base[:, 1]) * size + base[:, 2]


def _children_bases(cells: Tensor, points: int, finer_points: int) -> Tensor:
    """Flat indices on the finer grid of the first of each cell's eight children."""
    x, y, z = cells // (points * points), cells // points % points, cells % points
    return (2 * x * finer_points + 2 * y) * finer_points + 2 * z


def _block_offsets(points: int, device: torch.device) -> Tensor:
    """(27,) what the points of 2x2x2 cells add to their base."""
    x, y, z = torch.cartesian_prod(*[torch.arange(3, device=device)] * 3).unbind(dim=1)
    return (x * points + y) * points + z
