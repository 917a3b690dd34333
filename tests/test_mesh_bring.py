"""Meshes that users bring: kept as they are where they are sound, refused in one sentence where they are not."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from render_shapes import cube_atlas

from manymesh.errors import InputError
from manymesh.image import png
from manymesh.mesh.formats import read, user_mesh
from manymesh.mesh.formats.glb import split_glb, write_glb
from manymesh.mesh.formats.read import read_mesh
from manymesh.paint.user_atlas import own_layout
from manymesh.paint_mesh import paint_file
from manymesh.settings import Settings
from manymesh.types import Mesh, TexturedMesh


def textured() -> TexturedMesh:
    return TexturedMesh(cube_atlas(3), np.full((16, 16, 3), 90, np.uint8))


def repacked(data: bytes, change: dict[str, object]) -> bytes:
    """The GLB with parts of its JSON replaced."""
    document, binary = split_glb(data)
    text = json.dumps(document | change).encode()
    text += b" " * (-len(text) % 4)
    chunks = [struct.pack("<II", len(text), 0x4E4F534A), text, struct.pack("<II", len(binary), 0x004E4942), binary]
    return b"".join([struct.pack("<III", 0x46546C67, 2, 12 + sum(map(len, chunks))), *chunks])


def texture_of(data: bytes) -> np.ndarray:
    """The base colour picture of a GLB file with one material."""
    document, binary = split_glb(data)
    info = document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    image = document["images"][document["textures"][info["index"]]["source"]]
    view = document["bufferViews"][image["bufferView"]]
    return png.decode(binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]])[0]


def saved(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_glb_keeps_its_vertices_faces_and_texture_coordinates(tmp_path: Path) -> None:
    shape = textured()
    found = read_mesh(saved(tmp_path, "a.glb", write_glb(shape)))
    np.testing.assert_array_equal(found.positions.astype(np.float32), shape.atlas.vertices)
    np.testing.assert_array_equal(found.faces, shape.atlas.faces)
    assert found.uv is not None
    np.testing.assert_array_equal(found.uv, shape.atlas.uv[shape.atlas.faces])


@pytest.mark.parametrize("kind", ["obj", "ply", "stl", "glb", "3mf"])
def test_every_kind_of_file_is_read(kind: str, tmp_path: Path) -> None:
    box = trimesh.creation.box((1, 2, 3))
    box.export(tmp_path / f"box.{kind}")
    found = read_mesh(tmp_path / f"box.{kind}")
    assert len(found.faces) == 12
    corners = found.positions[found.faces].reshape(-1, 3)
    # 3MF states that +Z is up, and is turned.
    half = [0.5, 1.5, 1] if kind == "3mf" else [0.5, 1, 1.5]
    np.testing.assert_allclose(corners.max(axis=0), half, atol=1e-6)
    assert found.uv is None


def test_nodes_are_put_where_they_stand(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.box(), transform=trimesh.transformations.translation_matrix([5, 0, 0]))
    mirror = np.diag([-1.0, 1, 1, 1])
    scene.add_geometry(trimesh.creation.box(), transform=mirror)
    scene.export(tmp_path / "scene.glb")
    found = read_mesh(tmp_path / "scene.glb")
    assert len(found.faces) == 24
    np.testing.assert_allclose(found.positions.max(axis=0), [5.5, 0.5, 0.5], atol=1e-6)
    whole = trimesh.Trimesh(found.positions, found.faces, process=False)
    assert whole.volume == pytest.approx(2, abs=1e-5)  # the mirrored one has been turned outwards again


def test_texture_coordinates_beyond_the_texture_are_not_kept(tmp_path: Path) -> None:
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 3 0\nvt 0 1\nf 1/1 2/2 3/3\n"
    layout, notes = own_layout(read_mesh(saved(tmp_path, "tiled.obj", text.encode())), 64)
    assert layout is None
    assert "leave the texture" in notes[0]


def test_files_that_an_obj_names_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "secret.mtl").write_text("newmtl a\nmap_Kd secret.png\n")
    (tmp_path / "secret.png").write_bytes(b"not a picture")
    text = "mtllib secret.mtl\nusemtl a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    assert len(read_mesh(saved(tmp_path, "a.obj", text.encode())).faces) == 1


def test_pictures_in_a_glb_are_not_decoded(tmp_path: Path) -> None:
    data = write_glb(textured())
    document, _ = split_glb(data)
    document["images"][0]["mimeType"] = "image/jpeg"
    path = saved(tmp_path, "a.glb", repacked(data, {"images": document["images"]}))
    assert read_mesh(path).uv is not None


@pytest.mark.parametrize(
    "accessors",
    [
        [{"count": 10**12, "componentType": 5126, "type": "VEC3"}],
        [{"bufferView": 0, "count": 10**12, "componentType": 5126, "type": "VEC3"}],
        [{"bufferView": 0, "count": -1, "componentType": 5126, "type": "VEC3"}],
        [{"count": "many"}],
        [5],
        None,
    ],
    ids=str,
)
def test_tables_that_claim_too_much_are_refused(accessors: object, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.glb", repacked(write_glb(textured()), {"accessors": accessors}))
    with pytest.raises(InputError, match=r"a\.glb"):
        read_mesh(path)


def test_a_glb_that_names_files_elsewhere_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.glb", repacked(write_glb(textured()), {"buffers": [{"byteLength": 4, "uri": "/etc/x"}]}))
    with pytest.raises(InputError, match="names '/etc/x', and only files beside it are read"):
        read_mesh(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.glb", b""),
        ("a.glb", b"glTF"),
        ("a.stl", b"solid x\nendsolid x\n"),
        ("a.stl", b"\0" * 80 + struct.pack("<I", 2**31)),
        ("a.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\nend_header\n"),
        ("a.obj", b"v 0 0 0\n"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n"),
        ("a.obj", b"v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n"),
        ("a.fbx", b"Kaydara FBX Binary"),
    ],
)
def test_damaged_files_are_one_sentence(name: str, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=name):
        read_mesh(saved(tmp_path, name, data))


def test_large_files_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, "a.stl", b"\0" * 1000)
    monkeypatch.setattr(read, "MAX_FILE_BYTES", 999)
    with pytest.raises(InputError, match="limit"):
        read_mesh(path)
    monkeypatch.setattr(read, "MAX_FILE_BYTES", 10**9)
    trimesh.creation.icosphere().export(path)
    monkeypatch.setattr(user_mesh, "MAX_FACES", 100)
    with pytest.raises(InputError, match="faces"):
        read_mesh(path)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(data=st.data())
def test_no_damage_escapes_as_another_error(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    kind = data.draw(st.sampled_from(["glb", "obj", "ply", "stl"]))
    whole = bytearray(write_glb(textured()) if kind == "glb" else _exported(kind))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    path = saved(tmp_path_factory.mktemp("damaged"), f"a.{kind}", cut)
    try:
        found = read_mesh(path)
    except InputError:
        return
    assert np.isfinite(found.positions[found.faces]).all()
    assert 0 <= found.faces.min() <= found.faces.max() < len(found.positions)


def _exported(kind: str) -> bytes:
    made = trimesh.creation.box().export(file_type=kind)
    return made.encode() if isinstance(made, str) else made


def test_vertex_colours_that_a_mesh_brings_are_no_guess_of_its_unseen_side(tmp_path: Path) -> None:
    """The painter takes a mesh's colours for the shape network's; those of a user's file are somebody's own."""
    box = trimesh.creation.box((1, 1, 1)).subdivide()
    picture = np.zeros((48, 48, 4), np.uint8)
    picture[8:40, 8:40] = (200, 40, 30, 255)
    Image.fromarray(picture).save(tmp_path / "red.png")
    textures = []
    for name, colours in (("plain", None), ("green", np.full((len(box.vertices), 3), (0, 255, 0), np.uint8))):
        mesh = Mesh(box.vertices.astype(np.float32), box.faces.astype(np.int32), colours)
        brought = saved(tmp_path, f"{name}.glb", write_glb(mesh))
        options = Settings(engine="lite", texture_size=64, formats=["glb"])
        painted = paint_file(brought, tmp_path / "red.png", tmp_path / "out", options)
        assert "mirror" in painted.details["texels"]
        textures.append(texture_of((painted.folder / "model.glb").read_bytes()))
    np.testing.assert_array_equal(textures[0], textures[1])
    assert textures[0][..., 0].astype(int).mean() > 100 + textures[0][..., 1].mean()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.obj", write_glb(textured()), "is a GLB file by its content. Name it .glb"),
        ("a.stl", b"ply\nformat ascii 1.0\n", "is a PLY file by its content"),
        ("a.glb", b"\n<!DOCTYPE html><html>", "is a web page, not a mesh"),
        ("a.glb", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of Git LFS, not a mesh"),
        ("a.obj", b"Kaydara FBX Binary  \0", "is an FBX file, not a mesh"),
    ],
)
def test_a_file_that_is_something_else_is_called_by_its_name(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        read_mesh(saved(tmp_path, name, data))
