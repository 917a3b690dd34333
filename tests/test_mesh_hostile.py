"""Small mesh files that claim far more than they hold are refused before anything is made of the claim."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from gltf_build import GltfBuilder, box_primitive

from manymesh.errors import InputError
from manymesh.mesh.formats import gltf, gltf_nodes, read_3mf
from manymesh.mesh.formats.gltf import parse_gltf
from manymesh.mesh.formats.read import read_mesh
from manymesh.mesh.formats.read_stl import read_stl
from manymesh.mesh.formats.user_mesh import DamagedFileError

RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r" Target="/3D/3dmodel.model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>'
    "</Relationships>"
)
NAMESPACE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"


def saved_3mf(path: Path, resources: str, items: str) -> Path:
    model = f'<model xmlns="{NAMESPACE}"><resources>{resources}</resources><build>{items}</build></model>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr("3D/3dmodel.model", model)
    path.write_bytes(stream.getvalue())
    return path


def test_3mf_objects_that_double_at_each_level_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_3mf, "MAX_PLACES", 1000)
    objects = '<object id="1"><mesh><vertices/><triangles/></mesh></object>'
    for number in range(2, 30):
        child = f'<component objectid="{number - 1}"/>'
        objects += f'<object id="{number}"><components>{child}{child}</components></object>'
    path = saved_3mf(tmp_path / "doubling.3mf", objects, '<item objectid="29"/>')
    with pytest.raises(InputError, match="more than 1,000 times"):
        read_mesh(path)


def test_gltf_instances_are_counted_before_they_are_made(tmp_path: Path) -> None:
    build = GltfBuilder()
    build.document["accessors"].append({"componentType": 5126, "type": "VEC3", "count": 6_000_000})
    mesh = {"primitives": [box_primitive(build)]}
    node = {"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 0}}}}
    path = tmp_path / "many.glb"
    path.write_bytes(build.to_bytes(meshes=[mesh], nodes=[node]))
    with pytest.raises(InputError, match="instances"):
        read_mesh(path)


def test_gltf_instances_of_all_nodes_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gltf_nodes, "MAX_INSTANCES", 10)
    build = GltfBuilder()
    mesh = {"primitives": [box_primitive(build)]}
    places = build.accessor(np.zeros((5, 3), np.float32))
    node = {"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": places}}}}
    path = tmp_path / "many.glb"
    path.write_bytes(build.to_bytes(meshes=[mesh], nodes=[node] * 2, scenes=[{"nodes": [0, 1]}]))
    assert len(read_mesh(path).faces) == 120
    path.write_bytes(build.to_bytes(meshes=[mesh], nodes=[node] * 3, scenes=[{"nodes": [0, 1, 2]}]))
    with pytest.raises(InputError, match="more than 10 times"):
        read_mesh(path)


@pytest.mark.parametrize("body", ["AAA\n" * 100_000, "%2B%2f%2F" * 100_000, "+/A" * 100_000 + "%3D%3d"])
def test_data_uris_in_base64_are_decoded_within_a_few_times_their_size(body: str) -> None:
    uri = f"data:;base64,{body}"
    tracemalloc.start()
    try:
        buffer = parse_gltf(json.dumps({"asset": {"version": "2.0"}, "buffers": [{"uri": uri}]}).encode()).binary
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(buffer) == 225_000
    assert peak < 10 * len(uri)


def test_a_data_uri_of_too_many_escapes_is_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gltf, "MAX_ESCAPES", 1000)
    for header in ("data:,", "data:;base64,"):
        few, many = ({"asset": {"version": "2.0"}, "buffers": [{"uri": header + "%41" * n}]} for n in (1000, 1001))
        assert len(parse_gltf(json.dumps(few).encode()).binary) in (1000, 750)
        with pytest.raises(DamagedFileError, match="1,000 percent escapes"):
            parse_gltf(json.dumps(many).encode())


def test_gltf_parts_keep_only_the_vertices_that_they_use(tmp_path: Path) -> None:
    build = GltfBuilder()
    vertices = build.accessor(np.random.default_rng(0).normal(size=(3000, 3)).astype(np.float32))
    primitives = [
        {"attributes": {"POSITION": vertices}, "indices": build.accessor(np.arange(3 * k, 3 * k + 3).astype(np.uint16))}
        for k in range(20)
    ]
    path = tmp_path / "shared.glb"
    path.write_bytes(build.to_bytes(meshes=[{"primitives": primitives}]))
    mesh = read_mesh(path)
    assert len(mesh.faces) == 20
    assert len(mesh.positions) == 60


def test_a_text_stl_with_too_many_corners_is_refused_by_their_count(tmp_path: Path) -> None:
    path = tmp_path / "corners.stl"
    path.write_bytes(b"solid x\nfacet\nouter loop\n" + b"vertex 1 2 3\n" * 6_000_100)
    with pytest.raises(InputError, match="faces"):
        read_mesh(path)


def test_blank_lines_of_a_text_stl_cost_no_more_than_others() -> None:
    facet = b"facet\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
    begun = time.process_time()
    mesh = read_stl(b"solid a\n" + facet + b"\n" * 50_000 + b"endsolid\n  solid b\n" + facet, "x.stl")
    assert time.process_time() - begun < 2
    assert mesh.lost == ("2 solids and their names",)


def test_3mf_elements_are_counted_before_they_are_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_3mf, "MAX_ELEMENTS", 1000)
    triangle = '<vertices><vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/><vertex x="0" y="1" z="0"/></vertices>'
    triangle += '<triangles><triangle v1="0" v2="1" v3="2"/></triangles>'
    whole = f'<object id="1"><mesh>{triangle}</mesh></object>'
    item = '<item objectid="1"/>'
    assert len(read_mesh(saved_3mf(tmp_path / "few.3mf", whole + "<a></a>" * 900, item)).faces) == 1
    path = saved_3mf(tmp_path / "many.3mf", whole + "<a/>" * 1000, item)
    monkeypatch.setattr(read_3mf.ElementTree, "fromstring", refuse_many(read_3mf.ElementTree.fromstring))
    with pytest.raises(InputError, match="more parts"):
        read_mesh(path)


def refuse_many(parse: Callable[[bytes], Element]) -> Callable[[bytes], Element]:
    def parsed(content: bytes) -> Element:
        assert content.count(b"<") < 1000, "it was parsed"
        return parse(content)

    return parsed


LONG = "0." + 60 * "0" + "12e62"  # 12, in more than 64 characters


@pytest.mark.parametrize("kind", ["obj", "ply", "stl", "3mf"])
def test_numbers_of_any_length_are_read_whole(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"long.{kind}"
    places = [f"{LONG} 0 0", "0 1 0", "0 0 1"]
    if kind == "obj":
        path.write_text("\n".join(f"v {each}" for each in places) + "\nf 1 2 3\n")
    elif kind == "ply":
        header = "ply\nformat ascii 1.0\nelement vertex 3\nproperty double x\nproperty double y\nproperty double z\n"
        header += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
        path.write_text(header + "\n".join([*places, "3 0 1 2"]))
    elif kind == "stl":
        path.write_text("solid\nfacet\nouter loop\n" + "\n".join(f"vertex {each}" for each in places) + "\n")
    else:
        vertices = "".join('<vertex x="{}" y="{}" z="{}"/>'.format(*each.split()) for each in places)
        triangles = '<triangles><triangle v1="0" v2="1" v3="2"/></triangles>'
        mesh = f"<mesh><vertices>{vertices}</vertices>{triangles}</mesh>"
        saved_3mf(path, f'<object id="1">{mesh}</object>', '<item objectid="1"/>')
    assert read_mesh(path).positions.max() == pytest.approx(12)


def test_a_byte_order_mark_does_not_swallow_the_first_vertex(tmp_path: Path) -> None:
    path = tmp_path / "bom.obj"
    path.write_bytes(b"\xef\xbb\xbfv 0 0 0\nv 1 0 0\nv 0 1 0\nv 5 5 5\nf 1 2 3\n")
    mesh = read_mesh(path)
    assert mesh.positions[mesh.faces[0]].tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
