"""The flow-matching schedule: the times at which the network is evaluated, and the widths of the steps.

``sigma`` runs from 1 (noise) to 0 (data). The network predicts data minus noise, so a step adds: ``x += (sigma_i -
sigma_{i+1}) * velocity``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.shape.triposg.config import SchedulerConfig
from manymesh.types import F32


@dataclass(frozen=True)
class Schedule:
    """The steps of one sampling run.

    Attributes:
        sigmas: (S + 1,) float32, descending from 1 to 0.
        timesteps: (S,) float32, what the network is told at each step.
    """

    sigmas: F32
    timesteps: F32

    @property
    def steps(self) -> int:
        return len(self.timesteps)

    @property
    def widths(self) -> F32:
        """(S,) float32: how far each step goes, over 0."""
        return self.sigmas[:-1] - self.sigmas[1:]


def schedule(config: SchedulerConfig, steps: int) -> Schedule:
    """Evenly spaced sigmas, shifted as the configuration says (Esser et al. 2024, section 5.3.2).

    Args:
        config: the checkpoint's.
        steps: S, at least 1.
    """
    even = 1 - np.arange(steps, dtype=np.float64) / steps
    shifted = (config.shift * even / (1 + (config.shift - 1) * even)).astype(np.float32)
    return Schedule(np.append(shifted, np.float32(0)), np.float32(config.train_timesteps) * shifted)
