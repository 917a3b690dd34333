"""What is true of a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.mesh.topology import (
    corner_fans,
    edges,
    face_components,
    face_cross,
    length,
    simple_pairs,
    six_volumes,
    used_vertices,
)
from manymesh.types import Mesh


@dataclass(frozen=True)
class MeshFacts:
    """Attributes:
    vertices, faces: counts; vertices that no face uses are not counted.
    finite: every coordinate is a number.
    watertight: exactly two faces meet at every edge.
    manifold_edges: at most two faces meet at every edge.
    manifold_vertices: the faces around every vertex form one fan.
    winding: neighbours agree on the direction of their shared edge.
    outward: the volume is positive (meaningful where watertight and winding hold).
    euler: vertices - edges + faces.
    genus: handles in all, where watertight, manifold and winding hold, else None.
    components: parts joined across edges.
    degenerate: faces with a repeated vertex or no area.
    area, volume: in the mesh's units; the volume is signed.
    """

    vertices: int
    faces: int
    finite: bool
    watertight: bool
    manifold_edges: bool
    manifold_vertices: bool
    winding: bool
    outward: bool
    euler: int
    genus: int | None
    components: int
    degenerate: int
    area: float
    volume: float

    @property
    def manifold(self) -> bool:
        return self.manifold_edges and self.manifold_vertices

    @property
    def solid(self) -> bool:
        """Closed, manifold, wound outwards: can be printed."""
        return self.finite and self.watertight and self.manifold and self.winding and self.outward

    @property
    def is_sound(self) -> bool:
        """Solid, in one part, every face with an area: cleaning would find nothing to do."""
        return self.solid and self.components == 1 and self.degenerate == 0


def inspect(mesh: Mesh) -> MeshFacts:
    """Counts and tests on a mesh's faces; nothing is merged or repaired before."""
    finite = bool(np.isfinite(mesh.vertices).all())
    if len(mesh.faces) == 0:
        return MeshFacts(0, 0, finite, False, True, True, True, False, 0, None, 0, 0, 0.0, 0.0)
    table = edges(mesh.faces)
    used = len(used_vertices(mesh.faces))
    count, _ = face_components(mesh.faces, table)
    fans, _ = corner_fans(mesh.faces, simple_pairs(table))
    double_area = length(face_cross(mesh.vertices, mesh.faces))
    volume = float(six_volumes(mesh.vertices, mesh.faces).sum() / 6)
    watertight = bool((table.faces == 2).all())
    manifold_edges = bool((table.faces <= 2).all())
    winding = bool((table.balance[table.faces == 2] == 0).all()) and manifold_edges
    euler = used - len(table.ends) + len(mesh.faces)
    closed = watertight and fans == used and winding
    a, b, c = mesh.faces.T
    return MeshFacts(
        vertices=used,
        faces=len(mesh.faces),
        finite=finite,
        watertight=watertight,
        manifold_edges=manifold_edges,
        manifold_vertices=fans == used,
        winding=winding,
        outward=volume > 0,
        euler=euler,
        genus=count - euler // 2 if closed else None,
        components=count,
        degenerate=int(((a == b) | (b == c) | (c == a) | ~(double_area > 0)).sum()),
        area=float(double_area.sum() / 2),
        volume=volume,
    )
