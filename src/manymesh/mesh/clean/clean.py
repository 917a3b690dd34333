"""Makes a mesh from anywhere fit for later stages: finite, manifold, wound outwards, without small components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import DamagedMeshError
from manymesh.mesh.clean.degenerate import remove_slivers
from manymesh.mesh.clean.manifold import make_manifold
from manymesh.mesh.clean.orient import orient
from manymesh.mesh.topology import edges, face_components, face_cross, length
from manymesh.types import Mesh

FLOATER_SHARE = 0.005


def clean(mesh: Mesh, *, floater_share: float = FLOATER_SHARE) -> tuple[Mesh, list[str]]:
    """Repairs a mesh. What is in order stays as it is; a closed surface stays closed.

    In turn: vertices that are not finite go, with their faces; vertices in exactly one place become one; repeated,
    cancelling and degenerate faces go; non-manifold edges and vertices are split; faces are wound outwards; floaters
    (see ``drop_floaters``) and unused vertices go.

    Args:
        mesh: any triangles; colours follow their vertices.
        floater_share: 0 keeps every component.

    Returns:
        The mesh, and one line for people for each repair.

    Raises:
        DamagedMeshError: nothing with an area is left.
    """
    _check_arrays(mesh)
    notes: list[str] = []
    steps = (
        _drop_not_finite,
        _weld,
        _drop_repeated,
        _without_slivers,
        _manifold,
        _oriented,
    )
    for step in steps:
        before = len(mesh.faces)
        mesh, note = step(mesh)
        if before and not len(mesh.faces):
            break
        if note:
            notes.append(note)
    if len(mesh.faces) and floater_share > 0:
        kept = drop_floaters(mesh, share=floater_share)
        if len(kept.faces) < len(mesh.faces):
            notes.append(f"removed floaters of {len(mesh.faces) - len(kept.faces)} faces in all")
        mesh = kept
    mesh = drop_unused(mesh)
    area = 0.5 * length(face_cross(mesh.vertices, mesh.faces)).sum() if len(mesh.faces) else 0.0
    if not area > 0:
        raise DamagedMeshError(
            "the mesh has no surface left after cleaning", "Try another seed, or another photo of the object."
        )
    return mesh, notes


def drop_floaters(mesh: Mesh, *, share: float = FLOATER_SHARE) -> Mesh:
    """Removes the components that have fewer faces than ``share`` of the *largest component's* faces.

    Faces belong together when they share an edge. The measure is the face count, not the area: a surface extracted
    from a grid has faces of one size everywhere, and this is the rule of Hunyuan3D-2's own pipeline. Unused vertices
    go too.
    """
    count, label = face_components(mesh.faces)
    if count <= 1:
        return drop_unused(mesh)
    sizes = np.bincount(label, minlength=count)
    keep = sizes >= share * sizes.max()
    return drop_unused(_with_faces(mesh, mesh.faces[keep[label]]))


def drop_unused(mesh: Mesh) -> Mesh:
    """The mesh without vertices that no face uses; the others keep their order."""
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.faces] = True
    if used.all():
        return mesh
    number = (np.cumsum(used) - 1).astype(np.int32)
    return Mesh(mesh.vertices[used], number[mesh.faces], None if mesh.colors is None else mesh.colors[used])


def _check_arrays(mesh: Mesh) -> None:
    if (
        mesh.vertices.ndim != 2
        or mesh.vertices.shape[1:] != (3,)
        or mesh.faces.ndim != 2
        or mesh.faces.shape[1:] != (3,)
    ):
        raise DamagedMeshError(
            f"a mesh has vertices (n, 3) and faces (m, 3), not {mesh.vertices.shape} and {mesh.faces.shape}"
        )
    if len(mesh.faces) == 0 or len(mesh.vertices) == 0:
        raise DamagedMeshError("the mesh is empty", "Try another seed, or another photo of the object.")


def _with_faces(mesh: Mesh, faces: np.ndarray) -> Mesh:
    return Mesh(mesh.vertices, np.ascontiguousarray(faces, dtype=np.int32), mesh.colors)


def _drop_not_finite(mesh: Mesh) -> tuple[Mesh, str]:
    in_range = np.all((mesh.faces >= 0) & (mesh.faces < len(mesh.vertices)), axis=1)
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(mesh.vertices).all(axis=1))
    good: NDArray[np.bool_] = in_range & finite[np.where(in_range[:, None], mesh.faces, 0)].all(axis=1)
    if good.all() and finite.all():
        return mesh, ""
    # Unused bad vertices go here and not at the end, because the box's size is asked for before.
    kept = drop_unused(_with_faces(mesh, mesh.faces[good]))
    return kept, f"removed {len(good) - int(good.sum())} faces with numbers that are not finite or not there"


def _weld(mesh: Mesh) -> tuple[Mesh, str]:
    """Vertices in exactly the same place become the first of them. Closes surfaces whose faces share no vertices."""
    # + 0.0 turns -0.0 into 0.0, which compares equal but has other bytes.
    rows = np.ascontiguousarray(mesh.vertices.astype(np.float32) + np.float32(0)).view(np.uint32)
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))
    same = (rows[order[1:]] == rows[order[:-1]]).all(axis=1)
    if not same.any():
        return mesh, ""
    # lexsort is stable, so the first of each group is its lowest number.
    leader = np.maximum.accumulate(np.where(np.append(True, ~same), np.arange(len(order)), 0))
    merged = np.empty(len(order), dtype=np.int32)
    merged[order] = order[leader]
    return _with_faces(mesh, merged[mesh.faces]), f"merged {int(same.sum())} vertices that lay on others"


def _drop_repeated(mesh: Mesh) -> tuple[Mesh, str]:
    """Drops faces that use a vertex twice, pairs of faces back to back, and repeats of a face."""
    a, b, c = mesh.faces.T
    proper = (a != b) & (b != c) & (c != a)
    faces = mesh.faces if proper.all() else mesh.faces[proper]
    kept = without_repeats(faces)
    removed = len(mesh.faces) - len(kept)
    return (_with_faces(mesh, kept), f"removed {removed} repeated or degenerate faces") if removed else (mesh, "")


def without_repeats(faces: np.ndarray) -> np.ndarray:
    """Settles faces on the same three vertices: opposite ones cancel, of equal ones the first stays.

    Taking one of two equal faces out can tear a closed surface open, so there they both stay.
    """
    low, high = faces.min(axis=1, initial=2**31 - 1), faces.max(axis=1, initial=-1)
    middle = faces.sum(axis=1, dtype=np.int64) - low - high
    size = int(high.max(initial=0)) + 1
    pair, group = np.unique(low * np.int64(size) + middle, return_inverse=True)
    key = group.astype(np.int64) * size + high if len(pair) else group.astype(np.int64)
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    if not same.any():
        return faces
    group = np.cumsum(np.append(True, ~same)) - 1
    # A face's sense: whether its vertices ascend once the smallest stands first.
    turn = (np.argmin(faces, axis=1)[:, None] + [1, 2]) % 3
    second = np.take_along_axis(faces, turn, axis=1)
    sense = np.where(second[:, 0] < second[:, 1], 1, -1)[order]
    net = np.bincount(group, weights=sense).astype(np.int64)
    wanted = np.where(np.bincount(group) > 1, np.minimum(np.abs(net), 1), 1)
    if np.bincount(group)[wanted == 0].sum() > len(faces) / 2:
        wanted[:] = 1  # a sheet drawn from both sides: one side is better than nothing
    agrees = np.where(net[group] < 0, -1, 1) == sense
    single: np.ndarray = faces[np.sort(order[_first_of_each(group, agrees, wanted)])]
    if (np.abs(net) > 1).any() and _closed(faces) and not _closed(single):
        single = faces[np.sort(order[_first_of_each(group, agrees, np.abs(net))])]
    return single


def _first_of_each(group: np.ndarray, allowed: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Positions of the first ``wanted[g]`` allowed members of each group g; ``group`` ascends."""
    before = np.cumsum(allowed) - allowed
    start = before[np.searchsorted(group, np.arange(len(wanted)))]
    return np.flatnonzero(allowed & (before - start[group] < wanted[group]))


def _closed(faces: np.ndarray) -> bool:
    return bool((edges(faces).balance == 0).all())


def _without_slivers(mesh: Mesh) -> tuple[Mesh, str]:
    faces, count = remove_slivers(mesh.vertices, mesh.faces)
    if not count:
        return mesh, ""
    mesh, _ = _drop_repeated(_with_faces(mesh, faces))
    return mesh, f"removed {count} faces without area"


def _manifold(mesh: Mesh) -> tuple[Mesh, str]:
    # Which faces belong together at a crowded edge is read from their winding, so this comes first.
    mesh = _with_faces(mesh, orient(mesh.vertices, mesh.faces)[0])
    vertices, faces, source = make_manifold(mesh.vertices, mesh.faces)
    if len(vertices) == len(mesh.vertices) and faces.shape == mesh.faces.shape and np.array_equal(faces, mesh.faces):
        return mesh, ""
    colors = None if mesh.colors is None else mesh.colors[source]
    crowded = int((edges(mesh.faces).faces > 2).sum())
    return Mesh(vertices, faces, colors), f"split {crowded} edges of more than two faces, and vertices like them"


def _oriented(mesh: Mesh) -> tuple[Mesh, str]:
    faces, turned = orient(mesh.vertices, mesh.faces)
    return (_with_faces(mesh, faces), f"turned {turned} faces that were wound inwards") if turned else (mesh, "")
