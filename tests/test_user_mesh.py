"""Meshes as programs and scanners write them: welded for the work, written with their own faces, told what is odd."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from mesh_samples import box, sphere
from PIL import Image

from manymesh.mesh.formats import polygons
from manymesh.mesh.formats.glb import read_glb, split_glb
from manymesh.mesh.formats.read import read_mesh
from manymesh.mesh.formats.read_obj import read_obj
from manymesh.mesh.formats.read_ply import read_ply
from manymesh.mesh.unwrap.raster import covered
from manymesh.mesh.unwrap.unwrap import unwrap
from manymesh.mesh.work_mesh import work_mesh
from manymesh.paint_mesh import PaintedFile, paint_file
from manymesh.settings import Settings
from manymesh.types import Mesh


def picture(folder: Path, width: int = 48, height: int = 48) -> Path:
    """A cut-out picture: a rectangle, its upper half red and its lower half blue."""
    pixels = np.zeros((height + 16, width + 16, 4), np.uint8)
    pixels[8:-8, 8:-8] = (200, 30, 20, 255)
    pixels[8 + height // 2 : -8, 8:-8] = (20, 30, 200, 255)
    path = folder / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


def painted(folder: Path, name: str, data: bytes, photo: Path | None = None) -> PaintedFile:
    (folder / name).write_bytes(data)
    options = Settings(engine="lite", texture_size=64, formats=["glb"])
    return paint_file(folder / name, photo or picture(folder), folder / "out", options)


def stl(mesh: Mesh) -> bytes:
    """Binary STL: triangles that share no vertices."""
    rows = np.zeros(len(mesh.faces), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("end", "<u2")]))
    rows["corners"] = mesh.vertices[mesh.faces]
    return b"solid by name alone".ljust(80) + struct.pack("<I", len(rows)) + rows.tobytes()


def obj(mesh: Mesh, shift: tuple[float, float, float] = (0, 0, 0), scale: float = 1.0) -> bytes:
    places = mesh.vertices.astype(np.float64) * scale + shift
    lines = ["v {!r} {!r} {!r}".format(*row) for row in places.tolist()]
    lines += ["f {} {} {}".format(*row) for row in (mesh.faces + 1).tolist()]
    return "\n".join(lines).encode()


def test_loose_triangles_are_welded_and_come_back_in_their_order(tmp_path: Path) -> None:
    ball = sphere(3)
    made = painted(tmp_path, "ball.stl", stl(ball))
    again = read_glb((made.folder / "model.glb").read_bytes())
    np.testing.assert_array_equal(again.vertices[again.faces], ball.vertices[ball.faces])
    assert len(again.vertices) < len(ball.faces)  # few seams: it was unwrapped as one surface


def test_thousands_of_loose_pieces_unwrap_without_overlap() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(-1, 1, (4000, 1, 3)) + 0.01 * rng.normal(size=(4000, 3, 3))
    mesh = Mesh(corners.reshape(-1, 3).astype(np.float32), np.arange(12_000, dtype=np.int32).reshape(-1, 3))
    atlas = unwrap(mesh, 512)
    hits = np.zeros((512, 512), np.int64)
    for _, x, y in covered(atlas.uv.astype(np.float64)[atlas.faces] * 512):
        np.add.at(hits, (y, x), 1)
    assert hits.max() == 1
    assert (atlas.uv >= 0).all()
    assert (atlas.uv <= 1).all()


def test_a_closed_mesh_that_is_inside_out_is_turned_and_told(tmp_path: Path) -> None:
    cube = box()
    made = painted(tmp_path, "cube.obj", obj(Mesh(cube.vertices, cube.faces[:, ::-1])))
    assert any("wound inwards" in note for note in made.notes)
    again = read_glb((made.folder / "model.glb").read_bytes())
    a, b, c = (again.vertices[again.faces[:, k]].astype(np.float64) for k in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 == pytest.approx(8)


def test_a_cavity_is_left_as_it_is() -> None:
    outer, inner = box(), box(-0.5, 0.5)
    vertices = np.concatenate([outer.vertices, inner.vertices]).astype(np.float64)
    faces = np.concatenate([outer.faces, inner.faces[:, ::-1] + 8])
    assert not work_mesh(vertices, faces).turned.any()


@pytest.mark.parametrize(
    ("shift", "scale"), [((448262.31, 5411932.68, 112.4), 1.0), ((0, 0, 0), 1e-6), ((0, 0, 0), 1e6)]
)
def test_place_and_size_make_no_difference(shift: tuple[float, float, float], scale: float, tmp_path: Path) -> None:
    ball = sphere(2)
    near = painted(tmp_path, "near.obj", obj(ball))
    far = painted(tmp_path, "far.obj", obj(ball, shift, scale))
    one, other = ((made.folder / "model.glb").read_bytes() for made in (near, far))
    a, b = read_glb(one), read_glb(other)
    np.testing.assert_allclose(b.vertices[b.faces] / scale, a.vertices[a.faces], atol=1e-6)
    node = split_glb(other)[0]["nodes"][0]
    if any(shift):
        np.testing.assert_allclose(np.array(node["matrix"])[12:15], shift, atol=1e-3)
    else:
        assert "matrix" not in node
    assert (near.folder / "preview.png").read_bytes() == (far.folder / "preview.png").read_bytes()


def test_a_photo_a_little_taller_than_the_mesh_is_fitted_and_told(tmp_path: Path) -> None:
    made = painted(tmp_path, "cube.obj", obj(box()), picture(tmp_path, 96, 100))
    assert any("taller than the mesh" in note for note in made.notes)
    assert made.details["outline_iou"] > 0.97
    assert made.details["texels"]["filled"] < 0.05


def test_outlines_that_do_not_agree_come_with_advice(tmp_path: Path) -> None:
    made = painted(tmp_path, "cube.obj", obj(box()), picture(tmp_path, 96, 32))
    assert any("--turn" in note for note in made.notes)


def test_the_same_mesh_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    photo = picture(tmp_path)
    files = {(painted(tmp_path, "cube.obj", obj(box()), photo).folder / "model.glb").read_bytes() for _ in range(12)}
    assert len(files) == 1


@pytest.mark.parametrize("kind", ["gear", "spiral", "comb"])
def test_a_concave_polygon_of_thousands_of_corners_keeps_its_shape(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Areas of all triangles add up to the polygon's, and all face one way."""
    monkeypatch.setattr(polygons, "MOST_CORNERS", 100)
    count = 600
    turns = np.arange(count) / count * 2 * np.pi
    if kind == "gear":
        radius = np.where(np.arange(count) % 4 < 2, 1.0, 0.8)
        flat = np.stack([radius * np.cos(turns), radius * np.sin(turns)], axis=1)
    elif kind == "spiral":
        wound = np.linspace(1, 20 * np.pi, count // 2)
        inner, outer = (np.stack([(wound + w) * np.cos(wound), (wound + w) * np.sin(wound)], 1) for w in (0, 2))
        flat = np.concatenate([outer, inner[::-1]])
    else:
        teeth = [point for n in range(count // 4) for point in ((2 * n, 1), (2 * n, 5), (2 * n + 1, 5), (2 * n + 1, 1))]
        flat = np.array([(count / 2, 0), *teeth[::-1], (0, 0)], float)
    x, y = flat.T
    area = float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    lines = [f"v {a} {b} 0" for a, b in flat.tolist()] + ["f " + " ".join(map(str, range(1, len(flat) + 1)))]
    (tmp_path / "cap.obj").write_text("\n".join(lines))
    mesh = read_mesh(tmp_path / "cap.obj")
    corners = mesh.positions[mesh.faces]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2
    assert len(areas) == len(flat) - 2
    assert areas.sum() == pytest.approx(area)
    assert np.abs(areas).sum() == pytest.approx(abs(area))
    assert mesh.notes == ()
    monkeypatch.setattr(polygons, "MOST_LARGE_CORNERS", 100)
    assert "1 hollow polygons have too many corners" in read_mesh(tmp_path / "cap.obj").notes[0]


@pytest.mark.parametrize("most_corners", [100, polygons.MOST_CORNERS])
def test_a_polygon_that_crosses_itself_everywhere_ends_soon_and_says_so(
    monkeypatch: pytest.MonkeyPatch, most_corners: int
) -> None:
    monkeypatch.setattr(polygons, "MOST_CORNERS", most_corners)
    count = 1000
    places = np.column_stack([np.random.default_rng(0).random((count, 2)), np.zeros(count)])
    looks = []
    for name in ("_reached", "_inside"):
        real = getattr(polygons, name)
        monkeypatch.setattr(polygons, name, lambda *how, real=real: looks.append(1) or real(*how))
    notes: list[str] = []
    faces, _ = polygons.triangulated(places, np.arange(count), np.array([count]), notes)
    assert len(faces) == count - 2
    assert len(looks) < 200 * count
    assert "cross themselves" in notes[0]


def test_concave_polygons_keep_their_shape() -> None:
    text = b"v 0 0 0\nv 2 0 0\nv 2 2 0\nv 1 0.5 0\nv 0 2 0\nf -5 -4 -3 -2 -1\n"
    found = read_obj(text, "a.obj")
    corners = found.positions[found.faces]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2
    assert (areas > 0).all()  # none reaches outside
    assert areas.sum() == pytest.approx(2.5)


def test_smoothing_groups_and_materials_of_an_obj_are_read() -> None:
    text = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\ng a b\ns 1\nusemtl red\nf 1 3 2\ns off\nusemtl blue\nf 1 2 4\n"
    found = read_obj(text, "a.obj")
    assert found.material_names == ("", "red", "blue")
    assert found.material.tolist() == [1, 2]
    assert found.group_names[found.group[0]] == "a b"
    assert found.normals is not None
    np.testing.assert_allclose(found.normals[:, 0], [[0, 0, -1], [0, -1, 0]], atol=1e-6)


def test_a_big_endian_ply_of_doubles_with_wedge_coordinates_is_read() -> None:
    header = (
        b"ply\r\nformat binary_big_endian 1.0\r\ncomment x\r\nelement vertex 3\r\n"
        b"property double x\r\nproperty double y\r\nproperty double z\r\n"
        b"element face 1\r\nproperty list uchar int vertex_indices\r\n"
        b"property list uchar float texcoord\r\nend_header\r\n"
    )
    body = struct.pack(">9d", 0, 0, 0, 1, 0, 0, 0, 1, 0) + struct.pack(">B3i", 3, 0, 1, 2)
    body += struct.pack(">B6f", 6, 0, 0, 1, 0, 0, 1)
    found = read_ply(header + body, "a.ply")
    assert found.positions.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert found.uv is not None
    assert found.uv[0].tolist() == [[0, 1], [1, 1], [0, 0]]


def test_authored_flat_normals_are_written_and_decide_what_is_seen(tmp_path: Path) -> None:
    cube = box()
    smooth = painted(tmp_path, "cube.stl", stl(cube))
    document, _ = split_glb((smooth.folder / "model.glb").read_bytes())
    assert document["accessors"][0]["count"] == 24  # hard edges: each corner three times
    assert smooth.details["texels"]["photo"] == pytest.approx(1 / 6, abs=0.03)  # one side of six


def test_a_binary_stl_may_begin_with_the_word_solid(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(stl(box()))
    assert len(read_mesh(tmp_path / "a.stl").faces) == 12
