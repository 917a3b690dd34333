"""Small mesh files that claim far more than they hold are refused before anything is made of the claim."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gltf_build import GltfBuilder, box_primitive

from manymesh.errors import InputError
from manymesh.mesh.formats import read_3mf
from manymesh.mesh.formats.read import read_mesh

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


def test_a_byte_order_mark_does_not_swallow_the_first_vertex(tmp_path: Path) -> None:
    path = tmp_path / "bom.obj"
    path.write_bytes(b"\xef\xbb\xbfv 0 0 0\nv 1 0 0\nv 0 1 0\nv 5 5 5\nf 1 2 3\n")
    mesh = read_mesh(path)
    assert mesh.positions[mesh.faces[0]].tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
