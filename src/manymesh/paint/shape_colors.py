"""The shape's own colours for what the photo does not show, brought into line with the photo.

A shape network that models colour knows the unseen side's materials, but not the photo's light: its colours are duller
and darker or brighter than the photo's. Where both are known they are compared, and one line for each channel takes the
network's to the photo's. What still differs at the border of the seen part fades out over the unseen part, so that no
seam shows.
"""

from __future__ import annotations

import numpy as np

from manymesh.render.fill import edge_graph, solve_diffusion, weld_atlas
from manymesh.types import F32, F64, Atlas

# How far a line may change the network's contrast. Chosen by hand; not measured on the published weights.
GAINS = 0.7, 1.6
# Seen vertices that a line needs. Chosen by hand.
MIN_SEEN = 20
# How firmly seen colours hold, and how firmly the network's own hold where nothing was seen: a difference at the border
# is down to a third some six edges into the unseen part. Chosen by hand.
SEEN_HOLD, OWN_HOLD = 8.0, 0.03


def continue_shape_colors(atlas: Atlas, strength: F64, color: F64, own: F64) -> F32:
    """(k, 3) float32 colours in [0, 1] of the atlas' vertices: seen ones as seen, others the shape's own.

    Args:
        strength, color: (c,) and (c, 3), what was seen around each welded vertex (``fill.vertex_means``).
        own: (c, 3) the shape's colour of each welded vertex, 0..1.
    """
    weld, count = weld_atlas(atlas)
    weight = np.minimum(strength, 1)
    matched = match_channels(own, color, weight)
    apart = np.where((strength > 0)[:, None], color - matched, 0.0)
    hold = np.where(strength > 0, SEEN_HOLD * weight, OWN_HOLD) + 1e-9
    fading = solve_diffusion(edge_graph(atlas, weld, count), hold, apart)
    return np.clip(matched + fading, 0, 1).astype(np.float32)[weld]


def match_channels(own: F64, color: F64, weight: F64) -> F64:
    """(c, 3) ``own`` colours, changed by a line for each channel that takes them to the seen ones.

    Args:
        own, color: (c, 3). weight: (c,) how well each vertex was seen; 0 for not at all.
    """
    total = float(weight.sum())
    if int((weight > 0).sum()) < MIN_SEEN or total <= 0:
        return own
    share = weight / total
    mean_own, mean_seen = share @ own, share @ color
    spread = share @ (own - mean_own) ** 2
    together = share @ ((own - mean_own) * (color - mean_seen))
    # One colour throughout says nothing about contrast.
    gain = np.where(spread > 1e-5, np.clip(together / np.maximum(spread, 1e-12), *GAINS), 1.0)
    return np.asarray(np.clip(mean_seen + gain * (own - mean_own), 0, 1))
