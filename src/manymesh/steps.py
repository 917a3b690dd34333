"""What each stage does for one object of one run: read what the stage before wrote, work, write.

These functions tie a stage's callable to the run folder, so that neither has to know the other. The order, the failures
and the events are ``pipeline.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from manymesh import pictures
from manymesh.crop import crop_window, cut, relative
from manymesh.errors import InputError, NothingFoundError, ObjectError
from manymesh.manifest import ObjectRecord
from manymesh.run import Run, slug
from manymesh.seeds import object_seed
from manymesh.settings import Settings
from manymesh.stages import Detect, Matte, Paint, Shape, Stage, Tick
from manymesh.types import Box, Camera, Crop, Cutout, Detection, Photo

MIN_CUTOUT_PX = 16

Say = Callable[[str], None]
"""Where a step leaves a sentence for people: a warning of the object, or of the run."""


def read_photo(run: Run) -> Photo:
    """The oriented photo that the run was given."""
    rgb, alpha = pictures.decode(run.read(run.manifest.files["input"]))
    return Photo(rgb, alpha, run.manifest.input.name, run.manifest.input.sha256)


def detect(stage: Stage, run: Run, model: Detect | None, tick: Tick) -> None:
    """Fill in the manifest's objects: the user's boxes where there are any (``model`` is None then), else what
    the detector finds. Writes detections.png.

    Raises:
        NothingFoundError: nothing was found, and the user asked for names, or the whole photo is no object either.
    """
    photo = read_photo(run)
    settings = run.manifest.settings
    warn = run.manifest.warnings.append
    if settings.boxes:
        detections = _user_boxes(settings, photo, run.manifest.input.scale)
        if settings.names:
            warn("Boxes were given, so the prompt was not used.")
    elif photo.alpha is not None and not photo.alpha.any():
        raise NothingFoundError("The picture is fully transparent", "Give a picture with something in it.")
    else:
        assert model is not None
        names = settings.names if stage.reads_names else ()
        detections = list(model(photo, names, tick=tick))
        if settings.names and not stage.reads_names:
            warn(
                f"The detector '{stage.name}' cannot read names, so '{settings.prompt}' was not used: everything that "
                "stands out is made, and the objects are numbered. Use --box x0,y0,x1,y1:name to name them yourself."
            )
        if stage.reads_names:
            found = {detection.label.casefold() for detection in detections}
            run.manifest.missing_names = [name for name in names if name.casefold() not in found]
            for name in run.manifest.missing_names:
                warn(f"No '{name}' was found in the photo.")
    if not detections:
        detections = [_whole_photo(settings, photo, warn)]
    if len(detections) > settings.max_objects:
        warn(
            f"{len(detections)} objects were found; the first {settings.max_objects} are made "
            "(raise --max-objects for more)."
        )
        detections = detections[: settings.max_objects]
    run.manifest.objects = [new_record(i, d, settings) for i, d in enumerate(detections, start=1)]
    for record, detection in zip(run.manifest.objects, detections, strict=True):
        record.window = crop_window(detection.box, photo.width, photo.height)
        if detection.mask is not None:
            mask = pictures.encode_mask(cut(detection.mask, record.window))
            run.write(_path(record, "mask.png"), mask, owner=record, role="mask")
    draw_detections(run, photo)


def draw_detections(run: Run, photo: Photo) -> None:
    """Write detections.png: the photo with the boxes and labels of the objects that are to be made."""
    records = [record for record in run.manifest.objects if record.state != "skipped"]
    drawn = pictures.draw_boxes(photo.rgb, [(record.box, f"{record.index} {record.label}") for record in records])
    run.write("detections.png", pictures.encode(drawn), role="detections")


def _user_boxes(settings: Settings, photo: Photo, scale: float) -> list[Detection]:
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


def _whole_photo(settings: Settings, photo: Photo, warn: Say) -> Detection:
    if settings.names and not settings.whole_image_if_none:
        raise NothingFoundError(
            f"None of '{settings.prompt}' was found in '{photo.name}'",
            "Try other words, draw a --box, or take it whole with --whole-image-if-none.",
        )
    warn("Nothing stood out from the background, so the whole photo was taken as one object.")
    return Detection(Box(0, 0, photo.width, photo.height), "", None, None, "whole photo")


def new_record(index: int, detection: Detection, settings: Settings) -> ObjectRecord:
    """The manifest's entry of a thing that was found, or that the user drew."""
    given = " ".join(detection.label.split())[:80]
    return ObjectRecord(
        index=index,
        id=object_id(index, given),
        label=given or f"object-{index:02d}",
        box=detection.box,
        score=detection.score,
        source=detection.source,
        seed=object_seed(settings.seed, index),
    )


def object_id(index: int, label: str) -> str:
    """An object's folder name, such as "01-cup"; "01-object" where it has no label."""
    return f"{index:02d}-{slug(label)}" if label.strip() else f"{index:02d}-object"


def crop(run: Run, model: None, tick: Tick) -> None:
    """Write every object's crop.png: the photo around it, with the photo's own transparency if it has any."""
    photo = read_photo(run)
    for number, record in enumerate(run.manifest.objects):
        assert record.window is not None
        alpha = None if photo.alpha is None else cut(photo.alpha, record.window)
        png = pictures.encode(cut(photo.rgb, record.window), alpha)
        run.write(_path(record, "crop.png"), png, owner=record, role="crop")
        tick((number + 1) / len(run.manifest.objects))


def matte(run: Run, record: ObjectRecord, model: Matte, tick: Tick) -> None:
    """Write cutout.png."""
    cutout = model(_read_crop(run, record), tick=tick)
    if int((cutout.rgba[..., 3] > 127).sum()) < MIN_CUTOUT_PX:
        raise ObjectError(
            f"Nothing of '{record.label}' is left when its background is removed",
            "Draw its box more tightly with --box, or bring a cutout: manymesh resume RUN --cutout "
            f"{record.index}=cutout.png",
        )
    run.write(_path(record, "cutout.png"), pictures.encode(cutout.rgba), owner=record, role="cutout")


def _read_crop(run: Run, record: ObjectRecord) -> Crop:
    assert record.window is not None
    rgb, alpha = pictures.decode(run.read(record.files["crop"]))
    others = [relative(o.box, record.window) for o in run.manifest.objects if o.index != record.index]
    return Crop(
        rgb=rgb,
        window=record.window,
        box=relative(record.box, record.window),
        alpha=alpha,
        mask=pictures.decode_mask(run.read(record.files["mask"])) if "mask" in record.files else None,
        others=tuple(box for box in others if box.width > 0 and box.height > 0),
    )


def _read_cutout(run: Run, record: ObjectRecord) -> Cutout:
    assert record.window is not None
    rgb, alpha = pictures.decode(run.read(record.files["cutout"]))
    opaque = np.full(rgb.shape[:2], 255, np.uint8) if alpha is None else alpha
    return Cutout(np.dstack([rgb, opaque]), record.window)


def shape(run: Run, record: ObjectRecord, model: Shape, tick: Tick) -> None:
    """Write shape.glb, the geometry as the shape stage made it, and the view that places it on the cutout."""
    from manymesh.mesh.glb import write_glb

    sculpture = model(_read_cutout(run, record), seed=record.seed, tick=tick)
    record.view = [sculpture.view.world_to_camera.tolist(), sculpture.view.projection.tolist()]
    record.warnings += sculpture.notes
    run.write(_path(record, "shape.glb"), write_glb(sculpture.mesh), owner=record, role="shape")


def refine(run: Run, record: ObjectRecord, model: None, tick: Tick) -> None:
    """Write mesh.glb: cleaned, within the face budget, in the house's frame."""
    from manymesh.mesh.check import facts
    from manymesh.mesh.clean import clean
    from manymesh.mesh.glb import read_glb, write_glb
    from manymesh.mesh.normalise import normalise
    from manymesh.mesh.reduce import reduce
    from manymesh.render.camera import moved

    mesh, notes = clean(read_glb(run.read(record.files["shape"])))
    tick(0.3)
    mesh, matrix = normalise(reduce(mesh, run.manifest.settings.faces))
    view = moved(read_view(record), matrix)
    record.view = [view.world_to_camera.tolist(), view.projection.tolist()]
    record.facts.update(asdict(facts(mesh)), cleaned=notes)
    run.write(_path(record, "mesh.glb"), write_glb(mesh), owner=record, role="mesh")


def read_view(record: ObjectRecord) -> Camera:
    """The camera that places the object's mesh on its cutout."""
    assert record.view is not None
    world_to_camera, projection = (np.array(matrix, np.float64) for matrix in record.view)
    return Camera(world_to_camera, projection)


def paint(run: Run, record: ObjectRecord, model: Paint, tick: Tick) -> None:
    """Write model.glb, the painted mesh."""
    from manymesh.mesh.glb import read_glb, write_glb

    mesh = read_glb(run.read(record.files["mesh"]))
    seed = record.seed if record.paint_seed is None else record.paint_seed
    painted = model(mesh, read_view(record), _read_cutout(run, record), seed=seed, tick=tick)
    record.warnings += painted.notes
    record.facts["paint"] = {
        **painted.details,
        "unwrap": painted.atlas.method,
        "texture_px": int(painted.base_color.shape[0]),
    }
    run.write(_path(record, "model.glb"), write_glb(painted), owner=record, role="model")


def write(run: Run, record: ObjectRecord, model: None, tick: Tick) -> None:
    """Write the other formats and the preview, each read back before it counts."""
    from manymesh.mesh.glb import read_glb, read_painted_glb
    from manymesh.render.preview import four_views

    painted = "model" in record.files
    data = run.read(record.files["model" if painted else "mesh"])
    final = read_painted_glb(data) if painted else read_glb(data)
    stem = "model" if painted else "mesh"
    for format_name in run.manifest.settings.formats:
        if format_name == "glb":
            continue
        from manymesh.mesh.write import FORMATS

        for name, content in FORMATS[format_name](final, stem).items():
            run.write(_path(record, name), content, owner=record, role=name.replace(".", "-"))
        tick(0.5)
    run.write(_path(record, "preview.png"), pictures.encode(four_views(final)), owner=record, role="preview")


def _path(record: ObjectRecord, name: str) -> str:
    return f"objects/{record.id}/{name}"
