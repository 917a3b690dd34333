"""A run folder: where everything a run makes is kept, from the moment it exists.

The folder is the run's whole state. Every stage reads what the one before it wrote, so a resumed run cannot differ from
an uninterrupted one. Files are written beside their place and renamed into it; the manifest is saved after the file
that it speaks of. Killing the process at any moment therefore loses at most the object in hand.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from manymesh.errors import InputError, OutputError, UsageError
from manymesh.image import png
from manymesh.naming import slug
from manymesh.run.artifacts import Shelf
from manymesh.run.manifest import SCHEMA_VERSION, FileRecord, Manifest, ObjectRecord
from manymesh.types import U8, Photo

MANIFEST = "run.json"
LOCK = ".lock"


class Run:
    """One run folder and its manifest.

    Args:
        shelf: where pictures stay for the next stage; one for all runs of a pipeline.

    Attributes:
        folder: the run folder.
        manifest: what ``run.json`` says; call ``save`` after changing it.
    """

    def __init__(self, folder: Path, manifest: Manifest, shelf: Shelf | None = None) -> None:
        self.folder = folder
        self.manifest = manifest
        self._shelf = shelf or Shelf()

    @classmethod
    def create(cls, out: Path, manifest: Manifest, photo: Photo, shelf: Shelf | None = None) -> Run:
        """Make a new folder under ``out``, named by the time and the photo. No two runs ever share one.

        Args:
            out: the folder of run folders.
            manifest: what is known so far.
            photo: becomes input.png; written before the manifest, so that no manifest is ever without it.
            shelf: see above.

        Raises:
            OutputError: ``out`` cannot be written.
        """
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{slug(manifest.input.name, 'photo')}"
        with _output_errors(out):
            out.mkdir(parents=True, exist_ok=True)
            for attempt in range(1, 10_000):
                folder = out / (stem if attempt == 1 else f"{stem}-{attempt}")
                try:
                    folder.mkdir()
                except FileExistsError:
                    continue
                run = cls(folder, manifest.model_copy(update={"name": folder.name}), shelf)
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
        path = folder / MANIFEST
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"'{folder}' is not a run folder (it has no {MANIFEST})", "Check the path.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"'{path}' cannot be read ({error})") from None
        try:
            raw = json.loads(text)
            version = raw.get("schema_version") if isinstance(raw, dict) else None
            if version != SCHEMA_VERSION:
                raise InputError(
                    f"'{path}' has schema version {version}; this manymesh reads {SCHEMA_VERSION}",
                    "Use the version of manymesh that made it.",
                )
            manifest = Manifest.model_validate(raw)
        except (json.JSONDecodeError, RecursionError, ValidationError) as error:
            detail = str(error).splitlines()[0]
            raise InputError(f"'{path}' is damaged ({detail})", "Make the run again.") from None
        return cls(folder, manifest)

    def save(self) -> None:
        """Write the manifest, atomically."""
        self._write(MANIFEST, (self.manifest.model_dump_json(indent=1) + "\n").encode())

    def write(self, path: str, data: bytes, *, owner: ObjectRecord | None = None, role: str) -> FileRecord:
        """Write a file atomically and record it under ``role``, for the object ``owner`` or the whole run."""
        self._write(path, data)
        record = FileRecord(path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        (self.manifest.files if owner is None else owner.files)[role] = record
        return record

    def write_picture(
        self, path: str, rgb: U8, alpha: U8 | None = None, *, owner: ObjectRecord | None = None, role: str
    ) -> None:
        """The same for a picture, as PNG: (h, w, 3) uint8 and, if it has any, (h, w) uint8 alpha."""
        record = self.write(path, png.encode(rgb, alpha), owner=owner, role=role)
        self._shelf.put(record.sha256, rgb, alpha)

    def picture(self, record: FileRecord) -> tuple[U8, U8 | None]:
        """The (h, w, 3) and, if it has any, (h, w) alpha of a picture's file; not to be changed. Raises as ``read``."""
        data = self.read(record)
        return self._shelf.get(record.sha256) or self._shelf.put(record.sha256, *png.decode(data))

    def read(self, record: FileRecord) -> bytes:
        """A file's bytes.

        Raises:
            InputError: gone, or no longer what was written.
        """
        path = self.path(record)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"'{path}' cannot be read ({error.strerror})") from None
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise InputError(f"'{path}' has changed since it was written", "Delete it and resume the run.")
        return data

    def path(self, record: FileRecord) -> Path:
        """Where a recorded file lies. A manifest from elsewhere must not lead outside the folder."""
        path = (self.folder / record.path).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InputError(f"'{self.folder / MANIFEST}' names a file outside its folder: '{record.path}'")
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
        """Hold the folder against a second process that would resume it at the same time, and read its manifest anew.

        The lock is the operating system's, on a file that stays: it is gone when its process is, however that ended.

        Raises:
            UsageError: somebody else holds it.
        """
        with _output_errors(self.folder), open(self.folder / LOCK, "ab") as file:
            try:
                _lock(file)
            except OSError:
                raise UsageError(
                    f"'{self.folder}' is being worked on by another process", "Wait for it to end."
                ) from None
            self.manifest = Run.open(self.folder).manifest
            yield

    def _write(self, relative: str, data: bytes) -> None:
        target = self.folder / relative
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
        with _output_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with open(temporary, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)


@contextmanager
def _output_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what, hint = (
                f"The disk is full: '{target}' could not be written",
                "Free some space, then `manymesh resume`.",
            )
        else:
            what = f"'{target}' cannot be written ({error.strerror or error})"
            hint = "Choose another folder with --out."
        raise OutputError(what, hint) from error


def _lock(file: IO[bytes]) -> None:
    """Lock an open file for this process alone; raises OSError when another has it. Closing the file lets go."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
