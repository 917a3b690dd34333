"""From a detector's boxes to detections: names for the prompt, duplicates, order, limits, smallest size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.types import Detection

# Intersection over union from which a box repeats an earlier one: with any label, and with the same label. Chosen by
# hand; not measured.
SAME_BOX = 0.95
SAME_BOX_AND_LABEL = 0.85


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names fit for a network's prompt: one line each, no control tokens, none empty, no repeats, order kept."""
    plain = (" ".join(re.sub(r"<\|[^|<>]*\|>|[<>|]", " ", name).split()).strip(" .,;:") for name in names)
    return tuple(dict.fromkeys(name for name in plain if name))


def name_groups(names: Sequence[str], max_names: int = 16, max_characters: int = 200) -> list[tuple[str, ...]]:
    """Names in groups that fit into one prompt each; one empty group when there are no names.

    Args:
        names: as ``clean_names`` returns them.
        max_names: names in a group.
        max_characters: characters in a group, separators included. A single longer name is cut.
    """
    groups: list[list[str]] = [[]]
    for name in names:
        full = len(groups[-1]) >= max_names or sum(len(n) + 2 for n in groups[-1]) + len(name) > max_characters
        if full and groups[-1]:
            groups.append([])
        groups[-1].append(name[:max_characters])
    return [tuple(group) for group in groups]


def same_word(a: str, b: str) -> bool:
    """Whether two words are equal when case and an English plural are ignored: "Cups" equals "cup"."""
    a, b = sorted((a.casefold().strip(), b.casefold().strip()), key=len)
    return b in (a, a + "s", a + "es")


def _name_index(label: str, names: Sequence[str]) -> int:
    """Index of the name that equals a label (see ``same_word``); the number of names where none does."""
    return next((index for index, name in enumerate(names) if same_word(label, name)), len(names))


def with_prompt_spelling(detections: Sequence[Detection], names: Sequence[str]) -> list[Detection]:
    """The same detections, with the user's spelling of each label that equals one of the names (see ``same_word``)."""
    return [replace(d, label=(*names, d.label)[_name_index(d.label, names)]) for d in detections]


def largest_in_order(detections: Sequence[Detection], names: Sequence[str], limit: int) -> list[Detection]:
    """The ``limit`` largest detections, in the order of the prompt's names, then left to right, then downward."""
    largest = sorted(detections, key=lambda d: (-d.box.area, d.box))[:limit]
    return sorted(
        largest,
        key=lambda d: (_name_index(d.label, names), d.box.x0 + d.box.x1, d.box.y0 + d.box.y1, d.box, d.label),
    )


def names_not_found(detections: Sequence[Detection], names: Sequence[str]) -> tuple[str, ...]:
    """The names that are no detection's label, in the prompt's order."""
    return tuple(name for name in names if not any(same_word(d.label, name) for d in detections))


def drop_duplicates(
    detections: Sequence[Detection],
    *,
    limit: int,
    any_label: float = SAME_BOX,
    same_label: float = SAME_BOX_AND_LABEL,
) -> list[Detection]:
    """The detections that do not repeat an earlier one, at most ``limit``, in order.

    A detection repeats a kept one when their intersection over union is at least ``any_label``, or at least
    ``same_label`` when their labels are equal in lower case. A part inside its whole overlaps little and stays.
    """
    kept: list[Detection] = []
    boxes = np.empty((limit, 4), np.int64)
    labels = np.empty(limit, object)
    seen: set[tuple[int, int, int, int]] = set()
    for detection in detections:
        if len(kept) >= limit:
            break
        if detection.box in seen:
            continue
        label = detection.label.casefold()
        n = len(kept)
        overlap = overlaps(np.array(detection.box), boxes[:n])
        if n and (overlap >= np.where(labels[:n] == label, min(same_label, any_label), any_label)).any():
            continue
        boxes[n], labels[n] = detection.box, label
        seen.add(detection.box)
        kept.append(detection)
    return kept


def overlaps(box: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[Any]:
    """(n,) intersection over union of one box (4,) with each of (n, 4)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return np.asarray(shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1))
