"""Sampling with the shifted noise that MV-Adapter was trained with.

Six views that show one object tell more of it than one does, so more noise is needed to hide it. The signal-to-noise
ratio of the base is divided by ``SHIFT`` to the power of t / T: not at all at the first training step, by all of it at
the last. The networks predict the noise (Ho et al. 2020).
"""

from __future__ import annotations

import numpy as np

from manymesh.errors import UsageError
from manymesh.paint.diffusion.config import NoiseScheduleConfig
from manymesh.paint.diffusion.diffusion_schedule import DiffusionSchedule, signal, timesteps
from manymesh.paint.mvadapter.models import Sampler
from manymesh.types import F64

# As published: the adapter was trained with it.
SHIFT = 8.0
# Least variance of a step's noise, as in diffusers. It only matters at the last step, where it is invisible.
LEAST_VARIANCE = 1e-20


def shifted_signal(config: NoiseScheduleConfig) -> F64:
    """(train_steps,) share of signal (alpha bar) left at each training step."""
    alphas = signal(config)
    share = np.arange(config.train_steps) / (config.train_steps - 1)
    ratio = alphas / (1 - alphas) * SHIFT**-share
    shifted: F64 = ratio / (1 + ratio)
    return shifted


def schedule_of(config: NoiseScheduleConfig, steps: int, sampler: Sampler) -> DiffusionSchedule:
    """The steps of a run. Raises ``UsageError`` for more than there are."""
    times = timesteps(config, steps)
    if times.max() >= config.train_steps:
        raise UsageError(f"{steps} steps cannot be taken", f"Ask for fewer than {config.train_steps}")
    here = shifted_signal(config)[times.astype(np.int64)]
    return ddpm(times, here) if sampler == "ddpm" else euler(times, here)


def ddpm(times: F64, here: F64) -> DiffusionSchedule:
    """Ancestral sampling (Ho et al. 2020). The predicted picture is not clipped.

    Args:
        times: (n,) descending training steps. here: (n,) the share of signal at each.
    """
    there = np.append(here[1:], 1.0)
    alpha = here / there
    beta = 1 - alpha
    picture = np.sqrt(there) * beta / (1 - here)  # the predicted picture's share of the next sample
    return DiffusionSchedule(
        timesteps=times,
        input_scale=np.ones(len(times)),
        keep=picture / np.sqrt(here) + np.sqrt(alpha) * (1 - there) / (1 - here),
        answer=-picture * np.sqrt(1 - here) / np.sqrt(here),
        noise=np.sqrt(np.maximum((1 - there) / (1 - here) * beta, LEAST_VARIANCE)),
        start_scale=1.0,
        sigmas=np.zeros(0),
    )


def euler(times: F64, here: F64) -> DiffusionSchedule:
    """Euler's steps along the probability flow (Karras et al. 2022), without fresh noise. Arguments as of ``ddpm``."""
    sigma = np.append(np.sqrt((1 - here) / here), 0.0)
    none = np.zeros(len(times))
    return DiffusionSchedule(
        timesteps=times,
        input_scale=1 / np.sqrt(sigma[:-1] ** 2 + 1),
        keep=np.ones(len(times)),
        answer=np.diff(sigma),
        noise=none,
        start_scale=float(np.sqrt(sigma[0] ** 2 + 1)),
        sigmas=sigma,
    )
