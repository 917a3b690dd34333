"""The shape network's file and its session on the CPU. No torch: onnxruntime.

``lite-shape.onnx`` is package data; ``lite-shape.json`` beside it says its SHA-256, so that a damaged file is noticed
before it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.errors import MissingPieceError
from manymesh.shape.learned import frame
from manymesh.types import F32

WEIGHTS = Path(__file__).with_name("lite-shape.onnx")
THREADS = 2
"""Pictures at once, each on one thread: on two cores both finish sooner than one after the other on two threads, and
what a picture's answer is depends on no number of threads."""

OUTPUTS = ("logits", "surface", "pose")


class Network:
    """An open session with its threads, until ``close``. Call it with pictures; safe for several threads.

    Args:
        path: the ONNX file. A ``.json`` file of the same name must hold its ``sha256``.

    Raises:
        MissingPieceError: there is no such file, it is damaged, it is another network, or onnxruntime is missing.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = WEIGHTS if path is None else path
        data = _checked(path)
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
            self._session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
            self._input: str = self._session.get_inputs()[0].name
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise MissingPieceError(f"the shape model '{path.name}' cannot be opened: {_first_line(error)}") from error
        if not set(OUTPUTS) <= {output.name for output in self._session.get_outputs()}:
            raise MissingPieceError(f"the shape model '{path.name}' is another network")
        # No more however many objects are in hand: every picture under way has its own working memory.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="manymesh-network")

    def close(self) -> None:
        """Let the session and its threads go."""
        self._threads.shutdown()
        del self._session

    def __call__(self, pictures: Sequence[F32]) -> list[Mapping[str, F32]]:
        """(4, IMAGE_PX, IMAGE_PX) float32 pictures to the three outputs of each by name (see ``frame``), without the
        batch's axis.

        Raises:
            ValueError: an output of another form, or with a number that is not finite.
            RuntimeError: onnxruntime could not run it.
        """
        return list(self._threads.map(self._ask, pictures))

    def _ask(self, picture: F32) -> Mapping[str, F32]:
        picture = np.ascontiguousarray(picture[None], np.float32)
        try:
            values = [value[0] for value in self._session.run(list(OUTPUTS), {self._input: picture})]
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise RuntimeError(f"the shape network failed: {_first_line(error)}") from error
        forms = ((frame.BINS, frame.GRID, frame.GRID), (8, frame.GRID, frame.GRID), (frame.POSE_SIZE,))
        for name, value, form in zip(OUTPUTS, values, forms, strict=True):
            if value.shape != form:
                raise ValueError(f"the network's {name} is {value.shape}, not {form}")
            # A sum is finite only where everything is, and takes no second array.
            if not np.isfinite(value.sum(dtype=np.float64)):
                raise ValueError(f"the network's {name} holds numbers that are not finite")
        return dict(zip(OUTPUTS, values, strict=True))


def trouble(path: Path | None = None) -> str | None:
    """What is wrong with the network's file, in a sentence with what to do; None when it is whole."""
    try:
        _checked(WEIGHTS if path is None else path)
    except MissingPieceError as error:
        return str(error)
    return None


def write_digest(path: Path, **facts: Any) -> None:
    """Write the ``.json`` beside an ONNX file: its SHA-256 and bytes, and whatever else is to be remembered."""
    data = path.read_bytes()
    record = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), **facts}
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _checked(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError as error:
        raise MissingPieceError(f"the shape model '{Path(error.filename).name}' is missing", _REINSTALL) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingPieceError(f"the shape model '{path.name}' cannot be read", _REINSTALL) from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise MissingPieceError(f"the shape model '{path.name}' is damaged", _REINSTALL)
    return data


_REINSTALL = "Install manymesh again: pip install --force-reinstall --no-deps manymesh"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
