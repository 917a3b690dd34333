"""The painters there are, and what each is used with when nothing else is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from manymesh.errors import UsageError
from manymesh.paint.hunyuan.render.reference_camera import camera_index

DELIGHT = "hunyuan3d-delight"
DELIGHT_FOLDER = "hunyuan3d-delight-v2-0"


@dataclass(frozen=True)
class PaintVariant:
    """One official checkpoint.

    Attributes:
        weights: its name in the weights catalogue.
        folder: its folder in the repository.
        steps: denoising steps.
        turbo: distilled: fixed steps, no guidance.
    """

    weights: str
    folder: str
    steps: int
    turbo: bool = False


VARIANTS: Mapping[str, PaintVariant] = {
    "2": PaintVariant("hunyuan3d-paint", "hunyuan3d-paint-v2-0", 30),
    "2-turbo": PaintVariant("hunyuan3d-paint-turbo", "hunyuan3d-paint-v2-0-turbo", 10, turbo=True),
}
"""By the name that ``--paint-model`` takes."""


@dataclass(frozen=True)
class PaintView:
    """One picture that the painter makes of the mesh.

    Attributes:
        azimuth_deg: 0 sees the front, 90 the mesh's +X side.
        elevation_deg: 90 looks down.
        weight: of its colours in the texture.
    """

    azimuth_deg: int
    elevation_deg: int
    weight: float

    @property
    def camera_index(self) -> int:
        return camera_index(self.azimuth_deg, self.elevation_deg)


def parse_views(text: str) -> tuple[PaintView, ...]:
    """``"AZIMUTH:ELEVATION:WEIGHT, ..."`` to views. Raises ``UsageError`` for angles that the network never saw."""
    views = []
    for item in text.split(","):
        try:
            azimuth, elevation, weight = item.strip().split(":")
            view = PaintView(int(azimuth) % 360, int(elevation), float(weight))
        except ValueError:
            raise UsageError(
                f"'{item.strip()}' is not a view", "Write AZIMUTH:ELEVATION:WEIGHT, as in 90:0:0.1"
            ) from None
        if view.azimuth_deg % 30 or not 0 < view.weight <= 1000:
            raise UsageError(
                f"'{item.strip()}' is not a view that the painter knows",
                "Azimuths come in steps of 30 degrees; weights are over 0",
            )
        views.append(view)
        _ = view.camera_index  # raises for an unknown elevation
    return tuple(views)
