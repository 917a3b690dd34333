"""Condition tokens of all objects, computed first.

The image encoder is needed once for each object, and in the way of the other networks after that. So the cutouts of all
objects are encoded together, and their tokens wait in host memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from manymesh.device.number_format import Formats
from manymesh.device.out_of_memory import give_back
from manymesh.errors import NotFiniteError, ObjectError
from manymesh.stages import Tick
from manymesh.types import Cutout

Encoder = TypeVar("Encoder")

# What people call the network.
ENCODER = "image encoder"


class Conditions(Generic[Encoder]):
    """Encodes cutouts, and keeps the tokens until their object is reconstructed. Not safe for threads by itself.

    Args:
        load: loads the image encoder onto the device.
        encode: the network and a cutout to (1, T, width) condition tokens in host memory. It raises ``ObjectError``
            for a cutout that cannot be encoded, ``NotFiniteError`` for tokens that are not finite.
        formats: of the stage's networks.
        device: the stage's.
    """

    def __init__(
        self,
        load: Callable[[], Encoder],
        encode: Callable[[Encoder, Cutout], Tensor],
        formats: Formats,
        device: torch.device,
    ) -> None:
        self._load, self._encode, self._formats, self._device = load, encode, formats, device
        self._ready: dict[str, Tensor] = {}  # by object id

    def read(self, cutouts: Sequence[Cutout], tick: Tick) -> None:
        """Encode these cutouts, and forget those before. A cutout that cannot be encoded is passed over."""
        self._formats.retry(lambda: self._read(cutouts, tick))

    def take(self, cutout: Cutout) -> Tensor:
        """The tokens of a cutout, which are not kept after that; computed now where ``read`` did not.

        Raises:
            ObjectError: the cutout cannot be encoded.
        """
        ready = self._ready.pop(cutout.object_id, None)
        return self._formats.retry(lambda: self._one(cutout)) if ready is None else ready

    def clear(self) -> None:
        """Forget all tokens."""
        self._ready.clear()

    def _read(self, cutouts: Sequence[Cutout], tick: Tick) -> None:
        """Raises ``NotFiniteError`` while the encoder can still be tried in a wider number format."""
        self.clear()
        network = self._load()
        try:
            for number, cutout in enumerate(cutouts):
                tick(number / len(cutouts))
                try:
                    self._ready[cutout.object_id] = self._encode(network, cutout)
                except ObjectError as error:
                    if isinstance(error, NotFiniteError) and self._formats.can_widen(ENCODER):
                        raise
        finally:
            del network
            give_back(self._device)

    def _one(self, cutout: Cutout) -> Tensor:
        network = self._load()
        try:
            return self._encode(network, cutout)
        finally:
            del network
            give_back(self._device)
