"""``run.json``: everything that is known of a run, as data. Its JSON schema stands in ``docs/run.schema.json``."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from manymesh.box import Box
from manymesh.naming import slug
from manymesh.settings import Settings

SCHEMA_VERSION = 1
# How manymesh names roles and files; no name begins with a dot or holds a separator.
_ROLE = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

ObjectState = Literal["pending", "done", "failed", "skipped"]  # skipped: the user left it out
RunState = Literal["running", "done", "partial", "failed", "cancelled"]


class VersionError(Exception):
    """A manifest of another schema version, which is ``version``."""

    def __init__(self, version: object) -> None:
        super().__init__(str(version))
        self.version = version


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class FileRecord(_Record):
    """One file of the run."""

    path: str = Field(description="Relative to the run folder, with forward slashes.")
    bytes: int
    sha256: str


class InputRecord(_Record):
    """The photo as it was given."""

    path: str = Field(description="Where it was read from.")
    name: str
    sha256: str = Field(description="Of the file's bytes as given.")
    width: int = Field(description="Of the oriented photo, in pixels.")
    height: int
    scale: float = Field(description="The factor by which a very large photo's sides were reduced; 1.0 otherwise.")
    notes: list[str] = Field(default_factory=list)


class ErrorRecord(_Record):
    """What went wrong."""

    code: str = Field(description="A stable name, such as 'object' or 'out-of-memory'.")
    stage: str
    message: str
    hint: str = ""
    traceback: str = Field(default="", description="Only for bugs.")


class StageRecord(_Record):
    """One stage over all objects: what did it and what it cost."""

    stage: str
    implementation: str
    licence: str
    seconds: float = Field(default=0.0, description="Of its objects' own work.")
    load_seconds: float = Field(default=0.0, description="Before it, until the model was ready.")
    wall_seconds: float = Field(
        default=0.0, description="From opening to closing the stage: loading, looking at all objects first, their work."
    )
    host_peak_bytes: int = Field(default=0, description="Highest resident memory, child processes included.")
    device_peak_bytes: int | None = Field(default=None, description="Highest memory allocated on the device.")
    device_reserved_bytes: int | None = Field(
        default=None, description="Highest memory kept from other programs on the device, spare memory included."
    )
    moved_bytes: int = Field(
        default=0, description="Weights copied to where they are used; those that are streamed count each time."
    )
    weights_seconds: float = Field(default=0.0, description="Of the wall seconds, those in which weights were loaded.")
    level: str = Field(default="", description="How the stage used the GPU's memory, by the planner's name for it.")
    planned_peak_bytes: int | None = Field(default=None, description="As planned for device_peak_bytes.")
    planned_reserved_bytes: int | None = Field(default=None, description="As planned for device_reserved_bytes.")
    objects: int = 0


class ObjectRecord(_Record):
    """One object of the photo, and how far it has come."""

    index: int = Field(description="1-based, in the detector's stable order.")
    id: str = Field(description="Its folder's name under objects/.")
    label: str
    box: Box = Field(description="x0, y0, x1, y1 in the oriented photo's pixels, half-open.")
    score: float | None = None
    source: str = Field(description="Which detector found it, or 'user'.")
    seed: int
    paint_seed: int | None = Field(default=None, description="Of the painting alone, when it was painted again.")
    window: Box = Field(description="The part of the photo that crop.png shows.")
    state: ObjectState = "pending"
    stages_done: list[str] = Field(default_factory=list)
    seconds: dict[str, float] = Field(default_factory=dict, description="By stage.")
    view: list[list[list[float]]] | None = Field(
        default=None, description="[world to camera, projection]: the camera that places mesh.glb on cutout.png."
    )
    facts: dict[str, Any] = Field(default_factory=dict, description="Faces, watertightness, texture and more.")
    warnings: list[str] = Field(default_factory=list)
    error: ErrorRecord | None = None
    files: dict[str, FileRecord] = Field(default_factory=dict, description="By role: crop, cutout, mesh, model...")


class Manifest(_Record):
    """A run."""

    schema_version: int = SCHEMA_VERSION
    manymesh: str = Field(description="The version that made it.")
    name: str
    created: str = Field(description="Local time, ISO 8601.")
    state: RunState = "running"
    input: InputRecord
    settings: Settings
    engine: str
    engine_reason: str
    implementations: dict[str, str] = Field(description="Stage to implementation.")
    missing_names: list[str] = Field(default_factory=list, description="Names of the prompt that were not found.")
    stages_done: list[str] = Field(default_factory=list, description="Of the run as a whole: detect, crop, finish.")
    objects: list[ObjectRecord] = Field(default_factory=list)
    stages: list[StageRecord] = Field(default_factory=list, description="In the order they ran; a resume adds more.")
    warnings: list[str] = Field(default_factory=list)
    error: ErrorRecord | None = None
    files: dict[str, FileRecord] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict, description="Of Python and the libraries that matter.")
    platform: str = ""


def read_manifest(data: bytes) -> Manifest:
    """The manifest in the bytes of a ``run.json``.

    Raises:
        VersionError: of another schema version.
        ValueError: damaged.
    """
    raw = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise VersionError(version)
    if isinstance(raw.get("objects"), list) and isinstance(raw.get("input"), dict):
        raw["objects"] = [_with_window(record, raw["input"]) for record in raw["objects"]]
    manifest = Manifest.model_validate(raw)
    check_names(manifest)
    return manifest


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


def check_names(manifest: Manifest) -> None:
    """Refuse names that manymesh does not give: they become parts of paths, here and in downloads.

    An object's id begins with its index and goes on with a slug. The slug need not be its label's: an object that was
    renamed when something was made of it keeps its folder.

    Raises:
        ValueError: naming the first that is wrong.
    """
    for role, file in manifest.files.items():
        _check_file(role, file, folder="")
    for record in manifest.objects:
        head, _, tail = record.id.partition("-")
        if head != f"{record.index:02d}" or not tail or slug(tail) != tail:
            raise ValueError(f"'{record.id}' is no id of object {record.index}")
        for role, file in record.files.items():
            _check_file(role, file, folder=f"objects/{record.id}/")
    for what in ("index", "id"):
        values = [getattr(record, what) for record in manifest.objects]
        if len(set(values)) < len(values):
            raise ValueError(f"two objects have the same {what}")


def _check_file(role: str, file: FileRecord, *, folder: str) -> None:
    if not _ROLE.fullmatch(role):
        raise ValueError(f"'{role}' is no role of a file")
    name = file.path.removeprefix(folder)
    if not file.path.startswith(folder) or not _FILE_NAME.fullmatch(name) or name == "run.json":
        raise ValueError(f"'{file.path}' is no place for the file '{role}'")
    if not _SHA256.fullmatch(file.sha256) or file.bytes < 0:
        raise ValueError(f"the file '{role}' has no digest")


def _with_window(record: Any, given: dict[str, Any]) -> Any:
    """The record as it is, with the window that follows from its box where an early version wrote none."""
    if not isinstance(record, dict) or record.get("window") is not None:
        return record
    from manymesh.image.crop import object_window

    try:
        window = object_window(Box(*record["box"]), int(given["width"]), int(given["height"]))
    except (KeyError, TypeError, ValueError):
        return record  # damaged: the fields' own checks say how
    return {**record, "window": window}
