"""Binary STL: triangles alone."""

from __future__ import annotations

import numpy as np

from manymesh.mesh.formats.placement import FileFrame, comment
from manymesh.mesh.topology import face_cross, unit
from manymesh.types import Mesh, TexturedMesh

HEADER = b"manymesh"  # must not begin with "solid", which marks the text form
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write_stl(shape: Mesh | TexturedMesh, stem: str, name: str, frame: FileFrame) -> dict[str, bytes]:
    """The file STEM.stl, its frame in the header. Colour and names are lost; STL has none."""
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    triangles = np.zeros(len(geometry.faces), dtype=TRIANGLE)
    triangles["normal"] = unit(face_cross(geometry.vertices, geometry.faces))
    triangles["corners"] = geometry.vertices[geometry.faces]
    count = np.uint32(len(triangles)).astype("<u4").tobytes()
    header = HEADER + f" {comment(frame)}".encode("ascii")
    return {f"{stem}.stl": header.ljust(80, b"\0") + count + triangles.tobytes()}
