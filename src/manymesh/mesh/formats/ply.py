"""Binary PLY: normals, vertex colours, texture coordinates."""

from __future__ import annotations

import numpy as np

from manymesh.mesh.formats.placement import FileFrame, comment
from manymesh.mesh.formats.sample import sample
from manymesh.mesh.normals import vertex_normals
from manymesh.types import Atlas, Mesh, TexturedMesh

FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])


def write_ply(shape: Mesh | TexturedMesh, stem: str, name: str, frame: FileFrame) -> dict[str, bytes]:
    """The file STEM.ply, its frame in a comment.

    A textured mesh has the texture's colour at each vertex, and its texture coordinates as ``s``, ``t`` with the origin
    in the lower left corner, as PLY's readers have it.
    """
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    shift = geometry.translation if isinstance(geometry, Atlas) else (0.0, 0.0, 0.0)
    far = any(shift)
    places = geometry.vertices.astype(np.float64) + shift if far else geometry.vertices
    number = ("<f8", "double") if far else ("<f4", "float")
    columns: list[tuple[str, str, str]] = [(axis, *number) for axis in ("x", "y", "z")]
    columns += [(axis, "<f4", "float") for axis in ("nx", "ny", "nz")]
    values = [*places.T, *vertex_normals(geometry).T]
    colors = sample(shape.base_color, shape.atlas.uv) if isinstance(shape, TexturedMesh) else shape.colors
    if isinstance(shape, TexturedMesh):
        columns += [("s", "<f4", "float"), ("t", "<f4", "float")]
        values += [shape.atlas.uv[:, 0], 1 - shape.atlas.uv[:, 1]]
    if colors is not None:
        columns += [(channel, "u1", "uchar") for channel in ("red", "green", "blue")]
        values += [*colors.T]
    vertices = np.zeros(len(geometry.vertices), dtype=[(field, kind) for field, kind, _ in columns])
    for (field, _, _), value in zip(columns, values, strict=True):
        vertices[field] = value
    faces = np.zeros(len(geometry.faces), dtype=FACE)
    faces["count"], faces["corners"] = 3, geometry.faces
    header = ["ply", "format binary_little_endian 1.0", f"comment manymesh, {comment(frame)}"]
    header += [f"element vertex {len(vertices)}"]
    header += [f"property {word} {field}" for field, _, word in columns]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]
    return {f"{stem}.ply": "\n".join(header).encode("ascii") + vertices.tobytes() + faces.tobytes()}
