"""What each step does.

A step over objects is a generator. It is given what the object's files hold (``Step.reads``), the object's record, the
plan with the run's settings, the step's open model and a ``tick``. It notes what it finds out in the record, and yields
what is to be stored, as pairs of a role and a value. It knows nothing of the run folder: ``runner.py`` loads and
stores. The three steps over a run as a whole are given the run.

The order of the steps is in ``pipeline.py``; failures, events and the recording of costs are in ``runner.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from manymesh.detect.postprocess import names_not_found
from manymesh.engines import NAME_READER, Plan, find_stage
from manymesh.errors import DamagedMeshError, InputError, NothingFoundError, ObjectError
from manymesh.image.crop import box_in_window, crop_array
from manymesh.image.transparency import is_cutout_near, on_white, outlines_box
from manymesh.run import lifecycle
from manymesh.run.artifacts import Artifact, FinalMesh, file_placement, frames_said, load_view, store_view
from manymesh.run.create import draw_detections, write_objects
from manymesh.run.folder import Run
from manymesh.run.manifest import ObjectRecord
from manymesh.settings import Settings
from manymesh.stages import Detect, Matte, Paint, Shape, Stage, Tick
from manymesh.types import Box, Crop, Cutout, Detection, Detections, Mesh, Photo

Say = Callable[[str], None]
Leaves = Iterator[tuple[str, "Artifact | bytes"]]
"""What a step leaves of an object, as ``Run.store`` takes it: a role and a value, or a file's name and its bytes."""

# Fewer pixels than this that are more than half opaque are nothing to model. Chosen by hand; not measured.
MIN_CUTOUT_PX = 16
# A shape with more faces than this is reduced before it is inspected. Chosen by hand.
UNSEEN = 200_000
# Width and height of each of the preview's four views. By eye.
PREVIEW_PX = 256
# The entry of an object's facts that takes shape.glb to mesh.glb, as a (4, 4) matrix; for painters that want the shape.
_SHAPE_TO_MESH = "shape_to_mesh"


def detect(run: Run, plan: Plan, model: Detect | None, tick: Tick) -> None:
    """Fill in the manifest's objects: the user's boxes where there are any (``model`` is None then), else what
    the detector finds. Writes mask.png for each and detections.png.

    Raises:
        NothingFoundError: nothing was found, and the user asked for names; or the picture is fully transparent.
        InputError: a box lies outside the photo.
    """
    photo, settings, stage = run.load_photo(), run.manifest.settings, plan.stages["detect"]
    say = run.manifest.warnings.append
    if settings.boxes:
        detections = _drawn_boxes(settings, photo, run.manifest.input.scale, say)
    elif photo.alpha is not None and int((photo.alpha > 127).sum()) < MIN_CUTOUT_PX:
        raise NothingFoundError("The picture is (almost) fully transparent", "Give a picture with something in it.")
    else:
        assert model is not None
        names = settings.names if stage.reads_names else ()
        found = model(photo, names, tick=tick)
        if isinstance(found, Detections):
            for note in found.notes:  # (the manifest puts a copy in the place of a list that is assigned to it)
                say(note)
        detections = list(found)
        run.manifest.missing_names = list(names_not_found(detections, names))
        _say_about_names(stage, settings, run.manifest.missing_names, say)
    detections = detections or [_whole_photo(settings, photo, say)]
    if len(detections) > settings.max_objects and not settings.boxes:
        say(f"More than {settings.max_objects} objects were found; the first are made (raise --max-objects for more).")
        detections = detections[: settings.max_objects]
    write_objects(run, photo, detections)


def crop(run: Run, plan: Plan, model: None, tick: Tick) -> None:
    """Write every object's crop.png: the photo around it, with the photo's own transparency if it has any there.

    In a box that a person drew, or that was found by name, transparency only counts if some of the crop is clear: a box
    in the opaque part of a cutout asks for an object to be cut out there. So does a name that is only a part of what
    the transparency outlines: a cup on its saucer, say.
    """
    photo = run.load_photo()
    for number, record in enumerate(run.manifest.objects):
        rgb = crop_array(photo.rgb, record.window)
        alpha = None if photo.alpha is None else crop_array(photo.alpha, record.window)
        if photo.alpha is not None and alpha is not None:
            named = record.label in run.manifest.settings.names
            if (named or record.source == "user") and not is_cutout_near(alpha):
                alpha = None
            elif named and not outlines_box(photo.alpha, record.box):
                rgb, alpha = on_white(rgb, alpha), None
        shown = Crop(rgb, record.window, box_in_window(record.box, record.window), alpha)
        run.store(record, "crop", shown)
        tick((number + 1) / len(run.manifest.objects))


def matte(crop: Crop, record: ObjectRecord, plan: Plan, model: Matte, tick: Tick) -> Leaves:
    """Leaves the cutout."""
    cutout = model(crop, tick=tick)
    if int((cutout.rgba[..., 3] > 127).sum()) < MIN_CUTOUT_PX:
        raise ObjectError(
            f"Nothing of '{record.label}' is left when its background is removed",
            "Draw its box more tightly with --box, or bring a cutout: manymesh resume RUN --cutout "
            f"{record.index}=cutout.png",
        )
    record.warnings += cutout.notes
    yield "cutout", cutout


def shape(cutout: Cutout, record: ObjectRecord, plan: Plan, model: Shape, tick: Tick) -> Leaves:
    """Leaves the geometry as the shape stage made it, and notes the view that places it on the cutout."""
    result = model(cutout, seed=record.seed, tick=tick)
    store_view(record, result.view)
    record.warnings += result.notes
    yield "shape", result.mesh
    for place, other in enumerate(result.others, start=2):
        yield f"shape-{place}", other


def refine(shape: Mesh, record: ObjectRecord, plan: Plan, model: None, tick: Tick) -> Leaves:
    """Leaves the mesh: cleaned, within the face budget, in the canonical frame."""
    from manymesh.mesh.clean.clean import clean
    from manymesh.mesh.inspect import inspect
    from manymesh.mesh.normalise import normalise
    from manymesh.mesh.reduce_apart import reduce_apart
    from manymesh.render.camera import move_camera

    notes: list[str] = []
    reduced = _reduced_unseen(shape, plan.settings.faces)
    found = None if reduced is None else inspect(reduced)
    if reduced is not None and found is not None and found.is_sound:
        mesh, matrix = normalise(reduced)
        found = inspect(mesh)  # its area and volume are those of the canonical frame
    else:
        found = inspect(shape)
        mesh, notes = (shape, []) if found.is_sound else clean(shape)
        tick(0.3)
        mesh, matrix = normalise(reduce_apart(mesh, plan.settings.faces))
        if mesh.faces is not shape.faces or not np.array_equal(mesh.vertices, shape.vertices):
            found = inspect(mesh)
    if plan.stages["paint"].wants_shape:
        record.facts[_SHAPE_TO_MESH] = matrix.tolist()
    if not plan.settings.texture:
        mesh = replace(mesh, colors=None)  # a guess of the unseen side, for the painter's use
    record.facts.update(asdict(found), cleaned=notes)
    yield "mesh", mesh
    store_view(record, move_camera(load_view(record), matrix))  # last: a failure must not leave the camera moved


def _reduced_unseen(shape: Mesh, budget: int) -> Mesh | None:
    """A very dense shape within the budget, without a look at it before: inspecting a million faces takes as long as
    reducing them. Whether anything was wrong with it shows in the result. None for shapes that are to be inspected."""
    from manymesh.mesh.reduce_apart import reduce_apart

    vertices, faces = len(shape.vertices), len(shape.faces)
    # In a closed surface there are half as many vertices as faces; in a triangle soup there are more than faces.
    if faces <= max(UNSEEN, 4 * budget) or vertices > faces or not np.isfinite(shape.vertices).all():
        return None
    try:
        reduced: Mesh = reduce_apart(shape, budget)
        return reduced
    except DamagedMeshError:
        return None


def paint(
    mesh: Mesh, cutout: Cutout, shape: Mesh | None, record: ObjectRecord, plan: Plan, model: Paint, tick: Tick
) -> Leaves:
    """Leaves the painted mesh."""
    seed = record.seed if record.paint_seed is None else record.paint_seed
    more: dict[str, Any] = {}
    if plan.stages["paint"].wants_shape:
        more["shape"] = _in_place(shape, record)
    painted = model(mesh, load_view(record), cutout, seed=seed, tick=tick, **more)
    record.warnings += painted.notes
    record.facts["paint"] = {
        **painted.details,
        "unwrap": painted.atlas.method,
        "texture_px": int(painted.base_color.shape[0]),
    }
    yield "model", painted


def _in_place(shape: Mesh | None, record: ObjectRecord) -> Mesh | None:
    """What the shape stage made, in the frame of mesh.glb; None in runs that did not record how they differ."""
    matrix = record.facts.get(_SHAPE_TO_MESH)
    if matrix is None or shape is None:
        return None
    turn = np.array(matrix, np.float64)
    vertices = shape.vertices.astype(np.float64) @ turn[:3, :3].T + turn[:3, 3]
    return replace(shape, vertices=vertices.astype(np.float32))


def write(final: FinalMesh, record: ObjectRecord, plan: Plan, model: None, tick: Tick) -> Leaves:
    """Leaves the files of the other formats and the preview. Every file is looked through before it counts."""
    from manymesh.mesh.formats.placement import longest_side
    from manymesh.mesh.formats.verify import check, verify
    from manymesh.render.preview import four_views

    check(final.glb, f"{final.role}.glb")
    for number, format_name in enumerate(plan.settings.formats):
        tick(number / (len(plan.settings.formats) + 1))
        if format_name == "glb":
            continue
        from manymesh.mesh.formats.write import write as write_format

        frame = file_placement(plan.settings).in_file(format_name, longest_side(final.shape))
        files = write_format(final.shape, format_name, stem=final.role, name=record.label, frame=frame)
        verify(files, final.shape, frame)
        yield from files.items()
    yield "preview", four_views(final.shape, PREVIEW_PX)


def finish(run: Run, plan: Plan, model: None, tick: Tick) -> None:
    """Write scene.glb and sheet.png from the objects that were made, and say how the run went."""
    from manymesh.run.contact_sheet import contact_sheet
    from manymesh.run.scene import scene

    if "detections" not in run.manifest.files or not run.intact(run.manifest.files["detections"]):
        draw_detections(run, run.load_photo())
    made = lifecycle.close_objects(run.manifest)

    tick(0.0)
    if made:
        run.write("scene.glb", scene(run, made), role="scene")
    run.write("sheet.png", contact_sheet(run), role="sheet")
    tick(0.9)
    if made:
        run.manifest.warnings += frames_said(run.manifest.settings)
    lifecycle.give_verdict(run.manifest)


def _drawn_boxes(settings: Settings, photo: Photo, scale: float, say: Say) -> list[Detection]:
    if settings.names:
        say("Boxes were given, so the prompt was not used.")
    detections = []
    for request in settings.boxes:
        box = Box(*(round(value * scale) for value in request.box)).clipped(photo.width, photo.height)
        if box.width < 1 or box.height < 1:
            raise InputError(
                f"The box {','.join(map(str, request.box))} lies outside the photo, which has "
                f"{round(photo.width / scale)} x {round(photo.height / scale)} pixels",
                "Boxes are x0,y0,x1,y1 in pixels from the upper left corner.",
            )
        detections.append(Detection(box, request.label or "", None, None, "user"))
    return detections


def _say_about_names(stage: Stage, settings: Settings, missing: Sequence[str], say: Say) -> None:
    if settings.names and not stage.reads_names:
        say(
            f"The detector '{stage.name}' cannot read names, so '{settings.prompt}' was not used: everything that "
            "stands out is made, and the objects are numbered. Use --box x0,y0,x1,y1:name to name them yourself."
            + _reader_in_words(settings)
        )
    for name in missing:
        say(f"No '{name}' was found in the photo.")


def _reader_in_words(settings: Settings) -> str:
    """What would let this machine read names, with its command; "" where nothing lacks."""
    lack = find_stage("detect", NAME_READER).missing(settings)
    return f" To find them by name here: {lack}." if lack else ""


def _whole_photo(settings: Settings, photo: Photo, say: Say) -> Detection:
    if settings.names and not settings.whole_image_if_none:
        raise NothingFoundError(
            f"None of '{settings.prompt}' was found in '{photo.name}'",
            "Try other words, draw a --box, or take it whole with --whole-image-if-none.",
        )
    say("Nothing stood out from the background, so the whole photo was taken as one object.")
    return Detection(Box(0, 0, photo.width, photo.height), "", None, None, "whole photo")
