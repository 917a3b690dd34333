"""Where weights lie on this machine: a folder the user names, or the Hugging Face cache. Nothing is fetched here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from manymesh.user_config import read_notes, write_notes
from manymesh.weights.entries import File, Model


@dataclass(frozen=True)
class Found:
    """What there is of a model.

    Attributes:
        root: the folder that stands for the repository, or None when nothing of the model is here.
        files: present files, by their name in the repository.
        absent: names (or patterns) that are needed and not here.
    """

    root: Path | None
    files: dict[str, Path]
    absent: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return self.root is not None and not self.absent


def find(model: Model, weights_dir: Path | None = None) -> Found:
    """The best there is of ``model``: the first complete place, or the one with the fewest files absent.

    With ``weights_dir`` only that folder counts. It may hold the repository as OWNER/NAME, as NAME or under the
    model's id, or, for repositories that keep models in folders of their own, these folders directly. The files of a
    model of no hub may lie in it directly, or under the model's id.
    """
    candidates = [_look(model, root) for root in _roots(model, weights_dir) if root.is_dir()]
    if not candidates:
        return Found(None, {}, tuple(file.name for file in model.files if not file.optional))
    return min(candidates, key=lambda found: len(found.absent))


def _roots(model: Model, weights_dir: Path | None) -> Iterator[Path]:
    if not model.repo:
        yield from (plain_folder(model),) if weights_dir is None else (weights_dir / model.id, weights_dir)
        return
    if weights_dir is not None:
        yield weights_dir / model.repo
        yield weights_dir / model.repo.split("/")[1]
        yield weights_dir / model.id
        if model.folder:
            yield weights_dir
        return
    commit = model.revision or remembered_commit(model.repo)
    snapshots = hub_cache() / ("models--" + model.repo.replace("/", "--"))
    if commit is None:
        ref = snapshots / "refs" / "main"
        commit = ref.read_text("utf-8").strip() if ref.is_file() else None
    if commit:
        yield snapshots / "snapshots" / commit


def _look(model: Model, root: Path) -> Found:
    files: dict[str, Path] = {}
    absent: list[str] = []
    for file in model.files:
        matches = list(_matches(root, file))
        files.update((match.relative_to(root).as_posix(), match) for match in matches)
        if not matches and not file.optional:
            absent.append(file.name)
    absent.extend(name for name in _shards(root) if name not in files and not (root / name).is_file())
    return Found(root, files, tuple(dict.fromkeys(absent)))


def _matches(root: Path, file: File) -> Iterator[Path]:
    if file.is_pattern:
        yield from sorted(path for path in root.glob(file.name) if path.is_file())
        return
    twins = [twin_beside(Path(file.name)).as_posix()] if is_pickle(Path(file.name)) else []
    for name in (file.name, *file.alternatives, *twins):
        if (root / name).is_file():
            yield root / name
            return


def is_pickle(path: Path) -> bool:
    """Whether a file's name says that it is a pickle of tensors."""
    return path.suffix in (".bin", ".pth", ".pt")


def twin_beside(pickled: Path) -> Path:
    """Where the safetensors twin of a pickle lies once it has taken the pickle's place."""
    return pickled.with_name(f"{pickled.name}.safetensors")


def _shards(root: Path) -> list[str]:
    """The files that a sharded model's index asks for."""
    index = root / "model.safetensors.index.json"
    try:
        table = json.loads(index.read_text("utf-8"))["weight_map"]
        return sorted({str(name) for name in table.values()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return []


def hub_cache() -> Path:
    """The Hugging Face cache, by the variables that its own tools obey, read anew at each call."""
    if explicit := os.environ.get("HF_HUB_CACHE"):
        return Path(explicit).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "huggingface" / "hub"


def plain_folder(model: Model) -> Path:
    """Where the files of a model of no hub are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(cache).expanduser() / "manymesh" / "models" / model.id


def remembered_checksum(model: Model, name: str) -> str | None:
    """The SHA-256 that the first download of a file of no hub had."""
    return read_notes("checksums.json").get(f"{model.id}/{name}")


def remember_checksum(model: Model, name: str, sha256: str) -> None:
    write_notes("checksums.json", {**read_notes("checksums.json"), f"{model.id}/{name}": sha256})


def forget_checksums(model: Model) -> None:
    """Let the next download of a model of no hub count as its first."""
    known = read_notes("checksums.json")
    write_notes("checksums.json", {key: value for key, value in known.items() if not key.startswith(f"{model.id}/")})


def is_offline() -> bool:
    """Has the user forbidden the network to Hugging Face's tools?"""
    values = (os.environ.get(name, "") for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return any(value.strip().lower() in ("1", "true", "yes", "on") for value in values)


def remembered_commit(repo: str) -> str | None:
    """The commit that the first download of an unpinned repository got."""
    return read_notes("commits.json").get(repo)


def remember_commit(repo: str, commit: str) -> None:
    write_notes("commits.json", {**read_notes("commits.json"), repo: commit})
