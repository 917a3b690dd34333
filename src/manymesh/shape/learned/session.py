"""The packaged shape network, open on the CPU for several pictures at a time. No torch: onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from manymesh.onnx import first_line, open_session
from manymesh.shape.learned import contract
from manymesh.types import F32

WEIGHTS = Path(__file__).with_name("lite-shape.onnx")

# Pictures at a time, each on one thread. Measured on two cores: both finish sooner than one after the other on two
# threads each. A prediction does not depend on the number of threads.
THREADS = 2

OUTPUTS = ("logits", "surface", "pose")
OUTPUT_SHAPES = (
    (contract.BINS, contract.GRID, contract.GRID),
    (8, contract.GRID, contract.GRID),
    (contract.POSE_SIZE,),
)


class ShapeNetwork:
    """An open session with its threads, until ``close``. Call it with pictures. Safe to call from several threads.

    Args:
        path: the ONNX file; the packaged one when None. A ``.json`` file of the same name must hold its ``sha256``.

    Raises:
        MissingPieceError: there is no such file, it is damaged, it is another network, or onnxruntime is missing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._session, self._input = open_session(WEIGHTS if path is None else path, OUTPUTS)
        # The same threads for all objects: every picture in progress has its own working memory.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="manymesh-network")

    def close(self) -> None:
        """End the threads and free the session."""
        self._threads.shutdown()
        del self._session

    def __call__(self, pictures: Sequence[F32]) -> list[Mapping[str, F32]]:
        """Run the network.

        Args:
            pictures: (4, IMAGE_PX, IMAGE_PX) float32 each.

        Returns:
            The three outputs of each picture by name, without the batch axis (see ``contract``).

        Raises:
            ValueError: an output has another shape, or a number that is not finite.
            RuntimeError: onnxruntime could not run it.
        """
        return list(self._threads.map(self._run, pictures))

    def _run(self, picture: F32) -> Mapping[str, F32]:
        picture = np.ascontiguousarray(picture[None], np.float32)
        try:
            values = [value[0] for value in self._session.run(list(OUTPUTS), {self._input: picture})]
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise RuntimeError(f"the shape network failed: {first_line(error)}") from error
        for name, value, shape in zip(OUTPUTS, values, OUTPUT_SHAPES, strict=True):
            if value.shape != shape:
                raise ValueError(f"the network's {name} is {value.shape}, not {shape}")
            # A sum is finite only where everything is, and needs no second array.
            if not np.isfinite(value.sum(dtype=np.float64)):
                raise ValueError(f"the network's {name} holds numbers that are not finite")
        return dict(zip(OUTPUTS, values, strict=True))
