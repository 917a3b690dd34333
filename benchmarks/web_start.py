"""Seconds from typing `manymesh ui` until its page takes a photo, and until its first byte. Needs the extra `ui`.

    python benchmarks/web_start.py [--starts 5]

Interactive is when a browser has run the page's scripts and the *Make* button is enabled; that needs Playwright and a
Chromium (--browser PATH).
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def start_once(browser: Any) -> tuple[float, float]:
    """Seconds until the address is printed, and until the page is interactive."""
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.perf_counter()
        command = [sys.executable, "-m", "manymesh", "ui", "--no-browser", "--out", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        served_s = time.perf_counter() - start_s
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("#mm-make:enabled")
        interactive_s = time.perf_counter() - start_s
        page.close()
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()
        return served_s, interactive_s


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.browser, args=FLAGS)
        times = [start_once(browser) for _ in range(given.starts)]
        browser.close()
    served, interactive = zip(*times, strict=True)
    print("| until | least s | median s |\n| --- | --- | --- |")
    print(f"| address printed | {min(served):.2f} | {statistics.median(served):.2f} |")
    print(f"| page interactive | {min(interactive):.2f} | {statistics.median(interactive):.2f} |")


if __name__ == "__main__":
    main()
