"""``manymesh paint MESH --image PHOTO``."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from manymesh.cli.job import Interrupted, Progress, carry_out
from manymesh.cli.options import with_settings
from manymesh.cli.streams import error_data, give, say
from manymesh.engines import find_stage
from manymesh.errors import Cancelled, ManymeshError
from manymesh.settings import Settings
from manymesh.units import Up

if TYPE_CHECKING:
    from manymesh.paint_mesh import PaintedFile

# What people read while a step of ``paint_mesh.STEPS`` works.
STEP_WORDS = {
    "read": "Reading mesh and photo",
    "matte": "Removing the background",
    "unwrap": "Unwrapping",
    "paint": "Painting",
    "write": "Writing",
}
STOPPED = Cancelled("Stopped by Ctrl-C", "Nothing was written.")


@with_settings
def paint(
    mesh: Annotated[Path, typer.Argument(metavar="MESH", help="The mesh: GLB, glTF, OBJ, PLY, STL or 3MF.")],
    image: Annotated[Path, typer.Option("--image", help="A photo of the object, or a cut-out picture of it.")],
    settings: Settings,
    out: Annotated[Path, typer.Option("--out", help="Where the folder with the results goes.")] = Path("painted"),
    turn: Annotated[
        float, typer.Option("--turn", help="Where the photo was taken from: 0 sees the mesh's +Z side, 90 its +X.")
    ] = 0.0,
    mesh_up: Annotated[
        Up | None,
        typer.Option(
            "--mesh-up", help="The axis of the mesh that is up: y, or z as CAD programs and slicers write. 3MF has z."
        ),
    ] = None,
    painter: Annotated[
        str | None,
        typer.Option(
            "--painter",
            help="Who paints, in place of the engine's own: photo, hunyuan3d-paint, mv-adapter, or a plug-in.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Paint a mesh of your own from a photo. Its vertices stay, and its texture coordinates if it has any."""
    if painter is not None:
        find_stage("paint", painter)
        settings = settings.model_copy(update={"stages": (*settings.stages, f"paint={painter}")})
    try:
        made = carry_out(partial(_work, mesh, image, out, settings, turn, mesh_up), lambda: _give_stopped(as_json))
    except (Cancelled, Interrupted):
        _give_stopped(as_json)
        raise typer.Exit(Cancelled.exit_code) from None
    for note in made.notes:
        say(note)
    give(_document("done", made) if as_json else str(made.folder))


def _work(
    mesh: Path, image: Path, out: Path, settings: Settings, turn: float, mesh_up: Up | None, progress: Progress
) -> PaintedFile:
    progress.tell("Reading mesh and photo", 0.0)
    from manymesh.paint_mesh import paint_file

    def tell(step: str, share: float) -> None:
        progress.tell(STEP_WORDS.get(step, step), share, writing=step == "write")

    return paint_file(mesh, image, out, settings, turn_deg=turn, mesh_up=mesh_up, progress=tell)


def _give_stopped(as_json: bool) -> None:
    say(f"manymesh: {STOPPED}")
    if as_json:
        give(error_document(STOPPED))


def error_document(error: ManymeshError) -> str:
    """The document of ``--json`` when nothing was made."""
    return _document("cancelled" if isinstance(error, Cancelled) else "failed", None, error)


def _document(state: str, made: PaintedFile | None, error: ManymeshError | None = None) -> str:
    """The one JSON document of ``--json``; ``made`` is None when nothing was made."""
    return json.dumps(
        {
            "state": state,
            "folder": None if made is None else str(made.folder.resolve()),
            "files": [] if made is None else made.files,
            "notes": [] if made is None else made.notes,
            "details": {} if made is None else made.details,
            "error": None if error is None else error_data(error),
        },
        indent=1,
    )
