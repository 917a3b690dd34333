"""Changes to a run by its user: leave objects out, rename them, redraw a box, add one, paint again, bring a cutout.

Each of these works on an open run, between ``Pipeline.find`` and ``Pipeline.resume(folder, change=...)`` or at any time
later: what no longer holds is forgotten and made again. Indices and seeds of the other objects never change, so they
come out the same with or without the edit.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from manymesh.engines import Plan
from manymesh.errors import InputError, ManymeshError, UsageError
from manymesh.image.crop import object_window
from manymesh.image.load import load_photo
from manymesh.naming import clean_name, object_seed
from manymesh.run import lifecycle
from manymesh.run.artifacts import frames_said
from manymesh.run.create import MAX_LABEL, draw_detections, new_record, object_id
from manymesh.run.folder import Run
from manymesh.run.manifest import ObjectRecord
from manymesh.settings import Settings, build_settings
from manymesh.stages import STEPS, Kind
from manymesh.types import U8, Box, Cutout, Detection

MAX_OBJECTS = 256
# Fewer pixels than this are nothing to model; as in ``runner.steps``.
_LEAST_PX = 16


class ObjectEdit(BaseModel):
    """What the user wants of one object. A field that is None changes nothing."""

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


# The role of the file with edits that a person has made and not yet gone on with.
DRAFT = "edits"


def keep_draft(run: Run, edits: Sequence[ObjectEdit]) -> None:
    """Keep edits with the run until ``edit_objects`` applies some; nothing else changes. [] forgets those kept."""
    if not edits:
        _drop_draft(run)
    else:
        items = [edit.model_dump(exclude_none=True) for edit in edits]
        run.write("edits.json", json.dumps(items, ensure_ascii=False).encode(), role=DRAFT)
    run.save()


def draft(run: Run) -> list[dict[str, Any]]:
    """The edits that ``keep_draft`` has kept; [] where there are none, or they can no longer be read."""
    record = run.manifest.files.get(DRAFT)
    if record is None:
        return []
    try:
        kept = parse_edits(json.loads(run.read(record)))
    except (ManymeshError, ValueError, TypeError):
        return []
    return [edit.model_dump(exclude_none=True) for edit in kept]


def _drop_draft(run: Run) -> None:
    record = run.manifest.files.pop(DRAFT, None)
    if record is not None:
        run.path(record).unlink(missing_ok=True)


def edit_objects(run: Run, edits: Sequence[ObjectEdit]) -> None:
    """Apply ``edits``; objects that none of them names stay as they are.

    An object whose box is unchanged keeps its mask and all that was made of it. A renamed one gets a folder of its new
    name, unless something was already made in the old one.

    Raises:
        UsageError: no such object, a box that is empty or outside the photo, or no object left to make.
    """
    manifest = run.manifest
    if not edits:
        _drop_draft(run)
        run.save()
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
    _drop_draft(run)
    run.save()
    for folder in set(stale) - {record.id for record in manifest.objects}:
        shutil.rmtree(run.inside(f"objects/{folder}"), ignore_errors=True)


# What only the finding of objects heeds. A run whose objects are found keeps these as they were.
FINDING_SETTINGS = ("prompt", "boxes", "max_objects", "whole_image_if_none", "detector", "detector_tokens")
# The first step that heeds a setting. Of those not named here, the painter's own say so in their names, and the shape
# step heeds the others.
_HEEDED_BY = {
    "matte_model": "matte",
    "faces": "refine",
    "texture": "refine",
    "formats": "write",
    "sizes": "refine",  # mesh.glb and model.glb are written in metres
    "up": "write",
    "render_size": "paint",
    "bake_exponent": "paint",
    "bake_angle": "paint",
    "delight": "paint",
    "delight_steps": "paint",
    "photo_margin": "paint",
    "keep_photo": "paint",
    "adapter_guidance": "paint",
    "texture_size": "paint",
}
# How something is computed, and not what.
_SAME_RESULT = ("engine", "stages", "devices", "memory", "vram", "fast")
_STEP_OF_KIND: Mapping[Kind, str] = {"matte": "matte", "shape": "shape", "paint": "paint"}
# What an object says whose cutout is a person's own.
_GIVEN, _BY_HAND = "The cutout was given by the user.", "The object was cut out by hand."


def with_changes(before: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings of a run whose objects are found, with ``changes``; those of the finding stay as they were.

    Raises:
        UsageError: a value that makes no sense.
    """
    kept = {name: value for name, value in changes.items() if name not in FINDING_SETTINGS}
    return build_settings({**before.model_dump(), **kept})


def change_settings(run: Run, plan: Plan) -> None:
    """Go on with other settings: what was made under the old ones is made again, from the first step that heeds one
    that is another now. Cutouts that a person gave or drew stay.

    Args:
        run: open, with its objects found.
        plan: the new settings and the stages that they choose.
    """
    manifest = run.manifest
    before, after = manifest.settings.model_dump(), plan.settings.model_dump()
    names = [name for name in after if after[name] != before[name] and name not in (*FINDING_SETTINGS, *_SAME_RESULT)]
    steps = {_first_step(name) for name in names}
    stages: dict[str, str] = {kind: stage.name for kind, stage in plan.stages.items()}
    steps |= {step for kind, step in _STEP_OF_KIND.items() if stages[kind] != manifest.implementations.get(kind)}
    old = frames_said(manifest.settings)  # of files that are written anew, and spoken of anew
    manifest.settings, manifest.engine, manifest.engine_reason = plan.settings, plan.engine, plan.reason
    # The objects stay as this detector found them.
    manifest.implementations = {**stages, "detect": manifest.implementations.get("detect", stages["detect"])}
    if "seed" in names:
        for record in manifest.objects:
            record.seed = object_seed(plan.settings.seed, record.index)
    if steps:
        for record in manifest.objects:
            _redo_steps(record, steps)
        manifest.warnings = [said for said in manifest.warnings if said not in old]
        lifecycle.redo_run(manifest, "finish")
        run.save()


def _redo_steps(record: ObjectRecord, steps: set[str]) -> None:
    """Have these steps of an object done again, and all after the first of them; a person's own cutout stays."""
    own = lifecycle.OWN_CUTOUT in record.facts
    redone = sorted(steps - {"matte"} if own else steps, key=[step.name for step in STEPS].index)
    if not redone:
        return
    lifecycle.redo_from(record, redone[0])
    if own or redone[0] == "matte":
        # Every step that says something says it again.
        record.warnings = [said for said in record.warnings if own and said in (_GIVEN, _BY_HAND)]


def _first_step(name: str) -> str:
    return "paint" if name.startswith("paint") else _HEEDED_BY.get(name, "shape")


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
        record.facts[lifecycle.OWN_CUTOUT] = True
        record.warnings = [_GIVEN]
    if replacements:
        lifecycle.redo_run(run.manifest, "finish")
        run.save()


def check_mask(run: Run, index: int, alpha: U8) -> ObjectRecord:
    """The object whose crop the mask fits.

    Raises:
        UsageError: no such object, a mask of another size than its crop, or one that shows nothing.
    """
    record = next((record for record in run.manifest.objects if record.index == index), None)
    if record is None or "crop" not in record.files:
        raise UsageError(f"The run has no object {index} to cut out")
    if alpha.shape != (record.window.height, record.window.width):
        raise UsageError("The mask has another size than the object's crop", "Cut it out again.")
    if int((alpha > 127).sum()) < _LEAST_PX:
        raise UsageError("The mask is empty", "Paint over the object with the brush.")
    return record


def cut_by_hand(run: Run, index: int, alpha: U8) -> None:
    """Take a mask of the user's for an object's cutout; everything made from the old one is made again.

    Args:
        run: open.
        index: of the object.
        alpha: (h, w) uint8 on the pixels of its crop; 255 is object.

    Raises:
        UsageError: see ``check_mask``.
    """
    from manymesh.segment.regions import push_pull_fill

    record = check_mask(run, index, alpha)
    rgb = run.load(record, "crop").rgb
    # At and beyond the outline the object's own colours go on, so that no background bleeds into a texture.
    inside = push_pull_fill(rgb.astype(np.float32), alpha > 250)
    colour = np.where((alpha > 250)[..., None], rgb, np.clip(np.rint(inside), 0, 255)).astype(np.uint8)
    lifecycle.redo_from(record, "matte")
    run.store(record, "cutout", Cutout(np.dstack([colour, alpha]), record.window))
    lifecycle.mark_done(record, "matte")
    lifecycle.take_back(record)
    record.facts[lifecycle.OWN_CUTOUT] = True
    record.warnings = [_BY_HAND]
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
