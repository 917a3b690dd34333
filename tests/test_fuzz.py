"""Damaged files of every kind end in one sentence or are read: no traceback, no hang, no flood of memory."""

from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path

import pytest

from benchmarks import fuzz
from manymesh.errors import InputError
from manymesh.image.load import load_photo
from manymesh.mesh.formats.read import read_mesh


def test_three_hundred_damaged_files_end_in_a_sentence() -> None:
    faults = fuzz.fuzz(300, seed=1)
    assert not faults, "\n".join(f"{fault.kind} {fault.number}: {fault.what}" for fault in faults)


def test_sixty_whole_runs_of_damaged_folders_and_photos_end_in_a_sentence() -> None:
    faults = fuzz.fuzz(60, seed=1, kinds=fuzz.WALKS)
    assert not faults, "\n".join(f"{fault.kind} {fault.number}: {fault.what}" for fault in faults)


def test_a_bug_within_a_run_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import fuzz_runs

    (tmp_path / "x.png").write_bytes(fuzz.seeds()["png"])
    assert fuzz_runs.stage_one(tmp_path, tmp_path / "x.png") == ""
    monkeypatch.setitem(fuzz_runs._WORK, "shape", lambda *given, **more: 1 / 0)
    assert "ZeroDivisionError" in fuzz_runs.stage_one(tmp_path, tmp_path / "x.png")


def test_a_mutant_follows_from_its_seed_and_differs_from_the_file() -> None:
    for kind, data in fuzz.seeds().items():
        made = [fuzz.mutant(data, random.Random(f"1-{kind}-{number}")) for number in range(20)]
        assert made == [fuzz.mutant(data, random.Random(f"1-{kind}-{number}")) for number in range(20)]
        assert sum(one != data for one in made) > 15


def test_the_files_that_are_mutated_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise every mutant would be refused for the same reason, and nothing be tried.
    monkeypatch.setattr(fuzz, "mutant", lambda data, rng: data)
    (tmp_path / "x").mkdir()
    for kind in fuzz.MESHES:
        (tmp_path / f"x.{kind}").write_bytes(fuzz.seeds()[kind])
        assert len(read_mesh(tmp_path / f"x.{kind}").faces) == 4
    for kind in fuzz.PICTURES:
        (tmp_path / f"x.{kind}").write_bytes(fuzz.seeds()[kind])
        assert load_photo(tmp_path / f"x.{kind}")[0].width == 64
    fuzz._read_run(random.Random(0), tmp_path / "x")


def test_a_traceback_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "_read_mesh", lambda *given: 1 / 0)
    assert "ZeroDivisionError" in fuzz.read_one("obj", 0, 0, tmp_path, False)


def test_a_3mf_with_damaged_compression_is_one_sentence(tmp_path: Path) -> None:
    # Every byte of the file in turn: some lie in the compressed parts.
    data = fuzz.seeds()["3mf"]
    path = tmp_path / "x.3mf"
    for place in range(0, len(data), 3):
        path.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
        with contextlib.suppress(InputError):
            read_mesh(path)


def test_a_mesh_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.stl")
    with pytest.raises(InputError, match="pipe"):
        read_mesh(tmp_path / "x.stl")
