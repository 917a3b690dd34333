"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

KEEPS = """
import ctypes, psutil
from manymesh.device import release_memory
release_memory()
resident = lambda: psutil.Process().memory_info().rss
# Small blocks, with one in use at the very end, so that the heap cannot shrink by itself.
blocks = [ctypes.create_string_buffer(60_000) for _ in range(2000)]
end, full = blocks.pop(), resident()
del blocks
freed = resident()
release_memory()
print((full - freed) >> 20, (full - resident()) >> 20)
"""


def _glibc() -> bool:
    import ctypes

    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not _glibc(), reason="needs glibc")
def test_freed_memory_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", KEEPS], capture_output=True, text=True, check=True, timeout=60)
    by_itself, given_back = (int(number) for number in done.stdout.split())
    assert by_itself < 20
    assert given_back > 90


def test_where_there_is_no_malloc_trim_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    from manymesh.device import limit_heaps, release_memory

    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    release_memory()
    limit_heaps()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", None)
    release_memory()


def test_pinned_host_memory_goes_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from manymesh.device import release_memory

    emptied = []
    store = SimpleNamespace(_host_emptyCache=lambda: emptied.append("host"))
    cuda = SimpleNamespace(is_available=lambda: True, empty_cache=lambda: emptied.append("device"))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, _C=store))
    release_memory()
    assert emptied == ["device", "host"]
