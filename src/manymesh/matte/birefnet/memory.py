"""How much of a GPU's memory BiRefNet takes. Measured on an NVIDIA H200 with PyTorch 2.11 in float16."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manymesh.stages import Level

if TYPE_CHECKING:
    from manymesh.settings import Settings

_GIB = 1 << 30
# Allocated and reserved at the size that a variant was trained at, with a margin of some percent. lite-2k, with 3.5
# times the pixels of lite, was not measured; 512 neither.
_MEASURED_GIB = {
    "lite": (0.44, 1.18),
    "hr": (1.50, 2.20),
    "hr-matting": (1.50, 2.20),
    "lite-2k": (1.20, 2.60),
    "512": (0.60, 0.80),
}
_USUAL_GIB = (0.77, 1.08)
_CPU = {"device": "cpu"}


def levels(settings: Settings) -> tuple[Level, ...]:
    """On the device, or on the CPU (about 10 s an object on two cores; not measured)."""
    allocated, reserved = (round(gib * _GIB) for gib in _MEASURED_GIB.get(settings.matte_model, _USUAL_GIB))
    return (
        Level("resident", "resident", allocated, reserved, 0, 2.5, 0.15, "the network is on the device", "float16"),
        Level("cpu", "cpu", load_s=0.6, object_s=10.0, why="cutting out is quick enough on the CPU", options=_CPU),
    )
