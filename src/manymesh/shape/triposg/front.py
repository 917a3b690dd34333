"""Which way the shapes face: their axes, and whether the front shows what the cutout shows or its mirror image."""

from __future__ import annotations

import numpy as np

from manymesh.types import U8, Camera, Mesh

# The axes of the canonical frame (+X the picture's right, +Y up, +Z towards the viewer) in those of the network: one
# row each. Three independent users of the weights report that they are the same.
AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
# Outlines are compared on a grid of this many pixels a side. Chosen by hand; not measured.
_COMPARE_PX = 64
# How much better the mirrored cutout must agree before people are told. Chosen by hand; not measured on real weights.
_CLEARLY = 0.1


def canonical_axes(mesh: Mesh) -> Mesh:
    """The mesh in the canonical frame's axes. A change of handedness reverses the faces."""
    axes = np.array(AXES)
    if np.array_equal(axes, np.eye(3)):
        return mesh
    faces = mesh.faces if np.linalg.det(axes) > 0 else mesh.faces[:, ::-1].copy()
    return Mesh((mesh.vertices @ axes.T).astype(np.float32), faces)


def mirror_note(mesh: Mesh, view: Camera, alpha: U8) -> str:
    """A sentence for people where the shape's front agrees clearly better with the cutout's mirror image, else "".

    Args:
        mesh: in the canonical frame.
        view: its camera on the cutout.
        alpha: (H, W) uint8 of the cutout.
    """
    seen, shown = front_outline(mesh, view, alpha.shape[0], alpha.shape[1]), cutout_outline(alpha)
    as_it_is, mirrored = overlap(seen, shown), overlap(mirror(seen), shown)
    if mirrored < as_it_is + _CLEARLY:
        return ""
    return (
        f"The shape's front looks like the cutout's mirror image: outlines agree by {100 * mirrored:.0f}% mirrored, "
        f"by {100 * as_it_is:.0f}% as they are."
    )


def front_outline(mesh: Mesh, view: Camera, height: int, width: int) -> np.ndarray:
    """(P, P) bool: where the mesh falls in the cutout's box of pixels.

    Vertices stand for the surface: marching cubes puts many into each of these pixels.

    Args:
        view: its camera on the cutout.
        height, width: of the cutout.
    """
    from manymesh.render.camera import project

    columns, rows = project(view, mesh.vertices, width, height)[0].T
    return _pixels(columns / width, rows / height)


def cutout_outline(alpha: U8) -> np.ndarray:
    """(P, P) bool: the object's pixels, on the same grid."""
    rows, columns = np.nonzero(alpha > 127)
    return _pixels((columns + 0.5) / alpha.shape[1], (rows + 0.5) / alpha.shape[0])


def _pixels(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    inside = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
    made = np.zeros((_COMPARE_PX, _COMPARE_PX), bool)
    made[(y[inside] * _COMPARE_PX).astype(int), (x[inside] * _COMPARE_PX).astype(int)] = True
    return made


def mirror(outline: np.ndarray) -> np.ndarray:
    """Left and right exchanged about the middle of the outline's own box: where the object is does not matter."""
    columns = np.flatnonzero(outline.any(axis=0))
    made = np.zeros_like(outline)
    if len(columns):
        made[:, columns[0] : columns[-1] + 1] = outline[:, columns[0] : columns[-1] + 1][:, ::-1]
    return made


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union, 0..1."""
    union = int((one | other).sum())
    return float((one & other).sum() / union) if union else 0.0
