"""What ``manymesh models verify --deep`` checks of a detector. ``Model.self_check`` names ``grounding_dino``, ``qwen``.

These networks are transformers' own. So the check that counts is a look at a drawn picture: some versions of the
library load some weights wrongly and say nothing, and the boxes are then a few pixels wide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.box import Box
from manymesh.detect.transformers_files import WHAT, require_headers, weight_files
from manymesh.settings import Settings
from manymesh.types import U8
from manymesh.weights.catalogue import Model
from manymesh.weights.deep import LOADED, TENSORS, VALUES, Machine, StoredNetwork, check_values
from manymesh.weights.findings import Finding, attempt, failed, not_possible, passed
from manymesh.weights.locate import Found

SQUARES = "two drawn squares"
# Sides of the drawn picture. One hundredth of them is more than the narrowest box that a detector reports.
_WIDTH, _HEIGHT = 960, 720
DRAWN: Mapping[str, Box] = {"red square": Box(120, 220, 360, 460), "blue square": Box(580, 260, 820, 500)}
_COLOURS = {"red square": (210, 30, 30), "blue square": (30, 60, 210)}
# Boxes narrower than this share of the picture's side are what wrongly loaded heads give.
_NARROWEST = 0.01


def grounding_dino(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of a Grounding DINO whose files are ``found``."""
    from transformers import AutoModelForZeroShotObjectDetection

    assert found.root is not None
    folder = found.root
    yield from _files(folder, AutoModelForZeroShotObjectDetection.from_config)
    if not machine.thorough:
        yield not_possible(SQUARES, "not looked at: run: manymesh models verify --deep")
        return
    from manymesh.detect.dino.stage import open_model

    opened: list[Any] = []
    yield attempt(LOADED, lambda: _opened(opened, lambda: open_model(folder, _settings(machine))))
    for look in opened:
        yield attempt(SQUARES, lambda look=look: judge_boxes(best_boxes(*look(squares(), list(DRAWN)))))  # type: ignore[misc]


def qwen(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of a Qwen3-VL whose files are ``found``."""
    from transformers import Qwen3VLForConditionalGeneration

    assert found.root is not None
    folder = found.root
    yield from _files(folder, Qwen3VLForConditionalGeneration)
    if not machine.thorough or machine.device == "cpu":
        why = "it takes minutes without a GPU" if machine.thorough else "run: manymesh models verify --deep"
        yield not_possible(SQUARES, f"not looked at: {why}")
        return
    from manymesh.detect.qwen.stage import open_model

    opened: list[Any] = []
    yield attempt(LOADED, lambda: _opened(opened, lambda: open_model(folder, _settings(machine))))
    for ask in opened:
        yield attempt(SQUARES, lambda ask=ask: _ask(ask, folder))  # type: ignore[misc]


def squares() -> U8:
    """(720, 960, 3) uint8: a red and a blue square on light grey."""
    picture = np.full((_HEIGHT, _WIDTH, 3), 225, np.uint8)
    for name, box in DRAWN.items():
        picture[box.y0 : box.y1, box.x0 : box.x1] = _COLOURS[name]
    return picture


def best_boxes(scores: Any, boxes: Any) -> dict[str, tuple[Box, float]]:
    """For each drawn square the box with the highest score, in pixels, and that score.

    Args:
        scores: (queries, names).
        boxes: (queries, 4) centre x, y, width, height, as shares of the picture's sides.
    """
    best = {}
    for number, name in enumerate(DRAWN):
        query = int(scores[:, number].argmax())
        x, y, w, h = (float(value) for value in boxes[query])
        sides = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * (_WIDTH, _HEIGHT, _WIDTH, _HEIGHT)
        best[name] = (Box(*(round(float(side)) for side in sides)), float(scores[query, number]))
    return best


def judge_boxes(best: Mapping[str, tuple[Box, float]]) -> Finding:
    """Whether boxes for the drawn squares are boxes of objects at all. Where they lie is told, not judged."""
    numbers: dict[str, float] = {}
    for name, (box, score) in best.items():
        numbers |= {f"{name} score": score, f"{name} overlap": box.overlap(DRAWN[name])}
        if box.width < _NARROWEST * _WIDTH or box.height < _NARROWEST * _HEIGHT:
            size = f"{box.width} x {box.height} px of {_WIDTH} x {_HEIGHT}"
            return failed(SQUARES, f"the box of the {name} is {size}: the weights are loaded wrongly", **numbers)
    told = ", ".join(f"{name} {100 * numbers[f'{name} overlap']:.0f} %" for name in best)
    return passed(SQUARES, f"the boxes cover the squares ({told})", **numbers)


def judge_reply(tokens: Sequence[int], found: Sequence[tuple[str, Box]]) -> Finding:
    """Whether a language model's reply about the drawn squares is a reply.

    Args:
        tokens: the reply's.
        found: label and box of each detection that was read from it.
    """
    if len(set(tokens)) <= 1:
        return failed(SQUARES, f"the reply is {len(tokens)} times the same token: its numbers ran out of range")
    if not found:
        return failed(SQUARES, f"the reply of {len(tokens)} tokens holds no box", tokens=len(tokens))
    best = {name: max((box for _, box in found), key=lambda box: box.overlap(DRAWN[name])) for name in DRAWN}
    return judge_boxes({name: (box, 1.0) for name, box in best.items()})


def _files(folder: Path, build: Callable[[Any], Any]) -> Iterator[Finding]:
    """Names and shapes from the headers alone, and the numbers."""
    yield attempt(TENSORS, lambda: _tensors(folder, build))
    networks = [StoredNetwork(path.name, lambda: build(None), path) for path in weight_files(folder)]
    yield attempt(VALUES, lambda: check_values(networks))


def _tensors(folder: Path, build: Callable[[Any], Any]) -> Finding:
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        network = build(config)
    count = require_headers(folder, network)
    return passed(TENSORS, f"all {count} tensors are {WHAT}", tensors=count)


def _opened(opened: list[Any], work: Callable[[], Any]) -> Finding:
    """Opening compares every tensor with the file's, and raises where one differs."""
    opened.append(work())
    return passed(LOADED, "every tensor was compared by sampled values")


def _ask(ask: Callable[[str, U8, Callable[[float], None]], str], folder: Path) -> Finding:
    from manymesh.detect.parse import parse_boxes
    from manymesh.detect.qwen.prompt import load_tokenizer, question

    reply = ask(question(list(DRAWN)), squares(), lambda done: None)
    tokens = load_tokenizer(folder)(reply, add_special_tokens=False)["input_ids"]
    found = parse_boxes(reply, _WIDTH, _HEIGHT, list(DRAWN))
    return judge_reply(tokens, [(detection.label, detection.box) for detection in found])


def _settings(machine: Machine) -> Settings:
    return Settings(devices=(f"detect={machine.device}",))
