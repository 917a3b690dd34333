"""A download that a run would profit from is asked for once at a terminal, and never elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

pytest.importorskip("tokenizers", reason="the extra 'small' is not installed")

from manymesh.cli import consent
from manymesh.errors import WeightsError
from manymesh.settings import Settings

NAMED = Settings(engine="lite", prompt="cup, spoon")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of what was fetched, in order; nothing really is."""
    ids: list[str] = []
    monkeypatch.setattr(consent, "fetch", lambda models: ids.extend(m.id for m in models))
    return ids


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


@pytest.mark.parametrize("answer", ["\n", "y\n", "Yes\n"])
def test_a_person_is_told_size_licence_and_place_and_agrees(pulled, monkeypatch, answer: str) -> None:
    shown = at_a_terminal(monkeypatch, answer)
    consent.offer(NAMED, yes=False)
    assert pulled == ["owlvit"]
    for word in ("157 MB", "Apache License 2.0", "Xenova/owlvit-base-patch32", "hf/hub", "cup, spoon"):
        assert word in shown.getvalue()


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_a_no_is_heeded_and_not_asked_again(pulled, monkeypatch, answer: str) -> None:
    shown = at_a_terminal(monkeypatch, answer)
    consent.offer(NAMED, yes=False)
    assert "manymesh models pull owlvit" in shown.getvalue()
    again = at_a_terminal(monkeypatch, "y\n")
    consent.offer(NAMED, yes=False)
    assert pulled == []
    assert again.getvalue() == ""


def test_nothing_is_asked_without_a_terminal_unless_a_script_agrees(pulled, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    consent.offer(NAMED, yes=False)
    assert pulled == []
    consent.offer(NAMED, yes=True)
    assert pulled == ["owlvit"]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(engine="lite"),
        Settings(engine="lite", prompt="cup", boxes=["1,1,9,9"]),
        Settings(engine="lite", prompt="cup", stages=["detect=foreground"]),
        Settings(engine="lite", prompt="cup", stages=["detect=dino"]),
    ],
)
def test_nothing_is_wanted_where_no_name_would_be_read(settings: Settings) -> None:
    assert consent.wanted(settings) == []


def test_a_reader_that_was_asked_for_by_name_is_wanted() -> None:
    assert [m.id for m in consent.wanted(Settings(engine="lite", prompt="cup", detector="owlv2"))] == ["owlv2"]


def test_an_engine_that_was_asked_for_wants_what_it_lacks() -> None:
    assert [m.id for m in consent.wanted(Settings(engine="small", prompt="cup"))] == ["owlvit", "isnet", "triposr"]
    assert [m.id for m in consent.wanted(Settings(engine="small"))] == ["isnet", "triposr"]


def test_an_engine_wants_the_models_of_the_stages_that_will_run() -> None:
    settings = Settings(engine="small", prompt="cup", detector="owlv2", stages=["matte=birefnet-lite-onnx"])
    assert [m.id for m in consent.wanted(settings)] == ["owlv2", "birefnet-lite-onnx", "triposr"]


def test_a_download_that_fails_is_told_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(models) -> None:
        raise WeightsError("the line is dead")

    monkeypatch.setattr(consent, "fetch", fail)
    shown = at_a_terminal(monkeypatch, "y\n")
    consent.offer(NAMED, yes=False)
    assert "the line is dead" in shown.getvalue()
