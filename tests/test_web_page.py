"""The page in a real browser."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trimesh
from conftest import three_things
from web_fixtures import (
    IGNORE_FOREIGN_WARNINGS,
    HeldStages,
    axe_violations,
    browser,
    coins,
    collected,
    collected_at_the_end,
    ink,
    need_gradio,
    new_page,
    until,
    until_js,
)

from manymesh.run.folder import Run
from manymesh.web.server import Options, Served, serving

__all__ = ["browser", "collected", "collected_at_the_end", "new_page"]  # fixtures of these tests
pytestmark = IGNORE_FOREIGN_WARNINGS

DONE_MS = 60_000
PHONE = {"width": 390, "height": 844}
SMALL = {"Faces": "2000", "Texture size": "256"}


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Served]:
    """A server with the real engine."""
    need_gradio()
    with serving(Options(out=tmp_path_factory.mktemp("lite") / "runs")) as served:
        yield served


@pytest.fixture
def slow(tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Served, HeldStages]]:
    """A server whose jobs wait to be let go."""
    need_gradio()
    stages = HeldStages()
    monkeypatch.setattr("manymesh.pipeline.choose", stages.plan)
    monkeypatch.setattr("manymesh.web.service.choose", stages.plan)
    monkeypatch.setattr("manymesh.runner.steps.PREVIEW_PX", 32)
    with serving(Options(out=tmp_path / "runs")) as served:
        yield served, stages
        stages.go.set()


def give_photo(page: Any, path: Path) -> None:
    page.set_input_files("#mm-photo input[type=file]", str(path))
    page.wait_for_selector("#mm-photo img")


def set_fields(page: Any, values: dict[str, str]) -> None:
    page.eval_on_selector_all("#mm-form details", "all => all.forEach((each) => (each.open = true))")
    for label, value in values.items():
        field = page.get_by_label(label, exact=True)
        field.fill(value)
        field.blur()


def the_run(served: Served, page: Any) -> Run:
    name = re.search(r"run=([^&]+)", page.url)
    assert name is not None
    return Run.open(served.service.out / name[1])


def card(page: Any, index: int) -> Any:
    return page.locator(f".mm-card[data-id^='{index:02d}-']")


def test_from_photo_to_models_with_one_left_out_one_renamed_and_one_added(
    lite: Served, new_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = new_page(lite.url)
    give_photo(page, coins(tmp_path / "coins.png"))
    set_fields(page, SMALL)
    page.click("#mm-find")
    page.wait_for_selector(".mm-editor:visible")
    assert page.locator(".mm-found li").count() == 4
    assert page.locator(".mm-box").count() == 4
    page.get_by_label("Make 2 object-02").uncheck()
    page.get_by_label("Name of object 1").fill("drachma <b>")
    page.get_by_label("Name of object 1").blur()
    # A box drawn with the mouse between what was found, and one moved by keys.
    area = page.locator(".mm-photo-area").bounding_box()
    page.get_by_role("button", name="Add a box").click()
    page.mouse.move(area["x"] + area["width"] * 0.02, area["y"] + area["height"] * 0.05)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.24, area["y"] + area["height"] * 0.95, steps=4)
    page.mouse.up()
    page.get_by_label("Name of object 5").fill("obol")
    before = the_run(lite, page).manifest.objects[2].box
    page.get_by_label(re.compile("Box 3 ")).press("ArrowRight")
    page.get_by_role("button", name="Make 4 objects").click()

    page.wait_for_selector(".mm-scene canvas[data-drawn]", timeout=DONE_MS)
    until_js(page, "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 4")
    run = the_run(lite, page)
    assert [record.state for record in run.manifest.objects] == ["done", "skipped", "done", "done", "done"]
    assert [run.manifest.objects[i].label for i in (0, 4)] == ["drachma <b>", "obol"]
    assert run.manifest.objects[2].box[0] > before[0]
    assert run.manifest.settings.faces == 2000
    assert card(page, 1).locator("h3").inner_text() == "drachma <b>"
    assert card(page, 2).count() == 0

    # The canvases really show an object, the painted one with the photo's detail and the grey one without colour.
    for index in (1, 3, 4, 5):
        drawn = ink(page, f".mm-card[data-id^='{index:02d}-'] canvas")
        assert 0.15 < drawn["covered"] < 0.9
        assert drawn["spread"] > 8
    assert 0.05 < ink(page, ".mm-scene canvas")["covered"] < 0.9
    painted = page.eval_on_selector(".mm-card[data-id^='01-'] canvas", "c => c.toDataURL()")
    card(page, 1).get_by_role("button", name="Shape").click()
    until_js(page, "document.querySelector('.mm-card[data-id^=\"01-\"] canvas').dataset.drawn.includes('mesh.glb')")
    assert ink(page, ".mm-card[data-id^='01-'] canvas")["colour"] < 2
    assert page.eval_on_selector(".mm-card[data-id^='01-'] canvas", "c => c.toDataURL()") != painted
    card(page, 1).get_by_role("button", name="Cutout").click()
    assert card(page, 1).locator("img.mm-cutout").evaluate("i => i.decode().then(() => i.naturalWidth)") > 10

    # It turns by key, and comes back.
    card(page, 1).get_by_role("button", name="Painted").click()
    canvas = card(page, 1).locator("canvas")
    canvas.press("ArrowRight")
    until(lambda: canvas.evaluate("c => c.toDataURL()") != painted)
    canvas.press("0")
    until(lambda: canvas.evaluate("c => c.toDataURL()") == painted)

    for file_format in ("glb", "obj", "stl", "ply", "3mf"):
        card(page, 1).locator("summary", has_text="Download").click()
        with page.expect_download() as download:
            card(page, 1).locator(f"[data-format='{file_format}']").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(tmp_path / "obj")
            path = next((tmp_path / "obj").glob("*.obj"))
        mesh = trimesh.load(path, force="mesh", process=False)
        assert 100 < len(mesh.faces) <= 2000
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert sum(name.endswith("model.glb") for name in archive.namelist()) == 4

    # This painter gives the same picture for every seed, so painting again is not offered.
    assert page.get_by_role("button", name="Paint again").count() == 0


def test_one_click_makes_it_all_on_a_phone_in_the_dark(
    lite: Served, new_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = new_page(lite.url, viewport=PHONE, color_scheme="dark", has_touch=True)
    assert "dark" in page.locator("html").get_attribute("class")
    give_photo(page, coins(tmp_path / "two.png", count=2))
    set_fields(page, SMALL)
    page.click("#mm-make")
    until_js(page, "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 2", timeout=DONE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        """[...document.querySelectorAll('.mm-app button, .mm-app summary, .mm-app a.mm-button')]
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 36).map(e => e.textContent)"""
    )
    assert small == []
    page.get_by_role("button", name="Dark").click()
    assert "dark" not in (page.locator("html").get_attribute("class") or "")
    page.reload()
    page.wait_for_selector(".mm-grid canvas[data-drawn]")
    assert "dark" not in (page.locator("html").get_attribute("class") or "")


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(
    lite: Served, new_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = new_page(lite.url)
    give_photo(page, coins(tmp_path / "named.png", count=2))
    page.click("#mm-find")
    page.wait_for_selector(".mm-editor:visible")
    nameless = page.evaluate(
        """[...document.querySelectorAll('.mm-app :is(button, input, canvas[tabindex], [role=group][tabindex], a)')]
        .filter(e => e.checkVisibility() && !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title))
        .map(e => e.outerHTML)"""
    )
    assert nameless == []
    page.get_by_role("button", name="Add a box").focus()
    page.keyboard.press("Enter")
    assert page.locator(".mm-box:focus").count() == 1
    width = page.locator(".mm-box:focus").bounding_box()["width"]
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator(".mm-box:focus").bounding_box()["width"] > width
    page.get_by_role("tab", name="Result").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="History").get_attribute("aria-selected") == "true"


def test_cancel_works_within_two_seconds_and_what_is_done_is_kept(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path
) -> None:
    served, stages = slow
    page = new_page(served.url)
    give_photo(page, photo_path)
    page.click("#mm-make")
    page.wait_for_selector(".mm-status:has-text('Modelling')")
    until_js(page, "document.querySelectorAll('.mm-card img.mm-cutout').length === 3")
    start_s = time.monotonic()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".mm-status[data-state=cancelled]")
    assert time.monotonic() - start_s < 2.0
    assert page.locator(".mm-card img.mm-cutout").count() == 3
    assert the_run(served, page).manifest.state == "cancelled"
    stages.go.set()
    page.get_by_role("button", name="Resume").click()
    until_js(page, "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 3", timeout=DONE_MS)
    assert stages.diary.calls.count("matte") == 3


def test_a_reload_in_mid_job_finds_the_job_again(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path
) -> None:
    served, stages = slow
    page = new_page(served.url)
    give_photo(page, photo_path)
    page.click("#mm-make")
    page.wait_for_selector(".mm-status:has-text('Modelling')")
    page.reload()
    page.wait_for_selector(".mm-status:has-text('Modelling')")
    assert page.locator(".mm-card").count() >= 3
    stages.go.set()
    until_js(page, "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 3", timeout=DONE_MS)
    assert len(served.service.jobs.all()) == 1


def test_two_tabs_queue_and_each_sees_its_place_and_its_own_result(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path, tmp_path: Path
) -> None:
    served, stages = slow
    other = tmp_path / "other.png"
    three_things(200, 160).save(other)
    first, second = new_page(served.url), new_page(served.url)
    for page, photo in ((first, photo_path), (second, other)):
        give_photo(page, photo)
        page.click("#mm-make")
        page.wait_for_selector(".mm-status:visible")
    second.wait_for_selector(".mm-status:has-text('1 job is before yours')")
    second.wait_for_selector(".mm-chip:has-text('things')")
    first.wait_for_selector(".mm-chip:has-text('other')")
    stages.go.set()
    for page, title in ((first, "things"), (second, "other")):
        until_js(page, "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 3", timeout=DONE_MS)
        assert page.locator(".mm-run-title").inner_text() == title


def test_a_failed_object_says_why_and_can_be_tried_again(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path
) -> None:
    from manymesh.errors import ObjectError

    served, stages = slow
    stages.go.set()

    def fail_once(call: int) -> None:
        if call == 2:
            raise ObjectError("The paint ran dry", "Buy some more")

    stages.diary.hooks["paint"] = fail_once
    page = new_page(served.url)
    give_photo(page, photo_path)
    page.click("#mm-make")
    page.wait_for_selector(".mm-status[data-state=partial]", timeout=DONE_MS)
    failed = card(page, 2)
    assert "The paint ran dry. Buy some more" in failed.locator("[role=alert]").inner_text()
    assert card(page, 1).get_by_role("button", name="Paint again").is_visible()
    failed.get_by_role("button", name="Try again").click()
    until_js(page, "document.querySelectorAll('.mm-card[data-state=done]').length === 3", timeout=DONE_MS)
    assert stages.diary.calls.count("paint") == 4


def test_history_reopens_resumes_and_deletes_after_asking(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path
) -> None:
    served, stages = slow
    run = served.service
    job = run.find(photo_path, {})
    assert run.jobs.wait(job, 20)
    page = new_page(served.url)
    page.get_by_role("tab", name="History").click()
    row = page.locator(f"[data-run='{job.run}']")
    row.get_by_text("0 of 3 made").wait_for()
    stages.go.set()
    row.get_by_role("button", name="Resume").click()
    until_js(page, "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 3", timeout=DONE_MS)
    page.get_by_role("tab", name="History").click()
    row.get_by_text("3 of 3 made").wait_for()
    row.get_by_role("button", name="Open").click()
    page.wait_for_selector(".mm-grid canvas[data-drawn]")
    page.get_by_role("tab", name="History").click()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    assert (run.out / job.run).is_dir()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_selector("text=No runs yet")
    assert not (run.out / job.run).exists()


def test_a_bad_file_and_a_bad_setting_get_a_clear_answer(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path, tmp_path: Path
) -> None:
    served, _ = slow
    page = new_page(served.url)
    page.click("#mm-make")
    page.wait_for_selector(".mm-alert:has-text('No photo was given')")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"this is no picture")
    page.set_input_files("#mm-photo input[type=file]", str(bad))
    page.wait_for_selector("text=is not a picture that can be read")
    give_photo(page, photo_path)
    set_fields(page, {"Faces": "5"})
    page.click("#mm-make")
    page.wait_for_selector(".mm-alert:has-text('faces: Input should be greater')")
    assert list(served.service.out.iterdir()) == []


def test_markup_in_names_and_errors_is_shown_as_text_and_cannot_run(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], tmp_path: Path
) -> None:
    served, stages = slow
    stages.go.set()
    markup = "<img src=x onerror=document.title='run'>"
    three_things().save(tmp_path / "photo.png")
    job = served.service.make(tmp_path / "photo.png", {"prompt": f"{markup}, b, c", "texture": False})
    assert served.service.jobs.wait(job, 60)
    page = new_page(f"{served.url}?run={job.run}", refusals=True)
    assert card(page, 1).locator("h3").inner_text() == markup
    page.evaluate("m => fetch(`page/${encodeURIComponent(m)}`, {method: 'POST', body: '{}'})", markup)
    set_fields(page, {"Seed": "", "Faces": "5"})
    page.get_by_label("What to make").fill(markup)
    give_photo(page, tmp_path / "photo.png")
    page.click("#mm-make")
    page.wait_for_selector(".mm-alert:has-text('faces')")
    assert page.locator("img[src='x']").count() == 0
    # Were markup to get in all the same, its script would not run.
    allowed = page.evaluate(
        """markup => new Promise((answer) => {
            document.addEventListener('securitypolicyviolation', () => answer('refused'));
            document.querySelector('.mm-app').insertAdjacentHTML('beforeend', markup);
            setTimeout(() => answer(document.title), 3000);
        })""",
        markup.replace("src=x", "src=/nothing.png"),
    )
    assert allowed == "refused"


def test_twelve_objects_are_on_one_page_of_a_phone_and_drawn_when_they_are_near(
    slow: tuple[Served, HeldStages], new_page: Callable[..., Any], photo_path: Path
) -> None:
    served, stages = slow
    stages.go.set()
    boxes = [f"{10 + 24 * i},40,{30 + 24 * i},200:cup {i}" for i in range(12)]
    job = served.service.make(photo_path, {"boxes": boxes, "texture": False})
    assert served.service.jobs.wait(job, 60)
    page = new_page(f"{served.url}?run={job.run}", viewport=PHONE, has_touch=True)
    page.wait_for_selector(".mm-grid canvas[data-drawn]")
    assert page.locator(".mm-grid h3").all_inner_texts() == [f"cup {i}" for i in range(12)]
    # Those far below are fetched when the person comes near them.
    last = page.locator(".mm-card").nth(11)
    assert last.locator("canvas[data-drawn]").count() == 0
    assert page.locator(".mm-grid").bounding_box()["height"] <= 2200
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    last.scroll_into_view_if_needed()
    last.locator("canvas[data-drawn]").wait_for()
    assert axe_violations(page) == []


def test_a_tab_that_outlives_the_server_comes_back_by_itself_and_loses_no_photo(
    tmp_path: Path, browser: Any, new_page: Callable[..., Any], photo_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = HeldStages()
    monkeypatch.setattr("manymesh.pipeline.choose", stages.plan)
    monkeypatch.setattr("manymesh.web.service.choose", stages.plan)
    monkeypatch.setattr("manymesh.runner.steps.PREVIEW_PX", 32)
    with serving(Options(out=tmp_path / "runs")) as served:
        port = urlsplit(served.url).port
        page = new_page(served.url)
        give_photo(page, photo_path)
        page.click("#mm-make")
        page.wait_for_selector(".mm-status:has-text('Modelling')")
    page.wait_for_selector("text=The server does not answer. Trying again")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".mm-alert:has-text('so nothing was done')")
    stages.go.set()
    with serving(Options(out=tmp_path / "runs", port=port)):
        page.wait_for_selector("text=Trying again", state="hidden")
        page.get_by_role("button", name="Resume").click()
        until_js(page, "document.querySelectorAll('.mm-grid canvas[data-drawn]').length === 3", timeout=DONE_MS)
        # The new server has not the upload; it is sent once more.
        page.click("#mm-make")
        until_js(page, "!location.search.includes('job=') || document.title.startsWith('Done')")
        until(lambda: len(list((tmp_path / "runs").iterdir())) == 2)


def test_nobody_comes_in_without_the_password(tmp_path: Path, browser: Any) -> None:
    with serving(Options(out=tmp_path / "runs", host="0.0.0.0", auth="ann:a-long-secret")) as served:
        port = urlsplit(served.url).port
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("input[type=password]")
        assert page.locator(".mm-app").count() == 0
        for path in ("config", "gradio_api/info", f"gradio_api/file={served.service.out}/x"):
            assert page.request.get(f"http://127.0.0.1:{port}/{path}").status == 401
        page.locator("input:not([type=password])").first.fill("ann")
        page.fill("input[type=password]", "a-long-secret")
        page.keyboard.press("Enter")
        page.wait_for_selector(".mm-tabs")
        page.close()
