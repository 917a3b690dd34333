"""The server's temporary folder: uploads, downloads and thumbnails, with a cap on what they hold together.

Everything in it may be removed at any time, the oldest first, but for the photos of jobs that have not ended. The
folder is for its owner alone (0700). It goes when the server stops; one that a killed server left goes when the next
one starts.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import IO
from weakref import WeakValueDictionary

from manymesh.errors import InputError, ManymeshError, OutputError
from manymesh.image.load import load_photo
from manymesh.image.sniff import RAW_SUFFIXES
from manymesh.naming import clean_name

PREFIX = "manymesh-ui-"
LOCK = ".lock"
PART = ".part"
UPLOADS, DOWNLOADS, THUMBS = "uploads", "downloads", "thumbs"

# What uploads, downloads and thumbnails may hold together: some hundred photos and as many models.
CAP_BYTES = 2 * 1024**3
# How the formats begin that browsers show, and the ending that each is kept under.
SHOWN = (
    (re.compile(rb"\xff\xd8\xff"), ".jpg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), ".png"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), ".webp"),
    (re.compile(rb"GIF8"), ".gif"),
    (re.compile(rb"....ftyp.{0,56}avif", re.DOTALL), ".avif"),
)
# Photos in other formats keep their ending, if it is one of these: it tells camera raw from TIFF.
OTHERS = RAW_SUFFIXES | {".tif", ".tiff", ".bmp", ".heic", ".heif", ".jxl", ".jp2", ".hdr", ".pfm", ".tga", ".psd"}
# Photos that are decoded at once: one of 100 megapixels takes 400 MB meanwhile.
DECODED_AT_ONCE = 2
# Models and archives that are converted at once, for the same reason.
WRITTEN_AT_ONCE = 2
STEM_BYTES = 80


class Scratch:
    """One server's temporary folder.

    Args:
        folder: it; must be there.
        cap_bytes: what it may hold.
        in_use: gives the files that must stay: the photos of jobs that have not ended.
    """

    def __init__(
        self, folder: Path, cap_bytes: int = CAP_BYTES, in_use: Callable[[], Collection[Path]] = frozenset
    ) -> None:
        self.folder = folder.resolve()
        self.cap_bytes = cap_bytes
        self.in_use = in_use
        for name in (UPLOADS, DOWNLOADS, THUMBS):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        # Part of the names of downloads, so that nobody who knows a run can tell them.
        self._salt = secrets.token_bytes(16)
        self._space = threading.Lock()
        self._decoding = threading.Semaphore(DECODED_AT_ONCE)
        self._writing = threading.Semaphore(WRITTEN_AT_ONCE)
        self._writers: WeakValueDictionary[Path, threading.Lock] = WeakValueDictionary()  # while somebody has them
        self._writers_lock = threading.Lock()

    def add_photo(self, data: bytes, name: str) -> Path:
        """Keep an upload, if it is a photo, under a name of ours with its true type's ending.

        Args:
            data: the file.
            name: what it is called on the user's machine; only its stem is kept, cleaned.

        Raises:
            InputError: not a photo that can be used. Nothing is kept then.
            OutOfMemoryError: too little memory to decode it.
            OutputError: no room is left.
        """
        self.make_room(len(data))
        folder = self.folder / UPLOADS / secrets.token_hex(16)
        path = folder / f"{safe_stem(name)}{_ending(data, name)}"
        try:
            folder.mkdir(mode=0o700)
            path.write_bytes(data)
            with self._decoding:
                load_photo(path)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise OutputError(f"The photo cannot be kept ({error.strerror})", "Try again later.") from None
        except ManymeshError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise type(error)(error.what.replace(f"'{path}'", "The file"), error.hint) from None
        return path

    def photo(self, token: str, name: str) -> Path:
        """An upload that is still there.

        Raises:
            InputError: it is not.
        """
        path = self.folder / UPLOADS / token / name
        if not is_plain_name(token) or not is_plain_name(name) or not _is_file(path):
            raise InputError("The photo is not one that was uploaded here", "Upload it again.")
        return path

    def adopted(self, path: Path) -> Path:
        """An upload as it is, or a photo that Gradio has fetched into this folder, kept as an upload.

        Raises:
            InputError: neither, or not a photo.
        """
        path = path.resolve()
        inside = path.relative_to(self.folder).parts if path.is_relative_to(self.folder) else ()
        if len(inside) == 3 and inside[0] == UPLOADS:
            return self.photo(*inside[1:])
        if not inside or inside[0] in (UPLOADS, DOWNLOADS, THUMBS) or not _is_file(path):
            raise InputError("The photo is not one that was uploaded here", "Upload it again.")
        try:
            return self.add_photo(path.read_bytes(), path.name)
        finally:
            path.unlink(missing_ok=True)

    def export(self, run: str, key: tuple[str, ...], write: Callable[[Path], str]) -> Path:
        """A file to download, written once; whoever asks for it meanwhile waits for it.

        Args:
            run: the run it is of; see ``forget``.
            key: what tells it from the run's other files, and from itself after a change.
            write: writes it to the path it is given, and gives the name it is to have. What it raises is passed on.

        Raises:
            OutputError: no room is left.
        """
        return self._written_once(self._downloads_of(run) / self._named(*key), write)

    def thumbnail(self, name: str, write: Callable[[Path], str]) -> Path:
        """The same for a small picture, which may be named by anybody."""
        return self._written_once(self.folder / THUMBS / name, write)

    def _written_once(self, folder: Path, write: Callable[[Path], str]) -> Path:
        with self._writers_lock:
            writer = self._writers.setdefault(folder, threading.Lock())
        with writer:
            found = [path for path in folder.iterdir() if path.name != PART] if folder.is_dir() else []
            if found:
                os.utime(found[0])  # asked for again: not the oldest any more
                return found[0]
            try:
                folder.parent.mkdir(mode=0o700, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                with self._writing:
                    name = write(folder / PART)
                os.replace(folder / PART, folder / name)
                self.make_room(0, new=folder / name)
            except OSError as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise OutputError(f"The file cannot be written ({error.strerror})", "Try again later.") from None
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            return folder / name

    def forget(self, run: str) -> None:
        """Remove every download of a run."""
        shutil.rmtree(self._downloads_of(run), ignore_errors=True)

    def make_room(self, needed_bytes: int, new: Path | None = None) -> None:
        """Remove the oldest files, but for ``new``, until ``needed_bytes`` more fit under the cap.

        Raises:
            OutputError: they do not fit, since jobs need what is there.
        """
        with self._space:
            files = sorted(_files(self.folder), key=lambda file: file[1].st_mtime_ns)
            held_bytes = sum(status.st_size for _, status in files)
            kept = {*self.in_use(), new}
            for path, status in files:
                if held_bytes + needed_bytes <= self.cap_bytes:
                    break
                if path in kept or path.name in (LOCK, PART):
                    continue
                with suppress(OSError):
                    path.unlink()
                    held_bytes -= status.st_size
                with suppress(OSError):
                    path.parent.rmdir()
            if held_bytes + needed_bytes > self.cap_bytes:
                raise OutputError("The server's temporary folder is full", "Try again when some jobs are done.")

    def _downloads_of(self, run: str) -> Path:
        return self.folder / DOWNLOADS / self._named(run)

    def _named(self, *parts: str) -> str:
        return hashlib.blake2s("\0".join(parts).encode("utf-8", "replace"), key=self._salt).hexdigest()[:32]


def new_folder() -> tuple[Path, IO[bytes]]:
    """A temporary folder of our own, and the lock that says it is in use; those of servers that were killed go.

    Close the lock after removing the folder.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()  # 0700
    lock = (folder / LOCK).open("ab")
    _try_lock(lock)
    return folder, lock


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        # Another user's is none of our business; nor is one that is just being made and has no lock yet.
        with suppress(OSError):
            if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
                continue
            with (folder / LOCK).open("r+b") as lock:
                if not _try_lock(lock):
                    continue
                shutil.rmtree(folder, ignore_errors=True)


def _try_lock(file: IO[bytes]) -> bool:
    """Whether the file is ours now: no other process has it locked."""
    try:
        import fcntl
    except ImportError:  # Windows: an open file cannot be removed there, which serves as well
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_plain_name(name: str) -> bool:
    """Whether ``name`` names something directly in a folder: no path, nothing hidden, nothing that ends a string."""
    return (
        bool(name)
        and not name.startswith(".")
        and not any(each in name for each in "/\\\0")
        and len(name.encode("utf-8", "replace")) < 256
    )


def safe_stem(name: str) -> str:
    """A file's stem that people still recognise: letters and digits of any script, and a few signs."""
    stem = Path(clean_name(name.replace("\\", "/"))).name
    stem = stem.rpartition(".")[0] or stem
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" or c in " -_()" else "-" for c in stem)
    while len(kept.encode()) > STEM_BYTES:
        kept = kept[:-1]
    return kept.strip(" -") or "photo"


def _ending(data: bytes, name: str) -> str:
    for beginning, ending in SHOWN:
        if beginning.match(data):
            return ending
    suffix = Path(name).suffix.lower()
    return suffix if suffix in OTHERS else ".photo"


def _is_file(path: Path) -> bool:
    """Whether a regular file is there, and no link to one."""
    return path.is_file() and not path.is_symlink()


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            if _is_file(path):
                found.append((path, path.stat()))
    return found
