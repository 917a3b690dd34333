"""The deep checks of the models that need no torch, and that every row of the catalogue has some."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_triposr import tiny_tensors, write_tiny_model

from manymesh.detect.probe import HEIGHT_PX, SQUARES, WIDTH_PX
from manymesh.weights import deep, locate
from manymesh.weights.catalogue import MODELS, model
from manymesh.weights.deep import Machine, check_model
from manymesh.weights.findings import Finding


def found_in(root: Path, name: str, *, thorough: bool = True) -> dict[str, Finding]:
    found = locate.find(model(name), root)
    assert found.complete, found.absent
    return {finding.check: finding for finding in check_model(model(name), found, Machine(thorough=thorough))}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("one", MODELS, ids=lambda one: one.id)
def test_every_model_of_the_catalogue_has_a_deep_check(one: Any) -> None:
    module, _, name = one.self_check.partition(":")
    try:
        assert callable(getattr(import_module(module), name))
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers", "tokenizers"):  # libraries of the extras
            raise
        pytest.skip(f"{error.name} is not installed")


class TestTriposr:
    """The names and shapes of its pickle's program, its numbers, and a shape made of a drawn ball."""

    def test_a_whole_checkpoint_passes_and_a_drawn_ball_becomes_a_shape(self, tmp_path: Path) -> None:
        write_tiny_model(tmp_path)
        made = found_in(tmp_path, "triposr")
        for check in (deep.TENSORS, deep.VALUES, deep.LOADED, "drawn ball"):
            assert made[check].outcome == "passed", made[check]
        assert made["drawn ball"].numbers["share"] > 0.6

    def test_a_quick_check_makes_no_shape_and_writes_nothing(self, tmp_path: Path) -> None:
        write_tiny_model(tmp_path)
        made = found_in(tmp_path, "triposr", thorough=False)
        assert made[deep.TENSORS].outcome == made[deep.VALUES].outcome == "passed"
        assert made["drawn ball"].outcome == "not possible"
        assert not (tmp_path / "cache").exists()

    @pytest.mark.parametrize(
        ("name", "change", "check", "says"),
        [
            ("decoder.layers.2.bias", None, deep.TENSORS, "'decoder.layers.2.bias' is missing"),
            ("tokenizer.embeddings", lambda value: value[:2], deep.TENSORS, "[2, 32, 8, 8] where [3, 32, 8, 8]"),
            ("backbone.proj_in.weight", lambda value: value * np.nan, deep.VALUES, "'backbone.proj_in.weight'"),
            ("post_processor.upsample.bias", lambda value: value - 60, "drawn ball", "no shape came of it"),
        ],
    )
    def test_each_damage_fails_its_own_check(
        self, tmp_path: Path, name: str, change: Any, check: str, says: str
    ) -> None:
        tensors = tiny_tensors()
        if change is None:
            del tensors[name]
        else:
            tensors[name] = np.ascontiguousarray(change(tensors[name]))
        write_tiny_model(tmp_path, tensors)
        finding = found_in(tmp_path, "triposr")[check]
        assert finding.outcome == "failed"
        assert says in finding.sentence

    def test_a_copy_with_other_numbers_than_the_file_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from manymesh.shape.triposr import self_check

        real = self_check.load_arrays

        def changed(*given: Any) -> dict[str, Any]:
            arrays = dict(real(*given))
            arrays["backbone.proj_in.weight"] = arrays["backbone.proj_in.weight"] * 2
            return arrays

        write_tiny_model(tmp_path)
        monkeypatch.setattr(self_check, "load_arrays", changed)
        finding = found_in(tmp_path, "triposr")[deep.LOADED]
        assert finding.outcome == "failed"
        assert "'backbone.proj_in.weight'" in finding.sentence


class TestOnnxMattes:
    """What the file reports, and a drawn ball."""

    @pytest.fixture(params=["isnet", "birefnet-lite-onnx"])
    def name(self, request: pytest.FixtureRequest) -> str:
        pytest.importorskip("onnx")
        return str(request.param)

    def test_a_network_that_sees_colours_cuts_the_ball_out(self, tmp_path: Path, name: str) -> None:
        from tiny_matte import save_matte as save

        save(tmp_path, name)
        made = found_in(tmp_path, name)
        assert made[deep.GRAPH].outcome == "passed"
        assert "takes 'picture' any x 3 x 64 x 64" in made[deep.GRAPH].sentence
        assert made["drawn ball"].outcome == "passed", made["drawn ball"]
        assert found_in(tmp_path, name, thorough=False)["drawn ball"].outcome == "not possible"

    def test_a_network_that_sees_nothing_fails(self, tmp_path: Path, name: str) -> None:
        from tiny_matte import save_matte as save

        save(tmp_path, name, gain=0.0)
        assert found_in(tmp_path, name)["drawn ball"].outcome == "failed"

    def test_a_damaged_file_fails_without_a_traceback(self, tmp_path: Path, name: str) -> None:
        from tiny_matte import FILES
        from tiny_matte import save_matte as save

        save(tmp_path, name)
        path = tmp_path / name / FILES[name]
        path.write_bytes(path.read_bytes()[:200])
        made = found_in(tmp_path, name)
        assert made[deep.GRAPH].outcome == "failed"
        assert "cannot be opened" in made[deep.GRAPH].sentence
        assert "drawn ball" not in made


class TestOwlvit:
    """What the file reports, and two drawn squares."""

    @pytest.fixture
    def save(self) -> Any:
        pytest.importorskip("onnx")
        pytest.importorskip("tokenizers")
        from tiny_owlvit import save_answering

        return save_answering

    def answers(self, narrow: bool = False) -> tuple[list[list[float]], list[list[float]]]:
        boxes = []
        for box in SQUARES.values():
            width = 0.004 if narrow else (box.x1 - box.x0) / WIDTH_PX
            middle = ((box.x0 + box.x1) / 2 / WIDTH_PX, (box.y0 + box.y1) / 2 / HEIGHT_PX)
            boxes.append([*middle, width, (box.y1 - box.y0) / HEIGHT_PX])
        return boxes, [[4.0, -9.0], [-9.0, 4.0]]

    def test_one_that_finds_the_squares_passes(self, tmp_path: Path, save: Any) -> None:
        save(tmp_path / "owlvit", *self.answers())
        made = found_in(tmp_path, "owlvit")
        assert made[deep.GRAPH].outcome == "passed"
        assert "'pixel_values' any x 3 x 64 x 64" in made[deep.GRAPH].sentence
        assert [f.outcome for check, f in made.items() if "square" in check] == ["passed", "passed"]
        assert found_in(tmp_path, "owlvit", thorough=False)[deep.SQUARES].outcome == "not possible"

    def test_boxes_a_few_pixels_wide_fail(self, tmp_path: Path, save: Any) -> None:
        save(tmp_path / "owlvit", *self.answers(narrow=True))
        assert "failed" in {f.outcome for check, f in found_in(tmp_path, "owlvit").items() if "square" in check}

    def test_numbers_that_are_not_finite_fail(self, tmp_path: Path, save: Any) -> None:
        boxes, logits = self.answers()
        save(tmp_path / "owlvit", boxes, [[float("nan"), 0.0], logits[1]])
        finding = found_in(tmp_path, "owlvit")[deep.SQUARES]
        assert finding.outcome == "failed"
        assert "not finite" in finding.sentence

    def test_another_conversion_and_a_foreign_sizing_fail(self, tmp_path: Path, save: Any) -> None:
        save(tmp_path / "owlvit", *self.answers(), names={"pred_boxes": "boxes_of_it"})
        assert "'pred_boxes'" in found_in(tmp_path, "owlvit")[deep.GRAPH].sentence
        save(tmp_path / "owlvit", *self.answers())
        sizing = tmp_path / "owlvit" / "preprocessor_config.json"
        sizing.write_text(json.dumps({"size": {"height": -1, "width": 3}}), "utf-8")
        assert found_in(tmp_path, "owlvit")[deep.GRAPH].outcome == "failed"
