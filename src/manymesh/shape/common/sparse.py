"""Evaluates the field near the surface only, coarse to fine.

The cells of a level that the surface crosses are divided into eight, their corners are evaluated, and the surface is
followed into neighbouring cells until no crossed face is left open (surface following, Wyvill et al. 1986). The result
is closed, and equal to the dense grid's surface in every component that reaches one of the cells; no band of guessed
width has to be evaluated around it.

Parts thinner than a coarse cell can lie between its points. So cells are divided too around points whose neighbours are
all on the same side, but from which the field, at the slope it has there, would reach zero within one cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.errors import ObjectError
from manymesh.mesh.marching_table import FACES
from manymesh.shape.common.marching_cubes_torch import corner_offsets, crossing, crossing_cells

# What people call the network behind the field.
DECODER = "shape decoder"
# The surface of a ball that fills the box crosses about 6 R^2 cells; ten times as many cells are noise, not an object.
# Chosen by hand.
_MOST_CELLS = 60
# Bound the memory of intermediate tables. Chosen by hand; not measured.
_CELLS_AT_ONCE = 1 << 17
_POINTS_AT_ONCE = 1 << 21


def empty_volume_error() -> ObjectError:
    return ObjectError(
        "the shape network left the volume empty", "Check the cutout; another --seed or more --steps may help"
    )


class GridField(Protocol):
    def __call__(self, index: Tensor, resolution: int) -> Tensor:
        """Logits (N,) float32 at indices (N, 3) int64 of a grid with ``resolution`` cells per axis; positive is
        inside."""


@dataclass(frozen=True)
class SparseVolume:
    """A volume that is evaluated near the surface.

    Attributes:
        values: (R+1, R+1, R+1) float32, NaN where not evaluated. The outermost points count as outside, so the surface
            is closed even where the object leaves the box.
        cells: (M,) int64 ascending flat indices of the base points of all cells that the surface crosses.
        queries: number of points evaluated on each level.
    """

    values: Tensor
    cells: Tensor
    queries: tuple[int, ...]

    @property
    def resolution(self) -> int:
        return self.values.shape[0] - 1


def doubling_sizes(resolution: int, min_resolution: int = 63) -> list[int]:
    """Cells per axis of each level, each twice the one before; the last is ``resolution`` or slightly more."""
    levels = 0
    while resolution >> levels + 1 >= min_resolution:
        levels += 1
    coarsest = -(-resolution >> levels)  # rounded up
    return [coarsest << level for level in range(levels + 1)]


@torch.inference_mode()
def sparse_volume(field: GridField, resolution: int, *, min_resolution: int = 63, device: torch.device) -> SparseVolume:
    """Evaluate a field near its surface on a fine grid.

    Args:
        field: evaluated level by level, on the coarsest level at every point.
        resolution: cells per axis R; see ``doubling_sizes``.
        min_resolution: least number of cells per axis on the coarsest level.
        device: where the volume is kept: 4 bytes per point, and 1 more for the current level.

    Raises:
        ObjectError: no point is inside, or the surface crosses too many cells to be an object.
        NotFiniteError: a value is not finite.
    """
    sizes = doubling_sizes(resolution, min_resolution)
    level = _Level(field, sizes[0], device)
    level.evaluate(torch.arange(level.points**3, device=device))
    cells, queries = _require_object(crossing_cells(level.volume), sizes[0]), [level.queries]
    for size in sizes[1:]:
        divided = torch.cat([cells, thin_part_cells(level.volume)]).unique()
        finer = _Level(field, size, device)
        cells = _require_object(finer.follow_surface(_first_children(divided, level.points, finer.points)), size)
        level = finer
        queries.append(level.queries)
    if len(cells) == 0:
        raise empty_volume_error()
    return SparseVolume(level.volume, cells, tuple(queries))


def dense_volume(field: GridField, resolution: int, *, device: torch.device) -> SparseVolume:
    """The same with every point evaluated."""
    return sparse_volume(field, resolution, min_resolution=resolution, device=device)


def _require_object(cells: Tensor, resolution: int) -> Tensor:
    """The cells, unless there are too many for the surface of an object: then raises ``ObjectError``."""
    if len(cells) > _MOST_CELLS * resolution**2:
        raise ObjectError(
            "the shape network made a cloud of surfaces and no object", "Look at the cutout; try another --seed"
        )
    return cells


class _Level:
    """The volume of one level while it is evaluated."""

    def __init__(self, field: GridField, resolution: int, device: torch.device) -> None:
        self.field, self.resolution, self.points = field, resolution, resolution + 1
        self.volume = torch.full((self.points,) * 3, torch.nan, device=device)
        self.flat = self.volume.view(-1)
        self.queries = 0

    def evaluate(self, ids: Tensor) -> None:
        """Evaluate those of the points (flat indices) that have no value yet."""
        for part in ids.split(_POINTS_AT_ONCE):
            missing = part[self.flat[part].isnan()].unique()
            if len(missing) == 0:
                continue
            index = torch.stack(self.coordinates(missing), dim=1)
            values = self.field(index, self.resolution)
            require_finite(values, DECODER)
            # The outermost points of the box count as outside, so that the surface is closed.
            border = ((index == 0) | (index == self.resolution)).any(dim=1)
            self.flat[missing] = torch.where(border, -values.abs(), values)
            self.queries += len(missing)

    def coordinates(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x, y, z grid coordinates of flat indices."""
        n = self.points
        return ids // (n * n), ids // n % n, ids % n

    def follow_surface(self, bases: Tensor) -> Tensor:
        """All crossed cells that the surface reaches from the 2x2x2 cells at each of ``bases``, ascending."""
        n, device = self.points, self.flat.device
        visited = torch.zeros(n**3, dtype=torch.bool, device=device)
        eight, block = corner_offsets(n, device), _block_offsets(n, device)
        found = []
        for part in bases.split(_CELLS_AT_ONCE):
            self.evaluate((part[:, None] + block).view(-1))
            cells = (part[:, None] + eight).view(-1)
            visited[cells] = True
            found.append(cells[crossing(self.flat[cells[:, None] + eight])])
        front = torch.cat(found) if found else bases
        while len(front):
            beyond = torch.cat([self._neighbours(part) for part in front.split(_CELLS_AT_ONCE)]).unique()
            fresh = beyond[~visited[beyond]]
            visited[fresh] = True
            parts = []
            for part in fresh.split(_CELLS_AT_ONCE):
                corners = part[:, None] + eight
                self.evaluate(corners.view(-1))
                parts.append(part[crossing(self.flat[corners])])
            front = torch.cat(parts) if parts else fresh
            found.append(front)
        return torch.cat(found).sort().values if found else bases

    def _neighbours(self, cells: Tensor) -> Tensor:
        """The cells on the other side of each face that the surface crosses."""
        n = self.points
        inside = self.flat[cells[:, None] + corner_offsets(n, self.flat.device)] > 0
        place, stride, out = self.coordinates(cells), (n * n, n, 1), []
        for face, ring in enumerate(FACES):
            axis, side = divmod(face, 2)
            corners = inside[:, list(ring)]
            crossed = corners.any(dim=1) & ~corners.all(dim=1)
            exists = place[axis] < n - 2 if side else place[axis] > 0
            out.append(cells[crossed & exists] + (stride[axis] if side else -stride[axis]))
        return torch.cat(out)


def thin_part_cells(volume: Tensor) -> Tensor:
    """The cells around points beside which a part thinner than a cell may lie (see the module).

    Args:
        volume: (S, S, S) float32, NaN where not evaluated.

    Returns:
        (M,) int64 flat indices of the cells' base points, with repeats.
    """
    size = volume.shape[0]
    slope = torch.zeros_like(volume)
    near_crossing = torch.zeros_like(volume, dtype=torch.bool)
    for axis in range(3):
        a, b = volume.narrow(axis, 0, size - 1), volume.narrow(axis, 1, size - 1)
        step = (a - b).abs().nan_to_num_(0.0)
        differ = ((a > 0) != (b > 0)) & ~a.isnan() & ~b.isnan()
        steepest = torch.zeros_like(volume)
        for start in range(2):
            part = steepest.narrow(axis, start, size - 1)
            torch.maximum(part, step, out=part)
            near_crossing.narrow(axis, start, size - 1).logical_or_(differ)
        slope.addcmul_(steepest, steepest)
    possible = (volume.abs() < slope.sqrt_()) & ~near_crossing
    at = possible.nonzero()
    shifts = torch.cartesian_prod(*[torch.arange(-1, 1, device=volume.device)] * 3)
    base = (at[:, None] + shifts).reshape(-1, 3)
    base = base[((base >= 0) & (base < size - 1)).all(dim=1)]
    return (base[:, 0] * size + base[:, 1]) * size + base[:, 2]


def _first_children(cells: Tensor, points: int, finer_points: int) -> Tensor:
    """Flat index on the finer grid of the first of each cell's eight children."""
    x, y, z = cells // (points * points), cells // points % points, cells % points
    return (2 * x * finer_points + 2 * y) * finer_points + 2 * z


def _block_offsets(points: int, device: torch.device) -> Tensor:
    """(27,) int64: offsets of the points of 2x2x2 cells from their base point."""
    x, y, z = torch.cartesian_prod(*[torch.arange(3, device=device)] * 3).unbind(dim=1)
    return (x * points + y) * points + z
