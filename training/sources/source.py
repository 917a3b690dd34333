"""What a reader of a package gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.wavefront import Model


@dataclass(frozen=True)
class Found:
    """One model of a package.

    Attributes:
        name, family, licence: of the shape to be.
        creator, title: for ATTRIBUTION.md.
        model: as the file has it.
        rotation: (3, 3), from the file's frame to +Y up, +Z front.
        front_known: whether +Z is then its front.
    """

    name: str
    family: str
    licence: str
    creator: str
    title: str
    model: Model
    rotation: NDArray[np.float64]
    front_known: bool
