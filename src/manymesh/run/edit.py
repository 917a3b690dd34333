"""Changes to a run by its user: leave objects out, rename them, redraw a box, add one, paint again, bring a cutout.

Each of these works on an open run, between ``Pipeline.find`` and ``Pipeline.resume(folder, change=...)`` or at any time
later: what no longer holds is forgotten and made again. Indices and seeds of the other objects never change, so they
come out the same with or without the edit.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from manymesh.errors import InputError, UsageError
from manymesh.image.crop import object_window
from manymesh.image.load import load_photo
from manymesh.naming import clean_name
from manymesh.run import lifecycle
from manymesh.run.create import MAX_LABEL, draw_detections, new_record, object_id
from manymesh.run.folder import Run
from manymesh.run.manifest import ObjectRecord
from manymesh.types import U8, Box, Cutout, Detection

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
    photo = run.load_photo()
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
        lifecycle.take_back(record) if edit.keep else lifecycle.leave_out(record)
    lifecycle.redo_run(manifest, "crop", "finish")
    draw_detections(run, photo)
    run.save()
    for folder in set(stale) - {record.id for record in manifest.objects}:
        shutil.rmtree(run.inside(f"objects/{folder}"), ignore_errors=True)


def paint_again(run: Run, index: int, seed: int) -> None:
    """Have one object painted anew with another seed; its shape stays.

    Raises:
        UsageError: no such object, or it has not got as far as painting.
    """
    record = paintable(run, index)
    lifecycle.redo_from(record, "paint")
    record.paint_seed = seed
    lifecycle.redo_run(run.manifest, "finish")
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
    if not lifecycle.is_done(record, "refine") or not lifecycle.is_wanted(record):
        raise UsageError(f"'{record.label}' has no shape to paint yet", "Resume the run first.")
    return record


def parse_replacements(items: Sequence[str]) -> dict[int, Path]:
    """``["2=my.png"]`` as {2: Path("my.png")}.

    Raises:
        UsageError: not of that form, or a number twice.
    """
    found: dict[int, Path] = {}
    for item in items:
        number, equals, path = item.partition("=")
        if not (equals and path and number.strip().isdigit()):
            raise UsageError(f"'{item}' is not N=FILE", "For example: --cutout 2=my.png")
        if int(number) in found:
            raise UsageError(f"Object {int(number)} has two cutouts", "Give one.")
        found[int(number)] = Path(path)
    return found


def replace_cutouts(run: Run, replacements: Mapping[int, Path]) -> None:
    """Put the given pictures in the place of objects' cutouts; everything made from the old ones is made again.

    Raises:
        UsageError: the run has no such object (or has not got as far as finding any).
        InputError: a picture cannot be read, or has no transparency.
    """
    by_index = {record.index: record for record in run.manifest.objects}
    given: list[tuple[ObjectRecord, U8]] = []  # all are read before anything is replaced
    for index, path in replacements.items():
        if index not in by_index:
            known = ", ".join(f"{record.index} ({record.label})" for record in by_index.values()) or "none yet"
            raise UsageError(f"The run has no object {index}", f"It has: {known}.")
        photo, _ = load_photo(path, "keep")
        if photo.alpha is None:
            raise InputError(f"'{path}' has no transparency, so it is no cutout", "Save it as a PNG with alpha.")
        if not (photo.alpha > 127).any():
            raise InputError(f"'{path}' is fully transparent", "Give a picture with something in it.")
        given.append((by_index[index], np.dstack([photo.rgb, photo.alpha])))
    for record, rgba in given:
        lifecycle.redo_from(record, "matte")
        run.store(record, "cutout", Cutout(rgba, record.window))
        lifecycle.mark_done(record, "matte")
        record.warnings = ["The cutout was given by the user."]
    if replacements:
        lifecycle.redo_run(run.manifest, "finish")
        run.save()


def check_edits(run: Run, edits: Sequence[ObjectEdit]) -> None:
    """Refuse what ``edit_objects`` would refuse, and change nothing.

    Raises:
        UsageError: see ``edit_objects``.
    """
    by_index = {record.index: record for record in run.manifest.objects}
    width, height = run.manifest.input.width, run.manifest.input.height
    keeps = {record.index: lifecycle.is_wanted(record) for record in by_index.values()}
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
    lifecycle.redo_from(record, "matte")
    record.box, record.source, record.score = box, "user", None
    record.window = object_window(box, run.manifest.input.width, run.manifest.input.height)
    for role in ("mask", "crop"):  # they show the old box
        record.files.pop(role, None)


def _rename(run: Run, record: ObjectRecord, label: str) -> list[str]:
    """Give ``record`` its new label. Returns the folder that is of no more use, if there is one."""
    clean = clean_name(label, MAX_LABEL) if label.strip() else ""
    if not clean or clean == record.label:
        return []
    record.label = clean
    new_id, old_id = object_id(record.index, clean), record.id
    if lifecycle.has_started(record) or new_id == old_id:
        return []
    mask = record.files.get("mask")
    data = None if mask is None else run.read(mask)
    record.id = new_id
    record.files.clear()  # only the crop and the mask are there yet; the crop is cut again
    if data is not None:
        run.write("mask.png", data, owner=record, role="mask")
    return [old_id]
