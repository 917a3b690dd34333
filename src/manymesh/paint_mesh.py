"""Paints a mesh that the user brings: its faces stay as they are, and its texture coordinates if it has any."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from manymesh.box import Box
from manymesh.engines import Plan, choose
from manymesh.errors import InputError, ObjectError, OutputError
from manymesh.image import png
from manymesh.image.crop import crop_array, crop_window
from manymesh.image.load import load_photo
from manymesh.image.transparency import is_cutout_near
from manymesh.mesh.formats.placement import turned_up
from manymesh.mesh.formats.read import read_mesh
from manymesh.mesh.formats.user_mesh import UserMesh
from manymesh.mesh.work_mesh import WorkMesh, work_mesh
from manymesh.naming import object_seed
from manymesh.settings import Settings
from manymesh.stages import Tick, begin
from manymesh.types import F64, U8, Crop, Cutout, Photo, TexturedMesh
from manymesh.units import Up

if TYPE_CHECKING:
    from manymesh.mesh.formats.placement import FileFrame
    from manymesh.paint.user_atlas import PaintAtlas

Progress = Callable[[str, float], None]
"""Told the name of the step ("read", "matte", "unwrap", "paint" or "write") and the share of the whole work done, 0..1,
at least once a second where that can be. May raise ``Cancelled`` to stop."""

# Where the share of the whole stands when each step begins: about what they take of a mesh of 80,000 faces.
STEPS = {"read": 0.0, "matte": 0.05, "unwrap": 0.25, "paint": 0.55, "write": 0.9}
# With less than this of the texture from the photo, people are told what may be wrong.
LITTLE = 0.05

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
    mesh: Path,
    image: Path,
    out: Path,
    settings: Settings,
    *,
    turn_deg: float = 0.0,
    mesh_up: Up | None = None,
    progress: Progress = lambda step, done: None,
) -> PaintedFile:
    """Paint the mesh in a file from a photo of the object.

    Args:
        mesh: GLB, glTF, OBJ, PLY, STL or 3MF.
        image: the photo. Where it is a cutout nothing is cut out; else the first of ``settings.boxes``, or all of
            it, is given to the engine's matte stage.
        out: a folder for the results; ``MESH-painted`` is made in it.
        settings: the engine, texture size, formats, size, up axis and seed are heeded.
        turn_deg: where the photo was taken from: 0 looks at the mesh's +Z side, 90 at its +X side.
        mesh_up: the axis of the mesh that is up in the photo; None for that of its format (3MF: z, others: y). With "z"
            the +Z side of the standing mesh is the file's -Y side.
        progress: see ``Progress``.

    Raises:
        InputError: mesh or photo cannot be read.
        ObjectError: nothing could be cut out, or the mesh cannot be unwrapped.
        MissingPieceError: the engine cannot run here.
    """
    progress("read", 0.0)
    as_read = read_mesh(mesh)
    user, stand, more = stood_up(as_read, mesh_up)
    photo, scale = load_photo(image)
    plan = choose(settings)
    cutout = _cut_out(photo, scale, plan, _within("matte", progress))
    painted = _painted(user, cutout, plan, turn_deg, stand, progress)
    name = f"{mesh.stem}-painted"
    files, notes = _files(user, as_read, painted, settings, name, _within("write", progress))
    files["cutout.png"] = png.encode(cutout.rgba)
    details, notes = painted.made.details, [*photo.notes, *user.notes, *more, *painted.notes, *notes]
    record = {
        "mesh": str(mesh),
        "image": str(image),
        "engine": plan.engine,
        "painter": plan.stages["paint"].name,
        "licence": plan.stages["paint"].licence,
        "settings": settings.model_dump(mode="json"),
        "notes": notes,
        "details": details,
        "files": sorted([*files, "paint.json"]),
    }
    files["paint.json"] = (json.dumps(record, indent=1) + "\n").encode()
    folder = _write(out / name, files)
    progress("write", 1.0)
    return PaintedFile(folder, tuple(sorted(files)), tuple(notes), details)


def stood_up(user: UserMesh, mesh_up: Up | None) -> tuple[UserMesh, F64 | None, tuple[str, ...]]:
    """A mesh with the axis up that a person says is up.

    Numbers of OBJ, PLY and STL files, which state no axis, are turned; they are written with the same axis up again. A
    glTF or 3MF file is not changed: it is painted as a person sees it, and stays what its format says.

    Returns:
        The mesh; what still turns it for painting alone, as in ``work_mesh``; what people should know.
    """
    if mesh_up is None or mesh_up == user.up:
        return user, None, ()
    turn = turned_up(mesh_up, user.up)
    if user.gltf is not None or user.up == "z":
        kind = "3MF" if user.gltf is None else "glTF"
        note = f"{kind} files have +{user.up.upper()} up; this one was painted with its +{mesh_up.upper()} axis up."
        return user, turn, (note,)
    normals = None if user.normals is None else (user.normals @ turn.T).astype(np.float32)
    return replace(user, positions=user.positions @ turn.T, normals=normals, up=mesh_up), None, ()


def _within(step: str, progress: Progress) -> Tick:
    """A tick for one step's own share of the work, 0..1."""
    names = list(STEPS)
    start = STEPS[step]
    stop = STEPS[names[names.index(step) + 1]] if step != names[-1] else 1.0
    return lambda done: progress(step, start + (stop - start) * min(max(done, 0.0), 1.0))


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


@dataclass(frozen=True)
class _Painted:
    """Attributes:
    work: the mesh that was painted. atlas: its coordinates, and how the file's faces find them.
    made: the painter's answer, in the canonical frame.
    notes: what people should know.
    """

    work: WorkMesh
    atlas: PaintAtlas
    made: TexturedMesh
    notes: tuple[str, ...]


def _painted(
    user: UserMesh, cutout: Cutout, plan: Plan, turn_deg: float, stand: F64 | None, progress: Progress
) -> _Painted:
    """The texture, on the mesh in the canonical frame. ``turn_deg`` and ``stand`` as in ``work_mesh``."""
    from manymesh.paint.fit import fit_camera, with_margin
    from manymesh.paint.user_atlas import own_layout, paint_atlas, sheet_px

    start_s = time.perf_counter()
    tick = _within("unwrap", progress)
    work = work_mesh(user.positions, user.faces, turn_deg, stand)
    tick(0.2)
    notes = []
    turned = int(work.turned.sum())
    if turned:
        notes.append(f"{turned:,} of the {len(user.faces):,} faces were wound inwards; they were turned outwards.")
    if user.copy.any():
        notes.append("The file shows some of its parts several times; these share the colours of the first.")
    fit = fit_camera(work.mesh, cutout.rgba[:, :, 3])
    wanted_px = plan.settings.texture_size or plan.stages["paint"].texture_px
    layout, more = own_layout(user, wanted_px)
    size_px = sheet_px(layout, wanted_px)
    atlas = paint_atlas(user, work, layout, size_px, lambda done: tick(0.2 + 0.8 * done))
    unwrapped_s = time.perf_counter() - start_s
    settings = plan.settings.model_copy(update={"texture_size": size_px})
    tick = _within("paint", progress)
    stage = plan.stages["paint"]
    with stage.open(settings) as painter:
        begin(painter, [cutout], tick=lambda done: tick(0.4 * done))
        # The painter that reads the photo's own pixels may miss the outline by a little.
        shown = with_margin(cutout) if stage.name == "photo" else cutout
        made: TexturedMesh = painter(
            work.mesh,
            fit.view,
            shown,
            seed=object_seed(settings.seed, 1),
            tick=lambda done: tick(0.4 + 0.6 * done),
            atlas=atlas.atlas,
        )
    seconds = made.details.setdefault("seconds", {})
    seconds["unwrap"] = round(unwrapped_s, 3)
    made.details["outline_iou"] = round(fit.iou, 4)
    notes += [*fit.notes, *more, *made.notes]
    share = made.details.get("texels", {}).get("photo")
    if share is not None and share < LITTLE:
        notes.append(
            f"Only {100 * share:.1f} % of the texture comes from the photo: the mesh may be inside out, or show the "
            "photo another side (--turn)."
        )
    return _Painted(work, atlas, made, tuple(notes))


def _files(
    user: UserMesh, as_read: UserMesh, painted: _Painted, settings: Settings, name: str, tick: Tick
) -> tuple[dict[str, bytes], list[str]]:
    """Every format that was asked for, read back by another reader, a preview, and what people should know.

    Args:
        user: the mesh, +Y up. as_read: the same with the file's own numbers.
    """
    from manymesh.mesh.formats.placement import Placement, sentence
    from manymesh.mesh.formats.verify import verify
    from manymesh.mesh.formats.write import write
    from manymesh.paint.user_atlas import file_atlas
    from manymesh.render.preview import four_views

    files: dict[str, bytes] = {}
    notes: list[str] = []
    start_s = time.perf_counter()
    final: TexturedMesh | None = None
    placement = Placement(settings.size_m, settings.up or user.up, user.unit, own_place=True)
    longest = float(np.ptp(user.positions[np.unique(user.faces)], axis=0).max())
    said, anew = [], []
    for number, kind in enumerate(settings.formats):
        tick(number / (len(settings.formats) + 1))
        frame = placement.in_file(kind, longest)
        said.append(sentence(f"model.{kind}", kind, frame, longest))
        if kind == "glb" and user.gltf is not None:
            files["model.glb"], more = _painted_copy(user, painted, frame.scale)
            notes += more
            continue
        if kind == "obj" and user.obj is not None:
            own_up: Up = "y" if as_read is user else user.up
            copied, more = _painted_obj(as_read, painted, replace(frame, own_up=own_up))
            files |= copied
            notes += more
            continue
        anew.append(f"model.{kind}")
        if final is None:
            final = TexturedMesh(file_atlas(user, painted.atlas, painted.work), painted.made.base_color)
        if any(final.atlas.translation) and kind in ("stl", "3mf"):
            notes.append(f"model.{kind} lies around the origin: the file's own place is too far away for its numbers.")
        written = write(final, kind, stem="model", name=name, frame=frame)
        verify(written, final, frame)
        files |= written
    if user.lost and anew:
        hold = "do" if len(anew) > 1 else "does"
        notes.append(f"{_listed(anew)} {hold} not hold the file's {_listed(user.lost)}.")
    files["preview.png"] = png.encode(four_views(painted.made))
    painted.made.details.setdefault("seconds", {})["write"] = round(time.perf_counter() - start_s, 3)
    return files, [*notes, *said]


def _painted_copy(user: UserMesh, painted: _Painted, scale: float) -> tuple[bytes, list[str]]:
    """The user's own glTF file with the new picture, all else as it was; its scene scaled as a whole if asked for."""
    from manymesh.mesh.formats.gltf_copy import repainted
    from manymesh.mesh.formats.gltf_edit import Repaint
    from manymesh.mesh.formats.gltf_scale import scaled
    from manymesh.mesh.formats.verify import verify_copy

    assert user.gltf is not None
    layout = painted.atlas.layout
    picture_of = [0 if layout is None or not part.count else int(layout.tile[part.first]) for part in user.gltf.parts]
    paint = Repaint(
        _tiles(painted.made.base_color, 1 if layout is None else layout.tiles, max(picture_of) + 1),
        picture_of,
        painted.atlas.uv if layout is None else None,
        painted.work.turned,
        painted.atlas.negated,
    )
    data, notes = repainted(user.gltf, paint)
    verify_copy(data, user, paint)
    return data if scale == 1.0 else scaled(data, scale), notes


def _painted_obj(user: UserMesh, painted: _Painted, frame: FileFrame) -> tuple[dict[str, bytes], list[str]]:
    """The user's own OBJ file with new texture coordinates where they are needed and a new material file."""
    from manymesh.mesh.formats.obj_copy import ObjRepaint, repainted_obj
    from manymesh.mesh.formats.verify import verify_obj_copy

    assert user.obj is not None
    layout, count = painted.atlas.layout, len(user.material_names)
    picture_of = [0] * count
    if layout is not None:
        picture_of = [int(layout.tile[user.material == number].max(initial=0)) for number in range(count)]
    paint = ObjRepaint(
        _tiles(painted.made.base_color, 1 if layout is None else layout.tiles, max(picture_of) + 1),
        picture_of,
        painted.atlas.uv if layout is None else None,
        painted.work.turned,
        painted.atlas.negated,
        frame,
    )
    files, notes = repainted_obj(user.obj, paint, "model")
    verify_obj_copy(files["model.obj"], user, paint)
    return files, notes


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _tiles(sheet: U8, tiles: int, count: int) -> list[U8]:
    """The first ``count`` of the tiles x tiles squares of a texture, by rows."""
    side = len(sheet) // tiles
    corners = [(number // tiles * side, number % tiles * side) for number in range(count)]
    return [np.ascontiguousarray(sheet[row : row + side, column : column + side]) for row, column in corners]


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
