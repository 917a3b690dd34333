"""What a random network's answer is replaced by, so that the walk goes on with sane values. No work is left out.

Random weights find nothing, cut out noise and make no surface. So each network runs in full, and what it says is then
exchanged: the detector decodes all its tokens and is given boxes, the matte network's alpha becomes the outline that
was drawn, and the point decoder is asked for every point that a mug's surface needs and answers with the mug's field.
The painter's pictures stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image, ImageDraw

GROUND = (228, 226, 220)
COLOURS = ((176, 58, 46), (46, 110, 176), (58, 140, 82))
LABEL = "mug"
Box = tuple[float, float, float, float]


def photo(count: int, width: int, height: int) -> tuple[Image.Image, list[Box]]:
    """``count`` drawn mugs side by side on plain ground, and their boxes as shares of the sides."""
    picture = Image.new("RGB", (4 * width, 4 * height), GROUND)
    draw, boxes = ImageDraw.Draw(picture), []
    step = 1 / count
    for number in range(count):
        x0, x1 = (number + 0.14) * step, (number + 0.86) * step
        tall = min(0.84, (x1 - x0) * width / height * 1.1)
        y0, y1 = 0.5 - tall / 2, 0.5 + tall / 2
        body = x0 + 0.74 * (x1 - x0)
        left, right, top, bottom = (4 * v for v in (x0 * width, body * width, y0 * height, y1 * height))
        end, line = 4 * x1 * width, max(round(0.05 * (bottom - top)), 4)
        colour = COLOURS[number % len(COLOURS)]
        rows = np.array([0.2, 0.75]) * (bottom - top) + top
        draw.ellipse((2 * right - end, rows[0], end, rows[1]), outline=colour, width=line)
        draw.rounded_rectangle((left, top, right, bottom), radius=2 * line, fill=colour)
        draw.rectangle((left + 2 * line, rows[0], right - 2 * line, rows[0] + 2 * line), fill=(240, 220, 160))
        boxes.append((x0, y0, x1, y1))
    return picture.resize((width, height), Image.Resampling.LANCZOS), boxes


def outline(rgb: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 to alpha (h, w) uint8: what is not ground."""
    apart = np.abs(rgb.astype(np.int16) - np.array(GROUND, np.int16)).max(axis=2)
    return (np.clip(apart / 40, 0, 1) * 255).astype(np.uint8)


def mug(points: torch.Tensor) -> torch.Tensor:
    """(N, 3) points of the network's box to (N,) logits: an open cup with a handle, ten for each unit of distance."""
    x, y, z = points.unbind(dim=1)
    x = x + 0.15
    round_ = torch.hypot(x, z)
    outer = torch.minimum(0.55 - round_, 0.75 - y.abs())
    inner = torch.minimum(0.47 - round_, y + 0.66)
    ring = 0.08 - torch.hypot(torch.hypot(x - 0.6, y) - 0.33, z)
    handle = torch.minimum(ring, round_ - 0.5)
    return 10 * torch.maximum(torch.minimum(outer, -inner), handle)


@contextmanager
def exchanged(boxes: Sequence[Box]) -> Iterator[None]:
    """Answers are exchanged inside the block."""
    from manymesh.detect.qwen import model as detect
    from manymesh.matte.birefnet import stage as matte
    from manymesh.shape.hunyuan import decode as shape

    reply = json.dumps([{"bbox_2d": [round(1000 * value) for value in box], "label": LABEL} for box in boxes])
    with ExitStack() as held:
        held.enter_context(mock.patch.object(detect, "Decoder", _deaf(detect.Decoder)))
        held.enter_context(mock.patch.object(detect, "Model", _replying(detect.Model, reply)))
        # Random weights may say one token over and over, which would be asked for again in float32.
        held.enter_context(mock.patch.object(detect, "says_nothing", return_value=False))
        held.enter_context(mock.patch.object(matte, "AlphaNetwork", _outlining(matte.AlphaNetwork)))
        held.enter_context(mock.patch.object(shape, "GridDecoder", _mug_field(shape.GridDecoder)))
        yield


def _deaf(kind: Any) -> Any:
    """A decoder that no token and no watch ends before the limit; both are looked at all the same."""

    class Deaf(kind):  # type: ignore[misc]
        def __init__(self, model: Any) -> None:
            super().__init__(model)
            self.ends = frozenset()

        def run(self, inputs: Any, most: int, watch: Any, tick: Any, use_graph: bool = True) -> Any:
            def looked(tokens: Sequence[int]) -> None:
                watch(tokens)

            answer = super().run(inputs, most, looked, tick, use_graph)
            assert len(answer.tokens) == most, "the detector did not decode all its tokens"
            return answer

    return Deaf


def _replying(kind: Any, reply: str) -> Any:
    class Replying(kind):  # type: ignore[misc]
        def ask(self, question: str, rgb: Any, tick: Any) -> str:
            super().ask(question, rgb, tick)
            return reply

    return Replying


def _outlining(kind: Any) -> Any:
    class Outlining(kind):  # type: ignore[misc]
        def __call__(self, rgb: Any) -> Any:
            super().__call__(rgb)
            return outline(rgb)

    return Outlining


def _mug_field(kind: Any) -> Any:
    class MugField(kind):  # type: ignore[misc]
        def __call__(self, index: torch.Tensor, resolution: int) -> torch.Tensor:
            super().__call__(index, resolution)
            return mug(index.float() * (2 * self.bounds / resolution) - self.bounds)

    return MugField
