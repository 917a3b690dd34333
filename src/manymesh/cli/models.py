"""``manymesh models``: list, pull, verify, path, remove."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from manymesh.cli.streams import give, say
from manymesh.engines import ABOUT
from manymesh.errors import UsageError, WeightsError
from manymesh.weights import locate
from manymesh.weights.catalogue import ENGINES, MODELS, Model, model, models_of
from manymesh.weights.download import pull as pull_models
from manymesh.weights.download import readable
from manymesh.weights.licences import accept, is_accepted
from manymesh.weights.verify import verify as verify_files

app = typer.Typer(help="The networks' weights: list, fetch, check, find and remove them.", no_args_is_help=True)

Names = Annotated[list[str], typer.Argument(metavar="MODEL...", help="Names from 'manymesh models list'.")]
WeightsDir = Annotated[Path | None, typer.Option(help="Look in this folder instead of the Hugging Face cache.")]


@app.command("list")
def list_(
    weights_dir: WeightsDir = None,
    engine: Annotated[str | None, typer.Option(help="Only what this engine needs: small or hunyuan.")] = None,
) -> None:
    """Every model: is it here, how large it is, its stage and licence."""
    if engine is not None and engine not in ENGINES:
        raise UsageError(f"no engine '{engine}' needs models", f"Known are: {', '.join(ENGINES)}")
    for m in MODELS if engine is None else models_of([engine]):
        found = locate.find(m, weights_dir)
        state = "here" if found.complete else ("partly" if found.files else "-")
        give(f"{m.id:<26} {state:<7} {readable(m.bytes):>8}  {m.stage:<7} {m.licence.id:<23} {m.summary}")
    for name in ENGINES:
        size = readable(sum(m.bytes for m in models_of([name])))
        say(f"engine {name}: {size}, {ABOUT[name].licence}; for {ABOUT[name].users}: manymesh models pull {name}")
    commit_note = "Models without a pinned commit stay at the one that was current when you first pulled them."
    say(commit_note)


@app.command()
def pull(
    names: Names,
    accept_license: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Agree to a licence, once and for all. Repeatable.")
    ] = None,
) -> None:
    """Fetch models from the hub; an engine's name, such as small, fetches all that it needs.

    A cut download goes on where it stopped.
    """
    models = models_of(names)
    for m in models:
        state = "here" if locate.find(m).complete else readable(m.bytes)
        say(f"{m.id:<26} {state:>8}  {m.licence.id}")
    absent = [m.bytes for m in models if not locate.find(m).complete]
    say(f"{readable(sum(absent))} to fetch into {locate.hub_cache()}")
    for licence_id in accept_license or []:
        accept(licence_id)
    for licence in {m.licence.id: m.licence for m in models}.values():
        agreed = "" if is_accepted(licence) else " (to be accepted)"
        say(f"licence: {licence.name}, {licence.url}{agreed} {licence.territory}".rstrip())
        for term in licence.terms:
            say(f"  {term}")
    for root in pull_models(models, say):
        give(str(root))


@app.command()
def verify(names: Annotated[list[str] | None, typer.Argument()] = None, weights_dir: WeightsDir = None) -> None:
    """Check the files of the models named (of all that are here, without names) against what was published."""
    models = models_of(names) if names else [m for m in MODELS if locate.find(m, weights_dir).files]
    damaged: list[str] = []
    for m in models:
        damaged += _verify_one(m, weights_dir, must_be_here=bool(names))
    if damaged:
        raise WeightsError(
            f"{len(damaged)} of the models checked are damaged or not complete: {', '.join(damaged)}",
            f"Run: manymesh models remove {' '.join(damaged)} && manymesh models pull {' '.join(damaged)}",
        )


def _verify_one(m: Model, weights_dir: Path | None, must_be_here: bool) -> list[str]:
    found = locate.find(m, weights_dir)
    sound = True
    for verdict in verify_files(m, found):
        word = verdict.problem or f"ok ({verdict.basis})"
        sound = sound and not verdict.problem
        give(f"{m.id}: {verdict.name}: {word}")
    for name in found.absent:
        give(f"{m.id}: {name}: absent")
    return [] if sound and (found.complete or not must_be_here) else [m.id]


@app.command()
def path(name: Annotated[str, typer.Argument(metavar="MODEL")], weights_dir: WeightsDir = None) -> None:
    """Print the folder where a model lies."""
    found = locate.find(model(name), weights_dir)
    if found.root is None or not found.complete:
        raise WeightsError(
            f"{name} is not {'complete' if found.files else 'here'}", f"Run: manymesh models pull {name}"
        )
    give(str(found.root))


@app.command()
def remove(names: Names) -> None:
    """Delete models from the Hugging Face cache (files that another model shares stay)."""
    for m in models_of(names):
        freed = remove_model(m)
        say(f"{m.id}: {readable(freed)} freed" if freed else f"{m.id}: nothing to remove")


def remove_model(m: Model) -> int:
    """Delete a model's files from the cache; returns the bytes freed. Files that other models here need stay."""
    found = locate.find(m)
    if found.root is None:
        return 0
    if not m.repo:
        freed = sum(path.stat().st_size for path in found.root.rglob("*") if path.is_file())
        shutil.rmtree(found.root)
        return freed
    if not found.root.resolve().is_relative_to(locate.hub_cache().resolve()):
        raise UsageError(f"{found.root} is outside the Hugging Face cache; nothing was removed")
    siblings = [other for other in MODELS if other.repo == m.repo and other.id != m.id]
    shared = {name for other in siblings for name in locate.find(other).files}
    doomed = [link for name, link in found.files.items() if name not in shared]
    repository = found.root.parents[1]
    kept = {p.resolve() for p in repository.glob("snapshots/*/**/*") if p.is_file() and p not in doomed}
    freed = 0
    for link in doomed:
        blob = link.resolve()
        link.unlink()
        if blob not in kept and blob.is_file():
            freed += blob.stat().st_size
            blob.unlink()
    for part in repository.glob("blobs/*.part"):
        freed += part.stat().st_size
        part.unlink()
    if not kept:
        shutil.rmtree(repository)
    return freed
