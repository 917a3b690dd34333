"""The values that pass between stages. This module knows nothing else of manymesh.

Conventions, the same everywhere:

* Images are ``uint8``, sRGB, height x width x channels, straight (not premultiplied) alpha.
* Boxes are pixels ``x0, y0, x1, y1``, half-open, in the oriented photo: ``photo.rgb[y0:y1, x0:x1]``.
* Meshes are right-handed, +Y up, +Z where the object's own front looks if the shape stage knows it, else towards the
  viewer of the photo. The longest side of the bounding box spans exactly [-1, 1] and the box is centred on the
  origin. Triangles wind counter-clockwise seen from outside. This is glTF's frame, so nothing is flipped on export.
* UV has glTF's origin: (0, 0) is the upper left corner of the texture image.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.box import Box as Box

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Photo:
    """A decoded, EXIF-oriented picture.

    Attributes:
        rgb: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint8, or None when the file had no transparency that matters.
        name: file name without folder or extension, for people.
        sha256: hex digest of the file's bytes as given.
        notes: what was done to it on loading (orientation applied, reduced, first frame taken...).
    """

    rgb: U8
    alpha: U8 | None
    name: str
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])


@dataclass(frozen=True)
class Detection:
    """One object that was found, and where.

    Attributes:
        box: where, in the oriented photo, at least one pixel on each side.
        label: the name to show people; never used as a path unescaped.
        score: 0..1 where the detector has one, else None.
        mask: (H, W) bool over the *whole photo*, where the detector knows more than a box.
        source: who found it: a detector's name, or ``"user"``.
    """

    box: Box
    label: str
    score: float | None = None
    mask: Bool | None = None
    source: str = ""


class Detections(list[Detection]):
    """Detections, with what people should know (a fallback was taken, say). A detector may also answer a plain list."""

    def __init__(self, detections: Iterable[Detection], notes: tuple[str, ...] = ()) -> None:
        super().__init__(detections)
        self.notes = notes


@dataclass(frozen=True)
class Crop:
    """A view of one object: the photo around its box.

    Attributes:
        rgb: (h, w, 3) uint8, ``photo.rgb`` inside ``window``.
        window: the part of the photo shown (the object's box plus a margin, inside the photo).
        box: the object's own box, in the crop's pixels.
        alpha: (h, w) uint8, the photo's own transparency there, or None.
        mask: (h, w) bool, the detector's mask there, or None.
        others: boxes of the other objects that reach into the crop, in the crop's pixels.
    """

    rgb: U8
    window: Box
    box: Box
    alpha: U8 | None = None
    mask: Bool | None = None
    others: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Cutout:
    """One object without its background, on the crop's pixel grid.

    Attributes:
        rgba: (h, w, 4) uint8, straight alpha. The colour is the *foreground's* own, also under partial
            alpha and a few pixels beyond the edge, so that no background bleeds into a texture.
        window: the part of the photo that the picture covers.
        object_id: which object it shows; no two objects of all runs in progress share one. A stage that looks at all
            cutouts first (``begin``) knows them again by it. "" where nobody has named it.
        notes: what people should know (a fallback was taken, say).
    """

    rgba: U8
    window: Box
    object_id: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Camera:
    """A view of a mesh: the one camera model of manymesh (see ``render/camera.py``).

    Attributes:
        world_to_camera: (4, 4) float64, mesh frame to camera frame; the camera looks along its own -Z,
            +X is right and +Y is up in the picture.
        projection: (4, 4) float64, camera frame to clip space (OpenGL: x right, y up, z from -1 near to 1
            far, after division by w). Clip x, y in [-1, 1] span the *whole* picture: -1 is the left/bottom
            edge of the outermost pixel, not its centre.
    """

    world_to_camera: F64
    projection: F64

    @property
    def world_to_clip(self) -> F64:
        return self.projection @ self.world_to_camera


@dataclass(frozen=True)
class Mesh:
    """Triangles in the canonical frame (see the module's docstring).

    Attributes:
        vertices: (n, 3) float32.
        faces: (m, 3) int32.
        colors: (n, 3) uint8 sRGB where the shape stage has an opinion (a network's guess of the back, say),
            else None.
    """

    vertices: F32
    faces: I32
    colors: U8 | None = None


@dataclass(frozen=True)
class ShapeResult:
    """What a shape stage answers: a mesh, and how the cutout saw it.

    Attributes:
        mesh: the geometry.
        view: the camera under which the mesh falls onto the cutout's picture (clip [-1, 1] = the whole cutout).
        notes: what people should know (a fallback was taken, say).
        others: further meshes that the stage made and ranked lower, the next best first.
    """

    mesh: Mesh
    view: Camera
    notes: tuple[str, ...] = ()
    others: tuple[Mesh, ...] = ()


@dataclass(frozen=True)
class Atlas:
    """A mesh cut open for a texture. ``vertices`` repeats those on seams.

    Attributes:
        vertices: (k, 3) float32.
        faces: (m, 3) int32 into ``vertices``; the same triangles in the same order as the mesh's.
        uv: (k, 2) float32 in [0, 1], glTF origin.
        source: (k,) int32, the mesh vertex that each atlas vertex repeats.
        method: who made the coordinates: "charts", or "the file's own".
        normals: (k, 3) float32 unit normals as the mesh's author gave them, or None to take smooth ones. With them,
            vertices repeat at hard edges too.
        material: (m,) int32 into ``material_names``, or None for one material without a name.
        material_names: names that the faces' materials had in a file.
        translation: where the origin of ``vertices`` lies, in float64: files of meshes far away from their origin.
    """

    vertices: F32
    faces: I32
    uv: F32
    source: I32
    method: str
    normals: F32 | None = None
    material: I32 | None = None
    material_names: tuple[str, ...] = ()
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class TexturedMesh:
    """A painted mesh.

    Attributes:
        atlas: geometry with texture coordinates.
        base_color: (T, T, 3) uint8 sRGB, filled everywhere (no holes between charts).
        notes: what people should know.
        details: small JSON-able facts for the manifest (seconds by step, coverage, method).
    """

    atlas: Atlas
    base_color: U8
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
