"""Parity of ``parse_boxes``: every reply of a malformed.jsonl must give the boxes and labels it states."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manymesh.detect.parse import parse_boxes
from manymesh.dev.parity_common import Row, checked, failed


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    for fixture in manifest.get("fixtures", []):
        name = str(fixture.get("id", fixture.get("file")))
        if not str(fixture.get("file", "")).endswith(".jsonl"):
            yield failed(name, "a fixture that is not understood here")
            continue
        lines = (directory / fixture["file"]).read_text("utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield from checked(f"{name}:{number}", lambda line=line: _reply(line))  # type: ignore[misc]


def _reply(line: str) -> Iterator[Row]:
    case = json.loads(line)
    width, height = case["image_size"]
    found = [
        {"label": d.label, "box": list(d.box)}
        for d in parse_boxes(case["reply"], width, height, names=case["categories"])
    ]
    stated = [value for key, value in case.items() if "tol" in key.lower() and isinstance(value, (int, float))]
    tolerance = float(max(stated, default=0))
    others = case.get("alternatives", [])
    accepted = [case["expected"], *([others] if others and isinstance(others[0], dict) else others)]
    errors = [error for expected in accepted if (error := _distance(found, expected)) is not None]
    if not errors:
        yield failed(
            case["id"], f"got {json.dumps(found)[:200]} where {json.dumps(case['expected'])[:200]} was expected"
        )
        return
    best = min(errors)
    yield Row(case["id"], best, best / max(width, height), tolerance, best <= tolerance)


def _distance(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> float | None:
    """Largest difference of a box side in pixels; None when the numbers of boxes or the labels differ."""
    if [f["label"] for f in found] != [e["label"] for e in expected]:
        return None
    sides = [abs(a - b) for f, e in zip(found, expected, strict=True) for a, b in zip(f["box"], e["box"], strict=True)]
    return float(max(sides, default=0))
