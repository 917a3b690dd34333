"""Houses, towers and what stands in streets, gardens and playgrounds; doors face +Z."""

from __future__ import annotations

from training.families.buildings.grounds import bridge, diving_board, gate, goal, railing, slide, swing, tent, well
from training.families.buildings.houses import bird_house, dog_house, greenhouse, house
from training.families.buildings.street import barrel, bin_, crate, fountain, grave_stone, mailbox, market_stall, sign
from training.families.buildings.towers import castle, column, lighthouse, tower, water_tower, windmill
from training.families.furniture.rest import staircase
from training.families.paints import Kind, Rng, pick
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random building or piece of street furniture."""
    kinds: tuple[Kind, ...] = (house, house, house, house, dog_house, tower, tower, mailbox, barrel, barrel, crate)
    kinds += (crate, bin_, bin_, well, bridge, sign, sign, fountain, tent, tent, swing, goal, diving_board, railing)
    kinds += (castle, windmill, lighthouse, greenhouse, slide, bird_house, gate, column, water_tower, market_stall)
    kinds += (grave_stone, staircase)
    return pick(rng, kinds)(rng)
