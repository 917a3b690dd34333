"""Fetching weights from the Hugging Face hub, or from plain addresses: licence first, then disk space, then bytes, then
checksums."""

from __future__ import annotations

import errno
import fnmatch
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from manymesh.errors import ManymeshError, MissingPieceError, OutputError, WeightsError
from manymesh.weights import locate
from manymesh.weights.address import fetch as fetch_plain
from manymesh.weights.catalogue import File, Model
from manymesh.weights.licences import require_accepted
from manymesh.weights.transfer import fetch
from manymesh.weights.verify import check_file, sha256_of

Say = Callable[[str], None]
Tick = Callable[[str, int, int | None], None]
"""Called with the model's id, the bytes of the present file that are here, and those of the whole or None. It may raise
to stop; what is here stays, and the next pull goes on with it."""
_SPARE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Remote:
    """One file as the hub describes it."""

    name: str
    bytes: int
    sha256: str | None
    known: File | None


def pull(
    models: Sequence[Model], say: Say = lambda line: None, tick: Tick = lambda name, done, total: None
) -> list[Path]:
    """Fetch what is not here yet, and check it. Cut downloads go on where they stopped.

    Returns the folders that stand for the repositories. Raises ``LicenceError``, ``OutputError`` (disk), or
    ``WeightsError`` (absent, gated, damaged, unreachable), each with what to do.
    """
    require_accepted(model.licence for model in models)
    return [_pull_one(model, say, tick) if model.repo else _pull_plain(model, say, tick) for model in models]


def _pull_plain(model: Model, say: Say, tick: Tick) -> Path:
    """Fetch the files of a model of no hub from their addresses. Where the catalogue has no checksum, that of the first
    download counts from then on."""
    folder, here = locate.plain_folder(model), locate.find(model).files
    wanted = [file for file in model.files if file.name not in here]
    if wanted and locate.is_offline():
        raise _forbidden(model)
    _require_space(folder, model.bytes if wanted else 0, model)
    for file in wanted:
        path = folder / file.name
        say(f"{model.id}: {file.name} ({readable(file.bytes or model.bytes)})")
        try:
            fetch_plain(file.address, path, partial(tick, model.id))
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror or error}", "Make room, then run the same again"
            ) from None
        _require_sound(path, Remote(file.name, 0, locate.remembered_checksum(model, file.name), file), model)
        locate.remember_checksum(model, file.name, sha256_of(path))
    return folder


def _forbidden(model: Model) -> WeightsError:
    return WeightsError(
        f"{model.id} is not complete here ({', '.join(locate.find(model).absent[:3])} absent), and the network is "
        "forbidden",
        "Unset HF_HUB_OFFLINE, or copy the files and name their folder with --weights-dir",
    )


def _pull_one(model: Model, say: Say, tick: Tick) -> Path:
    hub = _hub()
    if locate.is_offline():
        found = locate.find(model)
        if found.complete and found.root:
            return found.root
        raise _forbidden(model)
    cache = locate.hub_cache()
    try:
        commit, remote = _describe(hub, model)
        if model.revision is None:
            # Before the bytes: a pull that is cut must go on with the same commit.
            locate.remember_commit(model.repo, commit)
        here = _cached(model, remote, commit, cache)
        wanted = [file for file in remote if file.name not in here]
        _require_space(cache, sum(file.bytes for file in wanted), model)
        root: Path | None = None
        for file in remote:
            if file in wanted:
                say(f"{model.id}: {file.name} ({readable(file.bytes)})")
            path = (
                fetch(hub, model.repo, file.name, commit, cache, _endpoint(), partial(tick, model.id))
                if file in wanted
                else here[file.name]
            )
            if file in wanted:
                _require_sound(path, file, model)
            root = Path(str(path)[: -len(file.name) - 1])
    except ManymeshError:
        raise
    except Exception as error:
        raise _explained(hub, error, model) from error
    if root is None:
        raise WeightsError(f"{model.repo} holds none of the files of {model.id}")
    return root


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise MissingPieceError(
            "weights cannot be fetched: huggingface_hub is not installed", 'Run: pip install "manymesh[small]"'
        ) from None
    return huggingface_hub


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _describe(hub: Any, model: Model) -> tuple[str, list[Remote]]:
    """The commit to use, and the files of the model that are in it."""
    revision = model.revision or locate.remembered_commit(model.repo) or "main"
    info = hub.HfApi(endpoint=_endpoint()).model_info(model.repo, revision=revision, files_metadata=True)
    remote: dict[str, Remote] = {}
    for file in model.files:
        matches = [s for s in info.siblings if fnmatch.fnmatchcase(s.rfilename, file.name)]
        # A pattern's star stands for names in the same folder only.
        matches = [s for s in matches if s.rfilename.count("/") == file.name.count("/")]
        if not matches and not file.optional:
            raise WeightsError(
                f"{model.repo} at {str(info.sha)[:12]} has no file '{file.name}'",
                "The repository has changed; look for a newer manymesh, or use --weights-dir with a copy of the files",
            )
        for s in matches:
            digest = getattr(s.lfs, "sha256", None) if s.lfs else None
            known = file if not file.is_pattern else None
            remote.setdefault(s.rfilename, Remote(s.rfilename, int(s.size or 0), digest, known))
    return str(info.sha), list(remote.values())


def _cached(model: Model, remote: Sequence[Remote], commit: str, cache: Path) -> dict[str, Path]:
    """The files that are here already, with the size that they should have."""
    snapshot = cache / ("models--" + model.repo.replace("/", "--")) / "snapshots" / commit
    paths = {file.name: snapshot / file.name for file in remote}
    sizes = {file.name: file.bytes for file in remote}
    return {n: p for n, p in paths.items() if p.is_file() and (not sizes[n] or p.stat().st_size == sizes[n])}


def _require_space(cache: Path, needed_bytes: int, model: Model) -> None:
    if not needed_bytes:
        return
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes + _SPARE_BYTES:
        raise OutputError(
            f"{model.id} needs {readable(needed_bytes)} more in {existing}, where {readable(free)} are free",
            "Make room, or set HF_HOME to a folder on a larger disk",
        )


def _require_sound(path: Path, file: Remote, model: Model) -> None:
    """Check a fresh file; a damaged one is taken away, so that the next pull fetches it again."""
    size = path.stat().st_size
    problem = f"{size} bytes where {file.bytes} belong" if file.bytes and size != file.bytes else ""
    problem = problem or check_file(path, file.known, file.sha256)[0]
    if problem:
        blob = path.resolve()
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise WeightsError(
            f"{file.name} of {model.id} arrived damaged and was deleted: {problem}",
            f"Run: manymesh models pull {model.id}",
        )


def _explained(hub: Any, error: Exception, model: Model) -> ManymeshError:
    """The hub's error in words that say what to do."""
    errors = hub.errors
    page = f"{(_endpoint() or 'https://huggingface.co').rstrip('/')}/{model.repo}"
    again = f"Run 'manymesh models pull {model.id}' again: it goes on where it stopped"
    cause = error.__cause__ or error
    if isinstance(error, OSError) and (error.errno == errno.ENOSPC or getattr(cause, "errno", None) == errno.ENOSPC):
        return OutputError(f"the disk filled up while {model.id} was fetched", f"Make room. {again}")
    if isinstance(error, errors.GatedRepoError):
        return WeightsError(f"{model.repo} is only given to people who have asked", f"Ask at {page}, then set HF_TOKEN")
    if isinstance(error, errors.RevisionNotFoundError):
        return WeightsError(f"{model.repo} no longer has the commit {model.revision}", "Look for a newer manymesh")
    if isinstance(error, errors.RepositoryNotFoundError):
        return WeightsError(f"{page} does not exist or is private", "If you may see it, set HF_TOKEN")
    if isinstance(error, errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError):
        return WeightsError(f"a file of {model.id} is not in {model.repo}", "Look for a newer manymesh")
    return WeightsError(f"{model.id} could not be fetched from {page}: {_first_line(error)}", again)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")


def readable(size_bytes: int) -> str:
    """4270000000 as "4.3 GB"."""
    if size_bytes >= 10**9:
        return f"{size_bytes / 10**9:.1f} GB"
    return f"{size_bytes / 10**6:.0f} MB" if size_bytes >= 10**6 else f"{size_bytes} bytes"
