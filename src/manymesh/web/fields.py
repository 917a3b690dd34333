"""Form fields made from ``Settings``: a setting's description, limits and choices become those of its field."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from typing import Any

import gradio as gr

from manymesh.settings import Settings
from manymesh.web.service import LOCAL_SETTINGS

# Shown first, in this order, where ``Settings`` has them; all others are folded away.
FIRST = ("prompt", "texture", "engine", "faces", "seed", "formats", "memory")

# Has a better place than a form: boxes are drawn on the photo.
ON_THE_PAGE = ("boxes",)


def names() -> tuple[list[str], list[str]]:
    """The settings that are shown first, and those that are folded away."""
    known = [name for name in Settings.model_fields if name not in (*ON_THE_PAGE, *LOCAL_SETTINGS)]
    first = [name for name in FIRST if name in known]
    return first, [name for name in known if name not in first]


def component(name: str) -> gr.components.Component:
    """The field for one setting.

    Raises:
        TypeError: the setting is of a type that no field is known for; add it here.
    """
    field = Settings.model_fields[name]
    label, info = name.replace("_", " ").capitalize(), field.description
    kind, default = _plain(field.annotation), field.default
    limits = {key: getattr(item, key) for item in field.metadata for key in ("ge", "le") if hasattr(item, key)}
    if kind is bool:
        return gr.Checkbox(value=default, label=label, info=info)
    if typing.get_origin(kind) is typing.Literal:
        choices = list(typing.get_args(kind))
        if len(choices) <= 4:
            return gr.Radio(choices, value=default, label=label, info=info)
        return gr.Dropdown(choices, value=default, label=label, info=info)
    if typing.get_origin(kind) is tuple and typing.get_origin(typing.get_args(kind)[0]) is typing.Literal:
        choices = list(typing.get_args(typing.get_args(kind)[0]))
        return gr.CheckboxGroup(choices, value=list(default), label=label, info=info)
    if _is_word_list(name):
        return gr.Textbox(value=",".join(default), label=label, info=f"{info} Comma-separated.", lines=1)
    if kind in (int, float) and default is None:
        # Gradio's number field shows an empty value as 0, which would then be sent as the user's wish.
        return gr.Textbox(value="", label=label, info=info, lines=1)
    if kind in (int, float):
        return gr.Number(
            value=default,
            label=label,
            info=info,
            precision=0 if kind is int else None,
            minimum=limits.get("ge"),
            maximum=limits.get("le"),
        )
    if kind is str:
        return gr.Textbox(value=default or "", label=label, info=info, lines=1)
    raise TypeError(f"no field is known for the setting '{name}' of type {kind}")


def values(names_in_order: Sequence[str], given: Sequence[Any]) -> dict[str, Any]:
    """What the form's fields hold, as settings; a field that was emptied means its default."""
    pairs = zip(names_in_order, given, strict=True)
    filled = {name: value for name, value in pairs if value is not None and value != ""}
    return {name: _split_words(value) if _is_word_list(name) else value for name, value in filled.items()}


def _is_word_list(name: str) -> bool:
    """Whether a setting is an open list of words, which a form takes as one line."""
    return bool(_plain(Settings.model_fields[name].annotation) == tuple[str, ...])


def _split_words(text: str) -> list[str]:
    return [word.strip() for word in str(text).split(",") if word.strip()]


def _plain(annotation: Any) -> Any:
    """``X`` for ``X | None``."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return next(arg for arg in typing.get_args(annotation) if arg is not type(None))
    return annotation
