"""Renders to scenes: objects laid on backgrounds, photographed, with the truth about which pixel is whose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from training.render.draw import rasterise, shade
from training.render.shape_set import ShapeSet
from training.render.views import sample_views
from training.scenes.faults import photographed
from training.scenes.grounds import LITTER, draw_kinds, fractal, grounds, indices, litter, tensor
from training.scenes.layout import draw_layout
from training.scenes.shadows import shadows

SIZE = 384
"""Pixels a side of a scene."""
VISIBLE = 0.5
"""Coverage from which a pixel is the object's."""
FLAT_SHARE = 0.1
"""Of the objects lose their shading: paper, stickers, what lies in even light."""
MOTTLED_SHARE = 0.2
"""Of the objects get spots of other colours all over: fur, leaves, food, which renders lack."""
ONE_FACE_SHARE = 0.5
"""Of the scenes show backgrounds the colour of one place of an object: of one of its faces, not of the whole."""
ONE_CAMERA_SHARE = 0.6
"""Of the scenes have all their objects seen from one height, as a photo does; a collage has not."""
LARGE = 0.45
"""An object whose crop has this side is larger than litter."""


@dataclass(frozen=True)
class Scenes:
    """n photos and the truth about them, all on one device.

    Attributes:
        image: (n, 3, SIZE, SIZE) float32 sRGB, 0..1.
        alpha: (n, SIZE, SIZE) float32, how much of each pixel any object covers.
        owner: (n, SIZE, SIZE) int64, the object that a pixel shows, -1 on the background.
        kinds: (n,) int64, of the ground: index into ``training.scenes.grounds.KINDS``.
    """

    image: torch.Tensor
    alpha: torch.Tensor
    owner: torch.Tensor
    kinds: torch.Tensor


def compose(
    shape_set: ShapeSet, n: int, weights: torch.Tensor, seed: int, size: int = SIZE, few: bool = False
) -> Scenes:
    """``n`` random scenes; equal seeds give equal scenes on the same kind of device. Nothing waits for the device.

    Args:
        weights: (shapes,) how often each is taken. size: pixels a side. few: of one to six objects, not sixteen.
    """
    rng = np.random.default_rng([seed, 7])
    layout = draw_layout(rng, n, few)
    if not layout.present.any():  # the kernels want something to draw
        layout.present[0, 0], layout.side[0, 0], layout.centre[0, 0] = True, 0.6, 0.5
    # All first objects, then all second ones: scenes with more objects come first, so each group is a run of scenes.
    slot, scene = np.nonzero(layout.present.T)
    many = layout.present.sum(0)
    start = np.cumsum(many) - many
    twins = start[layout.twin[scene, slot]] + scene
    heights = np.where((rng.random(n) < ONE_CAMERA_SHARE)[scene], scene, twins)  # numbered as its first object
    views = sample_views(shape_set, len(scene), weights, seed, twins, heights)
    device = shape_set.device
    front, _ = rasterise(shape_set, views)
    dice = torch.Generator(device).manual_seed(seed + 2)
    pictures = mottled(rng, dice, flattened(rng, shade(shape_set, views, front).clamp(0, 1)))
    layers = laid(pictures, layout.side[scene, slot], layout.centre[scene, slot], size)
    dark = shadows(layers[:, 3:], indices(scene, device), n, seed)
    filled = many[0]  # the scenes that have an object
    first = torch.full((n, 3), 0.6, device=device)
    first[:filled] = colors_of(rng, dice, pictures[:filled])
    kinds = draw_kinds(rng, n)
    lone = (layout.present.sum(1) == 1) & (layout.side[:, 0] >= LARGE)
    kinds = np.where((kinds == LITTER) & ~lone, 0, kinds)
    others = pictures[indices(rng.integers(len(pictures), size=n), device)]
    ground = grounds(kinds, first, others, size, seed)
    image, alpha, owner = stacked(ground, layers, dark, many.tolist())
    littered = np.flatnonzero(kinds == LITTER)
    if len(littered):
        full = np.flatnonzero(layout.present.sum(1) >= 2)
        source = indices(rng.choice(full if len(full) else np.arange(n), len(littered)), device)
        # Under one object, which is the scene's first.
        where = indices(littered, device)
        image[where] = over(litter(rng, image[source]), layers[where], dark[where])
    return Scenes(photographed(image, seed), alpha, owner, indices(kinds, device))


def flattened(rng: np.random.Generator, pictures: torch.Tensor) -> torch.Tensor:
    """(m, 4, h, w) premultiplied pictures, some of them in one colour each."""
    m = len(pictures)
    color = tensor(rng.random((m, 3, 1, 1)), pictures.device)
    flat = tensor((rng.random(m) < FLAT_SHARE)[:, None, None, None], pictures.device) > 0
    return torch.where(flat, torch.cat([color * pictures[:, 3:], pictures[:, 3:]], 1), pictures)


def mottled(rng: np.random.Generator, dice: torch.Generator, pictures: torch.Tensor) -> torch.Tensor:
    """(m, 4, h, w) premultiplied pictures, some of them (changed in place) with spots of other colours."""
    some = np.flatnonzero(rng.random(len(pictures)) < MOTTLED_SHARE)
    if len(some):
        where = indices(some, pictures.device)
        strength = tensor(rng.uniform(0.05, 0.5, (len(some), 1, 1, 1)), pictures.device)
        spots = fractal(dice, len(some), 3, pictures.shape[-1], pictures.device, rng) - 0.5
        # The three colours of a spot go together, more or less.
        spots = torch.lerp(
            spots, spots.mean(1, keepdim=True), tensor(rng.random((len(some), 1, 1, 1)), pictures.device)
        )
        theirs = pictures[where]
        most = theirs[:, 3:]
        pictures[where] = torch.cat([(theirs[:, :3] + strength * spots * most).clamp(min=0).minimum(most), most], 1)
    return pictures


def colors_of(rng: np.random.Generator, dice: torch.Generator, pictures: torch.Tensor) -> torch.Tensor:
    """(m, 3) sRGB of (m, 4, h, w) premultiplied pictures: the mean of all, or of one place by chance."""
    total = pictures.flatten(2).sum(2)
    mean = total[:, :3] / total[:, 3:].clamp(min=1e-3)
    coarse = pictures[:, :, ::4, ::4].flatten(2)
    chance = torch.rand(coarse[:, 3].shape, device=coarse.device, generator=dice)
    place = (chance * (coarse[:, 3] > 0.99)).argmax(1)
    there = coarse.gather(2, place[:, None, None].expand(-1, 4, 1))[..., 0]
    one = tensor((rng.random(len(pictures)) < ONE_FACE_SHARE)[:, None], coarse.device) > 0
    return torch.where(one & (there[:, 3:] > 0.99), there[:, :3], mean)


def laid(pictures: torch.Tensor, side: np.ndarray, centre: np.ndarray, size: int) -> torch.Tensor:
    """(m, 4, size, size): each object's premultiplied picture at its place, empty elsewhere.

    Args:
        pictures: (m, 4, p, p).
        side, centre: (m,) and (m, 2) of the objects' crops, see ``Layout``.
    """
    device, m = pictures.device, len(pictures)
    theta = np.zeros((m, 2, 3), np.float32)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / side
    theta[:, :, 2] = -(centre * 2 - 1) / side[:, None]
    grid = functional.affine_grid(tensor(theta, device), [m, 4, size, size], align_corners=False)
    # Averaged first where a pixel of the scene covers several of the render.
    covers = pictures.shape[-1] / (side * size)
    for least, width in ((1.25, 3), (3.5, 5)):
        if (covers > least).any():
            coarse = tensor((covers > least)[:, None, None, None], device) > 0
            pictures = torch.where(coarse, functional.avg_pool2d(pictures, width, 1, width // 2), pictures)
    return functional.grid_sample(pictures, grid, align_corners=False)


def stacked(
    ground: torch.Tensor, layers: torch.Tensor, dark: torch.Tensor, many: list[int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Objects over the background in their order, each on the shadow that it throws: image, alpha, owner.

    Args:
        ground: (n, 3, h, w).
        layers, dark: (m, 4, h, w) and (m, 1, h, w): the first objects of the first many[0] scenes, then the second
            objects of the first many[1], and so on.
    """
    n, _, height, width = ground.shape
    image, clear = ground.clone(), ground.new_ones((n, height, width))
    owner = torch.full((n, height, width), -1, dtype=torch.int64, device=ground.device)
    covered = layers[:, 3:]
    solid = covered[:, 0] >= VISIBLE
    through, start = (1 - dark) * (1 - covered), 0
    for number, count in enumerate(many):
        if not count:
            break
        part = slice(start, start + count)
        image[:count].mul_(through[part]).add_(layers[part, :3])
        clear[:count].mul_(1 - covered[part, 0])
        owner[:count].masked_fill_(solid[part], number)
        start += count
    return image, 1 - clear, owner


def over(image: torch.Tensor, layers: torch.Tensor, dark: torch.Tensor) -> torch.Tensor:
    """Premultiplied pictures over others that they darken."""
    return layers[:, :3] + image * (1 - dark) * (1 - layers[:, 3:])
