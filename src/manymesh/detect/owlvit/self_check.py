"""What ``manymesh models verify --deep`` checks of an OWL-ViT. ``Model.self_check`` names ``checks``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from manymesh.detect.owlvit.stage import Owl, find
from manymesh.detect.probe import probe_detector
from manymesh.stages import Tick
from manymesh.types import Detection, Photo
from manymesh.weights.deep import GRAPH, LATER, SQUARES, Machine, from_probe
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, attempt, failed, not_possible, passed
from manymesh.weights.locate import Found

# Objects that the detector may report. There are two; a few more show what it imagines.
_MOST = 8


def checks(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of ``model``, whose files are ``found``. It computes on the CPU, whatever the machine."""
    import tokenizers  # noqa: F401 - its absence is told before anything is opened

    opened: list[Owl] = []

    def opening() -> Finding:
        opened.append(Owl(found, model.id))
        return passed(GRAPH, f"it {opened[0].signature}")

    yield attempt(GRAPH, opening)
    if not machine.thorough:
        yield not_possible(SQUARES, LATER)
        return
    for owl in opened:
        yield from _asked(owl, model.id)


def _asked(owl: Owl, name: str) -> list[Finding]:
    """The look at two drawn squares."""

    def detect(photo: Photo, names: Sequence[str], *, tick: Tick) -> Sequence[Detection]:
        return find(photo, names, owl, tick, source=name, most=_MOST)

    try:
        return [from_probe(one) for one in probe_detector(detect)]
    except RuntimeError as error:  # onnxruntime's, and numbers that are not finite
        return [failed(SQUARES, str(error))]
