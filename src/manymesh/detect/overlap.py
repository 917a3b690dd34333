"""One detection for one thing: near-equal boxes are dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manymesh.types import Detection

SAME_BOX = 0.95
SAME_BOX_AND_LABEL = 0.85


def distinct(
    detections: Sequence[Detection],
    *,
    most: int,
    any_label: float = SAME_BOX,
    same_label: float = SAME_BOX_AND_LABEL,
) -> list[Detection]:
    """The detections that are not a repeat of one before them, at most ``most``, in order.

    A repeat overlaps a kept one (intersection over union) by ``any_label``, or by ``same_label`` when the labels are
    equal but for case. A part inside its whole overlaps little and stays.
    """
    kept: list[Detection] = []
    boxes = np.empty((most, 4), np.int64)
    labels = np.empty(most, object)
    seen: set[tuple[int, int, int, int]] = set()
    for detection in detections:
        if len(kept) >= most:
            break
        if detection.box in seen:
            continue
        label = detection.label.casefold()
        n = len(kept)
        overlap = _overlaps(np.array(detection.box), boxes[:n])
        if n and (overlap >= np.where(labels[:n] == label, min(same_label, any_label), any_label)).any():
            continue
        boxes[n], labels[n] = detection.box, label
        seen.add(detection.box)
        kept.append(detection)
    return kept


def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with each of (n, 4)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1)
