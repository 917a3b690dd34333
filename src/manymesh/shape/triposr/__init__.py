"""Shapes by TripoSR (Tochilkin et al. 2024) on any CPU: the published weights in networks written here, in NumPy.

Importing this loads nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manymesh.stages import Shape, Stage

if TYPE_CHECKING:
    from manymesh.settings import Settings


@contextmanager
def open_shape(settings: Settings) -> Iterator[Shape]:
    """``shape.triposr.stage.ShapeModel``, closed at the end."""
    from manymesh.shape.triposr.stage import open_shape as opened

    with opened(settings) as shape_model:
        yield shape_model


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that downloads it; None if nothing."""
    from manymesh.weights import missing as missing_weights

    return missing_weights("triposr", settings.weights_dir)


STAGE = Stage(
    name="triposr",
    kind="shape",
    summary="TripoSR makes the whole shape and its colours on any CPU, in well under a minute",
    licence="MIT",
    open=open_shape,
    missing=missing,
)
