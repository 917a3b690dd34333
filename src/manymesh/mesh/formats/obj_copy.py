"""A copy of a user's OBJ file with another picture: its vertices, polygons, groups, objects, smoothing groups and
material names stay as they were written.

Where the file's own texture coordinates are kept, the faces stay as they are. Where new ones are needed, they replace
the old ones, and a polygon that the unwrapping has cut becomes triangles. The material file that the user's file names
is never opened: a new one gives every material the new picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.png import encode
from manymesh.mesh.formats.placement import FileFrame, comment
from manymesh.types import F64, U8, Bool

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ObjLines:
    """An OBJ file and where its triangles stand.

    Attributes:
        lines: without line ends; continued lines joined.
        face_line: (p,) the line of each polygon.
        sizes: (p,) its corners.
        polygon: (m,) the polygon of each triangle, ascending.
        corner: (m, 3) its corners, counted over all polygons.
        materials: the names of ``UserMesh.material_names`` as they are written.
        used: the materials that some face has.
    """

    lines: list[bytes]
    face_line: Ints
    sizes: Ints
    polygon: Ints
    corner: Ints
    materials: tuple[bytes, ...]
    used: frozenset[int]


@dataclass(frozen=True)
class ObjRepaint:
    """What is new in the copy.

    Attributes:
        pictures: (T, T, 3) uint8 each.
        picture_of: which picture each material shows.
        uv: (m, 3, 2) new texture coordinates in glTF's origin, or None where the file's own are kept.
        turned: (m,) bool, triangles to be wound the other way.
        negated: (m,) bool, triangles whose authored normals point inwards.
        frame: of the copy.
    """

    pictures: Sequence[U8]
    picture_of: Sequence[int]
    uv: F64 | None
    turned: Bool
    negated: Bool
    frame: FileFrame


def repainted_obj(source: ObjLines, paint: ObjRepaint, stem: str) -> tuple[dict[str, bytes], list[str]]:
    """The files STEM.obj, STEM.mtl, STEM.png (STEM-2.png and so on), and one sentence about what could not stay."""
    nameless = _unused_name(source.materials)
    faces, coordinates, normals, split = _face_lines(source, paint)
    # New normals are numbered after all of the file's, so all of those are written before them.
    late = [line for line in source.lines[source.face_line[0] :] if word_and_rest(line)[0] == b"vn"] if normals else []
    made = [b"# manymesh, " + comment(paint.frame).encode("ascii"), f"mtllib {stem}.mtl".encode()]
    moves = paint.frame.changes
    named, begun = False, False
    for number, line in enumerate(source.lines):
        word, rest = word_and_rest(line)
        if word == b"mtllib" or (word == b"vt" and paint.uv is not None) or (word == b"vn" and begun and late):
            continue
        if word == b"usemtl":
            named = True
            line = line if rest.strip() else b"usemtl " + nameless
        elif word == b"l" and paint.uv is not None:
            line = b"l " + b" ".join(each.partition(b"/")[0] for each in rest.split())
        elif moves and word in (b"v", b"vn"):
            line = _moved(word, rest, paint.frame)
        elif word in (b"f", b"fo"):
            if not begun:
                made += coordinates
                made += [_moved(*word_and_rest(each), paint.frame) if moves else each for each in late]
                made += normals
                begun = True
            if not named:
                made.append(b"usemtl " + nameless)
                named = True
            made += faces.get(number, [line])
            continue
        made.append(line)
    files = {f"{stem}.obj": b"\n".join(made) + b"\n", f"{stem}.mtl": _materials(source, paint, nameless, stem)}
    for place, pixels in enumerate(paint.pictures):
        files[_picture_name(stem, place)] = encode(pixels)
    notes = [f"{split:,} polygons were cut by the unwrapping; they are triangles in {stem}.obj."] if split else []
    if any(word_and_rest(line)[0] == b"mtllib" for line in source.lines):
        notes.append(f"{stem}.mtl gives each material the new picture alone: the file's own MTL is not read.")
    if has_vertex_colours(rest for word, rest in map(word_and_rest, source.lines) if word == b"v"):
        notes.append(f"{stem}.obj keeps its vertex colours, which some viewers multiply with the picture.")
    return files, notes


def word_and_rest(line: bytes) -> tuple[bytes, bytes]:
    """The first word of a line, and what follows it."""
    word, _, rest = line.strip().partition(b" ")
    if b"\t" in word:
        word, _, more = word.partition(b"\t")
        rest = more + b" " + rest
    return word, rest


def has_vertex_colours(vertices: Iterable[bytes]) -> bool:
    """Whether any of the lines ``v``, without their first word, has a colour after its three or four numbers."""
    return any(len(rest.split()) in (6, 7) for rest in vertices)


def _face_lines(source: ObjLines, paint: ObjRepaint) -> tuple[dict[int, list[bytes]], list[bytes], list[bytes], int]:
    """By line number the lines of the polygons that change; new ``vt`` lines; new ``vn`` lines; how many polygons
    became triangles.

    Where there are new ``vn`` lines, relative numbers of normals become absolute: the lines they count back from move.
    """
    if paint.uv is None and not paint.turned.any():
        return {}, [], [], 0
    first_triangle = np.searchsorted(source.polygon, np.arange(len(source.sizes) + 1))
    first_corner = np.cumsum(source.sizes) - source.sizes
    coordinates, place = _coordinates(paint.uv)
    stored = [rest for word, rest in map(word_and_rest, source.lines) if word == b"vn"]
    before = _normals_before(source) if paint.negated.any() else {}
    normals: dict[int, int] = {}  # of the file's: its negative's number
    made: dict[int, list[bytes]] = {}
    split = 0
    for number, line in enumerate(source.face_line.tolist()):
        low, high = int(first_triangle[number]), int(first_triangle[number + 1])
        turned, negated = bool(paint.turned[low:high].any()), bool(paint.negated[low:high].any())
        if paint.uv is None and not turned and not (before and b"-" in source.lines[line]):
            continue
        words = [each.split(b"/") for each in _corner_words(source.lines[line])]
        if before:
            words = [_with_absolute_normal(each, before[line]) for each in words]
        if paint.uv is None and not turned:
            made[line] = [b"f " + b" ".join(map(b"/".join, words))]
            continue
        if negated:
            words = [_negated(each, normals, len(stored)) for each in words]
        rings = [list(range(len(words)))] if high > low or paint.uv is None else []
        corners = source.corner[low:high] - first_corner[number]
        uv: dict[int, int] = {}
        if place is not None:
            flat = list(zip(corners.reshape(-1).tolist(), place[low:high].reshape(-1).tolist(), strict=True))
            uv = dict(flat)
            if any(uv[corner] != each for corner, each in flat):
                split += 1
                rings, cut = [], place[low:high].tolist()
                for ring, mine in zip(corners.tolist(), cut, strict=True):
                    joined = dict(zip(ring, mine, strict=True))
                    made.setdefault(line, []).append(_face(words, ring, joined, turned))
        for ring in rings:
            made.setdefault(line, []).append(_face(words, ring, uv if place is not None else None, turned))
        made.setdefault(line, [])
    return made, coordinates, [_negative(stored[old], paint.frame) for old in normals], split


def _coordinates(uv: F64 | None) -> tuple[list[bytes], Ints | None]:
    """The ``vt`` lines, each place once, and (m, 3) their numbers from 1 on."""
    if uv is None:
        return [], None
    rows = uv.astype(np.float32).reshape(-1, 2)
    key = rows[:, 0].view(np.uint32).astype(np.uint64) << np.uint64(32) | rows[:, 1].view(np.uint32)
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    lines = [b"vt %.9g %.9g" % (u, 1 - v) for u, v in rows[first].astype(np.float64).tolist()]
    return lines, number.reshape(-1, 3).astype(np.int64) + 1


def _corner_words(line: bytes) -> list[bytes]:
    return word_and_rest(line)[1].partition(b"#")[0].split()


def _face(words: list[list[bytes]], ring: list[int], uv: dict[int, int] | None, turned: bool) -> bytes:
    """One ``f`` line: the corners of a ring, the first one first."""
    order = [ring[0], *ring[:0:-1]] if turned else ring
    corners = []
    for place in order:
        parts = words[place]
        texture = b"%d" % uv[place] if uv is not None else parts[1] if len(parts) > 1 else b""
        normal = parts[2] if len(parts) > 2 else b""
        corners.append(b"/".join([parts[0], texture, normal]).rstrip(b"/"))
    return b"f " + b" ".join(corners)


def _normals_before(source: ObjLines) -> dict[int, int]:
    """How many ``vn`` lines stand before each face's line: what its relative numbers count from."""
    found, count = {}, 0
    for number, line in enumerate(source.lines):
        word = word_and_rest(line)[0]
        count += word == b"vn"
        if word in (b"f", b"fo"):
            found[number] = count
    return found


def _with_absolute_normal(parts: list[bytes], before: int) -> list[bytes]:
    """A corner whose normal is counted from the file's first."""
    if len(parts) < 3 or not parts[2] or int(parts[2]) > 0:
        return parts
    return [parts[0], parts[1], b"%d" % (before + int(parts[2]) + 1)]


def _negated(parts: list[bytes], normals: dict[int, int], count: int) -> list[bytes]:
    """A corner with an absolute normal, whose normal is now the negative of the file's one."""
    if len(parts) < 3 or not parts[2]:
        return parts
    return [parts[0], parts[1], b"%d" % normals.setdefault(int(parts[2]) - 1, count + len(normals) + 1)]


def _negative(rest: bytes, frame: FileFrame) -> bytes:
    """The line of a normal's negative, in the frame of the copy."""
    turned = 0.0 - frame.rotation @ np.array([float(each) for each in rest.split()[:3]])
    return b"vn %.9g %.9g %.9g" % tuple(turned.tolist())


def _moved(word: bytes, rest: bytes, frame: FileFrame) -> bytes:
    """A position or a normal in the frame of the copy; a weight or a colour after it stays."""
    numbers = rest.split()
    scale = frame.scale if word == b"v" else 1.0
    moved = scale * (frame.rotation @ np.array([float(each) for each in numbers[:3]])) + 0.0
    return b" ".join([word, b"%.17g %.17g %.17g" % tuple(moved.tolist()), *numbers[3:]])


def _unused_name(names: tuple[bytes, ...]) -> bytes:
    """A name for faces without a material."""
    name = b"painted"
    while name in names:
        name += b"_"
    return name


def _picture_name(stem: str, place: int) -> str:
    return f"{stem}.png" if place == 0 else f"{stem}-{place + 1}.png"


def _materials(source: ObjLines, paint: ObjRepaint, nameless: bytes, stem: str) -> bytes:
    lines: list[bytes] = []
    for number, (name, picture) in enumerate(zip(source.materials, paint.picture_of, strict=True)):
        if number not in source.used:
            continue
        lines += [b"newmtl " + (name or nameless), b"Ka 0 0 0", b"Ks 0 0 0", b"d 1", b"illum 1", b"Kd 1 1 1"]
        lines.append(f"map_Kd {_picture_name(stem, picture)}".encode())
    return b"\n".join(lines) + b"\n"


def same_obj(found: Any, user: Any, paint: ObjRepaint) -> str:
    """What a copy that was read back says otherwise than it should; "" if nothing.

    Args:
        found: the ``UserMesh`` of the copy. user: that of the user's file.
    """
    if found.faces.shape != user.faces.shape:
        return "other triangles"
    places = user.positions @ paint.frame.matrix.T
    tolerance = 1e-12 * float(np.abs(places).max(initial=1e-300))
    if found.positions.shape != places.shape or np.abs(found.positions - places).max(initial=0) > tolerance:
        return "other vertices"
    # Polygons that were turned, and those in another place, may be cut into triangles otherwise.
    turned = np.zeros(len(user.obj.sizes), bool)
    turned[user.obj.polygon[paint.turned]] = True
    same = ~turned[user.obj.polygon]
    if paint.frame.scale != 1.0:
        same &= user.obj.sizes[user.obj.polygon] == 3
    if not np.array_equal(found.faces[same], user.faces[same]):
        return "other triangles"
    wanted = user.uv if paint.uv is None else paint.uv.astype(np.float32)
    if found.uv is None or np.abs(found.uv[same] - wanted[same]).max(initial=0) > 1e-6:
        return "other texture coordinates"
    return "other normals" if _has_other_normals(found, user, paint) else ""


def _has_other_normals(found: Any, user: Any, paint: ObjRepaint) -> bool:
    """Whether the polygons whose corners all name normals have others in the copy."""
    if user.normals is None:
        return False
    lines = (_corner_words(user.obj.lines[line]) for line in user.obj.face_line.tolist())
    named = np.array([all(each.count(b"/") == 2 and each[-1:] != b"/" for each in words) for words in lines], bool)
    polygon = user.obj.polygon
    chosen = named[polygon]
    if not chosen.any():
        return False
    if found.normals is None:
        return True
    sign = np.ones(len(named))
    sign[polygon[paint.negated]] = -1
    wanted = (user.normals @ paint.frame.rotation.T) * sign[polygon][:, None, None]
    # Turned polygons may be cut into triangles otherwise, so normals are compared by polygon and vertex.
    first = polygon[:, None] * len(user.positions)
    places, other_places = first + user.faces, first + found.faces
    keys, low, high = _by_vertex(places[chosen], wanted[chosen])
    other_keys, other_low, other_high = _by_vertex(other_places[chosen], found.normals[chosen])
    _, here, there = np.intersect1d(keys, other_keys, assume_unique=True, return_indices=True)
    apart = np.abs(low[here] - other_low[there]).max(initial=0), np.abs(high[here] - other_high[there]).max(initial=0)
    return float(max(apart)) > 1e-5


def _by_vertex(places: Ints, normals: Any) -> tuple[Ints, Any, Any]:
    """The different ``places`` (m, 3), ascending, and the least and greatest of each axis of the normals (m, 3, 3) at
    each."""
    key = places.reshape(-1)
    order = np.argsort(key, kind="stable")
    keys, first = np.unique(key[order], return_index=True)
    rows = normals.reshape(-1, 3)[order]
    return keys, np.minimum.reduceat(rows, first), np.maximum.reduceat(rows, first)
