"""When the sampler looks, and how far it then goes: flow-matching schedules.

``sigma`` runs from 0 (pure noise) to 1 (data) and the network predicts dx/dsigma, which is data minus noise. This is
the reverse of the convention in most libraries, so no stock scheduler fits (Lipman et al. 2023, "Flow Matching for
Generative Modeling", section 4.1).
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
class Schedule:
    """The steps of one run.

    Attributes:
        sigmas: (N + 1,) float32, rising, the last one is 1.
        timesteps: (N,) float32, 1000 times the sigma at which each step starts.
    """

    sigmas: F32
    timesteps: F32

    @property
    def steps(self) -> int:
        return len(self.timesteps)

    @property
    def useful_steps(self) -> int:
        """Steps that move the sample. The plain schedule's last step starts at sigma 1: it has no width, so leaving
        it out changes no bit and saves one call of the network."""
        widths = np.diff(self.sigmas)
        used = self.steps
        while used > 1 and widths[used - 1] == 0:
            used -= 1
        return used


def schedule(config: SchedulerConfig, steps: int) -> Schedule:
    """The schedule that a checkpoint's configuration asks for."""
    if config.kind == "consistency":
        return consistency_schedule(steps, config.pcm_timesteps, config.num_train_timesteps)
    return euler_schedule(steps, config.shift, config.num_train_timesteps)


def euler_schedule(steps: int, shift: float = 1.0, train_timesteps: int = 1000) -> Schedule:
    """Evenly spaced sigmas, both ends included: N steps have a spacing of 1/(N-1) and a last width of 0.

    Args:
        steps: N, at least 1.
        shift: s of s*x / (1 + (s-1)*x); over 1 it spends more steps near the data end.
        train_timesteps: the range of the timesteps.
    """
    even = np.linspace(0.0, 1.0, steps)
    shifted = (shift * even / (1.0 + (shift - 1.0) * even)).astype(np.float32)
    return Schedule(np.append(shifted, np.float32(1.0)), shifted * np.float32(train_timesteps))


def consistency_schedule(steps: int, pcm_timesteps: int = 50, train_timesteps: int = 1000) -> Schedule:
    """Sigmas of a step-distilled model: N of the P points that it was distilled on (phased consistency models,
    Wang et al. 2024).

    Args:
        steps: N, 1 to P.
        pcm_timesteps: P, the number of points in the table.
        train_timesteps: the number of training timesteps, spaced 1/(T-1).
    """
    base = np.linspace(0.0, 1.0, train_timesteps)
    ratio = train_timesteps // pcm_timesteps
    points = np.concatenate([[0], np.arange(1, pcm_timesteps) * ratio - 1])
    table = base[points].astype(np.float32)
    chosen = np.floor(np.linspace(0, pcm_timesteps, steps, endpoint=False)).astype(np.int64)
    sigmas = table[chosen]
    return Schedule(np.append(sigmas, np.float32(1.0)), sigmas * np.float32(train_timesteps))


def euler_step(x: torch.Tensor, velocity: torch.Tensor, width: torch.Tensor | float) -> torch.Tensor:
    """One step: ``x + width * velocity``.

    The product has the velocity's dtype (half precision rounds it, as the official program does), the sum is float32
    and the result has the velocity's dtype again.

    Args:
        x: any shape.
        velocity: the same shape.
        width: sigma[i+1] - sigma[i], a float or a 0-dimensional float32 tensor.
    """
    return (x.float() + width * velocity).to(velocity.dtype)


def predicted_end(x: torch.Tensor, velocity: torch.Tensor, sigma: float) -> torch.Tensor:
    """Where the sample would end if it went on straight from ``sigma``: a preview of the data."""
    return x.float() + (1.0 - sigma) * velocity
