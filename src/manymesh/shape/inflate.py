"""Silhouette inflation: the outline of a cutout, blown up like a balloon. No network, no download.

The half thickness h over the picture plane follows Poisson's equation inside the silhouette, as in Baran & Lehtinen,
"Notes on Inflating Curves" (2009): laplacian(u) = -c with u = 0 on the outline, h = sqrt(u). A disc becomes a
spheroid, a bar an elliptic rod: thick where the outline is wide, thin where it is thin. The surface is the zero set of
``f(x, y, z) = u(x, y) - z^2``, which is smooth through the silhouette. So the mesh is closed and has neither a seam nor
a staircase, and the outline's holes stay holes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from manymesh.errors import ObjectError
from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.render.camera import orthographic
from manymesh.settings import Settings
from manymesh.stages import Shape, Stage, Tick
from manymesh.types import F32, F64, I32, U8, Bool, Cutout, Mesh, ShapeResult

# Grid cells inside the silhouette. Decides the time and the number of triangles. Chosen by hand.
SILHOUETTE_CELLS = 12_000

# Bounds of the grid's cells along the silhouette's longer side: a slender object (a spoon, a chair) gets the finer grid
# that its thin parts need. Chosen by hand.
MIN_CELLS, MAX_CELLS = 96, 400

# c of the equation above; 4 blows a disc up to a full sphere. On 34 pieces of furniture and animals anything from 1.4
# to 3 measures the same (benchmarks/shape_quality.py); outside that it gets worse.
ROUNDNESS = 2.4

# No more cells than this for each pixel: a small picture's outline holds no more than its pixels. Chosen by hand.
CELLS_PER_PX = 1.25

# Cells of the grid outside the silhouette's box, on each side: more than any filter here reaches.
MARGIN_CELLS = 6

# Standard deviation, in cells, of the outline's smoothing. A matte is no more accurate than that, and near the outline
# every wobble would become a ripple on the object's side. Chosen by eye.
EDGE_BLUR_CELLS = 1.3

# Side in pixels of the picture in which the outline is found: finer than the grid, so that it can be smoothed without
# loss. Chosen by hand.
FINE_SIDE_PX = 640


@contextmanager
def open_shape(settings: Settings) -> Iterator[Shape]:
    """The stage; there is nothing to load."""

    def shape(cutout: Cutout, *, seed: int, tick: Tick) -> ShapeResult:
        return inflate(cutout, tick)

    yield shape


STAGE = Stage("inflate", "shape", "inflates the silhouette; no download", "Apache-2.0", open_shape, thread_safe=True)


def inflate(cutout: Cutout, tick: Tick) -> ShapeResult:
    """A closed, manifold mesh in the canonical frame whose front silhouette is the cutout's alpha at one half.

    Raises:
        ObjectError: the cutout is empty.
    """
    alpha = cutout.rgba[..., 3]
    rows, columns = np.flatnonzero((alpha > 127).any(1)), np.flatnonzero((alpha > 127).any(0))
    if not len(rows):
        raise ObjectError("The cutout is empty, so there is nothing to model", "Draw the object's box with --box.")
    sides_px = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    cell_px = _cell_px(max(sides_px), int((alpha > 127).sum()))
    left_px, top_px = columns[0] - MARGIN_CELLS * cell_px, rows[0] - MARGIN_CELLS * cell_px
    height, width = (int(np.ceil(side_px / cell_px)) + 2 * MARGIN_CELLS for side_px in sides_px)
    distance = edge_distance_grid(alpha, left_px, top_px, cell_px, width, height)
    tick(0.2)
    thickness2 = squared_half_thickness(distance)
    tick(0.5)
    vertices, faces = _surface(thickness2)
    tick(0.9)
    # Grid (row, column, depth) in cells -> the picture's pixels, y up, centred on the cutout.
    height_px, width_px = alpha.shape
    x = left_px + (vertices[:, 1] + 0.5) * cell_px - width_px / 2
    y = height_px / 2 - (top_px + (vertices[:, 0] + 0.5) * cell_px)
    points = np.stack([x, y, vertices[:, 2] * cell_px], axis=1)
    low, high = points.min(0), points.max(0)
    unit_px, centre_px = float((high - low).max()) / 2, (low + high) / 2
    mesh = Mesh(((points - centre_px) / unit_px).astype(np.float32), faces)
    # The camera looks along -Z at the whole cutout, whose centre is off the mesh's by the centring above.
    view = orthographic(
        width_px / 2 / unit_px, height_px / 2 / unit_px, target=(-centre_px[0] / unit_px, -centre_px[1] / unit_px, 0.0)
    )
    return ShapeResult(mesh, view)


def _cell_px(longer_side_px: int, area_px: int) -> float:
    """Side of a grid cell in the cutout's pixels."""
    cells = np.sqrt(SILHOUETTE_CELLS * longer_side_px**2 / area_px)
    return float(longer_side_px / min(np.clip(cells, MIN_CELLS, MAX_CELLS), max(32, CELLS_PER_PX * longer_side_px)))


def edge_distance_grid(
    alpha: U8,
    left_px: float,
    top_px: float,
    cell_px: float,
    width: int,
    height: int,
    blur_cells: float = EDGE_BLUR_CELLS,
) -> F32:
    """(height, width) float32: the signed distance to the silhouette's edge, in cells, positive inside.

    The edge (alpha at one half) is found and smoothed at a finer resolution than the grid's.

    Args:
        alpha: (H, W) uint8.
        left_px, top_px: outer corner of the grid's first cell in the cutout's pixels.
        cell_px: side of a cell in the cutout's pixels.
        blur_cells: standard deviation of the smoothing, in cells.
    """
    import cv2

    # Several fine pixels a cell, whatever the cutout's resolution: small ones are enlarged, large ones averaged.
    per_cell = max(2, round(FINE_SIDE_PX / max(width, height)))
    step_px = cell_px / per_cell
    blurred = cv2.GaussianBlur(alpha, (0, 0), step_px / 2) if step_px > 1 else alpha
    # Fine pixel (i, j) has its centre at left + (j + 0.5) * step in the cutout, whose pixel centres lie at + 0.5.
    affine = np.array([[step_px, 0, left_px + step_px / 2 - 0.5], [0, step_px, top_px + step_px / 2 - 0.5]])
    interpolation = cv2.INTER_CUBIC if step_px < 1 else cv2.INTER_LINEAR
    fine = cv2.warpAffine(
        blurred,
        affine,
        (width * per_cell, height * per_cell),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    inside = fine > 127
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance -= cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance -= np.where(inside, np.float32(0.5), np.float32(-0.5))  # from pixel centres to the edge between them
    smooth = _smooth_edge(np.asarray(fine), np.asarray(distance, np.float32), sigma=blur_cells * per_cell)
    # Read at the centre of each cell, not averaged over it: where a strip is a cell or two wide, the zeros between two
    # readings are then still in the right place.
    centres = (np.arange(max(width, height)) + 0.5) * per_cell - 0.5
    grid_x, grid_y = np.meshgrid(centres[:width].astype(np.float32), centres[:height].astype(np.float32))
    coarse = cv2.remap(smooth, grid_x, grid_y, cv2.INTER_LINEAR) / per_cell
    # A wire thinner than a cell can run between the readings. The cells it runs through stay inside.
    highest = fine.reshape(height, per_cell, width, per_cell).max(axis=(1, 3)) > 127
    lost = highest & (coarse < 0) & (_dilated(coarse > 0.5) == 0)
    return np.where(lost, np.float32(0.3), coarse).astype(np.float32)


def _smooth_edge(fine: U8, distance: F32, sigma: float) -> F32:
    """``distance`` (in pixels of ``fine``, an alpha picture) without the pixels' staircase near the edge.

    Blurred by a Gaussian of standard deviation s, a straight edge at distance d becomes the normal distribution's
    Phi(d / s); its inverse is therefore the distance, to a fraction of a pixel. That fails where the object is thinner
    than the blur; there the distance stays as it was.
    """
    import cv2

    share = cv2.GaussianBlur(fine.astype(np.float32) / 255.0, (0, 0), sigma)
    line = np.linspace(-2.4, 2.4, 481)
    phi = np.array([0.5 + 0.5 * math.erf(x / math.sqrt(2)) for x in line])
    near = (sigma * np.interp(np.clip(share, 0.01, 0.99), phi, line)).astype(np.float32)
    far = np.clip(np.abs(distance) / sigma - 0.8, 0.0, 1.0)  # 0 on the edge, 1 from 1.8 s on
    blended = near + (cv2.GaussianBlur(distance, (0, 0), 0.5 * sigma) - near) * far
    # Thin: what a disc of 1.2 s does not fit into, corners aside.
    away = cv2.distanceTransform((distance < 1.2 * sigma).astype(np.uint8), cv2.DIST_L2, 5)
    thin = ((distance > -sigma) & (away > 2.4 * sigma)).astype(np.float32)
    keep = cv2.GaussianBlur(thin, (0, 0), 0.4 * sigma)
    return np.asarray(blended + (distance - blended) * keep, np.float32)


def _dilated(mask: Bool) -> U8:
    """A mask grown by two pixels."""
    import cv2

    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)), np.uint8)


def squared_half_thickness(distance: F32) -> F32:
    """(h, w) float32 u = h^2 in cells, positive exactly where ``distance`` (cells, positive inside) is.

    Near the edge the solution on cells would follow the cells' staircase. There, u = distance * slope instead, with the
    slope u / distance carried outwards from further inside.
    """
    import cv2

    inside = distance > 0
    u = _poisson(inside)
    weight = np.where(inside, np.minimum(distance, 4.0) ** 2, 0.0).astype(np.float32)
    ratio = np.divide(u, distance, out=np.zeros_like(u), where=inside)
    total = cv2.GaussianBlur(weight, (0, 0), 1.5)
    slope = cv2.GaussianBlur(weight * ratio, (0, 0), 1.5) / np.maximum(total, 1e-6)
    slope = np.maximum(slope, 0.25)
    deep = np.clip((distance - 1.0) / 1.5, 0.0, 1.0)  # 0 at the edge, 1 where the cells resolve u
    return np.asarray((1.0 - deep) * distance * slope + deep * u, np.float32)


def _poisson(inside: Bool) -> F32:
    """laplacian(u) = -ROUNDNESS on the cells in ``inside``, u = 0 outside."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    number = np.full(inside.shape, -1, np.int64)
    count = int(inside.sum())
    number[inside] = np.arange(count)
    rows, columns = [np.arange(count)], [np.arange(count)]
    values = [np.full(count, 4.0)]
    for axis in (0, 1):
        here = number.take(range(inside.shape[axis] - 1), axis).ravel()
        there = number.take(range(1, inside.shape[axis]), axis).ravel()
        both = (here >= 0) & (there >= 0)
        rows += [here[both], there[both]]
        columns += [there[both], here[both]]
        values.append(np.full(2 * int(both.sum()), -1.0))
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))).tocsc()
    u = np.zeros(inside.shape, np.float32)
    u[inside] = spsolve(matrix, np.full(count, ROUNDNESS), permc_spec="MMD_AT_PLUS_A")
    return u


def _surface(thickness2: F32) -> tuple[F64, I32]:
    """The zero set of u - z^2: vertices (row, column, z) in cells, and faces wound outwards once rows point down."""
    half = int(np.ceil(np.sqrt(max(float(thickness2.max()), 1.0)))) + 2
    z = np.arange(-half, half + 1, dtype=np.float32)
    # Half a cell off the grid's planes: no vertex then falls exactly on a cell's corner.
    field = thickness2[:, :, None] - (z + np.float32(0.5))[None, None, :] ** 2
    grid, faces = marching_cubes(field)
    vertices = grid.astype(np.float64)
    vertices[:, 2] += z[0] + 0.5
    return vertices, faces
