"""The detect stage in a run folder: the objects of a photo, as the manifest lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from manymesh.detect.postprocess import names_not_found, pad_box
from manymesh.engines import Plan
from manymesh.errors import InputError, NothingFoundError
from manymesh.image import png
from manymesh.image.crop import crop_array, crop_window
from manymesh.naming import clean_name, object_seed, slug
from manymesh.run.folder import Run
from manymesh.run.manifest import ObjectRecord
from manymesh.runner.steps import MIN_CUTOUT_PX, object_path, read_photo
from manymesh.settings import Settings
from manymesh.stages import Detect, Stage, Tick
from manymesh.types import Box, Detection, Photo

Say = Callable[[str], None]
MAX_LABEL = 80


def detect(run: Run, plan: Plan, model: Detect | None, tick: Tick) -> None:
    """Fill in the manifest's objects: the user's boxes where there are any (``model`` is None then), else what
    the detector finds. Writes mask.png for each and detections.png.

    Raises:
        NothingFoundError: nothing was found, and the user asked for names; or the picture is fully transparent.
        InputError: a box lies outside the photo.
    """
    photo, settings, stage = read_photo(run), run.manifest.settings, plan.stages["detect"]
    say = run.manifest.warnings.append
    if settings.boxes:
        detections = _drawn_boxes(settings, photo, run.manifest.input.scale, say)
    elif photo.alpha is not None and int((photo.alpha > 127).sum()) < MIN_CUTOUT_PX:
        raise NothingFoundError("The picture is (almost) fully transparent", "Give a picture with something in it.")
    else:
        assert model is not None
        names = settings.names if stage.reads_names else ()
        detections = list(model(photo, names, tick=tick))
        run.manifest.missing_names = list(names_not_found(detections, names))
        _say_about_names(stage, settings, run.manifest.missing_names, say)
    detections = detections or [_whole_photo(settings, photo, say)]
    if len(detections) > settings.max_objects and not settings.boxes:
        say(f"More than {settings.max_objects} objects were found; the first are made (raise --max-objects for more).")
        detections = detections[: settings.max_objects]
    write_objects(run, photo, detections)


def write_objects(run: Run, photo: Photo, detections: Sequence[Detection]) -> None:
    """Make the manifest's objects from ``detections``, with their masks and the picture of the boxes."""
    run.manifest.objects = [new_record(i, d, photo, run.manifest.settings) for i, d in enumerate(detections, start=1)]
    for record, detection in zip(run.manifest.objects, detections, strict=True):
        if detection.mask is not None:
            assert record.window is not None
            mask = png.encode_mask(crop_array(detection.mask, record.window))
            run.write(object_path(record, "mask.png"), mask, owner=record, role="mask")
    draw_detections(run, photo)


def draw_detections(run: Run, photo: Photo) -> None:
    """Write detections.png, the photo with the boxes of the objects that are to be made."""
    records = [record for record in run.manifest.objects if record.state != "skipped"]
    labelled = [(record.box, f"{record.index} {record.label}") for record in records]
    run.write_picture("detections.png", png.draw_boxes(photo.rgb, labelled), role="detections")


def new_record(index: int, detection: Detection, photo: Photo, settings: Settings) -> ObjectRecord:
    """What the manifest says of one detection. A thing without a name is called by its number."""
    name = clean_name(detection.label, MAX_LABEL) if detection.label.strip() else ""
    return ObjectRecord(
        index=index,
        id=object_id(index, name),
        label=name or f"object-{index:02d}",
        box=detection.box,
        score=detection.score,
        source=detection.source,
        seed=object_seed(settings.seed, index),
        window=window_of(detection.box, photo.width, photo.height),
    )


def window_of(box: Box, width: int, height: int) -> Box:
    """The part of a ``width`` x ``height`` photo that an object's crop shows; never too small for a network."""
    return crop_window(pad_box(box, width, height), width, height)


def object_id(index: int, label: str) -> str:
    """An object's folder name, such as "01-cup"; "01-object" where it has no label."""
    return f"{index:02d}-{slug(label)}" if label.strip() else f"{index:02d}-object"


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
        )
    for name in missing:
        say(f"No '{name}' was found in the photo.")


def _whole_photo(settings: Settings, photo: Photo, say: Say) -> Detection:
    if settings.names and not settings.whole_image_if_none:
        raise NothingFoundError(
            f"None of '{settings.prompt}' was found in '{photo.name}'",
            "Try other words, draw a --box, or take it whole with --whole-image-if-none.",
        )
    say("Nothing stood out from the background, so the whole photo was taken as one object.")
    return Detection(Box(0, 0, photo.width, photo.height), "", None, None, "whole photo")
