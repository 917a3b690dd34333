"""Two drawn squares tell a detector that works from one that answers nonsense."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from parity_path import parity_dir

from manymesh.detect.probe import HEIGHT_PX, SQUARES, WIDTH_PX, probe_detector, squares
from manymesh.device.probe import ProbeFinding
from manymesh.errors import Cancelled, NotFiniteError
from manymesh.settings import Settings
from manymesh.types import Box, Detection

RED, BLUE = SQUARES.values()


def probed(*found: Detection) -> list[ProbeFinding]:
    """What the probe says of a detector that finds this."""
    return probe_detector(lambda photo, names, *, tick: found)


def test_the_picture_shows_the_squares_where_they_are_said_to_be() -> None:
    rgb = squares().rgb
    assert rgb.shape == (HEIGHT_PX, WIDTH_PX, 3)
    red, blue = (rgb[box.y0 : box.y1, box.x0 : box.x1] for box in SQUARES.values())
    assert red[..., 0].min() > 2 * red[..., 1:].max()
    assert blue[..., 2].min() > 2 * blue[..., :2].max()
    coloured = np.ptp(rgb.astype(int), axis=2) > 50
    assert coloured.sum() == RED.area + BLUE.area


def test_a_detector_that_finds_both_passes_with_its_numbers() -> None:
    red, blue = probed(Detection(RED, "red square", score=0.9), Detection(Box(630, 250, 880, 510), "Blue squares"))
    assert red == ProbeFinding(
        "drawn red square",
        True,
        "The detector found the drawn red square.",
        {"width_share": 0.2539, "height_share": 0.3385, "score": 0.9, "overlap": 1.0, "same_name": 1.0},
    )
    assert blue.passed
    assert blue.numbers["same_name"] == 1
    assert 0.9 < blue.numbers["overlap"] < 1
    assert "score" not in blue.numbers


def test_colours_that_are_confused_are_told_and_pass() -> None:
    red, _ = probed(Detection(RED, "blue square"), Detection(BLUE, "blue square"))
    assert red.passed
    assert red.sentence.endswith("and called it 'blue square'.")


@pytest.mark.parametrize(
    "box",
    [Box(268, 250, 271, 510), Box(140, 380, 400, 384)],
    ids=["3 px wide", "4 px high"],
)
def test_a_box_narrower_than_a_hundredth_of_the_picture_fails(box: Box) -> None:
    found = probed(Detection(box, "red square"), Detection(BLUE, "blue square"))
    assert [finding.passed for finding in found] == [False, False, True]
    assert f"is {box.width} x {box.height} px, in a picture of 1024 x 768 px" in found[0].sentence
    assert "models verify" in found[0].sentence
    also_right = probed(Detection(RED, "red square"), Detection(box, "red square"), Detection(BLUE, "blue square"))
    assert [finding.passed for finding in also_right] == [False, True, True]


@pytest.mark.parametrize(
    "found",
    [
        (),
        (Detection(Box(0, 0, 60, 60), "red square"),),
        (Detection(Box(0, 0, WIDTH_PX, HEIGHT_PX), "red square"),),
    ],
    ids=["nothing", "elsewhere", "the whole picture"],
)
def test_squares_that_are_not_found_fail(found: Sequence[Detection]) -> None:
    findings = probed(*found)
    assert [finding.passed for finding in findings] == [False, False]
    assert "did not find a drawn blue square" in findings[1].sentence


def test_a_detector_that_fails_is_a_finding_and_cancelling_is_not() -> None:
    def fails(photo, names, *, tick):
        raise NotFiniteError("the detector answered with one token", "Check the weights", network="detector")

    (finding,) = probe_detector(fails)
    assert not finding.passed
    assert finding.sentence == "The detector failed: the detector answered with one token. Check the weights."

    def cancelled(photo, names, *, tick):
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        probe_detector(cancelled)


@pytest.fixture
def qwen(tmp_path, one_thread):
    """The stage's settings with the tiny random model for its weights."""
    pytest.importorskip("torch", reason="the full engine's extra is not installed")
    pytest.importorskip("transformers", reason="the full engine's extra is not installed")
    shutil.copytree(parity_dir("qwen3vl-tiny"), tmp_path / "Qwen3-VL-2B-Instruct")
    return Settings(weights_dir=tmp_path, devices=("cpu",), detector_tokens=24)


def test_random_weights_fail_and_the_reply_that_is_right_passes(qwen, monkeypatch) -> None:
    from manymesh.detect.qwen import STAGE, model, picture

    monkeypatch.setattr(picture, "MOST_PIXELS", 65_536)  # fewer tokens: random weights see nothing anyhow
    with STAGE.open(qwen) as detect:
        findings = probe_detector(detect)
    assert findings
    assert not any(finding.passed for finding in findings)

    thousandths = np.array((1000 / WIDTH_PX, 1000 / HEIGHT_PX) * 2)
    said = [{"bbox_2d": (box * thousandths).round().tolist(), "label": name} for name, box in SQUARES.items()]
    right = SimpleNamespace(ask=lambda question, rgb, tick: json.dumps(said), close=lambda: None)
    monkeypatch.setattr(model, "Model", lambda folder, settings, level: right)
    with STAGE.open(qwen) as detect:
        assert [finding.passed for finding in probe_detector(detect)] == [True, True]
