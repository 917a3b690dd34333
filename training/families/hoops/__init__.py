"""Objects that one sees through: rings, frames, wheels, handles. Standing or leaning; ``lying`` lays half down."""

from __future__ import annotations

import numpy as np

from training.families.hoops.frames import (
    coat_hanger,
    cookie_cutter,
    cooling_rack,
    handled_tray,
    mirror_frame,
    step_ladder,
    trivet,
    wide_basket,
)
from training.families.hoops.rings import (
    bracelet,
    carabiner,
    chain,
    embroidery_hoop,
    horseshoe,
    key_ring,
    spoked_wheel,
    tape_roll,
    tyre,
    wreath,
)
from training.families.hoops.worn import big_handled, eyeglasses, headphones, racket, shears
from training.families.paints import Kind, Rng, pick
from training.families.parts import bounds, moved, turned
from training.shapes import Part

FLAT: tuple[Kind, ...] = (
    *(bracelet, bracelet, bracelet, tyre, wreath, embroidery_hoop, spoked_wheel, spoked_wheel, key_ring, chain),
    *(horseshoe, tape_roll, tape_roll, carabiner, mirror_frame, mirror_frame, mirror_frame, cookie_cutter),
    *(coat_hanger, trivet, racket, shears, shears),
)
"""Made in the plane of x and y, seen from +Z."""
UPRIGHT: tuple[Kind, ...] = (
    *(cooling_rack, step_ladder, handled_tray, wide_basket, wide_basket, eyeglasses, headphones, big_handled),
    big_handled,
)
"""Made as they stand."""


def make(rng: Rng) -> list[Part]:
    """One random object with openings."""
    if rng.random() < len(UPRIGHT) / (len(UPRIGHT) + len(FLAT)):
        return pick(rng, UPRIGHT)(rng)
    parts = pick(rng, FLAT)(rng)
    if rng.random() < 0.3:  # against a wall
        parts = turned(parts, -rng.uniform(5, 35), "x")
    low, _ = bounds(parts)
    return moved(parts, np.array([0, -low[1], 0]))
