"""Writes a copy of a user's GLB file in which only the base colour texture is new.

Where the file's own texture coordinates were kept, its vertices, indices, normals, skins, animations and everything
else stay byte for byte. Where new coordinates were made, the painted primitives get new vertices: every attribute is
copied value by value, in its own number format, and repeated where the new seams need it.

Materials keep their names, factors and other textures. Three things change where they must, because they would tint
the painted texture: the colour of ``baseColorFactor`` becomes white (its alpha stays), vertex colours are left out, and
the colour of KHR_materials_pbrSpecularGlossiness follows the base colour. The notes say so.
"""

from __future__ import annotations

import copy
import io
import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.png import encode
from manymesh.mesh.formats.gltf_file import BIN_CHUNK, JSON_CHUNK, MAGIC, GltfFile
from manymesh.mesh.formats.gltf_read import DRACO, INSTANCING, TRIANGLES, GltfPart
from manymesh.types import U8, TexturedMesh

SPECULAR_GLOSSINESS = "KHR_materials_pbrSpecularGlossiness"
COMPONENT_TYPES = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
VERTEX_TARGET, INDEX_TARGET = 34962, 34963
# Of an old texture whose transparency is kept. 8192 x 8192 is the largest that common programs write; 67 MB as alpha.
MAX_TEXTURE_PIXELS = 8192 * 8192


def repaint(
    file: GltfFile, parts: Sequence[GltfPart], painted: TexturedMesh, *, own_coordinates: bool, faces: NDArray[Any]
) -> tuple[bytes, list[str]]:
    """The GLB with the painted texture.

    Args:
        file: what was read.
        parts: its primitives in the order in which their vertices and faces were joined.
        painted: the texture, and the atlas with the same faces in the same order.
        own_coordinates: the texture was painted in the file's own coordinates.
        faces: (m, 3) the joined faces, into the joined vertices; ``painted.atlas.faces`` corresponds row by row.

    Returns:
        The file, and notes for people.
    """
    build = _Copy(file)
    alpha = build.old_alpha(parts, painted.base_color.shape[0]) if own_coordinates else None
    texture = build.put_texture(encode(painted.base_color, alpha), parts)
    if own_coordinates:
        build.paint_in_place(parts, texture)
    else:
        build.paint_anew(parts, painted, faces, texture)
    return build.to_bytes(), list(dict.fromkeys(build.notes))


@dataclass(frozen=True)
class _Column:
    """One vertex attribute as it is stored: (n, width) numbers, glTF's type, whether they are normalised integers."""

    values: NDArray[Any]
    kind: str
    normalized: bool


class _Copy:
    """The document and binary data of the new file while it is put together."""

    def __init__(self, file: GltfFile) -> None:
        self.file = file
        self.json: dict[str, Any] = copy.deepcopy(file.document)
        self.binary = file.binary
        self.added = bytearray()
        self.notes: list[str] = []
        if not self.json.get("buffers"):
            self.json["buffers"] = [{"byteLength": 0}]
        elif "uri" in self.json["buffers"][0]:  # all data is embedded as text: the binary chunk must be buffer 0
            self.json["buffers"].insert(0, {"byteLength": 0})
            for view in self.json.get("bufferViews", []):
                view["buffer"] += 1

    def old_alpha(self, parts: Sequence[GltfPart], size: int) -> U8 | None:
        """(size, size) alpha of the old base colour texture, where a material blends or cuts out by it."""
        import cv2

        found: dict[int, U8] = {}
        for number in {part.material for part in parts if part.material is not None}:
            material = self.file.item("materials", number)
            info = material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
            if material.get("alphaMode", "OPAQUE") == "OPAQUE" or info is None:
                continue
            image = self.file.item("textures", info["index"]).get("source")
            if not isinstance(image, int):
                continue
            pixels = self._alpha_of(image)
            if pixels is not None:
                found[image] = np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
        if len(found) > 1:
            self.notes.append("The materials' transparent textures differ, so transparency was not kept.")
        return next(iter(found.values())) if len(found) == 1 else None

    def _alpha_of(self, image: int) -> U8 | None:
        from PIL import Image

        entry = self.file.item("images", image)
        if "bufferView" not in entry:
            return None
        try:
            with Image.open(io.BytesIO(bytes(self.file.view(entry["bufferView"])))) as picture:
                if picture.width * picture.height > MAX_TEXTURE_PIXELS or "A" not in picture.getbands():
                    return None
                return np.asarray(picture.getchannel("A"), np.uint8)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            self.notes.append(f"The old texture cannot be read ({str(error)[:80]}), so its transparency was not kept.")
            return None

    def put_texture(self, png: bytes, parts: Sequence[GltfPart]) -> int:
        """Put the picture into the file; returns the index of its texture.

        It takes the place of an old base colour texture that nothing else uses, so that the old picture goes. Where
        there is none, it is added.
        """
        images, textures = self.json.setdefault("images", []), self.json.setdefault("textures", [])
        slot = self._replaceable_texture(parts)
        if slot is None:
            images.append({"mimeType": "image/png", "bufferView": self._add_view(png)})
            textures.append({"source": len(images) - 1})
            return len(textures) - 1
        source = textures[slot].get("source")
        textures[slot].pop("extensions", None)  # the same picture in other formats
        if source is None or sum(texture.get("source") == source for texture in textures) > 1:
            images.append({"mimeType": "image/png", "bufferView": self._add_view(png)})
            textures[slot]["source"] = len(images) - 1
            return slot
        view = images[source].get("bufferView")
        images[source] = {
            key: value for key, value in images[source].items() if key in ("name", "extras", "extensions")
        }
        images[source] |= {"mimeType": "image/png", "bufferView": self._replace_view(view, png)}
        return slot

    def _replaceable_texture(self, parts: Sequence[GltfPart]) -> int | None:
        """An old base colour texture of painted materials that no other material and no other role uses."""
        painted = {part.material for part in parts if part.material is not None}
        old: set[int] = set()
        kept: set[int] = set()
        for number, material in enumerate(self.json.get("materials", [])):
            base = material.get("pbrMetallicRoughness", {}).get("baseColorTexture", {}).get("index")
            if number in painted and base is not None:
                old.add(base)
            kept |= _texture_indices(material, skip_base=number in painted)
        return min(old - kept, default=None)

    def _replace_view(self, number: int | None, data: bytes) -> int:
        """Give buffer view ``number`` new data; its old bytes are cut out where nothing else needs them."""
        views = self.json.get("bufferViews", [])
        if number is None or re.search(rf'"bufferView": {number}\b', json.dumps(self.json)):
            return self._add_view(data)
        old = views[number]
        low = -(-old.get("byteOffset", 0) // 4) * 4
        high = (old.get("byteOffset", 0) + old["byteLength"]) // 4 * 4
        others = [view for place, view in enumerate(views) if place != number and view["buffer"] == old["buffer"]]
        apart = all(view.get("byteOffset", 0) >= high or _end(view) <= low for view in others)
        if old["buffer"] == 0 and apart and high > low and not any("extensions" in view for view in views):
            self.binary = self.binary[:low] + self.binary[high:]
            for view in others:
                if view.get("byteOffset", 0) >= high:
                    view["byteOffset"] -= high - low
        new = self._add_view(data)
        views[number] = views.pop(new)
        return number

    def paint_in_place(self, parts: Sequence[GltfPart], texture: int) -> None:
        """Only materials change: their texture coordinates are the ones that were painted."""
        for part in parts:
            primitive = self.json["meshes"][part.mesh]["primitives"][part.primitive]
            self._drop_colors(primitive)
            self._set_texture(self._material_of(primitive), texture, None)

    def paint_anew(self, parts: Sequence[GltfPart], painted: TexturedMesh, faces: NDArray[Any], texture: int) -> None:
        """Every shown primitive gets vertices of its own, with the new coordinates."""
        meshes: dict[tuple[int, int | None], int] = {}
        start_face = start_vertex = 0
        for part in parts:
            here = slice(start_face, start_face + len(part.faces))
            own = faces[here].astype(np.int64) - start_vertex
            old = self.json["meshes"][part.mesh]["primitives"][part.primitive]
            primitive = self._split(part, old, own, painted, painted.atlas.faces[here].astype(np.int64), texture)
            key = (part.node, part.instance)
            if key not in meshes:
                meshes[key] = self._own_mesh(part)
            self.json["meshes"][meshes[key]]["primitives"].append(primitive)
            start_face, start_vertex = start_face + len(part.faces), start_vertex + len(part.vertices)
        for (number, instance), mesh in meshes.items():
            if instance is None:
                self.json["nodes"][number]["mesh"] = mesh
        self._drop_instancing(meshes)
        used = {node["mesh"] for node in self.json["nodes"] if "mesh" in node}
        if len(used) < len(self.json["meshes"]):
            self._keep_meshes(sorted(used))

    def _own_mesh(self, part: GltfPart) -> int:
        """A mesh like the part's, without primitives; for an instance also a child node that shows it."""
        old = self.json["meshes"][part.mesh]
        mesh = {key: value for key, value in old.items() if key != "primitives"} | {"primitives": []}
        self.json["meshes"].append(mesh)
        number = len(self.json["meshes"]) - 1
        if part.instance is not None:
            matrix = [float(value) for value in part.matrix.T.reshape(-1)]
            self.json["nodes"].append({"mesh": number, "matrix": matrix})
            self.json["nodes"][part.node].setdefault("children", []).append(len(self.json["nodes"]) - 1)
            self.notes.append("Copies of one mesh were made separate, so that each has its own colours.")
        return number

    def _drop_instancing(self, meshes: Mapping[tuple[int, int | None], int]) -> None:
        for number in {node for node, instance in meshes if instance is not None}:
            node = self.json["nodes"][number]
            node.pop("mesh", None)
            node["extensions"].pop(INSTANCING)
            if not node["extensions"]:
                del node["extensions"]
        if not any(INSTANCING in node.get("extensions", {}) for node in self.json["nodes"]):
            self._forget_extension(INSTANCING)

    def _keep_meshes(self, used: Sequence[int]) -> None:
        place = {old: new for new, old in enumerate(used)}
        self.json["meshes"] = [self.json["meshes"][number] for number in used]
        for node in self.json["nodes"]:
            if "mesh" in node:
                node["mesh"] = place[node["mesh"]]

    def _split(
        self,
        part: GltfPart,
        old: Mapping[str, Any],
        own: NDArray[np.int64],
        painted: TexturedMesh,
        atlas: NDArray[np.int64],
        texture: int,
    ) -> dict[str, Any]:
        """The primitive with one vertex for each pair of old vertex and atlas vertex that its corners use."""
        pairs, corner = np.unique(np.column_stack([own.reshape(-1), atlas.reshape(-1)]), axis=0, return_inverse=True)
        rows = pairs[:, 0]
        faces = corner.reshape(-1, 3)
        if part.mirrored:
            faces = faces[:, ::-1]
        new = {key: value for key, value in old.items() if key not in ("attributes", "indices", "targets", "mode")}
        columns = self._columns(part, old)
        new["attributes"] = {name: self._gather(column, rows, name == "POSITION") for name, column in columns.items()}
        if "targets" in old:
            new["targets"] = [
                {name: self._gather(self._column(number), rows, name == "POSITION") for name, number in target.items()}
                for target in old["targets"]
            ]
        if DRACO in new.get("extensions", {}):
            new["extensions"] = {key: value for key, value in new["extensions"].items() if key != DRACO}
            self._forget_extension(DRACO)
        wide = len(rows) >= 65535  # 65535 itself is reserved in glTF
        new["indices"] = self._add_accessor(
            faces.reshape(-1, 1).astype("<u4" if wide else "<u2"), "SCALAR", INDEX_TARGET
        )
        new["mode"] = TRIANGLES
        self._drop_colors(new)
        material = self._material_of(new)
        coordinates = self._free_coordinates(material, new["attributes"])
        uv = painted.atlas.uv[pairs[:, 1]].astype("<f4")
        new["attributes"][f"TEXCOORD_{coordinates}"] = self._add_accessor(uv, "VEC2", VERTEX_TARGET)
        self._set_texture(material, texture, coordinates)
        return new

    def _columns(self, part: GltfPart, old: Mapping[str, Any]) -> dict[str, _Column]:
        """The primitive's attributes; of a compressed one, its decoded positions alone."""
        if DRACO not in old.get("extensions", {}):
            return {name: self._column(number) for name, number in old["attributes"].items()}
        self.notes.append("A compressed mesh was written without compression and without its normals.")
        from manymesh.mesh.formats.gltf_draco import decode_draco

        positions, _, _ = decode_draco(self.file, old["extensions"][DRACO])
        return {"POSITION": _Column(positions.astype("<f4"), "VEC3", False)}

    def _column(self, number: int) -> _Column:
        values, normalized = self.file.accessor(number)
        return _Column(values, self.file.item("accessors", number)["type"], normalized)

    def _gather(self, column: _Column, rows: NDArray[np.int64], bounds: bool) -> int:
        """Some rows of an attribute as a new accessor, in the same number format."""
        return self._add_accessor(
            column.values[rows], column.kind, VERTEX_TARGET, bounds=bounds, normalized=column.normalized
        )

    def _free_coordinates(self, material: Mapping[str, Any], attributes: dict[str, int]) -> int:
        """The set of texture coordinates to use: 0 if the material's other textures do not need it, else a new one."""
        look = {key: value for key, value in material.items() if key != "pbrMetallicRoughness"}
        look["rest"] = {k: v for k, v in material.get("pbrMetallicRoughness", {}).items() if k != "baseColorTexture"}
        if '"index"' not in json.dumps(look):
            for name in [name for name in attributes if name.startswith("TEXCOORD_") and name != "TEXCOORD_0"]:
                del attributes[name]
            return 0
        return next(number for number in range(len(attributes) + 1) if f"TEXCOORD_{number}" not in attributes)

    def _material_of(self, primitive: dict[str, Any]) -> dict[str, Any]:
        """The primitive's material; one without gets one."""
        materials: list[dict[str, Any]] = self.json.setdefault("materials", [])
        if "material" not in primitive:
            primitive["material"] = len(materials)
            materials.append({"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0}})
        number: int = primitive["material"]
        return materials[number]

    def _set_texture(self, material: dict[str, Any], texture: int, coordinates: int | None) -> None:
        """Make ``texture`` the material's base colour; ``coordinates`` None keeps its coordinate set and transform."""
        look = material.setdefault("pbrMetallicRoughness", {})
        info = dict(look.get("baseColorTexture", {})) if coordinates is None else {"texCoord": coordinates}
        look["baseColorTexture"] = info | {"index": texture}
        factor = look.get("baseColorFactor", [1, 1, 1, 1])
        if factor[:3] != [1, 1, 1]:
            look["baseColorFactor"] = [1.0, 1.0, 1.0, factor[3]]
            self.notes.append("Base colour factors were made white, because they would tint the painted texture.")
        older = material.get("extensions", {}).get(SPECULAR_GLOSSINESS)
        if older is not None:
            older["diffuseTexture"] = dict(look["baseColorTexture"])
            older["diffuseFactor"] = [1.0, 1.0, 1.0, older.get("diffuseFactor", [1, 1, 1, 1])[3]]

    def _drop_colors(self, primitive: dict[str, Any]) -> None:
        colors = [name for name in primitive["attributes"] if name.startswith("COLOR_")]
        if colors:
            primitive["attributes"] = {k: v for k, v in primitive["attributes"].items() if k not in colors}
            self.notes.append("Vertex colours were left out, because they would tint the painted texture.")

    def _forget_extension(self, name: str) -> None:
        for key in ("extensionsRequired", "extensionsUsed"):
            if name in self.json.get(key, []):
                self.json[key] = [other for other in self.json[key] if other != name]
                if not self.json[key]:
                    del self.json[key]

    def _base(self) -> int:
        """Where the added bytes start in the binary chunk."""
        return len(self.binary) + (-len(self.binary) % 4)

    def _add_view(self, data: bytes, target: int | None = None) -> int:
        self.added += b"\0" * (-len(self.added) % 4)
        view = {"buffer": 0, "byteOffset": self._base() + len(self.added), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self.added += data
        views = self.json.setdefault("bufferViews", [])
        views.append(view)
        return len(views) - 1

    def _add_accessor(
        self, values: NDArray[Any], kind: str, target: int, *, bounds: bool = False, normalized: bool = False
    ) -> int:
        packed = np.ascontiguousarray(values)
        width = packed.dtype.itemsize * packed.shape[1]
        padded = packed.view(np.uint8).reshape(len(packed), width)
        stride = width
        if target == VERTEX_TARGET and width % 4:  # rows of vertex attributes start at multiples of 4 bytes
            stride = width + -width % 4
            padded = np.pad(padded, ((0, 0), (0, stride - width)))
        view = self._add_view(padded.tobytes(), target)
        if stride != width:
            self.json["bufferViews"][view]["byteStride"] = stride
        component = COMPONENT_TYPES[packed.dtype.str[1:]]
        entry = {"bufferView": view, "componentType": component, "count": len(packed), "type": kind}
        if normalized:
            entry["normalized"] = True
        if bounds:
            entry["min"], entry["max"] = packed.min(axis=0).tolist(), packed.max(axis=0).tolist()
        accessors = self.json.setdefault("accessors", [])
        accessors.append(entry)
        return len(accessors) - 1

    def to_bytes(self) -> bytes:
        binary = self.binary + b"\0" * (-len(self.binary) % 4) + bytes(self.added)
        self.json["buffers"][0]["byteLength"] = len(binary)
        binary += b"\0" * (-len(binary) % 4)
        text = json.dumps(self.json, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
        text += b" " * (-len(text) % 4)
        chunks = [struct.pack("<II", len(text), JSON_CHUNK), text, struct.pack("<II", len(binary), BIN_CHUNK), binary]
        return b"".join([struct.pack("<III", MAGIC, 2, 12 + sum(map(len, chunks))), *chunks])


def _texture_indices(material: Mapping[str, Any], *, skip_base: bool) -> set[int]:
    """Every texture that a material names, its base colour texture left out with ``skip_base``."""
    found: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", material)]
    while waiting:
        key, value = waiting.pop()
        if skip_base and key in ("baseColorTexture", "diffuseTexture"):
            continue
        if isinstance(value, Mapping):
            if isinstance(value.get("index"), int):
                found.add(value["index"])
            waiting.extend(value.items())
    return found


def _end(view: Mapping[str, Any]) -> int:
    return int(view.get("byteOffset", 0)) + int(view["byteLength"])
