"""What goes to stdout and stderr: any name on any terminal or pipe, and nothing that a library says by itself."""

from __future__ import annotations

import codecs
import io
import logging
import os
import sys
import warnings
from typing import TextIO

from manymesh.errors import ManymeshError

# Set to anything, it lets the libraries' own log lines and warnings through, for developers.
SHOW_LOGS = "MANYMESH_LOG"
_ERRORS = "manymesh-escape"


def prepare_streams() -> None:
    """Let stdout and stderr escape what their encoding cannot hold. Call once, first of all."""
    codecs.register_error(_ERRORS, escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def escape(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""An error handler for encoding: ``\u30ab`` for a character, and a file name's undecodable bytes as they were.

    Such bytes are surrogates in Python's text. Given out as they came, a path that is printed can be used again.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    if all("\udc80" <= character <= "\udcff" for character in text):
        return text.encode("ascii", "surrogateescape"), error.end
    first = text[0]
    if "\udc80" <= first <= "\udcff":
        return first.encode("ascii", "surrogateescape"), error.start + 1
    return first.encode("ascii", "backslashreplace").decode("ascii"), error.start + 1


def silence_libraries() -> None:
    """Keep libraries from writing to the terminal: what they find wrong is said in our own words, or is no matter.

    Set the environment variable ``MANYMESH_LOG`` to see it.
    """
    if os.environ.get(SHOW_LOGS):
        return
    logging.disable(logging.CRITICAL)
    if not sys.warnoptions:  # python -W, PYTHONWARNINGS
        warnings.simplefilter("ignore")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # else it warns after every fork


def give(text: str) -> None:
    """One line, or a document, on stdout: for machines."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """One line on stderr: for people."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def can_show(text: str, stream: TextIO | None = None) -> bool:
    """Whether a stream's encoding (stdout's by default) holds these characters."""
    try:
        text.encode((stream or sys.stdout).encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def error_data(error: ManymeshError) -> dict[str, str | int]:
    """An error as it stands in the JSON documents."""
    return {"code": error.code, "message": error.what, "hint": error.hint, "exit_code": error.exit_code}
