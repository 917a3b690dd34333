"""Reads files back and compares them with what was to be written. OBJ, PLY and STL by trimesh; 3MF, where trimesh would
need lxml, by Python's own ZIP and XML; GLB by our reader, after a look at the rules of its format (``glb_check``).
Trimesh takes a quarter of a second to import, which the file that every object has is to do without; the tests show
that it and Khronos' validator read our GLB files.
"""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import InputError, ManymeshError, ObjectError, OutputError
from manymesh.mesh.formats.glb import read_glb, read_painted_glb
from manymesh.mesh.formats.glb_check import check_glb
from manymesh.mesh.formats.placement import FileFrame, in_frame
from manymesh.mesh.formats.sample import sample
from manymesh.types import U8, Atlas, Mesh, TexturedMesh

if TYPE_CHECKING:
    from manymesh.mesh.formats.gltf_edit import Repaint
    from manymesh.mesh.formats.obj_copy import ObjRepaint
    from manymesh.mesh.formats.user_mesh import UserMesh

# What readers raise on data that contradicts itself.
FAULTS = (ValueError, KeyError, IndexError, TypeError, AttributeError)
UV_TOLERANCE = 1e-5
COLOUR_TOLERANCE = 1.01  # of 255


def verify(files: Mapping[str, bytes], shape: Mesh | TexturedMesh, frame: FileFrame | None = None) -> None:
    """Checks files as ``write`` returns them: triangles exactly, texture coordinates, texture or colours.

    ``frame`` is the one that they were written in.

    STL has no colours to compare, and those of 3MF are not read.

    Raises:
        ObjectError: they cannot be read, or say something else.
    """
    main = next(iter(files))
    try:
        if main.endswith(".glb"):
            _compare_glb(files[main], shape, main)
        else:
            written = shape if frame is None else in_frame(shape, main.rsplit(".", 1)[-1], frame)
            _compare(_load(files, main), written, main)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError) as error:
        raise _bad(main, f"cannot be read back ({type(error).__name__}: {error})") from error
    except (StopIteration, struct.error, zipfile.BadZipFile, zlib.error, ElementTree.ParseError) as error:
        raise _bad(main, "cannot be read back") from error


def check(data: bytes, name: str) -> None:
    """Checks a GLB file against the rules of its format. Raises ObjectError."""
    try:
        check_glb(data)
    except ValueError as error:
        raise _bad(name, f"breaks the rules of glTF: it {error}") from error


def verify_copy(data: bytes, user: UserMesh, paint: Repaint) -> None:
    """Checks a painted copy of a user's glTF file: the same faces in the same places, with the coordinates painted.

    Raises:
        ObjectError: it cannot be read, or says something else.
    """
    from manymesh.mesh.formats.read import read_gltf

    try:
        found = read_gltf(data, "model.glb")
    except (ManymeshError, *FAULTS) as error:
        raise _bad("model.glb", f"cannot be read back ({error})") from error
    order = np.where(paint.turned[:, None], [0, 2, 1], [0, 1, 2])
    faces = np.take_along_axis(user.faces, order, axis=1)
    painted = ~user.copy
    if found.faces.shape != faces.shape:
        raise _bad("model.glb", "holds other triangles than the mesh")
    same = np.array_equal(found.positions[found.faces][painted], user.positions[faces][painted])
    if not same:
        raise _bad("model.glb", "holds other triangles than the mesh")
    if paint.uv is not None:
        uv = np.take_along_axis(paint.uv, order[:, :, None], axis=1).astype(np.float32)
        if found.uv is None or not np.array_equal(found.uv[painted].astype(np.float32), uv[painted]):
            raise _bad("model.glb", "holds other texture coordinates than the mesh")


def verify_obj_copy(data: bytes, user: UserMesh, paint: ObjRepaint) -> None:
    """Checks a painted copy of a user's OBJ file, as ``verify_copy`` does for glTF."""
    from manymesh.mesh.formats.obj_copy import same_obj
    from manymesh.mesh.formats.read_obj import read_obj

    try:
        found = read_obj(data, "model.obj")
    except (ManymeshError, *FAULTS) as error:
        raise _bad("model.obj", f"cannot be read back ({error})") from error
    wrong = same_obj(found, user, paint)
    if wrong:
        raise _bad("model.obj", f"holds {wrong} than the mesh")


def _bad(main: str, what: str) -> ObjectError:
    return ObjectError(f"the file {main} {what}", "Please report this, with the photo if you can.")


def _compare_glb(data: bytes, shape: Mesh | TexturedMesh, main: str) -> None:
    check(data, main)
    try:
        found = read_painted_glb(data) if isinstance(shape, TexturedMesh) else read_glb(data)
    except InputError as error:
        raise _bad(main, f"cannot be read back: {error.what}") from error
    wanted_geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    geometry = found.atlas if isinstance(found, TexturedMesh) else found
    faces = wanted_geometry.faces
    if isinstance(wanted_geometry, Atlas) and wanted_geometry.material is not None:  # a primitive for each material
        _, first, of = np.unique(wanted_geometry.material, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))[of.reshape(-1)]
        faces = faces[np.argsort(rank, kind="stable")]
    if not _same(geometry.vertices, wanted_geometry.vertices) or not _same(geometry.faces, faces):
        raise _bad(main, "holds other triangles than the mesh")
    if isinstance(found, TexturedMesh) and isinstance(shape, TexturedMesh):
        if not _same(found.atlas.uv, shape.atlas.uv):
            raise _bad(main, "holds other texture coordinates than the mesh")
        if not _same(found.base_color, shape.base_color):
            raise _bad(main, "holds another texture than the mesh")
    elif isinstance(found, Mesh) and isinstance(shape, Mesh) and not _same_colours(found.colors, shape.colors):
        raise _bad(main, "holds other colours than the mesh")


def _same(found: NDArray[Any], wanted: NDArray[Any]) -> bool:
    return np.array_equal(found, np.asarray(wanted, found.dtype))


def _same_colours(found: U8 | None, wanted: U8 | None) -> bool:
    return found is wanted if found is None or wanted is None else _same(found, wanted)


def _load(files: Mapping[str, bytes], main: str) -> Any:
    """The one geometry in the files, in its own frame: a trimesh.Trimesh, or what has its vertices and faces."""
    if main.endswith(".3mf"):
        return _load_3mf(files[main], main)
    import trimesh

    with tempfile.TemporaryDirectory(prefix="manymesh-", ignore_cleanup_errors=True) as folder:
        try:
            for name, data in files.items():
                Path(folder, name).write_bytes(data)
        except OSError as error:
            what = f"The folder for temporary files cannot be written ({error.strerror or error})"
            raise OutputError(what, "Free some space there, or set TMPDIR to another folder.") from error
        scene = trimesh.load_scene(str(Path(folder, main)), process=False)
        geometry = list(scene.geometry.values())
    if main.endswith(".obj") and len(geometry) > 1:
        return _joined(geometry)
    if len(geometry) != 1:
        raise _bad(main, f"holds {len(geometry)} meshes instead of one")
    return geometry[0]


def _joined(geometry: list[Any]) -> SimpleNamespace:
    """Meshes as one; a reader makes one for each material."""
    offset = np.cumsum([0, *(len(part.vertices) for part in geometry)])
    uv = [part.visual.uv for part in geometry]
    return SimpleNamespace(
        vertices=np.concatenate([part.vertices for part in geometry]),
        faces=np.concatenate([part.faces + start for part, start in zip(geometry, offset, strict=False)]),
        visual=SimpleNamespace(uv=np.concatenate(uv), material=geometry[0].visual.material),
    )


def _load_3mf(data: bytes, main: str) -> SimpleNamespace:
    """The vertices and faces of the one object in a 3MF package."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        if archive.testzip() is not None:
            raise _bad(main, "is damaged")
        model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    meshes = model.findall("{*}resources/{*}object/{*}mesh")
    if len(meshes) != 1:
        raise _bad(main, f"holds {len(meshes)} meshes instead of one")
    vertices = [[float(at.attrib[axis]) for axis in "xyz"] for at in meshes[0].iterfind("{*}vertices/{*}vertex")]
    corners = ("v1", "v2", "v3")
    faces = [[int(of.attrib[name]) for name in corners] for of in meshes[0].iterfind("{*}triangles/{*}triangle")]
    return SimpleNamespace(vertices=np.array(vertices, np.float64), faces=np.array(faces, np.int64))


def _compare(loaded: Any, shape: Mesh | TexturedMesh, main: str) -> None:
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    moved = np.zeros(3)
    if isinstance(geometry, Atlas) and not main.endswith((".stl", ".3mf")):  # these stay around their origin
        moved = np.array(geometry.translation)
    wanted = geometry.vertices[geometry.faces].astype(np.float32).reshape(-1, 9)
    found = (np.asarray(loaded.vertices, np.float64)[loaded.faces] - moved).astype(np.float32).reshape(-1, 9)
    if moved.any() and wanted.shape == found.shape:
        tolerance = 1e-5 * float(np.ptp(geometry.vertices, axis=0).max())
        close = np.abs(wanted - found) <= tolerance
        found = np.where(close, wanted, found)
    if wanted.shape != found.shape:
        raise _bad(main, f"holds {len(found)} triangles instead of {len(wanted)}")
    # A reader may sort triangles, so both are brought into one order; the corners of each keep theirs.
    same = np.array_equal(wanted, found)
    here, there = [np.arange(len(wanted))] * 2 if same else [np.lexsort(wanted.T), np.lexsort(found.T)]
    if not np.array_equal(wanted[here], found[there]):
        raise _bad(main, "holds other triangles than the mesh")
    ending = main.rsplit(".", 1)[-1]
    if isinstance(shape, TexturedMesh):
        if ending == "obj":
            uv = np.asarray(loaded.visual.uv)[loaded.faces][there]
            _compare_texture(uv, here, shape, _picture(loaded.visual.material), main)
        elif ending == "ply":
            _compare_colours(loaded, sample(shape.base_color, shape.atlas.uv)[shape.atlas.faces][here], there, main)
    elif shape.colors is not None and ending in ("ply", "obj"):
        _compare_colours(loaded, shape.colors[shape.faces][here], there, main)


def _picture(material: Any) -> NDArray[np.uint8]:
    return np.asarray(material.image.convert("RGB"))


def _compare_texture(
    uv: NDArray[np.float64], here: NDArray[np.int64], shape: TexturedMesh, picture: NDArray[np.uint8], main: str
) -> None:
    wanted = shape.atlas.uv.astype(np.float64)[shape.atlas.faces][here]
    wanted[..., 1] = 1 - wanted[..., 1]  # trimesh's origin is the lower left corner
    if np.abs(uv - wanted).max() > UV_TOLERANCE:
        raise _bad(main, "holds other texture coordinates than the mesh")
    if not np.array_equal(picture, shape.base_color):
        raise _bad(main, "holds another texture than the mesh")


def _compare_colours(loaded: Any, wanted: NDArray[np.uint8], there: NDArray[np.int64], main: str) -> None:
    # With texture coordinates or a material beside them, trimesh keeps vertex colours as a plain attribute.
    kept = loaded.vertex_attributes
    colours = np.asarray(kept["color"] if "color" in kept else loaded.visual.vertex_colors)  # noqa: SIM401
    unit = 255.0 if colours.dtype.kind == "f" else 1.0
    found = colours[loaded.faces][there][..., :3] * unit
    if np.abs(found.astype(np.float64) - wanted).max() > COLOUR_TOLERANCE:
        raise _bad(main, "holds other colours than the mesh")
