"""How far a run and its objects have come, and how a run is reopened and ends.

The only place that reads or changes ``stages_done``, ``state`` and ``error`` of a run or an object. A step is *done*
for a run or an object once its function has returned. An object is *pending* until its last step is done, or it has
failed; it is *skipped* while the user leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

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
from manymesh.run.folder import Run
from manymesh.run.manifest import ErrorRecord, Manifest, ObjectRecord
from manymesh.stages import STEPS, Step

# The entry of an object's facts that says that its cutout is a person's own, and not made by the matte step.
OWN_CUTOUT = "own_cutout"
_OBJECT_STEPS = {step.name: step for step in STEPS if step.per == "object"}
_LAST_OBJECT_STEP = list(_OBJECT_STEPS)[-1]


def is_done(of: Manifest | ObjectRecord, step: str) -> bool:
    """Whether a run or an object has a step behind it."""
    return step in of.stages_done


def mark_done(of: Manifest | ObjectRecord, step: str) -> None:
    """The step is done."""
    if step not in of.stages_done:
        of.stages_done.append(step)


def has_started(record: ObjectRecord) -> bool:
    """Whether any step is done for this object."""
    return bool(record.stages_done)


def is_found(manifest: Manifest) -> bool:
    """Whether the run's objects are found and cropped."""
    return is_done(manifest, "crop")


def is_finished(manifest: Manifest) -> bool:
    """Whether the run has gone through all its steps, however its objects fared."""
    return is_done(manifest, "finish")


def is_wanted(record: ObjectRecord) -> bool:
    """Whether the object is to be made: the user has not left it out."""
    return record.state != "skipped"


def is_made(record: ObjectRecord) -> bool:
    """Whether every step of the object succeeded."""
    return record.state == "done"


def wanted(manifest: Manifest) -> list[ObjectRecord]:
    """The objects that are to be made."""
    return [record for record in manifest.objects if is_wanted(record)]


def runs_to_do(runs: Sequence[Run], step: Step) -> list[Run]:
    """The runs that have not failed and still have this step before them."""
    return [run for run in runs if run.manifest.error is None and not is_done(run.manifest, step.name)]


def objects_to_do(runs: Sequence[Run], step: Step) -> list[tuple[Run, ObjectRecord]]:
    """The objects that are pending and still have this step before them, of runs that have not failed."""
    return [
        (run, record)
        for run in runs
        if run.manifest.error is None
        for record in run.manifest.objects
        if record.state == "pending" and not is_done(record, step.name)
    ]


def take_over(record: ObjectRecord, after: ObjectRecord, step: str, seconds: float, error: ErrorRecord | None) -> None:
    """Put what came of a step into an object's record.

    Args:
        record: of the run's manifest.
        after: a copy of it, as the step left it.
        step: the step's name.
        seconds: how long it took.
        error: why it failed, or None.
    """
    for field in type(record).model_fields:
        setattr(record, field, getattr(after, field))
    record.seconds[step] = round(seconds, 4)
    if error is None:
        mark_done(record, step)
    else:
        fail(record, error)
    record.warnings = list(dict.fromkeys(record.warnings))  # a stage that is tried again says the same again


def fail(of: Manifest | ObjectRecord, error: ErrorRecord) -> None:
    """A step went wrong. Nothing more is done for this run or object until it is resumed."""
    of.error, of.state = error, "failed"


def leave_out(record: ObjectRecord) -> None:
    """The user does not want this object. What was made of it stays."""
    record.state = "skipped"


def take_back(record: ObjectRecord) -> None:
    """The user wants an object after all that was left out."""
    if not is_wanted(record):
        _settle(record)


def redo_from(record: ObjectRecord, step: str) -> None:
    """Forget a step of an object and every later one, with the files they left, so that they are done again."""
    order = list(_OBJECT_STEPS)
    for later in order[order.index(step) :]:
        _forget(record, later)
    # Roles such as "shape-2" belong to the step that leaves "shape"; exports such as "model-stl" to the last step.
    kept = {"mask", "crop", *(_OBJECT_STEPS[earlier].leaves for earlier in order[: order.index(step)])}
    for role in list(record.files):
        if role not in kept and not (role.startswith("shape-") and "shape" in kept):
            del record.files[role]
    if step == "matte":
        record.facts.pop(OWN_CUTOUT, None)
    if is_wanted(record):
        record.state = "pending"


def redo_run(manifest: Manifest, *steps: str) -> None:
    """Forget steps of the run as a whole, so that they are done again."""
    for step in steps:
        _forget(manifest, step)
    manifest.state = "running"


def reopen(run: Run) -> None:
    """Make a run of an earlier time ready to go on: forget failures, and everything whose file is no longer what was
    written. Reads every file of the run.

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
            _forget(manifest, "crop")
        for step in _OBJECT_STEPS.values():
            lost = not (step.leaves in record.files and run.intact(record.files[step.leaves]))
            if is_done(record, step.name) and lost:
                # Refining moves the camera that the shape step found, so that camera is needed anew.
                redo_from(record, "shape" if step.name == "refine" else step.name)
        _drop_lost(run, record)
        record.error = None
        if is_wanted(record):
            _settle(record)
    if any(record.state == "pending" for record in manifest.objects):
        _forget(manifest, "finish")
    if not all(run.intact(file) for file in manifest.files.values()):
        _forget(manifest, "finish")
    if not is_finished(manifest):
        manifest.state = "running"


def close_objects(manifest: Manifest) -> list[ObjectRecord]:
    """At the end of a run, every object that is wanted and did not fail is done. Returns those."""
    for record in wanted(manifest):
        if record.error is None:
            record.state = "done"
    return [record for record in wanted(manifest) if is_made(record)]


def give_verdict(manifest: Manifest) -> None:
    """The run's final state, from those of its objects."""
    made = [is_made(record) for record in wanted(manifest)]
    manifest.state = "done" if all(made) else "partial" if any(made) else "failed"


@contextmanager
def recording_how_it_ended(runs: Sequence[Run]) -> Iterator[None]:
    """Whatever ends the work early is written into the manifests before it goes on up."""
    try:
        yield
    except KeyboardInterrupt:
        stop = Cancelled("Stopped by Ctrl-C", "What was finished is kept; `manymesh resume` goes on from there.")
        _mark_ended(runs, "cancelled", None)
        raise stop from None
    except Cancelled:
        _mark_ended(runs, "cancelled", None)
        raise
    except ManymeshError as error:
        _mark_ended(runs, "failed", ErrorRecord(code=error.code, stage="", message=error.what, hint=error.hint))
        raise
    except Exception as error:
        _mark_ended(runs, "failed", ErrorRecord(code="bug", stage="", message=f"{type(error).__name__}: {error}"))
        raise


def exit_code(runs: Sequence[Run]) -> int:
    """The process's exit code after these runs: the first run's own error, else 6, 5 or 0."""
    for run in runs:
        if run.manifest.error is not None:
            return kind_of(run.manifest.error.code).exit_code
    states = [record.state for run in runs for record in run.manifest.objects]
    if "failed" not in states:
        return EXIT_OK
    return EXIT_SOME_FAILED if "done" in states else EXIT_ALL_FAILED


def _settle(record: ObjectRecord) -> None:
    """The state of an object that has no error, from the steps behind it."""
    record.state = "done" if is_done(record, _LAST_OBJECT_STEP) else "pending"


def _drop_lost(run: Run, record: ObjectRecord) -> None:
    """Forget files that are gone: exports and previews are written again; a warning names what cannot be remade."""
    for role in [role for role, file in record.files.items() if not run.intact(file)]:
        record.files.pop(role, None)
        if role == "mask" and not is_done(record, "matte"):
            record.warnings.append("The detector's mask was lost, so the object is cut out from its box.")
        elif role not in ("mask", "crop") and not role.startswith("shape-") and is_done(record, "write"):
            redo_from(record, "write")


def _mark_ended(runs: Sequence[Run], state: str, error: ErrorRecord | None) -> None:
    for run in runs:
        if run.manifest.error is None and not is_finished(run.manifest):
            run.manifest.state = state  # type: ignore[assignment]
            run.manifest.error = error
            # On a full disk the manifest cannot be saved either; the last one that was saved stands.
            with suppress(OutputError):
                run.save()


def _forget(of: Manifest | ObjectRecord, step: str) -> None:
    if is_done(of, step):
        of.stages_done.remove(step)
