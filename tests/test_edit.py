"""Changing what was found before the run goes on, on stages that cost nothing."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fakes import Diary
from PIL import Image
from pipeline_fixtures import diary

from manymesh.errors import InputError, UsageError
from manymesh.pipeline import Pipeline
from manymesh.run.edit import (
    ObjectEdit,
    cut_by_hand,
    draft,
    edit_objects,
    keep_draft,
    paint_again,
    parse_edits,
    replace_cutouts,
    with_changes,
)
from manymesh.run.export import as_format, write_archive
from manymesh.run.folder import Run
from manymesh.run.lifecycle import exit_code, redo_from

__all__ = ["diary"]  # a fixture that tests here use


@pytest.fixture
def found(diary: Diary, photo_path: Path, tmp_path: Path) -> Run:
    """Three things found, nothing made yet."""
    return Pipeline().find(photo_path, tmp_path / "runs")


def go_on(run: Run, *edits: ObjectEdit) -> Run:
    return Pipeline().resume(run.folder, change=lambda opened: edit_objects(opened, edits))


def models(run: Run) -> dict[int, bytes]:
    return {r.index: run.read(r.files["model"]) for r in run.manifest.objects if "model" in r.files}


def test_a_left_out_object_is_not_made_and_the_others_are_the_same(found: Run, diary: Diary, tmp_path: Path) -> None:
    whole = models(Pipeline().make([found.folder / "input.png"], tmp_path / "other")[0])
    run = go_on(found, ObjectEdit(index=2, keep=False))
    assert [record.state for record in run.manifest.objects] == ["done", "skipped", "done"]
    assert run.manifest.state == "done"
    assert exit_code([run]) == 0
    assert models(run) == {1: whole[1], 3: whole[3]}


def test_a_left_out_object_can_be_taken_back(found: Run, diary: Diary) -> None:
    go_on(found, ObjectEdit(index=2, keep=False))
    assert Pipeline().resume(found.folder).manifest.objects[1].state == "skipped"
    diary.calls.clear()
    run = go_on(found, ObjectEdit(index=2))
    assert [record.state for record in run.manifest.objects] == ["done"] * 3
    assert diary.calls == ["matte", "shape", "paint"]


def test_a_renamed_object_keeps_its_seed_and_gets_its_own_folder(found: Run) -> None:
    before = found.manifest.objects[0]
    record = go_on(found, ObjectEdit(index=1, label=" red   cup ")).manifest.objects[0]
    assert (record.label, record.id, record.seed, record.box) == ("red cup", "01-red-cup", before.seed, before.box)
    assert sorted(path.name for path in (found.folder / "objects").iterdir()) == [
        "01-red-cup",
        "02-object",
        "03-object",
    ]


def test_renaming_what_is_made_costs_no_work(found: Run, diary: Diary) -> None:
    go_on(found)
    diary.calls.clear()
    run = go_on(found, ObjectEdit(index=1, label="cup"))
    assert diary.calls == []
    assert (run.manifest.objects[0].label, run.manifest.objects[0].id) == ("cup", "01-object")
    assert b'"cup"' in run.read(run.manifest.files["scene"])


def test_an_added_box_becomes_the_next_object(found: Run) -> None:
    run = go_on(found, ObjectEdit(box=(10, 10, 90, 9000), label="vase"))
    record = run.manifest.objects[3]
    assert (record.index, record.id, record.source, record.state) == (4, "04-vase", "user", "done")
    assert record.box == (10, 10, 90, 240)


def test_a_redrawn_box_is_cut_and_made_anew_and_the_others_are_kept(found: Run, diary: Diary) -> None:
    before = go_on(found)
    kept = models(before)
    diary.calls.clear()
    run = go_on(found, ObjectEdit(index=3, box=(220, 20, 300, 200)), ObjectEdit(index=1))
    assert diary.calls == ["matte", "shape", "paint"]
    record = run.manifest.objects[2]
    assert (record.box, record.source, record.score) == ((220, 20, 300, 200), "user", None)
    assert record.seed == before.manifest.objects[2].seed
    assert {1: models(run)[1], 2: models(run)[2]} == {1: kept[1], 2: kept[2]}


@pytest.mark.parametrize(
    "edits",
    [
        [ObjectEdit(index=9)],
        [ObjectEdit(label="no box")],
        [ObjectEdit(box=(5, 5, 5, 9))],
        [ObjectEdit(box=(1000, 5, 1100, 9))],
        [ObjectEdit(index=i, keep=False) for i in (1, 2, 3)],
        [ObjectEdit(box=(1, 1, 9, 9))] * 254,
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_and_changes_nothing(found: Run, edits: list[ObjectEdit]) -> None:
    before = (found.folder / "run.json").read_bytes()
    run = Run.open(found.folder)
    with pytest.raises(UsageError):
        edit_objects(run, [ObjectEdit(index=1, label="other"), *edits] if len(edits) != 3 else edits)
    assert (found.folder / "run.json").read_bytes() == before
    assert [record.label for record in run.manifest.objects] == ["object-01", "object-02", "object-03"]


def test_edits_come_from_plain_data() -> None:
    assert parse_edits([{"index": 1, "box": [1, 2, 3, 4]}]) == [ObjectEdit(index=1, box=(1, 2, 3, 4))]
    for bad in ({"index": 0}, {"box": [1, 2]}, {"colour": "red"}, {"label": "x" * 81}):
        with pytest.raises(UsageError, match="Edit 1"):
            parse_edits([bad])


def test_painting_again_changes_the_paint_alone(found: Run, diary: Diary) -> None:
    before = go_on(found)
    shapes = [before.read(record.files["mesh"]) for record in before.manifest.objects]
    kept = models(before)
    diary.calls.clear()
    run = Pipeline().resume(found.folder, change=lambda opened: paint_again(opened, 2, seed=77))
    assert diary.calls == ["paint"]
    assert [run.read(record.files["mesh"]) for record in run.manifest.objects] == shapes
    again = models(run)
    assert (again[1], again[3]) == (kept[1], kept[3])
    assert again[2] != kept[2]
    assert run.manifest.objects[1].seed == before.manifest.objects[1].seed
    (found.folder / run.manifest.objects[1].files["model"].path).unlink()
    assert models(Pipeline().resume(found.folder))[2] == again[2]


def test_painting_what_has_no_shape_is_refused(found: Run) -> None:
    for index in (1, 9):
        with pytest.raises(UsageError):
            paint_again(Run.open(found.folder), index, seed=1)


def test_everything_comes_in_one_archive_without_the_workings(found: Run) -> None:
    run = go_on(found, ObjectEdit(index=2, keep=False))
    first, second = io.BytesIO(), io.BytesIO()
    write_archive(run, first)
    write_archive(run, second)
    assert first.getvalue() == second.getvalue()
    with zipfile.ZipFile(first) as archive:
        assert archive.testzip() is None
        names = {name.removeprefix(run.folder.name + "/") for name in archive.namelist()}
    expected = {f"objects/{i}-object/{name}" for i in ("01", "03") for name in ("cutout.png", "mesh.glb", "model.glb")}
    assert names == expected | {"input.png", "scene.glb", "sheet.png", "run.json"}


def test_a_glb_download_is_the_models_own_bytes(found: Run) -> None:
    run = go_on(found)
    record = run.manifest.objects[0]
    assert as_format(run, record, "glb") == ("01-object.glb", run.read(record.files["model"]))
    with pytest.raises(UsageError, match="format"):
        as_format(run, record, "fbx")


@pytest.mark.parametrize("name", ["obj", "stl", "ply", "3mf"])
def test_other_formats_come_as_one_file(found: Run, name: str) -> None:
    run = go_on(found)
    file_name, data = as_format(run, run.manifest.objects[0], name)
    assert file_name == ("01-object-obj.zip" if name == "obj" else f"01-object.{name}")
    assert len(data) > 50


def test_a_refused_cutout_leaves_the_others_as_they_are(found: Run, tmp_path: Path) -> None:
    run = Pipeline().resume(found.folder)
    before = {record.index: run.read(record.files["cutout"]) for record in run.manifest.objects}
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    whole = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    whole.paste((255, 0, 0, 255), (8, 8, 32, 32))
    whole.save(tmp_path / "red.png")
    for second in ({99: tmp_path / "red.png"}, {2: tmp_path / "clear.png"}, {2: tmp_path / "none.png"}):
        opened = Run.open(run.folder)
        with pytest.raises((UsageError, InputError)):
            replace_cutouts(opened, {1: tmp_path / "red.png", **second})
        again = Run.open(run.folder)
        assert {record.index: again.read(record.files["cutout"]) for record in again.manifest.objects} == before


def test_renaming_there_and_back_keeps_the_objects_folder(found: Run) -> None:
    label = found.manifest.objects[0].label
    run = go_on(found, ObjectEdit(index=1, label="mug"), ObjectEdit(index=1, label=label))
    assert [record.state for record in run.manifest.objects] == ["done"] * 3


def test_a_label_holds_no_control_characters(found: Run) -> None:
    run = go_on(found, ObjectEdit(index=1, label="red\x1b[31m cup\0"))
    assert run.manifest.objects[0].label == "red[31m cup"


def test_exports_of_an_old_shape_are_not_handed_out(found: Run) -> None:
    run = Pipeline().resume(found.folder)
    record = run.manifest.objects[0]
    run.write("model.stl", b"solid", owner=record, role="model-stl")
    redo_from(record, "shape")
    assert set(record.files) == {"crop", "cutout"}


def changed(run: Run, **changes: object) -> Run:
    return Pipeline().resume(run.folder, settings=with_changes(run.manifest.settings, changes))


def test_another_size_is_that_of_the_models_and_the_old_one_is_not_spoken_of(found: Run, diary: Diary) -> None:
    run = changed(Pipeline().resume(found.folder), sizes=["9cm"])
    small, said = models(run), [text for text in run.manifest.warnings if "GLB" in text]
    diary.calls.clear()
    run = changed(run, sizes=["30cm"])
    large, says = models(run), [text for text in run.manifest.warnings if "GLB" in text]
    assert all(large[index] != small[index] for index in (1, 2, 3))
    assert "shape" not in diary.calls
    assert (len(said), len(says)) == (1, 1)
    assert said != says


def test_another_matte_leaves_a_persons_own_cutouts(found: Run, diary: Diary, tmp_path: Path) -> None:
    run = Pipeline().resume(found.folder)
    window = run.manifest.objects[0].window
    mask = np.zeros((window.height, window.width), np.uint8)
    mask[20:60, 20:40] = 255
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (8, 8, 32, 32))
    picture.save(tmp_path / "red.png")
    cut_by_hand(run, 1, mask)
    replace_cutouts(run, {2: tmp_path / "red.png"})
    run.manifest.objects[0].warnings.append("Said by the shape stage.")
    run.manifest.objects[2].warnings.append("Said by the old matte.")
    run.save()
    own = [run.read(record.files["cutout"]) for record in run.manifest.objects[:2]]
    diary.calls.clear()
    run = changed(run, matte_model="lite", seed=5)
    assert diary.calls.count("matte") == 1
    assert diary.calls.count("shape") == 3
    assert [run.read(record.files["cutout"]) for record in run.manifest.objects[:2]] == own
    said = [record.warnings for record in run.manifest.objects]
    assert said == [["The object was cut out by hand."], ["The cutout was given by the user."], []]
    # A box that is drawn anew is cut out by the matte again.
    diary.calls.clear()
    run = go_on(run, ObjectEdit(index=1, box=(10, 10, 90, 200)))
    assert diary.calls == ["matte", "shape", "paint"]
    assert "own_cutout" not in run.manifest.objects[0].facts


def test_edits_that_are_refused_do_not_cost_those_that_were_kept(found: Run) -> None:
    run = Run.open(found.folder)
    keep_draft(run, [ObjectEdit(index=1, label="cup")])
    with pytest.raises(UsageError):
        edit_objects(run, [ObjectEdit(index=9)])
    assert draft(Run.open(found.folder)) == [{"index": 1, "keep": True, "label": "cup"}]
    edit_objects(run, [ObjectEdit(index=2, label="mug")])
    assert draft(Run.open(found.folder)) == []
