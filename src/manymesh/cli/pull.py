"""The steps of ``manymesh models pull``: list and licences, consent, fetching with one progress bar, converting."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from manymesh.cli.streams import say
from manymesh.errors import MissingPieceError, WeightsError
from manymesh.weights import locate
from manymesh.weights.download import Plan, Progress, carry_out, delete, plan, readable, require_space
from manymesh.weights.entries import Licence, Model
from manymesh.weights.licences import accept, is_accepted, require_accepted


def is_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def list_licences(models: Sequence[Model]) -> None:
    """Say each model with its size and licence, and each licence with its address, territory and terms."""
    for m in models:
        state = "here" if locate.find(m).complete else readable(m.bytes)
        say(f"{m.id:<26} {state:>8}  {m.licence.id}")
    for licence in _licences(models):
        agreed = "" if is_accepted(licence) else " (to be accepted)"
        say(f"licence: {licence.name}, {licence.url}{agreed} {licence.territory}".rstrip())
        for term in licence.terms:
            say(f"  {term}")


def agree(models: Sequence[Model], accepted: Sequence[str]) -> None:
    """One consent for each licence: by flag, or asked for on a terminal. Raises ``LicenceError`` for one that is open.

    Args:
        models: what is to be fetched.
        accepted: the licences' ids that the user gave as flags.
    """
    for licence_id in accepted:
        accept(licence_id)
    for licence in _licences(models):
        question = f"Have you read the {licence.name}, and do you agree to it?"
        if not is_accepted(licence) and is_terminal() and typer.confirm(question, default=False, err=True):
            accept(licence.id)
    require_accepted(_licences(models))


def _licences(models: Sequence[Model]) -> list[Licence]:
    """Each licence once, in the order of the models."""
    return list({m.licence.id: m.licence for m in models}.values())


def fetch(models: Sequence[Model]) -> list[Path]:
    """Fetch what is absent under one progress bar; returns each model's folder. Raises as ``download.pull``."""
    planned = plan(models)
    _say_space(planned)
    require_space(planned)
    with _progress(planned) as progress:
        return carry_out(planned, say if progress is _silent else _ignore, progress=progress)


def _say_space(planned: Plan) -> None:
    cache = locate.hub_cache()
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    begun = f", of which {readable(planned.begun_bytes)} are here" if planned.begun_bytes else ""
    free = readable(shutil.disk_usage(existing).free)
    say(f"{readable(planned.total_bytes)} to fetch into {cache}{begun}; {free} are free there")
    if planned.convert_bytes:
        say(f"{readable(planned.convert_bytes)} more are needed for the safetensors files made from pickles")


def _silent(done: int, total: int) -> None:
    """A ``Progress`` where nobody watches: the lines for each file say enough."""


def _ignore(line: str) -> None:
    """A ``Say`` beside a progress bar, which says enough."""


@contextmanager
def _progress(planned: Plan) -> Iterator[Progress]:
    """One bar over all bytes of the pull, with speed and the time that is left; on a terminal alone."""
    if not sys.stderr.isatty() or not planned.total_bytes:
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Fetching", total=planned.total_bytes, completed=planned.begun_bytes)
        yield lambda done, total: bar.update(task, completed=done)


def convert(models: Sequence[Model], keep_original: bool | None) -> None:
    """Make the safetensors files of pickles now, where torch is here, and offer to remove the pickles.

    Args:
        models: those that were pulled.
        keep_original: whether the pickle stays; None to ask on a terminal, and to keep it elsewhere. It is removed only
            after every tensor of the new file was compared with it.
    """
    from manymesh.weights.load import as_safetensors, require_equal, take_place
    from manymesh.weights.verify import blob_sha256

    pickles = [path for m in models for path in locate.find(m).files.values() if locate.is_pickle(path)]
    if not pickles:
        return
    try:
        for path in pickles:
            say(f"Converting {path.name} ({readable(path.stat().st_size)}) to safetensors")
            as_safetensors(path, blob_sha256(path))
    except WeightsError:
        raise
    except MissingPieceError as error:
        say(f"Not converted yet: {error.what}. The first run does it")
        return
    except ImportError:
        say("Not converted yet: torch is not installed. The first run does it")
        return
    total = readable(sum(path.stat().st_size for path in pickles))
    if keep_original is None and is_terminal():
        keep_original = not typer.confirm(f"Remove the pickles, and free {total}?", default=False, err=True)
    if keep_original is None or keep_original:
        say(f"The pickles stay ({total}); --remove-original frees that")
        return
    for path in pickles:
        # Compared where it stays: moving may have copied it to another disk. The pickle is still there.
        require_equal(path, take_place(path))
        say(f"{path.name}: {readable(delete(path))} freed")
