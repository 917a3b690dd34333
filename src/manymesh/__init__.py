"""manymesh: one photo and a few words into many textured 3D meshes.

    import manymesh

    run = manymesh.make("desk.jpg", prompt="cup, spoon")
    for made in run.objects:
        print(made.label, made.files["model"])

Names are imported when they are used, so ``import manymesh`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from manymesh._version import __version__

if TYPE_CHECKING:
    from manymesh.api import ObjectResult, Result, make, open_run
    from manymesh.errors import (
        Cancelled,
        InputError,
        LicenceError,
        ManymeshError,
        MissingPieceError,
        NothingFoundError,
        ObjectError,
        OutOfMemoryError,
        OutputError,
        UsageError,
        WeightsError,
    )
    from manymesh.events import Cancel, Event
    from manymesh.pipeline import Pipeline
    from manymesh.settings import Settings

_HOMES = {
    "manymesh.api": ("ObjectResult", "Result", "make", "open_run"),
    "manymesh.errors": (
        "Cancelled",
        "InputError",
        "LicenceError",
        "ManymeshError",
        "MissingPieceError",
        "NothingFoundError",
        "ObjectError",
        "OutOfMemoryError",
        "OutputError",
        "UsageError",
        "WeightsError",
    ),
    "manymesh.events": ("Cancel", "Event"),
    "manymesh.pipeline": ("Pipeline",),
    "manymesh.settings": ("Settings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022 - the order a reader wants: what to call first
    "make",
    "open_run",
    "Result",
    "ObjectResult",
    "Pipeline",
    "Settings",
    "Cancel",
    "Event",
    "ManymeshError",
    "Cancelled",
    "InputError",
    "LicenceError",
    "MissingPieceError",
    "NothingFoundError",
    "ObjectError",
    "OutOfMemoryError",
    "OutputError",
    "UsageError",
    "WeightsError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'manymesh' has no attribute '{name}'")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
