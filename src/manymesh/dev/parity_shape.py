"""Parity of the Hunyuan3D-2 shape stage, driven by the manifest of a folder of shape fixtures.

Everything is read from the manifest and the checkpoints' own configuration, so fixtures with other widths, depths and
seeds run unchanged. All of it is float32 on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manymesh.dev import parity_shape_geometry, parity_shape_networks, parity_shape_sampling
from manymesh.dev.parity_common import Row, checked, comparison_for, failed
from manymesh.dev.parity_shape_fixture import load_fixture

FIXTURES = {**parity_shape_sampling.FIXTURES, **parity_shape_networks.FIXTURES, **parity_shape_geometry.FIXTURES}


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    """Every row of every fixture; an unknown fixture is a failing row."""
    for entry in manifest["fixtures"]:
        name = str(entry.get("id"))
        compare_fixture = comparison_for(name, FIXTURES)
        if compare_fixture is None:
            yield failed(name, "no comparison for this fixture")
            continue
        yield from checked(name, lambda e=entry, c=compare_fixture: c(load_fixture(directory, e, manifest)))  # type: ignore[misc]
