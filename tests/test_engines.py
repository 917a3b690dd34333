"""Which engine `auto` takes is decided by what its stages say of this machine; the engines know no model."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from manymesh import engines
from manymesh.engines import choose, stages_of
from manymesh.errors import MissingPieceError
from manymesh.settings import EngineName, Settings
from manymesh.stages import Kind, Stage

ASKED: list[str] = []


def a_stage(kind: Kind, name: str, *, lack: str | None = None, slow: str | None = None, other: str = "") -> Stage:
    def missing(settings: Settings) -> str | None:
        ASKED.append(name)
        return lack

    return Stage(
        name,
        kind,
        "for tests",
        "Apache-2.0",
        lambda settings: nullcontext(),
        missing=missing,
        slow_here=lambda settings: slow,
        instead=lambda settings: other if other and settings.detector.startswith("dino") else None,
    )


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stage]:
    """What `find_stage` gives, by name; every other name is a stage that can run."""
    offered: dict[str, Stage] = {}
    ASKED.clear()
    monkeypatch.setattr(engines, "find_stage", lambda kind, name: offered.get(name) or a_stage(kind, name))
    return offered


def test_auto_takes_the_best_engine_that_lacks_nothing(offered: dict[str, Stage]) -> None:
    plan = choose(Settings())
    assert (plan.engine, plan.reason) == ("hunyuan", "the best that this machine can run, before open and small")
    offered["birefnet"] = a_stage("matte", "birefnet", lack="weights are absent")
    ASKED.clear()
    plan = choose(Settings())
    assert (plan.engine, plan.reason) == (
        "small",
        "the best that this machine can run (not hunyuan: weights are absent; not open: weights are absent)",
    )  # fmt: skip
    assert "hunyuan3d" not in ASKED, "a stage after the first obstacle need not be asked"


def test_auto_does_not_take_an_engine_that_is_slow_here_but_a_person_may(offered: dict[str, Stage]) -> None:
    offered["hunyuan3d"] = a_stage("shape", "hunyuan3d", slow="it takes hours")
    plan = choose(Settings())
    assert (plan.engine, plan.reason.partition(" (")[0]) == ("open", "the best that this machine can run, before small")
    assert "not hunyuan: it takes hours (--engine hunyuan does it all the same)" in plan.reason
    assert choose(Settings(engine="hunyuan")).engine == "hunyuan"


def test_an_engine_that_was_asked_for_says_what_it_lacks(offered: dict[str, Stage]) -> None:
    offered["hunyuan3d"] = a_stage("shape", "hunyuan3d", lack="weights are absent")
    with pytest.raises(MissingPieceError, match="cannot shape here: weights are absent"):
        choose(Settings(engine="hunyuan"))


def test_a_setting_may_ask_for_another_implementation_in_a_stages_place(offered: dict[str, Stage]) -> None:
    offered["qwen3-vl"] = a_stage("detect", "qwen3-vl", other="dino")
    names = {kind: stage.name for kind, stage in stages_of("hunyuan", Settings(detector="dino")).items()}
    assert names == {"detect": "dino", "matte": "birefnet", "shape": "hunyuan3d", "paint": "hunyuan3d-paint"}
    asked = stages_of("hunyuan", Settings(detector="dino", stages=["detect=foreground"]))
    assert asked["detect"].name == "foreground"


def test_the_detector_setting_chooses_between_the_real_detectors() -> None:
    assert stages_of("hunyuan", Settings(detector="dino"))["detect"].name == "dino"
    assert stages_of("hunyuan", Settings(detector="qwen3-vl-4b"))["detect"].name == "qwen3-vl"
    assert stages_of("lite", Settings(detector="dino"))["detect"].name == "foreground"


def test_auto_takes_lite_where_the_networks_of_small_are_not_here_and_says_which_command_brings_them() -> None:
    plan = choose(Settings(prompt="cup"))
    assert plan.engine == "lite"
    assert "not small: the weights owlvit are not here: run 'manymesh models pull small'" in plan.reason


def test_an_engine_that_lacks_one_model_names_the_command_for_all_of_them() -> None:
    with pytest.raises(MissingPieceError, match=r"cannot detect here: .*owlvit are not here.*models pull small'"):
        choose(Settings(engine="small", prompt="cup"))
    with pytest.raises(MissingPieceError, match=r"the weights owlv2 are not here.*models pull owlv2'"):
        choose(Settings(engine="small", prompt="cup", detector="owlv2"))


def test_small_asks_no_names_of_a_user_who_gives_none() -> None:
    names = {kind: stage.name for kind, stage in stages_of("small", Settings()).items()}
    assert (names["detect"], names["matte"], names["paint"]) == ("foreground", "isnet", "photo-and-shape")
    assert stages_of("small", Settings(prompt="cup"))["detect"].name == "owlvit"


def test_every_engine_can_be_asked_for_by_name() -> None:
    assert set(get_args(EngineName)) == {"auto", *engines.ENGINES}


def test_every_engine_is_described_for_people() -> None:
    assert set(engines.ABOUT) == set(engines.ENGINES)
    page = (Path(__file__).resolve().parents[1] / "docs" / "engines.md").read_text("utf-8")
    for name, about in engines.ABOUT.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert about.users in row
        assert about.licence in row


def test_small_asks_the_detector_that_the_user_named() -> None:
    named = {"prompt": "cup"}
    assert stages_of("small", Settings(**named, detector="dino"))["detect"].name == "dino"
    assert stages_of("small", Settings(**named))["detect"].name == "owlvit"
    assert stages_of("small", Settings())["detect"].name == "foreground"


def test_a_texture_is_as_large_as_its_painter_makes_it_unless_somebody_asks_for_another(
    offered: dict[str, Stage],
) -> None:
    offered["hunyuan3d-paint"] = replace(a_stage("paint", "hunyuan3d-paint"), texture_px=2048)
    for engine, asked, made in (("lite", None, 1024), ("hunyuan", None, 2048), ("hunyuan", 1024, 1024)):
        plan = choose(Settings(engine=engine, texture_size=asked))
        assert plan.stage_settings.texture_size == made
        assert plan.settings.texture_size == asked  # another painter makes its own size
    assert engines.find_stage("paint", "photo").texture_px == 1024


def test_the_full_painter_makes_the_official_size() -> None:
    from manymesh.paint.hunyuan import STAGE

    assert STAGE.texture_px == 2048
