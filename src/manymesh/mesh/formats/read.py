"""Reads a mesh that a user brings: GLB, OBJ, PLY or STL, from anywhere, so nothing in it is trusted.

Files are bounded in size before they are opened and in what they claim before anything is made of it; nothing beside
the file is ever read (an OBJ may name other files), and pictures inside are never decoded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.errors import InputError
from manymesh.mesh.formats.gltf_file import FAULTS, GltfFile
from manymesh.mesh.formats.gltf_read import GltfPart, joined, read_gltf
from manymesh.types import F32, F64, I32

MAX_FILE_BYTES = 512 * 1024**2
MAX_FACES = 2_000_000
KINDS = {".glb": "glb", ".obj": "obj", ".ply": "ply", ".stl": "stl"}


@dataclass(frozen=True)
class Brought:
    """A mesh as it was found.

    Attributes:
        vertices: (n, 3) float64, the file's own coordinates (a scene's nodes are put where they stand).
        faces: (m, 3) int32.
        uv: (n, 2) float32, glTF's origin, inside [0, 1]; None where the file has none that can be used.
        notes: what people should know.
        layouts: (m,) int32, for each face which texture image its coordinates belong to; None where there is one.
        gltf: of a GLB file, what was read and its primitives in order, so that a copy of it can be painted.
    """

    vertices: F64
    faces: I32
    uv: F32 | None
    notes: tuple[str, ...] = ()
    layouts: I32 | None = None
    gltf: tuple[GltfFile, tuple[GltfPart, ...]] | None = None


def read_mesh(path: Path) -> Brought:
    """The mesh in a file.

    Raises:
        InputError: not there, not one of the formats, too large, damaged, or without triangles.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"'{path}' is not a mesh that can be read", f"Give one of: {', '.join(KINDS)}")
    data = _bytes(path)
    if kind == "glb":
        return _read_glb(path, data)
    parts = _parts(path, data, kind)
    faces_in_all = sum(len(faces) for _, faces, _ in parts)
    if not faces_in_all:
        raise InputError(f"'{path}' holds no triangles", "Export it again, as a mesh")
    if faces_in_all > MAX_FACES:
        raise InputError(f"'{path}' has {faces_in_all} faces; the limit is {MAX_FACES}", "Reduce it first")
    notes: list[str] = []
    uv = _joined_uv(parts, notes)
    start = np.cumsum([0, *(len(vertices) for vertices, _, _ in parts)])
    faces = np.concatenate([part + offset for (_, part, _), offset in zip(parts, start, strict=False)])
    vertices = np.concatenate([vertices for vertices, _, _ in parts])
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(f"'{path}' is damaged: its faces name vertices that it lacks", "Export it again")
    if not np.isfinite(vertices).all():
        raise InputError(f"'{path}' has coordinates that are not numbers", "Repair it first")
    return Brought(vertices, faces.astype(np.int32), uv, tuple(notes))


def _read_glb(path: Path, data: bytes) -> Brought:
    """The mesh in a GLB file, with what is needed to paint a copy of the file."""
    try:
        file = GltfFile(data)
        parts, notes = read_gltf(file, MAX_FACES)
    except InputError as error:
        raise InputError(f"'{path}' cannot be read: {error.what}", error.hint) from None
    except FAULTS as error:
        reason = str(error)[:160] or type(error).__name__
        raise InputError(f"'{path}' is not a GLB file that can be read ({reason})", "Export it again") from error
    parts = [part for part in parts if len(part.faces)]
    if not parts:
        raise InputError(f"'{path}' holds no triangles", "Export it again, as a mesh")
    vertices, faces = joined(parts)
    if not np.isfinite(vertices).all():
        raise InputError(f"'{path}' has coordinates that are not numbers", "Repair it first")
    uv = None
    found = [part.uv for part in parts if part.uv is not None]
    if len(found) == len(parts):
        uv = _inside(np.concatenate(found), notes)
    elif found:
        notes.append("Some parts of the file have no texture coordinates, so new ones were made for all.")
    return Brought(vertices, faces, uv, tuple(notes), _layouts(file, parts), (file, tuple(parts)))


def _layouts(file: GltfFile, parts: list[GltfPart]) -> I32 | None:
    """For each face the number of the texture image of its material, or of the material where it has no image."""
    names = []
    for part in parts:
        look = {} if part.material is None else file.item("materials", part.material).get("pbrMetallicRoughness", {})
        info = look.get("baseColorTexture")
        source = None if info is None else file.item("textures", info["index"]).get("source")
        names.append(("image", source) if source is not None else ("material", part.material))
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    if len(number) == 1:
        return None
    counts = [len(part.faces) for part in parts]
    return np.repeat(np.array([number[name] for name in names], np.int32), counts)


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir() or size == 0:
            raise InputError(f"'{path}' is {'a folder' if path.is_dir() else 'empty'}", "Give a mesh file")
        if size > MAX_FILE_BYTES:
            raise InputError(f"'{path}' has {size >> 20} MiB; the limit is {MAX_FILE_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror or error})", "Check the path") from None


def _parts(path: Path, data: bytes, kind: str) -> list[tuple[F64, Any, Any]]:
    """(vertices, faces, uv or None) of every geometry, where it stands."""
    import trimesh

    found = []
    try:
        # From bytes and without a resolver: whatever other files it names are out of reach.
        scene = trimesh.load_scene(io.BytesIO(data), file_type=kind, process=False)
        for node in sorted(scene.graph.nodes_geometry):
            matrix, name = scene.graph[node]
            geometry = scene.geometry[name]
            if not isinstance(geometry, trimesh.Trimesh):
                continue
            vertices = trimesh.transform_points(np.asarray(geometry.vertices, np.float64), matrix)
            faces = np.asarray(geometry.faces, np.int64)
            if np.linalg.det(matrix[:3, :3]) < 0:
                faces = faces[:, ::-1]
            uv = getattr(geometry.visual, "uv", None)
            usable = uv is not None and np.shape(uv) == (len(vertices), 2)
            found.append((vertices, faces, np.asarray(uv, np.float32) if usable else None))
            if sum(len(part) for _, part, _ in found) > MAX_FACES:
                break
    except InputError:
        raise
    except Exception as error:  # whatever a reader of damaged data raises, the file is at fault
        raise InputError(
            f"'{path}' cannot be read as {kind.upper()} ({type(error).__name__}: {str(error)[:120]})", "Export it again"
        ) from error
    return found


def _joined_uv(parts: list[tuple[F64, Any, Any]], notes: list[str]) -> F32 | None:
    """All parts' texture coordinates, v downwards; None where they cannot be kept."""
    have = [uv for _, _, uv in parts if uv is not None]
    if not have:
        return None
    if len(parts) > 1:
        notes.append("The file holds several meshes, each with a texture of its own, so new coordinates were made.")
        return None
    uv = have[0].copy()
    uv[:, 1] = 1 - uv[:, 1]
    return _inside(uv, notes)


def _inside(uv: F32, notes: list[str]) -> F32 | None:
    """The coordinates, if all of them lie inside the texture."""
    if not np.isfinite(uv).all() or uv.min() < -1e-4 or uv.max() > 1 + 1e-4:
        notes.append("The file's texture coordinates leave the texture, so new ones were made.")
        return None
    clipped: F32 = np.clip(uv, 0, 1)
    return clipped
