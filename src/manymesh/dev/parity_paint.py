"""Parity of the Hunyuan3D-2 painter, driven by the manifest of a folder of paint fixtures.

Networks and pipelines are in ``parity_paint_networks``, renderer and baker in ``parity_paint_render``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manymesh.dev import parity_paint_networks, parity_paint_render
from manymesh.dev.parity_common import Row, checked, comparison_for, failed

FIXTURES = {**parity_paint_networks.FIXTURES, **parity_paint_render.FIXTURES}


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    """Every row of every fixture; an unknown fixture is a failing row."""
    for fixture in manifest.get("fixtures", []):
        name = str(fixture.get("name"))
        compare_fixture = comparison_for(name, FIXTURES)
        if compare_fixture is None:
            yield failed(name, "a fixture of this name is not understood here")
        else:
            yield from checked(name, lambda f=fixture, c=compare_fixture, n=name: c(directory, f, n))  # type: ignore[misc]
