"""Qwen3-VL finds objects by name. Importing this loads no large library: `auto` only asks whether it could run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manymesh.detect.qwen.memory import levels
from manymesh.device.placement import slow_without_gpu
from manymesh.stages import Detect, Level, Stage

if TYPE_CHECKING:
    from manymesh.settings import Settings


@contextmanager
def open_detect(settings: Settings, level: Level | None = None) -> Iterator[Detect]:
    """The stage of ``detect.qwen.stage``."""
    from manymesh.detect.qwen.stage import open_detect as opened

    with opened(settings, level) as detect:
        yield detect


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that brings it."""
    from manymesh.weights import missing as missing_weights

    absent = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    if absent:
        return f'{" and ".join(absent)} not installed: run pip install "manymesh[hunyuan]"'
    if not settings.detector.startswith("qwen3-vl"):
        return f"the detector is set to {settings.detector}: use --detector qwen3-vl-2b"
    return missing_weights(settings.detector, settings.weights_dir)


def instead(settings: Settings) -> str | None:
    """The stage of the detector that the settings name; None where it is this one."""
    if settings.detector.startswith("qwen3-vl"):
        return None
    return "owlvit" if settings.detector.startswith("owl") else "dino"


STAGE = Stage(
    name="qwen3-vl",
    kind="detect",
    summary="Qwen3-VL finds every object you name, in plain words",
    licence="Apache-2.0",
    open=open_detect,
    missing=missing,
    slow_here=slow_without_gpu,
    instead=instead,
    reads_names=True,
    levels=levels,
    open_at=open_detect,
)
