"""The runs in the output folder: list, open, delete."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from manymesh.errors import ManymeshError, OutputError, UsageError
from manymesh.image import png
from manymesh.run.folder import MANIFEST, Run
from manymesh.web.cards import file_url, summary_card
from manymesh.web.scratch import Scratch
from manymesh.web.words import for_page

# Runs on one page of the history.
PAGE = 12
THUMB_PX = 240


def run_folder(out: Path, name: str) -> Path:
    """The folder of the run called ``name``, directly under ``out``.

    Raises:
        UsageError: not a run's name. A name with a path in it never gets near the disk.
    """
    too_long = len(name.encode("utf-8", "replace")) > 255  # bytes: what file systems count
    if not name or name in (".", "..") or Path(name).name != name or "\\" in name or "\0" in name or too_long:
        raise UsageError(f"'{name}' is not the name of a run")
    folder = out / name
    if folder.is_symlink() or not (folder / MANIFEST).is_file():
        raise UsageError(f"There is no run '{name}'", "It may have been deleted.")
    return folder


def newest(out: Path) -> list[Path]:
    """Run folders, newest first. Their names begin with the time they were made."""
    if not out.is_dir():
        return []
    found = (path.parent for path in out.glob(f"*/{MANIFEST}"))
    # A dot begins the name of a run that is being deleted. A link may lead anywhere.
    own = [folder for folder in found if not folder.name.startswith(".") and not folder.is_symlink()]
    return sorted(own, key=lambda folder: folder.name, reverse=True)


def list_runs(out: Path, scratch: Scratch, *, page: int = 0) -> dict[str, Any]:
    """One page of the history, newest first, and how many runs there are in all.

    A folder whose manifest cannot be read is listed with the reason.
    """
    folders = newest(out)
    first = max(page, 0) * PAGE
    rows = []
    for folder in folders[first : first + PAGE]:
        try:
            run = Run.open(folder)
        except ManymeshError as error:
            rows.append({"name": folder.name, "state": "damaged", "error": for_page(str(error))})
            continue
        rows.append(summary_card(folder.name, run.manifest, _thumb(run, scratch)))
    return {"runs": rows, "total": len(folders), "page": max(page, 0), "pages": max(1, -(-len(folders) // PAGE))}


def delete_run(out: Path, name: str) -> None:
    """Remove a run folder with everything in it.

    Raises:
        UsageError: no such run.
        OutputError: it cannot be removed.
    """
    folder = run_folder(out, name)
    # Renamed first: a half-removed folder must not look like a run.
    removed = folder.with_name(f".{folder.name}.deleted")
    try:
        folder.rename(removed)
        shutil.rmtree(removed)
    except OSError as error:
        raise OutputError(f"'{name}' cannot be removed ({error.strerror or error})") from None


def _thumb(run: Run, scratch: Scratch) -> str | None:
    """The address of a small picture of the run's photo; made once."""
    record = run.manifest.files.get("input")
    if record is None:
        return None
    try:
        path = scratch.thumbnail(record.sha256[:24], lambda path: _write_thumb(run.read(record), path))
    except ManymeshError:
        return None  # a damaged photo is reported when the run is opened
    return file_url(*path.relative_to(scratch.folder).parts)


def _write_thumb(photo: bytes, path: Path) -> str:
    from PIL import Image

    rgba = Image.fromarray(png.decode_rgba(photo))
    rgba.thumbnail((THUMB_PX, THUMB_PX))
    flat = Image.new("RGB", rgba.size, (244, 243, 240))
    flat.paste(rgba, mask=rgba.getchannel("A"))
    flat.save(path, "JPEG", quality=82)
    return "photo.jpg"
