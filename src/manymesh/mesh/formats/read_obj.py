"""Reads Wavefront OBJ: polygons of any shape, relative indices, normals, smoothing groups, groups and materials.

Material files and pictures that it names are never opened. Lines, points and curves are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.obj_copy import ObjLines, has_vertex_colours, word_and_rest
from manymesh.mesh.formats.polygons import triangulated
from manymesh.mesh.formats.user_mesh import DamagedFileError, UserMesh, check_face_count, numbers
from manymesh.mesh.topology import face_cross, scatter_sum, unit
from manymesh.types import F32, F64

Ints = NDArray[np.int64]

NONE = np.iinfo(np.int64).min  # a corner without texture coordinates or normal


@dataclass
class _Faces:
    """The faces while lines are read. ``states`` (per face): material, group, smoothing group."""

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # of the lines
    counts: list[tuple[int, int, int]] = field(default_factory=list)  # v, vt, vn lines before the face, if relative
    states: list[tuple[int, int, int]] = field(default_factory=list)


def read_obj(data: bytes, name: str) -> UserMesh:
    """The triangles of an OBJ file.

    Raises:
        DamagedFileError: text where numbers belong, or indices of what is not there. InputError: too many faces.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("utf-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = re.sub(rb"\\[ \t]*\n", b" ", text).split(b"\n")
    check_face_count(sum(line.startswith((b"f ", b"f\t", b"fo ")) for line in lines), name)
    values: dict[bytes, list[bytes]] = {b"v": [], b"vt": [], b"vn": []}
    faces, materials, groups = _Faces(), [b""], [b""]
    material_number, group_number = {b"": 0}, {b"": 0}
    material, group, smooth = 0, 0, 0
    stated_smooth = False
    for number, line in enumerate(lines):
        word, rest = word_and_rest(line)
        if word in values:
            values[word].append(rest)
        elif word in (b"f", b"fo"):
            faces.lines.append(rest.partition(b"#")[0])
            faces.numbers.append(number)
            faces.counts.append((len(values[b"v"]), len(values[b"vt"]), len(values[b"vn"])))
            faces.states.append((material, group, smooth))
        elif word == b"usemtl":
            material = material_number.setdefault(rest.strip(), len(materials))
            if material == len(materials):
                materials.append(rest.strip())
        elif word in (b"g", b"o"):
            group = group_number.setdefault(rest.strip(), len(groups))
            if group == len(groups):
                groups.append(rest.strip())
        elif word == b"s":
            text = rest.strip().lower()
            smooth = 0 if text in (b"off", b"0", b"") else int(text) if text.isdigit() else 1
            stated_smooth = True
    positions = _table(values[b"v"], 3, "v")
    uv, normals = _table(values[b"vt"], 2, "vt"), _table(values[b"vn"], 3, "vn")
    corners, sizes = _corners(faces, (len(positions), len(uv), len(normals)))
    check_face_count(int(np.maximum(sizes - 2, 0).sum()), name)
    notes: list[str] = []
    triangles, polygon = triangulated(positions, corners[:, 0], sizes, notes)
    states = np.array(faces.states, np.int64).reshape(-1, 3)[polygon]
    placed = corners[triangles]
    made = placed[..., 0].astype(np.int32)
    return UserMesh(
        positions,
        made,
        _corner_uv(uv, placed[..., 1]),
        _corner_normals(normals, placed[..., 2], positions, made, states[:, 2] if stated_smooth else None),
        states[:, 0].astype(np.int32),
        tuple(each.decode("utf-8", "replace") for each in materials),
        states[:, 0].astype(np.int32),
        states[:, 1].astype(np.int32),
        tuple(each.decode("utf-8", "replace") for each in groups),
        obj=ObjLines(
            lines,
            np.array(faces.numbers, np.int64),
            sizes,
            polygon,
            triangles,
            tuple(materials),
            frozenset(states[:, 0].tolist()),
        ),
        notes=tuple(notes),
        lost=_lost(len(groups) - 1, values[b"v"]),
    )


def _lost(groups: int, vertices: list[bytes]) -> tuple[str, ...]:
    """What the copy keeps and other formats do not."""
    coloured = has_vertex_colours(vertices)
    return (*((f"{groups} groups and objects",) if groups > 1 else ()), *(("vertex colours",) if coloured else ()))


def _table(lines: list[bytes], width: int, what: str) -> F64:
    """(n, width) numbers of lines that have at least as many."""
    if not lines:
        return np.zeros((0, width))
    words = [line.split() for line in lines]
    try:
        # vt with one number has v = 0; a fourth number of v is a weight, and six or seven are a colour: not read.
        padded = [(each + [b"0"] * width)[:width] if what == "vt" else each[:width] for each in words]
        if any(len(each) < width for each in padded):
            raise DamagedFileError(f"has a line '{what}' with fewer than {width} numbers")
        return numbers([word for each in padded for word in each]).reshape(-1, width)
    except ValueError as error:
        if isinstance(error, DamagedFileError):
            raise
        raise DamagedFileError(f"has text where numbers belong in a line '{what}'") from error


def _corners(faces: _Faces, totals: tuple[int, int, int]) -> tuple[Ints, Ints]:
    """(c, 3) the position, texture coordinate and normal of every corner, ``NONE`` where it has none, and (p,) corners
    of each face."""
    words = [line.split() for line in faces.lines]
    sizes = np.array([len(each) for each in words], np.int64)
    joined = b" ".join(faces.lines)
    corners = _corners_alike(joined, int(sizes.sum()))
    if corners is None:
        corners = np.full((int(sizes.sum()), 3), NONE, np.int64)
        try:
            for place, word in enumerate(word for each in words for word in each):
                for column, part in enumerate(word.split(b"/")[:3]):
                    if part:
                        corners[place, column] = int(part)
        except (ValueError, OverflowError) as error:
            raise DamagedFileError("has a face whose corners are not numbers") from error
    before = np.repeat(np.array(faces.counts, np.int64).reshape(-1, 3), sizes, axis=0)
    given = corners != NONE
    relative = given & (corners < 0)
    corners = np.where(relative, before + corners, np.where(given, corners - 1, NONE))
    for column, (total, what) in enumerate(zip(totals, ("v", "vt", "vn"), strict=True)):
        mine = corners[:, column]
        there = mine[given[:, column]]
        if len(there) and (int(there.min()) < 0 or int(there.max()) >= total):
            raise DamagedFileError(f"has faces that name lines '{what}' that it lacks")
    if len(corners) and not given[:, 0].all():
        raise DamagedFileError("has a face with a corner that names no vertex")
    return corners, sizes


def _corners_alike(text: bytes, count: int) -> Ints | None:
    """All corners at once where they are written in one form, else None."""
    slashes, double = text.count(b"/"), text.count(b"//")
    if slashes == 0:
        columns = [0]
    elif double == count and slashes == 2 * count:
        columns = [0, 2]
    elif double == 0 and slashes == count:
        columns = [0, 1]
    elif double == 0 and slashes == 2 * count:
        columns = [0, 1, 2]
    else:
        return None
    words = text.replace(b"/", b" ").split()
    if len(words) != count * len(columns):
        return None
    try:
        table = np.array(words, dtype="S20").astype(np.int64).reshape(-1, len(columns))
    except (ValueError, OverflowError):
        return None
    corners = np.full((count, 3), NONE, np.int64)
    corners[:, columns] = table
    return corners


def _corner_uv(uv: F64, place: Ints) -> F64 | None:
    """(m, 3, 2) in glTF's origin, None where a corner has none."""
    if not len(uv) or not place.size or (place == NONE).any():
        return None
    found: F64 = uv[place]
    return np.stack([found[..., 0], 1 - found[..., 1]], axis=-1)


def _corner_normals(normals: F64, place: Ints, positions: F64, faces: Any, smooth: Ints | None) -> F32 | None:
    """(m, 3, 3) normals as written, or else of the smoothing groups; None where the file has neither."""
    given = place != NONE
    if smooth is None and not given.any():
        return None
    made = np.zeros((*place.shape, 3), np.float32)
    if smooth is not None:
        made[:] = smoothed(positions, faces, smooth)
    if given.any():
        made[given] = unit(normals[place[given]]).astype(np.float32)
    return made


def smoothed(positions: F64, faces: Any, smooth: Ints) -> F32:
    """(m, 3, 3) corner normals: the mean over the faces at a vertex that share its smoothing group; 0 is none."""
    flat = face_cross(positions, faces)
    group = np.where(smooth == 0, -1 - np.arange(len(faces)), smooth)
    key = np.stack([faces.reshape(-1).astype(np.int64), np.repeat(group, 3)], axis=1)
    _, number = np.unique(key, axis=0, return_inverse=True)
    number = number.reshape(-1)
    total = scatter_sum(number, np.repeat(flat, 3, axis=0), int(number.max(initial=-1)) + 1)
    return unit(total)[number].reshape(-1, 3, 3).astype(np.float32)
