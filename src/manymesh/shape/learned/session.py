"""The shape network's session on the CPU, for several pictures at once. No torch: onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from manymesh.onnx import first_line, open_session
from manymesh.shape.learned import contract
from manymesh.types import F32

WEIGHTS = Path(__file__).with_name("lite-shape.onnx")
THREADS = 2
"""Pictures at once, each on one thread: on two cores both finish sooner than one after the other on two threads, and
what a picture's answer is depends on no number of threads."""

OUTPUTS = ("logits", "surface", "pose")


class ShapeNetwork:
    """An open session with its threads, until ``close``. Call it with pictures; safe for several threads.

    Args:
        path: the ONNX file. A ``.json`` file of the same name must hold its ``sha256``.

    Raises:
        MissingPieceError: there is no such file, it is damaged, it is another network, or onnxruntime is missing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._session, self._input = open_session(WEIGHTS if path is None else path, OUTPUTS)
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
            raise RuntimeError(f"the shape network failed: {first_line(error)}") from error
        forms = (
            (contract.BINS, contract.GRID, contract.GRID),
            (8, contract.GRID, contract.GRID),
            (contract.POSE_SIZE,),
        )
        for name, value, form in zip(OUTPUTS, values, forms, strict=True):
            if value.shape != form:
                raise ValueError(f"the network's {name} is {value.shape}, not {form}")
            # A sum is finite only where everything is, and takes no second array.
            if not np.isfinite(value.sum(dtype=np.float64)):
                raise ValueError(f"the network's {name} holds numbers that are not finite")
        return dict(zip(OUTPUTS, values, strict=True))
