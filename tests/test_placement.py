"""The size, unit and up axis of what is written: known numbers in every format, and a line that says them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mesh_samples import box
from PIL import Image

import manymesh
from manymesh.errors import UsageError
from manymesh.mesh.formats.glb import split_glb, write_glb
from manymesh.mesh.formats.gltf import Gltf
from manymesh.mesh.formats.gltf_scale import scaled
from manymesh.mesh.formats.gltf_scene import read_scene
from manymesh.mesh.formats.placement import Placement, sentence
from manymesh.mesh.formats.verify import verify
from manymesh.mesh.formats.write import write
from manymesh.paint_mesh import PaintedFile, paint_file
from manymesh.settings import Settings, build_settings
from manymesh.types import Mesh
from manymesh.units import parse_length

EVERY = ["glb", "obj", "stl", "ply", "3mf"]


def shown(data: bytes, kind: str) -> np.ndarray:
    """(2, 3) bounds of a file as another reader shows it, in the file's numbers."""
    import trimesh

    return np.asarray(trimesh.load_scene(io.BytesIO(data), file_type=kind).bounds)


def tall() -> Mesh:
    """2 high, 1 wide, 0.5 deep, in the canonical frame."""
    return Mesh(box().vertices * np.float32([0.5, 1, 0.25]), box().faces)


@pytest.mark.parametrize(
    ("text", "length_m"),
    [
        ("0.09", 0.09),
        ("9cm", 0.09),
        ("90 mm", 0.09),
        ("3in", 0.0762),
        (".5M", 0.5),
        ("2 ft", 0.6096),
        ("3 inches", 0.0762),
        ("3 Feet", 0.9144),
        ("1.5\u03bcm", 1.5e-6),
        ("1.5 \u00b5m", 1.5e-6),
    ],
)  # fmt: skip
def test_lengths_are_understood_as_people_write_them(text: str, length_m: float) -> None:
    assert parse_length(text) == pytest.approx(length_m, rel=1e-12)


@pytest.mark.parametrize("text", ["", "cm", "-1", "0", "9 parsec", "nan", "inf", "1e9", "9cm 3mm", "200km"])
def test_what_is_no_length_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"size: .*(9cm|micron)"):
        build_settings({"sizes": [text]})


def test_one_length_is_taken_and_no_second() -> None:
    assert build_settings({"sizes": ["9cm"]}).size_m == pytest.approx(0.09)
    assert Settings().size_m is None
    with pytest.raises(UsageError, match="one length"):
        build_settings({"sizes": ["9cm", "8cm"]})


@pytest.mark.parametrize(
    ("kind", "height", "axis"),
    [("glb", 0.09, 1), ("obj", 0.09, 2), ("ply", 0.09, 2), ("stl", 90.0, 2), ("3mf", 90.0, 2)],
)
def test_a_size_and_z_up_give_every_format_its_known_numbers(kind: str, height: float, axis: int) -> None:
    frame = Placement(0.09, "z").in_file(kind, 2.0)
    files = write(tall(), kind, stem="cup", frame=frame)
    verify(files, tall(), frame)
    size = np.ptp(shown(files[f"cup.{kind}"], kind), axis=0)
    depth = 3 - axis
    assert size[axis] == pytest.approx(height, rel=1e-6)
    assert size[0] == pytest.approx(height / 2, rel=1e-6)
    assert size[depth] == pytest.approx(height / 4, rel=1e-6)


@pytest.mark.parametrize("kind", ["obj", "ply", "stl"])
def test_z_up_turns_front_towards_minus_y_and_normals_with_it(kind: str) -> None:
    nose = Mesh(
        np.concatenate([tall().vertices, np.float32([[0, 0, 0.9]])]),  # a point in front, towards +Z
        np.concatenate([tall().faces, np.int32([[0, 1, 8]])]),
    )
    bounds = shown(write(nose, kind, stem="x", frame=Placement(None, "z").in_file(kind, 2.0))[f"x.{kind}"], kind)
    assert bounds[0, 1] == pytest.approx(-0.9)
    assert bounds[1, 2] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", EVERY)
def test_without_wishes_the_numbers_stay_as_they_were(kind: str) -> None:
    assert write(tall(), kind, stem="x") == write(tall(), kind, stem="x", frame=Placement().in_file(kind, 2.0))
    size = np.ptp(shown(write(tall(), kind, stem="x")[f"x.{kind}"], kind), axis=0)
    assert size.tolist() == pytest.approx([50, 25, 100] if kind == "3mf" else [1, 2, 0.5])


def test_a_mesh_in_the_wrong_frame_is_noticed() -> None:
    from manymesh.errors import ObjectError

    files = write(tall(), "stl", stem="x")
    with pytest.raises(ObjectError, match="other triangles"):
        verify(files, tall(), Placement(0.09).in_file("stl", 2.0))


@pytest.mark.parametrize(
    ("kind", "placement", "words"),
    [
        ("stl", Placement(), "longest side 2, +Y up. STL states neither; slicers take millimetres and +Z up"),
        ("stl", Placement(0.09, "z"), "longest side 90 mm, +Z up."),
        ("obj", Placement(0.09), "longest side 0.09 m, +Y up."),
        ("obj", Placement(), "longest side 2, +Y up. OBJ states neither"),
        ("3mf", Placement(), "longest side 100 mm, +Z up."),
        ("glb", Placement(0.09), "longest side 0.09 m, +Y up."),
    ],
)
def test_a_line_names_size_unit_and_axis(kind: str, placement: Placement, words: str) -> None:
    said = sentence("x", kind, placement.in_file(kind, 2.0), 2.0)
    assert said.startswith(f"x: {words}")
    assert words.endswith("up.") == said.endswith("up.")


def test_scenes_are_scaled_about_the_origin_with_all_that_they_share() -> None:
    document, binary = split_glb(write_glb(box()))
    document["nodes"] = [{"mesh": 0, "translation": [x, 0, 0]} for x in (0, 5, 10)]
    document["scenes"] = [{"nodes": [0, 1]}, {"nodes": [1, 2]}]
    from manymesh.mesh.formats.gltf import pack_glb, parse_gltf

    made = parse_gltf(scaled(pack_glb(document, binary), 0.5))
    parents = [child for node in made.document["nodes"] for child in node.get("children", [])]
    assert sorted(parents) == [0, 1, 2]  # nothing below two nodes
    for scene, low, high in ((0, -0.5, 3.0), (1, 2.0, 5.5)):
        found = read_scene(Gltf({**made.document, "scene": scene}, made.binary), "x").positions
        assert (found[:, 0].min(), found[:, 0].max()) == pytest.approx((low, high))


def picture(folder: Path) -> Path:
    pixels = np.zeros((80, 48, 4), np.uint8)
    pixels[8:-8, 8:-8] = (200, 30, 20, 255)
    Image.fromarray(pixels).save(folder / "photo.png")
    return folder / "photo.png"


def painted(folder: Path, kind: str, **settings: object) -> PaintedFile:
    """``tall`` as a file of a kind (3MF: 60 x 30 x 120 mm), painted, all formats written."""
    frame = Placement(0.12).in_file("3mf", 2.0) if kind == "3mf" else None
    (folder / f"mesh.{kind}").write_bytes(write(tall(), kind, stem="x", frame=frame)[f"x.{kind}"])
    options = Settings(engine="lite", texture_size=64, formats=EVERY, **settings)  # type: ignore[arg-type]
    return paint_file(folder / f"mesh.{kind}", picture(folder), folder / "out", options)


def sizes(made: PaintedFile) -> dict[str, list[float]]:
    """Width, depth and height (in the file's own order of axes) of every file."""
    found = {kind: shown((made.folder / f"model.{kind}").read_bytes(), kind) for kind in ("glb", "stl", "ply", "3mf")}
    lines = (made.folder / "model.obj").read_text().splitlines()
    found["obj"] = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    return {kind: np.ptp(values, axis=0).round(6).tolist() for kind, values in found.items()}


def test_paint_keeps_the_users_own_frame_and_says_it(tmp_path: Path) -> None:
    made = painted(tmp_path, "stl")
    own = [1, 2, 0.5]
    assert sizes(made) == {"glb": own, "obj": own, "stl": own, "ply": own, "3mf": [1, 0.5, 2]}
    assert "model.3mf: longest side 2 mm, +Z up. The mesh states no unit; --size 9cm sets its size." in made.notes
    assert any(note.startswith("model.stl: longest side 2, +Y up. STL states neither") for note in made.notes)
    assert json.loads((made.folder / "paint.json").read_text())["settings"]["sizes"] == []


def test_paint_heeds_the_unit_and_the_axis_of_a_3mf(tmp_path: Path) -> None:
    own = [60, 30, 120]
    found = sizes(painted(tmp_path, "3mf"))
    assert found == {"glb": [0.06, 0.12, 0.03], "obj": own, "stl": own, "ply": own, "3mf": own}


def test_paint_writes_a_copy_of_a_glb_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    made = painted(tmp_path, "glb", sizes=["9cm"], up="z")
    turned = [0.045, 0.0225, 0.09]
    assert sizes(made) == {
        "glb": [0.045, 0.09, 0.0225],
        "obj": turned,
        "ply": turned,
        "stl": [45, 22.5, 90],
        "3mf": [45, 22.5, 90],
    }
    assert {"model.glb: longest side 0.09 m, +Y up.", "model.stl: longest side 90 mm, +Z up."} <= set(made.notes)


@pytest.mark.parametrize("kind", ["stl", "ply", "obj"])
def test_a_mesh_that_lies_with_z_up_is_painted_standing_and_written_with_z_up(tmp_path: Path, kind: str) -> None:
    """As ``tall`` written with +Z up: photo and mesh agree once it stands, and the file's own numbers come back."""
    lying = Placement(None, "z").in_file(kind, 2.0)
    (tmp_path / f"mesh.{kind}").write_bytes(write(tall(), kind, stem="x", frame=lying)[f"x.{kind}"])
    options = Settings(engine="lite", texture_size=64, formats=EVERY)
    with_word, without = (
        paint_file(tmp_path / f"mesh.{kind}", picture(tmp_path), tmp_path / "out", options, mesh_up=up)
        for up in ("z", None)
    )
    assert with_word.details["outline_iou"] > 0.95 > without.details["outline_iou"] + 0.2
    own = [1, 0.5, 2]
    assert sizes(with_word) == {"glb": [1, 2, 0.5], "obj": own, "stl": own, "ply": own, "3mf": own}
    assert sizes(without) == {"glb": own, "obj": own, "stl": own, "ply": own, "3mf": [1, 2, 0.5]}
    if kind == "obj":
        before, after = (
            [line for line in path.read_text().splitlines() if line.startswith("v ")]
            for path in (tmp_path / "mesh.obj", with_word.folder / "model.obj")
        )
        assert after == before
    assert any(note.startswith(f"model.{kind}: longest side 2, +Z up.") for note in with_word.notes)


def test_an_axis_and_another_for_the_output_turn_an_obj_once(tmp_path: Path) -> None:
    lying = Placement(None, "z").in_file("obj", 2.0)
    (tmp_path / "mesh.obj").write_bytes(write(tall(), "obj", stem="x", frame=lying)["x.obj"])
    options = Settings(engine="lite", texture_size=64, formats=("glb", "obj"), up="y")
    made = paint_file(tmp_path / "mesh.obj", picture(tmp_path), tmp_path / "out", options, mesh_up="z")
    lines = (made.folder / "model.obj").read_text().splitlines()
    found = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    assert np.ptp(found, axis=0).tolist() == [1, 2, 0.5]


@pytest.mark.parametrize(("kind", "up"), [("glb", "z"), ("3mf", "y")])
def test_a_file_whose_format_states_its_axis_is_painted_otherwise_and_stays_as_it_is(
    tmp_path: Path, kind: str, up: Any
) -> None:
    frame = Placement(0.12).in_file("3mf", 2.0) if kind == "3mf" else None
    lying = Mesh(tall().vertices[:, [0, 2, 1]] * np.float32([1, -1, 1]), tall().faces)
    (tmp_path / f"mesh.{kind}").write_bytes(write(lying, kind, stem="x", frame=frame)[f"x.{kind}"])
    options = Settings(engine="lite", texture_size=64)
    made = paint_file(tmp_path / f"mesh.{kind}", picture(tmp_path), tmp_path / "out", options, mesh_up=up)
    assert made.details["outline_iou"] > 0.95
    assert any(f"this one was painted with its +{up.upper()} axis up" in note for note in made.notes)
    size = np.ptp(shown((made.folder / "model.glb").read_bytes(), "glb"), axis=0)
    assert size.round(4).tolist() == ([1, 0.5, 2] if kind == "glb" else [0.06, 0.03, 0.12])


def test_make_writes_every_format_at_the_size_and_says_so(tmp_path: Path, photo_path: Path) -> None:
    run = manymesh.make(
        photo_path, out=tmp_path, engine="lite", faces=500, texture_size=64, formats=EVERY, sizes=["90mm"], up="z"
    )
    record = run.objects[0].record
    folder = run.folder / "objects" / record.id
    longest = {
        kind: np.ptp(shown((folder / f"model.{kind}").read_bytes(), kind), axis=0).max()
        for kind in ("glb", "stl", "3mf")
    }
    assert longest == pytest.approx({"glb": 0.09, "stl": 90, "3mf": 90})
    document = json.loads((run.folder / "run.json").read_text())
    assert document["settings"]["sizes"] == ["90mm"]
    assert "STL files: longest side 90 mm, +Z up." in document["warnings"]
    assert "GLB files: longest side 0.09 m, +Y up." in document["warnings"]
    # Later steps still find the mesh in the canonical frame.
    from manymesh.mesh.formats.glb import read_glb

    assert np.ptp(read_glb((folder / "model.glb").read_bytes()).vertices, axis=0).max() == pytest.approx(2.0)
