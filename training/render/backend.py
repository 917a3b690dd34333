"""The kernels of ``kernels.cu``: through cupy on a GPU, through g++ on a CPU. All memory is torch's."""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manymesh.shape.learned import contract
from training.render.columns import COLUMNS, VIEW_SIZE

if TYPE_CHECKING:
    import torch

SOLID = 128
"""Voxels along each axis of a carved solid."""
COARSE = 32
"""The same for the blurred grid of ambient occlusion and far shadows."""
MAP = 384
"""Pixels along each side of a depth map that carves."""
MAP_REACH = 0.875
"""Half of what such a map spans: a little more than the cube's half diagonal, sqrt(3) / 2."""
RASTER = 512
"""Samples along each side of a view."""
EMPTY_KEY = 0x7FFFFFFFFFFFFFFF

_THREADS = 256
_BLOCKS = 132 * 32
"""Enough for every multiprocessor of a large card; the kernels loop over what is left."""


def launch(name: str, device: torch.device, items: int, *arguments: Any) -> None:
    """Run one kernel.

    Args:
        name: the kernel's.
        device: where the tensors live.
        items: how many threads are worth starting (the kernel itself knows how many items there are).
        arguments: tensors (contiguous, on the device), int (64-bit) or float (32-bit) values, in the kernel's order.
    """
    import torch

    for argument in arguments:
        if isinstance(argument, torch.Tensor) and not (argument.is_contiguous() and argument.device == device):
            raise ValueError(f"{name}: every tensor must be contiguous and on {device}")
    if device.type == "cuda":
        _launch_cuda(name, device, items, arguments)
    else:
        _launch_host(name, arguments)


def compiler_missing() -> str | None:
    """Why kernels cannot run on this machine's CPU, or None."""
    import shutil

    return None if shutil.which("g++") else "g++ is not installed"


@lru_cache(maxsize=1)
def source() -> str:
    """The whole text, sizes first, includes put in place."""
    from training.render.eyes import EYES

    sizes = {
        "GRID": contract.GRID,
        "BINS": contract.BINS,
        "IMAGE": contract.IMAGE_PX,
        "RASTER": RASTER,
        "SOLID": SOLID,
        "COARSE": COARSE,
        "MAP": MAP,
        "EYES": EYES,
        "V_SIZE": VIEW_SIZE,
    }
    lines = [f"#define {name} {value}" for name, value in sizes.items()]
    lines += [
        f"#define {n} ({v:.9g}f)" for n, v in (("NEAR", contract.NEAR), ("FAR", contract.FAR), ("MAP_REACH", MAP_REACH))
    ]
    lines += [f"#define V_{name.upper()} {column.start}" for name, column in COLUMNS.items()]
    here = Path(__file__).parent
    text = (here / "kernels.cu").read_text()
    text = re.sub(r'#include "(cuda/[a-z]+\.cuh)"', lambda match: (here / match[1]).read_text(), text)
    return "\n".join(lines) + "\n" + text


def _launch_cuda(name: str, device: torch.device, items: int, arguments: tuple[Any, ...]) -> None:
    import cupy
    import numpy as np
    import torch

    index = torch.cuda.current_device() if device.index is None else device.index
    with cupy.cuda.Device(index):
        kernel = _module().get_function(name)
        values = [
            np.uint64(a.data_ptr())
            if isinstance(a, torch.Tensor)
            else (np.float32(a) if isinstance(a, float) else np.int64(a))
            for a in arguments
        ]
        blocks = max(1, min(_BLOCKS, -(-items // _THREADS)))
        with cupy.cuda.ExternalStream(torch.cuda.current_stream(index).cuda_stream, index):
            kernel((blocks,), (_THREADS,), tuple(values))


@lru_cache(maxsize=1)
def _module() -> Any:
    import cupy

    return cupy.RawModule(code=source(), options=("-std=c++17",))


def _launch_host(name: str, arguments: tuple[Any, ...]) -> None:
    import torch

    values: list[Any] = []
    for argument in arguments:
        if isinstance(argument, torch.Tensor):
            values.append(ctypes.c_void_p(argument.data_ptr()))
        elif isinstance(argument, float):
            values.append(ctypes.c_float(argument))
        else:
            values.append(ctypes.c_longlong(int(argument)))
    getattr(_library(), name)(*values)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernels.cpp"
        path.write_text("#define HOST\n" + source())
        # No contraction of a * b + c, so that results do not hang on the processor's instruction set.
        flags = ["-O2", "-std=c++17", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Wno-unknown-pragmas"]
        done = subprocess.run(["g++", *flags, str(path), "-o", f"{folder}/kernels.so"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"g++ could not compile the renderer's kernels:\n{done.stderr[:4000]}")
        return ctypes.CDLL(f"{folder}/kernels.so")  # stays mapped after the file is gone
