"""The large view of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web_fixtures import (
    IGNORE_FOREIGN_WARNINGS,
    HeldStages,
    axe_violations,
    browser,
    collected,
    collected_at_the_end,
    need_gradio,
    new_page,
    until,
)

from manymesh.web.server import Options, Served, serving

__all__ = ["browser", "collected", "collected_at_the_end", "new_page"]  # fixtures of these tests
pytestmark = IGNORE_FOREIGN_WARNINGS

DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[tuple[Served, HeldStages]]:
    """A server whose stages do next to nothing."""
    need_gradio()
    stages = HeldStages()
    stages.go.set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("manymesh.pipeline.choose", stages.plan)
        patch.setattr("manymesh.web.service.choose", stages.plan)
        with serving(Options(out=tmp_path_factory.mktemp("stage") / "runs")) as served:
            yield served, stages


def made(served: Served, photo: Path) -> str:
    job = served.service.make(photo, {})
    assert served.service.jobs.wait(job, 30)
    return job.run


def test_the_large_view_turns_zooms_and_shows_lines_normals_and_ground(
    quick: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path
) -> None:
    served, _ = quick
    page = new_page(f"{served.url}?run={made(served, photo_path)}", viewport=DESK, color_scheme="dark")
    page.wait_for_selector(".mm-grid canvas[data-drawn]")
    page.locator(".mm-card").first.get_by_role("button", name="Large view").click()
    canvas = page.locator(".mm-stage canvas[data-drawn]")
    canvas.wait_for()
    picture = lambda: canvas.evaluate("c => c.toDataURL()")  # noqa: E731
    shown = [picture()]

    def changes(act: Callable[[], object]) -> None:
        act()
        until(lambda: picture() != shown[-1])
        shown.append(picture())

    stage = page.get_by_role("dialog")
    changes(lambda: stage.get_by_role("button", name="Wireframe").click())
    changes(lambda: stage.get_by_label("Show").select_option("Normals"))
    changes(lambda: stage.get_by_label("Show").select_option("Shape"))
    changes(lambda: stage.get_by_label("Light").select_option("From the side"))
    changes(lambda: canvas.press("g"))
    changes(lambda: canvas.press("ArrowRight"))
    area = canvas.bounding_box()
    page.mouse.move(area["x"] + area["width"] * 0.3, area["y"] + area["height"] * 0.4)
    changes(lambda: page.mouse.wheel(0, -300))
    stage.get_by_label("Background").select_option("Light")
    assert page.locator(".mm-stage-view").get_attribute("data-background") == "light"
    # The photo stands beside the model.
    assert stage.locator(".mm-before").evaluate("i => i.decode().then(() => i.naturalWidth)") > 10
    assert axe_violations(page) == []
    assert page.evaluate("document.querySelector('.mm-stage').scrollWidth") <= DESK["width"]
    stage.get_by_role("button", name="The next object").click()
    until(lambda: stage.locator("h2").inner_text() == "object-02")
    page.keyboard.press("Escape")
    assert page.locator(".mm-stage").count() == 0
