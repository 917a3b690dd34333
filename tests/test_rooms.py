"""How often one value, followed through the calls, comes back to a file or a room that it had left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from conftest import three_things
from fakes import Diary, fake_plan
from tiny_learned import write_tiny

import manymesh
from manymesh.detect import lite
from manymesh.pipeline import Pipeline
from manymesh.run.folder import Run
from manymesh.settings import Settings
from manymesh.shape.learned import session
from manymesh.shape.learned.stage import STAGE as SHAPE
from manymesh.types import Box, Cutout, Photo

pytest.importorskip("onnx")

SOURCE = Path(manymesh.__file__).parent
TYPES = str(SOURCE / "types.py")
# What was counted when this was written: a return more is a path that got longer.
PHOTO_RETURNS, CUTOUT_RETURNS, RUN_RETURNS = 6, 0, 5


def is_one_of(array: np.ndarray, *holders: object) -> Callable[[Any], bool]:
    """Whether a value is an array, a view of it, or one of the objects that hold it."""
    given = {id(holder) for holder in holders}

    def is_it(value: Any) -> bool:
        while isinstance(value, np.ndarray) and value is not array:
            value = value.base
        return value is array or id(value) in given

    return is_it


@contextmanager
def visits(is_it: Callable[[Any], bool], *, rooms: bool = False) -> Iterator[list[str]]:
    """The files of manymesh whose functions are called with a value, in order; neighbours that are equal are one.

    The value's own methods (``types.py``) are no visit.

    Args:
        is_it: whether an argument is the value that is followed.
        rooms: folders of the package instead of files.
    """
    calls: list[str] = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(str(SOURCE)) or code.co_filename == TYPES:
            return
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(is_it(frame.f_locals.get(name)) for name in names):
            file = Path(code.co_filename).relative_to(SOURCE)
            calls.append(file.parts[0] if rooms else file.as_posix())

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield calls
    finally:
        sys.setprofile(before)
        calls[:] = [file for file, _ in groupby(calls)]


def returns(calls: list[str]) -> int:
    return len(calls) - len(set(calls))


def still(share: float) -> None:
    pass


def test_the_count_sees_a_value_that_goes_back_and_forth() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    with visits(is_one_of(pixels)) as calls:
        for _ in range(3):
            lite.working_copy(pixels[:4])
            lite.label_components(np.zeros((4, 4), bool))  # another array: not counted
    assert calls == ["segment/foreground.py"]
    with visits(is_one_of(pixels)) as calls:
        for _ in range(3):
            lite.working_copy(pixels)
            lite.resize_mask(pixels, np.ones((4, 4), bool))
    assert returns(calls) == 4


def one_thread(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    return first(), second()


def test_a_photo_that_is_searched_seldom_comes_back_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manymesh.segment.mask.run_pair", one_thread)  # the profile is of one thread
    photo = Photo(np.array(three_things()), None, "things", "0" * 64)
    with lite.open_detector(Settings()) as detect, visits(is_one_of(photo.rgb, photo)) as calls:
        assert len(detect(photo, (), tick=still)) == 3
    assert {"detect/lite.py", "segment/mask.py"} <= set(calls)
    assert returns(calls) <= PHOTO_RETURNS, calls


def test_a_cutout_that_is_modelled_seldom_comes_back_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WEIGHTS", write_tiny(tmp_path / "lite-shape.onnx"))
    y, x = np.indices((160, 160)) - 79.5
    rgba = np.full((160, 160, 4), 200, np.uint8)
    rgba[..., 3] = np.clip((58 - np.hypot(x, y)) * 255 + 127, 0, 255)
    cutout = Cutout(rgba, Box(0, 0, 160, 160))
    with SHAPE.open(Settings()) as shape, visits(is_one_of(cutout.rgba, cutout)) as calls:
        shape(cutout, seed=0, tick=still)
    assert "shape/learned/stage.py" in calls
    assert returns(calls) <= CUTOUT_RETURNS, calls


def test_a_run_seldom_goes_back_and_forth_between_the_runner_and_its_folder(
    photo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("manymesh.pipeline.choose", lambda settings: fake_plan(Diary(), settings, count=1))
    monkeypatch.setattr("manymesh.runner.steps.PREVIEW_PX", 32)
    pipeline = Pipeline(Settings(formats=("glb", "obj", "stl")))
    with visits(lambda value: isinstance(value, Run), rooms=True) as calls:
        (run,) = pipeline.make([photo_path], tmp_path / "runs")
    assert run.manifest.state == "done"
    assert {"run", "runner"} <= set(calls)
    assert returns(calls) <= RUN_RETURNS, calls
