"""Flow-matching schedules: the times at which the network is evaluated, and the widths of the steps.

``sigma`` runs from 0 (noise) to 1 (data), and the network predicts the velocity dx/dsigma, which is data minus noise
(Lipman et al. 2023, "Flow Matching for Generative Modeling", section 4.1). Most libraries count the other way round, so
no stock scheduler fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from manymesh.shape.hunyuan.config import SchedulerConfig
from manymesh.types import F32

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FlowSchedule:
    """The steps of one sampling run.

    Attributes:
        sigmas: (N + 1,) float32, ascending; the last one is 1.
        timesteps: (N,) float32, 1000 times the sigma at which each step starts.
    """

    sigmas: F32
    timesteps: F32

    @property
    def steps(self) -> int:
        return len(self.timesteps)

    @property
    def moving_steps(self) -> int:
        """Number of steps that change the sample.

        The Euler schedule's last step starts at sigma 1, so its width is 0. Leaving it out saves one evaluation of the
        network and changes no bit.
        """
        widths = np.diff(self.sigmas)
        used = self.steps
        while used > 1 and widths[used - 1] == 0:
            used -= 1
        return used


def flow_schedule(config: SchedulerConfig, steps: int) -> FlowSchedule:
    """The schedule that a checkpoint's configuration asks for."""
    if config.kind == "consistency":
        return consistency_schedule(steps, config.pcm_timesteps, config.num_train_timesteps)
    return euler_schedule(steps, config.shift, config.num_train_timesteps)


def euler_schedule(steps: int, shift: float = 1.0, train_timesteps: int = 1000) -> FlowSchedule:
    """Evenly spaced sigmas including both ends: N steps of width 1/(N-1), the last of width 0.

    Args:
        steps: N, at least 1.
        shift: s in s*x / (1 + (s-1)*x) (Esser et al. 2024, section 5.3.2); over 1 there are more steps near the data.
        train_timesteps: the range of the timesteps.
    """
    even = np.linspace(0.0, 1.0, steps)
    shifted = (shift * even / (1.0 + (shift - 1.0) * even)).astype(np.float32)
    return FlowSchedule(np.append(shifted, np.float32(1.0)), shifted * np.float32(train_timesteps))


def consistency_schedule(steps: int, pcm_timesteps: int = 50, train_timesteps: int = 1000) -> FlowSchedule:
    """Sigmas of a step-distilled model: N of the P points it was distilled on (Wang et al. 2024, "Phased Consistency
    Models").

    Args:
        steps: N, 1 to P.
        pcm_timesteps: P.
        train_timesteps: T, the number of training timesteps, spaced 1/(T-1).
    """
    base = np.linspace(0.0, 1.0, train_timesteps)
    ratio = train_timesteps // pcm_timesteps
    points = np.concatenate([[0], np.arange(1, pcm_timesteps) * ratio - 1])
    table = base[points].astype(np.float32)
    chosen = np.floor(np.linspace(0, pcm_timesteps, steps, endpoint=False)).astype(np.int64)
    sigmas = table[chosen]
    return FlowSchedule(np.append(sigmas, np.float32(1.0)), sigmas * np.float32(train_timesteps))


def predict_data(x: torch.Tensor, velocity: torch.Tensor, sigma: float) -> torch.Tensor:
    """The data predicted from a sample and its velocity at ``sigma``: ``x + (1 - sigma) * velocity``, float32."""
    return x.float() + (1.0 - sigma) * velocity
