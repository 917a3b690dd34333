"""The small networks that come in the wheel: ONNX files with their SHA-256 beside them, opened on the CPU. No torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from manymesh.errors import MissingPieceError

_REINSTALL = "Install manymesh again: pip install --force-reinstall --no-deps manymesh"


def open_session(path: Path, outputs: tuple[str, ...]) -> tuple[Any, str]:
    """Open a network on one thread, so that its outputs do not depend on the number of cores.

    Args:
        path: the ONNX file. A ``.json`` file of the same name must hold its ``sha256``.
        outputs: names that the network's outputs must include.

    Returns:
        The onnxruntime session, and the name of its input.

    Raises:
        MissingPieceError: there is no such file, it is damaged, it is another network, or onnxruntime is missing.
    """
    data = read_checked(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPieceError("onnxruntime is not installed", "pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    try:
        session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        name: str = session.get_inputs()[0].name
    except Exception as error:  # onnxruntime's errors share no base class of their own
        raise MissingPieceError(f"the network '{path.name}' cannot be opened: {first_line(error)}") from error
    if not set(outputs) <= {output.name for output in session.get_outputs()}:
        raise MissingPieceError(f"the network '{path.name}' is another network")
    return session, name


def read_checked(path: Path) -> bytes:
    """The bytes of an ONNX file.

    Raises:
        MissingPieceError: the file or its ``.json`` is missing or cannot be read, or the digest differs.
    """
    try:
        data = path.read_bytes()
        expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError as error:
        raise MissingPieceError(f"the network '{Path(error.filename).name}' is missing", _REINSTALL) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingPieceError(f"the network '{path.name}' cannot be read", _REINSTALL) from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise MissingPieceError(f"the network '{path.name}' is damaged", _REINSTALL)
    return data


def weight_problem(path: Path) -> str | None:
    """What is wrong with a network's file, in a sentence with what to do; None when it is intact."""
    try:
        read_checked(path)
    except MissingPieceError as error:
        return str(error)
    return None


def write_digest(path: Path, **facts: Any) -> None:
    """Write the ``.json`` beside an ONNX file: its SHA-256 and size in bytes, and other facts about it."""
    data = path.read_bytes()
    record = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), **facts}
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def first_line(error: Exception) -> str:
    """The first line of an exception's message, at most 200 characters; its type's name if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
