"""``manymesh paint MESH --image PHOTO``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from manymesh.cli.options import with_settings
from manymesh.cli.streams import give, say
from manymesh.settings import Settings


@with_settings
def paint(
    mesh: Annotated[Path, typer.Argument(metavar="MESH", help="The mesh: GLB, OBJ, PLY or STL, +Y up.")],
    image: Annotated[Path, typer.Option("--image", help="A photo of the thing, or a cut-out picture of it.")],
    settings: Settings,
    out: Annotated[Path, typer.Option("--out", help="Where the folder with the results goes.")] = Path("painted"),
    turn: Annotated[
        float, typer.Option("--turn", help="Where the photo was taken from: 0 sees the mesh's +Z side, 90 its +X.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Paint a mesh of your own from a photo. Its vertices stay, and its texture coordinates if it has any."""
    from manymesh.paint_mesh import paint_file

    made = paint_file(mesh, image, out, settings, turn_deg=turn)
    for note in made.notes:
        say(note)
    record = {"folder": str(made.folder.resolve()), "files": made.files, "notes": made.notes, "details": made.details}
    give(json.dumps(record, indent=1) if as_json else str(made.folder))
