"""Tools of workshop, garden and house. Long ones stand, lean or lie; their broad side faces +Z."""

from __future__ import annotations

from training.families.paints import Kind, Rng, pick
from training.families.tools.garden import (
    axe,
    bucket,
    ladder,
    lawn_mower,
    pickaxe,
    rake,
    shovel,
    watering_can,
    wheelbarrow,
)
from training.families.tools.grips import posed
from training.families.tools.house import broom, brush, extinguisher, hydrant, key, padlock, plunger, sword
from training.families.tools.workshop import (
    anvil,
    drill,
    gear_wheel,
    hammer,
    pliers,
    ruler,
    saw,
    scissors,
    screwdriver,
    spanner,
    tape_measure,
    toolbox,
    vice,
)
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random tool."""
    kinds: tuple[Kind, ...] = (hammer, hammer, saw, saw, drill, drill, spanner, spanner, screwdriver, pliers, axe, axe)
    kinds += (shovel, rake, ladder, wheelbarrow, extinguisher, hydrant, bucket, bucket, brush, broom, scissors, ruler)
    kinds += (vice, toolbox, watering_can, anvil, tape_measure, lawn_mower, sword, padlock, key, pickaxe, plunger)
    kinds += (gear_wheel,)
    return posed(rng, pick(rng, kinds)(rng))
