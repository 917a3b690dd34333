"""The triangles of a glTF file as a viewer shows them at rest.

The default scene is walked from its roots. Nodes are put where they stand, also mirrored ones; morph targets count with
their weights; skins are posed as their joints stand; instances (EXT_mesh_gpu_instancing) are all there. Animations are
not played. Every texture coordinate is the one that the base colour reads, KHR_texture_transform applied.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.gltf import MAX_ENTRIES, Gltf, whole
from manymesh.mesh.formats.user_mesh import DamagedFileError, UserMesh, check_face_count
from manymesh.mesh.topology import unit
from manymesh.types import F32, F64

TRIANGLES, STRIP, FAN = 4, 5, 6
INSTANCING = "EXT_mesh_gpu_instancing"
TRANSFORM = "KHR_texture_transform"
SPECULAR = "KHR_materials_pbrSpecularGlossiness"
# The deepest chain of nodes. Chosen by hand: rigs have about 100, and a longer one is a mistake or an attack.
MAX_DEPTH = 1000
# How often the scene may show meshes, all nodes and their instances together: a small file can claim any number. Chosen
# by hand.
MAX_INSTANCES = 100_000

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
    placed = list(islice(_placed_meshes(source), MAX_INSTANCES + 1))
    if len(placed) > MAX_INSTANCES:
        raise DamagedFileError(f"shows meshes more than {MAX_INSTANCES:,} times")
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
        normals = _attribute(source, attributes, "NORMAL", count, 3)
        positions, normals = _morphed(source, node, entry, primitive, positions, normals)
        corners = _corners(source, primitive, count)
        skin = node.get("skin")
        if skin is not None:
            source.item("skins", skin)
        if skin is not None and "JOINTS_0" in attributes:
            positions, normals, mirrored = _skinned(source, skin, attributes, positions, normals)
        else:
            positions, normals = _moved(matrix, positions, normals)
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


def _placed_meshes(source: Gltf) -> Iterator[tuple[dict[str, Any], int, F64]]:
    """(node, mesh number, (4, 4) matrix to the scene) of everything the scene shows, in the order of a walk."""
    for number, matrix in _walk(source):
        node = source.item("nodes", number)
        if "mesh" not in node:
            continue
        mesh = whole(node["mesh"], "mesh")
        instancing = node.get("extensions", {}).get(INSTANCING)
        for instance in _instances(source, instancing) if instancing else [np.eye(4)]:
            yield node, mesh, matrix @ instance


def _walk(source: Gltf) -> Iterator[tuple[int, F64]]:
    """Every node of the default scene with its matrix, parents first."""
    seen: set[int] = set()
    waiting = [(number, np.eye(4), 0) for number in reversed(_roots(source))]
    while waiting:
        number, above, depth = waiting.pop()
        node = source.item("nodes", number)
        if number in seen or depth > MAX_DEPTH:
            raise DamagedFileError("has nodes that contain one another")
        seen.add(number)
        if node.get("extensions", {}).get("KHR_node_visibility", {}).get("visible") is False:
            continue
        matrix = above @ local_matrix(node)
        yield number, matrix
        waiting += [(child, matrix, depth + 1) for child in reversed(node.get("children", []))]


def _roots(source: Gltf) -> list[int]:
    """The roots of the scene that viewers show; all roots where a file has no scene."""
    scenes = source.document.get("scenes", [])
    if scenes:
        return list(source.item("scenes", source.document.get("scene", 0)).get("nodes", []))
    nodes = source.document.get("nodes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    return [number for number in range(len(nodes)) if number not in children]


def local_matrix(node: dict[str, Any]) -> F64:
    """(4, 4) float64: a node's frame to its parent's."""
    if "matrix" in node:
        matrix = np.array(node["matrix"], np.float64)
        if matrix.shape != (16,):
            raise DamagedFileError("has a node matrix that is not 16 numbers")
        return matrix.reshape(4, 4).T
    return _from_parts(
        np.array(node.get("translation", (0, 0, 0)), np.float64),
        np.array(node.get("rotation", (0, 0, 0, 1)), np.float64),
        np.array(node.get("scale", (1, 1, 1)), np.float64),
    )


def _from_parts(translation: F64, rotation: F64, scale: F64) -> F64:
    """(4, 4) of a shift, a quaternion x, y, z, w, and a scale along each axis."""
    if translation.shape != (3,) or rotation.shape != (4,) or scale.shape != (3,):
        raise DamagedFileError("has a node whose place is not made of 3, 4 and 3 numbers")
    length = math.sqrt(float(rotation @ rotation))
    x, y, z, w = rotation / length if length > 0 else (0.0, 0.0, 0.0, 1.0)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= scale
    matrix[:3, 3] = translation
    return matrix


def _instances(source: Gltf, instancing: dict[str, Any]) -> list[F64]:
    """The matrices of a node's instances."""
    attributes = instancing["attributes"]
    for number in attributes.values():
        claimed = whole(source.item("accessors", number).get("count"), "count")
        if claimed > MAX_INSTANCES:
            raise DamagedFileError(f"has {claimed:,} instances of one node; the limit is {MAX_INSTANCES:,}")
    found = {
        name: source.numbers(attributes[name]) for name in ("TRANSLATION", "ROTATION", "SCALE") if name in attributes
    }
    count = max((len(values) for values in found.values()), default=0)
    if any(len(values) != count for values in found.values()):
        raise DamagedFileError("has instances with attributes of different lengths")
    usual = {"TRANSLATION": (0.0, 0, 0), "ROTATION": (0.0, 0, 0, 1), "SCALE": (1.0, 1, 1)}
    t, r, s = (found.get(name, np.tile(values, (count, 1))) for name, values in usual.items())
    return [_from_parts(t[i], r[i], s[i]) for i in range(count)]


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


def _attribute(source: Gltf, attributes: dict[str, Any], name: str, count: int, width: int) -> F64 | None:
    """(count, width) of an attribute, None where the primitive lacks it."""
    if name not in attributes:
        return None
    values = source.numbers(attributes[name])
    if values.shape != (count, width):
        raise DamagedFileError(f"has {len(values)} values as {name} for {count} vertices")
    return values


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


def _morphed(
    source: Gltf,
    node: dict[str, Any],
    mesh: dict[str, Any],
    primitive: dict[str, Any],
    positions: F64,
    normals: F64 | None,
) -> tuple[F64, F64 | None]:
    """Positions and normals with the morph targets that are on."""
    targets = primitive.get("targets", [])
    weights = node.get("weights", mesh.get("weights", []))
    for target, weight in zip(targets, weights, strict=False):
        if not weight:
            continue
        moved = _attribute(source, target, "POSITION", len(positions), 3)
        turned = _attribute(source, target, "NORMAL", len(positions), 3)
        if moved is not None:
            positions = positions + float(weight) * moved
        if turned is not None and normals is not None:
            normals = normals + float(weight) * turned
    return positions, normals


def _moved(matrix: F64, positions: F64, normals: F64 | None) -> tuple[F64, F64 | None]:
    """Positions and normals under a matrix."""
    linear = matrix[:3, :3]
    moved = positions @ linear.T + matrix[:3, 3]
    return moved, None if normals is None else normals @ _cofactors(linear).T


def _cofactors(linear: F64) -> F64:
    """What turns normals under a linear map: its inverse transposed times its determinant, which is never singular."""
    a, b, c = linear
    made: F64 = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)]) * np.sign(np.linalg.det(linear) or 1.0)
    return made


def _skinned(
    source: Gltf, skin: Any, attributes: dict[str, Any], positions: F64, normals: F64 | None
) -> tuple[F64, F64 | None, bool]:
    """Positions and normals as the skin's joints hold them; the mesh's own node does not move them (3.7.3.3)."""
    entry = source.item("skins", skin)
    joints = entry["joints"]
    world = _world_matrices(source)
    bones = np.stack([world.get(joint, np.eye(4)) for joint in joints])
    if "inverseBindMatrices" in entry:
        inverse = source.numbers(entry["inverseBindMatrices"])
        if inverse.shape[0] < len(joints) or inverse.shape[1] != 16:
            raise DamagedFileError("has a skin with fewer matrices than joints")
        bones = bones @ inverse[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1)
    count = len(positions)
    total = np.zeros((count, 3, 4))
    weight_sum = np.zeros(count)
    for number in range(16):
        if f"JOINTS_{number}" not in attributes:
            break
        index = _attribute(source, attributes, f"JOINTS_{number}", count, 4)
        weight = _attribute(source, attributes, f"WEIGHTS_{number}", count, 4)
        if index is None or weight is None:
            raise DamagedFileError("has joints without weights")
        index = index.astype(np.int64)
        if index.size and int(np.where(weight > 0, index, 0).max()) >= len(joints):
            raise DamagedFileError("has vertices on joints that its skin lacks")
        for corner in range(4):
            share = weight[:, corner]
            held = np.where(share > 0, index[:, corner], 0)
            total += share[:, None, None] * bones[held, :3]
            weight_sum += share
    total /= np.where(weight_sum > 0, weight_sum, 1.0)[:, None, None]
    total[weight_sum <= 0] = np.eye(4)[:3]
    moved = np.einsum("nij,nj->ni", total[:, :, :3], positions) + total[:, :, 3]
    linear = total[:, :, :3]
    if normals is not None:
        normals = np.einsum("nij,nj->ni", linear, normals)
    mirrored = count > 0 and float(np.median(np.linalg.det(linear))) < 0
    return moved, normals, mirrored


def _world_matrices(source: Gltf) -> dict[int, F64]:
    """Every node's matrix to the scene, also of nodes outside the default scene (joints may be there)."""
    found = dict(_walk(source))
    nodes = source.document.get("nodes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    everything = replace(source, document={**source.document, "scenes": []})
    if len(found) < len(nodes) and len(children) < len(nodes):
        found = dict(_walk(everything)) | found
    return found


def _texture_places(source: Gltf, attributes: dict[str, Any], info: dict[str, Any], count: int) -> F64 | None:
    """(count, 2) where the base colour is read for each vertex, None where the primitive has no such coordinates."""
    transform = info.get("extensions", {}).get(TRANSFORM, {})
    name = f"TEXCOORD_{transform.get('texCoord', info.get('texCoord', 0))}"
    uv = _attribute(source, attributes, name, count, 2)
    if uv is None or not transform:
        return uv
    turn = float(transform.get("rotation", 0.0))
    scale, offset = np.array(transform.get("scale", (1, 1)), float), np.array(transform.get("offset", (0, 0)), float)
    scaled = uv * scale
    c, s = math.cos(turn), math.sin(turn)
    # Counter-clockwise to the eye: v runs downwards.
    turned: F64 = np.stack([c * scaled[:, 0] + s * scaled[:, 1], c * scaled[:, 1] - s * scaled[:, 0]], axis=1) + offset
    return turned
