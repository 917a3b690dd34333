"""Reads Wavefront OBJ models with their materials and pictures, from a folder or out of an archive."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.polygons import triangulated

Read = Callable[[str], bytes]
"""Bytes of the file at a path as the model spells it, or ``KeyError``."""


@dataclass
class Material:
    """One material of an MTL file.

    Attributes:
        color: Kd as sRGB 0..255.
        opacity: d, 1 opaque.
        picture: (h, w, 4) uint8 of map_Kd, or None.
    """

    color: tuple[int, int, int] = (204, 204, 204)
    opacity: float = 1.0
    picture: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Model:
    """Triangles as the file has them.

    Attributes:
        vertices: (n, 3) float64.
        faces: (m, 3) int64.
        uv: (m, 3, 2) float64, v down, 0 where the file gives none.
        material: (m,) int64 into ``materials``.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    uv: NDArray[np.float64]
    material: NDArray[np.int64]
    materials: list[Material] = field(default_factory=list)


def read_obj(path: str, read: Read) -> Model:
    """The model at ``path``; its MTL and pictures are looked for beside it.

    Raises:
        KeyError: the OBJ itself is not there. A missing MTL or picture only leaves objects grey.
        ValueError: no triangles, or numbers that are none.
    """
    folder = posixpath.dirname(path)
    points: list[list[str]] = []
    places: list[list[str]] = []
    polygons: list[tuple[list[int], list[int], int]] = []
    library: dict[str, Material] = {}
    order: dict[str, int] = {"": 0}
    current = 0
    for line in read(path).decode("utf-8", "replace").replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "v":
            points.append(rest.split()[:3])
        elif word == "vt":
            places.append(rest.split()[:2])
        elif word == "f":
            corners = [item.split("/") for item in rest.split()]
            vertex = [_index(item[0], len(points)) for item in corners]
            place = [_index(item[1], len(places)) if len(item) > 1 and item[1] else -1 for item in corners]
            polygons.append((vertex, place, current))
        elif word == "usemtl":
            current = order.setdefault(rest.strip(), len(order))
        elif word == "mtllib":
            library.update(_read_library(posixpath.join(folder, rest.strip()), read))
    vertices = np.array(points, np.float64).reshape(-1, 3)
    uv = np.array([*places, ["0", "0"]], np.float64).reshape(-1, 2)  # the last stands for "none"
    uv[:, 1] = 1 - uv[:, 1]
    uv[~np.isfinite(uv).all(axis=1)] = 0
    faces, face_places, material = triangulated(vertices, polygons)
    if not len(faces):
        raise ValueError(f"{path} has no triangles")
    return Model(vertices, faces, uv[face_places], material, [library.get(name, Material()) for name in order])


def _index(text: str, count: int) -> int:
    number = int(text)
    return number - 1 if number > 0 else count + number


def _read_library(path: str, read: Read) -> dict[str, Material]:
    try:
        text = read(path).decode("utf-8", "replace")
    except KeyError:
        return {}
    materials: dict[str, Material] = {}
    current = Material()
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        word, rest = word.lower(), rest.strip()
        if word == "newmtl":
            current = materials.setdefault(rest, Material())
        elif word == "kd":
            red, green, blue = (round(255 * min(max(float(item), 0.0), 1.0)) for item in rest.split()[:3])
            current.color = red, green, blue
        elif word == "d":
            current.opacity = float(rest.split()[-1])
        elif word == "map_kd":
            current.picture = _picture(posixpath.dirname(path), rest, read)
    return materials


def _picture(folder: str, rest: str, read: Read) -> NDArray[np.uint8] | None:
    """The picture named by a map_Kd line, or None when it is missing. Names may hold spaces; options may come first."""
    from PIL import Image

    names = [rest, rest.split()[-1]] if rest else []
    for name in names:
        name = name.replace("\\", "/")
        for place in (posixpath.join(folder, name), posixpath.join(folder, posixpath.basename(name))):
            try:
                data = read(posixpath.normpath(place))
            except KeyError:
                continue
            with Image.open(io.BytesIO(data)) as image:
                return np.asarray(image.convert("RGBA"))
    return None
