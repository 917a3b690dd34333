"""scene.glb: every object where it stood in the photo.

Left, right, up, down and size come from the photo. How far away an object is cannot be read from one picture: all stand
side by side in one plane, upright, with the side to the viewer that the photo shows. That is the guess, and
``docs/frames.md`` says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.mesh.formats.glb import join_glb
from manymesh.render.camera import pixel_footprint, project
from manymesh.run.artifacts import final_role, load_view
from manymesh.run.folder import Run
from manymesh.run.manifest import ObjectRecord
from manymesh.types import F32, F64, Box, Camera, Mesh


def scene(run: Run, records: Sequence[ObjectRecord]) -> bytes:
    """A GLB with one named node an object. The photo's longer side is 2 units, its centre the origin, +Y up."""
    photo = run.manifest.input
    nodes: list[tuple[str, F64, bytes]] = []
    for record in records:
        role = final_role(record)
        shape = run.load(record, role)
        vertices = shape.vertices if isinstance(shape, Mesh) else shape.atlas.vertices
        matrix = placement(vertices, load_view(record), record.window, photo.width, photo.height)
        nodes.append((record.label, matrix, run.read(record.files[role])))
    return join_glb(nodes)


def placement(vertices: F32, view: Camera, window: Box, width: int, height: int) -> F64:
    """(4, 4) matrix from an object's own frame to the scene's.

    Args:
        vertices: (n, 3), the object's.
        view: the camera that lays it over its cutout.
        window: the part of the photo that the cutout covers.
        width, height: of the photo, in pixels.
    """
    pixels, _ = project(view, vertices, window.width, window.height)
    low, high = pixels.min(0), pixels.max(0)
    turn = _turned_to_viewer(view)
    turned = vertices.astype(np.float64) @ turn.T
    centre = (turned.max(0) + turned.min(0)) / 2
    unit = 2.0 / max(width, height)
    scale = unit / float(pixel_footprint(view, (centre @ turn)[None], window.height)[0])
    centre_px = (low + high) / 2 + (window.x0, window.y0)
    matrix = np.eye(4)
    matrix[:3, :3] = scale * turn
    matrix[:3, 3] = np.array([(centre_px[0] - width / 2) * unit, (height / 2 - centre_px[1]) * unit, 0.0])
    matrix[:3, 3] -= scale * centre
    return matrix


def _turned_to_viewer(view: Camera) -> F64:
    """(3, 3) turn about the vertical after which the side that the camera saw looks along +Z.

    A shape stage may give meshes that face +Z with their own front; in the scene they stand as the photo shows them.
    """
    x, _, z = np.linalg.inv(view.world_to_camera)[:3, 2]
    length = float(np.hypot(x, z))
    if length < 1e-6:  # seen from straight above
        return np.eye(3)
    x, z = x / length, z / length
    return np.array([[z, 0.0, -x], [0.0, 1.0, 0.0], [x, 0.0, z]])
