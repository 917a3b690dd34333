"""Changing what was found before the run goes on: leave objects out, rename them, redraw a box, add one, paint again.

Each of these works on an open run, between ``Pipeline.find`` and ``Pipeline.resume(folder, change=...)`` or at any time
later: what no longer holds is forgotten and made again. Indices and seeds of the other objects never change, so they
come out the same with or without the edit.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from manymesh.errors import UsageError
from manymesh.run.folder import Run
from manymesh.run.lifecycle import redo_from
from manymesh.run.manifest import ObjectRecord
from manymesh.runner.find import draw_detections, new_record, object_id, window_of
from manymesh.runner.steps import object_path, read_photo
from manymesh.types import Box, Detection

MAX_OBJECTS = 256


class ObjectEdit(BaseModel):
    """What the user wants of one object. A field that is None leaves things as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: Annotated[int | None, Field(description="Of an object that was found; None adds one.", ge=1)] = None
    keep: Annotated[bool, Field(description="False leaves the object out.")] = True
    label: Annotated[str | None, Field(description="Its name.", max_length=80)] = None
    box: Annotated[
        tuple[int, int, int, int] | None,
        Field(description="x0, y0, x1, y1 in the pixels of the run's input.png, half-open."),
    ] = None


def parse_edits(items: Iterable[Mapping[str, Any]]) -> list[ObjectEdit]:
    """Edits from plain data.

    Raises:
        UsageError: naming the edit that makes no sense.
    """
    edits = []
    for number, item in enumerate(items, start=1):
        try:
            edits.append(ObjectEdit.model_validate(item))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "it"
            raise UsageError(f"Edit {number} makes no sense: {where}: {first['msg']}") from None
    return edits


def edit_objects(run: Run, edits: Sequence[ObjectEdit]) -> None:
    """Apply ``edits``; objects that none of them names stay as they are.

    An object whose box is unchanged keeps its mask and all that was made of it. A renamed one gets a folder of its new
    name, unless something was already made in the old one.

    Raises:
        UsageError: no such object, a box that is empty or outside the photo, or no object left to make.
    """
    manifest = run.manifest
    if not edits:
        return
    check_edits(run, edits)
    by_index = {record.index: record for record in manifest.objects}
    photo = read_photo(run)
    next_index = max(by_index, default=0) + 1
    stale: list[str] = []
    for edit in edits:
        if edit.index is None:
            assert edit.box is not None
            box = Box(*edit.box).clipped(manifest.input.width, manifest.input.height)
            detection = Detection(box, edit.label or "", None, None, "user")
            manifest.objects.append(new_record(next_index, detection, photo, manifest.settings))
            next_index += 1
            continue
        record = by_index[edit.index]
        if edit.box is not None and Box(*edit.box) != record.box:
            _redraw(run, record, Box(*edit.box).clipped(manifest.input.width, manifest.input.height))
        if edit.label is not None:
            stale += _rename(run, record, edit.label)
        _keep(record, edit.keep)
    _go_again(run, "crop", "finish")
    draw_detections(run, photo)
    run.save()
    for folder in stale:
        shutil.rmtree(run.folder / "objects" / folder, ignore_errors=True)


def paint_again(run: Run, index: int, seed: int) -> None:
    """Have one object painted anew with another seed; its shape stays.

    Raises:
        UsageError: no such object, or it has not got as far as painting.
    """
    record = paintable(run, index)
    redo_from(record, "paint")
    record.paint_seed = seed
    _go_again(run, "finish")
    run.save()


def paintable(run: Run, index: int) -> ObjectRecord:
    """The object, if it can be painted again.

    Raises:
        UsageError: it cannot, or there is none.
    """
    record = next((record for record in run.manifest.objects if record.index == index), None)
    if record is None:
        raise UsageError(f"The run has no object {index}")
    if not run.manifest.settings.texture:
        raise UsageError("The run was made without texture", "Make the photo again with texture.")
    if "refine" not in record.stages_done or record.state == "skipped":
        raise UsageError(f"'{record.label}' has no shape to paint yet", "Resume the run first.")
    return record


def check_edits(run: Run, edits: Sequence[ObjectEdit]) -> None:
    """Refuse what ``edit_objects`` would refuse, and change nothing.

    Raises:
        UsageError: see ``edit_objects``.
    """
    by_index = {record.index: record for record in run.manifest.objects}
    width, height = run.manifest.input.width, run.manifest.input.height
    keeps = {record.index: record.state != "skipped" for record in by_index.values()}
    added = 0
    for edit in edits:
        if edit.index is None:
            if edit.box is None:
                raise UsageError("An added object needs a box")
            added += 1
        elif edit.index not in by_index:
            known = ", ".join(map(str, by_index)) or "none"
            raise UsageError(f"The run has no object {edit.index}", f"It has: {known}.")
        else:
            keeps[edit.index] = edit.keep
        if edit.box is not None:
            box = Box(*edit.box)
            if box.x1 <= box.x0 or box.y1 <= box.y0:
                raise UsageError(f"The box {','.join(map(str, box))} is empty", "x1 must be over x0 and y1 over y0.")
            if box.clipped(width, height).width < 1 or box.clipped(width, height).height < 1:
                raise UsageError(f"The box {','.join(map(str, box))} lies outside the photo of {width} x {height}")
    if not any(keeps.values()) and not added:
        raise UsageError("No object is left to make", "Keep at least one, or draw a box.")
    if len(by_index) + added > MAX_OBJECTS:
        raise UsageError(f"A run holds at most {MAX_OBJECTS} objects")


def _redraw(run: Run, record: ObjectRecord, box: Box) -> None:
    redo_from(record, "matte")
    record.box, record.source, record.score = box, "user", None
    record.window = window_of(box, run.manifest.input.width, run.manifest.input.height)
    for role in ("mask", "crop"):  # they show the old box
        record.files.pop(role, None)


def _rename(run: Run, record: ObjectRecord, label: str) -> list[str]:
    """Give ``record`` its new label. Returns the folder that is of no more use, if there is one."""
    clean = " ".join(label.split())
    if not clean or clean == record.label:
        return []
    record.label = clean
    new_id, old_id = object_id(record.index, clean), record.id
    if record.stages_done or new_id == old_id:
        return []
    mask = record.files.get("mask")
    data = None if mask is None else run.read(mask)
    record.id = new_id
    record.files.clear()  # only the crop and the mask are there yet; the crop is cut again
    if data is not None:
        run.write(object_path(record, "mask.png"), data, owner=record, role="mask")
    return [old_id]


def _keep(record: ObjectRecord, keep: bool) -> None:
    if not keep:
        record.state = "skipped"
    elif record.state == "skipped":
        record.state = "done" if "write" in record.stages_done else "pending"


def _go_again(run: Run, *stages: str) -> None:
    run.manifest.stages_done = [stage for stage in run.manifest.stages_done if stage not in stages]
    run.manifest.state = "running"
