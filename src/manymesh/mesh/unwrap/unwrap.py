"""Texture coordinates for a mesh: cut into charts, laid flat, and placed in one square texture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manymesh.errors import DamagedMeshError
from manymesh.mesh.topology import edges
from manymesh.mesh.unwrap.pack import pack
from manymesh.mesh.unwrap.parameterize import parameterize
from manymesh.types import Atlas, Mesh


def unwrap(mesh: Mesh, texture_size: int, *, tick: Callable[[float], None] = lambda share: None) -> Atlas:
    """Cut a mesh into charts and place them in a square texture, all at one texel density.

    Charts are upright as seen from outside (never mirrored), do not overlap, and keep ``pack.padding_px(texture_size)``
    pixels between them. The same mesh always gives the same bytes.

    Args:
        mesh: manifold (see ``clean``); vertices that no face uses are left out.
        texture_size: side of the texture in pixels.
        tick: told the share of the work done, 0..1; may raise to cancel.

    Raises:
        DamagedMeshError: the mesh has no faces.
    """
    if len(mesh.faces) == 0:
        raise DamagedMeshError("a mesh without faces cannot be unwrapped", "Clean it first.")
    layout = parameterize(mesh.vertices, mesh.faces, tick)
    tick(0.75)
    table = edges(layout.corners)
    pixels = pack(layout.flat, layout.corners, table.ends[table.faces != 2], layout.owner, texture_size)
    tick(1.0)
    return Atlas(
        vertices=np.ascontiguousarray(mesh.vertices[layout.source], dtype=np.float32),
        faces=layout.corners.astype(np.int32),
        uv=(pixels / texture_size).astype(np.float32),
        source=layout.source.astype(np.int32),
        method="charts",
    )
