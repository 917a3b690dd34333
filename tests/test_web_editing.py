"""What people change on the page is what is made, and nothing of it is lost: settings, photos, boxes, places."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import three_things
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
    until_js,
)

from manymesh.run.folder import Run
from manymesh.settings import Settings
from manymesh.web.server import Options, Served, serving

__all__ = ["browser", "collected", "collected_at_the_end", "new_page"]  # fixtures of these tests
pytestmark = IGNORE_FOREIGN_WARNINGS

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
MADE = "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 3"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[tuple[Served, HeldStages]]:
    """A server whose stages do next to nothing."""
    need_gradio()
    stages = HeldStages()
    stages.go.set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("manymesh.pipeline.choose", stages.plan)
        patch.setattr("manymesh.web.service.choose", stages.plan)
        with serving(Options(out=tmp_path_factory.mktemp("quick") / "runs")) as served:
            yield served, stages


@pytest.fixture
def found(quick: tuple[Served, HeldStages], photo_path: Path) -> str:
    """The name of a run whose three objects are found."""
    service = quick[0].service
    job = service.find(photo_path, {"faces": 5000})
    assert service.jobs.wait(job, 20)
    return job.run


def drop(page: Any, selector: str, *paths: Path) -> None:
    """Drop files onto an element, as from a file manager."""
    files = [{"name": path.name, "data": base64.b64encode(path.read_bytes()).decode()} for path in paths]
    page.evaluate(
        """([selector, files]) => {
            const transfer = new DataTransfer();
            for (const { name, data } of files)
                transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
            for (const type of ['dragover', 'drop'])
                document.querySelector(selector).dispatchEvent(
                    new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [selector, files],
    )


def paste(page: Any, path: Path) -> None:
    page.evaluate(
        """(data) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], 'image.png'));
            document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));
        }""",
        base64.b64encode(path.read_bytes()).decode(),
    )


def test_settings_changed_after_finding_are_what_is_made_and_the_run_says_so(
    quick: tuple[Served, HeldStages], new_page: Callable[..., Any], found: str
) -> None:
    served = quick[0]
    page = new_page(f"{served.url}?run={found}", viewport=PHONE)
    page.wait_for_selector(".mm-editor:visible")
    page.wait_for_selector("#mm-photo img")
    page.eval_on_selector_all("#mm-form details", "all => all.forEach((each) => (each.open = true))")
    # The form holds the run's settings and photo, not those of the page's own start.
    assert page.get_by_label("Faces", exact=True).input_value() == "5000"
    assert page.locator("#mm-photo img").get_attribute("alt") == "things"
    page.get_by_label("Faces", exact=True).fill("3000")
    page.get_by_label("Texture", exact=True).uncheck()
    page.get_by_role("button", name="Make 3 objects").click()
    until_js(page, MADE)
    run = Run.open(served.service.out / found)
    assert (run.manifest.settings.faces, run.manifest.settings.texture) == (3000, False)
    assert all("model" not in record.files for record in run.manifest.objects)
    said = page.locator(".mm-run-head .mm-meta").inner_text()
    assert "faces 3,000" in said
    assert "texture off" in said
    # Back to texture: only what it touches is made again.
    shaped = quick[1].diary.calls.count("shape")
    page.get_by_role("button", name="Photo and settings").click()  # the form has folded, so that results come first
    page.get_by_label("Texture", exact=True).check()
    page.get_by_label("Faces", exact=True).fill("")  # the default, and not what the run had
    page.get_by_role("button", name="Edit objects").click()
    page.locator("#mm-make").click()
    page.wait_for_selector(".mm-card [data-look=model]")
    assert quick[1].diary.calls.count("shape") == shaped
    assert Run.open(served.service.out / found).manifest.settings.faces == Settings().faces
    assert axe_violations(page) == []


def test_a_browser_gets_an_icon_that_it_asks_for_by_itself(quick: tuple[Served, HeldStages]) -> None:
    answer = httpx.get(f"{quick[0].url}favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


def test_a_refused_photo_is_told_of_and_stays_and_the_others_are_made(
    quick: tuple[Served, HeldStages],
    new_page: Callable[..., Any],
    photo_path: Path,
    tmp_path: Path,
) -> None:
    three_things(200, 160).save(tmp_path / "other.png")
    asked: list[str] = []

    def refuse_second(route: Any) -> None:
        asked.append(route.request.url)
        error = {"code": "usage", "message": "Too many jobs are waiting", "hint": ""}
        route.fulfill(json={"error": error}) if len(asked) == 2 else route.continue_()

    page = new_page(quick[0].url, viewport=DESK)
    page.wait_for_selector("#mm-make:enabled")
    drop(page, "body", photo_path, tmp_path / "other.png")
    page.get_by_text("2 photos make 2 runs").wait_for()
    until_js(page, "!document.querySelector('.mm-sending')")
    page.route("**/page/make", refuse_second)
    page.locator("#mm-make").click()
    until_js(page, MADE)
    assert "Too many jobs are waiting" in page.locator(".mm-alert:visible").inner_text()
    assert [each.get_attribute("alt") for each in page.locator("#mm-photo img").all()] == ["other"]
    assert len(asked) == 2


def test_other_names_after_finding_are_said_to_need_another_look(
    quick: tuple[Served, HeldStages], new_page: Callable[..., Any], found: str
) -> None:
    page = new_page(f"{quick[0].url}?run={found}", viewport=DESK)
    page.wait_for_selector(".mm-editor:visible")
    assert page.locator(".mm-stale").is_hidden()
    page.get_by_label("What to make").fill("cup, spoon")
    page.get_by_text("Find objects looks again").wait_for()
    # Enter makes, with another look, since the names are others.
    page.get_by_label("What to make").press("Enter")
    until_js(page, MADE)
    assert f"run={found}" not in page.url
    assert page.locator(".mm-grid h3").all_inner_texts()[:2] == ["cup", "spoon"]


def test_photos_come_by_drop_anywhere_and_by_pasting_and_each_makes_a_run(
    quick: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path, tmp_path: Path
) -> None:
    served = quick[0]
    other, third, broken = tmp_path / "other.png", tmp_path / "third.png", tmp_path / "broken.png"
    three_things(200, 160).save(other)
    three_things(240, 160).save(third)
    broken.write_bytes(b"this is no picture")
    before = {path.name for path in served.service.out.iterdir()} if served.service.out.is_dir() else set()
    page = new_page(served.url, viewport=DESK)
    page.wait_for_selector("#mm-make:enabled")

    def names() -> list[str | None]:
        return [each.get_attribute("alt") for each in page.locator("#mm-photo img").all()]

    drop(page, ".mm-empty", photo_path)  # beside the box
    until(lambda: names() == ["things"])
    drop(page, "#mm-photo", other)  # a second one does not empty the box
    until(lambda: names() == ["things", "other"])
    paste(page, third)
    until(lambda: len(names()) == 3)
    page.get_by_text("3 photos make 3 runs").wait_for()
    # A broken file is told of at once, and costs none of the others.
    drop(page, "body", broken)
    page.wait_for_selector(".mm-alert:has-text('“broken”: The file is not a picture that can be read')")
    assert len(names()) == 3
    assert axe_violations(page) == []
    page.get_by_label("Remove the photo image").click()
    # Three clicks make one job for each photo.
    page.locator("#mm-make").evaluate("(button) => { button.click(); button.click(); button.click(); }")
    until_js(page, MADE)
    until(lambda: len({path.name for path in served.service.out.iterdir()} - before) == 2)
    until(lambda: all(job.ended for job in served.service.jobs.all()))
    assert sorted(
        name.rpartition("-")[2] for name in {path.name for path in served.service.out.iterdir()} - before
    ) == [
        "other",
        "things",
    ]
    # What is dropped now takes the place of what was made.
    drop(page, "body", third)
    until(lambda: names() == ["third"])
    # A refused clipboard or camera is told.
    page.get_by_role("button", name="Camera").click()
    page.wait_for_selector(".mm-alert:has-text('camera cannot be used')")
    page.get_by_role("button", name="Paste").click()
    page.wait_for_selector(".mm-alert:has-text('clipboard')")


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_edits_of_boxes_survive_a_reload_and_can_be_undone(
    quick: tuple[Served, HeldStages], new_page: Callable[..., Any], found: str, viewport: dict[str, int]
) -> None:
    served = quick[0]
    page = new_page(f"{served.url}?run={found}", viewport=viewport)
    page.wait_for_selector(".mm-editor:visible")

    def kept() -> list[dict[str, Any]]:
        return served.service.run(found)["edits"]  # type: ignore[no-any-return]

    page.get_by_label("Name of object 1").fill("plate")
    page.get_by_label("Name of object 1").press("Enter")
    page.get_by_label("Box 2 object-02").press("ArrowRight")
    page.get_by_label("Box 3 object-03").press("Delete")
    page.get_by_role("button", name="Add a box").press("Enter")
    until(lambda: len(kept()) == 4)
    page.reload()
    page.wait_for_selector(".mm-editor:visible")
    assert page.get_by_label("Name of object 1").input_value() == "plate"
    assert page.locator(".mm-found li").count() == 4
    assert not page.get_by_label("Make 3 object-03").is_checked()
    # Undo and redo, by button and by key.
    page.get_by_label("Make 3 object-03").check()
    page.get_by_label("Box 4 ").press("Delete")
    assert page.locator(".mm-found li").count() == 3
    page.get_by_role("button", name="Undo").click()
    assert page.locator(".mm-found li").count() == 4
    page.get_by_label("Box 1 plate").press("Control+z")
    assert not page.get_by_label("Make 3 object-03").is_checked()
    page.get_by_label("Box 1 plate").press("Control+y")
    assert page.get_by_label("Make 3 object-03").is_checked()
    # Zoom: the photo grows within its frame, and the page does not.
    width = page.locator(".mm-photo-area").bounding_box()["width"]
    page.get_by_role("button", name="Zoom in").click()
    assert page.locator(".mm-photo-area").bounding_box()["width"] > 1.4 * width
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_role("button", name="Whole photo").click()
    assert axe_violations(page) == []
    # The score of the detector stands on the box.
    assert "90 %" in page.get_by_label("Box 1 plate").text_content()
    page.get_by_role("button", name="Make 4 objects").click()
    until_js(page, MADE.replace("3", "4"))
    assert page.locator(".mm-grid h3").all_inner_texts()[0] == "plate"
    assert kept() == []


def test_a_swipe_over_the_photo_does_not_drag_boxes(
    quick: tuple[Served, HeldStages], new_page: Callable[..., Any], found: str
) -> None:
    page = new_page(f"{quick[0].url}?run={found}", viewport=PHONE, has_touch=True)
    page.wait_for_selector(".mm-editor:visible")
    swipe = """(box) => {
        const at = box.getBoundingClientRect(), x = at.x + at.width / 2, y = at.y + at.height / 2;
        const send = (type, dy) => box.dispatchEvent(new PointerEvent(type, {
            bubbles: true, cancelable: true, pointerId: 5, pointerType: 'touch', clientX: x, clientY: y + dy }));
        box.closest('.mm-photo-area').setPointerCapture = () => {};
        send('pointerdown', 0); send('pointermove', 30); send('pointerup', 30);
    }"""
    box = page.get_by_label("Box 1 object-01")
    before = box.get_attribute("style")
    box.evaluate(swipe)
    assert box.get_attribute("style") == before
    # A tap chooses it, and then it can be dragged.
    box.tap()
    box.evaluate(swipe)
    assert box.get_attribute("style") != before


def test_back_goes_through_photo_find_run_and_history(
    quick: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path
) -> None:
    page = new_page(quick[0].url, viewport=PHONE)
    page.set_input_files("#mm-photo input[type=file]", str(photo_path))
    page.click("#mm-find")
    page.wait_for_selector(".mm-editor:visible")
    page.get_by_role("button", name="Make 3 objects").click()
    until_js(page, MADE)
    page.get_by_role("tab", name="History").click()
    page.wait_for_selector("#mm-history li")
    page.go_back()
    page.wait_for_selector(".mm-grid .mm-card")
    assert page.get_by_role("tab", name="Result").get_attribute("aria-selected") == "true"
    page.go_back()
    page.go_back()
    page.wait_for_selector(".mm-empty:visible")
    assert page.locator("#mm-photo img").count() == 1  # the photo is still there
    page.go_forward()
    page.go_forward()
    page.wait_for_selector(".mm-grid .mm-card")


def test_progress_counts_in_the_title_and_elapsed_time_is_called_so(
    tmp_path: Path, browser: Any, new_page: Callable[..., Any], photo_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = HeldStages()
    monkeypatch.setattr("manymesh.pipeline.choose", stages.plan)
    monkeypatch.setattr("manymesh.web.service.choose", stages.plan)
    with serving(Options(out=tmp_path / "runs")) as served:
        page = new_page(served.url, viewport=PHONE)
        page.set_input_files("#mm-photo input[type=file]", str(photo_path))
        page.click("#mm-make")
        page.wait_for_selector(".mm-status:has-text('so far')")
        until_js(page, "/^\\d+ % · things · manymesh$/.test(document.title)")
        assert axe_violations(page) == []
        stages.go.set()
        until_js(page, "document.title === 'Done · things · manymesh'")
