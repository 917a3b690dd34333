"""The Python face: one call from a photo to meshes in memory and on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from manymesh.errors import kind_of
from manymesh.events import Cancel, OnEvent, ignore
from manymesh.pipeline import Pipeline
from manymesh.run.artifacts import final_role
from manymesh.run.folder import Run
from manymesh.run.lifecycle import is_made
from manymesh.run.manifest import Manifest, ObjectRecord
from manymesh.settings import build_settings

if TYPE_CHECKING:
    import trimesh

    from manymesh.types import U8, Box


@dataclass(frozen=True)
class ObjectResult:
    """One object of a run.

    Attributes:
        record: what the manifest says of it (facts, seconds, warnings...).
        files: where its files lie, by role: "crop", "cutout", "mesh", "model", "preview", "model-obj"...
    """

    record: ObjectRecord
    files: Mapping[str, Path]

    @property
    def label(self) -> str:
        return self.record.label

    @property
    def box(self) -> Box:
        """In the oriented photo's pixels, half-open."""
        return self.record.box

    @property
    def ok(self) -> bool:
        return is_made(self.record)

    @property
    def error(self) -> str | None:
        """What went wrong, and what to do about it."""
        return None if self.record.error is None else f"{self.record.error.message}. {self.record.error.hint}".strip()

    @property
    def cutout(self) -> U8:
        """(h, w, 4) uint8, straight alpha."""
        from manymesh.image.png import decode_rgba
        from manymesh.run.files import read_regular_file
        from manymesh.run.folder import MAX_FILE_BYTES

        return decode_rgba(read_regular_file(self.files["cutout"], MAX_FILE_BYTES))

    @property
    def mesh(self) -> trimesh.Trimesh:
        """The painted mesh, or the plain one when no texture was made. Each reading loads the file anew."""
        import trimesh

        return trimesh.load(self.files[final_role(self.record)], force="mesh", process=False)  # type: ignore[return-value]


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes:
        folder: the run folder.
        manifest: what ``run.json`` says.
        objects: in the detector's stable order; also those that failed (``ok`` is False).
    """

    folder: Path
    manifest: Manifest
    objects: tuple[ObjectResult, ...]

    @property
    def scene(self) -> Path | None:
        """scene.glb, every object where it stood."""
        return self._file("scene")

    @property
    def sheet(self) -> Path | None:
        """sheet.png, the contact sheet."""
        return self._file("sheet")

    def _file(self, role: str) -> Path | None:
        record = self.manifest.files.get(role)
        return None if record is None else self.folder / record.path


def make(
    photo: Path | str,
    *,
    out: Path | str = "runs",
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
    **settings: Any,
) -> Result:
    """Make a mesh of every object in ``photo``.

    Args:
        photo: a picture file.
        out: where the run folder goes.
        on_event: called with every ``Event``.
        cancel: ask it to stop, from any thread.
        **settings: the fields of ``Settings``: ``prompt="cup, spoon"``, ``faces=20_000``, ``texture=False``...

    Returns:
        The run. An object that failed is in it with its ``error``; the others are made all the same.

    Raises:
        UsageError: a setting makes no sense.
        InputError, NothingFoundError, MissingPieceError, OutputError, Cancelled: see ``Pipeline.make``.
    """
    with Pipeline(build_settings(settings), on_event=on_event, cancel=cancel) as pipeline:
        run = pipeline.make([photo], out)[0]
    if run.manifest.error is not None:
        error = run.manifest.error
        raise kind_of(error.code)(error.message, error.hint)
    return _result(run)


def open_run(folder: Path | str) -> Result:
    """Read a run folder that was made before.

    Raises:
        InputError: not a run folder.
    """
    return _result(Run.open(Path(folder)))


def _result(run: Run) -> Result:
    made = tuple(
        ObjectResult(record, MappingProxyType({role: run.path(file) for role, file in record.files.items()}))
        for record in run.manifest.objects
    )
    return Result(run.folder, run.manifest, made)
