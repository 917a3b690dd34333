"""What a camera and a file do to a scene: tone, colour cast, blur, noise, blocks."""

from __future__ import annotations

import math

import numpy as np
import torch

from training.scenes.grounds import indices, tensor
from training.scenes.shadows import blur

BLOCK = 8


def photographed(image: torch.Tensor, seed: int) -> torch.Tensor:
    """(n, 3, h, w) sRGB to the same after camera and file, in 0..1; equal seeds give equal faults."""
    device, n = image.device, len(image)
    rng = np.random.default_rng([seed, 17])
    dice = torch.Generator(device).manual_seed(seed + 1)

    def draw(values: np.ndarray) -> torch.Tensor:
        return tensor(values.reshape(n, -1, 1, 1), device)

    gain = draw(np.exp(rng.normal(0, 0.15, (n, 1)) + rng.normal(0, 0.04, (n, 3))))
    gamma = draw(np.exp(rng.normal(0, 0.12, n)))
    image = (image.clamp(1e-4, 1) ** gamma * gain).clamp(0, 1)
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * draw(np.where(rng.random(n) < 0.05, 0.0, np.exp(rng.normal(0, 0.15, n))))
    soft = torch.stack([image, blur(image, 0.7), blur(image, 1.6)])
    # Blur beyond the border would mix black in.
    inner = blur(torch.ones_like(image[:1, :1]), 1.6), blur(torch.ones_like(image[:1, :1]), 0.7)
    soft[1], soft[2] = soft[1] / inner[1], soft[2] / inner[0]
    lot = indices(rng.choice(3, n, p=[0.5, 0.35, 0.15]), device)
    image = soft[lot, torch.arange(n, device=device)]
    level = draw(np.where(rng.random(n) < 0.6, rng.uniform(0, 0.035, n), 0.0))
    image = image + level * torch.randn(image.shape, device=device, generator=dice)
    step = draw(np.where(rng.random(n) < 0.4, rng.uniform(0.01, 0.08, n), 0.0))
    return blocks(image, step).clamp(0, 1)


def blocks(image: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """Cosine coefficients of 8 x 8 blocks rounded to ``step`` (n, 1, 1, 1), the finer the coarser; 0 leaves as is."""
    wave = torch.arange(BLOCK, device=image.device, dtype=image.dtype)
    matrix = torch.cos(math.pi * (wave[None] + 0.5) * wave[:, None] / BLOCK) * (2 / BLOCK) ** 0.5
    matrix[0] /= 2**0.5
    n, c, h, w = image.shape
    cells = image.view(n, c, h // BLOCK, BLOCK, w // BLOCK, BLOCK).transpose(3, 4)
    coefficients = matrix @ cells @ matrix.T
    steps = step[..., None, None] * (1 + 0.6 * (wave[:, None] + wave[None]))
    rounded = torch.where(steps > 0, (coefficients / steps.clamp(min=1e-6)).round() * steps, coefficients)
    cells = matrix.T @ rounded @ matrix
    return cells.transpose(3, 4).reshape(n, c, h, w)
