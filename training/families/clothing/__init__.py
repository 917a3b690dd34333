"""Clothes, shoes, hats and bags as if worn by nobody; toes and faces towards +Z."""

from __future__ import annotations

from training.families.clothing.bags import backpack, handbag, suitcase, umbrella
from training.families.clothing.body import belt, dress, glove, shirt, trousers
from training.families.clothing.feet import boot, high_heel, shoe, sock
from training.families.clothing.head import cap, crown, hat, helmet, spectacles
from training.families.paints import Kind, Rng, pick
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random piece of clothing or luggage."""
    kinds: tuple[Kind, ...] = (shoe, shoe, shoe, boot, boot, high_heel, hat, hat, cap, cap, shirt, shirt, trousers)
    kinds += (dress, handbag, handbag, backpack, backpack, suitcase, suitcase, umbrella, helmet, helmet, spectacles)
    kinds += (belt, glove, crown, sock)
    return pick(rng, kinds)(rng)
