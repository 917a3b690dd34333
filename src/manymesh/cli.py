"""The command line: turns a person's wish into ``Settings`` and a pipeline call, and shows the events.

stdout carries what machines want (run folders, or one JSON document with --json); all else goes to stderr. Exit codes
are those of ``errors.py``.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manymesh._version import __version__
from manymesh.errors import ManymeshError
from manymesh.options import with_settings
from manymesh.settings import Settings
from manymesh.web.cli import ui
from manymesh.weights.cli import app as models

if TYPE_CHECKING:
    from manymesh.run import Run

# Plain help: Rich's panels would cost 0.2 s before the first letter.
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="One photo and a few words into many textured 3D meshes, on the GPU you have.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of run folders.")]


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"manymesh {__version__}")
        raise typer.Exit


@with_settings
def make(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="The photos.")],
    settings: Settings,
    out: Annotated[Path, typer.Option("--out", help="Where the run folders go.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Make a textured mesh of every object in a photo."""
    with _working() as (pipeline, cancel):
        _report(pipeline(settings, cancel).make(images, out), as_json)


app.command()(make)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    cutout: Annotated[
        list[str] | None,
        typer.Option("--cutout", metavar="N=FILE", help="Use your own RGBA picture as object N's cutout. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finish a run that was stopped, or try again what failed. What is done is kept."""
    from manymesh.cutouts import parse_replacements, replace_cutouts

    with _working() as (pipeline, cancel):
        replacements = parse_replacements(cutout or [])
        _report([pipeline(None, cancel).resume(run, lambda opened: replace_cutouts(opened, replacements))], as_json)


@app.command()
def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    as_json: AsJson = False,
) -> None:
    """Show what a run made: its objects, files, seconds and memory."""
    from manymesh.run import Run
    from manymesh.show import tables

    opened = Run.open(run)
    typer.echo(_document([opened]) if as_json else tables(opened))


app.add_typer(models, name="models")
app.command()(ui)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can run, which engine `auto` takes and why, and what is missing."""
    from manymesh.doctor import examine, report

    findings = examine()
    typer.echo(json.dumps(findings, indent=1) if as_json else report(findings))


def main() -> None:
    """The ``manymesh`` command. Errors for people become one line and their exit code; bugs keep their traceback."""
    try:
        app()
    except ManymeshError as error:
        typer.echo(f"manymesh: {error}", err=True)
        if "--json" in sys.argv:
            record = {"code": error.code, "message": error.what, "hint": error.hint, "exit_code": error.exit_code}
            typer.echo(json.dumps({"runs": [], "error": record}, indent=1))
        sys.exit(error.exit_code)


@contextmanager
def _working() -> Iterator[Any]:
    """A pipeline factory wired to the terminal, and a ``Cancel`` wired to Ctrl-C.

    The first Ctrl-C stops at the next tick, the second at once.
    """
    from manymesh.console import say, showing_progress
    from manymesh.events import Cancel
    from manymesh.pipeline import Pipeline

    cancel = Cancel()

    def stop(number: int, frame: object) -> None:
        if cancel.asked:
            raise KeyboardInterrupt
        say("Stopping; press Ctrl-C again to stop at once.")
        cancel.ask()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with showing_progress() as on_event:
            yield lambda settings, cancel: Pipeline(settings, on_event=on_event, cancel=cancel), cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(runs: Sequence[Run], as_json: bool) -> None:
    """Print what was made and leave with the exit code that says how it went."""
    from manymesh.console import say
    from manymesh.finish import exit_code

    typer.echo(_document(runs) if as_json else "\n".join(str(run.folder) for run in runs))
    for run in runs:
        records = [record for record in run.manifest.objects if record.state != "skipped"]
        made = sum(record.state == "done" for record in records)
        if run.manifest.error is not None:
            say(f"{run.folder}: nothing was made. {run.manifest.error.message}. {run.manifest.error.hint}".strip())
        elif "sheet" in run.manifest.files:
            say(f"{made} of {len(records)} objects made; see {run.folder / 'sheet.png'}")
    code = exit_code(runs)
    if code:
        raise typer.Exit(code)


def _document(runs: Sequence[Run]) -> str:
    listed = [{"folder": str(run.folder.resolve()), **run.manifest.model_dump(mode="json")} for run in runs]
    return json.dumps({"runs": listed, "error": None}, indent=1)
