"""What ``manymesh models verify --deep`` checks of a BiRefNet. ``Model.self_check`` names ``checks``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from manymesh.matte.birefnet.load import WHAT, own_key, read_config
from manymesh.matte.birefnet.network import BiRefNet
from manymesh.matte.birefnet.stage import NETWORK, AlphaNetwork
from manymesh.matte.probe import CHECK, probe_matte
from manymesh.settings import Settings, build_settings
from manymesh.weights.deep import LATER, Machine, StoredNetwork, check_networks, from_probe
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, attempt, not_possible
from manymesh.weights.locate import Found

# Side of the picture that is pushed through. The network takes any multiple of 32; the sizes that it was trained at
# cost seconds even without numbers.
_PICTURE_PX = 256


def checks(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of ``model``, whose files are ``found``. Raises ``WeightsError`` where it holds no BiRefNet."""
    path = found.files["model.safetensors"]
    config = read_config(path)
    network = StoredNetwork(NETWORK, lambda: BiRefNet(config), path, rename=own_key, what=WHAT)
    yield from check_networks([network], push)
    if not machine.thorough or machine.device == "cpu":
        yield not_possible(CHECK, "not looked at: it takes a minute without a GPU" if machine.thorough else LATER)
        return
    variant = model.id.removeprefix("birefnet-")
    settings = build_settings({"matte_model": variant, "devices": (f"matte={machine.device}",)})
    yield attempt(CHECK, lambda: _drawn(path, settings))


def _drawn(path: Path, settings: Settings) -> Finding:
    """The look at a drawn ball."""
    loaded = AlphaNetwork(path, settings)
    try:
        return from_probe(probe_matte(loaded))
    finally:
        loaded.close()


def push(built: Mapping[str, Any]) -> str:
    """A picture through the network without memory. Raises ``RuntimeError`` where shapes do not fit."""
    logits = built[NETWORK](torch.empty(1, 3, _PICTURE_PX, _PICTURE_PX, device="meta"))
    if logits.shape != (1, 1, _PICTURE_PX, _PICTURE_PX):
        raise RuntimeError(f"a picture of {_PICTURE_PX} px gives logits of the shape {list(logits.shape)}")
    return f"a picture of {_PICTURE_PX} x {_PICTURE_PX} px becomes logits of its size"
