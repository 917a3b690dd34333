"""What the whole walks of the large engines share: photos, a matte network that cuts out, and a watch on memory."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_birefnet
from PIL import Image, ImageDraw

from manymesh.events import Event

# Tokens that the tiny detector decodes before its answer is given.
DETECTOR_TOKENS = 16


def two_things(path: Path) -> Path:
    """A disc and a bar on opaque ground: the matte network has to say what is what."""
    picture = Image.new("RGB", (200, 120), (225, 224, 220))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((15, 25, 85, 95), fill=(190, 40, 35))
    draw.rectangle((120, 20, 180, 100), fill=(30, 90, 150))
    picture.save(path)
    return path


def cutting_at(logit: float) -> dict[str, np.ndarray]:
    """The tiny matte network with its last layer made steep around ``logit``, which lies between what its random
    weights answer to plain ground and to coloured things: so it really cuts them out."""
    state = tiny_birefnet.tiny_state()
    last = "decoder.conv_out1.0."
    state[last + "weight"] *= 40
    state[last + "bias"] = 40 * (state[last + "bias"] - np.float32(logit))
    return state


@contextmanager
def detector_names_two_things(tokenizer_folder: Path) -> Iterator[None]:
    """Only the tokens that the detector is taken to have said are given: those of a random language model name
    nothing. It decodes its own in full before, and all that follows them is the usual way."""
    from manymesh.detect.qwen import decode, prompt

    reply = json.dumps(
        [{"bbox_2d": [60, 180, 440, 820], "label": "ball"}, {"bbox_2d": [590, 150, 910, 850], "label": "block"}]
    )
    tokens = prompt.load_tokenizer(tokenizer_folder)(reply)["input_ids"]
    real = decode.Decoder.run

    def run(self: decode.Decoder, *arguments: Any, **more: Any) -> decode.Answer:
        own = real(self, *arguments, **more)
        assert len(own.tokens) == DETECTOR_TOKENS
        return decode.Answer(tuple(tokens), "end")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode.Decoder, "run", run)
        yield


class Watch:
    """Which networks are in memory at which events of a run.

    Args:
        names: the class names of the networks.
    """

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.at_start: dict[str, set[str]] = {}
        self.at_work: dict[str, set[str]] = {}
        self.kinds: list[str] = []
        # Other tests' networks may live as long as this process does. Held, so that no address is used again.
        self.others = self.networks()

    def __call__(self, event: Event) -> None:
        self.kinds.append(event.kind)
        if event.kind == "stage-started":
            self.at_start[event.stage] = self.alive()
        working = "object-progress" if event.stage == "detect" else "object-done"
        if event.kind == working and event.stage not in self.at_work:
            self.at_work[event.stage] = self.alive()

    def alive(self) -> set[str]:
        before = {id(network) for network in self.others}
        return {type(network).__name__ for network in self.networks() if id(network) not in before}

    def networks(self) -> list[Any]:
        import torch

        gc.collect()
        modules = [thing for thing in gc.get_objects() if issubclass(type(thing), torch.nn.Module)]
        return [module for module in modules if type(module).__name__ in self.names]
