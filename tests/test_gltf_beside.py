"""glTF files whose data and pictures lie in other files: beside them, and nowhere else."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manymesh.errors import InputError
from manymesh.mesh.formats import gltf_beside
from manymesh.mesh.formats import read as reading
from manymesh.mesh.formats.gltf import parse_gltf
from manymesh.mesh.formats.gltf_copy import repainted
from manymesh.mesh.formats.gltf_edit import Repaint
from manymesh.mesh.formats.read import read_mesh
from manymesh.mesh.formats.user_mesh import UserMesh

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], "<f4")
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], "<u2")
COORDINATES = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], "<f4")


def picture(kind: str = "PNG") -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 40)).save(kept, kind)
    return kept.getvalue()


def scene(**more: Any) -> dict[str, Any]:
    """A tetrahedron whose numbers are in scene.bin, with a picture for its colours and one for its normals."""
    views = [{"buffer": 0, "byteOffset": at, "byteLength": size} for at, size in ((0, 48), (48, 24), (72, 32))]
    textures = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}, "normalTexture": {"index": 1}}
    return {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": 104, "uri": "scene.bin"}],
        "bufferViews": views,
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0] * 3, "max": [1] * 3},
            {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5126, "count": 4, "type": "VEC2"},
        ],
        "images": [{"uri": "textures/red%20paint.png"}, {"uri": "normal.jpg"}],
        "textures": [{"source": 0}, {"source": 1}],
        "materials": [textures],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1, "material": 0}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        **more,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that ``scene`` names."""
    inner = tmp_path / "model"
    (inner / "textures").mkdir(parents=True)
    (inner / "scene.bin").write_bytes(CORNERS.tobytes() + FACES.tobytes() + COORDINATES.tobytes() + b"more")
    (inner / "textures" / "red paint.png").write_bytes(picture())
    (inner / "normal.jpg").write_bytes(picture("JPEG"))
    (tmp_path / "secret.bin").write_bytes(b"\0" * 200)
    return inner


def read(folder: Path, document: dict[str, Any]) -> UserMesh:
    (folder / "scene.gltf").write_text(json.dumps(document), "utf-8")
    return read_mesh(folder / "scene.gltf")


def copied(user: UserMesh) -> Any:
    """The painted copy, with the file's own coordinates."""
    assert user.gltf is not None
    none = np.zeros(len(user.faces), bool)
    new = np.full((16, 16, 3), 90, np.uint8)
    return parse_gltf(repainted(user.gltf, Repaint([new], [0], None, none, none))[0])


def test_numbers_and_pictures_beside_a_gltf_file_are_read_and_its_copy_holds_them(folder: Path) -> None:
    user = read(folder, scene())
    assert np.array_equal(user.positions[user.faces], CORNERS[FACES])
    made = copied(user)
    assert all("uri" not in entry for table in ("buffers", "images") for entry in made.document[table])
    material = made.document["materials"][0]
    shown = {name: material[name]["index"] for name in ("normalTexture",)}
    shown["base"] = material["pbrMetallicRoughness"]["baseColorTexture"]["index"]
    data = {}
    for name, index in shown.items():
        image = made.document["images"][made.document["textures"][index]["source"]]
        data[name] = bytes(made.view(image["bufferView"]))
    assert data["normalTexture"] == (folder / "normal.jpg").read_bytes()
    with Image.open(io.BytesIO(data["base"])) as base:
        assert base.size == (16, 16)
    assert (folder / "textures" / "red paint.png").read_bytes() not in made.binary, "the replaced picture is gone"


def test_a_picture_that_is_absent_or_elsewhere_is_told_and_the_mesh_is_read(folder: Path) -> None:
    (folder / "normal.jpg").unlink()
    elsewhere = {"images": [{"uri": "http://example.org/a.png"}, {"uri": "normal.jpg"}]}
    user = read(folder, scene(**elsewhere))
    assert len(user.faces) == 4
    assert any("'http://example.org/a.png', 'normal.jpg'" in note for note in user.notes)
    assert copied(user).document["images"][1] == {"uri": "normal.jpg"}


def test_a_picture_that_is_too_large_or_none_is_told_once_and_looked_for_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "normal.jpg").write_bytes(b"\xff\xd8\xff" + b"0" * 5000)
    (folder / "none.png").write_bytes(b"no picture" * 500)
    document = scene(images=[{"uri": "none.png"}, {"uri": "normal.jpg"}, {"uri": "none.png"}])
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", len(json.dumps(document)) + 1000)
    real, looked = gltf_beside.Beside.contents, []
    monkeypatch.setattr(
        gltf_beside.Beside,
        "contents",
        lambda self, path, *most: looked.append((path.name, *most)) or real(self, path, *most),
    )
    user = read(folder, document)
    assert len(user.faces) == 4
    assert any("'none.png', 'normal.jpg'" in note for note in user.notes)
    assert [entry for entry in looked if entry[0] == "none.png"] == [("none.png", 16)]


@pytest.mark.parametrize(
    "uri",
    [
        *("../secret.bin", "..%2fsecret.bin", "textures/../../secret.bin", "..\\secret.bin", "%2e%2e/secret.bin"),
        *("/etc/passwd", "//server/share", "\\\\server\\share", "C:/secret.bin", "c:secret.bin", "file:///etc/passwd"),
        *("http://127.0.0.1:9/x", "HTTPS://example.org/x", "", "a%00b", "/proc/self/environ"),
    ],
)
def test_no_place_elsewhere_is_read(folder: Path, uri: str) -> None:
    with pytest.raises(InputError, match="only files beside it are read"):
        read(folder, scene(buffers=[{"byteLength": 104, "uri": uri}]))


@pytest.mark.parametrize("link", ["file", "folder"])
def test_a_link_that_leads_out_of_the_folder_is_refused(folder: Path, link: str) -> None:
    if link == "file":
        (folder / "linked.bin").symlink_to(folder.parent / "secret.bin")
    else:
        (folder / "up").symlink_to(folder.parent)
    uri = {"file": "linked.bin", "folder": "up/secret.bin"}[link]
    with pytest.raises(InputError, match="a link that leads elsewhere"):
        read(folder, scene(buffers=[{"byteLength": 104, "uri": uri}]))


@pytest.mark.parametrize(("uri", "says"), [("absent.bin", "is not beside it"), ("textures", "is not beside it")])
def test_data_that_is_absent_is_named(folder: Path, uri: str, says: str) -> None:
    with pytest.raises(InputError, match=f"'{uri}', which {says}.*export as GLB"):
        read(folder, scene(buffers=[{"byteLength": 104, "uri": uri}]))


def test_data_that_is_too_short_or_too_large_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="names a file of 108 bytes where 200 belong"):
        read(folder, scene(buffers=[{"byteLength": 200, "uri": "scene.bin"}]))
    text = json.dumps(scene())
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", len(text) + 50)
    with pytest.raises(InputError, match="the files beside it are too large"):
        read(folder, scene())


def test_a_name_that_a_writer_did_not_encode_is_found(folder: Path) -> None:
    (folder / "scene.bin").rename(folder / "50% done.bin")
    assert len(read(folder, scene(buffers=[{"byteLength": 104, "uri": "50% done.bin"}])).faces) == 4


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_a_file_for_a_newer_reader_is_refused_by_its_version(folder: Path, version: str) -> None:
    with pytest.raises(InputError, match=f"asks for a reader of glTF {version}; glTF 2.0 is read"):
        read(folder, scene(asset={"version": "2.0", "minVersion": version}))
    assert len(read(folder, scene(asset={"version": "2.0", "minVersion": "2.0"})).faces) == 4


def test_the_uncompressed_twin_of_compressed_data_need_not_be_there(folder: Path) -> None:
    """gltfpack names a second file for readers that lack its compression."""
    twin = {"byteLength": 104, "uri": "absent.bin", "extensions": {"EXT_meshopt_compression": {"fallback": True}}}
    document = scene()
    document["buffers"].append(twin)
    assert len(read(folder, document).faces) == 4
