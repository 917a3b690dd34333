"""Form fields made from ``Settings``: a setting's description, limits and choices become those of its field."""

from __future__ import annotations

import types
import typing
from typing import Any

from manymesh.settings import Settings

# Settings that name files of this machine, which nobody may do over the network.
LOCAL_SETTINGS = ("views", "weights_dir")
# Have better places than a form: boxes are drawn on the photo, and stages are chosen by naming an engine.
ON_THE_PAGE = ("boxes",)

# Settings that only some engines heed.
OF_ENGINES = {
    "detector": ("small", "open", "hunyuan"),
    "detector_tokens": ("open", "hunyuan"),
    "matte_model": ("open", "hunyuan"),
    "shape_model": ("hunyuan",),
}
# Rooms whose settings an engine heeds. ``open`` reads its shapes out as ``hunyuan`` does.
OF_ROOMS = {
    "manymesh.shape.hunyuan.settings": ("open", "hunyuan"),
    "manymesh.shape.triposg.settings": ("open",),
    "manymesh.paint.hunyuan.settings": ("hunyuan",),
    "manymesh.paint.mvadapter.settings": ("open",),
}
# What the size of a field's label may hide: a name that says what it is to people.
LABELS = {"prompt": "What to make", "faces": "Faces", "up": "Up axis", "sizes": "Size", "seed": "Seed"}


def describe() -> list[dict[str, Any]]:
    """Every field of the form, in the order of ``Settings``, as plain data for the page's script."""
    return [field(name) for name in Settings.model_fields if name not in ON_THE_PAGE and name not in LOCAL_SETTINGS]


def field(name: str) -> dict[str, Any]:
    """One field: ``name``, ``label``, ``info``, ``group``, ``kind``, ``default``, and what its kind needs.

    Kinds: "switch", "choice" (one of ``choices``), "choices" (several), "number" (within ``min`` and ``max``), "words"
    (a list that is written with commas), "text".

    Raises:
        TypeError: the setting is of a type that no field is known for; add it here.
    """
    about = Settings.model_fields[name]
    kind, default = _plain(about.annotation), about.default
    extra = about.json_schema_extra if isinstance(about.json_schema_extra, dict) else {}
    described = {
        "name": name,
        "label": LABELS.get(name, name.replace("_", " ").capitalize()),
        "info": about.description or "",
        "group": extra.get("group", "engine"),
        "engines": list(_engines_of(name)),
        "default": list(default) if isinstance(default, tuple) else default,
    }
    if kind is bool:
        return {**described, "kind": "switch"}
    if typing.get_origin(kind) is typing.Literal:
        return {**described, "kind": "choice", "choices": list(typing.get_args(kind))}
    if typing.get_origin(kind) is tuple and typing.get_origin(typing.get_args(kind)[0]) is typing.Literal:
        return {**described, "kind": "choices", "choices": list(typing.get_args(typing.get_args(kind)[0]))}
    if kind == tuple[str, ...]:
        return {**described, "kind": "words"}
    if kind in (int, float):
        limits = {key: getattr(item, key) for item in about.metadata for key in ("ge", "le") if hasattr(item, key)}
        return {**described, "kind": "number", "min": limits.get("ge"), "max": limits.get("le")}
    if kind is str:
        return {**described, "kind": "text"}
    raise TypeError(f"no field is known for the setting '{name}' of type {kind}")


def _engines_of(name: str) -> tuple[str, ...]:
    """The engines that heed a setting; () for one that all of them heed."""
    if name in OF_ENGINES:
        return OF_ENGINES[name]
    owner = next((base for base in Settings.__mro__ if name in vars(base).get("__annotations__", {})), Settings)
    return OF_ROOMS.get(owner.__module__, ())


def _plain(annotation: Any) -> Any:
    """``X`` for ``X | None``."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return next(arg for arg in typing.get_args(annotation) if arg is not type(None))
    return annotation
