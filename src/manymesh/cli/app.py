"""The command line: turns a person's wish into ``Settings`` and a pipeline call, and shows the events.

stdout carries what machines want (run folders, or one JSON document with --json); all else goes to stderr. Exit codes
are those of ``errors.py``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from manymesh._version import __version__
from manymesh.cli.job import Interrupted, interrupt
from manymesh.cli.models import app as models
from manymesh.cli.options import with_settings
from manymesh.cli.paint import error_document as paint_error_document
from manymesh.cli.paint import paint
from manymesh.cli.streams import error_data, give, prepare_streams, say, silence_libraries
from manymesh.cli.ui import ui
from manymesh.errors import Cancelled, ManymeshError, UsageError
from manymesh.settings import Settings

if TYPE_CHECKING:
    from manymesh.pipeline import Pipeline
    from manymesh.run.folder import Run

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
        give(f"manymesh {__version__}")
        raise typer.Exit


@with_settings
def make(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="The photos.")],
    settings: Settings,
    out: Annotated[Path, typer.Option("--out", help="Where the run folders go.")] = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", help="Fetch networks that the run calls for without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a textured mesh of every object in a photo."""
    from manymesh.cli.consent import offer

    offer(settings, yes=yes)
    with _working(settings) as pipeline:
        _carry_out(pipeline, lambda: pipeline.make(images, out), as_json)


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
    from manymesh.run.edit import parse_replacements, replace_cutouts

    with _working(None) as pipeline:
        replacements = parse_replacements(cutout or [])
        change = partial(replace_cutouts, replacements=replacements)
        _carry_out(pipeline, lambda: [pipeline.resume(run, change)], as_json)


@app.command()
def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    as_json: AsJson = False,
) -> None:
    """Show what a run made: its objects, files, seconds and memory."""
    from manymesh.cli.show import tables
    from manymesh.run.folder import Run

    opened = Run.open(run)
    give(_document([opened]) if as_json else tables(opened))


app.add_typer(models, name="models")
app.command("paint")(paint)
app.command()(ui)


@app.command()
def doctor(
    as_json: AsJson = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show how an engine would use the GPU's memory, and load nothing.")
    ] = False,
    vram: Annotated[
        str | None, typer.Option("--vram", metavar="SIZE", help="With --plan: for a card of this size, such as 4G.")
    ] = None,
    objects: Annotated[int, typer.Option("--objects", min=1, help="With --plan: for so many objects.")] = 1,
    texture: Annotated[bool, typer.Option("--texture/--no-texture", help="With --plan: painted, or not.")] = True,
    engine: Annotated[
        str | None, typer.Option("--engine", help="With --plan: of this engine, hunyuan where none is named.")
    ] = None,
) -> None:
    """Say what this machine can run, which engine `auto` takes and why, and what is missing."""
    from manymesh.cli.doctor import examine, memory_plan, report

    if plan:
        give(memory_plan(engine or "hunyuan", vram, objects, texture, as_json))
        return
    alone = {"--vram": vram is not None, "--objects": objects != 1, "--no-texture": not texture, "--engine": engine}
    if given := [flag for flag, is_given in alone.items() if is_given]:
        raise UsageError(f"{given[0]} belongs to --plan", "Use: manymesh doctor --plan --vram 8G")
    findings = examine()
    give(json.dumps(findings, indent=1) if as_json else report(findings))


def main() -> None:
    """The ``manymesh`` command. Errors for people become one line and their exit code; bugs keep their traceback."""
    # Before NumPy is loaded. Objects are worked on side by side; beside that, OpenBLAS' own threads mostly wait for one
    # another, at full load: a fifth of all processor time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    prepare_streams()
    silence_libraries()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as after nohup
        signal.signal(signal.SIGINT, interrupt)
    try:
        app()
    except Interrupted:
        _fail(Cancelled("Stopped by Ctrl-C"))
    except ManymeshError as error:
        _fail(error)
    except SystemExit as stop:
        # A flag that does not exist: the sentence is already on stderr.
        if stop.code == UsageError.exit_code and "--json" in sys.argv:
            give(_error_document(UsageError("The command line makes no sense", "See stderr.")))
        raise


def _fail(error: ManymeshError) -> NoReturn:
    say(f"manymesh: {error}")
    if "--json" in sys.argv:
        give(_error_document(error))
    sys.exit(error.exit_code)


def _error_document(error: ManymeshError) -> str:
    """The document of ``--json`` for a command that made nothing, in the command's own form."""
    return paint_error_document(error) if sys.argv[1:2] == ["paint"] else _document([], error)


@contextmanager
def _working(settings: Settings | None) -> Iterator[Pipeline]:
    """A pipeline that shows its progress on the terminal and stops on Ctrl-C: first at the next tick, then at once."""
    from manymesh.cli.console import showing_progress
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
            yield Pipeline(settings, on_event=on_event, cancel=cancel)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _carry_out(pipeline: Pipeline, work: Callable[[], Sequence[Run]], as_json: bool) -> None:
    """Do the work, print the run folders (also of work that was cut short), and leave with the right exit code."""
    from manymesh.run.lifecycle import exit_code

    stopped: ManymeshError | None = None
    try:
        try:
            work()
        except KeyboardInterrupt:  # the second Ctrl-C, before or after the steps
            raise Cancelled("Stopped by Ctrl-C") from None
    except ManymeshError as error:
        if not pipeline.runs:
            raise
        stopped = error
    first = stopped or next((error for _, error in pipeline.unread), None)
    folders = "\n".join(str(run.folder) for run in pipeline.runs)
    give(_document(pipeline.runs, first, pipeline.unread) if as_json else folders)
    _say_how_it_went(pipeline.runs, stopped)
    code = first.exit_code if first is not None else exit_code(pipeline.runs)
    if code:
        raise typer.Exit(code)


def _say_how_it_went(runs: Sequence[Run], stopped: ManymeshError | None) -> None:
    from manymesh.run import lifecycle

    for run in runs:
        records = lifecycle.wanted(run.manifest)
        made = sum(map(lifecycle.is_made, records))
        if stopped is not None and not lifecycle.is_finished(run.manifest):
            say(f"To go on: manymesh resume {run.folder}")
        elif run.manifest.error is not None:
            say(f"{run.folder}: nothing was made. {run.manifest.error.message}. {run.manifest.error.hint}".strip())
        elif "sheet" in run.manifest.files:
            say(f"{made} of {len(records)} objects made; see {run.folder / 'sheet.png'}")
    if stopped is not None:
        say(f"manymesh: {stopped}")


def _document(
    runs: Sequence[Run], error: ManymeshError | None = None, unread: Sequence[tuple[Path, ManymeshError]] = ()
) -> str:
    """The one JSON document of ``--json``."""
    listed = [{"folder": str(run.folder.resolve()), **run.manifest.model_dump(mode="json")} for run in runs]
    failed = [{"path": os.fsencode(path).decode("utf-8", "replace"), **error_data(why)} for path, why in unread]
    return json.dumps({"runs": listed, "unread": failed, "error": error and error_data(error)}, indent=1)
