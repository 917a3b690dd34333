"""Binary glTF 2.0 (GLB): one mesh, or a scene of named ones. Same input, same bytes.

The canonical frame is glTF's, so positions and texture coordinates go out as they are. Materials are neutral: metallic
0, roughness 1, base colour from the texture (sRGB) or the vertices. glTF wants vertex colours linear; as 16-bit numbers
they come back as exactly the 8-bit sRGB ones they were.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import DamagedMeshError, InputError
from manymesh.image.png import decode, encode
from manymesh.mesh.formats.gltf import (
    BIN_CHUNK,
    CLAMP,
    INDEX_TARGET,
    JSON_CHUNK,
    LINEAR,
    LINEAR_MIPMAPS,
    MAGIC,
    VERTEX_TARGET,
)
from manymesh.mesh.normals import vertex_normals
from manymesh.naming import clean_name
from manymesh.types import F32, F64, I32, U8, Atlas, Mesh, TexturedMesh

FLOAT, U8_TYPE, U16_TYPE, U32_TYPE = 5126, 5121, 5123, 5125
GREY = 0.6  # linear base colour of a mesh that has none


def write_glb(
    shape: Mesh | TexturedMesh, *, name: str = "object", normals: F32 | None = None, scale: float = 1.0
) -> bytes:
    """One mesh as a GLB file.

    Args:
        shape: the mesh.
        name: of its node, mesh, material and texture.
        normals: (n, 3) its ``vertex_normals``, where they are known already.
        scale: of the node, from the mesh's numbers to metres; the vertices stay as they are.

    Raises:
        DamagedMeshError: the mesh has no faces or numbers that are not finite.
    """
    build = _Builder()
    build.add(clean_name(name), np.diag([scale, scale, scale, 1.0]), *_parts(shape), normals)
    return build.to_bytes()


def scene_glb(nodes: Sequence[tuple[str, F64, Mesh | TexturedMesh]]) -> bytes:
    """Several meshes as one GLB file, a named node each.

    Args:
        nodes: name, (4, 4) matrix from the mesh's frame to the scene's (rotation, positive scale and translation
            only), mesh.
    """
    build = _Builder()
    for name, matrix, shape in nodes:
        build.add(clean_name(name), np.asarray(matrix, dtype=np.float64), *_parts(shape))
    return build.to_bytes()


def join_glb(nodes: Sequence[tuple[str, F64, bytes]]) -> bytes:
    """Several GLB files as one, a named node each: the file that ``scene_glb`` makes of the meshes in them.

    Normals and textures are copied as they are, not worked out again.

    Args:
        nodes: name, matrix as for ``scene_glb``, a file as ``write_glb`` makes it.

    Raises:
        InputError: not such a file.
    """
    build = _Builder()
    for name, matrix, data in nodes:
        document, binary = _opened(data)
        mesh = _mesh_of(document, binary)
        with _damage("the GLB file cannot be read"):
            attributes = document["meshes"][0]["primitives"][0]["attributes"]
            normals = _read_accessor(document, binary, attributes["NORMAL"])
            painted = "TEXCOORD_0" in attributes
            geometry = _atlas_of(document, binary, mesh) if painted else mesh
            picture = _picture(document, binary) if painted else None
        build.add(clean_name(name), np.asarray(matrix, dtype=np.float64), geometry, picture, normals)
    return build.to_bytes()


def _parts(shape: Mesh | TexturedMesh) -> tuple[Mesh | Atlas, bytes | None]:
    """Geometry, and the texture as a PNG file."""
    return (shape.atlas, encode(shape.base_color)) if isinstance(shape, TexturedMesh) else (shape, None)


class _Builder:
    """Collects the JSON objects and the binary chunk."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.json: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "manymesh"},
            "scene": 0,
            "scenes": [{"nodes": []}],
            "nodes": [],
            "meshes": [],
            "materials": [],
            "accessors": [],
            "bufferViews": [],
        }

    def add(
        self, name: str, matrix: F64, geometry: Mesh | Atlas, picture: bytes | None, normals: F32 | None = None
    ) -> None:
        check_writable(name, geometry.vertices, geometry.faces)
        positions = np.asarray(geometry.vertices, dtype=np.float32)
        attributes = {
            "POSITION": self._accessor(positions, "VEC3", FLOAT, bounds=True),
            "NORMAL": self._accessor(vertex_normals(geometry) if normals is None else normals, "VEC3", FLOAT),
        }
        look: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
        if isinstance(geometry, Atlas):
            assert picture is not None
            attributes["TEXCOORD_0"] = self._accessor(np.asarray(geometry.uv, dtype=np.float32), "VEC2", FLOAT)
            look["baseColorTexture"] = {"index": self._texture(name, picture)}
        elif geometry.colors is not None:
            attributes["COLOR_0"] = self._accessor(_opaque_linear(geometry.colors), "VEC4", U16_TYPE, normalized=True)
        else:
            look["baseColorFactor"] = [GREY, GREY, GREY, 1.0]
        small = len(positions) < 65535  # 65535 itself is reserved in glTF
        index_type, index_kind = (np.uint16, U16_TYPE) if small else (np.uint32, U32_TYPE)
        primitives = []
        for label, faces in _by_material(name, geometry):
            indices = self._accessor(faces.astype(index_type).reshape(-1), "SCALAR", index_kind, target=INDEX_TARGET)
            primitives.append({"attributes": attributes, "indices": indices, "material": len(self.json["materials"])})
            self.json["materials"].append({"name": label, "pbrMetallicRoughness": look})
        node: dict[str, Any] = {"name": name, "mesh": len(self.json["meshes"])}
        if isinstance(geometry, Atlas) and any(geometry.translation):
            moved = np.eye(4)
            moved[:3, 3] = geometry.translation
            matrix = matrix @ moved
        if not np.array_equal(matrix, np.eye(4)):
            node["matrix"] = [float(x) for x in matrix.T.reshape(-1)]
        self.json["meshes"].append({"name": name, "primitives": primitives})
        self.json["scenes"][0]["nodes"].append(len(self.json["nodes"]))
        self.json["nodes"].append(node)

    def to_bytes(self) -> bytes:
        document = {key: value for key, value in self.json.items() if value != []}
        if not self.json["nodes"]:
            document["scenes"] = [{}]
        if self.binary:
            document["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
        text += b" " * (-len(text) % 4)
        chunks = [struct.pack("<II", len(text), JSON_CHUNK), text]
        if self.binary:
            body = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
            chunks += [struct.pack("<II", len(body), BIN_CHUNK), body]
        size = 12 + sum(len(chunk) for chunk in chunks)
        return b"".join([struct.pack("<III", MAGIC, 2, size), *chunks])

    def _view(self, data: bytes, target: int | None = None) -> int:
        self.binary += b"\0" * (-len(self.binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self.binary += data
        self.json["bufferViews"].append(view)
        return len(self.json["bufferViews"]) - 1

    def _accessor(
        self,
        values: NDArray[Any],
        kind: str,
        component: int,
        *,
        bounds: bool = False,
        normalized: bool = False,
        target: int = VERTEX_TARGET,
    ) -> int:
        little = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<")))
        entry: dict[str, Any] = {
            "bufferView": self._view(little.tobytes(), target),
            "componentType": component,
            "count": len(values),
            "type": kind,
        }
        if normalized:
            entry["normalized"] = True
        if bounds:
            entry["min"] = [float(x) for x in values.min(axis=0)]
            entry["max"] = [float(x) for x in values.max(axis=0)]
        self.json["accessors"].append(entry)
        return len(self.json["accessors"]) - 1

    def _texture(self, name: str, picture: bytes) -> int:
        sampler = {"magFilter": LINEAR, "minFilter": LINEAR_MIPMAPS, "wrapS": CLAMP, "wrapT": CLAMP}
        self.json.setdefault("samplers", [sampler])
        images, textures = self.json.setdefault("images", []), self.json.setdefault("textures", [])
        images.append({"name": name, "mimeType": "image/png", "bufferView": self._view(picture)})
        textures.append({"source": len(images) - 1, "sampler": 0})
        return len(textures) - 1


def _by_material(name: str, geometry: Mesh | Atlas) -> list[tuple[str, NDArray[Any]]]:
    """The faces of each material with its name, in the order in which materials first appear."""
    if not isinstance(geometry, Atlas) or geometry.material is None:
        return [(name, geometry.faces)]
    numbers, first = np.unique(geometry.material, return_index=True)
    ordered = numbers[np.argsort(first)].tolist()
    names = geometry.material_names
    return [(clean_name(names[number] or name), geometry.faces[geometry.material == number]) for number in ordered]


def read_glb(data: bytes) -> Mesh:
    """The first mesh of a GLB file as ``write_glb`` makes them: the same positions, faces and colours, bit for bit.

    Raises:
        InputError: not such a file.
    """
    return _mesh_of(*_opened(data))


def read_painted_glb(data: bytes) -> TexturedMesh:
    """The first mesh of a GLB file that ``write_glb`` made of a textured one: positions, faces, UV and texture.

    Raises:
        InputError: not such a file.
    """
    document, binary = _opened(data)
    mesh = _mesh_of(document, binary)
    with _damage("the GLB file's texture cannot be read"):
        return TexturedMesh(_atlas_of(document, binary, mesh), decode(_picture(document, binary))[0])


def mesh_as_read(mesh: Mesh) -> Mesh | None:
    """What ``read_glb`` gives for the file that ``write_glb`` makes of ``mesh``; None where that is not certain."""
    count, colors = len(mesh.vertices), mesh.colors
    if not _in_range(mesh.faces, count) or not (
        colors is None or (colors.dtype == np.uint8 and colors.shape == (count, 3))
    ):
        return None
    return Mesh(np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), mesh.colors)


def model_as_read(model: TexturedMesh) -> TexturedMesh | None:
    """What ``read_painted_glb`` gives for the file that ``write_glb`` makes of ``model``; None where that is not
    certain. A file does not say which vertices are repeated on seams, so ``source`` is worked out as in reading."""
    atlas, texture = model.atlas, model.base_color
    if not _in_range(atlas.faces, len(atlas.vertices)) or texture.dtype != np.uint8 or texture.shape[2:] != (3,):
        return None
    mesh = Mesh(np.asarray(atlas.vertices, np.float32), np.asarray(atlas.faces, np.int32))
    return TexturedMesh(_as_atlas(mesh, np.asarray(atlas.uv, np.float32)), texture)


@contextmanager
def _damage(what: str) -> Iterator[None]:
    """Faults of a file that is damaged, or not one of ours, as an error for people."""
    try:
        yield
    except (KeyError, IndexError, ValueError, TypeError, OSError, struct.error) as error:
        raise InputError(f"{what} ({error})", "It is damaged, or not one that manymesh wrote.") from error


def _opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    with _damage("the GLB file cannot be read"):
        return split_glb(data)


def _mesh_of(document: dict[str, Any], binary: bytes) -> Mesh:
    with _damage("the GLB file cannot be read"):
        primitives = document["meshes"][0]["primitives"]
        primitive = primitives[0]
        vertices = _read_accessor(document, binary, primitive["attributes"]["POSITION"]).astype(np.float32)
        parts = [_read_accessor(document, binary, each["indices"]).reshape(-1, 3) for each in primitives]
        faces = np.concatenate(parts).astype(np.int32)
        colors = None
        if "COLOR_0" in primitive["attributes"]:
            colors = _from_linear_u16(_read_accessor(document, binary, primitive["attributes"]["COLOR_0"])[:, :3])
    if not _in_range(faces, len(vertices)):
        raise InputError("the GLB file's faces name vertices that it lacks", "It is damaged.")
    return Mesh(vertices, faces, colors)


def _in_range(faces: NDArray[Any], count: int) -> bool:
    """Whether every face names vertices that exist."""
    return len(faces) == 0 or (int(faces.max()) < count and int(faces.min()) >= 0)


def _atlas_of(document: dict[str, Any], binary: bytes, mesh: Mesh) -> Atlas:
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    return _as_atlas(mesh, _read_accessor(document, binary, attributes["TEXCOORD_0"]).astype(np.float32))


def _as_atlas(mesh: Mesh, uv: F32) -> Atlas:
    """The atlas with these vertices, faces and texture coordinates. Vertices repeat on seams with exactly the same
    position: all that share one are taken for the same vertex of the mesh it was cut from."""
    order = np.lexsort(mesh.vertices.T[::-1])
    place = mesh.vertices[order]
    source: I32 = np.zeros(len(order), np.int32)
    source[order[1:]] = np.cumsum((place[1:] != place[:-1]).any(axis=1))
    return Atlas(mesh.vertices, mesh.faces, uv, source, "file")


def _picture(document: dict[str, Any], binary: bytes) -> bytes:
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    start = view.get("byteOffset", 0)
    return binary[start : start + view["byteLength"]]


def split_glb(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk of a GLB file; raises ValueError or struct.error when it is not one."""
    magic, version, size = struct.unpack_from("<III", data, 0)
    if magic != MAGIC or version != 2 or size != len(data):
        raise ValueError("not a GLB 2.0 file, or not the whole of it")
    length, kind = struct.unpack_from("<II", data, 12)
    if kind != JSON_CHUNK:
        raise ValueError("no JSON chunk")
    document = json.loads(data[20 : 20 + length].decode("utf-8"))
    rest = 20 + length
    if rest >= len(data):
        return document, b""
    length, kind = struct.unpack_from("<II", data, rest)
    if kind != BIN_CHUNK:
        raise ValueError("no binary chunk")
    return document, data[rest + 8 : rest + 8 + length]


def _read_accessor(document: dict[str, Any], binary: bytes, number: int) -> NDArray[Any]:
    entry = document["accessors"][number]
    view = document["bufferViews"][entry["bufferView"]]
    dtype = {FLOAT: "<f4", U8_TYPE: "u1", U16_TYPE: "<u2", U32_TYPE: "<u4"}[entry["componentType"]]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[entry["type"]]
    offset = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
    flat = np.frombuffer(binary, dtype=dtype, count=entry["count"] * width, offset=offset)
    return flat.reshape(-1, width) if width > 1 else flat


def _srgb_table() -> NDArray[np.uint16]:
    """The 16-bit linear value of each 8-bit sRGB one (IEC 61966-2-1); strictly rising."""
    s = np.arange(256) / 255
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    return np.round(linear * 65535).astype(np.uint16)


def srgb_to_linear_u16(colors: U8) -> NDArray[np.uint16]:
    """8-bit sRGB as 16-bit linear light; no two values fall together."""
    return _srgb_table()[colors]


def _opaque_linear(colors: U8) -> NDArray[np.uint16]:
    alpha = np.full((len(colors), 1), 65535, dtype=np.uint16)
    return np.concatenate([srgb_to_linear_u16(colors), alpha], axis=1)


def _from_linear_u16(linear: NDArray[np.uint16]) -> U8:
    table = _srgb_table().astype(np.int64)
    return np.searchsorted((table[1:] + table[:-1]) / 2, linear.astype(np.int64)).astype(np.uint8)


def check_writable(name: str, vertices: NDArray[Any], faces: NDArray[Any]) -> None:
    """Raises DamagedMeshError for a mesh that no format can hold."""
    if len(faces) == 0 or len(vertices) == 0:
        raise DamagedMeshError(f"'{name}' has no faces to write", "Clean the mesh first.")
    if not np.isfinite(vertices).all():
        raise DamagedMeshError(f"'{name}' has coordinates that are not finite", "Clean the mesh first.")
