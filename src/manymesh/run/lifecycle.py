"""How a run is reopened, how it ends, and what is made of all its objects together: the scene and the contact sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from manymesh.engines import Plan
from manymesh.errors import (
    EXIT_ALL_FAILED,
    EXIT_OK,
    EXIT_SOME_FAILED,
    Cancelled,
    InputError,
    ManymeshError,
    OutputError,
    kind_of,
)
from manymesh.parallel import run_pair
from manymesh.run.folder import Run
from manymesh.run.manifest import ErrorRecord, ObjectRecord
from manymesh.runner.steps import read_photo
from manymesh.stages import STEPS, Tick

# What each stage of an object leaves; a stage whose file is gone or changed is done again, with all after it.
STAGE_FILES = {step.name: step.leaves for step in STEPS if step.per == "object"}


def reopen(run: Run) -> None:
    """Make a run ready to go on: forget failures, and everything whose file is no longer what was written.

    Raises:
        InputError: the run's own copy of the photo is gone or changed, and nothing can be made without it.
    """
    manifest = run.manifest
    if "input" not in manifest.files:
        raise InputError(f"'{run.folder}' has lost its copy of the photo", "Make the run again.")
    run.read(manifest.files["input"])
    manifest.error = None
    for record in manifest.objects:
        if "crop" not in record.files or not run.intact(record.files["crop"]):
            _forget(manifest.stages_done, "crop")
        for stage, role in STAGE_FILES.items():
            if stage in record.stages_done and not (role in record.files and run.intact(record.files[role])):
                redo_from(record, stage)
        _drop_lost(run, record)
        record.error = None
        if record.state != "skipped":
            record.state = "done" if "write" in record.stages_done else "pending"
    if any(record.state == "pending" for record in manifest.objects):
        _forget(manifest.stages_done, "finish")
    if not all(run.intact(file) for file in manifest.files.values()):
        _forget(manifest.stages_done, "finish")
    if "finish" not in manifest.stages_done:
        manifest.state = "running"


def _drop_lost(run: Run, record: ObjectRecord) -> None:
    """Forget files that are gone: exports and previews are written again, what cannot be remade is said."""
    for role in [role for role, file in record.files.items() if not run.intact(file)]:
        del record.files[role]
        if role == "mask" and "matte" not in record.stages_done:
            record.warnings.append("The detector's mask was lost, so the object is cut out from its box.")
        elif role not in ("mask", "crop") and not role.startswith("shape-") and "write" in record.stages_done:
            redo_from(record, "write")


def redo_from(record: ObjectRecord, stage: str) -> None:
    """Forget ``stage`` and everything after it, so that it is done again."""
    order = list(STAGE_FILES)
    for later in order[order.index(stage) :]:
        _forget(record.stages_done, later)
        record.files.pop(STAGE_FILES[later], None)
    if record.state != "skipped":
        record.state = "pending"


def finish_run(run: Run, plan: Plan, model: None, tick: Tick) -> None:
    """Write scene.glb and sheet.png from the objects that were made, and say how the run went."""
    from manymesh.run.contact_sheet import contact_sheet
    from manymesh.run.scene import scene
    from manymesh.runner.find import draw_detections

    if "detections" not in run.manifest.files or not run.intact(run.manifest.files["detections"]):
        draw_detections(run, read_photo(run))
    made: list[ObjectRecord] = []
    failed: list[ObjectRecord] = []
    for record in run.manifest.objects:
        if record.state == "skipped":
            continue
        if record.error is None:
            record.state = "done"
        (made if record.state == "done" else failed).append(record)

    def write_scene() -> None:
        if made:
            run.write("scene.glb", scene(run, made), role="scene")

    tick(0.0)
    _, sheet = run_pair(write_scene, lambda: contact_sheet(run))
    tick(0.9)
    run.write("sheet.png", sheet, role="sheet")
    run.manifest.state = "done" if not failed else "partial" if made else "failed"


@contextmanager
def recording_how_it_ended(runs: Sequence[Run]) -> Iterator[None]:
    """Whatever ends the walk early is written into the manifests before it goes on up."""
    try:
        yield
    except KeyboardInterrupt:
        stop = Cancelled("Stopped by Ctrl-C", "What was finished is kept; `manymesh resume` goes on from there.")
        _mark(runs, "cancelled", None)
        raise stop from None
    except Cancelled:
        _mark(runs, "cancelled", None)
        raise
    except ManymeshError as error:
        _mark(runs, "failed", ErrorRecord(code=error.code, stage="", message=error.what, hint=error.hint))
        raise
    except Exception as error:
        _mark(runs, "failed", ErrorRecord(code="bug", stage="", message=f"{type(error).__name__}: {error}"))
        raise


def _mark(runs: Sequence[Run], state: str, error: ErrorRecord | None) -> None:
    for run in runs:
        if run.manifest.error is None and "finish" not in run.manifest.stages_done:
            run.manifest.state = state  # type: ignore[assignment]
            run.manifest.error = error
            # On a full disk the manifest cannot be saved either; the one from the last finished object stands.
            with suppress(OutputError):
                run.save()


def exit_code(runs: Sequence[Run]) -> int:
    """The process's exit code after these runs: the first run's own error, else 6, 5 or 0."""
    for run in runs:
        if run.manifest.error is not None:
            return kind_of(run.manifest.error.code).exit_code
    states = [record.state for run in runs for record in run.manifest.objects]
    if "failed" not in states:
        return EXIT_OK
    return EXIT_SOME_FAILED if "done" in states else EXIT_ALL_FAILED


def _forget(done: list[str], stage: str) -> None:
    if stage in done:
        done.remove(stage)
