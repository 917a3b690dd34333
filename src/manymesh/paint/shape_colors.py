"""The shape's own colours for what the photo does not show, brought into line with the photo.

A shape network that models colour knows the unseen side's materials, but not the photo's light: its colours are duller
and darker or brighter than the photo's. Where both are known they are compared, and one line for each channel takes the
network's to the photo's. What still differs at the border of the seen part fades out over the unseen part, so that no
seam shows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from manymesh.parallel import usable_cores
from manymesh.render.fill import edge_graph, solve_diffusion, weld_atlas
from manymesh.render.normals import area_weighted_vertex_normals
from manymesh.render.raster import interpolate
from manymesh.render.texels import Texels
from manymesh.types import F32, F64, Atlas, Mesh

I64 = NDArray[np.int64]

# How far a line may change the network's contrast. Chosen by hand; not measured on the published weights.
GAINS = 0.7, 1.6
# Seen vertices that a line needs. Chosen by hand.
MIN_SEEN = 20
# How firmly seen colours hold, and how firmly the network's own hold where nothing was seen: a difference at the border
# is down to a third some six edges into the unseen part. Chosen by hand.
SEEN_HOLD, OWN_HOLD = 8.0, 0.03


# Vertices of the shape whose colours are mixed for a texel. Chosen by hand: a texel lies in a triangle or next to one.
NEAREST = 4
# Least share of its vote that a vertex keeps whose normal points the other way: the far side of a thin wall. By hand.
LEAST_VOTE = 1e-3


class SurfaceColors:
    """A coloured mesh's colours at points on or near its surface.

    A shape network's mesh is finer than the network's own detail (``shape/triposr/surface.py``: three vertices for each
    texel of its planes), so its vertices hold all that its field knows.

    Args:
        mesh: with colours.
    """

    def __init__(self, mesh: Mesh) -> None:
        from scipy.spatial import cKDTree

        assert mesh.colors is not None
        self._colors = mesh.colors.astype(np.float32) / 255
        self._normals = area_weighted_vertex_normals(mesh.vertices, mesh.faces)
        self._tree = cKDTree(mesh.vertices)

    def __call__(self, points: F32, normals: F32) -> F32:
        """(n, 3) colours 0..1 at (n, 3) points with (n, 3) unit normals."""
        count = min(NEAREST, self._tree.n)
        distance, near = self._tree.query(points, k=count, workers=usable_cores())
        distance, near = distance.reshape(len(points), count), near.reshape(len(points), count)
        # A texel on a vertex takes that vertex's colour, nearly; one amid four the mean of the four.
        soft = 1e-3 * distance[:, -1:] + 1e-9
        facing = np.einsum("nc,nkc->nk", normals, self._normals[near])
        vote = np.maximum(facing, LEAST_VOTE) / (distance + soft)
        vote /= vote.sum(axis=1, keepdims=True)
        return np.einsum("nk,nkc->nc", vote.astype(np.float32), self._colors[near])  # type: ignore[no-any-return]


def texel_shape_colors(
    atlas: Atlas, surface: Texels, strength: F64, color: F64, own: SurfaceColors
) -> Callable[[I64], F32]:
    """The (m, 3) float32 colours in [0, 1] of m texels, given by number: the shape's own, in line with what was seen.

    Args:
        strength, color: (c,) and (c, 3), what was seen around each welded vertex (``fill.vertex_means``).
        own: of the shape.
    """
    weld, count = weld_atlas(atlas)
    first = np.zeros(count, np.int64)
    first[weld] = np.arange(len(weld))
    normals = area_weighted_vertex_normals(atlas.vertices, atlas.faces, weld=atlas.source)
    at_vertices = own(atlas.vertices[first], normals[first]).astype(np.float64)
    weight = np.minimum(strength, 1)
    gain, offset = channel_lines(at_vertices, color, weight)
    fading = _fading(atlas, strength, color - np.clip(gain * at_vertices + offset, 0, 1), weld, count)

    def colors(texels: I64) -> F32:
        faces, shares = surface.raster.face.take(texels), surface.raster.bary.take(texels, axis=0)
        matched = np.clip(gain * own(surface.position[texels], surface.normal[texels]) + offset, 0, 1)
        return np.asarray(np.clip(matched + interpolate(fading, atlas.faces, faces, shares), 0, 1), np.float32)

    return colors


def _fading(atlas: Atlas, strength: F64, apart: F64, weld: I64, count: int) -> F32:
    """(k, 3) for the atlas' vertices: what seen colours differ by, fading out over the unseen part."""
    hold = np.where(strength > 0, SEEN_HOLD * np.minimum(strength, 1), OWN_HOLD) + 1e-9
    held = np.where((strength > 0)[:, None], apart, 0.0)
    return np.asarray(solve_diffusion(edge_graph(atlas, weld, count), hold, held)[weld], np.float32)


def channel_lines(own: F64, color: F64, weight: F64) -> tuple[F64, F64]:
    """(3,) gain and (3,) offset of the line for each channel that takes the shape's own colours to the seen ones.

    Args:
        own, color: (c, 3) of each vertex. weight: (c,) how well each was seen; 0 for not at all.

    Returns:
        Gains of 1 and offsets of 0 where too little was seen.
    """
    total = float(weight.sum())
    if int((weight > 0).sum()) < MIN_SEEN or total <= 0:
        return np.ones(3), np.zeros(3)
    share = weight / total
    mean_own, mean_seen = share @ own, share @ color
    spread = share @ (own - mean_own) ** 2
    together = share @ ((own - mean_own) * (color - mean_seen))
    # One colour throughout says nothing about contrast.
    gain = np.where(spread > 1e-5, np.clip(together / np.maximum(spread, 1e-12), *GAINS), 1.0)
    return gain, np.asarray(mean_seen - gain * mean_own)
