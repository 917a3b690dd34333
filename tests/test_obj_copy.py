"""A painted OBJ is the user's own with another picture; what other formats cannot hold is said."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mesh_samples import box
from PIL import Image

from manymesh.errors import ObjectError
from manymesh.mesh.formats.obj_copy import ObjRepaint, repainted_obj
from manymesh.mesh.formats.placement import FileFrame
from manymesh.mesh.formats.read_obj import read_obj
from manymesh.mesh.formats.verify import verify_obj_copy
from manymesh.mesh.formats.write import write
from manymesh.paint_mesh import PaintedFile, paint_file
from manymesh.settings import Settings

CORNERS = [(-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1), (-1, -1, -1), (1, -1, -1), (1, 1, -1), (-1, 1, -1)]
SIDES = [(1, 2, 3, 4), (6, 5, 8, 7), (2, 6, 7, 3), (5, 1, 4, 8), (4, 3, 7, 8), (5, 6, 2, 1)]


def painted(folder: Path, name: str, data: bytes, *kinds: str, **settings: object) -> PaintedFile:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[8:-8, 8:-8] = (200, 30, 20, 255)
    Image.fromarray(pixels).save(folder / "photo.png")
    (folder / name).write_bytes(data)
    options = Settings(engine="lite", texture_size=64, formats=kinds, **settings)  # type: ignore[arg-type]
    return paint_file(folder / name, folder / "photo.png", folder / "out", options)


def crate(with_uv: bool) -> str:
    """A cube of quads in two groups, two materials and an object, with things that are not faces beside it."""
    lines = ["# by hand", "mtllib crate.mtl", "o Crate No. 1", *(f"v {x} {y} {z} 0.5 0.5 0.5" for x, y, z in CORNERS)]
    for side in range(6):
        u, v = side % 3 / 3, side // 3 / 2
        lines += [f"vt {a:.6f} {b:.6f} 0" for a, b in ((u, v), (u + 0.3, v), (u + 0.3, v + 0.4), (u, v + 0.4))]
    for side, corners in enumerate(SIDES):
        lines += ["g walls\r", "usemtl old wood"] if side == 0 else ["s 1", "g lid", "usemtl iron"] if side == 4 else []
        words = [f"{c}/{4 * side + n + 1}" if with_uv else f"{c - 9}" for n, c in enumerate(corners)]
        lines.append("f " + " ".join(words[:2]) + " \\\n  " + " ".join(words[2:]) + "  # a side")
    return "\n".join([*lines, "l 1/1 2/2", "p 3"]) + "\n"


def lines_of(made: PaintedFile, word: str, name: str = "model.obj") -> list[str]:
    return [line for line in (made.folder / name).read_text().splitlines() if line.split()[:1] == [word]]


def test_with_its_own_coordinates_an_obj_keeps_every_line_but_the_material_file(tmp_path: Path) -> None:
    made = painted(tmp_path, "crate.obj", crate(True).encode(), "obj")
    given = crate(True).replace("\r", "").replace(" \\\n", "  ").splitlines()
    kept = (made.folder / "model.obj").read_text().splitlines()
    assert kept[:2] == ["# manymesh, +Y up", "mtllib model.mtl"]
    assert [line.rstrip() for line in kept[2:] if line] == [line for line in given if not line.startswith("mtllib")]
    assert lines_of(made, "newmtl", "model.mtl") == ["newmtl old wood", "newmtl iron"]
    assert lines_of(made, "map_Kd", "model.mtl") == ["map_Kd model.png"] * 2
    with Image.open(made.folder / "model.png") as texture:
        assert texture.size == (64, 64)
    assert any("MTL is not read" in note for note in made.notes)


def test_new_coordinates_go_into_the_users_own_faces(tmp_path: Path) -> None:
    import trimesh

    made = painted(tmp_path, "crate.obj", crate(False).encode(), "obj")
    assert lines_of(made, "v") == [f"v {x} {y} {z} 0.5 0.5 0.5" for x, y, z in CORNERS]
    assert [lines_of(made, word) for word in ("o", "g", "s", "usemtl", "l", "p")] == [
        ["o Crate No. 1"], ["g walls", "g lid"], ["s 1"], ["usemtl old wood", "usemtl iron"], ["l 1 2"], ["p 3"],
    ]  # fmt: skip
    assert len(lines_of(made, "f")) == 6  # the unwrapping cuts no flat side
    scene = trimesh.load_scene(made.folder / "model.obj", process=False)
    meshes = list(scene.geometry.values())
    assert sum(len(mesh.faces) for mesh in meshes) == 12
    assert np.allclose(sum(mesh.area for mesh in meshes), 24)
    uv = np.concatenate([mesh.visual.uv for mesh in meshes])
    assert ((uv >= 0) & (uv <= 1)).all()
    assert np.ptp(uv, axis=0).min() > 0.3


def test_polygons_that_the_unwrapping_cuts_become_triangles_and_are_counted(tmp_path: Path) -> None:
    # Three polygons of six corners, each bent over two sides of a cube.
    bent = [(1, 2, 6, 7, 3, 4), (5, 1, 4, 3, 7, 8), (6, 2, 1, 5, 8, 7)]
    lines = [f"v {x} {y} {z}" for x, y, z in CORNERS] + ["f " + " ".join(map(str, each)) for each in bent]
    made = painted(tmp_path, "bent.obj", "\n".join(lines).encode(), "obj")
    cut = len(lines_of(made, "f")) - 3
    assert cut > 0
    assert cut % 3 == 0  # four triangles for each polygon that was cut
    assert f"{cut // 3} polygons were cut by the unwrapping; they are triangles in model.obj." in made.notes
    found, given = (read_obj(path.read_bytes(), "x") for path in (made.folder / "model.obj", tmp_path / "bent.obj"))
    np.testing.assert_array_equal(found.faces, given.faces)
    assert found.uv is not None


@pytest.mark.parametrize("relative", [False, True])
def test_an_obj_that_is_inside_out_is_turned_with_its_normals(relative: bool, tmp_path: Path) -> None:
    normals = [(0, 0, 1), (0, 0, -1), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)]
    lines = [f"v {x} {y} {z}" for x, y, z in CORNERS] + [f"vn {-x} {-y} {-z}" for x, y, z in normals]
    for side, corners in enumerate(SIDES):
        normal = side - 6 if relative else side + 1
        lines.append("f " + " ".join(f"{c}//{normal}" for c in reversed(corners)))
    made = painted(tmp_path, "in.obj", "\n".join(lines).encode(), "obj")
    found = read_obj((made.folder / "model.obj").read_bytes(), "x")
    flat = np.cross(*(found.positions[found.faces[:, k]] - found.positions[found.faces[:, 0]] for k in (1, 2)))
    outwards = found.positions[found.faces].mean(axis=1)
    assert (np.einsum("ij,ij->i", flat, outwards) > 0).all()
    assert found.normals is not None
    assert (np.einsum("mkc,mc->mk", found.normals, outwards) > 0.5).all()
    assert found.uv is not None


NORMALS = [(0, 0, 1), (0, 0, -1), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)]


def crates(relative: bool, with_uv: bool) -> str:
    """Three cubes, written one after the other as v, vt, vn and f. The second is inside out, with its normals."""
    lines: list[str] = []
    for crate_number in range(3):
        sign = -1 if crate_number == 1 else 1
        lines += [f"o Crate {crate_number}", *(f"v {x + 4 * crate_number} {y} {z}" for x, y, z in CORNERS)]
        for side in range(6 if with_uv else 0):
            u, v = side / 6, crate_number / 3
            lines += [f"vt {a:.6f} {b:.6f}" for a, b in ((u, v), (u + 0.1, v), (u + 0.1, v + 0.2), (u, v + 0.2))]
        order = -1 if crate_number == 0 else 1  # so that no two crates write the same normals
        lines += [f"vn {sign * x} {sign * y} {sign * z}" for x, y, z in NORMALS[::order]]
        for side, corners in enumerate(SIDES):
            place = side if order == 1 else 5 - side
            normal = place - 6 if relative else 6 * crate_number + place + 1
            first = 24 * crate_number + 4 * side + 1
            words = [f"{c + 8 * crate_number}/{first + n if with_uv else ''}/{normal}" for n, c in enumerate(corners)]
            lines.append("f " + " ".join(words[::sign]))
    return "\n".join(lines)


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("with_uv", [False, True])
@pytest.mark.parametrize("relative", [False, True])
def test_normals_written_object_by_object_face_outwards(relative: bool, with_uv: bool, up: str, tmp_path: Path) -> None:
    made = painted(tmp_path, "in.obj", crates(relative, with_uv).encode(), "obj", up=up)
    found = read_obj((made.folder / "model.obj").read_bytes(), "x")
    assert any("wound inwards" in note for note in made.notes)
    corners = found.positions[found.faces]
    assert found.normals is not None
    for part in np.split(np.arange(36), 3):
        outwards = corners[part].mean(axis=1) - corners[part].mean(axis=(0, 1))
        flat = np.cross(corners[part, 1] - corners[part, 0], corners[part, 2] - corners[part, 0])
        assert (np.einsum("ij,ij->i", flat, outwards) > 0).all()
        assert (np.einsum("mkc,mc->mk", found.normals[part], outwards) > 0.5).all()
    assert len(lines_of(made, "o")) == 3


@pytest.mark.parametrize("turned", [False, True])
def test_a_copy_with_other_normals_does_not_pass_for_the_users(turned: bool) -> None:
    user = read_obj(crates(True, True).encode(), "x")
    assert user.obj is not None
    inward = np.repeat([False, turned, False], 12)
    picture = np.zeros((4, 4, 3), np.uint8)
    paint = ObjRepaint([picture], [0], None, inward, inward, FileFrame(up="z"))
    data = repainted_obj(user.obj, paint, "model")[0]["model.obj"]
    verify_obj_copy(data, user, paint)
    line = b"vn 0 -1 0"  # of the first side, with +Z up
    assert line in data
    with pytest.raises(ObjectError, match="other normals"):
        verify_obj_copy(data.replace(line, b"vn 0 1 0", 1), user, paint)


def test_vertex_colours_that_stay_in_an_obj_are_told(tmp_path: Path) -> None:
    said = "model.obj keeps its vertex colours, which some viewers multiply with the picture."
    assert said in painted(tmp_path, "crate.obj", crate(True).encode(), "obj").notes
    assert said not in painted(tmp_path, "crates.obj", crates(False, True).encode(), "obj").notes


def test_a_size_and_z_up_move_vertices_and_normals_and_nothing_else(tmp_path: Path) -> None:
    made = painted(tmp_path, "crate.obj", crate(True).encode(), "obj", sizes=["9cm"], up="z")
    first = lines_of(made, "v")[0].split()
    assert [float(each) for each in first[1:4]] == pytest.approx([-0.045, -0.045, -0.045])
    assert first[4:] == ["0.5"] * 3
    assert len(lines_of(made, "f")) == 6
    assert (made.folder / "model.obj").read_text().startswith("# manymesh, +Z up, unit m\n")


def test_materials_whose_pictures_lie_on_one_another_get_a_picture_each(tmp_path: Path) -> None:
    lines = [f"v {x} {y} {z}" for x, y, z in CORNERS] + ["vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    for side in (0, 1):
        lines += [f"usemtl side {side}", "f " + " ".join(f"{c}/{n + 1}" for n, c in enumerate(SIDES[side]))]
    made = painted(tmp_path, "two.obj", "\n".join(lines).encode(), "obj")
    assert lines_of(made, "map_Kd", "model.mtl") == ["map_Kd model.png", "map_Kd model-2.png"]
    assert (made.folder / "model-2.png").is_file()


def test_faces_without_a_material_get_one_that_is_not_the_users(tmp_path: Path) -> None:
    text = "\n".join([f"v {x} {y} {z}" for x, y, z in CORNERS] + ["f {} {} {} {}".format(*side) for side in SIDES[:3]])
    text += "\nusemtl painted\n" + "\n".join("f {} {} {} {}".format(*side) for side in SIDES[3:])
    made = painted(tmp_path, "x.obj", text.encode(), "obj")
    assert lines_of(made, "usemtl") == ["usemtl painted_", "usemtl painted"]
    assert lines_of(made, "newmtl", "model.mtl") == ["newmtl painted_", "newmtl painted"]


def test_what_other_formats_do_not_hold_is_one_line(tmp_path: Path) -> None:
    notes = painted(tmp_path, "crate.obj", crate(True).encode(), "obj", "stl").notes
    assert "model.glb and model.stl do not hold the file's 3 groups and objects and vertex colours." in notes


def test_what_is_lost_of_a_ply_an_stl_and_a_3mf_is_one_line(tmp_path: Path) -> None:
    vertices, faces = box().vertices, box().faces
    header = "ply\nformat ascii 1.0\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\n"
    header += "property uchar red\nproperty float quality\nelement face 12\nproperty list uchar int vertex_indices\n"
    rows = ["{} {} {} 9 0.5".format(*row) for row in vertices.tolist()] + [
        "3 {} {} {}".format(*f) for f in faces.tolist()
    ]
    ply = header + "element edge 1\nproperty int vertex1\nend_header\n" + "\n".join([*rows, "0"])
    said = painted(tmp_path, "a.ply", ply.encode(), "glb").notes
    assert "model.glb does not hold the file's vertex colours, vertex property 'quality' and element 'edge'." in said

    stl = bytearray(write(box(), "stl", stem="x")["x.stl"])
    assert not any("hold" in note for note in painted(tmp_path, "b.stl", bytes(stl), "glb").notes)
    struct.pack_into("<H", stl, 84 + 48, 0x801F)
    assert "model.glb does not hold the file's face colours." in painted(tmp_path, "b.stl", bytes(stl), "glb").notes

    buffer = io.BytesIO(write(box(), "3mf", stem="x")["x.3mf"])
    with zipfile.ZipFile(buffer) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    model = parts["3D/3dmodel.model"].decode()
    item = model[model.index("<item") : model.index("</build>")]
    parts["3D/3dmodel.model"] = model.replace(
        item, item + '<item objectid="3" transform="1 0 0 0 1 0 0 0 1 300 0 0"/>'
    ).encode()
    with zipfile.ZipFile(made := io.BytesIO(), "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    said = painted(tmp_path, "c.3mf", made.getvalue(), "glb").notes
    assert "model.glb does not hold the file's 2 objects and their places." in said


def test_materials_of_a_glb_are_named_in_the_obj(tmp_path: Path) -> None:
    from manymesh.mesh.formats.glb import split_glb, write_glb
    from manymesh.mesh.formats.gltf import pack_glb

    document, binary = split_glb(write_glb(box()))
    (primitive,) = document["meshes"][0]["primitives"]
    document["meshes"][0]["primitives"].append({**primitive, "material": 1})
    document["accessors"][primitive["indices"]]["count"] = 18
    document["accessors"].append({**document["accessors"][primitive["indices"]], "byteOffset": 36})
    document["meshes"][0]["primitives"][1]["indices"] = len(document["accessors"]) - 1
    document["materials"] = [{"name": "Old wood"}, {"name": "Eisen ü"}]
    made = painted(tmp_path, "two.glb", pack_glb(document, binary), "obj")
    assert lines_of(made, "usemtl") == ["usemtl Old_wood", "usemtl Eisen_ü"]
    assert lines_of(made, "newmtl", "model.mtl") == ["newmtl Old_wood", "newmtl Eisen_ü"]
