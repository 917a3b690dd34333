"""Pictures of the page in its main states, at two widths, light and dark, for the docs.
Needs the extra `ui`, Playwright and a Chromium.

    python benchmarks/page_pictures.py PHOTO OUT [--browser PATH]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manymesh.web.server import Options, serving

FLAGS = ["--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


def take(page: Any, photo: Path, keep: Callable[[str], None]) -> None:
    """Go through the page as a person would, and keep a picture of each state."""
    page.wait_for_selector("#mm-engine button")
    keep("start")
    page.set_input_files("#mm-photo input[type=file]", str(photo))
    page.click("#mm-find")
    page.wait_for_selector(".mm-editor:visible")
    keep("found")
    page.locator(".mm-editor .mm-primary").click()
    page.wait_for_selector("text=/made in/", timeout=600_000)
    page.wait_for_selector(".mm-grid canvas[data-drawn]")
    keep("models")
    page.locator(".mm-card").first.get_by_role("button", name="Large view").click()
    page.wait_for_selector(".mm-stage canvas[data-drawn]")
    keep("large")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Engines").click()
    keep("engines")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Options(out=Path(folder))) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=given.browser, args=FLAGS)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=size == "phone"
                )
                page = context.new_page()
                page.goto(served.url)

                def keep(state: str, size: str = size, scheme: str = scheme, page: Any = page) -> None:
                    page.wait_for_timeout(300)  # what is drawn in the next frames
                    page.screenshot(path=given.out / f"{state}-{size}-{scheme}.png")

                take(page, given.photo, keep)
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
