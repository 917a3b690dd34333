"""Renders to scenes: things laid on grounds, photographed, with the truth about which pixel is whose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from training.render.draw import rasterise, shade
from training.render.shape_set import ShapeSet
from training.render.views import sample_views
from training.scenes.faults import photographed
from training.scenes.grounds import LITTER, draw_kinds, grounds, litter, tensor
from training.scenes.layout import MOST, Layout, draw_layout
from training.scenes.shadows import shadows

SIZE = 384
"""Pixels a side of a scene."""
VISIBLE = 0.5
"""Coverage from which a pixel is the thing's."""
FLAT_SHARE = 0.1
"""Of the things lose their shading: paper, stickers, what lies in even light."""
LARGE = 0.45
"""A thing whose crop has this side is larger than litter."""


@dataclass(frozen=True)
class Scenes:
    """n photos and the truth about them, all on one device.

    Attributes:
        image: (n, 3, SIZE, SIZE) float32 sRGB, 0..1.
        alpha: (n, SIZE, SIZE) float32, how much of each pixel any thing covers.
        owner: (n, SIZE, SIZE) int64, the thing that a pixel shows, -1 on the ground.
        kinds: (n,) int64, of the ground: index into ``training.scenes.grounds.KINDS``.
    """

    image: torch.Tensor
    alpha: torch.Tensor
    owner: torch.Tensor
    kinds: torch.Tensor


def compose(shape_set: ShapeSet, n: int, weights: torch.Tensor, seed: int, size: int = SIZE) -> Scenes:
    """``n`` random scenes; equal seeds give equal scenes on the same kind of device."""
    rng = np.random.default_rng([seed, 7])
    layout = draw_layout(rng, n)
    scene, slot = np.nonzero(layout.present)
    if not len(scene):  # the kernels want something to draw
        layout.present[0, 0], layout.side[0, 0], layout.centre[0, 0] = True, 0.6, 0.5
        scene, slot = np.nonzero(layout.present)
    views = sample_views(shape_set, len(scene), weights, seed)
    front, _ = rasterise(shape_set, views)
    pictures = flattened(rng, shade(shape_set, views, front).clamp(0, 1))
    layers = laid(pictures, layout, scene, slot, size)
    device = layers.device
    scene_of = torch.from_numpy(scene).to(device)
    dark = shadows(layers[:, 3:], scene_of, n, seed)
    place = np.full((n, MOST), len(scene))
    place[scene, slot] = np.arange(len(scene))
    places = torch.from_numpy(place).to(device)
    nothing = torch.zeros_like(layers[:1])
    layers, dark = torch.cat([layers, nothing]), torch.cat([dark, nothing[:, :1]])
    colored = pictures.flatten(2).sum(2)
    mean = colored[:, :3] / colored[:, 3:].clamp(min=1e-3)
    first = torch.cat([mean, mean.new_full((1, 3), 0.6)])[places[:, 0]]
    kinds = draw_kinds(rng, n)
    lone = (layout.present.sum(1) == 1) & (layout.side[:, 0] >= LARGE)
    kinds = np.where((kinds == LITTER) & ~lone, 0, kinds)
    others = pictures[torch.from_numpy(rng.integers(len(pictures), size=n)).to(device)]
    image = grounds(kinds, first, others, size, seed)
    image, alpha, owner = stacked(image, layers, dark, places)
    littered = np.flatnonzero(kinds == LITTER)
    if len(littered):
        where = torch.from_numpy(littered).to(device)
        full = np.flatnonzero(layout.present.sum(1) >= 2)
        source = torch.from_numpy(rng.choice(full if len(full) else np.arange(n), len(littered))).to(device)
        image[where], _, _ = stacked(litter(rng, image[source]), layers, dark, places[where])
    return Scenes(photographed(image, seed), alpha, owner, torch.from_numpy(kinds).to(device))


def flattened(rng: np.random.Generator, pictures: torch.Tensor) -> torch.Tensor:
    """(m, 4, h, w) premultiplied pictures, some of them in one colour each."""
    m = len(pictures)
    color = tensor(rng.random((m, 3, 1, 1)), pictures.device)
    flat = tensor((rng.random(m) < FLAT_SHARE)[:, None, None, None], pictures.device) > 0
    return torch.where(flat, torch.cat([color * pictures[:, 3:], pictures[:, 3:]], 1), pictures)


def laid(pictures: torch.Tensor, layout: Layout, scene: np.ndarray, slot: np.ndarray, size: int) -> torch.Tensor:
    """(m, 4, size, size): each thing's premultiplied picture at its place, empty elsewhere."""
    device = pictures.device
    side, centre = layout.side[scene, slot], layout.centre[scene, slot] * 2 - 1
    theta = np.zeros((len(scene), 2, 3), np.float32)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / side
    theta[:, :, 2] = -centre / side[:, None]
    grid = functional.affine_grid(tensor(theta, device), [len(scene), 4, size, size], align_corners=False)
    sharp = functional.grid_sample(pictures, grid, align_corners=False)
    # Averaged down first where a pixel of the scene covers several of the render.
    averaged = functional.grid_sample(functional.avg_pool2d(pictures, 2), grid, align_corners=False)
    coarse = tensor((side * size < 0.8 * pictures.shape[-1])[:, None, None, None], device) > 0
    return torch.where(coarse, averaged, sharp)


def stacked(
    image: torch.Tensor, layers: torch.Tensor, dark: torch.Tensor, places: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Things over the ground in their order, each on the shadow that it throws: image, alpha, owner."""
    n, _, height, width = image.shape
    clear = image.new_ones((n, 1, height, width))
    owner = torch.full((n, height, width), -1, dtype=torch.int64, device=image.device)
    for number in range(places.shape[1]):
        layer, shadow = layers[places[:, number]], dark[places[:, number]]
        covered = layer[:, 3:]
        image = layer[:, :3] + image * (1 - shadow) * (1 - covered)
        clear = clear * (1 - covered)
        owner = torch.where(covered[:, 0] >= VISIBLE, number, owner)
    return image, (1 - clear)[:, 0], owner
