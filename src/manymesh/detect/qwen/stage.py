"""The stage ``qwen3-vl``: a photo and names in, boxes out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from manymesh.detect.parse import MOST_BOXES, parse_boxes
from manymesh.detect.postprocess import (
    clean_names,
    drop_duplicates,
    largest_in_order,
    name_groups,
    with_prompt_spelling,
)
from manymesh.detect.qwen import picture, prompt, stopping
from manymesh.device.placement import place
from manymesh.errors import OutOfMemoryError
from manymesh.settings import Settings
from manymesh.stages import Detect, Tick
from manymesh.types import U8, Detection, Photo
from manymesh.weights import require

_log = logging.getLogger("manymesh.detect")

Ask = Callable[[str, U8, Tick], str]
"""A question and a picture to the model's reply."""


@contextmanager
def open_detect(settings: Settings) -> Iterator[Detect]:
    """Load the model that the settings name, and give a function from photo and names to detections."""
    root = require(settings.detector, settings.weights_dir).root
    assert root is not None
    ask = open_model(root, settings)

    def detect(photo: Photo, names: Sequence[str], *, tick: Tick) -> Sequence[Detection]:
        return find(photo, names, ask, tick, source=settings.detector, most=settings.max_objects)

    yield detect


def open_model(folder: Path, settings: Settings) -> Ask:
    """Load the weights in ``folder``."""
    import torch

    from manymesh.detect.qwen.decode import Decoder
    from manymesh.detect.qwen.load import load_model

    placement = place(settings.devices, "detect", half="bfloat16")
    _log.info("%s on %s in %s: %s", folder.name, placement.device, placement.dtype, placement.reason)
    tokenizer = prompt.load_tokenizer(folder)
    published = picture.read_patching(folder)
    patching = replace(published, most_pixels=min(published.most_pixels, picture.MOST_PIXELS))
    decoder = Decoder(load_model(folder, placement))

    def text_of(tokens: Sequence[int]) -> str:
        return str(tokenizer.decode(list(tokens), skip_special_tokens=False))

    def ask(question: str, rgb: U8, tick: Tick) -> str:
        image_token = int(decoder.model.config.image_token_id)
        inputs = prompt.inputs(tokenizer, image_token, question, rgb, patching)
        inputs = {key: value.to(placement.device) for key, value in inputs.items()}
        inputs["pixel_values"] = inputs["pixel_values"].to(getattr(torch, placement.dtype))
        try:
            answer = decoder.run(
                inputs, settings.detector_tokens, lambda tokens: stopping.verdict(text_of(tokens)), tick
            )
        except torch.OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"{folder.name} ran out of memory on {placement.device}", "Use --detector dino, or --device detect=cpu"
            ) from error
        reply = text_of(answer.tokens)
        _log.debug("%d tokens, ended by %s: %.2000s", len(answer.tokens), answer.ended_by, reply)
        if answer.ended_by in ("limit", stopping.REPEATING):
            _log.warning("the detector's answer was cut (%s); what it had finished is used", answer.ended_by)
        return reply

    return ask


def find(photo: Photo, names: Sequence[str], ask: Ask, tick: Tick, *, source: str, most: int) -> list[Detection]:
    """Ask for the names, a few at a time, and put the answers together.

    A very wide or tall photo is shown squeezed to 4 : 3, and so is one that was answered with 3D boxes: boxes are
    thousandths of the sides, and need no correction.
    """
    wanted = clean_names(names)
    groups = name_groups(wanted)
    wide = picture.is_wide(photo.rgb)
    shown = picture.stretched(photo.rgb) if wide else photo.rgb
    found: list[Detection] = []
    for number, group in enumerate(groups):

        def share(part: float, number: int = number) -> None:
            tick((number + part) / len(groups))

        question = prompt.question(group)
        reply = ask(question, shown, share)
        boxes = parse_boxes(reply, photo.width, photo.height, group)
        if not boxes and "3d" in reply.lower() and not wide:
            reply = ask(question, picture.stretched(photo.rgb), share)
            boxes = parse_boxes(reply, photo.width, photo.height, group)
        found += [replace(box, source=source) for box in boxes]
    tick(1.0)
    named = with_prompt_spelling(found, wanted)
    return largest_in_order(drop_duplicates(named, limit=MOST_BOXES), wanted, most)
