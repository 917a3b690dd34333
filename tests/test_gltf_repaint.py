"""Painting a GLB gives a copy of the user's file: the base colour is new, all else is as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gltf_build import GltfBuilder, box, box_primitive
from gltf_validator import validate
from PIL import Image

from manymesh.mesh.formats.gltf import Gltf, parse_gltf
from manymesh.mesh.formats.read import read_mesh
from manymesh.paint_mesh import PaintedFile, paint_file
from manymesh.settings import Settings

Paint = Callable[[bytes], tuple[PaintedFile, Gltf]]


# What is said of every box that is painted here.
SIZE = "model.glb: longest side 1 m, +Y up."


@pytest.fixture
def paint(tmp_path: Path) -> Paint:
    """Paints a GLB red by a red, cut-out photo; the answer is checked by Khronos' validator."""
    photo = np.zeros((64, 64, 4), np.uint8)
    photo[8:56, 8:56] = (200, 30, 20, 255)
    Image.fromarray(photo).save(tmp_path / "red.png")

    def painted(data: bytes) -> tuple[PaintedFile, Gltf]:
        path = tmp_path / "given.glb"
        path.write_bytes(data)
        made = paint_file(path, tmp_path / "red.png", tmp_path / "out", Settings(engine="lite", texture_size=64))
        answer = (made.folder / "model.glb").read_bytes()
        (issues,) = validate([answer], tmp_path)
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
        return made, parse_gltf(answer)

    return painted


def texture_of(file: Gltf, material: int) -> np.ndarray:
    """(h, w, channels) of a material's base colour texture."""
    import io

    info = file.document["materials"][material]["pbrMetallicRoughness"]["baseColorTexture"]
    image = file.document["images"][file.document["textures"][info["index"]]["source"]]
    return np.asarray(Image.open(io.BytesIO(bytes(file.view(image["bufferView"])))))


def red_share(pixels: np.ndarray) -> float:
    """The share of pixels that are nearer to the photo's red than to grey."""
    colors = pixels[..., :3].astype(int)
    return float((colors[..., 0] > colors[..., 1] + 80).mean())


def without_texture(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what a new texture must change."""
    kept = json.loads(json.dumps(document))
    for key in ("images", "textures", "bufferViews", "buffers"):
        kept.pop(key, None)
    for material in kept.get("materials", []):
        material["pbrMetallicRoughness"].pop("baseColorTexture", None)
    return kept


def test_with_its_own_coordinates_only_the_texture_changes(paint: Paint) -> None:
    build = GltfBuilder()
    primitive = box_primitive(build, material=0)
    materials = [
        {
            "name": "Lacquer",
            "doubleSided": True,
            "extras": {"shop": 7},
            "pbrMetallicRoughness": {"metallicFactor": 0.25, "roughnessFactor": 0.5},
        }
    ]
    nodes = [{"name": "Box", "mesh": 0, "translation": [3, 0, 0], "extras": {"id": "a"}}, {"camera": 0}]
    cameras = [{"type": "perspective", "perspective": {"yfov": 1.0, "znear": 0.1}}]
    meshes = [{"name": "Geometry", "primitives": [primitive]}]
    data = build.to_bytes(meshes=meshes, nodes=nodes, cameras=cameras, materials=materials, scenes=[{"nodes": [0, 1]}])
    before = parse_gltf(data)
    made, after = paint(data)
    assert without_texture(after.document) == without_texture(before.document)
    assert after.binary[: len(before.binary)] == before.binary
    assert red_share(texture_of(after, 0)) > 0.5
    assert made.notes == (SIZE,), "nothing is lost"


def test_two_materials_on_one_layout_keep_their_names_and_share_the_texture(paint: Paint) -> None:
    positions, normals, uv, faces = box()
    build = GltfBuilder()
    attributes = {
        "POSITION": build.accessor(positions),
        "NORMAL": build.accessor(normals),
        "TEXCOORD_0": build.accessor(uv),
    }
    halves = [faces[:18], faces[18:]]
    primitives = [
        {"attributes": attributes, "indices": build.accessor(half), "material": number}
        for number, half in enumerate(halves)
    ]
    materials = [{"name": name, "pbrMetallicRoughness": {}} for name in ("Left", "Right")]
    made, after = paint(build.to_bytes(meshes=[{"primitives": primitives}], materials=materials))
    assert [material["name"] for material in after.document["materials"]] == ["Left", "Right"]
    assert made.notes == (SIZE,), "nothing is lost"
    assert np.array_equal(texture_of(after, 0), texture_of(after, 1))


def test_overlapping_layouts_get_a_texture_each_and_keep_authored_normals(paint: Paint, tmp_path: Path) -> None:
    build = GltfBuilder()
    primitives = [box_primitive(build, size, material=number) for number, size in enumerate((1.0, 0.5))]
    materials = [
        {"name": f"m{number}", "pbrMetallicRoughness": {"baseColorTexture": {"index": number}}} for number in range(2)
    ]
    image = build.view(png(4, 4))
    images = [{"bufferView": image, "mimeType": "image/png"} for _ in range(2)]
    data = build.to_bytes(
        meshes=[{"primitives": primitives}],
        materials=materials,
        images=images,
        textures=[{"source": 0}, {"source": 1}],
        nodes=[{"mesh": 0, "rotation": [0, 0, 0, 1], "name": "Both"}],
    )
    made, after = paint(data)
    assert made.notes == ("The file's 2 textures were painted each by itself.", SIZE)
    assert after.document["nodes"] == parse_gltf(data).document["nodes"]
    for number, primitive in enumerate(after.document["meshes"][0]["primitives"]):
        positions = after.numbers(primitive["attributes"]["POSITION"])
        normals = after.numbers(primitive["attributes"]["NORMAL"])
        half = (0.5, 0.25)[number]
        assert np.abs(positions).max() == half
        assert np.allclose(np.sort(np.abs(normals), axis=1), [0, 0, 1])  # flat sides, not smoothed
        assert np.allclose((positions * normals).sum(axis=1), half)  # each vertex still has its own normal


def test_skins_and_morph_targets_follow_new_coordinates(paint: Paint, tmp_path: Path) -> None:
    build = GltfBuilder()
    offsets = build.accessor(np.tile(np.float32([0, 0.5, 0]), (24, 1)))
    primitive = box_primitive(build, targets=[{"POSITION": offsets}])
    del primitive["attributes"]["TEXCOORD_0"]
    primitive["attributes"]["JOINTS_0"] = build.accessor(np.zeros((24, 4), np.uint8))
    primitive["attributes"]["WEIGHTS_0"] = build.accessor(np.tile(np.float32([1, 0, 0, 0]), (24, 1)))
    nodes = [{"mesh": 0, "skin": 0}, {"translation": [0, 2, 0]}]
    mesh = {"primitives": [primitive], "weights": [1.0]}
    data = build.to_bytes(meshes=[mesh], nodes=nodes, skins=[{"joints": [1]}], scenes=[{"nodes": [0, 1]}])
    made, after = paint(data)
    assert after.document["skins"] == [{"joints": [1]}]
    before, again = read_mesh(tmp_path / "given.glb"), read_mesh(made.folder / "model.glb")
    assert np.allclose(before.positions[before.faces], again.positions[again.faces])
    assert again.uv is not None


def test_instances_stay_instances_and_share_their_colours(paint: Paint, tmp_path: Path) -> None:
    build = GltfBuilder()
    primitive = box_primitive(build)
    del primitive["attributes"]["TEXCOORD_0"]
    where = build.accessor(np.float32([[0, 0, 0], [2, 0, 0]]))
    node = {"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": where}}}}
    extensions = {"extensionsRequired": ["EXT_mesh_gpu_instancing"], "extensionsUsed": ["EXT_mesh_gpu_instancing"]}
    made, after = paint(build.to_bytes(meshes=[{"primitives": [primitive]}], nodes=[node], **extensions))
    assert after.document["nodes"] == [node]
    assert any("share" in note for note in made.notes)
    before, again = read_mesh(tmp_path / "given.glb"), read_mesh(made.folder / "model.glb")
    assert np.allclose(before.positions[before.faces], again.positions[again.faces])


def test_colours_that_would_tint_the_texture_go_and_are_named(paint: Paint) -> None:
    build = GltfBuilder()
    primitive = box_primitive(build, material=0)
    primitive["attributes"]["COLOR_0"] = build.accessor(np.full((24, 4), 90, np.uint8), normalized=True)
    look = {"baseColorFactor": [0.2, 0.4, 0.6, 0.5]}
    made, after = paint(
        build.to_bytes(meshes=[{"primitives": [primitive]}], materials=[{"pbrMetallicRoughness": look}])
    )
    assert after.document["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] == [1.0, 1.0, 1.0, 0.5]
    assert "COLOR_0" not in after.document["meshes"][0]["primitives"][0]["attributes"]
    assert any("Vertex colours" in note for note in made.notes)
    assert any("Base colour factors" in note for note in made.notes)


def test_cut_out_leaves_stay_cut_out(paint: Paint) -> None:
    build = GltfBuilder()
    primitive = box_primitive(build, material=0)
    alpha = np.zeros((8, 8, 4), np.uint8)
    alpha[:, :4, 3] = 255
    image = build.view(png_of(alpha))
    look = {"baseColorTexture": {"index": 0}}
    data = build.to_bytes(
        meshes=[{"primitives": [primitive]}],
        materials=[{"alphaMode": "MASK", "pbrMetallicRoughness": look}],
        images=[{"bufferView": image, "mimeType": "image/png"}],
        textures=[{"source": 0}],
    )
    _, after = paint(data)
    pixels = texture_of(after, 0)
    assert pixels.shape == (64, 64, 4)
    assert (pixels[:, :28, 3] == 255).all()
    assert (pixels[:, 36:, 3] == 0).all()
    assert after.document["materials"][0]["alphaMode"] == "MASK"


def test_the_old_picture_goes_and_a_shared_one_stays(paint: Paint) -> None:
    build = GltfBuilder()
    before_it = build.accessor(np.arange(9, dtype=np.float32).reshape(3, 3))
    image = build.view(png_of(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)))
    primitive = box_primitive(build, material=0)
    look = {"baseColorTexture": {"index": 0}}
    tables: dict[str, Any] = {
        "meshes": [{"primitives": [primitive]}],
        "images": [{"bufferView": image, "mimeType": "image/png", "name": "wood"}],
        "textures": [{"source": 0}],
    }
    data = build.to_bytes(materials=[{"pbrMetallicRoughness": look}], **tables)
    _, after = paint(data)
    assert len(after.binary) < len(parse_gltf(data).binary)
    assert [entry.get("name") for entry in after.document["images"]] == ["wood"]
    assert np.array_equal(after.numbers(before_it), parse_gltf(data).numbers(before_it))

    shared = build.to_bytes(materials=[{"pbrMetallicRoughness": look, "emissiveTexture": {"index": 0}}], **tables)
    _, after = paint(shared)
    old = after.document["images"][0]["bufferView"]
    assert bytes(after.view(old)) == bytes(parse_gltf(shared).view(image))


def png(width: int, height: int) -> bytes:
    return png_of(np.full((height, width, 3), 128, np.uint8))


def png_of(pixels: np.ndarray) -> bytes:
    import io

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
