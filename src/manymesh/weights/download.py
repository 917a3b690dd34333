"""Fetching weights from the Hugging Face hub, or from plain addresses: licences first, then the disk space of
everything, then bytes, then checksums."""

from __future__ import annotations

import errno
import fnmatch
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manymesh.errors import ManymeshError, MissingPieceError, OutputError, WeightsError
from manymesh.weights import locate
from manymesh.weights.address import fetch as fetch_plain
from manymesh.weights.entries import File, Model
from manymesh.weights.licences import require_accepted
from manymesh.weights.load import converted_dir, is_ready
from manymesh.weights.locate import is_pickle
from manymesh.weights.transfer import fetch
from manymesh.weights.verify import check_file, sha256_of

Say = Callable[[str], None]
Tick = Callable[[str, int, int | None], None]
"""Called with the model's id, the bytes of the present file that are here, and those of the whole or None. It may raise
to stop; what is here stays, and the next pull goes on with it."""
Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes of the whole pull."""

# Disk space that stays free. Chosen by hand; not measured.
_SPARE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Remote:
    """One file as the hub describes it; one with an address of its own as the catalogue does.

    ``bytes`` is 0 where no size is known.
    """

    name: str
    bytes: int
    sha256: str | None
    known: File | None


@dataclass(frozen=True)
class Part:
    """What is to be fetched of one model.

    Attributes:
        model: the model.
        commit: of its repository; "" for a model of no hub.
        root: the folder that its files will lie in.
        here: files that are here already, with their paths.
        wanted: files that are to be fetched.
        begun: how many bytes of these are here already from a pull that was cut, by name.
    """

    model: Model
    commit: str
    root: Path
    here: dict[str, Path]
    wanted: tuple[Remote, ...]
    begun: Mapping[str, int] = field(default_factory=dict)

    def size_of(self, file: Remote) -> int:
        """A file's size; about that, where only the model's is known."""
        return file.bytes or (self.model.bytes if len(self.model.files) == 1 else 0)

    @property
    def wanted_bytes(self) -> int:
        """Size of the files to be fetched, what is here of them included."""
        return sum(self.size_of(file) for file in self.wanted)

    @property
    def begun_bytes(self) -> int:
        """How much of ``wanted_bytes`` is here."""
        return sum(self.begun.values())

    @property
    def convert_bytes(self) -> int:
        """What the safetensors twins of this model's pickles will take, as far as they are not made yet."""
        fresh = sum(file.bytes for file in self.wanted if is_pickle(Path(file.name)))
        old = (path for path in self.here.values() if is_pickle(path) and not is_ready(path))
        return fresh + sum(path.stat().st_size for path in old)


@dataclass(frozen=True)
class Plan:
    """All that a pull will fetch. Made by ``plan``, carried out by ``carry_out``."""

    parts: tuple[Part, ...] = field(default=())

    @property
    def total_bytes(self) -> int:
        """Size of all files to be fetched."""
        return sum(part.wanted_bytes for part in self.parts)

    @property
    def begun_bytes(self) -> int:
        """How much of ``total_bytes`` is here already."""
        return sum(part.begun_bytes for part in self.parts)

    @property
    def convert_bytes(self) -> int:
        """What converting pickles will take beside that."""
        return sum(part.convert_bytes for part in self.parts)


def pull(
    models: Sequence[Model],
    say: Say = lambda line: None,
    tick: Tick = lambda name, done, total: None,
) -> list[Path]:
    """Fetch what is not here yet, and check it. Cut downloads go on where they stopped.

    Returns the folders that stand for the repositories. Raises ``LicenceError``, ``OutputError`` (disk), or
    ``WeightsError`` (absent, gated, damaged, unreachable), each with what to do.
    """
    require_accepted(model.licence for model in models)
    planned = plan(models)
    require_space(planned)
    return carry_out(planned, say, tick)


def plan(models: Sequence[Model]) -> Plan:
    """What a pull of these models would fetch. Asks the hub for sizes, and fetches nothing."""
    return Plan(tuple(_plan_hub(model) if model.repo else _plan_plain(model) for model in models))


def require_space(planned: Plan) -> None:
    """Raise ``OutputError`` where a disk cannot take all that a pull writes: every model's files, and the twins of
    pickles. They may lie on several disks."""
    writes = [(part.root, part.wanted_bytes - part.begun_bytes) for part in planned.parts]
    needs: dict[int, tuple[Path, int]] = {}
    for folder, needed in (*writes, (converted_dir(), planned.convert_bytes)):
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        disk = existing.stat().st_dev
        place, before = needs.get(disk, (existing, 0))
        needs[disk] = place, before + needed
    for place, needed in needs.values():
        free = shutil.disk_usage(place).free
        if needed and free < needed + _SPARE_BYTES:
            raise OutputError(
                f"the weights need {readable(needed)} more in {place}, where {readable(free)} are free",
                "Make room, or set HF_HOME to a folder on a larger disk",
            )


def carry_out(
    planned: Plan,
    say: Say = lambda line: None,
    tick: Tick = lambda name, done, total: None,
    progress: Progress = lambda done, total: None,
) -> list[Path]:
    """Fetch and check everything that is planned; returns the folder of each model. Raises as ``pull``."""
    before = planned.begun_bytes
    progress(before, planned.total_bytes)
    for part in planned.parts:
        for file in part.wanted:
            size = part.size_of(file)
            before -= part.begun.get(file.name, 0)

            def told(done: int, total: int | None, model: Model = part.model, before: int = before) -> None:
                tick(model.id, done, total)
                progress(before + done, planned.total_bytes)

            say(f"{part.model.id}: {file.name} ({readable(size)})")
            if part.model.repo:
                _fetch_from_hub(part, file, told)
            else:
                _fetch_plain(part, file, told)
            before += size
            progress(before, planned.total_bytes)
    return [part.root for part in planned.parts]


def delete(link: Path) -> int:
    """Delete a file of the hub's cache, and its bytes where no other file there needs them; returns the bytes freed.

    Of a link to a file outside the cache, the link alone is deleted: the file is the user's.
    """
    blob = link.resolve()
    size = blob.stat().st_size if blob.is_file() else 0
    is_link = link.is_symlink()
    snapshots = next((folder for folder in link.parents if folder.name == "snapshots"), None)
    link.unlink()
    if not is_link:
        return size
    if snapshots is None or blob.parent != (snapshots.parent / "blobs").resolve():
        return 0
    if size and not any(other.is_file() and other.resolve() == blob for other in snapshots.glob("*/**/*")):
        blob.unlink()
        return size
    return 0


def _plan_hub(model: Model) -> Part:
    hub = _hub()
    if locate.is_offline():
        found = locate.find(model)
        if found.complete and found.root:
            return Part(model, "", found.root, found.files, ())
        raise _forbidden(model)
    try:
        commit, remote = _describe(hub, model)
    except ManymeshError:
        raise
    except Exception as error:
        raise _explained(hub, error, model) from error
    if model.revision is None:
        # Before the bytes: a pull that is cut must go on with the same commit.
        locate.remember_commit(model.repo, commit)
    repository = locate.hub_cache() / ("models--" + model.repo.replace("/", "--"))
    root = repository / "snapshots" / commit
    here = _present(root, remote)
    wanted = tuple(file for file in remote if file.name not in here)
    begun = {file.name: _size(repository / "blobs" / f"{file.sha256}.part") for file in wanted if file.sha256}
    return Part(model, commit, root, here, wanted, begun)


def _plan_plain(model: Model) -> Part:
    """A model of no hub. Where the catalogue has no checksum, that of the first download counts from then on."""
    root, here = locate.plain_folder(model), locate.find(model).files
    remote = (
        Remote(file.name, file.bytes or 0, locate.remembered_checksum(model, file.name), file) for file in model.files
    )
    wanted = tuple(file for file in remote if file.name not in here)
    if wanted and locate.is_offline():
        raise _forbidden(model)
    begun = {file.name: _size(root / f"{file.name}.part") for file in wanted}
    return Part(model, "", root, here, wanted, begun)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _forbidden(model: Model) -> WeightsError:
    return WeightsError(
        f"{model.id} is not complete here ({', '.join(locate.find(model).absent[:3])} absent), and the network is "
        "forbidden",
        "Unset HF_HUB_OFFLINE, or copy the files and name their folder with --weights-dir",
    )


def _fetch_from_hub(part: Part, file: Remote, tick: Callable[[int, int | None], None]) -> None:
    hub, model = _hub(), part.model
    try:
        path = fetch(hub, model.repo, file.name, part.commit, locate.hub_cache(), _endpoint(), tick)
    except ManymeshError:
        raise
    except Exception as error:
        raise _explained(hub, error, model) from error
    _require_sound(path, file, model)


def _fetch_plain(part: Part, file: Remote, tick: Callable[[int, int | None], None]) -> None:
    assert file.known is not None
    path = part.root / file.name
    try:
        fetch_plain(file.known.address, path, tick)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}", "Make room, then run the same again"
        ) from None
    _require_sound(path, file, part.model)
    _require_likely(path, part, file)
    locate.remember_checksum(part.model, file.name, sha256_of(path))


def _require_likely(path: Path, part: Part, file: Remote) -> None:
    """Refuse a first answer that cannot be the file, such as the page of a network that wants a login. Its checksum
    would be remembered, and the right file refused from then on."""
    expected = part.size_of(file)
    if file.sha256 is None and path.stat().st_size < expected / 2:
        arrived = path.stat().st_size
        path.unlink()
        raise WeightsError(
            f"{file.name} of {part.model.id} is not what the address should give: {arrived} bytes came, where about "
            f"{readable(expected)} belong",
            "Perhaps the network wants a login first. Then run the same again",
        )


def _hub() -> Any:
    try:
        import huggingface_hub.utils
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
    if not remote:
        raise WeightsError(f"{model.repo} holds none of the files of {model.id}")
    return str(info.sha), list(remote.values())


def _present(root: Path, remote: Sequence[Remote]) -> dict[str, Path]:
    """The files that are here already with the size that they should have, or as the twin of a removed pickle."""
    found: dict[str, Path] = {}
    for file in remote:
        path, twin = root / file.name, locate.twin_beside(root / file.name)
        if path.is_file() and (not file.bytes or path.stat().st_size == file.bytes):
            found[file.name] = path
        elif is_pickle(path) and twin.is_file():
            found[file.name] = twin
    return found


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
