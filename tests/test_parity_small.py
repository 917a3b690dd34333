"""The small parity set in ``tests/parity``, which everybody can run, also where the full set is in use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from parity_path import SMALL_SET, is_small, parity_dir

from manymesh.dev.parity import line_of, rows_of

pytest.importorskip("torch")
pytest.importorskip("transformers")
sys.path.insert(0, str(SMALL_SET))
from make import STACKS, write_detection

# Of all its files together: the set is part of every checkout.
MOST_BYTES = 2_000_000


@pytest.mark.parametrize(("stack", "count"), [("detection", 80), ("paint", 7), ("qwen3vl-tiny", 8)])
def test_every_row_of_the_small_set_passes(stack: str, count: int) -> None:
    rows = list(rows_of(SMALL_SET / stack))
    assert len(rows) >= count
    assert [line_of(row) for row in rows if not row.passed] == []


def test_the_small_set_holds_the_stacks_that_its_script_writes_and_is_small() -> None:
    assert {path.parent.name for path in SMALL_SET.glob("*/manifest.json")} == set(STACKS)
    assert sum(path.stat().st_size for path in SMALL_SET.rglob("*") if path.is_file()) < MOST_BYTES


def test_the_written_replies_are_those_of_the_table(tmp_path: Path) -> None:
    write_detection(tmp_path)
    for name in ("manifest.json", "malformed.jsonl"):
        assert (tmp_path / name).read_bytes() == (SMALL_SET / "detection" / name).read_bytes()


def test_the_small_set_stands_in_for_an_absent_one_unless_ci_demands_the_full_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MANYMESH_REQUIRE_PARITY", raising=False)
    monkeypatch.setenv("MANYMESH_PARITY", str(tmp_path))
    assert is_small(parity_dir("paint"))
    with pytest.raises(pytest.skip.Exception):
        parity_dir("paint", "cameras.safetensors")
    monkeypatch.setenv("MANYMESH_REQUIRE_PARITY", "1")
    with pytest.raises(pytest.fail.Exception):
        parity_dir("paint")
    (tmp_path / "paint").mkdir()
    assert parity_dir("paint") == tmp_path / "paint"
