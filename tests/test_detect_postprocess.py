from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manymesh.detect import postprocess
from manymesh.detect.dino import inputs as dino
from manymesh.detect.dino.stage import detections, find
from manymesh.detect.qwen import answer
from manymesh.device import placement
from manymesh.errors import UsageError
from manymesh.image import crop
from manymesh.settings import Settings
from manymesh.types import Box, Detection, Photo


def detected(label: str, *box: int) -> Detection:
    return Detection(Box(*box), label)


def test_detections_come_in_prompt_order_then_left_to_right_then_downward() -> None:
    found = [
        detected("lamp", 0, 0, 9, 9),
        detected("spoon", 50, 0, 60, 9),
        detected("cup", 30, 50, 40, 60),
        detected("cup", 30, 0, 40, 9),
        detected("spoon", 0, 0, 10, 9),
    ]
    ordered = postprocess.largest_in_order(found, ["cup", "spoon"], 9)
    assert ordered == [found[3], found[2], found[4], found[1], found[0]]
    assert postprocess.largest_in_order(found[::-1], ["cup", "spoon"], 9) == ordered


def test_only_the_largest_detections_are_kept() -> None:
    found = [detected("a", 0, 0, 5 + i, 9) for i in range(6)]
    assert {d.box.width for d in postprocess.largest_in_order(found, [], 2)} == {9, 10}


def test_names_without_a_detection_are_listed_and_plurals_match() -> None:
    found = [detected("cup", 0, 0, 9, 9), detected("Glass", 0, 0, 9, 9), detected("box", 0, 0, 9, 9)]
    assert postprocess.names_not_found(found, ["Cups", "glasses", "boxes", "spoon"]) == ("spoon",)
    assert [d.label for d in postprocess.with_prompt_spelling(found, ["Cups", "spoon"])] == ["Cups", "Glass", "box"]


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_a_padded_box_stays_in_the_photo_and_holds_the_box(width: int, height: int, data) -> None:
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = Box(x0, y0, data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height)))
    padded = crop.pad_box(box, width, height)
    assert 0 <= padded.x0 <= box.x0 < box.x1 <= padded.x1 <= width
    assert 0 <= padded.y0 <= box.y0 < box.y1 <= padded.y1 <= height
    assert padded.width >= min(16, width)
    assert padded.height >= min(16, height)


def test_names_come_in_groups_that_fit_a_prompt() -> None:
    groups = postprocess.name_groups([f"object {i}" for i in range(40)])
    assert [name for group in groups for name in group] == [f"object {i}" for i in range(40)]
    assert all(len(group) <= 16 and len(", ".join(group)) <= 200 for group in groups)
    assert postprocess.name_groups([]) == [()]


def test_of_duplicates_the_first_is_kept_in_order() -> None:
    a, b, c = detected("cup", 0, 0, 100, 100), detected("mug", 0, 0, 100, 98), detected("Cup", 0, 0, 100, 88)
    assert postprocess.drop_duplicates([a, b, c], limit=9) == [a]
    assert postprocess.drop_duplicates([b, detected("jar", 0, 0, 100, 90)], limit=9) == [
        b,
        detected("jar", 0, 0, 100, 90),
    ]


BOX = '{"bbox_2d": [1, 2, 3, 4], "label": "cup"}'
OTHER = '{"bbox_2d": [5, 2, 8, 4], "label": "cup"}'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"```json\n[{BOX}, {OTHER}", None),
        (f"```json\n[{BOX}, {OTHER}]\n", None),
        (f"```json\n[{BOX}, {OTHER}]\n```", "complete"),
        ("```json\n[]\n```", "complete"),
        (f"[{BOX}]\n[{OTHER}]", None),
        (f"[{BOX}] These are all the cups that I can see in it.", "complete"),
        (f'[{{"label": "a ] b", "x": [{BOX}', None),
        (f"[{BOX}, {OTHER}, {BOX}", None),
        (f"[{BOX}, {OTHER}, {BOX}, {BOX.replace(' ', '')}", "repeating"),
        ("[[533, " + "9" * 400, "repeating"),
        ("cup, cup, " * 40, "repeating"),
        ("", None),
    ],
)
def test_generation_stops_when_a_reply_is_complete_or_repeats_itself(text: str, word: str | None) -> None:
    assert answer.verdict(text) == word


def test_dino_queries_become_pixel_boxes_of_the_best_name() -> None:
    scores = np.array([[0.9, 0.4], [0.1, 0.29], [0.2, 0.8], [0.9, 0.1]], np.float32)
    boxes = np.array([[0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 1, 1], [0, 0, 0.5, 0.5], [np.nan, 0, 1, 1]], np.float32)
    found = detections(scores, boxes, ["cup", "jar"], 100, 200, "dino")
    assert [(d.label, d.box) for d in found] == [("cup", Box(40, 60, 60, 140)), ("jar", Box(0, 0, 25, 50))]
    assert found[0].score == pytest.approx(0.9)


def test_weaker_dino_duplicates_of_one_name_are_dropped() -> None:
    scores = np.array([[0.5], [0.9]], np.float32)
    boxes = np.array([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.6]], np.float32)
    photo = Photo(np.zeros((100, 100, 3), np.uint8), None, "", "")
    found = find(photo, ["cup"], lambda rgb, names: (scores, boxes), lambda share: None, source="dino", most=9)
    assert [d.score for d in found] == [pytest.approx(0.9)]


@pytest.mark.parametrize(
    ("size", "fitted"), [((480, 640), (800, 1066)), ((640, 480), (1066, 800)), ((100, 1000), (133, 1330))]
)
def test_dino_images_are_resized_within_bounds(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert dino.fitted_size(*size, dino.Sizing()) == fitted


def test_the_last_device_given_for_a_stage_wins() -> None:
    assert placement.requested(("cuda", "detect=cpu", "mps"), "detect") == "cpu"
    assert placement.requested(("cuda", "detect=cpu", "mps"), "matte") == "mps"
    assert placement.requested((), "matte") == "auto"
    with pytest.raises(ValueError, match="names no stage"):
        Settings(devices=("sing=cpu",))
    with pytest.raises(ValueError, match="names no device"):
        Settings(devices=("abacus",))


def test_a_missing_device_is_a_usage_error_and_a_choice_has_a_reason() -> None:
    torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")
    assert placement.place(("cpu",), "matte").dtype == "float32"
    assert "as asked" in placement.place(("cpu",), "matte").reason
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="Use --device detect=cpu"):
            placement.place(("cuda",), "detect")
