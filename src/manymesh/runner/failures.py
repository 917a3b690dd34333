"""Exceptions of a step as data: an error for people, a lack of memory, or a bug."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from manymesh.errors import ManymeshError, OutOfMemoryError
from manymesh.run.manifest import ErrorRecord


@contextmanager
def memory_errors(stage: str) -> Iterator[None]:
    """Running out of memory while a model is loaded is an error for people."""
    try:
        yield
    except Exception as error:
        memory = _out_of_memory(error, stage)
        if memory is None:
            raise
        raise memory from None


def _out_of_memory(error: Exception, stage: str) -> OutOfMemoryError | None:
    # torch's own error by its name: this module must not import torch to know it.
    if not isinstance(error, MemoryError) and type(error).__name__ != "OutOfMemoryError":
        return None
    where = "host" if isinstance(error, MemoryError) else "device"
    return OutOfMemoryError(
        f"The {where} memory ran out in the {stage} stage",
        "Close other programs, or ask for less: --texture-size 1024, --no-texture, or --engine lite.",
    )


def record_of(error: Exception, stage: str) -> ErrorRecord:
    """An exception as data: an error for people, or a bug with its traceback."""
    known = error if isinstance(error, ManymeshError) else _out_of_memory(error, stage)
    if known is not None:
        return ErrorRecord(code=known.code, stage=stage, message=known.what, hint=known.hint)
    return ErrorRecord(
        code="bug",
        stage=stage,
        message=f"{type(error).__name__}: {error}",
        hint="This is a bug in manymesh; please report it with the run's run.json.",
        traceback="".join(traceback.format_exception(error)),
    )


def sentence_of(record: ErrorRecord) -> str:
    """What went wrong and what to do about it, for people."""
    return f"{record.message}. {record.hint}".strip()
