"""A run folder: where everything a run makes is kept, from the moment it exists.

The folder is the run's whole state. Every stage reads what the one before it wrote, so a resumed run cannot differ from
an uninterrupted one. Files are written beside their place and renamed into it; the manifest is saved after the file
that it speaks of. Killing the process at any moment therefore loses at most the objects in progress, and what was
finished in the ``CHECKPOINT_S`` seconds before: a manifest is not written for every object of a quick stage.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, overload

from manymesh.errors import InputError, OutputError, UsageError
from manymesh.image import png
from manymesh.image.crop import box_in_window
from manymesh.naming import slug
from manymesh.run.artifacts import (
    Artifact,
    ArtifactCache,
    Decoding,
    FinalMesh,
    Picture,
    atlas_normals,
    decode,
    encode,
    final_role,
    metres_per_unit,
)
from manymesh.run.files import exclusive_lock, output_errors, read_regular_file, write_atomically
from manymesh.run.manifest import SCHEMA_VERSION, FileRecord, Manifest, ObjectRecord, VersionError, read_manifest
from manymesh.types import F32, U8, Crop, Cutout, Mesh, Photo, TexturedMesh

MANIFEST = "run.json"
LOCK = ".lock"
# Finished work that a killed process may lose. Chosen by hand: shorter than any object takes in a stage that is slow.
CHECKPOINT_S = 0.5
# Larger files are not read. A manifest of 256 objects has about 2 MiB; an OBJ file of two million faces, 200.
MAX_MANIFEST_BYTES = 64 * 1024**2
MAX_FILE_BYTES = 1024**3


class Run:
    """One run folder and its manifest.

    Args:
        cache: keeps values for the next stage; one for all runs of a pipeline.

    Attributes:
        folder: the run folder.
        manifest: what ``run.json`` says; call ``save`` after changing it.
        cache: see above.
    """

    def __init__(self, folder: Path, manifest: Manifest, cache: ArtifactCache | None = None) -> None:
        self.folder = folder
        self.manifest = manifest
        self.cache = cache or ArtifactCache()
        self._saved = b""  # what this object last read from run.json or wrote to it
        self._saved_at_s = 0.0

    @classmethod
    def create(cls, out: Path, manifest: Manifest, photo: Photo, cache: ArtifactCache | None = None) -> Run:
        """Make a new folder under ``out``, named by the time and the photo. No two runs ever share one.

        Args:
            out: the folder of run folders.
            manifest: what is known so far.
            photo: becomes input.png; written before the manifest, so that no manifest is ever without it.
            cache: see above.

        Raises:
            OutputError: ``out`` cannot be written.
        """
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{slug(manifest.input.name, 'photo')}"
        with output_errors(out):
            out.mkdir(parents=True, exist_ok=True)
            for attempt in range(1, 10_000):
                folder = out / (stem if attempt == 1 else f"{stem}-{attempt}")
                try:
                    folder.mkdir(mode=0o700)  # photos and models are their owner's business
                except FileExistsError:
                    continue
                run = cls(folder, manifest.model_copy(update={"name": folder.name}), cache)
                run.write_picture("input.png", photo.rgb, photo.alpha, role="input")
                run.save()
                return run
        raise OutputError(f"No free folder name is left for '{stem}' in '{out}'")

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Read a run folder.

        Raises:
            InputError: not a run folder, or its manifest is damaged or from another version of manymesh.
        """
        data = _manifest_bytes(folder)
        run = cls(folder, _parse(folder / MANIFEST, data))
        run._saved = data
        return run

    def save(self) -> None:
        """Write the manifest, atomically."""
        data = (self.manifest.model_dump_json(indent=1) + "\n").encode()
        self._write(MANIFEST, data)
        self._saved, self._saved_at_s = data, time.monotonic()

    def checkpoint(self) -> None:
        """Save, unless the manifest was saved less than ``CHECKPOINT_S`` ago. Whoever ends a stage calls ``save``."""
        if time.monotonic() - self._saved_at_s >= CHECKPOINT_S:
            self.save()

    @overload
    def load(self, record: ObjectRecord, role: Literal["crop"]) -> Crop: ...

    @overload
    def load(self, record: ObjectRecord, role: Literal["cutout"]) -> Cutout: ...

    @overload
    def load(self, record: ObjectRecord, role: Literal["shape", "mesh"]) -> Mesh: ...

    @overload
    def load(self, record: ObjectRecord, role: Literal["model"]) -> TexturedMesh: ...

    @overload
    def load(self, record: ObjectRecord, role: Literal["mesh", "model"]) -> Mesh | TexturedMesh: ...

    @overload
    def load(self, record: ObjectRecord, role: Literal["final"]) -> FinalMesh: ...

    @overload
    def load(self, record: ObjectRecord, role: str) -> Crop | Cutout | Mesh | TexturedMesh | FinalMesh: ...

    def load(self, record: ObjectRecord, role: str) -> Crop | Cutout | Mesh | TexturedMesh | FinalMesh:
        """What one of an object's files holds. Its arrays cannot be changed. Raises as ``read``.

        Args:
            record: the object.
            role: of the file. "final" is the painted mesh, or the plain one where no texture was made.
        """
        if role == "crop":
            return self._load_crop(record)
        if role == "cutout":
            rgba: U8 = self._load("cutout", record.files["cutout"])
            return Cutout(rgba, record.window, f"{self.manifest.name}/{record.id}")
        if role == "final":
            last = final_role(record)
            data = self.read(record.files[last])
            return FinalMesh(last, self._decoded(last, record.files[last], data), data)
        value: Mesh | TexturedMesh = self._load("model" if role == "model" else "mesh", record.files[role])
        return value

    def store(self, record: ObjectRecord, role: str, value: Artifact | bytes) -> None:
        """Write a value to the object's file ``role``.png or ``role``.glb and record it under ``role``.

        Args:
            record: the object.
            role: "mask", "crop", "cutout", "shape", "shape-2", "mesh", "model" or "preview".
            value: what to write. Bytes are a file as it is: ``role`` is then its name, such as "model.obj", and it is
                recorded under "model-obj".
        """
        if isinstance(value, bytes):
            self.write(role, value, owner=record, role=role.replace(".", "-"))
            return
        scale, normals = 1.0, None
        if isinstance(value, Mesh | TexturedMesh) and not role.startswith("shape"):
            scale = metres_per_unit(self.manifest.settings, value)
        if isinstance(value, TexturedMesh):
            normals = self._known_normals(record, value)
        encoded = encode(value, record.label, scale, normals)
        file = self.write(f"{role}{encoded.suffix}", encoded.data, owner=record, role=role)
        for kind, known in encoded.known.items():
            self.cache.put(kind, file.sha256, known, own=kind == "normals")

    def load_photo(self) -> Photo:
        """The oriented photo that the run was given. Raises as ``read``."""
        rgb, alpha = self.load_picture(self.manifest.files["input"])
        given = self.manifest.input
        return Photo(rgb, alpha, given.name, given.sha256, tuple(given.notes))

    def load_picture(self, file: FileRecord) -> Picture:
        """The (h, w, 3) and, if it has any, (h, w) alpha of a picture's file; not to be changed. Raises as ``read``."""
        picture: Picture = self._load("picture", file)
        return picture

    def _load(self, kind: Decoding, file: FileRecord) -> Any:
        return self._decoded(kind, file, self.read(file))

    def _decoded(self, kind: Decoding, file: FileRecord, data: bytes) -> Any:
        """What a file's bytes hold: decoded where the value is not in the cache."""
        known = self.cache.get(kind, file.sha256)
        return self.cache.put(kind, file.sha256, decode(kind, data), own=True) if known is None else known

    def _load_crop(self, record: ObjectRecord) -> Crop:
        rgb, alpha = self.load_picture(record.files["crop"])
        others = [
            box_in_window(other.box, record.window) for other in self.manifest.objects if other.index != record.index
        ]
        return Crop(
            rgb=rgb,
            window=record.window,
            box=box_in_window(record.box, record.window),
            alpha=alpha,
            mask=self._load("mask", record.files["mask"]) if "mask" in record.files else None,
            others=tuple(box for box in others if box.width > 0 and box.height > 0),
        )

    def _known_normals(self, record: ObjectRecord, model: TexturedMesh) -> F32 | None:
        """The normals of the object's mesh at the vertices of its painted form, where they are still in the cache."""
        if "mesh" not in record.files:
            return None
        digest = record.files["mesh"].sha256
        mesh: Mesh | None = self.cache.get("mesh", digest)
        normals: F32 | None = self.cache.get("normals", digest)
        return None if mesh is None or normals is None else atlas_normals(model, mesh, normals)

    def write(self, name: str, data: bytes, *, owner: ObjectRecord | None = None, role: str) -> FileRecord:
        """Write a file atomically and record it under ``role``: in the folder of the object ``owner`` and for it, or in
        the run folder and for the whole run."""
        path = name if owner is None else f"objects/{owner.id}/{name}"
        self._write(path, data)
        record = FileRecord(path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        (self.manifest.files if owner is None else owner.files)[role] = record
        return record

    def write_picture(
        self, name: str, rgb: U8, alpha: U8 | None = None, *, owner: ObjectRecord | None = None, role: str
    ) -> None:
        """The same for a picture, as PNG: (h, w, 3) uint8 and, if it has any, (h, w) uint8 alpha."""
        record = self.write(name, png.encode(rgb, alpha), owner=owner, role=role)
        self.cache.put("picture", record.sha256, (rgb, alpha))

    def read(self, record: FileRecord) -> bytes:
        """A file's bytes.

        Raises:
            InputError: gone, or no longer what was written.
        """
        path = self.path(record)
        data = read_regular_file(path, MAX_FILE_BYTES)
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise InputError(f"'{path}' has changed since it was written", "Delete it and resume the run.")
        return data

    def path(self, record: FileRecord) -> Path:
        """Where a recorded file lies. Raises InputError where that is outside the folder."""
        return self.inside(record.path)

    def inside(self, relative: str) -> Path:
        """A path in the run folder. A manifest or links from elsewhere must not lead outside it.

        Raises:
            InputError: it is outside the folder.
        """
        path = (self.folder / relative).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InputError(f"'{self.folder / MANIFEST}' names a file outside its folder: '{relative}'")
        return path

    def intact(self, record: FileRecord) -> bool:
        """Whether a recorded file still is what was written."""
        try:
            self.read(record)
        except InputError:
            return False
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against a second process that would resume it at the same time.

        The manifest is read anew where somebody else has written it since.

        Raises:
            UsageError: somebody else holds it.
        """
        with output_errors(self.folder), exclusive_lock(self.inside(LOCK)) as is_ours:
            if not is_ours:
                raise UsageError(f"'{self.folder}' is being worked on by another process", "Wait for it to end.")
            data = _manifest_bytes(self.folder)
            if data != self._saved:
                self.manifest, self._saved = _parse(self.folder / MANIFEST, data), data
            yield

    def _write(self, relative: str, data: bytes) -> None:
        # What is at the place itself is replaced, be it a link; the folder that it is in must be the run's own.
        self.inside(str(Path(relative).parent))
        write_atomically(self.folder / relative, data)


def _manifest_bytes(folder: Path) -> bytes:
    """``run.json`` as it is. Raises InputError where the folder has none."""
    path = folder / MANIFEST
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"'{folder}' is not a run folder (it has no {MANIFEST})", "Check the path.") from None
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror or error})") from None
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"'{path}' leads outside its folder", "Make the run again.")
    return read_regular_file(path, MAX_MANIFEST_BYTES)


def _parse(path: Path, data: bytes) -> Manifest:
    """The manifest in the file at ``path``. Raises InputError: damaged, or of another version of manymesh."""
    try:
        return read_manifest(data)
    except VersionError as error:
        raise InputError(
            f"'{path}' has schema version {error.version}; this manymesh reads {SCHEMA_VERSION}",
            "Use the version of manymesh that made it.",
        ) from None
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0]
        raise InputError(f"'{path}' is damaged ({detail})", "Make the run again.") from None
