"""Files that others may have had their hands on: read without waiting, written atomically, locked."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from manymesh.errors import InputError, OutputError

_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_regular_file(path: Path, limit_bytes: int) -> bytes:
    """The bytes of a file that may come from anybody: a pipe or a device is not waited for.

    Raises:
        InputError: it cannot be read, is no regular file, or is larger than ``limit_bytes``.
    """
    try:
        # Without waiting: to open a pipe that nobody writes to would never end.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAIT)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"'{path}' is no regular file", "Delete it and resume the run.")
            if status.st_size > limit_bytes:
                raise InputError(f"'{path}' has {status.st_size >> 20} MiB; the limit is {limit_bytes >> 20} MiB")
            return file.read(status.st_size)
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror or error})") from None


def write_atomically(target: Path, data: bytes) -> None:
    """Write a file beside its place and rename it into it, so that no reader ever sees half of it.

    What is at the place is replaced, be it a link. Missing folders are made.

    Raises:
        OutputError: it cannot be written.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    with output_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.unlink(missing_ok=True)
            with open(temporary, "xb") as file:  # never through a link, or into a pipe, that lies there
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[bool]:
    """Hold a lock file within. The value says whether this process has the lock; False: another has it.

    The lock is the operating system's, on a file that stays: it is gone when its process is, however that ended.
    Raises OSError where the file cannot be made, or something else lies at its place.
    """
    with _open_lock(path) as file:
        try:
            _lock(file)
        except OSError:
            yield False
        else:
            yield True


@contextmanager
def output_errors(target: Path) -> Iterator[None]:
    """Errors of the system while ``target`` is written, as ``OutputError``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what, hint = (
                f"The disk is full: '{target}' could not be written",
                "Free some space, then `manymesh resume`.",
            )
        else:
            what = f"'{target}' cannot be written ({error.strerror or error})"
            hint = "Choose another folder with --out."
        raise OutputError(what, hint) from error


def _open_lock(path: Path) -> IO[bytes]:
    """The lock's file, made where there is none; raises OSError where something else is at its place."""
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_WAIT, 0o666)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(number, "ab")


def _lock(file: IO[bytes]) -> None:
    """Lock an open file for this process alone; raises OSError when another has it. Closing the file lets go."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
