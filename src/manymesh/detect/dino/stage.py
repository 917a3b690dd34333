"""The stage ``dino``: Grounding DINO (Liu et al. 2023), or MM Grounding DINO, which takes the same input."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.detect.dino import inputs
from manymesh.detect.postprocess import clean_names, drop_duplicates, largest_in_order, name_groups
from manymesh.detect.transformers_files import load_pretrained, load_tokenizer
from manymesh.device.placement import place
from manymesh.settings import Settings
from manymesh.stages import Detect, Stage, Tick
from manymesh.types import F32, U8, Box, Detection, Photo
from manymesh.weights import missing as missing_weights
from manymesh.weights import require

WEIGHTS = {"dino": "grounding-dino-tiny", "dino-mm": "mm-grounding-dino-tiny"}
# Least score of a box. Chosen by hand; not measured.
THRESHOLD = 0.3
# Intersection over union from which two boxes of one name are the same object. Chosen by hand; not measured.
_SAME_NAME_OVERLAP = 0.7
# What is asked for where the user names nothing.
_ANYTHING = ("object",)
# Boxes narrower or lower than this are dropped, as for the other detectors. Chosen by hand; not measured.
_THINNEST_PX = 8

Look = Callable[[U8, Sequence[str]], "tuple[F32, F32]"]
"""Picture and names to scores (queries, names) and boxes (queries, 4): centre x, y, width, height, as shares."""


@contextmanager
def open_detect(settings: Settings) -> Iterator[Detect]:
    """Load the model that the settings name, and give a function from photo and names to detections.

    The model is freed at the end of the block, whoever still holds the function.
    """
    root = require(WEIGHTS.get(settings.detector, WEIGHTS["dino"]), settings.weights_dir).root
    assert root is not None
    model = Model(root, settings)

    def detect(photo: Photo, names: Sequence[str], *, tick: Tick) -> Sequence[Detection]:
        # One more shows that there are more.
        return find(photo, names, model, tick, source=settings.detector, most=settings.max_objects + 1)

    try:
        yield detect
    finally:
        model.close()


class Model:
    """The loaded network, a ``Look``. Always float32: half precision is not validated for this family.

    Args:
        folder: the model's, in transformers' layout.
        settings: the run's.

    Raises ``WeightsError`` for a damaged folder.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        import torch
        from transformers import AutoConfig, AutoModelForZeroShotObjectDetection

        self.device = place(settings.devices, "detect", half="float32").device
        self.tokenizer = load_tokenizer(folder)
        self.sizing = inputs.read_sizing(folder)
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        network = load_pretrained(
            AutoModelForZeroShotObjectDetection,
            folder,
            lambda: AutoModelForZeroShotObjectDetection.from_config(config),
            dtype=torch.float32,
        )
        self.network: Any = network.to(self.device).eval().requires_grad_(False)

    def __call__(self, rgb: U8, names: Sequence[str]) -> tuple[F32, F32]:
        """Raises ``NotFiniteError`` when the network's numbers are NaN or infinite."""
        import torch

        from manymesh.device.number_format import require_finite

        text, places = inputs.tokens(self.tokenizer, names)
        with torch.inference_mode():
            out = self.network(
                pixel_values=torch.from_numpy(inputs.pixels(rgb, self.sizing)).to(self.device),
                **{key: value.to(self.device) for key, value in text.items()},
            )
        by_token = require_finite(out.logits[0].sigmoid(), "detector").float().cpu().numpy()
        none = np.zeros(len(by_token), np.float32)
        scores = [by_token[:, at].max(1) if at else none for at in places]
        return np.stack(scores, 1), require_finite(out.pred_boxes[0], "detector").float().cpu().numpy()

    def close(self) -> None:
        """Free the network."""
        self.network = None


def find(photo: Photo, names: Sequence[str], look: Look, tick: Tick, *, source: str, most: int) -> list[Detection]:
    """Look for the names (for any object, without names), a few at a time; scores are the network's own."""
    wanted = clean_names(names)
    groups = name_groups(wanted or _ANYTHING)
    found: list[Detection] = []
    for number, group in enumerate(groups):
        tick(number / len(groups))
        scores, boxes = look(photo.rgb, group)
        found += detections(scores, boxes, group, photo.width, photo.height, source)
    tick(1.0)
    best_first = sorted(found, key=lambda d: (-(d.score or 0.0), d.box, d.label))
    kept = drop_duplicates(best_first, limit=4 * most, same_label=_SAME_NAME_OVERLAP)
    return largest_in_order(kept, wanted, most)


def detections(scores: F32, boxes: F32, names: Sequence[str], width: int, height: int, source: str) -> list[Detection]:
    """The queries whose best name scores at least 0.3, as pixel boxes rounded outward, at least 8 px on each side."""
    best = scores.argmax(1)
    found: list[Detection] = []
    for query in np.flatnonzero(scores.max(1) >= THRESHOLD):
        x, y, w, h = (float(v) for v in boxes[query])
        if not np.isfinite([x, y, w, h]).all():
            continue
        sides = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * (width, height, width, height)
        # Rounded outward, but not for the sake of float32's last digits.
        low, high = np.floor(sides[:2] + 1e-3).astype(int), np.ceil(sides[2:] - 1e-3).astype(int)
        box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1])).clipped(width, height)
        if min(box.width, box.height) >= _THINNEST_PX:
            name = best[query]
            found.append(Detection(box, names[name], score=float(scores[query, name]), source=source))
    return found


# Versions from 5.10 on tie five of MM Grounding DINO's six box heads to the first, whatever its config says.
_MM_NEEDS = (5, 21)


def _numbers(text: str) -> tuple[int, ...]:
    """Major and minor: (5, 21) of "5.21.0"."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that brings it."""
    absent = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    if absent:
        return f'{" and ".join(absent)} not installed: run pip install "manymesh[hunyuan]"'
    if settings.detector == "dino-mm" and (installed := version("transformers")) and _numbers(installed) < _MM_NEEDS:
        needed = ".".join(map(str, _MM_NEEDS))
        return f'transformers {installed} loads dino-mm wrongly: run pip install "transformers>={needed}"'
    return missing_weights(WEIGHTS.get(settings.detector, WEIGHTS["dino"]), settings.weights_dir)


STAGE = Stage(
    name="dino",
    kind="detect",
    summary="Grounding DINO finds the nouns you name, in seconds on a CPU",
    licence="Apache-2.0",
    open=open_detect,
    missing=missing,
    reads_names=True,
)
