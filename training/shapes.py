"""What the network learns from: closed or open triangle shapes with colours.

Frame of every shape: +Y up, the object's front towards +Z, right-handed. ``normalised`` puts the bounding box's middle
at the origin and makes its longest side 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """One closed piece of a generated object. Pieces may overlap: the solid is what no outside eye can see into.

    Attributes:
        vertices: (n, 3) float; faces: (m, 3) int, counter-clockwise from outside.
        color: the piece's natural sRGB colour, 0..255.
        material: pieces of the same name are repainted together ("wood", "cloth", "skin", "metal", ...).
    """

    vertices: NDArray[np.floating]
    faces: NDArray[np.integer]
    color: tuple[int, int, int] = (160, 160, 160)
    material: str = "body"


@dataclass(frozen=True)
class Shape:
    """One object.

    Attributes:
        name: unique, stable ("scopia/chair1", "animals/000123").
        family: "furniture" for catalogue models, else the generator family.
        vertices: (n, 3) float32, normalised.
        faces: (m, 3) int32.
        colors: (m, 3) uint8 sRGB, each face's own colour (textured faces: the texture's mean).
        group: (m,) int16, the face's material: faces of one group are repainted together. 0..k-1.
        texture: (m,) int16 index into ``textures``, -1 where the face is plain. None: all plain.
        uv: (m, 3, 2) float32 of each face's corners, v down (0 = the picture's top row), repeating outside [0, 1].
            None: all plain.
        textures: uint8 sRGB pictures (h, w, 3).
        licence: SPDX id; "own" for generated ones.
        front_known: whether +Z is really its front, so that azimuth can be learned from it.
    """

    name: str
    family: str
    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colors: NDArray[np.uint8]
    group: NDArray[np.int16]
    texture: NDArray[np.int16] | None = None
    uv: NDArray[np.float32] | None = None
    textures: tuple[NDArray[np.uint8], ...] = ()
    licence: str = "own"
    front_known: bool = True


def normalised(shape: Shape) -> Shape:
    """The same shape, its box's middle at the origin and its longest side 1."""
    low, high = shape.vertices.min(0), shape.vertices.max(0)
    vertices = (shape.vertices - (low + high) / 2) / (high - low).max()
    return replace(shape, vertices=vertices.astype(np.float32))


def assemble(name: str, family: str, parts: list[Part]) -> Shape:
    """One shape from pieces."""
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts)])
    materials = sorted({part.material for part in parts})
    counts = [len(part.faces) for part in parts]
    return normalised(
        Shape(
            name,
            family,
            np.concatenate([np.asarray(part.vertices, np.float64) for part in parts]).astype(np.float32),
            np.concatenate([np.asarray(p.faces) + o for p, o in zip(parts, offsets, strict=False)]).astype(np.int32),
            np.repeat(np.array([part.color for part in parts], np.uint8), counts, axis=0),
            np.repeat(np.array([materials.index(part.material) for part in parts], np.int16), counts),
        )
    )
