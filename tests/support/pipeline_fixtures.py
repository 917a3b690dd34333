"""Pipelines on fake stages that cost nothing, and one photo to make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import Diary, fake_plan

from manymesh.pipeline import Pipeline
from manymesh.run.folder import Run
from manymesh.settings import Settings

Make = Callable[..., Run]


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    """Makes every pipeline in the test use the fake stages."""
    diary = Diary()
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: fake_plan(diary, settings))
    # Small previews: what they look like is not the pipeline's promise.
    monkeypatch.setattr("manymesh.runner.steps.PREVIEW_PX", 32)
    return diary


@pytest.fixture
def make(photo_path: Path, tmp_path: Path) -> Make:
    def make(**settings: object) -> Run:
        return Pipeline(Settings(**settings)).make([photo_path], tmp_path / "runs")[0]

    return make


def final_bytes(run: Run) -> list[bytes]:
    return [run.read(record.files["model"]) for record in run.manifest.objects]
