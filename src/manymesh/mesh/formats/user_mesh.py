"""What a file that a user brings says about its mesh, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from manymesh.errors import InputError
from manymesh.types import F32, F64, I32
from manymesh.units import Up

if TYPE_CHECKING:
    from manymesh.mesh.formats.gltf_scene import GltfParts
    from manymesh.mesh.formats.obj_copy import ObjLines

# The most triangles that are read, checked before they are. By `benchmarks/paint_file.py` on two quiet cores, texture
# 1024: 1,996,568 loose triangles of a closed surface took 117 s and 2.2 GB.
MAX_FACES = 2_000_000


@dataclass(frozen=True)
class UserMesh:
    """A mesh as its file shows it. Triangles keep the file's order; polygons become triangles at their place.

    Attributes:
        positions: (n, 3) float64, the file's unit, +Y up (a scene's nodes, skins and morph targets applied).
        faces: (m, 3) int32 into ``positions``, counter-clockwise seen from the front.
        uv: (m, 3, 2) float64 texture coordinates of each corner, glTF's origin (v downwards), not bounded; None where
            not every face has some.
        normals: (m, 3, 3) float32 unit normals of each corner as authored, zero where a corner has none; None where no
            corner has one.
        material: (m,) int32 into ``material_names``.
        material_names: the names of the materials, "" where one has none.
        layout: (m,) int32: faces with equal numbers share a picture in the file, so their coordinates are meant for one
            texture.
        group: (m,) int32 into ``group_names``: OBJ's groups.
        group_names: their names.
        copy: (m,) bool: faces that show the same data of the file once more (a mesh used by several nodes). They share
            the texture coordinates of the first use.
        notes: one sentence for people about each thing that is read in a special way.
        unit: of the positions, as ``units.METRES`` names it; "" where the format states none.
        up: the axis that is up in the file.
        gltf: where each face stands in a glTF file, None for other formats.
        obj: the same for an OBJ file.
        lost: what else the file holds and no file that is written anew will hold, in a few words each.
    """

    positions: F64
    faces: I32
    uv: F64 | None = None
    normals: F32 | None = None
    material: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    material_names: tuple[str, ...] = ("",)
    layout: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    group: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    group_names: tuple[str, ...] = ("",)
    copy: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    notes: tuple[str, ...] = ()
    unit: str = ""
    up: Up = "y"
    gltf: GltfParts | None = None
    obj: ObjLines | None = None
    lost: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, dtype in (("material", np.int32), ("layout", np.int32), ("group", np.int32), ("copy", bool)):
            if len(getattr(self, name)) != len(self.faces):
                object.__setattr__(self, name, np.zeros(len(self.faces), dtype))


class DamagedFileError(ValueError):
    """A file breaks the rules of its format. The message completes "it ...", as in "it claims 5 faces and has 3"."""


def check_face_count(count: int, name: str) -> None:
    """Raises InputError for more faces than ``MAX_FACES``. Readers call it before they make room for the faces."""
    if count > MAX_FACES:
        raise InputError(f"'{name}' has {count:,} faces; the limit is {MAX_FACES:,}", "Reduce it first")


def numbers(words: Sequence[bytes] | Sequence[str]) -> F64:
    """(n,) float64: numbers of any length as a text file writes them.

    Raises:
        ValueError: a word is no number.
    """
    # Not by an array of strings: it cuts long words, or takes the longest word's room for each.
    return np.fromiter(map(float, words), np.float64, len(words))
