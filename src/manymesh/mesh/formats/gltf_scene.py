"""The triangles of a glTF file as a viewer shows them at rest.

The default scene is walked from its roots. Nodes are put where they stand, also mirrored ones; morph targets count with
their weights; skins are posed as their joints stand; instances (EXT_mesh_gpu_instancing) are all there. Animations are
not played. Every texture coordinate is the one that the base colour reads, KHR_texture_transform applied.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.gltf import MAX_ENTRIES, Gltf, whole
from manymesh.mesh.formats.gltf_nodes import placed_meshes
from manymesh.mesh.formats.gltf_pose import attribute_of, morphed, moved_by, skinned
from manymesh.mesh.formats.user_mesh import DamagedFileError, UserMesh, check_face_count
from manymesh.mesh.topology import unit
from manymesh.types import F32, F64

TRIANGLES, STRIP, FAN = 4, 5, 6
TRANSFORM = "KHR_texture_transform"
SPECULAR = "KHR_materials_pbrSpecularGlossiness"

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class GltfPart:
    """The faces of one primitive at one place of the scene.

    Attributes:
        mesh, primitive: numbers in the document.
        first, count: its faces in the whole mesh.
        corners: (count, 3) int64, the primitive's vertices as its indices name them.
        mirrored: its node turns triangles over, so the whole mesh has the last two corners of each exchanged.
        copy: an earlier part shows the same primitive.
    """

    mesh: int
    primitive: int
    first: int
    count: int
    corners: Ints
    mirrored: bool
    copy: bool


@dataclass(frozen=True)
class GltfParts:
    """Where each face of a ``UserMesh`` stands in its file."""

    source: Gltf
    parts: tuple[GltfPart, ...]


def read_scene(source: Gltf, name: str) -> UserMesh:
    """All triangles of the default scene.

    Args:
        name: of the file, for messages.

    Raises:
        DamagedFileError: something in it contradicts itself.
        InputError: more than ``MAX_FACES`` triangles.
    """
    placed = placed_meshes(source)
    check_face_count(sum(_claimed_faces(source, mesh) for _, mesh, _ in placed), name)
    seen: set[tuple[int, int]] = set()
    made: list[_Triangles] = []
    for node, mesh, matrix in placed:
        entry = source.item("meshes", mesh)
        for number, primitive in enumerate(entry.get("primitives", [])):
            if primitive.get("mode", TRIANGLES) not in (TRIANGLES, STRIP, FAN):
                continue
            part = _Triangles.of(source, node, mesh, number, matrix, (mesh, number) in seen)
            if len(part.faces):
                seen.add((mesh, number))
                made.append(part)
    return _joined(source, made)


def material_of(source: Gltf, primitive: dict[str, Any]) -> dict[str, Any]:
    """The material of a primitive, {} for glTF's default one."""
    number = primitive.get("material")
    return {} if number is None else source.item("materials", number)


def base_texture(material: dict[str, Any]) -> dict[str, Any]:
    """The texture info of a material's base colour, {} where it has none."""
    specular = material.get("extensions", {}).get(SPECULAR)
    found = (
        specular.get("diffuseTexture")
        if specular is not None
        else material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
    )
    return found or {}


def has_other_textures(material: dict[str, Any]) -> bool:
    """Whether a material reads another texture than that of its base colour."""
    base = base_texture(material)
    waiting: list[Any] = [value for key, value in material.items() if key != "extras"]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            if "index" in here and here is not base:
                return True
            waiting += [inner for inner in here.values() if inner is not base]
    return False


@dataclass(frozen=True)
class _Triangles:
    """One primitive at one place. Arrays as in ``UserMesh``; ``corners`` as in ``GltfPart``."""

    mesh: int
    primitive: int
    positions: F64
    faces: Ints
    corners: Ints
    uv: F64 | None
    normals: F32 | None
    material: int
    layout: tuple[Any, ...]
    mirrored: bool
    copy: bool

    @classmethod
    def of(cls, source: Gltf, node: dict[str, Any], mesh: int, number: int, matrix: F64, copy: bool) -> _Triangles:
        entry = source.item("meshes", mesh)
        primitive = entry["primitives"][number]
        attributes = primitive["attributes"]
        if "POSITION" not in attributes:
            raise DamagedFileError("has triangles without positions")
        count = whole(source.item("accessors", attributes["POSITION"]).get("count"), "count")
        if count > MAX_ENTRIES:
            raise DamagedFileError(f"has {count} vertices in one piece")
        positions = source.numbers(attributes["POSITION"])
        if positions.shape != (count, 3):
            raise DamagedFileError("has positions that are not three numbers each")
        normals = attribute_of(source, attributes, "NORMAL", count, 3)
        positions, normals = morphed(source, node, entry, primitive, positions, normals)
        corners = _corners(source, primitive, count)
        skin = node.get("skin")
        if skin is not None:
            source.item("skins", skin)
        if skin is not None and "JOINTS_0" in attributes:
            positions, normals, mirrored = skinned(source, skin, attributes, positions, normals)
        else:
            positions, normals = moved_by(matrix, positions, normals)
            mirrored = float(np.linalg.det(matrix[:3, :3])) < 0
        faces = corners[:, [0, 2, 1]] if mirrored else corners
        # Parts may share one large table of vertices: each keeps those that it uses.
        used, placed = np.unique(faces, return_inverse=True)
        material = material_of(source, primitive)
        info = base_texture(material)
        uv = _texture_places(source, attributes, info, count)
        authored = None if normals is None else unit(np.nan_to_num(normals, posinf=0, neginf=0)).astype(np.float32)
        image = source.item("textures", info["index"]).get("source") if "index" in info else None
        return cls(
            mesh,
            number,
            positions[used],
            placed.reshape(-1, 3),
            corners,
            None if uv is None else uv[faces],
            None if authored is None else authored[faces],
            primitive.get("material", -1),
            ("image", image) if image is not None else ("material", primitive.get("material", -1)),
            mirrored,
            copy,
        )


def _joined(source: Gltf, made: list[_Triangles]) -> UserMesh:
    """All parts as one mesh."""
    first = np.cumsum([0, *(len(part.faces) for part in made)]).tolist()
    offset = np.cumsum([0, *(len(part.positions) for part in made)]).tolist()
    materials = sorted({part.material for part in made})
    layouts = {layout: number for number, layout in enumerate(dict.fromkeys(part.layout for part in made))}
    names = tuple("" if m < 0 else str(source.item("materials", m).get("name", "")) for m in materials)
    counts = [len(part.faces) for part in made]

    def per_face(values: list[int]) -> NDArray[np.int32]:
        return np.repeat(np.array(values, np.int32), counts)

    starts = zip(made, offset, strict=False)
    parts = tuple(
        GltfPart(part.mesh, part.primitive, start, len(part.faces), part.corners, part.mirrored, part.copy)
        for part, start in zip(made, first, strict=False)
    )
    have_uv = all(part.uv is not None for part in made)
    have_normals = any(part.normals is not None for part in made)
    return UserMesh(
        np.concatenate([np.zeros((0, 3)), *(part.positions for part in made)]),
        np.concatenate(
            [np.zeros((0, 3), np.int32), *((part.faces + start).astype(np.int32) for part, start in starts)]
        ),
        np.concatenate([part.uv for part in made if part.uv is not None]) if made and have_uv else None,
        np.concatenate([_normals_or_zero(part) for part in made]) if have_normals else None,
        per_face([materials.index(part.material) for part in made]),
        names or ("",),
        per_face([layouts[part.layout] for part in made]),
        copy=np.repeat(np.array([part.copy for part in made], bool), counts),
        notes=source.changed,
        unit="m",
        lost=_lost(source.document, made),
        gltf=GltfParts(source, parts),
    )


def _lost(document: dict[str, Any], made: list[_Triangles]) -> tuple[str, ...]:
    """What only a copy of the file keeps, in a few words each."""
    # Every primitive of a mesh is shown as often as the mesh.
    shown = {mesh: count for (mesh, _), count in Counter((part.mesh, part.primitive) for part in made).items()}
    places = sum(shown.values())
    found = [f"{places} meshes as nodes"] if places > 1 else []
    found += [name for name in ("skins", "animations", "cameras") if document.get(name)]
    primitives = [each for mesh in document.get("meshes", []) for each in mesh.get("primitives", [])]
    if any(primitive.get("targets") for primitive in primitives):
        found.append("morph targets")
    if any(has_other_textures(material) for material in document.get("materials", [])):
        found.append("other textures")
    return tuple(found)


def _normals_or_zero(part: _Triangles) -> F32:
    return np.zeros((*part.faces.shape, 3), np.float32) if part.normals is None else part.normals


def _claimed_faces(source: Gltf, mesh: int) -> int:
    """How many triangles a mesh has by what its accessors claim."""
    total = 0
    for primitive in source.item("meshes", mesh).get("primitives", []):
        mode = primitive.get("mode", TRIANGLES)
        number = primitive.get("indices", primitive["attributes"].get("POSITION"))
        if mode in (TRIANGLES, STRIP, FAN) and number is not None:
            count = whole(source.item("accessors", number).get("count"), "count")
            total += count // 3 if mode == TRIANGLES else max(count - 2, 0)
    return total


def _corners(source: Gltf, primitive: dict[str, Any], count: int) -> Ints:
    """(m, 3) vertices of the triangles."""
    if "indices" in primitive:
        stored = source.accessor(primitive["indices"])
        if stored.dtype.kind != "u" or stored.shape[1] != 1:
            raise DamagedFileError("has indices that are not whole numbers")
        index = stored[:, 0].astype(np.int64)
    else:
        index = np.arange(count)
    mode = primitive.get("mode", TRIANGLES)
    if mode == TRIANGLES:
        corners = index[: len(index) // 3 * 3].reshape(-1, 3)
    elif len(index) < 3:
        corners = np.zeros((0, 3), np.int64)
    elif mode == STRIP:
        corners = np.stack([index[:-2], index[1:-1], index[2:]], axis=1)
        corners[1::2] = corners[1::2][:, [1, 0, 2]]
    else:
        corners = np.stack([np.full(len(index) - 2, index[0]), index[1:-1], index[2:]], axis=1)
    if corners.size and int(corners.max()) >= count:
        raise DamagedFileError("has faces that name vertices that it lacks")
    return corners


def _texture_places(source: Gltf, attributes: dict[str, Any], info: dict[str, Any], count: int) -> F64 | None:
    """(count, 2) where the base colour is read for each vertex, None where the primitive has no such coordinates."""
    transform = info.get("extensions", {}).get(TRANSFORM, {})
    name = f"TEXCOORD_{transform.get('texCoord', info.get('texCoord', 0))}"
    uv = attribute_of(source, attributes, name, count, 2)
    if uv is None or not transform:
        return uv
    turn = float(transform.get("rotation", 0.0))
    scale, offset = np.array(transform.get("scale", (1, 1)), float), np.array(transform.get("offset", (0, 0)), float)
    scaled = uv * scale
    c, s = math.cos(turn), math.sin(turn)
    # Counter-clockwise to the eye: v runs downwards.
    turned: F64 = np.stack([c * scaled[:, 0] + s * scaled[:, 1], c * scaled[:, 1] - s * scaled[:, 0]], axis=1) + offset
    return turned
