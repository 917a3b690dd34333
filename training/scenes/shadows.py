"""The shadows that things throw on what is behind and under them."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from training.scenes.grounds import tensor

SIGMAS = (1.0, 4.0, 10.0)
"""Penumbras, in pixels of a picture half as large."""
NONE_SHARE = 0.4
"""Things cut out and laid on a ground, and soft light from everywhere, throw none."""


def shadows(alpha: torch.Tensor, scenes: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """How much light each thing takes away.

    Args:
        alpha: (m, 1, size, size) coverage of each thing alone.
        scenes: (m,) int64, the scene that each is in: its things throw shadows of one kind and direction.
        count: how many scenes.
        seed: equal seeds give equal shadows.

    Returns:
        (m, 1, size, size) float32 in 0..1, under the thing itself too.
    """
    device, m = alpha.device, len(alpha)
    rng = np.random.default_rng([seed, 13])
    small = functional.avg_pool2d(alpha, 2)
    size = small.shape[-1]
    rows = (small.amax(3) > 0.3).float()[:, 0]
    line = (torch.arange(size, device=device) + 0.5) / size * 2 - 1
    index = torch.arange(size, device=device).float()
    foot_row = (rows * index).amax(1)
    foot = (foot_row + 0.5) / size * 2 - 1
    height = (rows.sum(1) / size * 2).clamp(min=0.02)

    def each(values: np.ndarray) -> torch.Tensor:
        return tensor(values, device)[scenes]

    # A cast shadow is the outline laid on the floor: pressed, slanted, hinged at the foot. One dropped on a wall or a
    # table seen from above is the outline moved.
    cast = each((rng.random(count) < 0.6).astype(np.float32)) > 0
    press = rng.uniform(0.12, 0.9, count) * rng.choice([-1, 1], count, p=[0.4, 0.6])
    press, slant = each(press), each(rng.normal(0, 0.9, count))
    aside, down = each(rng.normal(0, 0.12, count)) * height, each(rng.normal(0.03, 0.08, count)) * height
    y, x = torch.meshgrid(line, line, indexing="ij")
    y, x = y[None].expand(m, -1, -1), x[None].expand(m, -1, -1)
    from_foot = (y - foot[:, None, None]) / press[:, None, None]
    laid = torch.stack([x - slant[:, None, None] * from_foot, foot[:, None, None] + from_foot], 3)
    moved = torch.stack([x - aside[:, None, None], y - down[:, None, None]], 3)
    where = torch.where(cast[:, None, None, None], laid, moved)
    thrown = functional.grid_sample(small, where, align_corners=False)
    soft = torch.stack([blur(thrown, sigma) for sigma in SIGMAS])
    lot = torch.from_numpy(rng.choice(len(SIGMAS), count, p=[0.25, 0.4, 0.35])).to(device)[scenes]
    thrown = soft[lot, torch.arange(m, device=device)]
    # Where it touches the ground little light comes in at all.
    contact = torch.exp(-(((y - foot[:, None, None]) / (0.09 * height[:, None, None])) ** 2))[:, None]
    contact = blur(small * contact, SIGMAS[1])
    strength = each(np.where(rng.random(count) < NONE_SHARE, 0.0, rng.uniform(0.05, 0.75, count)))[:, None, None, None]
    touch = each(np.where(rng.random(count) < NONE_SHARE, 0.0, rng.uniform(0.1, 0.9, count)))[:, None, None, None]
    dark = 1 - (1 - strength * thrown) * (1 - touch * contact)
    return functional.interpolate(dark, scale_factor=2.0, mode="bilinear").clamp(0, 1)


def blur(pictures: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of (n, c, h, w), zero beyond the border."""
    reach = max(1, round(2.5 * sigma))
    steps = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-(steps**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    n, c, h, w = pictures.shape
    flat = pictures.reshape(n * c, 1, h, w)
    flat = functional.conv2d(flat, kernel.view(1, 1, 1, -1), padding=(0, reach))
    flat = functional.conv2d(flat, kernel.view(1, 1, -1, 1), padding=(reach, 0))
    return flat.reshape(n, c, h, w)
