"""What ``manymesh models verify --deep`` checks of TripoSR. ``Model.self_check`` names ``checks``.

A shape takes half a minute on any CPU, so a thorough check makes one: of a drawn ball.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from manymesh.errors import ObjectError
from manymesh.image.drawn import ball
from manymesh.shape.triposr.checkpoint import WHAT, Arrays, is_unused, load_arrays, map_checkpoint
from manymesh.shape.triposr.config import TriposrConfig, read_config
from manymesh.shape.triposr.stage import ENCODER_FILE, ShapeModel
from manymesh.types import Box, Cutout
from manymesh.weights.deep import LATER, LOADED, TENSORS, VALUES, Machine, StoredArrays, check_values, sampled_equal
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, attempt, failed, not_possible, passed
from manymesh.weights.locate import Found

BALL = "drawn ball"
_NETWORK = "shape network"
# A ball's shape has sides of one length. The published weights make the hidden side of flat pictures shallow, so the
# shortest side may be this share of the longest. Chosen by hand; not measured.
_SHORTEST = 0.4


def checks(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of ``model``, whose files are ``found``. It computes on the CPU, whatever the machine.

    Raises:
        WeightsError: the configuration cannot be read, or describes another network.
    """
    settings_file = found.files["config.yaml"]
    encoder = settings_file.with_name(ENCODER_FILE)
    config = read_config(settings_file, encoder if encoder.is_file() else None)
    path = next(path for name, path in found.files.items() if name.startswith("model."))
    fitting: list[Arrays] = []

    def tensors() -> Finding:
        fitting.append(map_checkpoint(path, config))
        return passed(TENSORS, f"all {len(fitting[0])} tensors are {WHAT}", tensors=len(fitting[0]))

    yield attempt(TENSORS, tensors)
    for arrays in fitting:
        yield attempt(VALUES, lambda arrays=arrays: check_values([StoredArrays(_NETWORK, arrays)]))  # type: ignore[misc]
    if not machine.thorough:
        yield not_possible(BALL, LATER)
        return
    for arrays in fitting:
        yield attempt(LOADED, lambda arrays=arrays: _loaded(path, config, arrays))  # type: ignore[misc]
    yield attempt(BALL, lambda: _drawn(found))


def _loaded(path: Path, config: TriposrConfig, stored: Arrays) -> Finding:
    """What the stage computes with, which may be a copy in half the space, against the file's own numbers."""
    loaded = load_arrays(path, config)
    for name, value in stored.items():
        if not is_unused(name) and not sampled_equal(value, loaded[name]):
            return failed(LOADED, f"'{name}' of the {_NETWORK} was loaded with other numbers than are stored")
    return passed(LOADED, f"{len(loaded)} tensors compared by sampled values", tensors=len(loaded))


def _drawn(found: Found) -> Finding:
    """A drawn ball becomes something as deep as it is wide."""
    model = ShapeModel(found)
    picture = ball()
    try:
        made = model(Cutout(picture, Box(0, 0, *picture.shape[1::-1])), seed=0, tick=lambda done: None)
    except ObjectError as error:
        return failed(BALL, f"no shape came of it: {error.what}")
    finally:
        model.close()
    sides = np.ptp(made.mesh.vertices.astype(np.float64), axis=0)
    share = float(sides.min() / sides.max())
    told = " x ".join(f"{side:.2f}" for side in sides)
    if share < _SHORTEST:
        return failed(BALL, f"a drawn ball became a shape of {told}: the weights are not TripoSR's", share=share)
    return passed(BALL, f"a drawn ball became a shape of {told}", share=share, faces=len(made.mesh.faces))
