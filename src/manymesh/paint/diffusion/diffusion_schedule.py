"""Sampling schedules: the steps from noise to picture.

Every sampler used here is linear in the sample, the network's answer and fresh noise, so a step is three numbers:
``x <- keep * x + answer * a + noise * n``, where x is the sample, a what the network answers and n fresh normal noise.
They are worked out in float64. The networks of the samplers in this file predict v (Salimans & Ho 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manymesh.errors import UsageError
from manymesh.paint.diffusion.config import NoiseScheduleConfig
from manymesh.types import F64

# Share of signal at the last training step where the schedule says 0: sigma would be infinite. As diffusers has it.
LAST_ALPHA = 2.0**-24
# The distilled painter's fixed steps are every third of 30 evenly spaced ones, as published.
TURBO_GRID = 30
TURBO_STEPS = 10
# Constants of consistency sampling, diffusers' defaults: standard deviation of the data, factor on time.
_SIGMA_DATA, _TIME_SCALE = 0.5, 10.0


@dataclass(frozen=True)
class DiffusionSchedule:
    """A run's steps; all arrays are float64 of length n.

    Attributes:
        timesteps: the training step whose noise level the sample has, an input of the network; descending.
        input_scale: the network is given ``input_scale * x``.
        keep, answer, noise: factors of one step on the sample, on the answer and on fresh noise; see the module.
        start_scale: the first sample is normal noise times this.
        sigmas: (n + 1,) noise levels of the Euler samplers; empty for the consistency sampler.
    """

    timesteps: F64
    input_scale: F64
    keep: F64
    answer: F64
    noise: F64
    start_scale: float
    sigmas: F64

    @property
    def steps(self) -> int:
        return len(self.timesteps)


def signal(config: NoiseScheduleConfig) -> F64:
    """(train_steps,) share of signal (alpha bar) left at each step of the forward process.

    With ``zero_snr`` the square roots are shifted and stretched so that nothing is left at the last one (Lin et al.
    2023).
    """
    ends = np.sqrt([config.beta_start, config.beta_end])
    betas = np.linspace(ends[0], ends[1], config.train_steps) ** 2
    alphas: F64 = np.cumprod(1 - betas)
    if config.zero_snr:
        root = np.sqrt(alphas)
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        alphas = root**2
    return alphas


def timesteps(config: NoiseScheduleConfig, steps: int) -> F64:
    """(steps,) descending training steps that a run visits. Raises ``UsageError`` for more than there are."""
    if not 1 <= steps <= config.train_steps:
        raise UsageError(f"{steps} steps cannot be taken: these networks have {config.train_steps}")
    if config.spacing == "leading":
        return (np.arange(steps) * (config.train_steps // steps))[::-1].astype(np.float64) + config.offset
    return np.round(config.train_steps - np.arange(steps) * (config.train_steps / steps)) - 1


def euler_ancestral(config: NoiseScheduleConfig, steps: int) -> DiffusionSchedule:
    """Ancestral sampling with Euler steps (Karras et al. 2022; Crowson's k-diffusion)."""
    alphas = signal(config)
    if config.zero_snr:
        alphas[-1] = LAST_ALPHA
    times = timesteps(config, steps)
    every = np.sqrt((1 - alphas) / alphas)
    sigma = np.append(np.interp(times, np.arange(config.train_steps), every), 0.0)
    here, there = sigma[:-1], sigma[1:]
    up = np.sqrt(there**2 * (here**2 - there**2) / here**2)
    down = np.sqrt(there**2 - up**2)
    # The picture expected from x and v is x / (s^2 + 1) - v * s / sqrt(s^2 + 1); a step goes towards it.
    share = (here - down) / here
    highest = float(sigma.max())
    return DiffusionSchedule(
        timesteps=times,
        input_scale=1 / np.sqrt(here**2 + 1),
        keep=1 - share * here**2 / (here**2 + 1),
        answer=-share * here / np.sqrt(here**2 + 1),
        noise=up,
        start_scale=highest if config.spacing == "trailing" else float(np.sqrt(highest**2 + 1)),
        sigmas=sigma,
    )


def turbo_timesteps(config: NoiseScheduleConfig) -> F64:
    """(10,) the fixed steps of the distilled painter: every third of a grid of thirty."""
    grid = np.arange(1, TURBO_GRID + 1) * (config.train_steps // TURBO_GRID) - 1
    return grid[::-1][:: TURBO_GRID // TURBO_STEPS].astype(np.float64)


def consistency(config: NoiseScheduleConfig, times: F64) -> DiffusionSchedule:
    """Consistency sampling (Luo et al. 2023): a guess at the picture, then noise of the next step's strength."""
    alphas = signal(config)[times.astype(np.int64)]
    scaled = times * _TIME_SCALE
    skip = _SIGMA_DATA**2 / (scaled**2 + _SIGMA_DATA**2)
    out = scaled / np.sqrt(scaled**2 + _SIGMA_DATA**2)
    following = np.append(alphas[1:], 1.0)
    return DiffusionSchedule(
        timesteps=times,
        input_scale=np.ones(len(times)),
        keep=np.sqrt(following) * (out * np.sqrt(alphas) + skip),
        answer=-np.sqrt(following) * out * np.sqrt(1 - alphas),
        noise=np.sqrt(1 - following),
        start_scale=1.0,
        sigmas=np.zeros(0),
    )
