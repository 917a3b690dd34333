"""The shadows that objects throw on what is behind and under them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional

from training.scenes.grounds import indices, tensor

NONE_SHARE = 0.4
"""Objects cut out and laid on a background, and soft light from everywhere, throw none."""
OCCLUDED_SHARE = 0.4
"""Of the scenes have it darker all around objects: the rim under caps, coins and sweets seen from above."""
FOOT_SIGMA = 4.0


def shadows(alpha: torch.Tensor, scenes: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """How much light each object takes away.

    Args:
        alpha: (m, 1, size, size) coverage of each object alone; size is a multiple of 16.
        scenes: (m,) int64, the scene that each is in: its objects throw shadows of one kind and direction.
        count: how many scenes.
        seed: equal seeds give equal shadows.

    Returns:
        (m, 1, size, size) float32 in 0..1, under the object itself too.
    """
    device = alpha.device
    rng = np.random.default_rng([seed, 13])
    small = functional.avg_pool2d(alpha, 2)
    size = small.shape[-1]
    rows = (small.amax(3) > 0.3).float()[:, 0]
    line = (torch.arange(size, device=device) + 0.5) / size * 2 - 1
    foot = (rows * (line + 2)).amax(1) - 2
    height = (rows.sum(1) / size * 2).clamp(min=0.02)
    drawn = tensor(_draw(rng, count), device)[scenes]
    cast, press, slant, aside, down, strength, touch, around, sink, lean = drawn.unbind(1)

    # A cast shadow is the outline laid on the floor: pressed, slanted, hinged at the foot. One dropped on a wall or a
    # table seen from above is the outline moved.
    y, x = line[None, :, None], line[None, None, :]
    from_foot = (y - _wide(foot)) / _wide(press)
    laid_x, laid_y = x - _wide(slant) * from_foot, _wide(foot) + from_foot
    moved_x, moved_y = x - _wide(aside * height), y - _wide(down * height)
    is_cast = _wide(cast) > 0
    where = torch.stack(
        torch.broadcast_tensors(torch.where(is_cast, laid_x, moved_x), torch.where(is_cast, laid_y, moved_y)), 3
    )
    thrown = functional.grid_sample(small, where, align_corners=False)
    thrown = softened(thrown, indices(rng.choice(3, count, p=[0.25, 0.4, 0.35]), device)[scenes])
    # Where it touches the floor little light comes in at all.
    contact = torch.exp(-(((y - _wide(foot)) / (0.09 * _wide(height))) ** 2))[:, None]
    contact = at_quarter(small * contact, FOOT_SIGMA)
    # All around it some is kept out, most below.
    where = torch.stack(torch.broadcast_tensors(x - _wide(lean * height), y - _wide(sink * height)), 3)
    rim = functional.grid_sample(small, where, align_corners=False)
    rim = softened(rim, indices(rng.choice(3, count, p=[0.3, 0.45, 0.25]), device)[scenes])
    rim = (1.5 * rim).clamp(max=1)
    light = (1 - strength[:, None, None, None] * thrown) * (1 - touch[:, None, None, None] * contact)
    dark = 1 - light * (1 - around[:, None, None, None] * rim)
    return functional.interpolate(dark, scale_factor=2.0, mode="bilinear").clamp(0, 1)


def _draw(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 10): of each scene whether shadows are cast or moved, their press, slant, aside and down (the last two in
    heights of the object), the strengths of the thrown, the touching and the rim's, and the rim's shift down and aside.
    """
    columns = [
        rng.random(count) < 0.6,
        rng.uniform(0.12, 0.9, count) * rng.choice([-1, 1], count, p=[0.4, 0.6]),
        rng.normal(0, 0.9, count),
        rng.normal(0, 0.12, count),
        rng.normal(0.03, 0.08, count),
        np.where(rng.random(count) < NONE_SHARE, 0.0, rng.uniform(0.05, 0.75, count)),
        np.where(rng.random(count) < NONE_SHARE, 0.0, rng.uniform(0.1, 0.9, count)),
        np.where(rng.random(count) < OCCLUDED_SHARE, rng.uniform(0.15, 0.85, count), 0.0),
        rng.uniform(-0.01, 0.09, count),
        rng.normal(0, 0.03, count),
    ]
    return np.stack(columns, 1).astype(np.float32)


def _wide(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None]


def softened(pictures: torch.Tensor, lot: torch.Tensor) -> torch.Tensor:
    """(m, 1, h, w) blurred by 1, 4 or 10 pixels, as ``lot`` (m,) int64 0..2 says of each."""
    sharp, soft, softest = blur(pictures, 1.0), at_quarter(pictures, 4.0), at_quarter(pictures, 10.0)
    lot = lot[:, None, None, None]
    return torch.where(lot == 0, sharp, torch.where(lot == 1, soft, softest))


def at_quarter(pictures: torch.Tensor, sigma: float) -> torch.Tensor:
    """A broad Gaussian blur for a sixteenth of the price: of the picture shrunk to a quarter of its sides."""
    small = blur(functional.avg_pool2d(pictures, 4), sigma / 4)
    return functional.interpolate(small, pictures.shape[2:], mode="bilinear")


def blur(pictures: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of (n, c, h, w), zero beyond the border."""
    kernel = _bell(sigma, pictures.device)
    reach = len(kernel) // 2
    n, c, h, w = pictures.shape
    # As channels of one picture: convolutions of one channel each need no search for the best way at every new n.
    flat, many = pictures.reshape(1, n * c, h, w), kernel.expand(n * c, 1, -1)
    flat = functional.conv2d(flat, many[:, :, None, :].contiguous(), padding=(0, reach), groups=n * c)
    flat = functional.conv2d(flat, many[:, :, :, None].contiguous(), padding=(reach, 0), groups=n * c)
    return flat.reshape(n, c, h, w)


@lru_cache(maxsize=32)
def _bell(sigma: float, device: torch.device) -> torch.Tensor:
    """(k,) float32 that sums to 1."""
    reach = max(1, round(2.5 * sigma))
    values = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    return tensor(values / values.sum(), device)
