"""In which unit, at which size and with which axis up a mesh is written, and the sentence that says so.

GLB and 3MF state their frame: GLB is in metres with +Y up, 3MF in a unit that it names with +Z up. There the size is a
scale in the file's node or build item. The vertices stay as they are, because every later step reads them from the GLB
in the canonical frame, and because a painted GLB is to keep the bytes of the user's own. OBJ, PLY and STL state nothing
and have no nodes: their numbers themselves are scaled and turned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from manymesh.types import F64, Atlas, Mesh, TexturedMesh
from manymesh.units import METRES, Up, short_name

# The unit of the numbers in each format once a size is asked for: what programs that read them take. Viewers and game
# engines read OBJ and PLY as they read glTF; slicers read STL in millimetres.
UNIT = {"glb": "m", "obj": "m", "ply": "m", "stl": "mm", "3mf": "mm"}
# The longest side of a 3MF file's object where nobody has said how large it is. By eye: it fits on every printer.
PRINT_MM = 100.0
# Rows for column vectors: +Y up to +Z up.
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


@dataclass(frozen=True)
class FileFrame:
    """How the numbers of a mesh become those of one file.

    Attributes:
        scale: factor from the mesh's numbers to the file's (GLB, 3MF: to what the file shows).
        up: the axis that is up in the file.
        own_up: the axis that is up in the mesh's own numbers.
        unit: short name of the file's unit; "" where nobody knows it.
        assumed: the mesh states no unit, and its numbers are taken for the file's.
        on_plate: 3MF: stand the object on the plate (z = 0) instead of leaving it at its place.
    """

    scale: float = 1.0
    up: Up = "y"
    unit: str = ""
    on_plate: bool = False
    assumed: bool = False
    own_up: Up = "y"

    @property
    def rotation(self) -> F64:
        """(3, 3) for column vectors, from the mesh's axes to the file's: what turns normals."""
        return turned_up(self.own_up, self.up)

    @property
    def changes(self) -> bool:
        """Whether a file's numbers differ from the mesh's own."""
        return self.scale != 1.0 or self.up != self.own_up

    @property
    def matrix(self) -> F64:
        """(3, 3) for column vectors, from the mesh's numbers to the file's."""
        return self.scale * self.rotation


def turned_up(before: Up, after: Up) -> F64:
    """(3, 3) for column vectors: what brings one axis up that points to the viewer, or the other way round."""
    if before == after:
        return np.eye(3)
    return UPRIGHT if after == "z" else UPRIGHT.T


@dataclass(frozen=True)
class Placement:
    """What is asked of all files of a mesh.

    Attributes:
        size_m: the longest side of the written model, metres; None leaves the mesh's own numbers.
        up: the axis that is up in OBJ, PLY and STL.
        own_unit: the unit of the mesh's own numbers, "" where nobody knows it.
        own_place: the mesh is a user's and stays where it is; else it is in the canonical frame.
    """

    size_m: float | None = None
    up: Up = "y"
    own_unit: str = ""
    own_place: bool = False

    def in_file(self, kind: str, longest: float) -> FileFrame:
        """The frame of a file.

        Args:
            kind: a key of ``UNIT``.
            longest: the longest side of the mesh, in its own numbers.
        """
        up: Up = {"glb": "y", "3mf": "z"}.get(kind, self.up)  # type: ignore[assignment]
        own, unit = short_name(self.own_unit), UNIT[kind]
        on_plate = kind == "3mf" and not self.own_place
        if self.size_m is not None:
            return FileFrame(self.size_m / METRES[unit] / max(longest, 1e-300), up, unit, on_plate)
        if kind in ("obj", "ply", "stl"):
            return FileFrame(1.0, up, own)
        if own:
            return FileFrame(METRES[own] / METRES[unit], up, unit, on_plate)
        # Nobody knows. Of a user's mesh the numbers are taken for the format's unit, as other programs would.
        scale = PRINT_MM / max(longest, 1e-12) if on_plate else 1.0
        return FileFrame(scale, up, unit, on_plate, self.own_place)


def longest_side(shape: Mesh | TexturedMesh) -> float:
    """The longest side of the bounding box, in the mesh's own numbers."""
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    used = np.zeros(len(geometry.vertices), bool)
    used[geometry.faces] = True
    places = geometry.vertices[used].astype(np.float64)
    return float(np.ptp(places, axis=0).max()) if len(places) else 0.0


def in_frame(shape: Mesh | TexturedMesh, kind: str, frame: FileFrame) -> Mesh | TexturedMesh:
    """The mesh whose vertices a file of this kind holds: scaled and turned where the format states no frame."""
    if kind not in ("obj", "ply", "stl") or not frame.changes:
        return shape
    matrix = frame.matrix
    if isinstance(shape, Mesh):
        return replace(shape, vertices=_moved(shape.vertices, matrix))
    return replace(shape, atlas=_moved_atlas(shape.atlas, matrix, frame))


def _moved_atlas(atlas: Atlas, matrix: F64, frame: FileFrame) -> Atlas:
    x, y, z = (matrix @ np.array(atlas.translation)).tolist()
    normals = None if atlas.normals is None else _moved(atlas.normals, matrix / frame.scale)
    return replace(atlas, vertices=_moved(atlas.vertices, matrix), normals=normals, translation=(x, y, z))


def _moved(rows: np.ndarray, matrix: F64) -> np.ndarray:
    return (rows.astype(np.float64) @ matrix.T).astype(np.float32)


def comment(frame: FileFrame) -> str:
    """What a file's own comment says."""
    return f"+{frame.up.upper()} up" + (f", unit {frame.unit}" if frame.unit else "")


def sentence(name: str, kind: str, frame: FileFrame, longest: float) -> str:
    """One line for people about the unit and the up axis of a file.

    Args:
        name: what to call the file. kind: its format.
        longest: the longest side of the mesh, in its own numbers.
    """
    length = f"{longest * frame.scale:.4g} {frame.unit}".strip()
    said = f"{name}: longest side {length}, +{frame.up.upper()} up."
    if frame.assumed:
        return f"{said} The mesh states no unit; --size 9cm sets its size."
    if kind in ("glb", "3mf") or (kind == "stl" and frame.unit == "mm" and frame.up == "z"):
        return said
    if kind == "stl":
        return f"{said} STL states neither; slicers take millimetres and +Z up (--size 9cm --up z)."
    return said if frame.unit else f"{said} {kind.upper()} states neither (--size 9cm, --up z)."
