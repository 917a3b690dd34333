"""Typed values in a run folder: how each is stored as a file, and a small cache of what the files hold.

``load`` and ``store`` are what steps call, through ``Run``. A file is always read and its digest checked; only the
decoding is saved when its value is still in the cache. So the cache never decides what a run makes: a value is put
into it only in the form in which decoding its file would give it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from manymesh.image import png
from manymesh.image.crop import box_in_window
from manymesh.types import F32, U8, Bool, Camera, Crop, Cutout, Mesh, Photo, TexturedMesh

if TYPE_CHECKING:
    from manymesh.mesh.formats.placement import Placement
    from manymesh.run.folder import Run
    from manymesh.run.manifest import FileRecord, ObjectRecord
    from manymesh.settings import Settings

Value = TypeVar("Value")
Picture = tuple[U8, "U8 | None"]

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


def load(run: Run, record: ObjectRecord, role: str) -> Any:
    """See ``Run.load``."""
    readers: dict[str, Callable[[Run, ObjectRecord], Any]] = {"crop": _crop, "cutout": _cutout, "model": _model}
    return readers[role](run, record) if role in readers else _mesh(run, record.files[role])


def store(run: Run, record: ObjectRecord, role: str, value: Any) -> None:
    """See ``Run.store``."""
    if isinstance(value, Crop):
        run.write_picture(f"{role}.png", value.rgb, value.alpha, owner=record, role=role)
    elif isinstance(value, Cutout):
        rgba = np.ascontiguousarray(value.rgba)
        file = run.write(f"{role}.png", png.encode(rgba), owner=record, role=role)
        run.cache.put("cutout", file.sha256, rgba)
    elif isinstance(value, Mesh):
        _store_mesh(run, record, role, value)
    elif isinstance(value, TexturedMesh):
        _store_model(run, record, role, value)
    else:
        run.write(f"{role}.png", png.encode_mask(value), owner=record, role=role)


def final_role(record: ObjectRecord) -> Literal["model", "mesh"]:
    """The role of the object's final mesh: the painted one, or the plain one where no texture was made."""
    return "model" if "model" in record.files else "mesh"


def load_photo(run: Run) -> Photo:
    """See ``Run.load_photo``."""
    rgb, alpha = load_picture(run, run.manifest.files["input"])
    given = run.manifest.input
    return Photo(rgb, alpha, given.name, given.sha256, tuple(given.notes))


def load_picture(run: Run, file: FileRecord) -> Picture:
    """See ``Run.load_picture``."""
    return _decoded(run, "picture", file, png.decode)


def load_view(record: ObjectRecord) -> Camera:
    """The camera that places the object's mesh on its cutout. The shape step finds it; refining moves it along."""
    assert record.view is not None, "the object has no shape yet"
    world_to_camera, projection = (np.array(matrix, np.float64) for matrix in record.view)
    return Camera(world_to_camera, projection)


def store_view(record: ObjectRecord, view: Camera) -> None:
    """Record the camera that places the object's mesh on its cutout."""
    record.view = [view.world_to_camera.tolist(), view.projection.tolist()]


def _decoded(run: Run, kind: str, file: FileRecord, decode: Callable[[bytes], Value]) -> Value:
    """What a file holds: read and checked in any case, decoded where its value is not in the cache."""
    data = run.read(file)
    known: Value | None = run.cache.get(kind, file.sha256)
    return run.cache.put(kind, file.sha256, decode(data), own=True) if known is None else known


def _crop(run: Run, record: ObjectRecord) -> Crop:
    rgb, alpha = load_picture(run, record.files["crop"])
    others = [box_in_window(other.box, record.window) for other in run.manifest.objects if other.index != record.index]
    mask: Bool | None = None
    if "mask" in record.files:
        mask = _decoded(run, "mask", record.files["mask"], png.decode_mask)
    return Crop(
        rgb=rgb,
        window=record.window,
        box=box_in_window(record.box, record.window),
        alpha=alpha,
        mask=mask,
        others=tuple(box for box in others if box.width > 0 and box.height > 0),
    )


def _cutout(run: Run, record: ObjectRecord) -> Cutout:
    rgba = _decoded(run, "cutout", record.files["cutout"], png.decode_rgba)
    return Cutout(rgba, record.window, f"{run.manifest.name}/{record.id}")


def _mesh(run: Run, file: FileRecord) -> Mesh:
    from manymesh.mesh.formats.glb import read_glb

    return _decoded(run, "mesh", file, read_glb)


def _model(run: Run, record: ObjectRecord) -> TexturedMesh:
    from manymesh.mesh.formats.glb import read_painted_glb

    return _decoded(run, "model", record.files["model"], read_painted_glb)


def _store_mesh(run: Run, record: ObjectRecord, role: str, mesh: Mesh) -> None:
    from manymesh.mesh.formats.glb import check_writable, mesh_as_read, write_glb
    from manymesh.mesh.normals import vertex_normals

    check_writable(record.label, mesh.vertices, mesh.faces)
    normals = vertex_normals(mesh)
    scale = 1.0 if role.startswith("shape") else _scale(run, mesh)
    file = run.write(f"{role}.glb", write_glb(mesh, normals=normals, scale=scale), owner=record, role=role)
    as_read = mesh_as_read(mesh)
    if as_read is not None:
        run.cache.put("mesh", file.sha256, as_read)
        run.cache.put("normals", file.sha256, normals, own=True)


def _store_model(run: Run, record: ObjectRecord, role: str, model: TexturedMesh) -> None:
    from manymesh.mesh.formats.glb import model_as_read, write_glb

    data = write_glb(model, normals=_known_normals(run, record, model), scale=_scale(run, model))
    file = run.write(f"{role}.glb", data, owner=record, role=role)
    as_read = model_as_read(model)
    if as_read is not None:
        run.cache.put("model", file.sha256, as_read)


def _scale(run: Run, shape: Mesh | TexturedMesh) -> float:
    """From the numbers of a mesh to metres, as the run's settings ask for it."""
    from manymesh.mesh.formats.placement import longest_side

    settings = run.manifest.settings
    return 1.0 if settings.size_m is None else placement(settings).in_file("glb", longest_side(shape)).scale


def placement(settings: Settings) -> Placement:
    """How a run's settings ask its meshes to be written; all of these are in the canonical frame."""
    from manymesh.mesh.formats.placement import Placement

    return Placement(settings.size_m, settings.up or "y")


def _known_normals(run: Run, record: ObjectRecord, model: TexturedMesh) -> F32 | None:
    """The normals of the object's mesh at the vertices of its atlas: the same numbers as worked out anew, in a
    hundredth of the time. None where they are not known, or the painter has changed the mesh."""
    if "mesh" not in record.files:
        return None
    digest, atlas = record.files["mesh"].sha256, model.atlas
    mesh: Mesh | None = run.cache.get("mesh", digest)
    normals: F32 | None = run.cache.get("normals", digest)
    if mesh is None or normals is None or int(atlas.source.max(initial=-1)) >= len(mesh.vertices):
        return None
    same = np.array_equal(mesh.vertices[atlas.source], atlas.vertices)
    return normals[atlas.source] if same and np.array_equal(atlas.source[atlas.faces], mesh.faces) else None
