"""Tensors of a safetensors file straight to a GPU: threads read ahead into pinned host memory, which the GPU reads.

A mapped file is read page by page, by one thread, and copied through a buffer of the driver's. Here reading and copying
overlap.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from manymesh.device.stream import host_memory
from manymesh.errors import WeightsError
from manymesh.weights.verify import TensorInfo, read_header

if TYPE_CHECKING:
    import torch

# A piece of the file, how many are in host memory, and the threads that read them. Chosen by hand; not measured.
PIECE_BYTES, _PIECES, _THREADS = 16 << 20, 8, 4
_FORMATS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """Bytes of one tensor within a piece: the tensor's place in the order, and where they begin in it and in the
    piece."""

    tensor: int
    in_tensor: int
    in_piece: int
    length: int


@dataclass(frozen=True)
class _Piece:
    """A stretch of the file."""

    start: int
    length: int
    parts: tuple[_Part, ...]


def can_read_ahead(path: Path, names: Mapping[str, str]) -> bool:
    """Whether this system and the file's number formats allow it."""
    infos = read_header(path)
    return hasattr(os, "preadv") and all(infos[name].dtype in _FORMATS for name in names)


def read_ahead(
    path: Path, names: Mapping[str, str], device: torch.device, piece_bytes: int = PIECE_BYTES
) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of ``names`` (key in the file to key wanted) on ``device``, in the file's number formats and order.

    Raises ``WeightsError`` for a file that ends too early.
    """
    import torch

    infos = read_header(path)
    order = sorted(names, key=lambda name: infos[name].start)
    pieces = _pieces([infos[name] for name in order], piece_bytes)
    slots = [host_memory(piece_bytes, device) for _ in range(min(_PIECES, len(pieces)))]
    on_cuda = device.type == "cuda"
    copied: list[torch.cuda.Event | None] = [None] * len(slots)
    waiting: deque[Future[None]] = deque()
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(_THREADS, "manymesh-read") as pool:

        def submit(number: int) -> None:
            slot, piece = number % len(slots), pieces[number]
            if (event := copied[slot]) is not None:
                event.synchronize()  # the GPU still reads what was there before
            target = slots[slot].numpy().data[: piece.length]
            waiting.append(pool.submit(_read, file.fileno(), target, piece.start, path))

        for number in range(len(slots)):
            submit(number)
        made: dict[int, torch.Tensor] = {}
        done = 0  # tensors that were given out
        for number, piece in enumerate(pieces):
            waiting.popleft().result()
            slot = number % len(slots)
            for part in piece.parts:
                if part.tensor not in made:
                    info = infos[order[part.tensor]]
                    made[part.tensor] = torch.empty(info.stop - info.start, dtype=torch.uint8, device=device)
                source = slots[slot][part.in_piece : part.in_piece + part.length]
                made[part.tensor][part.in_tensor : part.in_tensor + part.length].copy_(source, non_blocking=True)
            if on_cuda:
                event = torch.cuda.Event()
                event.record(torch.cuda.current_stream(device))
                copied[slot] = event
            if number + len(slots) < len(pieces):
                submit(number + len(slots))
            whole = piece.parts[-1].tensor + (_ends(piece.parts[-1], infos[order[piece.parts[-1].tensor]]))
            for place in range(done, whole):
                yield _finished(order[place], names, infos, made.pop(place, None), device)
            done = max(done, whole)
        for place in range(done, len(order)):  # tensors without a number
            yield _finished(order[place], names, infos, made.pop(place, None), device)


def _finished(
    name: str,
    names: Mapping[str, str],
    infos: Mapping[str, TensorInfo],
    raw: torch.Tensor | None,
    device: torch.device,
) -> tuple[str, torch.Tensor]:
    import torch

    info = infos[name]
    dtype = getattr(torch, _FORMATS[info.dtype])
    if raw is None:
        return names[name], torch.empty(info.shape, dtype=dtype, device=device)
    return names[name], raw.view(dtype).view(info.shape)


def _ends(part: _Part, info: TensorInfo) -> bool:
    """Whether a part holds its tensor's last byte."""
    return part.in_tensor + part.length == info.stop - info.start


def _pieces(infos: list[TensorInfo], piece_bytes: int) -> list[_Piece]:
    """Stretches of at most ``piece_bytes`` that hold all tensors, in the order of the file; neighbours share one."""
    pieces: list[_Piece] = []
    parts: list[_Part] = []
    start = end = 0

    def close() -> None:
        if parts:
            pieces.append(_Piece(start, end - start, tuple(parts)))
            parts.clear()

    for number, info in enumerate(infos):
        at = info.start
        while at < info.stop:
            if not parts or at != end or end - start == piece_bytes:
                close()
                start = end = at
            length = min(info.stop - at, piece_bytes - (end - start))
            parts.append(_Part(number, at - info.start, end - start, length))
            at += length
            end = at
    close()
    return pieces


def _read(file: int, target: memoryview, start: int, path: Path) -> None:
    done = 0
    while done < len(target):
        count = os.preadv(file, [target[done:]], start + done)
        if count == 0:
            raise WeightsError(f"{path} was cut short while it was read", "Fetch it again: manymesh models verify")
        done += count
