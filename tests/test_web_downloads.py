"""Downloads of networks from the page: against a hub on loopback, with consent, progress, and who may start one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_hub import Hub
from web_fixtures import (
    IGNORE_FOREIGN_WARNINGS,
    axe_violations,
    browser,
    collected,
    collected_at_the_end,
    new_page,
    until,
    until_js,
)

pytest.importorskip("huggingface_hub", reason="the extra 'small' is not installed")
pytest.importorskip("tokenizers", reason="the extra 'small' is not installed")

from manymesh.errors import UsageError
from manymesh.web.downloads import Downloads
from manymesh.web.ladder import ladder, offered
from manymesh.web.server import Options, serving
from manymesh.weights import locate
from manymesh.weights.catalogue import model
from manymesh.weights.transfer import _Told

__all__ = ["browser", "collected", "collected_at_the_end", "new_page"]  # fixtures of these tests
pytestmark = IGNORE_FOREIGN_WARNINGS

FILES = {
    "onnx/model_quantized.onnx": bytes(range(256)) * 8_000,
    "preprocessor_config.json": b"{}",
    "tokenizer.json": b"{}",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path / "config"))
    with Hub(files={model("owlvit").repo: dict(FILES)}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


class Held:
    """Holds a transfer in its middle until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.waiting = threading.Event(), threading.Event()
        write = _Told.write

        def held(told: Any, data: bytes) -> int:
            half = len(data) // 2
            written = write(told, data[:half])
            if len(data) > 1000:
                self.waiting.set()
                assert self.go.wait(20)
            return written + write(told, data[half:])

        monkeypatch.setattr(_Told, "write", held)


def test_a_reader_of_names_is_downloaded_from_the_page_and_then_used(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, browser: Any, new_page: Callable[..., Any]
) -> None:
    held = Held(monkeypatch)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1_000_000)
    with serving(Options(out=tmp_path / "runs")) as served:
        page = new_page(served.url, viewport={"width": 390, "height": 844})
        note = page.locator(".mm-prompt-note")
        page.wait_for_selector("#mm-engine button")
        assert note.is_hidden()
        page.get_by_label("What to make").fill("cup, spoon")
        # Before the click: what the engine cannot do, size, source, and the licence.
        for words in ("lite cannot look for names", "157 MB", "Xenova/owlvit", "Apache License 2.0"):
            assert words in note.inner_text()
        assert hub.asked == []
        note.get_by_role("button", name="Agree and download 157 MB").click()
        assert held.waiting.wait(20)
        until_js(
            page, "document.querySelector('.mm-prompt-note [role=progressbar]').getAttribute('aria-valuenow') > 20"
        )
        assert axe_violations(page) == []
        note.get_by_role("button", name="Stop").click()
        held.go.set()
        note.get_by_text("What has come is kept").wait_for()
        assert not locate.find(model("owlvit")).complete
        note.get_by_role("button", name="Agree and download").click()
        until(lambda: locate.find(model("owlvit")).complete)
        note.wait_for(state="hidden")
        assert len(hub.ranges) == 1  # it went on where it had stopped
        # The ladder says so too.
        page.get_by_role("tab", name="Engines").click()
        assert axe_violations(page) == []
        page.locator("[data-engine=small]", has_text="not downloaded").wait_for()
        assert page.locator("[data-engine=lite] .mm-badge").inner_text() == "Ready"
        for words in ("Good at", "Bad at", "any CPU", "Apache-2.0 and MIT", "everybody"):
            assert words in page.locator("[data-engine=small]").inner_text()
        assert "pip" not in page.locator("#mm-engines").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_download_that_fails_says_why_on_the_page(
    hub: Hub, tmp_path: Path, browser: Any, new_page: Callable[..., Any]
) -> None:
    hub.gated.add(model("owlvit").repo)
    with serving(Options(out=tmp_path / "runs")) as served:
        page = new_page(served.url)
        page.get_by_label("What to make").fill("cup")
        page.get_by_role("button", name="Agree and download").first.click()
        page.locator(".mm-prompt-note").get_by_text("The download failed").wait_for()


def test_where_others_reach_the_server_nobody_can_start_a_download(
    hub: Hub, tmp_path: Path, browser: Any, new_page: Callable[..., Any], photo_path: Path
) -> None:
    with serving(Options(out=tmp_path / "runs", allow_origin=("https://meshes.example",))) as served:
        page = new_page(served.url)
        page.get_by_label("What to make").fill("cup")
        note = page.locator(".mm-prompt-note")
        note.get_by_text("Downloads are switched off").wait_for()
        assert note.get_by_role("button", name="Agree and download").is_disabled()
        answer = page.evaluate(
            "fetch('page/fetch', {method: 'POST', body: '{\"models\": [\"owlvit\"]}'}).then((a) => a.json())"
        )
        assert "switched off" in answer["error"]["message"]
        assert hub.asked == []


@pytest.mark.parametrize(
    ("options", "may"),
    [
        ({}, True),
        ({"auth": "ann:a-long-secret"}, True),
        ({"host": "0.0.0.0", "auth": "ann:a-long-secret"}, False),
        ({"host": "0.0.0.0", "auth": "ann:a-long-secret", "allow_downloads": True}, True),
        ({"proxy": True, "auth": "ann:a-long-secret"}, False),
        ({"allow_origin": ("https://meshes.example",)}, False),
    ],
)
def test_downloads_are_for_this_machines_own_user_unless_the_operator_says_otherwise(
    options: dict[str, Any], may: bool
) -> None:
    assert Options(**options).may_download is may


def test_only_models_that_the_page_offers_can_be_fetched() -> None:
    assert [m.id for m in offered(["owlvit", "hunyuan3d-2", "../x", "isnet"])] == ["owlvit", "isnet"]
    with pytest.raises(UsageError, match="nothing of that name"):
        Downloads(allowed=True).start(offered(["qwen3-vl-2b"]))


def test_the_ladder_names_every_engine_and_why_auto_takes_one() -> None:
    told = ladder()
    assert [each["name"] for each in told["engines"]] == ["lite", "small", "open", "hunyuan"]
    assert told["auto"]["engine"] == "lite"
    assert "small: its networks are not downloaded" in told["auto"]["why"]
    assert told["reader"]["models"] == ["owlvit"]
    assert set(told["engines"][1]["download"]["models"]) == {"owlvit", "isnet", "triposr"}
