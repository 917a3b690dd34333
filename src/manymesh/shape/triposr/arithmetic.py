"""Layers in float32 on the CPU: NumPy's matrix products, onnxruntime's attention, and OpenCV's exp.

Each is the fastest of what was measured (docs/log.md). Everything is float32. Weights are (out, in), as in the file.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import WeightsError
from manymesh.parallel import usable_cores
from manymesh.shape.triposr.fused_attention import attend
from manymesh.stages import Tick
from manymesh.types import F32

Keep = Callable[[str, F32], None]
"""Told named intermediate results; for comparisons with recorded ones."""

Item = TypeVar("Item")

# Numbers in work at a time where many small steps are taken with each: 128 kB stay in a core's cache. Chosen by hand.
CACHE_NUMBERS = 32_768
# The bits of a float16 moved up are those of a float32 whose exponent is too small by the difference of the formats'
# offsets, 127 - 15. The mask takes away the copies of the sign that the move leaves between sign and exponent.
_HALF_SHIFT, _HALF_MASK, _HALF_FACTOR = 13, np.int32(~0x7000_0000), np.float32(2.0**112)


# A float16's bits without its sign, and from where on they stand for infinity or no number.
_HALF_MAGNITUDE, _HALF_INFINITY = np.int16(0x7FFF), 0x7C00


@dataclass(frozen=True)
class _Team:
    """Who shares the pieces of a layer.

    Attributes:
        threads: of ours, each with a piece of its own.
        alone: whether each multiplies matrices on its own thread only, so that products are split among them too.
    """

    threads: int
    alone: bool


_CORES = usable_cores()
# More threads than this would need more working memory than their speed is worth: 25 MB each. Chosen by hand.
_MOST_THREADS = 16
# Where the matrix library's own threads cannot be stopped, a second thread of ours is at exp meanwhile.
_USUAL = _Team(min(2, _CORES), alone=False)
_TEAM = ContextVar("team", default=_USUAL)
# The matrix library's number of threads is the process's, not a thread's: of two calls that overlap, the second would
# find 1, and put that back for good when it ends last. So they take turns; each uses all cores anyway.
_LIBRARY_THREADS = RLock()


@contextmanager
def own_threads() -> Iterator[None]:
    """Within it, layers are shared by one thread for each core, and NumPy's matrix library uses no threads of its own.

    Measured on two cores: a block of the transformer takes two thirds of the time. Without the library threadpoolctl
    (extra ``small``) everything works as outside of it.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    token = _TEAM.set(_Team(min(_CORES, _MOST_THREADS), alone=True))
    try:
        with _LIBRARY_THREADS, threadpool_limits(1, user_api="blas"):
            yield
    finally:
        _TEAM.reset(token)


def ignore(name: str, value: F32) -> None:
    """A ``Keep`` that keeps nothing."""


class Weights:
    """A network's tensors by name, each widened to float32 when it is asked for.

    Args:
        arrays: float32 or float16.
        prefix: stands before every name that is asked for.

    Asking for a matrix in float16 with numbers that are not finite raises ``WeightsError``.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> None:
        self._arrays = arrays
        self._prefix = prefix

    def __getitem__(self, name: str) -> F32:
        stored = self._arrays[self._prefix + name]
        if stored.dtype == np.float16 and stored.ndim == 2 and sys.byteorder == "little":
            try:
                return widened(stored)
            except ValueError:
                raise WeightsError(
                    f"the weights are damaged: '{self._prefix}{name}' holds numbers that are not finite",
                    "Fetch them again: 'manymesh models verify' names the damaged files",
                ) from None
        return np.ascontiguousarray(stored, np.float32)

    def part(self, prefix: str) -> Weights:
        """The tensors whose names begin with ``prefix`` and a dot."""
        return Weights(self._arrays, f"{self._prefix}{prefix}.")


def in_threads(work: Callable[[Item], None], items: Iterable[Item], tick: Callable[[], None]) -> None:
    """Do ``work`` for every item, several at a time; ``tick`` is called in this thread after each of them.

    The work on different items must not touch the same numbers. When ``tick`` or an item raises, items that have not
    begun are left out.
    """
    pieces = list(items)
    threads = min(_TEAM.get().threads, len(pieces))
    if threads <= 1:
        for piece in pieces:
            work(piece)
            tick()
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="manymesh-layer") as pool:
        waiting = [pool.submit(work, piece) for piece in pieces]
        try:
            for one in waiting:
                one.result()
                tick()
        finally:
            for one in waiting:
                one.cancel()


def widened(half: NDArray[Any]) -> F32:
    """(n, c) float16 to float32: the same numbers as NumPy's conversion, in half its time.

    Raises:
        ValueError: one is not finite; the bits would become a finite number.
    """
    out = np.empty(half.shape, np.float32)
    bits = half.view(np.int16)
    rows = max(CACHE_NUMBERS // half.shape[1], 1)

    def some(part: slice) -> None:
        for start in range(part.start, part.stop, rows):
            where = slice(start, min(start + rows, part.stop))
            if (bits[where] & _HALF_MAGNITUDE).max(initial=0) >= _HALF_INFINITY:
                raise ValueError("not finite")
            moved = out[where].view(np.int32)
            np.left_shift(bits[where], _HALF_SHIFT, out=moved, dtype=np.int32)
            moved &= _HALF_MASK
            out[where] *= _HALF_FACTOR

    size = max(-(-len(half) // _TEAM.get().threads), rows)
    in_threads(some, [slice(start, min(start + size, len(half))) for start in range(0, len(half), size)], lambda: None)
    return out


def linear(x: F32, weights: Weights, name: str, *, bias: bool = True) -> F32:
    """(n, in) to (n, out) with the tensors ``name.weight`` and ``name.bias``."""
    weight = weights[f"{name}.weight"]
    y = np.empty((len(x), len(weight)), np.float32)

    def some(rows: slice) -> None:
        np.matmul(x[rows], weight.T, out=y[rows])

    team = _TEAM.get()
    size = max(-(-len(x) // (team.threads if team.alone else 1)), 1)
    in_threads(some, [slice(start, start + size) for start in range(0, len(x), size)], lambda: None)
    if bias:
        y += weights[f"{name}.bias"]
    return y


def layer_norm(x: F32, weights: Weights, name: str, eps: float) -> F32:
    """(n, width) with mean 0 and variance 1 in each row, then scaled and shifted."""
    y = x - x.mean(axis=1, keepdims=True, dtype=np.float32)
    variance = np.einsum("nc,nc->n", y, y) / np.float32(y.shape[1])
    y *= (1 / np.sqrt(variance + np.float32(eps)))[:, None]
    y *= weights[f"{name}.weight"]
    y += weights[f"{name}.bias"]
    return np.asarray(y)


def attention(q: F32, k: F32, v: F32, heads: int, tick: Callable[[], None]) -> F32:
    """Scaled dot product attention, without masks.

    Args:
        q: (n, heads * d). k, v: (m, heads * d). Each head has d channels next to each other.
        tick: called often.

    Returns:
        (n, heads * d) float32.
    """
    width = q.shape[1] // heads
    out = np.empty_like(q)

    def one_head(head: int) -> None:
        mine = slice(head * width, (head + 1) * width)
        out[:, mine] = attend(*(np.ascontiguousarray(x[:, mine]) for x in (q, k, v)))

    in_threads(one_head, range(heads), tick)
    return out


def exp_(x: F32) -> None:
    """e to the power of each number of a contiguous array, in place; 2e-7 of the value exact."""
    import cv2

    flat = x.reshape(1, -1) if x.ndim != 2 else x
    cv2.exp(flat, flat)


def gelu_(x: F32) -> None:
    """x times the normal distribution's share below x, in place, for (n, c) rows next to each other.

    With erf by Abramowitz and Stegun, 7.1.26, which is within 1.5e-7.
    """
    rows = max(CACHE_NUMBERS // x.shape[1], 1)
    for start in range(0, len(x), rows):
        part = x[start : start + rows]
        size = np.abs(part)
        t = size * np.float32(0.3275911 / math.sqrt(2))
        t += 1
        np.divide(np.float32(1), t, out=t)
        tail = t * np.float32(1.061405429)
        for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
            tail += np.float32(factor)
            tail *= t
        np.multiply(size, size, out=t)
        t *= np.float32(-0.5)
        exp_(t)
        # Half of what erf lacks to 1, times |x|: taken from x where it is positive, with a minus sign elsewhere.
        tail *= t
        tail *= size
        tail *= np.float32(0.5)
        np.maximum(part, 0, out=part)
        part -= tail


def silu_(x: F32, work: F32) -> None:
    """x / (1 + exp(-x)), in place, for a contiguous array of two axes; ``work`` is one of its shape to write in."""
    np.negative(x, out=work)
    exp_(work)
    work += 1
    np.divide(x, work, out=x)


def steps_tick(tick: Tick, start: float, end: float, steps: int) -> Callable[[], None]:
    """A function that reports one of ``steps`` equal steps from ``start`` to ``end`` each time it is called."""
    done = 0

    def step() -> None:
        nonlocal done
        done = min(done + 1, steps)
        tick(start + (end - start) * done / steps)

    return step
