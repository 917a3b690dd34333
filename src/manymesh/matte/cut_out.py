"""From a crop and a network's alpha to a cutout: whose pixels are these, and which colours have they of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manymesh.errors import ObjectError
from manymesh.matte import foreground
from manymesh.matte.ownership import own_alpha
from manymesh.stages import Tick
from manymesh.types import U8, Crop, Cutout

# Of 255: alpha that never exceeds 0.05 is no object.
FAINTEST_PEAK = 13
# Of the crop's pixels, the share that must be more object than background.
SMALLEST_SHARE = 0.001

Alpha = Callable[[U8], U8]
"""(h, w, 3) uint8 sRGB to (h, w) uint8 alpha, of everything that stands out."""


def cut_out(crop: Crop, alpha_of: Alpha, tick: Tick) -> Cutout:
    """The crop's own object. Transparency that the photo brought along takes the network's place.

    Args:
        crop: the object's box and its neighbours' boxes decide what is its own.
        alpha_of: the network.
        tick: called with the share done, 0..1.

    Raises:
        ObjectError: nothing is left of the object.
    """
    tick(0.0)
    alpha = crop.alpha if crop.alpha is not None else alpha_of(crop.rgb)
    tick(0.7)
    alpha = own_alpha(alpha, crop.box, crop.others)
    if alpha.max(initial=0) < FAINTEST_PEAK or np.mean(alpha > 127) < SMALLEST_SHARE:
        raise ObjectError(
            "nothing stood out from the background in this crop",
            "Draw a tighter --box, or cut it out yourself and give the picture with --cutout",
        )
    rgba = np.dstack([foreground.refined_rgb(crop.rgb, alpha), alpha])
    tick(1.0)
    return Cutout(np.ascontiguousarray(rgba), crop.window)
