"""Reduces very dense meshes in a process of their own, so that several are reduced at once.

fast-simplification keeps its mesh in global variables, so within a process only one mesh can be reduced at a time, and
the work around it holds Python's lock. ``main`` is that process: a mesh in, a mesh out, as NumPy's archives.
"""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from manymesh.mesh.simplify import reduce
from manymesh.parallel import usable_cores
from manymesh.types import Mesh

# Starting a process costs about half a second of a core: not for meshes that are reduced as fast, nor where there is no
# core to spare. Chosen by hand; not measured.
LARGE, CORES = 200_000, 4
# The process: it looks for modules where this one does, and not in the working folder, where anything may lie.
_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from manymesh.mesh import reduce_apart; reduce_apart.main()"

_log = logging.getLogger("manymesh.mesh")


def reduce_apart(mesh: Mesh, faces: int) -> Mesh:
    """As ``simplify.reduce``, with the same result; a very dense mesh goes through a process of its own.

    Raises:
        DamagedMeshError: nothing is left within the budget.
    """
    if len(mesh.faces) > max(LARGE, faces) and usable_cores() >= CORES:
        reduced = _in_process(mesh, faces)
        if reduced is not None:
            return reduced
    return reduce(mesh, faces)


def _in_process(mesh: Mesh, faces: int) -> Mesh | None:
    """None where the process could not be started or failed, which is logged. A fault of the mesh shows again here."""
    # The same manymesh and the same libraries. An empty entry stands for the working folder.
    places = [place for place in (*sys.path, str(Path(__file__).parents[2])) if place]
    command = [sys.executable, "-c", _PROGRAM, str(faces), *places]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, input=_packed(mesh), capture_output=True, env=environment, check=True)
        return _unpacked(done.stdout)
    except (OSError, EOFError, subprocess.SubprocessError, ValueError, KeyError, zipfile.BadZipFile) as error:
        lines = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        _log.warning("A mesh is reduced in this process, as another failed: %s", lines[-1] if lines else error)
        return None


def _packed(mesh: Mesh) -> bytes:
    arrays: dict[str, np.ndarray] = {"vertices": mesh.vertices, "faces": mesh.faces}
    if mesh.colors is not None:
        arrays["colors"] = mesh.colors
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _unpacked(data: bytes) -> Mesh:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Mesh(arrays["vertices"], arrays["faces"], arrays.get("colors"))


def main() -> None:
    """Reduce the mesh from standard input to as many faces as the first argument says, to standard output."""
    sys.stdout.buffer.write(_packed(reduce(_unpacked(sys.stdin.buffer.read()), int(sys.argv[1]))))
