"""Binary glTF 2.0 (GLB): one mesh, or a scene of named ones. Same input, same bytes.

The house's frame is glTF's, so positions and texture coordinates go out as they are. Materials are neutral: metallic 0,
roughness 1, base colour from the texture (sRGB) or the vertices. glTF wants vertex colours linear; as 16-bit numbers
they come back as exactly the 8-bit sRGB ones they were.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import DamagedMeshError, InputError
from manymesh.image.png import decode, encode
from manymesh.mesh.formats.gltf_file import BIN_CHUNK, JSON_CHUNK, MAGIC, split_glb
from manymesh.mesh.normals import vertex_normals
from manymesh.naming import clean_name
from manymesh.types import F64, U8, Atlas, Mesh, TexturedMesh

FLOAT, U8_TYPE, U16_TYPE, U32_TYPE = 5126, 5121, 5123, 5125
VERTEX_TARGET, INDEX_TARGET = 34962, 34963
LINEAR, LINEAR_MIPMAPS, CLAMP = 9729, 9987, 33071
GREY = 0.6  # linear base colour of a mesh that has none


def write_glb(shape: Mesh | TexturedMesh, *, name: str = "object") -> bytes:
    """One mesh as a GLB file.

    Raises:
        DamagedMeshError: the mesh has no faces or numbers that are not finite.
    """
    return scene_glb([(name, np.eye(4), shape)])


def scene_glb(
    nodes: Sequence[tuple[str, F64, Mesh | TexturedMesh | tuple[Atlas, bytes]]],
) -> bytes:
    """Several meshes as one GLB file, a named node each.

    Args:
        nodes: name, (4, 4) matrix from the mesh's frame to the scene's (rotation, positive scale and translation
            only), mesh. A textured one may also come as its atlas and its texture as a PNG file.
    """
    build = _Builder()
    for name, matrix, shape in nodes:
        geometry: Mesh | Atlas
        picture = None
        if isinstance(shape, TexturedMesh):
            geometry, picture = shape.atlas, encode(shape.base_color)
        elif isinstance(shape, Mesh):
            geometry = shape
        else:
            geometry, picture = shape
        build.add(clean_name(name), np.asarray(matrix, dtype=np.float64), geometry, picture)
    return build.to_bytes()


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

    def add(self, name: str, matrix: F64, geometry: Mesh | Atlas, picture: bytes | None) -> None:
        check_writable(name, geometry.vertices, geometry.faces)
        positions = np.asarray(geometry.vertices, dtype=np.float32)
        attributes = {
            "POSITION": self._accessor(positions, "VEC3", FLOAT, bounds=True),
            "NORMAL": self._accessor(vertex_normals(geometry), "VEC3", FLOAT),
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
        faces = geometry.faces.astype(np.uint16 if small else np.uint32).reshape(-1)
        indices = self._accessor(faces, "SCALAR", U16_TYPE if small else U32_TYPE, target=INDEX_TARGET)
        primitive = {"attributes": attributes, "indices": indices, "material": len(self.json["materials"])}
        self.json["materials"].append({"name": name, "pbrMetallicRoughness": look})
        node: dict[str, Any] = {"name": name, "mesh": len(self.json["meshes"])}
        if not np.array_equal(matrix, np.eye(4)):
            node["matrix"] = [float(x) for x in matrix.T.reshape(-1)]
        self.json["meshes"].append({"name": name, "primitives": [primitive]})
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


def read_glb(data: bytes) -> Mesh:
    """The first mesh of a GLB file as ``write_glb`` makes them: the same positions, faces and colours, bit for bit.

    Raises:
        InputError: not such a file.
    """
    try:
        document, binary = split_glb(data)
        primitive = document["meshes"][0]["primitives"][0]
        vertices = _read_accessor(document, binary, primitive["attributes"]["POSITION"]).astype(np.float32)
        faces = _read_accessor(document, binary, primitive["indices"]).reshape(-1, 3).astype(np.int32)
        colors = None
        if "COLOR_0" in primitive["attributes"]:
            colors = _from_linear_u16(_read_accessor(document, binary, primitive["attributes"]["COLOR_0"])[:, :3])
    except (KeyError, IndexError, ValueError, TypeError, struct.error) as error:
        raise InputError(
            f"the GLB file cannot be read ({error})", "It is damaged, or not one that manymesh wrote."
        ) from error
    if len(faces) and (int(faces.max()) >= len(vertices) or int(faces.min()) < 0):
        raise InputError("the GLB file's faces name vertices that it lacks", "It is damaged.")
    return Mesh(vertices, faces, colors)


def read_painted_glb(data: bytes) -> TexturedMesh:
    """The first mesh of a GLB file that ``write_glb`` made of a textured one: positions, faces, UV and texture.

    Raises:
        InputError: not such a file.
    """
    atlas, picture = read_atlas_glb(data)
    try:
        texture, _ = decode(picture)
    except (ValueError, TypeError, OSError) as error:
        raise InputError(f"the GLB file's texture cannot be read ({error})", "It is damaged.") from error
    return TexturedMesh(atlas, texture)


def read_atlas_glb(data: bytes) -> tuple[Atlas, bytes]:
    """The same, with the texture as the PNG file that it is.

    Raises:
        InputError: not such a file.
    """
    plain = read_glb(data)
    try:
        document, binary = split_glb(data)
        attributes = document["meshes"][0]["primitives"][0]["attributes"]
        uv = _read_accessor(document, binary, attributes["TEXCOORD_0"]).astype(np.float32)
        picture = _picture(document, binary)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError(f"the GLB file's texture cannot be read ({error})", "It is damaged.") from error
    # Vertices repeat on seams with exactly the same position: the first of each is the one they all stand for.
    order = np.lexsort(plain.vertices.T[::-1])
    place = plain.vertices[order]
    source = np.zeros(len(order), np.int32)
    source[order[1:]] = np.cumsum((place[1:] != place[:-1]).any(axis=1))
    atlas = Atlas(plain.vertices, plain.faces, uv, source, "file")
    return atlas, picture


def _picture(document: dict[str, Any], binary: bytes) -> bytes:
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    start = view.get("byteOffset", 0)
    return binary[start : start + view["byteLength"]]


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
