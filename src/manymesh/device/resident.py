"""How much memory this process and its children hold right now, asked so cheaply that it can be asked all the time."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

LIST_CHILDREN_EVERY_S = 0.25
"""Finding a process's children means reading every process of the machine, which takes milliseconds."""


class Resident:
    """Asks for resident memory, as often as one likes; remembers which children there were."""

    def __init__(self) -> None:
        self._children: list[psutil.Process] = []
        self._listed_s = float("-inf")

    def bytes(self) -> int:
        """Resident memory of this process and its children. A child counts a quarter of a second after its start, at
        the latest."""
        return _own_bytes() + self._children_bytes()

    def _children_bytes(self) -> int:
        if not _has_children():
            self._children, self._listed_s = [], float("-inf")
            return 0
        import psutil

        now_s = time.perf_counter()
        if now_s - self._listed_s >= LIST_CHILDREN_EVERY_S:
            self._listed_s, self._children = now_s, psutil.Process().children()
        total = 0
        for child in self._children:
            try:
                total += child.memory_info().rss
            except psutil.Error:  # it ended since it was listed
                continue
        return total


def _own_bytes() -> int:
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import psutil

    return int(psutil.Process().memory_info().rss)


def _has_children() -> bool:
    """Whether this process has any children, ended ones that nobody has waited for included; True where the system
    cannot say."""
    if not hasattr(os, "waitid"):
        return True
    try:
        # A look only: WNOWAIT leaves an ended child to whoever waits for it.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
