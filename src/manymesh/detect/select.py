"""From what a detector saw to what is made: names, order, how many, and how large at least."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from manymesh.types import Box, Detection

SMALLEST_SIDE_PX = 16


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names fit for a network's prompt: one line each, no control tokens, no empty ones, no repeats, order kept."""
    plain = (" ".join(re.sub(r"<\|[^|<>]*\|>|[<>|]", " ", name).split()).strip(" .,;:") for name in names)
    return tuple(dict.fromkeys(name for name in plain if name))


def batches(names: Sequence[str], most: int = 16, most_characters: int = 200) -> list[tuple[str, ...]]:
    """Names in groups that a detector can look for at once; one empty group when there are no names."""
    groups: list[list[str]] = [[]]
    for name in names:
        full = len(groups[-1]) >= most or sum(len(n) + 2 for n in groups[-1]) + len(name) > most_characters
        if full and groups[-1]:
            groups.append([])
        groups[-1].append(name[:most_characters])
    return [tuple(group) for group in groups]


def same_word(a: str, b: str) -> bool:
    """Equal but for case and an English plural: "Cups" is "cup"."""
    a, b = sorted((a.casefold().strip(), b.casefold().strip()), key=len)
    return b in (a, a + "s", a + "es")


def _place(label: str, names: Sequence[str]) -> int:
    """Which of the names a label is; the number of names when it is none of them."""
    return next((place for place, name in enumerate(names) if same_word(label, name)), len(names))


def named_as_asked(detections: Sequence[Detection], names: Sequence[str]) -> list[Detection]:
    """The same with the user's own spelling where a label is one of the names but for case or plural."""
    return [replace(d, label=(*names, d.label)[_place(d.label, names)]) for d in detections]


def arranged(detections: Sequence[Detection], names: Sequence[str], most: int) -> list[Detection]:
    """At most ``most`` of them (the largest), in the order of the prompt's names, then left to right, then downward."""
    largest = sorted(detections, key=lambda d: (-d.box.area, d.box))[:most]
    return sorted(
        largest,
        key=lambda d: (_place(d.label, names), d.box.x0 + d.box.x1, d.box.y0 + d.box.y1, d.box, d.label),
    )


def not_found(detections: Sequence[Detection], names: Sequence[str]) -> tuple[str, ...]:
    """The names that no detection bears, in the prompt's order."""
    return tuple(name for name in names if not any(same_word(d.label, name) for d in detections))


def padded(box: Box, width: int, height: int, least_px: int = SMALLEST_SIDE_PX) -> Box:
    """The box, grown evenly where a side is shorter than ``least_px`` (as far as the photo allows)."""
    x0, x1 = _grown(box.x0, box.x1, least_px, width)
    y0, y1 = _grown(box.y0, box.y1, least_px, height)
    return Box(x0, y0, x1, y1)


def _grown(start: int, stop: int, least: int, limit: int) -> tuple[int, int]:
    lack = min(least, limit) - (stop - start)
    if lack <= 0:
        return start, stop
    start = min(max(start - lack // 2, 0), limit - min(least, limit))
    return start, start + min(least, limit)
