"""Textures by MV-Adapter on Stable Diffusion, from the published weights, in our own code. Importing this loads nothing
heavy."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manymesh.device.placement import slow_without_gpu
from manymesh.paint.mvadapter.memory import levels
from manymesh.paint.mvadapter.models import TEXTURE_PX
from manymesh.stages import Level, Paint, Stage
from manymesh.weights.families import APACHE, OPEN_RAIL

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MODULES = ("torch", "safetensors")


@contextmanager
def open_paint(settings: Settings, level: Level | None = None) -> Iterator[Paint]:
    """The stage of ``paint.mvadapter.stage``. What it gives has a ``begin`` that wants all cutouts before the first."""
    from manymesh.paint.mvadapter.stage import open_paint as opened

    with opened(settings, level) as painting:
        yield painting


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that brings it."""
    from manymesh.paint.mvadapter.models import BASES
    from manymesh.weights import missing as missing_weights

    absent = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if absent:
        return f'{" and ".join(absent)} not installed: run pip install "manymesh[hunyuan]"'
    wanted = BASES[settings.paint_base].weights
    return next((text for name in wanted if (text := missing_weights(name, settings.weights_dir))), None)


STAGE = Stage(
    name="mv-adapter",
    kind="paint",
    summary="MV-Adapter makes six views of the mesh with Stable Diffusion and bakes them into a texture",
    licence=f"{APACHE.name}; Stable Diffusion: {OPEN_RAIL.statement}",
    open=open_paint,
    missing=missing,
    slow_here=slow_without_gpu,
    levels=levels,
    open_at=open_paint,
    texture_px=TEXTURE_PX,
)
