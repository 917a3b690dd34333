"""Fewer triangles, same shape (quadric edge collapse, Garland & Heckbert 1997, by fast-simplification)."""

from __future__ import annotations

import numpy as np

from manymesh.errors import DamagedMeshError
from manymesh.mesh.clean import clean, drop_unused
from manymesh.mesh.topology import face_components
from manymesh.types import Mesh

AGGRESSIVENESS = (5.0, 7.0, 9.0)  # fast-simplification's scale; the lowest keeps the shape best and may stop early
CLOSE = 0.97  # of the budget: nearer than that is not worth a second try


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
    for aggressiveness in AGGRESSIVENESS:
        target = faces
        for _ in range(3):
            tried = _collapse(mesh, target, aggressiveness)
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


def _collapse(mesh: Mesh, target: int, aggressiveness: float) -> Mesh | None:
    """One run of fast-simplification, cleaned; None when nothing is left."""
    import fast_simplification

    points, triangles = fast_simplification.simplify(
        np.ascontiguousarray(mesh.vertices, dtype=np.float32),
        np.ascontiguousarray(mesh.faces, dtype=np.int32),
        target_count=int(target),
        agg=aggressiveness,
    )
    return _cleaned(Mesh(points.astype(np.float32), triangles.astype(np.int32)))


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
    coarse, fine = 1, 1024
    while fine - coarse > 1:
        cells = (coarse + fine) // 2
        cell = np.floor((mesh.vertices - low) / extent * cells * 0.999999).astype(np.int64)
        key = (cell[:, 0] * (cells + 1) + cell[:, 1]) * (cells + 1) + cell[:, 2]
        _, group = np.unique(key, return_inverse=True)
        size = np.bincount(group)
        middle = np.stack([np.bincount(group, weights=mesh.vertices[:, k]) / size for k in range(3)], axis=1)
        tried = _cleaned(Mesh(middle.astype(np.float32), group[mesh.faces].astype(np.int32)))
        if tried is not None and len(tried.faces) <= faces:
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
