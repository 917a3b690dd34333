"""The stage ``qwen3-vl``: a photo and names in, boxes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from manymesh.detect.parse import MOST_BOXES, parse_boxes
from manymesh.detect.postprocess import (
    clean_names,
    drop_duplicates,
    largest_in_order,
    name_groups,
    with_prompt_spelling,
)
from manymesh.detect.qwen import picture, prompt
from manymesh.detect.qwen.memory import levels
from manymesh.plan.machine import usual_level
from manymesh.settings import Settings
from manymesh.stages import Detect, Level, Tick
from manymesh.types import U8, Detection, Photo
from manymesh.weights import require

Ask = Callable[[str, U8, Tick], str]
"""A question and a picture to the model's reply."""


@contextmanager
def open_detect(settings: Settings, level: Level | None = None) -> Iterator[Detect]:
    """Load the model that the settings name, and give a function from photo and names to detections.

    The model is freed at the end of the block, whoever still holds the function. ``level``: one of
    ``memory.levels``; None takes what fits now.
    """
    from manymesh.detect.qwen.model import Model

    root = require(settings.detector, settings.weights_dir).root
    assert root is not None
    level = level or usual_level("detect", levels(settings), settings)
    model = Model(root, settings, level.options.get("resident_layers"))

    def detect(photo: Photo, names: Sequence[str], *, tick: Tick) -> Sequence[Detection]:
        # One more shows that there are more.
        return find(photo, names, model.ask, tick, source=settings.detector, most=settings.max_objects + 1)

    try:
        yield detect
    finally:
        model.close()


def find(photo: Photo, names: Sequence[str], ask: Ask, tick: Tick, *, source: str, most: int) -> list[Detection]:
    """Ask for the names, a few at a time, and put the answers together.

    A very wide or tall photo is shown squeezed to 4 : 3, and so is one that was answered with 3D boxes: boxes are
    thousandths of the sides, and need no correction.
    """
    wanted = clean_names(names)
    groups = name_groups(wanted)
    wide = picture.is_elongated(photo.rgb)
    shown = picture.squeezed(photo.rgb) if wide else photo.rgb
    found: list[Detection] = []
    for number, group in enumerate(groups):

        def share(part: float, number: int = number) -> None:
            tick((number + part) / len(groups))

        question = prompt.question(group)
        reply = ask(question, shown, share)
        boxes = parse_boxes(reply, photo.width, photo.height, group)
        if not boxes and "3d" in reply.lower() and not wide:
            reply = ask(question, picture.squeezed(photo.rgb), share)
            boxes = parse_boxes(reply, photo.width, photo.height, group)
        found += [replace(box, source=source) for box in boxes]
    tick(1.0)
    named = with_prompt_spelling(found, wanted)
    return largest_in_order(drop_duplicates(named, limit=MOST_BOXES), wanted, most)
