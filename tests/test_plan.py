"""The planner decides from data alone: which level each stage takes, and what is refused before anything is loaded."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fakes import Diary, fake_plan
from pipeline_fixtures import Make, diary, make
from typer.testing import CliRunner

from manymesh.cli.app import app
from manymesh.engines import stages_of
from manymesh.errors import DoesNotFitError, UsageError
from manymesh.plan import Offer, plan_memory
from manymesh.plan.machine import plan_for
from manymesh.plan.planner import CARD_MARGIN_BYTES, card_of, smallest_budget
from manymesh.settings import Settings, build_settings
from manymesh.stages import Level
from manymesh.units import parse_memory

__all__ = ["diary", "make"]  # fixtures that tests here use

GIB = 1 << 30
LARGE = Level("large", "resident", 5 * GIB, 6 * GIB, object_s=1.0, why="everything at once")
SMALL = Level("small", "streamed", GIB, 2 * GIB, host_bytes=8 * GIB, object_s=3.0, why="piece by piece")
OFFER = Offer("shape", "fake", (LARGE, SMALL))


def level_of(budget_bytes: int | None, offer: Offer = OFFER, host_bytes: int = 1 << 50) -> str:
    return plan_memory([offer], budget_bytes, host_bytes=host_bytes).stages[0].level.name


def test_a_stage_takes_the_fastest_level_that_fits() -> None:
    assert level_of(6 * GIB) == "large"
    assert level_of(6 * GIB - 1) == "small"
    assert level_of(2 * GIB) == "small"


def test_the_plan_says_why_and_where_to_step_down_to() -> None:
    roomy, tight = (plan_memory([OFFER], budget).stages[0] for budget in (9 * GIB, 3 * GIB))
    assert (roomy.smaller, roomy.why) == ((SMALL,), "everything at once")
    assert tight.smaller == ()
    assert tight.why == "piece by piece (large would take 6.0 GiB)"


def test_what_the_host_cannot_hold_is_not_streamed_unless_nothing_else_is_left() -> None:
    tiny = Level("tiny", "streamed", GIB, GIB, host_bytes=GIB)
    offer = replace(OFFER, levels=(LARGE, SMALL, tiny))
    assert level_of(3 * GIB, offer, host_bytes=4 * GIB) == "tiny"
    assert level_of(3 * GIB, offer, host_bytes=GIB // 2) == "tiny"


def test_a_job_that_cannot_fit_is_refused_with_the_smallest_card_that_would_do() -> None:
    with pytest.raises(DoesNotFitError, match=r"shape stage needs 2\.0 GiB .* budget is 1\.0 GiB") as refused:
        plan_memory([OFFER], GIB)
    assert refused.value.exit_code == 9
    assert refused.value.needed_bytes == 2 * GIB
    assert "--vram 2.8G" in str(refused.value)
    assert "--device shape=cpu" in str(refused.value)
    named = parse_memory("2.8G") - CARD_MARGIN_BYTES
    assert level_of(named) == "small"


def test_a_stage_on_the_cpu_needs_no_device_memory() -> None:
    assert plan_memory([replace(OFFER, on_cpu=True)], GIB).reserved_bytes == 0
    assert plan_memory([OFFER], None).reserved_bytes == 0
    assert smallest_budget([replace(OFFER, on_cpu=True)]) == 0


def test_detection_counts_once_a_photo_and_the_others_once_an_object() -> None:
    offers = [replace(OFFER, kind="detect"), OFFER]
    assert plan_memory(offers, 9 * GIB, objects=8).seconds == 1.0 + 8.0


WISHES = [
    {},
    {"texture": False},
    {"detector": "qwen3-vl-8b"},
    {"paint_memory": "low"},
    {"paint_memory": "high"},
    {"memory": 64},
    {"shape_model": "2mv", "paint_precision": "float32", "shape_precision": "float32", "grid": 512},
]


@pytest.mark.parametrize("wishes", WISHES, ids=str)
def test_every_stages_levels_go_from_large_to_small(wishes: dict[str, object]) -> None:
    settings = Settings(engine="hunyuan", prompt="cup", **wishes)
    for stage in stages_of("hunyuan", settings).values():
        sizes = [level.reserved_bytes for level in stage.levels(settings)]
        assert sizes == sorted(sizes, reverse=True)
        assert len(set(sizes)) == len(sizes)
        assert all(level.allocated_bytes <= level.reserved_bytes for level in stage.levels(settings))


@pytest.mark.parametrize(
    ("card", "levels"),
    [
        ("24G", ("resident", "resident", "staged", "captured")),
        ("8G", ("resident", "resident", "staged", "captured")),
        ("6G", ("resident", "resident", "staged", "captured")),
        ("4G", ("streamed-12", "resident", "staged", "apart")),
    ],
)
def test_the_full_engine_fits_cards_of_4_gb_and_more(card: str, levels: tuple[str, ...]) -> None:
    settings = Settings(engine="hunyuan", prompt="cup", vram=card)
    plan = plan_for(stages_of("hunyuan", settings), settings, assume_gpu=True)
    assert tuple(stage.level.name for stage in plan.stages) == levels
    assert plan.reserved_bytes <= parse_memory(card) - CARD_MARGIN_BYTES


@pytest.mark.parametrize(("card", "level"), [("6G", "together"), ("5G", "in-turn"), ("4G", "rows-in-turn")])
def test_the_open_engines_shapes_fit_cards_of_4_gb_and_more(card: str, level: str) -> None:
    settings = Settings(engine="open", prompt="cup", vram=card, texture=False)
    plan = plan_for(stages_of("open", settings), settings, assume_gpu=True)
    shape = plan.of("shape")
    assert shape is not None
    assert shape.level.name == level
    assert plan.reserved_bytes <= parse_memory(card) - CARD_MARGIN_BYTES


def test_stages_that_do_not_run_are_not_planned() -> None:
    settings = Settings(engine="hunyuan", boxes=["1,1,9,9"], texture=False, vram="4G")
    plan = plan_for(stages_of("hunyuan", settings), settings, assume_gpu=True)
    assert [stage.kind for stage in plan.stages] == ["matte", "shape"]


def test_a_device_named_for_one_stage_takes_it_out_of_the_budget() -> None:
    settings = Settings(engine="hunyuan", prompt="cup", vram="3.4G", devices=("paint=cpu",))
    plan = plan_for(stages_of("hunyuan", settings), settings, assume_gpu=True)
    paint = plan.of("paint")
    assert paint is not None
    assert (paint.level.how, paint.level.reserved_bytes) == ("cpu", 0)


def test_the_doctor_shows_a_plan_for_a_card_that_is_not_here() -> None:
    shown = CliRunner().invoke(app, ["doctor", "--plan", "--vram", "4G", "--objects", "8"])
    assert shown.exit_code == 0
    assert "3.2 GiB for tensors" in shown.output
    assert "layers and the vision tower pass through from host memory" in shown.output
    told = json.loads(CliRunner().invoke(app, ["doctor", "--plan", "--vram", "4G", "--json"]).output)
    assert [stage["stage"] for stage in told["stages"]] == ["detect", "matte", "shape", "paint"]
    assert all(stage["reserved_bytes"] <= told["budget_bytes"] for stage in told["stages"])


def test_the_doctor_refuses_a_card_that_is_too_small() -> None:
    refused = CliRunner().invoke(app, ["doctor", "--plan", "--vram", "2G"])
    assert isinstance(refused.exception, DoesNotFitError)
    alone = CliRunner().invoke(app, ["doctor", "--vram", "2G"])
    assert isinstance(alone.exception, UsageError)


@pytest.mark.parametrize("text", ["8", "G", "-8G", "8T", "1M", "", "9" * 30 + "G"])
def test_an_amount_of_memory_that_is_none_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="vram"):
        build_settings({"vram": text})


def test_amounts_of_memory_are_read_as_on_the_box() -> None:
    assert [parse_memory(text) for text in ("8G", "8 GB", "0.5gib", "512M")] == [8 * GIB, 8 * GIB, GIB // 2, GIB // 2]
    assert card_of(parse_memory("8G") - CARD_MARGIN_BYTES) == "8G"


def test_a_run_that_cannot_fit_loads_nothing_and_leaves_no_folder(
    diary: Diary, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr("manymesh.plan.machine.budget_bytes", lambda settings, assume_gpu=False: GIB)
    monkeypatch.setattr("manymesh.plan.machine._on_cuda", lambda settings, kind: True)
    plan = fake_plan(diary, Settings())
    shape = replace(plan.stages["shape"], levels=lambda settings: (LARGE, SMALL))
    plan = replace(plan, stages={**plan.stages, "shape": shape})
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: plan)
    with pytest.raises(DoesNotFitError):
        make()
    assert diary.calls == []
    assert not list(tmp_path.glob("runs/*"))  # type: ignore[attr-defined]


def test_fast_takes_the_turbo_models_unless_others_are_named() -> None:
    fast = Settings(fast=True)
    assert (fast.shape_model, fast.paint_model) == ("2mini-turbo", "2-turbo")
    assert Settings(fast=True, shape_model="2mv-turbo").shape_model == "2mv-turbo"
    assert Settings().shape_model == "2mini"
    assert Settings.model_validate(fast.model_dump()) == fast


@pytest.mark.parametrize("flags", [["--vram", "4G"], ["--objects", "8"], ["--no-texture"], ["--engine", "open"]])
def test_what_belongs_to_the_plan_is_refused_without_it(flags: list[str]) -> None:
    refused = CliRunner().invoke(app, ["doctor", *flags]).exception
    assert isinstance(refused, UsageError)
    assert refused.what == f"{flags[0]} belongs to --plan"
