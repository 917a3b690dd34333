"""Shared by all tests: small photos with known truth, made here and not on disk."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

# The numeric libraries read it when they are imported. Two workers on two cores with two threads each wait for one
# another more than they compute, and the arrays of tests are small. Child processes inherit it. Tests of results that
# must not depend on the number of threads set it themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from commands import Commands, open_commands
from PIL import Image, ImageDraw

SavePhoto = Callable[..., Path]

# Libraries that only the extras bring, and helpers that import them. A test file that imports one is not a core test.
EXTRAS = re.compile(
    r"""(importorskip\(\s*["']|^\s*import |^\s*from )"""
    r"(torch|transformers|diffusers|gradio|playwright|tiny_shape|tiny_paint|tiny_birefnet|web_fixtures)\b",
    re.MULTILINE,
)


# Files that take longest, longest first, as measured. A worker takes whole files: were a long one left for the end, the
# other worker would have nothing to do meanwhile.
LONGEST = (
    "test_web_page.py",
    "test_paint_hunyuan_stage.py",
    "test_web_api.py",
    "test_paint_hunyuan_networks.py",
    "test_cli.py",
    "test_walk_lite.py",
    "test_security_server.py",
    "test_shape_hunyuan_networks.py",
    "test_birefnet.py",
    "test_shape_hunyuan_surface.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files go first, and all others in their usual order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--core", action="store_true", help="only test files that need no torch, no Gradio and no browser")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not config.getoption("--core") or not collection_path.name.startswith("test_"):
        return None
    return bool(EXTRAS.search(collection_path.read_text("utf-8"))) or None


def pytest_collection_finish(session: pytest.Session) -> None:
    """What importing the tests brought stays anyway. Frozen, it is not looked through by every ``gc.collect``."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _home_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own configuration, cache or working folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home" / "hf"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def manymesh() -> Iterator[Commands]:
    """``manymesh(*arguments)`` carries out a command in a process of its own: its exit code and what it printed."""
    with open_commands() as commands:
        yield commands


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch on one thread until the end of the test file: tiny networks are quicker so, and equal from machine to
    machine. For a whole file: ``pytestmark = pytest.mark.usefixtures("one_thread")``."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def three_things(width: int = 320, height: int = 240) -> Image.Image:
    """A red disc, a green bar and a blue ring, well apart on a light, slightly uneven ground."""
    rows, columns = np.indices((height, width), dtype=np.float32)
    ground = 225 + 10 * columns / width - 8 * rows / height
    noise = np.random.default_rng(1).normal(0, 1.5, (height, width))
    picture = Image.fromarray(np.clip(np.dstack([ground + noise] * 3), 0, 255).astype(np.uint8)).resize(
        (width * 2, height * 2), Image.Resampling.BILINEAR
    )
    draw = ImageDraw.Draw(picture)
    u = width / 320 * 2
    draw.ellipse((25 * u, 80 * u, 95 * u, 150 * u), fill=(190, 40, 35))
    draw.rounded_rectangle((130 * u, 60 * u, 160 * u, 190 * u), radius=6 * u, fill=(30, 130, 50))
    draw.ellipse((200 * u, 80 * u, 290 * u, 170 * u), outline=(35, 60, 170), width=round(20 * u))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


@pytest.fixture
def photo_path(tmp_path: Path) -> Path:
    """A PNG of ``three_things``."""
    path = tmp_path / "things.png"
    three_things().save(path)
    return path


@pytest.fixture
def save_photo(tmp_path: Path) -> SavePhoto:
    """Saves a picture under a name and gives its path."""

    def save(image: Image.Image, name: str, **options: object) -> Path:
        path = tmp_path / name
        image.save(path, **options)
        return path

    return save
