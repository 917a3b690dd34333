"""What objects stand on and before: smooth colours, a table before a wall, wood, cloth, stone, blurred rooms."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

CAMOUFLAGE_SHARE = 0.3
"""Of the backgrounds take nearly the colour of an object: pale on pale is what segmentation networks fail at."""
VERY_LIKE_SHARE, VERY_LIKE = 0.4, 0.25
"""Of those, so many differ from the object by only so much of what the others do."""
GRAINY_SHARE = 0.35
FOLDED_SHARE = 0.15
"""Of the backgrounds are cloth or paper with soft folds."""
HARSH_SHARE = 0.15
"""Of the scenes lie in light that falls off strongly: a window at one side, a lamp, a cheap lens's dark corners."""
KINDS = ("plain", "two planes", "texture", "two textures", "clutter", "litter")
KIND_CHANCES = (0.33, 0.18, 0.23, 0.13, 0.07, 0.06)
LITTER = KINDS.index("litter")
"""Many small objects, as leaves and pebbles are: made of other scenes (``litter``), so only under one large object."""


def draw_kinds(rng: np.random.Generator, n: int) -> np.ndarray:
    """(n,) index into KINDS."""
    return rng.choice(len(KINDS), n, p=KIND_CHANCES)


def grounds(kinds: np.ndarray, like: torch.Tensor, clutter: torch.Tensor, size: int, seed: int) -> torch.Tensor:
    """Grounds of n pictures.

    Args:
        kinds: (n,) index into KINDS.
        like: (n, 3) sRGB of an object in each picture, for backgrounds of nearly its colour.
        clutter: (n, 4, s, s) premultiplied pictures of other objects; blurred, they are a room behind.
        size: pixels a side.
        seed: equal seeds give equal backgrounds on the same device.

    Returns:
        (n, 3, size, size) float32 sRGB in 0..1, on ``like``'s device.
    """
    device, n = like.device, len(kinds)
    rng = np.random.default_rng([seed, 11])
    dice = torch.Generator(device).manual_seed(seed)
    kinds = np.asarray(kinds)
    textured = np.concatenate([(kinds == 2) | (kinds == 3), kinds == 3])
    ground, second = plane(rng, dice, torch.cat([like, like]), 2 * n, size, textured).chunk(2)
    walled = tensor(np.isin(kinds, (1, 3, 4))[:, None, None, None], device)
    ground = torch.lerp(ground, second, horizon(rng, n, size, device) * walled)
    cluttered = np.flatnonzero(kinds == 4)
    if len(cluttered):
        where = indices(cluttered, device)
        room = blurred(clutter[where], size)
        ground[where] = room[:, :3] + ground[where] * (1 - room[:, 3:])
    return (ground * lighting(rng, dice, n, size, device)).clamp(0, 1)


def plane(
    rng: np.random.Generator, dice: torch.Generator, like: torch.Tensor, n: int, size: int, textured: np.ndarray
) -> torch.Tensor:
    """(n, 3, size, size): one colour each, with a pattern where ``textured``, some with grain, some folded."""
    device = like.device
    base = colors(rng, like, n)
    other = (base + tensor(rng.normal(0, 0.14, (n, 3)) + rng.normal(0, 0.14, (n, 1)), device)).clamp(0, 1)
    made = base[..., None, None].repeat(1, 1, size, size)
    # Each is worked out only for the pictures that have it: at full size they cost more than the network.
    if len(some := np.flatnonzero(textured)):
        where = indices(some, device)
        strength = tensor(np.exp(rng.uniform(np.log(0.1), np.log(1.0), (len(some), 1, 1, 1))), device)
        share = patterns(rng, dice, len(some), size, device) * strength
        made[where] = torch.lerp(made[where], other[where][..., None, None], share)
    if len(some := np.flatnonzero(rng.random(n) < GRAINY_SHARE)):
        where = indices(some, device)
        grain = tensor(rng.uniform(0, 0.05, (len(some), 1, 1, 1)), device)
        made[where] = made[where] + grain * (fractal(dice, len(some), 1, size, device, rng, finest=True) - 0.5)
    if len(some := np.flatnonzero(rng.random(n) < FOLDED_SHARE)):
        where = indices(some, device)
        made[where] = made[where] * folds(rng, dice, len(some), size, device)
    return made


def folds(rng: np.random.Generator, dice: torch.Generator, n: int, size: int, device: torch.device) -> torch.Tensor:
    """(n, 1, size, size) factor: the soft ridges of cloth and paper that do not lie flat."""
    often, along = rng.uniform(1.5, 6, (n, 1, 1, 1)), rng.uniform(0, 2 * math.pi, (n, 1, 1, 1))
    depth = tensor(rng.uniform(0.02, 0.25, (n, 1, 1, 1)), device)
    line = (torch.arange(size, device=device) + 0.5) / size - 0.5
    y, x = line[:, None], line[None, :]
    bent = functional.interpolate(torch.rand((n, 1, 5, 5), device=device, generator=dice), (size, size), mode="bicubic")
    across = x * tensor(np.cos(along), device) + y * tensor(np.sin(along), device)
    wave = torch.sin(6.283 * (tensor(often, device) * (across + 0.25 * bent)))
    # Ridges are narrower than the valleys between them.
    return 1 + depth * (wave + 0.4 * wave * wave - 0.2)


def colors(rng: np.random.Generator, like: torch.Tensor, n: int) -> torch.Tensor:
    """(n, 3) sRGB: white, greys, faint tints, full colours, dark ones, or nearly ``like``."""
    value = rng.uniform(0.05, 1.0, (n, 1)) ** 0.6
    white = np.where(rng.random((n, 1)) < 0.3, rng.uniform(0.88, 1.0, (n, 1)), value)
    tint = rng.normal(0, 1, (n, 3)) * rng.choice([0.01, 0.05, 0.15, 0.35], (n, 1), p=[0.35, 0.3, 0.2, 0.15])
    made = tensor(np.clip(white + tint, 0, 1), like.device)
    off = np.where(rng.random((n, 1)) < VERY_LIKE_SHARE, VERY_LIKE, 1.0)
    near = like + tensor(off * (rng.normal(0, 0.03, (n, 3)) + rng.normal(0, 0.07, (n, 1))), like.device)
    hidden = tensor(rng.random((n, 1)) < CAMOUFLAGE_SHARE, like.device) > 0
    return torch.where(hidden, near, made).clamp(0, 1)


def patterns(rng: np.random.Generator, dice: torch.Generator, n: int, size: int, device: torch.device) -> torch.Tensor:
    """(n, 1, size, size) in about 0..1: clouds, boards, checks, weave, specks, by lot; turned, and laid flat."""
    line = (torch.arange(size, device=device) + 0.5) / size - 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    angle = tensor(rng.uniform(0, 2 * math.pi, (n, 1, 1)), device)
    tilt = tensor(np.where(rng.random((n, 1, 1)) < 0.5, rng.uniform(0, 1.6, (n, 1, 1)), 0.0), device)
    depth = 1 / (1 + tilt * (0.5 - y[None]))  # rows farther up lie farther away
    across, along = x[None] / depth, -1 / (tilt + 0.3) * depth
    along = torch.where(tilt > 0.05, along, y[None].expand_as(along))
    u, v = across * angle.cos() - along * angle.sin(), across * angle.sin() + along * angle.cos()
    clouds = fractal(dice, n, 1, size, device, rng)[:, 0]
    often = tensor(np.exp(rng.uniform(np.log(3), np.log(50), (n, 1, 1))), device)
    warp = tensor(rng.uniform(0, 0.6, (n, 1, 1)), device) * (clouds - 0.5)
    board, knot = (u * often + 0.4 * warp), (v * often * 0.1 + warp * 2)
    gap = ((board - board.floor()) < 0.06).float()
    shade = _hash(board.floor()) * 0.7 + 0.3 * torch.sin(40 * (board + knot + warp)).mul(0.5).add(0.5)
    boards = shade * (1 - gap) + gap * 1.3
    checks = ((u * often).floor() + (v * often).floor()).remainder(2) * 0.8 + 0.2 * clouds
    weave = 0.5 + 0.25 * torch.sin(6.283 * u * often * 2) + 0.25 * torch.sin(6.283 * v * often * 2)
    specks = (fractal(dice, n, 1, size, device, rng, finest=True)[:, 0] > 0.62).float()
    tiles = (((u * often * 0.5).remainder(1) < 0.04) | ((v * often * 0.5).remainder(1) < 0.04)).float()
    tiles = tiles + 0.3 * _hash((u * often * 0.5).floor() + 17 * (v * often * 0.5).floor())
    kinds = torch.stack([clouds, boards, checks, weave, specks, tiles])
    chosen = indices(rng.choice(6, n, p=[0.3, 0.22, 0.1, 0.12, 0.14, 0.12]), device)
    return kinds[chosen, torch.arange(n, device=device)][:, None]


def fractal(
    dice: torch.Generator,
    n: int,
    channels: int,
    size: int,
    device: torch.device,
    rng: np.random.Generator,
    finest: bool = False,
) -> torch.Tensor:
    """(n, channels, size, size) in 0..1: noise of many sizes, each finer one weaker; ``finest``: only fine ones."""
    sides = [size // 4, size // 2, size] if finest else [3, 6, 12, 24, 48, 96, size // 2]
    total = torch.zeros((n, channels, size, size), device=device)
    fall = tensor(rng.uniform(0.45, 1.0, (n, 1, 1, 1)), device)
    for number, side in enumerate(sides):
        noise = torch.rand((n, channels, side, side), device=device, generator=dice) - 0.5
        noise = functional.interpolate(noise, (size, size), mode="bilinear") if side != size else noise
        total = total + noise * fall**number
    spread = total.flatten(1).std(1).clamp(min=1e-6)[:, None, None, None]
    return (0.5 + 0.22 * total / spread).clamp(0, 1)


def horizon(rng: np.random.Generator, n: int, size: int, device: torch.device) -> torch.Tensor:
    """(n, 1, size, size): 1 on the wall above a slightly tilted, more or less sharp line; sometimes a side wall."""
    line = (torch.arange(size, device=device) + 0.5) / size
    y, x = torch.meshgrid(line, line, indexing="ij")
    height = tensor(rng.uniform(0.1, 0.75, (n, 1, 1)), device)
    slope = tensor(np.where(rng.random((n, 1, 1)) < 0.5, rng.normal(0, 0.08, (n, 1, 1)), 0.0), device)
    upright = tensor(rng.random((n, 1, 1)) < 0.15, device) > 0
    soft = tensor(np.exp(rng.uniform(np.log(0.002), np.log(0.12), (n, 1, 1))), device)
    here = torch.where(upright, x, y)
    there = torch.where(upright, y, x)
    return torch.sigmoid((height + slope * (there - 0.5) - here) / soft * 3)[:, None]


def lighting(rng: np.random.Generator, dice: torch.Generator, n: int, size: int, device: torch.device) -> torch.Tensor:
    """(n, 1, size, size) factor: light that falls off to one side, in the corners, and by slow chance."""
    line = (torch.arange(size, device=device) + 0.5) / size - 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    towards = tensor(rng.uniform(0, 2 * math.pi, (n, 1, 1)), device)
    harsh = np.where(rng.random((n, 1, 1)) < HARSH_SHARE, rng.uniform(1.5, 3.0, (n, 1, 1)), 1.0)
    amount = tensor(np.minimum(np.abs(rng.normal(0, 0.18, (n, 1, 1))) * harsh, 0.6), device)
    corners = tensor(np.where(rng.random((n, 1, 1)) < 0.4, rng.uniform(0, 0.6, (n, 1, 1)), 0.0) * harsh, device)
    slow = torch.rand((n, 1, 4, 4), device=device, generator=dice) - 0.5
    slow = functional.interpolate(slow, (size, size), mode="bicubic")[:, 0]
    uneven = tensor(np.where(rng.random((n, 1, 1)) < 0.4, rng.uniform(0, 0.25, (n, 1, 1)), 0.0), device)
    light = 1 + amount * (x * towards.cos() + y * towards.sin()) * 2 - corners * (x**2 + y**2) + uneven * slow
    return light.clamp(min=0.1)[:, None]


def litter(rng: np.random.Generator, scenes: torch.Tensor) -> torch.Tensor:
    """(n, 3, h, w): each scene shrunk, turned and repeated with its mirror images until it covers the picture."""
    n = len(scenes)
    turn, often = rng.uniform(0, 2 * math.pi, n), rng.uniform(3.5, 8, n)
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = often * np.cos(turn), -often * np.sin(turn)
    theta[:, 1, 0], theta[:, 1, 1] = often * np.sin(turn), often * np.cos(turn)
    theta[:, :, 2] = rng.uniform(-1, 1, (n, 2))
    grid = functional.affine_grid(tensor(theta, scenes.device), list(scenes.shape), align_corners=False)
    small = functional.avg_pool2d(scenes, 4)
    return functional.grid_sample(small, grid, padding_mode="reflection", align_corners=False)


def blurred(pictures: torch.Tensor, size: int) -> torch.Tensor:
    """Pictures far out of focus: shrunk to a few pixels and drawn large again."""
    small = functional.adaptive_avg_pool2d(pictures, 14)
    return functional.interpolate(small, (size, size), mode="bicubic").clamp(0, 1)


def tensor(values: np.ndarray, device: torch.device) -> torch.Tensor:
    """float32 on the device, without waiting for what is queued there."""
    made = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    return made.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else made


def indices(values: np.ndarray, device: torch.device) -> torch.Tensor:
    """int64 on the device, without waiting for what is queued there."""
    made = torch.from_numpy(np.ascontiguousarray(values, np.int64))
    return made.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else made


def _hash(values: torch.Tensor) -> torch.Tensor:
    """A number in 0..1 for each whole number."""
    return (torch.sin(values * 127.1) * 43758.5453).frac().abs()
