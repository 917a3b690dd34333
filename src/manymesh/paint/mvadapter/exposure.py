"""One brightness for all views: each is a picture of its own, and no two are lit alike."""

from __future__ import annotations

import numpy as np

from manymesh.types import F32, F64

# A texel counts for a pair of views where both see it with at least this weight. Chosen by hand; not measured.
LEAST_WEIGHT = 0.05
# Views that share fewer texels than this, or a smaller share of what one of them sees, say nothing of one another: the
# sides of a box meet in its edges alone. Chosen by hand.
LEAST_TEXELS, LEAST_SHARE = 64, 0.1
# Luminance outside of this range says little of the light: black stays black under any. Chosen by hand.
DARKEST, BRIGHTEST = 0.04, 0.98
# A view is changed by at most this factor, or its inverse. Chosen by hand: more is a difference of what is shown.
MOST = 1.25
# How strongly the views are held to what they are, against one pair that shares all its texels. Chosen by hand.
HOLD = 0.02
# The same for the first view, the front: it is what the photo shows. Chosen by hand.
HOLD_FRONT = 1.0
# Rec. 709 luminance of red, green and blue.
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def exposure_factors(colors: F32, weights: F32) -> F64:
    """What each view's colours are multiplied by, so that views agree in brightness where they see the same surface.

    Args:
        colors: (V, n, 3) in [0, 1], of n texels in V views.
        weights: (V, n), 0 where a view does not see a texel.

    Returns:
        (V,) factors between 1 / ``MOST`` and ``MOST``, near 1 for the first view.
    """
    count = len(colors)
    light = colors @ _LUMINANCE
    usable = (weights > LEAST_WEIGHT) & (light > DARKEST) & (light < BRIGHTEST)
    log = np.log(np.maximum(light, DARKEST))
    matrix, right = np.diag([HOLD_FRONT, *[HOLD] * (count - 1)]), np.zeros(count)
    for one in range(count):
        for other in range(one + 1, count):
            both = usable[one] & usable[other]
            shared = int(both.sum())
            share = shared / max(int(min(usable[one].sum(), usable[other].sum())), 1)
            if shared < LEAST_TEXELS or share < LEAST_SHARE:
                continue
            # The median: where the surface is not what the network took it for, one texel is as good as none.
            apart = float(np.median(log[other][both] - log[one][both]))
            matrix[[one, other], [one, other]] += share
            matrix[[one, other], [other, one]] -= share
            right[one] += share * apart
            right[other] -= share * apart
    factors: F64 = np.exp(np.clip(np.linalg.solve(matrix, right), -np.log(MOST), np.log(MOST)))
    return factors
