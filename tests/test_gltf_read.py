"""GLB files as other programs write them come out as a viewer shows them."""

from __future__ import annotations

import base64
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gltf_build import GltfBuilder, box, box_primitive
from hypothesis import given
from hypothesis import strategies as st

from manymesh.errors import InputError, MissingPieceError
from manymesh.mesh.formats import user_mesh
from manymesh.mesh.formats.gltf import parse_gltf
from manymesh.mesh.formats.gltf_nodes import local_matrix
from manymesh.mesh.formats.meshopt import decode as decode_meshopt
from manymesh.mesh.formats.read import read_mesh
from manymesh.mesh.formats.user_mesh import UserMesh

Read = Callable[[bytes], UserMesh]


@pytest.fixture
def read_bytes(tmp_path: Path) -> Read:
    def from_bytes(data: bytes) -> UserMesh:
        path = tmp_path / "given.glb"
        path.write_bytes(data)
        return read_mesh(path)

    return from_bytes


def bounds(mesh: UserMesh) -> tuple[list[float], list[float]]:
    return mesh.positions.min(axis=0).round(6).tolist(), mesh.positions.max(axis=0).round(6).tolist()


def signed_volume(mesh: UserMesh) -> float:
    a, b, c = (mesh.positions[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2"])
def test_normalised_integers_become_fractions(dtype: str, read_bytes: Read) -> None:
    positions, _, _, faces = box()
    limits = np.iinfo(dtype)
    low = positions * 2 if limits.min else positions + 0.5
    stored = np.round(low * limits.max).astype(dtype)
    padded = np.zeros((24, 4), dtype)
    padded[:, :3] = stored
    build = GltfBuilder()
    number = build.accessor(padded, normalized=True)
    build.document["accessors"][number]["type"] = "VEC3"
    build.document["bufferViews"][0]["byteStride"] = 4 * np.dtype(dtype).itemsize
    primitive = {"attributes": {"POSITION": number}, "indices": build.accessor(faces)}
    found = read_bytes(build.to_bytes(meshes=[{"primitives": [primitive]}], nodes=[{"mesh": 0, "scale": [2, 2, 2]}]))
    assert bounds(found) == ([-2.0] * 3 if limits.min else [0.0] * 3, [2.0] * 3)


@given(st.integers(-128, 127))
def test_signed_bytes_follow_the_specifications_rule(value: int) -> None:
    build = GltfBuilder()
    number = build.accessor(np.array([value], np.int8), normalized=True)
    assert parse_gltf(build.to_bytes()).numbers(number)[0, 0] == max(value / 127, -1.0)


def test_sparse_accessors_are_filled_in(read_bytes: Read) -> None:
    positions, _, _, faces = box()
    build = GltfBuilder()
    primitive = {"attributes": {"POSITION": build.accessor(positions)}, "indices": build.accessor(faces)}
    top = np.flatnonzero(positions[:, 1] > 0).astype(np.uint8)
    raised = positions[top] + np.array([0, 1, 0], np.float32)
    build.document["accessors"][0]["sparse"] = {
        "count": len(top),
        "indices": {"bufferView": build.view(top.tobytes()), "componentType": 5121},
        "values": {"bufferView": build.view(raised.tobytes())},
    }
    found = read_bytes(build.to_bytes(meshes=[{"primitives": [primitive]}]))
    assert bounds(found) == ([-0.5, -0.5, -0.5], [0.5, 1.5, 0.5])


def test_a_mirroring_node_keeps_faces_outward(read_bytes: Read) -> None:
    build = GltfBuilder()
    mesh = {"primitives": [box_primitive(build)]}
    nodes = [{"children": [1], "scale": [1, 2, 1]}, {"mesh": 0, "scale": [-1, 1, 1], "translation": [3, 0, 0]}]
    found = read_bytes(build.to_bytes(meshes=[mesh], nodes=nodes))
    assert bounds(found) == ([2.5, -1.0, -0.5], [3.5, 1.0, 0.5])
    assert signed_volume(found) == pytest.approx(2.0)


def test_instances_stand_at_their_places(read_bytes: Read) -> None:
    build = GltfBuilder()
    mesh = {"primitives": [box_primitive(build)]}
    where = build.accessor(np.array([[0, 0, 0], [5, 0, 0], [0, 7, 0]], np.float32))
    node = {"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": where}}}}
    data = build.to_bytes(meshes=[mesh], nodes=[node], extensionsRequired=["EXT_mesh_gpu_instancing"])
    found = read_bytes(data)
    assert len(found.faces) == 36
    assert bounds(found) == ([-0.5, -0.5, -0.5], [5.5, 7.5, 0.5])


def test_a_skin_places_the_mesh_and_its_node_does_not(read_bytes: Read) -> None:
    build = GltfBuilder()
    primitive = box_primitive(build)
    primitive["attributes"]["JOINTS_0"] = build.accessor(np.zeros((24, 4), np.uint8))
    primitive["attributes"]["WEIGHTS_0"] = build.accessor(np.tile(np.float32([1, 0, 0, 0]), (24, 1)))
    nodes = [{"mesh": 0, "skin": 0, "translation": [100, 0, 0]}, {"translation": [0, 2, 0]}]
    inverse = np.eye(4, dtype=np.float32)
    inverse[3, 0] = 1.0  # column-major: a shift along X
    skins = [{"joints": [1], "inverseBindMatrices": build.accessor(inverse.reshape(1, 16))}]
    scenes = [{"nodes": [0, 1]}]
    found = read_bytes(build.to_bytes(meshes=[{"primitives": [primitive]}], nodes=nodes, skins=skins, scenes=scenes))
    assert bounds(found) == ([0.5, 1.5, -0.5], [1.5, 2.5, 0.5])


@pytest.mark.parametrize("place", ["node", "mesh"])
def test_morph_targets_are_applied_with_their_default_weights(place: str, read_bytes: Read) -> None:
    build = GltfBuilder()
    offsets = build.accessor(np.tile(np.float32([0, 2, 0]), (24, 1)))
    mesh: dict[str, Any] = {"primitives": [box_primitive(build, targets=[{"POSITION": offsets}])]}
    node: dict[str, Any] = {"mesh": 0}
    (node if place == "node" else mesh)["weights"] = [0.5]
    found = read_bytes(build.to_bytes(meshes=[mesh], nodes=[node]))
    assert bounds(found) == ([-0.5, 0.5, -0.5], [0.5, 1.5, 0.5])


@pytest.mark.parametrize(("mode", "index"), [(5, [0, 1, 2, 3]), (6, [0, 1, 3, 2])])
def test_strips_and_fans_become_triangles(mode: int, index: list[int], read_bytes: Read) -> None:
    build = GltfBuilder()
    square = build.accessor(np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]))
    primitive = {"attributes": {"POSITION": square}, "indices": build.accessor(np.uint16(index)), "mode": mode}
    found = read_bytes(build.to_bytes(meshes=[{"primitives": [primitive]}]))
    corners = found.positions[found.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert normals.tolist() == [[0, 0, 1], [0, 0, 1]]


def test_the_texture_transform_is_applied_to_coordinates(read_bytes: Read) -> None:
    build = GltfBuilder()
    transform = {"KHR_texture_transform": {"offset": [0.25, 0.5], "scale": [0.5, 0.25]}}
    material = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, "extensions": transform}}}
    mesh = {"primitives": [box_primitive(build, material=0)]}
    found = read_bytes(build.to_bytes(meshes=[mesh], materials=[material], textures=[{}]))
    assert found.uv is not None
    assert found.uv == pytest.approx((box()[2] * (0.5, 0.25) + (0.25, 0.5))[found.faces], abs=1e-6)


@pytest.mark.parametrize(
    "material",
    [
        {"pbrMetallicRoughness": {"metallicRoughnessTexture": {"index": 0}}},
        {"extensions": {"KHR_materials_clearcoat": {"clearcoatTexture": {"index": 0}}}},
        {"normalTexture": {"index": 0}},
    ],
)
def test_what_no_other_format_holds_of_a_scene_is_counted(material: dict[str, Any], read_bytes: Read) -> None:
    build = GltfBuilder()
    mesh = {"primitives": [box_primitive(build), box_primitive(build)]}
    nodes, scenes = [{"mesh": 0}] * 5, [{"nodes": [0, 1, 2, 3, 4]}]
    tables = {"meshes": [mesh], "nodes": nodes, "scenes": scenes, "textures": [{}]}
    assert read_bytes(build.to_bytes(**tables, materials=[material])).lost == ("5 meshes as nodes", "other textures")
    plain = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
    assert read_bytes(build.to_bytes(**tables, materials=[plain])).lost == ("5 meshes as nodes",)


def test_data_uris_are_read_and_other_files_are_named(read_bytes: Read) -> None:
    build = GltfBuilder()
    primitive = box_primitive(build)
    document = json.loads(build.to_bytes(meshes=[{"primitives": [primitive]}])[20:].split(b"BIN")[0][:-5] or b"{}")
    text = "data:application/octet-stream;base64," + base64.b64encode(bytes(build.binary)).decode()
    document["buffers"][0]["uri"] = text
    assert len(read_bytes(glb_of(document)).faces) == 12
    document["buffers"][0]["uri"] = "other.bin"
    with pytest.raises(InputError, match="another file"):
        read_bytes(glb_of(document))


def glb_of(document: dict[str, Any]) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<III", 0x46546C67, 2, 20 + len(text)) + struct.pack("<II", len(text), 0x4E4F534A) + text


@pytest.mark.parametrize(
    ("extension", "advice"),
    [
        ("ACME_bent_vertices", "without ACME_bent_vertices"),
    ],
)
def test_required_extensions_that_are_not_read_are_named(extension: str, advice: str, read_bytes: Read) -> None:
    build = GltfBuilder()
    mesh = {"primitives": [box_primitive(build)]}
    with pytest.raises(InputError, match=extension) as raised:
        read_bytes(build.to_bytes(meshes=[mesh], extensionsRequired=[extension]))
    assert advice in raised.value.hint


def test_draco_without_its_reader_names_the_extra(read_bytes: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "DracoPy", None)
    build = GltfBuilder()
    primitive = box_primitive(build)
    primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
    with pytest.raises(MissingPieceError, match="KHR_draco_mesh_compression") as raised:
        read_bytes(
            build.to_bytes(meshes=[{"primitives": [primitive]}], extensionsRequired=["KHR_draco_mesh_compression"])
        )
    assert "manymesh[draco]" in raised.value.hint


def test_a_mesh_that_is_there_without_compression_too_needs_no_reader(
    read_bytes: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "DracoPy", None)
    build = GltfBuilder()
    primitive = box_primitive(build)
    packing = {"bufferView": build.view(b"DRACO" + bytes(20)), "attributes": {"POSITION": 0}}
    primitive["extensions"] = {"KHR_draco_mesh_compression": packing}
    used = {"meshes": [{"primitives": [primitive]}], "extensionsUsed": ["KHR_draco_mesh_compression"]}
    found = read_bytes(build.to_bytes(**used))
    assert len(found.faces) == 12
    assert "the plain one was taken" in found.notes[0]
    with pytest.raises(MissingPieceError):
        read_bytes(build.to_bytes(**used, extensionsRequired=["KHR_draco_mesh_compression"]))


def test_draco_meshes_are_decoded(read_bytes: Read) -> None:
    draco = pytest.importorskip("DracoPy", reason="DracoPy is not installed (extra draco)")
    positions, _, _, faces = box()
    build = GltfBuilder()
    packed = draco.encode(positions, faces.reshape(-1, 3).astype(np.uint32), quantization_bits=16)
    extension = {"bufferView": build.view(packed), "attributes": {"POSITION": 0}}
    build.document["accessors"] = [
        {"componentType": 5126, "count": 24, "type": "VEC3"},
        {"componentType": 5123, "count": 36, "type": "SCALAR"},
    ]
    primitive = {"attributes": {"POSITION": 0}, "indices": 1, "extensions": {"KHR_draco_mesh_compression": extension}}
    required = {"extensionsRequired": ["KHR_draco_mesh_compression"]}
    found = read_bytes(build.to_bytes(meshes=[{"primitives": [primitive]}], **required))
    assert np.allclose(found.positions.min(axis=0), -0.5, atol=1e-4)
    assert np.allclose(found.positions.max(axis=0), 0.5, atol=1e-4)
    assert signed_volume(found) == pytest.approx(1.0, abs=1e-3)


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "count is text": lambda d: d["accessors"][0].update(count="many"),
    "count is huge": lambda d: d["accessors"][0].update(count=10**12),
    "count is negative": lambda d: d["accessors"][0].update(count=-1),
    "component type is unknown": lambda d: d["accessors"][0].update(componentType=1),
    "offset is behind the end": lambda d: d["bufferViews"][0].update(byteOffset=10**9),
    "view is missing": lambda d: d["accessors"][0].update(bufferView=99),
    "view is negative": lambda d: d["accessors"][0].update(bufferView=-1),
    "stride is too small": lambda d: d["bufferViews"][0].update(byteStride=1),
    "nodes form a loop": lambda d: d["nodes"][0].update(children=[0]),
    "mesh is a number": lambda d: d.update(meshes=[7]),
    "nodes are text": lambda d: d.update(nodes="nodes"),
    "scene is missing": lambda d: d.update(scene=4),
    "matrix is short": lambda d: d["nodes"][0].update(matrix=[1, 2, 3]),
    "scale is not a number": lambda d: d["nodes"][0].update(scale=["a", "b", "c"]),
    "skin is missing": lambda d: d["nodes"][0].update(skin=0),
    "faces name missing vertices": lambda d: d["accessors"][0].update(count=3),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_damaged_documents_become_one_sentence(fault: str, read_bytes: Read) -> None:
    build = GltfBuilder()
    build.document["nodes"] = [{"mesh": 0}]
    build.document["meshes"] = [{"primitives": [box_primitive(build)]}]
    BROKEN[fault](build.document)
    with pytest.raises(InputError, match=r"given\.glb"):
        read_bytes(build.to_bytes())


def test_json_with_infinity_is_refused(read_bytes: Read) -> None:
    build = GltfBuilder()
    mesh = {"primitives": [box_primitive(build)]}
    with pytest.raises(InputError, match="Infinity"):
        read_bytes(build.to_bytes(meshes=[mesh], nodes=[{"mesh": 0, "translation": [float("inf"), 0, 0]}]))


def test_too_many_faces_are_refused_by_their_count(read_bytes: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_mesh, "MAX_FACES", 11)
    build = GltfBuilder()
    mesh = {"primitives": [box_primitive(build)]}
    with pytest.raises(InputError, match="faces"):
        read_bytes(build.to_bytes(meshes=[mesh]))


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: sum(x * x for x in q) > 0.01))
def test_rotations_keep_lengths(quaternion: list[float]) -> None:
    matrix = local_matrix({"rotation": quaternion})
    assert matrix[:3, :3] @ matrix[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)


# The box of gltf_build, encoded by the reference encoder of meshoptimizer.
MESHOPT_POSITIONS = (
    "oAAAAAUAwAzM//////PzAAD///////8AAAAFM/MAwP///////wzMAAD///8AAAAFDMzz8////////////wDAAAD/"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/AAAAvwAAAL8="
)
MESHOPT_TRIANGLES = "4fAA8ADwAPAA8ADwAAB2h1ZneKmGZYlomAFpAAA="


def test_meshopt_data_is_decoded_to_the_bit() -> None:
    positions, _, _, faces = box()
    vertices = decode_meshopt(base64.b64decode(MESHOPT_POSITIONS), "ATTRIBUTES", "NONE", 24, 12)
    assert vertices == positions.tobytes()
    data = decode_meshopt(base64.b64decode(MESHOPT_TRIANGLES), "TRIANGLES", "NONE", 36, 2)
    found = np.frombuffer(data, "<u2").reshape(-1, 3)
    for one, other in zip(found, faces.reshape(-1, 3), strict=True):
        assert any(np.array_equal(np.roll(one, turn), other) for turn in range(3))
