"""Reduces very dense meshes in a process of their own, so that several are reduced at once.

fast-simplification keeps its mesh in global variables, so within a process only one mesh can be reduced at a time, and
the work around it holds Python's lock. ``python -m manymesh.mesh.reduce_apart FACES`` is that process: a mesh in, a
mesh out, as NumPy's archives.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

import numpy as np

from manymesh.mesh.simplify import reduce
from manymesh.parallel import usable_cores
from manymesh.types import Mesh

# Starting a process costs about half a second of a core: not for meshes that are reduced as fast, nor where there is no
# core to spare. Chosen by hand; not measured.
LARGE, CORES = 200_000, 4


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
    """None where the process could not be started or failed; whatever is wrong shows again here, as an error."""
    command = [sys.executable, "-m", "manymesh.mesh.reduce_apart", str(faces)]
    # It must find the same manymesh and the same libraries.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, input=_packed(mesh), capture_output=True, env=environment, check=True)
        return _unpacked(done.stdout)
    except (OSError, EOFError, subprocess.SubprocessError, ValueError, KeyError, zipfile.BadZipFile):
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


if __name__ == "__main__":
    sys.stdout.buffer.write(_packed(reduce(_unpacked(sys.stdin.buffer.read()), int(sys.argv[1]))))
