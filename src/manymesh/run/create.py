"""What a run folder begins with: its photo, its manifest, and a record for every object that was found."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from manymesh._version import __version__
from manymesh.engines import Plan
from manymesh.image import png
from manymesh.image.crop import crop_array, object_window
from manymesh.image.load import load_photo
from manymesh.naming import clean_name, object_seed, slug
from manymesh.run.artifacts import ArtifactCache
from manymesh.run.folder import Run
from manymesh.run.lifecycle import wanted
from manymesh.run.manifest import InputRecord, Manifest, ObjectRecord
from manymesh.settings import Settings
from manymesh.types import Detection, Photo

# The longest label that an object of a run may have, in characters.
MAX_LABEL = 80

# Whose versions can change what a run makes.
LIBRARIES = (
    "numpy",
    "scipy",
    "pillow",
    "opencv-python-headless",
    "onnxruntime",
    "trimesh",
    "fast-simplification",
    "torch",
    "transformers",
    "diffusers",
)


def begin_run(path: Path, out: Path, plan: Plan, cache: ArtifactCache | None = None) -> Run:
    """Read the photo at ``path`` and make its run folder under ``out``, with input.png and a manifest.

    Args:
        path: a picture file.
        out: the folder of run folders.
        plan: recorded in the manifest.
        cache: see ``Run``.

    Raises:
        InputError: the photo cannot be read; no folder is made then.
        OutputError: ``out`` cannot be written.
    """
    photo, scale = load_photo(path)
    libraries = _library_versions()
    manifest = Manifest(
        manymesh=__version__,
        name="",
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        input=InputRecord(
            path=os.fsencode(path).decode("utf-8", "replace"),
            name=clean_name(os.fsencode(photo.name).decode("utf-8", "replace")),
            sha256=photo.sha256,
            width=photo.width,
            height=photo.height,
            scale=scale,
            notes=list(photo.notes),
        ),
        settings=plan.settings,
        engine=plan.engine,
        engine_reason=plan.reason,
        implementations={kind: stage.name for kind, stage in plan.stages.items()},
        warnings=list(photo.notes),
        versions={"python": platform.python_version(), **libraries},
        platform=f"{platform.system()} {platform.machine()}",
    )
    return Run.create(out, manifest, photo, cache)


def write_objects(run: Run, photo: Photo, detections: Sequence[Detection]) -> None:
    """Make the manifest's objects from ``detections``, with their masks and the picture of the boxes."""
    run.manifest.objects = [new_record(i, d, photo, run.manifest.settings) for i, d in enumerate(detections, start=1)]
    for record, detection in zip(run.manifest.objects, detections, strict=True):
        if detection.mask is not None:
            run.store(record, "mask", crop_array(detection.mask, record.window))
    draw_detections(run, photo)


def draw_detections(run: Run, photo: Photo) -> None:
    """Write detections.png, the photo with the boxes of the objects that are to be made."""
    labelled = [
        (record.box, f"{record.index} {record.label}" + (f" {record.score:.2f}" if record.score is not None else ""))
        for record in wanted(run.manifest)
    ]
    run.write_picture("detections.png", png.draw_boxes(photo.rgb, labelled), role="detections")


def new_record(index: int, detection: Detection, photo: Photo, settings: Settings) -> ObjectRecord:
    """What the manifest says of one detection. An object without a name is called by its number."""
    name = clean_name(detection.label, MAX_LABEL) if detection.label.strip() else ""
    return ObjectRecord(
        index=index,
        id=object_id(index, name),
        label=name or f"object-{index:02d}",
        box=detection.box,
        score=detection.score,
        source=detection.source,
        seed=object_seed(settings.seed, index),
        window=object_window(detection.box, photo.width, photo.height),
    )


def object_id(index: int, label: str) -> str:
    """An object's folder name, such as "01-cup"; "01-object" where it has no label."""
    return f"{index:02d}-{slug(label)}" if label.strip() else f"{index:02d}-object"


def _library_versions() -> dict[str, str]:
    """The versions of those of ``LIBRARIES`` that are installed."""
    found = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):  # an extra that is not installed
            found[name] = version(name)
    return found
