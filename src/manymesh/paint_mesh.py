"""Paints a mesh that the user brings: its vertices stay where they are, and its texture coordinates if it has any."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.box import Box
from manymesh.engines import Plan, choose
from manymesh.errors import InputError, ObjectError, OutputError
from manymesh.image import png
from manymesh.image.crop import crop_array, crop_window
from manymesh.image.load import load_photo
from manymesh.image.transparency import is_cutout_near
from manymesh.mesh.formats.read import Brought, read_mesh
from manymesh.mesh.normalise import normalise
from manymesh.naming import object_seed
from manymesh.render.camera import fit_front_camera
from manymesh.settings import Settings
from manymesh.stages import Tick, begin
from manymesh.types import F64, Atlas, Crop, Cutout, Mesh, Photo, TexturedMesh

# Charts whose areas add up to more than this times what they cover together lie on one another. Chosen by hand: pixels
# at the edges of charts count twice.
OVERLAP = 1.05
# Materials whose charts share more than this part of the smaller one's pixels have a texture each. Chosen by hand.
SHARED_LAYOUT = 0.02
# Pixels a side at which that is measured.
LAYOUT_PX = 256
OWN_COORDINATES = "the file's own"

# There is only one object here.
_OBJECT_ID = "mesh"


@dataclass(frozen=True)
class PaintedFile:
    """What was made.

    Attributes:
        folder: where.
        files: names in it.
        notes: what people should know.
        details: the painter's facts.
    """

    folder: Path
    files: tuple[str, ...]
    notes: tuple[str, ...]
    details: dict[str, Any]


def paint_file(
    mesh: Path, image: Path, out: Path, settings: Settings, *, turn_deg: float = 0.0, tick: Tick = lambda done: None
) -> PaintedFile:
    """Paint the mesh in a file from a photo of the thing.

    Args:
        mesh: GLB, OBJ, PLY or STL; +Y up.
        image: the photo. Where it is transparent nothing is cut out; else the first of ``settings.boxes``, or all of
            it, is given to the engine's matte stage.
        out: a folder for the results; ``MESH-painted`` is made in it.
        settings: the engine, texture size, formats and seed are heeded.
        turn_deg: where the photo was taken from: 0 looks at the mesh's +Z side, 90 at its +X side.

    Raises:
        InputError: mesh or photo cannot be read.
        ObjectError: nothing could be cut out, or the mesh cannot be unwrapped.
        MissingPieceError: the engine cannot run here.
    """
    brought = read_mesh(mesh)
    photo, scale = load_photo(image)
    plan = choose(settings)
    tick(0.05)
    cutout = _cut_out(photo, scale, plan, lambda done: tick(0.05 + 0.2 * done))
    painted, notes = _painted(brought, cutout, plan, turn_deg, lambda done: tick(0.25 + 0.65 * done))
    notes = [*photo.notes, *notes]
    name = f"{mesh.stem}-painted"
    files = _files(painted, settings, name)
    if brought.gltf is not None:
        files["model.glb"] = _painted_copy(brought, painted, notes)
    files["cutout.png"] = png.encode(cutout.rgba)
    record = {
        "mesh": str(mesh),
        "image": str(image),
        "engine": plan.engine,
        "painter": plan.stages["paint"].name,
        "licence": plan.stages["paint"].licence,
        "settings": settings.model_dump(mode="json"),
        "notes": notes,
        "details": painted.details,
        "files": sorted([*files, "paint.json"]),
    }
    files["paint.json"] = (json.dumps(record, indent=1) + "\n").encode()
    folder = _write(out / name, files)
    tick(1.0)
    return PaintedFile(folder, tuple(sorted(files)), tuple(notes), painted.details)


def _cut_out(photo: Photo, scale: float, plan: Plan, tick: Tick) -> Cutout:
    """The object in the photo. Transparency that it brings along is taken as it is.

    Args:
        photo: what was read.
        scale: the factor by which it was reduced; boxes are given in the file's own pixels.
        plan: its first box is the part of the photo to look at. Transparency only counts there if some of it is clear.
        tick: told the share done.
    """
    whole = Box(0, 0, photo.width, photo.height)
    box = whole
    if plan.settings.boxes:
        box = Box(*(round(value * scale) for value in plan.settings.boxes[0].box)).clipped(photo.width, photo.height)
    if box.width < 1 or box.height < 1:
        raise InputError("the box lies outside the photo", "Give it in the photo's pixels")
    window = crop_window(box, photo.width, photo.height)
    if photo.alpha is not None and (box == whole or is_cutout_near(crop_array(photo.alpha, window))):
        rgba = crop_array(np.dstack([photo.rgb, photo.alpha]), box)
        if not rgba[:, :, 3].any():
            raise ObjectError("the photo is transparent there", "Give a picture with something in it")
        return Cutout(rgba, box, _OBJECT_ID)
    crop = Crop(photo.rgb, whole, box)
    with plan.stages["matte"].open(plan.settings) as matte:
        cutout: Cutout = replace(matte(crop, tick=tick), object_id=_OBJECT_ID)
    if int((cutout.rgba[:, :, 3] > 127).sum()) < 16:
        raise ObjectError("nothing was left when the background was removed", "Give a picture that is cut out")
    return cutout


def _painted(
    brought: Brought, cutout: Cutout, plan: Plan, turn_deg: float, tick: Tick
) -> tuple[TexturedMesh, list[str]]:
    """The texture, on the mesh in its own place."""
    turned = brought.vertices @ _about_y(-turn_deg).T
    mesh = normalise(Mesh(turned.astype(np.float32), brought.faces))[0]
    view = fit_front_camera(mesh, cutout.rgba[:, :, 3])
    notes = list(brought.notes)
    atlas = _own_atlas(mesh, brought, plan.settings.texture_size, notes)
    seed = object_seed(plan.settings.seed, 1)
    with plan.stages["paint"].open(plan.settings) as painter:
        begin(painter, [cutout], tick=lambda done: tick(0.4 * done))
        given = {} if atlas is None else {"atlas": atlas}
        made: TexturedMesh = painter(mesh, view, cutout, seed=seed, tick=lambda done: tick(0.4 + 0.6 * done), **given)
    notes += made.notes
    place = brought.vertices.astype(np.float32)[made.atlas.source]
    return replace(made, atlas=replace(made.atlas, vertices=place)), notes


def _about_y(degrees: float) -> F64:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _own_atlas(mesh: Mesh, brought: Brought, size: int, notes: list[str]) -> Atlas | None:
    """The file's own texture coordinates, or None to make new ones."""
    from manymesh.render.raster import raster_uv
    from manymesh.render.texels import weld_by_position

    if brought.uv is None:
        return None
    if _layouts_overlap(brought):
        notes.append("The file's materials have a texture each, which overlap, so new coordinates were made.")
        return None
    corners = brought.uv.astype(np.float64)[mesh.faces]
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    claimed = float(np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum() / 2) * size * size
    if claimed < 4:
        notes.append("The file's texture coordinates cover nothing, so new ones were made.")
        return None
    covered = len(raster_uv(brought.uv, mesh.faces, size, size).pixel)
    if claimed > OVERLAP * covered + 0.001 * size * size:
        notes.append("Parts of the file's texture coordinates lie on one another: these places share their colours.")
    number = np.arange(len(mesh.vertices), dtype=np.int32)
    weld = weld_by_position(mesh.vertices)
    first = np.full(int(weld.max()) + 1, len(number), np.int32)
    np.minimum.at(first, weld, number)
    return Atlas(mesh.vertices, mesh.faces, brought.uv, first[weld], OWN_COORDINATES)


def _layouts_overlap(brought: Brought) -> bool:
    """Whether the charts of different texture images lie on one another, so that one texture cannot hold them all."""
    from manymesh.render.raster import raster_uv

    if brought.layouts is None or brought.uv is None:
        return False
    taken = np.zeros(LAYOUT_PX * LAYOUT_PX, bool)
    for layout in range(int(brought.layouts.max()) + 1):
        faces = brought.faces[brought.layouts == layout]
        pixels = np.unique(raster_uv(brought.uv, faces, LAYOUT_PX, LAYOUT_PX).pixel)
        smaller = min(len(pixels), int(taken.sum()))
        if smaller and taken[pixels].sum() > SHARED_LAYOUT * smaller:
            return True
        taken[pixels] = True
    return False


def _painted_copy(brought: Brought, painted: TexturedMesh, notes: list[str]) -> bytes:
    """The user's own GLB with the new texture and all else as it was."""
    from manymesh.mesh.formats.gltf_repaint import repaint

    assert brought.gltf is not None
    file, parts = brought.gltf
    own = painted.atlas.method == OWN_COORDINATES
    data, more = repaint(file, parts, painted, own_coordinates=own, faces=brought.faces)
    notes.extend(more)
    return data


def _files(painted: TexturedMesh, settings: Settings, name: str) -> dict[str, bytes]:
    """Every format that was asked for, read back by another reader, and a preview."""
    from manymesh.mesh.formats.verify import verify
    from manymesh.mesh.formats.write import write
    from manymesh.render.preview import four_views

    files: dict[str, bytes] = {}
    start_s = time.perf_counter()
    for kind in settings.formats:
        written = write(painted, kind, stem="model", name=name)
        verify(written, painted)
        files |= written
    framed = replace(painted.atlas, vertices=normalise(Mesh(painted.atlas.vertices, painted.atlas.faces))[0].vertices)
    files["preview.png"] = png.encode(four_views(replace(painted, atlas=framed)))
    painted.details.setdefault("seconds", {})["write"] = round(time.perf_counter() - start_s, 3)
    return files


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    """All files in a folder that was not there before: ``folder``, or the same with a number."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        number, target = 1, folder
        while True:
            try:
                target.mkdir()
                break
            except FileExistsError:
                number += 1
                target = folder.with_name(f"{folder.name}-{number}")
        for name, data in files.items():
            (target / name).write_bytes(data)
    except OSError as error:
        raise OutputError(
            f"'{folder}' cannot be written ({error.strerror or error})", "Choose another --out"
        ) from error
    return target
