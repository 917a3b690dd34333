from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from manymesh.dev.parity import main, rows_of
from manymesh.dev.parity_common import Row, checked, compare


def test_equal_within_the_tolerance_passes_and_beyond_it_fails() -> None:
    assert compare("x", [1.0, 2.0], [1.0, 2.1], 0.2) == Row(
        "x", pytest.approx(0.1), pytest.approx(0.1 / 2.1), 0.2, True
    )
    assert not compare("x", [1.0, 2.0], [1.0, 2.1], 0.05).passed
    assert compare("x", [True, False], [True, False], 0.0).passed


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_never_passes(bad: float) -> None:
    assert not compare("x", [bad], [0.0], 1e9).passed
    assert not compare("x", [bad], [bad], 1e9).passed


def test_another_shape_fails() -> None:
    row = compare("x", np.zeros((2, 3)), np.zeros((3, 2)), 1.0)
    assert (row.passed, row.note) == (False, "shape (2, 3) where (3, 2) was expected")


def test_an_exception_and_silence_are_failures() -> None:
    def broken() -> list[Row]:
        raise KeyError("weights")

    assert [row.passed for row in checked("x", broken)] == [False]
    assert [row.note for row in checked("x", lambda: [])] == ["compared nothing"]


UNKNOWN = [None, "no json", {"stack": "astrology"}, {"stack": "detection", "fixtures": [{"id": "x"}]}, {"fixtures": []}]


@pytest.mark.parametrize("manifest", UNKNOWN)
def test_a_folder_that_is_not_understood_fails(tmp_path: Path, manifest, capsys) -> None:
    if manifest is not None:
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        (tmp_path / "manifest.json").write_text(text, "utf-8")
    assert [row.passed for row in rows_of(tmp_path)] == [False]
    assert main([str(tmp_path)]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_a_right_and_a_wrong_reply_are_told_apart(tmp_path: Path, capsys) -> None:
    case = {"id": "a", "image_size": [100, 100], "categories": ["cup"], "reply": "[100, 100, 500, 500]"}
    right = case | {"expected": [{"label": "cup", "box": [10, 10, 50, 50]}]}
    wrong = case | {"id": "b", "expected": [{"label": "cup", "box": [10, 10, 50, 52]}]}
    near = wrong | {"id": "c", "tolerance_px": 2}
    either = wrong | {"id": "d", "alternatives": [right["expected"]]}
    (tmp_path / "r.jsonl").write_text("\n".join(json.dumps(c) for c in (right, wrong, near, either)), "utf-8")
    manifest = {"stack": "detection", "fixtures": [{"id": "r", "file": "r.jsonl"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert {row.name: row.passed for row in rows_of(tmp_path)} == {"a": True, "b": False, "c": True, "d": True}
    assert main([str(tmp_path)]) == 1
    assert "3 of 4 pass" in capsys.readouterr().out


def test_without_a_folder_it_says_how_to_call_it(capsys) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
