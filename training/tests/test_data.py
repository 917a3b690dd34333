"""The data that the lite shape network learns from, and the figures that judge it."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manymesh.types import Mesh
from training import gather
from training.align import aligned
from training.catalogue import entries, licence_of, properties, strictest
from training.draw import draw
from training.hull import hull, inside, visible
from training.measure import POINTS, Surface, boxed, measure, novel_iou, spread, surface_figures, truth_of
from training.pack import load, save
from training.polygons import triangulated
from training.shapes import Part, Shape, assemble
from training.sources import webxr
from training.sources.dm_control import skin_model
from training.split import held_out
from training.tidy import FACES_LIMIT, UnfitError, shape_of
from training.views import FILL, question
from training.wavefront import Material, Model, read_obj

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
FEW_STARTS = {"align.YAWS": 8, "align.TILTS_DEG": (0.0,)}
"""Fewer turns to begin the alignment from, where it is not what is tested."""
QUADS = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))


def cube_obj(scale: tuple[float, float, float] = (1, 1, 1), material: str = "paint") -> str:
    lines = ["mtllib thing.mtl", *(f"v {x * scale[0]} {y * scale[1]} {z * scale[2]}" for x, y, z in CUBE)]
    lines += ["vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1", f"usemtl {material}"]
    return "\n".join([*lines, *("f " + " ".join(f"{v}/{k + 1}" for k, v in enumerate(quad)) for quad in QUADS)])


MTL = "newmtl paint\nKd 1 0.5 0\nnewmtl cloth\nKd 1 1 1\nmap_Kd cloth.png\nnewmtl leaf\nmap_Kd leaf.png\n"


def png(rgba: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG")
    return buffer.getvalue()


def archive(folder: Path, name: str, licence: str, models: dict[str, str], extra: str = "") -> Path:
    """A small .sh3f of OBJ texts by folder name."""
    halves = np.zeros((8, 8, 4), np.uint8)
    halves[:, :4] = 255, 0, 0, 255
    halves[:, 4:] = 0, 0, 255, 255
    holed = halves.copy()
    holed[:, 4:, 3] = 0
    path = folder / name
    with zipfile.ZipFile(path, "w") as stored:
        catalogue = ["id=test"]
        for number, (title, text) in enumerate(models.items(), 1):
            catalogue += [f"model#{number}=/set/{title}/{title}.obj", f"name#{number}={title}", f"creator#{number}=Ana"]
            stored.writestr(f"set/{title}/{title}.obj", text)
            stored.writestr(f"set/{title}/thing.mtl", MTL)
            stored.writestr(f"set/{title}/cloth.png", png(halves))
            stored.writestr(f"set/{title}/leaf.png", png(holed))
        stored.writestr("PluginFurnitureCatalog.properties", "\n".join([*catalogue, extra]))
        stored.writestr("LICENSE.TXT", licence)
    return path


def box(name: str = "own/box", sides: tuple[float, float, float] = (1.0, 0.6, 0.4)) -> Shape:
    faces = np.array([[q[0] - 1, q[k] - 1, q[k + 1] - 1] for q in QUADS for k in (1, 2)])
    return assemble(name, "own", [Part(CUBE * sides, faces)])


def textured(name: str = "set/cloth") -> Shape:
    rng = np.random.default_rng(3)
    plain = box(name)
    count = len(plain.faces)
    texture = np.where(np.arange(count) < 5, 0, -1).astype(np.int16)
    uv = np.where(texture[:, None, None] == 0, rng.random((count, 3, 2)) * 3, 0).astype(np.float32)
    picture = np.full((16, 20, 3), (200, 40, 90), np.uint8)
    return Shape(
        name,
        "furniture",
        plain.vertices,
        plain.faces,
        plain.colors,
        plain.group,
        texture,
        uv,
        (picture,),
        "CC0-1.0",
        False,
    )


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Creative Commons Zero (Public Domain)", "CC0-1.0"),
        ("http://creativecommons.org/licenses/by/3.0/ you must attribute", "CC-BY-3.0"),
        ("Creative Commons Attribution 3.0 United States", "CC-BY-3.0-US"),
        ("Creative Commons Attribution-ShareAlike 3.0", "restricted"),
        ("CC-BY-SA 4.0", "restricted"),
        ("CC-BY-NC", "restricted"),
        ("GNU General Public License", "restricted"),
        ("all rights reserved", ""),
    ],
)
def test_licence_texts_are_told_apart(text: str, licence: str) -> None:
    assert licence_of(text) == licence


def test_the_strictest_text_counts_and_an_unknown_one_shuts_the_model_out() -> None:
    assert strictest(["CC0-1.0", "CC-BY-3.0"]) == "CC-BY-3.0"
    assert strictest(["CC0-1.0", "restricted"]) == "restricted"
    assert strictest(["CC0-1.0", ""]) == ""


def test_properties_understand_escapes() -> None:
    assert properties(b"# no\nname#1=Caf\\u00e9 \\: bar\n") == {"name#1": "Café : bar"}


def test_only_free_models_that_are_not_reserved_are_gathered(tmp_path: Path) -> None:
    archive(tmp_path, "Free.sh3f", "Creative Commons Attribution 3.0", {"a": cube_obj(), "b": cube_obj((1, 2, 1))})
    archive(tmp_path, "Bound.sh3f", "Creative Commons Attribution-ShareAlike", {"c": cube_obj((1, 3, 1))})
    reserved = tmp_path / "reserved.txt"
    reserved.write_text("# note\nFREE.sh3f:/set/b/b.obj\nsomething else: x\n")
    chosen = gather.chosen(sorted(tmp_path.glob("*.sh3f")), reserved)
    assert [entry.key for entry in chosen] == ["Free.sh3f:set/a/a.obj"]
    assert (chosen[0].creator, chosen[0].licence) == ("Ana", "CC-BY-3.0")


def test_gathering_refuses_a_reserved_line_that_matches_nothing(tmp_path: Path) -> None:
    archive(tmp_path, "Free.sh3f", "public domain", {"a": cube_obj()})
    reserved = tmp_path / "reserved.txt"
    reserved.write_text("Free.sh3f:set/gone/gone.obj\n")
    with pytest.raises(gather.RefusedError, match="gone"):
        gather.chosen(sorted(tmp_path.glob("*.sh3f")), reserved)


def test_a_copy_of_a_reserved_model_stays_out_too(tmp_path: Path) -> None:
    models = {"secret": cube_obj((1, 2, 3)), "twin": cube_obj((2, 4, 6)), "other": cube_obj()}
    archive(tmp_path, "Free.sh3f", "public domain", models)
    reserved = tmp_path / "reserved.txt"
    reserved.write_text("Free.sh3f:set/secret/secret.obj\n")
    found = {result.entry.name: result for result in gather.gathered([tmp_path / "Free.sh3f"], reserved)}
    assert set(found) == {"set/twin", "set/other"}
    assert found["set/twin"].shape is None
    assert found["set/other"].shape is not None


def test_the_command_writes_a_pack_and_says_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(tmp_path, "Free.sh3f", "public domain", {"a": cube_obj(), "leafy": cube_obj(material="leaf")})
    (tmp_path / "reserved.txt").write_text("")
    out, credit = tmp_path / "deep" / "x.pack", tmp_path / "credit.md"
    arguments = ["--archives", str(tmp_path), "--reserved", str(tmp_path / "reserved.txt"), "--out", str(out)]
    assert gather.main([*arguments, "--attribution", str(credit)]) == 0
    assert [shape.name for shape in load(out)] == ["set/a"]
    assert "cut-out pictures" in capsys.readouterr().out
    assert "**Ana**, [CC0-1.0]" in credit.read_text()
    assert "leafy" not in credit.read_text()


def test_a_model_without_its_package_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gather.main(["--archives", str(tmp_path)]) == 2
    assert "apt-get install sweethome3d-furniture" in capsys.readouterr().err


def test_the_catalogues_rotation_stands_models_up(tmp_path: Path) -> None:
    turned = "modelRotation#1=1 0 0 0 0 1 0 -1 0"  # +Z up in the file
    path = archive(tmp_path, "Free.sh3f", "public domain", {"tower": cube_obj((1, 0.5, 4))}, turned)
    with zipfile.ZipFile(path) as stored:
        entry = entries(path)[0]
        shape = shape_of(read_obj(entry.path, stored.read), entry.name, entry.licence, entry.rotation)
    np.testing.assert_allclose(np.ptp(shape.vertices, axis=0), [0.25, 1, 0.125], atol=1e-6)


def test_colours_come_from_materials_and_pictures(tmp_path: Path) -> None:
    path = archive(tmp_path, "F.sh3f", "cc0", {"a": cube_obj(), "b": cube_obj(material="cloth")})
    with zipfile.ZipFile(path) as stored:
        plain, cloth = (
            shape_of(read_obj(f"set/{name}/{name}.obj", stored.read), name, "CC0-1.0", np.eye(3)) for name in "ab"
        )
    assert plain.texture is None
    assert np.unique(plain.colors, axis=0).tolist() == [[245, 128, 0]]
    assert cloth.texture is not None
    assert (cloth.texture == 0).all()
    assert cloth.textures[0].shape == (8, 8, 3)
    assert cloth.colors[:, 1].max() < 5  # red and blue alone


def test_needles_and_sheets_are_unfit() -> None:
    for scale, reason in (((0.01, 1, 0.01), "needle"), ((1, 1, 0.001), "sheet")):
        model = read_obj("x.obj", {"x.obj": cube_obj(scale).encode()}.__getitem__)
        with pytest.raises(UnfitError, match=reason):
            shape_of(model, "x", "CC0-1.0", np.eye(3))


def test_large_models_are_reduced_with_their_colours() -> None:
    side = 80
    axis = np.linspace(0, 1, side)
    across, down = np.meshgrid(axis, axis, indexing="ij")
    height = 0.3 * np.sin(3 * across) * np.cos(4 * down)
    vertices = np.stack([across, height, down], axis=-1).reshape(-1, 3)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1)
    faces = np.concatenate(
        [np.stack([corner, corner + 1, corner + side], 1), np.stack([corner + 1, corner + side + 1, corner + side], 1)]
    )
    red = vertices[faces].mean(1)[:, 0] < 0.5
    model = Model(
        vertices,
        faces,
        np.zeros((len(faces), 3, 2)),
        red.astype(np.int64),
        [Material((0, 0, 200)), Material((200, 0, 0))],
    )
    shape = shape_of(model, "hill", "CC0-1.0", np.eye(3))
    assert len(faces) > FACES_LIMIT > len(shape.faces) > 1000
    left = shape.vertices[shape.faces].mean(1)[:, 0] < -0.02
    assert (shape.colors[left, 0] == 200).mean() > 0.98
    assert shape.texture is None


def test_concave_polygons_keep_their_area() -> None:
    outline = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0], [2, 1, 0], [0, 4, 0]], float)
    arrow = np.array([[0, 0, 5], [2, 1, 5], [4, 0, 5], [2, 4, 5]], float)
    points = np.concatenate([outline, arrow])
    faces, places, materials = triangulated(points, [([0, 1, 2, 3, 4], [0] * 5, 1), ([5, 6, 7, 8], [2] * 4, 0)])
    corners = points[faces]
    area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2
    assert (area > 0).all()
    assert area[:3].sum() == pytest.approx(10)
    assert area[3:].sum() == pytest.approx(6)
    assert materials.tolist() == [1, 1, 1, 0, 0]
    assert places[3:].tolist() == [[2, 2, 2]] * 2


def test_a_pack_gives_back_what_was_saved(tmp_path: Path) -> None:
    shapes = [box(), textured(), textured("set/again"), box("own/flat", (3.0, 0.1, 1.0))]
    save(tmp_path / "a.pack", shapes)
    save(tmp_path / "b.pack", shapes)
    assert (tmp_path / "a.pack").read_bytes() == (tmp_path / "b.pack").read_bytes()
    for before, after in zip(shapes, load(tmp_path / "a.pack"), strict=True):
        assert (after.name, after.family, after.licence) == (before.name, before.family, before.licence)
        assert after.front_known == before.front_known
        np.testing.assert_allclose(after.vertices, before.vertices, atol=1 / 65_000)
        assert after.vertices.dtype == np.float32
        np.testing.assert_array_equal(after.faces, before.faces)
        np.testing.assert_array_equal(after.colors, before.colors)
        np.testing.assert_array_equal(after.group, before.group)
        assert (after.texture is None) == (before.texture is None)
        if before.texture is not None and before.uv is not None and after.uv is not None:
            np.testing.assert_array_equal(after.texture, before.texture)
            np.testing.assert_allclose(after.uv, before.uv, atol=1 / 8000)
            assert np.abs(after.textures[0].astype(int) - before.textures[0]).max() < 12


def test_an_empty_pack_and_a_foreign_file(tmp_path: Path) -> None:
    save(tmp_path / "none.pack", [])
    assert load(tmp_path / "none.pack") == []
    (tmp_path / "x").write_bytes(b"something else")
    with pytest.raises(ValueError, match="no pack"):
        load(tmp_path / "x")


def test_the_split_goes_by_name_and_number() -> None:
    assert held_out("animals/1000003")
    assert not held_out("animals/000003")
    share = np.mean([held_out(f"set/thing{k}") for k in range(4000)])
    assert 0.05 < share < 0.09


def test_mujoco_skins_are_read() -> None:
    index = np.array([[q[0] - 1, q[1] - 1, q[2] - 1] for q in QUADS], np.int32)
    data = np.array([8, 0, 6, 1], "<i4").tobytes() + CUBE.astype("<f4").tobytes() + index.tobytes() + b"bones"
    model = skin_model(data, Material())
    np.testing.assert_allclose(model.vertices, CUBE)
    np.testing.assert_array_equal(model.faces, index)


def test_hidden_faces_are_not_visible_and_the_inside_is_solid() -> None:
    shell = box("own/shell", (1.0, 1.0, 1.0))
    inner = Part(shell.vertices * 0.5, shell.faces)
    both = assemble("own/both", "own", [Part(shell.vertices, shell.faces), inner])
    eyes = hull(both.vertices, both.faces)
    deep, outer = np.array([[0.25, 0.0, 0.0], [0, 0.25, 0.1]]), np.array([[0.5, 0.0, 0.0], [0.1, 0.5, 0.2]])
    assert not visible(eyes, deep).any()
    assert visible(eyes, outer).all()
    assert inside(eyes, np.array([[0, 0, 0], [0.45, 0.45, 0.45], [0.1, -0.4, 0.3]])).all()
    assert not inside(eyes, np.array([[0.6, 0, 0], [0.55, 0.55, 0.1], [3.0, 0, 0]])).any()


def test_equal_meshes_score_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, few in FEW_STARTS.items():
        monkeypatch.setattr(f"training.{setting}", few)
    shape = box()
    figures = measure(truth_of(shape), Mesh(shape.vertices * 3 + 1, shape.faces))
    for key in ("as_is", "aligned"):
        assert figures[key]["f_0.02"] > 0.995
        assert figures[key]["volume_iou"] > 0.97
        assert figures[key]["novel_iou"] > 0.98
        assert figures[key]["normals"] > 0.95
    assert figures["watertight"]
    assert figures["faces"] == 12


def test_a_shifted_plane_scores_by_its_distance() -> None:
    rng = np.random.default_rng(0)
    flat = np.column_stack([rng.random((POINTS, 2)), np.zeros(POINTS)])
    normals = np.tile([0.0, 0, 1], (POINTS, 1))
    figures = surface_figures(Surface(flat, normals), Surface(flat + np.array([0, 0, 0.04]), normals))
    assert figures["f_0.02"] == 0
    assert figures["f_0.05"] == 1
    assert figures["chamfer_l1"] == pytest.approx(0.04, abs=1e-3)
    assert figures["normals"] == pytest.approx(1)


def test_alignment_recovers_a_turn_a_scale_and_a_shift() -> None:
    leg = Part(CUBE * (0.2, 0.9, 0.2) + (0, -0.9, 0), box().faces)
    chair = assemble("own/chair", "own", [Part(CUBE * (1, 0.2, 0.7), box().faces), leg])
    vertices = boxed(chair.vertices, chair.faces)
    truth = spread(vertices, chair.faces, 4000, np.random.default_rng(0)).points
    angle = np.radians(130)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    other = spread(vertices, chair.faces, 4000, np.random.default_rng(1)).points @ turn.T * 0.6 + [0.1, 0.2, -0.3]
    matrix = aligned(other, truth)
    np.testing.assert_allclose(matrix[:3, :3], turn.T / 0.6, atol=0.03)


def test_silhouettes_of_unlike_things_differ() -> None:
    shape, slim = box(), box("own/slim", (0.2, 1.0, 0.2))
    assert novel_iou(shape.vertices, shape.faces, shape.vertices, shape.faces) == 1
    assert novel_iou(shape.vertices, shape.faces, slim.vertices, slim.faces) < 0.5


def test_questions_fill_the_picture_and_repeat() -> None:
    shape = textured()
    asked, again, other = question(shape, 0), question(shape, 0), question(shape, 1)
    np.testing.assert_array_equal(asked.cutout.rgba, again.cutout.rgba)
    assert asked.azimuth_deg != other.azimuth_deg
    assert 5 <= asked.elevation_deg <= 30
    rows, columns = np.nonzero(asked.cutout.rgba[..., 3] > 127)
    extent = max(np.abs(rows - 255.5).max(), np.abs(columns - 255.5).max()) / 256
    assert extent == pytest.approx(FILL, abs=0.02)


def test_pictures_show_colours_and_textures() -> None:
    red = (200, 40, 90)
    shape = textured()
    picture = draw(shape, question(shape, 0).camera, 64)
    seen = picture[picture[..., 3] == 255][:, :3].astype(float)
    hue = seen[:, 0] / np.maximum(seen[:, 1], 1)
    assert (hue > red[0] / red[1] * 0.6).any()
    assert (np.abs(hue - 1) < 0.1).any()


def test_evaluation_asks_measures_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import evaluate

    sizes = {"views.SIDE_PX": 96, "measure.LIGHT_FACES": 1500, "answers.CELL_PX": 48, "measure.POINTS": 5000}
    for setting, small in (sizes | {"measure.CELLS": 32, **FEW_STARTS}).items():
        monkeypatch.setattr(f"training.{setting}", small)
    names = [f"set/thing{k}" for k in range(60)]
    kept, trained = (next(name for name in names if held_out(name) is wanted) for wanted in (True, False))
    save(tmp_path / "x.pack", [box(trained), box(kept)])
    files = {"--shapes": tmp_path / "x.pack", "--json": tmp_path / "x.json", "--sheet": tmp_path / "x.png"}
    assert evaluate.main([str(word) for pair in files.items() for word in pair]) == 0
    (row,) = json.loads((tmp_path / "x.json").read_text())
    assert row["name"] == kept
    assert row["front_silhouette"] > 0.95
    assert row["aligned"]["f_0.05"] > 0.4
    assert row["watertight"]
    assert "| all | 1 |" in capsys.readouterr().out
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.width == 2 * (6 * 48 + 12)


def test_controllers_are_read_from_their_package(tmp_path: Path) -> None:
    import trimesh

    data = trimesh.creation.box((1, 2, 3)).export(file_type="glb")
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as stored:
        for place in ("maker/left", "maker/right", "generic-trigger/right"):
            entry = tarfile.TarInfo(f"package/dist/profiles/{place}.glb")
            entry.size = len(data)
            stored.addfile(entry, io.BytesIO(data))
    (found,) = webxr.models(tmp_path / "a.tgz")
    assert (found.name, found.licence, found.front_known) == ("webxr/maker", "MIT", False)
    np.testing.assert_allclose(np.ptp(found.model.vertices, axis=0), [1, 2, 3])
    assert len(found.model.faces) == 12
