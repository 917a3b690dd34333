from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gltf_validator import assert_valid
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_samples import blob, box, coloured, sphere, textured, torus

from manymesh.errors import DamagedMeshError, InputError, ObjectError, UsageError
from manymesh.mesh.formats.glb import read_glb, scene_glb, split_glb, srgb_to_linear_u16, write_glb
from manymesh.mesh.formats.verify import verify
from manymesh.mesh.formats.write import WRITERS, write
from manymesh.mesh.inspect import inspect
from manymesh.mesh.normals import vertex_normals
from manymesh.mesh.unwrap.unwrap import unwrap
from manymesh.naming import clean_name, slug
from manymesh.types import Mesh, TexturedMesh

HOSTILE = ["../../etc/passwd", "a\x00b", "cup\ud800", '"<&>\n]]>', "...", "CON", "", "咖啡杯 ☕", "x" * 500, "C:\\x|?*"]


def shapes() -> dict[str, Mesh | TexturedMesh]:
    mesh = torus()
    return {"plain": mesh, "coloured": coloured(mesh), "textured": textured(unwrap(mesh, 64))}


@pytest.mark.parametrize("kind", ["plain", "coloured", "textured"])
@pytest.mark.parametrize("file_format", list(WRITERS))
def test_every_format_reads_back_as_written(file_format: str, kind: str) -> None:
    shape = shapes()[kind]
    files = write(shape, file_format, stem="cup", name="a cup")
    assert next(iter(files)) == f"cup.{file_format}"
    verify(files, shape)
    assert files == write(shape, file_format, stem="cup", name="a cup")


@pytest.mark.parametrize("kind", ["plain", "textured"])
@pytest.mark.parametrize("file_format", list(WRITERS))
def test_another_mesh_is_noticed(file_format: str, kind: str) -> None:
    shape = shapes()[kind]
    files = write(shape, file_format, stem="cup")
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    geometry.vertices[3] += np.float32(1e-3)
    with pytest.raises(ObjectError):
        verify(files, shape)


@pytest.mark.parametrize("kind", ["plain", "coloured", "textured"])
def test_another_reader_finds_in_a_glb_what_was_written(kind: str) -> None:
    import trimesh

    shape = shapes()[kind]
    (data,) = write(shape, "glb", stem="cup").values()
    (found,) = trimesh.load_scene(io.BytesIO(data), file_type="glb", process=False).geometry.values()
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    assert np.array_equal(found.vertices.astype(np.float32)[found.faces], geometry.vertices[geometry.faces])
    if isinstance(shape, TexturedMesh):
        uv = np.column_stack([shape.atlas.uv[:, 0], 1 - shape.atlas.uv[:, 1]])  # trimesh's origin is the lower left
        assert np.abs(found.visual.uv[found.faces] - uv[shape.atlas.faces]).max() < 1e-6
        assert np.array_equal(np.asarray(found.visual.material.baseColorTexture.convert("RGB")), shape.base_color)
    elif shape.colors is not None:
        linear = found.visual.vertex_attributes["color"][..., :3]
        assert np.array_equal(linear[found.faces], srgb_to_linear_u16(shape.colors)[shape.faces])


@pytest.mark.parametrize("kind", ["textured", "coloured"])
def test_other_coordinates_or_colours_in_a_glb_are_noticed(kind: str) -> None:
    shape = shapes()[kind]
    files = write(shape, "glb", stem="cup")
    if isinstance(shape, TexturedMesh):
        shape.atlas.uv[2, 0] += np.float32(1e-3)
    else:
        assert shape.colors is not None
        shape.colors[2, 0] ^= 1
    with pytest.raises(ObjectError, match=r"coordinates|colours"):
        verify(files, shape)


@pytest.mark.parametrize("file_format", ["glb", "obj"])
def test_another_texture_is_noticed(file_format: str) -> None:
    shape = shapes()["textured"]
    files = write(shape, file_format, stem="cup")
    shape.base_color[5, 5] ^= 1
    with pytest.raises(ObjectError, match="texture"):
        verify(files, shape)


@pytest.mark.parametrize("file_format", list(WRITERS))
def test_damage_to_the_file_is_noticed(file_format: str) -> None:
    shape = torus()
    files = write(shape, file_format, stem="cup")
    main = next(iter(files))
    with pytest.raises(ObjectError):
        verify({**files, main: files[main][: len(files[main]) // 2]}, shape)


@settings(max_examples=10, derandomize=True, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_glb_gives_back_the_same_mesh_bit_for_bit(seed: int, with_colours: bool) -> None:
    mesh = blob(seed, 14)
    mesh = coloured(mesh, seed) if with_colours else mesh
    again = read_glb(write_glb(mesh))
    assert again.vertices.tobytes() == mesh.vertices.tobytes()
    assert again.vertices.dtype == np.float32
    assert again.faces.tobytes() == mesh.faces.tobytes()
    assert again.faces.dtype == np.int32
    assert (again.colors is None) == (mesh.colors is None)
    if mesh.colors is not None:
        assert again.colors.tobytes() == mesh.colors.tobytes()


def test_every_colour_value_survives_linear_light() -> None:
    mesh = sphere(3)
    colors = np.resize(np.arange(256, dtype=np.uint8), (len(mesh.vertices), 3))
    again = read_glb(write_glb(Mesh(mesh.vertices, mesh.faces, colors)))
    assert np.array_equal(again.colors, colors)


def test_large_meshes_take_wide_indices() -> None:
    mesh = sphere(7)
    assert len(mesh.vertices) > 65535
    assert np.array_equal(read_glb(write_glb(mesh)).faces, mesh.faces)


@pytest.mark.parametrize("data", [b"", b"glTF", b"glTF" + b"\0" * 40, write_glb(box())[:-30], b"x" * 100])
def test_a_damaged_glb_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        read_glb(data)


def test_glb_passes_the_khronos_validator(tmp_path: Path) -> None:
    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = 1, 2, 3
    every = shapes()
    files = [write_glb(shape, name=kind) for kind, shape in every.items()]
    files += [write_glb(box(), name=label) for label in HOSTILE]
    files.append(scene_glb([(kind, matrix, shape) for kind, shape in every.items()]))
    files.append(scene_glb([("cup", np.eye(4), every["textured"]), ("cup", matrix, every["textured"])]))
    files.append(scene_glb([]))
    assert_valid(files, tmp_path)


def test_a_scene_holds_named_nodes_where_they_belong() -> None:
    import trimesh

    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = 1, 2, 3
    data = scene_glb([("cup", matrix, box()), ("spoon", np.eye(4), shapes()["textured"])])
    scene = trimesh.load_scene(io.BytesIO(data), file_type="glb")
    assert np.allclose(scene.graph.get("cup")[0], matrix)
    assert {node["name"] for node in split_glb(data)[0]["nodes"]} == {"cup", "spoon"}


def test_materials_are_neutral() -> None:
    document, _ = split_glb(write_glb(shapes()["textured"]))
    look = document["materials"][0]["pbrMetallicRoughness"]
    assert (look["metallicFactor"], look["roughnessFactor"], look["baseColorTexture"]) == (0, 1, {"index": 0})


def test_normals_do_not_break_at_seams() -> None:
    mesh = sphere(3)
    atlas = unwrap(mesh, 128)
    normals = vertex_normals(atlas)
    assert len(atlas.vertices) > len(mesh.vertices)
    assert np.array_equal(normals, vertex_normals(mesh)[atlas.source])
    assert np.abs(normals - atlas.vertices).max() < 0.02


@pytest.mark.parametrize("label", HOSTILE)
@pytest.mark.parametrize("file_format", list(WRITERS))
def test_hostile_labels_do_no_harm(file_format: str, label: str) -> None:
    files = write(box(), file_format, stem=label, name=label)
    for name in files:
        assert Path(name).name == name
        assert name.isascii()
        assert len(name) < 80
        assert not name.startswith(".")
    verify(files, box())


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.text())
def test_any_text_becomes_a_safe_name(text: str) -> None:
    stem = slug(text)
    assert stem
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert json.loads(json.dumps(clean_name(text))) == clean_name(text) != ""
    clean_name(text).encode("utf-8")


def test_closed_formats_stay_closed_when_textured() -> None:
    import trimesh

    shape = shapes()["textured"]
    archive = zipfile.ZipFile(io.BytesIO(write(shape, "3mf", stem="cup")["cup.3mf"]))
    assert "3D/Textures/texture.png" in archive.namelist()
    stl = trimesh.load(io.BytesIO(write(shape, "stl", stem="cup")["cup.stl"]), file_type="stl")
    assert stl.is_watertight
    obj = write(shape, "obj", stem="cup")["cup.obj"].decode()
    assert sum(line.startswith("v ") for line in obj.splitlines()) == inspect(torus()).vertices


def test_3mf_stands_upright_in_millimetres() -> None:
    import trimesh

    tall = Mesh(box().vertices * np.float32([0.3, 1, 0.5]), box().faces)
    scene = trimesh.load_scene(io.BytesIO(write(tall, "3mf", stem="cup")["cup.3mf"]), file_type="3mf")
    assert np.allclose(scene.bounds[:, 2], [0, 100])
    assert scene.units in ("mm", "millimeter", "millimeters")


def test_unknown_formats_and_empty_meshes_are_told() -> None:
    with pytest.raises(UsageError, match="fbx"):
        write(box(), "fbx", stem="cup")
    with pytest.raises(DamagedMeshError):
        write(Mesh(np.zeros((3, 3), np.float32), np.zeros((0, 3), np.int32)), "glb", stem="cup")
    with pytest.raises(DamagedMeshError):
        write_glb(Mesh(np.full((3, 3), np.nan, np.float32), np.int32([[0, 1, 2]])))
