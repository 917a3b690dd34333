"""What a setting's value must look like beyond its type. Each function gives the value or raises ``ValueError`` with a
sentence for people.
"""

from __future__ import annotations

import re
from typing import Any

from manymesh.stages import KINDS

SIDES = ("left", "back", "right")
_KINDS = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"


def known_devices(value: tuple[str, ...]) -> tuple[str, ...]:
    """``DEVICE`` or ``STAGE=DEVICE`` each."""
    for item in value:
        stage, equals, device = item.rpartition("=")
        if equals and stage not in KINDS:
            raise ValueError(f"'{item}' names no stage: use {_KINDS}")
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,2})?", device):
            raise ValueError(f"'{item}' names no device: use auto, cpu, cuda, cuda:N or mps")
    return value


def known_views(value: tuple[str, ...]) -> tuple[str, ...]:
    """``SIDE=FILE`` each, every side once."""
    sides = []
    for item in value:
        side, equals, file = item.partition("=")
        if side not in SIDES or not equals or not file:
            raise ValueError(f"'{item}' is not a view: write left=FILE, back=FILE or right=FILE")
        sides.append(side)
    if len(set(sides)) < len(sides):
        raise ValueError("a side may be given once")
    return value


def known_paint_views(value: str) -> str:
    """Up to twelve times ``AZIMUTH:ELEVATION:WEIGHT``."""
    item = r"\s*-?\d{1,3}:-?\d{1,2}:\d*\.?\d+\s*"
    if not re.fullmatch(rf"{item}(,{item}){{0,11}}", value):
        raise ValueError(f"'{value}' is no list of up to 12 views: write AZIMUTH:ELEVATION:WEIGHT,...")
    return value


def known_stages(value: tuple[str, ...]) -> tuple[str, ...]:
    """``STAGE=NAME`` each."""
    for item in value:
        stage, equals, name = item.partition("=")
        if stage not in KINDS or not equals or not name:
            raise ValueError(f"'{item}' is not STAGE=NAME with {_KINDS}")
    return value


def split_formats(value: Any) -> Any:
    """One text with commas, or several, as a tuple of lower-case endings."""
    items = value.split(",") if isinstance(value, str) else list(value)
    wanted = [str(item).strip().lower().lstrip(".") for item in items if str(item).strip()]
    # GLB is always written: the scene, previews and resume read it.
    return tuple(dict.fromkeys(["glb", *wanted]))
