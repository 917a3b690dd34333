from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from malformed_replies import ONE, REPLIES, Reply
from parity_path import parity_dir

from manymesh.detect.parse import parse_boxes
from manymesh.dev.parity import rows_of
from manymesh.types import Detection

BOMBS = [
    "[",
    "{",
    "(",
    "[]",
    "{[",
    '{"a":',
    '"',
    "'",
    ', "k": ',
    ' "x y',
    "//",
    "\\",
    "<a ",
    "1 ",
    "\"'",
    "<|box_start|>(1,2),",
]


@pytest.mark.parametrize("reply", REPLIES, ids=[reply.id for reply in REPLIES])
def test_our_own_malformed_replies(reply: Reply) -> None:
    found = parse_boxes(reply.text, *reply.size, names=reply.names)
    assert [(d.label, tuple(d.box)) for d in found] == reply.expected


def test_every_published_malformed_reply_passes() -> None:
    rows = list(rows_of(parity_dir("detection")))
    assert len(rows) >= 48
    assert [row for row in rows if not row.passed] == []
    assert len(REPLIES) >= len(rows), "we hold at least as many replies of our own"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_megabyte_of_hostile_text_answers_at_once(bomb: str) -> None:
    text = bomb * (1_000_000 // len(bomb))
    start = time.perf_counter()
    assert len(parse_boxes(text, 1000, 1000, ["cup"])) <= 1
    assert time.perf_counter() - start < 3


def test_six_thousand_different_boxes_are_bounded_in_time_and_number() -> None:
    boxes = (f"[{i % 977},{i % 769},{i % 977 + 12},{i % 769 + 15}]" for i in range(60_000))
    start = time.perf_counter()
    assert len(parse_boxes("\n".join(boxes), 1000, 1000)) == 1024
    assert time.perf_counter() - start < 3


def test_nothing_in_a_reply_is_run(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    parse_boxes("[__import__('pathlib').Path('touched').touch()] " + ONE, 100, 100)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_text_or_has_no_picture_gives_nothing() -> None:
    assert parse_boxes(None, 100, 100) == []  # type: ignore[arg-type]
    assert parse_boxes(f"[{ONE}]", 0, 100) == []


FRAGMENTS = st.sampled_from(
    ["{", "}", "[", "]", "(", ")", ",", ":", '"', "'", "\\", "bbox_2d", '"label"', '"cup"', "10", "220", "1e9", "-5",
     "0.5", "//", "\n", "```json", "<think>", "</think>", "<|box_start|>", "“", "［", "NaN", "\ud83d", "\x00", ONE]
)  # fmt: skip


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=5)), max_size=40), st.integers(1, 3000), st.integers(1, 3000))
def test_any_text_gives_boxes_inside_the_photo(parts: list[str], width: int, height: int) -> None:
    found = parse_boxes("".join(parts), width, height, ["cup"])
    for detection in found:
        box = detection.box
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
        assert min(box.width, box.height) >= 8
        assert 0 < len(detection.label) <= 64
        detection.label.encode("utf-8")
    assert_distinct(found)


def assert_distinct(found: list[Detection]) -> None:
    for i, a in enumerate(found):
        assert all(a.box.overlap(b.box) < 0.95 for b in found[:i])


SIDES = st.tuples(st.integers(0, 900), st.integers(20, 100)).map(lambda p: (p[0], p[0] + p[1]))
OBJECTS = st.lists(
    st.tuples(SIDES, SIDES, st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=9)), max_size=8
)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(OBJECTS, st.booleans(), st.booleans())
def test_a_well_formed_list_comes_back_as_it_was_told(objects, fenced: bool, single_quotes: bool) -> None:
    told = [{"bbox_2d": [x0, y0, x1, y1], "label": label} for (x0, x1), (y0, y1), label in objects]
    text = str(told) if single_quotes else json.dumps(told)
    text = f"```json\n{text}\n```" if fenced else text
    found = parse_boxes(text, 1000, 1000)
    labels = {(tuple(t["bbox_2d"]), t["label"]) for t in told}
    assert all((tuple(d.box), d.label) in labels for d in found)
    dropped = [t for t in told if (tuple(t["bbox_2d"]), t["label"]) not in {(tuple(d.box), d.label) for d in found}]
    for lost in dropped:
        x0, y0, x1, y1 = lost["bbox_2d"]
        assert any(d.box.overlap(type(d.box)(x0, y0, x1, y1)) >= 0.85 for d in found)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 400))
def test_a_reply_cut_anywhere_gives_only_boxes_that_it_finished(cut: int) -> None:
    told = [{"bbox_2d": [i * 100, 100, i * 100 + 90, 250], "label": "cup"} for i in range(9)]
    text = json.dumps(told)[:cut]
    whole = {(i * 100, 100, i * 100 + 90, 250) for i in range(9)}
    found = parse_boxes(text, 1000, 1000, ["cup"])
    assert {tuple(d.box) for d in found} <= whole
    assert len(found) == text.count("]")
