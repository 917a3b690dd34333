"""Sentences of the other rooms as people read them on the page: without flags, shell commands and paths."""

from __future__ import annotations

import re
from functools import cache

from manymesh.settings import Settings
from manymesh.web.fields import LABELS

# What has a better wording on the page, before the general rules below.
_BETTER: tuple[tuple[str, str], ...] = (
    (r" Use --box x0,y0,x1,y1:name to name them yourself\.", " Rename them with Edit objects."),
    (
        r"Draw its box more tightly with --box, or bring a cutout: manymesh resume RUN --cutout \S+",
        "Draw its box again, more tightly.",
    ),
    (r"`manymesh resume` goes on from there", "Resume goes on from there"),
    (r"draw a --box, or take it whole with --whole-image-if-none", "draw a box, or take the whole photo"),
    (r" To find them by name here: [^.]*\.", " A download under Engines lets it look for names."),
    (r"the weights (\S+) are not here: run '[^']*'", r"the networks \1 are not downloaded"),
    (r"\(--engine (\w+) does it all the same\)", r"(chosen by name, \1 does it all the same)"),
    (r"(?:Run|run):? [`'\"]?(?:manymesh|pip)\b[^.`'\"]*[`'\"]?[^.]*", "whoever runs the server can mend this"),
)
_FLAG = re.compile(r"--([a-z][a-z-]+)")
_PATH = re.compile(r"(?<![\w/:])(?:~|[A-Za-z]:)?[/\\][\w.\-~]+(?:[/\\][\w.\-~]+)+[/\\]?")
_COMMAND = re.compile(r"--[a-z]|\bmanymesh [a-z]|\bpip install|HF_|_OFFLINE\b|`")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")


def for_page(text: str) -> str:
    """A sentence or several, for people on the page and behind the API.

    A flag that is a setting becomes the setting's name, a path the name of its file. A sentence that still speaks of
    commands is left out: what it advises cannot be done here.
    """
    for pattern, better in _BETTER:
        text = re.sub(pattern, better, text)
    text = _FLAG.sub(_setting, text)
    text = _short_paths(text)
    kept = [part for part in _SENTENCE.split(text) if not _COMMAND.search(part)]
    return " ".join(kept).strip()


def message_for_page(text: str) -> str:
    """As ``for_page``, but whole where nothing would be left of it: an error must say something."""
    return for_page(text) or literal(text)


def literal(text: str) -> str:
    """Every sentence as it is; a path becomes the name of its file."""
    return _short_paths(text).replace("`", "'")


def _short_paths(text: str) -> str:
    return _PATH.sub(lambda found: re.split(r"[/\\]", found[0].rstrip("/\\"))[-1], text)


@cache
def _flags() -> dict[str, str]:
    """What each flag of a setting is called in the form."""
    named = {}
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        flag = str(extra.get("flag", name)).replace("_", "-")
        named[flag] = LABELS.get(name, name.replace("_", " ").capitalize())
    return named


def _setting(found: re.Match[str]) -> str:
    name = _flags().get(found[1])
    return f"“{name}”" if name else found[0]
