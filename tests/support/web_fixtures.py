"""What the web tests share: a server in this process, a browser, a real photo, stages that wait to be let go."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from fakes import Diary, fake_plan
from PIL import Image

from manymesh.engines import Plan
from manymesh.settings import Settings

REQUIRED = os.environ.get("MANYMESH_REQUIRE_BROWSER") == "1"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",  # WebGL without a GPU
    "--enable-unsafe-swiftshader",
)
# Gradio and what it stands on are not ours to keep free of warnings.
IGNORE_FOREIGN_WARNINGS = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Gradio and its client leave sockets and event loops to the garbage collector. They are collected here, where
    their warnings are let pass, and not in the middle of somebody else's test.
    """
    yield
    _collect()


@pytest.fixture(autouse=True, scope="module")
def collected_at_the_end() -> Iterator[None]:
    """The same for what lives as long as a test file."""
    yield
    _collect()


def _collect() -> None:
    gc.collect()
    # What is left (Gradio is large, and keeps things) need not be gone through again at every collection to come.
    gc.freeze()


def miss(what: str) -> None:
    """Skip for want of a tool, unless this run must not."""
    if REQUIRED:
        pytest.fail(f"{what} (MANYMESH_REQUIRE_BROWSER is 1)", pytrace=False)
    pytest.skip(what)


def need_gradio() -> None:
    try:
        import gradio  # noqa: F401
    except ImportError:
        miss("Gradio is not installed: pip install 'manymesh[ui]'")


@contextmanager
def open_browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        miss("Chromium is not installed: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        miss("Playwright is not installed: pip install playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages; at the end of the test, any of them that complained or asked another machine fails it.

    ``refusals``: the page's content security policy is meant to refuse something.
    """
    contexts, complaints, strangers = [], [], []

    def open_page(url: str, *, refusals: bool = False, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # What the content security policy forbids is told on the console alone.
        if not refusals:
            page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.on("request", lambda request: strangers.append(request.url) if not _own(request.url) else None)
        page.on("websocket", lambda socket: strangers.append(socket.url) if not _own(socket.url) else None)
        page.goto(url)
        page.wait_for_selector(".mm-tabs")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert strangers == []


def axe_violations(page: Any) -> list[str]:
    """What axe-core finds wrong with the page as it stands: its rules' names and the elements. Where axe is absent,
    [] and a warning; under MANYMESH_REQUIRE_BROWSER=1 the test fails.

    axe-core comes in the package ``axe-playwright-python``.
    """
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        absent = "axe-core is not installed, so the page was not checked: pip install axe-playwright-python"
        if REQUIRED:
            pytest.fail(f"{absent} (MANYMESH_REQUIRE_BROWSER is 1)", pytrace=False)
        warnings.warn(absent, stacklevel=2)
        return []
    # (Not by a script tag, which the page's policy would refuse.)
    page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def _own(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.hostname in ("127.0.0.1", "localhost")


def coins(path: Path, count: int = 4) -> Path:
    """A real photo: Greek coins from Pompeii (scikit-image ships it; no known copyright), ``count`` of them."""
    from skimage.data import coins as photo

    pixels = photo()[16:86, 8 : {1: 66, 2: 126, 3: 186, 4: 248}[count]]
    Image.fromarray(pixels).resize((pixels.shape[1] * 2, pixels.shape[0] * 2), Image.Resampling.BICUBIC).save(path)
    return path


class HeldStages:
    """Fake stages whose shape stage waits at every object until it is let go. It ticks while it waits."""

    def __init__(self) -> None:
        self.diary = Diary()
        self.go = threading.Event()
        self.waiting = threading.Event()

    def plan(self, settings: Settings) -> Plan:
        plan = fake_plan(self.diary, settings, count=3)
        made = plan.stages["shape"]

        @contextmanager
        def opened(settings: Settings) -> Iterator[Callable[..., Any]]:
            with made.open(settings) as model:

                def shape(cutout: Any, *, seed: int, tick: Any) -> Any:
                    self.waiting.set()
                    while not self.go.wait(0.01):
                        tick(0.5)
                    return model(cutout, seed=seed, tick=tick)

                yield shape

        return replace(plan, stages={**plan.stages, "shape": replace(made, open=opened)})


def ink(page: Any, selector: str) -> dict[str, float]:
    """What is drawn on a canvas, by its own pixels: the share that is covered, how much the light varies there, and how
    far it is from grey.
    """
    pixels = page.eval_on_selector(
        selector,
        "c => [c.width, c.height, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]",
    )
    width, height = pixels[:2]
    rgba = np.array(pixels[2:], np.uint8).reshape(height, width, 4)
    covered = rgba[..., 3] > 127
    return {
        "covered": float(covered.mean()),
        "spread": float(rgba[covered][:, :3].std()) if covered.any() else 0.0,
        "colour": float(np.ptp(rgba[covered][:, :3].astype(int), axis=1).mean()) if covered.any() else 0.0,
    }


def until(true: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for something to come true."""
    end_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end_s, "it did not come true in time"
        time.sleep(0.05)


def until_js(page: Any, expression: str, timeout: float = 60_000) -> None:
    """Wait for an expression to come true in the page, at most ``timeout`` ms. Playwright's own ``wait_for_function``
    evaluates text in the page, which the page's policy forbids.
    """
    until(lambda: bool(page.evaluate(expression)), timeout / 1000)
