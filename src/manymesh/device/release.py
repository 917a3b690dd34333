"""Releases memory that is not used any more to the system, on the host and on the device."""

from __future__ import annotations

import gc
import sys
from typing import Any


def release_memory() -> None:
    """Collect models in reference cycles, and return the free pages of the allocators to the system.

    Call it when a model is not referenced any more, and at the end of a run. A model that is still referenced stays.
    """
    torch = sys.modules.get("torch")
    if torch is not None:  # only torch's models are in reference cycles, and a collection is slow
        gc.collect()
    _trim_host()
    if torch is not None and torch.cuda.is_available():
        # cuBLAS keeps 32 MiB for every stream that ever multiplied; a long-lived process would collect them.
        clear = getattr(torch._C, "_cuda_clearCublasWorkspaces", None)
        if clear is not None:
            clear()
        torch.cuda.empty_cache()
        # Pinned host memory, through which layers pass to the device, is kept in a store of its own.
        empty_host = getattr(torch._C, "_host_emptyCache", None)
        if empty_host is not None:
            empty_host()


def limit_heaps(most: int = 2) -> None:
    """Let all threads of this process allocate from ``most`` heaps.

    glibc spreads threads over up to eight heaps a core and keeps what is freed in each of them: a web server with
    90 MiB alive came to 670 MiB after forty jobs. A long-lived process calls this before it starts threads. Without
    glibc nothing happens.
    """
    if (mallopt := _from_glibc("mallopt")) is not None:
        mallopt(_M_ARENA_MAX, most)


_M_ARENA_MAX = -8


def _trim_host() -> None:
    if (trim := _from_glibc("malloc_trim")) is not None:
        trim(0)


def _from_glibc(name: str) -> Any:
    """A function of glibc's allocator, None where this is no glibc."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):  # musl, or a Python that is linked statically
        return None
