"""Networks that are fetched as ONNX files, opened on the CPU. What a file reports is held against the catalogue.

The names of a file's inputs and outputs are data in ``weights/catalogue.py`` (``Graph``). A file that reports others is
refused with both lists, before anything is computed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import MissingPieceError, OutOfMemoryError, WeightsError
from manymesh.onnx import first_line
from manymesh.parallel import usable_cores
from manymesh.weights.entries import Graph

_AGAIN = "Fetch it again: 'manymesh models verify' names the damaged files and 'manymesh models pull' mends them"
_OTHER = "It is another conversion of the model: take the repository that 'manymesh models list' names"
# How onnxruntime names the number formats that an input may have.
_DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
# While a network computes on its thread, the caller looks this often whether the user wants to stop.
_LOOK_S = 0.1
# The largest ONNX file that is opened. The largest in the catalogue has 0.6 GB.
_MOST_BYTES = 4 * 1024**3


class OnnxNetwork:
    """An open ONNX file.

    It computes on as many threads as there are cores.

    Args:
        path: the file. It must hold all its weights itself.
        graph: the names that its inputs and outputs should have. An empty name stands for the file's first.

    Raises:
        MissingPieceError: onnxruntime is not installed.
        WeightsError: the file is absent, damaged, or has other inputs or outputs; the message names both.
    """

    def __init__(self, path: Path, graph: Graph) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPieceError("onnxruntime is not installed", "Run: pip install onnxruntime") from error
        self._path = path
        self._options = onnxruntime.RunOptions
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # The arena keeps the memory of the largest step for ever; a run has few passes.
        options.enable_cpu_mem_arena = False
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise WeightsError(f"{path} has {path.stat().st_size} bytes; the limit is {_MOST_BYTES}", _OTHER)
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except FileNotFoundError:
            raise WeightsError(f"{path.name} is not in {path.parent}", _AGAIN) from None
        except (WeightsError, MemoryError):
            raise
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise WeightsError(f"{path} cannot be opened: {first_line(error)}", _AGAIN) from error
        self._inputs = self._matched("inputs", self._session.get_inputs(), graph.inputs)
        self._outputs = self._matched("outputs", self._session.get_outputs(), graph.outputs)
        for role, info in self._inputs.items():
            if info.type not in _DTYPES:
                raise WeightsError(f"{path}: the input '{info.name}' ({role}) takes {info.type}, which is new", _OTHER)

    def _matched(self, what: str, found: list[Any], wanted: Mapping[str, str]) -> dict[str, Any]:
        """What the file reports, by our own names. Every input must be one that is known; outputs may be more."""
        by_name = {info.name: info for info in found}
        roles = {role: name or (found[0].name if found else "") for role, name in wanted.items()}
        lacking = [name for name in roles.values() if name not in by_name]
        surplus = [name for name in by_name if name not in roles.values()] if what == "inputs" else []
        if lacking or surplus:
            raise WeightsError(
                f"{self._path} has the {what} {_listed(by_name)} where {_listed(roles.values())} were expected", _OTHER
            )
        return {role: by_name[name] for role, name in roles.items()}

    @property
    def signature(self) -> str:
        """What the file takes and gives, for people; "any" where it leaves a length open."""

        def listed(infos: Mapping[str, Any]) -> str:
            shapes = ([n if isinstance(n, int) else "any" for n in info.shape] for info in infos.values())
            named = zip(infos.values(), shapes, strict=True)
            return ", ".join(f"'{info.name}' {' x '.join(map(str, shape))}" for info, shape in named)

        return f"takes {listed(self._inputs)}; gives {listed(self._outputs)}"

    def length(self, role: str, axis: int) -> int | None:
        """How long an input must be along an axis; None where the file leaves it open."""
        shape = self._inputs[role].shape
        size = shape[axis] if len(shape) > axis else None
        return size if isinstance(size, int) and size > 0 else None

    def __call__(self, look: Callable[[], None] = lambda: None, /, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Compute once.

        Args:
            look: called about ten times a second meanwhile. When it raises, the network stops within a step.
            arrays: the inputs, by our own names for them; numbers are brought to the file's format.

        Returns:
            The outputs by our own names, float32 where they are floating point.

        Raises:
            WeightsError: an input of this shape does not fit.
            OutOfMemoryError: host memory ran out.
            RuntimeError: onnxruntime failed, or an output holds numbers that are not finite.
        """
        feeds = {self._inputs[role].name: self._fitting(role, array) for role, array in arrays.items()}
        names = [info.name for info in self._outputs.values()]
        values = self._run(names, feeds, look)
        answer: dict[str, NDArray[Any]] = {}
        for role, value in zip(self._outputs, values, strict=True):
            answer[role] = value.astype(np.float32, copy=False) if np.issubdtype(value.dtype, np.floating) else value
            if not np.isfinite(answer[role].sum(dtype=np.float64)):
                raise RuntimeError(f"the output '{role}' of {self._path.name} holds numbers that are not finite")
        return answer

    def _fitting(self, role: str, array: NDArray[Any]) -> NDArray[Any]:
        info = self._inputs[role]
        fixed = [size if isinstance(size, int) and size > 0 else None for size in info.shape]
        if len(fixed) != array.ndim or any(f not in (None, n) for f, n in zip(fixed, array.shape, strict=True)):
            taken = [("any" if size is None else size) for size in fixed]
            raise WeightsError(
                f"{self._path}: the input '{info.name}' takes the shape {taken}, and {list(array.shape)} was to go in",
                _OTHER,
            )
        return np.ascontiguousarray(array, _DTYPES[info.type])

    def _run(self, names: list[str], feeds: dict[str, NDArray[Any]], look: Callable[[], None]) -> list[Any]:
        """The session's answer, computed on another thread, so that the caller can stop it."""
        options = self._options()
        done = threading.Event()
        answers: list[Any] = []
        errors: list[Exception] = []

        def work() -> None:
            try:
                answers.extend(self._session.run(names, feeds, options))
            except Exception as error:  # noqa: BLE001 - raised again by the calling thread
                errors.append(error)
            finally:
                done.set()

        threading.Thread(target=work, name="manymesh-onnx", daemon=True).start()
        try:
            while not done.wait(_LOOK_S):
                look()
        except BaseException:
            options.terminate = True
            done.wait()
            raise
        if not errors:
            return answers
        error = errors[0]
        if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "allocate memory" in str(error):
            raise OutOfMemoryError(
                f"The host memory ran out in {self._path.name}", "Close other programs, or use --engine lite."
            ) from error
        raise RuntimeError(f"{self._path.name} failed: {first_line(error)}") from error


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names) or "(none)"
