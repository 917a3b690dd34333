"""Fewer triangles, same shape (quadric edge collapse, Garland & Heckbert 1997, by fast-simplification)."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np

from manymesh.errors import DamagedMeshError
from manymesh.mesh.clean.clean import clean, drop_unused
from manymesh.mesh.topology import edges, face_components, face_cross, length, scatter_sum, unit
from manymesh.types import Mesh

# fast-simplification's scale, tried in turn: the lowest keeps the shape best and may stop early. Chosen by hand.
AGGRESSIVENESS = (5.0, 7.0, 9.0)
# How often a reduction that stopped early is helped on. Chosen by hand.
LOOSENINGS = 4
# The mean normal of the faces around a vertex is at least this long where they lie within about 4 degrees of a plane.
FLAT = 0.998
# Share of the budget: nearer than that is not worth a second try. Chosen by hand.
CLOSE = 0.97
# A mesh with more faces than this, and more than ``DENSE`` times the budget, is first brought near the budget in a
# hurry. Its triangles are far smaller than the result's, so that costs nothing: a mug of 1,054,728 faces to 40,000
# takes 3.0 s of the processor (4.4 in one go). By 20,000 samples against 400,000 of the dense mesh, 2 wide, it lies
# 0.00351 and 0.00350 off on average, there and back (0.00361 and 0.00359 in one go; the dense mesh itself 0.00348).
LARGE, DENSE, HURRY, HURRIED = 300_000, 11.0, 9.0, 7.5
# fast-simplification (0.2.0) keeps its mesh in global variables of the process, so two threads would get each other's
# meshes. One call at a time for the whole process is the only remedy on our side: other objects wait here (0.1 s each
# for 100,000 faces). A version of the library that keeps its state in the call would need no lock.
_ONE_AT_A_TIME = Lock()


def reduce(mesh: Mesh, faces: int) -> Mesh:
    """At most ``faces`` triangles; a mesh within the budget is returned as it is.

    A closed, manifold, outward mesh stays so: edge collapse can leave edges with four faces and faces back to back, and
    every try is cleaned of these before it is counted. Vertex colours are those of the nearest vertex before.

    Raises:
        DamagedMeshError: nothing is left within the budget.
    """
    if len(mesh.faces) <= faces:
        return mesh
    if faces < 4:
        raise DamagedMeshError(f"no closed mesh has only {faces} faces", "Ask for more faces.")
    best: Mesh | None = None
    source = _hurried(mesh, faces)
    for aggressiveness in AGGRESSIVENESS:
        target = faces
        for _ in range(3):
            tried = _collapse(source, target, aggressiveness, mesh)
            if tried is None and source is not mesh:  # the hurry may have torn it
                source = mesh
                tried = _collapse(source, target, aggressiveness, mesh)
            if tried is not None and len(tried.faces) <= faces:
                if best is None or len(tried.faces) > len(best.faces):
                    best = tried
                break
            if tried is None:
                break
            target -= max(len(tried.faces) - faces, 2)
            if target < 4:
                break
        if best is not None and len(best.faces) >= CLOSE * faces:
            break
    best = best if best is not None else _cluster(mesh, faces)
    return _with_colors(best, mesh)


def _hurried(mesh: Mesh, faces: int) -> Mesh:
    """The mesh itself, or one of ``HURRIED`` times the budget where it is very dense."""
    if len(mesh.faces) <= max(LARGE, DENSE * faces):
        return mesh
    points, triangles = _simplified(mesh.vertices, mesh.faces, int(HURRIED * faces), HURRY)
    return Mesh(points, triangles) if len(triangles) else mesh


def _simplified(points: np.ndarray, faces: np.ndarray, target: int, aggressiveness: float) -> Any:
    import fast_simplification

    with _ONE_AT_A_TIME:
        return fast_simplification.simplify(
            np.ascontiguousarray(points, dtype=np.float32),
            np.ascontiguousarray(faces, dtype=np.int32),
            target_count=int(target),
            agg=aggressiveness,
        )


def _collapse(mesh: Mesh, target: int, aggressiveness: float, original: Mesh) -> Mesh | None:
    """fast-simplification, cleaned; None when nothing is left, or when it tore a closed ``original`` open.

    It refuses every collapse that would put three vertices of a face into a line, so a flat part with a regular grid
    of vertices stops it early. Moving vertices a little *within* such a part changes no shape and lets it go on.
    """
    points, triangles = mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32)
    for round_number in range(LOOSENINGS + 1):
        before = len(triangles)
        points, triangles = _simplified(points, triangles, target, aggressiveness)
        if len(triangles) <= target or len(triangles) == 0 or (round_number and len(triangles) > 0.98 * before):
            break
        points = _loosened(points, triangles, round_number)
    tried = _cleaned(Mesh(points.astype(np.float32), triangles.astype(np.int32)))
    if tried is not None and not _closed(tried.faces) and _closed(original.faces):
        return None
    return tried


def _closed(faces: np.ndarray) -> bool:
    return bool((edges(faces).faces == 2).all())


def _loosened(points: np.ndarray, faces: np.ndarray, seed: int) -> np.ndarray:
    """Moves every vertex whose faces nearly lie in one plane within that plane, by less than would turn a face over."""
    normals = face_cross(points, faces)
    area = length(normals)
    total = scatter_sum(faces.reshape(-1), np.repeat(normals, 3, axis=0), len(points))
    around = np.bincount(faces.reshape(-1), weights=np.repeat(area, 3), minlength=len(points))
    flat = length(total) > FLAT * np.maximum(around, 1e-300)
    corners = points.astype(np.float64)[faces]
    perimeter = length(np.roll(corners, -1, axis=1) - corners).sum(axis=1)
    inradius = np.full(len(points), np.inf)
    np.minimum.at(inradius, faces.reshape(-1), np.repeat(area / np.maximum(perimeter, 1e-300), 3))
    rng = np.random.default_rng(seed)
    step = rng.uniform(-1, 1, (len(points), 3))
    up = unit(total)
    step -= np.einsum("ij,ij->i", step, up)[:, None] * up
    reach = np.where(flat & np.isfinite(inradius), 0.5 * inradius, 0.0)
    return (points + reach[:, None] * unit(step)).astype(np.float32)


def _cleaned(mesh: Mesh) -> Mesh | None:
    if len(mesh.faces) == 0:
        return None
    try:
        return clean(mesh, floater_share=0)[0]
    except DamagedMeshError:
        return None


def _cluster(mesh: Mesh, faces: int) -> Mesh:
    """The last resort, for meshes of many parts: merges the vertices in each cell of the finest grid that fits.

    (Rossignac & Borrel 1993.) Should even that not do, the smallest parts go.
    """
    low, extent = mesh.vertices.min(axis=0), float(np.ptp(mesh.vertices, axis=0).max())
    best: Mesh | None = None
    closed = _closed(mesh.faces)
    coarse, fine = 1, 1024
    while fine - coarse > 1:
        cells = (coarse + fine) // 2
        cell = np.floor((mesh.vertices - low) / extent * cells * 0.999999).astype(np.int64)
        key = (cell[:, 0] * (cells + 1) + cell[:, 1]) * (cells + 1) + cell[:, 2]
        _, group = np.unique(key, return_inverse=True)
        size = np.bincount(group)
        middle = np.stack([np.bincount(group, weights=mesh.vertices[:, k]) / size for k in range(3)], axis=1)
        tried = _cleaned(Mesh(middle.astype(np.float32), group[mesh.faces].astype(np.int32)))
        if tried is not None and len(tried.faces) <= faces and (not closed or _closed(tried.faces)):
            best, coarse = tried, cells
        else:
            fine = cells if tried is not None else fine
            coarse = coarse if tried is not None else cells
    return best if best is not None else _largest_parts(mesh, faces)


def _largest_parts(mesh: Mesh, faces: int) -> Mesh:
    count, label = face_components(mesh.faces)
    size = np.bincount(label, minlength=count)
    order = np.argsort(-size, kind="stable")
    kept = order[np.cumsum(size[order]) <= faces]
    if len(kept) == 0:
        raise DamagedMeshError(
            f"the mesh of {len(mesh.faces)} faces cannot be reduced to {faces}", "Ask for more faces."
        )
    return drop_unused(Mesh(mesh.vertices, mesh.faces[np.isin(label, kept)], mesh.colors))


def _with_colors(reduced: Mesh, mesh: Mesh) -> Mesh:
    if mesh.colors is None:
        return Mesh(reduced.vertices, reduced.faces)
    from scipy.spatial import cKDTree

    used = np.unique(mesh.faces)
    _, nearest = cKDTree(mesh.vertices[used]).query(reduced.vertices)
    return Mesh(reduced.vertices, reduced.faces, mesh.colors[used[nearest]])
