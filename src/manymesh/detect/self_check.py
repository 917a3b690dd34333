"""What ``manymesh models verify --deep`` checks of a detector. ``Model.self_check`` names ``grounding_dino``, ``qwen``.

These networks are transformers' own. So the check that counts is a look at a drawn picture: some versions of the
library load some weights wrongly and say nothing, and the boxes are then a few pixels wide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from manymesh.detect.probe import probe_detector
from manymesh.detect.transformers_files import WHAT, require_headers, weight_files
from manymesh.settings import Settings
from manymesh.stages import Tick
from manymesh.types import Detection, Photo
from manymesh.weights.deep import (
    LATER,
    LOADED,
    SQUARES,
    TENSORS,
    VALUES,
    Machine,
    StoredNetwork,
    check_values,
    from_probe,
)
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, attempt, failed, not_possible, passed
from manymesh.weights.locate import Found

# Objects that the detector may report. There are two; a few more show what it imagines.
_MOST = 8
# What transformers raises for a damaged or foreign config.json.
_FOREIGN = (OSError, ValueError, KeyError, TypeError, AttributeError)


def grounding_dino(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of a Grounding DINO whose files are ``found``."""
    from transformers import AutoModelForZeroShotObjectDetection

    assert found.root is not None
    folder = found.root
    yield from _files(folder, AutoModelForZeroShotObjectDetection.from_config)
    if not machine.thorough:
        yield not_possible(SQUARES, LATER)
        return
    from manymesh.detect.dino.stage import Model as Network
    from manymesh.detect.dino.stage import find

    load = partial(Network, folder, _settings(machine))
    yield from _opened_and_asked(load, lambda network: network, find, model.id)


def qwen(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of a Qwen3-VL whose files are ``found``."""
    from transformers import Qwen3VLForConditionalGeneration

    assert found.root is not None
    folder = found.root
    yield from _files(folder, Qwen3VLForConditionalGeneration)
    if not machine.thorough or machine.device == "cpu":
        yield not_possible(SQUARES, "not looked at: it takes minutes without a GPU" if machine.thorough else LATER)
        return
    from manymesh.detect.qwen.model import Model as Network
    from manymesh.detect.qwen.stage import find

    load = partial(Network, folder, _settings(machine))
    yield from _opened_and_asked(load, lambda network: network.ask, find, model.id)


def _files(folder: Path, build: Callable[[Any], Any]) -> list[Finding]:
    """Names and shapes from the headers alone, and the numbers."""

    def values() -> Finding:
        return check_values([StoredNetwork(path.name, lambda: build(None), path) for path in weight_files(folder)])

    return [attempt(TENSORS, lambda: _tensors(folder, build)), attempt(VALUES, values)]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _tensors(folder: Path, build: Callable[[Any], Any]) -> Finding:
    import torch
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        with torch.device("meta"):
            network = build(config)
    except _FOREIGN as error:
        return failed(TENSORS, f"config.json describes no network of this kind: {_first_line(error)}")
    count = require_headers(folder, network)
    return passed(TENSORS, f"all {count} tensors are {WHAT}", tensors=count)


def _opened_and_asked(
    load: Callable[[], Any], ask_of: Callable[[Any], Any], find: Callable[..., Sequence[Detection]], name: str
) -> Iterator[Finding]:
    """Load a detector, which compares every tensor with the file's, and let it look at two drawn squares.

    Args:
        load: makes the stage's own model.
        ask_of: what of it ``find`` asks.
        find: the stage's own.
        name: of the model in the catalogue.
    """
    opened: list[Any] = []

    def loading() -> Finding:
        try:
            opened.append(load())
        except _FOREIGN as error:
            return failed(LOADED, f"transformers cannot load it: {_first_line(error)}")
        return passed(LOADED, "every tensor was compared by sampled values")

    yield attempt(LOADED, loading)
    for network in opened:
        try:
            yield from _asked(partial(find, source=name, most=_MOST), ask_of(network))
        finally:
            network.close()


def _asked(find: Callable[..., Sequence[Detection]], ask: Any) -> list[Finding]:
    """The look at two drawn squares."""

    def detect(photo: Photo, names: Sequence[str], *, tick: Tick) -> Sequence[Detection]:
        return find(photo, names, ask, tick)

    return [from_probe(one) for one in probe_detector(detect)]


def _settings(machine: Machine) -> Settings:
    return Settings(devices=(f"detect={machine.device}",))
