"""Texture coordinates for a mesh.

Two ways to cut and flatten, one packer. Measured on a shared 2-core machine, texture 1024, closed meshes: seconds,
charts, L2 stretch (Sander et al. 2001; 1 is best), share of the texture used.

    mesh, faces             xatlas                             charts (the house's own)
    fox, 576                0.5 s   34 charts  1.004  52 %     0.3 s   30 charts  1.003  44 %
    duck, 4 200             0.6 s   34 charts  1.004  62 %     0.3 s   30 charts  1.010  60 %
    bunny, 5 000            0.8 s   35 charts  1.008  62 %     0.2 s   25 charts  1.002  58 %
    smooth blob, 10 000     1.5 s  200 charts  (rejected)      0.2 s    9 charts  1.015  54 %
    smooth blob, 40 000     8.7 s  366 charts  (rejected)      1.0 s   10 charts  1.018  51 %

Rejected: 19 of the 10 000 faces came back without texture area. xatlas grows its charts one face at a time and its
time grows faster than the mesh; other chart options (cost 2 to 8) and pack options change it by less than a tenth. It
is asked for small meshes, where it fills the texture a little better, and the house's own charts do the rest, with as
little stretch and fewer, shorter seams.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from manymesh.errors import DamagedMeshError
from manymesh.mesh.topology import connected_components, edges
from manymesh.mesh.unwrap.flatten import areas
from manymesh.mesh.unwrap.pack import pack
from manymesh.mesh.unwrap.unfold import Flat, overlapping, unfold
from manymesh.types import Atlas, Mesh

XATLAS_FACES = 6000
POLL_S = 0.02


def unwrap(
    mesh: Mesh,
    texture_size: int,
    *,
    time_limit_s: float = 5.0,
    tick: Callable[[float], None] = lambda share: None,
    method: Literal["auto", "xatlas", "charts"] = "auto",
) -> Atlas:
    """Cuts a mesh into charts and places them in a square texture, all at one texel density.

    Charts are upright as seen from outside (never mirrored), do not overlap, and keep ``pack.padding_px(texture_size)``
    between them.

    Args:
        mesh: manifold (see ``clean``); vertices that no face uses are left out.
        texture_size: side of the texture in pixels.
        time_limit_s: how long xatlas may run before it is stopped and the house's own charts are taken.
        tick: progress; may raise to cancel.
        method: who cuts and flattens. auto: xatlas for meshes of up to ``XATLAS_FACES`` faces, else "charts".

    Returns:
        The atlas. Its ``method`` is "xatlas", "charts", or "charts (...)" with the reason why xatlas was given up.
    """
    if len(mesh.faces) == 0:
        raise DamagedMeshError("a mesh without faces cannot be unwrapped", "Clean it first.")
    layout: Flat | None = None
    used = "charts"
    if method == "xatlas" or (method == "auto" and len(mesh.faces) <= XATLAS_FACES):
        layout, trouble = _by_xatlas(mesh, time_limit_s, tick)
        used = "xatlas" if layout is not None else f"charts ({trouble})"
    if layout is None:
        layout = unfold(mesh.vertices, mesh.faces, tick)
    tick(0.75)
    table = edges(layout.corners)
    pixels = pack(layout.flat, layout.corners, table.ends[table.faces != 2], layout.owner, texture_size)
    tick(1.0)
    return Atlas(
        vertices=np.ascontiguousarray(mesh.vertices[layout.source], dtype=np.float32),
        faces=layout.corners.astype(np.int32),
        uv=(pixels / texture_size).astype(np.float32),
        source=layout.source.astype(np.int32),
        method=used,
    )


def _by_xatlas(mesh: Mesh, time_limit_s: float, tick: Callable[[float], None]) -> tuple[Flat | None, str]:
    """The charts of xatlas, or None and the reason in a few words."""
    if getattr(sys, "frozen", False) or not sys.executable:
        return None, "no Python to run xatlas in"
    with tempfile.TemporaryDirectory(prefix="manymesh-", ignore_cleanup_errors=True) as folder:
        given, answer = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(given, vertices=mesh.vertices.astype(np.float32), faces=mesh.faces.astype(np.uint32))
        trouble = _run_worker([str(given), str(answer)], folder, time_limit_s, tick)
        if trouble:
            return None, trouble
        with np.load(answer, allow_pickle=False) as found:
            corners, source, uv = found["faces"], found["source"], found["uv"]
    layout = _as_flat(corners.astype(np.int64), source.astype(np.int64), uv.astype(np.float64))
    size = areas(layout.flat, layout.corners)
    if len(corners) != len(mesh.faces) or not np.array_equal(layout.source[layout.corners], mesh.faces):
        return None, "xatlas changed the triangles"
    if not (size > 0).all():
        return None, f"xatlas left {int((size <= 0).sum())} faces without texture"
    if overlapping(layout, np.zeros(len(size))).any():
        return None, "xatlas laid a chart over itself"
    return layout, ""


def _run_worker(arguments: list[str], folder: str, time_limit_s: float, tick: Callable[[float], None]) -> str:
    """Waits for the worker no longer than the limit; it never outlives this call. Returns what went wrong, or ""."""
    # A program and not multiprocessing: that would import the caller's main module again, where it starts its own.
    # It is named by its file and gets no import path of ours: another thread may be importing a library that changes
    # sys.path meanwhile (OpenCV does), and the child would take that library's files for Python's own.
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("_xatlas_worker.py")), *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    start = time.monotonic()
    try:
        while True:
            try:
                code = process.wait(timeout=POLL_S)
                return "" if code == 0 else f"xatlas ended with code {code}"
            except subprocess.TimeoutExpired:
                spent = time.monotonic() - start
                if spent > time_limit_s:
                    return f"xatlas ran longer than {time_limit_s:g} s"
                tick(min(0.7 * spent / time_limit_s, 0.7))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _as_flat(corners: np.ndarray, source: np.ndarray, uv: np.ndarray) -> Flat:
    """Sorts vertices by chart and turns mirrored charts over."""
    links = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]]])
    count, owner = connected_components(len(uv), links)
    order = np.lexsort((source, owner))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    corners, source, owner, flat = rank[corners], source[order], owner[order], uv[order].copy()
    total = np.bincount(owner[corners[:, 0]], weights=areas(flat, corners), minlength=count)
    flat[total[owner] < 0, 0] *= -1
    return Flat(corners, source, owner, flat)
