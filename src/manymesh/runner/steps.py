"""What each stage does for one object of one run: read what the stage before wrote, work, write.

These functions tie a stage's callable to the run folder, so that neither has to know the other. The order, the failures
and the events are ``pipeline.py``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from manymesh.engines import Plan
from manymesh.errors import ObjectError
from manymesh.image import png
from manymesh.image.crop import box_in_window, crop_array
from manymesh.image.transparency import is_cutout_near
from manymesh.run.folder import Run
from manymesh.run.manifest import ObjectRecord
from manymesh.stages import Matte, Paint, Shape, Tick
from manymesh.types import Camera, Crop, Cutout, Photo

MIN_CUTOUT_PX = 16
PREVIEW_PX = 256


def read_photo(run: Run) -> Photo:
    """The oriented photo that the run was given."""
    rgb, alpha = run.picture(run.manifest.files["input"])
    return Photo(rgb, alpha, run.manifest.input.name, run.manifest.input.sha256)


def crop(run: Run, plan: Plan, model: None, tick: Tick) -> None:
    """Write every object's crop.png: the photo around it, with the photo's own transparency if it has any there.

    In a box that a person drew, transparency only counts if some of the crop is clear: a box in the opaque part of a
    cutout asks for an object to be cut out there.
    """
    photo = read_photo(run)
    for number, record in enumerate(run.manifest.objects):
        assert record.window is not None
        alpha = None if photo.alpha is None else crop_array(photo.alpha, record.window)
        if alpha is not None and record.source == "user" and not is_cutout_near(alpha):
            alpha = None
        rgb = crop_array(photo.rgb, record.window)
        run.write_picture(object_path(record, "crop.png"), rgb, alpha, owner=record, role="crop")
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
    rgb, alpha = cutout.rgba[..., :3], cutout.rgba[..., 3]
    run.write_picture(object_path(record, "cutout.png"), rgb, alpha, owner=record, role="cutout")


def _read_crop(run: Run, record: ObjectRecord) -> Crop:
    assert record.window is not None
    rgb, alpha = run.picture(record.files["crop"])
    others = [box_in_window(o.box, record.window) for o in run.manifest.objects if o.index != record.index]
    return Crop(
        rgb=rgb,
        window=record.window,
        box=box_in_window(record.box, record.window),
        alpha=alpha,
        mask=png.decode_mask(run.read(record.files["mask"])) if "mask" in record.files else None,
        others=tuple(box for box in others if box.width > 0 and box.height > 0),
    )


def _read_cutout(run: Run, record: ObjectRecord) -> Cutout:
    assert record.window is not None
    rgb, alpha = run.picture(record.files["cutout"])
    opaque = np.full(rgb.shape[:2], 255, np.uint8) if alpha is None else alpha
    return Cutout(np.dstack([rgb, opaque]), record.window)


def begin_networks(todo: Sequence[tuple[Run, ObjectRecord]], model: Shape | Paint, tick: Tick) -> None:
    """Show a stage that wants to see them first the cutouts of all objects."""
    begin = getattr(model, "begin", None)
    if begin is not None:
        begin([_read_cutout(run, record) for run, record in todo], tick=tick)


def shape(run: Run, record: ObjectRecord, model: Shape, tick: Tick) -> None:
    """Write shape.glb, the geometry as the shape stage made it, and the view that places it on the cutout."""
    from manymesh.mesh.formats.glb import write_glb

    sculpture = model(_read_cutout(run, record), seed=record.seed, tick=tick)
    record.view = [sculpture.view.world_to_camera.tolist(), sculpture.view.projection.tolist()]
    record.warnings += sculpture.notes
    run.write(object_path(record, "shape.glb"), write_glb(sculpture.mesh), owner=record, role="shape")
    for place, other in enumerate(sculpture.others, start=2):
        run.write(object_path(record, f"shape-{place}.glb"), write_glb(other), owner=record, role=f"shape-{place}")


def refine(run: Run, record: ObjectRecord, model: None, tick: Tick) -> None:
    """Write mesh.glb: cleaned, within the face budget, in the house's frame."""
    from manymesh.mesh.clean.clean import clean
    from manymesh.mesh.formats.glb import read_glb, write_glb
    from manymesh.mesh.inspect import inspect
    from manymesh.mesh.normalise import normalise
    from manymesh.mesh.simplify import reduce
    from manymesh.render.camera import move_camera

    shape = read_glb(run.read(record.files["shape"]))
    found = inspect(shape)
    mesh, notes = (shape, []) if found.is_sound else clean(shape)
    tick(0.3)
    mesh, matrix = normalise(reduce(mesh, run.manifest.settings.faces))
    if not run.manifest.settings.texture:
        mesh = replace(mesh, colors=None)  # a guess of the unseen side, for the painter's use
    view = move_camera(read_view(record), matrix)
    record.view = [view.world_to_camera.tolist(), view.projection.tolist()]
    if mesh.faces is not shape.faces or not np.array_equal(mesh.vertices, shape.vertices):
        found = inspect(mesh)
    record.facts.update(asdict(found), cleaned=notes)
    run.write(object_path(record, "mesh.glb"), write_glb(mesh), owner=record, role="mesh")


def read_view(record: ObjectRecord) -> Camera:
    """The camera that places the object's mesh on its cutout."""
    assert record.view is not None
    world_to_camera, projection = (np.array(matrix, np.float64) for matrix in record.view)
    return Camera(world_to_camera, projection)


def paint(run: Run, record: ObjectRecord, model: Paint, tick: Tick) -> None:
    """Write model.glb, the painted mesh."""
    from manymesh.mesh.formats.glb import read_glb, write_glb

    mesh = read_glb(run.read(record.files["mesh"]))
    seed = record.seed if record.paint_seed is None else record.paint_seed
    painted = model(mesh, read_view(record), _read_cutout(run, record), seed=seed, tick=tick)
    record.warnings += painted.notes
    record.facts["paint"] = {
        **painted.details,
        "unwrap": painted.atlas.method,
        "texture_px": int(painted.base_color.shape[0]),
    }
    run.write(object_path(record, "model.glb"), write_glb(painted), owner=record, role="model")


def write(run: Run, record: ObjectRecord, model: None, tick: Tick) -> None:
    """Write the other formats and the preview. Every file is looked through before it counts."""
    from manymesh.mesh.formats.glb import read_glb, read_painted_glb
    from manymesh.mesh.formats.verify import check, verify
    from manymesh.render.preview import four_views

    stem = "model" if "model" in record.files else "mesh"
    data = run.read(record.files[stem])
    final = read_painted_glb(data) if stem == "model" else read_glb(data)
    check(data, f"{stem}.glb")
    for number, format_name in enumerate(run.manifest.settings.formats):
        tick(number / (len(run.manifest.settings.formats) + 1))
        if format_name == "glb":
            continue
        from manymesh.mesh.formats.write import write as write_format

        files = write_format(final, format_name, stem=stem, name=record.label)
        verify(files, final)
        for name, content in files.items():
            run.write(object_path(record, name), content, owner=record, role=name.replace(".", "-"))
    views = four_views(final, PREVIEW_PX)
    run.write_picture(object_path(record, "preview.png"), views[..., :3], views[..., 3], owner=record, role="preview")


def object_path(record: ObjectRecord, name: str) -> str:
    """Where an object's file goes, relative to the run folder."""
    return f"objects/{record.id}/{name}"
