"""``manymesh`` in processes of its own that start at once: each is a fork of one that has made the usual imports.

``python -m manymesh`` itself spends a second or two on imports. A test that is about the start of the process (its
environment's encoding, its signals, what it imports) starts it so all the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Reads one order a line, and answers each with the exit code. The fork leaves the loop and ends as any process does.
_SERVER = """
import json, os, runpy, sys
import cv2, scipy.ndimage, scipy.spatial, trimesh
import manymesh.cli.app, manymesh.pipeline, manymesh.runner.steps

for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for stream, path in ((1, order["stdout"]), (2, order["stderr"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
        sys.argv = ["manymesh", *order["arguments"]]
        runpy.run_module("manymesh", run_name="__main__")
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Commands:
    """Carries out commands, one after the other."""

    def __init__(self, server: subprocess.Popen[str] | None) -> None:
        self._server = server

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """``manymesh ARGUMENTS`` in the current folder and environment."""
        words = list(map(str, arguments))
        if self._server is None:
            command = [sys.executable, "-m", "manymesh", *words]
            return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            files = {stream: Path(folder) / stream for stream in ("stdout", "stderr")}
            order = {
                "arguments": words,
                "folder": os.getcwd(),
                "environment": dict(os.environ),
                **{stream: str(path) for stream, path in files.items()},
            }
            self._server.stdin.write(json.dumps(order) + "\n")
            self._server.stdin.flush()
            code = int(self._server.stdout.readline())
            output, errors = (files[stream].read_text("utf-8") for stream in ("stdout", "stderr"))
        return subprocess.CompletedProcess(["manymesh", *words], code, output, errors)


@contextmanager
def open_commands() -> Iterator[Commands]:
    """Where processes cannot fork, each command starts one from nothing."""
    if not hasattr(os, "fork"):
        yield Commands(None)
        return
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as server:
        yield Commands(server)
        server.communicate()  # the end of its orders is its own end
