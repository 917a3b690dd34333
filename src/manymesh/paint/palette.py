"""The photo's materials, and which of them each point of the surface is made of.

The network's colours for the unseen side are blurred and repeat the front: a window seen in front leaves a grey cloud
behind, a mixture that no part of the object has. So they only vote. The photo's main colours are the candidate
materials. What the camera saw is one of them for certain. The votes are spread over the surface like a random walk
(Grady 2006, "Random walks for image segmentation"), and every point takes the likeliest material. A patch of the unseen
side that nowhere meets a seen point of its own material takes the material around it. Last, the seen colours of each
material spread over the unseen parts of the same material, and stop where another one begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.render.fill import EdgeGraph, edge_graph, solve_diffusion, weld_atlas
from manymesh.types import F32, F64, U8, Atlas, Bool

I64 = NDArray[np.int64]

# The constants of this file were set by hand on the 42 validation models (training/benchmarks/paint_unseen.py).

# Weight of a difference in brightness against one in hue: shading alone does not make another material.
BRIGHTNESS_WEIGHT = 0.25
# Hues are compared as if at equal brightness, except below about this brightness (0..1), where they cannot be told.
HUE_FLOOR = 0.25

# Levels of each colour channel in the histogram that the palette is found in.
LEVELS = 12
# Colours nearer than this in material space are one material.
MERGE_DISTANCE = 0.14
# A material covers at least this share of the photo, and there are at most this many.
MIN_SHARE, MAX_MATERIALS = 0.02, 8

# Standard deviation, in material space, of the colours of one material.
MATERIAL_SIGMA = 0.09

# How firmly seen materials and the network's votes hold against the neighbours' (1: as one edge of mean length).
SEEN_HOLD, VOTE_HOLD = 0.5, 0.05
# Vertices that the network must vote a material for, before its mean colour for that material counts.
MIN_VOTERS = 20

# Materials further apart than about this in material space do not mix; nearer ones, as lit and shaded sides, blend.
BLEND_DISTANCE = 0.15
# Least share of a colour that spreads across the border between two materials.
MIN_CROSSING = 0.01
# How firmly seen colours hold, and a material's usual colour where nothing was seen.
COLOR_HOLD, MEAN_HOLD = 8.0, 0.03

# Weights of the network's colour on unseen surfaces: in the brightness of a material's usual colour, in its hue, and in
# its variation about it. The network's light is not the photo's, and its hues are dull.
NETWORK_BRIGHTNESS, NETWORK_HUE, NETWORK_VARIATION = 0.7, 0.3, 0.5
# Range of the factor by which the network may change a material's brightness. Photos show lit sides, so unseen ones are
# rarely darker still.
BRIGHTNESS_RANGE = 0.95, 1.4


def extract_palette(rgba: U8) -> F32:
    """(k, 3) float32 sRGB in [0, 1]: the photo's main colours, the most common first; mid grey if it is empty.

    Args:
        rgba: (H, W, 4) uint8, the cutout with straight alpha. Only opaque pixels count.
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
    near = ((place[:, None] - place[None]) ** 2).sum(axis=2) < (MERGE_DISTANCE / 2) ** 2
    density = near @ weight
    free = np.ones(len(used), bool)
    chosen: list[Any] = []
    while free.any() and len(chosen) < MAX_MATERIALS:
        best = int(np.argmax(np.where(free, density, -1)))
        taken = free & (((place - place[best]) ** 2).sum(axis=1) < MERGE_DISTANCE**2)
        if chosen and weight[taken].sum() < MIN_SHARE * weight.sum():
            free &= ~taken
            continue
        chosen.append((weight[taken] @ colors[taken]) / weight[taken].sum())
        free &= ~taken
    return np.asarray(chosen, np.float32)


def material_space(colors: Any) -> F64:
    """(n, 3) sRGB in 0..1 to a space whose distances tell materials apart: damped brightness and two hue axes."""
    r, g, b = np.asarray(colors, np.float64).T
    level = (r + g + b) / 3
    full = (HUE_FLOOR + 0.5) / (HUE_FLOOR + level)
    hues = (r - g) / np.sqrt(2) * full, (r + g - 2 * b) / np.sqrt(6) * full
    return np.stack([BRIGHTNESS_WEIGHT * np.sqrt(3) * level, *hues], axis=1)


def continue_materials(atlas: Atlas, strength: F64, color: F64, guess: F64, trust: F64, colors: F32) -> F32:
    """(k, 3) float32 colours in [0, 1] of the atlas' vertices: the photo's materials, continued over the unseen side.

    Args:
        strength, color: (c,) and (c, 3), what was seen around each welded vertex (``fill.vertex_means``).
        guess: (c, 3) the network's colour of each welded vertex, 0..1. trust: (c,) 0..1, how much it counts.
        colors: (m, 3) the photo's materials, from ``extract_palette``.
    """
    weld, count = weld_atlas(atlas)
    known = strength > 0
    seen_votes, guess_votes = material_probabilities(color, colors), material_probabilities(guess, colors)
    edges = edge_graph(atlas, weld, count)
    hold = np.where(known, SEEN_HOLD * np.minimum(strength, 1), VOTE_HOLD * trust)
    spread = solve_diffusion(edges, hold + 1e-7, np.where(known[:, None], seen_votes, guess_votes))
    material = np.where(known, seen_votes.argmax(axis=1), spread.argmax(axis=1))
    material = replace_isolated_patches(material, known, spread, edges)
    place = material_space(colors)
    apart = ((place[material[edges.a]] - place[material[edges.b]]) ** 2).sum(axis=1)
    weight = edges.weight * np.maximum(np.exp(-apart / BLEND_DISTANCE**2), MIN_CROSSING)
    hold = np.where(known, COLOR_HOLD * np.minimum(strength, 1), MEAN_HOLD)
    unseen = unseen_colors(material, ~known & (trust > 0.5), guess, guess_votes, colors)
    target = np.where(known[:, None], color, unseen)
    filled = solve_diffusion(EdgeGraph(edges.a, edges.b, weight), hold, target)
    return np.clip(filled, 0, 1).astype(np.float32)[weld]


def unseen_colors(material: I64, unseen: Bool, guess: F64, guess_votes: F64, colors: F32) -> F64:
    """(c, 3): the colour of each vertex' material where it is unseen.

    It is the photo's colour of the material, changed towards the network's mean for it, and varied by the network's
    guess where that is of the same material.

    Args:
        material: (c,) number of each vertex' material. unseen: (c,) bool. guess: (c, 3). guess_votes: (c, m).
        colors: (m, 3) the materials.
    """
    agrees = unseen & (guess_votes.argmax(axis=1) == material)
    means = colors.astype(np.float64)
    for number in range(len(colors)):
        mine = agrees & (material == number)
        if mine.sum() >= MIN_VOTERS:
            means[number] = guess[mine].mean(axis=0)
    factor = np.clip(means.mean(axis=1) / np.maximum(colors.mean(axis=1), 0.02), *BRIGHTNESS_RANGE)
    factor = factor[:, None] ** NETWORK_BRIGHTNESS
    usual = (1 - NETWORK_HUE) * np.clip(colors * factor, 0, 1) + NETWORK_HUE * means
    return np.asarray(usual[material] + agrees[:, None] * NETWORK_VARIATION * (guess - means[material]))


def material_probabilities(values: F64, colors: F32) -> F64:
    """(n, m) float64, rows adding up to 1: how likely each of (n, 3) colours is of each of (m, 3) materials."""
    apart = ((material_space(values)[:, None] - material_space(colors)[None]) ** 2).sum(axis=2)
    share = np.exp(-(apart - apart.min(axis=1, keepdims=True)) / (2 * MATERIAL_SIGMA**2))
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def replace_isolated_patches(material: I64, known: Bool, likely: F64, edges: EdgeGraph) -> I64:
    """(c,) materials in which patches without a seen vertex take the likeliest of the materials around them.

    Components of the surface of which nothing was seen at all stay as they are.

    Args:
        material: (c,) number of each vertex' material. known: (c,) bool, seen vertices.
        likely: (c, m) how likely each vertex is of each material.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b, weight = edges
    count = len(material)
    whole = connected_components(coo_array((weight, (a, b)), shape=(count, count)), directed=False)[1]
    reached = np.bincount(whole, known) > 0
    material = material.copy()
    for _ in range(3):
        same = material[a] == material[b]
        patches, patch = connected_components(
            coo_array((weight[same], (a[same], b[same])), shape=(count, count)), directed=False
        )
        isolated = (np.bincount(patch, known, patches) == 0)[patch] & reached[whole]
        if not isolated.any():
            break
        # The materials around each patch, by the length of their border with it.
        border = isolated[a] != isolated[b]
        inner, outer = np.where(isolated[a], a, b)[border], np.where(isolated[a], b, a)[border]
        around = np.zeros((patches, likely.shape[1]))
        np.add.at(around, (patch[inner], material[outer]), 1.0)
        replaced = around[patch].any(axis=1) & isolated
        material[replaced] = np.where(around[patch[replaced]] > 0, likely[replaced], -1).argmax(axis=1)
    return material
