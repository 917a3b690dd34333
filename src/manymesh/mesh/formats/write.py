"""Every file format, by name."""

from __future__ import annotations

from collections.abc import Callable

from manymesh.errors import UsageError
from manymesh.mesh.formats.glb import check_writable, write_glb
from manymesh.mesh.formats.obj import write_obj
from manymesh.mesh.formats.placement import FileFrame, Placement, in_frame, longest_side
from manymesh.mesh.formats.ply import write_ply
from manymesh.mesh.formats.stl import write_stl
from manymesh.mesh.formats.threemf import write_3mf
from manymesh.naming import clean_name, slug
from manymesh.types import Mesh, TexturedMesh

__all__ = ["WRITERS", "write"]


def _glb(shape: Mesh | TexturedMesh, stem: str, name: str, frame: FileFrame) -> dict[str, bytes]:
    return {f"{stem}.glb": write_glb(shape, name=name, scale=frame.scale)}


WRITERS: dict[str, Callable[[Mesh | TexturedMesh, str, str, FileFrame], dict[str, bytes]]] = {
    "glb": _glb,
    "obj": write_obj,
    "stl": write_stl,
    "ply": write_ply,
    "3mf": write_3mf,
}


def write(
    shape: Mesh | TexturedMesh, file_format: str, *, stem: str, name: str = "", frame: FileFrame | None = None
) -> dict[str, bytes]:
    """A mesh's files in one format: file name -> bytes, the main file first. Same input, same bytes.

    Args:
        shape: any, +Y up.
        file_format: a key of ``WRITERS``.
        stem: becomes ``slug(stem)`` plus the format's endings.
        name: the label inside the file; the stem when empty.
        frame: of this file, as ``Placement.in_file`` gives it; None for a mesh in the canonical frame and no wishes.

    Raises:
        UsageError: no such format.
        DamagedMeshError: the mesh has no faces or numbers that are not finite.
    """
    if file_format not in WRITERS:
        raise UsageError(f"there is no format '{file_format}'", f"Choose from {', '.join(WRITERS)}.")
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    label = clean_name(name or stem)
    check_writable(label, geometry.vertices, geometry.faces)
    frame = frame or Placement().in_file(file_format, longest_side(shape))
    return WRITERS[file_format](in_frame(shape, file_format, frame), slug(stem), label, frame)
