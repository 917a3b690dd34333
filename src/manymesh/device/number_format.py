"""The number format of each network of a stage, and what happens when half precision runs out of range.

Half precision holds numbers up to 65504. A network that exceeds that, or a GPU whose half-precision convolutions are
faulty, answers NaN or infinity. Rounded to bytes, that is a black texture or an empty cutout. So every network's output
is checked, and a network that fails the check is loaded again in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from manymesh.errors import NotFiniteError

Result = TypeVar("Result")

NOT_FINITE_HINT = "Check the weights: manymesh models verify. Or compute without the GPU: --device cpu"


def require_finite(output: Tensor, network: str) -> Tensor:
    """``output`` itself. Raises ``NotFiniteError`` where a number in it is NaN or infinite."""
    if not bool(output.isfinite().all()):
        raise not_finite(network)
    return output


def not_finite(network: str) -> NotFiniteError:
    """The error for a network whose output holds NaN or infinity."""
    return NotFiniteError(
        f"the {network} gave numbers that are not finite",
        NOT_FINITE_HINT,
        network=network,
    )


class Formats:
    """Which number format each network of one stage has.

    Args:
        start: the format of every network at first.
        reload: called with a network's name after its format has changed, so that the stage drops what it has loaded.
    """

    def __init__(self, start: torch.dtype, reload: Callable[[str], None] = lambda network: None) -> None:
        self.start = start
        self._reload = reload
        self._widened: dict[str, str] = {}  # network to what went wrong

    def __getitem__(self, network: str) -> torch.dtype:
        return torch.float32 if network in self._widened else self.start

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each network that needed float32."""
        name = str(self.start).removeprefix("torch.")
        return tuple(f"{what[:1].upper()}{what[1:]} in {name}; it ran in float32." for what in self._widened.values())

    def can_widen(self, network: str) -> bool:
        """Whether the network is not in float32 yet."""
        return self[network] != torch.float32

    def retry(self, work: Callable[[], Result]) -> Result:
        """``work()``; where a network's output is not finite, again with that network in float32.

        Raises ``NotFiniteError`` when the network was in float32 already.
        """
        while True:
            try:
                return work()
            except NotFiniteError as error:
                if not self.can_widen(error.network):
                    raise
                network = error.network
                self._widened[network] = error.what
            # Outside the handler: the error's frames hold the network's memory.
            self._reload(network)
