"""Parity of the Hunyuan3D-2 painter, driven by the manifest of a folder of paint fixtures.

The networks and pipelines stand in ``parity_paint_networks``, the renderer and baker in ``parity_paint_render``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity import Row, checked, failed

Arrays = dict[str, np.ndarray]
Compare = Callable[[Path, dict[str, Any], str], Iterator[Row]]


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    from manymesh.dev import parity_paint_networks, parity_paint_render

    tables = {**parity_paint_networks.FIXTURES, **parity_paint_render.FIXTURES}
    for fixture in manifest.get("fixtures", []):
        name = str(fixture.get("name"))
        # Hidden sets may add to a fixture's name; the longest known beginning says what it is.
        known = max((key for key in tables if name.startswith(key)), key=len, default=None)
        if known is None:
            yield failed(name, "a fixture of this name is not understood here")
        else:
            yield from checked(name, lambda f=fixture, c=tables[known], n=name: c(directory, f, n))  # type: ignore[misc]


def arrays(directory: Path, fixture: dict[str, Any]) -> Arrays:
    from safetensors.numpy import load_file

    return load_file(directory / fixture["file"])


def relative(name: str, actual: Any, expected: Any, tolerance: float, least: float = 0.0) -> Row:
    """Largest error, held against ``tolerance`` times the largest expected magnitude (at least ``least``)."""
    from manymesh.dev.parity import compare

    scale = max(float(np.abs(np.asarray(expected, np.float64)).max(initial=0)), least)
    return compare(name, actual, expected, tolerance * scale)


def share(name: str, actual: Any, expected: Any, within: float, wanted: float, *, where: Any = None) -> Row:
    """How many places agree ``within`` a distance; passes when that share is at least ``wanted``."""
    a, e = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if a.shape != e.shape:
        return failed(name, f"shape {a.shape} where {e.shape} was expected")
    apart = np.abs(a - e)
    apart = apart.reshape(*apart.shape[:2], -1).max(axis=2) if apart.ndim > 2 else apart
    apart = apart if where is None else apart[where]
    agreeing = float((apart <= within).mean()) if apart.size else 1.0
    worst = float(apart.max(initial=0))
    scale = max(float(np.abs(e).max(initial=0)), 1e-12)
    note = f"{100 * agreeing:.3f} % within {within:g}"
    return Row(name, worst, worst / scale, within, agreeing >= wanted, note)
