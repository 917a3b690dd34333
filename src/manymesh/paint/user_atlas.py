"""From a user's mesh to the atlas that is painted, and from the painted texture back to the file's own faces.

The file's own texture coordinates are kept where they hold a texture: every face inside one tile of the plane. Faces
whose materials have a picture each, with coordinates that lie on one another, get a tile each of one sheet. Otherwise
the mesh is unwrapped anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.user_mesh import UserMesh
from manymesh.mesh.topology import face_cross, unit
from manymesh.mesh.work_mesh import WorkMesh
from manymesh.types import F32, F64, Atlas, Bool, Mesh

Ints = NDArray[np.int64]

# Charts that claim more than this times what they cover lie on one another. Chosen by hand: pixels at the edges of
# charts count twice.
OVERLAP = 1.05
# The most tiles of a sheet, for files whose materials have a picture each. With more the mesh is unwrapped anew.
MOST_TILES = 16
# The largest side of a sheet, pixels.
MOST_PX = 4096
# Texture coordinates this close to a tile's edge belong to it: exporters round.
AT_EDGE = 1e-4
# Where a file has no normals, faces that meet at less than this angle are shaded as one surface. 40 degrees, as in the
# previews: chosen by eye.
CREASE_DEG = 40.0
# A mesh whose centre is further away than this times its size is written around the origin, with its place as a node's
# translation: float32 numbers then hold it to 1e-6 of its size.
FAR = 16.0
OWN = "the file's own"


@dataclass(frozen=True)
class Layout:
    """The file's own texture coordinates.

    Attributes:
        uv: (m, 3, 2) float64 in [0, 1], in the sheet's tiles.
        tile: (m,) int32, the tile of each face, numbered by rows from the upper left.
        tiles: tiles a side of the sheet.
    """

    uv: F64
    tile: NDArray[np.int32]
    tiles: int


@dataclass(frozen=True)
class PaintAtlas:
    """What is painted, and how the file's faces find it.

    Attributes:
        atlas: in the canonical frame, without faces that show others' data once more, and without empty ones.
        uv: (m, 3, 2) float64, every corner of the file's faces in the sheet.
        normals: (m, 3, 3) float32, corner normals in the file's frame, outwards.
        negated: (m,) bool, faces whose authored normals point inwards.
        layout: the file's own coordinates, or None where the mesh was unwrapped anew.
    """

    atlas: Atlas
    uv: F64
    normals: F32
    negated: Bool
    layout: Layout | None


def own_layout(user: UserMesh, size_px: int) -> tuple[Layout | None, list[str]]:
    """The file's texture coordinates, if they can be kept, and what people should know.

    Args:
        size_px: side of the texture.
    """
    if user.uv is None:
        return None, []
    chosen = ~user.copy
    low, high = user.uv[chosen].min(axis=1), user.uv[chosen].max(axis=1)
    if not np.isfinite(user.uv).all():
        return None, ["The file's texture coordinates are not all numbers, so new ones were made."]
    # Textures repeat, so a face that lies in another tile of the plane (UDIM) may be moved to the first.
    shift = np.floor(low + AT_EDGE)
    if (high - shift > 1 + AT_EDGE).any():
        return None, ["The file's texture coordinates leave the texture, so new ones were made."]
    uv = user.uv.copy()
    uv[chosen] -= shift[:, None]
    np.clip(uv, 0, 1, out=uv)
    claimed, covered = _areas(uv[chosen], size_px)
    if claimed < 4:
        return None, ["The file's texture coordinates cover nothing, so new ones were made."]
    one = Layout(uv, np.zeros(len(uv), np.int32), 1)
    if claimed <= OVERLAP * covered + 0.001 * size_px**2:
        return one, []
    layouts, tile = np.unique(user.layout, return_inverse=True)
    shared = "Parts of the file's texture coordinates lie on one another: these places share their colours."
    if len(layouts) == 1 or not _each_its_own(uv, user.layout, chosen, size_px):
        return one, [shared]
    if len(layouts) > MOST_TILES:
        return None, [f"The file has {len(layouts)} textures that lie on one another, so new coordinates were made."]
    tiles = int(np.ceil(np.sqrt(len(layouts))))
    corner = np.stack([tile % tiles, tile // tiles], axis=1)
    placed = (uv + corner[:, None]) / tiles
    whole_px = min(size_px * tiles, MOST_PX)
    claimed, covered = _areas(placed[chosen], whole_px)
    notes = [f"The file's {len(layouts)} textures were painted each by itself."]
    if claimed > OVERLAP * covered + 0.001 * whole_px**2:
        notes.append(shared)
    return Layout(placed, tile.astype(np.int32), tiles), notes


def sheet_px(layout: Layout | None, size_px: int) -> int:
    """Side of the whole texture: ``size_px`` a tile where memory allows it."""
    return size_px if layout is None else min(size_px, MOST_PX // layout.tiles) * layout.tiles


def _each_its_own(uv: F64, layout: NDArray[Any], chosen: Bool, size_px: int) -> bool:
    """Whether it is different layouts that lie on one another: each by itself overlaps less than all together."""
    claimed, covered = _areas(uv[chosen], size_px)
    single = 0.0
    for number in np.unique(layout).tolist():
        mine = _areas(uv[chosen & (layout == number)], size_px)
        single += max(mine[0] - mine[1], 0.0)
    return single < 0.5 * (claimed - covered)


def _areas(uv: F64, size_px: int) -> tuple[float, float]:
    """Pixels that faces claim by their area, and pixels that they cover."""
    from manymesh.render.raster import raster_uv

    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    claimed = float(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2) * size_px**2
    faces = np.arange(3 * len(uv)).reshape(-1, 3)
    return claimed, float(len(raster_uv(uv.reshape(-1, 2), faces, size_px, size_px).pixel))


def paint_atlas(
    user: UserMesh, work: WorkMesh, layout: Layout | None, size_px: int, tick: Callable[[float], None]
) -> PaintAtlas:
    """The atlas to paint. Unwraps where the file has no coordinates to keep.

    Args:
        size_px: side of the texture to unwrap for.
        tick: told the share done; may raise to cancel.
    """
    from manymesh.mesh.unwrap.unwrap import unwrap

    normals, negated = _corner_normals(user, work)
    chosen = np.flatnonzero(~user.copy[work.face])
    face, flip = work.face[chosen], work.flip[chosen]
    corner_normals = _flipped(normals[face], flip) @ work.turn.T.astype(np.float32)
    if layout is None:
        base = unwrap(Mesh(work.mesh.vertices, work.mesh.faces[chosen]), size_px, tick=tick)
        uv = base.uv[base.faces].astype(np.float64)
        vertex, method = base.source[base.faces], base.method
    else:
        uv, vertex, method = _flipped(layout.uv[face], flip), work.mesh.faces[chosen], OWN
    first, number = _distinct([vertex.reshape(-1, 1), uv.reshape(-1, 2), corner_normals.reshape(-1, 3)])
    source = vertex.reshape(-1)[first].astype(np.int32)
    atlas = Atlas(
        work.mesh.vertices[source],
        number.reshape(-1, 3).astype(np.int32),
        uv.reshape(-1, 2)[first].astype(np.float32),
        source,
        method,
        corner_normals.reshape(-1, 3)[first],
    )
    return PaintAtlas(atlas, _file_uv(user, work, face, _flipped(uv, flip)), normals, negated, layout)


def file_atlas(user: UserMesh, painted: PaintAtlas, work: WorkMesh) -> Atlas:
    """All faces of the file in its own order and place, with the painted coordinates."""
    used = np.unique(user.faces)
    low, high = user.positions[used].min(axis=0), user.positions[used].max(axis=0)
    centre, size = low / 2 + high / 2, float((high - low).max())
    far = float(np.abs(centre).max()) > FAR * size
    shift = centre if far else np.zeros(3)
    faces = _flipped(user.faces, work.turned)
    places = (user.positions - shift).astype(np.float32)
    _, place = _distinct([places])
    uv, normals = _flipped(painted.uv, work.turned), _flipped(painted.normals, work.turned)
    keys = [place[faces].reshape(-1, 1), uv.reshape(-1, 2).astype(np.float32), normals.reshape(-1, 3)]
    first, number = _distinct(keys)
    order = np.argsort(first)  # vertices in the order in which the faces name them
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    first = first[order]
    return Atlas(
        places[faces.reshape(-1)[first]],
        rank[number].reshape(-1, 3).astype(np.int32),
        keys[1][first],
        keys[0].reshape(-1)[first].astype(np.int32),
        painted.atlas.method,
        keys[2][first],
        user.material if len(user.material_names) > 1 or user.material_names[0] else None,
        user.material_names,
        (float(shift[0]), float(shift[1]), float(shift[2])),
    )


def _flipped(values: NDArray[Any], flip: Bool) -> NDArray[Any]:
    """Corner values with the last two corners exchanged where ``flip`` says so."""
    if not flip.any():
        return values
    result = values.copy()
    result[flip] = values[flip][:, [0, 2, 1]]
    return result


def _corner_normals(user: UserMesh, work: WorkMesh) -> tuple[F32, Bool]:
    """(m, 3, 3) unit normals of all corners in the file's frame, outwards, and (m,) whose own ones were negated."""
    from manymesh.render.normals import corner_normals

    count = len(user.faces)
    authored = np.zeros((count, 3, 3), np.float32) if user.normals is None else user.normals
    lacking = (np.abs(authored).sum(axis=2) < 1e-6).any(axis=1)
    made = authored.copy()
    negated = np.zeros(count, bool)
    if user.normals is not None and work.turned.any():
        # A part that is wound inwards may have outward normals all the same.
        centred = user.positions - user.positions[user.faces[0, 0]]
        flat = unit(face_cross(centred, user.faces))
        inwards = np.einsum("mkc,mc->m", authored, flat) > 0  # along the file's own winding
        negated = work.turned & inwards
        made[negated] *= -1
    if lacking[work.face].any():
        smooth = corner_normals(work.mesh.vertices, work.mesh.faces, crease_deg=CREASE_DEG)
        smooth = _flipped(smooth @ work.turn.astype(np.float32), work.flip)
        here = lacking[work.face]
        made[work.face[here]] = smooth[here]
    empty = np.abs(made).sum(axis=2) < 1e-6
    made[empty] = (0, 0, 1)
    return made, negated


def _file_uv(user: UserMesh, work: WorkMesh, face: Ints, uv: F64) -> F64:
    """(m, 3, 2) for all faces: copies have the coordinates of what they repeat, empty faces those of a neighbour."""
    result = np.zeros((len(user.faces), 3, 2))
    result[face] = uv
    lacking = np.ones(len(user.faces), bool)
    lacking[face] = False
    if lacking.any():
        vertex = work.vertex[user.faces]
        some = np.zeros((int(work.vertex.max()) + 1, 2))
        some[vertex[face].reshape(-1)] = uv.reshape(-1, 2)
        found = some[np.maximum(vertex[lacking], 0)]
        found[vertex[lacking] < 0] = 0
        result[lacking] = found
    if user.gltf is not None:
        firsts = {(part.mesh, part.primitive): part for part in user.gltf.parts if not part.copy}
        for part in user.gltf.parts:
            if part.copy:
                original = firsts[part.mesh, part.primitive]
                values = result[original.first : original.first + original.count]
                swapped = part.mirrored != original.mirrored
                result[part.first : part.first + part.count] = values[:, [0, 2, 1]] if swapped else values
    return result


def _distinct(columns: list[NDArray[Any]]) -> tuple[Ints, Ints]:
    """Equal rows as one: the place of the first of each, and which each row is. Rows are compared bit by bit."""
    rows = np.concatenate(
        [
            np.ascontiguousarray(each + np.zeros(1, each.dtype)).view(np.uint32).reshape(len(each), -1)
            for each in columns
        ],
        axis=1,
    )
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:  # a hash of 64 bits: sorting one number is many times as fast as sorting rows
        key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    number = number.reshape(-1)
    if not np.array_equal(rows[first][number], rows):  # two different rows with one hash
        _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, number.reshape(-1)
