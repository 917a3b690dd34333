"""From a model file to a Shape that is worth learning from: clean, small, one colour a face, no tricks with alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.shapes import Shape, normalised
from training.wavefront import Material, Model

FACES_LIMIT, FACES_AFTER = 9_000, 6_000
AGGRESSIVENESS = (6.0, 8.0, 10.0)  # fast-simplification's scale; it may stop early at the lower ones
CELLS = 160.0
LEAST_AREA_LEFT = 0.7
WHOLE_LIMIT = 25_000
"""What falls apart when reduced but has no more faces than this stays as it is."""

SAMPLES = 100_000
TEXTURE_PX = 192
PLAIN = 6.0
"""Standard deviation, 0..255, under which a texture is no more than a colour."""

INVISIBLE, SEE_THROUGH = 0.05, 0.9
CUT_OUT_SHARE = 0.04
NEEDLE, SHEET = 0.045, 0.004
"""The second and the third longest side over the longest: thinner objects say nothing about solids."""

FEWEST_FACES = 8
BRIGHT = 245
"""Whiter than this leaves no room for light."""

# Where a face's colour is read: the middles of 16 equal parts of the triangle.
_STEPS = np.array([(i, j) for i in range(4) for j in range(4 - i)], float)
_INNER = np.array([(i, j) for i in range(3) for j in range(3 - i)], float)
_READ = np.concatenate([(_STEPS + 1 / 3) / 4, (_INNER + 2 / 3) / 4])
READ_AT = np.column_stack([1 - _READ.sum(1), _READ])


class UnfitError(ValueError):
    """The model is left out; the message says why."""


def shape_of(model: Model, name: str, licence: str, rotation: NDArray[np.float64], family: str = "furniture") -> Shape:
    """The model as a training shape.

    Args:
        rotation: (3, 3), from the file's frame to +Y up, +Z front.

    Raises:
        UnfitError: too thin, too flat, too few faces, or made of cut-out pictures.
    """
    vertices, weld = np.unique((model.vertices @ rotation.T).astype(np.float32), axis=0, return_inverse=True)
    faces = weld.reshape(-1)[model.faces]
    area = _areas(vertices, faces)
    keep = area > 1e-9 * area.max(initial=0)
    _refuse_thin(vertices[np.unique(faces[keep])] if keep.any() else vertices[:0])
    colors, alpha = _face_colors(model)
    seen = keep & (alpha > INVISIBLE)
    cut_out = area[seen & (alpha < SEE_THROUGH) & _has_alpha(model)].sum()
    if cut_out > CUT_OUT_SHARE * area[seen].sum():
        raise UnfitError("cut-out pictures")
    seen &= _first_of_each(faces)
    if seen.sum() < FEWEST_FACES:
        raise UnfitError("too few faces")
    shape = _assembled(model, name, family, licence, vertices, faces, colors, seen)
    if len(shape.faces) > FACES_LIMIT:
        reduced = _reduced(shape)
        if reduced is None and len(shape.faces) > WHOLE_LIMIT:
            raise UnfitError("falls apart when reduced")
        shape = reduced or shape
    return normalised(_compact(shape))


def _areas(vertices: NDArray[np.float32], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    corners = vertices[faces].astype(np.float64)
    return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2


def _refuse_thin(points: NDArray[np.float32]) -> None:
    if not len(points):
        raise UnfitError("no area")
    sides = np.sort(np.ptp(points, axis=0))[::-1]
    if sides[1] < NEEDLE * sides[0]:
        raise UnfitError("a needle")
    if sides[2] < SHEET * sides[0]:
        raise UnfitError("a sheet")


def _first_of_each(faces: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which faces are the first with their three corners, whichever way round: back sides and copies go."""
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    mask = np.zeros(len(faces), bool)
    mask[first] = True
    return mask


def _has_alpha(model: Model) -> NDArray[np.bool_]:
    """(m,): the face's picture has a transparency of its own (glass has not: it is a colour with an opacity)."""
    flags = [m.picture is not None and bool((m.picture[..., 3] < 255).any()) for m in model.materials]
    return np.array(flags)[model.material]


def _face_colors(model: Model) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Each face's mean colour (m, 3) and opacity (m,)."""
    colors = np.array([m.color for m in model.materials], np.float64)[model.material]
    alpha = np.array([m.opacity for m in model.materials])[model.material]
    for number, material in enumerate(model.materials):
        mine = np.flatnonzero(model.material == number)
        if material.picture is None or not len(mine):
            continue
        height, width = material.picture.shape[:2]
        uv = np.einsum("rk,mkc->mrc", READ_AT, model.uv[mine])
        column = np.floor(uv[..., 0] % 1 * width).astype(int) % width
        row = np.floor(uv[..., 1] % 1 * height).astype(int) % height
        read = material.picture[row, column].astype(np.float64)
        weight = read[..., 3:] + 1e-3
        colors[mine] = (read[..., :3] * weight).sum(1) / weight.sum(1)
        alpha[mine] *= read[..., 3].mean(1) / 255
    return np.minimum(np.rint(colors), BRIGHT).astype(np.uint8), alpha


def _assembled(
    model: Model,
    name: str,
    family: str,
    licence: str,
    vertices: NDArray[np.float32],
    faces: NDArray[np.int64],
    colors: NDArray[np.uint8],
    seen: NDArray[np.bool_],
) -> Shape:
    used, group = np.unique(model.material[seen], return_inverse=True)
    textures: list[NDArray[np.uint8]] = []
    slot = np.full(len(model.materials), -1, np.int16)
    for number in used:
        picture = _small(model.materials[number])
        if picture is not None:
            slot[number] = len(textures)
            textures.append(picture)
    texture = slot[model.material[seen]]
    plain = not textures
    return Shape(
        name,
        family,
        vertices,
        faces[seen].astype(np.int32),
        colors[seen],
        group.reshape(-1).astype(np.int16),
        None if plain else texture,
        None if plain else _near_zero(model.uv[seen]),
        tuple(textures),
        licence,
    )


def _small(material: Material) -> NDArray[np.uint8] | None:
    """The material's picture at most TEXTURE_PX long, or None where a colour says as much."""
    import cv2

    if material.picture is None:
        return None
    picture = material.picture[..., :3]
    if picture.reshape(-1, 3).std(axis=0).max() < PLAIN:
        return None
    scale = TEXTURE_PX / max(picture.shape[:2])
    if scale < 1:
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(picture)


def _near_zero(uv: NDArray[np.float64]) -> NDArray[np.float32]:
    """Whole repeats taken off each face, so that small numbers remain."""
    return (uv - np.floor(uv.min(axis=1, keepdims=True))).astype(np.float32)


def _reduced(shape: Shape) -> Shape | None:
    """About FACES_AFTER faces; each takes colour and material from the old surface beside its middle.

    None when the surface goes with the faces, as that of thousands of loose leaves does.
    """
    import fast_simplification

    points, faces = shape.vertices, shape.faces
    for aggressiveness in AGGRESSIVENESS:
        if len(faces) > FACES_LIMIT:
            points, faces = fast_simplification.simplify(
                np.ascontiguousarray(points), np.ascontiguousarray(faces), target_count=FACES_AFTER, agg=aggressiveness
            )
    if len(faces) > FACES_LIMIT:
        points, faces = _snapped(points, faces)
    faces = faces[_areas(points, faces) > 0].astype(np.int32)
    share = _areas(points, faces).sum() / _areas(shape.vertices, shape.faces).sum()
    if len(faces) < FEWEST_FACES or not LEAST_AREA_LEFT < share < 1 / LEAST_AREA_LEFT:
        return None
    source = _beside(shape, points, faces)
    return Shape(
        shape.name,
        shape.family,
        points.astype(np.float32),
        faces,
        shape.colors[source],
        shape.group[source],
        licence=shape.licence,
    )


def _beside(shape: Shape, points: NDArray[np.float32], faces: NDArray[np.int32]) -> NDArray[np.int64]:
    """For each new face the old one that lies at its middle and looks the same way."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(0)
    area = _areas(shape.vertices, shape.faces)
    spread = rng.choice(len(area), SAMPLES, p=area / area.sum())
    old_face = np.concatenate([spread, np.arange(len(area))])  # every face once more, however small
    corners = shape.vertices[shape.faces[old_face]]
    old = np.einsum("nk,nkc->nc", rng.dirichlet(np.ones(3), len(old_face)), corners)
    scale = 0.03 * float(np.ptp(shape.vertices, axis=0).max())
    tree = cKDTree(np.hstack([old, scale * _normals(corners)]))
    new = points[faces]
    _, nearest = tree.query(np.hstack([new.mean(axis=1), scale * _normals(new)]))
    return old_face[nearest]


def _normals(corners: NDArray[np.float32]) -> NDArray[np.float64]:
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).astype(np.float64)
    return across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-30)


def _snapped(points: NDArray[np.float32], faces: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vertices that share a cell of a grid become one, their mean; cells grow until the faces are few enough.

    For what edge collapse cannot touch: thousands of loose leaves or tufts.
    """
    cells = CELLS
    while True:
        size = float(np.ptp(points, axis=0).max()) / cells
        cell, owner = np.unique(np.floor(points / size), axis=0, return_inverse=True)
        owner = owner.reshape(-1)
        count = np.bincount(owner, minlength=len(cell))
        middle = np.stack([np.bincount(owner, points[:, axis]) / count for axis in range(3)], axis=1)
        merged = owner[faces]
        merged = merged[(merged != np.roll(merged, 1, axis=1)).all(axis=1)]
        merged = merged[_first_of_each(merged)]
        if len(merged) <= FACES_LIMIT:
            return middle.astype(np.float32), merged.astype(np.int32)
        cells *= 0.85


def _compact(shape: Shape) -> Shape:
    """Without unused vertices, materials and textures; groups numbered from 0."""
    from dataclasses import replace

    used, faces = np.unique(shape.faces, return_inverse=True)
    _, group = np.unique(shape.group, return_inverse=True)
    shape = replace(
        shape,
        vertices=shape.vertices[used],
        faces=faces.reshape(-1, 3).astype(np.int32),
        group=group.reshape(-1).astype(np.int16),
    )
    if shape.texture is None:
        return shape
    kept = np.unique(shape.texture[shape.texture >= 0])
    table = np.full(len(shape.textures) + 1, -1, np.int16)
    table[kept] = np.arange(len(kept))
    return replace(shape, texture=table[shape.texture], textures=tuple(shape.textures[k] for k in kept))
