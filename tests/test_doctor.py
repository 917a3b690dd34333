"""The doctor says what works worse than it could, and what brings it back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from manymesh.cli.doctor import examine, report
from manymesh.shape.learned import session


def test_a_whole_network_is_no_trouble() -> None:
    assert examine()["trouble"] == []


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_missing_or_damaged_network_is_one_line(harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / session.WEIGHTS.name
    shutil.copy(session.WEIGHTS.with_suffix(".json"), copy.with_suffix(".json"))
    if harm == "damaged":
        copy.write_bytes(session.WEIGHTS.read_bytes()[:-1])
    monkeypatch.setattr(session, "WEIGHTS", copy)
    told = report(examine())
    (line,) = [line for line in told.splitlines() if "lite-shape.onnx" in line]
    assert f"is {harm}" in line
    assert "pip install" in line
    assert "engine lite: ready" in told
