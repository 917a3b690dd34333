"""Which of the photo's materials each place of the surface is made of, and so what colour the unseen side has.

A network's colours for the unseen side are blurred and carry ghosts of the front: a window seen in front leaves a grey
cloud behind, a mixture that no part of the thing has. So they only vote. The photo's main colours are the candidates;
what was seen is one of them for certain; the votes are spread over the surface as a random walk would (Grady 2006,
"Random walks for image segmentation"), and every place takes the likeliest. A patch of the unseen side that nowhere
meets a seen place of its own material is a ghost and takes what lies around it. Last, the seen colours of each
material flow on over the unseen parts of the same material, and stop where another one begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.render.fill import edge_graph, solve_diffusion, weld_atlas
from manymesh.types import F32, F64, U8, Atlas

BRIGHTNESS = 0.25
"""How much a difference in brightness counts against one in hue: shading alone does not make another material."""
HUE_FLOOR = 0.25
"""Hues count as at equal brightness, but for what is darker than about this, where they cannot be told."""
LEVELS = 12
APART = 0.14
"""Colours nearer than this (0..1) are one material."""
LEAST_SHARE, MOST = 0.02, 8
"""A material covers at least this share of the photo; no more than so many are told apart."""
SURE = 0.09
"""How far a colour may be from a material's before it counts as another."""
SEEN_HOLD, VOTE_HOLD = 0.5, 0.05
"""How firmly seen materials and the network's votes hold against the neighbours' (1: as one edge)."""
LEAST_VOTERS = 20
CROSSING = 0.01
"""How much of a colour flows over the border between two materials, at the least."""
SOFT = 0.15
"""Materials further apart than about this are cut from each other; nearer ones, as lit and shaded sides, blend."""
COLOR_HOLD, MEAN_HOLD = 8.0, 0.03
"""How firmly seen colours hold, and a material's usual colour where nothing was seen."""
GUESSED_MEAN, GUESSED_HUE, GUESSED_SHADE = 0.7, 0.3, 0.5
"""How much of the brightness and hue of a material's usual unseen colour, and of its variation, is the network's: it
knows nothing of the light in the photo, which falls on the unseen side in another way, but is dull in hues."""
LIFT = 0.95, 1.4
"""How much the network may darken or brighten a material. Photos show lit sides, so it hardly ever ought to darken."""


def extract_palette(rgba: U8) -> F32:
    """(k, 3) float32 sRGB in [0, 1]: the photo's main colours, the commonest first; at least one.

    Args:
        rgba: (H, W, 4) the cutout.
    """
    pixels = rgba[..., :3][rgba[..., 3] > 250]
    if not len(pixels):
        return np.full((1, 3), 0.5, np.float32)
    level = pixels.astype(np.int64) * LEVELS // 256
    key = (level[:, 0] * LEVELS + level[:, 1]) * LEVELS + level[:, 2]
    count = np.bincount(key, minlength=LEVELS**3)
    used = np.flatnonzero(count)
    sums = np.stack([np.bincount(key, pixels[:, c], len(count))[used] for c in range(3)], axis=1)
    weight = count[used].astype(np.float64)
    colors = sums / weight[:, None] / 255
    place = material_space(colors)
    near = ((place[:, None] - place[None]) ** 2).sum(axis=2) < (APART / 2) ** 2
    crowd = near @ weight
    free = np.ones(len(used), bool)
    chosen: list[Any] = []
    while free.any() and len(chosen) < MOST:
        best = int(np.argmax(np.where(free, crowd, -1)))
        taken = free & (((place - place[best]) ** 2).sum(axis=1) < APART**2)
        if chosen and weight[taken].sum() < LEAST_SHARE * weight.sum():
            free &= ~taken
            continue
        chosen.append((weight[taken] @ colors[taken]) / weight[taken].sum())
        free &= ~taken
    return np.asarray(chosen, np.float32)


def material_space(colors: Any) -> F64:
    """(n, 3) sRGB in 0..1 to a space in which distance means another material: brightness and two hues."""
    r, g, b = np.asarray(colors, np.float64).T
    level = (r + g + b) / 3
    full = (HUE_FLOOR + 0.5) / (HUE_FLOOR + level)
    hues = (r - g) / np.sqrt(2) * full, (r + g - 2 * b) / np.sqrt(6) * full
    return np.stack([BRIGHTNESS * np.sqrt(3) * level, *hues], axis=1)


def continue_materials(atlas: Atlas, strength: Any, color: Any, guess: Any, pull: Any, colors: F32) -> F32:
    """(k, 3) float32: a colour for each of the atlas' vertices, seen ones near what was seen.

    Args:
        strength: (c,) how much was seen around each welded vertex (``fill.seen_by_vertex``). color: (c, 3) its mean.
        guess: (c, 3) what the network thinks of each. pull: (c,) 0..1, how much that counts.
        colors: (k, 3) the photo's materials, from ``palette``.
    """
    weld, count = weld_atlas(atlas)
    known = strength > 0
    seen_votes, guess_votes = material_probabilities(color, colors), material_probabilities(guess, colors)
    edges = edge_graph(atlas, weld, count)
    hold = np.where(known, SEEN_HOLD * np.minimum(strength, 1), VOTE_HOLD * pull)
    likely = solve_diffusion(edges, hold + 1e-7, np.where(known[:, None], seen_votes, guess_votes), count)
    material = np.where(known, seen_votes.argmax(axis=1), likely.argmax(axis=1))
    material = replace_isolated_patches(material, known, likely, edges, count)
    a, b, bond = edges
    apart = ((material_space(colors)[material[a]] - material_space(colors)[material[b]]) ** 2).sum(axis=1)
    bond = bond * np.maximum(np.exp(-apart / SOFT**2), CROSSING)
    hold = np.where(known, COLOR_HOLD * np.minimum(strength, 1), MEAN_HOLD)
    target = np.where(known[:, None], color, unseen_colors(material, ~known & (pull > 0.5), guess, guess_votes, colors))
    return np.clip(solve_diffusion((a, b, bond), hold, target, count), 0, 1).astype(np.float32)[weld]


def unseen_colors(material: Any, unseen: Any, guess: Any, guess_votes: Any, colors: F32) -> F64:
    """(c, 3): what an unseen place of each vertex' material looks like: the photo's mean, and the network's guess where
    that is of the same material."""
    agrees = unseen & (guess_votes.argmax(axis=1) == material)
    means = colors.astype(np.float64)
    for number in range(len(colors)):
        mine = agrees & (material == number)
        if mine.sum() >= LEAST_VOTERS:
            means[number] = guess[mine].mean(axis=0)
    lift = np.clip(means.mean(axis=1) / np.maximum(colors.mean(axis=1), 0.02), *LIFT)[:, None] ** GUESSED_MEAN
    usual = (1 - GUESSED_HUE) * np.clip(colors * lift, 0, 1) + GUESSED_HUE * means
    return np.asarray(usual[material] + agrees[:, None] * GUESSED_SHADE * (guess - means[material]))


def material_probabilities(values: Any, colors: F32) -> F64:
    """(n, k) float64, rows adding up to 1: how likely each colour is of each material."""
    apart = ((material_space(values)[:, None] - material_space(colors)[None]) ** 2).sum(axis=2)
    share = np.exp(-(apart - apart.min(axis=1, keepdims=True)) / (2 * SURE**2))
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def replace_isolated_patches(material: Any, known: Any, likely: F64, edges: Any, count: int) -> Any:
    """``material`` with unseen patches that meet no seen place of theirs given the likeliest of what lies around."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b, bond = edges
    whole = connected_components(coo_array((bond, (a, b)), shape=(count, count)), directed=False)[1]
    reached = np.bincount(whole, known) > 0
    material = material.copy()
    for _ in range(3):
        same = material[a] == material[b]
        patches, patch = connected_components(
            coo_array((bond[same], (a[same], b[same])), shape=(count, count)), directed=False
        )
        ghost = (np.bincount(patch, known, patches) == 0)[patch] & reached[whole]
        if not ghost.any():
            break
        # The materials that lie around each patch, by the length of their border with it.
        border = ghost[a] != ghost[b]
        inner, outer = np.where(ghost[a], a, b)[border], np.where(ghost[a], b, a)[border]
        around = np.zeros((patches, likely.shape[1]))
        np.add.at(around, (patch[inner], material[outer]), 1.0)
        told = around[patch].any(axis=1) & ghost
        material[told] = np.where(around[patch[told]] > 0, likely[told], -1).argmax(axis=1)
    return material
