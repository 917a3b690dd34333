"""Typed values as the bytes of files and back, and a small cache of what files hold.

Everything here takes values and gives values; ``run/folder.py`` reads and writes the files. A file is always read and
its digest checked; only the decoding is saved when its value is still in the cache. So the cache never decides what a
run makes: a value is put into it only in the form in which decoding its file would give it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from manymesh.image import png
from manymesh.types import F32, U8, Bool, Camera, Crop, Cutout, Mesh, TexturedMesh

if TYPE_CHECKING:
    from manymesh.mesh.formats.placement import Placement
    from manymesh.run.manifest import ObjectRecord
    from manymesh.settings import Settings

Value = TypeVar("Value")
Picture = tuple[U8, "U8 | None"]
Artifact = Crop | Cutout | Mesh | TexturedMesh | U8 | Bool
"""What an object's files hold. An array is a picture, (h, w, 4) uint8, or a mask, (h, w) bool."""

Decoding = Literal["picture", "mask", "cutout", "mesh", "model"]

# Of all values together, whatever the number of runs and objects: eight photos of a megapixel. Chosen by hand, so that
# the pictures and meshes of three objects fit.
MOST_BYTES = 24 * 1024**2


class ArtifactCache:
    """The values most recently used, by the digest of their file. Safe for several threads.

    Args:
        most_bytes: of the arrays of all values together; the values used longest ago go first.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._values: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._bytes = 0

    def put(self, kind: str, digest: str, value: Value, *, own: bool = False) -> Value:
        """Keep a value.

        Args:
            kind: what the file was decoded as. The same bytes may be a picture of one kind and of another.
            digest: of the file that holds it.
            value: an array, or a tuple or dataclass with arrays in it.
            own: nobody else holds its arrays, so that they need not be copied.

        Returns:
            The value with arrays of its own that nobody can change.
        """
        kept: Value = _fixed(value, own)
        size_bytes = _size_bytes(kept)
        with self._lock:
            if (kind, digest) not in self._values and size_bytes <= self._most_bytes:
                self._values[kind, digest] = kept
                self._bytes += size_bytes
                while self._bytes > self._most_bytes:
                    self._bytes -= _size_bytes(self._values.popitem(last=False)[1])
        return kept

    def get(self, kind: str, digest: str) -> Any:
        """The value of the file of this digest, or None when it is not here."""
        with self._lock:
            if (kind, digest) not in self._values:
                return None
            self._values.move_to_end((kind, digest))
            return self._values[kind, digest]


def _fixed(value: Any, own: bool) -> Any:
    """The same value whose arrays cannot be changed and are not part of larger ones, which would stay in memory too."""
    if isinstance(value, np.ndarray):
        fixed = np.array(value) if value.base is not None or (value.flags.writeable and not own) else value
        fixed.flags.writeable = False
        return fixed
    if type(value) is tuple:
        return tuple(_fixed(part, own) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{field.name: _fixed(getattr(value, field.name), own) for field in fields(value)})
    return value


def _size_bytes(value: Any) -> int:
    return sum(int(array.nbytes) for array in _arrays(value))


def _arrays(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _arrays(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _arrays(getattr(value, field.name))


@dataclass(frozen=True)
class FinalMesh:
    """An object's final mesh as it lies in the run folder.

    Attributes:
        role: "model" where it was painted, else "mesh".
        shape: what its file holds.
        glb: the file's bytes.
    """

    role: Literal["model", "mesh"]
    shape: Mesh | TexturedMesh
    glb: bytes


@dataclass(frozen=True)
class Encoded:
    """A value as a file.

    Attributes:
        suffix: of the file's name, such as ".png".
        data: the file's bytes.
        known: what decoding the file would give, or what is worked out from it, by the name that the cache has for it.
            Empty where that is not known for certain.
    """

    suffix: str
    data: bytes
    known: dict[str, Any]


def decode(kind: Decoding, data: bytes) -> Any:
    """What the bytes of a file hold: a picture is (h, w, 3) uint8 with (h, w) uint8 alpha or None, a mask (h, w) bool,
    a cutout (h, w, 4) uint8, a mesh a ``Mesh``, a model a ``TexturedMesh``. Raises InputError: damaged."""
    if kind == "mesh" or kind == "model":
        from manymesh.mesh.formats import glb

        return glb.read_glb(data) if kind == "mesh" else glb.read_painted_glb(data)
    if kind == "picture":
        return png.decode(data)
    return png.decode_rgba(data) if kind == "cutout" else png.decode_mask(data)


def encode(value: Artifact, label: str, scale: float = 1.0, normals: F32 | None = None) -> Encoded:
    """A value as a PNG or GLB file.

    Args:
        value: what to store.
        label: the object's name, for errors.
        scale: of meshes: from the canonical frame's numbers to metres.
        normals: of a painted mesh: (n, 3) at the vertices of its atlas, where they are known already.

    Raises:
        ObjectError: a mesh that no file can hold.
    """
    if isinstance(value, Crop):
        return Encoded(".png", png.encode(value.rgb, value.alpha), {"picture": (value.rgb, value.alpha)})
    if isinstance(value, Cutout):
        rgba = np.ascontiguousarray(value.rgba)
        return Encoded(".png", png.encode(rgba), {"cutout": rgba})
    if isinstance(value, Mesh):
        return _encode_mesh(value, label, scale)
    if isinstance(value, TexturedMesh):
        return _encode_model(value, scale, normals)
    if value.dtype == bool:
        return Encoded(".png", png.encode_mask(np.asarray(value, bool)), {})
    picture = np.asarray(value, np.uint8)
    rgb, alpha = picture[..., :3], picture[..., 3]
    return Encoded(".png", png.encode(rgb, alpha), {"picture": (rgb, alpha)})


def _encode_mesh(mesh: Mesh, label: str, scale: float) -> Encoded:
    from manymesh.mesh.formats.glb import check_writable, mesh_as_read, write_glb
    from manymesh.mesh.normals import vertex_normals

    check_writable(label, mesh.vertices, mesh.faces)
    normals = vertex_normals(mesh)
    data, as_read = write_glb(mesh, normals=normals, scale=scale), mesh_as_read(mesh)
    return Encoded(".glb", data, {} if as_read is None else {"mesh": as_read, "normals": normals})


def _encode_model(model: TexturedMesh, scale: float, normals: F32 | None) -> Encoded:
    from manymesh.mesh.formats.glb import model_as_read, write_glb

    data, as_read = write_glb(model, normals=normals, scale=scale), model_as_read(model)
    return Encoded(".glb", data, {} if as_read is None else {"model": as_read})


def atlas_normals(model: TexturedMesh, mesh: Mesh, normals: F32) -> F32 | None:
    """A mesh's normals at the vertices of the atlas that a painter made of it: the same numbers as worked out anew, in
    a hundredth of the time. None where the painter has changed the mesh."""
    atlas = model.atlas
    if int(atlas.source.max(initial=-1)) >= len(mesh.vertices):
        return None
    same = np.array_equal(mesh.vertices[atlas.source], atlas.vertices)
    return normals[atlas.source] if same and np.array_equal(atlas.source[atlas.faces], mesh.faces) else None


def final_role(record: ObjectRecord) -> Literal["model", "mesh"]:
    """The role of the object's final mesh: the painted one, or the plain one where no texture was made."""
    return "model" if "model" in record.files else "mesh"


def load_view(record: ObjectRecord) -> Camera:
    """The camera that places the object's mesh on its cutout. The shape step finds it; refining moves it along."""
    assert record.view is not None, "the object has no shape yet"
    world_to_camera, projection = (np.array(matrix, np.float64) for matrix in record.view)
    return Camera(world_to_camera, projection)


def store_view(record: ObjectRecord, view: Camera) -> None:
    """Record the camera that places the object's mesh on its cutout."""
    record.view = [view.world_to_camera.tolist(), view.projection.tolist()]


def file_placement(settings: Settings) -> Placement:
    """How a run's settings ask its meshes to be written; all of these are in the canonical frame."""
    from manymesh.mesh.formats.placement import Placement

    return Placement(settings.size_m, settings.up or "y")


def metres_per_unit(settings: Settings, shape: Mesh | TexturedMesh) -> float:
    """From the numbers of a final mesh to metres, as a run's settings ask for it."""
    from manymesh.mesh.formats.placement import longest_side

    return 1.0 if settings.size_m is None else file_placement(settings).in_file("glb", longest_side(shape)).scale


def frames_said(settings: Settings) -> list[str]:
    """One line about the unit and the up axis of each format. All final meshes are 2 units long."""
    from manymesh.mesh.formats.placement import sentence

    asked = [kind for kind in settings.formats if kind != "glb" or settings.size_m is not None]
    wanted = file_placement(settings)
    return [sentence(f"{kind.upper()} files", kind, wanted.in_file(kind, 2.0), 2.0) for kind in asked]
