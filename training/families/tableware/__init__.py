"""What stands on a table or a kitchen counter."""

from __future__ import annotations

from training.families.paints import Kind, Rng, pick
from training.families.tableware.cups import cup, kettle, mug, teapot, teapot_set
from training.families.tableware.flat import pan, plate, pot, shaker, tray
from training.families.tableware.kitchenware import (
    candle,
    coffee_machine,
    cutlery,
    grater,
    kitchen_scale,
    knife_block,
    mixer,
    place_setting,
    rolling_pin,
    toaster,
)
from training.families.tableware.vessels import basket, bottle, bowl, jug, tumbler, vase, wine_glass
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random piece of tableware; handles point to either side, spouts to the other."""
    kinds: tuple[Kind, ...] = (cup, cup, mug, mug, teapot, teapot, wine_glass, tumbler, bottle, bottle, bowl, bowl)
    kinds += (plate, pan, pot, pot, jug, jug, cutlery, cutlery, knife_block, tray, candle, vase, vase, vase)
    kinds += (kitchen_scale, toaster, mixer, coffee_machine, kettle, grater, rolling_pin, place_setting, shaker)
    kinds += (teapot_set, basket)
    return pick(rng, kinds)(rng)
