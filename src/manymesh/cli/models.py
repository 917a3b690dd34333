"""``manymesh models``: list, pull, verify, path, remove."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from manymesh.cli.streams import give, say
from manymesh.engines import ABOUT
from manymesh.errors import UsageError, WeightsError
from manymesh.weights import locate
from manymesh.weights.catalogue import ENGINES, MODELS, model, models_of
from manymesh.weights.download import delete, readable
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, failed, passed
from manymesh.weights.verify import Verdict
from manymesh.weights.verify import verify as verify_files

if TYPE_CHECKING:
    from manymesh.weights.deep import Machine

app = typer.Typer(help="The networks' weights: list, fetch, check, find and remove them.", no_args_is_help=True)

Names = Annotated[list[str], typer.Argument(metavar="MODEL...", help="Names from 'manymesh models list'.")]
WeightsDir = Annotated[Path | None, typer.Option(help="Look in this folder instead of the Hugging Face cache.")]


@app.command("list")
def list_(
    weights_dir: WeightsDir = None,
    engine: Annotated[str | None, typer.Option(help=f"Only what this engine needs: {', '.join(ENGINES)}.")] = None,
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
    keep_original: Annotated[
        bool | None,
        typer.Option(
            "--keep-original/--remove-original",
            help="Keep a pickle (.bin) beside the safetensors file made from it. A terminal asks; else it stays.",
        ),
    ] = None,
) -> None:
    """Fetch models; an engine's name fetches all that it needs ('models list' shows both).

    All is listed first, with sizes, free disk space and licences. A terminal asks once for each licence. A cut download
    goes on where it stopped. At the end the new files are checked against the networks, without running them;
    'manymesh models verify --deep' checks more.
    """
    from manymesh.cli import pull as steps

    models = models_of(names)
    absent = [m for m in models if not locate.find(m).complete]
    steps.list_licences(models)
    steps.agree(models, accept_license or [])
    for root in steps.fetch(models):
        give(str(root))
    steps.convert(models, keep_original)
    check_fresh(absent)


def check_fresh(models: Sequence[Model]) -> None:
    """The deep checks that take a few seconds, for models that have just been fetched. Raises ``WeightsError``."""
    from manymesh.weights.deep import Machine

    wrong: list[str] = []
    for m in models:
        findings = _deep_findings(m, locate.find(m), Machine())
        for finding in findings:
            if finding.outcome == "failed":
                say(f"{m.id}: {finding.check}: {finding.sentence}")
        count = sum(finding.outcome == "passed" for finding in findings)
        is_wrong = any(finding.outcome == "failed" for finding in findings)
        say(f"{m.id}: {'WRONG' if is_wrong else f'{count} checks passed'}")
        wrong += [m.id] if is_wrong else []
    if wrong:
        raise WeightsError(
            f"the files arrived as published, but do not pass their checks: {', '.join(wrong)}",
            f"Run: manymesh models verify --deep {' '.join(wrong)}, and report it",
        )


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Models or engines; all that are here, without.")] = None,
    weights_dir: WeightsDir = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also check the files against the networks, and the device.")
    ] = False,
    device: Annotated[str, typer.Option(help="Where --deep computes: auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what --deep found as JSON, without personal data.")
    ] = None,
) -> None:
    """Check the files of the models named (of all that are here, without names) against what was published.

    With --deep also against the networks: names and shapes of all tensors, a picture's way through them, their numbers,
    and what is known of their answers. Ends with exit code 8 if anything failed; what could not be checked is told and
    is no failure.
    """
    models = models_of(names) if names else [m for m in MODELS if locate.find(m, weights_dir).files]
    if deep or report is not None:
        _verify_deep(models, weights_dir, device, report)
        return
    damaged: list[str] = []
    for m in models:
        damaged += _verify_one(m, weights_dir, must_be_here=bool(names))
    if damaged:
        raise _damaged(damaged)


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


def _damaged(names: Sequence[str]) -> WeightsError:
    return WeightsError(
        f"{len(names)} of the models checked are damaged or not complete: {', '.join(names)}",
        f"Run: manymesh models remove {' '.join(names)} && manymesh models pull {' '.join(names)}",
    )


def _verify_deep(models: Sequence[Model], weights_dir: Path | None, device: str, report: Path | None) -> None:
    """Print one table of all findings, write the report, and raise ``WeightsError`` where something failed."""
    from manymesh.weights.deep import Machine, check_device, resolved_device
    from manymesh.weights.report import ModelFindings, document, write

    where = resolved_device(device)
    say(f"Checking {where}")
    of_machine = check_device(where)
    known = [finding for finding in of_machine if finding.outcome != "not possible"]
    sound = all(finding.outcome == "passed" for finding in known) if known else None
    found_of: list[ModelFindings] = []
    for m in models:
        say(f"Checking {m.id}")
        found = locate.find(m, weights_dir)
        verdicts = list(verify_files(m, found))
        findings = [_file_finding(verdicts, found.absent)]
        if found.complete:
            findings += _deep_findings(m, found, Machine(where, thorough=True, sound=sound))
        found_of.append(ModelFindings(m, found.root, verdicts, findings))
    rows = [("device", finding) for finding in of_machine]
    rows += [(found.model.id, finding) for found in found_of for finding in found.findings]
    give(table(rows))
    if report is not None:
        write(report, document(of_machine, found_of, where))
        say(f"Report: {report}. It names no person, no machine and no folder.")
    wrong = [found.model.id for found in found_of if not found.sound]
    if any(finding.outcome == "failed" for finding in of_machine):
        raise WeightsError(f"{where} computes wrongly", "Use --device cpu, or update its driver and PyTorch")
    if wrong:
        raise WeightsError(
            f"{len(wrong)} of {len(models)} models failed a check: {', '.join(wrong)}",
            "The table says which. Files that are not as published come anew with 'manymesh models remove' and 'pull'",
        )


def _file_finding(verdicts: Sequence[Verdict], absent: Sequence[str]) -> Finding:
    """The check of a model's files against what was published, as one finding."""
    problems = [f"{name} is absent" for name in absent]
    problems += [f"{verdict.name}: {verdict.problem}" for verdict in verdicts if verdict.problem]
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        return failed("files", f"{problems[0]}{more}", wrong=len(problems))
    exact = sum(verdict.basis == "sha256" for verdict in verdicts)
    return passed("files", f"{len(verdicts)} are here; the checksum of {exact} is known and right", files=len(verdicts))


def _deep_findings(m: Model, found: locate.Found, machine: Machine) -> list[Finding]:
    """All deep checks of one model; an error that ends them becomes the last finding."""
    from manymesh.weights.deep import check_model

    findings: list[Finding] = []
    try:
        findings.extend(check_model(m, found, machine))
    except WeightsError as error:
        findings.append(failed("configuration", error.what))
    return findings


def table(rows: Sequence[tuple[str, Finding]]) -> str:
    """Findings for people, one a line: of what, which check, how it went, and the sentence."""
    cells = [(of, finding.check, finding.outcome, finding.sentence) for of, finding in rows]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(3)]
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(row[:3], widths, strict=True)), row[3]]) for row in cells
    )


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
        locate.forget_checksums(m)
        return freed
    if not found.root.resolve().is_relative_to(locate.hub_cache().resolve()):
        raise UsageError(f"{found.root} is outside the Hugging Face cache; nothing was removed")
    siblings = [other for other in MODELS if other.repo == m.repo and other.id != m.id]
    shared = {name for other in siblings for name in locate.find(other).files}
    freed = sum(delete(link) for name, link in found.files.items() if name not in shared)
    repository = found.root.parents[1]
    for part in _own_parts(m, siblings, repository):
        freed += part.stat().st_size
        part.unlink()
    left = (*repository.glob("snapshots/*/**/*"), *repository.glob("blobs/*.part"))
    if not any(path.is_file() for path in left):
        shutil.rmtree(repository)
    return freed


def _own_parts(m: Model, siblings: Sequence[Model], repository: Path) -> list[Path]:
    """The half-fetched files of a model that is being removed.

    They lie in one folder with those of the repository's other models, under the checksums that they will have. One
    with a checksum that is not known may be a sibling's, while the pull of a sibling is begun and not done.
    """
    own = {file.sha256 for file in m.files if file.sha256}
    others = {file.sha256 for other in siblings for file in other.files if file.sha256} - own
    begun = any(found.files and found.absent for found in map(locate.find, siblings))
    parts = sorted(repository.glob("blobs/*.part"))
    return [part for part in parts if part.stem in own or (part.stem not in others and not begun)]
