"""Shapes by TripoSG (Li et al. 2025): the official weights in networks written here.

Importing this loads nothing heavy.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manymesh.device.placement import slow_without_gpu
from manymesh.shape.triposg.memory import levels
from manymesh.shape.triposg.models import WEIGHTS
from manymesh.stages import Level, Shape, Stage
from manymesh.weights.families import MIT

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MODULES = {"torch": "torch", "safetensors": "safetensors"}


@contextmanager
def open_shape(settings: Settings, level: Level | None = None) -> Iterator[Shape]:
    """``shape.triposg.stage.ShapeModel``, closed at the end. Its ``begin`` takes all cutouts before the first call."""
    from manymesh.shape.triposg.stage import open_shape as opened

    with opened(settings, level) as shape_model:
        yield shape_model


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that installs or downloads it; None if nothing."""
    from manymesh.weights import missing as missing_weights

    absent = [package for module, package in _MODULES.items() if importlib.util.find_spec(module) is None]
    if absent:
        return f'{" and ".join(absent)} not installed: run pip install "manymesh[hunyuan]"'
    return missing_weights(WEIGHTS, settings.weights_dir)


STAGE = Stage(
    name="triposg",
    kind="shape",
    summary="TripoSG makes the whole shape, its back too, from one cutout",
    licence=MIT.statement,
    open=open_shape,
    missing=missing,
    slow_here=slow_without_gpu,
    thread_safe=True,
    levels=levels,
    open_at=open_shape,
)
