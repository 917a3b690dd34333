"""The page docs/adding-an-engine.md is followed to the letter: its code is what runs here."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import trimesh

from manymesh import engines
from manymesh.pipeline import Pipeline
from manymesh.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "adding-an-engine.md"


def test_the_pages_engine_makes_a_photo(photo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    implementation, rows = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    module = types.ModuleType("manymesh.shape.box")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(implementation, str(PAGE), "exec"), module.__dict__)  # the page's own code, from this checkout
    tables = {"BUILTIN": {kind: dict(names) for kind, names in engines.BUILTIN.items()}}
    tables["ENGINES"] = {name: dict(stages) for name, stages in engines.ENGINES.items()}
    exec(compile(rows, str(PAGE), "exec"), tables)
    for name in ("BUILTIN", "ENGINES"):
        monkeypatch.setattr(engines, name, tables[name])

    stages = tuple(f"{kind}={name}" for kind, name in tables["ENGINES"]["box"].items())
    settings = Settings(engine="lite", stages=stages, texture_size=64)
    (run,) = Pipeline(settings).make([photo_path], tmp_path / "runs")

    assert run.manifest.state == "done", [record.error for record in run.manifest.objects]
    assert run.manifest.implementations["shape"] == "box"
    for record in run.manifest.objects:
        model = trimesh.load(run.folder / record.files["model"].path, force="mesh", process=True)
        assert np.isclose(np.abs(model.bounds).max(), 1.0)
        assert record.facts["faces"] == 12
        assert record.facts["watertight"] is True
