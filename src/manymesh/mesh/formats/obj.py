"""Wavefront OBJ with its MTL and texture beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.png import encode
from manymesh.mesh.formats.glb import GREY
from manymesh.mesh.formats.placement import FileFrame, comment
from manymesh.mesh.formats.seams import weld
from manymesh.mesh.normals import vertex_normals
from manymesh.naming import clean_name
from manymesh.types import Atlas, Mesh, TexturedMesh


def formatted(pattern: str, rows: NDArray[Any]) -> list[str]:
    """One line of text for each row of numbers."""
    return [pattern % tuple(row) for row in rows.tolist()]


def write_obj(shape: Mesh | TexturedMesh, stem: str, name: str, frame: FileFrame) -> dict[str, bytes]:
    """The files STEM.obj, STEM.mtl and, when textured, STEM.png.

    OBJ's texture origin is the lower left corner, so v is turned over. Positions on seams are named once, so the
    surface stays closed. Vertex colours (0..1 sRGB) follow the position on its line, as most readers know it.

    Args:
        stem: a safe file name; the files refer to each other by it.
        name: a label on one line.
        frame: of the file, for its comment.
    """
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    positions, faces, first = weld(geometry)
    lines = [f"# manymesh, {comment(frame)}", f"mtllib {stem}.mtl", f"o {name}"]
    if isinstance(shape, Mesh) and shape.colors is not None:
        rows = np.concatenate([positions, shape.colors / 255], axis=1)
        lines += formatted("v %.9g %.9g %.9g %.5g %.5g %.5g", rows)
    else:
        far = isinstance(geometry, Atlas) and any(geometry.translation)
        shift = geometry.translation if isinstance(geometry, Atlas) else (0.0, 0.0, 0.0)
        places = positions.astype(np.float64) + shift if far else positions
        lines += formatted("v %.17g %.17g %.17g" if far else "v %.9g %.9g %.9g", places)
    if isinstance(shape, TexturedMesh):
        lines += [f"vt {u:.9g} {1 - v:.9g}" for u, v in shape.atlas.uv.astype(np.float64).tolist()]
    lines += formatted("vn %.6g %.6g %.6g", vertex_normals(geometry)[first])
    if isinstance(shape, TexturedMesh):
        corners = np.stack([faces, shape.atlas.faces, faces], axis=2).reshape(-1, 9) + 1
        of_face = formatted("f %d/%d/%d %d/%d/%d %d/%d/%d", corners)
    else:
        corners = np.stack([faces, faces], axis=2).reshape(-1, 6) + 1
        of_face = formatted("f %d//%d %d//%d %d//%d", corners)
    names, runs = _material_runs(geometry)
    for name_of_run, start, stop in runs:
        lines += [f"usemtl {name_of_run}", *of_face[start:stop]]
    files = {f"{stem}.obj": ("\n".join(lines) + "\n").encode("utf-8")}
    look = ["Ka 0 0 0", "Ks 0 0 0", "d 1", "illum 1"]
    if isinstance(shape, TexturedMesh):
        look += ["Kd 1 1 1", f"map_Kd {stem}.png"]
        files[f"{stem}.png"] = encode(shape.base_color)
    else:
        grey = 1.0 if shape.colors is not None else round(1.055 * GREY ** (1 / 2.4) - 0.055, 4)
        look.append(f"Kd {grey:g} {grey:g} {grey:g}")
    material = [line for each in names for line in (f"newmtl {each}", *look)]
    files[f"{stem}.mtl"] = ("\n".join(material) + "\n").encode("utf-8")
    return files


def _material_runs(geometry: Mesh | Atlas) -> tuple[list[str], list[tuple[str, int, int]]]:
    """The names of all materials, and the runs of faces that share one: name, first face, end."""
    count = len(geometry.faces)
    if not isinstance(geometry, Atlas) or geometry.material is None:
        return ["surface"], [("surface", 0, count)]
    # Each name once and without spaces, as most readers want them.
    names: list[str] = []
    for each in geometry.material_names:
        name = "_".join(clean_name(each).replace("#", "_").split()) if each else "surface"
        while name in names:
            name += "_"
        names.append(name)
    starts = [0, *(np.flatnonzero(np.diff(geometry.material)) + 1).tolist()]
    numbers = geometry.material[starts].tolist()
    return names, [(names[n], a, b) for n, a, b in zip(numbers, starts, [*starts[1:], count], strict=True)]
