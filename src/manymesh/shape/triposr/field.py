"""The field of a triplane: density and colour at any point, or at the nodes of a regular lattice.

Points are in the network's own frame: +X towards the camera, +Y to the picture's right, +Z up, the box
[-radius, radius] on each axis. Plane 0 has x along its columns and y along its rows, plane 1 x and z, plane 2 y and z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.shape.triposr.arithmetic import Weights, in_threads, silu_
from manymesh.shape.triposr.config import TriposrConfig
from manymesh.types import F32, I32

# Axes of a point along each plane's columns and rows.
PLANE_AXES = ((0, 1), (0, 2), (1, 2))
# Points in work at a time, on each thread. Measured: 2048 to 8192 take the same time, twice as many half as long again,
# because a layer's values no longer fit into a core's cache.
POINTS = 4096


class Field:
    """A field.

    Args:
        weights: of the whole network.
        planes: (3, C, S, S) float32.
    """

    def __init__(self, weights: Weights, config: TriposrConfig, planes: F32) -> None:
        self.radius, self.bias = config.radius, config.density_bias
        # Channels last: the features of a texel lie next to each other.
        self._planes = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        names = [f"decoder.layers.{2 * number}" for number in range(config.hidden_layers + 1)]
        self._layers = [(weights[f"{name}.weight"], weights[f"{name}.bias"]) for name in names]

    @property
    def texels(self) -> int:
        """Texels along each side of a plane."""
        return int(self._planes.shape[1])

    def features(self, points: Any) -> F32:
        """(n, 3 * C) float32: the planes' values at (n, 3) points, which count as 0 outside the planes."""
        side = self._planes.shape[1]
        u = (np.asarray(points, np.float32) + np.float32(self.radius)) / np.float32(2 * self.radius)
        pixel = u * np.float32(side) - np.float32(0.5)
        found = [_bilinear(plane, pixel[:, a], pixel[:, b]) for plane, (a, b) in zip(self._planes, PLANE_AXES)]  # noqa: B905
        return np.concatenate(found, axis=1)

    def raw(self, points: Any) -> F32:
        """(n, 4) float32 at (n, 3) points: the logarithm of the density before the bias, then colour before sigmoid."""
        points = np.asarray(points, np.float32)
        out = np.empty((len(points), len(self._layers[-1][1])), np.float32)

        def some(start: int) -> None:
            rows = slice(start, start + POINTS)
            weight, bias = self._layers[0]
            out[rows] = self._after_first(self.features(points[rows]) @ weight.T + bias)

        in_threads(some, range(0, len(points), POINTS), lambda: None)
        return out

    def density(self, points: Any) -> F32:
        """(n,) float32."""
        return np.asarray(np.exp(self.raw(points)[:, 0] + np.float32(self.bias)))

    def colors(self, points: Any) -> F32:
        """(n, 3) float32 sRGB in 0..1."""
        return np.asarray(1 / (1 + np.exp(-self.raw(points)[:, 1:])))

    def _after_first(self, x: F32, outputs: int | None = None) -> F32:
        """(n, 4): the layers after the first, from the first's (n, neurons) values, which are overwritten."""
        y, work = np.empty_like(x), np.empty_like(x)
        for weight, bias in self._layers[1:-1]:
            silu_(x, work)
            np.matmul(x, weight.T, out=y)
            y += bias
            x, y = y, x
        silu_(x, work)
        weight, bias = self._layers[-1]
        return np.asarray(x @ weight[:outputs].T + bias[:outputs])


class Lattice:
    """A field at the nodes of a regular lattice of ``nodes`` along each axis, both ends of the box included.

    The first layer of the field's network is a sum over the planes. So it is worked out once for each pair of
    coordinates of each plane, and a node adds three rows of these tables.
    """

    def __init__(self, field: Field, nodes: int) -> None:
        self._field = field
        self.axis = (np.linspace(0, 1, nodes) * (2 * field.radius) - field.radius).astype(np.float32)
        weight, bias = field._layers[0]
        width = weight.shape[1] // 3
        first, second = (index.ravel() for index in np.indices((nodes, nodes)))
        points = np.zeros((nodes * nodes, 3), np.float32)
        points[:, 0] = self.axis[first]
        points[:, 1] = points[:, 2] = self.axis[second]
        points_yz = points[:, [1, 0, 2]]
        self._tables = []
        for plane, where in ((0, points), (1, points), (2, points_yz)):
            features = field.features(where)[:, plane * width : (plane + 1) * width]
            table = features @ weight[:, plane * width : (plane + 1) * width].T
            self._tables.append(table.reshape(nodes, nodes, -1))
        self._tables[0] += bias

    def raw_density(self, index: I32, tick: Any = lambda: None) -> F32:
        """(n,) float32: the logarithm of the density before the bias at (n, 3) node indices."""
        out = np.empty(len(index), np.float32)
        xy, xz, yz = self._tables

        def some(start: int) -> None:
            rows = slice(start, start + POINTS)
            x, y, z = index[rows].T
            first = xy[x, y]
            first += xz[x, z]
            first += yz[y, z]
            out[rows] = self._field._after_first(first, 1)[:, 0]

        in_threads(some, range(0, len(index), POINTS), tick)
        return out


def _bilinear(plane: F32, column: F32, row: F32) -> F32:
    """(n, C): an (S, S, C) plane at (n,) pixel positions, texel centres at whole numbers, 0 outside."""
    side = plane.shape[0]
    left, top = np.floor(column), np.floor(row)
    across, down = column - left, row - top
    out = np.zeros((len(column), plane.shape[2]), np.float32)
    for right in (0, 1):
        for below in (0, 1):
            x, y = left + right, top + below
            weight = (across if right else 1 - across) * (down if below else 1 - down)
            weight = np.where((x >= 0) & (x < side) & (y >= 0) & (y < side), weight, 0).astype(np.float32)
            x, y = (np.clip(value, 0, side - 1).astype(np.int32) for value in (x, y))
            out += plane[y, x] * weight[:, None]
    return out
