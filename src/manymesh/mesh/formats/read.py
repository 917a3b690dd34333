"""Reads a mesh that a user brings: GLB, glTF, OBJ, PLY, STL or 3MF, from anywhere, so nothing in it is trusted.

Files are bounded in size before they are opened and in what they claim before anything is made of it. Of the files that
a glTF file names, those beside it are read (``gltf_beside``); those that an OBJ names never are. Pictures are not
decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from manymesh.errors import InputError
from manymesh.mesh.formats.gltf import parse_gltf
from manymesh.mesh.formats.gltf_beside import Beside, with_pictures
from manymesh.mesh.formats.gltf_extensions import readable
from manymesh.mesh.formats.gltf_scene import read_scene
from manymesh.mesh.formats.read_3mf import read_3mf
from manymesh.mesh.formats.read_obj import read_obj
from manymesh.mesh.formats.read_ply import read_ply
from manymesh.mesh.formats.read_stl import read_stl
from manymesh.mesh.formats.user_mesh import DamagedFileError, UserMesh, check_face_count

MAX_FILE_BYTES = 512 * 1024**2


def read_gltf(data: bytes, name: str, beside: Beside | None = None) -> UserMesh:
    """The mesh of a GLB or glTF file, with what lies beside it; errors as those of ``read_mesh``'s readers."""
    if beside is None:
        return read_scene(readable(parse_gltf(data, name), name), name)
    source = with_pictures(parse_gltf(data, name, beside.read), beside)
    return read_scene(readable(source, name), name)


READERS: dict[str, Callable[[bytes, str], UserMesh]] = {
    ".glb": read_gltf,
    ".gltf": read_gltf,
    ".obj": read_obj,
    ".ply": read_ply,
    ".stl": read_stl,
    ".3mf": read_3mf,
}


# What downloads often are in a mesh's place: how they begin, what to call them, what to do.
NO_MESHES = (
    ((b"<!doctype html", b"<html"), "a web page", "Download the file itself"),
    ((b"version https://git-lfs",), "a pointer of Git LFS", "Fetch the file itself with 'git lfs pull'"),
    ((b"kaydara fbx binary", b"; fbx "), "an FBX file", "Export it as GLB"),
)
# How files of some formats begin, whatever they are called.
BEGINNINGS = {b"glTF": (".glb", ".gltf"), b"ply\n": (".ply",), b"ply\r": (".ply",), b"PK\x03\x04": (".3mf",)}


def read_mesh(path: Path) -> UserMesh:
    """The mesh in a file.

    Raises:
        InputError: not there, not one of the formats, too large, damaged, or without triangles.
        MissingPieceError: it takes a library that is not installed.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"'{path}' is not a mesh that can be read", f"Give one of: {', '.join(READERS)}")
    data = _bytes(path)
    _check_kind(path, data[:512])
    try:
        if reader is read_gltf:
            mesh = read_gltf(data, path.name, Beside(path, MAX_FILE_BYTES - len(data)))
        else:
            mesh = reader(data, path.name)
    except DamagedFileError as error:
        raise InputError(f"'{path}' {error}", "Export it again") from error
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError, struct.error) as error:
        # Fields of another type than the format has: readers do not ask for the type of each.
        what = f"{type(error).__name__}: {str(error)[:120]}"
        raise InputError(f"'{path}' cannot be read as {path.suffix[1:].upper()} ({what})", "Export it again") from error
    if not len(mesh.faces):
        raise InputError(f"'{path}' holds no triangles", "Export it again, as a mesh")
    check_face_count(len(mesh.faces), path.name)
    if not np.isfinite(mesh.positions[mesh.faces.reshape(-1)]).all():
        raise InputError(f"'{path}' has coordinates that are not numbers", "Repair it first")
    return mesh


def _check_kind(path: Path, start: bytes) -> None:
    """Raises InputError where a file's first bytes say that it is no mesh, or of another kind than its name says."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for begins, what, hint in NO_MESHES:
        if text.startswith(begins):
            raise InputError(f"'{path}' is {what}, not a mesh", hint)
    for begin, endings in BEGINNINGS.items():
        if start.startswith(begin) and path.suffix.lower() not in endings:
            raise InputError(f"'{path}' is a {endings[0][1:].upper()} file by its content", f"Name it {endings[0]}")


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_dir() and not path.is_file():
            raise InputError(f"'{path}' is not a file but a pipe or a device", "Save the mesh to a file first")
        if path.is_dir() or size == 0:
            raise InputError(f"'{path}' is {'a folder' if path.is_dir() else 'empty'}", "Give a mesh file")
        if size > MAX_FILE_BYTES:
            raise InputError(f"'{path}' has {size >> 20} MiB; the limit is {MAX_FILE_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror or error})", "Check the path") from None
