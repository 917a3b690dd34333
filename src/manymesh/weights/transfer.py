"""One file from the hub into the Hugging Face cache, going on where a cut transfer stopped.

The hub's own client throws a half-finished file away when its process ends. Files here have gigabytes, so the bytes
are kept under the name of what they will be, and the next call asks for the rest. Finished files lie where the hub's
tools look for them: ``blobs/ETAG``, and a link to it in ``snapshots/COMMIT``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlparse

from manymesh.errors import WeightsError


def fetch(
    hub: Any,
    repo: str,
    name: str,
    commit: str,
    cache: Path,
    endpoint: str | None,
    tick: Callable[[int, int | None], None] = lambda done, total: None,
) -> Path:
    """The file's place in the cache; its bytes are fetched if they are not there. Errors are the hub's own.

    Args:
        hub: the ``huggingface_hub`` module.
        repo: "owner/name".
        name: the file, relative to the repository.
        commit: the full commit to take it from.
        cache: the hub's cache folder.
        endpoint: the hub's address, or None for the usual one.
        tick: called with the bytes that are here and those of the whole file. May raise to stop.
    """
    url = hub.hf_hub_url(repo, name, revision=commit, endpoint=endpoint)
    meta = hub.get_hf_file_metadata(url, endpoint=endpoint)
    etag = str(meta.etag or "")
    if not re.fullmatch(r"[\w.-]{8,128}", etag):
        raise WeightsError(f"the hub gives no usable checksum for {name} of {repo}")
    folder = cache / ("models--" + repo.replace("/", "--"))
    blob = folder / "blobs" / etag
    pointer = folder / "snapshots" / commit / name
    blob.parent.mkdir(parents=True, exist_ok=True)
    pointer.parent.mkdir(parents=True, exist_ok=True)
    headers = hub.utils.build_hf_headers(library_name="manymesh")
    if urlparse(meta.location).netloc != urlparse(url).netloc:
        headers.pop("authorization", None)  # the token is for the hub, not for the store that it sends us on to
    with hub.utils.WeakFileLock(blob.with_name(f"{etag}.lock")):
        if not blob.is_file():
            hub.utils.disable_progress_bars("huggingface_hub.http_get")  # whoever called shows the progress
            _download(meta.location, blob, headers, meta.size, tick)
        _point(pointer, blob)
    return pointer


class _Told:
    """A file that tells of every write."""

    def __init__(self, file: BinaryIO, size: int | None, tick: Callable[[int, int | None], None]) -> None:
        self._file, self._size, self._tick = file, size, tick

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        self._tick(self._file.tell(), self._size)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _download(
    url: str, blob: Path, headers: dict[str, str], size: int | None, tick: Callable[[int, int | None], None]
) -> None:
    """Fetch into a ``.part`` beside the blob, after what an earlier call left there, and rename it when whole."""
    from huggingface_hub.file_download import http_get

    part = blob.with_name(f"{blob.name}.part")
    with part.open("ab") as file:
        done = file.tell()
        if size is not None and done > size:
            file.truncate(0)
            done = 0
        told: Any = _Told(file, size, tick)
        http_get(url, told, resume_size=done, headers=headers, expected_size=size)
    part.replace(blob)


def _point(pointer: Path, blob: Path) -> None:
    """Make ``pointer`` lead to ``blob``: a relative link, or the file itself where links are not allowed."""
    if pointer.is_symlink() or pointer.exists():
        pointer.unlink()
    try:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError:
        blob.replace(pointer)
