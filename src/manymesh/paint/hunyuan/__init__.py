"""Textures by Hunyuan3D-2 Paint, from the official weights, in our own code. Importing this loads nothing heavy."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manymesh.device.placement import slow_without_gpu
from manymesh.paint.hunyuan.memory import levels
from manymesh.paint.hunyuan.settings import TEXTURE_PX
from manymesh.stages import Level, Paint, Stage
from manymesh.weights.families import HUNYUAN

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MODULES = ("torch", "safetensors")


@contextmanager
def open_paint(settings: Settings, level: Level | None = None) -> Iterator[Paint]:
    """The stage of ``paint.hunyuan.stage``. What it gives has a ``begin`` that wants all cutouts before the first."""
    from manymesh.paint.hunyuan.stage import open_paint as opened

    with opened(settings, level) as painting:
        yield painting


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that brings it."""
    from manymesh.paint.hunyuan.models import DELIGHT, VARIANTS
    from manymesh.weights import missing as missing_weights

    absent = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if absent:
        return f'{" and ".join(absent)} not installed: run pip install "manymesh[hunyuan]"'
    wanted = [VARIANTS[settings.paint_model].weights, *([DELIGHT] if settings.delight else [])]
    return next((text for name in wanted if (text := missing_weights(name, settings.weights_dir))), None)


def warm_up() -> None:
    """Import what the first object would wait for."""
    for module in (
        "manymesh.paint.hunyuan.stage",
        "manymesh.paint.hunyuan.surface_torch",
        "manymesh.mesh.unwrap.unwrap",
    ):
        importlib.import_module(module)


STAGE = Stage(
    name="hunyuan3d-paint",
    kind="paint",
    summary="Hunyuan3D-2 Paint makes six views of the mesh and bakes them into a texture",
    licence=HUNYUAN.statement,
    open=open_paint,
    missing=missing,
    slow_here=slow_without_gpu,
    thread_safe=True,
    levels=levels,
    open_at=open_paint,
    texture_px=TEXTURE_PX,
    warm_up=warm_up,
)
