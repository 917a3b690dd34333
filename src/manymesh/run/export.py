"""A run's files as downloads: one object in any format, or everything in one archive. Nothing is written to the run."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import IO

from manymesh.errors import UsageError
from manymesh.run.artifacts import file_placement, final_role
from manymesh.run.folder import MANIFEST, Run
from manymesh.run.lifecycle import wanted
from manymesh.run.manifest import Manifest, ObjectRecord
from manymesh.settings import FORMATS

# The earliest time a zip can hold: the same files give the same archive.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
# What a person who downloads a run wants; crops, masks and unfinished shapes are for resuming.
_LEAVE_OUT = ("crop", "mask", "shape", "preview")


def as_format(run: Run, record: ObjectRecord, name: str) -> tuple[str, bytes]:
    """One object's final mesh as one file of format ``name``; a zip where the format needs several files (OBJ).

    Returns:
        The file's name and its bytes.

    Raises:
        UsageError: no such format, or the object has no mesh yet.
    """
    if name not in FORMATS:
        raise UsageError(f"There is no format '{name}'", f"There are: {', '.join(FORMATS)}.")
    if "mesh" not in record.files:
        raise UsageError(f"'{record.label}' has no mesh yet", "Resume the run first.")
    if name == "glb":
        return f"{record.id}.glb", run.read(record.files[final_role(record)])
    from manymesh.mesh.formats.placement import longest_side
    from manymesh.mesh.formats.write import write

    shape = run.load(record, final_role(record))
    frame = file_placement(run.manifest.settings).in_file(name, longest_side(shape))
    files = write(shape, name, stem=record.id, name=record.label, frame=frame)
    if len(files) == 1:
        return f"{record.id}.{name}", next(iter(files.values()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for inner, content in files.items():
            _add(archive, inner, content)
    return f"{record.id}-{name}.zip", buffer.getvalue()


def write_archive(run: Run, file: IO[bytes]) -> None:
    """Everything that the run made, as a zip: models, cutouts, the scene, the contact sheet and run.json."""
    manifest = run.manifest
    records = [record for role, record in manifest.files.items() if role not in ("detections", "edits")]
    for made in wanted(manifest):
        records += [record for role, record in made.files.items() if role.partition("-")[0] not in _LEAVE_OUT]
    root = run.folder.name
    with zipfile.ZipFile(file, "w") as archive:
        for record in records:
            _add(archive, f"{root}/{record.path}", run.read(record))
        _add(archive, f"{root}/{MANIFEST}", _without_paths(manifest))


def _without_paths(manifest: Manifest) -> bytes:
    """``run.json`` for other people: without folders of this machine, which tracebacks name too."""
    copy = manifest.model_copy(deep=True)
    copy.input.path = Path(copy.input.path).name
    copy.settings = copy.settings.model_copy(update={"weights_dir": None, "views": ()})
    for error in (copy.error, *(record.error for record in copy.objects)):
        if error is not None:
            error.traceback = ""
    return (copy.model_dump_json(indent=1) + "\n").encode()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    packed = Path(name).suffix in (".png", ".zip", ".3mf")  # already compressed
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
