"""Reads the triangles of any GLB file, as a viewer shows them when no animation plays.

Read: every component type and ``normalized`` (KHR_mesh_quantization too), strides, sparse accessors, embedded data
URIs, node trees with negative scale, EXT_mesh_gpu_instancing, skins, morph targets with their default weights,
triangle strips and fans, KHR_texture_transform, and KHR_draco_mesh_compression where DracoPy is installed. A file that
requires any other extension that moves vertices is refused by the extension's name.

Reference: glTF 2.0 specification, sections 3.5 to 3.9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import InputError
from manymesh.mesh.formats.gltf_file import GltfFile
from manymesh.types import F32, F64, I32

MAX_NODES = 200_000

TRIANGLES, STRIP, FAN = 4, 5, 6

DRACO = "KHR_draco_mesh_compression"
INSTANCING = "EXT_mesh_gpu_instancing"
TRANSFORM = "KHR_texture_transform"
# Extensions that are read, or that change neither positions nor base colour coordinates.
HARMLESS_PREFIXES = ("KHR_materials_", "KHR_lights_", "KHR_texture_", "EXT_texture_", "EXT_lights_", "MSFT_texture_")
KNOWN = {DRACO, INSTANCING, TRANSFORM, "KHR_mesh_quantization", "KHR_xmp_json_ld", "KHR_animation_pointer"}


@dataclass(frozen=True)
class GltfPart:
    """One primitive, as one node shows it.

    Attributes:
        node, mesh, primitive: indices in the document.
        instance: which copy of the node's mesh it is (EXT_mesh_gpu_instancing), else None.
        matrix: (4, 4) float64, that copy's matrix in the node's frame; identity without instancing.
        vertices: (n, 3) float64 in the scene's frame.
        faces: (m, 3) int64 into ``vertices``, counter-clockwise seen from outside.
        mirrored: the node's matrix mirrors, so ``faces`` have the opposite order of the file's.
        uv: (n, 2) float32, coordinates of the base colour texture with its transform applied, glTF's origin; None
            where there are none.
        material: index, or None.
    """

    node: int
    mesh: int
    primitive: int
    instance: int | None
    matrix: F64
    vertices: F64
    faces: NDArray[np.int64]
    mirrored: bool
    uv: F32 | None
    material: int | None


def read_gltf(file: GltfFile, max_faces: int) -> tuple[list[GltfPart], list[str]]:
    """Every triangle primitive of the file's scene, posed, in the order of the scene's nodes.

    Args:
        file: see ``GltfFile``.
        max_faces: reading stops with an error as soon as the file claims more.

    Returns:
        The parts, and notes for people.

    Raises:
        InputError: a required extension is not read, or there are too many faces.
        One of ``FAULTS``: the file is damaged.
    """
    _check_required(file.document)
    parents, order = _tree(file)
    world: dict[int, F64] = {}
    for number in order:
        local = _local_matrix(file.item("nodes", number))
        world[number] = world[parents[number]] @ local if number in parents else local
    shown = _shown(file, order, parents)
    parts: list[GltfPart] = []
    notes: list[str] = []
    faces = 0
    for number in shown:
        node = file.item("nodes", number)
        if "mesh" not in node:
            continue
        for part in _parts_of(file, number, node, world, notes):
            faces += len(part.faces)
            if faces > max_faces:
                raise InputError(f"The file has more than {max_faces} faces, which is the limit", "Reduce it first.")
            parts.append(part)
    if file.document.get("animations"):
        notes.append("The file is animated; it is painted in the pose that it has without its animation.")
    return parts, list(dict.fromkeys(notes))


def _check_required(document: Mapping[str, Any]) -> None:
    for name in document.get("extensionsRequired", []):
        if name in KNOWN or str(name).startswith(HARMLESS_PREFIXES):
            continue
        shown = str(name)[:60]
        compressed = "compression" in shown
        raise InputError(
            f"The file needs the glTF extension {shown}, which manymesh does not read",
            "Export it without compression." if compressed else f"Export it without {shown}.",
        )


def _tree(file: GltfFile) -> tuple[dict[int, int], list[int]]:
    """Each node's parent, and all nodes with parents before children. Raises ``ValueError`` for a loop."""
    nodes = file.document.get("nodes", [])
    if len(nodes) > MAX_NODES:
        raise ValueError(f"it has {len(nodes)} nodes; the limit is {MAX_NODES}")
    parents: dict[int, int] = {}
    for number in range(len(nodes)):
        for child in file.item("nodes", number).get("children", []):
            file.item("nodes", child)
            if child in parents:
                raise ValueError(f"node {child} has two parents")
            parents[child] = number
    order = [number for number in range(len(nodes)) if number not in parents]
    for number in order:  # grows while it is read: breadth first
        order.extend(file.item("nodes", number).get("children", []))
    if len(order) != len(nodes):
        raise ValueError("its nodes form a loop")
    return parents, order


def _shown(file: GltfFile, order: Sequence[int], parents: Mapping[int, int]) -> list[int]:
    """The nodes of the default scene; all nodes where the file has no scene."""
    scenes = file.document.get("scenes", [])
    if not scenes:
        return list(order)
    roots = file.item("scenes", file.document.get("scene", 0)).get("nodes", [])
    for root in roots:
        file.item("nodes", root)
    inside = set(roots)
    for number in order:
        if parents.get(number) in inside:
            inside.add(number)
    return [number for number in order if number in inside]


def _local_matrix(node: Mapping[str, Any]) -> F64:
    """(4, 4) float64: a node's matrix, or its translation, rotation and scale."""
    if "matrix" in node:
        return _floats(node["matrix"], 16).reshape(4, 4).T
    return trs_matrix(
        _floats(node.get("translation", (0, 0, 0)), 3),
        _floats(node.get("rotation", (0, 0, 0, 1)), 4),
        _floats(node.get("scale", (1, 1, 1)), 3),
    )


def trs_matrix(translation: F64, rotation: F64, scale: F64) -> F64:
    """(4, 4) float64 from a translation, a unit quaternion (x, y, z, w) and a scale."""
    length = float(np.linalg.norm(rotation))
    x, y, z, w = rotation / length if length > 0 else (0.0, 0.0, 0.0, 1.0)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * scale
    matrix[:3, 3] = translation
    return matrix


def _floats(values: Any, count: int) -> F64:
    numbers = np.array(values, np.float64)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"{count} numbers are expected where it has {str(values)[:60]}")
    return numbers


def _parts_of(
    file: GltfFile, number: int, node: Mapping[str, Any], world: Mapping[int, F64], notes: list[str]
) -> Iterator[GltfPart]:
    """The primitives of one node's mesh, once for each instance."""
    mesh = file.item("meshes", node["mesh"])
    weights = node.get("weights", mesh.get("weights", []))
    copies = _instances(file, node)
    for place, primitive in enumerate(mesh["primitives"]):
        if primitive.get("mode", TRIANGLES) not in (TRIANGLES, STRIP, FAN):
            notes.append("Points and lines are not painted.")
            continue
        material = primitive.get("material")
        local, faces, uv = _geometry(file, primitive, weights)
        for instance, matrix in enumerate(copies):
            if "skin" in node:
                # A skinned mesh ignores its own node's place (section 3.7.3.3).
                vertices, mirrored = _skinned(file, primitive, local, node["skin"], world), False
            else:
                placed = world[number] @ matrix
                vertices = local @ placed[:3, :3].T + placed[:3, 3]
                mirrored = bool(np.linalg.det(placed[:3, :3]) < 0)
            yield GltfPart(
                node=number,
                mesh=node["mesh"],
                primitive=place,
                instance=None if len(copies) == 1 else instance,
                matrix=matrix,
                vertices=vertices,
                faces=faces[:, ::-1] if mirrored else faces,
                mirrored=mirrored,
                uv=uv,
                material=material,
            )


def _instances(file: GltfFile, node: Mapping[str, Any]) -> list[F64]:
    """The matrices of a node's copies in its own frame (EXT_mesh_gpu_instancing); one identity without."""
    extension = node.get("extensions", {}).get(INSTANCING)
    if extension is None:
        return [np.eye(4)]
    tables = {name: file.numbers(number) for name, number in extension["attributes"].items() if name in TRS}
    if not tables:
        return [np.eye(4)]
    count = min(len(table) for table in tables.values())
    if count > MAX_NODES:
        raise ValueError(f"a node has {count} copies; the limit is {MAX_NODES}")
    rows = {name: tables.get(name, np.tile(default, (count, 1))) for name, default in TRS.items()}
    return [trs_matrix(rows["TRANSLATION"][i], rows["ROTATION"][i], rows["SCALE"][i]) for i in range(count)]


TRS: Mapping[str, F64] = {
    "TRANSLATION": np.zeros(3),
    "ROTATION": np.array([0.0, 0.0, 0.0, 1.0]),
    "SCALE": np.ones(3),
}


def _geometry(
    file: GltfFile, primitive: Mapping[str, Any], weights: Sequence[float]
) -> tuple[F64, NDArray[np.int64], F32 | None]:
    """A primitive's positions with its morph targets applied, its triangles, and its base colour coordinates."""
    if DRACO in primitive.get("extensions", {}):
        from manymesh.mesh.formats.gltf_draco import decode_draco

        vertices, faces, table = decode_draco(file, primitive["extensions"][DRACO])
    else:
        attributes = primitive["attributes"]
        vertices = file.numbers(attributes["POSITION"])
        faces = _triangles(file, primitive, len(vertices))
        table = {name: number for name, number in attributes.items() if name.startswith("TEXCOORD_")}
    if vertices.shape[1] != 3:
        raise ValueError("positions are not of three numbers")
    for weight, target in zip(weights, primitive.get("targets", []), strict=False):
        if weight and "POSITION" in target:
            offsets = file.numbers(target["POSITION"])
            if offsets.shape != vertices.shape:
                raise ValueError("a morph target has another number of vertices")
            vertices = vertices + float(weight) * offsets
    return vertices, faces, _base_color_uv(file, primitive, table, len(vertices))


def _triangles(file: GltfFile, primitive: Mapping[str, Any], vertex_count: int) -> NDArray[np.int64]:
    """(m, 3) int64 from a list, a strip or a fan, indexed or not."""
    if "indices" in primitive:
        stored, _ = file.accessor(primitive["indices"])
        if stored.dtype.kind != "u" or stored.shape[1] != 1:
            raise ValueError("indices are not unsigned integers")
        index = stored[:, 0].astype(np.int64)
    else:
        index = np.arange(vertex_count)
    if len(index) and index.max() >= vertex_count:
        raise ValueError("its faces name vertices that it lacks")
    mode = primitive.get("mode", TRIANGLES)
    if mode == TRIANGLES:
        triangles: NDArray[np.int64] = index[: len(index) // 3 * 3].reshape(-1, 3)
        return triangles
    count = max(len(index) - 2, 0)
    step = np.arange(count)
    if mode == FAN:
        faces = np.column_stack([index[step + 1], index[step + 2], np.broadcast_to(index[:1], count)])
    else:
        odd = step % 2
        faces = np.column_stack([index[step], index[step + 1 + odd], index[step + 2 - odd]])
    # Strips are joined by triangles without area.
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    kept: NDArray[np.int64] = faces[whole]
    return kept


def _base_color_uv(file: GltfFile, primitive: Mapping[str, Any], table: Mapping[str, Any], count: int) -> F32 | None:
    """The coordinates that the base colour texture uses, or would use: (n, 2) float32, transform applied."""
    info: Mapping[str, Any] = {}
    if primitive.get("material") is not None:
        look = file.item("materials", primitive["material"]).get("pbrMetallicRoughness", {})
        info = look.get("baseColorTexture", {})
    transform = info.get("extensions", {}).get(TRANSFORM, {})
    name = f"TEXCOORD_{transform.get('texCoord', info.get('texCoord', 0))}"
    if name not in table:
        return None
    uv = table[name] if isinstance(table[name], np.ndarray) else file.numbers(table[name])
    if uv.shape != (count, 2):
        raise ValueError("texture coordinates do not match the vertices")
    return _transformed(uv, transform).astype(np.float32)


def _transformed(uv: F64, transform: Mapping[str, Any]) -> F64:
    """KHR_texture_transform: scale, then rotate, then shift."""
    if not transform:
        return uv
    u, v = (uv * _floats(transform.get("scale", (1, 1)), 2)).T
    angle = float(transform.get("rotation", 0.0))
    cos, sin = np.cos(angle), np.sin(angle)
    return np.column_stack([cos * u + sin * v, cos * v - sin * u]) + _floats(transform.get("offset", (0, 0)), 2)


def _skinned(file: GltfFile, primitive: Mapping[str, Any], vertices: F64, number: Any, world: Mapping[int, F64]) -> F64:
    """Positions in the scene's frame, moved by the skin's joints in their default pose (section 3.7.3)."""
    skin = file.item("skins", number)
    joints = np.stack([world[joint] for joint in skin["joints"]])
    if "inverseBindMatrices" in skin:
        inverse = file.numbers(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        joints = joints @ inverse[: len(joints)]
    moved, total = np.zeros_like(vertices), np.zeros(len(vertices))
    attributes, place = primitive["attributes"], 0
    while f"JOINTS_{place}" in attributes:
        index = file.accessor(attributes[f"JOINTS_{place}"])[0].astype(np.int64)
        weight = file.numbers(attributes[f"WEIGHTS_{place}"])
        if (
            index.shape != (len(vertices), 4)
            or weight.shape != index.shape
            or (index.size and index.max() >= len(joints))
        ):
            raise ValueError("a skin names joints that it lacks")
        for column in range(4):
            matrix, share = joints[index[:, column]], weight[:, column]
            moved += share[:, None] * (np.einsum("nij,nj->ni", matrix[:, :3, :3], vertices) + matrix[:, :3, 3])
            total += share
        place += 1
    bound = total > 0
    moved[bound] /= total[bound, None]
    moved[~bound] = vertices[~bound]
    return moved


def joined(parts: Sequence[GltfPart]) -> tuple[F64, I32]:
    """All parts' vertices and faces, one after the other: (n, 3) float64 and (m, 3) int32."""
    start = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate([part.faces + offset for part, offset in zip(parts, start[:-1], strict=True)])
    return np.concatenate([part.vertices for part in parts]), faces.astype(np.int32)
