"""Reads 3MF: objects and their components where the build puts them, also from several model parts.

3MF's +Z is up, so everything is turned to +Y up. Coordinates stay in the file's unit.
"""

from __future__ import annotations

import lzma
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np

from manymesh.errors import InputError
from manymesh.mesh.formats.placement import UPRIGHT
from manymesh.mesh.formats.user_mesh import MAX_FACES, DamagedFileError, UserMesh, check_face_count, numbers
from manymesh.types import F64, I32

MAX_UNPACKED_BYTES = 512 * 1024**2
# An object may be placed in others: a small file can place one any number of times. Chosen by hand.
MAX_PLACES = 100_000
# The most XML elements that are parsed: 512 MiB of empty ones would take 8 to 10 GB. A loose triangle needs four, its
# vertices and itself; a closed mesh needs 1.5 for each face.
MAX_ELEMENTS = 4 * MAX_FACES + MAX_PLACES
START = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
PATH = "{http://schemas.microsoft.com/3dmanufacturing/production/2015/06}path"
MAX_DEPTH = 32
# Extensions that a file may require: they leave the meshes as they are, or are read (production's paths).
KNOWN_EXTENSIONS = {
    "http://schemas.microsoft.com/3dmanufacturing/production/2015/06",
    "http://schemas.3mf.io/3dmanufacturing/production/alternatives/2021/04",
    "http://schemas.microsoft.com/3dmanufacturing/material/2015/02",
    "http://schemas.microsoft.com/3dmanufacturing/slice/2015/07",
    "http://schemas.microsoft.com/3dmanufacturing/trianglesets/2021/07",
}


@dataclass(frozen=True)
class _Object:
    """Either a mesh or components: (path, object id, (4, 3) transform)."""

    positions: F64
    faces: I32
    components: tuple[tuple[str, str, F64], ...]


def read_3mf(data: bytes, name: str) -> UserMesh:
    """The triangles of everything a 3MF file builds.

    Raises:
        DamagedFileError: no 3MF package, or damaged. InputError: too many faces.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            package = _Package(archive, name)
            root = package.start()
            unit = package.model(root).get("unit", "millimeter")
            placed = package.placed(root)
            lost = package.lost(len(placed))
    except (zipfile.BadZipFile, ElementTree.ParseError, NotImplementedError, EOFError, RuntimeError) as error:
        raise DamagedFileError(f"is no 3MF package that can be unpacked ({error})") from error
    offset = np.cumsum([0, *(len(positions) for positions, _ in placed)])
    # For row vectors the matrix turns +Z up to +Y up.
    positions = np.concatenate([np.zeros((0, 3)), *(positions for positions, _ in placed)]) @ UPRIGHT
    faces = np.concatenate(
        [np.zeros((0, 3), np.int32), *(part + start for (_, part), start in zip(placed, offset, strict=False))]
    )
    return UserMesh(positions, faces.astype(np.int32), unit=unit, up="z", lost=lost)


# In which XML may be written.
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")


class _Package:
    """The model parts of a package, parsed when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.archive, self.name = archive, name
        # Names of parts are compared without case, as Windows does; some writers use its separator.
        self.names = {_plain(each): each for each in archive.namelist()}
        self.roots: dict[str, ElementTree.Element] = {}
        self.objects: dict[tuple[str, str], _Object] = {}
        self.faces = self.vertices = self.places = self.unpacked_bytes = self.elements = 0

    def start(self) -> str:
        """The path of the root model."""
        relations = self._parsed("_rels/.rels").iter() if self._name("_rels/.rels") else iter(())
        for relation in relations:
            if relation.get("Type") == START and relation.get("Target"):
                return str(relation.get("Target")).lstrip("/")
        models = [name for name in self.names.values() if name.lower().endswith(".model")]
        return models[0] if len(models) == 1 else "3D/3dmodel.model"

    def _name(self, path: str) -> str | None:
        """The archive's own name of a part."""
        return self.names.get(_plain(path)) or self.names.get(_plain(unquote(path)))

    def model(self, path: str) -> ElementTree.Element:
        if path not in self.roots:
            self.roots[path] = self._parsed(path)
        return self.roots[path]

    def placed(self, root: str) -> list[tuple[F64, I32]]:
        """Vertices and faces of everything that is built, in 3MF's axes."""
        found: list[tuple[F64, I32]] = []
        items = self.model(root).findall("{*}build/{*}item")
        if not items:  # nothing is built: show every object that is no part of another
            entries = self.model(root).findall("{*}resources/{*}object")
            inner = {each.get("objectid") for entry in entries for each in entry.iterfind("{*}components/{*}component")}
            for entry in entries:
                if entry.get("id") not in inner:
                    self._place(root, str(entry.get("id")), _transform(None), 0, found)
        for item in items:
            path = str(item.get(PATH, root)).lstrip("/")
            self._place(path, str(item.get("objectid")), _transform(item.get("transform")), 0, found)
        return found

    def lost(self, placed: int) -> tuple[str, ...]:
        """What is not read, in a few words each."""
        found = [f"{placed} objects and their places"] if placed > 1 else []
        parts = [root.find("{*}resources") for root in self.roots.values() if root.tag.endswith("}model")]
        kinds = {each.tag.rpartition("}")[2] for part in parts if part is not None for each in part}
        if kinds & {"basematerials", "colorgroup", "texture2dgroup", "compositematerials", "multiproperties"}:
            found.append("colours and materials")
        others = sorted(kinds & {"slicestack", "beamlattice", "displacement2d", "volumetricstack"})
        return (*found, *(f"part '{kind}'" for kind in others))

    def _place(self, path: str, number: str, matrix: F64, depth: int, found: list[tuple[F64, I32]]) -> None:
        if depth > MAX_DEPTH:
            raise DamagedFileError("has objects that contain one another")
        self.places += 1
        if self.places > MAX_PLACES:
            raise DamagedFileError(f"places objects more than {MAX_PLACES:,} times")
        part = self._object(path, number)
        if len(part.faces):
            self.faces += len(part.faces)
            check_face_count(self.faces, self.name)
            self.vertices += len(part.positions)
            if self.vertices > 3 * MAX_FACES:
                raise DamagedFileError("places more vertices than its faces can use")
            mirrored = float(np.linalg.det(matrix[:3])) < 0
            faces = part.faces[:, [0, 2, 1]] if mirrored else part.faces
            found.append((part.positions @ matrix[:3] + matrix[3], faces))
        for child_path, child, inner in part.components:
            joined = np.concatenate([inner[:3] @ matrix[:3], [inner[3] @ matrix[:3] + matrix[3]]])
            self._place(child_path, child, joined, depth + 1, found)

    def _object(self, path: str, number: str) -> _Object:
        if (path, number) not in self.objects:
            for entry in self.model(path).findall("{*}resources/{*}object"):
                self.objects[path, str(entry.get("id"))] = self._read_object(entry, path)
        if (path, number) not in self.objects:
            raise DamagedFileError(f"builds object {number}, which it lacks")
        return self.objects[path, number]

    def _read_object(self, entry: ElementTree.Element, path: str) -> _Object:
        components = tuple(
            (str(each.get(PATH, path)).lstrip("/"), str(each.get("objectid")), _transform(each.get("transform")))
            for each in entry.findall("{*}components/{*}component")
        )
        try:
            vertices = [
                (each.attrib["x"], each.attrib["y"], each.attrib["z"])
                for each in entry.iterfind("{*}mesh/{*}vertices/{*}vertex")
            ]
            triangles = [
                (each.attrib["v1"], each.attrib["v2"], each.attrib["v3"])
                for each in entry.iterfind("{*}mesh/{*}triangles/{*}triangle")
            ]
            positions = numbers([word for vertex in vertices for word in vertex]).reshape(-1, 3)
            faces = np.array(triangles, dtype="U12").astype(np.int64).reshape(-1, 3)
        except (KeyError, ValueError) as error:
            raise DamagedFileError("has a mesh whose numbers cannot be read") from error
        if faces.size and (int(faces.min()) < 0 or int(faces.max()) >= len(positions)):
            raise DamagedFileError("has faces that name vertices that it lacks")
        return _Object(positions, faces.astype(np.int32), components)

    def _parsed(self, path: str) -> ElementTree.Element:
        found = self._name(path)
        if found is None:
            raise DamagedFileError(f"lacks its part {path[:80]}")
        information = self.archive.getinfo(found)
        self.unpacked_bytes += information.file_size
        if self.unpacked_bytes > MAX_UNPACKED_BYTES:
            raise DamagedFileError(f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")
        try:
            with self.archive.open(information) as file:
                content = file.read(information.file_size + 1)
        # Damaged data, data that ends early, encryption, a compression that Python lacks.
        except (zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise DamagedFileError(f"has a part {path} that cannot be unpacked ({str(error)[:80]})") from error
        if any(word.encode(code) in content for word in ("<!DOCTYPE", "<!ENTITY") for code in _ENCODINGS):
            raise DamagedFileError("has XML with entities, which 3MF does not allow")
        self.elements += content.count(b"<") - content.count(b"</")
        if self.elements > MAX_ELEMENTS:
            raise DamagedFileError("has more parts than a mesh of the largest size needs")
        root = ElementTree.fromstring(content)
        for prefix in root.get("requiredextensions", "").split():
            self._check_known(prefix, content)
        return root

    def _check_known(self, prefix: str, content: bytes) -> None:
        """Raises InputError where the extension that a prefix stands for changes what is built, and is not read."""
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
        found = re.search(rf"\bxmlns:{re.escape(prefix)}\s*=\s*[\"']([^\"']*)", text)
        extension = found[1] if found else prefix
        if extension.rstrip("/") not in KNOWN_EXTENSIONS:
            raise InputError(
                f"'{self.name}' requires the 3MF extension {extension[:120]}, which is not read",
                "Export it without, as a plain mesh",
            )


def _plain(path: str) -> str:
    return posixpath.normpath(path.replace("\\", "/").lstrip("/")).lower()


def _transform(text: Any) -> F64:
    """(4, 3) rows for row vectors; none stays in place."""
    if not text:
        return np.concatenate([np.eye(3), np.zeros((1, 3))])
    try:
        matrix = numbers(str(text).split())
    except ValueError as error:
        raise DamagedFileError("has a transform that is not made of numbers") from error
    if matrix.shape != (12,):
        raise DamagedFileError("has a transform that is not 12 numbers")
    return matrix.reshape(4, 3)
