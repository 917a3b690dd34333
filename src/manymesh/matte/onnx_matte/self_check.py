"""What ``manymesh models verify --deep`` checks of a matte in an ONNX file. ``Model.self_check`` names ``checks``."""

from __future__ import annotations

from collections.abc import Iterator

from manymesh.matte.onnx_matte.stage import KINDS, AlphaNetwork
from manymesh.matte.probe import CHECK, probe_matte
from manymesh.weights.deep import GRAPH, LATER, Machine, from_probe
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, attempt, not_possible, passed
from manymesh.weights.locate import Found


def checks(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of ``model``, whose files are ``found``. It computes on the CPU, whatever the machine."""
    opened: list[AlphaNetwork] = []

    def opening() -> Finding:
        opened.append(AlphaNetwork(KINDS[model.id], found))
        return passed(GRAPH, f"it {opened[0].signature}")

    yield attempt(GRAPH, opening)
    if not machine.thorough:
        yield not_possible(CHECK, LATER)
        return
    for network in opened:
        yield from_probe(probe_matte(network))
